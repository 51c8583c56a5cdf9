/* sip.c - SIP messages and what is understood of them.
 *
 * A file has the notation of RFC 4475 2: lines end in CR LF; <allOneLine> joins its lines,
 * <hex>00</hex> are bytes, <repeat count=3>x</repeat> repeats. Its first line says where it comes
 * from and what must become of it: "# RFC 4475 3.1.2.1: 400", "accept" or "drop". */
#include "golden.h"

#include <stdlib.h>

#include "wire/sip/dump.h"
#include "wire/sip/multipart.h"

/* The text up to `end`, cut off `t` with it. */
static struct text take_until(struct text *t, const char *end)
{
    const char *at = memmem(t->at, t->len, end, strlen(end));
    struct text part = *t;

    if (!at)
        abort(); /* the file is not of that notation */
    part.len = (size_t)(at - t->at);
    *t = text_skip(*t, part.len + strlen(end));
    return part;
}

static void expand(struct text t, bool one_line, struct writer *w);

static void expand_hex(struct text t, struct writer *w)
{
    uint32_t byte;

    for (t = text_trim(t); t.len; t = text_trim(text_skip(t, 2))) {
        if (text_to_u32((struct text){t.at, 2}, 16, &byte) < 0)
            abort();
        write_u8(w, (uint8_t)byte);
    }
}

static void expand_repeat(struct text t, bool one_line, struct writer *w)
{
    uint32_t n;

    if (text_to_u32(text_split(&t, '>'), 10, &n) < 0)
        abort();
    while (n--)
        expand(t, one_line, w);
}

static void expand(struct text t, bool one_line, struct writer *w)
{
    while (t.len) {
        if (text_starts(t, "<allOneLine>\n")) {
            t = text_skip(t, strlen("<allOneLine>\n"));
            expand(take_until(&t, "</allOneLine>"), true, w);
        } else if (text_starts(t, "<hex>")) {
            t = text_skip(t, strlen("<hex>"));
            expand_hex(take_until(&t, "</hex>"), w);
        } else if (text_starts(t, "<repeat count=")) {
            t = text_skip(t, strlen("<repeat count="));
            expand_repeat(take_until(&t, "</repeat>"), one_line, w);
        } else {
            if (t.at[0] != '\n')
                write_u8(w, (uint8_t)t.at[0]);
            else if (!one_line)
                write_bytes(w, "\r\n", 2);
            t = text_skip(t, 1);
        }
    }
}

static void print_parts(const struct sip_message *m, struct writer *w)
{
    struct sip_part parts[8];
    int n = sip_message_parts(m, parts, 8);

    for (int i = 0; i < n; i++)
        write_format(w, "    part %.*s: %zu bytes\n", TEXT_ARG(parts[i].type), parts[i].body.len);
    if (n < 0)
        write_format(w, "    parts are malformed\n");
}

static bool is_as_expected(struct text expected, int err, const struct sip_message *m)
{
    uint32_t status;

    if (text_is(expected, "accept"))
        return !err && !m->problem;
    if (text_is(expected, "drop"))
        return err < 0;
    return !err && text_to_u32(expected, 10, &status) == 0 && m->problem == status;
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    static uint8_t wire[65536];
    struct writer expanded = writer_of(wire, sizeof(wire));
    struct text rest = {(const char *)bytes, len}, head = text_split(&rest, '\n');
    struct sip_message m;
    int err;

    expand(rest, false, &expanded);
    err = sip_parse(wire, writer_len(&expanded), &m);
    write_format(w, "%zu bytes\n", writer_len(&expanded));
    if (err)
        write_string(w, "dropped\n");
    else
        sip_dump(&m, w), print_parts(&m, w);
    text_split(&head, ':');
    return expanded.bad || !is_as_expected(text_trim(text_split(&head, ',')), err, &m);
}

int main(int argc, char **argv)
{
    return golden_run(argc, argv, print);
}
