/* dns.c - names that do not resolve, where the phone needs them. */
#include "doctor/check/check.h"

/* "cm1.example.com" for "cm1": the phone adds its domain. */
static bool is_name(const char *asked, const char *name)
{
    size_t n = strlen(name);

    return n && text_starts_nocase(text_of(asked), name) && (!asked[n] || asked[n] == '.');
}

/* Another server, a later answer, or the name with or without the domain gave the address. */
static bool is_resolved(const struct story *s, const struct dns_asked *d)
{
    for (unsigned i = 0; i < s->n_dns; i++)
        if (s->dns[i].has_address &&
            (is_name(s->dns[i].name, d->name) || is_name(d->name, s->dns[i].name)))
            return true;
    return false;
}

static bool is_needed(const struct scene *c, const struct dns_asked *d)
{
    const struct story *s = c->story;

    for (unsigned i = 0; s->config && i < s->config->n_servers; i++)
        if (is_name(d->name, s->config->servers[i]))
            return true;
    for (unsigned i = 0; i < s->dhcp.n_servers; i++)
        if (is_name(d->name, s->dhcp.servers[i].boot_name))
            return true;
    return false;
}

/* Harm is done: it needs the name, or it has come to nothing since. */
static bool matters(const struct scene *c, const struct dns_asked *d)
{
    const struct story *s = c->story;

    if (is_resolved(s, d))
        return false;
    if (is_needed(c, d))
        return true;
    if (is_registered(s) ||
        !settled(c, d->asked.n > 1 ? d->asked.first : d->asked.last, 2 * SECOND) ||
        s->registers.last.ns > d->asked.first.ns)
        return false;
    for (unsigned i = 0; i < s->n_files; i++)
        if (s->files[i].asked.last.ns > d->asked.first.ns)
            return false;
    for (unsigned i = 0; i < s->n_peers; i++)
        if (s->peers[i].opened.last.ns > d->asked.first.ns)
            return false;
    return true;
}

static bool refused(const struct scene *c, struct finding *f, bool name_error)
{
    char ip[IP_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_dns; i++) {
        const struct dns_asked *d = &c->story->dns[i];

        if (!d->answered.n || !d->rcode || (d->rcode == DNS_NAME_ERROR) != name_error ||
            !matters(c, d))
            continue;
        detail(f, "%s (server %s)", d->name, ip_print(d->server, ip));
        prove_spell(f, &d->asked, "DNS query for %s", d->name);
        prove_spell(f, &d->answered, "DNS answer of %s: %s", ip,
                    name_error                ? WORDS("name error")
                    : d->rcode == DNS_REFUSED ? WORDS("refused")
                                              : WORDS("server failure"));
        return true;
    }
    return false;
}

static bool name_error(const struct scene *c, struct finding *f)
{
    return refused(c, f, true);
}

static bool failed(const struct scene *c, struct finding *f)
{
    return refused(c, f, false);
}

static bool no_answer(const struct scene *c, struct finding *f)
{
    char ip[IP_TEXT_MAX];

    if (c->one_sided)
        return false;
    for (unsigned i = 0; i < c->story->n_dns; i++) {
        const struct dns_asked *d = &c->story->dns[i];

        if (d->answered.n || d->asked.n < 2 || !settled(c, d->asked.first, 3 * SECOND) ||
            !matters(c, d))
            continue;
        detail(f, "%s (server %s)", d->name, ip_print(d->server, ip));
        prove_spell(f, &d->asked, "DNS query for %s to %s, no answer", d->name, ip);
        return true;
    }
    return false;
}

const struct rule dns_rules[] = {
    {CAUSE_DNS_NAME_ERROR, name_error},
    {CAUSE_DNS_NO_ANSWER, no_answer},
    {CAUSE_DNS_FAILED, failed},
    {0},
};
