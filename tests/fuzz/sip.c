/* sip.c - SIP messages as datagrams and streams: what is read can be answered, and read again. A
 * stream cut anywhere gives the same messages. */
#include <stdlib.h>

#include "wire/sip/dump.h"
#include "wire/sip/framing.h"
#include "wire/sip/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static uint8_t out[1 << 20];

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void must_be_within(struct text t, const void *bytes, size_t len)
{
    must(
        !t.at || t.len == 0 ||
        ((uintptr_t)t.at >= (uintptr_t)bytes && (uintptr_t)t.at + t.len <= (uintptr_t)bytes + len));
}

/* Our answer to it is a message that is understood as ours, whatever was asked. */
static void answer(const struct sip_message *m)
{
    const struct endpoint from = {ip_v4(0x0a000001), 5060};
    struct writer w = writer_of(out, sizeof(out));
    struct sip_message again;

    sip_write_response(&w, m, 400, NULL, TEXT("tag"), &from);
    sip_write_body(&w, TEXT(""), TEXT(""));
    must(!w.bad);
    if (m->problem == 0) {
        must(sip_parse(out, writer_len(&w), &again) == 0);
        must(again.status == 400 && again.cseq == m->cseq);
        must(text_equal(again.call_id, m->call_id));
        must(text_equal(again.via.branch, m->via.branch));
    }
}

static void datagram(const uint8_t *bytes, size_t len)
{
    struct writer w = writer_of(out, sizeof(out));
    struct sip_message m;

    if (sip_parse(bytes, len, &m) < 0)
        return;
    for (unsigned i = 0; i < m.n_rows; i++) {
        must_be_within(m.rows[i].name, bytes, len);
        must_be_within(m.rows[i].value, bytes, len);
    }
    must_be_within(m.body, bytes, len);
    must_be_within(m.call_id, bytes, len);
    must(m.body.len <= m.length);
    sip_dump(&m, &w);
    if (!m.status)
        answer(&m);
}

/* A digest of all messages in a stream that comes in pieces; what it ends with. */
static uint64_t stream(const uint8_t *bytes, size_t len, size_t step)
{
    size_t at = 0, there = 0, used;
    struct sip_message m;
    uint64_t sum = 0;

    for (;;) {
        enum sip_frame_kind kind = sip_frame_next(bytes + at, there - at, &m, &used);

        if (kind == SIP_FRAME_BAD)
            return sum * 31 + 7 + m.problem;
        if (kind == SIP_FRAME_MORE) {
            must(used == 0);
            if (there == len)
                return sum * 31 + len - at;
            there = len - there < step ? len : there + step;
            continue;
        }
        must(used > 0 && used <= there - at);
        if (kind == SIP_FRAME_MESSAGE)
            sum = sum * 31 + used * 1000 + m.problem;
        at += used;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len > 1 << 16)
        return 0;
    datagram(bytes, len);
    must(stream(bytes, len, len ? len : 1) == stream(bytes, len, 1 + len / 7));
    if (len < 300)
        must(stream(bytes, len, len ? len : 1) == stream(bytes, len, 1));
    return 0;
}
