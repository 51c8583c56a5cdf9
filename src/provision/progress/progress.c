/* progress.c - boot timelines: which phones are remembered, where a boot begins and ends, who is
 * unknown. */
#include "provision/progress/own.h"

#include <stdlib.h>

#define NEW_BOOT_MS                                                                                \
    30000 /* a registered phone that asks for its file later than this has booted anew */
#define FORGOTTEN_MS 600000 /* a boot without an event for so long is over */

const char *const progress_stage_titles[N_PROGRESS_STAGES] = {
    [PROGRESS_LINK] = "link",
    [PROGRESS_DHCP_DISCOVER] = "DHCP discover",
    [PROGRESS_DHCP_OFFER] = "DHCP offer",
    [PROGRESS_DHCP_REQUEST] = "DHCP request",
    [PROGRESS_DHCP_ACK] = "DHCP address",
    [PROGRESS_DHCP_NAK] = "DHCP refused",
    [PROGRESS_DHCP_RELEASE] = "DHCP release",
    [PROGRESS_FILE_ASKED] = "file asked",
    [PROGRESS_FILE_SENT] = "file sent",
    [PROGRESS_FILE_MISSING] = "file missing",
    [PROGRESS_FILE_REFUSED] = "file refused",
    [PROGRESS_FILE_BROKEN] = "file broken off",
    [PROGRESS_CONNECTED] = "connected",
    [PROGRESS_REGISTER] = "register",
    [PROGRESS_REJECTED] = "rejected",
    [PROGRESS_REGISTERED] = "registered",
    [PROGRESS_UNREGISTERED] = "unregistered",
};

static struct text name_key(const void *value)
{
    const struct progress_phone *phone = value;

    return text_of(phone->name.s);
}

static struct text ip_key(const void *value)
{
    const struct progress_phone *phone = value;

    return (struct text){(const char *)phone->ip.bytes, sizeof(phone->ip.bytes)};
}

struct progress *progress_new(size_t max_known, size_t max_unknown, progress_known known,
                              const void *context)
{
    struct progress *p = calloc(1, sizeof(*p));
    size_t max = max_known + max_unknown;

    if (!p)
        return NULL;
    p->details = words_new();
    if (!p->details) {
        free(p);
        return NULL;
    }
    pool_init(&p->phones, sizeof(struct progress_phone), max);
    pool_init(&p->chunks, sizeof(struct progress_chunk), max * (PROGRESS_STEPS / PROGRESS_CHUNK));
    map_init(&p->by_name, name_key);
    map_init(&p->by_ip, ip_key);
    chain_init(&p->known, &p->phones, offsetof(struct progress_phone, order));
    chain_init(&p->unknown, &p->phones, offsetof(struct progress_phone, order));
    p->max_known = max_known;
    p->max_unknown = max_unknown;
    p->is_known = known;
    p->context = context;
    p->epoch = 1;
    return p;
}

void progress_free(struct progress *p)
{
    struct progress_phone *phone;
    size_t cursor = 0;
    uint64_t id;

    if (!p)
        return;
    while ((phone = pool_next(&p->phones, &cursor, &id)))
        free(phone->past);
    map_done(&p->by_name);
    map_done(&p->by_ip);
    words_free(p->details);
    pool_done(&p->phones);
    pool_done(&p->chunks);
    free(p);
}

/* --- which phones are remembered --- */

static void set_ip(struct progress *p, struct progress_phone *phone, struct ip ip)
{
    struct progress_phone *other;

    if (phone->ip_listed && ip_equal(phone->ip, ip))
        return;
    if (phone->ip_listed)
        map_remove(&p->by_ip, ip_key(phone));
    phone->ip_listed = false;
    if (ip_is_any(ip))
        return;
    phone->ip = ip;
    other = map_remove(&p->by_ip, ip_key(phone)); /* the address has a new owner */
    if (other)
        other->ip_listed = false;
    phone->ip_listed = map_put(&p->by_ip, phone) == 0;
}

static struct chain *list_of(struct progress *p, const struct progress_phone *phone)
{
    return phone->known ? &p->known : &p->unknown;
}

static void forget(struct progress *p, struct progress_phone *phone)
{
    if (phone->ip_listed)
        map_remove(&p->by_ip, ip_key(phone));
    map_remove(&p->by_name, name_key(phone));
    chain_remove(list_of(p, phone), phone);
    *(phone->known ? &p->n_known : &p->n_unknown) -= 1;
    progress_drop_steps(p, phone);
    free(phone->past);
    pool_give(&p->phones, pool_id(phone));
}

static void enter_list(struct progress *p, struct progress_phone *phone)
{
    struct chain *to = list_of(p, phone);
    size_t *n = phone->known ? &p->n_known : &p->n_unknown;

    if (*n >= (phone->known ? p->max_known : p->max_unknown))
        forget(p, chain_first(to));
    chain_append(to, phone);
    ++*n;
}

/* Known or unknown may have changed with the directory. */
static void check_known(struct progress *p, struct progress_phone *phone)
{
    bool known;

    if (phone->epoch == p->epoch)
        return;
    phone->epoch = p->epoch;
    known = p->is_known(p->context, phone->name);
    if (known == phone->known)
        return;
    chain_remove(list_of(p, phone), phone);
    *(phone->known ? &p->n_known : &p->n_unknown) -= 1;
    phone->known = known;
    enter_list(p, phone);
}

/* Who is registered is known, whatever snapshot this thread has; the next event asks. */
static struct progress_phone *enter(struct progress *p, struct device_name name,
                                    const struct progress_event *e)
{
    bool registered = e->stage == PROGRESS_REGISTERED;
    bool known = registered || p->is_known(p->context, name);
    struct progress_phone *phone;
    uint64_t id;

    if ((known ? p->n_known : p->n_unknown) >= (known ? p->max_known : p->max_unknown))
        forget(p, chain_first(known ? &p->known : &p->unknown));
    if (!(phone = pool_take(&p->phones, &id)))
        return NULL;
    phone->name = name;
    phone->known = known;
    phone->epoch = registered ? 0 : p->epoch;
    phone->ended = true; /* the next event begins a boot */
    if (map_put(&p->by_name, phone) < 0) {
        pool_give(&p->phones, id);
        return NULL;
    }
    enter_list(p, phone);
    return phone;
}

/* --- the boot --- */

uint32_t progress_since_start_ms(const struct progress_phone *phone, uint64_t now_us)
{
    uint64_t start = phone->boot.start_us;
    uint64_t ms = now_us > start ? (now_us - start) / 1000 : 0;

    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* NULL without memory: then it has none. */
static struct progress_past *past_of(struct progress_phone *phone)
{
    if (!phone->past && (phone->past = calloc(1, sizeof(*phone->past))))
        phone->past->first_us = phone->boot.start_us;
    return phone->past;
}

static void begin_boot(struct progress *p, struct progress_phone *phone, uint64_t now_us)
{
    struct progress_past *past = phone->boot.start_us ? past_of(phone) : NULL;

    if (past) {
        if (phone->served)
            past->ip = phone->ip;
        else if (!ip_equal(past->ip, phone->ip))
            past->ip = (struct ip){0};
        memmove(past->boots + 1, past->boots, sizeof(past->boots) - sizeof(past->boots[0]));
        past->boots[0] = phone->boot;
    }
    phone->boot = (struct progress_boot){.start_us = now_us};
    phone->ended = phone->served = false;
    phone->tries++;
    progress_drop_steps(p, phone);
}

/* A phone gets an address, then files, then connects: what goes back in that order began anew. */
static bool begins_boot(const struct progress_phone *phone, const struct progress_event *e)
{
    const struct progress_boot *boot = &phone->boot;
    bool registered = boot->outcome == PROGRESS_REGISTERED;
    uint64_t silent_us = e->time_us > phone->last_us ? e->time_us - phone->last_us : 0;

    if (!boot->start_us)
        return true;
    if (e->stage == PROGRESS_UNREGISTERED || e->stage == PROGRESS_DHCP_RELEASE ||
        e->stage == PROGRESS_LINK)
        return false;
    if (phone->ended || (!registered && silent_us > FORGOTTEN_MS * 1000))
        return true;
    if (e->stage == PROGRESS_DHCP_DISCOVER)
        return boot->outcome > PROGRESS_DHCP_NAK;
    if (e->stage == PROGRESS_FILE_ASKED && registered)
        return progress_names_file(e) &&
               progress_since_start_ms(phone, e->time_us) > boot->total_ms + NEW_BOOT_MS;
    return e->stage == PROGRESS_REGISTER && registered;
}

/* Renewals of an address, neighbours told every minute, and late files are no step of a boot that
 * is over. */
static bool is_step(const struct progress_phone *phone, const struct progress_event *e)
{
    const struct progress_boot *boot = &phone->boot;

    if (e->stage == PROGRESS_LINK)
        return !phone->ended && phone->n_steps < 2 && boot->outcome < PROGRESS_FILE_ASKED;
    if (boot->outcome != PROGRESS_REGISTERED)
        return true;
    if (e->stage == PROGRESS_UNREGISTERED)
        return true;
    return progress_is_file(e) &&
           progress_since_start_ms(phone, e->time_us) <= boot->total_ms + NEW_BOOT_MS;
}

static void advance(struct progress_phone *phone, const struct progress_event *e)
{
    struct progress_boot *boot = &phone->boot;

    if (boot->outcome == PROGRESS_REGISTERED) {
        phone->ended = phone->ended || e->stage == PROGRESS_UNREGISTERED;
        return;
    }
    if (e->stage != PROGRESS_LINK)
        boot->outcome = e->stage;
    boot->total_ms = progress_since_start_ms(phone, e->time_us);
    boot->code = e->stage == PROGRESS_REJECTED ? (uint16_t)e->code : 0;
    phone->ended = e->stage == PROGRESS_REJECTED || e->stage == PROGRESS_UNREGISTERED;
}

static void learn(struct progress *p, struct progress_phone *phone, const struct progress_event *e)
{
    if (e->model)
        phone->model = e->model;
    if (e->stage >= PROGRESS_REGISTER)
        phone->protocol = e->protocol;
    if (!ip_is_any(e->ip) && e->stage != PROGRESS_DHCP_OFFER)
        set_ip(p, phone, e->ip);
    if (e->stage == PROGRESS_LINK && e->detail[0] && past_of(phone))
        text_copy(phone->past->port, sizeof(phone->past->port),
                  (struct text){e->detail, strnlen(e->detail, sizeof(e->detail))});
    chain_remove(list_of(p, phone), phone);
    chain_append(list_of(p, phone), phone);
}

static void take(struct progress *p, struct progress_phone *phone, const struct progress_event *e)
{
    struct progress_event asked = *e;

    asked.stage = e->at_once ? PROGRESS_REGISTER : e->stage;
    if (begins_boot(phone, &asked))
        begin_boot(p, phone, e->time_us);
    if (is_step(phone, e))
        progress_add_step(p, phone, e);
    advance(phone, e);
    phone->served = phone->served || ((e->stage == PROGRESS_DHCP_ACK || progress_is_file(e)) &&
                                      e->time_us >= phone->boot.start_us); /* some are told late */
    phone->last_us = e->time_us;
}

const struct progress_phone *progress_event(struct progress *p, const struct progress_event *e)
{
    struct device_name name = progress_identify(p, e);
    struct progress_phone *phone = name.s[0] ? map_get(&p->by_name, text_of(name.s)) : NULL;

    if (!phone && name.s[0] && e->stage < N_PROGRESS_STAGES &&
        (progress_looks_like_phone(e) || p->is_known(p->context, name)))
        phone = enter(p, name, e);
    if (!phone || e->stage >= N_PROGRESS_STAGES) {
        p->ignored++;
        return NULL;
    }
    if (e->stage != PROGRESS_REGISTERED)
        check_known(p, phone);
    take(p, phone, e);
    learn(p, phone, e);
    return phone;
}

/* --- questions --- */

void progress_directory_changed(struct progress *p)
{
    p->epoch++;
}

const struct progress_phone *progress_find(const struct progress *p, struct device_name name)
{
    return map_get(&p->by_name, text_of(name.s));
}

bool progress_is_from_elsewhere(const struct progress_phone *phone, struct ip *before)
{
    struct ip ip = phone->past ? phone->past->ip : (struct ip){0};

    if (phone->served || ip.family != phone->ip.family || ip_equal(ip, phone->ip))
        return false;
    *before = ip;
    return true;
}

static void check_unknown(struct progress *p)
{
    struct progress_phone *next;

    for (struct progress_phone *phone = chain_first(&p->unknown); phone; phone = next) {
        next = chain_next(&p->unknown, phone);
        check_known(p, phone);
    }
}

size_t progress_unknown(struct progress *p, const struct progress_phone **to, size_t max)
{
    size_t n = 0;

    check_unknown(p);
    for (const struct progress_phone *phone = chain_last(&p->unknown); phone && n < max;
         phone = chain_prev(&p->unknown, phone))
        to[n++] = phone;
    return n;
}

size_t progress_n_unknown(struct progress *p)
{
    check_unknown(p);
    return p->n_unknown;
}
