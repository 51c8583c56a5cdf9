/* content.h - bytes that are sent to many: made in memory, or those of a file as it was when opened.
 *
 * Reference-counted, of one thread. What was taken stays what it was: a file that is written over
 * while it is read gives NULL, never a mixture of old and new. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct content {
    uint32_t refs;
    uint64_t size;
    uint64_t tag;         /* another one for other content */
    const uint8_t *bytes; /* all of it, or NULL: content_read */
    int fd;               /* -1: none */
    struct stat st;       /* of the file when it was taken */
    uint8_t *window;      /* what content_read read last */
    uint64_t window_at;
    size_t window_len;
};

/* Copies the bytes. NULL without memory. */
struct content *content_of_bytes(const void *bytes, size_t len);
/* Opens the file when it is still the one that `expected` describes: 0, -ESTALE, -errno. */
int content_of_file(const char *path, const struct stat *expected, struct content **ret);
/* Takes malloc'ed bytes that are what the file `expected` contains. NULL without memory (then freed). */
struct content *content_of_copy(uint8_t *take_bytes, const struct stat *expected);

struct content *content_ref(struct content *c);
void content_unref(struct content *c); /* NULL is fine */
/* n bytes at offset, both inside the size, in place until the next call; NULL: the file has changed. */
const uint8_t *content_read(struct content *c, uint64_t offset, size_t n);

/* Whether two descriptions are of the same content: file, size and time of the last change. */
int content_same(const struct stat *a, const struct stat *b);

/* Reads a whole file that must be what `expected` says, before and after: 0 and malloc'ed bytes, -ESTALE,
 * -errno. For worker threads. */
int content_load(const char *path, const struct stat *expected, uint8_t **ret);
