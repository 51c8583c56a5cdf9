/* runner.c - the clock of a site, and what the owner of a phone may do; see runner.h. */
#include "handset/runner.h"

#include <errno.h>
#include <stdlib.h>

#include "handset/boot/http_get.h"
#include "handset/runner_parts.h"
#include "io/udp.h"
#include "handset/screen.h"
#include "io/tls/client.h"

static uint32_t clock_rate = 1;

void runner_set_clock_rate(uint32_t rate)
{
    clock_rate = rate;
}

uint64_t runner_now_us(void)
{
    return uv_hrtime() / 1000;
}

uint64_t runner_now_ms(void)
{
    return uv_hrtime() / (1000000 / clock_rate);
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
    uv_timer_start(&site->tick, on_tick, wait > clock_rate ? wait / clock_rate : 1, 0);
}

void runner_rearm(struct runner *r)
{
    uint64_t due = r->phone.protocol->due(&r->phone),
             boot = r->boot ? boot_due(r->boot) : UINT64_MAX;

    due = due < boot ? due : boot;
    if (due == UINT64_MAX)
        timer_stop(&r->site->wheel, &r->timer);
    else if (!timer_is_set(&r->timer) || r->timer.due_ms != due)
        timer_set(&r->site->wheel, &r->timer, due);
    if (due != UINT64_MAX && due < r->site->ticking_ms)
        arm(r->site);
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
        r->phone.protocol->tick(&r->phone, now, site->fx);
        runner_carry_out(r, site->fx);
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
    tls_client_free(site->tls);
    udp_close(site->shared);
    site->shared = NULL;
    site->fx = NULL;
    site->tls = NULL;
}

void runner_init(struct runner *r, struct runner_site *site, const struct phone_kind *kind,
                 struct mac mac, const struct network *stored)
{
    *r = (struct runner){
        .site = site, .mac = mac, .stored = *stored, .reason = PHONE_REASON_INITIALIZED};
    phone_protocol_of(kind->protocol)->init(&r->phone, kind, mac);
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
    r->phone.protocol->done(&r->phone);
    free(r->load);
    *r = (struct runner){0};
}

void runner_power_on(struct runner *r)
{
    effects_clear(r->site->fx);
    runner_begin_boot(r, r->site->fx);
    runner_carry_out(r, r->site->fx);
}

void runner_power_off(struct runner *r)
{
    effects_clear(r->site->fx);
    r->phone.protocol->stop(&r->phone, r->site->fx);
    if (r->boot)
        boot_stop(r->boot, false, r->site->fx);
    runner_use_address(r, 0);
    r->reason = PHONE_REASON_INITIALIZED;
    runner_carry_out(r, r->site->fx);
    dial_close(r->udp);
    r->udp = NULL;
}

void runner_leave(struct runner *r, enum phone_event after)
{
    enum phone_reason reason =
        after == PHONE_EVENT_RESTART ? PHONE_REASON_RESTART : PHONE_REASON_USER_RESET;

    effects_clear(r->site->fx);
    r->phone.protocol->leave(&r->phone, reason, after, runner_now_ms(), r->site->fx);
    runner_carry_out(r, r->site->fx);
}

void runner_vanish(struct runner *r)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++) {
        r->links[i].shared = false;
        if (r->links[i].dial && dial_vanish(r->links[i].dial) < 0)
            dial_pause(
                r->links[i].dial); /* not allowed to forget it: at least nothing is read any more */
        else
            r->links[i].dial = NULL;
    }
    effects_clear(r->site->fx);
    r->phone.protocol->stop(&r->phone, r->site->fx); /* what it would say is not said */
    effects_clear(r->site->fx);
    runner_rearm(r);
}

int runner_keypad(struct runner *r, char key)
{
    int (*press)(struct any_phone *, char, struct effects *) = r->phone.protocol->keypad;
    int err;

    if (!press)
        return -EOPNOTSUPP;
    effects_clear(r->site->fx);
    err = press(&r->phone, key, r->site->fx);
    runner_carry_out(r, r->site->fx);
    return err;
}

int runner_hook(struct runner *r, bool off)
{
    int (*press)(struct any_phone *, bool, struct effects *) = r->phone.protocol->hook;
    int err;

    if (!press)
        return -EOPNOTSUPP;
    effects_clear(r->site->fx);
    err = press(&r->phone, off, r->site->fx);
    runner_carry_out(r, r->site->fx);
    return err;
}

int runner_stimulus(struct runner *r, uint32_t button, uint32_t instance)
{
    int (*press)(struct any_phone *, uint32_t, uint32_t, struct effects *) =
        r->phone.protocol->stimulus;
    int err;

    if (!press)
        return -EOPNOTSUPP;
    effects_clear(r->site->fx);
    err = press(&r->phone, button, instance, r->site->fx);
    runner_carry_out(r, r->site->fx);
    return err;
}

int runner_softkey(struct runner *r, uint32_t event)
{
    int (*press)(struct any_phone *, uint32_t, struct effects *) = r->phone.protocol->softkey;
    int err;

    if (!press)
        return -EOPNOTSUPP;
    effects_clear(r->site->fx);
    err = press(&r->phone, event, r->site->fx);
    runner_carry_out(r, r->site->fx);
    return err;
}

void runner_watch_display(struct runner *r)
{
    runner_rearm(r);
}

void runner_frame(struct runner *r, const void *frame, size_t len)
{
    if (!r->boot)
        return;
    effects_clear(r->site->fx);
    boot_frame(r->boot, frame, len, runner_now_ms(), r->site->fx);
    runner_carry_out(r, r->site->fx);
}

void runner_dhcp(struct runner *r, const void *bytes, size_t len)
{
    if (!r->boot)
        return;
    effects_clear(r->site->fx);
    boot_dhcp(r->boot, bytes, len, runner_now_ms(), r->site->fx);
    runner_carry_out(r, r->site->fx);
}
