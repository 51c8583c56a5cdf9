/* sccp.c - SCCP frames and their dumps. A file's name starts with the version: v20-call.hex. */
#include "golden.h"

#include <stdlib.h>

#include "wire/sccp/message.h"

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    struct reader r = reader_of(bytes, len);
    unsigned version = name[0] == 'v' ? (unsigned)atoi(name + 1) : 0;
    struct sccp_frame frame;
    struct sccp_message m;
    int err;

    while ((err = sccp_frame_next(&r, &frame)) == 1) {
        int bad = sccp_decode(&frame, version, sccp_message_from(frame.id), &m);

        if (bad)
            write_format(w, "0x%04x refused: %d\n", frame.id, bad);
        else
            sccp_dump(&m, version, w);
    }
    return err || reader_left(&r);
}

int main(int argc, char **argv)
{
    return golden_run(argc, argv, print);
}
