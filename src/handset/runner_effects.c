/* runner_effects.c - effects become sockets, what comes from sockets becomes input; see
 * runner_parts.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "handset/boot/http_get.h"
#include "handset/nic.h"
#include "handset/runner_parts.h"
#include "handset/screen.h"
#include "io/udp.h"
#include "io/tls/client.h"

enum to_do {
    TO_DO_NOTHING,
    TO_DO_REGISTER,
    TO_DO_BOOT,
    TO_DO_RESTART,
    TO_DO_UPGRADE,
    TO_DO_EXTRAS,
    TO_DO_COMPARE,
    TO_DO_COMPARED
};

static void note(struct runner *r, enum runner_event event, uint32_t number, uint32_t detail,
                 struct text text)
{
    struct runner_note n = {event, number, detail, text, runner_now_us()};

    if (r->site->note)
        r->site->note(r, &n);
}

static struct runner *runner_of(struct runner_link *l)
{
    return container_of(l - l->index, struct runner, links);
}

static void on_open(void *context)
{
    struct runner_link *l = context;
    struct runner *r = runner_of(l);
    struct effects *fx = r->site->fx;

    if (fault_is_on(r->phone.kind->faults, FAULT_DEAF) && l->dial)
        dial_pause(l->dial);
    r->phone.links[l->index].port = l->dial ? dial_local_port(l->dial) : udp_port(r->site->shared);
    effects_clear(fx);
    r->phone.protocol->opened(&r->phone, l->index, runner_now_ms(), fx);
    runner_carry_out(r, fx);
}

void runner_heard(struct runner *r, struct runner_link *l, const uint8_t *bytes, size_t len)
{
    struct effects *fx = r->site->fx;

    effects_clear(fx);
    r->phone.protocol->input(&r->phone, l->index, bytes, len, runner_now_ms(), fx);
    runner_carry_out(r, fx);
}

static void on_input(void *context, const struct endpoint *from, const uint8_t *bytes, size_t len)
{
    struct runner_link *l = context;

    runner_heard(runner_of(l), l, bytes, len);
}

static void on_close(void *context, int err)
{
    struct runner_link *l = context;
    struct runner *r = runner_of(l);
    struct effects *fx = r->site->fx;

    dial_close(l->dial); /* a UDP socket stays when its peer is not there */
    l->dial = NULL;
    effects_clear(fx);
    r->phone.protocol->closed(&r->phone, l->index, err, runner_now_ms(), fx);
    runner_carry_out(r, fx);
}

static const struct dial_calls link_calls = {on_open, on_input, on_close};

static void on_datagram(void *context, const struct endpoint *from, const uint8_t *bytes,
                        size_t len)
{
    struct runner *r = context;
    struct effects *fx = r->site->fx;

    if (!r->boot)
        return;
    effects_clear(fx);
    boot_udp(r->boot, from, bytes, len, runner_now_ms(), fx);
    runner_carry_out(r, fx);
}

static void on_unreachable(void *context, int err)
{
    struct runner *r = context;
    struct effects *fx = r->site->fx;

    if (!r->boot || err != -ECONNREFUSED)
        return;
    effects_clear(fx);
    boot_udp_unreachable(r->boot, runner_now_ms(), fx);
    runner_carry_out(r, fx);
}

static const struct dial_calls udp_calls = {NULL, on_datagram, on_unreachable};

static void on_file(void *context, unsigned status, const void *body, size_t len)
{
    struct runner *r = context;
    struct effects *fx = r->site->fx;

    r->http = NULL;
    if (!r->boot)
        return;
    effects_clear(fx);
    boot_http(r->boot, status, body, len, runner_now_ms(), fx);
    runner_carry_out(r, fx);
}

static struct dial_options options_of(const struct runner *r, const struct dial_calls *calls,
                                      void *context)
{
    return (struct dial_options){.local = r->boot ? r->boot->network.address : r->phone.address,
                                 .interface = r->site->nic ? nic_name(r->site->nic) : NULL,
                                 .tos = r->site->tos,
                                 .calls = calls,
                                 .context = context};
}

static int open_link(struct runner *r, const struct effect *e)
{
    struct dial_options o = options_of(r, &link_calls, &r->links[e->link]);
    struct endpoint to = e->to;

    dial_close(r->links[e->link].dial);
    r->links[e->link].dial = NULL;
    r->links[e->link].shared = false;
    o.local = r->phone.address;
    if (r->phone.kind->protocol == PROTOCOL_SCCP)
        to.port = r->site->sccp_port ? r->site->sccp_port : to.port;
    else
        to.port = r->site->sip_port ? r->site->sip_port : to.port;
    if (e->transport == LINK_TLS) {
        if (!r->site->tls && !(r->site->tls = tls_client_new(false)))
            return -ENOMEM;
        o.tls = r->site->tls;
    }
    if (e->transport == LINK_UDP && r->site->shared) {
        r->links[e->link].shared = true;
        return 0;
    }
    if (e->transport == LINK_UDP)
        return dial_udp_to(r->site->loop, &o, &to, &r->links[e->link].dial);
    return dial_tcp(r->site->loop, &o, &to, &r->links[e->link].dial);
}

static void send_datagram(struct runner *r, const struct effect *e, struct text bytes)
{
    struct dial_options o = options_of(r, &udp_calls, r);

    if (e->fresh || !r->udp) {
        dial_close(r->udp);
        r->udp = NULL;
        if (dial_udp(r->site->loop, &o, &r->udp) < 0)
            return; /* as if the datagram were lost; it is sent again */
    }
    dial_send_to(r->udp, &e->to, bytes.at, bytes.len);
}

static int get_file(struct runner *r, const struct effect *e, struct text path)
{
    struct dial_options o = options_of(r, NULL, NULL);

    http_get_free(r->http);
    r->http = http_get_new(r->site->loop, &o, &e->to, path, on_file, r);
    return r->http ? 0 : -ENETUNREACH;
}

void runner_use_address(struct runner *r, uint32_t address)
{
    struct nic *nic = r->site->nic;

    if (!nic)
        return;
    if (address) {
        nic_add_address(nic, r->boot->network.address, r->boot->network.mask);
        nic_set_router(nic, r->boot->network.router);
        r->phone.address = r->boot->network.address;
    } else if (r->phone.address.family) {
        nic_remove_address(nic, r->phone.address, (struct ip){0});
        r->phone.address = (struct ip){0};
    }
}

static void on_phone_event(struct runner *r, const struct effect *e, struct text text)
{
    note(r, RUNNER_PHONE, e->number, e->number == PHONE_EVENT_KEEPALIVE ? e->to.port : e->link,
         text);
    switch (e->number) {
    case PHONE_EVENT_RESET:
        r->reason = r->phone.reason;
        r->to_do = TO_DO_BOOT;
        break;
    case PHONE_EVENT_RESTART:
        r->reason = r->phone.reason;
        r->to_do = TO_DO_RESTART;
        break;
    case PHONE_EVENT_NO_SERVER:
    case PHONE_EVENT_REREAD:
        r->reason = r->phone.reason;
        r->to_do = TO_DO_RESTART;
        break;
    case PHONE_EVENT_LOAD:
        if (r->boot && !r->boot->upgrade_tried) { /* one that failed is not tried again and again */
            text_copy(r->boot->wanted_load, sizeof(r->boot->wanted_load), text);
            r->to_do = TO_DO_UPGRADE;
        }
        break;
    case PHONE_EVENT_APPLY:
        r->to_do = TO_DO_COMPARE;
        break;
    case PHONE_EVENT_REGISTERED:
        if (r->boot && r->phone.screen)
            screen_set_softkeys(r->phone.screen, r->boot->idle_keys, r->boot->n_idle_keys);
        if (r->boot && !r->to_do)
            r->to_do = TO_DO_EXTRAS;
        break;
    default:
        break;
    }
}

/* It is told, not used: frames stay untagged. */
static void note_vlan(struct runner *r, uint32_t vlan)
{
    char words[32];
    int n = snprintf(words, sizeof(words), "Voice VLAN %u", vlan);

    note(r, RUNNER_STATUS, 0, 0, (struct text){words, (size_t)n});
}

static void note_stage(struct runner *r, uint32_t stage)
{
    if (r->comparing && r->boot && stage == BOOT_WAITING) { /* no file: nothing changes */
        r->comparing = false;
        boot_settle(r->boot);
        return;
    }
    note(r, RUNNER_STAGE, stage, 0, (struct text){0});
}

static int send_on_link(struct runner *r, unsigned link, struct text bytes)
{
    if (r->links[link].shared)
        return runner_share_send(r, link, bytes.at, bytes.len);
    return r->links[link].dial ? dial_send(r->links[link].dial, bytes.at, bytes.len) : -EPIPE;
}

static void close_link(struct runner_link *l)
{
    dial_close(l->dial);
    l->dial = NULL;
    l->shared = false;
}

static int carry_out_one(struct runner *r, struct effects *fx, const struct effect *e)
{
    struct text bytes = effect_text(fx, e);

    switch (e->type) {
    case EFFECT_FRAME:
        if (r->site->nic)
            nic_send(r->site->nic, bytes.at, bytes.len);
        return 0;
    case EFFECT_DHCP:
        if (r->site->nic)
            nic_send_udp(r->site->nic, r->mac, &(struct endpoint){r->phone.address, 68}, &e->to,
                         bytes.at, bytes.len);
        return 0;
    case EFFECT_UDP:
        send_datagram(r, e, bytes);
        return 0;
    case EFFECT_HTTP:
        return get_file(r, e, bytes);
    case EFFECT_VLAN:
        note_vlan(r, e->number);
        return 0;
    case EFFECT_ADDRESS:
        runner_use_address(r, e->number);
        return 0;
    case EFFECT_STAGE:
        note_stage(r, e->number);
        return 0;
    case EFFECT_STATUS:
        note(r, RUNNER_STATUS, 0, 0, bytes);
        return 0;
    case EFFECT_READY:
        r->to_do = r->comparing ? TO_DO_COMPARED : TO_DO_REGISTER;
        return 0;
    case EFFECT_REBOOT:
        r->reason = e->number > 1 ? (uint8_t)e->number : PHONE_REASON_INITIALIZED;
        r->to_do = TO_DO_BOOT;
        return 0;
    case EFFECT_CONNECT:
        return open_link(r, e);
    case EFFECT_SEND:
        return send_on_link(r, e->link, bytes);
    case EFFECT_CLOSE:
        close_link(&r->links[e->link]);
        return 0;
    case EFFECT_STATE:
        on_phone_event(r, e, bytes);
        return 0;
    case EFFECT_LCD:
        note(r, RUNNER_LCD, 0, 0, (struct text){0});
        return 0;
    }
    return 0;
}

/* On loopback nothing of the boot goes on; on a wire leases and CDP do. */
static void forget_boot(struct runner *r)
{
    boot_free(r->boot);
    r->boot = NULL;
    dial_close(r->udp);
    r->udp = NULL;
}

static void take_server(struct phone_start *s, unsigned i, const struct boot_server *from)
{
    s->servers[i] = from->at;
    s->names[i] = from->as_written.name;
    s->sip_ports[i] = from->as_written.sip_port;
    s->sips_ports[i] = from->as_written.sips_port;
}

static void begin_registration(struct runner *r, struct effects *fx)
{
    struct phone_start s = {.own = r->stored.address, .reason = r->reason};

    if (r->boot) {
        s.own = r->boot->network.address;
        s.config = &r->boot->config;
        for (; s.n_servers < r->boot->n_servers && s.n_servers < PHONE_SERVERS; s.n_servers++)
            take_server(&s, s.n_servers, &r->boot->servers[s.n_servers]);
    } else {
        uint16_t port = r->phone.kind->protocol == PROTOCOL_SCCP ? 2000 : 5060;

        s.servers[s.n_servers++] = (struct endpoint){r->site->server, port};
        if (!ip_is_any(r->site->backup))
            s.servers[s.n_servers++] = (struct endpoint){r->site->backup, port};
        s.sips_ports[0] = s.sips_ports[1] = 5061;
    }
    note(r, RUNNER_BOOTED, s.n_servers, 0, (struct text){0});
    r->phone.rereads = r->boot && (r->boot->defaulted || r->boot->config.is_default);
    if (r->boot)
        r->config_hash = hash_bytes(&r->boot->config, sizeof(r->boot->config));
    r->phone.protocol->start(&r->phone, &s, runner_now_ms(), fx);
    if (!r->site->on_wire && !r->site->keep_boot)
        forget_boot(r);
}

static struct boot *new_boot(struct runner *r)
{
    struct boot_options o = {.model = r->phone.kind->model,
                             .protocol = r->phone.kind->protocol,
                             .mac = r->mac,
                             .stored = r->stored,
                             .load = r->load ? r->load : r->phone.kind->load,
                             .on_wire = r->site->on_wire,
                             .quick = r->site->quick,
                             .old_trust = fault_is_on(r->phone.kind->faults, FAULT_OLD_TRUST),
                             .file_port = r->site->file_port,
                             .http_port = r->site->http_port,
                             .random = (uint32_t)uv_hrtime()};

    if (ip_is_any(o.stored.tftp[0]) && !ip_is_any(r->site->server)) {
        o.stored.tftp[0] = r->site->server;
        o.stored.tftp[1] = r->site->backup;
        o.stored.alternate_tftp = true;
    }
    return boot_new(&o);
}

/* What an upgrade has put into flash is what runs from now on. */
static void keep_load(struct runner *r)
{
    const char *runs = r->load ? r->load : r->phone.kind->load;
    char *load;

    if (!r->boot || !*r->boot->load || strcmp(r->boot->load, runs) == 0 ||
        fault_is_on(r->phone.kind->faults, FAULT_OLD_LOAD))
        return;
    load = text_dup(text_of(r->boot->load));
    if (!load)
        return;
    free(r->load);
    r->load = load;
    r->phone.load = load;
}

void runner_begin_boot(struct runner *r, struct effects *fx)
{
    keep_load(r);
    r->comparing = false;
    r->phone.protocol->stop(&r->phone, fx);
    http_get_free(r->http);
    r->http = NULL;
    if (!r->site->files || r->phone.kind->protocol == PROTOCOL_SIP_THIRD_PARTY) {
        begin_registration(r, fx);
        return;
    }
    boot_free(r->boot);
    r->boot = new_boot(r);
    if (r->boot)
        boot_start(r->boot, runner_now_ms(), fx);
}

/* Reads the files again while the phone stays registered; boot's options say that this takes no
 * time. */
static void begin_comparing(struct runner *r, struct effects *fx)
{
    if (!r->site->files)
        return;
    r->comparing = true;
    if (r->boot) {
        boot_restart(r->boot, runner_now_ms(), fx);
        return;
    }
    r->boot = new_boot(r);
    if (r->boot)
        boot_start(r->boot, runner_now_ms(), fx);
}

/* The phone restarts only when its configuration is another one, or when it registered with a
 * stamp that the files still do not have: then it tries for ever. */
static void compared(struct runner *r, struct effects *fx)
{
    uint64_t hash = hash_bytes(&r->boot->config, sizeof(r->boot->config));
    enum phone_reason reason = r->phone.stale ? r->phone.stale : PHONE_REASON_APPLY_CONFIG;

    r->comparing = false;
    if (hash == r->config_hash && reason == PHONE_REASON_CONFIG_VERSION)
        reason = PHONE_REASON_CONFIG_RETRY;
    if (hash != r->config_hash || reason == PHONE_REASON_CONFIG_RETRY)
        r->phone.protocol->leave(&r->phone, reason, PHONE_EVENT_RESTART, runner_now_ms(), fx);
    else if (!r->site->on_wire && !r->site->keep_boot)
        forget_boot(r);
}

static void do_next(struct runner *r, struct effects *fx)
{
    enum to_do what = r->to_do;

    r->to_do = TO_DO_NOTHING;
    effects_clear(fx);
    if (what == TO_DO_REGISTER) {
        begin_registration(r, fx);
    } else if (what == TO_DO_UPGRADE && r->boot) {
        char load[65];

        memcpy(load, r->boot->wanted_load, sizeof(load));
        r->phone.protocol->stop(&r->phone, fx);
        boot_upgrade(r->boot, load, runner_now_ms(), fx);
    } else if (what == TO_DO_RESTART && r->boot) {
        r->comparing = false;
        boot_restart(r->boot, runner_now_ms(), fx);
    } else if (what == TO_DO_EXTRAS) {
        if (r->boot)
            boot_fetch_extras(r->boot, runner_now_ms(), fx);
    } else if (what == TO_DO_COMPARE) {
        begin_comparing(r, fx);
    } else if (what == TO_DO_COMPARED) {
        compared(r, fx);
    } else {
        note(r, RUNNER_REBOOT, what == TO_DO_BOOT, 0, (struct text){0});
        runner_begin_boot(r, fx);
    }
}

/* Runs the list; what failed at once is told to the phone afterwards, what should follow is begun.
 */
void runner_carry_out(struct runner *r, struct effects *fx)
{
    int failed[PHONE_LINKS] = {0};
    bool no_http = false, open[PHONE_LINKS] = {0};

    for (uint32_t i = 0; i < fx->n; i++) {
        struct effect e = fx->items[i];
        int err = carry_out_one(r, fx, &e);

        if (err < 0 && (e.type == EFFECT_CONNECT || e.type == EFFECT_SEND))
            failed[e.link] = err;
        if (e.type == EFFECT_CONNECT)
            open[e.link] = err == 0 && e.transport == LINK_UDP;
        no_http |= err < 0 && e.type == EFFECT_HTTP;
    }
    if (no_http && r->boot) {
        effects_clear(fx);
        boot_http(r->boot, 0, NULL, 0, runner_now_ms(), fx);
        runner_carry_out(r, fx);
    }
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        if (open[i] && (r->links[i].dial || r->links[i].shared))
            on_open(&r->links[i]);
    for (unsigned i = 0; i < PHONE_LINKS; i++) {
        if (!failed[i])
            continue;
        dial_close(r->links[i].dial);
        r->links[i].dial = NULL;
        r->links[i].shared = false;
        effects_clear(fx);
        r->phone.protocol->closed(&r->phone, i, failed[i], runner_now_ms(), fx);
        runner_carry_out(r, fx);
    }
    if (r->to_do) {
        do_next(r, fx);
        runner_carry_out(r, fx);
    }
    runner_rearm(r);
}
