/* interfaces.c - the machine's interfaces for whoever chooses one: what they are,
 * whether a DHCP server answers there already, and what was chosen. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/addressing/addressing.h"
#include "wire/boot/datagram.h"
#include "wire/boot/dhcp.h"

#define INTERFACES_MAX 64
#define OFFERS_MAX     8
#define AGAIN_MS       1500 /* the question is put twice */
#define PROBE_MS       4500 /* servers that look first whether an address is free take 3 s */
#define MORE_MS        800  /* after an offer, for those of other servers */

/* --- what there is --- */

static bool is_named(const char *list, const char *name)
{
    char names[LINKS_MAX][16];
    size_t n = addressing_names(list, names, LINKS_MAX);

    for (size_t i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static json_t *address_text(uint32_t address)
{
    char text[IP_TEXT_MAX];

    return json_string(ip_print(ip_v4(address), text));
}

static json_t *addresses_text(const struct interface *i)
{
    char text[INTERFACE_ADDRESSES_MAX * (IP_TEXT_MAX + 4)] = "", ip[IP_TEXT_MAX];

    for (unsigned k = 0; k < i->n; k++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s/%d", k ? ";" : "",
                 ip_print(ip_v4(i->address[k]), ip), __builtin_popcount(i->mask[k]));
    return json_string(text);
}

/* The scope that serves the interface's own network, or "". */
static const char *scope_of(const struct addressing *a, const struct interface *i)
{
    const struct subnets *s = leases_subnets(dhcp_server_leases(a->dhcp));

    for (size_t k = 0; k < s->n; k++)
        for (unsigned n = 0; n < i->n; n++)
            if ((i->address[n] & s->at[k].mask) == s->at[k].network)
                return s->at[k].name;
    return "";
}

static json_t *interface_row(const struct addressing *a, const struct interface *i)
{
    uint32_t mask = i->n ? i->mask[0] : 0, network = i->n ? i->address[0] & mask : 0, hosts = ~mask;
    char mac[MAC_TEXT_MAX] = "", subnet[64] = "", text[IP_TEXT_MAX];
    bool roomy = i->n && !i->loopback && hosts >= 7;

    if (mac_number(i->mac))
        mac_print(i->mac, mac);
    if (i->n)
        snprintf(subnet, sizeof(subnet), "%s/%d", ip_print(ip_v4(network), text),
                 __builtin_popcount(mask));
    return json_pack(
        "[s, s, s, o, b, b, s, s, o, o]", i->name, mac,
        i->loopback ? "loopback"
        : i->up     ? "up"
                    : "down",
        addresses_text(i), (int)is_named(a->settings.dhcp_interfaces, i->name),
        (int)is_named(a->settings.cdp_interfaces, i->name), scope_of(a, i), subnet,
        roomy ? address_text(network + (uint32_t)((uint64_t)hosts * 2 / 5)) : json_string(""),
        roomy ? address_text(network + (uint32_t)((uint64_t)hosts * 4 / 5)) : json_string(""));
}

void interface_list(struct addressing *a, uint64_t token, const json_t *arguments)
{
    struct interface *all = calloc(INTERFACES_MAX, sizeof(*all));
    int n = all ? interfaces_list(all, INTERFACES_MAX) : -ENOMEM;
    json_t *rows = json_array();

    (void)arguments;
    for (int i = 0; i < n; i++)
        json_array_append_new(rows, interface_row(a, &all[i]));
    free(all);
    server_reply(a->server, token, 0,
                 json_pack("{s:[s,s,s,s,s,s,s,s,s,s], s:o}", "columns", "name", "mac", "state",
                           "addresses", "dhcp", "cdp", "scope", "subnet", "first", "last", "rows",
                           rows));
}

/* --- does a DHCP server answer there? --- */

struct probe {
    struct addressing *a;
    uv_timer_t timer;
    struct raw *raw;
    struct interface interface;
    uint64_t token, until_ms;
    uint32_t xid;
    json_t *rows;
    uint32_t servers[OFFERS_MAX];
};

/* What servers say to clients: UDP to port 68. */
static const struct sock_filter offers[] = {
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERNET_IPV4, 0, 6),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 4),
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
    BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_CLIENT_PORT, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
};

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void interface_probe_done(struct addressing *a)
{
    struct probe *p = a->probe;

    if (!p)
        return;
    a->probe = NULL;
    raw_close(p->raw);
    json_decref(p->rows);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

/* The interface's own Ethernet address: a server that knows it offers what it has anyway, and port
 * security of a switch sees nothing strange. Nothing is ever requested, so nothing is taken. */
static void ask(struct probe *p)
{
    uint8_t frame[ETHERNET_FRAME_MAX], bytes[DHCP_SAFE_SIZE];
    struct dhcp_message m;
    struct datagram d = {.to_mac = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
                         .from_mac = p->interface.mac,
                         .to = UINT32_MAX,
                         .to_port = DHCP_SERVER_PORT,
                         .from_port = DHCP_CLIENT_PORT};
    int n;

    dhcp_init(&m, DHCP_BOOTREQUEST, p->xid, p->interface.mac);
    m.flags = DHCP_BROADCAST;
    dhcp_set_type(&m, DHCP_DISCOVER);
    dhcp_set_parameters(&m, TEXT("\x01\x03\x06\x33\x36\x42\x96"));
    n = dhcp_encode(&m, bytes, sizeof(bytes));
    if (n <= 0)
        return;
    d.payload = (struct text){(const char *)bytes, (size_t)n};
    n = datagram_encode(&d, frame, sizeof(frame));
    if (n > 0)
        raw_send(p->raw, frame, (size_t)n);
    raw_flush(p->raw);
}

static void answer(struct probe *p)
{
    size_t n = json_array_size(p->rows);
    json_t *body = json_pack(
        "{s:[s,s,s,s,s,s], s:O, s:[o]}", "columns", "server", "address", "routers", "dns", "tftp",
        "lease_seconds", "rows", p->rows, "notes",
        n ? json_sprintf(
                "%zu DHCP server%s answered on %s: choose dhcp.mode=sidecar, or switch %s off.", n,
                n > 1 ? "s" : "", p->interface.name, n > 1 ? "them" : "it")
          : json_sprintf("No DHCP server answered on %s: phones need dhcp.mode=full.",
                         p->interface.name));

    server_reply(p->a->server, p->token, 0, body);
    interface_probe_done(p->a);
}

static void on_timer(uv_timer_t *timer)
{
    struct probe *p = timer->data;

    if (uv_now(timer->loop) >= p->until_ms) {
        answer(p);
        return;
    }
    ask(p);
    uv_timer_start(timer, on_timer, p->until_ms - uv_now(timer->loop), 0);
}

static json_t *list_text(const struct dhcp_addresses *list)
{
    char text[DHCP_LIST_MAX * (IP_TEXT_MAX + 1)] = "", ip[IP_TEXT_MAX];

    for (unsigned i = 0; i < list->n; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? ";" : "",
                 ip_print(ip_v4(list->at[i]), ip));
    return json_string(text);
}

static json_t *tftp_text(const struct dhcp_message *m)
{
    char name[256];

    if (dhcp_has(m, DHCP_tftp_servers) || !dhcp_has(m, DHCP_tftp_name))
        return list_text(&m->tftp_servers);
    text_copy(name, sizeof(name), m->tftp_name);
    return json_of(text_of(name));
}

static bool is_new(struct probe *p, uint32_t server)
{
    size_t n = json_array_size(p->rows);

    for (size_t i = 0; i < n; i++)
        if (p->servers[i] == server)
            return false;
    if (n < OFFERS_MAX)
        p->servers[n] = server;
    return n < OFFERS_MAX;
}

static void on_frame(void *context, const uint8_t *frame, size_t len)
{
    struct probe *p = context;
    struct dhcp_message m;
    struct datagram d;
    uint64_t soon = uv_now(p->timer.loop) + MORE_MS;

    if (datagram_decode(frame, len, &d) < 0 || d.to_port != DHCP_CLIENT_PORT ||
        dhcp_decode(d.payload.at, d.payload.len, &m) < 0 || m.xid != p->xid ||
        m.type != DHCP_OFFER || !is_new(p, dhcp_has(&m, DHCP_server_id) ? m.server_id : d.from))
        return;
    json_array_append_new(
        p->rows, json_pack("[o, o, o, o, o, I]",
                           address_text(dhcp_has(&m, DHCP_server_id) ? m.server_id : d.from),
                           address_text(m.yiaddr), list_text(&m.routers), list_text(&m.dns_servers),
                           tftp_text(&m), (json_int_t)m.lease_s));
    if (soon < p->until_ms) {
        p->until_ms = soon;
        uv_timer_start(&p->timer, on_timer, MORE_MS, 0);
    }
}

static int probe_open(struct probe *p)
{
    struct raw_options o = {.interface = p->interface.index,
                            .filter = offers,
                            .n_filter = sizeof(offers) / sizeof(offers[0]),
                            .input = on_frame,
                            .context = p};

    if (p->interface.loopback || !mac_number(p->interface.mac))
        return -ENOTSUP;
    if (!p->interface.up)
        return -ENETDOWN;
    return raw_open(&p->a->thread->loop, &o, &p->raw);
}

void interface_probe(struct addressing *a, uint64_t token, const json_t *arguments)
{
    const char *name = json_string_value(json_object_get(arguments, "name"));
    struct probe *p = a->probe ? NULL : calloc(1, sizeof(*p));
    int err = p ? interface_find(name ? name : "", &p->interface) : -EBUSY;

    if (!err) {
        p->a = a;
        p->token = token;
        p->xid = (uint32_t)server_wall_us() | 1;
        err = probe_open(p);
    }
    if (err) {
        server_refuse_as(a->server, token, err == -ENODEV ? 404 : 422, "%s: %s", name ? name : "",
                      err == -ENODEV
                          ? "there is no such interface; \"dialtone interface list\" shows all"
                      : err == -EBUSY    ? "an interface is being probed; ask again in some seconds"
                      : err == -ENOTSUP  ? "it is no Ethernet interface"
                      : err == -ENETDOWN ? "it is down, or has no cable"
                      : err == -EPERM    ? "the server needs root or CAP_NET_RAW for that"
                                         : strerror(-err));
        free(p);
        return;
    }
    a->probe = p;
    p->rows = json_array();
    p->until_ms = uv_now(&a->thread->loop) + PROBE_MS;
    uv_timer_init(&a->thread->loop, &p->timer);
    p->timer.data = p;
    ask(p);
    uv_timer_start(&p->timer, on_timer, AGAIN_MS, 0);
}

/* --- what was chosen --- */

static bool take(struct addressing *a, const json_t *arguments, enum bootstrap_key key,
                 const char *name)
{
    const char *value = json_string_value(json_object_get(arguments, name));
    char before[256], after[256], error[256];

    bootstrap_print(&a->settings, key, before);
    bootstrap_keep(&a->settings, text_of(name), text_of(value), error, sizeof(error));
    return strcmp(before, bootstrap_print(&a->settings, key, after)) != 0;
}

void addressing_configure(struct addressing *a, uint64_t token, const json_t *arguments)
{
    bool dhcp = take(a, arguments, BOOT_dhcp_interfaces, "dhcp.interfaces"),
         mode = take(a, arguments, BOOT_dhcp_mode, "dhcp.mode"),
         cdp = take(a, arguments, BOOT_cdp_interfaces, "cdp.interfaces"),
         vlan = take(a, arguments, BOOT_cdp_voice_vlan, "cdp.voice_vlan");
    json_t *body = json_pack("{s:[]}", "notes");

    if ((dhcp || mode) && !a->dhcp_stopped) {
        dhcp_service_close(a);
        dhcp_service_start(a, 0);
    } else if (dhcp || mode) {
        json_array_append_new(json_object_get(body, "notes"),
                              json_string("DHCP is stopped: dialtone service start dhcp"));
    }
    if ((cdp || vlan) && !a->discovery_stopped) {
        discovery_service_done(a);
        discovery_service_start(a, 0);
    } else if (cdp || vlan) {
        json_array_append_new(
            json_object_get(body, "notes"),
            json_string("CDP and LLDP-MED are stopped: dialtone service start discovery"));
    }
    server_reply(a->server, token, 0, body);
}
