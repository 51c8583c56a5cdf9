/* lines.c - bytes of a stream cut into lines of JSON. */
#include "server/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lines_done(struct lines *l)
{
    free(l->bytes);
    *l = (struct lines){0};
}

static int keep(struct lines *l, const char *bytes, size_t n)
{
    size_t size = l->size ? l->size : 4096;
    char *grown;

    if (n > LINES_MAX - l->len)
        return -EMSGSIZE;
    while (size < l->len + n)
        size *= 2;
    if (size > l->size) {
        if (!(grown = realloc(l->bytes, size)))
            return -ENOMEM;
        l->bytes = grown;
        l->size = size;
    }
    memcpy(l->bytes + l->len, bytes, n);
    l->len += n;
    return 0;
}

static void take_line(const char *line, size_t len, lines_input input, void *context)
{
    json_t *object;

    while (len && (line[len - 1] == '\r' || line[len - 1] == ' '))
        len--;
    if (!len)
        return;
    object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    if (object && !json_is_object(object)) {
        json_decref(object);
        object = NULL;
    }
    input(context, object);
}

int lines_feed(struct lines *l, const char *bytes, size_t n, lines_input input, void *context)
{
    const char *end;
    int err;

    while ((end = n ? memchr(bytes, '\n', n) : NULL)) {
        size_t part = (size_t)(end - bytes);

        if (l->len) {
            if ((err = keep(l, bytes, part)) < 0)
                return err;
            take_line(l->bytes, l->len, input, context);
            l->len = 0;
        } else {
            take_line(bytes, part, input, context);
        }
        bytes += part + 1;
        n -= part + 1;
    }
    return n ? keep(l, bytes, n) : 0;
}
