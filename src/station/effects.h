/* effects.h - what a station wants done, in order: values that own and borrow nothing.
 *
 * A step of a core appends; the program carries them out and clears the list. Nothing is appended
 * beyond the end: cores ask `effects_have_room` before each message and stop until there is room.
 */
#pragma once

#include "base/address.h"
#include "base/buf.h"
#include "core/alarms.h"

#define EFFECTS_MAX   448
#define EFFECTS_BYTES (96 * 1024)

/* Room that one message, the answers to parked requests included, never exceeds. */
#define EFFECTS_STEP       24
#define EFFECTS_STEP_BYTES (40 * 1024)

enum effect_kind {
    EFFECT_SEND,     /* bytes to a link */
    EFFECT_DATAGRAM, /* bytes by UDP */
    EFFECT_CLOSE,    /* close a link after what was sent */
    EFFECT_PROBE,    /* let the kernel ask the peer of a link whether it is there */
    EFFECT_SETTLED,  /* somebody is registered over a link: it goes before newcomers */
    EFFECT_ALARM,
    EFFECT_EVENT,        /* a stage of a phone's life */
    EFFECT_BINDING,      /* this device has this address now, or no more */
    EFFECT_AUTOREGISTER, /* ask the database to add the phone; answered by token */
    EFFECT_ACTIVATE,     /* ask the database whose code this is; answered by token */
};

enum station_stage {
    STAGE_REGISTER,     /* Register received */
    STAGE_REJECTED,     /* code: transient reason; detail: text on the LCD */
    STAGE_REGISTERED,   /* detail: active load */
    STAGE_UNREGISTERED, /* code: unregistered reason */
};

struct station_event {
    uint8_t stage;    /* enum station_stage */
    uint8_t protocol; /* enum device_protocol */
    struct device_name device;
    struct ip ip;
    uint32_t model, code;
    char detail[64];
};

struct effect {
    uint8_t kind;
    uint64_t link; /* of SEND, CLOSE, PROBE and SETTLED; the token of AUTOREGISTER and ACTIVATE */
    union {
        struct {
            uint32_t at, len; /* in `bytes` of the list */
        } send;
        struct {
            uint32_t at, len; /* the same place as of `send` */
            struct endpoint to;
            struct ip from; /* our address that the request came to */
        } datagram;
        struct alarm *take_alarm; /* the list's until it is carried out */
        struct station_event event;
        struct {
            struct device_name device;
            struct ip ip;
            bool gone;
        } binding;
        struct {
            struct device_name device;
            uint32_t model;
            uint8_t protocol; /* enum device_protocol */
        } autoregister;
        struct {
            struct device_name device;
            uint32_t model;
            uint8_t protocol;
            char code[17];
        } activate;
    };
};

struct effects {
    size_t n;
    struct effect rows[EFFECTS_MAX];
    struct writer out; /* over `bytes` */
    uint8_t bytes[EFFECTS_BYTES];
};

struct effects *effects_new(void);
void effects_free(struct effects *e);  /* and alarms that were not carried out */
void effects_clear(struct effects *e); /* after carrying out: alarms have gone to others */
bool effects_have_room(const struct effects *e);

/* Bytes written to `out` since `from` (writer_len before) go to the link; joined with what already
 * goes there when nothing else came in between. */
void effects_send(struct effects *e, uint64_t link, size_t from);
/* The same as one UDP datagram. */
void effects_datagram(struct effects *e, const struct endpoint *to, struct ip from, size_t at);
void effects_close(struct effects *e, uint64_t link);
void effects_alarm(struct effects *e, const struct alarm_draft *d);
/* A zeroed row to fill in, or NULL when the list is full (counted by the caller's room check). */
struct effect *effects_put(struct effects *e, enum effect_kind kind);

static inline const uint8_t *effect_bytes(const struct effects *e, const struct effect *row)
{
    return e->bytes + row->send.at;
}
