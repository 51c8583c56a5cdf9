/* control.c - lines of the control socket, in pieces of every size: what comes out is the same
 * however the bytes were cut. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "server/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct seen {
    size_t n, bad, members;
};

static void on_line(void *context, json_t *take_object)
{
    struct seen *s = context;

    s->n++;
    s->bad += !take_object;
    s->members += json_object_size(take_object);
    json_decref(take_object);
}

static struct seen feed(const char *bytes, size_t len, size_t piece)
{
    struct lines l = {0};
    struct seen s = {0};

    for (size_t at = 0; at < len; at += piece)
        if (lines_feed(&l, bytes + at, len - at < piece ? len - at : piece, on_line, &s) < 0)
            break;
    lines_done(&l);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct seen whole = feed((const char *)bytes, len, len + 1);

    for (size_t piece = 1; piece < 9; piece++) {
        struct seen cut = feed((const char *)bytes, len, piece);

        assert(cut.n == whole.n && cut.bad == whole.bad && cut.members == whole.members);
    }
    return 0;
}
