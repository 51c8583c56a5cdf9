/* nodes.c - what the signalling thread knows of the nodes, and its own pace. */
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "core/settings.h"
#include "server/peers/peers.h"

#define MEASURE_MS    250
#define JUMP_US       5000000 /* more than time services slew */
#define HEAR_FIRST_MS 3000 /* enough for what waits of 100 000 phones */

/* --- what people ask --- */

static const char *role_of(const struct members *m, size_t i)
{
    return m->publisher == (int)i || (m->publisher < 0 && i == 0) ? "publisher" : "subscriber";
}

/* How far a drain is; else why another node is not linked. */
static json_t *about_node(struct signalling *s, size_t i, size_t registered)
{
    const struct drain *d = &s->drain;
    char words[160];

    if (i && peers_members(s->peers)->rows[i].state != MEMBER_UP)
        return json_of(text_of(peers_why(s->peers, i)));
    if (i || !d->on)
        return json_string("");
    snprintf(words, sizeof(words), "%u sent away", d->n_sent);
    if (!registered)
        strcat(words, ": all phones have left");
    else if (d->stayed || d->were_busy)
        snprintf(words + strlen(words), sizeof(words) - strlen(words), ", %u off hook, %u have no other node that is up",
                 d->were_busy, d->stayed);
    return json_string(words);
}

static json_t *node_row(struct signalling *s, size_t i)
{
    const struct members *m = peers_members(s->peers);
    const struct member *row = &m->rows[i];
    uint64_t now = uv_now(&s->thread->loop);
    size_t registered = row->registered;
    char at[ENDPOINT_TEXT_MAX] = "";

    if (i)
        endpoint_print(&row->at, at);
    else
        text_copy(at, sizeof(at), text_of(server_bootstrap(s->thread->server)->node_address));
    for (int k = 0; i == 0 && k <= PROTOCOL_SIP_THIRD_PARTY; k++)
        registered += registry_registered(s->registry, (enum device_protocol)k);
    return json_pack("[s, s, s, s, s, I, o, I, o]", row->name, at,
                     row->draining ? "draining" : member_state_name((enum member_state)row->state),
                     role_of(m, i), row->version, (json_int_t)registered,
                     row->state == MEMBER_UP ? json_integer(row->rtt_ms) : json_null(),
                     (json_int_t)((now - row->since_ms) / 1000),
                     about_node(s, i, registered));
}

void signalling_node_list(struct signalling *s, const struct message *m)
{
    const struct members *members = peers_members(s->peers);
    json_t *rows = json_array();

    for (size_t i = 0; i < members->n; i++)
        if (members->rows[i].named)
            json_array_append_new(rows, node_row(s, i));
    signalling_reply(s, m->request.token, 0,
          json_pack("{s:[s,s,s,s,s,s,s,s,s], s:o}", "columns", "name", "address", "state", "role",
                    "version", "registered", "rtt_ms", "seconds", "about", "rows", rows));
}

/* What the other nodes have to be told of this one. */
void signalling_node_token(struct signalling *s, const struct message *m)
{
    const struct bootstrap *b = server_bootstrap(s->thread->server);
    const char *fingerprint = peers_fingerprint(s->peers);
    const char *address = *b->node_address ? b->node_address : "ADDRESS";
    json_t *body = json_pack("{s:{s:s, s:s, s:s}, s:[]}", "record", "name", s->node, "server", address,
                             "fingerprint", fingerprint, "notes");

    json_array_append_new(json_object_get(body, "notes"),
                          json_sprintf("At each other node: dialtone node join %s server=%s "
                                       "fingerprint=%s",
                                       s->node, address, fingerprint));
    signalling_reply(s, m->request.token, 0, body);
}

/* Groups that have this node and no other that is up, by name; "" when there is none. Their phones
 * would stay. */
static void list_alone(struct signalling *s, char *to, size_t size)
{
    const struct callmanager_group *g = NULL;
    struct writer w = writer_of(to, size - 1);

    while ((g = directory_next(s->directory, ENTITY_callmanager_group, text_of(g ? g->name : ""))))
        if (peers_is_member(s->peers, g) && !peers_has_other_home(s->peers, g))
            write_format(&w, "%s%s", writer_len(&w) ? ", " : "", g->name);
    *w.at = '\0';
}

static bool is_in_a_group(struct signalling *s)
{
    const struct callmanager_group *g = NULL;

    while ((g = directory_next(s->directory, ENTITY_callmanager_group, text_of(g ? g->name : ""))))
        if (peers_is_member(s->peers, g))
            return true;
    return false;
}

static const char *drain_words(struct signalling *s, bool on)
{
    if (!on)
        return "Phones may come back; those that ask get their place in the queue.";
    if (!is_in_a_group(s))
        return "Phones leave for the other nodes of their groups; no group names this node, so that "
               "none comes to it anyway.";
    return "Phones leave for the other nodes of their groups, those that are off hook when they have "
           "hung up; \"dialtone node list\" shows how many are left.";
}

void signalling_node_drain(struct signalling *s, const struct message *m)
{
    bool on = json_is_true(json_object_get(m->request.take_arguments, "on"));
    bool forced = json_is_true(json_object_get(m->request.take_arguments, "force"));
    char alone[300];
    json_t *body;

    list_alone(s, alone, sizeof(alone));
    if (on && !forced && *alone) {
        signalling_reply(s, m->request.token, 1,
                         json_pack("{s:o}", "error",
                                   json_sprintf("No other node of group %s is up: its phones would have "
                                                "nowhere to go. \"dialtone node list\" shows who is "
                                                "down; with --force the other phones leave and these "
                                                "stay.",
                                                alone)));
        return;
    }
    if (on)
        drain_begin(&s->drain, uv_now(&s->thread->loop));
    s->drain.on = on;
    peers_set_draining(s->peers, on);
    registry_set_draining(s->registry, on);
    body = json_pack("{s:{s:b}, s:[s]}", "record", "draining", (int)on, "notes", drain_words(s, on));
    if (on && *alone)
        json_array_append_new(json_object_get(body, "notes"),
                              json_sprintf("Phones of group %s stay: no other node of it is up.", alone));
    signalling_reply(s, m->request.token, 0, body);
}

const struct station *signalling_next_registered(const struct signalling *s,
                                                 struct phone_cursor *cursor)
{
    const struct station *x = NULL;

    if (!cursor->sip)
        x = stations_next_registered(s->stations, &cursor->at);
    if (!x && !cursor->sip)
        *cursor = (struct phone_cursor){.sip = true};
    return x ? x : sip_stations_next_registered(s->sip, &cursor->at);
}

/* --- drain --- */

static const struct station *next_phone(void *context, struct phone_cursor *cursor)
{
    return signalling_next_registered(context, cursor);
}

static bool has_other_home(void *context, const struct station *x)
{
    struct signalling *s = context;

    return peers_has_other_home(s->peers, registry_group_of(s->registry, x->name));
}

static bool is_busy(void *context, const struct station *x)
{
    return station_is_busy(x);
}

static void send_away(void *context, const struct station *x)
{
    struct signalling *s = context;

    registry_take_off(s->registry, x->name, UNREGISTERED_CALLMANAGER_RESTART, signalling_now(s),
                      s->effects);
    signalling_carry_out(s);
}

/* --- the health of connections --- */

#define PULSES       128 /* links looked at each quarter of a second: of 100 000 each one in three minutes */
#define PULSE_TRIES  2   /* one repeat happens to everybody */

static void tell_pulse(struct signalling *s, uint64_t link)
{
    const struct station *x = signalling_is_sip(s->pulse_port) ? sip_stations_at(s->sip, link)
                                                               : stations_at(s->stations, link);
    struct message m = {.id = MESSAGE_PULSE};

    if (!x || !x->name.s[0] ||
        !tcp_health(s->ports[s->pulse_port].tcp, link, &m.pulse.health) ||
        m.pulse.health.tries < PULSE_TRIES)
        return;
    m.pulse.device = x->name;
    server_post(s->thread->server, THREAD_ADMIN, &m);
}

static void read_pulses(struct signalling *s)
{
    for (int i = 0, turns = 0; i < PULSES && turns <= N_PORTS; i++) {
        struct tcp *tcp = s->ports[s->pulse_port].tcp;
        uint64_t link = tcp ? tcp_next(tcp, &s->pulse) : 0;

        if (link) {
            tell_pulse(s, link);
            continue;
        }
        s->pulse = 0;
        s->pulse_port = (uint8_t)((s->pulse_port + 1) % N_PORTS);
        turns++;
    }
}

/* --- pace --- */

void signalling_overslept(struct signalling *s, uint64_t ms)
{
    struct alarm_draft d;

    s->turn_ms = uv_now(&s->thread->loop);
    s->hold_ms = s->turn_ms + HEAR_FIRST_MS;
    registry_set_awake(s->registry, s->turn_ms);
    log_warning("signalling", "did not run for %.1f s: phones are heard before any is given up", (double)ms / 1000);
    alarm_begin(&d, ALARM_TIMER_THREAD_SLOWED);
    alarm_put(&d, "Duration", "%.1f", (double)ms / 1000);
    server_alarm(s->thread->server, alarm_finish(&d));
}

static uint64_t cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Somebody has set the clock: phones, links and leases do not care, but people who read events do. */
static void watch_clock(struct signalling *s)
{
    int64_t ahead_us = (int64_t)(server_wall_us() - uv_hrtime() / 1000), jump_us = ahead_us - s->ahead_us;
    struct alarm_draft d;

    s->ahead_us = ahead_us;
    if (jump_us > -JUMP_US && jump_us < JUMP_US)
        return;
    log_warning("signalling", "the clock was set by %+.0f s", (double)jump_us / 1e6);
    alarm_begin(&d, ALARM_CLOCK_SET);
    alarm_put(&d, "Jump", "%+.0f", (double)jump_us / 1e6);
    server_alarm(s->thread->server, alarm_finish(&d));
}

/* What the last quarter of a second took; and a node that is drained sends phones away. */
static void on_measure(uv_timer_t *timer)
{
    static const struct drain_calls calls = {next_phone, has_other_home, is_busy, send_away};
    struct signalling *s = timer->data;
    uint64_t cpu = cpu_us(), now = uv_hrtime(), took_ms = (now - s->measured_ns) / 1000000;

    signalling_now(s); /* after a sleep it is told, though nobody has said anything */
    registry_measure(s->registry, (uint32_t)(cpu - s->cpu_us),
                     took_ms > MEASURE_MS ? (uint32_t)(took_ms - MEASURE_MS) : 0);
    s->cpu_us = cpu;
    s->measured_ns = now;
    watch_clock(s);
    read_pulses(s);
    if (s->directory)
        drain_tick(&s->drain, &calls, s,
                   (uint32_t)directory_number(s->directory, SET_drain_rate),
                   uv_now(&s->thread->loop));
}

void signalling_measure(struct signalling *s)
{
    uv_timer_init(&s->thread->loop, &s->measure);
    s->measure.data = s;
    s->measured_ns = uv_hrtime();
    s->ahead_us = (int64_t)(server_wall_us() - s->measured_ns / 1000);
    s->cpu_us = cpu_us();
    uv_timer_start(&s->measure, on_measure, MEASURE_MS, MEASURE_MS);
}
