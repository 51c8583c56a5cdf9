#include "io/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE      65536
#define BOMB_FLOOR (64u << 20) /* bytes that may come out of anything */
#define BOMB_RATIO 100
#define FRONT_MAX  65536 /* a signature in front of the archive is not longer */

struct unpacking {
    const struct unpack_options *options;
    struct archive *archive;
    int fd;
    struct unpack_file *files;
    size_t n, room;
    uint64_t bytes;
    char *error;
    size_t error_size;
    uint8_t piece[PIECE];
};

static int fail(struct unpacking *u, int err, const char *words)
{
    snprintf(u->error, u->error_size, "%s: %s", u->options->archive, words);
    return err;
}

/* --- reading --- */

static ssize_t on_read(struct archive *a, void *context, const void **bytes)
{
    struct unpacking *u = context;
    ssize_t n;

    while ((n = read(u->fd, u->piece, sizeof(u->piece))) < 0 && errno == EINTR)
        ;
    *bytes = u->piece;
    return n;
}

static la_int64_t on_seek(struct archive *a, void *context, la_int64_t offset, int whence)
{
    off_t at = lseek(((struct unpacking *)context)->fd, offset, whence);

    return at < 0 ? ARCHIVE_FATAL : at;
}

/* Where a gzip stream begins behind a signature; 0 when the file begins with what it is. */
static off_t archive_start(int fd)
{
    static const uint8_t gzip[] = {0x1f, 0x8b, 0x08};
    uint8_t front[FRONT_MAX];
    ssize_t n = pread(fd, front, sizeof(front), 0);
    uint8_t *at;

    if (n < 4 || (front[0] == 'P' && front[1] == 'K') || memcmp(front, gzip, sizeof(gzip)) == 0 ||
        (n > 262 && memcmp(front + 257, "ustar", 5) == 0))
        return 0;
    at = memmem(front, (size_t)n, gzip, sizeof(gzip));
    return at ? at - front : 0;
}

static int open_archive(struct unpacking *u)
{
    off_t start;

    u->fd = open(u->options->archive, O_RDONLY | O_CLOEXEC);
    if (u->fd < 0)
        return fail(u, -errno, strerror(errno));
    start = archive_start(u->fd);
    if (lseek(u->fd, start, SEEK_SET) < 0 || !(u->archive = archive_read_new()))
        return fail(u, -ENOMEM, "cannot be read");
    archive_read_support_filter_all(u->archive);
    archive_read_support_format_all(u->archive);
    archive_read_set_read_callback(u->archive, on_read);
    if (!start)
        archive_read_set_seek_callback(u->archive, on_seek);
    archive_read_set_callback_data(u->archive, u);
    if (archive_read_open1(u->archive) != ARCHIVE_OK)
        return fail(u, -EBADMSG, "is no archive that can be read (zip, tar, cop)");
    return 0;
}

/* --- writing --- */

static void hidden_path(const struct unpacking *u, size_t i, char to[static PATH_MAX])
{
    snprintf(to, PATH_MAX, "%s/.import-%ld-%zu", u->options->folder, (long)getpid(), i);
}

static void final_path(const struct unpacking *u, size_t i, char to[static PATH_MAX])
{
    snprintf(to, PATH_MAX, "%s/%s", u->options->folder, u->files[i].name);
}

static int write_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n) {
        ssize_t done = write(fd, bytes, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        bytes += done;
        n -= (size_t)done;
    }
    return 0;
}

/* Firmware is packed by half; what grows a hundredfold is there to fill the disk. */
static bool is_bomb(const struct unpacking *u)
{
    return u->bytes > BOMB_FLOOR &&
           u->bytes / BOMB_RATIO > (uint64_t)archive_filter_bytes(u->archive, -1);
}

static int copy_entry(struct unpacking *u, int fd, struct unpack_file *f)
{
    uint8_t bytes[PIECE];
    la_ssize_t n;

    while ((n = archive_read_data(u->archive, bytes, sizeof(bytes))) > 0) {
        int err;

        f->size += (uint64_t)n;
        u->bytes += (uint64_t)n;
        if (u->bytes > u->options->max_bytes || is_bomb(u))
            return fail(u, -EFBIG, "holds more than is allowed");
        if ((err = write_all(fd, bytes, (size_t)n)) < 0)
            return fail(u, err, strerror(-err));
    }
    return n < 0 ? fail(u, -EBADMSG, "is damaged") : 0;
}

static int add_file(struct unpacking *u, const char *name)
{
    if (u->n == u->options->max_files)
        return fail(u, -E2BIG, "holds too many files");
    if (u->n == u->room) {
        size_t room = u->room ? u->room * 2 : 16;
        struct unpack_file *more = realloc(u->files, room * sizeof(*more));

        if (!more)
            return fail(u, -ENOMEM, "no memory");
        u->files = more;
        u->room = room;
    }
    u->files[u->n] = (struct unpack_file){.size = 0};
    snprintf(u->files[u->n].name, sizeof(u->files[0].name), "%s", name);
    u->n++;
    return 0;
}

static int take_entry(struct unpacking *u, const char *name)
{
    char path[PATH_MAX];
    int fd, err = add_file(u, name);

    if (err)
        return err;
    hidden_path(u, u->n - 1, path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(u, -errno, strerror(errno));
    err = copy_entry(u, fd, &u->files[u->n - 1]);
    if (!err && fsync(fd) < 0)
        err = fail(u, -errno, strerror(errno));
    close(fd);
    return err;
}

static const char *plain_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    return *name && *name != '.' && strlen(name) <= UNPACK_NAME_MAX && !strchr(name, '\\') ? name
                                                                                           : NULL;
}

static int take_all(struct unpacking *u)
{
    struct archive_entry *e;
    int status;

    while ((status = archive_read_next_header(u->archive, &e)) == ARCHIVE_OK ||
           status == ARCHIVE_WARN) {
        const char *path = archive_entry_pathname(e), *name = path ? plain_name(path) : NULL;
        int err;

        if (archive_entry_filetype(e) != AE_IFREG || !name || !u->options->wants(name))
            continue;
        if ((err = take_entry(u, name)) < 0)
            return err;
    }
    return status == ARCHIVE_EOF ? 0
                                 : fail(u, -EBADMSG, "is damaged, or no archive that can be read");
}

/* Each file appears whole under its name. */
static int rename_all(struct unpacking *u)
{
    char from[PATH_MAX], to[PATH_MAX];

    for (size_t i = 0; i < u->n; i++) {
        hidden_path(u, i, from);
        final_path(u, i, to);
        u->files[i].replaced = access(to, F_OK) == 0;
        if (rename(from, to) < 0)
            return fail(u, -errno, strerror(errno));
    }
    return 0;
}

static void remove_hidden(const struct unpacking *u)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < u->n; i++) {
        hidden_path(u, i, path);
        unlink(path);
    }
}

int unpack(const struct unpack_options *o, struct unpack_file **ret, size_t *n_ret, char *error,
           size_t size)
{
    struct unpacking *u = calloc(1, sizeof(*u));
    int err;

    if (!u) {
        snprintf(error, size, "no memory");
        return -ENOMEM;
    }
    u->options = o;
    u->error = error;
    u->error_size = size;
    err = open_archive(u);
    if (!err)
        err = take_all(u);
    if (!err)
        err = rename_all(u);
    if (err) {
        remove_hidden(u);
    } else {
        *ret = u->files;
        *n_ret = u->n;
        u->files = NULL;
    }
    archive_read_free(u->archive);
    if (u->fd >= 0)
        close(u->fd);
    free(u->files);
    free(u);
    return err;
}
