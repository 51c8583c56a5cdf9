/* failover.c - the story of a phone between two nodes, on a virtual clock and network: the phone's
 * core and the servers' cores are those of the programs.
 *
 *   phone MODEL [sip] [delayed]   it registers at second 0; its servers are cm1 and cm2
 *   delay MS                each message takes, each way (1)
 *   at SECONDS kill|stop|go|unplug|plug|drain|resume cm1
 *   at SECONDS delay MS
 *   at SECONDS ageing S     a switch forgets the phone's port when nothing came for S seconds: the
 *                           next segment to cm1 is lost, and TCP repeats it; 0: it does not
 *   until SECONDS
 *
 * kill: connections are reset, new ones refused. stop: the system still accepts, nobody answers.
 * go: it runs again, after a kill as a new process. unplug: nothing arrives any more. */
#include "golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "failover_node.h"
#include "failover_show.h"
#include "handset/sccp/phone.h"
#include "handset/sip/habits.h"
#include "handset/sip/phone.h"

#define N_NODES      SHOW_NODES
#define FIRST_RTO_MS 105 /* of the document's trace, in whose refreshes it doubles each time */
#define DIRECTORY                                                                                  \
    "server 10.0.0.1\nserver 10.0.0.2\ncallmanager cm1 server=10.0.0.1\n"                          \
    "callmanager cm2 server=10.0.0.2\ngroup Two members=cm1;cm2\npool Two group=Two\n"             \
    "phone SEP001122334455 model=%s protocol=%s pool=Two lines=7001\n"

enum what { OPEN, OPENED, REFUSED, TO_NODE, TO_PHONE, NODE_CLOSES, PHONE_CLOSES };

struct thing { /* on its way */
    uint64_t at_ms, order, wire;
    enum what what;
    unsigned node, link;
    size_t len;
    uint8_t *bytes;
    struct thing *next;
};

static struct place {
    struct node *core; /* NULL: killed */
    bool stopped, unplugged;
} nodes[N_NODES];

static struct phone_kind kind;
static union {
    struct any_phone any;
    struct sccp_phone sccp;
    struct sip_phone sip;
} phone;
static struct phone_config config;
static struct effects fx;
static uint64_t now_ms, delay_ms, n_things, wires[PHONE_LINKS], last_wire, ageing_ms;
static struct { /* of TCP, to the switch that forgets */
    uint64_t last_ms, rto_ms;
} segments[PHONE_LINKS];
static unsigned link_node[PHONE_LINKS];
static struct thing *things;
static char directory[1000];

/* --- the network --- */

static void post(enum what what, unsigned node, unsigned link, uint64_t wire, const void *bytes,
                 size_t len)
{
    struct thing *t = calloc(1, sizeof(*t)), **at = &things;

    *t = (struct thing){now_ms + delay_ms, n_things++, wire, what, node, link, len, NULL, NULL};
    if (len)
        t->bytes = memcpy(malloc(len), bytes, len);
    while (*at && (*at)->at_ms <= t->at_ms)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
}

static bool is_sip(void)
{
    return kind.protocol == PROTOCOL_SIP;
}

static void show(unsigned node, bool from_phone, const uint8_t *bytes, size_t len)
{
    (is_sip() ? show_sip : show_sccp)(now_ms, node, from_phone, bytes, len);
}

/* By Karn's rule the time is never measured anew from segments that were sent twice, so it doubles
 * with each that is lost. How much later than usual this one arrives. */
static uint64_t lost_ms(unsigned node, unsigned link)
{
    uint64_t idle = now_ms - segments[link].last_ms, late = 0;

    segments[link].last_ms = now_ms;
    if (!node && ageing_ms && idle > ageing_ms) {
        late = segments[link].rto_ms;
        segments[link].rto_ms *= 2;
        show_tell(now_ms, "the segment to cm1 is lost, TCP sends it again after %u ms",
                  (unsigned)late);
    }
    return late;
}

static void post_late(unsigned node, unsigned link, struct text bytes)
{
    uint64_t late = lost_ms(node, link), usual = delay_ms;

    delay_ms += late;
    post(TO_NODE, node, link, wires[link], bytes.at, bytes.len);
    delay_ms = usual;
}

static unsigned link_of(uint64_t wire)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        if (wires[i] == wire)
            return i;
    return PHONE_LINKS;
}

static void node_sends(unsigned node, uint64_t wire, const void *bytes, size_t len)
{
    post(TO_PHONE, node, 0, wire, bytes, len);
}

static void node_closes(unsigned node, uint64_t wire)
{
    post(NODE_CLOSES, node, 0, wire, NULL, 0);
}

static void node_tells(unsigned node, const char *words)
{
    show_tell(now_ms, "cm%u: %s", node + 1, words);
}

static void node_registered(unsigned node)
{
    for (unsigned i = 0; i < N_NODES; i++)
        if (i != node && nodes[i].core && !nodes[i].stopped && !nodes[i].unplugged)
            node_take_off(nodes[i].core, now_ms);
}

static const struct node_calls calls = {node_sends, node_closes, node_tells, node_registered};

static void connect_to(const struct effect *e)
{
    unsigned node = e->to.ip.bytes[3] - 1u;

    wires[e->link] = ++last_wire | (is_sip() ? NODE_SIP : 0);
    segments[e->link].rto_ms = FIRST_RTO_MS;
    segments[e->link].last_ms = now_ms;
    link_node[e->link] = node;
    post(OPEN, node, e->link, wires[e->link], NULL, 0);
}

static void on_state(const struct effect *e)
{
    switch ((enum phone_event)e->number) {
    case PHONE_EVENT_REGISTERED:
        show_tell(now_ms, "phone: registered at cm%u", link_node[phone.any.active] + 1);
        break;
    case PHONE_EVENT_LOST:
        show_tell(now_ms, "phone: lost its server: %s", phone_reason_words(e->link));
        break;
    case PHONE_EVENT_STANDBY:
        show_tell(now_ms, "phone: another connection is open");
        break;
    case PHONE_EVENT_NO_SERVER:
        show_tell(now_ms, "phone: no server, reads its files again");
        break;
    default:
        break;
    }
}

static void begin(void)
{
    uint16_t port = is_sip() ? 5060 : 2000;
    struct phone_start start = {.own = ip_v4(0x0a000064),
                                .servers = {{ip_v4(0x0a000001), port}, {ip_v4(0x0a000002), port}},
                                .n_servers = N_NODES,
                                .config = &config,
                                .reason = PHONE_REASON_INITIALIZED};

    phone.any.protocol->start(&phone.any, &start, now_ms, &fx);
}

static void carry_out(void)
{
    static struct effects taken;

    while (fx.n) {
        memcpy(&taken, &fx, sizeof(fx));
        effects_clear(&fx);
        for (uint32_t i = 0; i < taken.n; i++) {
            const struct effect *e = &taken.items[i];
            struct text bytes = effect_text(&taken, e);

            if (e->type == EFFECT_CONNECT) {
                connect_to(e);
            } else if (e->type == EFFECT_SEND) {
                show(link_node[e->link], true, (const uint8_t *)bytes.at, bytes.len);
                post_late(link_node[e->link], e->link, bytes);
            } else if (e->type == EFFECT_CLOSE) {
                post(PHONE_CLOSES, link_node[e->link], e->link, wires[e->link], NULL, 0);
                wires[e->link] = 0;
            } else if (e->type == EFFECT_STATE) {
                on_state(e);
                if (e->number == PHONE_EVENT_NO_SERVER)
                    begin();
            }
        }
    }
}

static void arrive_at_node(struct thing *t)
{
    struct place *p = &nodes[t->node];

    if (p->unplugged)
        return;
    if (t->what == OPEN) {
        post(p->core ? OPENED : REFUSED, t->node, t->link, t->wire, NULL, 0);
        if (p->core)
            node_open(p->core, t->wire, now_ms);
    } else if (p->core && p->stopped) {
        t->at_ms += 1000; /* in the system's buffers until it goes on */
        post(t->what, t->node, t->link, t->wire, t->bytes, t->len);
    } else if (p->core && t->what == TO_NODE) {
        node_input(p->core, t->wire, t->bytes, t->len, now_ms);
    } else if (p->core) {
        node_closed(p->core, t->wire, now_ms);
    }
}

static void arrive_at_phone(const struct thing *t)
{
    unsigned link = link_of(t->wire);

    if (link == PHONE_LINKS || (nodes[t->node].unplugged && t->what != OPENED))
        return;
    if (t->what == OPENED) {
        phone.any.links[link].port = (uint16_t)(50000 + (t->wire & ~NODE_SIP));
        phone.any.protocol->opened(&phone.any, link, now_ms, &fx);
    } else if (t->what == TO_PHONE) {
        show(t->node, false, t->bytes, t->len);
        phone.any.protocol->input(&phone.any, link, t->bytes, t->len, now_ms, &fx);
    } else {
        wires[link] = 0;
        if (t->what == NODE_CLOSES)
            show_tell(now_ms, "phone: cm%u closed a connection", t->node + 1);
        phone.any.protocol->closed(&phone.any, link, t->what == REFUSED ? -ECONNREFUSED : 0, now_ms,
                                   &fx);
    }
}

/* --- time --- */

static uint64_t next_due(void)
{
    uint64_t due = phone.any.protocol->due(&phone.any);

    if (things && things->at_ms < due)
        due = things->at_ms;
    for (unsigned i = 0; i < N_NODES; i++) {
        uint64_t wait =
            nodes[i].core && !nodes[i].stopped ? node_next(nodes[i].core, now_ms) : UINT64_MAX;

        if (wait != UINT64_MAX && now_ms + wait < due)
            due = now_ms + wait;
    }
    return due < now_ms ? now_ms : due;
}

static void pass(uint64_t until_ms)
{
    uint64_t due;

    while ((due = next_due()) <= until_ms) {
        now_ms = due;
        for (unsigned i = 0; i < N_NODES; i++)
            if (nodes[i].core && !nodes[i].stopped)
                node_tick(nodes[i].core, now_ms);
        while (things && things->at_ms <= now_ms) {
            struct thing *t = things;

            things = t->next;
            if (t->what == OPEN || t->what == TO_NODE || t->what == PHONE_CLOSES)
                arrive_at_node(t);
            else
                arrive_at_phone(t);
            free(t->bytes);
            free(t);
            carry_out();
        }
        if (phone.any.protocol->due(&phone.any) <= now_ms)
            phone.any.protocol->tick(&phone.any, now_ms, &fx);
        carry_out();
    }
    now_ms = until_ms;
}

/* --- the script --- */

static void start_node(unsigned i)
{
    static const char *const names[] = {"cm1", "cm2"};

    if (!nodes[i].core)
        nodes[i].core = node_new(i, names[i], directory, &calls);
    nodes[i].stopped = false;
}

static void kill_node(unsigned i)
{
    node_free(nodes[i].core);
    nodes[i].core = NULL;
    for (unsigned k = 0; k < PHONE_LINKS; k++)
        if (wires[k] && link_node[k] == i)
            post(NODE_CLOSES, i, k, wires[k], NULL, 0);
}

static int happen(struct text rest)
{
    struct text verb = text_split(&rest, ' '), name = text_trim(rest);
    unsigned i = text_is(name, "cm2");

    if (text_is(verb, "delay")) {
        show_tell(now_ms, "each message takes %.*s ms", TEXT_ARG(name));
        delay_ms = strtoul(name.at, NULL, 10);
        return 0;
    }
    if (text_is(verb, "ageing")) {
        show_tell(now_ms, "-- the switch forgets a port after %.*s s", TEXT_ARG(name));
        ageing_ms = strtoul(name.at, NULL, 10) * 1000;
        return 0;
    }
    show_tell(now_ms, "-- %.*s cm%u", TEXT_ARG(verb), i + 1);
    if (text_is(verb, "kill"))
        kill_node(i);
    else if (text_is(verb, "stop"))
        nodes[i].stopped = true;
    else if (text_is(verb, "go"))
        start_node(i);
    else if (text_is(verb, "unplug") || text_is(verb, "plug"))
        nodes[i].unplugged = text_is(verb, "unplug");
    else if (text_is(verb, "drain") || text_is(verb, "resume"))
        node_set_draining(nodes[i].core, text_is(verb, "drain"));
    else
        return -1;
    return 0;
}

static void make_phone(struct text model, bool sip, bool delayed)
{
    struct mac mac = {{0, 0x11, 0x22, 0x33, 0x44, 0x55}};

    phone_kind_init(&kind, model_by_name(model), NULL, 0);
    if (sip)
        phone_kind_speak_sip(&kind, PROTOCOL_SIP, NULL);
    config = (struct phone_config){.managed = true, .n_lines = 1, .delayed_failover = delayed};
    snprintf(config.lines[0].name, sizeof(config.lines[0].name), "7001");
    phone_protocol_of(kind.protocol)->init(&phone.any, &kind, mac);
}

static int begin_story(struct text rest)
{
    struct text model = text_split(&rest, ' ');
    bool sip = text_contains_nocase(rest, TEXT("sip"));
    char name[32];

    text_copy(name, sizeof(name), model);
    snprintf(directory, sizeof(directory), DIRECTORY, name, sip ? "sip" : "sccp");
    make_phone(model, sip, text_contains_nocase(rest, TEXT("delayed")));
    effects_clear(&fx);
    now_ms = ageing_ms = 0;
    delay_ms = 1;
    last_wire = 0;
    memset(wires, 0, sizeof(wires));
    memset(nodes, 0, sizeof(nodes));
    for (unsigned i = 0; i < N_NODES; i++)
        start_node(i);
    begin();
    carry_out();
    return 0;
}

static int line(struct text l)
{
    struct text rest = l, verb = text_split(&rest, ' ');

    if (text_is(verb, "phone"))
        return begin_story(rest);
    if (text_is(verb, "delay"))
        return (int)(0 * (delay_ms = strtoul(rest.at, NULL, 10)));
    if (text_is(verb, "until")) {
        pass(strtoul(rest.at, NULL, 10) * 1000);
        return 0;
    }
    if (!text_is(verb, "at"))
        return -1;
    pass(strtoul(text_split(&rest, ' ').at, NULL, 10) * 1000);
    if (happen(rest) < 0)
        return -1;
    carry_out();
    return 0;
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    struct text rest = {(const char *)bytes, len};
    int err = 0;

    show_begin(w);
    while (rest.at && rest.len && !err) {
        struct text l = text_trim(text_split(&rest, '\n'));

        if (l.len && l.at[0] == '#')
            write_format(w, "%.*s\n", TEXT_ARG(l));
        else if (l.len)
            err = line(l);
    }
    show_end();
    for (unsigned i = 0; i < N_NODES; i++)
        node_free(nodes[i].core);
    while (things) {
        struct thing *t = things;

        things = t->next;
        free(t->bytes);
        free(t);
    }
    phone.any.protocol->done(&phone.any);
    phone_kind_done(&kind);
    return err;
}

int main(int argc, char **argv)
{
    log_set_level(LOG_LEVEL_ERROR);
    return golden_run(argc, argv, print);
}
