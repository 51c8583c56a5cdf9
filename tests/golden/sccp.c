/* sccp.c - SCCP frames and their dumps. A file's name starts with the version: v20-call.hex. */
#include "golden.h"

#include <stdlib.h>

#include "wire/sccp/message.h"

/* What we would send for it: the same bytes, but where a phone leaves out fields of its version. */
static void compare(const struct sccp_message *m, unsigned version, const uint8_t *bytes, size_t len,
                    struct writer *w)
{
    uint8_t again[SCCP_FRAME_MAX];
    struct writer a = writer_of(again, sizeof(again));

    if (sccp_encode(m, version, &a))
        write_format(w, "  cannot be encoded\n");
    else if (writer_len(&a) != len)
        write_format(w, "  %zu bytes, we send %zu\n", len, writer_len(&a));
    else
        write_format(w, "  we send %s\n", memcmp(again, bytes, len) ? "other bytes" : "the same bytes");
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    struct reader r = reader_of(bytes, len);
    unsigned version = name[0] == 'v' ? (unsigned)atoi(name + 1) : 0;
    struct sccp_frame frame;
    struct sccp_message m;
    const uint8_t *start = r.at;
    int err;

    for (; (err = sccp_frame_next(&r, &frame)) == 1; start = r.at) {
        int bad = sccp_decode(&frame, version, sccp_message_from(frame.id), &m);

        if (bad)
            write_format(w, "0x%04x refused: %d\n", frame.id, bad);
        else
            sccp_dump(&m, version, w), compare(&m, version, start, (size_t)(r.at - start), w);
    }
    return err || reader_left(&r);
}

int main(int argc, char **argv)
{
    return golden_run(argc, argv, print);
}
