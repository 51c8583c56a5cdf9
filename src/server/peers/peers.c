/* peers.c - the mesh: a connection to each other node, and one from each. */
#include "server/peers/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/counters.h"

#define HOMES_MAX      1000000
#define RETRY_MS       1000
#define SNAPSHOT_BATCH 200
#define TURN_MS        250
#define QUICK_MS       2 /* between the parts of a snapshot */

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

    if (!members_move(&p->members, id, to, peers_now(p)))
        return;
    log_print(to == MEMBER_UP ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "cluster", "node %s: %s",
              m->name, member_state_name(to));
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
    o->retry_ms = peers_now(o->owner) + RETRY_MS;
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

static void say_device(struct out *o, struct peer_message *m, struct device_name device, struct ip ip)
{
    memcpy(m->device.name, device.s, sizeof(device.s));
    ip_print(ip, m->device.address);
    say(o, m);
}

uint32_t peers_wall_ms(uint64_t ms)
{
    return (uint32_t)(ms + server_wall_us() / 1000 - uv_hrtime() / 1000000) | 1;
}

/* As it comes, or goes. */
void peers_tell(struct peers *p, struct device_name device, struct ip ip, bool gone)
{
    uint64_t now = peers_now(p);
    struct peer_message m = {.kind = PEER_DEVICE,
                             .device = {.gone = gone, .wall_ms = peers_wall_ms(now), .clock_ms = (uint32_t)now}};

    if (!gone)
        homes_gone(p->homes, device);
    for (size_t i = 1; i < p->members.n; i++) {
        m.device.heard_ms = p->heard_ms[i];
        if (p->out[i].joined)
            say_device(&p->out[i], &m, device, ip);
    }
}

void peers_hold(struct peers *p, struct device_name device)
{
    const struct station *x = registry_find(p->signalling->registry, device);
    struct peer_message m = {.kind = PEER_DEVICE, .device.held = true};

    homes_gone(p->homes, device);
    for (size_t i = 1; i < p->members.n; i++)
        if (p->out[i].joined)
            say_device(&p->out[i], &m, device, x->peer.ip);
}

const char *peers_elsewhere(const struct peers *p, struct device_name device, struct ip *ret)
{
    int member = homes_find(p->homes, device, ret);

    return member < 0 ? NULL : p->members.rows[member].name;
}

static void say_alive(struct out *o)
{
    struct registry *r = o->owner->signalling->registry;
    struct peer_message m = {.kind = PEER_ALIVE};

    m.alive.sequence = ++o->sequence;
    m.alive.draining = o->owner->draining;
    for (int i = 0; i <= PROTOCOL_SIP_THIRD_PARTY; i++)
        m.alive.registered += (uint32_t)registry_registered(r, (enum device_protocol)i);
    o->asked_ms = peers_now(o->owner);
    o->alive_ms = o->asked_ms + MEMBER_ALIVE_MS;
    say(o, &m);
}

static void say_snapshot(struct out *o)
{
    const struct signalling *s = o->owner->signalling;
    uint64_t now = peers_now(o->owner);

    for (int i = 0; i < SNAPSHOT_BATCH && o->joined; i++) {
        const struct station *x = signalling_next_registered(s, &o->cursor);
        struct peer_message m = {.kind = PEER_DEVICE};

        o->snapshot = x;
        if (!x)
            return;
        m.device.age_ms = now - x->since_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)(now - x->since_ms);
        say_device(o, &m, x->name, x->peer.ip);
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
        text_copy(o->why, sizeof(o->why), text_of(m->reason));
        move(o->owner, id_of(o), other ? MEMBER_OTHER_VERSION : MEMBER_DOWN);
        out_close(o);
        o->retry_ms += 4 * RETRY_MS;
        return;
    }
    *o->why = 0;
    row->heard_ms = peers_now(o->owner);
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
        row->heard_ms = peers_now(o->owner);
        row->rtt_ms = (uint32_t)(row->heard_ms - o->asked_ms);
    }
}

/* Is it the node that we called? */
static bool is_itself(struct out *o)
{
    struct peers *p = o->owner;
    char authority[TLS_FINGERPRINT_MAX], subject[256];
    const char *why;

    dial_peer(o->dial, subject, sizeof(subject), authority);
    why = peer_trust_refuse(&p->trust, &p->members, (int)id_of(o), p->signalling->directory,
                            authority, subject);
    if (!why)
        return true;
    peer_trust_tell(&p->trust, p->signalling->thread->server, &p->members, id_of(o),
                    member_of(o)->at.ip, authority, why, peers_now(p));
    text_copy(o->why, sizeof(o->why), text_of(why));
    out_close(o);
    o->retry_ms += 4 * RETRY_MS;
    return false;
}

static void on_out_open(void *context)
{
    struct out *o = context;
    struct peers *p = o->owner;
    struct peer_message m = {.kind = PEER_HELLO};

    if (!is_itself(o))
        return;
    o->open = true;
    text_copy(m.hello.node, sizeof(m.hello.node), text_of(p->members.rows[0].name));
    text_copy(m.hello.version, sizeof(m.hello.version), text_of(p->members.version));
    text_copy(m.hello.cluster, sizeof(m.hello.cluster), text_of(peers_cluster(p)));
    say(o, &m);
}

int peers_read(uint8_t *partial, size_t *n, const uint8_t *bytes, size_t len,
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

    if (peers_read(o->partial, &o->n_partial, bytes, len, take_answer, o) < 0)
        out_close(o);
}

static void on_out_close(void *context, int err)
{
    struct out *o = context;

    o->dial = NULL;
    if (err)
        text_copy(o->why, sizeof(o->why), text_of(strerror(-err)));
    out_close(o);
}

static void out_open(struct out *o)
{
    static const struct dial_calls calls = {on_out_open, on_out_input, on_out_close};
    struct dial_options options = {.tls = o->owner->trust.client, .calls = &calls, .context = o};

    ip_parse(text_of(peers_settings(o->owner)->node_address), &options.local);
    o->retry_ms = peers_now(o->owner) + 5 * RETRY_MS;
    if (dial_tcp(&o->owner->signalling->thread->loop, &options, &member_of(o)->at, &o->dial) < 0)
        o->dial = NULL;
}

/* --- time --- */

static bool have_certificates(struct peers *p)
{
    char words[300];

    if (p->trust.client)
        return true;
    if (peer_trust_open(&p->trust, peers_settings(p), words, sizeof(words)) == 0)
        return true;
    if (!p->bind_failed)
        log_error("cluster", "no links to other nodes: %s", words);
    p->bind_failed = true;
    return false;
}

static void listen_for_others(struct peers *p)
{
    struct endpoint at = {.port = (uint16_t)peers_settings(p)->cluster_port};
    char words[160];
    int err = peers_listen(p);

    if (*peers_settings(p)->listen_address)
        ip_parse(text_of(peers_settings(p)->listen_address), &at.ip);
    if (err < 0 && !p->bind_failed)
        log_error("cluster", "%s",
                  server_bind_error(p->signalling->thread->server, err, &at, false, words,
                                    sizeof(words)));
    p->bind_failed = err < 0;
}

static void look_after(struct out *o)
{
    struct peers *p = o->owner;
    uint64_t now = peers_now(p);

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
    uint64_t wait_ms = peers_claims_look(p);
    bool busy = false;

    if (!p->tcp && members_are_several(&p->members) && have_certificates(p))
        listen_for_others(p);
    for (size_t i = 1; i < p->members.n && p->trust.client; i++) {
        look_after(&p->out[i]);
        if (p->forgets[i])
            p->forgets[i] = homes_forget(p->homes, (unsigned)i);
        busy |= p->forgets[i] || p->out[i].snapshot;
    }
    uv_timer_start(&p->timer, on_timer, busy ? QUICK_MS : wait_ms < TURN_MS ? wait_ms : TURN_MS, 0);
}

void peers_update(struct peers *p)
{
    const struct bootstrap *b = peers_settings(p);

    if (!b->cluster_port || !*b->cluster_servers)
        return;
    if (members_update(&p->members, b->cluster_servers, (uint16_t)b->cluster_port,
                       p->signalling->directory, peers_now(p)) < 0)
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
    members_init(&p->members, s->node, DIALTONE_VERSION, peers_now(p));
    return p;
}

static void on_closed(uv_handle_t *handle)
{
    struct peers *p = handle->data;

    p->done(p->context);
    peer_trust_close(&p->trust);
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

static int member_of_group(const struct peers *p, const struct callmanager_group *group, size_t i)
{
    const struct callmanager *c = directory_find(p->signalling->directory, ENTITY_callmanager,
                                                 text_of(group->members[i].callmanager));
    int id = c ? members_find(&p->members, text_of(c->name)) : -1;

    return id < 0 && c ? members_find(&p->members, text_of(c->server)) : id;
}

bool peers_is_member(const struct peers *p, const struct callmanager_group *group)
{
    for (size_t i = 0; i < group->n_members; i++)
        if (member_of_group(p, group, i) == 0)
            return true;
    return false;
}

bool peers_has_other_home(const struct peers *p, const struct callmanager_group *group)
{
    for (size_t i = 0; group && i < group->n_members; i++) {
        int id = member_of_group(p, group, i);

        if (id > 0 && p->members.rows[id].state == MEMBER_UP && !p->members.rows[id].draining)
            return true;
    }
    return false;
}

const char *peers_fingerprint(struct peers *p)
{
    return have_certificates(p) ? p->trust.ours : "";
}

void peers_certificates_reload(struct peers *p)
{
    char words[300];

    if (p->trust.client && peer_trust_open(&p->trust, peers_settings(p), words, sizeof(words)) < 0)
        log_error("cluster", "%s: the certificates shown before stay", words);
}

const char *peers_why(const struct peers *p, size_t member)
{
    return p->out[member].why;
}
