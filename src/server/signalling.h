/* signalling.h - the signalling thread's own state; for the parts of the thread alone. */
#pragma once

#include "io/tcp.h"
#include "server/local_time.h"
#include "server/server.h"
#include "station/stations.h"

#define NEWS_MAX 2048

struct signalling {
    struct thread *thread;
    struct tcp *tcp; /* NULL: stopped */
    struct registry *registry;
    struct stations *stations;
    struct effects *effects;
    struct local_times *times;
    const struct directory *directory; /* what `registry` works with: one reference */
    uv_timer_t timer;                  /* the next thing that is due in `stations` */
    uv_prepare_t prepare;
    uint64_t due_ms; /* when `timer` fires; UINT64_MAX: it is off */
    uv_timer_t news_timer;
    size_t n_news;
    struct news { /* what the others will be told together */
        enum thread_id to;
        struct message message;
    } news[NEWS_MAX];
    char node[256];
    int n_handles; /* still closing */
};

static inline struct moment signalling_now(struct signalling *s)
{
    return (struct moment){uv_now(&s->thread->loop), server_wall_us()};
}

/* Does what the effects say and clears them. */
void signalling_carry_out(struct signalling *s);
/* Gives the other threads what they have not been told yet. */
void signalling_tell_news(struct signalling *s);
/* signalling_requests.c: answers MESSAGE_REQUEST; frees its arguments. */
void signalling_answer(struct signalling *s, const struct message *m);
