#include "failover_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/station_world.h"
#include "station/sip/stations.h"

#define PHONE "SEP001122334455"

struct node {
    unsigned number;
    struct registry *registry;
    struct stations *stations;
    struct sip_stations *sip;
    const struct directory *dir;
    struct effects *effects;
    struct node_calls calls;
};

static struct moment at(uint64_t now_ms)
{
    return (struct moment){now_ms, 1435818151123000 + now_ms * 1000};
}

struct node *node_new(unsigned number, const char *name, const char *directory,
                      const struct node_calls *calls)
{
    struct node *n = calloc(1, sizeof(*n));
    struct registry_options r = {.node = name, .local_time = world_local_time};
    static const uint8_t secret[32] = "0123456789abcdefghijklmnopqrstu";
    struct stations_options o = {.max_sessions = 1000};
    struct sip_options sip = {.max_devices = 10, .max_links = 1000, .secret = secret};

    *n = (struct node){.number = number, .calls = *calls, .effects = effects_new()};
    n->registry = o.registry = sip.registry = registry_new(&r);
    n->stations = stations_new(&o);
    n->sip = sip_stations_new(&sip);
    n->dir = directory_of_lines(directory);
    registry_set_directory(n->registry, n->dir, at(0));
    return n;
}

void node_free(struct node *n)
{
    if (!n)
        return;
    sip_stations_free(n->sip);
    stations_free(n->stations);
    registry_free(n->registry);
    effects_free(n->effects);
    directory_unref(n->dir);
    free(n);
}

#define PARAMETER(a, key) TEXT_ARG(alarm_parameter(a, key))

static void tell_alarm(struct node *n, struct alarm *take_alarm)
{
    const char *name = alarm_rows[take_alarm->id].name;
    char words[300];

    if (take_alarm->reason)
        snprintf(words, sizeof(words), "%s, reason %u", name, take_alarm->reason);
    else if (take_alarm->id == ALARM_KEEPALIVE_LATE)
        snprintf(words, sizeof(words), "%s: expected after %.*s s, came after %.*s s, %.*s missed, jitter %.*s: %.*s", name,
                 PARAMETER(take_alarm, "Expected"), PARAMETER(take_alarm, "Took"), PARAMETER(take_alarm, "Missed"),
                 PARAMETER(take_alarm, "Jitter"), PARAMETER(take_alarm, "Advice"));
    else if (take_alarm->id == ALARM_DEVICE_TOGGLE)
        snprintf(words, sizeof(words), "%s: %.*s registrations, one each %.*s s: %.*s", name,
                 PARAMETER(take_alarm, "Registrations"), PARAMETER(take_alarm, "Period"), PARAMETER(take_alarm, "Cause"));
    else
        snprintf(words, sizeof(words), "%s", name);
    n->calls.tells(n->number, words);
    free(take_alarm);
}

static void carry_out(struct node *n)
{
    for (size_t i = 0; i < n->effects->n; i++) {
        const struct effect *row = &n->effects->rows[i];

        if (row->kind == EFFECT_SEND)
            n->calls.sends(n->number, row->link, effect_bytes(n->effects, row), row->send.len);
        else if (row->kind == EFFECT_CLOSE)
            n->calls.closes(n->number, row->link);
        else if (row->kind == EFFECT_ALARM)
            tell_alarm(n, row->take_alarm);
        else if (row->kind == EFFECT_BINDING && !row->binding.gone)
            n->calls.registered(n->number);
    }
    effects_clear(n->effects);
}

void node_open(struct node *n, uint64_t link, uint64_t now_ms)
{
    struct endpoint peer = {ip_v4(0x0a000064), (uint16_t)(50000 + link)},
                    local = {ip_v4(0x0a000001 + n->number), link & NODE_SIP ? 5060 : 2000};

    if (link & NODE_SIP)
        sip_stations_open(n->sip, link, SIP_TCP, &peer, &local, TEXT(""), at(now_ms), n->effects);
    else
        stations_open(n->stations, link, &peer, &local, at(now_ms), n->effects);
    carry_out(n);
}

void node_input(struct node *n, uint64_t link, const void *bytes, size_t len, uint64_t now_ms)
{
    size_t taken = 0;

    do {
        const uint8_t *rest = (const uint8_t *)bytes + taken;

        taken += link & NODE_SIP
                     ? sip_stations_input(n->sip, link, rest, len - taken, at(now_ms), n->effects)
                     : stations_input(n->stations, link, rest, len - taken, at(now_ms), n->effects);
        carry_out(n);
    } while (taken < len);
}

void node_closed(struct node *n, uint64_t link, uint64_t now_ms)
{
    if (link & NODE_SIP)
        sip_stations_closed(n->sip, link, 0, at(now_ms), n->effects);
    else
        stations_closed(n->stations, link, 0, at(now_ms), n->effects);
    carry_out(n);
}

void node_take_off(struct node *n, uint64_t now_ms)
{
    registry_take_off(n->registry, (struct device_name){PHONE}, 0, at(now_ms), n->effects);
    carry_out(n);
}

void node_set_draining(struct node *n, bool on)
{
    registry_set_draining(n->registry, on);
}

void node_tick(struct node *n, uint64_t now_ms)
{
    while (stations_tick(n->stations, at(now_ms), n->effects))
        carry_out(n);
    while (sip_stations_tick(n->sip, at(now_ms), n->effects))
        carry_out(n);
    carry_out(n);
}

uint64_t node_next(const struct node *n, uint64_t now_ms)
{
    uint64_t sccp = stations_next(n->stations, now_ms), sip = sip_stations_next(n->sip, now_ms);

    return sccp < sip ? sccp : sip;
}
