/* runner.c - effects become sockets, sockets become input; see runner.h. */
#include "handset/runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "handset/http_get.h"
#include "handset/nic.h"
#include "handset/screen.h"

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

uint64_t runner_now_us(void)
{
    return uv_hrtime() / 1000;
}

uint64_t runner_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* ---- time ---- */

static void on_tick(uv_timer_t *timer);

static void arm(struct runner_site *site)
{
    uint64_t now = runner_now_ms(), wait = timers_next(&site->wheel, now);

    if (wait == UINT64_MAX) {
        uv_timer_stop(&site->tick);
        site->ticking_ms = UINT64_MAX;
        return;
    }
    if (site->ticking_ms <= now + wait && uv_is_active((uv_handle_t *)&site->tick))
        return; /* it comes in time */
    site->ticking_ms = now + wait;
    uv_update_time(site->loop);
    uv_timer_start(&site->tick, on_tick, wait ? wait : 1, 0);
}

static void rearm(struct runner *r)
{
    uint64_t due = sccp_phone_due(&r->phone), boot = r->boot ? boot_due(r->boot) : UINT64_MAX;

    due = due < boot ? due : boot;
    if (due == UINT64_MAX)
        timer_stop(&r->site->wheel, &r->timer);
    else if (!timer_is_set(&r->timer) || r->timer.due_ms != due)
        timer_set(&r->site->wheel, &r->timer, due);
    if (due != UINT64_MAX && due < r->site->ticking_ms)
        arm(r->site);
}

/* ---- effects ---- */

static void carry_out(struct runner *r, struct effects *fx);

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

    if (fault_is_on(r->phone.kind->faults, FAULT_DEAF))
        dial_pause(l->dial);
    effects_clear(fx);
    sccp_phone_opened(&r->phone, l->index, runner_now_ms(), fx);
    carry_out(r, fx);
}

static void on_input(void *context, const struct endpoint *from, const uint8_t *bytes, size_t len)
{
    struct runner_link *l = context;
    struct runner *r = runner_of(l);
    struct effects *fx = r->site->fx;

    effects_clear(fx);
    sccp_phone_input(&r->phone, l->index, bytes, len, runner_now_ms(), fx);
    carry_out(r, fx);
}

static void on_close(void *context, int err)
{
    struct runner_link *l = context;
    struct runner *r = runner_of(l);
    struct effects *fx = r->site->fx;

    l->dial = NULL;
    effects_clear(fx);
    sccp_phone_closed(&r->phone, l->index, err, runner_now_ms(), fx);
    carry_out(r, fx);
}

static const struct dial_calls tcp_calls = {on_open, on_input, on_close};

static void on_datagram(void *context, const struct endpoint *from, const uint8_t *bytes,
                        size_t len)
{
    struct runner *r = context;
    struct effects *fx = r->site->fx;

    if (!r->boot)
        return;
    effects_clear(fx);
    boot_udp(r->boot, from, bytes, len, runner_now_ms(), fx);
    carry_out(r, fx);
}

static void on_unreachable(void *context, int err)
{
    struct runner *r = context;
    struct effects *fx = r->site->fx;

    if (!r->boot || err != -ECONNREFUSED)
        return;
    effects_clear(fx);
    boot_udp_unreachable(r->boot, runner_now_ms(), fx);
    carry_out(r, fx);
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
    carry_out(r, fx);
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
    struct dial_options o = options_of(r, &tcp_calls, &r->links[e->link]);
    struct endpoint to = e->to;

    dial_close(r->links[e->link].dial);
    r->links[e->link].dial = NULL;
    o.local = r->phone.address;
    if (r->site->sccp_port)
        to.port = r->site->sccp_port;
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

static void use_address(struct runner *r, uint32_t address)
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
        use_address(r, e->number);
        return 0;
    case EFFECT_STAGE:
        if (r->comparing && r->boot && e->number == BOOT_WAITING) { /* no file: nothing changes */
            r->comparing = false;
            boot_settle(r->boot);
            return 0;
        }
        note(r, RUNNER_STAGE, e->number, 0, (struct text){0});
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
        return r->links[e->link].dial ? dial_send(r->links[e->link].dial, bytes.at, bytes.len)
                                      : -EPIPE;
    case EFFECT_CLOSE:
        dial_close(r->links[e->link].dial);
        r->links[e->link].dial = NULL;
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

static void begin_registration(struct runner *r, struct effects *fx)
{
    struct endpoint servers[PHONE_SERVERS];
    unsigned n = 0;
    struct ip own = r->stored.address;

    if (r->boot) {
        own = r->boot->network.address;
        for (; n < r->boot->n_servers; n++)
            servers[n] = r->boot->servers[n].at;
    } else {
        servers[n++] = (struct endpoint){r->site->server, 2000};
    }
    note(r, RUNNER_BOOTED, n, 0, (struct text){0});
    r->phone.rereads = r->boot && (r->boot->defaulted || r->boot->config.is_default);
    if (r->boot)
        r->config_hash = hash_bytes(&r->boot->config, sizeof(r->boot->config));
    if (!r->site->on_wire && !r->site->keep_boot)
        forget_boot(r);
    sccp_phone_start(&r->phone, own, servers, n, r->reason, runner_now_ms(), fx);
}

static struct boot *new_boot(struct runner *r)
{
    struct boot_options o = {.model = r->phone.kind->model,
                             .mac = r->mac,
                             .stored = r->stored,
                             .load = r->load ? r->load : r->phone.kind->load,
                             .on_wire = r->site->on_wire,
                             .quick = r->site->quick,
                             .file_port = r->site->file_port,
                             .http_port = r->site->http_port,
                             .random = (uint32_t)uv_hrtime()};

    if (ip_is_any(o.stored.tftp[0]) && !ip_is_any(r->site->server)) {
        o.stored.tftp[0] = r->site->server;
        o.stored.alternate_tftp = true;
    }
    return boot_new(&o);
}

/* What an upgrade has put into flash is what runs from now on. */
static void keep_load(struct runner *r)
{
    const char *runs = r->load ? r->load : r->phone.kind->load;
    char *load;

    if (!r->boot || !*r->boot->load || strcmp(r->boot->load, runs) == 0)
        return;
    load = text_dup(text_of(r->boot->load));
    if (!load)
        return;
    free(r->load);
    r->load = load;
    r->phone.load = load;
}

static void begin_boot(struct runner *r, struct effects *fx)
{
    keep_load(r);
    r->comparing = false;
    sccp_phone_stop(&r->phone, fx);
    http_get_free(r->http);
    r->http = NULL;
    if (!r->site->files) {
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

/* The phone restarts only when its configuration is another one. */
static void compared(struct runner *r, struct effects *fx)
{
    uint64_t hash = hash_bytes(&r->boot->config, sizeof(r->boot->config));

    r->comparing = false;
    if (hash != r->config_hash)
        sccp_phone_leave(&r->phone, PHONE_REASON_APPLY_CONFIG, PHONE_EVENT_RESTART, runner_now_ms(),
                         fx);
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
        sccp_phone_stop(&r->phone, fx);
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
        begin_boot(r, fx);
    }
}

/* Runs the list; what failed at once is told to the phone afterwards, what should follow is begun.
 */
static void carry_out(struct runner *r, struct effects *fx)
{
    int failed[PHONE_LINKS] = {0};
    bool no_http = false;

    for (uint32_t i = 0; i < fx->n; i++) {
        struct effect e = fx->items[i];
        int err = carry_out_one(r, fx, &e);

        if (err < 0 && (e.type == EFFECT_CONNECT || e.type == EFFECT_SEND))
            failed[e.link] = err;
        no_http |= err < 0 && e.type == EFFECT_HTTP;
    }
    if (no_http && r->boot) {
        effects_clear(fx);
        boot_http(r->boot, 0, NULL, 0, runner_now_ms(), fx);
        carry_out(r, fx);
    }
    for (unsigned i = 0; i < PHONE_LINKS; i++) {
        if (!failed[i])
            continue;
        dial_close(r->links[i].dial);
        r->links[i].dial = NULL;
        effects_clear(fx);
        sccp_phone_closed(&r->phone, i, failed[i], runner_now_ms(), fx);
        carry_out(r, fx);
    }
    if (r->to_do) {
        do_next(r, fx);
        carry_out(r, fx);
    }
    rearm(r);
}

static void on_tick(uv_timer_t *timer)
{
    struct runner_site *site = timer->data;
    struct timer *due;
    uint64_t now = runner_now_ms();

    site->ticking_ms = 0; /* nobody arms while the wheel turns */
    while ((due = timers_expire(&site->wheel, now))) {
        struct runner *r = container_of(due, struct runner, timer);

        effects_clear(site->fx);
        if (r->boot && now >= boot_due(r->boot))
            boot_tick(r->boot, now, site->fx);
        sccp_phone_tick(&r->phone, now, site->fx);
        carry_out(r, site->fx);
    }
    site->ticking_ms = UINT64_MAX;
    arm(site);
}

/* ---- the owner's side ---- */

int runner_site_init(struct runner_site *site, uv_loop_t *loop)
{
    *site = (struct runner_site){.loop = loop, .ticking_ms = UINT64_MAX, .tos = 0x60};
    site->fx = calloc(1, sizeof(*site->fx));
    if (!site->fx)
        return -ENOMEM;
    timers_init(&site->wheel, runner_now_ms());
    uv_timer_init(loop, &site->tick);
    site->tick.data = site;
    return 0;
}

void runner_site_done(struct runner_site *site)
{
    if (site->fx)
        uv_close((uv_handle_t *)&site->tick, NULL);
    free(site->fx);
    site->fx = NULL;
}

void runner_init(struct runner *r, struct runner_site *site, const struct phone_kind *kind,
                 struct mac mac, const struct network *stored)
{
    *r = (struct runner){
        .site = site, .mac = mac, .stored = *stored, .reason = PHONE_REASON_INITIALIZED};
    sccp_phone_init(&r->phone, kind, mac);
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        r->links[i].index = (uint8_t)i;
}

void runner_done(struct runner *r)
{
    timer_stop(&r->site->wheel, &r->timer);
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        dial_close(r->links[i].dial);
    dial_close(r->udp);
    http_get_free(r->http);
    boot_free(r->boot);
    sccp_phone_done(&r->phone);
    free(r->load);
    *r = (struct runner){0};
}

void runner_power_on(struct runner *r)
{
    effects_clear(r->site->fx);
    begin_boot(r, r->site->fx);
    carry_out(r, r->site->fx);
}

void runner_power_off(struct runner *r)
{
    effects_clear(r->site->fx);
    sccp_phone_stop(&r->phone, r->site->fx);
    if (r->boot)
        boot_stop(r->boot, false, r->site->fx);
    use_address(r, 0);
    r->reason = PHONE_REASON_INITIALIZED;
    carry_out(r, r->site->fx);
    dial_close(r->udp);
    r->udp = NULL;
}

void runner_leave(struct runner *r, enum phone_event after)
{
    enum phone_reason reason =
        after == PHONE_EVENT_RESTART ? PHONE_REASON_RESTART : PHONE_REASON_USER_RESET;

    effects_clear(r->site->fx);
    sccp_phone_leave(&r->phone, reason, after, runner_now_ms(), r->site->fx);
    carry_out(r, r->site->fx);
}

void runner_vanish(struct runner *r)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++) {
        if (r->links[i].dial && dial_vanish(r->links[i].dial) < 0)
            dial_pause(
                r->links[i].dial); /* not allowed to forget it: at least nothing is read any more */
        else
            r->links[i].dial = NULL;
        r->phone.links[i].state = PHONE_LINK_CLOSED;
        r->phone.links[i].due_ms = UINT64_MAX;
    }
    r->phone.state = PHONE_OFF;
    r->phone.due_ms = r->phone.standby_due_ms = UINT64_MAX;
    rearm(r);
}

int runner_keypad(struct runner *r, char key)
{
    int err;

    effects_clear(r->site->fx);
    err = sccp_phone_keypad(&r->phone, key, r->site->fx);
    carry_out(r, r->site->fx);
    return err;
}

int runner_hook(struct runner *r, bool off)
{
    int err;

    effects_clear(r->site->fx);
    err = sccp_phone_hook(&r->phone, off, r->site->fx);
    carry_out(r, r->site->fx);
    return err;
}

int runner_stimulus(struct runner *r, uint32_t button, uint32_t instance)
{
    int err;

    effects_clear(r->site->fx);
    err = sccp_phone_stimulus(&r->phone, button, instance, r->site->fx);
    carry_out(r, r->site->fx);
    return err;
}

int runner_softkey(struct runner *r, uint32_t event)
{
    int err;

    effects_clear(r->site->fx);
    err = sccp_phone_softkey(&r->phone, event, r->site->fx);
    carry_out(r, r->site->fx);
    return err;
}

void runner_watch_display(struct runner *r)
{
    rearm(r);
}

void runner_frame(struct runner *r, const void *frame, size_t len)
{
    if (!r->boot)
        return;
    effects_clear(r->site->fx);
    boot_frame(r->boot, frame, len, runner_now_ms(), r->site->fx);
    carry_out(r, r->site->fx);
}

void runner_dhcp(struct runner *r, const void *bytes, size_t len)
{
    if (!r->boot)
        return;
    effects_clear(r->site->fx);
    boot_dhcp(r->boot, bytes, len, runner_now_ms(), r->site->fx);
    carry_out(r, r->site->fx);
}
