/* requests.c - what people ask the addressing thread: leases, scopes, neighbours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/addressing/addressing.h"

#define PAGE_DEFAULT 100
#define PIECE        1000 /* leases looked at per round of a search */

static const char *text_argument(const json_t *arguments, const char *key)
{
    const char *s = json_string_value(json_object_get(arguments, key));

    return s ? s : "";
}

static size_t limit_of(const json_t *arguments) /* 0: all */
{
    const json_t *limit = json_object_get(arguments, "limit");
    json_int_t n = json_integer_value(limit);

    if (!json_is_integer(limit))
        return PAGE_DEFAULT;
    return n > 0 ? (size_t)n : SIZE_MAX;
}

static bool row_has(const json_t *row, struct text needle)
{
    const json_t *cell;
    size_t i;

    if (!needle.len)
        return true;
    json_array_foreach(row, i, cell)
    {
        if (json_is_string(cell) && text_contains_nocase(text_of(json_string_value(cell)), needle))
            return true;
    }
    return false;
}

/* --- leases --- */

static const char *print_time(uint64_t ms, char to[static 32])
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&s, &tm);
    strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return to;
}

static json_t *lease_row(const struct addressing *a, const struct lease *lease)
{
    const struct subnets *subnets = leases_subnets(dhcp_server_leases(a->dhcp));
    char address[IP_TEXT_MAX], mac[MAC_TEXT_MAX] = "", until[32];

    if (mac_number(lease->mac))
        mac_print(lease->mac, mac);
    return json_pack("[s s s s s s s]", ip_print(ip_v4(lease->address), address), mac,
                     lease_states[lease->state], print_time(lease->until_ms, until), lease->name,
                     lease->vendor, lease->pool ? subnets->at[lease->pool - 1].name : "");
}

/* Fills `rows` with up to `limit` leases above `after`; returns the address the next page follows,
 * or 0. */
static uint32_t collect(const struct addressing *a, uint32_t after, struct text search,
                        size_t limit, json_t *rows)
{
    struct leases *l = dhcp_server_leases(a->dhcp);
    size_t n, piece = limit > PIECE || search.len ? leases_total(l) + 1 : PIECE;
    struct lease **page = calloc(piece, sizeof(struct lease *));

    while (page && (n = leases_page(l, after, page, piece))) {
        for (size_t i = 0; i < n; i++) {
            json_t *row;

            if (json_array_size(rows) == limit) {
                free(page);
                return after;
            }
            after = page[i]->address;
            row = lease_row(a, page[i]);
            if (row && row_has(row, search))
                json_array_append(rows, row);
            json_decref(row);
        }
    }
    free(page);
    return 0;
}

static void lease_list(struct addressing *a, uint64_t token, const json_t *arguments)
{
    json_t *rows = json_array();
    uint32_t after = 0, next;
    char text[IP_TEXT_MAX];
    json_t *body;

    subnet_address_parse(text_of(text_argument(arguments, "after")), &after);
    next =
        collect(a, after, text_of(text_argument(arguments, "search")), limit_of(arguments), rows);
    body = json_pack("{s:[s s s s s s s], s:o, s:I}", "columns", "address", "mac", "state",
                     "expires", "name", "vendor", "scope", "rows", rows, "total",
                     (json_int_t)leases_total(dhcp_server_leases(a->dhcp)));
    if (next)
        json_object_set_new(body, "next", json_string(ip_print(ip_v4(next), text)));
    server_reply(a->server, token, 0, body);
}

/* By address, or the active one of an Ethernet address. */
static struct lease *lease_named(const struct addressing *a, struct text name)
{
    struct leases *l = dhcp_server_leases(a->dhcp);
    struct lease_client client;
    struct lease *lease = NULL;
    struct mac mac;
    uint32_t address;
    char id[7];

    if (subnet_address_parse(name, &address) == 0)
        return lease_at(l, address);
    if (name.len == 15) /* SEP001122334455 */
        name = text_skip(name, 3);
    if (mac_parse(name, &mac) < 0)
        return NULL;
    id[0] = 1; /* as phones identify themselves: type and address */
    memcpy(id + 1, mac.bytes, sizeof(mac.bytes));
    client = lease_client_of((struct text){id, sizeof(id)}, 1, mac.bytes, sizeof(mac.bytes));
    for (size_t i = 0; i < leases_subnets(l)->n && !lease; i++)
        lease = lease_of(l, i, &client);
    return lease ? lease : leases_by_mac(l, mac); /* known by another identifier */
}

static void lease_give_back(struct addressing *a, uint64_t token, const json_t *arguments)
{
    const char *name = text_argument(arguments, "address");
    char address[IP_TEXT_MAX], mac[MAC_TEXT_MAX];
    struct lease *lease;

    if (!*name)
        name = text_argument(arguments, "mac");
    lease = lease_named(a, text_trim(text_of(name)));
    if (!lease || lease->state == LEASE_EXPIRED) {
        server_refuse_as(a->server, token, 404, "no lease is in force for '%s'", name);
        return;
    }
    ip_print(ip_v4(lease->address), address);
    mac_print(lease->mac, mac);
    lease_release(dhcp_server_leases(a->dhcp), lease, addressing_now(a));
    dhcp_server_flush(a->dhcp, addressing_now(a));
    dhcp_service_tick(a);
    server_reply(a->server, token, 0,
                 json_pack("{s:{s:s, s:s}}", "record", "address", address, "mac", mac));
}

/* --- scopes --- */

static json_t *scope_row(const struct leases *l, size_t i)
{
    const struct subnet *s = &leases_subnets(l)->at[i];
    struct lease_counts n = leases_count(l, i);
    char network[IP_TEXT_MAX], subnet[64];

    snprintf(subnet, sizeof(subnet), "%s/%d", ip_print(ip_v4(s->network), network),
             __builtin_popcount(s->mask));
    return json_pack("[s s I I I I I I I]", s->name, subnet, (json_int_t)n.size,
                     (json_int_t)n.active, (json_int_t)n.n_free, (json_int_t)n.offered,
                     (json_int_t)n.expired, (json_int_t)n.abandoned, (json_int_t)n.reserved);
}

static void scope_status(struct addressing *a, uint64_t token, const json_t *arguments)
{
    const struct leases *l = dhcp_server_leases(a->dhcp);
    struct text search = text_of(text_argument(arguments, "search"));
    json_t *rows = json_array();

    for (size_t i = 0; i < leases_subnets(l)->n; i++) {
        json_t *row = scope_row(l, i);

        if (row && row_has(row, search))
            json_array_append(rows, row);
        json_decref(row);
    }
    server_reply(a->server, token, 0,
                 json_pack("{s:[s s s s s s s s s], s:o}", "columns", "scope", "subnet", "size",
                           "active", "free", "offered", "expired", "abandoned", "reserved", "rows",
                           rows));
}

/* --- neighbours --- */

static const char *interface_name(const struct addressing *a, unsigned index)
{
    for (size_t i = 0; i < a->n_ports; i++)
        if (a->ports[i].interface.index == index)
            return a->ports[i].name;
    return "";
}

static json_t *vlan_cell(uint16_t vlan)
{
    return vlan ? json_integer(vlan) : json_null();
}

static json_t *port_row(const struct addressing *a, const struct neighbour *n)
{
    char mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX] = "", seen[32];

    if (n->ip.family)
        ip_print(n->ip, ip);
    return json_pack("[s s s s s s s s o o b s]", interface_name(a, n->interface),
                     mac_print(n->mac, mac), n->device, n->port, n->platform, n->version, ip,
                     n->protocol == NEIGHBOUR_CDP ? "cdp" : "lldp", vlan_cell(n->voice_vlan),
                     vlan_cell(n->native_vlan), (int)n->phone, print_time(n->last_ms, seen));
}

static void port_list(struct addressing *a, uint64_t token, const json_t *arguments)
{
    struct text search = text_of(text_argument(arguments, "search"));
    size_t cursor = 0, limit = limit_of(arguments);
    const struct neighbour *n;
    json_t *rows = json_array();

    while (a->discovery && json_array_size(rows) < limit &&
           (n = discovery_next(a->discovery, &cursor))) {
        json_t *row = port_row(a, n);

        if (row && row_has(row, search))
            json_array_append(rows, row);
        json_decref(row);
    }
    server_reply(a->server, token, 0,
                 json_pack("{s:[s s s s s s s s s s s s], s:o, s:I}", "columns", "interface", "mac",
                           "device", "port", "platform", "version", "address", "protocol",
                           "voice_vlan", "native_vlan", "phone", "last_seen", "rows", rows, "total",
                           (json_int_t)(a->discovery ? discovery_count(a->discovery) : 0)));
}

/* --- all --- */

static const struct {
    enum request_id id;
    void (*act)(struct addressing *a, uint64_t token, const json_t *arguments);
} verbs[] = {
    {REQUEST_LEASE_LIST, lease_list},
    {REQUEST_LEASE_RELEASE, lease_give_back},
    {REQUEST_SCOPE_STATUS, scope_status},
    {REQUEST_PORT_LIST, port_list},
    {REQUEST_INTERFACE_LIST, interface_list},
    {REQUEST_INTERFACE_PROBE, interface_probe},
    {REQUEST_CONFIG_TAKE, addressing_configure},
};

void addressing_request(struct addressing *a, uint64_t token, const char *verb,
                        const json_t *arguments)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(request_rows[verbs[i].id].verb, verb) == 0) {
            verbs[i].act(a, token, arguments);
            return;
        }
    server_refuse(a->server, token, "'%s' is not known here", verb);
}
