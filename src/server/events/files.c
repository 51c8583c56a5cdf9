#include "server/events/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/events/events.h"

static struct text map_file(const char *folder, unsigned number)
{
    char path[600];
    struct stat st;
    void *bytes = MAP_FAILED;
    int fd;

    snprintf(path, sizeof(path), number ? "%s/events.log.%u" : "%s/events.log", folder, number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size)
        bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0)
        close(fd);
    return bytes == MAP_FAILED ? (struct text){NULL, 0} : (struct text){bytes, (size_t)st.st_size};
}

void event_cursor_open(struct event_cursor *c, const char *folder)
{
    *c = (struct event_cursor){.n = 0};
    for (unsigned number = EVENT_FILES; number-- > 0;) {
        struct text file = map_file(folder, number);

        if (file.len)
            c->files[c->n++] = file;
    }
    c->rest = c->n ? c->files[0] : TEXT("");
}

void event_cursor_close(struct event_cursor *c)
{
    for (size_t i = 0; i < c->n; i++)
        munmap((void *)(uintptr_t)c->files[i].at, c->files[i].len);
    c->n = 0;
}

struct alarm *event_cursor_next(struct event_cursor *c, uint64_t *sequence)
{
    while (c->n) {
        while (c->rest.at && c->rest.len) {
            struct alarm *a = event_parse(text_split(&c->rest, '\n'), sequence);

            if (a)
                return a;
        }
        if (c->at + 1 >= c->n)
            break;
        c->rest = c->files[++c->at];
    }
    return NULL;
}

/* --- seeking --- */

/* The first line of `file` at or behind `at` that says something; its place, or the length of the
 * file. */
static size_t line_from(struct text file, size_t at, uint64_t *sequence, uint64_t *time_us)
{
    struct text rest = text_skip(file, at);

    if (at && file.at[at - 1] != '\n')
        text_split(&rest, '\n');
    while (rest.at && rest.len) {
        size_t begins = (size_t)(rest.at - file.at);
        struct alarm *a = event_parse(text_split(&rest, '\n'), sequence);

        if (!a)
            continue;
        *time_us = a->time_us;
        free(a);
        return begins;
    }
    return file.len;
}

/* The place of the first line whose number, and whose time, is not less; the file's length: none.
 */
static size_t lower_bound(struct text file, uint64_t sequence, uint64_t time_us)
{
    size_t low = 0, high = file.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t n = 0, t = 0;
        size_t line = line_from(file, middle, &n, &t);

        if (line < file.len && (n < sequence || t < time_us))
            low = line + 1;
        else
            high = middle;
    }
    return low;
}

static void seek(struct event_cursor *c, uint64_t sequence, uint64_t time_us)
{
    for (c->at = 0; c->at < c->n; c->at++) {
        uint64_t n, t;
        size_t at = lower_bound(c->files[c->at], sequence, time_us);

        at = line_from(c->files[c->at], at, &n, &t);
        c->rest = text_skip(c->files[c->at], at);
        if (c->rest.len)
            return;
    }
    c->at = c->n ? c->n - 1 : 0;
}

void event_cursor_seek(struct event_cursor *c, uint64_t sequence)
{
    seek(c, sequence, 0);
}

void event_cursor_seek_time(struct event_cursor *c, uint64_t time_us)
{
    seek(c, 0, time_us);
}
