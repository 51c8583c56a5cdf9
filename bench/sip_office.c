/* sip_office.c - the registrar alone, with phones that answer at once. */
#include "bench/sip_office.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/directory/change.h"

static void local_time(void *context, const char *zone, uint64_t wall_us, struct local_time *ret)
{
    *ret = (struct local_time){2026, 1, 1, 4, 12, 0, 0};
}

static const struct directory *directory_of(size_t count, bool paced)
{
    const struct directory *dir = directory_factory(TEXT("cm1"), TEXT("127.0.0.1"));
    struct change *c = change_new();
    char name[32], number[32], error[200];

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "SEP%012zu", i % 1000000000000);
        snprintf(number, sizeof(number), "%zu", 100000 + i);
        change_add(c, ENTITY_phone, text_of(name));
        change_field(c, TEXT("model"), TEXT("684"));
        change_field(c, TEXT("protocol"), TEXT("sip"));
        change_field(c, TEXT("lines"), text_of(number));
    }
    if (!paced) {
        change_add(c, ENTITY_parameter, TEXT("paced_return"));
        change_field(c, TEXT("value"), TEXT("false"));
    }
    if (directory_change(&dir, c, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    change_free(c);
    return dir;
}

void sip_office_open(struct sip_office *o, size_t count, bool paced)
{
    static const uint8_t secret[32] = {1};
    struct registry_options r = {.node = "cm1", .local_time = local_time};
    struct sip_options s = {.secret = secret, .max_devices = count + 16, .registry = registry_new(&r)};

    log_set_level(LOG_LEVEL_ERROR);
    sip_register_make("UDP", OFFICE_PORT, 684);
    o->effects = effects_new();
    o->stations = sip_stations_new(&s);
    registry_set_directory(s.registry, directory_of(count, paced), o->now);
}

static void heard(struct sip_office *o, struct text t)
{
    const char *at;
    uint32_t branch;

    switch (sip_hear(t, &branch)) {
    case SIP_HEARD_OK:
        o->n_ok++;
        at = memmem(t.at, t.len, "\r\nExpires: ", 11);
        o->granted_s = at ? (uint32_t)strtoul(at + 11, NULL, 10) : 0;
        break;
    case SIP_HEARD_TRYING:
        break;
    case SIP_HEARD_REQUEST:
        o->n_asked++;
        o->n_agreed = sip_agree(t, o->agreed);
        break;
    default:
        if (o->n_other++ == 0)
            fprintf(stderr, "%.*s\n", TEXT_ARG(t));
    }
}

static void carry_out(struct sip_office *o)
{
    for (size_t i = 0; i < o->effects->n; i++) {
        const struct effect *row = &o->effects->rows[i];

        if (row->kind == EFFECT_DATAGRAM)
            heard(o, (struct text){(const char *)effect_bytes(o->effects, row), row->datagram.len});
        if (row->kind == EFFECT_ALARM)
            free(row->take_alarm);
    }
    effects_clear(o->effects);
}

void sip_office_say(struct sip_office *o, size_t phone, uint32_t nth)
{
    struct endpoint peer = {ip_v4(ntohl(sip_source(phone).s_addr)), OFFICE_PORT},
                    local = {ip_v4(0x7f000001), 5060};
    char bytes[SIP_BYTES_MAX];
    size_t len = sip_register_write(&o->bench, phone, nth, (uint32_t)phone, bytes);

    o->granted_s = 0;
    sip_stations_datagram(o->stations, &peer, &local, bytes, len, o->now, o->effects);
    carry_out(o);
    if (!o->n_agreed)
        return;
    sip_stations_datagram(o->stations, &peer, &local, o->agreed, o->n_agreed, o->now, o->effects);
    o->n_agreed = 0;
    carry_out(o);
}

void sip_office_tick(struct sip_office *o)
{
    bool more;

    do {
        more = sip_stations_tick(o->stations, o->now, o->effects);
        carry_out(o);
    } while (more);
}
