#include "provision/dns_answerer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/counters.h"
#include "wire/boot/dns.h"

#define TTL_S       60
#define CLASS_IN    1
#define CLASS_ANY   255
#define HEADER_SIZE 12

struct host {
    char name[DNS_NAME_MAX];
    struct ip ip;
};

struct dns_answerer {
    struct host *hosts;
    size_t n_hosts;
    char (*domains)[DNS_NAME_MAX];
    size_t n_domains;
};

struct dns_answerer *dns_answerer_new(void)
{
    return calloc(1, sizeof(struct dns_answerer));
}

void dns_answerer_free(struct dns_answerer *d)
{
    if (!d)
        return;
    free(d->hosts);
    free(d->domains);
    free(d);
}

int dns_answerer_add(struct dns_answerer *d, struct text name, struct ip ip)
{
    struct host *hosts = realloc(d->hosts, (d->n_hosts + 1) * sizeof(*hosts));

    if (!hosts)
        return -ENOMEM;
    d->hosts = hosts;
    text_copy(hosts[d->n_hosts].name, sizeof(hosts[0].name), name);
    hosts[d->n_hosts++].ip = ip;
    return 0;
}

int dns_answerer_add_domain(struct dns_answerer *d, struct text domain)
{
    char(*domains)[DNS_NAME_MAX];

    for (size_t i = 0; i < d->n_domains; i++)
        if (text_equal_nocase(text_of(d->domains[i]), domain))
            return 0;
    domains = realloc(d->domains, (d->n_domains + 1) * sizeof(*domains));
    if (!domains)
        return -ENOMEM;
    d->domains = domains;
    text_copy(domains[d->n_domains++], sizeof(domains[0]), domain);
    return 0;
}

/* The name without ".domain" when it lies in one of ours; `*ours` says so. */
static struct text in_domain(const struct dns_answerer *d, struct text name, bool *ours)
{
    *ours = !memchr(name.at, '.', name.len);
    for (size_t i = 0; i < d->n_domains && !*ours; i++) {
        struct text domain = text_of(d->domains[i]);
        size_t dot = name.len - domain.len - 1;

        if (!domain.len || name.len < domain.len + 2 || name.at[dot] != '.' ||
            !text_equal_nocase(text_skip(name, dot + 1), domain))
            continue;
        *ours = true;
        name.len = dot;
    }
    return name;
}

static const struct host *find(const struct dns_answerer *d, struct text full, struct text bare)
{
    for (size_t i = 0; i < d->n_hosts; i++) {
        struct text name = text_of(d->hosts[i].name);

        if (text_equal_nocase(name, full) || text_equal_nocase(name, bare))
            return &d->hosts[i];
    }
    return NULL;
}

static void answer(const struct dns_answerer *d, const struct dns_message *q, struct ip own,
                   struct dns_message *out)
{
    bool ours;
    struct text full = text_of(q->name), bare = in_domain(d, full, &ours);
    const struct host *host = find(d, full, bare);
    struct ip ip = host && host->ip.family ? host->ip : own;
    struct dns_record *r;

    out->authoritative = host || ours;
    if (!host) {
        out->rcode = ours && full.len ? DNS_NAME_ERROR : DNS_REFUSED;
        count(COUNT_DNS_REFUSED);
        return;
    }
    count(COUNT_DNS_ANSWERED);
    if ((q->type == DNS_A || q->type == DNS_ANY) && ip.family == 4 &&
        (r = dns_add(out, DNS_ANSWER, q->name, DNS_A, TTL_S)))
        r->ip = ip;
    else if (q->type == DNS_AAAA && ip.family == 6 &&
             (r = dns_add(out, DNS_ANSWER, q->name, DNS_AAAA, TTL_S)))
        r->ip = ip; /* of other types there is nothing, and that is an answer too */
}

size_t dns_answerer_input(const struct dns_answerer *d, const void *question, size_t len,
                          struct ip own, void *to, size_t size)
{
    struct dns_message q, out;
    struct dns_record *edns;
    int err, n;

    if (len < HEADER_SIZE) {
        count(COUNT_DNS_MALFORMED);
        return 0;
    }
    err = dns_decode(question, len, &q);
    if (q.response) /* an answer to an answer goes round for ever */
        return 0;
    dns_init(&out, q.id);
    out.response = true;
    out.opcode = q.opcode;
    out.recursion_desired = q.recursion_desired;
    if (err == 0 && q.has_question) {
        out.has_question = true;
        memcpy(out.name, q.name, sizeof(out.name));
        out.type = q.type;
        out.class = q.class;
    }
    count(err ? COUNT_DNS_MALFORMED : COUNT_DNS_QUERIES);
    if (err < 0 || !q.has_question)
        out.rcode = DNS_FORMAT_ERROR;
    else if (q.opcode != 0)
        out.rcode = DNS_NOT_IMPLEMENTED;
    else if (q.class != CLASS_IN && q.class != CLASS_ANY)
        out.rcode = DNS_REFUSED;
    else
        answer(d, &q, own, &out);
    if (q.udp_size && (edns = dns_add(&out, DNS_ADDITIONAL, "", DNS_OPT, 0)))
        edns->class = DNS_SIZE_MAX; /* RFC 6891 7: who sends it gets it back */
    n = dns_encode(&out, to, size);
    return n > 0 ? (size_t)n : 0;
}
