/* peers.c - the mesh: a connection to each other node, and one from each. */
#include "server/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/counters.h"
#include "core/settings.h"
#include "io/dial.h"
#include "wire/peer.h"

#define IN_MAX         (2 * MEMBERS_MAX)
#define HOMES_MAX      1000000
#define RETRY_MS       1000
#define SNAPSHOT_BATCH 200
#define QUICK_MS       2 /* between the parts of a snapshot */

/* To another node. */
struct out {
    struct peers *owner;
    struct dial *dial;
    bool open, joined, snapshot; /* snapshot: what was there before is being told */
    struct phone_cursor cursor;
    uint64_t retry_ms, alive_ms, asked_ms;
    uint32_t sequence;
    uint8_t partial[PEER_FRAME_MAX + 8];
    size_t n_partial;
};

/* From another node; 0: free. */
struct in {
    uint64_t link;
    struct ip ip;
    int member; /* -1 until it said Hello */
    uint8_t partial[PEER_FRAME_MAX + 8];
    size_t n_partial;
};

struct peers {
    struct signalling *signalling;
    struct members members;
    struct homes *homes;
    struct tcp *tcp;
    bool bind_failed, draining;
    uv_timer_t timer;
    struct out out[MEMBERS_MAX];
    struct in in[IN_MAX];
    bool forgets[MEMBERS_MAX]; /* what it had is being forgotten */
    void (*done)(void *context);
    void *context;
};

static uint64_t now_ms(const struct peers *p)
{
    return uv_now(&p->signalling->thread->loop);
}

static const struct bootstrap *settings(const struct peers *p)
{
    return server_bootstrap(p->signalling->thread->server);
}

static const char *cluster_of(const struct peers *p)
{
    return directory_string(p->signalling->directory, SET_cluster_id);
}

static unsigned id_of(const struct out *o)
{
    return (unsigned)(o - o->owner->out);
}

static struct member *member_of(const struct out *o)
{
    return &o->owner->members.rows[id_of(o)];
}

/* --- what is told of the nodes --- */

static void tell_mismatch(struct peers *p, unsigned id, const char *version)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_CM_VERSION_MISMATCH);
    alarm_put(&d, "RemoteNode", "%s", p->members.rows[id].name);
    alarm_put(&d, "RemoteVersion", "%s", version);
    alarm_put(&d, "LocalVersion", "%s", p->members.version);
    server_alarm(p->signalling->thread->server, alarm_finish(&d));
}

static void tell_link(struct peers *p, unsigned id, enum alarm_id alarm)
{
    struct alarm_draft d;

    alarm_begin(&d, alarm);
    alarm_put(&d, "RemoteNode", "%s", p->members.rows[id].name);
    alarm_put_ip(&d, p->members.rows[id].at.ip);
    server_alarm(p->signalling->thread->server, alarm_finish(&d));
}

static void move(struct peers *p, unsigned id, enum member_state to)
{
    struct member *m = &p->members.rows[id];
    bool was_up = m->state == MEMBER_UP;

    if (!members_move(&p->members, id, to, now_ms(p)))
        return;
    log_print(to == MEMBER_UP ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "cluster", "node %s: %s", m->name,
              member_state_name(to));
    if (to == MEMBER_UP || was_up)
        tell_link(p, id, to == MEMBER_UP ? ALARM_SDL_LINK_IS : ALARM_SDL_LINK_OOS);
    registry_set_disagreement(p->signalling->registry, members_disagree(&p->members));
}

/* --- to the others --- */

static void out_close(struct out *o)
{
    dial_close(o->dial);
    o->dial = NULL;
    o->open = o->joined = o->snapshot = false;
    o->n_partial = 0;
    o->retry_ms = now_ms(o->owner) + RETRY_MS;
    if (member_of(o)->state == MEMBER_UP)
        move(o->owner, id_of(o), MEMBER_DOWN);
}

static void say(struct out *o, const struct peer_message *m)
{
    uint8_t bytes[PEER_FRAME_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));

    peer_encode(m, &w);
    if (dial_send(o->dial, bytes, writer_len(&w)) < 0)
        out_close(o); /* it does not read: it will hear all of it again */
}

static void say_device(struct out *o, struct device_name device, bool gone, uint64_t age_ms)
{
    struct peer_message m = {.kind = PEER_DEVICE};

    memcpy(m.device.name, device.s, sizeof(device.s));
    m.device.gone = gone;
    m.device.age_ms = age_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)age_ms;
    say(o, &m);
}

void peers_tell(struct peers *p, struct device_name device, bool gone)
{
    if (!gone)
        homes_gone(p->homes, device);
    for (size_t i = 1; i < p->members.n; i++)
        if (p->out[i].joined)
            say_device(&p->out[i], device, gone, 0);
}

static void say_alive(struct out *o)
{
    struct registry *r = o->owner->signalling->registry;
    struct peer_message m = {.kind = PEER_ALIVE};

    m.alive.sequence = ++o->sequence;
    m.alive.draining = o->owner->draining;
    for (int i = 0; i <= PROTOCOL_SIP_THIRD_PARTY; i++)
        m.alive.registered += (uint32_t)registry_registered(r, (enum device_protocol)i);
    o->asked_ms = now_ms(o->owner);
    o->alive_ms = o->asked_ms + MEMBER_ALIVE_MS;
    say(o, &m);
}

static void say_snapshot(struct out *o)
{
    const struct signalling *s = o->owner->signalling;
    uint64_t now = now_ms(o->owner);

    for (int i = 0; i < SNAPSHOT_BATCH && o->joined; i++) {
        const struct station *x = signalling_next_registered(s, &o->cursor);

        o->snapshot = x;
        if (!x)
            return;
        say_device(o, x->name, false, now - x->since_ms);
    }
}

static void on_welcome(struct out *o, const struct peer_welcome *m)
{
    struct member *row = member_of(o);

    memcpy(row->version, m->version, sizeof(row->version));
    if (!m->accepted) {
        bool other = strcmp(m->version, o->owner->members.version) != 0;

        if (other && row->state != MEMBER_OTHER_VERSION)
            tell_mismatch(o->owner, id_of(o), m->version);
        else if (!other)
            log_warning("cluster", "node %s does not take us: %s", row->name, m->reason);
        move(o->owner, id_of(o), other ? MEMBER_OTHER_VERSION : MEMBER_DOWN);
        out_close(o);
        o->retry_ms += 4 * RETRY_MS;
        return;
    }
    row->heard_ms = now_ms(o->owner);
    o->joined = o->snapshot = true;
    o->cursor = (struct phone_cursor){0};
    move(o->owner, id_of(o), MEMBER_UP);
    say_alive(o);
}

static void on_answer(struct out *o, const struct peer_message *m)
{
    struct member *row = member_of(o);

    if (m->kind == PEER_WELCOME && !o->joined) {
        on_welcome(o, &m->welcome);
    } else if (m->kind == PEER_ALIVE_ACK && m->alive_ack.sequence == o->sequence) {
        row->heard_ms = now_ms(o->owner);
        row->rtt_ms = (uint32_t)(row->heard_ms - o->asked_ms);
    }
}

static void on_out_open(void *context)
{
    struct out *o = context;
    struct peers *p = o->owner;
    struct peer_message m = {.kind = PEER_HELLO};

    o->open = true;
    text_copy(m.hello.node, sizeof(m.hello.node), text_of(p->members.rows[0].name));
    text_copy(m.hello.version, sizeof(m.hello.version), text_of(p->members.version));
    text_copy(m.hello.cluster, sizeof(m.hello.cluster), text_of(cluster_of(p)));
    say(o, &m);
}

/* Hands on whole messages; what is left stays in `partial`. -EBADMSG: close. */
static int read_messages(uint8_t *partial, size_t *n, const uint8_t *bytes, size_t len,
                         bool (*take)(void *context, const struct peer_message *m), void *context)
{
    struct peer_message m;

    while (len) {
        size_t room = PEER_FRAME_MAX + 8 - *n, take_now = len < room ? len : room;
        struct reader r;
        int got;

        memcpy(partial + *n, bytes, take_now);
        *n += take_now;
        bytes += take_now;
        len -= take_now;
        r = reader_of(partial, *n);
        while ((got = peer_next(&r, &m)) == 1)
            if (!take(context, &m))
                return 0; /* closed by what was read */
        if (got < 0)
            return got;
        *n = reader_left(&r);
        memmove(partial, r.at, *n);
    }
    return 0;
}

static bool take_answer(void *context, const struct peer_message *m)
{
    struct out *o = context;

    on_answer(o, m);
    return o->dial;
}

static void on_out_input(void *context, const struct endpoint *from, const uint8_t *bytes,
                         size_t len)
{
    struct out *o = context;

    if (read_messages(o->partial, &o->n_partial, bytes, len, take_answer, o) < 0)
        out_close(o);
}

static void on_out_close(void *context, int err)
{
    struct out *o = context;

    o->dial = NULL;
    out_close(o);
}

static void out_open(struct out *o)
{
    static const struct dial_calls calls = {on_out_open, on_out_input, on_out_close};
    struct dial_options options = {.calls = &calls, .context = o};

    ip_parse(text_of(settings(o->owner)->node_address), &options.local);
    o->retry_ms = now_ms(o->owner) + 5 * RETRY_MS;
    if (dial_tcp(&o->owner->signalling->thread->loop, &options, &member_of(o)->at, &o->dial) < 0)
        o->dial = NULL;
}

/* --- from the others --- */

static struct in *in_find(struct peers *p, uint64_t link)
{
    for (size_t i = 0; i < IN_MAX; i++)
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
        count(COUNT_PEERS_REFUSED);
        tcp_close(p->tcp, link);
        return;
    }
    *in = (struct in){.link = link, .ip = peer->ip, .member = -1};
}

static void on_in_close(void *context, uint64_t link, int err)
{
    struct peers *p = context;
    struct in *in = in_find(p, link);

    if (!in)
        return;
    if (in->member > 0)
        p->forgets[in->member] = true; /* what it has now is told on its next connection */
    in->link = 0;
}

static void answer(struct peers *p, struct in *in, const struct peer_message *m)
{
    uint8_t bytes[PEER_FRAME_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));

    peer_encode(m, &w);
    tcp_send(p->tcp, in->link, bytes, writer_len(&w));
}

static bool on_hello(struct peers *p, struct in *in, const struct peer_hello *m)
{
    int member = members_find(&p->members, text_of(m->node));
    const char *why = members_refuse(&p->members, member, m->node, m->version, m->cluster,
                                     cluster_of(p));
    struct peer_message welcome = {.kind = PEER_WELCOME};

    if (member > 0 && !ip_equal(p->members.rows[member].at.ip, in->ip))
        why = "it comes from an address that is not its own";
    welcome.welcome.accepted = !why;
    text_copy(welcome.welcome.node, sizeof(welcome.welcome.node), text_of(p->members.rows[0].name));
    text_copy(welcome.welcome.version, sizeof(welcome.welcome.version), text_of(p->members.version));
    text_copy(welcome.welcome.reason, sizeof(welcome.welcome.reason), text_of(why ? why : ""));
    answer(p, in, &welcome);
    if (!why) {
        in->member = member;
        return true;
    }
    count(COUNT_PEERS_REFUSED);
    log_warning("cluster", "node %s is not taken: %s", m->node, why);
    tcp_close(p->tcp, in->link);
    in->link = 0;
    return false;
}

/* Registered there: who has the younger registration keeps it. */
static void on_device(struct peers *p, unsigned member, const struct peer_device *m)
{
    struct signalling *s = p->signalling;
    struct device_name device = device_name_of(text_of(m->name));
    const struct station *ours = registry_find(s->registry, device);
    uint64_t now = now_ms(p);

    if (m->gone) {
        homes_remove(p->homes, device, member);
        return;
    }
    if (ours && !homes_yields(m->age_ms, p->members.rows[member].name, now - ours->since_ms,
                              p->members.rows[0].name))
        return;
    homes_put(p->homes, device, member, now, m->age_ms);
    if (!ours)
        return;
    count(COUNT_PEERS_TAKEN_OFF);
    registry_take_off(s->registry, device, 0, signalling_now(s), s->effects);
    signalling_carry_out(s);
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

    if (!in || read_messages(in->partial, &in->n_partial, bytes, len, take_news, &r) == 0)
        return;
    count(COUNT_PEERS_REFUSED);
    tcp_close(p->tcp, link);
    on_in_close(p, link, -EBADMSG);
}

/* --- time --- */

static void listen_for_others(struct peers *p)
{
    const struct bootstrap *b = settings(p);
    struct tcp_options o = {.local.port = (uint16_t)b->cluster_port,
                            .max_links = IN_MAX,
                            .max_queued = 1 << 20,
                            .context = p,
                            .on_open = on_in_open,
                            .on_input = on_in_input,
                            .on_close = on_in_close};
    char words[160];
    int err;

    if (*b->listen_address)
        ip_parse(text_of(b->listen_address), &o.local.ip);
    err = tcp_listen(&p->signalling->thread->loop, &o, &p->tcp);
    if (err < 0 && !p->bind_failed)
        log_error("cluster", "%s", server_bind_error(err, &o.local, false, words, sizeof(words)));
    p->bind_failed = err < 0;
}

static void look_after(struct out *o)
{
    struct peers *p = o->owner;
    uint64_t now = now_ms(p);

    if (!member_of(o)->named && o->dial)
        out_close(o);
    if (!member_of(o)->named)
        return;
    if (!o->dial && now >= o->retry_ms)
        out_open(o);
    else if (o->dial && !o->joined && now >= o->retry_ms)
        out_close(o); /* no connection, or no Welcome */
    else if (o->joined && members_is_lost(&p->members, id_of(o), now))
        out_close(o);
    else if (o->joined && now >= o->alive_ms)
        say_alive(o);
    if (o->snapshot)
        say_snapshot(o);
}

static void on_timer(uv_timer_t *timer)
{
    struct peers *p = timer->data;
    bool busy = false;

    if (!p->tcp && members_are_several(&p->members))
        listen_for_others(p);
    for (size_t i = 1; i < p->members.n; i++) {
        look_after(&p->out[i]);
        if (p->forgets[i])
            p->forgets[i] = homes_forget(p->homes, (unsigned)i);
        busy |= p->forgets[i] || p->out[i].snapshot;
    }
    uv_timer_start(&p->timer, on_timer, busy ? QUICK_MS : 250, 0);
}

void peers_update(struct peers *p)
{
    const struct bootstrap *b = settings(p);

    if (!b->cluster_port || !*b->cluster_servers)
        return;
    if (members_update(&p->members, b->cluster_servers, (uint16_t)b->cluster_port,
                       p->signalling->directory, now_ms(p)) < 0)
        log_error("cluster", "cluster.servers '%s': a node is written NAME=ADDRESS",
                  b->cluster_servers);
    if (members_are_several(&p->members) && !uv_is_active((uv_handle_t *)&p->timer))
        uv_timer_start(&p->timer, on_timer, 0, 0);
}

struct peers *peers_new(struct signalling *s)
{
    struct peers *p = calloc(1, sizeof(*p));

    if (!p || !(p->homes = homes_new(HOMES_MAX))) {
        free(p);
        return NULL;
    }
    p->signalling = s;
    uv_timer_init(&s->thread->loop, &p->timer);
    p->timer.data = p;
    for (size_t i = 0; i < MEMBERS_MAX; i++)
        p->out[i].owner = p;
    members_init(&p->members, s->node, DIALTONE_VERSION, now_ms(p));
    return p;
}

static void on_closed(uv_handle_t *handle)
{
    struct peers *p = handle->data;

    p->done(p->context);
    homes_free(p->homes);
    free(p);
}

void peers_stop(struct peers *p, void (*done)(void *context), void *context)
{
    p->done = done;
    p->context = context;
    for (size_t i = 1; i < p->members.n; i++)
        dial_close(p->out[i].dial);
    if (p->tcp)
        tcp_stop(p->tcp);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

/* --- what others ask --- */

const struct members *peers_members(const struct peers *p)
{
    return &p->members;
}

bool peers_set_draining(struct peers *p, bool on)
{
    bool is_new = p->draining != on;

    p->draining = on;
    p->members.rows[0].draining = on;
    return is_new;
}

bool peers_has_other_home(const struct peers *p, const struct callmanager_group *group)
{
    for (size_t i = 0; group && i < group->n_members; i++) {
        const struct callmanager *c =
            directory_find(p->signalling->directory, ENTITY_callmanager,
                           text_of(group->members[i].callmanager));
        int id = c ? members_find(&p->members, text_of(c->name)) : -1;

        if (id < 0 && c)
            id = members_find(&p->members, text_of(c->server));
        if (id > 0 && p->members.rows[id].state == MEMBER_UP && !p->members.rows[id].draining)
            return true;
    }
    return false;
}
