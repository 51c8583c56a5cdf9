/* sip.c - SIP messages and what is understood of them.
 *
 * A file has the notation of RFC 4475 2 (notation.h). Its first line says where it comes from and what must become of it: "# RFC 4475 3.1.2.1: 400", "accept" or "drop". */
#include "golden.h"

#include "notation.h"

#include "wire/sip/dump.h"
#include "wire/sip/multipart.h"

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
