/* faults_keepalive.c - registrations that stood and fall: keepalives, ageing, QoS. Intervals are
 * seconds here, not half minutes; everything else is as in the field. */
#include "lab/faults.h"

#define INTERVAL_S 2

static bool has_id(const struct packet *k, uint32_t id)
{
    struct reader r = reader_of(k->payload.at, k->payload.len);

    read_le32(&r);
    read_le32(&r);
    return k->kind == PACKET_TCP && k->payload.len == 12 && read_le32(&r) == id;
}

static bool is_acknowledged(const struct packet *k)
{
    return has_id(k, 0x0100);
}

static bool is_of_phone(const struct packet *k)
{
    return k->kind == PACKET_TCP || k->kind == PACKET_ARP;
}

static void interval(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->keepalive_s = INTERVAL_S;
}

void fault_keepalive_to_server(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_REGISTERED)
        LAB_RULE(p, .act = act_drop, .side = SIDE_PHONE, .kind = PACKET_TCP);
}

void fault_keepalive_to_phone(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_REGISTERED)
        LAB_RULE(p, .act = act_drop, .side = SIDE_SERVER, .kind = PACKET_TCP);
}

void fault_keepalive_stopped(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_BEFORE) {
        lab_option(p, "--fault");
        lab_option(p, "lost-keepalives");
    }
}

static bool delay_unevenly(struct rule *r, struct passing *p)
{
    static const unsigned ms[] = {0, 900, 100, 1500, 0, 1200, 50, 1700};

    p->delay_ms += ms[r->n % (sizeof(ms) / sizeof(*ms))];
    return true;
}

void fault_keepalive_late(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_REGISTERED)
        LAB_RULE(p, .act = delay_unevenly, .side = SIDE_SERVER, .fits = is_acknowledged);
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

/* Whoever translates addresses on the way forgets the connection in a pause: nothing of it passes
 * any more, in either direction; a new connection does. */
struct mapping {
    uint16_t port, dead;
    uint64_t last_ms;
};

static bool translate(struct rule *r, struct passing *p)
{
    struct mapping *m = r->context;
    uint16_t port = p->port == 0 ? p->packet.to.port : p->packet.from.port;

    if (port == m->dead)
        return false;
    if (m->port == port && p->now_ms - m->last_ms > r->value) {
        m->dead = port;
        return false;
    }
    m->port = port;
    m->last_ms = p->now_ms;
    return true;
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

void fault_server_silent(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_REGISTERED)
        lab_stop_server(p, true);
}

void fault_dscp_lost(struct lab_play *p, enum lab_moment moment)
{
    interval(p, moment);
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_remark, .kind = PACKET_TCP, .value = 0);
}
