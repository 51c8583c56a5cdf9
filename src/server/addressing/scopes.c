/* scopes.c - what the directory and the settings say of DHCP. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/directory.h"
#include "core/settings.h"
#include "server/addressing/addressing.h"

#define TOPIC "dhcp"
#define FEW   1000 /* reservations looked at after each change of the directory */
#define UNSERVED_FORM                                                                              \
    "no scope serves %s on %s; type: dialtone --data %s scope add %s subnet=%s first=%s last=%s"

void dhcp_read_settings(const struct addressing *a, struct dhcp_settings *s)
{
    const struct directory *dir = a->thread->directory;
    const struct bootstrap *b = &a->settings;
    struct ip ip;

    *s = (struct dhcp_settings){.sidecar = strcmp(b->dhcp_mode, "sidecar") == 0,
                                .port = (uint16_t)b->dhcp_port,
                                .probe_ms = 250,
                                .hold_s = 30,
                                .abandon_s = 86400,
                                .storm_limit = 100};
    if (ip_parse(text_of(b->node_address), &ip) == 0)
        s->tftp = ip_v4_number(ip);
    if (!dir)
        return;
    s->authoritative = directory_number(dir, SET_dhcp_authoritative);
    s->probe_ms = (uint32_t)directory_number(dir, SET_dhcp_probe_time);
    s->hold_s = (uint32_t)directory_number(dir, SET_dhcp_offer_time);
    s->abandon_s = (uint32_t)directory_number(dir, SET_dhcp_abandon_time);
    s->storm_limit = (uint32_t)directory_number(dir, SET_dhcp_request_limit);
}

static void complain(void *context, const char *text)
{
    (void)context;
    log_error(TOPIC, "%s", text);
}

static void core_interface(const struct dhcp_link *link, struct dhcp_interface *to)
{
    const struct interface *i = &link->interface;

    *to = (struct dhcp_interface){.index = i->index, .n = (uint8_t)i->n};
    memcpy(to->name, i->name, sizeof(to->name));
    memcpy(to->address, i->address, sizeof(to->address));
    memcpy(to->mask, i->mask, sizeof(to->mask));
    to->loopback = i->loopback;
    to->can_probe = link->raw && mac_number(i->mac);
}

void dhcp_configure(struct addressing *a)
{
    struct dhcp_interface interfaces[LINKS_MAX];
    struct dhcp_settings settings;
    struct subnets *subnets =
        a->thread->directory ? subnets_new(a->thread->directory, complain, a) : subnets_empty();
    size_t n = 0;

    for (size_t i = 0; i < a->n_links; i++)
        if (a->links[i].udp)
            core_interface(&a->links[i], &interfaces[n++]);
    dhcp_read_settings(a, &settings);
    dhcp_server_set(a->dhcp, &settings);
    if (!subnets || dhcp_server_configure(a->dhcp, subnets, interfaces, n) < 0)
        log_error(TOPIC, "no memory for the scopes: the old ones stay");
}

static const char *print(uint32_t address, char to[static IP_TEXT_MAX])
{
    return ip_print(ip_v4(address), to);
}

/* The whole command, with the network of that interface filled in. */
static void say_unserved(const struct addressing *a, const struct interface *i, char *to,
                         size_t size)
{
    uint32_t mask = i->mask[0], network = i->address[0] & mask, hosts = ~mask;
    char address[IP_TEXT_MAX], first[IP_TEXT_MAX], last[IP_TEXT_MAX], subnet[64];

    snprintf(subnet, sizeof(subnet), "%s/%d", print(network, address), __builtin_popcount(mask));
    snprintf(to, size, UNSERVED_FORM, subnet, i->name, a->settings.data, i->name,
             subnet, print(network + (uint32_t)((uint64_t)hosts * 2 / 5), first),
             print(network + (uint32_t)((uint64_t)hosts * 4 / 5), last));
}

/* Empty when each interface has a scope. Behind relay agents an interface may need none. */
void dhcp_find_unserved(struct addressing *a, char *to, size_t size)
{
    const struct subnets *subnets = leases_subnets(dhcp_server_leases(a->dhcp));
    struct dhcp_interface in;

    to[0] = '\0';
    for (size_t i = 0; i < a->n_links && !to[0]; i++) {
        core_interface(&a->links[i], &in);
        if (a->links[i].udp && !dhcp_interface_served(&in, subnets))
            say_unserved(a, &a->links[i].interface, to, size);
    }
}

static uint64_t mark_scopes(const struct directory *dir, uint64_t mark)
{
    for (const struct scope *s = NULL;
         (s = directory_next(dir, ENTITY_scope, text_of(s ? s->name : "")));)
        mark = mark * 1000003 + s->record.version;
    return mark;
}

static uint64_t mark_reservations(const struct directory *dir, uint64_t mark)
{
    for (const struct reservation *r = NULL;
         (r = directory_next(dir, ENTITY_reservation, text_of(r ? r->mac : "")));)
        mark = mark * 1000003 + r->record.version;
    return mark;
}

uint64_t dhcp_scopes_mark(const struct directory *dir, bool at_once)
{
    size_t n = directory_count(dir, ENTITY_reservation);
    uint64_t mark = mark_scopes(dir, directory_count(dir, ENTITY_scope) * 31 + n);

    return at_once && n > FEW ? mark : mark_reservations(dir, mark);
}
