#include "wire/peer.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "wire/fields.h"

#define PEER(kind, constant, name, words)                                                          \
    static const struct field *name##_fields(void)                                                 \
    {                                                                                              \
        typedef struct peer_##name T;                                                              \
        static const struct field rows[] = {
#define PEER_END(name)                                                                             \
    {                                                                                              \
        .kind = F_END                                                                              \
    }                                                                                              \
    }                                                                                              \
    ;                                                                                              \
    return rows;                                                                                   \
    }
#define STR(f, n)                                                                                  \
    {.kind = F_STR, .len = n, .at = offsetof(T, f), .stride = sizeof(((T *)0)->f), .name = #f},
#define U32(f) {.kind = F_UINT, .len = 4, .at = offsetof(T, f), .stride = 4, .name = #f},
#include "wire/peer.def"
#undef PEER
#undef PEER_END
#undef STR
#undef U32

static const struct {
    const char *name;
    const struct field *(*fields)(void);
} kinds[] = {
#define PEER(kind, constant, name, words) [kind] = {words, name##_fields},
#define PEER_END(name)
#define STR(f, n)
#define U32(f)
#include "wire/peer.def"
};

#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

void peer_encode(const struct peer_message *m, struct writer *w)
{
    const struct field *rows = kinds[m->kind].fields();

    write_le32(w, 4 + (uint32_t)fields_size(rows, 0, &m->hello));
    write_le32(w, m->kind);
    fields_encode(rows, 0, &m->hello, w); /* all members of the union start there */
}

int peer_next(struct reader *r, struct peer_message *ret)
{
    struct reader ahead = *r, body;
    uint32_t len, kind;

    if (reader_left(r) < 8)
        return 0;
    len = read_le32(&ahead);
    kind = read_le32(&ahead);
    if (len < 4 || len > PEER_FRAME_MAX || kind >= N_KINDS || !kinds[kind].name)
        return -EBADMSG;
    if (reader_left(&ahead) < len - 4)
        return 0;
    body = reader_of(ahead.at, len - 4);
    memset(ret, 0, sizeof(*ret));
    ret->kind = kind;
    fields_decode(kinds[kind].fields(), 0, &body, &ret->hello);
    if (body.bad || reader_left(&body))
        return -EBADMSG;
    r->at = ahead.at + len - 4;
    return 1;
}
