/* fields_dump.c - a struct as lines for people, by its table. */
#include "wire/fields_walk.h"

static void dump_escaped(struct text t, struct writer *w)
{
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = (uint8_t)t.at[i];

        if (c == '"' || c == '\\')
            write_format(w, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            write_format(w, "\\x%02x", c);
        else
            write_u8(w, c);
    }
}

static void dump_text(struct text t, void (*text)(struct text t, struct writer *w),
                      struct writer *w)
{
    write_string(w, "\"");
    (text ? text : dump_escaped)(t, w);
    write_string(w, "\"");
}

static void dump_uint(const struct field *row, uint32_t v, struct writer *w)
{
    const char *name = row->names ? names_print(row->names, v) : NULL;

    write_format(w, "%u", v);
    if (name)
        write_format(w, " (%s)", name);
    else if (v > 0xffff)
        write_format(w, " (0x%x)", v);
}

static void dump_bytes(const uint8_t *p, size_t n, struct writer *w)
{
    for (size_t i = 0; i < n; i++)
        write_format(w, "%02x", p[i]);
}

static void dump_u16s(const uint16_t *p, size_t n, struct writer *w)
{
    for (size_t i = 0; i < n; i++)
        write_format(w, i ? " %u" : "%u", p[i]);
}

static void dump_value(const struct field *row, unsigned version, const void *from,
                       void (*text)(struct text t, struct writer *w), struct writer *w)
{
    const void *p = member(from, row);
    char ip[IP_TEXT_MAX];

    switch (row->kind) {
    case F_UINT:
    case F_LINE:
        dump_uint(row, uint_get(from, row), w);
        break;
    case F_IP4:
    case F_IP6:
    case F_ADDR:
        write_string(w,
                     ((const struct ip *)p)->family ? ip_print(*(const struct ip *)p, ip) : "none");
        break;
    case F_STR:
        dump_text(text_of(p), text, w);
        break;
    case F_U16S:
        dump_u16s(p, row->len / 2, w);
        break;
    case F_BYTES:
        dump_bytes(p, row->len, w);
        break;
    default:
        dump_text(*(const struct text *)p, text, w);
    }
}

static void dump_name(unsigned indent, const char *name, struct writer *w)
{
    write_format(w, "%*s%s", (int)indent, "", name);
}

static void dump_list(const struct field *row, unsigned version, const void *from, unsigned indent,
                      void (*text)(struct text t, struct writer *w), struct writer *w)
{
    uint32_t used = used_of(row, from);

    for (uint32_t i = 0; i < used; i++) {
        dump_name(indent, row->name, w);
        if (row->kind == F_ARRAY && used == 1)
            write_string(w, ":\n");
        else
            write_format(w, "[%u]:\n", i);
        fields_dump(row->rows(), version, element(row, from, i), indent + 2, text, w);
    }
}

static bool is_list(const struct field *row)
{
    return row->kind == F_LIST || row->kind == F_SLOTS || row->kind == F_ARRAY;
}

static bool all_zero(const uint8_t *p, size_t n)
{
    while (n > 0 && !p[n - 1])
        n--;
    return n == 0;
}

/* What this version does not send is shown when it was received all the same. */
static bool shows(const struct walk *k, const struct field *row, const void *from)
{
    const void *p = member(from, row);

    if (row->kind == F_PAD || row->kind == F_LEN)
        return false;
    if (walk_sends(k) || !walk_takes(k))
        return walk_sends(k);
    switch (row->kind) {
    case F_STR:
        return *(const char *)p;
    case F_ZSTR:
        return ((const struct text *)p)->len;
    case F_IP4:
    case F_IP6:
    case F_ADDR:
        return !ip_is_any(*(const struct ip *)p);
    default:
        return !all_zero(p, row->stride);
    }
}

void fields_dump(const struct field *rows, unsigned version, const void *from, unsigned indent,
                 void (*text)(struct text t, struct writer *w), struct writer *w)
{
    struct walk k = walk_of(version);

    for (const struct field *row = rows; row->kind != F_END; row++) {
        if (walk_mark(&k, row) || !shows(&k, row, from))
            continue;
        if (is_list(row)) {
            dump_list(row, version, from, indent, text, w);
            continue;
        }
        dump_name(indent, row->name, w);
        write_string(w, " ");
        dump_value(row, version, from, text, w);
        write_string(w, "\n");
    }
}
