/* cohorts.c - phones that suffer the same, and what they have in common (DOC-12). */
#include "doctor/check/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct common {
    bool neighbour, vlan, load, model, network, server;
    const struct story *first;
};

static uint16_t vlan_of(const struct story *s)
{
    return s->n_vlans ? s->vlans[s->n_vlans - 1].vlan : 0;
}

static uint32_t network_of(const struct story *s)
{
    return ip_v4_number(s->ip) & 0xffffff00;
}

static void compare(struct common *c, const struct story *s)
{
    if (!c->first) {
        *c = (struct common){.first = s,
                             .neighbour = s->neighbour[0],
                             .vlan = vlan_of(s),
                             .load = s->load[0],
                             .model = s->model[0],
                             .network = network_of(s),
                             .server = s->at[0].ip.family};
        return;
    }
    c->neighbour &= strcmp(c->first->neighbour, s->neighbour) == 0;
    c->vlan &= vlan_of(c->first) == vlan_of(s);
    c->load &= strcmp(c->first->load, s->load) == 0;
    c->model &= strcmp(c->first->model, s->model) == 0;
    c->network &= network_of(c->first) == network_of(s);
    c->server &= endpoint_equal(&c->first->at[0], &s->at[0]);
}

static void keep_common(const struct common *c, char *to, size_t size)
{
    const struct story *s = c->first;
    char ip[IP_TEXT_MAX];

#define SHARED(flag, ...)                                                                          \
    if (c->flag)                                                                                   \
        keep_also(to, size, __VA_ARGS__);
    SHARED(neighbour, "switch %s", s->neighbour)
    SHARED(vlan, "VLAN %u", vlan_of(s))
    SHARED(network, "network %s/24", ip_print(ip_v4(network_of(s)), ip))
    SHARED(model, "model %s", s->model)
    SHARED(load, "load %s", s->load)
    SHARED(server, "server %s", ip_print(s->at[0].ip, ip))
#undef SHARED
}

/* Causes in the order in which they are told: the gravest first, each certain before doubtful. */
static size_t kinds_in_order(struct cohort to[2 * N_CAUSES])
{
    size_t n = 0;

    for (int severity = SEVERITY_FATAL; severity >= SEVERITY_HINT; severity--)
        for (enum cause c = 0; c < N_CAUSES; c++)
            for (int certain = 1; certain >= 0 && cause_row(c)->severity == (enum severity)severity;
                 certain--)
                to[n++] = (struct cohort){.cause = c, .certain = certain};
    return n;
}

static void fill(struct diagnosis *d, const struct timeline *t, struct cohort *all, size_t n)
{
    size_t place[N_CAUSES][2], next = 0;

    for (size_t i = 0; i < n; i++) {
        all[i].first = place[all[i].cause][all[i].certain] = next;
        next += all[i].n;
    }
    for (size_t i = 0; i < d->n; i++)
        d->order[place[d->findings[i].cause][d->findings[i].certain]++] = i;
    for (size_t i = 0; i < n; i++) {
        struct common shared = {0};
        const struct story *s;

        if (!all[i].n)
            continue;
        for (size_t k = 0; k < all[i].n; k++)
            if ((s = timeline_story(t, d->findings[d->order[all[i].first + k]].phone)))
                compare(&shared, s);
        if (shared.first)
            keep_common(&shared, all[i].common, sizeof(all[i].common));
        d->cohorts[d->n_cohorts++] = all[i];
    }
}

int make_cohorts(struct diagnosis *d, const struct timeline *t)
{
    struct cohort *all = calloc(2 * N_CAUSES, sizeof(*all));
    size_t n, index[N_CAUSES][2];

    d->order = calloc(d->n + 1, sizeof(*d->order));
    d->cohorts = calloc(2 * N_CAUSES, sizeof(*d->cohorts));
    if (!all || !d->order || !d->cohorts) {
        free(all);
        return -ENOMEM;
    }
    n = kinds_in_order(all);
    for (size_t i = 0; i < n; i++)
        index[all[i].cause][all[i].certain] = i;
    for (size_t i = 0; i < d->n; i++)
        all[index[d->findings[i].cause][d->findings[i].certain]].n++;
    fill(d, t, all, n);
    free(all);
    return 0;
}
