/* path.c - what is large does not pass: a tunnel, a lost fragment, a router's limit. */
#include "doctor/check/check.h"

#define LARGE 1000 /* bytes of a segment that a tunnel may not take */

static bool is_stuck(const struct peer *p, const struct repeat *r)
{
    return moment_is(r->since) && r->n >= 3 && r->length >= LARGE && p->accepted.n &&
           p->passed_length < r->length;
}

/* A full segment is repeated and never acknowledged, while small ones pass: now, or in a connection
 * before. */
static const struct repeat *stuck_segment(const struct peer *p)
{
    for (unsigned i = 0; i < 2; i++)
        if (is_stuck(p, &p->repeats[i]))
            return &p->repeats[i];
    for (unsigned i = 0; i < 2; i++)
        if (is_stuck(p, &p->stuck[i]))
            return &p->stuck[i];
    return NULL;
}

/* Seen where the small ones arrive: what is missing is large, and never comes. One that is missing
 * in each connection is no accident. */
bool path_mtu_gap(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_peers; i++)
        for (unsigned k = 0; k < 2; k++) {
            const struct peer *p = &c->story->peers[i];
            bool before = moment_is(p->missed[k].since), now = moment_is(p->gaps[k].since);
            const struct gap *g = before ? &p->missed[k] : &p->gaps[k];

            if (!settled(c, g->since, 3 * SECOND) || g->length < LARGE || c->one_sided)
                continue;
            endpoint_words(&p->server, to);
            detail(f, "%u bytes never come, what follows them does", g->length);
            prove(f, g->since, "TCP with %s: %u bytes of %s are missing before this", to, g->length,
                  k ? WORDS("the server") : WORDS("the phone"));
            if (!before || !now || p->gaps[k].length < LARGE)
                doubt(f, k ? APART_SERVER_SIDE : APART_PHONE_SIDE);
            return true;
        }
    return false;
}

/* The first fragment arrives, the others never do. */
bool path_mtu_torn(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char by[ENDPOINT_TEXT_MAX];

    if (s->torn.n < 2 || s->torn_answered || registered_at(s).ns > s->torn.first.ns)
        return false;
    detail(f, "fragments of %s never come", endpoint_words(&s->torn_by, by));
    prove_spell(f, &s->torn, "SIP of %s by UDP: its first fragment, and no other", by);
    return true;
}

bool path_mtu_stuck(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < s->n_peers; i++) {
        const struct peer *p = &s->peers[i];
        const struct repeat *r = stuck_segment(p);

        if (!r)
            continue;
        endpoint_words(&p->server, to);
        detail(f, "%u bytes are lost, %u pass%s", r->length, p->passed_length,
               s->too_large.n ? WORDS("; a router says so") : "");
        prove(f, r->since, "TCP with %s: %u bytes sent again %u [time|times], never acknowledged",
              to, r->length, r->n);
        if (s->too_large.n)
            prove_spell(f, &s->too_large, "ICMP: fragmentation needed, next link takes %u bytes",
                        s->mtu);
        else if (!p->passed_length && !p->n_rtt) /* of the data nothing passes, small or large */
            doubt(f,
                  r == &p->repeats[0] || r == &p->stuck[0] ? APART_SERVER_SIDE : APART_PHONE_SIDE);
        return true;
    }
    return false;
}

const struct rule path_rules[] = {
    {CAUSE_PATH_MTU, path_mtu_stuck},
    {CAUSE_PATH_MTU, path_mtu_gap},
    {CAUSE_PATH_MTU, path_mtu_torn},
    {0},
};
