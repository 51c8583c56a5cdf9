#include "server/live_doctor.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "core/settings.h"
#include "doctor/bedside.h"
#include "server/admin.h"
#include "server/live_history.h"

#define PATIENTS_MAX 16384
#define FOUND_MAX    4
#define LOOK_US      10000ull    /* of each tick */
#define TROUBLE_US   3000000ull  /* from trouble to the look: what belongs to it has come by then */
#define BOOT_US      60000000ull /* a boot takes that long at most */
#define AGAIN_US     300000000ull /* who is ill is looked at again */
#define PULSE_US                                                                                   \
    240000000ull    /* so long the last word of the kernel counts: all links are read in less */
#define WALK     64 /* of all devices, a tick */
#define TOLD_MAX 60 /* a minute */

struct patient {
    struct device_name name;
    struct list due; /* in `trouble` or `boots`; zeroed: in none */
    uint64_t due_us, looked_us, since_us;
    struct tcp_health link;
    uint64_t link_us; /* when that was read; 0: not */
    bool trouble;
    uint8_t n;
    struct {
        enum cause cause;
        enum severity severity;
        bool certain;
        char detail[128];
    } found[FOUND_MAX];
};

struct live_doctor {
    struct admin *admin;
    struct pool patients;
    struct map by_name;
    struct list trouble, boots; /* in the order of their time */
    size_t n_ill, walked, round;
    uint64_t alarms_since_us;
    unsigned n_alarms;
};

static struct text name_of(const void *patient)
{
    return text_of(((const struct patient *)patient)->name.s);
}

struct live_doctor *live_doctor_new(struct admin *a)
{
    struct live_doctor *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->admin = a;
    pool_init(&d->patients, sizeof(struct patient), PATIENTS_MAX);
    map_init(&d->by_name, name_of);
    list_init(&d->trouble);
    list_init(&d->boots);
    return d;
}

void live_doctor_free(struct live_doctor *d)
{
    if (!d)
        return;
    map_done(&d->by_name);
    pool_done(&d->patients);
    free(d);
}

/* ---- who is to be looked at ---- */

static struct patient *patient_of(struct live_doctor *d, struct device_name name)
{
    struct patient *p = map_get(&d->by_name, text_of(name.s));
    uint64_t id;

    if (p || !name.s[0] || !(p = pool_take(&d->patients, &id)))
        return p;
    p->name = name;
    if (map_put(&d->by_name, p) < 0) {
        pool_give(&d->patients, id);
        return NULL;
    }
    return p;
}

static void dismiss(struct live_doctor *d, struct patient *p)
{
    list_remove(&p->due);
    map_remove(&d->by_name, name_of(p));
    pool_give(&d->patients, pool_id(p));
}

static void look_soon(struct live_doctor *d, struct patient *p, bool trouble)
{
    if (!p || (list_is_linked(&p->due) && (p->trouble || !trouble)))
        return;
    list_remove(&p->due);
    p->trouble = trouble;
    p->due_us = server_wall_us() + (trouble ? TROUBLE_US : BOOT_US);
    list_append(trouble ? &d->trouble : &d->boots, &p->due);
}

void live_doctor_event(struct live_doctor *d, const struct progress_phone *phone,
                       const struct progress_event *e)
{
    struct patient *p;

    if (!phone)
        return;
    switch ((enum progress_stage)e->stage) {
    case PROGRESS_DHCP_NAK:
    case PROGRESS_FILE_REFUSED:
    case PROGRESS_FILE_BROKEN:
    case PROGRESS_REJECTED:
    case PROGRESS_UNREGISTERED:
        look_soon(d, patient_of(d, phone->name), true);
        break;
    case PROGRESS_REGISTERED:
        p = map_get(&d->by_name, text_of(phone->name.s));
        if (p && !p->trouble && !p->n)
            dismiss(d, p); /* it booted well; of a thousand that come at once no place is kept */
        else
            look_soon(d, p, true); /* well again? */
        break;
    case PROGRESS_LINK:
        break;
    default:
        if (phone->boot.outcome != PROGRESS_REGISTERED)
            look_soon(d, patient_of(d, phone->name), false);
    }
}

void live_doctor_link(struct live_doctor *d, struct device_name name, const struct tcp_health *link)
{
    struct patient *p = patient_of(d, name);

    if (!p)
        return;
    p->link = *link;
    p->link_us = server_wall_us();
    look_soon(d, p, true);
}

/* ---- a look ---- */

static bool is_known(void *context, const char *name, char near[static 32])
{
    struct device_name wanted = device_name_of(text_of(name)), found;

    near[0] = '\0';
    if (device_is_known(context, wanted))
        return true;
    if (progress_near(device_is_known, context, wanted, &found, 1))
        text_copy(near, 32, text_of(found.s));
    return false;
}

/* What is known of it; NULL: nothing, or no memory. */
static struct bedside *listen_to(struct live_doctor *d, struct device_name name,
                                 const struct patient *p)
{
    struct admin *a = d->admin;
    const struct bootstrap *b = server_bootstrap(a->thread->server);
    const struct directory *dir = a->thread->directory;
    struct live_history h = {.boot = progress_find(a->progress, name),
                             .status = status_find(a->status, text_of(name.s)),
                             .events = a->events,
                             .link =
                                 p && p->link_us + PULSE_US > server_wall_us() ? &p->link : NULL,
                             .link_us = p ? p->link_us : 0,
                             .name = name,
                             .sccp_port = (uint16_t)b->sccp_port,
                             .sip_port = (uint16_t)b->sip_port,
                             .progress = a->progress,
                             .now_us = server_wall_us()};
    struct bedside *l = dir && (h.boot || h.status) ? bedside_new() : NULL;

    if (!l)
        return NULL;
    ip_parse(text_of(b->node_address[0] ? b->node_address : "127.0.0.1"), &h.node);
    h.sccp_interval_s = (uint32_t)directory_number(dir, SET_station_keepalive_interval);
    h.sip_interval_s = (uint32_t)directory_number(dir, SET_sip_station_keepalive_interval);
    h.missed = (uint32_t)directory_number(dir, SET_station_keepalive_missed);
    live_history_tell(&h, bedside_ear(l));
    return l;
}

static int64_t now_ns(void)
{
    return (int64_t)server_wall_us() * 1000;
}

static bool had(const struct patient *before, enum cause cause)
{
    for (unsigned i = 0; i < before->n; i++)
        if (before->found[i].cause == cause)
            return true;
    return false;
}

static void tell_finding(struct live_doctor *d, const struct patient *p, unsigned i)
{
    const struct cause_row *row = cause_row(p->found[i].cause);
    uint64_t now = server_wall_us();
    struct alarm_draft draft;

    if (now - d->alarms_since_us > 60000000) {
        d->alarms_since_us = now;
        d->n_alarms = 0;
    }
    if (d->n_alarms++ >= TOLD_MAX)
        return;
    alarm_begin(&draft, ALARM_PHONE_DIAGNOSED);
    alarm_put_device(&draft, p->name);
    alarm_put(&draft, "Cause", "%s", row->name);
    alarm_put(&draft, "Certain", "%s", p->found[i].certain ? "yes" : "no");
    alarm_put(&draft, "Finding", "%s", cause_words(p->found[i].cause, LANGUAGE_EN)->title);
    alarm_put_text(&draft, "Detail", text_of(p->found[i].detail));
    server_alarm(d->admin->thread->server, alarm_finish(&draft));
}

static void keep(struct live_doctor *d, struct patient *p, const struct finding *f, size_t n)
{
    struct patient before = *p;

    p->n = 0;
    for (size_t i = 0; i < n && p->n < FOUND_MAX; i++) {
        if (f[i].severity == SEVERITY_HINT)
            continue;
        p->found[p->n].cause = f[i].cause;
        p->found[p->n].severity = f[i].severity;
        p->found[p->n].certain = f[i].certain;
        text_copy(p->found[p->n].detail, sizeof(p->found[p->n].detail), text_of(f[i].detail));
        p->n++;
    }
    d->n_ill += (p->n != 0) - (before.n != 0);
    p->since_us = p->n && before.n ? before.since_us : p->looked_us;
    for (unsigned i = 0; i < p->n; i++)
        if (!had(&before, p->found[i].cause))
            tell_finding(d, p, i);
}

static void look(struct live_doctor *d, struct patient *p)
{
    struct bedside *l = listen_to(d, p->name, p);
    struct bedside_options o = {is_known, d->admin};
    struct finding found[FOUND_MAX];
    size_t n = l ? bedside_judge(l, p->name, now_ns(), &o, found, FOUND_MAX) : 0;

    bedside_free(l);
    p->looked_us = server_wall_us();
    keep(d, p, found, n);
    if (!p->n)
        dismiss(d, p);
}

static bool is_registered(const struct live_doctor *d, const struct patient *p)
{
    const struct device_status *s = status_find(d->admin->status, name_of(p));

    return s && s->state == STATE_REGISTERED;
}

static void look_at_first(struct live_doctor *d, struct list *due, uint64_t now, uint64_t until)
{
    while (!list_is_empty(due) && uv_hrtime() < until) {
        struct patient *p = container_of(due->next, struct patient, due);

        if (p->due_us > now &&
            p->due_us - now <= BOOT_US + TROUBLE_US) /* else the clock was set back */
            return;
        list_remove(&p->due);
        if (!p->trouble && !p->n && is_registered(d, p))
            dismiss(d, p); /* it booted well */
        else
            look(d, p);
    }
}

/* Whoever is not registered, and whoever is ill, once in a while. */
static void walk(struct live_doctor *d, uint64_t now)
{
    const struct device_status *s;
    struct patient *p;
    uint64_t id;

    for (int i = 0; i < WALK && (s = status_next(d->admin->status, &d->walked)); i++)
        if (s->state == STATE_UNREGISTERED || s->state == STATE_REJECTED)
            look_soon(d, patient_of(d, s->name), false);
    if (!status_next(d->admin->status, &(size_t){d->walked}))
        d->walked = 0;
    if (!(p = pool_next(&d->patients, &d->round, &id)))
        d->round = 0;
    else if (now - p->looked_us > AGAIN_US)
        look_soon(d, p, true);
}

void live_doctor_tick(struct live_doctor *d)
{
    uint64_t now = server_wall_us(), until = uv_hrtime() + LOOK_US * 1000;

    look_at_first(d, &d->trouble, now, until);
    look_at_first(d, &d->boots, now, until);
    walk(d, now);
}

/* ---- answers ---- */

size_t live_doctor_ill(const struct live_doctor *d)
{
    return d->n_ill;
}

static void put_rows(const struct patient *p, bool full, json_t *rows)
{
    static const char *const severities[] = {"hint", "harm", "fatal"};

    for (unsigned i = 0; i < p->n; i++) {
        const struct cause_row *row = cause_row(p->found[i].cause);
        const struct cause_words *words = cause_words(p->found[i].cause, LANGUAGE_EN);

        json_array_append_new(rows, json_pack("[s, s, s, b, o, s, o, s]", p->name.s, row->name,
                                              severities[p->found[i].severity], p->found[i].certain,
                                              admin_time(p->since_us, full), words->title,
                                              json_of(text_of(p->found[i].detail)), words->todo));
    }
}

json_t *live_doctor_list(struct live_doctor *d, struct text name, size_t after, size_t limit,
                         bool full)
{
    json_t *rows = json_array();
    json_t *answer = json_pack("{s:[s,s,s,s,s,s,s,s], s:o}", "columns", "name", "cause", "severity",
                               "certain", "since", "finding", "detail", "todo", "rows", rows);
    const struct patient *p;
    uint64_t id;

    if (name.len) {
        if ((p = map_get(&d->by_name, name)))
            put_rows(p, full, rows);
        return answer;
    }
    while (json_array_size(rows) < limit && (p = pool_next(&d->patients, &after, &id)))
        put_rows(p, full, rows);
    if (json_array_size(rows) >= limit)
        json_object_set_new(answer, "next", json_sprintf("%zu", after));
    return answer;
}

char *live_doctor_story(struct live_doctor *d, struct device_name name, const char *lang)
{
    struct bedside *l = listen_to(d, name, map_get(&d->by_name, text_of(name.s)));
    struct bedside_options o = {is_known, d->admin};
    char *text = l ? bedside_story(l, name, now_ns(), &o, lang) : NULL;

    bedside_free(l);
    return text;
}
