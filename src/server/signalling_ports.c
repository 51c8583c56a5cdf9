/* signalling_ports.c - the ports where phones register, each a service of its own. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "core/counters.h"
#include "core/settings.h"
#include "server/certificates.h"
#include "server/signalling.h"

#define LINKS_MAX    250000
#define FILES_SPARED 512 /* of the open files allowed, left to the other threads */
#define LINKS_SPARED 64  /* accepted beyond the sessions, so that silent ones can make room */
#define QUEUED_MAX   (256u * 1024) /* bytes a phone may leave unread */
#define TOLD_MS      60000         /* between two alarms about failed handshakes on a port */

enum profile { PROFILE_NONE, PROFILE_USUAL, PROFILE_OLD };

static const struct port_row {
    enum service_id service;
    const char *protocol, *transport, *key;
    size_t number; /* offset in the bootstrap settings */
    enum profile profile;
} port_rows[N_PORTS] = {
#define PORT(service, protocol, transport, key, field, profile)                                    \
    {SERVICE_##service, #protocol, #transport, key, offsetof(struct bootstrap, field), profile},
#include "server/ports.def"
#undef PORT
};

/* --- links --- */

static void on_open(void *context, uint64_t link, const struct endpoint *peer,
                    const struct endpoint *local)
{
    struct port *p = context;
    struct signalling *s = p->owner;

    if (stations_open(s->stations, link, peer, local, signalling_now(s), s->effects) < 0)
        tcp_close(p->tcp, link);
    signalling_carry_out(s);
}

static void on_input(void *context, uint64_t link, const uint8_t *bytes, size_t len)
{
    struct signalling *s = ((struct port *)context)->owner;
    struct moment at = signalling_now(s);
    size_t n = 0;

    do {
        n += stations_input(s->stations, link, bytes + n, len - n, at, s->effects);
        signalling_carry_out(s);
    } while (n < len);
}

static void on_close(void *context, uint64_t link, int err)
{
    struct signalling *s = ((struct port *)context)->owner;

    stations_closed(s->stations, link, err, signalling_now(s), s->effects);
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

static void port_alarm(struct port *p, enum alarm_id id, unsigned number)
{
    struct alarm_draft d;

    alarm_begin(&d, id);
    if (id != ALARM_STATION_PORT_INIT_ERROR) {
        alarm_put(&d, "Protocol", "%s", port_rows[p->id].protocol);
        alarm_put(&d, "PortNumber", "%u", number);
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
    log_notice("tls", "%s: no TLS on port %u: %s", address, tcp_port(p->tcp), why);
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

static int32_t number_of(const struct port *p)
{
    const char *b = (const char *)server_bootstrap(p->owner->thread->server);

    return *(const int32_t *)(b + port_rows[p->id].number);
}

/* A context from the certificates that lie in the data folder. */
static int take_certificates(struct port *p, char *words, size_t size)
{
    const struct bootstrap *b = server_bootstrap(p->owner->thread->server);
    struct certificate_files files;
    struct tls_options o = server_tls_options(b, port_rows[p->id].profile == PROFILE_OLD, &files);

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

static int listen_on(struct port *p, char *words, size_t size)
{
    struct signalling *s = p->owner;
    const struct bootstrap *b = server_bootstrap(s->thread->server);
    struct tcp_options o = {
        .local.port = (uint16_t)number_of(p),
        .tag = (uint8_t)p->id,
        .tls = p->tls,
        .tos = (uint8_t)(directory_number(s->directory, SET_dscp_callmanager_to_device) << 2),
        .max_links = signalling_links_allowed() + LINKS_SPARED,
        .max_queued = QUEUED_MAX,
        .context = p,
        .on_open = on_open,
        .on_input = on_input,
        .on_close = on_close,
        .on_failed = on_failed};
    int err;

    if (*b->listen_address && ip_parse(text_of(b->listen_address), &o.local.ip) < 0)
        err = -EINVAL;
    else
        err = tcp_listen(&s->thread->loop, &o, &p->tcp);
    if (err < 0)
        server_bind_error(err, &o.local, false, words, size);
    return err;
}

static void port_free(struct port *p)
{
    tcp_stop(p->tcp);
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
    if (!p->tcp &&
        (tls_open(p, words, sizeof(words)) < 0 || listen_on(p, words, sizeof(words)) < 0)) {
        port_free(p);
        tell_state(p, SERVICE_FAILED, token, words);
        port_alarm(p, ALARM_STATION_PORT_INIT_ERROR, 0);
        return;
    }
    snprintf(words, sizeof(words), "%s on %s %u", row->protocol, row->transport, tcp_port(p->tcp));
    tell_state(p, SERVICE_RUNNING, token, words);
    port_alarm(p, ALARM_SERVICE_PORT_ONLINE, tcp_port(p->tcp));
}

/* Phones are not told: they move to their backup at once, or come back when we do. */
static void port_close(struct port *p)
{
    struct signalling *s = p->owner;
    size_t cursor = 0;
    unsigned number;
    uint64_t link;

    if (!p->tcp)
        return;
    while ((link = tcp_next(p->tcp, &cursor))) {
        stations_closed(s->stations, link, -ESHUTDOWN, signalling_now(s), s->effects);
        signalling_carry_out(s);
    }
    number = tcp_port(p->tcp);
    port_free(p);
    port_alarm(p, ALARM_SERVICE_PORT_OFFLINE, number);
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
}
