#include "server/traces/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define OUT_BYTES (64 * 1024)
#define DAY_S     86400

static const struct form {
    int digits;
    const char *ending, *open_ending;
} forms[] = {
    [TRACE_FORM_CCM] = {8, ".txt", ".txt"},
    [TRACE_FORM_SDL] = {6, ".txt.gz", ".txt.gzo"},
};

struct trace_files {
    enum trace_form form;
    unsigned number;      /* of the node */
    gzFile zip;           /* SDL */
    uint32_t event, line; /* SDL: the number of what happened, and of its lines */
    uint64_t started_us;
    char folder[512], prefix[16], tag[16], node[64];
    struct trace_file_limits limits;
    int fd, err;
    unsigned first, newest;                     /* numbers; 0: none */
    uint64_t size, lines, opened_s, kept_bytes; /* of the open file; of all others */
    size_t n_out;
    char out[OUT_BYTES];
};

unsigned trace_file_number(const char *prefix, enum trace_form form, const char *name)
{
    size_t len = strlen(prefix), digits = (size_t)forms[form].digits;
    uint32_t n;

    if (strncmp(name, prefix, len) || strlen(name) != len + digits + strlen(forms[form].ending) ||
        strcmp(name + len + digits, forms[form].ending) ||
        text_to_u32((struct text){name + len, digits}, 10, &n) < 0)
        return 0;
    return n;
}

static void path_of(const struct trace_files *f, unsigned number, const char *ending,
                    char to[static 600])
{
    snprintf(to, 600, "%s/%s%0*u%s", f->folder, f->prefix, forms[f->form].digits, number, ending);
}

static bool stat_of(const struct trace_files *f, unsigned number, struct stat *st)
{
    char path[600];

    path_of(f, number, forms[f->form].ending, path);
    return stat(path, st) == 0;
}

/* Files whose writer died are closed ones from now on. */
static void end_open_one(const struct trace_files *f, const char *name)
{
    char open_path[600], path[600];
    struct text t = text_of(name);

    if (f->form != TRACE_FORM_SDL || !text_starts(t, f->prefix) || !text_ends(t, ".txt.gzo"))
        return;
    snprintf(open_path, sizeof(open_path), "%s/%.60s", f->folder, name);
    snprintf(path, sizeof(path), "%.*s", (int)strlen(open_path) - 1, open_path);
    rename(open_path, path);
}

/* What lies there from before. */
static void find_files(struct trace_files *f)
{
    DIR *dir = opendir(f->folder);
    struct dirent *d;
    struct stat st;

    while (dir && (d = readdir(dir)))
        end_open_one(f, d->d_name);
    if (dir)
        rewinddir(dir);
    while (dir && (d = readdir(dir))) {
        unsigned n = trace_file_number(f->prefix, f->form, d->d_name);

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
                                    const char *node, enum trace_form form)
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
    f->form = form;
    f->number = 1;
    find_files(f);
    return f;
}

static void close_file(struct trace_files *f)
{
    char open_path[600], path[600];
    struct stat st;

    if (f->fd < 0)
        return;
    if (f->zip)
        gzclose(f->zip); /* closes the descriptor */
    else
        close(f->fd);
    f->zip = NULL;
    f->fd = -1;
    path_of(f, f->newest, forms[f->form].open_ending, open_path);
    path_of(f, f->newest, forms[f->form].ending, path);
    if (f->form == TRACE_FORM_SDL)
        rename(open_path, path);
    f->kept_bytes += stat_of(f, f->newest, &st) ? (uint64_t)st.st_size : f->size;
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
        path_of(f, f->first, forms[f->form].ending, path);
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

static void begin_line(struct trace_files *f, uint64_t time_us, const char *kind, bool first)
{
    time_t s = (time_t)(time_us / 1000000);
    unsigned ms = (unsigned)(time_us / 1000 % 1000);
    char clock[32];
    struct tm tm;

    gmtime_r(&s, &tm);
    snprintf(clock, sizeof(clock), "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
    f->event += first;
    f->line = first ? 0 : f->line + 1;
    f->n_out +=
        (size_t)(f->form == TRACE_FORM_CCM
                     ? snprintf(f->out + f->n_out, OUT_BYTES - f->n_out, "%s %s|", clock, f->tag)
                     : snprintf(f->out + f->n_out, OUT_BYTES - f->n_out, "%08u.%03u |%s |%-8s |",
                                f->event % 100000000, f->line % 1000, clock, kind));
}

static void put_day(struct trace_files *f, uint64_t time_us, const char *before, bool with_time)
{
    time_t s = (time_t)(time_us / 1000000);
    struct tm tm;

    gmtime_r(&s, &tm);
    f->n_out += (size_t)snprintf(f->out + f->n_out, OUT_BYTES - f->n_out, "%s%04d/%02d/%02d",
                                 before, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    if (with_time)
        f->n_out += (size_t)snprintf(f->out + f->n_out, OUT_BYTES - f->n_out, " %02d:%02d:%02d",
                                     tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The one line that says date and zone. */
static void put_head(struct trace_files *f, uint64_t time_us)
{
    bool sdl = f->form == TRACE_FORM_SDL;
    char id[48];

    snprintf(id, sizeof(id), ", AppId: 100, AppNodeId: %u", f->number);
    begin_line(f, time_us, "FileHead", true);
    put_day(f, time_us, sdl ? "UTC:+00:00,Date: " : "FileHead UTC:+00:00, Date: ", false);
    f->n_out += (size_t)snprintf(f->out + f->n_out, OUT_BYTES - f->n_out,
                                 ", AppName: %s%s, AppVersion: dialtone %s, HostName: %s", f->tag,
                                 sdl ? id : "", DIALTONE_VERSION, f->node);
    if (sdl)
        put_day(f, f->started_us, ", AppStartTime: ", true);
    f->n_out += (size_t)snprintf(f->out + f->n_out, OUT_BYTES - f->n_out, ", FileNumber: %u%s\n",
                                 f->newest, sdl ? ", TraceVer: 3.0" : "");
}

/* "SDL001_100.index" names the file that is open. */
static void write_index(const struct trace_files *f)
{
    char path[600], name[600];
    FILE *to;

    snprintf(path, sizeof(path), "%s/%.*s.index", f->folder, (int)strlen(f->prefix) - 1, f->prefix);
    path_of(f, f->newest, forms[f->form].open_ending, name);
    if (!(to = fopen(path, "we")))
        return;
    fprintf(to, "%s\n", strrchr(name, '/') + 1);
    fclose(to);
}

static void open_file(struct trace_files *f, uint64_t time_us)
{
    char path[600];

    mkdir(f->folder, 0750);
    path_of(f, f->newest + 1, forms[f->form].open_ending, path);
    f->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    f->err = f->fd < 0 ? -errno : 0;
    if (f->fd >= 0 && f->form == TRACE_FORM_SDL && !(f->zip = gzdopen(f->fd, "wb1"))) {
        close(f->fd);
        f->fd = -1;
        f->err = -ENOMEM;
    }
    if (f->fd < 0)
        return;
    f->newest++;
    if (!f->first)
        f->first = f->newest;
    if (!f->started_us)
        f->started_us = time_us;
    f->opened_s = time_us / 1000000;
    if (f->zip)
        write_index(f);
    put_head(f, time_us);
    remove_old(f, f->opened_s);
}

static ssize_t write_out(struct trace_files *f)
{
    int n;

    if (!f->zip)
        return write(f->fd, f->out, f->n_out);
    n = gzwrite(f->zip, f->out, (unsigned)f->n_out);
    return gzflush(f->zip, Z_SYNC_FLUSH) == Z_OK ? n : -1;
}

void trace_files_flush(struct trace_files *f)
{
    ssize_t n = f->n_out && f->fd >= 0 ? write_out(f) : 0;

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

void trace_files_number(struct trace_files *f, unsigned node)
{
    if (node == f->number)
        return;
    trace_files_flush(f);
    close_file(f);
    snprintf(f->prefix, sizeof(f->prefix), TRACE_SDL_FILES "%03u_100_", node % 1000);
    f->number = node;
    f->first = f->newest = 0;
    find_files(f);
}

void trace_files_limit(struct trace_files *f, const struct trace_file_limits *limits)
{
    f->limits = *limits;
    if (f->fd >= 0)
        remove_old(f, f->opened_s);
}

void trace_files_write(struct trace_files *f, uint64_t time_us, struct text text)
{
    trace_files_write_kind(f, time_us, "AppInfo", true, text);
}

void trace_files_write_kind(struct trace_files *f, uint64_t time_us, const char *kind, bool first,
                            struct text text)
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
    begin_line(f, time_us, kind, first);
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
        snprintf(s.newest, sizeof(s.newest), "%s%0*u%s", f->prefix, forms[f->form].digits,
                 f->newest, f->fd < 0 ? forms[f->form].ending : forms[f->form].open_ending);
    return s;
}
