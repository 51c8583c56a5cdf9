/* switch.h - a switch of our own between the ends of the laboratory's cables, which does wrong what
 * it is told to.
 *
 * It learns addresses and forwards frames as the kernel's bridge does. Rules say which frames are
 * lost, late, changed or answered by somebody who should not: what a switch, a router, a filter or
 * a stranger on the way does to a phone. A thread of its own; everything here may be called by any
 * thread. */
#pragma once

#include "lab/network.h"
#include "wire/capture/packet.h"

#define SWITCH_RULES_MAX 16
#define SWITCH_FRAME_MAX 2048

struct lab_switch;
struct rule;

enum switch_side { SIDE_ANY, SIDE_SERVER, SIDE_PHONE };

/* A frame that a rule fits. */
struct passing {
    struct lab_switch *sw;
    unsigned port;  /* it came in here */
    uint8_t *frame; /* room for SWITCH_FRAME_MAX; frame_seal() after a change of what is in it */
    size_t len;
    struct packet packet; /* of the frame as it came; untagged */
    uint64_t now_ms;
    unsigned delay_ms; /* it is forwarded so much later */
};

/* False: the frame goes no further. */
typedef bool (*rule_act)(struct rule *r, struct passing *p);

struct rule {
    rule_act act;
    enum switch_side side;                /* that sends the frame */
    enum packet_kind kind;                /* PACKET_OTHER: any */
    uint16_t from, to;                    /* ports; 0: any */
    size_t larger;                        /* only frames of more bytes */
    const char *contains;                 /* only payloads with these letters */
    bool (*fits)(const struct packet *p); /* NULL: all */
    unsigned skip;                        /* the first so many pass unharmed */
    unsigned times;                       /* then so many are harmed; 0: all */
    unsigned value;                       /* of the act: ms, a code point … */
    void *context;
    /* the switch's own */
    unsigned n;
    uint64_t last_ms;
};

/* Takes the place of the bridge in front of the server. 0 or -errno. */
int switch_open(const struct network *n, struct lab_switch **ret);
void switch_close(struct lab_switch *sw); /* NULL is fine */
/* The cable of a phone: call after network_add_phone(). 0 or -errno. */
int switch_add_phone(struct lab_switch *sw, const struct network *n, unsigned phone);
/* The cable of a further server, after network_add_node(): a side of its own, neither the server's nor a phone's. */
int switch_add_node(struct lab_switch *sw, const struct network *n, unsigned node);
void switch_rule(struct lab_switch *sw, struct rule r);

/* For acts: a frame that somebody else sends, out of that port, `delay_ms` from now. */
void switch_send(struct lab_switch *sw, unsigned port, const void *frame, size_t len,
                 unsigned delay_ms);
/* A frame that comes in at that port once more, past the rules. */
void switch_again(struct lab_switch *sw, unsigned port, const void *frame, size_t len,
                  unsigned delay_ms);
/* The UDP datagram to the sender of `p`, as if its receiver had answered. */
void switch_answer_udp(struct passing *p, const void *payload, size_t len);
/* Length fields and checksums of an IPv4 frame, whose payload ends with the frame. */
void frame_seal(uint8_t *frame, size_t len);

/* -- acts -- */
bool act_drop(struct rule *r, struct passing *p);
bool act_delay(struct rule *r, struct passing *p);  /* by `value` ms */
bool act_remark(struct rule *r, struct passing *p); /* DSCP becomes `value` */
bool act_reset(struct rule *r, struct passing *p); /* lost; both ends get a TCP reset */
bool act_age(struct rule *r, struct passing *p);   /* lost when nothing passed for `value` ms */
bool act_repeat(struct rule *r,
                struct passing *p); /* forwarded, and `value` times more, 40 ms apart */
