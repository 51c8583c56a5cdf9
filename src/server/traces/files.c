#include "server/traces/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OUT_BYTES (64 * 1024)
#define DAY_S     86400

struct trace_files {
    char folder[512], prefix[16], tag[16], node[64];
    struct trace_file_limits limits;
    int fd, err;
    unsigned first, newest;                     /* numbers; 0: none */
    uint64_t size, lines, opened_s, kept_bytes; /* of the open file; of all others */
    size_t n_out;
    char out[OUT_BYTES];
};

unsigned trace_file_number(const char *prefix, const char *name)
{
    size_t len = strlen(prefix);
    uint32_t n;

    if (strncmp(name, prefix, len) || strlen(name) != len + 12 || strcmp(name + len + 8, ".txt") ||
        text_to_u32((struct text){name + len, 8}, 10, &n) < 0)
        return 0;
    return n;
}

static void path_of(const struct trace_files *f, unsigned number, char to[static 600])
{
    snprintf(to, 600, "%s/%s%08u.txt", f->folder, f->prefix, number);
}

static bool stat_of(const struct trace_files *f, unsigned number, struct stat *st)
{
    char path[600];

    path_of(f, number, path);
    return stat(path, st) == 0;
}

/* What lies there from before. */
static void find_files(struct trace_files *f)
{
    DIR *dir = opendir(f->folder);
    struct dirent *d;
    struct stat st;

    while (dir && (d = readdir(dir))) {
        unsigned n = trace_file_number(f->prefix, d->d_name);

        if (!n || !stat_of(f, n, &st))
            continue;
        f->kept_bytes += (uint64_t)st.st_size;
        if (!f->first || n < f->first)
            f->first = n;
        if (n > f->newest)
            f->newest = n;
    }
    if (dir)
        closedir(dir);
}

struct trace_files *trace_files_new(const char *folder, const char *prefix, const char *tag,
                                    const char *node)
{
    struct trace_files *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    text_copy(f->folder, sizeof(f->folder), text_of(folder));
    text_copy(f->prefix, sizeof(f->prefix), text_of(prefix));
    text_copy(f->tag, sizeof(f->tag), text_of(tag));
    text_copy(f->node, sizeof(f->node), text_of(node));
    f->limits = (struct trace_file_limits){.bytes = 2u << 20, .files = 20, .days = 7};
    f->fd = -1;
    find_files(f);
    return f;
}

static void close_file(struct trace_files *f)
{
    if (f->fd < 0)
        return;
    close(f->fd);
    f->fd = -1;
    f->kept_bytes += f->size;
    f->size = 0;
}

void trace_files_free(struct trace_files *f)
{
    if (!f)
        return;
    trace_files_flush(f);
    close_file(f);
    free(f);
}

static void remove_first(struct trace_files *f)
{
    struct stat st;
    char path[600];

    if (stat_of(f, f->first, &st)) {
        path_of(f, f->first, path);
        unlink(path);
        f->kept_bytes -=
            (uint64_t)st.st_size < f->kept_bytes ? (uint64_t)st.st_size : f->kept_bytes;
    }
    f->first++;
}

/* Those beyond the number, and those that are too old; never the one that is open. */
static void remove_old(struct trace_files *f, uint64_t now_s)
{
    struct stat st;

    while (f->first && f->first < f->newest &&
           (f->newest - f->first >= f->limits.files || !stat_of(f, f->first, &st) ||
            (uint64_t)st.st_mtime + (uint64_t)f->limits.days * DAY_S < now_s))
        remove_first(f);
}

static void begin_line(struct trace_files *f, uint64_t time_us)
{
    time_t s = (time_t)(time_us / 1000000);
    struct tm tm;

    gmtime_r(&s, &tm);
    f->n_out += (size_t)snprintf(f->out + f->n_out, OUT_BYTES - f->n_out, "%02d:%02d:%02d.%03u %s|",
                                 tm.tm_hour, tm.tm_min, tm.tm_sec,
                                 (unsigned)(time_us / 1000 % 1000), f->tag);
}

static void open_file(struct trace_files *f, uint64_t time_us)
{
    time_t s = (time_t)(time_us / 1000000);
    char path[600];
    struct tm tm;

    mkdir(f->folder, 0750);
    path_of(f, f->newest + 1, path);
    f->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    f->err = f->fd < 0 ? -errno : 0;
    if (f->fd < 0)
        return;
    f->newest++;
    if (!f->first)
        f->first = f->newest;
    f->opened_s = (uint64_t)s;
    gmtime_r(&s, &tm);
    begin_line(f, time_us);
    f->n_out += (size_t)snprintf(f->out + f->n_out, OUT_BYTES - f->n_out,
                                 "FileHead UTC:+00:00, Date: %04d/%02d/%02d, AppName: %s, "
                                 "AppVersion: dialtone %s, HostName: "
                                 "%s, FileNumber: %u\n",
                                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, f->tag,
                                 DIALTONE_VERSION, f->node, f->newest);
    remove_old(f, (uint64_t)s);
}

void trace_files_flush(struct trace_files *f)
{
    ssize_t n = f->n_out && f->fd >= 0 ? write(f->fd, f->out, f->n_out) : 0;

    if (!f->n_out)
        return;
    if (f->fd >= 0)
        f->err = n == (ssize_t)f->n_out ? 0 : n < 0 ? -errno : -ENOSPC;
    f->size += n > 0 ? (uint64_t)n : 0;
    f->n_out = 0;
}

/* Another day, enough bytes, or enough minutes: the next file. */
static bool is_full(const struct trace_files *f, uint64_t now_s)
{
    return f->size + f->n_out >= f->limits.bytes || now_s / DAY_S != f->opened_s / DAY_S ||
           (f->limits.minutes && now_s - f->opened_s >= f->limits.minutes * 60ull);
}

void trace_files_limit(struct trace_files *f, const struct trace_file_limits *limits)
{
    f->limits = *limits;
    if (f->fd >= 0)
        remove_old(f, f->opened_s);
}

void trace_files_write(struct trace_files *f, uint64_t time_us, struct text text)
{
    if (f->fd >= 0 && is_full(f, time_us / 1000000)) {
        trace_files_flush(f);
        close_file(f);
    }
    if (text.len > OUT_BYTES / 2)
        text.len = OUT_BYTES / 2;
    if (OUT_BYTES - f->n_out < text.len + 512)
        trace_files_flush(f);
    if (f->fd < 0)
        open_file(f, time_us);
    if (f->fd < 0)
        return;
    begin_line(f, time_us);
    memcpy(f->out + f->n_out, text.at, text.len);
    f->n_out += text.len;
    f->out[f->n_out++] = '\n';
    f->lines++;
}

struct trace_file_state trace_files_state(const struct trace_files *f)
{
    struct trace_file_state s = {.files = f->first ? f->newest - f->first + 1 : 0,
                                 .bytes = f->kept_bytes + f->size + f->n_out,
                                 .lines = f->lines,
                                 .err = f->err};

    if (s.files)
        snprintf(s.newest, sizeof(s.newest), "%s%08u.txt", f->prefix, f->newest);
    return s;
}
