#include "core/alarms.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"

const struct alarm_catalogue_row alarm_catalogues[N_CATALOGUES] = {
#define CATALOGUE(id, tag, app) {tag, app},
#include "core/alarms.def"
#undef CATALOGUE
};

const struct alarm_row alarm_rows[N_ALARMS] = {
#define ALARM(id, name, severity, catalogue, parameters, text)                                     \
    {name, severity, CATALOGUE_##catalogue, parameters, text},
#include "core/alarms.def"
#undef ALARM
};

void alarm_begin(struct alarm_draft *d, enum alarm_id id)
{
    memset(d, 0, offsetof(struct alarm_draft, text));
    d->id = id;
    d->keys = alarm_rows[id].parameters;
    d->times = 1;
    d->text[0] = '\0';
}

/* Where `keys` goes on behind that key; NULL: it is not there. */
static const char *behind_key(const char *keys, const char *key)
{
    size_t len = strlen(key);

    for (const char *end; *keys; keys = end) {
        end = strchrnul(keys, ' ');
        if ((size_t)(end - keys) == len && !memcmp(keys, key, len))
            return *end ? end + 1 : end;
        end += *end == ' ';
    }
    return NULL;
}

static bool row_has(enum alarm_id id, const char *key)
{
    return behind_key(alarm_rows[id].parameters, key);
}

/* Keys come in the order of their row, so that the next one is near. */
static bool knows_key(struct alarm_draft *d, const char *key)
{
    const char *behind = behind_key(d->keys, key);

    if (!behind)
        behind = behind_key(alarm_rows[d->id].parameters, key);
    if (behind)
        d->keys = behind;
    return behind;
}

static char tame(char c)
{
    if (c == '[')
        return '(';
    if (c == ']')
        return ')';
    return (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
}

void alarm_put_text(struct alarm_draft *d, const char *key, struct text value)
{
    struct text name = text_of(key);
    size_t len = name.len + value.len + 3;
    char *at = d->text + d->len;

    assert(knows_key(d, key));
    if (!value.len || len >= sizeof(d->text) - d->len)
        return; /* a parameter is there whole or not at all */
    *at++ = '[';
    at = mempcpy(at, name.at, name.len);
    *at++ = '=';
    for (size_t i = 0; i < value.len; i++)
        *at++ = tame(value.at[i]);
    *at++ = ']';
    *at = '\0';
    d->len += len;
}

void alarm_put_number(struct alarm_draft *d, const char *key, uint64_t value)
{
    char digits[24];
    struct writer w = writer_of(digits, sizeof(digits));

    write_decimal(&w, value);
    alarm_put_text(d, key, (struct text){digits, writer_len(&w)});
}

void alarm_put(struct alarm_draft *d, const char *key, const char *format, ...)
{
    char value[400];
    va_list args;

    va_start(args, format);
    vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    alarm_put_text(d, key, text_of(value));
}

void alarm_put_device(struct alarm_draft *d, struct device_name name)
{
    d->device = name;
    alarm_put_text(d, "DeviceName", text_of(name.s));
}

void alarm_put_mac(struct alarm_draft *d, struct device_name name)
{
    struct mac mac;

    if (device_name_mac(name, &mac) == 0) /* "SEP" and its digits, upper case */
        alarm_put_text(d, "MACAddress", text_skip(text_of(device_name_of_mac(mac).s), 3));
}

void alarm_put_ip(struct alarm_draft *d, struct ip ip)
{
    char text[IP_TEXT_MAX];

    d->ip = ip;
    if (ip.family)
        alarm_put_text(
            d, ip.family == 6 && row_has(d->id, "IPV6Address") ? "IPV6Address" : "IPAddress",
            text_of(ip_print(ip, text)));
}

void alarm_put_reason(struct alarm_draft *d, uint32_t reason)
{
    d->reason = reason;
    if (reason)
        alarm_put_number(d, "Reason", reason);
}

struct alarm *alarm_finish(const struct alarm_draft *d)
{
    struct alarm *a = malloc(sizeof(*a) + d->len + 1);

    if (!a)
        return NULL;
    *a = (struct alarm){
        .id = d->id, .reason = d->reason, .times = d->times, .device = d->device, .ip = d->ip};
    memcpy(a->parameters, d->text, d->len + 1);
    return a;
}

unsigned alarm_severity(const struct alarm *a)
{
    if (a->id == ALARM_ENDPOINT_UNREGISTERED)
        switch (a->reason) {
        case UNREGISTERED_CALLMANAGER_RESET:
        case UNREGISTERED_CALLMANAGER_RESTART:
        case UNREGISTERED_DEVICE_INITIATED_RESET:
        case UNREGISTERED_EM_LOGIN:
        case UNREGISTERED_EMCC_LOGIN:
        case UNREGISTERED_FALLBACK: /* real nodes write no error for a phone that goes home */
            return 6;
        }
    return alarm_rows[a->id].severity;
}

struct text alarm_parameter(const struct alarm *a, const char *key)
{
    struct text rest = text_skip(text_of(a->parameters), 1);

    while (rest.at && rest.len) {
        struct text value = text_split(&rest, ']'), name = text_split(&value, '=');

        if (text_is(name, key))
            return value.at ? value : TEXT("");
        if (rest.at)
            rest = text_skip(rest, 1);
    }
    return TEXT("");
}

/* "Jul 02 2015 06:22:31": alarms of one second have it in common. */
static struct text stamp_of(time_t seconds)
{
    static _Thread_local struct {
        time_t seconds;
        size_t len;
        char text[32];
    } last;
    struct tm tm;

    if (!last.len || last.seconds != seconds) {
        gmtime_r(&seconds, &tm);
        last.len = strftime(last.text, sizeof(last.text), "%b %d %Y %H:%M:%S", &tm);
        last.seconds = seconds;
    }
    return (struct text){last.text, last.len};
}

static void write_all(struct writer *w, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) /* what does not fit whole is cut: the line ends there */
        write_bytes(w, words[i], strnlen(words[i], writer_left(w)));
}

size_t alarm_print(const struct alarm *a, uint64_t sequence, const char *node, const char *cluster,
                   char *to, size_t size)
{
    const struct alarm_row *row = &alarm_rows[a->id];
    const struct alarm_catalogue_row *catalogue = &alarm_catalogues[row->catalogue];
    const char severity[] = {'-', (char)('0' + alarm_severity(a)), '-', '\0'};
    const char ms[] = {'.', (char)('0' + a->time_us / 100000 % 10),
                       (char)('0' + a->time_us / 10000 % 10), (char)('0' + a->time_us / 1000 % 10),
                       '\0'};
    struct writer w = writer_of(to, size - 1);

    write_decimal(&w, sequence);
    write_all(&w, (const char *const[]){": ", node, ": "}, 3);
    write_text(&w, stamp_of((time_t)(a->time_us / 1000000)));
    write_all(&w,
              (const char *const[]){ms, " UTC :  %", catalogue->tag, severity, row->name, ": %",
                                    a->parameters, "[AppID=", catalogue->app,
                                    "][ClusterID=", cluster, "][NodeID=", node, "]: ", row->text},
              15);
    to[writer_len(&w)] = '\0';
    return writer_len(&w);
}

/* --- reasons -------------------------------------------------------------------------------------
 */

#define UNREGISTERED_REASON(id, code, name, text) {code, name, text},
#define TRANSIENT_REASON(id, code, name, text)
#define PHONE_REASON(code, name, text)
static const struct reason unregistered_reasons[] = {
#include "core/reasons.def"
    {0, NULL, NULL}};
#undef UNREGISTERED_REASON
#undef TRANSIENT_REASON
#define UNREGISTERED_REASON(id, code, name, text)
#define TRANSIENT_REASON(id, code, name, text) {code, name, text},
static const struct reason transient_reasons[] = {
#include "core/reasons.def"
    {0, NULL, NULL}};
#undef TRANSIENT_REASON
#undef PHONE_REASON
#define TRANSIENT_REASON(id, code, name, text)
#define PHONE_REASON(code, name, text) {code, name, text},
static const struct reason phone_reasons[] = {
#include "core/reasons.def"
    {0, NULL, NULL}};

static const struct reason *find(const struct reason *row, uint32_t code)
{
    static const struct reason unknown = {0, "Unknown", "no known cause"};

    while (row->name && row->code != code)
        row++;
    return row->name ? row : &unknown;
}

const struct reason *reason_unregistered(uint32_t code)
{
    return find(unregistered_reasons, code);
}

const struct reason *reason_transient(uint32_t code)
{
    return find(transient_reasons, code);
}

const struct reason *reason_phone(uint32_t code)
{
    return find(phone_reasons, code);
}

const struct reason *alarm_reason(const struct alarm *a)
{
    switch (a->id) {
    case ALARM_ENDPOINT_UNREGISTERED:
        return reason_unregistered(a->reason);
    case ALARM_ENDPOINT_TRANSIENT:
        return reason_transient(a->reason);
    case ALARM_PHONE_OUT_OF_SERVICE:
    case ALARM_STATION_ALARM:
    case ALARM_STATION_EVENT_ALERT:
        return a->reason ? reason_phone(a->reason) : NULL;
    default:
        return NULL;
    }
}
