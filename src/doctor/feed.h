/* feed.h - files of any kind and number, in any order, as one stream of sights in the order of their time.
 *
 * Captures, texts, archives and compressed files of these. Files of which nothing is known yet wait, closed, for their time. */
#pragma once

#include "doctor/capture/capture.h"
#include "doctor/source.h"
#include "doctor/text/text.h"

#define FEED_FILES_MAX 255 /* that have a number of their own; further ones share the last */

struct feed;

/* NULL without memory. `on_problem` hears of each file that ends early; NULL: nobody does. */
struct feed *feed_new(const struct capture_options *o, sight_fn on_sight, void *context,
                      void (*on_problem)(const char *name, const char *problem));
void feed_free(struct feed *f);
/* `path`, borrowed, "-" is the standard input. 0, -EBADMSG when it can be nothing that is read here, -ENODATA when it is empty, -errno. */
int feed_add(struct feed *f, const char *path);
const char *feed_trouble(int err); /* what it means, and what to do */
int feed_run(struct feed *f, const char **bad); /* to the end of all. 0, -EBADMSG: nothing was understood of *bad */
/* Instead of feed_run: each thing that was found, in the order it was given. */
struct feed_item {
    const char *name;
    struct source *source; /* of a capture, borrowed; NULL: a text, to be read by `read` */
    const struct record *first; /* of the capture, taken from the source already */
    text_read read;
    void *context;
};
int feed_each(struct feed *f, int (*on_item)(void *context, const struct feed_item *it), void *context);
size_t feed_count(const struct feed *f);
const char *const *feed_names(const struct feed *f, unsigned *n); /* by place.file; of the feed's life */
int64_t feed_last_ns(const struct feed *f);
