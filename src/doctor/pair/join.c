/* join.c - packets of two captures that are the same; what changed on the way; what stayed
 * alone. */
#include <stdlib.h>

#include "doctor/pair/parts.h"

#define WAIT_NS 5000000000ll /* a packet that is not at the other end by then does not come */
#define EDGE_NS 200000000ll  /* so near to the ends of a capture nothing is said lost */
#define EARLY_NS                                                                                   \
    50000000ll /* clocks are not known better: arrivals this much before their leaving are joined  \
                */
#define HEAD      48 /* bytes of the payload in a fingerprint: captures may cut */
#define HOSTS_MAX 262144
#define UNSEEN_SHARE                                                                               \
    4 /* a host of which more than one packet in so many is missing at the other end is not shown  \
         there */
#define TTL_FULL 30 /* more routers are not believed */

/* -- who is a server ------------------------------------------------------------------------ */

static struct text host_key(const void *value)
{
    const struct host *h = value;

    return (struct text){(const char *)&h->ip, sizeof(h->ip)};
}

static struct host *host_of(struct pair *p, int capture, struct ip ip)
{
    struct host *h = map_get(&p->hosts[capture], (struct text){(const char *)&ip, sizeof(ip)});

    if (h || p->hosts[capture].n >= HOSTS_MAX || !(h = calloc(1, sizeof(*h))))
        return h;
    h->ip = ip;
    if (map_put(&p->hosts[capture], h) < 0) {
        free(h);
        return NULL;
    }
    return h;
}

/* Whether this packet alone shows that its receiver is a server. */
static bool asks_server(const struct capture *c, const struct packet *k)
{
    if (k->kind == PACKET_TCP)
        return capture_is_server_port(c, k->to.port) && !capture_is_server_port(c, k->from.port);
    return k->to.port == TFTP_PORT || k->to.port == DNS_PORT ||
           text_starts(k->payload, "REGISTER ");
}

static bool answers(const struct capture *c, const struct packet *k)
{
    if (k->kind == PACKET_TCP)
        return capture_is_server_port(c, k->from.port) && !capture_is_server_port(c, k->to.port);
    return k->from.port == DNS_PORT;
}

uint8_t pair_way_of(struct pair *p, int capture, const struct packet *k)
{
    struct host *from = host_of(p, capture, k->from.ip), *to = host_of(p, capture, k->to.ip);

    if (!from || !to)
        return N_PAIR_WAYS;
    if (asks_server(p->captures[capture], k))
        to->server = true;
    else if (answers(p->captures[capture], k))
        from->server = true;
    if (to->server != from->server)
        return to->server ? PAIR_TO_SERVER : PAIR_TO_PHONE;
    if (asks_server(p->captures[capture], k))
        return PAIR_TO_SERVER;
    return answers(p->captures[capture], k) ? PAIR_TO_PHONE : N_PAIR_WAYS;
}

/* -- fingerprints --------------------------------------------------------------------------- */

uint64_t pair_fingerprint(const struct packet *k)
{
    struct {
        uint64_t head;
        uint32_t sequence, acknowledged, length;
        uint16_t window;
        uint8_t flags, protocol;
    } key = {.sequence = k->tcp_sequence,
             .acknowledged = k->tcp_acknowledged,
             .window = k->tcp_window,
             .flags = k->tcp_flags & 0x17,
             .protocol = k->protocol};
    size_t n = k->payload.len < HEAD ? k->payload.len : HEAD;

    key.length = (uint32_t)k->payload.len + k->missing;
    key.head = n ? hash_bytes(k->payload.at, n) : 0;
    return hash_bytes(&key, sizeof(key));
}

/* -- flows ---------------------------------------------------------------------------------- */

static struct text slot_key(const void *value)
{
    const struct flow_slot *s = value;

    return (struct text){(const char *)s->key, sizeof(s->key)};
}

static bool set_key(const struct event *e, struct endpoint key[2])
{
    memset(key, 0, 2 * sizeof(*key));
    key[0].ip = e->way == PAIR_TO_SERVER ? e->from.ip : e->to.ip;
    key[0].port = e->way == PAIR_TO_SERVER ? e->from.port : e->to.port;
    key[1].ip = e->way == PAIR_TO_SERVER ? e->to.ip : e->from.ip;
    key[1].port = e->way == PAIR_TO_SERVER ? e->to.port : e->from.port;
    return e->way < N_PAIR_WAYS;
}

/* The flow of an event; a new one, or `known` under a second name. NULL when its direction is
 * unknown or all places are taken. */
static struct pair_flow *flow_of(struct pair *p, const struct event *e, struct pair_flow *known)
{
    struct endpoint key[2];
    struct flow_slot *s;

    if (!set_key(e, key))
        return NULL;
    s = map_get(&p->flows_by[e->capture], (struct text){(const char *)key, sizeof(key)});
    if (s)
        return &p->flows[s->flow];
    if ((!known && p->n_flows == PAIR_FLOWS_MAX) || !(s = calloc(1, sizeof(*s)))) {
        p->facts.full = true;
        return known;
    }
    memcpy(s->key, key, sizeof(key));
    s->flow = (uint32_t)(known ? (size_t)(known - p->flows) : p->n_flows++);
    p->flows[s->flow].phone[e->capture] = key[0];
    p->flows[s->flow].server[e->capture] = key[1];
    p->flows[s->flow].protocol = e->protocol;
    if (map_put(&p->flows_by[e->capture], s) < 0)
        free(s);
    return &p->flows[s->flow];
}

/* -- what changed on the way ---------------------------------------------------------------- */

static void note_mark(struct pair *p, const struct event *left, const struct event *arrived)
{
    struct pair_facts *f = &p->facts;
    unsigned i;

    for (i = 0; i < f->n_marks; i++)
        if (f->marks[i].left == left->dscp && f->marks[i].arrived == arrived->dscp &&
            f->marks[i].way == left->way)
            break;
    if (i == PAIR_MARKS_MAX)
        return;
    if (i == f->n_marks)
        f->marks[f->n_marks++] = (struct pair_mark){left->dscp, arrived->dscp, left->way,
                                                    0,          left->number,  arrived->number};
    f->marks[i].n++;
}

static void note_nat(struct pair *p, struct ip there, struct ip here, bool server)
{
    struct pair_facts *f = &p->facts;
    unsigned i;

    if (ip_equal(there, here))
        return;
    for (i = 0; i < f->n_nats; i++)
        if (ip_equal(f->nats[i].there, there) && ip_equal(f->nats[i].here, here) &&
            f->nats[i].server == server)
            break;
    if (i == PAIR_NATS_MAX)
        return;
    if (i == f->n_nats)
        f->nats[f->n_nats++] = (struct pair_nat){there, here, server, 0};
    f->nats[i].n++;
}

static void set_bit(struct bits *b, uint64_t number)
{
    size_t byte = number / 8, size = b->size ? b->size : 4096;
    uint8_t *at;

    while (size <= byte)
        size *= 2;
    if (size != b->size) {
        if (!(at = realloc(b->at, size)))
            return;
        memset(at + b->size, 0, size - b->size);
        b->at = at;
        b->size = size;
    }
    b->at[byte] |= (uint8_t)(1u << (number % 8));
}

static void host_joined(struct pair *p, const struct event *e)
{
    struct host *from = host_of(p, e->capture, e->from.ip), *to = host_of(p, e->capture, e->to.ip);

    if (from)
        from->joined++;
    if (to)
        to->joined++;
}

static void joined(struct pair *p, struct event *a, struct event *b)
{
    struct event *phone = a->capture == 0 ? a : b, *server = a->capture == 0 ? b : a, *left,
                 *arrived;
    uint8_t way = phone->way < N_PAIR_WAYS ? phone->way : server->way;
    struct pair_way_facts *w;
    struct pair_flow *flow;
    int64_t delay;

    set_bit(&p->joined[0], phone->number);
    set_bit(&p->joined[1], server->number);
    if (way == N_PAIR_WAYS)
        return;
    phone->way = server->way = way;
    left = way == PAIR_TO_SERVER ? phone : server;
    arrived = way == PAIR_TO_SERVER ? server : phone;
    flow = flow_of(p, phone, NULL);
    flow = flow_of(p, server, flow);
    if (flow)
        flow->joined[way]++;
    host_joined(p, phone);
    host_joined(p, server);
    w = &p->facts.ways[way];
    delay = arrived->time_ns - left->time_ns;
    w->least_ns = w->joined && w->least_ns < delay ? w->least_ns : delay;
    w->most_ns = w->joined && w->most_ns > delay ? w->most_ns : delay;
    w->sum_ns += delay;
    w->joined++;
    note_mark(p, left, arrived);
    note_nat(p, way == PAIR_TO_SERVER ? phone->from.ip : phone->to.ip,
             way == PAIR_TO_SERVER ? server->from.ip : server->to.ip, false);
    note_nat(p, way == PAIR_TO_SERVER ? phone->to.ip : phone->from.ip,
             way == PAIR_TO_SERVER ? server->to.ip : server->from.ip, true);
    if (left->ttl >= arrived->ttl && left->ttl - arrived->ttl <= TTL_FULL) {
        p->hops_sum += left->ttl - arrived->ttl;
        p->n_hops++;
    }
}

/* -- waiting for the other half ------------------------------------------------------------- */

/* Whether the other end's capture shows what this host, an address of capture `here`, sends and
 * gets. A switch that floods may show some packets of any host anywhere. */
static bool is_shown(struct pair *p, int here, struct ip ip)
{
    const struct host *h = map_get(&p->hosts[here], (struct text){(const char *)&ip, sizeof(ip)});

    return h && h->joined && h->unseen <= h->joined / UNSEEN_SHARE;
}

/* Leaves the losses of which that can be said now. */
static void judge_losses(struct pair *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_losses; i++) {
        struct pair_loss *l = &p->losses[i];

        if (is_shown(p, l->way == PAIR_TO_SERVER ? 0 : 1, l->to.ip))
            p->losses[n++] = *l;
    }
    p->n_losses = n;
}

static bool has_room(struct pair *p)
{
    size_t size = p->losses_size ? 2 * p->losses_size : 1024;
    struct pair_loss *to;

    if (p->n_losses == PAIR_LOSSES_MAX)
        judge_losses(p);
    if (p->n_losses < p->losses_size)
        return true;
    size = size < PAIR_LOSSES_MAX ? size : PAIR_LOSSES_MAX;
    if (p->n_losses == PAIR_LOSSES_MAX || !(to = realloc(p->losses, size * sizeof(*to))))
        return false;
    p->losses = to;
    p->losses_size = size;
    return true;
}

static void note_loss(struct pair *p, const struct event *e, struct pair_flow *flow)
{
    if (!has_room(p)) {
        p->facts.full = true;
        return;
    }
    p->losses[p->n_losses++] = (struct pair_loss){.number = e->number,
                                                  .time_ns = e->time_ns,
                                                  .from = e->from,
                                                  .to = e->to,
                                                  .sequence = e->sequence,
                                                  .length = e->length,
                                                  .protocol = e->protocol,
                                                  .way = e->way,
                                                  .flow = (uint32_t)(flow - p->flows)};
}

static void note_unseen(struct pair *p, const struct event *e, struct pair_flow *flow)
{
    struct host *h = host_of(p, e->capture, e->from.ip);

    flow->unseen[e->way]++;
    if (h)
        h->unseen++;
}

static void forget(struct pair *p, struct event *e)
{
    list_remove(&e->bucket);
    list_remove(&e->queue);
    pool_give(&p->waiting, e->id);
}

/* It stayed alone: lost on the way, or not in the capture of the end it left. */
static void alone(struct pair *p, struct event *e)
{
    bool left_here = e->way == (e->capture == 0 ? PAIR_TO_SERVER : PAIR_TO_PHONE);
    bool both_ran =
        e->time_ns > p->facts.first_ns + EDGE_NS && e->time_ns < p->facts.last_ns - EDGE_NS;
    struct pair_flow *flow = both_ran ? flow_of(p, e, NULL) : NULL;

    if (flow && left_here)
        note_loss(p, e, flow);
    else if (flow)
        note_unseen(p, e, flow);
    forget(p, e);
}

void pair_expire(struct pair *p, int64_t now_ns)
{
    for (int i = 0; i < 2; i++)
        list_for_each(&p->queues[i], node)
        {
            struct event *e = container_of(node, struct event, queue);

            if (now_ns - e->time_ns < WAIT_NS)
                break;
            alone(p, e);
        }
}

static bool fits(const struct pair *p, const struct event *waiting, const struct event *e)
{
    if (waiting->fingerprint != e->fingerprint || waiting->capture == e->capture)
        return false;
    return !p->clock.ids_kept || waiting->ip_id == e->ip_id;
}

/* Of several alike the one sent last. */
static struct event *find(struct pair *p, struct list *bucket, const struct event *e)
{
    for (struct list *node = bucket->prev; node != bucket; node = node->prev) {
        struct event *waiting = container_of(node, struct event, bucket);

        if (fits(p, waiting, e))
            return waiting;
    }
    return NULL;
}

void pair_take(struct pair *p, const struct event *e)
{
    struct list *bucket = &p->buckets[e->fingerprint % BUCKETS];
    struct event *other, mine = *e;
    uint64_t id;

    pair_expire(p, e->time_ns);
    if ((other = find(p, bucket, e))) {
        joined(p, other, &mine);
        forget(p, other);
        return;
    }
    if (p->waiting.n >= PAIR_WAITING_MAX) {
        p->facts.full = true;
        alone(p, container_of(p->queues[list_is_empty(&p->queues[0])].next, struct event, queue));
    }
    if (!(other = pool_take(&p->waiting, &id)))
        return;
    *other = *e;
    other->id = id;
    list_append(bucket, &other->bucket);
    list_append(&p->queues[e->capture], &other->queue);
}

/* What was seen at one end only, now that all hosts are known. */
void pair_count_alone(struct pair *p)
{
    judge_losses(p);
    for (size_t i = 0; i < p->n_losses; i++) {
        p->flows[p->losses[i].flow].lost[p->losses[i].way]++;
        p->facts.ways[p->losses[i].way].lost++;
    }
    for (size_t i = 0; i < p->n_flows; i++) {
        struct pair_flow *f = &p->flows[i];

        if (is_shown(p, 1, f->phone[1].ip))
            p->facts.ways[PAIR_TO_SERVER].unseen += f->unseen[PAIR_TO_SERVER];
        if (is_shown(p, 0, f->server[0].ip))
            p->facts.ways[PAIR_TO_PHONE].unseen += f->unseen[PAIR_TO_PHONE];
    }
}

void pair_maps_init(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        map_init(&p->hosts[i], host_key);
        map_init(&p->flows_by[i], slot_key);
    }
}
