/* stream.c - TCP connections of any packets in any order: four bytes of input make one packet. */
#include <stdlib.h>

#include "wire/capture/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct seen {
    int64_t total; /* bytes handed on, or told missing */
};

static void on_sign(void *context, struct stream *s, int side, const struct stream_sign *sign)
{
}

static void on_data(void *context, struct stream *s, int side, const void *bytes, size_t len)
{
    if (!len)
        abort();
    ((struct seen *)context)->total += (int64_t)len;
}

static void on_hole(void *context, struct stream *s, int side, enum stream_hole hole,
                    uint32_t bytes)
{
    if (!bytes || bytes > INT32_MAX)
        abort();
}

static void on_gone(void *context, struct stream *s)
{
    s->user = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char data[65536];
    struct seen seen = {0};
    struct streams streams;
    int64_t now_ns = 0, sent = 0;

    streams_init(&streams, &(struct stream_handler){&seen, on_sign, on_data, on_hole, on_gone});
    for (; len >= 4; bytes += 4, len -= 4) {
        bool up = bytes[0] & 0x80;
        struct endpoint a = {ip_v4(1), (uint16_t)(50000 + (bytes[0] >> 6 & 1))},
                        b = {ip_v4(2), 2000};
        struct packet p = {.kind = PACKET_TCP, .from = up ? a : b, .to = up ? b : a};
        struct stream *s;

        p.tcp_flags = bytes[0] & 0x17;
        p.tcp_sequence = (uint32_t)bytes[1] * 7 - (bytes[0] & 0x20 ? 600 : 0) +
                         (bytes[3] > 250 ? 0x40000000u : 0);
        p.tcp_acknowledged = (uint32_t)bytes[2] * 7;
        p.tcp_window = bytes[3] & 1;
        p.payload = (struct text){data, bytes[3] >> 2};
        p.missing = bytes[3] & 2;
        sent += (int64_t)p.payload.len;
        now_ns += (int64_t)(bytes[2] & 7) * 20000000;
        s = streams_find(&streams, &p);
        if (!s || stream_is_over(s, &p))
            s = streams_make(&streams, &p, 2000, now_ns);
        if (s)
            streams_packet(&streams, s, &p, now_ns);
    }
    if (seen.total > sent)
        abort(); /* nothing is handed on twice */
    streams_done(&streams);
    if (streams.waiting)
        abort();
    return 0;
}
