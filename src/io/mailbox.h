/* mailbox.h - typed messages to a thread: many may post, the owner receives in its loop.
 *
 * Bounded: items of a fixed size in a ring; the owner is woken once per batch. */
#pragma once

#include <uv.h>

struct mailbox;

typedef void (*mailbox_input)(void *context, const void *item);

int mailbox_new(uv_loop_t *loop, size_t item_size, size_t n_items, mailbox_input input,
                void *context, struct mailbox **ret);
/* In the owner's thread, loop running: receives what was posted, then refuses more. The loop must
 * run until its handle is closed. */
void mailbox_close(struct mailbox *m);
void mailbox_free(struct mailbox *m); /* once nobody can post any more; NULL is fine */
/* The first of n items in a row that keep `reserve` places free: how many were posted. */
size_t mailbox_post_all(struct mailbox *m, const void *items, size_t n, size_t reserve);
/* Copies the item. 0, -EPIPE when closed, or -ENOBUFS when fewer than `reserve` places would stay
 * free (0: only when full): what may be lost leaves room for what may not. From any thread. */
int mailbox_post(struct mailbox *m, const void *item, size_t reserve);
