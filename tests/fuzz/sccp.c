/* sccp.c - what decodes must encode again, within its declared size, and read the same after that.
 *
 * The first byte of an input chooses the version; a stream of frames follows. */
#include <stdlib.h>

#include "wire/sccp/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static size_t encoded(const struct sccp_message *m, unsigned version, uint8_t to[SCCP_FRAME_MAX])
{
    struct writer w = writer_of(to, SCCP_FRAME_MAX);

    must(sccp_encode(m, version, &w) == 0);
    must(writer_len(&w) == SCCP_HEADER_SIZE + sccp_body_size(m, version));
    return writer_len(&w);
}

static void check(const struct sccp_frame *frame, unsigned version)
{
    static uint8_t once[SCCP_FRAME_MAX], again[SCCP_FRAME_MAX];
    static char text[1 << 18];
    static struct sccp_message m, m2;
    struct writer dump = writer_of(text, sizeof(text));
    struct sccp_frame next;
    struct reader r;
    size_t n;

    if (sccp_decode(frame, version, sccp_message_from(frame->id), &m))
        return;
    sccp_dump(&m, version, &dump);
    must(!dump.bad);
    n = encoded(&m, version, once);
    r = reader_of(once, n);
    must(sccp_frame_next(&r, &next) == 1 && reader_left(&r) == 0);
    must(sccp_decode(&next, version, sccp_message_from(next.id), &m2) == 0);
    must(encoded(&m2, version, again) == n && !memcmp(once, again, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct reader r;
    struct sccp_frame frame;

    if (len < 1)
        return 0;
    r = reader_of(bytes + 1, len - 1);
    while (sccp_frame_next(&r, &frame) == 1)
        check(&frame, bytes[0] % (SCCP_VERSION_MAX + 1));
    return 0;
}
