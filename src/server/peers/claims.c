/* claims.c - a device that is registered here comes to another node, from another address.
 * Its name is no secret, so the phone that is here is asked before it is given up, as at one
 * node: its kernel over a connection, by UDP the phone itself. */
#include "server/peers/own.h"

bool peers_claim(struct peers *p, struct device_name device, unsigned member, struct ip ip,
                 uint32_t age_ms)
{
    struct signalling *s = p->signalling;

    if (p->n_claims == CLAIMS_MAX || !registry_claimed(s->registry, device, ip, signalling_now(s), s->effects))
        return false;
    signalling_carry_out(s);
    p->claims[p->n_claims++] = (struct claim){device, ip, member, peers_now(p) + RIVAL_MS, age_ms, false};
    return true;
}

void peers_claim_ends(struct peers *p, struct device_name device, unsigned member)
{
    for (size_t i = 0; i < p->n_claims; i++)
        if (p->claims[i].member == member && !strcmp(p->claims[i].device.s, device.s))
            p->claims[i].member = 0; /* this node: nobody to give it to */
}

static void decide(struct peers *p, const struct claim *c)
{
    struct signalling *s = p->signalling;

    if (registry_holds(s->registry, c->device, c->ip, signalling_now(s), s->effects)) {
        signalling_carry_out(s);
        peers_hold(p, c->device);
    } else if (c->member) {
        peers_give(p, c->device, c->member, c->ip, c->age_ms + RIVAL_MS);
    }
}

/* What the phone has said by UDP while this node did not run is still to be read. */
static bool is_heard_first(struct claim *c, uint64_t now_ms)
{
    if (c->late || now_ms < c->due_ms + RIVAL_LATE_MS)
        return false;
    c->late = true;
    c->due_ms = now_ms + RIVAL_LATE_MS;
    return true;
}

uint64_t peers_claims_look(struct peers *p)
{
    while (p->n_claims && p->claims[0].due_ms <= peers_now(p) && !is_heard_first(&p->claims[0], peers_now(p))) {
        struct claim c = p->claims[0];

        memmove(p->claims, p->claims + 1, --p->n_claims * sizeof(*p->claims));
        decide(p, &c);
    }
    return p->n_claims ? p->claims[0].due_ms - peers_now(p) : UINT64_MAX;
}
