/* tcp.c - which connections matter: those of phones' ports, and those where phones'
 * protocols are spoken. */
#include <errno.h>
#include <stdlib.h>

#include "doctor/capture/parts.h"

#define SYNS     16384 /* openings of other connections that are remembered */
#define SYN_WAIT 60000000000ll

int capture_tcp_init(struct capture *c)
{
    static const uint16_t ports[] = {2000, 2443, 2445, 3804, 5060, 5061, 6970, 6971, 6972};

    streams_init(&c->streams,
                 &(struct stream_handler){c, talk_sign, talk_data, talk_hole, talk_gone});
    for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
        capture_add_port(c, ports[i]);
    c->syns = calloc(SYNS, sizeof(*c->syns));
    return c->syns ? 0 : -ENOMEM;
}

void capture_tcp_done(struct capture *c)
{
    if (!c->syns)
        return;
    streams_done(&c->streams);
    free(c->syns);
    c->syns = NULL;
}

static uint64_t hash_of(const struct packet *p)
{
    struct {
        struct ip from, to;
        uint16_t from_port, to_port;
    } key;

    memset(&key, 0, sizeof(key));
    key.from = p->from.ip;
    key.to = p->to.ip;
    key.from_port = p->from.port;
    key.to_port = p->to.port;
    return hash_bytes(&key, sizeof(key));
}

static uint16_t server_port(const struct capture *c, const struct packet *p)
{
    bool from = capture_is_server_port(c, p->from.port), to = capture_is_server_port(c, p->to.port);

    return to && !from ? p->to.port : from && !to ? p->from.port : 0;
}

static struct stream *new_stream(struct capture *c, const struct packet *p, uint16_t port)
{
    struct stream *s = streams_make(&c->streams, p, port, c->at.time_ns);

    if (s)
        s->number = ++c->n_flows;
    return s;
}

/* A connection to a port nobody knew: the port is a server's from now on. */
static struct stream *discover(struct capture *c, const struct packet *p)
{
    enum talker who = talk_is_known(p->payload.at, p->payload.len);
    uint64_t hash = who ? hash_of(p) : 0;
    struct recent *syn = &c->syns[hash % SYNS];
    bool opened = syn->hash == hash && c->at.time_ns - syn->time_ns < SYN_WAIT;
    struct stream *s;

    if (who == TALKER_NONE)
        return NULL;
    s = new_stream(c, p,
                   opened || who == TALKER_CLIENT ? p->to.port
                   : who == TALKER_SERVER         ? p->from.port
                                                  : 0);
    if (s) {
        capture_add_port(c, s->server.port);
        s->first_syn_ns = s->last_syn_ns = opened ? syn->time_ns : 0;
        s->n_syn = opened;
    }
    return s;
}

static struct stream *make(struct capture *c, const struct packet *p, bool known_port)
{
    uint64_t hash;

    if (known_port)
        return p->tcp_flags & PACKET_RST ? NULL : new_stream(c, p, server_port(c, p));
    if ((p->tcp_flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN) {
        hash = hash_of(p);
        c->syns[hash % SYNS] = (struct recent){hash, c->at.time_ns};
        return NULL;
    }
    return p->payload.len ? discover(c, p) : NULL;
}

void capture_tcp(struct capture *c, const struct packet *p)
{
    bool known_port =
        capture_is_server_port(c, p->from.port) || capture_is_server_port(c, p->to.port);
    struct stream *s = known_port ? streams_find(&c->streams, p) : NULL;

    if (!s || stream_is_over(s, p))
        s = make(c, p, known_port);
    if (!s || capture_is_twice(c, p))
        return;
    capture_matters(c, p);
    streams_packet(&c->streams, s, p, c->at.time_ns);
}
