/* message.c - SCCP messages by their tables. */
#include "wire/sccp/message.h"

#include <errno.h>
#include <stddef.h>

/* ---- the tables ---- */

#define ENUM(table)                    const struct name sccp_names_##table[] = {
#define VALUE(constant, number, words) {number, words},
#define ENUM_END(table)                {0, NULL}};
#include "wire/sccp/constants.def"
#undef ENUM
#undef VALUE
#undef ENUM_END

#define ROWS(name)                                                                                 \
    static const struct field *name##_fields(void)                                                 \
    {                                                                                              \
        typedef struct sccp_##name T __attribute__((unused));                                                            \
        static const struct field rows[] = {
#define MESSAGE(id, constant, name, words, flags) ROWS(name)
#define ELEMENT(name)                             ROWS(name)
#define MEMBER(f)                 .name = #f, .at = offsetof(T, f), .stride = sizeof(((T *)0)->f)
#define ITEMS(f, element)         .name = #f, .at = offsetof(T, f), .stride = sizeof(struct sccp_##element), \
                                  .rows = element##_fields
#define U8(f)                     {.kind = F_UINT, .len = 1, MEMBER(f)},
#define E8_UNUSED(f, table, v)    {.kind = F_UINT, .len = 1, .unused = v, .names = sccp_names_##table, MEMBER(f)},
#define U16(f)                    {.kind = F_UINT, .len = 2, MEMBER(f)},
#define U16S(f, n)                {.kind = F_U16S, .len = 2 * n, MEMBER(f)},
#define U32(f)                    {.kind = F_UINT, .len = 4, MEMBER(f)},
#define E32(f, table)             {.kind = F_UINT, .len = 4, .names = sccp_names_##table, MEMBER(f)},
#define NARROW(f, v)              {.kind = F_UINT, .len = 4, .from = v, .len2 = 1, MEMBER(f)},
#define LINE(f)                   {.kind = F_LINE, .len = 4, MEMBER(f)},
#define IP4(f)                    {.kind = F_IP4, .len = 4, MEMBER(f)},
#define IP6(f)                    {.kind = F_IP6, .len = 16, MEMBER(f)},
#define ADDR(f)                   {.kind = F_ADDR, .len = 4, .from = 17, .len2 = 20, MEMBER(f)},
#define STR(f, n)                 {.kind = F_STR, .len = n, MEMBER(f)},
#define STRV(f, n, v, n2)         {.kind = F_STR, .len = n, .from = v, .len2 = n2, MEMBER(f)},
#define ZSTR(f)                   {.kind = F_ZSTR, MEMBER(f)},
#define LEN(f)                    {.kind = F_LEN, .len = 4, MEMBER(f)},
#define DATA(f)                   {.kind = F_DATA, MEMBER(f)},
#define BLOCK(f, n)               {.kind = F_BLOCK, .len = n, MEMBER(f)},
#define RAW(f)                    {.kind = F_RAW, MEMBER(f)},
#define BYTES(f, n)               {.kind = F_BYTES, .len = n, MEMBER(f)},
#define PAD(n)                    {.kind = F_PAD, .len = n},
#define LIST(f, e, n, count)      {.kind = F_LIST, .len = n, .count_at = offsetof(T, count), ITEMS(f, e)},
#define SLOTS(f, e, n, count)     {.kind = F_SLOTS, .len = n, .count_at = offsetof(T, count), ITEMS(f, e)},
#define SLOTS2(f, e, n, n2, count) {.kind = F_SLOTS, .len = n, .len2 = n2, .count_at = offsetof(T, count), ITEMS(f, e)},
#define ARRAY(f, e, n)            {.kind = F_ARRAY, .len = n, ITEMS(f, e)},
#define STRUCT(f, e)              {.kind = F_ARRAY, .len = 1, ITEMS(f, e)},
#define OPTIONAL                  {.kind = F_OPTIONAL},
#define SINCE(v)                  {.kind = F_SINCE, .from = v},
#define ONLY(v, w)                {.kind = F_ONLY, .from = v, .len = w},
#define END(name)                 {.kind = F_END}}; return rows; }
#include "wire/sccp/rows.h"

enum { FROM_PHONE = SCCP_FROM_PHONE, FROM_SERVER = SCCP_FROM_SERVER, PLAIN = 4 };

static const struct kind {
    uint32_t id;
    uint8_t flags;
    const char *name;
    const struct field *(*fields)(void);
} kinds[] = {
#define MESSAGE(id, constant, name, words, flags) {id, flags, words, name##_fields},
#include "wire/sccp/rows.h"
};

#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

enum {
#define MESSAGE(id, constant, name, words, flags) PLACE_##constant,
#include "wire/sccp/rows.h"
};

/* The ids below 0x200 and those of the 0x8000 and 0xff00 ranges, without a gap of 60 000. */
#define SLOT(id) ((id) < 0x200 ? (id) : 0x200 + ((id) >> 4 & 0xf0) + ((id) & 0x0f))

static const uint8_t places[0x300] = {
#define MESSAGE(id, constant, name, words, flags) [SLOT(id)] = PLACE_##constant,
#include "wire/sccp/rows.h"
};

static const struct kind *kind_of(uint32_t id)
{
    const struct kind *kind = &kinds[places[SLOT(id)]];

    return kind->id == id ? kind : NULL;
}

/* ---- decode, encode ---- */

static const void *body_of(const struct sccp_message *m)
{
    return &m->keepalive; /* all members of the union start there */
}

int sccp_decode(const struct sccp_frame *frame, unsigned version, enum sccp_from from,
                struct sccp_message *ret)
{
    const struct kind *kind = kind_of(frame->id);
    struct reader r = reader_of(frame->body, frame->len);

    if (!kind)
        return -ENOENT;
    if (!(kind->flags & from))
        return -EPROTO;
    ret->id = frame->id;
    ret->header_version = frame->version;
    fields_decode(kind->fields(), version, &r, &ret->keepalive);
    return r.bad ? -EBADMSG : 0;
}

/* Versions below 10 put 0 in the header, and so do the answers that come before one is agreed. */
static uint32_t header_version(const struct kind *kind, unsigned version)
{
    return version < 10 || kind->flags & PLAIN ? 0 : version;
}

int sccp_encode_body(uint32_t id, const void *body, unsigned version, struct writer *w)
{
    const struct kind *kind = kind_of(id);
    uint8_t *header;

    if (!kind)
        return -ENOENT;
    header = sccp_frame_begin(w, header_version(kind, version), id);
    fields_encode(kind->fields(), version, body, w);
    return sccp_frame_end(w, header);
}

int sccp_encode(const struct sccp_message *m, unsigned version, struct writer *w)
{
    return sccp_encode_body(m->id, body_of(m), version, w);
}

size_t sccp_body_size(const struct sccp_message *m, unsigned version)
{
    const struct kind *kind = kind_of(m->id);

    return kind ? (fields_size(kind->fields(), version, body_of(m)) + 3) & ~(size_t)3 : 0;
}

unsigned sccp_version_agree(unsigned offered, unsigned server_max)
{
    static const uint8_t layouts[] = {22, 21, 20, 19, 18, 17, 16, 15, 11, 10, 9, 8, 5, 3};
    unsigned most = offered == 33 ? 3 : offered;

    if (most > server_max)
        most = server_max;
    for (size_t i = 0; i < sizeof(layouts); i++)
        if (layouts[i] <= most)
            return layouts[i];
    return 0;
}

/* ---- names, labels, dump ---- */

const char *sccp_message_name(uint32_t id)
{
    const struct kind *kind = kind_of(id);

    return kind ? kind->name : NULL;
}

int sccp_message_id(struct text name, uint32_t *ret)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (text_equal_nocase(name, text_of(kinds[i].name))) {
            *ret = kinds[i].id;
            return 0;
        }
    return -ENOENT;
}

enum sccp_from sccp_message_from(uint32_t id)
{
    const struct kind *kind = kind_of(id);

    return kind ? kind->flags & (FROM_PHONE | FROM_SERVER) : 0;
}

const struct field *sccp_message_fields(uint32_t id)
{
    const struct kind *kind = kind_of(id);

    return kind ? kind->fields() : NULL;
}

uint32_t sccp_message_at(size_t index)
{
    return index < N_KINDS ? kinds[index].id : UINT32_MAX;
}

static const char *const labels[2][128] = {
#define LABEL(n, words)  [0][n] = words,
#define LABEL2(n, words) [1][n] = words,
#include "wire/sccp/labels.def"
#undef LABEL
#undef LABEL2
};

const char *sccp_label(unsigned table, unsigned n)
{
    return (table == 1 || table == 2) && n < 128 ? labels[table - 1][n] : NULL;
}

/* The label at the start of `t`, whose code is two bytes; NULL when there is none. */
static const char *label_at(struct text t)
{
    uint8_t lead = t.len ? (uint8_t)t.at[0] : 0;

    if (t.len < 2 || (lead != 0x80 && lead != 0x1e))
        return NULL;
    return sccp_label(lead == 0x80 ? 1 : 2, (uint8_t)t.at[1]);
}

static bool is_utf8_lead(uint8_t c)
{
    return c >= 0xc2 && c < 0xf5;
}

/* Bytes of the character at the start: 0x80 inside a UTF-8 character is no label code. */
static size_t char_len(struct text t)
{
    size_t n = 1;

    if (is_utf8_lead((uint8_t)t.at[0]))
        while (n < 4 && n < t.len && ((uint8_t)t.at[n] & 0xc0) == 0x80)
            n++;
    return n;
}

static void expand(struct text t, bool dump, struct writer *w)
{
    while (t.len) {
        const char *label = label_at(t);
        size_t n = label ? 2 : char_len(t);
        uint8_t c = (uint8_t)t.at[0];

        if (label)
            write_format(w, dump ? "{%s}" : "%s", label);
        else if (dump && (c == '"' || c == '\\'))
            write_format(w, "\\%c", c);
        else if (dump && (c < 0x20 || c == 0x7f || (n == 1 && c >= 0x80)))
            write_format(w, "\\x%02x", c);
        else
            write_bytes(w, t.at, n);
        t = text_skip(t, n);
    }
}

void sccp_label_expand(struct text t, struct writer *w)
{
    expand(t, false, w);
}

static void dump_text(struct text t, struct writer *w)
{
    expand(t, true, w);
}

void sccp_dump(const struct sccp_message *m, unsigned version, struct writer *w)
{
    const struct kind *kind = kind_of(m->id);

    write_format(w, "0x%04x %s\n", m->id, kind ? kind->name : "unknown");
    if (kind)
        fields_dump(kind->fields(), version, body_of(m), 2, dump_text, w);
}
