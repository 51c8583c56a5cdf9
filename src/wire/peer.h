/* peer.h - what nodes of a cluster say to each other: u32 length of what follows, u32 kind, the
 * fields of peer.def. */
#pragma once

#include "base/buf.h"

#define PEER_FRAME_MAX 512

#define PEER(kind, constant, name, words) PEER_##constant = kind,
#define PEER_END(name)
#define STR(f, n)
#define U32(f)
enum peer_kind {
#include "wire/peer.def"
};
#undef PEER
#undef PEER_END
#undef STR
#undef U32

#define PEER(kind, constant, name, words) struct peer_##name {
#define PEER_END(name)            };
#define STR(f, n)                 char f[n + 1];
#define U32(f)                    uint32_t f;
#include "wire/peer.def"
#undef PEER
#undef PEER_END
#undef STR
#undef U32

struct peer_message {
    uint32_t kind; /* enum peer_kind */
    union {
#define PEER(kind, constant, name, words) struct peer_##name name;
#define PEER_END(name)
#define STR(f, n)
#define U32(f)
#include "wire/peer.def"
#undef PEER
#undef PEER_END
#undef STR
#undef U32
    };
};

void peer_encode(const struct peer_message *m, struct writer *w);
/* 1 with a message and the reader behind it; 0: it is not whole yet; -EBADMSG: no such message, or
 * one that does not fill its frame. */
int peer_next(struct reader *r, struct peer_message *ret);
