/* station_world.h - phones on a virtual clock and network before a `struct stations`: what is sent
 * is decoded and kept as lines, alarms and events too. */
#pragma once

#include <endian.h>
#include <time.h>

#include "directory_lines.h"
#include "story.h"
#include "station/sccp/stations.h"
#include "wire/sccp/message.h"

struct world {
    struct registry *registry;
    struct stations *stations;
    const struct directory *dir;
    struct moment now;
    struct effects *effects;
    unsigned version[64]; /* of each link, to decode what it gets */
    bool closed[64];
    bool dump, hex; /* whole messages instead of their names; their bytes too */
    uint64_t token; /* of the last AUTOREGISTER */
    size_t n_alarms, n_events, n_sent, n_keepalive_acks;
    struct alarm *last_alarm;
    struct station_event last_event;
    struct binding {
        bool gone;
    } last_binding;
    char *log; /* what happened since world_forget */
    size_t log_len, log_size;
};

static inline void world_log(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void world_log(struct world *w, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    story_add(w->log, &w->log_len, w->log_size, format, args);
    va_end(args);
}

static inline void world_forget(struct world *w)
{
    story_forget(w->log, &w->log_len);
}

static inline void world_local_time(void *context, const char *zone, uint64_t wall_us,
                                    struct local_time *ret)
{
    time_t t = (time_t)(wall_us / 1000000) + (strcmp(zone, "Europe/Berlin") == 0 ? 3600 : 0);
    struct tm tm;

    gmtime_r(&t, &tm);
    *ret = (struct local_time){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_wday, tm.tm_mday,
                               tm.tm_hour,        tm.tm_min,     tm.tm_sec};
}

static inline void world_show(struct world *w, uint64_t link, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    struct sccp_frame frame;
    static struct sccp_message m;
    char text[16384];
    const uint8_t *at = r.at;

    while (sccp_frame_next(&r, &frame) == 1) {
        struct writer out = writer_of(text, sizeof(text) - 1);

        w->n_sent++;
        if (sccp_decode(&frame, link < 64 ? w->version[link] : 0, SCCP_FROM_SERVER, &m) < 0)
            abort(); /* a message of ours that we cannot read */
        if (link < 64 && frame.id == SCCP_REGISTER_ACK)
            w->version[link] = frame.len >= 20 ? m.register_ack.protocol : 0;
        w->n_keepalive_acks += frame.id == SCCP_KEEPALIVE_ACK;
        if (!w->log)
            continue;
        if (w->dump)
            sccp_dump(&m, link < 64 ? w->version[link] : 0, &out);
        else
            write_format(&out, "%s\n", sccp_message_name(frame.id));
        *out.at = '\0';
        world_log(w, "  <- %s", text);
        if (w->hex) {
            world_log(w, "    ");
            for (; at < r.at; at++)
                world_log(w, "%02x", *at);
            world_log(w, "\n");
        }
        at = r.at;
    }
}

static inline void world_carry_out(struct world *w)
{
    struct effects *e = w->effects;
    char line[4096];

    for (size_t i = 0; i < e->n; i++) {
        struct effect *row = &e->rows[i];

        world_log(w, "%s", story_effect(row, line, sizeof(line)));
        switch (row->kind) {
        case EFFECT_SEND:
            world_show(w, row->link, effect_bytes(e, row), row->send.len);
            break;
        case EFFECT_CLOSE:
            if (row->link < 64)
                w->closed[row->link] = true;
            world_log(w, "  close\n");
            break;
        case EFFECT_ALARM:
            w->n_alarms++;
            free(w->last_alarm);
            w->last_alarm = row->take_alarm;
            break;
        case EFFECT_EVENT:
            w->n_events++;
            w->last_event = row->event;
            break;
        case EFFECT_BINDING:
            w->last_binding.gone = row->binding.gone;
            break;
        case EFFECT_SETTLED:
            break;
        case EFFECT_AUTOREGISTER:
        case EFFECT_ACTIVATE:
            w->token = row->link;
            break;
        }
    }
    effects_clear(e);
}

static inline void world_directory(struct world *w, const char *lines)
{
    const struct directory *old = w->dir;

    w->dir = directory_of_lines(lines);
    registry_set_directory(w->registry, w->dir, w->now);
    directory_unref(old);
}

static inline struct world *world_new_sized(const char *lines, size_t max_sessions)
{
    struct world *w = calloc(1, sizeof(*w));
    struct registry_options r = {.node = "cm1", .local_time = world_local_time};
    struct stations_options o = {.max_sessions = max_sessions};

    w->effects = effects_new();
    w->log_size = 1 << 20;
    w->log = calloc(1, w->log_size);
    w->now = (struct moment){1000, 1435818151123000}; /* 2 July 2015 06:22:31.123 UTC */
    w->registry = o.registry = registry_new(&r);
    w->stations = stations_new(&o);
    world_directory(w, lines);
    return w;
}

static inline struct world *world_new(const char *lines)
{
    return world_new_sized(lines, 1000);
}

static inline void world_free(struct world *w)
{
    effects_free(w->effects);
    stations_free(w->stations);
    registry_free(w->registry);
    directory_unref(w->dir);
    free(w->last_alarm);
    free(w->log);
    free(w);
}

/* Lets time pass, a tick whenever one is due. */
static inline void world_pass(struct world *w, uint64_t ms)
{
    uint64_t end = w->now.ms + ms, step;

    while (w->now.ms < end) {
        step = stations_next(w->stations, w->now.ms);
        if (step > end - w->now.ms)
            step = end - w->now.ms;
        w->now.ms += step;
        w->now.wall_us += step * 1000;
        while (stations_tick(w->stations, w->now, w->effects))
            world_carry_out(w);
        world_carry_out(w);
        if (!step && stations_next(w->stations, w->now.ms) == 0)
            abort(); /* a timer that is due and does not fire */
    }
}

static inline void world_connect(struct world *w, uint64_t link, uint32_t ip)
{
    struct endpoint peer = {ip_v4(ip), (uint16_t)(50000 + link)}, local = {ip_v4(0x0a000001), 2000};

    if (stations_open(w->stations, link, &peer, &local, w->now, w->effects) < 0)
        world_log(w, "  no room\n");
    if (link < 64) {
        w->version[link] = 0;
        w->closed[link] = false;
    }
    world_carry_out(w);
}

static inline void world_bytes(struct world *w, uint64_t link, const void *bytes, size_t len)
{
    size_t n = 0;

    do {
        n += stations_input(w->stations, link, (const uint8_t *)bytes + n, len - n, w->now,
                            w->effects);
        world_carry_out(w);
    } while (n < len);
}

static inline void world_close(struct world *w, uint64_t link)
{
    stations_closed(w->stations, link, 0, w->now, w->effects);
    world_carry_out(w);
}

static inline void world_frame(struct world *w, uint64_t link, uint32_t id, const void *body,
                               size_t len)
{
    uint8_t frame[4096];
    uint32_t header[3] = {htole32((uint32_t)(4 + len)), 0, htole32(id)};

    memcpy(frame, header, 12);
    memcpy(frame + 12, body, len);
    world_bytes(w, link, frame, 12 + len);
}

/* SAY(w, link, register_req, { .device_name = … }) as a phone of that link's version would send it.
 */
#define SAY(w, link, name, ...)                                                                    \
    do {                                                                                           \
        uint8_t say_[4096];                                                                        \
        struct writer out_ = writer_of(say_, sizeof(say_));                                        \
        struct sccp_##name message_ = __VA_ARGS__;                                                 \
        sccp_put_##name(&out_, (link) < 64 ? (w)->version[link] : 0, &message_);                   \
        world_bytes(w, link, say_, writer_len(&out_));                                             \
    } while (0)

static inline void world_register(struct world *w, uint64_t link, const char *name, uint32_t type,
                                  unsigned version)
{
    uint8_t bytes[400];
    struct writer out = writer_of(bytes, sizeof(bytes));
    struct sccp_register_req m = {.device_type = type, .protocol = (uint8_t)version};

    text_copy(m.device_name, sizeof(m.device_name), text_of(name));
    if (version >= 11)
        snprintf(m.load, sizeof(m.load), "LOAD-%u", version);
    sccp_put_register_req(&out, version > 22 ? 22 : version, &m);
    world_bytes(w, link, bytes, writer_len(&out));
}

static inline void world_capabilities(struct world *w, uint64_t link)
{
    SAY(w, link, capabilities_res, {.count = 1, .audio = {{.codec = 4, .max_frames = 20}}});
}

/* Connected and registered at once. */
static inline void world_phone(struct world *w, uint64_t link, const char *name, uint32_t type,
                               unsigned version)
{
    world_connect(w, link, (uint32_t)(0x0a010000 + link));
    world_register(w, link, name, type, version);
    world_capabilities(w, link);
}
