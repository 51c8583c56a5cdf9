/* peer.c - what another node says, in one piece or many: what decodes encodes again within its frame, and
 * means the same after that. */
#include <stdlib.h>
#include <string.h>

#include "wire/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static size_t encode(const struct peer_message *m, uint8_t *to)
{
    struct writer w = writer_of(to, PEER_FRAME_MAX);

    peer_encode(m, &w);
    must(!w.bad);
    return writer_len(&w);
}

static void go_round(const struct peer_message *m)
{
    uint8_t first[PEER_FRAME_MAX], second[PEER_FRAME_MAX];
    static struct peer_message again;
    size_t n = encode(m, first);
    struct reader r = reader_of(first, n);

    must(peer_next(&r, &again) == 1 && !reader_left(&r) && again.kind == m->kind);
    must(encode(&again, second) == n && memcmp(first, second, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct peer_message m;
    struct reader whole = reader_of(bytes, len);
    int got;

    while ((got = peer_next(&whole, &m)) == 1)
        go_round(&m);
    for (size_t cut = 0; cut < len && cut < 64; cut++) { /* its head comes in pieces */
        uint8_t *part = malloc(cut + 1);
        struct reader r = reader_of(part, cut);

        memcpy(part, bytes, cut);
        while (peer_next(&r, &m) == 1)
            ;
        free(part);
    }
    return 0;
}
