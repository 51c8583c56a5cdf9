/* text.c - files and archives as lines, lines to those who know their form; see text.h. */
#include "doctor/text_parts.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536

static struct text key_of(const void *speaker)
{
    return text_of(((const struct speaker *)speaker)->key);
}

static void count_sight(void *context, const struct sight *s)
{
    struct trace *t = context;

    if (!t->totals.sights++)
        t->totals.first_ns = s->at.time_ns;
    t->totals.last_ns = s->at.time_ns;
    t->on_sight(t->context, s);
}

struct trace *text_new(sight_fn on_sight, void *context, uint8_t capture)
{
    struct trace *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->on_sight = on_sight;
    t->context = context;
    pool_init(&t->speakers, sizeof(struct speaker), TEXT_SPEAKERS_MAX);
    map_init(&t->by_key, key_of);
    if (!(t->r = retell_new(count_sight, t))) {
        text_free(t);
        return NULL;
    }
    t->r->at.capture = capture;
    t->r->at.line = true;
    return t;
}

void text_free(struct trace *t)
{
    if (!t)
        return;
    map_done(&t->by_key);
    pool_done(&t->speakers);
    free(t->r);
    free(t);
}

void text_name(struct trace *t, uint8_t file)
{
    t->r->at.file = file;
}

const struct text_totals *text_totals(const struct trace *t)
{
    return &t->totals;
}

/* ---- time ---- */

void trace_date(struct trace *t, int year, int month, int day)
{
    int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;

    if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31)
        return;
    t->date_ns = days * DAY_NS;
    t->tod_ns = 0;
}

void trace_at(struct trace *t, int64_t tod_ns)
{
    if (tod_ns + DAY_NS / 2 < t->tod_ns)
        t->date_ns += DAY_NS;
    t->tod_ns = tod_ns;
    t->r->at.time_ns = t->date_ns + tod_ns - t->zone_ns;
}

/* Up to `max` digits; the number of them. */
static size_t digits(struct text t, size_t max, int64_t *ret)
{
    size_t n = 0;

    for (*ret = 0; n < t.len && n < max && t.at[n] >= '0' && t.at[n] <= '9'; n++)
        *ret = *ret * 10 + (t.at[n] - '0');
    return n;
}

size_t trace_clock(struct text line, int64_t *tod_ns)
{
    int64_t h, m, s, part = 0;
    size_t at, n;

    if (!(n = digits(line, 2, &h)) || n >= line.len || line.at[n] != ':')
        return 0;
    at = n + 1;
    if (digits(text_skip(line, at), 2, &m) != 2 || line.len < at + 5 || line.at[at + 2] != ':' ||
        digits(text_skip(line, at + 3), 2, &s) != 2)
        return 0;
    at += 5;
    if (line.len > at && (line.at[at] == '.' || line.at[at] == ',') &&
        (n = digits(text_skip(line, at + 1), 9, &part))) {
        at += n + 1;
        for (; n < 9; n++)
            part *= 10;
    }
    *tod_ns = ((h * 60 + m) * 60 + s) * 1000000000LL + part;
    return h < 24 && m < 60 && s < 61 ? at : 0;
}

/* ---- who speaks ---- */

struct speaker *trace_known(struct trace *t, const char *key)
{
    return map_get(&t->by_key, text_of(key));
}

struct speaker *trace_speaker(struct trace *t, const char *key)
{
    struct speaker *s = trace_known(t, key);
    uint64_t id;

    if (s || !*key || strlen(key) >= sizeof(s->key) || !(s = pool_take(&t->speakers, &id)))
        return s;
    text_copy(s->key, sizeof(s->key), text_of(key));
    s->p.r = t->r;
    s->p.server = (struct endpoint){t->node, 2000};
    if (map_put(&t->by_key, s) < 0) {
        pool_give(&t->speakers, id);
        return NULL;
    }
    return s;
}

struct speaker *trace_device(struct trace *t, struct text name)
{
    struct device_name device = device_name_of(name);
    struct speaker *s;
    char key[24];

    snprintf(key, sizeof(key), "N%s", device.s);
    if (!device.s[0] || !(s = trace_speaker(t, key)))
        return NULL;
    s->p.name = device;
    device_name_mac(device, &s->p.mac);
    return s;
}

/* ---- small parsers ---- */

bool trace_has(struct text line, const char *part)
{
    return memmem(line.at, line.len, part, strlen(part)) != NULL;
}

struct text trace_after(struct text line, const char *mark)
{
    const char *at = memmem(line.at, line.len, mark, strlen(mark));
    struct text rest = {NULL, 0};

    if (!at)
        return rest;
    rest = text_skip(line, (size_t)(at - line.at) + strlen(mark));
    while (rest.len && *rest.at == ' ')
        rest = text_skip(rest, 1);
    for (size_t i = 0; i < rest.len; i++)
        if (strchr(" ,;|]>)\r\t", rest.at[i])) {
            rest.len = i;
            break;
        }
    return rest;
}

struct text trace_device_in(struct text line)
{
    struct mac mac;

    for (struct text rest = line; rest.len >= 15; rest = text_skip(rest, 1)) {
        const char *at = memmem(rest.at, rest.len, "SEP", 3);
        struct text name;

        if (!at)
            break;
        rest = text_skip(rest, (size_t)(at - rest.at));
        name = (struct text){rest.at, 15};
        if (rest.len >= 15 && mac_parse(text_skip(name, 3), &mac) == 0)
            return name;
    }
    return TEXT("");
}

/* ---- lines ---- */

static void one_line(struct trace *t, struct text line)
{
    bool known = true;

    t->totals.lines++;
    t->r->at.number++;
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    if (text_sip_line(t, line))
        ;
    else if (text_ccm_line(t, line) || text_alarm_line(t, line) || text_console_line(t, line) ||
             text_printed_line(t, line))
        ;
    else
        known = text_sip_begins(t, line);
    t->totals.understood += known;
}

void text_look(struct trace *t, const void *bytes, size_t len)
{
    t->r->at.number = 0;
    text_printed_look(t, (struct text){bytes, len});
}

void text_feed(struct trace *t, const void *bytes, size_t len)
{
    struct text rest = {bytes, len};

    while (rest.len) {
        const char *end = memchr(rest.at, '\n', rest.len);
        size_t n = end ? (size_t)(end - rest.at) : rest.len, room = sizeof(t->line) - t->n_line;

        memcpy(t->line + t->n_line, rest.at, n < room ? n : room);
        t->n_line += n < room ? n : room;
        rest = text_skip(rest, end ? n + 1 : n);
        if (!end)
            break;
        one_line(t, (struct text){t->line, t->n_line});
        t->n_line = 0;
    }
}

void text_end(struct trace *t)
{
    if (t->n_line)
        one_line(t, (struct text){t->line, t->n_line});
    t->n_line = 0;
    text_sip_over(t);
}

/* ---- files ---- */

static int read_entry(struct trace *t, struct archive *a, bool nested);

/* A compressed file in an archive: SDL001_100_000001.txt.gz in a collection. */
static void read_nested(struct trace *t, const void *bytes, size_t len)
{
    struct archive *a = archive_read_new();
    struct archive_entry *entry;

    archive_read_support_filter_all(a);
    archive_read_support_format_raw(a);
    if (archive_read_open_memory(a, bytes, len) == ARCHIVE_OK &&
        archive_read_next_header(a, &entry) == ARCHIVE_OK)
        read_entry(t, a, false);
    archive_read_free(a);
}

static bool is_packed(const uint8_t *p, size_t n)
{
    return n > 2 && ((p[0] == 0x1f && p[1] == 0x8b) || memcmp(p, "BZh", 3) == 0);
}

/* The rest of an entry in one piece; NULL: it is too long, or there is no memory. */
static uint8_t *take_whole(struct archive *a, const uint8_t *first, size_t n, size_t *len)
{
    size_t size = 1 << 20;
    uint8_t *all = malloc(size), *more;
    la_ssize_t got = 0;

    if (!all)
        return NULL;
    memcpy(all, first, *len = n);
    while (*len < TEXT_NESTED_MAX) {
        if (*len == size) {
            if (!(more = realloc(all, size *= 2)))
                break;
            all = more;
        }
        if ((got = archive_read_data(a, all + *len, size - *len)) <= 0)
            return all;
        *len += (size_t)got;
    }
    free(all);
    return NULL;
}

static int read_entry(struct trace *t, struct archive *a, bool nested)
{
    uint8_t *bytes = malloc(CHUNK), *whole;
    la_ssize_t n = 0;
    size_t len;
    bool first = true;

    if (!bytes)
        return -ENOMEM;
    while ((n = archive_read_data(a, bytes, CHUNK)) > 0) {
        if (first && nested && is_packed(bytes, (size_t)n)) {
            if ((whole = take_whole(a, bytes, (size_t)n, &len)))
                read_nested(t, whole, len);
            free(whole);
            break;
        }
        if (first)
            text_look(t, bytes, (size_t)n);
        first = false;
        text_feed(t, bytes, (size_t)n);
    }
    text_end(t);
    free(bytes);
    return n < 0 ? -EIO : 0;
}

static int read_all(struct trace *t, struct archive *a)
{
    struct archive_entry *entry;
    int err = 0, step;

    while (!err && (step = archive_read_next_header(a, &entry)) != ARCHIVE_EOF) {
        err = step < ARCHIVE_WARN ? -EIO : read_entry(t, a, true);
    }
    return err;
}

int text_file(struct trace *t, const char *path)
{
    struct archive *a = archive_read_new();
    uint64_t before = t->totals.sights;
    int err;

    if (!a)
        return -ENOMEM;
    archive_read_support_filter_all(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_zip(a);
    archive_read_support_format_empty(a);
    archive_read_support_format_raw(a);
    errno = 0;
    if (strcmp(path, "-") ? archive_read_open_filename(a, path, CHUNK)
                          : archive_read_open_fd(a, STDIN_FILENO, CHUNK))
        err = errno ? -errno : -EBADMSG;
    else if ((err = read_all(t, a)))
        snprintf(t->totals.problem, sizeof(t->totals.problem), "the file is broken or cut off");
    archive_read_free(a);
    if (err && err != -EIO)
        return err;
    return t->totals.sights > before || t->totals.understood ? 0 : -EBADMSG;
}
