/* discovery.c - the sockets and settings of CDP and LLDP-MED. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/settings.h"
#include "server/addressing/addressing.h"
#include "wire/boot/cdp.h"
#include "wire/boot/lldp.h"

#define TOPIC "discovery"

static const struct mac groups[] = {{{0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc}},
                                    {{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e}}};

/* Frames to one of the two multicast addresses. */
static const struct sock_filter heard[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x01000ccc, 0, 2),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xcccc, 3, 4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0180c200, 0, 3),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x000e, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
};

/* --- effects and time --- */

static void on_send(void *context, unsigned interface, const uint8_t *frame, size_t len)
{
    struct addressing *a = context;

    for (size_t i = 0; i < a->n_ports; i++)
        if (a->ports[i].raw && a->ports[i].interface.index == interface) {
            raw_send(a->ports[i].raw, frame, len);
            raw_flush(a->ports[i].raw);
        }
}

static void on_progress(void *context, const struct progress_event *event)
{
    struct addressing *a = context;

    server_progress(a->server, event);
}

static void on_tick(uv_timer_t *timer);

static void tick(struct addressing *a)
{
    uint64_t next = discovery_tick(a->discovery, addressing_now(a));

    if (next == UINT64_MAX)
        uv_timer_stop(&a->discovery_tick);
    else
        uv_timer_start(&a->discovery_tick, on_tick, next, 0);
}

static void on_tick(uv_timer_t *timer)
{
    struct addressing *a = timer->data;

    if (a->discovery)
        tick(a);
}

static void on_frame(void *context, const uint8_t *frame, size_t len)
{
    struct discovery_port *port = context;
    struct addressing *a = port->a;

    discovery_input(a->discovery, port->interface.index, frame, len, addressing_now(a));
    tick(a);
}

/* --- ports --- */

static int open_port(struct discovery_port *p, char *error, size_t size)
{
    struct raw_options o = {.filter = heard,
                            .n_filter = sizeof(heard) / sizeof(heard[0]),
                            .groups = groups,
                            .n_groups = sizeof(groups) / sizeof(groups[0]),
                            .input = on_frame,
                            .context = p};
    int err = interface_find(p->name, &p->interface);

    if (!err && !mac_number(p->interface.mac))
        err = -ENOTSUP;
    if (!err) {
        o.interface = p->interface.index;
        err = raw_open(&p->a->thread->loop, &o, &p->raw);
    }
    if (!err)
        return 0;
    p->raw = NULL;
    snprintf(error, size, "%s: %s", p->name,
             err == -ENODEV    ? "does not exist yet"
             : err == -ENOTSUP ? "is no Ethernet interface"
             : err == -EPERM   ? "needs root or CAP_NET_RAW"
                               : strerror(-err));
    return err;
}

static void close_port(struct discovery_port *p)
{
    raw_close(p->raw);
    p->raw = NULL;
    p->interface = (struct interface){0};
}

static size_t open_ports(struct addressing *a, char *error, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_ports; i++)
        if (a->ports[i].raw || open_port(&a->ports[i], error, size) == 0)
            n++;
    return n;
}

static void set_links(struct addressing *a)
{
    struct discovery_link links[LINKS_MAX] = {0};
    size_t n = 0;

    for (size_t i = 0; i < a->n_ports; i++) {
        const struct interface *in = &a->ports[i].interface;

        if (!a->ports[i].raw)
            continue;
        links[n].interface = in->index;
        memcpy(links[n].name, in->name, sizeof(links[n].name));
        links[n].mac = in->mac;
        if (in->n)
            links[n].address = ip_v4(in->address[0]);
        n++;
    }
    discovery_set_links(a->discovery, links, n, addressing_now(a));
    tick(a);
}

/* --- the service --- */

static void read_settings(const struct addressing *a, struct discovery_settings *s)
{
    const struct directory *dir = a->thread->directory;

    *s = (struct discovery_settings){.voice_vlan =
                                         (uint16_t)a->settings.cdp_voice_vlan,
                                     .voice_priority = 5,
                                     .voice_dscp = 46,
                                     .signalling_priority = 3,
                                     .signalling_dscp = 24,
                                     .version = "Dialtone " DIALTONE_VERSION};
    addressing_node_name(a, s->node, sizeof(s->node));
    if (!dir)
        return;
    s->voice_priority = (uint8_t)directory_number(dir, SET_voice_priority);
    s->voice_dscp = (uint8_t)directory_number(dir, SET_voice_dscp);
    s->signalling_priority = (uint8_t)directory_number(dir, SET_signalling_priority);
    s->signalling_dscp = (uint8_t)directory_number(dir, SET_signalling_dscp);
}

static void name_ports(struct addressing *a)
{
    char names[LINKS_MAX][16];

    a->n_ports = addressing_names(a->settings.cdp_interfaces, names, LINKS_MAX);
    for (size_t i = 0; i < a->n_ports; i++) {
        a->ports[i] = (struct discovery_port){.a = a};
        memcpy(a->ports[i].name, names[i], sizeof(names[i]));
    }
}

static void tell_running(struct addressing *a, uint64_t token)
{
    const struct bootstrap *b = &a->settings;
    char vlan[64] = "no voice VLAN: dialtone config set cdp.voice_vlan=N";

    if (b->cdp_voice_vlan == DISCOVERY_VLAN_UNTAGGED)
        snprintf(vlan, sizeof(vlan), "voice untagged");
    else if (b->cdp_voice_vlan)
        snprintf(vlan, sizeof(vlan), "voice VLAN %d", (int)b->cdp_voice_vlan);
    server_service_state(a->server, SERVICE_DISCOVERY, SERVICE_RUNNING, token, "%.100s, %s",
                         b->cdp_interfaces, vlan);
}

void discovery_service_start(struct addressing *a, uint64_t token)
{
    const struct discovery_sink sink = {a, on_send, on_progress};
    struct discovery_settings settings;
    char error[120] = "";

    a->discovery_stopped = false;
    if (a->discovery) {
        tell_running(a, token);
        return;
    }
    name_ports(a);
    if (!a->n_ports) {
        server_service_state(a->server, SERVICE_DISCOVERY, SERVICE_OFF, token,
                             "no interface is named: dialtone config set cdp.interfaces=eth0");
        return;
    }
    read_settings(a, &settings);
    a->discovery = discovery_new(&sink, &settings, addressing_now(a));
    if (!a->discovery || !open_ports(a, error, sizeof(error))) {
        discovery_free(a->discovery);
        a->discovery = NULL;
        server_service_state(a->server, SERVICE_DISCOVERY, SERVICE_FAILED, token, "%s", error);
        return;
    }
    if (error[0])
        log_warning(TOPIC, "%s", error);
    set_links(a);
    tell_running(a, token);
}

void discovery_service_done(struct addressing *a)
{
    if (a->discovery)
        discovery_leave(a->discovery);
    for (size_t i = 0; i < a->n_ports; i++)
        close_port(&a->ports[i]);
    uv_timer_stop(&a->discovery_tick);
    discovery_free(a->discovery);
    a->discovery = NULL;
}

void discovery_service_stop(struct addressing *a, uint64_t token)
{
    discovery_service_done(a);
    a->discovery_stopped = true;
    server_service_state(a->server, SERVICE_DISCOVERY, SERVICE_STOPPED, token, "stopped");
}

/* A cable that was pulled and put back is a new neighbour: it hears us at once. */
static bool port_changed(struct discovery_port *p)
{
    struct interface now;

    if (interface_find(p->name, &now) < 0)
        now = (struct interface){0};
    return !interface_equal(&now, &p->interface) || now.up != p->interface.up;
}

void discovery_service_watch(struct addressing *a)
{
    char error[120];
    bool changed = false;

    for (size_t i = 0; a->discovery && i < a->n_ports; i++)
        if (port_changed(&a->ports[i])) {
            close_port(&a->ports[i]);
            changed = true;
        }
    if (changed) {
        open_ports(a, error, sizeof(error));
        set_links(a);
    }
}
