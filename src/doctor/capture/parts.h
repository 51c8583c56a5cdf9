/* parts.h - what the parts of capture.c share. */
#pragma once

#include "doctor/capture/capture.h"
#include "wire/capture/fragments.h"

#define TWICE_WINDOW 256 /* packets remembered, in case they are in the capture twice */

#define BEGUN_MAX    32  /* SIP messages by UDP of which only the beginning is there */
#define TORN_NS      2000000000ll

/* Bytes kept until the rest has come. */
struct kept {
    uint8_t *at;
    size_t len, size;
};

struct capture {
    struct capture_options options;
    sight_fn on_sight;
    void *context;
    struct place at; /* of the packet being read */
    struct capture_totals totals;
    struct streams streams;
    struct fragments fragments;
    struct {
        struct place at; /* of the first fragment; number 0: free */
        uint32_t id;
    } begun[BEGUN_MAX]; /* SIP messages by UDP of which the rest has not come */
    struct map transfers_map; /* TFTP, by the client's end point */
    struct pool transfers;
    size_t transfers_sweep;
    uint16_t transfer_ports[65536]; /* transfers whose client has this port */
    uint32_t n_flows;  /* numbered so far */
    size_t kept;       /* bytes in all `kept` */
    uint8_t ports[65536 / 8]; /* of servers: a bit each */
    struct recent {
        uint64_t hash;
        int64_t time_ns;
    } recent[TWICE_WINDOW], *syns; /* `syns`: openings of connections to other ports, in case they turn out to matter */
    struct sccp_message sccp; /* too large for the stack */
    struct sip_message sip;
    uint8_t frame[2048]; /* an Ethernet frame made of a cooked one */
};

void capture_tell(struct capture *c, struct sight *s); /* at: c->at unless s->at.number is set */
/* Whether the same packet was captured a moment ago at another point. Time to live, tags and addresses of the link may differ
 * then; what comes behind the header of IP may not. */
bool capture_is_twice(struct capture *c, const struct packet *p);
bool capture_is_server_port(const struct capture *c, uint16_t port);
void capture_add_port(struct capture *c, uint16_t port);

static inline struct text kept_text(const struct kept *k)
{
    return (struct text){k->at ? (const char *)k->at : "", k->len};
}

/* Adds to `k` within CAPTURE_KEPT_MAX and `max`; false: it does not fit. */
bool kept_add(struct capture *c, struct kept *k, const void *bytes, size_t len, size_t max);
void kept_drop(struct kept *k, size_t n); /* from the front */
void kept_free(struct capture *c, struct kept *k);

void capture_udp_init(struct capture *c);
void capture_udp_done(struct capture *c);
void capture_udp(struct capture *c, const struct packet *p);
void capture_udp_end(struct capture *c);
void capture_begin(struct capture *c, const struct packet *first); /* a first fragment */
void capture_complete(struct capture *c, const struct packet *p, uint32_t id);
void capture_tell_torn(struct capture *c, int64_t before_ns);

int capture_tcp_init(struct capture *c);
void capture_tcp_done(struct capture *c);
void capture_tcp(struct capture *c, const struct packet *p);

void capture_matters(struct capture *c, const struct packet *p); /* tells whoever asks for packets */

/* tftp.c: true when the datagram belongs to a transfer. */
bool capture_tftp(struct capture *c, const struct packet *p);

/* What is said on a connection (talk.c). */
enum talker { TALKER_NONE, TALKER_ANY, TALKER_CLIENT, TALKER_SERVER };
enum talker talk_is_known(const void *bytes, size_t len); /* who says something that only phones and their servers say */
bool talk_is_sip(const void *bytes, size_t len);       /* a start line of SIP */
bool talk_is_sccp(const uint8_t *p, size_t len);       /* a header of SCCP */
void talk_message(struct capture *c, const struct packet *p); /* SCCP or SIP, already taken out of its stream */
void talk_sign(void *context, struct stream *s, int side, const struct stream_sign *sign);
void talk_data(void *context, struct stream *s, int side, const void *bytes, size_t len);
void talk_hole(void *context, struct stream *s, int side, enum stream_hole hole, uint32_t bytes);
void talk_gone(void *context, struct stream *s);
