/* boot_names.c - the phone's DNS questions; see boot_stages.h. */
#include <stdio.h>

#include "handset/boot_stages.h"
#include "wire/boot/dns.h"

static void whole_name(const struct boot *b, const char *name, char to[DNS_NAME_MAX])
{
    bool bare = !strchr(name, '.') && *b->network.domain;

    snprintf(to, DNS_NAME_MAX, "%.60s%s%s", name, bare ? "." : "", bare ? b->network.domain : "");
}

void boot_ask_name(struct boot *b, const char *name, struct effects *fx)
{
    struct dns_message m;
    struct writer w = effects_writer(fx);
    struct effect *e;
    int n;

    b->transaction = b->transaction * 1664525u + 1013904223u;
    dns_init(&m, (uint16_t)(b->transaction >> 16));
    m.recursion_desired = true;
    m.has_question = true;
    whole_name(b, name, m.name);
    m.type = DNS_A;
    m.class = 1;
    n = dns_encode(&m, w.at, writer_left(&w));
    if (n < 0)
        return; /* a name that cannot be written: the time-out tells */
    w.at += n;
    e = effects_add(fx, EFFECT_UDP);
    e->to = (struct endpoint){b->network.dns, 53};
    e->fresh = true;
    effects_bytes(fx, e, &w);
}

enum boot_dns_status boot_name_answer(struct boot *b, const void *bytes, size_t len, struct ip *ret)
{
    struct dns_message m;

    if (dns_decode(bytes, len, &m) < 0 || !m.response || m.id != (uint16_t)(b->transaction >> 16))
        return 0;
    for (unsigned i = 0; i < m.n_records; i++) {
        if (m.records[i].section == DNS_ANSWER && m.records[i].type == DNS_A) {
            *ret = m.records[i].ip;
            return BOOT_DNS_FINE;
        }
    }
    return BOOT_DNS_NOT_FOUND;
}
