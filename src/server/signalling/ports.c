/* ports.c - the ports where phones register, each a service of its own. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "core/counters.h"
#include "core/settings.h"
#include "server/certificates.h"
#include "server/peers/peers.h"

#define LINKS_MAX    250000
#define FILES_SPARED 512 /* of the open files allowed, left to the other threads */
#define LINKS_SPARED 64  /* accepted beyond the sessions, so that silent ones can make room */
#define QUEUED_MAX   (256u * 1024) /* bytes a phone may leave unread */
#define RECEIVE_BUFFER                                                                             \
    (4u << 20) /* of UDP, asked from the kernel: a burst of some thousand phones */
#define DATAGRAM_MAX                                                                               \
    (65536 + 64)      /* as long as can be; buffers in a row do not share cache sets               \
                       */
#define TOLD_MS 60000 /* between two alarms about failed handshakes on a port */
#define READ_US      4000 /* of a turn, for datagrams … */
#define LATE_MS      2    /* … after this newcomers wait */
#define WAITED_US    1000 /* of a turn, for newcomers that waited then */
#define NEWCOMERS_US 2000 /* of a turn, so that registered phones do not wait for a storm */

enum profile { PROFILE_NONE, PROFILE_USUAL, PROFILE_OLD };

static const struct port_row {
    enum service_id service;
    const char *protocol, *transport, *key;
    size_t number; /* offset in the bootstrap settings */
    enum profile profile;
} port_rows[N_PORTS] = {
#define PORT(service, protocol, transport, key, field, profile)                                    \
    {SERVICE_##service, #protocol, #transport, key, offsetof(struct bootstrap, field), profile},
#include "server/signalling/ports.def"
#undef PORT
};

static int32_t number_of(const struct port *p)
{
    const char *b = (const char *)server_bootstrap(p->owner->thread->server);

    return *(const int32_t *)(b + port_rows[p->id].number);
}

static bool is_open(const struct port *p)
{
    return p->tcp || p->udp[0] || p->udp[1];
}

/* --- links --- */

static int sip_open(struct port *p, uint64_t link, const struct endpoint *peer,
                    const struct endpoint *local)
{
    struct signalling *s = p->owner;
    char subject[256];

    tcp_subject(p->tcp, link, subject, sizeof(subject));
    return sip_stations_open(s->sip, link, p->tls ? SIP_TLS : SIP_TCP, peer, local,
                             text_of(subject), signalling_now(s), s->effects);
}

static void on_open(void *context, uint64_t link, const struct endpoint *peer,
                    const struct endpoint *local)
{
    struct port *p = context;
    struct signalling *s = p->owner;

    signalling_trace_link(s, link, peer, -EINPROGRESS);
    if (signalling_is_sip(p->id)
            ? sip_open(p, link, peer, local)
            : stations_open(s->stations, link, peer, local, signalling_now(s), s->effects))
        tcp_close(p->tcp, link);
    signalling_carry_out(s);
}

static void on_input(void *context, uint64_t link, const uint8_t *bytes, size_t len)
{
    const struct port *p = context;
    struct signalling *s = p->owner;
    struct moment at = signalling_now(s);
    size_t n = 0;

    do {
        if (signalling_is_sip(p->id))
            n += sip_stations_input(s->sip, link, bytes + n, len - n, at, s->effects);
        else
            n += stations_input(s->stations, link, bytes + n, len - n, at, s->effects);
        signalling_carry_out(s);
    } while (n < len);
}

static void on_close(void *context, uint64_t link, int err)
{
    const struct port *p = context;
    struct signalling *s = p->owner;

    signalling_trace_link(s, link, NULL, err);
    if (signalling_is_sip(p->id))
        sip_stations_closed(s->sip, link, err, signalling_now(s), s->effects);
    else
        stations_closed(s->stations, link, err, signalling_now(s), s->effects);
    signalling_carry_out(s);
}

/* --- datagrams --- */

static void give_datagram(struct port *p, const struct udp_datagram *d, struct moment at)
{
    struct endpoint local = {d->to, (uint16_t)number_of(p)};

    if (!effects_have_room(p->owner->effects))
        signalling_carry_out(p->owner);
    sip_stations_datagram(p->owner->sip, &d->from, &local, d->bytes, d->len, at, p->owner->effects);
}

/* Newcomers who waited, for as long as they may take: then registered phones are heard again. */
static void on_newcomers_turn(uv_idle_t *idle)
{
    struct signalling *s = idle->data;
    uint64_t end_ns = uv_hrtime() + WAITED_US * 1000ull;
    struct moment at = signalling_now(s);
    struct udp_datagram d;
    bool more;

    while ((more = backlog_take(&s->newcomers, &d))) {
        give_datagram(&s->ports[PORT_SIP_UDP], &d, at);
        if (uv_hrtime() > end_ns)
            break;
    }
    signalling_carry_out(s);
    if (!more)
        uv_idle_stop(idle);
}

/* It is dropped where too many wait: it comes again (RFC 3261 17.1.2). */
static void newcomer_waits(struct signalling *s, const struct udp_datagram *d)
{
    if (backlog_put(&s->newcomers, d) < 0) {
        count(COUNT_SIP_NEWCOMERS_LOST);
        return;
    }
    count(COUNT_SIP_NEWCOMERS_WAITED);
    uv_idle_start(&s->newcomers_turn, on_newcomers_turn);
}

static bool is_late(const struct signalling *s)
{
    return uv_hrtime() / 1000000 >= uv_now(&s->thread->loop) + LATE_MS;
}

/* SIP is for one receiver; what a whole network hears (RFC 3261 18.1.1) would be answered by all.
 * When a turn has taken long, newcomers begin to wait, until none is left; on a slow machine one batch is long. */
static void on_datagrams(void *context, const struct udp_datagram *batch, size_t n)
{
    struct port *p = context;
    struct signalling *s = p->owner;
    struct moment at = signalling_now(s);
    bool crowded = s->newcomers.n;

    for (size_t i = 0; i < n; i++) {
        if (batch[i].group)
            continue;
        signalling_heard(s, (struct device_name){""}, 0, &batch[i].from, batch[i].bytes,
                         batch[i].len);
        crowded = crowded || is_late(s);
        if (crowded && !sip_stations_knows(s->sip, &batch[i].from, at.ms))
            newcomer_waits(s, &batch[i]);
        else
            give_datagram(p, &batch[i], at);
    }
    signalling_carry_out(s);
}

size_t signalling_links_allowed(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= LINKS_MAX + FILES_SPARED)
        return LINKS_MAX;
    return limit.rlim_cur > 2 * FILES_SPARED ? limit.rlim_cur - FILES_SPARED : limit.rlim_cur / 2;
}

/* --- what the others are told --- */

static void port_alarm(struct port *p, enum alarm_id id)
{
    struct alarm_draft d;

    alarm_begin(&d, id);
    if (id != ALARM_STATION_PORT_INIT_ERROR) {
        alarm_put(&d, "Protocol", "%s", port_rows[p->id].protocol);
        alarm_put(&d, "PortNumber", "%d", (int)number_of(p));
    }
    server_alarm(p->owner->thread->server, alarm_finish(&d));
}

/* Scanners knock on every port: all are counted, one a minute is an alarm. */
static void on_failed(void *context, const struct endpoint *peer, const char *why)
{
    struct port *p = context;
    uint64_t now = uv_now(&p->owner->thread->loop);
    char address[IP_TEXT_MAX];
    struct alarm_draft d;

    count(COUNT_TLS_FAILED);
    if (p->told_ms && now - p->told_ms < TOLD_MS)
        return;
    p->told_ms = now;
    ip_print(peer->ip, address);
    log_notice("tls", "%s: no TLS on port %u: %s", address, (unsigned)number_of(p), why);
    alarm_begin(&d, ALARM_CONNECTION_FAILURE);
    if (peer->ip.family != 6)
        alarm_put_ip(&d, peer->ip);
    alarm_put(&d, "Description", "%s", why);
    alarm_put_reason(&d, strstr(why, "cipher") ? 3 : 1); /* InvalidTLSCipher, AuthenticationError */
    if (peer->ip.family == 6)
        alarm_put_ip(&d, peer->ip);
    server_alarm(p->owner->thread->server, alarm_finish(&d));
}

static void tell_state(struct port *p, enum service_state state, uint64_t token, const char *words)
{
    server_service_state(p->owner->thread->server, port_rows[p->id].service, state, token, "%s",
                         words);
}

/* --- opening and closing --- */

/* A context from the certificates that lie in the data folder. */
static int take_certificates(struct port *p, char *words, size_t size)
{
    const struct bootstrap *b = server_bootstrap(p->owner->thread->server);
    struct certificate_files files;
    struct tls_options o = server_tls_options(b, port_rows[p->id].profile == PROFILE_OLD, &files);

    o.secret = signalling_secret;
    o.context = p;
    return p->tls ? tls_reload(p->tls, &o, words, size) : tls_new(&o, &p->tls, words, size);
}

static int tls_open(struct port *p, char *words, size_t size)
{
    unsigned made;
    int err;

    if (port_rows[p->id].profile == PROFILE_NONE)
        return 0;
    err =
        server_certificates(server_bootstrap(p->owner->thread->server), false, &made, words, size);
    return err ? err : take_certificates(p, words, size);
}

static uint8_t tos_of(const struct signalling *s)
{
    return (uint8_t)(directory_number(s->directory, SET_dscp_callmanager_to_device) << 2);
}

static int open_tcp(struct port *p, const struct endpoint *at)
{
    struct signalling *s = p->owner;
    struct tcp_options o = {.local = *at,
                            .tag = (uint8_t)p->id,
                            .tls = p->tls,
                            .tos = tos_of(s),
                            .max_links = signalling_links_allowed() + LINKS_SPARED,
                            .max_queued = QUEUED_MAX,
                            .newcomers_us = NEWCOMERS_US,
                            .context = p,
                            .on_open = on_open,
                            .on_input = on_input,
                            .on_close = on_close,
                            .on_failed = on_failed};

    return tcp_listen(&s->thread->loop, &o, &p->tcp);
}

static int open_udp(struct port *p, const struct endpoint *at, uint8_t family)
{
    struct signalling *s = p->owner;
    struct udp_options o = {.local = *at,
                            .tos = tos_of(s),
                            .receive_buffer = RECEIVE_BUFFER,
                            .max_len = DATAGRAM_MAX,
                            .turn_us = READ_US,
                            .input = on_datagrams,
                            .context = p};
    struct udp **udp = &p->udp[family == 6];
    int err;

    o.local.ip.family = family;
    err = udp_open(&s->thread->loop, &o, udp);
    if (!err && !(family == 6 && p->udp[0]) && udp_receive_room(*udp) < RECEIVE_BUFFER)
        log_info("sip",
                 "no more than %zu KB may wait on UDP port %d: when thousands of phones come at once, some repeat "
                 "themselves (sysctl net.core.rmem_max=%u)",
                 udp_receive_room(*udp) / 1024, (int)number_of(p), RECEIVE_BUFFER);
    return err;
}

/* Without an address: IPv4 and, where the system has it, IPv6. */
static int open_udp_both(struct port *p, const struct endpoint *at)
{
    int err;

    if (at->ip.family)
        return open_udp(p, at, at->ip.family);
    err = open_udp(p, at, 4);
    if (!err)
        err = open_udp(p, at, 6);
    return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL ? 0 : err;
}

static int listen_on(struct port *p, char *words, size_t size)
{
    const struct bootstrap *b = server_bootstrap(p->owner->thread->server);
    struct endpoint at = {.port = (uint16_t)number_of(p)};
    bool udp = p->id == PORT_SIP_UDP;
    int err = 0;

    if (*b->listen_address && ip_parse(text_of(b->listen_address), &at.ip) < 0)
        err = -EINVAL;
    if (!err)
        err = udp ? open_udp_both(p, &at) : open_tcp(p, &at);
    if (err < 0)
        server_bind_error(p->owner->thread->server, err, &at, udp, words, size);
    return err;
}

static void port_free(struct port *p)
{
    tcp_stop(p->tcp);
    for (int i = 0; i < 2; i++) {
        udp_close(p->udp[i]);
        p->udp[i] = NULL;
    }
    tls_free(p->tls);
    p->tcp = NULL;
    p->tls = NULL;
}

static void port_open(struct port *p, uint64_t token)
{
    const struct port_row *row = &port_rows[p->id];
    char words[200];

    if (!number_of(p)) {
        snprintf(words, sizeof(words), "%s is 0", row->key);
        tell_state(p, SERVICE_OFF, token, words);
        return;
    }
    if (!is_open(p) &&
        (tls_open(p, words, sizeof(words)) < 0 || listen_on(p, words, sizeof(words)) < 0)) {
        port_free(p);
        tell_state(p, SERVICE_FAILED, token, words);
        port_alarm(p, signalling_is_sip(p->id) ? ALARM_SERVICE_PORT_OFFLINE
                                               : ALARM_STATION_PORT_INIT_ERROR);
        return;
    }
    snprintf(words, sizeof(words), "%s on %s %d", row->protocol, row->transport, (int)number_of(p));
    tell_state(p, SERVICE_RUNNING, token, words);
    port_alarm(p, ALARM_SERVICE_PORT_ONLINE);
}

static void forget_newcomers(struct signalling *s)
{
    uv_idle_stop(&s->newcomers_turn);
    backlog_done(&s->newcomers);
}

/* Phones are not told: they move to their backup at once, or come back when we do. Those on UDP
 * have no connection to lose: they count as registered until they should have been heard again. */
static void port_close(struct port *p)
{
    size_t cursor = 0;
    uint64_t link;

    if (!is_open(p))
        return;
    while (p->tcp && (link = tcp_next(p->tcp, &cursor)))
        on_close(p, link, -ESHUTDOWN);
    if (p->id == PORT_SIP_UDP)
        forget_newcomers(p->owner);
    port_free(p);
    port_alarm(p, ALARM_SERVICE_PORT_OFFLINE);
}

void signalling_ports_open(struct signalling *s)
{
    for (int id = 0; id < N_PORTS; id++) {
        s->ports[id].owner = s;
        s->ports[id].id = (enum port_id)id;
        port_open(&s->ports[id], 0);
    }
}

void signalling_ports_close(struct signalling *s)
{
    for (int id = 0; id < N_PORTS; id++)
        port_close(&s->ports[id]);
    while (sip_stations_drop_all(s->sip, signalling_now(s), s->effects))
        signalling_carry_out(s);
    signalling_carry_out(s);
}

void signalling_service(struct signalling *s, const struct message *m)
{
    for (int id = 0; id < N_PORTS; id++) {
        struct port *p = &s->ports[id];

        if (port_rows[id].service != (enum service_id)m->service.service)
            continue;
        if (m->service.wanted == SERVICE_RUNNING) {
            port_open(p, m->service.token);
            return;
        }
        port_close(p);
        tell_state(p, SERVICE_STOPPED, m->service.token, "stopped by the administrator");
    }
}

void signalling_certificates_reload(struct signalling *s)
{
    char words[200];

    for (int id = 0; id < N_PORTS; id++)
        if (s->ports[id].tls && take_certificates(&s->ports[id], words, sizeof(words)) < 0)
            log_error("tls", "%s: the certificates shown before stay", words);
    peers_certificates_reload(s->peers);
}
