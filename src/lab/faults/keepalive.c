/* keepalive.c - registrations that stood and fall: keepalives, ageing, QoS. Intervals are
 * seconds here, not half minutes; everything else is as in the field. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lab/faults/faults.h"

#define INTERVAL_S 2
#define LONGER_S   5 /* where a phone's patience must last */
#define SOME_GOOD  5 /* segments of one side: some keepalives are well before the fault */

static bool is_of_phone(const struct packet *k)
{
    return k->kind == PACKET_TCP || k->kind == PACKET_ARP;
}

static void interval(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->keepalive_s = INTERVAL_S;
}

/* A stateful filter that loses one connection: a new one passes. */
static bool lose_connection(struct rule *r, struct passing *p)
{
    uint16_t port = p->port == 0 ? p->packet.to.port : p->packet.from.port;
    uint16_t *lost = r->context;

    if (!*lost)
        *lost = port;
    return *lost != port;
}

static void lose(struct lab_play *p, enum lab_moment moment, enum switch_side side)
{
    static uint16_t lost;

    lost = 0;
    if (moment == LAB_BEFORE)
        p->keepalive_s = LONGER_S;
    if (moment == LAB_REGISTERED)
        LAB_RULE(p, .act = lose_connection, .side = side, .kind = PACKET_TCP, .skip = SOME_GOOD,
                 .context = &lost);
}

void fault_keepalive_to_server(struct lab_play *p, enum lab_moment moment)
{
    lose(p, moment, SIDE_PHONE);
}

void fault_keepalive_to_phone(struct lab_play *p, enum lab_moment moment)
{
    lose(p, moment, SIDE_SERVER);
}

void fault_keepalive_stopped(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_BEFORE) {
        lab_option(p, "--fault");
        lab_option(p, "lost-keepalives");
    }
}

/* The server's kernel acknowledges at once, its service answers when it can: two keepalives are
 * answered well, then every second one late. */
struct slow {
    struct lab_play *play;
    atomic_bool stopped;
};

static bool is_keepalive(const struct packet *k)
{
    static const uint8_t keepalive[12] = {4};

    return k->to.port == 2000 && k->payload.len == sizeof(keepalive) &&
           memcmp(k->payload.at, keepalive, 4) == 0 &&
           memcmp(k->payload.at + 8, keepalive + 8, 4) == 0;
}

static bool slow_down(struct rule *r, struct passing *p)
{
    struct slow *slow = r->context;

    if (r->n < 3 || r->n % 2 == 0)
        return true;
    lab_stop_server(slow->play, true);
    atomic_store(&slow->stopped, true);
    p->delay_ms += 200;
    return true;
}

void fault_keepalive_late(struct lab_play *p, enum lab_moment moment)
{
    static struct slow slow;

    if (moment == LAB_BEFORE)
        p->keepalive_s = LONGER_S;
    if (moment != LAB_REGISTERED)
        return;
    slow.play = p;
    LAB_RULE(p, .act = slow_down, .side = SIDE_PHONE, .fits = is_keepalive, .context = &slow);
    for (unsigned i = 0; i < 7 * LONGER_S * 10; i++) {
        stage_wait(&p->stage, 100, lab_never, NULL);
        if (!atomic_exchange(&slow.stopped, false))
            continue;
        stage_wait(&p->stage, 1500, lab_never, NULL);
        lab_stop_server(p, false);
    }
}

#define FAR_MS                                                                                     \
    370 /* each way: SYNs are not late yet, and three answers take longer than an interval */

void fault_keepalive_short(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_delay, .kind = PACKET_TCP, .value = FAR_MS);
}

/* The switch forgets the phone's address in each pause and loses the frame with which it learns it
 * again: what port security with an ageing time of two minutes does to keepalives. */
void fault_mac_ageing(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_REGISTERED)
        LAB_RULE(p, .act = act_age, .side = SIDE_PHONE, .fits = is_of_phone,
                 .value = INTERVAL_S * 500);
}

/* Whoever translates addresses on the way forgets the connection in a pause, and answers the next
 * packet of the phone by a reset; a new connection passes. */
struct mapping {
    uint16_t port;
    uint64_t last_ms;
};

static bool translate(struct rule *r, struct passing *p)
{
    struct mapping *m = r->context;
    uint16_t port = p->port == 0 ? p->packet.to.port : p->packet.from.port;
    bool forgotten = m->port == port && p->now_ms - m->last_ms > r->value;

    m->port = port;
    m->last_ms = p->now_ms;
    if (!forgotten || p->port == 0)
        return !forgotten;
    act_reset(r, p);
    return false; /* nothing reaches the server */
}

void fault_nat_timeout(struct lab_play *p, enum lab_moment moment)
{
    static struct mapping mapping;

    interval(p, moment);
    if (moment == LAB_WIRED)
        mapping = (struct mapping){0};
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = translate, .kind = PACKET_TCP, .value = INTERVAL_S * 600,
                 .context = &mapping);
}

/* Other phones at the same server, which suffer the same. */
static void add_others(struct lab_play *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct stage_phone *other = stage_add_phone(&p->stage, "7960", "sccp");
        char lines[16];

        if (!other)
            return;
        snprintf(lines, sizeof(lines), "lines=%u", 7011 + i);
        office_do(&p->stage.office, "phone", "add", other->name.s, "model=7960", lines, NULL);
        stage_power(&p->stage, other, true);
        stage_wait_status(&p->stage, other, "registered", 60000);
    }
}

void fault_server_silent(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->keepalive_s = LONGER_S;
    if (moment == LAB_WIRED)
        add_others(p, 3);
    if (moment == LAB_REGISTERED)
        stage_wait(&p->stage, 2 * LONGER_S * 1000, lab_never, NULL);
    if (moment == LAB_REGISTERED)
        lab_stop_server(p, true);
}

void fault_dscp_lost(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_remark, .kind = PACKET_TCP, .value = 0);
}
