/* mailbox.h - typed messages to a thread: many may post, the owner receives in its loop.
 *
 * Bounded: items of a fixed size in a ring; the owner is woken once per batch. */
#pragma once

#include <uv.h>

struct mailbox;

typedef void (*mailbox_input)(void *context, const void *item);

int mailbox_new(uv_loop_t *loop, size_t item_size, size_t n_items, mailbox_input input, void *context,
                struct mailbox **ret);
void mailbox_free(struct mailbox *m); /* in the owner's thread, loop still running; what was not read is dropped */
/* Copies the item. 0, or -ENOBUFS when full. From any thread. */
int mailbox_post(struct mailbox *m, const void *item);
