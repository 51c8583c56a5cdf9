#include "doctor/input.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/capture/records.h"

#define BUFFER (4u << 20)
#define PEEK   6 /* enough to know a compressed file by its first bytes */

_Static_assert(BUFFER >= 2 * RECORD_BYTES_MAX, "a record fits");

struct input {
    int fd;
    bool part; /* of a file of somebody else's: from `from` on, `left` bytes */
    uint64_t from, left;
    struct archive *unpacked; /* NULL: plain */
    uint8_t raw[65536];       /* of a compressed file, as libarchive reads it */
    size_t n_raw;             /* of the first bytes, read to see what the file is */
    size_t at, end;
    const char *problem;
    uint8_t buffer[BUFFER];
};

static ssize_t read_some(struct input *in, void *to, size_t size)
{
    ssize_t n;

    if (in->part && size > in->left)
        size = in->left;
    do
        n = in->part ? pread(in->fd, to, size, (off_t)in->from) : read(in->fd, to, size);
    while (n < 0 && errno == EINTR);
    if (in->part && n > 0) {
        in->from += (uint64_t)n;
        in->left -= (uint64_t)n;
    }
    return n;
}

/* -- compressed files ----------------------------------------------------------------------- */

static la_ssize_t on_wanted(struct archive *a, void *context, const void **ret)
{
    struct input *in = context;
    ssize_t n = (ssize_t)in->n_raw;

    if (!n && (n = read_some(in, in->raw, sizeof(in->raw))) < 0)
        archive_set_error(a, errno, "cannot read");
    in->n_raw = 0;
    *ret = in->raw;
    return n;
}

static bool is_compressed(const uint8_t *p, size_t n)
{
    static const struct {
        size_t len;
        const char *bytes;
    } magics[] = {{2, "\x1f\x8b"},
                  {4, "\x28\xb5\x2f\xfd"},
                  {6, "\xfd"
                      "7zXZ"},
                  {3, "BZh"},
                  {4, "\x04\x22\x4d\x18"},
                  {2, "\x1f\x9d"}};

    for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
        if (n >= magics[i].len && memcmp(p, magics[i].bytes, magics[i].len) == 0)
            return true;
    return false;
}

static int unpack_open(struct input *in)
{
    struct archive_entry *entry;

    in->unpacked = archive_read_new();
    if (!in->unpacked)
        return -ENOMEM;
    archive_read_support_filter_all(in->unpacked);
    archive_read_support_format_raw(in->unpacked);
    if (archive_read_open(in->unpacked, in, NULL, on_wanted, NULL) != ARCHIVE_OK ||
        archive_read_next_header(in->unpacked, &entry) != ARCHIVE_OK)
        return -EBADMSG;
    return 0;
}

/* -- opening -------------------------------------------------------------------------------- */

static int look(struct input *in)
{
    ssize_t n = 1;

    while (in->n_raw < PEEK && n > 0)
        if ((n = read_some(in, in->raw + in->n_raw, PEEK - in->n_raw)) > 0)
            in->n_raw += (size_t)n;
    if (n < 0)
        return -errno;
    if (is_compressed(in->raw, in->n_raw))
        return unpack_open(in);
    memcpy(in->buffer, in->raw, in->n_raw);
    in->end = in->n_raw;
    return 0;
}

static int begin(struct input *in, struct input **ret)
{
    int err = in->fd < 0 ? -errno : look(in);

    if (err < 0) {
        input_close(in);
        return err;
    }
    *ret = in;
    return 0;
}

static struct input *input_new(void)
{
    struct input *in = malloc(sizeof(*in));

    if (in)
        memset(in, 0, offsetof(struct input, buffer));
    return in;
}

int input_open(const char *path, struct input **ret)
{
    struct input *in = input_new();

    if (!in)
        return -ENOMEM;
    in->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd >= 0)
        posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return begin(in, ret);
}

int input_open_part(int fd, uint64_t from, uint64_t len, struct input **ret)
{
    struct input *in = input_new();

    if (!in)
        return -ENOMEM;
    in->fd = fd;
    in->part = true;
    in->from = from;
    in->left = len;
    return begin(in, ret);
}

void input_close(struct input *in)
{
    if (!in)
        return;
    if (in->unpacked)
        archive_read_free(in->unpacked);
    if (in->fd >= 0 && !in->part)
        close(in->fd);
    free(in);
}

/* -- reading -------------------------------------------------------------------------------- */

static int fill(struct input *in)
{
    ssize_t n;

    if (in->at) {
        memmove(in->buffer, in->buffer + in->at, in->end - in->at);
        in->end -= in->at;
        in->at = 0;
    }
    if (in->end == BUFFER)
        return 0;
    if (in->unpacked)
        n = archive_read_data(in->unpacked, in->buffer + in->end, BUFFER - in->end);
    else
        n = read_some(in, in->buffer + in->end, BUFFER - in->end);
    if (n < 0) {
        in->problem = in->unpacked ? "the compressed file is broken or cut off" : strerror(errno);
        return -EIO;
    }
    in->end += (size_t)n;
    return 0;
}

int input_bytes(struct input *in, const uint8_t **at, size_t *len)
{
    int err = fill(in);

    *at = in->buffer + in->at;
    *len = in->end - in->at;
    return err;
}

void input_use(struct input *in, size_t n)
{
    in->at += n;
}

const char *input_problem(const struct input *in)
{
    return in->problem ? in->problem : "cannot be read";
}
