#include "server/live_history.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/models.h"
#include "wire/sccp/message.h"

#define SAME_US     3000000 /* what boot and alarms both tell, of one moment */
#define REPEATS_MAX 8       /* of a step that came again and again: more prove nothing more */
#define SECOND_US   1000000ull
#define PORT_FIRST  50000 /* ports of phones are not kept */

enum what { STEP, GONE, ORDERED, SAID };

struct happening {
    uint64_t us, until_us;
    enum what what;
    uint8_t stage; /* of a STEP */
    unsigned times;
    uint32_t code; /* reason of a refusal, an end, what the phone said; kind of an order */
    char detail[64];
};

struct teller {
    const struct live_history *h;
    struct retold p;
    struct happening list[HAPPENINGS_MAX];
    size_t n;
    uint64_t last_us; /* of what was told */
};

/* ---- what there is ---- */

static struct happening *add(struct teller *t, uint64_t us, enum what what)
{
    struct happening *e;

    if (t->n == HAPPENINGS_MAX) /* the oldest goes */
        memmove(t->list, t->list + 1, --t->n * sizeof(*t->list));
    e = &t->list[t->n++];
    *e = (struct happening){.us = us, .until_us = us, .what = what, .times = 1};
    return e;
}

static void take_alarm(struct teller *t, const struct alarm *a)
{
    struct happening *e;

    switch (a->id) {
    case ALARM_ENDPOINT_REGISTERED:
        add(t, a->time_us, STEP)->stage = PROGRESS_REGISTERED;
        break;
    case ALARM_ENDPOINT_TRANSIENT:
        e = add(t, a->time_us, STEP);
        e->stage = PROGRESS_REJECTED;
        e->code = a->reason;
        e->times = a->times ? a->times : 1;
        break;
    case ALARM_ENDPOINT_UNREGISTERED:
        add(t, a->time_us, GONE)->code = a->reason;
        break;
    case ALARM_ENDPOINT_RESET:
        add(t, a->time_us, ORDERED)->code = SCCP_RESET_FULL;
        break;
    case ALARM_ENDPOINT_RESTART:
        add(t, a->time_us, ORDERED)->code = SCCP_RESET_RESTART;
        break;
    case ALARM_STATION_ALARM:
        text_copy(add(t, a->time_us, SAID)->detail, sizeof(e->detail),
                  alarm_parameter(a, "DeviceText"));
        break;
    case ALARM_PHONE_OUT_OF_SERVICE:
        add(t, a->time_us, SAID)->code = a->reason;
        break;
    default:
        break;
    }
}

static void take_alarms(struct teller *t)
{
    struct event_filter mine = {.device = text_of(t->h->name.s), .severity = 7};
    const struct events *events = t->h->events;

    for (uint64_t n = events_first(events); n <= events_last(events); n++) {
        const struct alarm *a = events_get(events, n);

        if (a && event_matches(a, &mine))
            take_alarm(t, a);
    }
}

/* What an alarm of the moment told of the same; NULL: none did. */
static struct happening *alarmed(struct teller *t, uint64_t us, uint8_t stage)
{
    for (size_t i = t->n; i-- > 0;)
        if (t->list[i].us + SAME_US > us && t->list[i].us < us + SAME_US &&
            ((t->list[i].what == STEP && t->list[i].stage == stage) ||
             (t->list[i].what == GONE && stage == PROGRESS_UNREGISTERED)))
            return &t->list[i];
    return NULL;
}

static void take_boot(struct teller *t)
{
    const struct progress_phone *p = t->h->boot;
    struct progress_step steps[PROGRESS_STEPS];
    size_t n = p ? progress_steps(t->h->progress, p, steps) : 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t us = p->boot.start_us + steps[i].at_ms * 1000ull;
        struct happening *e = alarmed(t, us, steps[i].stage);

        if (e && !e->detail[0]) /* the boot knows the words that were said */
            snprintf(e->detail, sizeof(e->detail), "%s", steps[i].detail);
        if (e || steps[i].stage == PROGRESS_UNREGISTERED)
            continue;
        e = add(t, us, STEP);
        e->stage = steps[i].stage;
        e->times = steps[i].times;
        e->code = p->boot.code;
        if (e->times > 1)
            e->until_us = i + 1 < n ? p->boot.start_us + steps[i + 1].at_ms * 1000ull : p->last_us;
        snprintf(e->detail, sizeof(e->detail), "%s", steps[i].detail);
    }
}

static int by_time(const void *x, const void *y)
{
    const struct happening *a = x, *b = y;

    return a->us < b->us ? -1 : a->us > b->us;
}

/* ---- time ---- */

static void at(struct teller *t, uint64_t us)
{
    if (us < t->last_us)
        us = t->last_us;
    t->last_us = us;
    t->p.r->at.time_ns = (int64_t)us * 1000;
    t->p.r->at.number++;
    retold_place(&t->p);
}

/* ---- address and files ---- */

static void dhcp(struct teller *t, const struct happening *e, enum dhcp_type type)
{
    struct retell *r = t->p.r;
    struct dhcp_addresses boot = {1, {ip_v4_number(t->h->node)}};

    r->phone.port = DHCP_CLIENT_PORT;
    r->server.port = DHCP_SERVER_PORT;
    retell_dhcp_begin(r, type);
    if (r->dhcp.op == DHCP_BOOTREPLY) {
        dhcp_set_server_id(&r->dhcp, ip_v4_number(t->h->node));
        dhcp_set_tftp_servers(&r->dhcp, boot); /* ours always names somebody */
        r->dhcp.yiaddr = ip_v4_number(r->phone.ip);
    } else if (type == DHCP_DISCOVER)
        dhcp_set_vendor_class(&r->dhcp, e->detail[0] ? text_of(e->detail)
                                                     : TEXT("Cisco Systems, Inc. IP Phone"));
    retell_dhcp(r);
}

/* What we sent was never acknowledged, and given up. */
static void broken_off(struct teller *t, uint32_t flow)
{
    struct tftp_packet data = {.op = TFTP_DATA, .block = 1};
    struct sight s = {.kind = SIGHT_TFTP, .at = t->p.r->at, .flow = flow, .tftp = &data};

    s.at.from = t->p.r->server;
    s.at.to = t->p.r->phone;
    for (int i = 0; i < 4; i++)
        t->p.r->on_sight(t->p.r->context, &s);
}

static void file(struct teller *t, const struct happening *e)
{
    struct text name = text_of(e->detail);
    uint32_t flow = retell_flow(t->p.r);

    t->p.r->phone.port = (uint16_t)(PORT_FIRST + flow % 10000);
    t->p.r->server.port = TFTP_PORT;
    retell_file_asked(t->p.r, flow, name);
    switch (e->stage) {
    case PROGRESS_FILE_MISSING:
        retell_file_refused(t->p.r, flow, TFTP_ERROR_NOT_FOUND, TEXT("File not found"));
        break;
    case PROGRESS_FILE_REFUSED:
        retell_file_refused(t->p.r, flow, TFTP_ERROR_ACCESS, TEXT("refused"));
        break;
    case PROGRESS_FILE_BROKEN:
        broken_off(t, flow);
        break;
    default:
        retell_file_sent(t->p.r, flow, name, SIGHT_SIZE_UNKNOWN);
    }
}

/* ---- all of it ---- */

static void step(struct teller *t, const struct happening *e)
{
    switch ((enum progress_stage)e->stage) {
    case PROGRESS_DHCP_DISCOVER:
        dhcp(t, e, DHCP_DISCOVER);
        break;
    case PROGRESS_DHCP_OFFER:
        dhcp(t, e, DHCP_OFFER);
        break;
    case PROGRESS_DHCP_REQUEST:
        dhcp(t, e, DHCP_REQUEST);
        break;
    case PROGRESS_DHCP_ACK:
        dhcp(t, e, DHCP_ACK);
        break;
    case PROGRESS_DHCP_NAK:
        dhcp(t, e, DHCP_NAK);
        break;
    case PROGRESS_FILE_ASKED:
    case PROGRESS_FILE_SENT:
    case PROGRESS_FILE_MISSING:
    case PROGRESS_FILE_REFUSED:
    case PROGRESS_FILE_BROKEN:
        file(t, e);
        break;
    case PROGRESS_REGISTERED:
        retold_registered(&t->p);
        break;
    case PROGRESS_REJECTED:
        retold_refused(&t->p, e->code, e->detail);
        break;
    default: /* a Register shows in its answer, and so does what is no message */
        break;
    }
}

static void tell(struct teller *t, const struct happening *e)
{
    unsigned n = e->times < REPEATS_MAX ? e->times : REPEATS_MAX;

    for (unsigned i = 0; i < (n ? n : 1); i++) {
        at(t, e->us + (n > 1 ? (e->until_us - e->us) / n * i : 0));
        switch (e->what) {
        case STEP:
            step(t, e);
            break;
        case GONE:
            retold_gone(&t->p, e->code);
            break;
        case ORDERED:
            retold_ordered(&t->p, e->code);
            break;
        case SAID:
            retold_said(&t->p, e->code, e->detail);
        }
    }
}

/* Each repeat waits twice as long as the one before (RFC 6298 5.5); the kernel tells how long the
 * next one will. */
static void unacknowledged(struct teller *t)
{
    const struct tcp_health *link = t->h->link;
    uint64_t wait_ms = link->timeout_ms, since_us, after = 0;
    uint32_t n = link->tries < 12 ? link->tries : 12;

    for (uint32_t i = 0; i < n; i++)
        wait_ms /= 2;
    since_us =
        t->h->link_us > link->silent_ms * 1000ull ? t->h->link_us - link->silent_ms * 1000ull : 0;
    for (uint32_t i = 0; i < n; i++, wait_ms *= 2) {
        after += wait_ms * 1000;
        at(t, since_us + after < t->h->link_us ? since_us + after : t->h->link_us);
        retell_tcp(t->p.r, t->p.flow, false, TCP_AGAIN, (int64_t)after * 1000);
    }
}

void live_history_tell(const struct live_history *h, struct retell *r)
{
    struct teller *t = calloc(1, sizeof(*t));

    if (!t)
        return;
    t->h = h;
    t->p.r = r;
    t->p.name = h->name;
    t->p.model = h->boot ? h->boot->model : 0;
    t->p.sip = (h->status ? h->status->protocol : h->boot ? h->boot->protocol : 0) != PROTOCOL_SCCP;
    t->p.server = (struct endpoint){h->node, t->p.sip ? h->sip_port : h->sccp_port};
    t->p.interval_s = t->p.sip ? h->sip_interval_s : h->sccp_interval_s;
    t->p.silence_s = t->p.interval_s * (t->p.sip ? 1 : h->missed);
    device_name_mac(h->name, &t->p.mac);
    t->p.phone.ip = h->status && !ip_is_any(h->status->ip) ? h->status->ip
                    : h->boot                              ? h->boot->ip
                                                           : t->p.phone.ip;
    take_alarms(t);
    take_boot(t);
    qsort(t->list, t->n, sizeof(*t->list), by_time);
    for (size_t i = 0; i < t->n; i++)
        tell(t, &t->list[i]);
    /* Whoever counts as registered was heard of in time: that is what our own timer says. */
    if (t->p.registered && h->status && h->status->state == STATE_REGISTERED) {
        at(t, h->link ? h->link_us - h->link->silent_ms * 1000ull : h->now_us - SECOND_US);
        retold_keepalive(&t->p);
        if (h->link)
            unacknowledged(t);
    }
    free(t);
}
