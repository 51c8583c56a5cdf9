/* shelf.c - archives and compressed files of any kind: what is in them stays within bounds and can
 * be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "doctor/input.h"
#include "doctor/shelf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct shelf *s)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < shelf_count(s); i++) {
        const struct blob *b = shelf_blob(s, i);
        uint8_t first[256];
        size_t n = b->len < sizeof(first) ? (size_t)b->len : sizeof(first);

        if (pread(b->fd, first, n, (off_t)b->from) != (ssize_t)n ||
            !memchr(b->name, 0, sizeof(b->name)))
            abort();
        sum += b->len;
    }
    if (sum > SHELF_BYTES || shelf_count(s) > SHELF_BLOBS)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    int fd = memfd_create("shelf", MFD_CLOEXEC);
    struct input *in = NULL;
    struct shelf *s = shelf_new();
    char path[32];

    if (fd < 0 || !s || write(fd, bytes, len) != (ssize_t)len)
        abort();
    setenv("TMPDIR", "/dev/shm", 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    shelf_add(s, path);
    check(s);
    if (input_open(path, &in) == 0) /* as from a pipe */
        shelf_take(s, in);
    check(s);
    input_close(in);
    shelf_free(s);
    close(fd);
    return 0;
}
