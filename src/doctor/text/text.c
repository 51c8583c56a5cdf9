/* text.c - bytes as lines, lines to those who know their form; see text.h. */
#include "doctor/text/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text key_of(const void *speaker)
{
    return text_of(((const struct speaker *)speaker)->key);
}

static void count_sight(void *context, const struct sight *s)
{
    struct texts *all = context;

    struct text_totals *totals = &all->totals;
    bool first = !totals->sights++;

    if (first || s->at.time_ns < totals->first_ns)
        totals->first_ns = s->at.time_ns;
    if (first || s->at.time_ns > totals->last_ns)
        totals->last_ns = s->at.time_ns;
    all->on_sight(all->context, s);
}

struct texts *texts_new(sight_fn on_sight, void *context, uint8_t capture)
{
    struct texts *all = calloc(1, sizeof(*all));

    if (!all)
        return NULL;
    all->on_sight = on_sight;
    all->context = context;
    pool_init(&all->speakers, sizeof(struct speaker), TEXT_SPEAKERS_MAX);
    map_init(&all->by_key, key_of);
    if (!(all->r = retell_new(count_sight, all))) {
        texts_free(all);
        return NULL;
    }
    all->r->at.capture = capture;
    all->r->at.line = true;
    all->r->at.told = true;
    return all;
}

void texts_free(struct texts *all)
{
    if (!all)
        return;
    map_done(&all->by_key);
    pool_done(&all->speakers);
    free(all->r);
    free(all);
}

const struct text_totals *texts_totals(const struct texts *all)
{
    return &all->totals;
}

/* ---- time ---- */

void trace_date(struct trace *t, int year, int month, int day)
{
    int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;

    if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31)
        return;
    t->now.date_ns = days * DAY_NS;
    t->now.tod_ns = 0;
}

void trace_at(struct trace *t, int64_t tod_ns)
{
    if (tod_ns + DAY_NS / 2 < t->now.tod_ns)
        t->now.date_ns += DAY_NS;
    t->now.tod_ns = tod_ns;
    t->now.time_ns = t->now.date_ns + tod_ns - t->now.zone_ns;
    t->r->at.time_ns = t->now.time_ns;
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

/* The key of this node: two of them may count their connections alike. */
static void full_key(const struct trace *t, const char *key, char to[static 96])
{
    char node[IP_TEXT_MAX];

    snprintf(to, 96, "%s%s%s", key, t->now.node.family && !strchr(key, '@') ? "@" : "",
             t->now.node.family && !strchr(key, '@') ? ip_print(t->now.node, node) : "");
}

static struct speaker *find(struct trace *t, const char *key)
{
    struct speaker *s = map_get(&t->all->by_key, text_of(key));

    if (s)
        s->p.r = t->r;
    return s;
}

struct speaker *trace_known(struct trace *t, const char *key)
{
    char full[96];

    full_key(t, key, full);
    return find(t, full);
}

struct speaker *trace_speaker(struct trace *t, const char *key)
{
    struct speaker *s;
    char full[96];
    uint64_t id;

    if (!*key)
        return NULL;
    full_key(t, key, full);
    if ((s = find(t, full)))
        return s;
    if (!(s = pool_take(&t->all->speakers, &id)))
        return NULL;
    memcpy(s->key, full, sizeof(full));
    s->p.r = t->r;
    s->p.server = (struct endpoint){t->now.node, 2000};
    if (map_put(&t->all->by_key, s) < 0) {
        pool_give(&t->all->speakers, id);
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

    t->all->totals.lines++;
    t->r->at.number = ++t->n_lines;
    t->r->at.file = t->file;
    t->r->at.time_ns = t->now.time_ns;
    if (text_sip_line(t, line) || text_sip_begins(t, line))
        ;
    else if (text_ccm_line(t, line) || text_alarm_line(t, line) || text_console_line(t, line) ||
             text_printed_line(t, line))
        ;
    else
        known = false;
    t->all->totals.understood += known;
}

/* ---- bytes ---- */

static void put_letter(struct trace *t, uint32_t c)
{
    char *to = t->bytes + t->n;

    if (c < 0x80) {
        to[0] = (char)c;
        t->n += 1;
    } else if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        t->n += 2;
    } else { /* halves of a pair each by itself: such letters stand in no word that is looked for */
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        t->n += 3;
    }
}

static bool fill_wide(struct trace *t)
{
    uint8_t raw[4096];
    size_t room = (sizeof(t->bytes) - t->n) / 3 * 2;
    ssize_t n = t->read(t->context, raw, room < sizeof(raw) ? room : sizeof(raw));

    for (ssize_t i = 0; i < n; i++) {
        if (t->has_odd)
            put_letter(t, t->width == TEXT_WIDE ? (uint32_t)(raw[i] << 8 | t->odd)
                                                : (uint32_t)(t->odd << 8 | raw[i]));
        t->odd = raw[i];
        t->has_odd = !t->has_odd;
    }
    return n > 0;
}

/* More bytes behind those that are there; false: there are none, or no room. */
static bool fill(struct trace *t)
{
    ssize_t n;

    memmove(t->bytes, t->bytes + t->at, t->n - t->at);
    t->n -= t->at;
    t->at = 0;
    if (sizeof(t->bytes) - t->n < 4 || t->over)
        return false;
    if (t->width != TEXT_BYTES)
        return !(t->over = !fill_wide(t));
    n = t->read(t->context, t->bytes + t->n, sizeof(t->bytes) - t->n);
    t->over = n <= 0;
    t->n += n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* How it is written: by its mark, or by zeroes where letters of ASCII have them. */
static void find_width(struct trace *t)
{
    static const uint8_t little[] = {0xff, 0xfe}, big[] = {0xfe, 0xff};
    char first[TEXT_LINE_MAX / 4];
    size_t mark = 0, n = t->n < sizeof(first) ? t->n : sizeof(first);

    if (n >= 2 && (!memcmp(t->bytes, little, 2) || !memcmp(t->bytes, big, 2))) {
        t->width = t->bytes[0] == '\xff' ? TEXT_WIDE : TEXT_WIDE_BIG;
        mark = 2;
    } else if (n >= 4 && t->bytes[0] && !t->bytes[1] && t->bytes[2] && !t->bytes[3]) {
        t->width = TEXT_WIDE;
    } else if (n >= 4 && !t->bytes[0] && t->bytes[1] && !t->bytes[2] && t->bytes[3]) {
        t->width = TEXT_WIDE_BIG;
    } else {
        t->at = n >= 3 && !memcmp(t->bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
        return;
    }
    memcpy(first, t->bytes, n);
    t->n = 0;
    for (size_t i = mark; i + 1 < n; i += 2)
        put_letter(t, t->width == TEXT_WIDE
                          ? (uint32_t)((uint8_t)first[i + 1] << 8 | (uint8_t)first[i])
                          : (uint32_t)((uint8_t)first[i] << 8 | (uint8_t)first[i + 1]));
    if ((n - mark) % 2) {
        t->odd = (uint8_t)first[n - 1];
        t->has_odd = true;
    }
}

/* The next line, without its end. */
static bool find_line(struct trace *t)
{
    char end = t->old_ends ? '\r' : '\n';
    const char *at;

    while (!t->has_line) {
        at = memchr(t->bytes + t->at, end, t->n - t->at);
        if (!at && fill(t))
            continue;
        if (!at && t->at == t->n)
            return false;
        t->line =
            (struct text){t->bytes + t->at, at ? (size_t)(at - t->bytes) - t->at : t->n - t->at};
        t->at += t->line.len + (at != NULL);
        t->has_line = !t->rest;
        t->rest = !at;
    }
    if (t->line.len && t->line.at[t->line.len - 1] == '\r')
        t->line.len--;
    return true;
}

/* As much of it as there is room for. */
static void look(struct trace *t)
{
    while (t->n < TEXT_LINE_MAX / 4 && fill(t))
        ;
    find_width(t);
    while (fill(t))
        ;
    t->old_ends = !memchr(t->bytes + t->at, '\n', t->n - t->at) &&
                  memchr(t->bytes + t->at, '\r', t->n - t->at);
    text_console_look(t, (struct text){t->bytes + t->at, t->n - t->at});
    text_printed_look(t, (struct text){t->bytes + t->at, t->n - t->at});
}

struct trace *text_open(struct texts *all, uint8_t file, text_read read, void *context)
{
    struct trace *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->all = all;
    t->r = all->r;
    t->file = file;
    t->read = read;
    t->context = context;
    t->now.time_ns = -DAY_NS; /* nobody has said when */
    look(t);
    return t;
}

void text_close(struct trace *t)
{
    free(t);
}

bool text_step(struct trace *t)
{
    if (!find_line(t)) {
        text_sip_over(t);
        text_printed_over(t);
        return false;
    }
    t->has_line = false;
    one_line(t, t->line);
    return true;
}

bool text_line(struct trace *t, struct text *ret)
{
    if (!find_line(t))
        return false;
    t->has_line = false;
    *ret = t->line;
    return true;
}

bool text_next(struct trace *t, int64_t *ret_ns)
{
    struct place at = t->r->at;
    struct text_clock now = t->now;
    bool timed;

    if (!find_line(t))
        return false;
    timed =
        text_ccm_time(t, t->line) || text_alarm_time(t, t->line) || text_console_time(t, t->line);
    *ret_ns = timed || !is_untimed(t->now.time_ns) ? t->now.time_ns : INT64_MIN;
    t->now = now;
    t->r->at = at;
    return true;
}
