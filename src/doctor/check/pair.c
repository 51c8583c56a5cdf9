/* pair.c - what two captures, at the phone's end and at the server's, say together: which way
 * a packet was lost. */
#include "doctor/check/check.h"
#include "doctor/pair/pair.h"

/* The same phone in the capture of the other end. */
static const struct story *other_end(const struct scene *c)
{
    const struct timeline *other = c->options->other;

    if (!other || !c->options->pair || !pair_facts(c->options->pair)->joined)
        return NULL;
    return c->story->name[0] ? timeline_named(other, c->story->identity)
                             : timeline_mac(other, c->story->mac);
}

static const struct pair_flow *flow_of(const struct scene *c, const struct session *e)
{
    size_t n;
    const struct pair_flow *f = pair_flows(c->options->pair, &n);

    for (size_t i = 0; i < n; i++)
        if (endpoint_equal(&f[i].server[0], &e->server) &&
            ip_equal(f[i].phone[0].ip, c->story->ip) &&
            (f[i].lost[PAIR_TO_SERVER] || f[i].lost[PAIR_TO_PHONE]))
            return &f[i];
    return NULL;
}

/* Keepalives that had to be repeated or stayed unanswered, and what became of their packets. */
static bool lost_on(const struct scene *c, struct finding *f, enum pair_way way)
{
    char to[ENDPOINT_TEXT_MAX];

    if (!c->options->pair)
        return false;
    for (unsigned i = 0; i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];
        const struct keepalives *k = &e->keepalives;
        bool waits = moment_is(k->pending) && settled(c, k->pending, 5 * SECOND) &&
                     (e->end == SESSION_STANDS || e->ended.ns - k->pending.ns >= 5 * SECOND);
        struct moment lost = waits ? k->pending : k->lost.last;
        const struct pair_flow *flow;

        if (e->standby || (!waits && !k->n_lost && !k->n_again) || !(flow = flow_of(c, e)) ||
            flow->lost[way] < 2 || flow->lost[way] < 3 * flow->lost[!way]) /* else both ways lose */
            continue;
        detail(f, "%s, %u [packet|packets]", endpoint_words(&e->server, to), flow->lost[way]);
        if (moment_is(lost))
            prove(f, lost, "keepalive to %s, not answered", to);
        prove(f, moment_is(lost) ? (struct moment){0} : k->again.last,
              way == PAIR_TO_SERVER
                  ? "%u [packet|packets] left the phone's end and never came to the server's"
                  : "%u [packet|packets] left the server's end and never came to the phone's",
              flow->lost[way]);
        return true;
    }
    return false;
}

static bool to_server(const struct scene *c, struct finding *f)
{
    return lost_on(c, f, PAIR_TO_SERVER);
}

static bool to_phone(const struct scene *c, struct finding *f)
{
    return lost_on(c, f, PAIR_TO_PHONE);
}

/* Nothing came to the server's end any more, not even anything else: it may have ended there. */
static bool to_server_perhaps(const struct scene *c, struct finding *f)
{
    const struct story *other = other_end(c);
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; other && i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];
        struct moment asked = e->keepalives.pending;

        if (e->standby || !moment_is(asked) || !settled(c, asked, 5 * SECOND) ||
            asked.ns <= timeline_facts(c->options->other)->last.ns)
            continue;
        detail(f, "%s, or the server's capture ended before", endpoint_words(&e->server, to));
        prove(f, asked, "keepalive to %s, not answered", to);
        prove(f, (struct moment){0}, "the server's end shows nothing at all since then");
        doubt(f, APART_LONGER);
        return true;
    }
    return false;
}

/* What the other end knows of an MTU, this end can only suspect. */
static bool path_mtu(const struct scene *c, struct finding *f)
{
    const struct story *other = other_end(c);
    const struct scene there = {
        .timeline = c->options->other, .facts = c->facts, .options = c->options, .story = other};

    struct finding gap = {.certain = true};

    if (!other)
        return false;
    if ((path_mtu_stuck(&there, f) && f->certain) || path_mtu_torn(&there, f))
        return true;
    *f = (struct finding){.cause = f->cause, .certain = true, .n_times = 1, .phone = c->story->id};
    /* What is sent here again and again is what is missing there. */
    if (!path_mtu_stuck(c, f) || !path_mtu_gap(&there, &gap))
        return false;
    f->certain = true;
    f->apart = APART_NONE;
    return true;
}

static const struct story_file *same_file(const struct story *s, const struct story_file *f)
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (!s->files[i].http && strcmp(s->files[i].name, f->name) == 0)
            return &s->files[i];
    return NULL;
}

/* The question comes to the server's end, and the server is silent. */
static bool tftp_name_silent(const struct scene *c, struct finding *f)
{
    const struct story *other = other_end(c);

    for (unsigned i = 0; other && i < c->story->n_files; i++) {
        const struct story_file *here = &c->story->files[i], *there = same_file(other, here);

        if (!there || here->answered || there->answered || there->asked.n < 2 ||
            !tftp_waits(c, here) || !tftp_server_answers(c->story, here))
            continue;
        detail(f, "%s", here->name);
        prove_spell(f, &here->asked, "TFTP request for %s, no answer", here->name);
        prove_spell(f, &there->asked, "it arrives at the server's end, no answer leaves there");
        return true;
    }
    return false;
}

/* The question never comes there. */
static bool tftp_no_answer(const struct scene *c, struct finding *f)
{
    const struct story *other = other_end(c);
    char ip[IP_TEXT_MAX];

    for (unsigned i = 0; other && i < c->story->n_files; i++) {
        const struct story_file *here = &c->story->files[i];

        if (here->answered || !tftp_waits(c, here) || same_file(other, here))
            continue;
        detail(f, "%s", ip_print(here->server, ip));
        prove_spell(f, &here->asked, "TFTP request for %s, no answer", here->name);
        prove(f, (struct moment){0}, "it never comes to the server's end");
        return true;
    }
    return false;
}

/* The server sends what the phone's end never sees. */
static bool tftp_one_way(const struct scene *c, struct finding *f)
{
    const struct story *other = other_end(c);

    for (unsigned i = 0; other && i < c->story->n_files; i++) {
        const struct story_file *here = &c->story->files[i], *there = same_file(other, here);

        if (here->http || here->answered || !there || !there->data.n)
            continue;
        detail(f, "%s", here->name);
        prove_spell(f, &here->asked, "TFTP request for %s, no answer at the phone's end",
                    here->name);
        prove_spell(f, &there->data, "the server sends it");
        return true;
    }
    return false;
}

/* The last connection, of which the end is not in the capture. */
static bool waits_from_the_first(const struct scene *c, const struct session *e)
{
    const struct keepalives *k = &e->keepalives;

    return e->end == SESSION_STANDS && !e->standby && !k->answered.n && k->pending_again &&
           !k->pending_acked && settled(c, k->pending, 5 * SECOND);
}

/* The first keepalive after each pause never comes there, the next connection does: an address
 * translation forgets. */
static bool nat_silent(const struct scene *c, struct finding *f)
{
    const struct session *seen = NULL;
    unsigned n = 0;
    char to[ENDPOINT_TEXT_MAX];

    if (!other_end(c) || !pair_facts(c->options->pair)->n_nats)
        return false;
    for (unsigned i = 0; i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];

        if ((is_forgotten(e) && e->end != SESSION_SERVER_RESET) || waits_from_the_first(c, e)) {
            seen = e;
            n++;
        }
    }
    if (n < 2)
        return false;
    detail(f, "%s, %u [time|times]", endpoint_words(&seen->server, to), n);
    prove(f, seen->keepalives.pending, "keepalive to %s after a pause", to);
    prove(f, seen->keepalives.pending, "it never comes to the server's end");
    return true;
}

/* Reset at the phone's end, and the server never said so: somebody between them did. */
static bool nat_timeout(const struct scene *c, struct finding *f)
{
    const struct story *other = other_end(c);
    const struct session *seen = NULL;
    unsigned n = 0, by_server = 0;
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; other && i < c->story->n_sessions; i++)
        if (c->story->sessions[i].end == SESSION_SERVER_RESET &&
            moment_is(c->story->sessions[i].accepted) &&
            !c->story->sessions[i].keepalives.answered.n) { /* as in keepalive.c */
            seen = &c->story->sessions[i];
            n++;
        }
    for (unsigned i = 0; other && i < other->n_peers; i++)
        by_server += other->peers[i].reset_server.n;
    if (n < 2 || by_server >= n)
        return false;
    detail(f, "%s, %u [time|times]", endpoint_words(&seen->server, to), n);
    prove(f, seen->ended, "RST at the phone's end, in the name of %s", to);
    prove(f, (struct moment){0},
          "the server's end shows %u [reset|resets] of the server, the phone's end %u", by_server,
          n);
    return true;
}

/* Packets to the server that left with a mark and came without. */
static uint64_t marks_lost(const struct scene *c)
{
    const struct pair_facts *p = pair_facts(c->options->pair);
    uint64_t n = 0;

    for (unsigned i = 0; i < p->n_marks; i++)
        if (p->marks[i].way == PAIR_TO_SERVER && p->marks[i].left && !p->marks[i].arrived)
            n += p->marks[i].n;
    return n;
}

static bool dscp_lost(const struct scene *c, struct finding *f)
{
    const struct story *other = other_end(c);

    if (!other || !c->story->marked[0].n || !other->unmarked[1].n || other->marked[1].n ||
        marks_lost(c) < 3)
        return false;
    detail(f, "%u [packet|packets] with the mark leave, %u arrive without", c->story->marked[0].n,
           other->unmarked[1].n);
    prove_spell(f, &c->story->marked[0], "signalling with a DSCP at the phone's end");
    prove_spell(f, &other->unmarked[1], "DSCP 0 at the server's end");
    return true;
}

const struct rule pair_rules[] = {
    {CAUSE_PATH_MTU, path_mtu},
    {CAUSE_TFTP_NAME_SILENT, tftp_name_silent},
    {CAUSE_TFTP_NO_ANSWER, tftp_no_answer},
    {CAUSE_TFTP_ONE_WAY, tftp_one_way},
    {CAUSE_KEEPALIVE_TO_SERVER, to_server},
    {CAUSE_KEEPALIVE_TO_PHONE, to_phone},
    {CAUSE_KEEPALIVE_TO_SERVER, to_server_perhaps},
    {CAUSE_NAT_TIMEOUT, nat_timeout},
    {CAUSE_NAT_TIMEOUT, nat_silent},
    {CAUSE_DSCP_LOST, dscp_lost},
    {0},
};
