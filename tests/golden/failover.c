/* failover.c - the story of a phone between two nodes, on a virtual clock and network: the phone's
 * core and the servers' cores are those of the programs.
 *
 *   phone MODEL [delayed]   it registers at second 0; its servers are cm1 and cm2
 *   delay MS                of each message, each way (1)
 *   at SECONDS kill|stop|go|unplug|plug|drain|resume cm1
 *   at SECONDS delay MS
 *   until SECONDS
 *
 * kill: connections are reset, new ones refused. stop: the system still accepts, nobody answers.
 * go: it runs again, after a kill as a new process. unplug: nothing arrives any more. Keepalives
 * that follow each other are one line. */
#include "golden.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "failover_node.h"
#include "handset/sccp_phone.h"
#include "wire/sccp/message.h"

#define N_NODES 2
#define DIRECTORY                                                                                  \
    "server 10.0.0.1\nserver 10.0.0.2\ncallmanager cm1 server=10.0.0.1\n"                          \
    "callmanager cm2 server=10.0.0.2\ngroup Two members=cm1;cm2\npool Two group=Two\n"             \
    "phone SEP001122334455 model=%s pool=Two lines=7001\n"

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
    struct { /* keepalives of the phone that were not told yet */
        unsigned n, acked, every_s;
        uint64_t first_ms, last_ms;
    } keepalives;
} nodes[N_NODES];

static struct phone_kind kind;
static struct sccp_phone phone;
static struct effects fx;
static uint64_t now_ms, delay_ms, n_things, wires[PHONE_LINKS], last_wire;
static unsigned link_node[PHONE_LINKS];
static struct thing *things;
static struct writer *out;
static char directory[1000];

/* --- what is written --- */

static void stamp(uint64_t ms)
{
    write_format(out, "%02u:%02u:%02u.%03u  ", (unsigned)(ms / 3600000),
                 (unsigned)(ms / 60000 % 60), (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
}

static void flush(unsigned node)
{
    struct place *p = &nodes[node];

    if (!p->keepalives.n)
        return;
    stamp(p->keepalives.first_ms);
    write_format(out, "phone > cm%u  KeepAlive", node + 1);
    if (p->keepalives.n > 1)
        write_format(out, ", %u of them until %02u:%02u:%02u", p->keepalives.n,
                     (unsigned)(p->keepalives.last_ms / 3600000),
                     (unsigned)(p->keepalives.last_ms / 60000 % 60),
                     (unsigned)(p->keepalives.last_ms / 1000 % 60));
    write_format(out, ", %u acknowledged\n", p->keepalives.acked);
    memset(&p->keepalives, 0, sizeof(p->keepalives));
}

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *format, ...)
{
    char words[300];
    va_list args;

    for (unsigned i = 0; i < N_NODES; i++)
        flush(i);
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    stamp(now_ms);
    write_format(out, "%s\n", words);
}

static bool is_worth_a_line(uint32_t id)
{
    static const uint32_t ids[] = {SCCP_ALARM,
                                   SCCP_ENHANCED_ALARM,
                                   SCCP_REGISTER_REQ,
                                   SCCP_UNREGISTER,
                                   SCCP_REGISTER_TOKEN_REQ,
                                   SCCP_REGISTER_ACK,
                                   SCCP_REGISTER_REJECT,
                                   SCCP_REGISTER_TOKEN_ACK,
                                   SCCP_REGISTER_TOKEN_REJECT,
                                   SCCP_UNREGISTER_ACK,
                                   SCCP_RESET};

    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
        if (ids[i] == id)
            return true;
    return false;
}

static void note_keepalive(unsigned node)
{
    struct place *p = &nodes[node];

    if (!p->keepalives.n++)
        p->keepalives.first_ms = now_ms;
    p->keepalives.last_ms = now_ms;
}

/* What the phone says and hears, at its own end of the wire. */
static void show(unsigned node, bool from_phone, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    struct sccp_frame frame;

    while (sccp_frame_next(&r, &frame) == 1) {
        if (frame.id == SCCP_KEEPALIVE)
            note_keepalive(node);
        else if (frame.id == SCCP_KEEPALIVE_ACK)
            nodes[node].keepalives.acked += nodes[node].keepalives.n > 0;
        else if (is_worth_a_line(frame.id))
            tell(from_phone ? "phone > cm%u  %s" : "phone < cm%u  %s", node + 1,
                 sccp_message_name(frame.id));
    }
}

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
    tell("cm%u: %s", node + 1, words);
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

    wires[e->link] = ++last_wire;
    link_node[e->link] = node;
    post(OPEN, node, e->link, last_wire, NULL, 0);
}

static void on_state(const struct effect *e)
{
    switch ((enum phone_event)e->number) {
    case PHONE_EVENT_REGISTERED:
        tell("phone: registered at cm%u", link_node[phone.active] + 1);
        break;
    case PHONE_EVENT_LOST:
        tell("phone: lost its server: %s", phone_reason_words(e->link));
        break;
    case PHONE_EVENT_STANDBY:
        tell("phone: another connection is open");
        break;
    case PHONE_EVENT_NO_SERVER:
        tell("phone: no server, reads its files again");
        break;
    default:
        break;
    }
}

static void begin(void)
{
    struct endpoint servers[] = {{ip_v4(0x0a000001), 2000}, {ip_v4(0x0a000002), 2000}};

    sccp_phone_start(&phone, ip_v4(0x0a000064), servers, N_NODES, PHONE_REASON_INITIALIZED, now_ms,
                     &fx);
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
                post(TO_NODE, link_node[e->link], e->link, wires[e->link], bytes.at, bytes.len);
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
        sccp_phone_opened(&phone, link, now_ms, &fx);
    } else if (t->what == TO_PHONE) {
        show(t->node, false, t->bytes, t->len);
        sccp_phone_input(&phone, link, t->bytes, t->len, now_ms, &fx);
    } else {
        wires[link] = 0;
        if (t->what == NODE_CLOSES)
            tell("phone: cm%u closed a connection", t->node + 1);
        sccp_phone_closed(&phone, link, t->what == REFUSED ? -ECONNREFUSED : 0, now_ms, &fx);
    }
}

/* --- time --- */

static uint64_t next_due(void)
{
    uint64_t due = sccp_phone_due(&phone);

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
        if (sccp_phone_due(&phone) <= now_ms)
            sccp_phone_tick(&phone, now_ms, &fx);
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
        tell("each message takes %.*s ms", TEXT_ARG(name));
        delay_ms = strtoul(name.at, NULL, 10);
        return 0;
    }
    tell("-- %.*s cm%u", TEXT_ARG(verb), i + 1);
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

static int begin_story(struct text rest)
{
    struct mac mac = {{0, 0x11, 0x22, 0x33, 0x44, 0x55}};
    struct text model = text_split(&rest, ' ');
    char name[32];

    text_copy(name, sizeof(name), model);
    snprintf(directory, sizeof(directory), DIRECTORY, name);
    phone_kind_init(&kind, model_by_name(model), NULL, 0);
    sccp_phone_init(&phone, &kind, mac);
    phone.delayed = text_is(text_trim(rest), "delayed");
    effects_clear(&fx);
    now_ms = 0;
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

    out = w;
    while (rest.at && rest.len && !err) {
        struct text l = text_trim(text_split(&rest, '\n'));

        if (l.len && l.at[0] == '#')
            write_format(w, "%.*s\n", TEXT_ARG(l));
        else if (l.len)
            err = line(l);
    }
    for (unsigned i = 0; i < N_NODES; i++) {
        flush(i);
        node_free(nodes[i].core);
    }
    while (things) {
        struct thing *t = things;

        things = t->next;
        free(t->bytes);
        free(t);
    }
    sccp_phone_done(&phone);
    return err;
}

int main(int argc, char **argv)
{
    log_set_level(LOG_LEVEL_ERROR);
    return golden_run(argc, argv, print);
}
