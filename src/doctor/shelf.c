#include "doctor/shelf.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/input.h"

#define CHUNK 65536
#define LOOK  4096 /* bytes of a pipe that tell what it is */
#define MORE  "there is more in it than is unpacked here"

struct shelf {
    struct blob *blobs[SHELF_BLOBS];
    size_t n;
    int *fds; /* files that were opened */
    size_t n_fds;
    int spool;               /* -1: nothing was unpacked yet */
    uint64_t spooled, limit; /* of what is spooled */
    const char *problem;
};

/* Where an archive that is read stands. */
struct reading {
    struct blob b;
    uint64_t at;
    uint8_t bytes[CHUNK];
};

struct shelf *shelf_new(void)
{
    struct shelf *s = calloc(1, sizeof(*s));

    if (s)
        s->spool = -1;
    return s;
}

void shelf_free(struct shelf *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        free(s->blobs[i]);
    for (size_t i = 0; i < s->n_fds; i++)
        close(s->fds[i]);
    if (s->spool >= 0)
        close(s->spool);
    free(s->fds);
    free(s);
}

size_t shelf_count(const struct shelf *s)
{
    return s->n;
}

const struct blob *shelf_blob(const struct shelf *s, size_t i)
{
    return s->blobs[i];
}

const char *shelf_problem(const struct shelf *s)
{
    return s->problem;
}

/* ---- what was unpacked ---- */

static void name_blob(struct blob *b, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    snprintf(b->name, sizeof(b->name), "%s", slash ? slash + 1 : path ? path : "");
}

static int spool_open(struct shelf *s)
{
    const char *folder = getenv("TMPDIR");
    char path[512];

    if (s->spool >= 0)
        return 0;
    snprintf(path, sizeof(path), "%s/dialtone-XXXXXX", folder && *folder ? folder : "/tmp");
    if ((s->spool = mkostemp(path, O_CLOEXEC)) < 0)
        return -errno;
    unlink(path);
    return 0;
}

/* What may be unpacked of `len` bytes. */
static void set_limit(struct shelf *s, uint64_t len)
{
    uint64_t more = len > SHELF_BYTES / SHELF_RATIO ? SHELF_BYTES : SHELF_FREE + len * SHELF_RATIO;

    s->limit = s->spooled + more < SHELF_BYTES ? s->spooled + more : SHELF_BYTES;
}

static int spool_write(struct shelf *s, const void *bytes, size_t len)
{
    const char *at = bytes;

    if (s->spooled + len > s->limit)
        return -EFBIG;
    while (len) {
        ssize_t n = pwrite(s->spool, at, len, (off_t)s->spooled);

        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        s->spooled += (uint64_t)n;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* ---- archives ---- */

static la_ssize_t on_read(struct archive *a, void *context, const void **ret)
{
    struct reading *r = context;
    size_t left = r->b.len - r->at < CHUNK ? (size_t)(r->b.len - r->at) : CHUNK;
    ssize_t n = pread(r->b.fd, r->bytes, left, (off_t)(r->b.from + r->at));

    if (n < 0)
        archive_set_error(a, errno, "cannot read");
    else
        r->at += (uint64_t)n;
    *ret = r->bytes;
    return n;
}

static la_int64_t on_seek(struct archive *a, void *context, la_int64_t offset, int whence)
{
    struct reading *r = context;
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)r->at : (int64_t)r->b.len;

    (void)a;
    if (base + offset < 0 || base + offset > (int64_t)r->b.len)
        return ARCHIVE_FATAL;
    r->at = (uint64_t)(base + offset);
    return (la_int64_t)r->at;
}

/* Those that are read here: no filter that starts a program. */
static struct archive *archive_of(struct reading *r)
{
    struct archive *a = archive_read_new();

    if (!a)
        return NULL;
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_filter_lz4(a);
    archive_read_support_filter_compress(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_zip(a);
    archive_read_support_format_7zip(a);
    archive_read_support_format_empty(a);
    archive_read_support_format_raw(a);
    archive_read_set_read_callback(a, on_read);
    archive_read_set_seek_callback(a, on_seek);
    archive_read_set_callback_data(a, r);
    return a;
}

static int put(struct shelf *s, struct blob b, unsigned depth);

/* One entry: unpacked, and what is in it. */
static int unpack_entry(struct shelf *s, struct archive *a, const char *name, unsigned depth)
{
    struct blob b = {.from = s->spooled};
    uint8_t bytes[16384];
    la_ssize_t n = 0;
    int err = spool_open(s);

    while (!err && (n = archive_read_data(a, bytes, sizeof(bytes))) > 0)
        err = spool_write(s, bytes, (size_t)n);
    if (n < 0 || err)
        s->problem = err == -EFBIG ? MORE : "the file is broken or cut off";
    if (err && err != -EFBIG)
        return err;
    b.fd = s->spool;
    b.len = s->spooled - b.from;
    name_blob(&b, name);
    return b.len ? put(s, b, depth) : 0;
}

static int keep(struct shelf *s, const struct blob *b)
{
    if (s->n == SHELF_BLOBS) {
        s->problem = MORE;
        return 0;
    }
    if (!(s->blobs[s->n] = malloc(sizeof(*b))))
        return -ENOMEM;
    *s->blobs[s->n++] = *b;
    return 0;
}

/* The name without what says how it is packed. */
static void strip_suffix(struct blob *b)
{
    static const char *const suffixes[] = {".gz", ".gzo", ".bz2", ".xz", ".zst", ".Z"};
    size_t len = strlen(b->name);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        size_t n = strlen(suffixes[i]);

        if (len > n && strcmp(b->name + len - n, suffixes[i]) == 0) {
            b->name[len - n] = '\0';
            return;
        }
    }
}

/* A piece: as it is, or all that is packed in it. */
static int put(struct shelf *s, struct blob b, unsigned depth)
{
    struct reading *r = depth < SHELF_DEPTH ? malloc(sizeof(*r)) : NULL;
    struct archive *a;
    struct archive_entry *entry;
    bool raw = false, packed = false;
    int err = 0, step = ARCHIVE_OK;

    if (!r)
        return keep(s, &b);
    r->b = b;
    r->at = 0;
    if (!(a = archive_of(r))) {
        free(r);
        return -ENOMEM;
    }
    if (archive_read_open1(a) == ARCHIVE_OK)
        while (!err && s->n < SHELF_BLOBS && s->spooled < s->limit &&
               (step = archive_read_next_header(a, &entry)) >= ARCHIVE_WARN &&
               step != ARCHIVE_EOF) {
            raw = archive_format(a) == ARCHIVE_FORMAT_RAW;
            if (raw && archive_filter_code(a, 0) == ARCHIVE_FILTER_NONE)
                break;
            packed = true;
            if (raw)
                strip_suffix(&b);
            if (raw || archive_entry_filetype(entry) == AE_IFREG)
                err = unpack_entry(s, a, raw ? b.name : archive_entry_pathname(entry), depth + 1);
        }
    if (packed && step != ARCHIVE_EOF && (s->n == SHELF_BLOBS || s->spooled >= s->limit))
        s->problem = MORE;
    else if (packed && step < ARCHIVE_WARN)
        s->problem = "the file is broken or cut off";
    archive_read_free(a);
    free(r);
    return packed ? err : keep(s, &b);
}

/* ---- adding ---- */

int shelf_add(struct shelf *s, const char *path)
{
    struct blob b = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    struct stat st;
    int *more;

    s->problem = NULL;
    if (b.fd < 0)
        return -errno;
    if (!(more = realloc(s->fds, (s->n_fds + 1) * sizeof(*more))) || fstat(b.fd, &st) < 0) {
        close(b.fd);
        return -ENOMEM;
    }
    s->fds = more;
    s->fds[s->n_fds++] = b.fd;
    b.len = (uint64_t)st.st_size;
    set_limit(s, b.len);
    name_blob(&b, path);
    return put(s, b, 0);
}

bool shelf_looks_like_text(const uint8_t *at, size_t n)
{
    if (n >= 2 && ((at[0] == 0xff && at[1] == 0xfe) || (at[0] == 0xfe && at[1] == 0xff)))
        return true;
    if (n >= 4 && !at[0] + !at[1] == 1 && !at[2] + !at[3] == 1)
        return true;
    return n > 0 && !memchr(at, 0, n);
}

/* An archive by its first bytes: zip, 7-Zip, tar. What is compressed was unpacked on the way. */
static bool looks_like_archive(const uint8_t *at, size_t n)
{
    return (n >= 4 && (!memcmp(at, "PK\3\4", 4) || !memcmp(at, "7z\xbc\xaf", 4))) ||
           (n >= 262 && !memcmp(at + 257, "ustar", 5));
}

int shelf_take(struct shelf *s, struct input *in)
{
    struct blob b = {.from = s->spooled};
    const uint8_t *at;
    size_t len, before;
    int err = spool_open(s);

    s->problem = NULL;
    s->limit = SHELF_BYTES;
    do {
        before = 0;
        if (!err && (err = input_bytes(in, &at, &len)) == 0) {
            size_t n = len < LOOK ? len : LOOK;

            if (s->spooled == b.from && len && !shelf_looks_like_text(at, n) &&
                !looks_like_archive(at, n))
                return -EBADMSG; /* it may have no end */
            before = len;
            err = spool_write(s, at, len);
            input_use(in, len);
        }
    } while (!err && before);
    if (err && err != -EFBIG)
        return err;
    if (err)
        s->problem = MORE;
    b.fd = s->spool;
    b.len = s->spooled - b.from;
    set_limit(s, b.len);
    name_blob(&b, "-");
    return put(s, b, 0);
}
