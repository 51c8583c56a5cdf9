#include "server/traces/collect.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/grow.h"
#include "io/pack.h"
#include "server/events/events.h"
#include "server/traces/files.h"

static const struct {
    const char *word, *prefix, *folder;
} services[] = {
#define TRACE(id, service, word, prefix, tag, folder, parameter) {word, prefix, folder},
#include "server/traces/traces.def"
#undef TRACE
};

#define UNZIPPED_MAX (256u << 20)

/* --- which lines --- */

static const char *find(struct text in, const char *what)
{
    return in.at && in.len ? memmem(in.at, in.len, what, strlen(what)) : NULL;
}

/* 10.0.0.1 is not in 10.0.0.17, nor in 110.0.0.1. */
static bool has_host(struct text block, struct ip ip)
{
    char s[IP_TEXT_MAX];
    const char *at;
    size_t len = strlen(ip_print(ip, s));

    for (struct text rest = block; (at = find(rest, s)); rest = text_skip(rest, 1)) {
        rest = text_skip(rest, (size_t)(at - rest.at));
        if ((rest.len == len || !isxdigit((unsigned char)at[len])) &&
            (at == block.at || !isxdigit((unsigned char)at[-1])))
            return true;
    }
    return false;
}

/* "<IP::10.0.0.5><DEV::SEP…>" */
static void learn_host(struct collection *c, struct text block)
{
    const char *at = find(block, "<IP::");
    struct text rest = at ? text_skip(block, (size_t)(at - block.at) + 5) : TEXT("");
    struct ip ip;

    if (ip_parse(text_split(&rest, '>'), &ip) < 0 || c->n_hosts == COLLECT_HOSTS_MAX)
        return;
    for (size_t i = 0; i < c->n_hosts; i++)
        if (ip_equal(c->hosts[i], ip))
            return;
    c->hosts[c->n_hosts++] = ip;
}

static bool is_of_phone(struct collection *c, struct text block)
{
    if (!c->device.s[0])
        return true;
    if (find(block, c->device.s)) {
        learn_host(c, block);
        return true;
    }
    for (size_t i = 0; i < c->n_hosts; i++)
        if (has_host(block, c->hosts[i]))
            return true;
    return false;
}

/* "00000012.001 |" of the newer form: what happened has one number on all its lines. */
static bool has_number(struct text line)
{
    return line.len > 14 && line.at[8] == '.' && line.at[12] == ' ' && line.at[13] == '|' &&
           isdigit((unsigned char)line.at[0]);
}

/* "12:34:56.789 CCM|", "00000012.001 |12:34:56.789 |": microseconds of the day, or -1. */
static int64_t time_of(struct text line)
{
    uint32_t part[4];
    static const struct {
        uint8_t at, len;
        char behind;
    } parts[] = {{0, 2, ':'}, {3, 2, ':'}, {6, 2, '.'}, {9, 3, ' '}};

    if (has_number(line))
        line = text_skip(line, 14);
    for (size_t i = 0; i < 4; i++)
        if (line.len < 13 || line.at[parts[i].at + parts[i].len] != parts[i].behind ||
            text_to_u32((struct text){line.at + parts[i].at, parts[i].len}, 10, &part[i]) < 0)
            return -1;
    return ((part[0] * 60ll + part[1]) * 60 + part[2]) * 1000000ll + part[3] * 1000ll;
}

static uint64_t date_of(struct text head)
{
    const char *at = find(head, "Date: ");
    struct tm tm = {0};

    if (!at || sscanf(at, "Date: %d/%d/%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    return (uint64_t)timegm(&tm) * 1000000;
}

/* A line that begins with a time, and those behind it that do not, or have the same number. */
static struct text next_block(struct text *rest)
{
    struct text block = *rest;
    bool numbered = has_number(block);

    do
        text_split(rest, '\n');
    while (
        rest->at && rest->len &&
        (time_of(*rest) < 0 || (numbered && has_number(*rest) && !memcmp(rest->at, block.at, 8))));
    block.len = rest->at ? (size_t)(rest->at - block.at) : block.len;
    return block;
}

size_t collect_filter(struct collection *c, struct text file, char *to)
{
    struct text rest = file, head = next_block(&rest);
    uint64_t date_us = date_of(head);
    size_t len = head.len;

    memcpy(to, head.at, head.len);
    while (rest.at && rest.len) {
        struct text block = next_block(&rest);
        uint64_t at_us = date_us + (uint64_t)time_of(block);

        if (at_us < c->since_us || at_us > c->until_us || !is_of_phone(c, block))
            continue;
        memcpy(to + len, block.at, block.len);
        len += block.len;
    }
    return len > head.len ? len : 0;
}

static size_t filter_events(struct collection *c, struct text file, char *to)
{
    size_t len = 0;

    for (struct text rest = file; rest.at && rest.len;) {
        struct text line = text_split(&rest, '\n');
        uint64_t sequence;
        struct alarm *a = event_parse(line, &sequence);

        if (a && a->time_us >= c->since_us && a->time_us <= c->until_us && is_of_phone(c, line)) {
            memcpy(to + len, line.at, line.len);
            len += line.len;
            to[len++] = '\n';
        }
        free(a);
    }
    return len;
}

static size_t take_all(struct collection *c, struct text file, char *to)
{
    memcpy(to, file.at, file.len);
    return file.len;
}

/* --- files --- */

struct packing {
    struct collection *c;
    struct pack *pack;
    char folder[256]; /* in the archive: node and time */
};

static int add_mapped(struct packing *p, const char *name, struct text file, int64_t modified_s,
                      size_t (*filter)(struct collection *, struct text, char *))
{
    char *kept = malloc(file.len + 1);
    size_t len = kept ? filter(p->c, file, kept) : 0;
    int err = kept ? 0 : -ENOMEM;

    if (len)
        err = pack_add(p->pack, name, modified_s, kept, len);
    p->c->files += len > 0;
    p->c->bytes += len;
    free(kept);
    return err;
}

/* What a compressed file holds, to be freed; one that is still open ends where its last piece does.
 */
static char *unzip(const char *path, size_t *len)
{
    gzFile from = gzopen(path, "rbe");
    struct grow text = {0};
    char piece[16384];
    int n;

    while (from && text.len < UNZIPPED_MAX && (n = gzread(from, piece, sizeof(piece))) > 0)
        grow_text(&text, (struct text){piece, (size_t)n});
    if (from)
        gzclose(from);
    *len = text.len;
    return grow_take(&text);
}

/* SDL001_100_000001.txt.gz, or .gzo while it is open, becomes SDL001_100_000001.txt, as existing
 * collections have it. */
static int add_zipped(struct packing *p, const char *path, const char *inside, int64_t modified_s)
{
    size_t len;
    char *text = unzip(path, &len), name[640];
    const char *ending = strstr(inside, ".gz");
    int err = 0;

    snprintf(name, sizeof(name), "%.*s",
             (int)(ending ? ending - inside : (ptrdiff_t)strlen(inside)), inside);
    if (text && len)
        err = add_mapped(p, name, (struct text){text, len}, modified_s, collect_filter);
    free(text);
    return err;
}

/* What cannot be read, and what was not touched since, is left out. */
static int add_file(struct packing *p, const char *path, const char *folder, const char *name,
                    size_t (*filter)(struct collection *, struct text, char *))
{
    char inside[600];
    struct stat st;
    void *bytes;
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

    if (fd < 0 || fstat(fd, &st) < 0 || !st.st_size ||
        (uint64_t)st.st_mtime * 1000000 + 1000000 < p->c->since_us) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    snprintf(inside, sizeof(inside), "%s/%s/%s", p->folder, folder, name);
    if (strstr(name, ".txt.gz")) {
        close(fd);
        return add_zipped(p, path, inside, st.st_mtime);
    }
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return -errno;
    err = add_mapped(p, inside, (struct text){bytes, (size_t)st.st_size}, st.st_mtime, filter);
    munmap(bytes, (size_t)st.st_size);
    return err;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct packing *p, const char *of, const char *prefix, const char *folder,
                      size_t (*filter)(struct collection *, struct text, char *))
{
    char path[600], file[900];
    struct dirent **list;
    int n, err = 0;

    snprintf(path, sizeof(path), "%s/%s", p->c->data, of);
    n = scandir(path, &list, NULL, by_name);
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;

        snprintf(file, sizeof(file), "%s/%s", path, name);
        if (!err && name[0] != '.' && !strncmp(name, prefix, strlen(prefix)))
            err = add_file(p, file, folder, name, filter);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return err;
}

int collect(struct collection *c)
{
    struct packing p = {.c = c};
    time_t now = (time_t)(c->now_us / 1000000);
    int err = pack_open(c->path, &p.pack), closed;
    char stamp[32];
    struct tm tm;

    if (err)
        return err;
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%d_%H-%M-%S", &tm);
    snprintf(p.folder, sizeof(p.folder), "%s/%s", c->node, stamp);
    for (size_t i = 0; i < sizeof(services) / sizeof(*services) && !err; i++)
        err = add_folder(&p, "traces", services[i].prefix, services[i].folder, collect_filter);
    if (!err)
        err = add_folder(&p, "traces", TRACE_SDL_FILES, "cm/trace/ccm/sdl", collect_filter);
    if (!err)
        err = add_folder(&p, ".", "events.log", "syslog", filter_events);
    if (!err)
        err = add_folder(&p, "captures", c->device.s, "captures", take_all);
    closed = pack_close(p.pack);
    return err ? err : closed;
}
