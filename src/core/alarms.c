#include "core/alarms.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    d->times = 1;
    d->text[0] = '\0';
}

static bool knows_key(enum alarm_id id, const char *key)
{
    struct text rest = text_of(alarm_rows[id].parameters);

    while (rest.at)
        if (text_is(text_split(&rest, ' '), key))
            return true;
    return false;
}

static char tame(char c)
{
    if (c == '[')
        return '(';
    if (c == ']')
        return ')';
    return (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
}

void alarm_put(struct alarm_draft *d, const char *key, const char *format, ...)
{
    char value[400];
    size_t room = sizeof(d->text) - d->len;
    va_list args;
    int n;

    assert(knows_key(d->id, key));
    va_start(args, format);
    vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    if (!value[0])
        return;
    for (char *c = value; *c; c++)
        *c = tame(*c);
    n = snprintf(d->text + d->len, room, "[%s=%s]", key, value);
    if (n < 0 || (size_t)n >= room)
        d->text[d->len] = '\0'; /* a parameter is there whole or not at all */
    else
        d->len += (size_t)n;
}

void alarm_put_device(struct alarm_draft *d, struct device_name name)
{
    d->device = name;
    alarm_put(d, "DeviceName", "%s", name.s);
}

void alarm_put_mac(struct alarm_draft *d, struct device_name name)
{
    struct mac mac;

    if (device_name_mac(name, &mac) == 0)
        alarm_put(d, "MACAddress", "%012llX", (unsigned long long)mac_number(mac));
}

void alarm_put_ip(struct alarm_draft *d, struct ip ip)
{
    char text[IP_TEXT_MAX];

    d->ip = ip;
    if (ip.family)
        alarm_put(d,
                  ip.family == 6 && knows_key(d->id, "IPV6Address") ? "IPV6Address" : "IPAddress",
                  "%s", ip_print(ip, text));
}

void alarm_put_reason(struct alarm_draft *d, uint32_t reason)
{
    d->reason = reason;
    if (reason)
        alarm_put(d, "Reason", "%u", reason);
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

size_t alarm_print(const struct alarm *a, uint64_t sequence, const char *node, const char *cluster,
                   char *to, size_t size)
{
    const struct alarm_row *row = &alarm_rows[a->id];
    const struct alarm_catalogue_row *catalogue = &alarm_catalogues[row->catalogue];
    time_t seconds = (time_t)(a->time_us / 1000000);
    unsigned ms = (unsigned)(a->time_us / 1000 % 1000);
    struct tm tm;
    char stamp[32];
    int n;

    gmtime_r(&seconds, &tm);
    strftime(stamp, sizeof(stamp), "%b %d %Y %H:%M:%S", &tm);
    n = snprintf(to, size,
                 "%llu: %s: %s.%03u UTC :  %%%s-%u-%s: %%%s[AppID=%s][ClusterID=%s][NodeID=%s]: %s",
                 (unsigned long long)sequence, node, stamp, ms, catalogue->tag, alarm_severity(a),
                 row->name, a->parameters, catalogue->app, cluster, node, row->text);
    if (n < 0)
        return 0;
    return (size_t)n < size ? (size_t)n : size - 1;
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
