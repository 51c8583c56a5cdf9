/* capture.h - packets in, sights out.
 *
 *   struct capture *c = capture_new(&(struct capture_options){0}, on_sight, &stories);
 *   capture_packet(c, &record, 1);                of one file, or several of one place, in the order of their time
 *   capture_free(c);                              tells what was left open, then frees
 *
 * Sights come in the order of the capture; a file that never came to its end (SIGHT_FILE, not whole) is told when that is
 * known, with the place of its last packet. A packet that is in the capture twice (two mirrored ports, all interfaces of a
 * machine) counts once.
 *
 * Bounds, whatever the file: STREAMS_MAX connections and TRANSFERS_MAX TFTP transfers (the longest idle one goes),
 * CAPTURE_KEPT_MAX bytes of unfinished messages and files together, stream.h's and fragments.h's; 4 MB of the file at once. */
#pragma once

#include "doctor/sight.h"
#include "wire/capture/records.h"

struct packet;
struct source;

#define CAPTURE_PORTS_MAX 32
#define CAPTURE_KEPT_MAX  (128u << 20)
#define TRANSFERS_MAX     16384

/* Brings the times of one capture into the clock of another. */
struct capture_clock {
    int64_t base_ns, offset_ns; /* at `base_ns` of the other clock, this one is so much ahead … */
    double drift;               /* … and gains so much each nanosecond */
};

struct capture_options {
    uint16_t ports[CAPTURE_PORTS_MAX]; /* of servers, besides the well-known ones (and those found by what is said there) */
    unsigned n_ports;
    uint8_t number;            /* place.capture */
    uint32_t first_flow;       /* flows are numbered from the next on */
    struct capture_clock clock;
    /* Every packet that matters, before its sights; NULL: nobody asks. */
    void (*on_packet)(void *context, const struct place *at, const struct packet *p);
    void *packet_context;
};

/* How far it got. */
struct capture_totals {
    uint64_t packets, bytes;          /* in the file; of them */
    uint64_t twice, unreadable;       /* told once only; not a packet of a known kind of link */
    uint64_t cut;                     /* shorter than they were on the wire */
    uint64_t dropped;                 /* by the capturing program, as it says itself */
    uint64_t sights;
    int64_t first_ns, last_ns;        /* 0 without packets */
    char problem[160];                /* why reading ended early; empty: the file was read to its end */
};

struct capture;

struct capture *capture_new(const struct capture_options *o, sight_fn on_sight, void *context); /* NULL without memory */
void capture_name(struct capture *c, uint8_t file); /* place.file of what comes */
/* One packet; `number` counts from 1. */
void capture_packet(struct capture *c, const struct record *r, uint64_t number);
void capture_note_source(struct capture *c, const struct source *s); /* how reading a file ended, for the totals */
int64_t capture_clock_shift(const struct capture_clock *clock, int64_t time_ns);
void capture_end(struct capture *c); /* tells what was left open; nothing may come after */
void capture_free(struct capture *c); /* NULL is fine */
const struct capture_totals *capture_totals(const struct capture *c);
