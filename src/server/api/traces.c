/* traces.c - traces and captures: what people type, and which parameters that means. */
#include <stdio.h>
#include <stdlib.h>

#include "core/settings.h"
#include "server/api/lists.h"
#include "server/traces/trace.h"

#define DURATION_S     300 /* of a capture, unless it is said */
#define DURATION_MAX_S 86400
#define SIZE_MB        10
#define SIZE_MAX_MB    1000

/* --- traces --- */

static const struct {
    const char *word;
    enum setting level;
} services[N_TRACES] = {
#define TRACE(id, service, word, prefix, tag, folder, parameter) {word, parameter},
#include "server/traces/traces.def"
#undef TRACE
};

/* What `trace set` takes beside the level: of all services. */
static const struct {
    const char *field;
    enum setting parameter;
} fields[] = {
    {"phones", SET_trace_devices}, {"keepalives", SET_trace_keepalives},
    {"files", SET_trace_files},    {"form", SET_trace_form},
    {"size", SET_trace_file_size}, {"minutes", SET_trace_file_minutes},
    {"days", SET_trace_days},
};
#define N_FIELDS (sizeof(fields) / sizeof(*fields))

void api_trace_list(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_TRACE_LIST, json_object(), NULL, NULL);
}

/* The level of one service, or of all; false when it is refused. */
static bool put_level(struct admin *a, const struct call *c, struct change *change,
                      struct text value, json_t *answer)
{
    bool all = !strcmp(c->name, "all"), put = false;

    for (size_t i = 0; i < N_TRACES; i++)
        if (all || text_equal_nocase(text_of(c->name), text_of(services[i].word))) {
            put = true;
            if (!parameter_put(a, c, change, setting_rows[services[i].level].id, value, answer))
                return false;
        }
    if (!put)
        admin_refuse_as(a, c->who, 404,
                     "There is no service \"%s\" with traces: callmanager, tftp, dhcp, "
                     "or all.",
                     c->name);
    return put;
}

static bool put_field(struct admin *a, const struct call *c, struct change *change,
                      const char *field, struct text value, json_t *answer)
{
    if (!strcmp(field, "level"))
        return put_level(a, c, change, value, answer);
    for (size_t i = 0; i < N_FIELDS; i++)
        if (!strcmp(field, fields[i].field))
            return parameter_put(a, c, change, setting_rows[fields[i].parameter].id, value, answer);
    admin_refuse(
        a, c->who,
        "\"%s\" is nothing to set: level, form, phones, keepalives, files, size, minutes, days.",
        field);
    return false;
}

void api_trace_set(struct admin *a, const struct call *c)
{
    struct change *change = change_new();
    json_t *answer = json_object(), *value;
    const char *field;

    json_object_foreach(c->fields, field,
                        value) if (!put_field(a, c, change, field, call_text(value), answer))
    {
        change_free(change);
        json_decref(answer);
        return;
    }
    admin_change(a, c->who, change, answer);
}

/* --- a phone's addresses, as far as they are known --- */

static json_t *addresses_of(struct admin *a, struct device_name device)
{
    const struct device_status *s = status_find(a->status, text_of(device.s));
    const struct progress_phone *p = progress_find(a->progress, device);
    json_t *list = json_array();
    char ip[IP_TEXT_MAX];

    if (s && !ip_is_any(s->ip))
        json_array_append_new(list, json_string(ip_print(s->ip, ip)));
    if (p && !ip_is_any(p->ip) && !(s && ip_equal(s->ip, p->ip)))
        json_array_append_new(list, json_string(ip_print(p->ip, ip)));
    return list;
}

void api_trace_collect(struct admin *a, const struct call *c)
{
    const char *since = call_option(c, "since"), *until = call_option(c, "until"),
               *typed = call_option(c, "device");
    struct device_name device = *typed ? phone_name(text_of(typed)) : (struct device_name){""};
    uint64_t since_us = 0, until_us = 0;

    if ((*since && !admin_parse_time(text_of(since), &since_us)) ||
        (*until && !admin_parse_time(text_of(until), &until_us))) {
        admin_refuse(a, c->who,
                     "A time is 90s, 30m, 12h, 7d (ago), 2026-11-21 or 2026-11-21T04:00.");
        return;
    }
    admin_ask(a, c->who, REQUEST_TRACE_COLLECT,
              json_pack("{s:s, s:s, s:o, s:I, s:I}", "path", call_option(c, "file"), "device",
                        device.s, "addresses", addresses_of(a, device), "since_us",
                        (json_int_t)since_us, "until_us", (json_int_t)until_us),
              NULL, NULL);
}

/* --- captures --- */

struct wanted {
    struct text phone, interface;
    uint32_t duration_s, size_mb;
    bool secrets, messages;
};

/* "90", "90s", "5m", "1h" */
static bool take_duration(struct text t, uint32_t *ret)
{
    static const char units[] = "smh";
    static const uint32_t seconds[] = {1, 60, 3600};
    const char *unit = t.len ? strchr(units, t.at[t.len - 1]) : NULL;
    uint32_t n;

    t.len -= unit && *unit;
    if (text_to_u32(t, 10, &n) < 0 || n > DURATION_MAX_S)
        return false;
    *ret = n * (unit && *unit ? seconds[unit - units] : 1);
    return *ret && *ret <= DURATION_MAX_S;
}

static bool take_wanted(struct admin *a, const struct call *c, struct wanted *w)
{
    const char *field;
    json_t *value;

    *w = (struct wanted){.duration_s = DURATION_S, .size_mb = SIZE_MB};
    json_object_foreach(c->fields, field, value)
    {
        struct text t = call_text(value);
        bool fine = true;

        if (!strcmp(field, "phone"))
            w->phone = t;
        else if (!strcmp(field, "interface"))
            w->interface = t;
        else if (!strcmp(field, "duration"))
            fine = take_duration(t, &w->duration_s);
        else if (!strcmp(field, "max_size"))
            fine = !text_to_u32(t, 10, &w->size_mb) && w->size_mb && w->size_mb <= SIZE_MAX_MB;
        else if (!strcmp(field, "secrets"))
            fine = !text_to_flag(t, &w->secrets);
        else if (!strcmp(field, "messages"))
            fine = !text_to_flag(t, &w->messages);
        else
            fine = false;
        if (!fine) {
            admin_refuse(
                a, c->who,
                "%s=%.*s: a capture takes phone, interface, duration (90s, 5m, 1h; at most "
                "24h), max_size (MB, 1 to %d), secrets and messages (yes or no).",
                field, TEXT_ARG(t), SIZE_MAX_MB);
            return false;
        }
    }
    return true;
}

void api_capture_start(struct admin *a, const struct call *c)
{
    struct device_name device = {""};
    char mac[MAC_TEXT_MAX] = "";
    json_t *addresses;
    struct wanted w;
    struct mac m;

    if (!take_wanted(a, c, &w))
        return;
    if (w.phone.len)
        device = phone_name(w.phone);
    if (w.phone.len && device_name_mac(device, &m) == 0)
        mac_print(m, mac);
    addresses = addresses_of(a, device);
    if (w.phone.len && !mac[0] && !json_array_size(addresses)) {
        admin_refuse(a, c->who,
                     "It is not known where %s is: no Ethernet address, no registration.",
                     device.s);
        json_decref(addresses);
        return;
    }
    admin_ask(a, c->who, REQUEST_CAPTURE_START,
              json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:b, s:b}", "device", device.s, "mac", mac,
                        "addresses", addresses, "interface", json_of(w.interface), "duration_s",
                        (json_int_t)w.duration_s, "max_bytes", (json_int_t)w.size_mb << 20,
                        "secrets", w.secrets, "messages", w.messages),
              NULL, NULL);
}

void api_capture_stop(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_CAPTURE_STOP, json_pack("{s:s}", "name", c->name), NULL, NULL);
}

void api_capture_list(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_CAPTURE_LIST, json_object(), NULL, NULL);
}

void api_capture_fetch(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_CAPTURE_FETCH,
              json_pack("{s:s, s:s}", "name", c->name, "path", call_option(c, "file")), NULL, NULL);
}
