/* events.c - alarms that happened, and as they happen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "server/api/lists.h"
#include "server/events/files.h"

static const char *const severities[] = {"emergency", "alert",  "critical", "error",
                                         "warning",   "notice", "info",     "debug"};

static const char *const event_columns[] = {"time",     "device",    "alarm",   "meaning",
                                            "number",   "severity",  "address", "reason",
                                            "repeated", "parameters"};

#define LINES_BACK                                                                                 \
    50000 /* of files, looked through for the newest that fit; --since goes further */
#define LINES_A_PAGE 20000 /* of files, read for one answer */
#define MOST_BACK    10000

#define N_EVENT_USUAL   4 /* what fits the terminal of a person */
#define N_EVENT_COLUMNS (sizeof(event_columns) / sizeof(*event_columns))

/* "Period 77 s, Cause the phone unregistered, OtherNode cm2": what a finding measured. */
static struct text numbers_of(const struct alarm *alarm, char *to, size_t size)
{
    static const enum alarm_id findings[] = {ALARM_KEEPALIVE_LATE, ALARM_DEVICE_TOGGLE, ALARM_DUPLICATE_DEVICE,
                                             ALARM_TOKEN_REQUEST_STORM, ALARM_TIMER_THREAD_SLOWED,
                                             ALARM_FROM_ELSEWHERE, ALARM_CLOCK_SET};
    struct text keys = text_of(alarm_rows[alarm->id].parameters);
    struct writer w = writer_of(to, size);
    bool is_one = false;

    for (size_t i = 0; i < sizeof(findings) / sizeof(*findings); i++)
        is_one |= alarm->id == findings[i];
    while (is_one && keys.at) {
        char key[40];
        struct text value;
        bool seconds;

        text_copy(key, sizeof(key), text_split(&keys, ' '));
        value = alarm_parameter(alarm, key);
        seconds = value.len && strstr(" Expected Took Interval Period Wait Duration Jump ", key);
        if (value.len && strcmp(key, "DeviceName") != 0)
            write_format(&w, "%s%s %.*s%s", writer_len(&w) ? ", " : "", key, TEXT_ARG(value), seconds ? " s" : "");
    }
    return (struct text){to, w.bad ? 0 : writer_len(&w)};
}

/* The last thing to say: the reason in plain words, else the alarm's own text and what it is about.
 */
const char *alarm_meaning(const struct alarm *alarm, char to[static 256])
{
    static const char *const subjects[] = {"FileName", "ServiceName", "PortNumber",
                                           "Error",    "Address",     "Reason"};
    const struct reason *reason = alarm_reason(alarm);
    struct text about = {0};
    char numbers[200];

    for (size_t i = 0; !reason && !about.len && i < sizeof(subjects) / sizeof(*subjects); i++)
        about = alarm_parameter(alarm, subjects[i]);
    if (!reason && !about.len)
        about = numbers_of(alarm, numbers, sizeof(numbers));
    snprintf(to, 256, "%s%s%.*s", reason ? reason->text : alarm_rows[alarm->id].text,
             about.len ? ": " : "", about.len > 200 ? 200 : (int)about.len,
             about.len ? about.at : "");
    return to;
}

json_t *event_object(const struct alarm *alarm, uint64_t number, bool full)
{
    char ip[IP_TEXT_MAX], meaning[256];

    return json_pack("{s:I, s:o, s:s, s:s, s:o, s:s, s:i, s:o, s:i, s:o}", "number",
                     (json_int_t)number, "time", admin_time(alarm->time_us, full), "severity",
                     severities[alarm_severity(alarm) & 7], "alarm", alarm_rows[alarm->id].name,
                     "device", json_of(text_of(alarm->device.s)), "address",
                     ip_is_any(alarm->ip) ? "" : ip_print(alarm->ip, ip), "reason",
                     (int)alarm->reason, "meaning", json_of(text_of(alarm_meaning(alarm, meaning))),
                     "repeated", alarm->times > 1 ? (int)alarm->times : 0, "parameters",
                     json_of(text_of(alarm->parameters)));
}

/* The first `n` columns of an alarm. */
static json_t *event_row(const struct alarm *alarm, uint64_t number, size_t n, bool full)
{
    json_t *object = event_object(alarm, number, full), *row = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append(row, json_object_get(object, event_columns[i]));
    json_decref(object);
    return row;
}

bool admin_parse_time(struct text t, uint64_t *ret)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    struct tm tm = {.tm_isdst = -1};
    char s[32];
    const char *end;
    uint64_t n;
    bool utc;

    for (size_t i = 0; t.len > 1 && i < 4; i++)
        if (t.at[t.len - 1] == units[i].unit &&
            !text_to_u64((struct text){t.at, t.len - 1}, 10, &n)) {
            uint64_t ago_us = n > 1000000000 ? UINT64_MAX : n * units[i].seconds * 1000000,
                     now = server_wall_us();

            *ret = ago_us > now ? 0 : now - ago_us;
            return true;
        }
    text_copy(s, sizeof(s), t);
    end = strptime(s, "%Y-%m-%d", &tm);
    if (end && (*end == 'T' || *end == ' '))
        end = strptime(end + 1, strcspn(end + 1, "Z") > 5 ? "%H:%M:%S" : "%H:%M", &tm);
    utc = end && !strcmp(end, "Z"); /* RFC 3339, as the API says it */
    *ret = (uint64_t)(utc ? timegm(&tm) : mktime(&tm)) * 1000000;
    return end && (utc || !*end);
}

static bool parse_severity(struct text t, int *ret)
{
    uint32_t n;

    if (!text_to_u32(t, 10, &n) && n <= 7) {
        *ret = (int)n;
        return true;
    }
    for (int i = 0; i < 8; i++)
        if (text_equal_nocase(t, text_of(severities[i]))) {
            *ret = i;
            return true;
        }
    return false;
}

static bool read_filter(struct admin *a, const struct call *c, struct event_filter *f)
{
    const char *since = call_option(c, "since"), *until = call_option(c, "until"),
               *severity = call_option(c, "severity"), *reason = call_option(c, "reason");

    *f = (struct event_filter){.device = text_of(call_option(c, "device")),
                               .alarm = text_of(call_option(c, "alarm")),
                               .search = text_of(call_option(c, "search")),
                               .severity = 7};
    if (*severity && !parse_severity(text_of(severity), &f->severity))
        admin_refuse(a, c->who, "\"%s\" is no severity: 0 (emergency) to 7 (debug), or its name.",
                     severity);
    else if (*since && !admin_parse_time(text_of(since), &f->since_us))
        admin_refuse(a, c->who,
                     "\"%s\" is no time: 90s, 30m, 12h, 7d, 2026-11-21 or 2026-11-21T04:00.",
                     since);
    else if (*until && !admin_parse_time(text_of(until), &f->until_us))
        admin_refuse(a, c->who, "\"%s\" is no time: as of --since.", until);
    else if (*reason && text_to_u32(text_of(reason), 10, &f->reason) < 0)
        admin_refuse(a, c->who, "\"%s\" is no reason code: a number.", reason);
    else
        return true;
    return false;
}

/* The newest in the files that fit, below `first` and no more than `wanted`: where they begin. */
static uint64_t first_in_files(struct admin *a, const struct event_filter *f, size_t wanted,
                               uint64_t first)
{
    uint64_t *found = calloc(wanted, sizeof(*found)), n = 0, at;
    struct event_cursor c;
    struct alarm *alarm;

    if (!found)
        return first;
    event_cursor_open(&c, events_folder(a->events));
    event_cursor_seek(&c, first > LINES_BACK ? first - LINES_BACK : 1);
    while ((alarm = event_cursor_next(&c, &at)) && at < first) {
        if (event_matches(alarm, f))
            found[n++ % wanted] = at;
        free(alarm);
    }
    free(alarm);
    event_cursor_close(&c);
    if (n)
        first = found[n > wanted ? n % wanted : 0];
    free(found);
    return first;
}

/* The newest that fit, up to number n, oldest first: where to begin so that `wanted` of them follow
 * (0: all). */
static uint64_t first_of_newest(struct admin *a, const struct event_filter *f, json_int_t wanted,
                                uint64_t n)
{
    uint64_t first = events_first(a->events), below = n < first ? n + 1 : first;

    if (!wanted)
        return 1;
    for (; n >= first && wanted; n--) {
        const struct alarm *alarm = events_get(a->events, n);

        wanted -= alarm && event_matches(alarm, f);
    }
    return wanted && first > 1
               ? first_in_files(a, f, wanted < MOST_BACK ? (size_t)wanted : MOST_BACK, below)
               : n + 1;
}

/* Rows of alarms that are no longer in memory, from number *n on, which moves on, to the one before
 * `first`. */
static void rows_of_files(struct admin *a, const struct call *c, const struct event_filter *f,
                          size_t n_columns, json_t *rows, uint64_t *n, uint64_t first)
{
    uint64_t at;
    struct event_cursor cursor;

    event_cursor_open(&cursor, events_folder(a->events));
    if (*n == 1)
        event_cursor_seek_time(&cursor, f->since_us);
    else
        event_cursor_seek(&cursor, *n);
    for (size_t i = 0; i < LINES_A_PAGE && json_array_size(rows) < call_limit(c); i++) {
        struct alarm *alarm = event_cursor_next(&cursor, &at);

        if (!alarm || at >= first) { /* the rest is in memory */
            free(alarm);
            *n = first;
            break;
        }
        *n = at + 1;
        if (event_matches(alarm, f))
            json_array_append_new(rows, event_row(alarm, at, n_columns, c->full));
        free(alarm);
    }
    event_cursor_close(&cursor);
}

void api_event_list(struct admin *a, const struct call *c)
{
    size_t n_columns = c->full || call_option(c, "columns")[0] ? N_EVENT_COLUMNS : N_EVENT_USUAL;
    uint64_t n = strtoull(call_option(c, "after"), NULL, 10) + 1, last = events_last(a->events),
             before = strtoull(call_option(c, "before"), NULL, 10), first = events_first(a->events);
    json_t *columns, *rows, *answer;
    struct event_filter filter;

    if (!read_filter(a, c, &filter))
        return;
    columns = json_array();
    rows = json_array();
    for (size_t i = 0; i < n_columns; i++)
        json_array_append_new(columns, json_string(event_columns[i]));
    if (before && before <= last)
        last = before - 1;
    if (n == 1)
        n = first_of_newest(a, &filter,
                            json_integer_value(json_object_get(c->options, "wanted")), last);
    if (n < first && n <= last)
        rows_of_files(a, c, &filter, n_columns, rows, &n, first <= last ? first : last + 1);
    for (; n >= first && n <= last && json_array_size(rows) < call_limit(c); n++) {
        const struct alarm *alarm = events_get(a->events, n);

        if (alarm && event_matches(alarm, &filter))
            json_array_append_new(rows, event_row(alarm, n, n_columns, c->full));
    }
    answer = json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
    if (n <= last)
        json_object_set_new(answer, "next", json_sprintf("%llu", (unsigned long long)n - 1));
    admin_answer(a, c->who, answer);
}

/* --- follow --- */

void api_event_follow(struct admin *a, const struct call *c)
{
    struct event_filter filter;
    struct follower *f = NULL;

    if (!read_filter(a, c, &filter))
        return;
    for (size_t i = 0; i < MAX_FOLLOWERS && !f; i++)
        f = a->followers[i].who ? NULL : &a->followers[i];
    if (!f) {
        admin_refuse(a, c->who, "%d others follow events already.", MAX_FOLLOWERS);
        return;
    }
    text_copy(f->device, sizeof(f->device), filter.device);
    text_copy(f->alarm, sizeof(f->alarm), filter.alarm);
    text_copy(f->search, sizeof(f->search), filter.search);
    f->filter = filter;
    f->filter.device = text_of(f->device);
    f->filter.alarm = text_of(f->alarm);
    f->filter.search = text_of(f->search);
    f->who = c->who;
}

void follow_event(struct admin *a, const struct alarm *alarm, uint64_t sequence)
{
    for (size_t i = 0; i < MAX_FOLLOWERS; i++) {
        struct follower *f = &a->followers[i];
        char line[512], meaning[256], reason[16] = "";
        json_t *event, *time;

        if (!f->who || !event_matches(alarm, &f->filter))
            continue;
        if (alarm->reason)
            snprintf(reason, sizeof(reason), " %u", alarm->reason);
        time = admin_time(alarm->time_us, false);
        snprintf(line, sizeof(line), "%s %-9s %-15s %s%s: %s", json_string_value(time),
                 severities[alarm_severity(alarm) & 7], alarm->device.s, alarm_rows[alarm->id].name,
                 reason, alarm_meaning(alarm, meaning));
        json_decref(time);
        event = json_pack("{s:o, s:o}", "event", event_object(alarm, sequence, true), "line",
                          json_of(text_of(line)));
        if (admin_deliver(a, f->who, event) < 0)
            f->who = 0;
    }
}
