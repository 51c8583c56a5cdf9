#include "io/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH 64

/* An event descriptor and a lock that lends its holder the waiter's priority, not libuv's uv_async:
 * that one spins until a sender it interrupted goes on, for ever when the receiver runs before all
 * others (signalling does). */
struct mailbox {
    uv_poll_t wake;
    int event;
    pthread_mutex_t lock;
    size_t item_size, n_items;
    size_t read, written; /* under the lock */
    bool closed;
    mailbox_input input;
    void *context;
    char *batch; /* BATCH items, the owner's */
    char *ring;
};

static char *place(const struct mailbox *m, size_t position)
{
    return m->ring + position % m->n_items * m->item_size;
}

/* Takes up to BATCH items out under the lock, so that posters never wait for the receiver's work.
 */
static size_t take_batch(struct mailbox *m)
{
    size_t n = 0;

    pthread_mutex_lock(&m->lock);
    for (; n < BATCH && m->read < m->written; n++, m->read++)
        memcpy(m->batch + n * m->item_size, place(m, m->read), m->item_size);
    pthread_mutex_unlock(&m->lock);
    return n;
}

static void receive_all(struct mailbox *m)
{
    size_t n;

    while ((n = take_batch(m)) > 0)
        for (size_t i = 0; i < n; i++)
            m->input(m->context, m->batch + i * m->item_size);
}

static void wake(struct mailbox *m)
{
    (void)!write(m->event, &(uint64_t){1}, sizeof(uint64_t)); /* fails only when 2^64 wait */
}

/* A bounded part per turn: sockets of the same loop must not wait behind a flood of messages. */
static void on_wake(uv_poll_t *poll, int status, int events)
{
    struct mailbox *m = poll->data;
    uint64_t times;

    (void)!read(m->event, &times, sizeof(times));
    for (int turn = 0; turn < 16; turn++) {
        size_t n = take_batch(m);

        for (size_t i = 0; i < n; i++)
            m->input(m->context, m->batch + i * m->item_size);
        if (n < BATCH)
            return;
    }
    wake(m);
}

void mailbox_free(struct mailbox *m)
{
    if (!m)
        return;
    if (m->event >= 0)
        close(m->event);
    pthread_mutex_destroy(&m->lock);
    free(m->batch);
    free(m->ring);
    free(m);
}

static void lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
}

int mailbox_new(uv_loop_t *loop, size_t item_size, size_t n_items, mailbox_input input,
                void *context, struct mailbox **ret)
{
    struct mailbox *m = calloc(1, sizeof(*m));
    int err;

    if (!m)
        return -ENOMEM;
    *m = (struct mailbox){
        .item_size = item_size, .n_items = n_items, .input = input, .context = context};
    m->batch = malloc(BATCH * item_size);
    m->ring = malloc(n_items * item_size);
    lock_init(&m->lock);
    m->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    err = !m->batch || !m->ring ? -ENOMEM
          : m->event < 0        ? -errno
                                : uv_poll_init(loop, &m->wake, m->event);
    if (err) {
        mailbox_free(m);
        return err;
    }
    m->wake.data = m;
    uv_poll_start(&m->wake, UV_READABLE, on_wake);
    *ret = m;
    return 0;
}

void mailbox_close(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    m->closed = true;
    pthread_mutex_unlock(&m->lock);
    receive_all(m);
    uv_close((uv_handle_t *)&m->wake, NULL);
}

/* Under the lock; true where the receiver must be woken. An empty ring begins at its start, so that no more of it is ever
 * touched than was needed at once. */
static bool put(struct mailbox *m, const void *item)
{
    if (m->read == m->written)
        m->read = m->written = 0;
    memcpy(place(m, m->written++), item, m->item_size);
    return m->written - m->read == 1;
}

/* Whoever is woken wants the lock: it is free by then. The descriptor lives as long as the mailbox. */
int mailbox_post(struct mailbox *m, const void *item, size_t reserve)
{
    bool wakes = false;
    int err = 0;

    pthread_mutex_lock(&m->lock);
    if (m->closed)
        err = -EPIPE;
    else if (m->written - m->read + reserve >= m->n_items)
        err = -ENOBUFS;
    else
        wakes = put(m, item);
    pthread_mutex_unlock(&m->lock);
    if (wakes)
        wake(m);
    return err;
}

size_t mailbox_post_all(struct mailbox *m, const void *items, size_t n, size_t reserve)
{
    size_t posted = 0;
    bool wakes = false;

    pthread_mutex_lock(&m->lock);
    while (posted < n && !m->closed && m->written - m->read + reserve < m->n_items)
        wakes |= put(m, (const char *)items + posted++ * m->item_size);
    pthread_mutex_unlock(&m->lock);
    if (wakes)
        wake(m);
    return posted;
}
