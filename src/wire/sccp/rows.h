/* rows.h - includes messages.def with every row that the includer has not defined as nothing.
 *
 * Rows that are kinds of a simpler row fall back to it; all are undefined afterwards. No guard:
 * made to be included again and again. */
#ifndef MESSAGE
#define MESSAGE(id, constant, name, words, flags)
#endif
#ifndef ELEMENT
#define ELEMENT(name)
#endif
#ifndef U8
#define U8(f)
#endif
#ifndef E8_UNUSED
#define E8_UNUSED(f, table, v) U8(f)
#endif
#ifndef U16
#define U16(f)
#endif
#ifndef U16S
#define U16S(f, n)
#endif
#ifndef U32
#define U32(f)
#endif
#ifndef E32
#define E32(f, table) U32(f)
#endif
#ifndef NARROW
#define NARROW(f, v) U32(f)
#endif
#ifndef LINE
#define LINE(f) U32(f)
#endif
#ifndef ADDR
#define ADDR(f)
#endif
#ifndef IP4
#define IP4(f) ADDR(f)
#endif
#ifndef IP6
#define IP6(f) ADDR(f)
#endif
#ifndef STR
#define STR(f, n)
#endif
#ifndef STRV
#define STRV(f, n, v, n2)
#endif
#ifndef NUM
#define NUM(f) STRV(f, 24, 18, 25)
#endif
#ifndef ZSTR
#define ZSTR(f)
#endif
#ifndef LEN
#define LEN(f) ZSTR(f)
#endif
#ifndef RAW
#define RAW(f) ZSTR(f)
#endif
#ifndef DATA
#define DATA(f)
#endif
#ifndef BLOCK
#define BLOCK(f, n)
#endif
#ifndef BYTES
#define BYTES(f, n)
#endif
#ifndef PAD
#define PAD(n)
#endif
#ifndef LIST
#define LIST(f, element, n, count)
#endif
#ifndef SLOTS
#define SLOTS(f, element, n, count) LIST(f, element, n, count)
#endif
#ifndef SLOTS2
#define SLOTS2(f, element, n, n2, count) LIST(f, element, n2, count)
#endif
#ifndef ARRAY
#define ARRAY(f, element, n) LIST(f, element, n, 0)
#endif
#ifndef STRUCT
#define STRUCT(f, element)
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef SINCE
#define SINCE(v)
#endif
#ifndef ONLY
#define ONLY(v, w)
#endif
#ifndef ALWAYS
#define ALWAYS ONLY(0, 255)
#endif
#ifndef END
#define END(name)
#endif
#include "wire/sccp/messages.def"
#undef MESSAGE
#undef ELEMENT
#undef U8
#undef E8_UNUSED
#undef U16
#undef U16S
#undef U32
#undef E32
#undef NARROW
#undef LINE
#undef ADDR
#undef IP4
#undef IP6
#undef STR
#undef STRV
#undef NUM
#undef ZSTR
#undef LEN
#undef RAW
#undef DATA
#undef BLOCK
#undef BYTES
#undef PAD
#undef LIST
#undef SLOTS
#undef SLOTS2
#undef ARRAY
#undef STRUCT
#undef OPTIONAL
#undef SINCE
#undef ONLY
#undef ALWAYS
#undef END
