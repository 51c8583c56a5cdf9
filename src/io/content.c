#include "io/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW (32 * 1024) /* read at once from a file that is not in memory */

/* Tells contents apart, eight octets a step; whoever makes two that meet has only fooled himself.
 */
static uint64_t mix(uint64_t h, const uint8_t *bytes, size_t len)
{
    uint64_t word;

    for (; len >= sizeof(word); bytes += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    for (size_t i = 0; i < len; i++) /* FNV-1a */
        h = (h ^ bytes[i]) * 0x100000001b3u;
    return h;
}

static uint64_t tag_of_stat(const struct stat *st)
{
    uint64_t words[] = {st->st_ino, (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
                        (uint64_t)st->st_mtim.tv_nsec};

    return mix(0xcbf29ce484222325u, (const uint8_t *)words, sizeof(words));
}

struct content *content_of_bytes(const void *bytes, size_t len)
{
    struct content *c = malloc(sizeof(*c) + len);

    if (!c)
        return NULL;
    *c = (struct content){.refs = 1, .size = len, .fd = -1, .bytes = (uint8_t *)(c + 1)};
    memcpy(c + 1, bytes, len);
    c->tag = mix(0xcbf29ce484222325u, bytes, len);
    return c;
}

int content_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int open_expected(const char *path, const struct stat *expected, int *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || !content_same(&st, expected)) {
        close(fd);
        return -ESTALE;
    }
    *ret = fd;
    return 0;
}

int content_of_file(const char *path, const struct stat *expected, struct content **ret)
{
    struct content *c = calloc(1, sizeof(*c));
    int err = c ? open_expected(path, expected, &c->fd) : -ENOMEM;

    if (err) {
        free(c);
        return err;
    }
    c->refs = 1;
    c->size = (uint64_t)expected->st_size;
    c->tag = tag_of_stat(expected);
    c->st = *expected;
    *ret = c;
    return 0;
}

struct content *content_of_copy(uint8_t *take_bytes, const struct stat *expected)
{
    struct content *c = calloc(1, sizeof(*c));

    if (!c) {
        free(take_bytes);
        return NULL;
    }
    *c = (struct content){
        .refs = 1,
        .size = (uint64_t)expected->st_size,
        .tag = tag_of_stat(expected),
        .bytes = take_bytes,
        .fd = -1,
        .st = *expected,
        .window = take_bytes,
    };
    return c;
}

struct content *content_ref(struct content *c)
{
    c->refs++;
    return c;
}

void content_unref(struct content *c)
{
    if (!c || --c->refs)
        return;
    if (c->fd >= 0)
        close(c->fd);
    free(c->window);
    free(c);
}

static ssize_t read_all(int fd, uint8_t *to, size_t n, uint64_t offset)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = pread(fd, to + done, n - done, (off_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -ESTALE;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int is_unchanged(const struct content *c)
{
    struct stat st;

    return fstat(c->fd, &st) == 0 && content_same(&st, &c->st);
}

const uint8_t *content_read(struct content *c, uint64_t offset, size_t n)
{
    uint64_t left = c->size - offset;

    if (c->bytes)
        return c->bytes + offset;
    if (offset >= c->window_at && offset + n <= c->window_at + c->window_len)
        return c->window + (offset - c->window_at);
    if (!c->window && !(c->window = malloc(WINDOW)))
        return NULL;
    c->window_at = offset;
    c->window_len = left < WINDOW ? (size_t)left : WINDOW;
    if (read_all(c->fd, c->window, c->window_len, offset) < 0 || !is_unchanged(c)) {
        c->window_len = 0;
        return NULL;
    }
    return c->window;
}

int content_load(const char *path, const struct stat *expected, uint8_t **ret)
{
    size_t size = (size_t)expected->st_size;
    uint8_t *bytes = NULL;
    struct stat st;
    int fd = -1, err = open_expected(path, expected, &fd);

    if (err)
        return err;
    if (!(bytes = malloc(size ? size : 1)))
        err = -ENOMEM;
    else if (size && read_all(fd, bytes, size, 0) < 0)
        err = -EIO;
    else if (fstat(fd, &st) < 0 || !content_same(&st, expected))
        err = -ESTALE;
    close(fd);
    if (err) {
        free(bytes);
        return err;
    }
    *ret = bytes;
    return 0;
}
