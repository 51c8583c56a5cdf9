/* events.c - the event store. */
#include "server/events/events.h"
#include "server/events/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX_BYTES (8u << 20)
#define READ_BACK      (4u << 20) /* of the end of the file, at start */
#define LINE_MAX_BYTES 4096
#define OUT_BYTES      (8 * LINE_MAX_BYTES)

struct events {
    struct alarm *ring[EVENTS_KEPT]; /* by sequence % EVENTS_KEPT */
    uint64_t last;
    char folder[512];
    char node[64];
    int fd, err;
    off_t size;
    size_t n_out;
    char out[OUT_BYTES]; /* lines for the file */
};

static void file_name(const struct events *e, unsigned number, char to[static 600])
{
    if (number)
        snprintf(to, 600, "%s/events.log.%u", e->folder, number);
    else
        snprintf(to, 600, "%s/events.log", e->folder);
}

static void open_file(struct events *e)
{
    struct stat st;
    char name[600];

    file_name(e, 0, name);
    e->fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    e->err = e->fd < 0 ? -errno : 0;
    e->size = e->fd >= 0 && !fstat(e->fd, &st) ? st.st_size : 0;
}

static void rotate(struct events *e)
{
    char from[600], to[600];

    close(e->fd);
    for (unsigned n = EVENT_FILES - 1; n-- > 0;) {
        file_name(e, n, from);
        file_name(e, n + 1, to);
        rename(from, to);
    }
    open_file(e);
}

static void keep(struct events *e, struct alarm *take_alarm)
{
    struct alarm **slot = &e->ring[++e->last % EVENTS_KEPT];

    free(*slot);
    *slot = take_alarm;
}

/* --- a line read back --- */

static int month_of(struct text name)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int m = 0; m < 12; m++)
        if (name.len == 3 && !memcmp(months + 3 * m, name.at, 3))
            return m;
    return -1;
}

/* "Jul 02 2015 06:22:31.123 UTC" */
static bool parse_time(struct text t, uint64_t *ret)
{
    static const struct {
        uint8_t at, len;
    } parts[] = {{4, 2}, {7, 4}, {12, 2}, {15, 2}, {18, 2}, {21, 3}};
    uint32_t n[6];
    struct tm tm = {0};

    if (t.len < 24)
        return false;
    for (size_t i = 0; i < 6; i++)
        if (text_to_u32((struct text){t.at + parts[i].at, parts[i].len}, 10, &n[i]) < 0)
            return false;
    tm.tm_mon = month_of((struct text){t.at, 3});
    tm.tm_mday = (int)n[0];
    tm.tm_year = (int)n[1] - 1900;
    tm.tm_hour = (int)n[2];
    tm.tm_min = (int)n[3];
    tm.tm_sec = (int)n[4];
    *ret = (uint64_t)timegm(&tm) * 1000000 + (uint64_t)n[5] * 1000;
    return tm.tm_mon >= 0 && n[1] >= 1970;
}

static int alarm_of_name(struct text name)
{
    for (int i = 0; i < N_ALARMS; i++)
        if (text_is(name, alarm_rows[i].name))
            return i;
    return -1;
}

/* What `sign` separates: the part before it is returned, `rest` is what follows it. */
static struct text cut(struct text *rest, const char *sign)
{
    struct text part = *rest;
    const char *at = rest->len ? memmem(rest->at, rest->len, sign, strlen(sign)) : NULL;

    if (!at) {
        *rest = (struct text){NULL, 0};
        return part;
    }
    part.len = (size_t)(at - part.at);
    *rest = text_skip(*rest, part.len + strlen(sign));
    return part;
}

static void fill_in(struct alarm *a)
{
    struct text name = alarm_parameter(a, "DeviceName"), ip = alarm_parameter(a, "IPAddress");
    uint32_t reason = 0;

    a->device = device_name_of(name);
    ip_parse(ip, &a->ip);
    if (!text_to_u32(alarm_parameter(a, "Reason"), 10, &reason))
        a->reason = reason;
}

struct alarm *event_parse(struct text line, uint64_t *sequence)
{
    struct text number = cut(&line, ": "), stamp, name, parameters;
    struct alarm *a;
    uint64_t time_us;
    int id;

    cut(&line, ": "); /* the node */
    stamp = cut(&line, " :  %");
    cut(&line, "-");
    cut(&line, "-");
    name = cut(&line, ": %");
    parameters = cut(&line, "[AppID=");
    if (!line.at || text_to_u64(number, 10, sequence) < 0 || !parse_time(stamp, &time_us) ||
        (id = alarm_of_name(name)) < 0 || !(a = calloc(1, sizeof(*a) + parameters.len + 1)))
        return NULL;
    a->time_us = time_us;
    a->id = (enum alarm_id)id;
    a->times = 1;
    text_copy(a->parameters, parameters.len + 1, parameters);
    fill_in(a);
    return a;
}

static void read_lines(struct events *e, struct text rest)
{
    uint64_t sequence;

    while (rest.at) {
        struct alarm *a = event_parse(text_split(&rest, '\n'), &sequence);

        if (!a)
            continue;
        if (sequence > e->last)
            e->last = sequence - 1; /* the file knows the number */
        keep(e, a);
    }
}

static void read_back(struct events *e)
{
    char name[600], *bytes = malloc(READ_BACK);
    struct stat st;
    ssize_t n;
    int fd;

    file_name(e, 0, name);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (bytes && fd >= 0 && !fstat(fd, &st)) {
        n = pread(fd, bytes, READ_BACK, st.st_size > READ_BACK ? st.st_size - READ_BACK : 0);
        if (n > 0)
            read_lines(e, (struct text){bytes, (size_t)n});
    }
    if (fd >= 0)
        close(fd);
    free(bytes);
}

/* --- the store --- */

struct events *events_new(const char *folder, const char *node)
{
    struct events *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->fd = -1;
    text_copy(e->node, sizeof(e->node), text_of(node));
    if (folder) {
        text_copy(e->folder, sizeof(e->folder), text_of(folder));
        read_back(e);
        open_file(e);
    }
    return e;
}

void events_free(struct events *e)
{
    if (!e)
        return;
    events_flush(e);
    for (size_t i = 0; i < EVENTS_KEPT; i++)
        free(e->ring[i]);
    if (e->fd >= 0)
        close(e->fd);
    free(e);
}

void events_flush(struct events *e)
{
    ssize_t n = e->n_out ? write(e->fd, e->out, e->n_out) : 0;

    if (!e->n_out)
        return;
    e->err = n == (ssize_t)e->n_out ? 0 : n < 0 ? -errno : -ENOSPC;
    e->size += n > 0 ? n : 0;
    e->n_out = 0;
    if (e->size >= FILE_MAX_BYTES)
        rotate(e);
}

static void put_line(struct events *e, const struct alarm *a, const char *cluster)
{
    size_t len;

    if (OUT_BYTES - e->n_out < LINE_MAX_BYTES)
        events_flush(e);
    len = alarm_print(a, e->last, e->node, cluster, e->out + e->n_out, LINE_MAX_BYTES - 1);
    e->n_out += len;
    e->out[e->n_out++] = '\n';
    if (e->size + (off_t)e->n_out >= FILE_MAX_BYTES)
        events_flush(e);
}

uint64_t events_add(struct events *e, struct alarm *take_alarm, const char *cluster)
{
    keep(e, take_alarm);
    if (e->fd >= 0)
        put_line(e, take_alarm, cluster);
    return e->last;
}

uint64_t events_first(const struct events *e)
{
    return e->last > EVENTS_KEPT ? e->last - EVENTS_KEPT + 1 : 1;
}

uint64_t events_last(const struct events *e)
{
    return e->last;
}

const struct alarm *events_get(const struct events *e, uint64_t sequence)
{
    if (sequence > e->last || sequence < events_first(e))
        return NULL;
    return e->ring[sequence % EVENTS_KEPT];
}

const char *events_folder(struct events *e)
{
    events_flush(e);
    return e->folder;
}

int events_error(const struct events *e)
{
    return e->err;
}

bool event_matches(const struct alarm *a, const struct event_filter *f)
{
    struct text name = text_of(alarm_rows[a->id].name);

    return (!f->device.len || text_equal_nocase(f->device, text_of(a->device.s))) &&
           (!f->alarm.len || text_equal_nocase(f->alarm, name)) &&
           (int)alarm_severity(a) <= f->severity && (!f->reason || f->reason == a->reason) &&
           a->time_us >= f->since_us && (!f->until_us || a->time_us <= f->until_us) &&
           (!f->search.len || text_contains_nocase(text_of(a->parameters), f->search) ||
            text_contains_nocase(name, f->search));
}
