/* tftp.c - TFTP transfers: a client's end point, and the port the server answers from (RFC
 * 1350 4). */
#include <stdlib.h>

#include "doctor/capture/parts.h"

#define IDLE_NS 60000000000ll /* a transfer without a packet for this long is over */
#define SWEEP   4

struct transfer {
    struct endpoint client; /* key: address and port without padding below */
    uint8_t key_len, key[18];
    struct endpoint server; /* port 0: it did not answer yet */
    uint64_t id;
    uint32_t flow;
    enum tftp_op op;
    char name[256];
    unsigned block_size;
    uint16_t next; /* block in order */
    bool holes, told;
    uint64_t size;
    struct kept content;
    struct place last;
};

static struct text key_of(const void *value)
{
    const struct transfer *t = value;

    return (struct text){(const char *)t->key, t->key_len};
}

static uint8_t make_key(const struct endpoint *e, uint8_t key[static 18])
{
    uint8_t n = e->ip.family == 4 ? 4 : 16;

    memcpy(key, &e->port, 2);
    memcpy(key + 2, e->ip.bytes, n);
    return n + 2;
}

void capture_udp_init(struct capture *c)
{
    map_init(&c->transfers_map, key_of);
    pool_init(&c->transfers, sizeof(struct transfer), TRANSFERS_MAX);
}

/* What came of a file, once. */
static void tell_file(struct capture *c, struct transfer *t, bool whole)
{
    struct sight s = {.kind = SIGHT_FILE, .flow = t->flow, .at = t->last};

    if (t->told || (!t->size && !whole) || t->op != TFTP_RRQ)
        return;
    t->told = true;
    s.file.name = text_of(t->name);
    s.file.content = kept_text(&t->content);
    s.file.size = t->size;
    s.file.whole = whole && !t->holes;
    capture_tell(c, &s);
    kept_free(c, &t->content);
}

static void transfer_drop(struct capture *c, struct transfer *t)
{
    tell_file(c, t, false);
    kept_free(c, &t->content);
    c->transfer_ports[t->client.port]--;
    map_remove(&c->transfers_map, key_of(t));
    pool_give(&c->transfers, t->id);
}

void capture_udp_end(struct capture *c)
{
    struct transfer *t;
    size_t cursor = 0;
    uint64_t id;

    while ((t = pool_next(&c->transfers, &cursor, &id)))
        transfer_drop(c, t);
}

void capture_udp_done(struct capture *c)
{
    pool_done(&c->transfers);
    map_done(&c->transfers_map);
}

static void sweep(struct capture *c)
{
    struct transfer *t, *oldest = NULL;
    uint64_t id;

    for (int i = 0; i < SWEEP; i++) {
        if (!(t = pool_next(&c->transfers, &c->transfers_sweep, &id))) {
            c->transfers_sweep = 0;
            continue;
        }
        if (c->at.time_ns - t->last.time_ns > IDLE_NS)
            transfer_drop(c, t);
        else if (!oldest || t->last.time_ns < oldest->last.time_ns)
            oldest = t;
    }
    if (c->transfers.n >= TRANSFERS_MAX && oldest)
        transfer_drop(c, oldest);
}

static struct transfer *find(struct capture *c, const struct endpoint *client)
{
    uint8_t key[18];
    uint8_t len = make_key(client, key);

    return c->transfer_ports[client->port]
               ? map_get(&c->transfers_map, (struct text){(char *)key, len})
               : NULL;
}

static struct transfer *begin(struct capture *c, const struct packet *p,
                              const struct tftp_packet *m)
{
    struct transfer *t = find(c, &p->from);
    uint64_t id;

    if (t && !t->server.port && text_is(m->file, t->name))
        return t; /* asked again */
    if (t)
        transfer_drop(c, t);
    sweep(c);
    if (c->transfer_ports[p->from.port] == UINT16_MAX || !(t = pool_take(&c->transfers, &id)))
        return NULL;
    t->id = id;
    t->client = p->from;
    t->key_len = make_key(&p->from, t->key);
    t->server.ip = p->to.ip;
    t->op = m->op;
    t->block_size = TFTP_BLOCK;
    t->next = 1;
    text_copy(t->name, sizeof(t->name), m->file);
    if (map_put(&c->transfers_map, t) < 0) {
        pool_give(&c->transfers, id);
        return NULL;
    }
    c->transfer_ports[p->from.port]++;
    t->flow = ++c->n_flows;
    return t;
}

static void take_data(struct capture *c, struct transfer *t, const struct tftp_packet *m,
                      uint32_t missing)
{
    size_t room =
        SIGHT_FILE_MAX - (t->content.len < SIGHT_FILE_MAX ? t->content.len : SIGHT_FILE_MAX);
    uint16_t ahead = (uint16_t)(m->block - t->next);

    if (ahead >= 0x8000)
        return; /* once more */
    t->holes |= ahead || missing;
    t->next = (uint16_t)(m->block + 1);
    t->size += m->data.len + missing;
    if (room && !t->holes &&
        !kept_add(c, &t->content, m->data.at, m->data.len < room ? m->data.len : room,
                  SIGHT_FILE_MAX))
        t->holes = true;
    if (m->data.len + missing < t->block_size)
        tell_file(c, t, true);
}

/* Blocks that were acknowledged and never seen were lost by the capture. */
static void take_ack(struct capture *c, struct transfer *t, const struct tftp_packet *m)
{
    uint16_t ahead = (uint16_t)(m->block - t->next);

    if (t->op != TFTP_RRQ || ahead >= 0x8000 || !t->server.port)
        return;
    t->holes = true;
    t->next = (uint16_t)(m->block + 1);
    capture_tell(c, &(struct sight){.kind = SIGHT_LOST,
                                    .flow = t->flow,
                                    .lost.bytes = (ahead + 1ull) * t->block_size});
}

static bool belongs(const struct transfer *t, const struct endpoint *server, bool from_server)
{
    if (!t->server.port)
        return from_server; /* the first answer, from wherever it comes (some answer from another
                               address) */
    return endpoint_equal(&t->server, server);
}

bool capture_tftp(struct capture *c, const struct packet *p)
{
    struct sight s = {.kind = SIGHT_TFTP};
    struct tftp_packet m;
    struct transfer *t = NULL;

    if (tftp_parse(p->payload.at, p->payload.len, &m) < 0)
        return false;
    if (m.op == TFTP_RRQ || m.op == TFTP_WRQ) {
        t = p->to.port == TFTP_PORT ? begin(c, p, &m) : NULL;
        s.from_client = true;
    } else if ((t = find(c, &p->from)) && belongs(t, &p->to, false)) {
        s.from_client = true;
    } else if (!(t = find(c, &p->to)) || !belongs(t, &p->from, true)) {
        return false;
    }
    if (!t)
        return false;
    if (!s.from_client)
        t->server = p->from;
    capture_matters(c, p);
    t->last = c->at;
    s.tftp = &m;
    s.flow = t->flow;
    capture_tell(c, &s);
    if (m.op == TFTP_OACK && tftp_has(&m.options, TFTP_BLKSIZE))
        t->block_size = (unsigned)m.options.value[TFTP_BLKSIZE];
    else if (m.op == TFTP_DATA && !s.from_client)
        take_data(c, t, &m, p->missing);
    else if (m.op == TFTP_ACK && s.from_client)
        take_ack(c, t, &m);
    else if (m.op == TFTP_ERROR && !s.from_client)
        transfer_drop(c, t); /* some clients acknowledge even that */
    else if (m.op == TFTP_ERROR)
        tell_file(c, t, false);
    return true;
}
