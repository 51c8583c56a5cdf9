/* dns.c - the socket and the names of the DNS answerer. */
#include <string.h>

#include "server/addressing/addressing.h"
#include "wire/boot/dns.h"

static void on_questions(void *context, const struct udp_datagram *batch, size_t n)
{
    struct addressing *a = context;
    uint8_t answer[DNS_SIZE_MAX];

    for (size_t i = 0; i < n; i++) {
        size_t len;

        if (batch[i].group) /* a question to everybody is nobody's */
            continue;
        len = dns_answerer_input(a->names, batch[i].bytes, batch[i].len, batch[i].to, answer,
                                 sizeof(answer));
        if (len)
            udp_send(a->dns, &batch[i].from, batch[i].to, batch[i].interface, answer, len);
    }
}

static struct text without_dot(struct text name)
{
    if (name.len && name.at[name.len - 1] == '.')
        name.len--;
    return name;
}

/* CallManagers by name, when the server they run on is known by address. */
static void add_nodes(struct dns_answerer *names, const struct directory *dir)
{
    for (const struct callmanager *c = NULL;
         (c = directory_next(dir, ENTITY_callmanager, text_of(c ? c->name : "")));) {
        struct ip ip = {0};

        if (ip_parse(text_of(c->server), &ip) == 0)
            dns_answerer_add(names, text_of(c->name), ip);
    }
    for (const struct scope *s = NULL;
         (s = directory_next(dir, ENTITY_scope, text_of(s ? s->name : "")));)
        if (*s->domain)
            dns_answerer_add_domain(names, without_dot(text_of(s->domain)));
}

static struct dns_answerer *make_names(const struct addressing *a)
{
    struct dns_answerer *names = dns_answerer_new();
    struct ip own = {0};
    char node[64];

    if (!names)
        return NULL;
    ip_parse(text_of(a->settings.node_address), &own);
    addressing_node_name(a, node, sizeof(node));
    dns_answerer_add(names, TEXT(DNS_FALLBACK_NAME), own);
    if (node[0])
        dns_answerer_add(names, text_of(node), own);
    if (a->thread->directory)
        add_nodes(names, a->thread->directory);
    return names;
}

static uint64_t directory_age(const struct addressing *a)
{
    return a->thread->directory ? directory_version(a->thread->directory) : 0;
}

void dns_service_start(struct addressing *a, uint64_t token)
{
    const struct bootstrap *b = &a->settings;
    struct udp_options o = {
        .local.port = (uint16_t)b->dns_port, .input = on_questions, .context = a};
    char error[160];
    int err;

    if (!b->dns_port) {
        server_service_state(a->server, SERVICE_DNS, SERVICE_OFF, token,
                             "no port is set: --set dns.port=53");
        return;
    }
    ip_parse(text_of(b->listen_address), &o.local.ip);
    if (!a->names)
        a->names = make_names(a);
    a->names_version = directory_age(a);
    err = a->dns ? 0 : udp_open(&a->thread->loop, &o, &a->dns);
    if (err || !a->names) {
        o.local.ip = o.local.ip.family ? o.local.ip : ip_v4(0);
        server_service_state(
            a->server, SERVICE_DNS, SERVICE_FAILED, token, "%s",
            server_bind_error(a->server, err, &o.local, true, error, sizeof(error)));
        dns_service_done(a);
        return;
    }
    server_service_state(a->server, SERVICE_DNS, SERVICE_RUNNING, token, "UDP %d",
                         (int)b->dns_port);
}

void dns_service_done(struct addressing *a)
{
    udp_close(a->dns);
    a->dns = NULL;
    dns_answerer_free(a->names);
    a->names = NULL;
}

void dns_service_stop(struct addressing *a, uint64_t token)
{
    dns_service_done(a);
    server_service_state(a->server, SERVICE_DNS, SERVICE_STOPPED, token, "stopped");
}

void dns_service_watch(struct addressing *a)
{
    struct dns_answerer *names;

    if (!a->dns || a->names_version == directory_age(a))
        return;
    names = make_names(a);
    if (!names)
        return;
    dns_answerer_free(a->names);
    a->names = names;
    a->names_version = directory_age(a);
}
