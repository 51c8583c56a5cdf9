/* part.c - the phones of one process: begin, are followed, end. */
#include <errno.h>
#include <net/ethernet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "handset/fleet/events.h"
#include "handset/fleet/own.h"
#include "handset/nic.h"
#include "handset/runner.h"

#define RAMP_TICK_MS 10
#define FAREWELL_MS  3000
#define CHADDR       28 /* of a DHCP message: where its Ethernet address stands */

struct fleet_phone {
    struct runner runner;
    uint64_t started_us, booted_us, opened_us;
    bool counted, now_registered, refused, lost;
};

struct fleet {
    struct fleet_options options;
    uv_loop_t loop;
    struct runner_site site;
    struct phone_kind kinds[PHONE_MODELS_MAX];
    struct fleet_phone *phones;
    uint32_t first, count, started; /* this process's part */
    double allowance;               /* of the ramp */
    uv_timer_t ramp, end, watch;
    uv_signal_t interrupt;
    struct tally tally;
    struct fleet_events *events; /* NULL: nobody wants them */
    uint64_t begun_us;
    uint64_t ended_ms; /* 0: it goes on */
};

/* ---- what happens to a phone ---- */

static void on_registered(struct fleet *f, struct fleet_phone *p, uint64_t now_us)
{
    samples_add(&f->tally.times[TIME_REGISTER], now_us - p->opened_us);
    if (!p->now_registered) /* else it moved of its own accord */
        samples_add(&f->tally.times[p->lost ? TIME_RETURN : TIME_TOTAL], now_us - p->started_us);
    p->lost = false;
    if (!p->counted)
        f->tally.registered_once++;
    p->counted = true;
    if (!p->now_registered)
        f->tally.registered_now++;
    p->now_registered = true;
    f->tally.last_us = now_us;
}

static void on_gone(struct fleet *f, struct fleet_phone *p, uint64_t now_us)
{
    if (p->now_registered)
        f->tally.registered_now--;
    p->now_registered = false;
    p->started_us = now_us; /* what follows is timed from here */
}

static void phone_note(struct fleet *f, struct fleet_phone *p, const struct runner_note *n)
{
    switch (n->number) {
    case PHONE_EVENT_OPENED:
        samples_add(&f->tally.times[TIME_CONNECT], n->now_us - p->booted_us);
        p->opened_us = n->now_us;
        break;
    case PHONE_EVENT_OPENING:
        p->booted_us = n->now_us;
        break;
    case PHONE_EVENT_REGISTERED:
        on_registered(f, p, n->now_us);
        break;
    case PHONE_EVENT_REJECTED:
        if (!p->refused)
            f->tally.refused++;
        p->refused = true;
        tally_refusal(&f->tally, n->text, 1);
        break;
    case PHONE_EVENT_LOST:
        f->tally.lost++;
        on_gone(f, p, n->now_us);
        p->lost = true;
        break;
    case PHONE_EVENT_RESET:
    case PHONE_EVENT_RESTART:
    case PHONE_EVENT_LEFT:
        on_gone(f, p, n->now_us);
        break;
    case PHONE_EVENT_NO_SERVER:
        f->tally.no_server++;
        break;
    case PHONE_EVENT_KEEPALIVE:
        f->tally.keepalives++;
        samples_add(&f->tally.times[TIME_KEEPALIVE],
                    n->detail * 1000ull / f->options.phone.clock_rate);
        break;
    default:
        break;
    }
}

static void on_note(struct runner *r, const struct runner_note *n)
{
    struct fleet_phone *p = container_of(r, struct fleet_phone, runner);
    struct fleet *f = r->context;

    if (n->event == RUNNER_PHONE && f->events)
        fleet_events_add(f->events, n->now_us, f->first + (uint32_t)(p - f->phones), n->number,
                         r->phone.links[r->phone.active].server + 1u);
    if (n->event == RUNNER_PHONE)
        phone_note(f, p, n);
    else if (n->event == RUNNER_STAGE && n->number == BOOT_TFTP_NAME && f->site.on_wire)
        samples_add(&f->tally.times[TIME_ADDRESS], n->now_us - p->started_us);
    else if (n->event == RUNNER_BOOTED)
        samples_add(&f->tally.times[TIME_FILES], n->now_us - p->started_us);
    else if (n->event == RUNNER_REBOOT)
        f->tally.reboots++;
}

/* ---- an interface ---- */

static struct runner *phone_with(struct fleet *f, struct mac mac)
{
    uint64_t first = mac_number(f->options.phone.first_mac) + f->first, n = mac_number(mac);

    return n >= first && n - first < f->started ? &f->phones[n - first].runner : NULL;
}

/* CDP and LLDP are for every phone; ARP is looked at by those that ask whether their address is
 * free. */
static void for_all(struct fleet *f, const uint8_t *frame, size_t len, bool arp)
{
    for (uint32_t i = 0; i < f->started; i++) {
        struct runner *r = &f->phones[i].runner;

        if (r->boot && (!arp || r->boot->stage == BOOT_PROBE))
            runner_frame(r, frame, len);
    }
}

static void on_frame(void *context, const uint8_t *frame, size_t len)
{
    struct fleet *f = context;
    struct text dhcp = nic_udp_payload(frame, len, 68);
    unsigned type = len >= 14 ? (unsigned)frame[12] << 8 | frame[13] : 0;
    struct runner *r;
    struct mac mac;

    if (dhcp.len >= CHADDR + sizeof(mac.bytes)) {
        memcpy(mac.bytes, dhcp.at + CHADDR, sizeof(mac.bytes));
        if ((r = phone_with(f, mac)))
            runner_dhcp(r, dhcp.at, dhcp.len);
    } else if (type && type != ETHERTYPE_IP && type != ETHERTYPE_IPV6) {
        for_all(f, frame, len, type == ETHERTYPE_ARP);
    }
}

static int open_interface(struct fleet *f)
{
    char error[160];
    int err;

    f->site.on_wire = true;
    err = nic_open(&f->loop, f->options.phone.interface, on_frame, f, &f->site.nic, error,
                   sizeof(error));
    if (err)
        fprintf(stderr, "dialtone fleet: %s\n", error);
    return err;
}

/* ---- beginning ---- */

static void start_phone(struct fleet *f, uint32_t i)
{
    struct fleet_phone *p = &f->phones[i];
    const struct phone_options *o = &f->options.phone;
    uint32_t number = f->first + i, named = number;
    struct network stored = {.dhcp = o->interface != NULL, .address = o->source};

    if (fault_is_on(o->faults, FAULT_DUPLICATE))
        named &= ~1u;
    if (ip_v4_number(o->source) >> 24 == 127)
        stored.address = ip_v4(ip_v4_number(o->source) + number);
    runner_init(&p->runner, &f->site, &f->kinds[named % o->n_models],
                mac_of_number(mac_number(o->first_mac) + named), &stored);
    p->runner.context = f;
    p->started_us = p->booted_us = p->opened_us = runner_now_us();
    if (!f->tally.first_us)
        f->tally.first_us = p->started_us;
    runner_power_on(&p->runner);
}

/* Whose address that is; start_phone gave them. */
static struct runner *at_address(void *context, struct ip ip)
{
    struct fleet *f = context;
    uint32_t i = ip_v4_number(ip) - ip_v4_number(f->options.phone.source) - f->first;

    return i < f->started ? &f->phones[i].runner : NULL;
}

static void on_ramp(uv_timer_t *timer)
{
    struct fleet *f = timer->data;
    uint32_t n;

    f->allowance += f->options.ramp ? (double)f->options.ramp * RAMP_TICK_MS / 1000 : 500;
    n = (uint32_t)f->allowance;
    f->allowance -= n;
    for (; n && f->started < f->count; n--)
        start_phone(f, f->started++);
    if (f->started == f->count)
        uv_timer_stop(timer);
}

/* ---- end ---- */

/* Over when every goodbye was answered, or when that takes too long. */
static void on_over(uv_timer_t *timer)
{
    struct fleet *f = timer->data;
    bool leaving = false;

    for (uint32_t i = 0; i < f->started && !leaving; i++)
        leaving = f->phones[i].runner.phone.state == PHONE_LEAVING;
    if (!leaving || runner_now_ms() - f->ended_ms > FAREWELL_MS)
        uv_stop(timer->loop);
}

/* Phones say goodbye, unless they are to be gone without a word. */
static void end(struct fleet *f)
{
    if (f->ended_ms)
        return;
    f->ended_ms = runner_now_ms();
    f->tally.count = f->count;
    f->site.note = NULL; /* what follows is no result any more */
    uv_timer_stop(&f->ramp);
    uv_timer_stop(&f->watch);
    for (uint32_t i = 0; i < f->started && !f->options.leave_nothing; i++)
        if (f->phones[i].now_registered)
            runner_leave(&f->phones[i].runner, PHONE_EVENT_LEFT);
    uv_timer_start(&f->end, on_over, 0, 20);
}

static void on_end(uv_timer_t *timer)
{
    end(timer->data);
}

static void on_interrupt(uv_signal_t *signal, int number)
{
    struct fleet *f = signal->data;

    if (f->ended_ms)
        uv_stop(signal->loop);
    end(f);
}

/* A phone that has registered once, or was refused, has had its say. */
static bool all_have_answers(const struct fleet *f)
{
    uint32_t n = 0;

    if (f->started < f->count)
        return false;
    if (f->tally.registered_once == f->count)
        return true;
    for (uint32_t i = 0; i < f->count; i++)
        n += f->phones[i].counted || f->phones[i].refused;
    return n == f->count;
}

/* Registered phones that are to vanish do so here, not under their own callbacks. */
static void do_faults(struct fleet *f)
{
    bool half_open = fault_is_on(f->options.phone.faults, FAULT_HALF_OPEN);
    bool aborts = fault_is_on(f->options.phone.faults, FAULT_ABORT);

    if (!half_open && !aborts)
        return;
    for (uint32_t i = 0; i < f->started; i++) {
        struct fleet_phone *p = &f->phones[i];

        if (p->runner.phone.state != PHONE_REGISTERED)
            continue;
        if (half_open) {
            runner_vanish(&p->runner);
        } else {
            dial_abort(p->runner.links[p->runner.phone.active].dial);
            p->runner.links[p->runner.phone.active].dial = NULL;
            runner_power_off(&p->runner);
            runner_power_on(&p->runner);
        }
    }
}

static void on_watch(uv_timer_t *timer)
{
    struct fleet *f = timer->data;
    uint64_t age_us = runner_now_us() - f->begun_us;

    do_faults(f);
    if (f->events)
        fleet_events_flush(f->events);
    if (f->options.duration_s)
        return;
    if (all_have_answers(f) || age_us > f->options.wait_s * 1000000ull)
        end(f);
}

/* ---- one process ---- */

static int fleet_open(struct fleet *f)
{
    const struct phone_options *o = &f->options.phone;
    int err;

    uv_loop_init(&f->loop);
    err = runner_site_init(&f->site, &f->loop);
    f->phones = calloc(f->count ? f->count : 1, sizeof(*f->phones));
    if (err || !f->phones)
        return -ENOMEM;
    f->site.files = !o->no_files;
    f->site.quick = !o->realistic;
    f->site.server = o->server;
    f->site.backup = o->backup;
    f->site.file_port = o->file_port;
    f->site.http_port = o->http_port;
    f->site.sccp_port = o->sccp_port;
    f->site.sip_port = o->sip_port;
    f->site.note = on_note;
    for (unsigned i = 0; i < o->n_models; i++)
        err |= phone_options_kind(o, i, &f->kinds[i]);
    if (err)
        return -ENOMEM;
    tally_init(&f->tally);
    err = f->options.events ? fleet_events_open(f->options.events, &f->events) : 0;
    if (err) {
        fprintf(stderr, "dialtone fleet: %s: %s\n", f->options.events, strerror(-err));
        return err;
    }
    if (f->options.share_socket && (err = runner_site_share(&f->site, at_address, f)) < 0) {
        fprintf(stderr, "dialtone fleet: no socket: %s\n", strerror(-err));
        return err;
    }
    return o->interface ? open_interface(f) : 0;
}

static void fleet_go(struct fleet *f)
{
    uv_timer_t *timers[] = {&f->ramp, &f->end, &f->watch};

    for (unsigned i = 0; i < 3; i++) {
        uv_timer_init(&f->loop, timers[i]);
        timers[i]->data = f;
    }
    uv_signal_init(&f->loop, &f->interrupt);
    f->interrupt.data = f;
    uv_signal_start(&f->interrupt, on_interrupt, SIGINT);
    f->begun_us = runner_now_us();
    uv_timer_start(&f->ramp, on_ramp, 0, RAMP_TICK_MS);
    uv_timer_start(&f->watch, on_watch, 20, 20);
    if (f->options.duration_s)
        uv_timer_start(&f->end, on_end, f->options.duration_s * 1000ull, 0);
    uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void on_walk(uv_handle_t *handle, void *context)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void fleet_free(struct fleet *f)
{
    for (uint32_t i = 0; i < f->started; i++)
        runner_done(&f->phones[i].runner);
    for (unsigned i = 0; i < f->options.phone.n_models; i++)
        phone_kind_done(&f->kinds[i]);
    nic_close(f->site.nic);
    runner_site_done(&f->site);
    uv_walk(&f->loop, on_walk, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    uv_loop_close(&f->loop);
    tally_done(&f->tally);
    fleet_events_close(f->events);
    free(f->phones);
    free(f);
}

static struct fleet *fleet_new(const struct fleet_options *o, uint32_t first, uint32_t count)
{
    struct fleet *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->options = *o;
    f->first = first;
    f->count = count;
    if (o->ramp && o->processes > 1)
        f->options.ramp = o->ramp / o->processes ? o->ramp / o->processes : 1;
    if (fleet_open(f) < 0) {
        fleet_free(f);
        return NULL;
    }
    return f;
}

int fleet_part_run(const struct fleet_options *o, uint32_t first, uint32_t count, struct tally *sum)
{
    struct fleet *f = fleet_new(o, first, count);

    if (!f)
        return -EIO;
    fleet_go(f);
    tally_join(sum, &f->tally);
    fleet_free(f);
    return 0;
}
