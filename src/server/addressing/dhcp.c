/* dhcp.c - the sockets, the disk and the settings of the DHCP server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/models.h"
#include "core/directory.h"
#include "provision/file_guard.h"
#include "server/addressing/addressing.h"
#include "wire/boot/arp.h"
#include "wire/boot/datagram.h"
#include "wire/boot/dhcp.h"

#define TOPIC        "dhcp"
#define TOS          96 /* CS3, as all signalling */
#define RECEIVE_ROOM (4u << 20)
#define DATAGRAM_MAX 1500

/* --- effects --- */

static struct dhcp_link *link_of(struct addressing *a, unsigned index)
{
    for (size_t i = 0; i < a->n_links; i++)
        if (a->links[i].interface.index == index && a->links[i].udp)
            return &a->links[i];
    return NULL;
}

/* Straight to a client that has no address to answer ARP with (RFC 2131 4.1). */
static bool send_frame(struct dhcp_link *link, const struct dhcp_reply *r)
{
    uint8_t frame[ETHERNET_FRAME_MAX];
    struct datagram d = {.to_mac = r->mac,
                         .from_mac = link->interface.mac,
                         .to = r->to,
                         .from = r->from,
                         .to_port = r->to_port,
                         .from_port = udp_port(link->udp),
                         .tos = TOS,
                         .payload = {(const char *)r->bytes, r->len}};
    int n;

    if (!link->raw || !mac_number(link->interface.mac))
        return false;
    n = datagram_encode(&d, frame, sizeof(frame));
    if (n > 0)
        raw_send(link->raw, frame, (size_t)n);
    return n > 0;
}

static void on_send(void *context, const struct dhcp_reply *r)
{
    struct dhcp_link *link = link_of(context, r->interface);
    struct endpoint to = {ip_v4(r->to), r->to_port};

    addressing_trace(context, TRACE_DHCP_OUT, &to, r->bytes, r->len);

    if (!link || (r->frame && send_frame(link, r)))
        return;
    if (r->frame && mac_number(link->interface.mac))
        to.ip = ip_v4(UINT32_MAX); /* no frames without the capability */
    udp_send(link->udp, &to, ip_v4(r->from), link->interface.index, r->bytes, r->len);
}

static void on_probe(void *context, const struct dhcp_probe *probe)
{
    struct addressing *a = context;
    struct dhcp_link *link = link_of(a, probe->interface);
    uint8_t frame[ARP_FRAME_SIZE];
    struct arp ask;

    if (probe->icmp) {
        if (a->icmp)
            icmp_ask(a->icmp, ip_v4(probe->address));
        return;
    }
    if (!link || !link->raw)
        return;
    ask = arp_probe(link->interface.mac, probe->address);
    if (arp_encode(&ask, frame, sizeof(frame)) > 0)
        raw_send(link->raw, frame, sizeof(frame));
}

static void on_store(void *context, uint64_t batch, struct lease_rows *take_rows)
{
    struct addressing *a = context;
    struct message m = {.id = MESSAGE_LEASES, .leases = {batch, take_rows}};

    if (server_post(a->server, THREAD_LEASES, &m) < 0)
        dhcp_server_stored(a->dhcp, batch, -ENOBUFS, addressing_now(a));
}

static void on_progress(void *context, const struct progress_event *event)
{
    struct addressing *a = context;

    server_progress(a->server, event);
}

static void on_alarm(void *context, struct alarm *take_alarm)
{
    struct addressing *a = context;

    server_alarm(a->server, take_alarm);
}

static bool on_knows(void *context, struct device_name device)
{
    struct addressing *a = context;

    return a->thread->directory && directory_phone(a->thread->directory, text_of(device.s));
}

/* --- the others learn who has which address --- */

/* The 7985 and 6911 want KeepAliveAck before they register, so signalling must know them by
 * address. */
static bool sends_keepalive_first(struct addressing *a, struct device_name device)
{
    const struct phone *phone =
        a->thread->directory ? directory_phone(a->thread->directory, text_of(device.s)) : NULL;
    const struct model *model = phone ? model_find((uint32_t)phone->model) : NULL;

    return model && model->quirks & MODEL_KEEPALIVE_FIRST;
}

static bool tell_binding(struct addressing *a, const struct lease *lease)
{
    bool gone = lease->state != LEASE_ACTIVE;
    struct message m = {.id = MESSAGE_BINDING};

    m.binding.device = device_name_of_mac(lease->mac);
    m.binding.ip = ip_v4(lease->address);
    m.binding.by = BOUND_BY_LEASE;
    m.binding.gone = gone;
    if (!gone && sends_keepalive_first(a, m.binding.device))
        server_post(a->server, THREAD_SIGNALLING, &m);
    if (atomic_load_explicit(&trace_follows, memory_order_relaxed))
        server_post(a->server, THREAD_TRACES, &m);
    return server_post(a->server, THREAD_FILES, &m) == 0;
}

static void tell_news(struct addressing *a)
{
    struct leases *l = dhcp_server_leases(a->dhcp);
    struct lease *lease;

    while ((lease = leases_news(l))) {
        if (!lease->phone || !mac_number(lease->mac) || tell_binding(a, lease))
            continue;
        lease_tell_again(l, lease); /* its mailbox is full: at the next turn */
        return;
    }
}

/* --- turns --- */

static void flush_links(struct addressing *a)
{
    for (size_t i = 0; i < a->n_links; i++) {
        if (a->links[i].udp)
            udp_flush(a->links[i].udp);
        if (a->links[i].raw)
            raw_flush(a->links[i].raw);
    }
}

/* What each turn ends with, whatever it began with. */
static void end_turn(struct addressing *a)
{
    uint64_t next = dhcp_server_tick(a->dhcp, addressing_now(a)); /* may send: before the flush */

    tell_news(a);
    flush_links(a);
    addressing_arm(a, next);
}

void dhcp_service_tick(struct addressing *a)
{
    if (a->dhcp)
        end_turn(a);
}

static void on_datagrams(void *context, const struct udp_datagram *batch, size_t n)
{
    struct dhcp_link *link = context;
    struct addressing *a = link->a;
    uint64_t now = addressing_now(a);

    for (size_t i = 0; i < n && a->leases_loaded;
         i++) { /* nobody is answered before they are known */
        struct dhcp_packet p = {link->interface.index,
                                ip_v4_number(batch[i].from.ip),
                                ip_v4_number(batch[i].to),
                                batch[i].from.port,
                                batch[i].bytes,
                                batch[i].len};

        addressing_trace(a, TRACE_DHCP_IN, &batch[i].from, batch[i].bytes, batch[i].len);
        dhcp_server_input(a->dhcp, &p, now);
    }
    dhcp_server_flush(a->dhcp, now);
    end_turn(a);
}

static void on_frame(void *context, const uint8_t *frame, size_t len)
{
    struct dhcp_link *link = context;
    struct addressing *a = link->a;
    struct datagram d;
    struct arp arp;

    if (arp_decode(frame, len, &arp) == 0)
        dhcp_server_seen(a->dhcp, arp.sender_ip, arp.sender_mac, addressing_now(a));
    else if (datagram_decode(frame, len, &d) == 0 && d.to_port == DHCP_CLIENT_PORT)
        dhcp_server_overheard(a->dhcp, link->interface.index, (const uint8_t *)d.payload.at,
                              d.payload.len, addressing_now(a));
    end_turn(a);
}

static void on_echo(void *context, struct ip from)
{
    struct addressing *a = context;

    dhcp_server_seen(a->dhcp, ip_v4_number(from), (struct mac){{0}}, addressing_now(a));
    end_turn(a);
}

void dhcp_service_stored(struct addressing *a, uint64_t batch, int err)
{
    dhcp_server_stored(a->dhcp, batch, err, addressing_now(a));
    end_turn(a);
}

/* --- links --- */

/* ARP replies, and what servers say to clients: UDP to port 68. */
static const struct sock_filter heard[] = {
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERNET_ARP, 0, 2),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARP_REPLY, 7, 8),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERNET_IPV4, 0, 7),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 5),
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
    BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_CLIENT_PORT, 0, 2),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
};

static void open_raw(struct dhcp_link *link)
{
    struct raw_options o = {.interface = link->interface.index,
                            .filter = heard,
                            .n_filter = sizeof(heard) / sizeof(heard[0]),
                            .input = on_frame,
                            .context = link};
    int err = raw_open(&link->a->thread->loop, &o, &link->raw);

    if (err)
        log_warning(TOPIC,
                    "%s: no Ethernet frames (%s): answers are broadcast and addresses not probed",
                    link->name, strerror(-err));
}

static int open_link(struct dhcp_link *link, char *error, size_t size)
{
    const struct bootstrap *b = &link->a->settings;
    struct udp_options o = {.local = {ip_v4(0), (uint16_t)b->dhcp_port},
                            .interface = link->name,
                            .broadcast = true,
                            .tos = TOS,
                            .receive_buffer = RECEIVE_ROOM,
                            .max_len = DATAGRAM_MAX,
                            .input = on_datagrams,
                            .context = link};
    int err = interface_find(link->name, &link->interface);

    if (err || !link->interface.n) {
        snprintf(error, size, "%s %s", link->name,
                 err ? "does not exist yet" : "has no IPv4 address yet");
        link->interface = (struct interface){0};
        return -EAGAIN;
    }
    err = udp_open(&link->a->thread->loop, &o, &link->udp);
    if (err) {
        server_bind_error(link->a->server, err, &o.local, true, error, size);
        link->interface = (struct interface){0}; /* looks changed: tried again at the next watch */
        return err;
    }
    if (!link->interface.loopback)
        open_raw(link);
    return 0;
}

static void close_link(struct dhcp_link *link)
{
    udp_close(link->udp);
    raw_close(link->raw);
    link->udp = NULL;
    link->raw = NULL;
    link->interface = (struct interface){0};
}

/* --- what the service says of itself --- */

static size_t count_open(const struct addressing *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_links; i++)
        n += a->links[i].udp != NULL;
    return n;
}

static void tell_state(struct addressing *a, uint64_t token)
{
    const struct bootstrap *b = &a->settings;
    char unserved[sizeof(a->unserved)];
    bool sidecar = strcmp(b->dhcp_mode, "sidecar") == 0;

    dhcp_find_unserved(a, unserved, sizeof(unserved));
    if (sidecar)
        unserved[0] = '\0';
    if (unserved[0] && strcmp(unserved, a->unserved) != 0)
        log_warning(TOPIC, "%s", unserved);
    memcpy(a->unserved, unserved, sizeof(unserved));
    server_service_state(a->server, SERVICE_DHCP, SERVICE_RUNNING, token, "%s",
                         unserved[0] ? unserved
                         : sidecar   ? "boot options only, no addresses"
                                     : b->dhcp_interfaces);
}

static void open_links(struct addressing *a, uint64_t token)
{
    char error[160] = "";
    int err = 0;

    for (size_t i = 0; i < a->n_links; i++) {
        int one = a->links[i].udp ? 0 : open_link(&a->links[i], error, sizeof(error));

        err = one ? one : err;
    }
    if (count_open(a) == 0) {
        if (token || strcmp(error, a->dhcp_error) != 0)
            server_service_state(a->server, SERVICE_DHCP, SERVICE_FAILED, token, "%s", error);
        memcpy(a->dhcp_error, error, sizeof(error));
        a->dhcp_runs = false;
        return;
    }
    if (err && strcmp(error, a->dhcp_error) != 0)
        log_warning(TOPIC, "%s", error);
    memcpy(a->dhcp_error, error, sizeof(error));
    if (!a->icmp && icmp_open(&a->thread->loop, on_echo, a, &a->icmp) < 0)
        a->icmp = NULL; /* behind relay agents nothing is probed then */
    dhcp_configure(a);
    a->dhcp_runs = true;
    tell_state(a, token);
}

void dhcp_service_start(struct addressing *a, uint64_t token)
{
    const struct bootstrap *b = &a->settings;
    char names[LINKS_MAX][16];

    a->dhcp_stopped = false;
    if (a->dhcp_runs) {
        tell_state(a, token);
        return;
    }
    a->n_links = addressing_names(b->dhcp_interfaces, names, LINKS_MAX);
    for (size_t i = 0; i < a->n_links; i++) {
        a->links[i] = (struct dhcp_link){.a = a};
        memcpy(a->links[i].name, names[i], sizeof(names[i]));
    }
    a->dhcp_wanted = a->n_links > 0;
    if (!a->dhcp_wanted)
        server_service_state(a->server, SERVICE_DHCP, SERVICE_OFF, token,
                             "no interface is named: dialtone config set dhcp.interfaces=eth0");
    else
        open_links(a, token);
}

void dhcp_service_close(struct addressing *a)
{
    a->dhcp_wanted = a->dhcp_runs = false;
    for (size_t i = 0; i < a->n_links; i++)
        close_link(&a->links[i]);
    icmp_close(a->icmp);
    a->icmp = NULL;
}

void dhcp_service_stop(struct addressing *a, uint64_t token)
{
    dhcp_service_close(a);
    a->dhcp_stopped = true;
    server_service_state(a->server, SERVICE_DHCP, SERVICE_STOPPED, token, "stopped");
}

void dhcp_service_loaded(struct addressing *a, const struct lease_rows *rows)
{
    struct leases *l = dhcp_server_leases(a->dhcp);

    for (size_t i = 0; rows && i < rows->n; i++)
        leases_load(l, &rows->at[i]);
    a->leases_loaded = true;
    end_turn(a);
}

/* --- changes --- */

/* Leases do not depend on the carrier. */
static bool link_changed(struct dhcp_link *link)
{
    struct interface now;

    if (interface_find(link->name, &now) < 0)
        now = (struct interface){0};
    return !interface_equal(&now, &link->interface) && (now.n || link->interface.n);
}

/* What a person changed is in force at once; what a program changes in a row is looked at soon. */
void dhcp_service_directory_changed(struct addressing *a)
{
    uint64_t mark = a->thread->directory ? dhcp_scopes_mark(a->thread->directory, true) : 0;
    bool changed = mark != a->quick_mark;

    a->quick_mark = mark;
    if (!a->scopes_changed && !changed)
        addressing_watch_soon(a);
    a->scopes_changed = true;
    if (changed)
        dhcp_service_watch(a);
}

static bool links_changed(struct addressing *a)
{
    bool changed = false;

    for (size_t i = 0; i < a->n_links; i++)
        if (link_changed(&a->links[i])) {
            close_link(&a->links[i]);
            changed = true;
        }
    return changed;
}

void dhcp_service_watch(struct addressing *a)
{
    uint64_t mark = a->scopes_mark;

    if (!a->dhcp_wanted || !a->leases_loaded)
        return;
    if (a->scopes_changed && a->thread->directory)
        mark = dhcp_scopes_mark(a->thread->directory, false);
    a->scopes_changed = false;
    if (links_changed(a)) {
        open_links(a, 0);
    } else if (mark != a->scopes_mark) {
        dhcp_configure(a);
        tell_state(a, 0);
    } else {
        struct dhcp_settings settings;

        dhcp_read_settings(a, &settings);
        dhcp_server_set(a->dhcp, &settings);
    }
    a->scopes_mark = mark;
    end_turn(a);
}

/* --- life --- */

int dhcp_service_init(struct addressing *a)
{
    const struct dhcp_sink sink = {a, on_send, on_probe, on_store, on_progress, on_alarm, on_knows};
    struct dhcp_settings settings;

    dhcp_read_settings(a, &settings);
    a->dhcp = dhcp_server_new(&sink, &settings, addressing_now(a));
    if (!a->dhcp)
        return -ENOMEM;
    dhcp_configure(a);
    if (a->thread->directory)
        a->scopes_mark = dhcp_scopes_mark(a->thread->directory, false);
    return 0;
}

void dhcp_service_done(struct addressing *a)
{
    for (size_t i = 0; i < a->n_links; i++)
        close_link(&a->links[i]);
    icmp_close(a->icmp);
    dhcp_server_free(a->dhcp);
    a->dhcp = NULL;
}
