#include "station/registry_own.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/spread.h"
#include "base/words.h"
#include "core/counters.h"
#include "station/guesses.h"
#include "station/news.h"

#define DRAINING_WAIT_S 60 /* nobody is taken until that ends */

static struct text key_of(const void *value)
{
    return text_of(((const struct station *)value)->name.s);
}

struct registry *registry_new(const struct registry_options *options)
{
    struct registry *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    map_init(&r->by_name, key_of);
    r->options = *options;
    pace_init(&r->pace);
    r->flapping = flapping_new();
    r->refused = refused_new();
    r->impatient = refused_new();
    r->guesses = guesses_new();
    r->loads = words_new();
    for (int i = 0; i < N_SETTINGS; i++)
        r->settings[i] = setting_rows[i].number;
    if (r->flapping && r->refused && r->impatient && r->guesses && r->loads)
        return r;
    registry_free(r);
    return NULL;
}

void registry_free(struct registry *r)
{
    if (!r)
        return;
    flapping_free(r->flapping);
    refused_free(r->refused);
    refused_free(r->impatient);
    guesses_free(r->guesses);
    words_free(r->loads);
    map_done(&r->by_name);
    free(r);
}

void registry_set_directory(struct registry *r, const struct directory *dir, struct moment now)
{
    r->now = now;
    r->directory = dir;
    r->asked.name.s[0] = '\0';
    r->directory_version++; /* our own count: a restored database may begin again */
    for (int i = 0; i < N_SETTINGS; i++)
        if (setting_rows[i].kind != SETTING_STRING)
            r->settings[i] = directory_number(dir, i);
}

/* --- what is configured --- */

const void *registry_row(const struct registry *r, enum entity entity, const char *key)
{
    return r->directory && key && *key ? directory_find(r->directory, entity, text_of(key)) : NULL;
}

const struct phone *registry_phone(struct registry *r, const char *name)
{
    if (!name[0] || !r->directory)
        return NULL;
    if (strcmp(r->asked.name.s, name) == 0)
        return r->asked.phone;
    if (text_copy(r->asked.name.s, sizeof(r->asked.name.s), text_of(name)) < strlen(name))
        r->asked.name.s[0] = '\0'; /* too long to be kept */
    return r->asked.phone = directory_phone(r->directory, text_of(name));
}

const struct phone *station_phone(struct station *x)
{
    struct registry *r = x->registry;

    if (x->phone_version != r->directory_version) {
        x->phone = registry_phone(r, x->name.s);
        x->phone_version = r->directory_version;
    }
    return x->phone;
}

const struct device_pool *station_pool(struct station *x)
{
    const struct phone *phone = station_phone(x);

    return registry_row(x->registry, ENTITY_device_pool,
                        phone && *phone->pool ? phone->pool : "Default");
}

const struct callmanager_group *station_group(struct station *x)
{
    const struct device_pool *pool = station_pool(x);

    return pool ? registry_row(x->registry, ENTITY_callmanager_group, pool->group) : NULL;
}

bool station_is_at_home(struct station *x)
{
    const struct callmanager_group *group = station_group(x);
    const struct callmanager *first;
    uint8_t order[GROUP_MEMBERS_MAX];

    if (spread_order(group, x->name.s, order) < 2)
        return true;
    first = registry_row(x->registry, ENTITY_callmanager, group->members[order[0]].callmanager);
    return !first || strcmp(first->name, x->registry->options.node) == 0 ||
           strcmp(first->server, x->registry->options.node) == 0;
}

struct ip station_own_address(const struct station *x)
{
    return x->kind->own_address(x);
}

/* --- what a station owns --- */

void station_set_load(struct station *x, struct text load)
{
    const char *old = x->load;

    if (load.len > LOAD_MAX)
        load.len = LOAD_MAX;
    x->load = words_take(x->registry->loads, load);
    words_give(x->registry->loads, old);
}

void station_done(struct station *x)
{
    words_give(x->registry->loads, x->load);
    free(x->last_alarm);
}

/* --- names --- */

struct station *registry_holder(const struct registry *r, struct device_name name)
{
    return map_get(&r->by_name, text_of(name.s));
}

bool station_namesake(const struct station *x, struct rival *ret)
{
    const struct registry *r = x->registry;
    const struct station *old = registry_holder(r, x->name);

    if (old && old != x && r->now.ms - old->heard_ms < old->loss_ms)
        *ret = (struct rival){old->peer.ip, ""};
    else if (!r->options.elsewhere ||
             !(ret->node = r->options.elsewhere(r->options.context, x->name, &ret->ip)))
        return false;
    return true;
}

bool station_rival(const struct station *x, struct rival *ret)
{
    return station_namesake(x, ret) && ret->ip.family == x->peer.ip.family && !ip_equal(ret->ip, x->peer.ip);
}

struct station *station_other(const struct station *x, struct ip own)
{
    const struct registry *r = x->registry;
    struct station *other = registry_holder(r, x->name);
    struct ip ip;

    if (!other || other == x || r->now.ms - other->heard_ms >= other->loss_ms ||
        (other->kind->link(other) && !r->options.answers))
        return NULL;
    ip = station_own_address(other);
    return ip_equal(other->peer.ip, x->peer.ip) && (ip_is_any(ip) || ip_is_any(own) || ip_equal(ip, own)) ? NULL : other;
}

void station_ask(struct station *other, struct effects *e)
{
    uint64_t link = other->kind->link(other);

    if (link)
        effects_put(e, EFFECT_PROBE)->link = link;
    else
        other->kind->ask(other, e);
}

bool station_answers(struct station *other)
{
    const struct registry_options *o = &other->registry->options;
    uint64_t link = other->kind->link(other);

    return link ? o->answers(o->context, link, RIVAL_MS) : other->kind->answers(other);
}

void station_is_gone(struct station *other)
{
    other->loss_ms = 0;
}

void station_take_name(struct station *x, struct effects *e)
{
    struct station *old = registry_holder(x->registry, x->name);
    struct rival rival;

    if (station_rival(x, &rival))
        flapping_takeover(x->registry->flapping, x->name, x->registry->now.ms);
    if (old && old != x)
        old->kind->replace(old, e);
}

int station_enter_name(struct station *x)
{
    if (x->has_name && registry_holder(x->registry, x->name) == x)
        return 0;
    x->has_name = map_put(&x->registry->by_name, x) == 0;
    return x->has_name ? 0 : -ENOMEM;
}

void station_leave_name(struct station *x)
{
    if (x->has_name && registry_holder(x->registry, x->name) == x)
        map_remove(&x->registry->by_name, key_of(x));
    x->has_name = false;
}

void station_move(struct station *x, enum station_state to)
{
    struct registry *r = x->registry;
    bool was = station_is_registered(x);

    r->n_tokens += (size_t)(to == STATION_TOKEN) - (size_t)(x->state == STATION_TOKEN);
    x->state = (uint8_t)to;
    if (station_is_registered(x) == was)
        return;
    r->n_registered[x->protocol] += was ? (size_t)-1 : 1;
    count_by(COUNT_SCCP_REGISTERED, was ? -1 : 1);
}

static struct device_name upper(struct device_name name)
{
    for (char *c = name.s; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return name;
}

const struct station *registry_find(const struct registry *r, struct device_name name)
{
    const struct station *x = registry_holder(r, name);

    if (!x)
        x = registry_holder(r, upper(name));
    return x && station_is_registered(x) ? x : NULL;
}

bool registry_take_off(struct registry *r, struct device_name name, uint32_t reason,
                       struct moment now, struct effects *e)
{
    struct station *x = (struct station *)registry_find(r, name);

    r->now = now;
    if (!x)
        return false;
    x->leave_reason = (uint8_t)reason;
    x->kind->replace(x, e);
    return true;
}

const struct callmanager_group *registry_group_of(const struct registry *r, struct device_name name)
{
    struct station *x = registry_holder(r, name);

    return x ? station_group(x) : NULL;
}

bool registry_claimed(struct registry *r, struct device_name name, struct ip claimant, struct moment now, struct effects *e)
{
    struct station *x = (struct station *)registry_find(r, name);

    r->now = now;
    if (!x || ip_equal(x->peer.ip, claimant) || (x->kind->has_proof && x->kind->has_proof(x)) ||
        (x->kind->link(x) && !r->options.answers))
        return false;
    station_ask(x, e);
    return true;
}

bool registry_holds(struct registry *r, struct device_name name, struct ip claimant, struct moment now, struct effects *e)
{
    struct station *x = (struct station *)registry_find(r, name);

    r->now = now;
    if (!x || !station_answers(x))
        return false;
    tell_claim(x, claimant, e);
    return true;
}

void registry_set_draining(struct registry *r, bool on)
{
    r->draining = on;
}

void registry_measure(struct registry *r, uint32_t cpu_us, uint32_t late_ms)
{
    pace_measure(&r->pace, cpu_us, r->n_arrived, late_ms);
    r->n_arrived = 0;
}

void registry_set_awake(struct registry *r, uint64_t since_ms)
{
    r->awake_ms = since_ms;
}

void registry_set_disagreement(struct registry *r, bool on)
{
    r->disagrees = on;
}

size_t registry_registered(const struct registry *r, enum device_protocol protocol)
{
    return r->n_registered[protocol];
}

const struct refusal *registry_refusal(const struct registry *r, struct device_name name)
{
    return refused_find(r->refused, name);
}

static uint32_t token_depth(const struct registry *r)
{
    uint32_t depth = (uint32_t)r->settings[SET_max_fallback_queue];

    return r->settings[SET_paced_return] ? pace_depth(&r->pace, depth) : depth;
}

bool registry_has_token(const struct registry *r)
{
    return !r->draining && r->n_tokens < token_depth(r);
}

bool registry_spend_token(struct registry *r)
{
    uint64_t second = r->now.ms / 1000;

    if (r->token_second != second)
        r->n_spent = 0;
    r->token_second = second;
    if (r->draining || r->n_tokens + r->n_spent >= token_depth(r))
        return false;
    r->n_spent++;
    return true;
}

static bool is_power_of_ten(uint32_t n)
{
    while (n >= 10 && n % 10 == 0)
        n /= 10;
    return n == 1;
}

static uint32_t token_wait_s(struct registry *r)
{
    uint32_t least = (uint32_t)r->settings[SET_token_reject_wait];

    if (r->draining)
        return DRAINING_WAIT_S;
    return r->settings[SET_paced_return] ? pace_wait_s(&r->pace, r->now.ms, least) : least;
}

uint32_t station_token_wait_s(struct station *x, struct effects *e)
{
    struct refused *all = x->registry->impatient;
    uint64_t now_us = x->registry->now.ms * 1000, due_us;
    const struct refusal *last = refused_find(all, x->name);
    struct refusal told;
    uint32_t times;

    if (last && now_us < last->last_us + last->reason * 1000000ull) {
        told = *last;
    } else {
        refused_forget(all, x->name);
        told = (struct refusal){.name = x->name, .last_us = now_us, .reason = token_wait_s(x->registry)};
    }
    refused_note(all, &told, x->registry->now.ms, &times);
    last = refused_find(all, x->name);
    if (last && last->n >= 10 && is_power_of_ten(last->n))
        tell_impatient(x, last->n, told.reason, e);
    due_us = told.last_us + told.reason * 1000000ull;
    return (uint32_t)((due_us - now_us + 999999) / 1000000);
}

uint32_t registry_spread_s(struct registry *r, enum calendar_id which, uint32_t longest,
                           uint32_t least)
{
    size_t n = r->n_registered[PROTOCOL_SIP];

    if (!r->settings[SET_paced_return])
        return longest;
    if (which == CALENDAR_KEEPALIVES)
        n = r->n_registered[PROTOCOL_SCCP];
    else if (which == CALENDAR_CONTACTS)
        n += r->n_registered[PROTOCOL_SIP_THIRD_PARTY];
    return calendar_pick(&r->calendars[which], r->now.ms, longest, least, n);
}

void registry_note_elsewhere(struct registry *r, struct device_name name, const char *node)
{
    flapping_elsewhere(r->flapping, name, node);
}
