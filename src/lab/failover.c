#include "lab/failover.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lab/crowd.h"
#include "lab/curve.h"
#include "lab/scenario.h"

#define NOTICE_MS  100 /* phones know by then that a connection was closed */
#define ASK_MS     400 /* how often the nodes are asked how many are registered */
#define FIRST_LINE 100000
#define SLOW_MS    1000 /* each way, of the phones' time */
#define BUSY_TURNS 12
#define STAY_MS    180000 /* of the phones' time: several keepalives of either protocol */
#define MOVE_MS    600000 /* the same; at most */
#define SLACK_MS   60000  /* of our own time, and more when there are many phones */

enum act {
    END,
    KILL,
    START,
    RESTART,
    HALT,
    RESUME,
    UNPLUG,
    PLUG,
    DEAFEN,
    HEAR,
    MUTE,
    SPEAK,
    SLOW,
    STRAIGHT,
    BUSY,
    ALL_AT, /* every phone is registered there */
    STAY    /* for a while nobody moves */
};

static const char *const act_words[] = {
    [KILL] = "is killed (SIGKILL)",
    [START] = "is started again",
    [RESTART] = "is restarted (SIGTERM)",
    [HALT] = "is stopped (SIGSTOP)",
    [RESUME] = "goes on (SIGCONT)",
    [UNPLUG] = "is unplugged",
    [PLUG] = "is plugged in",
    [DEAFEN] = "is not reached any more",
    [HEAR] = "is reached again",
    [MUTE] = "does not reach phones",
    [SPEAK] = "reaches phones again",
    [SLOW] = "is at a slow wire",
    [STRAIGHT] = "is at a quick wire",
    [BUSY] = "works half of the time",
};

struct step {
    enum act act;
    unsigned node;
};

/* clang-format off */
static const struct {
    unsigned n_nodes;
    struct step steps[12];
} scripts[N_FAILOVERS] = {
    [FAILOVER_KILLED]         = {2, {{KILL, 1}, {ALL_AT, 2}, {START, 1}, {ALL_AT, 1}}},
    [FAILOVER_STOPPED]        = {2, {{HALT, 1}, {ALL_AT, 2}, {RESUME, 1}, {ALL_AT, 1}}},
    [FAILOVER_UNPLUGGED]      = {2, {{UNPLUG, 1}, {ALL_AT, 2}, {PLUG, 1}, {ALL_AT, 1}}},
    [FAILOVER_DEAF]           = {2, {{DEAFEN, 1}, {ALL_AT, 2}, {HEAR, 1}, {ALL_AT, 1}}},
    [FAILOVER_MUTE]           = {2, {{MUTE, 1}, {ALL_AT, 2}, {SPEAK, 1}, {ALL_AT, 1}}},
    [FAILOVER_SLOW]           = {2, {{SLOW, 1}, {STAY, 1}, {STRAIGHT, 1}, {STAY, 1}}},
    [FAILOVER_BUSY]           = {2, {{BUSY, 1}, {STAY, 1}}},
    [FAILOVER_RESTARTED]      = {2, {{RESTART, 1}, {ALL_AT, 1}}},
    [FAILOVER_NO_BACKUP]      = {2, {{KILL, 2}, {STAY, 1}, {KILL, 1}, {START, 1}, {ALL_AT, 1}}},
    [FAILOVER_BOTH_DOWN]      = {2, {{KILL, 2}, {KILL, 1}, {START, 2}, {ALL_AT, 2}, {START, 1}, {ALL_AT, 1}}},
    [FAILOVER_THREE_NODES]    = {3, {{KILL, 1}, {ALL_AT, 2}, {KILL, 2}, {ALL_AT, 3}, {START, 1}, {ALL_AT, 1}}},
};
/* clang-format on */

struct cluster {
    struct stage *s;
    struct office *nodes[LAB_NODES_MAX + 1], more[LAB_NODES_MAX + 1]; /* from 1 */
    bool answers[LAB_NODES_MAX + 1];
    unsigned n_nodes, phones;
    struct crowd crowds[2];
    unsigned n_crowds;
    struct child wire;
    struct curve curve;
    uint64_t ask_ms;
    char servers[160]; /* setting cluster.servers */
};

/* -- time ----------------------------------------------------------------------------------- */

static void ask(struct cluster *c)
{
    if (lab_now_ms() < c->ask_ms)
        return;
    for (unsigned i = 1; i <= c->n_nodes; i++) {
        char name[8];
        json_t *rows, *row;
        size_t k;

        if (!c->answers[i])
            continue;
        snprintf(name, sizeof(name), "cm%u", i);
        rows = office_ask(c->nodes[i], "node", "list", NULL);
        json_array_foreach(rows, k, row)
        {
            if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
                curve_hear(&c->curve, lab_now_ms() * 1000, i,
                           (unsigned)json_integer_value(json_object_get(row, "registered")));
        }
        json_decref(rows);
    }
    c->ask_ms = lab_now_ms() + ASK_MS;
}

static void turn(struct cluster *c, unsigned ms)
{
    stage_turn(c->s, ms);
    for (unsigned i = 0; i < c->n_crowds; i++)
        crowd_read(&c->crowds[i]);
}

static unsigned at(const struct cluster *c, unsigned node)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->n_crowds; i++)
        n += c->crowds[i].at[node];
    return n;
}

static unsigned losses(const struct cluster *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->n_crowds; i++)
        for (size_t k = 0; k < c->crowds[i].n_events; k++)
            n += c->crowds[i].events[k].what == CROWD_LOST;
    return n;
}

static bool all_at(struct cluster *c, unsigned node)
{
    unsigned rate = c->s->clock_rate;
    uint64_t end = lab_now_ms() + MOVE_MS / rate + SLACK_MS + c->phones * 20ull;

    turn(c, NOTICE_MS); /* while something was done, what phones said of it was not read */
    while (at(c, node) < c->phones && lab_now_ms() < end) {
        turn(c, 20);
        ask(c);
    }
    c->ask_ms = 0; /* what the nodes say at the end of it */
    ask(c);
    return at(c, node) == c->phones;
}

static unsigned with_standby(const struct cluster *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->n_crowds; i++)
        n += c->crowds[i].n_standby;
    return n;
}

/* -- the stage ------------------------------------------------------------------------------ */

static bool start_node(struct cluster *c, unsigned i)
{
    bool fine = office_start(c->nodes[i]) == 0;

    c->answers[i] = fine;
    return stage_expect(c->s, fine, "cm%u is ready on " LAB_SUBNET "%u", i, i);
}

static bool build_nodes(struct cluster *c)
{
    struct stage *s = c->s;
    char name[16];

    c->nodes[1] = &s->office;
    for (unsigned i = 1; i <= c->n_nodes; i++) {
        snprintf(c->servers + strlen(c->servers), sizeof(c->servers) - strlen(c->servers),
                 "%scm%u=" LAB_SUBNET "%u", i > 1 ? "," : "", i, i);
        if (i == 1)
            continue;
        c->nodes[i] = &c->more[i];
        if (!stage_expect(s, office_open_node(c->nodes[i], &s->network, s->folder, i) == 0,
                          "a namespace for cm%u", i))
            return false;
        snprintf(name, sizeof(name), "server%u", i);
        stage_capture(s, network_node(&s->network, i), name);
        stage_watch(s, &c->nodes[i]->server);
    }
    for (unsigned i = 1; i <= c->n_nodes; i++) {
        c->nodes[i]->cluster = c->servers;
        if (!start_node(c, i))
            return false;
    }
    return true;
}

static bool add_crowd(struct cluster *c, const char *protocol, const char *models, unsigned count)
{
    struct stage *s = c->s;
    struct crowd *crowd = &c->crowds[c->n_crowds++];
    char address[32];
    bool fine;

    *crowd = (struct crowd){.protocol = protocol,
                            .models = models,
                            .count = count,
                            .clock_rate = s->clock_rate,
                            .first_mac = mac_of_number(0x001d00000001 + 0x10000ull * c->n_crowds)};
    fine = network_add_phone(&s->network, crowd->first_mac) == 0;
    crowd->ns = network_phone(&s->network, s->network.n_phones);
    snprintf(address, sizeof(address), LAB_SUBNET "%u/%d", 49 + c->n_crowds, LAB_PREFIX);
    fine = fine && network_set_address(&s->network, crowd->ns, address) == 0 &&
           crowd_open(crowd, s->folder) == 0;
    stage_capture(s, crowd->ns, protocol);
    stage_watch(s, &crowd->process);
    c->phones += count;
    return stage_expect(s, fine, "%u %s phones (%s) at port phone%u, " LAB_SUBNET "%u", count,
                        protocol, models, s->network.n_phones, 49 + c->n_crowds);
}

static bool build_crowds(struct cluster *c)
{
    const char *which = c->s->protocol;
    bool both = strcmp(which, "both") == 0, sip = both || strcmp(which, "sip") == 0;
    unsigned n = c->s->count, sccp = both ? (n + 1) / 2 : sip ? 0 : n;

    if (sccp && !add_crowd(c, "sccp", "7975,7960", sccp))
        return false;
    return !sip || add_crowd(c, "sip", "8841,7975", n > sccp ? n - sccp : 1);
}

/* A node is known by its fingerprint. */
static bool join(struct cluster *c, struct office *o, unsigned other)
{
    char name[8], server[32], fingerprint[128];
    json_t *shown = office_ask(c->nodes[other], "node", "token", NULL),
           *row = json_is_array(shown) ? json_array_get(shown, 0) : shown;
    const char *said = json_string_value(json_object_get(row, "fingerprint"));
    bool fine;

    snprintf(name, sizeof(name), "cm%u", other);
    snprintf(server, sizeof(server), "server=" LAB_SUBNET "%u", other);
    snprintf(fingerprint, sizeof(fingerprint), "fingerprint=%s", said ? said : "");
    fine = said && office_do(o, "node", "join", name, server, fingerprint, NULL) == 0;
    json_decref(shown);
    return fine;
}

static bool tell_node(struct cluster *c, struct office *o, const char *list)
{
    bool fine = true;

    for (unsigned i = 1; i <= c->n_nodes; i++)
        fine = fine && (i == o->node || join(c, o, i));
    return fine &&
           office_do(o, "group", "set", "Default",
                     c->n_nodes > 2 ? "members=cm1;cm2;cm3" : "members=cm1;cm2", NULL) == 0 &&
           office_do(o, "import", list, NULL) == 0;
}

/* The shared database comes later: every node has a copy. */
static bool fill_databases(struct cluster *c)
{
    char path[LAB_PATH + 32];
    unsigned number = FIRST_LINE;
    bool fine = true;
    FILE *f;

    snprintf(path, sizeof(path), "%s/phones.csv", c->s->folder);
    f = fopen(path, "w");
    if (!f)
        return false;
    fputs("name,model,protocol,lines\n", f);
    for (unsigned i = 0; i < c->n_crowds; i++) {
        crowd_list(&c->crowds[i], f, number);
        number += c->crowds[i].count;
    }
    fine = fclose(f) == 0;
    for (unsigned i = 1; i <= c->n_nodes; i++)
        fine = fine && tell_node(c, c->nodes[i], path);
    return stage_expect(c->s, fine, "every node knows %u phones and the group", c->phones);
}

/* Each node sees every other. */
static bool linked(struct stage *s, void *context)
{
    struct cluster *c = context;
    bool truth = true;

    for (unsigned i = 1; i <= c->n_nodes; i++) {
        json_t *rows = office_ask(c->nodes[i], "node", "list", NULL);

        truth = truth && rows_count(rows, "state", "up") == c->n_nodes - 1;
        json_decref(rows);
    }
    return truth;
}

static bool begin(struct cluster *c)
{
    uint64_t end;

    if (!build_nodes(c) || !build_crowds(c) || !fill_databases(c) ||
        !stage_expect(c->s, stage_wait(c->s, SLACK_MS, linked, c), "the nodes are linked"))
        return false;
    c->curve.begun_us = lab_now_ms() * 1000;
    c->curve.n_nodes = c->n_nodes;
    c->curve.crowds = c->crowds;
    c->curve.n_crowds = c->n_crowds;
    for (unsigned i = 0; i < c->n_crowds; i++)
        if (!stage_expect(c->s, crowd_start(&c->crowds[i], c->s->folder, LAB_ADDRESS, LAB_SUBNET "2") == 0,
                          "%s phones have power", c->crowds[i].protocol))
            return false;
    if (!stage_expect(c->s, all_at(c, 1), "all %u are registered at cm1", c->phones))
        return false;
    end = lab_now_ms() + SLACK_MS;
    while (with_standby(c) < c->phones && lab_now_ms() < end)
        turn(c, 20);
    return stage_expect(c->s, with_standby(c) == c->phones, "all have another server at hand");
}

/* -- what happens --------------------------------------------------------------------------- */

static int filter(struct cluster *c, unsigned node, bool at_phones, bool on)
{
    char address[24];
    int err = 0;

    for (unsigned i = 0; i < c->n_crowds; i++) {
        snprintf(address, sizeof(address), LAB_SUBNET "%u", at_phones ? node : 50 + i);
        err |= network_filter(at_phones ? c->crowds[i].ns : network_node(&c->s->network, node),
                              address, on);
    }
    return err;
}

static int slow(struct cluster *c, unsigned node)
{
    char in[16], out[32], delay[16];
    char *words[] = {"lab", "wire", in, out, "--delay", delay, NULL};
    int err = network_splice(&c->s->network, node, true);

    snprintf(in, sizeof(in), node > 1 ? "server%u" : "server", node);
    snprintf(out, sizeof(out), "%s-in", in);
    snprintf(delay, sizeof(delay), "%u", SLOW_MS / c->s->clock_rate);
    return err ? err : child_start(&c->wire, network_switch(&c->s->network).s, NULL, words);
}

static int straighten(struct cluster *c, unsigned node)
{
    child_stop(&c->wire, SIGTERM);
    return network_splice(&c->s->network, node, false);
}

static int keep_busy(struct cluster *c, unsigned node)
{
    pid_t pid = c->nodes[node]->server.pid;

    for (int i = 0; i < 2 * BUSY_TURNS; i++) {
        uint64_t end = lab_now_ms() + 500;

        if (kill(pid, i % 2 ? SIGCONT : SIGSTOP) < 0)
            return -errno;
        while (lab_now_ms() < end)
            turn(c, 20);
    }
    return 0;
}

static int signal_node(struct cluster *c, unsigned node, int number)
{
    c->answers[node] = number == SIGCONT;
    return kill(c->nodes[node]->server.pid, number) < 0 ? -errno : 0;
}

static int stop_node(struct cluster *c, unsigned node, int number)
{
    c->answers[node] = false;
    office_stop(c->nodes[node], number);
    return 0;
}

static int act(struct cluster *c, const struct step *step)
{
    unsigned node = step->node;

    switch (step->act) {
    case KILL:
        return stop_node(c, node, SIGKILL);
    case START:
        return start_node(c, node) ? 0 : -ECHILD;
    case RESTART:
        return stop_node(c, node, SIGTERM) || !start_node(c, node) ? -ECHILD : 0;
    case HALT:
        return signal_node(c, node, SIGSTOP);
    case RESUME:
        return signal_node(c, node, SIGCONT);
    case UNPLUG:
    case PLUG:
        return network_plug_node(&c->s->network, node, step->act == PLUG);
    case DEAFEN:
    case HEAR:
        return filter(c, node, true, step->act == DEAFEN);
    case MUTE:
    case SPEAK:
        return filter(c, node, false, step->act == MUTE);
    case SLOW:
        return slow(c, node);
    case STRAIGHT:
        return straighten(c, node);
    case BUSY:
        return keep_busy(c, node);
    default:
        return 0;
    }
}

/* -- the course ----------------------------------------------------------------------------- */

static struct curve_phase *new_phase(struct cluster *c, const struct step *step)
{
    struct curve_phase *p = &c->curve.phases[c->curve.n_phases];

    if (c->curve.n_phases < CURVE_PHASES_MAX - 1)
        c->curve.n_phases++;
    snprintf(p->words, sizeof(p->words), "cm%u %s", step->node, act_words[step->act]);
    p->begun_us = p->ended_us = lab_now_ms() * 1000;
    stage_say(c->s, "%s", p->words);
    return p;
}

static void stay(struct cluster *c, unsigned before)
{
    uint64_t end = lab_now_ms() + STAY_MS / c->s->clock_rate;

    while (lab_now_ms() < end) {
        turn(c, 20);
        ask(c);
    }
    stage_expect(c->s, losses(c) == before, "nobody loses a server in %u s",
                 STAY_MS / 1000 / c->s->clock_rate);
}

static void play(struct cluster *c, const struct step *step)
{
    struct curve_phase *phase = NULL;
    unsigned before = losses(c);

    for (; step->act != END && !c->s->failures; step++) {
        if (step->act == ALL_AT) {
            stage_expect(c->s, all_at(c, step->node), "all %u are registered at cm%u", c->phones,
                         step->node);
        } else if (step->act == STAY) {
            stay(c, before);
        } else {
            before = losses(c);
            phase = new_phase(c, step);
            stage_expect(c->s, act(c, step) == 0, "done");
            continue;
        }
        if (phase) {
            phase->ended_us = lab_now_ms() * 1000;
            phase->node = step->act == ALL_AT ? step->node : 0;
        }
    }
}

static void end(struct cluster *c)
{
    turn(c, 0);
    if (c->curve.begun_us)
        stage_expect(c->s, curve_report(&c->curve, c->s->folder) == 0,
                     "the curve is in curve.json, curve.csv and curve.svg");
    c->s->n_watched = 0;
    child_stop(&c->wire, SIGTERM);
    for (unsigned i = 0; i < c->n_crowds; i++)
        crowd_close(&c->crowds[i]);
    for (unsigned i = 1; i <= c->n_nodes; i++)
        if (c->nodes[i] && c->nodes[i]->server.pid) {
            kill(c->nodes[i]->server.pid, SIGCONT);
            office_stop(c->nodes[i], SIGTERM);
        }
    curve_done(&c->curve);
}

void failover_play(struct stage *s, enum failover which)
{
    static struct cluster c;

    c = (struct cluster){.s = s, .n_nodes = scripts[which].n_nodes};
    c.wire.out = c.wire.log = -1;
    c.curve.scenario = s->scenario;
    c.curve.clock_rate = s->clock_rate;
    if (begin(&c))
        play(&c, scripts[which].steps);
    end(&c);
}
