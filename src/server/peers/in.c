/* in.c - the connections that other nodes open: who they are, which phones they have. */
#include "server/peers/own.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "core/counters.h"

#define LINKS_MAX    512 /* with those of strangers, who have ten seconds to say nothing … */
#define LINKS_PER_IP 8   /* … and leave room for nodes */

static struct in *in_find(struct peers *p, uint64_t link)
{
    for (size_t i = 0; i < PEERS_IN_MAX; i++)
        if (p->in[i].link == link)
            return &p->in[i];
    return NULL;
}

static void on_in_open(void *context, uint64_t link, const struct endpoint *peer,
                       const struct endpoint *local)
{
    struct peers *p = context;
    struct in *in = in_find(p, 0);

    if (!in || members_by_address(&p->members, peer->ip) < 0) {
        peer_trust_tell(&p->trust, p->signalling->thread->server, &p->members, 0, peer->ip, "",
                        in ? "no node has this address" : "too many connections", peers_now(p));
        tcp_close(p->tcp, link);
        return;
    }
    *in = (struct in){.link = link, .ip = peer->ip, .member = -1};
}

static void forget(struct peers *p, int member)
{
    homes_leave(p->homes, (unsigned)member);
    p->forgets[member] = true;
}

/* It has opened a new connection: the old one is dead, though its end may be told later, or never. */
static void replace_older(struct peers *p, const struct in *newer, int member)
{
    for (size_t i = 0; i < PEERS_IN_MAX; i++) {
        struct in *in = &p->in[i];

        if (in == newer || !in->link || in->member != member)
            continue;
        tcp_close(p->tcp, in->link);
        in->link = 0;
        forget(p, member);
    }
}

static void on_in_close(void *context, uint64_t link, int err)
{
    struct peers *p = context;
    struct in *in = in_find(p, link);

    if (!in)
        return;
    if (in->member > 0)
        forget(p, in->member); /* what it has now is told on its next connection */
    in->link = 0;
}

static void answer(struct peers *p, struct in *in, const struct peer_message *m)
{
    uint8_t bytes[PEER_FRAME_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));

    peer_encode(m, &w);
    tcp_send(p->tcp, in->link, bytes, writer_len(&w));
}

/* NULL, or why the one who says so is not that member. */
static const char *refuse_identity(struct peers *p, const struct in *in, int member)
{
    char authority[TLS_FINGERPRINT_MAX], subject[256];
    const char *why;

    tcp_authority(p->tcp, in->link, authority);
    tcp_subject(p->tcp, in->link, subject, sizeof(subject));
    why = peer_trust_refuse(&p->trust, &p->members, member, p->signalling->directory, authority,
                            subject);
    if (why)
        peer_trust_tell(&p->trust, p->signalling->thread->server, &p->members,
                        member > 0 ? (unsigned)member : 0, in->ip, authority, why, peers_now(p));
    return why;
}

static bool on_hello(struct peers *p, struct in *in, const struct peer_hello *m)
{
    int member = members_find(&p->members, text_of(m->node));
    const char *why = members_refuse(&p->members, member, m->node, m->version, m->cluster,
                                     peers_cluster(p));
    struct peer_message welcome = {.kind = PEER_WELCOME};

    if (member > 0 && !ip_equal(p->members.rows[member].at.ip, in->ip))
        why = "it comes from an address that is not its own";
    if (!why)
        why = refuse_identity(p, in, member);
    welcome.welcome.accepted = !why;
    text_copy(welcome.welcome.node, sizeof(welcome.welcome.node), text_of(p->members.rows[0].name));
    text_copy(welcome.welcome.version, sizeof(welcome.welcome.version), text_of(p->members.version));
    text_copy(welcome.welcome.reason, sizeof(welcome.welcome.reason), text_of(why ? why : ""));
    answer(p, in, &welcome);
    if (!why) {
        replace_older(p, in, member);
        in->member = member;
        p->heard_ms[member] = 0; /* it may have started anew */
        return true;
    }
    count(COUNT_PEERS_REFUSED);
    log_warning("cluster", "node %s is not taken: %s", m->node, why);
    tcp_close(p->tcp, in->link);
    in->link = 0;
    return false;
}

void peers_give(struct peers *p, struct device_name device, unsigned member, struct ip ip, uint32_t age_ms)
{
    struct signalling *s = p->signalling;

    homes_put(p->homes, device, member, ip, peers_now(p), age_ms);
    registry_note_elsewhere(s->registry, device, p->members.rows[member].name);
    if (!registry_take_off(s->registry, device, 0, signalling_now(s), s->effects))
        return;
    count(COUNT_PEERS_TAKEN_OFF);
    signalling_carry_out(s);
}

/* Ours is to be given up for theirs. */
static bool yields(struct peers *p, unsigned member, const struct peer_device *m, const struct station *ours)
{
    uint64_t age_ms = peers_now(p) - ours->since_ms;
    struct tenure theirs = {p->members.rows[member].name, m->age_ms, m->wall_ms,
                            m->heard_ms && (int32_t)(m->heard_ms - (uint32_t)ours->since_ms) >= 0};

    return homes_yields(&theirs, &(struct tenure){p->members.rows[0].name,
                                                  age_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)age_ms,
                                                  peers_wall_ms(ours->since_ms), false});
}

/* Registered there: who has the later registration keeps it. */
static void on_device(struct peers *p, unsigned member, const struct peer_device *m)
{
    struct signalling *s = p->signalling;
    struct device_name device = device_name_of(text_of(m->name));
    const struct station *ours = registry_find(s->registry, device);
    struct ip ip = {};

    if (m->clock_ms)
        p->heard_ms[member] = m->clock_ms;
    if (m->gone) {
        homes_remove(p->homes, device, member);
        peers_claim_ends(p, device, member);
        return;
    }
    if (ours && !m->held && !yields(p, member, m, ours))
        return;
    ip_parse(text_of(m->address), &ip);
    if (m->held || !peers_claim(p, device, member, ip, m->age_ms))
        peers_give(p, device, member, ip, m->age_ms);
}

struct reading {
    struct peers *peers;
    struct in *in;
};

static bool take_news(void *context, const struct peer_message *m)
{
    struct reading *r = context;
    struct in *in = r->in;
    struct peer_message ack = {.kind = PEER_ALIVE_ACK};

    if (m->kind == PEER_HELLO && in->member < 0)
        return on_hello(r->peers, in, &m->hello);
    if (in->member < 0)
        return true;
    if (m->kind == PEER_DEVICE)
        on_device(r->peers, (unsigned)in->member, &m->device);
    if (m->kind != PEER_ALIVE)
        return true;
    r->peers->members.rows[in->member].registered = m->alive.registered;
    r->peers->members.rows[in->member].draining = m->alive.draining;
    ack.alive_ack.sequence = m->alive.sequence;
    answer(r->peers, in, &ack);
    return true;
}

static void on_in_input(void *context, uint64_t link, const uint8_t *bytes, size_t len)
{
    struct peers *p = context;
    struct in *in = in_find(p, link);
    struct reading r = {p, in};

    if (!in || peers_read(in->partial, &in->n_partial, bytes, len, take_news, &r) == 0)
        return;
    count(COUNT_PEERS_REFUSED);
    tcp_close(p->tcp, link);
    on_in_close(p, link, -EBADMSG);
}

/* It spoke no TLS, or had no certificate. */
static void on_in_failed(void *context, const struct endpoint *peer, const char *why)
{
    struct peers *p = context;
    int member = members_by_address(&p->members, peer->ip);

    if (!strcmp(why, "Connection reset by peer")) { /* it gave up, as on a node that was stopped: no word about who it is */
        count(COUNT_PEERS_REFUSED);
        return;
    }
    peer_trust_tell(&p->trust, p->signalling->thread->server, &p->members,
                    member > 0 ? (unsigned)member : 0, peer->ip, "", why, peers_now(p));
}

int peers_listen(struct peers *p)
{
    const struct bootstrap *b = peers_settings(p);
    struct tcp_options o = {.local.port = (uint16_t)b->cluster_port,
                            .tls = p->trust.tls,
                            .max_links = LINKS_MAX,
                            .max_per_ip = LINKS_PER_IP,
                            .max_queued = 1 << 20,
                            .context = p,
                            .on_open = on_in_open,
                            .on_input = on_in_input,
                            .on_close = on_in_close,
                            .on_failed = on_in_failed};

    if (*b->listen_address)
        ip_parse(text_of(b->listen_address), &o.local.ip);
    return tcp_listen(&p->signalling->thread->loop, &o, &p->tcp);
}
