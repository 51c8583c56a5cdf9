/* stream.c - from the bytes of a connection to the messages that move it. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/counters.h"
#include "station/news.h"
#include "station/sccp/station.h"

#define PARTIAL_BYTES_MAX (64u << 20) /* of messages half received, all connections together */
#define EVENT_WINDOW_MS   5000

static void session_end(struct session *s, int err, struct effects *e)
{
    effects_close(e, s->link);
    session_step(s, &(struct session_input){.event = EV_CLOSED, .err = err}, e);
}

static bool floods(struct session *s)
{
    uint64_t now = s->station.registry->now.ms;

    if (now - s->events_since_ms >= EVENT_WINDOW_MS) {
        s->events_since_ms = now;
        s->n_events = s->n_alarms = 0;
    }
    return ++s->n_events > (uint32_t)SETTING_OF(&s->station, max_station_events);
}

static void on_frame(struct session *s, const struct sccp_frame *frame, struct effects *e)
{
    struct sccp_message m;
    struct session_input in = {.event = sccp_event_of(frame->id), .message = &m};
    const struct registry_options *o = &s->station.registry->options;
    int err;

    if (o->heard)
        o->heard(o->context, s->station.name, s->link, &s->station.peer,
                 frame->body - SCCP_HEADER_SIZE, frame->len + SCCP_HEADER_SIZE);
    s->station.heard_ms = s->station.registry->now.ms;
    if (in.event == EV_KEEPALIVE) {
        s->station.last_signal = "KeepAlive";
        session_step(s, &in, e);
        return;
    }
    if (floods(s)) {
        session_step(s, &(struct session_input){.event = EV_FLOOD}, e);
        return;
    }
    err = sccp_decode(frame, s->version, SCCP_FROM_PHONE, &m);
    m.id = frame->id;
    if (err == -ENOENT && in.event == EV_REQUEST) {
        count(COUNT_SCCP_UNKNOWN);
        return;
    }
    if (err == -EPROTO || (err == -EBADMSG && in.event == EV_REGISTER)) {
        count(COUNT_SCCP_MALFORMED);
        return;
    }
    if (err == -EBADMSG)
        count(COUNT_SCCP_MALFORMED);
    s->station.last_signal = sccp_message_name(frame->id);
    session_step(s, &in, e);
}

/* Grows what is kept of a message until it is whole; returns the bytes taken, or -errno. */
static ssize_t partial_add(struct session *s, const uint8_t *bytes, size_t len)
{
    size_t want = 4, take;
    uint32_t length;

    if (s->partial_len >= 4) {
        memcpy(&length, s->partial,
               4); /* little-endian, as all of SCCP; checked by sccp_frame_next */
        want = (size_t)le32toh(length) + 8;
    }
    if (want > SCCP_FRAME_MAX)
        want = SCCP_FRAME_MAX;
    if (want > s->partial_size) {
        uint8_t *grown;

        if (s->owner->partial_bytes + want > PARTIAL_BYTES_MAX)
            return -ENOBUFS;
        grown = realloc(s->partial, want);
        if (!grown)
            return -ENOMEM;
        s->owner->partial_bytes += want - s->partial_size;
        s->partial = grown;
        s->partial_size = (uint16_t)want;
    }
    take = want - s->partial_len < len ? want - s->partial_len : len;
    memcpy(s->partial + s->partial_len, bytes, take);
    s->partial_len += (uint16_t)take;
    return (ssize_t)take;
}

static void partial_drop(struct session *s)
{
    s->owner->partial_bytes -= s->partial_size;
    free(s->partial);
    s->partial = NULL;
    s->partial_len = s->partial_size = 0;
}

/* Completes the message that straddles; returns bytes taken, or -errno. */
static ssize_t input_partial(struct session *s, const uint8_t *bytes, size_t len, struct effects *e)
{
    struct sccp_frame frame;
    struct reader r;
    ssize_t n = partial_add(s, bytes, len);
    int got;

    if (n < 0)
        return n;
    r = reader_of(s->partial, s->partial_len);
    got = sccp_frame_next(&r, &frame);
    if (got < 0)
        return got;
    if (got) {
        on_frame(s, &frame, e);
        partial_drop(s);
    }
    return n;
}

size_t session_input(struct session *s, const uint8_t *bytes, size_t len, struct effects *e)
{
    struct reader r = reader_of(bytes, len);
    struct sccp_frame frame;
    ssize_t n = 0;
    int got = 1;

    while (s->station.state != STATION_CLOSED && s->partial && reader_left(&r)) {
        if (!effects_have_room(e))
            return (size_t)(r.at - bytes);
        n = input_partial(s, r.at, reader_left(&r), e);
        if (n < 0)
            break;
        r.at += n;
    }
    while (n >= 0 && s->station.state != STATION_CLOSED && reader_left(&r)) {
        if (!effects_have_room(e))
            return (size_t)(r.at - bytes);
        got = sccp_frame_next(&r, &frame);
        if (got < 0)
            n = got;
        if (got <= 0)
            break;
        on_frame(s, &frame, e);
    }
    while (n >= 0 && !got && reader_left(&r)) { /* what is left is the start of a message */
        n = partial_add(s, r.at, reader_left(&r));
        if (n > 0)
            r.at += n;
    }
    if (n < 0 && s->station.state != STATION_CLOSED) {
        count(COUNT_SCCP_MALFORMED);
        station_log(&s->station, LOG_LEVEL_NOTICE, "closed: no SCCP message starts like this");
        session_end(s, (int)n, e);
    }
    return len;
}

void session_idle_screen(struct session *s, struct effects *e)
{
    if (s->idle_softkeys && s->station.state != STATION_CLOSED)
        session_send_idle_softkeys(s, e);
    if (s->idle_prompt && s->station.state != STATION_CLOSED)
        session_send_prompt(s, e);
    s->idle_softkeys = s->idle_prompt = false;
}
