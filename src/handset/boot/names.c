/* names.c - the phone's DNS questions; see stages.h. */
#include <stdio.h>
#include <stdlib.h>

#include "handset/boot/stages.h"
#include "wire/boot/dns.h"
#include "wire/sip/resolve.h"

static void whole_name(const struct boot *b, const char *name, char to[DNS_NAME_MAX])
{
    bool bare = !strchr(name, '.') && *b->network.domain;

    snprintf(to, DNS_NAME_MAX, "%.60s%s%s", name, bare ? "." : "", bare ? b->network.domain : "");
}

/* A question by the phone's own number; `name` is whole. */
static void ask(struct boot *b, const char *name, uint16_t type, struct effects *fx)
{
    struct dns_message m;
    struct writer w = effects_writer(fx);
    struct effect *e;
    int n;

    b->transaction = b->transaction * 1664525u + 1013904223u;
    dns_init(&m, (uint16_t)(b->transaction >> 16));
    m.recursion_desired = true;
    m.has_question = true;
    text_copy(m.name, sizeof(m.name), text_of(name));
    m.type = type;
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

void boot_ask_name(struct boot *b, const char *name, struct effects *fx)
{
    char whole[DNS_NAME_MAX];

    whole_name(b, name, whole);
    ask(b, whole, DNS_A, fx);
}

static bool is_answer(const struct boot *b, const void *bytes, size_t len, struct dns_message *m)
{
    return dns_decode(bytes, len, m) == 0 && m->response &&
           m->id == (uint16_t)(b->transaction >> 16);
}

enum boot_dns_status boot_name_answer(struct boot *b, const void *bytes, size_t len, struct ip *ret)
{
    struct dns_message m;

    if (!is_answer(b, bytes, len, &m))
        return 0;
    for (unsigned i = 0; i < m.n_records; i++) {
        if (m.records[i].section == DNS_ANSWER && m.records[i].type == DNS_A) {
            *ret = m.records[i].ip;
            return BOOT_DNS_FINE;
        }
    }
    return BOOT_DNS_NOT_FOUND;
}

/* --- where a CallManager is --- */

struct boot_lookup {
    struct sip_resolve resolve;
    struct sip_question question;
};

static uint8_t transport_of(const struct phone_config *config)
{
    return config->transport_code == 2 ? SIP_UDP : config->transport_code == 3 ? SIP_TLS : SIP_TCP;
}

static void begin_service(struct boot *b, const char *name)
{
    char whole[DNS_NAME_MAX];
    struct sip_target unused;
    struct sip_wish wish = {.transport = transport_of(&b->config),
                            .n_transports = 1,
                            .transports = {transport_of(&b->config)},
                            .random = b->transaction};

    whole_name(b, name, whole);
    wish.host = text_of(whole);
    b->lookup = malloc(sizeof(*b->lookup));
    if (b->lookup &&
        (sip_resolve_start(&b->lookup->resolve, &wish) < 0 ||
         sip_resolve_next(&b->lookup->resolve, &b->lookup->question, &unused) != SIP_RESOLVE_ASK))
        boot_server_end(b);
}

void boot_server_end(struct boot *b)
{
    free(b->lookup);
    b->lookup = NULL;
}

void boot_server_begin(struct boot *b, struct effects *fx)
{
    boot_server_end(b);
    if (b->options.protocol == PROTOCOL_SIP)
        begin_service(b, b->config.servers[b->name_at].name);
    boot_server_ask(b, fx);
}

void boot_server_ask(struct boot *b, struct effects *fx)
{
    if (b->lookup)
        ask(b, b->lookup->question.name, b->lookup->question.type, fx);
    else
        boot_ask_name(b, b->config.servers[b->name_at].name, fx);
}

/* The port of the service counts, where there is one; else that of the file. */
static void take_target(struct boot *b, const struct sip_target *target, struct boot_server *ret)
{
    ret->at.ip = target->to.ip;
    if (!b->lookup->resolve.found)
        return;
    if (target->transport == SIP_TLS)
        ret->as_written.sips_port = target->to.port;
    else
        ret->as_written.sip_port = target->to.port;
}

static enum boot_dns_status go_on(struct boot *b, struct boot_server *ret, struct effects *fx)
{
    struct sip_target target;

    switch (sip_resolve_next(&b->lookup->resolve, &b->lookup->question, &target)) {
    case SIP_RESOLVE_ASK:
        b->tries = 0;
        boot_server_ask(b, fx);
        return 0;
    case SIP_RESOLVE_TRY:
        if (ret)
            take_target(b, &target, ret);
        return BOOT_DNS_FINE;
    default:
        return BOOT_DNS_NOT_FOUND;
    }
}

enum boot_dns_status boot_server_answer(struct boot *b, const void *bytes, size_t len,
                                        struct boot_server *ret, struct effects *fx)
{
    struct dns_message m;

    *ret = (struct boot_server){.as_written = b->config.servers[b->name_at]};
    if (!b->lookup)
        return boot_name_answer(b, bytes, len, &ret->at.ip);
    if (!is_answer(b, bytes, len, &m))
        return 0;
    sip_resolve_answer(&b->lookup->resolve, &m);
    return go_on(b, ret, fx);
}

enum boot_dns_status boot_server_silent(struct boot *b, struct effects *fx)
{
    if (!b->lookup)
        return BOOT_DNS_TIMEOUT;
    sip_resolve_answer(&b->lookup->resolve, NULL);
    return go_on(b, NULL, fx) ? BOOT_DNS_TIMEOUT : 0;
}
