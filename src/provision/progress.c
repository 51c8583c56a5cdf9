/* progress.c - boot timelines, and who is unknown. */
#include "provision/progress.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/words.h"

#define CHUNK      2  /* steps a slot: a phone that only registers needs none, a whole boot three */
#define OWN_DIGITS 12 /* of SEP001122334455, as they stand in the names of its files */
#define NEW_BOOT_MS                                                                                \
    30000 /* a registered phone that asks for its file later than this has booted anew */
#define FORGOTTEN_MS 600000 /* a boot without an event for so long is over */

struct chunk {
    uint64_t next;
    struct progress_kept steps[CHUNK];
};

struct progress {
    struct pool phones, chunks;
    struct map by_name, by_ip;
    struct words *details;
    struct list known, unknown; /* oldest first */
    size_t n_known, n_unknown, max_known, max_unknown;
    progress_known is_known;
    const void *context;
    uint32_t epoch;
    uint64_t ignored;
};

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
    pool_init(&p->chunks, sizeof(struct chunk), max * (PROGRESS_STEPS / CHUNK));
    map_init(&p->by_name, name_key);
    map_init(&p->by_ip, ip_key);
    list_init(&p->known);
    list_init(&p->unknown);
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

/* --- who it is about --- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* SEP001122334455.cnf.xml, CTLSEP001122334455.tlv, SIP001122334455.cnf … */
static bool name_in_file(const char *file, struct mac *ret)
{
    const char *digits = file;
    size_t n = 0;

    for (; *file && n < 12; file++) {
        n = is_hex(*file) ? n + 1 : 0;
        digits = n == 1 ? file : digits;
    }
    return n == 12 && !is_hex(*file) && mac_parse((struct text){digits, 12}, ret) == 0;
}

static bool is_file(const struct progress_event *e)
{
    return e->stage >= PROGRESS_FILE_ASKED && e->stage <= PROGRESS_FILE_BROKEN;
}

static struct progress_phone *by_ip(const struct progress *p, struct ip ip)
{
    return ip_is_any(ip)
               ? NULL
               : map_get(&p->by_ip, (struct text){(const char *)ip.bytes, sizeof(ip.bytes)});
}

/* The name that the event is about; empty when nobody can say. */
static struct device_name identify(const struct progress *p, const struct progress_event *e)
{
    const struct progress_phone *phone;
    struct mac mac;

    if (e->device.s[0])
        return e->device;
    if (mac_number(e->mac))
        return device_name_of_mac(e->mac);
    if (is_file(e) && name_in_file(e->detail, &mac))
        return device_name_of_mac(mac);
    phone = by_ip(p, e->ip);
    return phone ? phone->name : (struct device_name){""};
}

/* Not every computer that asks for an address is a phone. */
static bool looks_like_phone(const struct progress_event *e)
{
    struct mac mac;

    if (e->stage == PROGRESS_DHCP_DISCOVER || e->stage == PROGRESS_DHCP_REQUEST)
        return text_starts_nocase(text_of(e->detail), "Cisco");
    if (is_file(e))
        return name_in_file(e->detail, &mac);
    return e->device.s[0] != 0;
}

/* --- which phones are remembered --- */

static void drop_steps(struct progress *p, struct progress_phone *phone)
{
    words_give(p->details, phone->first.detail);
    phone->first.detail = NULL;
    for (uint64_t id = phone->steps; id;) {
        struct chunk *c = pool_get(&p->chunks, id);
        uint64_t next = c ? c->next : 0;

        for (size_t i = 0; c && i < CHUNK; i++)
            words_give(p->details, c->steps[i].detail);
        pool_give(&p->chunks, id);
        id = next;
    }
    phone->steps = 0;
    phone->n_steps = 0;
}

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

static void forget(struct progress *p, struct progress_phone *phone)
{
    if (phone->ip_listed)
        map_remove(&p->by_ip, ip_key(phone));
    map_remove(&p->by_name, name_key(phone));
    list_remove(&phone->order);
    *(phone->known ? &p->n_known : &p->n_unknown) -= 1;
    drop_steps(p, phone);
    free(phone->past);
    pool_give(&p->phones, pool_id(phone));
}

static void enter_list(struct progress *p, struct progress_phone *phone)
{
    struct list *to = phone->known ? &p->known : &p->unknown;
    size_t *n = phone->known ? &p->n_known : &p->n_unknown;

    if (*n >= (phone->known ? p->max_known : p->max_unknown))
        forget(p, container_of(to->next, struct progress_phone, order));
    list_append(to, &phone->order);
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
    list_remove(&phone->order);
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
        forget(p,
               container_of(known ? p->known.next : p->unknown.next, struct progress_phone, order));
    if (!(phone = pool_take(&p->phones, &id)))
        return NULL;
    phone->name = name;
    phone->first_us = e->time_us;
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

static uint32_t since_start_ms(const struct progress_phone *phone, uint64_t now_us)
{
    uint64_t start = phone->boot.start_us;
    uint64_t ms = now_us > start ? (now_us - start) / 1000 : 0;

    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* NULL without memory: then it has none. */
static struct progress_past *past_of(struct progress_phone *phone)
{
    if (!phone->past)
        phone->past = calloc(1, sizeof(*phone->past));
    return phone->past;
}

static void begin_boot(struct progress *p, struct progress_phone *phone, uint64_t now_us)
{
    struct progress_past *past = phone->boot.start_us ? past_of(phone) : NULL;

    if (past) {
        memmove(past->boots + 1, past->boots, sizeof(past->boots) - sizeof(past->boots[0]));
        past->boots[0] = phone->boot;
    }
    phone->boot = (struct progress_boot){.start_us = now_us};
    phone->ended = false;
    phone->tries++;
    drop_steps(p, phone);
}

static bool is_own_file(const struct progress_event *e)
{
    struct mac mac;

    return name_in_file(e->detail, &mac);
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
        return is_own_file(e) && since_start_ms(phone, e->time_us) > boot->total_ms + NEW_BOOT_MS;
    return e->stage == PROGRESS_REGISTER && registered;
}

static struct progress_kept *step_at(const struct progress *p, const struct progress_phone *phone,
                                     size_t i)
{
    const struct chunk *c;

    if (i == 0)
        return (struct progress_kept *)&phone->first;
    for (c = pool_get(&p->chunks, phone->steps), i--; c && i >= CHUNK; i -= CHUNK)
        c = pool_get(&p->chunks, c->next);
    return c ? (struct progress_kept *)&c->steps[i] : NULL;
}

/* Room for one more step; the last one is written over when all are taken. */
static struct progress_kept *next_step(struct progress *p, struct progress_phone *phone)
{
    if (phone->n_steps == PROGRESS_STEPS)
        return step_at(p, phone, PROGRESS_STEPS - 1);
    if (phone->n_steps % CHUNK == 1) {
        uint64_t id, *link = &phone->steps;
        struct chunk *c = pool_take(&p->chunks, &id);

        if (!c)
            return NULL;
        while (*link)
            link = &((struct chunk *)pool_get(&p->chunks, *link))->next;
        *link = id;
    }
    return step_at(p, phone, phone->n_steps++);
}

static struct text own_digits(const struct progress_phone *phone)
{
    struct text name = text_of(phone->name.s);

    return name.len == 3 + OWN_DIGITS ? text_skip(name, 3) : TEXT("");
}

/* All phones ask for SEP\1.cnf.xml. */
static const char *detail_take(struct progress *p, const struct progress_phone *phone,
                               struct text detail)
{
    struct text own = own_digits(phone);
    const char *at = own.len ? memmem(detail.at, detail.len, own.at, own.len) : NULL;
    char to[sizeof(((struct progress_event *)NULL)->detail)];
    struct writer w = writer_of(to, sizeof(to));

    if (!at)
        return words_take(p->details, detail);
    write_bytes(&w, detail.at, (size_t)(at - detail.at));
    write_u8(&w, 1);
    write_text(&w, text_skip(detail, (size_t)(at - detail.at) + own.len));
    return words_take(p->details, (struct text){to, writer_len(&w)});
}

/* Cut, and seen to be cut, when it is too long. */
static void put_detail(const struct progress_phone *phone, const char *kept,
                       char to[static PROGRESS_DETAIL])
{
    struct text rest = text_of(kept), before = text_split(&rest, 1);
    char whole[sizeof(((struct progress_event *)NULL)->detail) + OWN_DIGITS];
    struct writer w = writer_of(whole, sizeof(whole));
    struct text t;

    write_text(&w, before);
    if (rest.at)
        write_text(&w, own_digits(phone));
    write_text(&w, rest);
    t = (struct text){whole, writer_len(&w)};
    if (t.len < PROGRESS_DETAIL) {
        text_copy(to, PROGRESS_DETAIL, t);
        return;
    }
    t.len = text_utf8_cut(t, PROGRESS_DETAIL - 4);
    memcpy(to + text_copy(to, PROGRESS_DETAIL, t), "…", 4);
}

static void add_step(struct progress *p, struct progress_phone *phone,
                     const struct progress_event *e)
{
    struct progress_kept *last = phone->n_steps ? step_at(p, phone, phone->n_steps - 1u) : NULL;
    const char *detail =
        detail_take(p, phone, (struct text){e->detail, strnlen(e->detail, sizeof(e->detail))});

    if (last && last->stage == e->stage && last->detail == detail && !e->at_once) {
        last->times += last->times < 255;
        words_give(p->details, detail);
        return;
    }
    last = next_step(p, phone);
    if (!last) {
        words_give(p->details, detail);
        return;
    }
    words_give(p->details, last->detail);
    *last = (struct progress_kept){detail, since_start_ms(phone, e->time_us), (uint8_t)e->stage, 1,
                                   e->at_once};
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
    return is_file(e) && since_start_ms(phone, e->time_us) <= boot->total_ms + NEW_BOOT_MS;
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
    boot->total_ms = since_start_ms(phone, e->time_us);
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
    list_remove(&phone->order);
    list_append(phone->known ? &p->known : &p->unknown, &phone->order);
}

static void take(struct progress *p, struct progress_phone *phone, const struct progress_event *e)
{
    struct progress_event asked = *e;

    asked.stage = e->at_once ? PROGRESS_REGISTER : e->stage;
    if (begins_boot(phone, &asked))
        begin_boot(p, phone, e->time_us);
    if (is_step(phone, e))
        add_step(p, phone, e);
    advance(phone, e);
    phone->last_us = e->time_us;
}

const struct progress_phone *progress_event(struct progress *p, const struct progress_event *e)
{
    struct device_name name = identify(p, e);
    struct progress_phone *phone = name.s[0] ? map_get(&p->by_name, text_of(name.s)) : NULL;

    if (!phone && name.s[0] && e->stage < N_PROGRESS_STAGES &&
        (looks_like_phone(e) || p->is_known(p->context, name)))
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

static size_t insert_step(struct progress_step to[static PROGRESS_STEPS], size_t n,
                          const struct progress_step *step)
{
    size_t at = n;

    if (n == PROGRESS_STEPS)
        return n;
    for (; at && to[at - 1].at_ms > step->at_ms; at--)
        to[at] = to[at - 1];
    to[at] = *step;
    return n + 1;
}

size_t progress_steps(const struct progress *p, const struct progress_phone *phone,
                      struct progress_step to[static PROGRESS_STEPS])
{
    size_t n = 0;

    for (size_t i = 0; i < phone->n_steps; i++) {
        const struct progress_kept *s = step_at(p, phone, i);
        struct progress_step step;

        if (!s)
            continue;
        step = (struct progress_step){s->at_ms, s->stage, s->times, ""};
        put_detail(phone, s->detail, step.detail);
        if (s->at_once) {
            step.stage = PROGRESS_REGISTER;
            n = insert_step(to, n, &step);
            step.stage = s->stage;
        }
        n = insert_step(to, n, &step);
    }
    return n;
}

static void check_unknown(struct progress *p)
{
    list_for_each(&p->unknown, node)
        check_known(p, container_of(node, struct progress_phone, order));
}

size_t progress_unknown(struct progress *p, const struct progress_phone **to, size_t max)
{
    size_t n = 0;

    check_unknown(p);
    for (struct list *node = p->unknown.prev; node != &p->unknown && n < max; node = node->prev)
        to[n++] = container_of(node, struct progress_phone, order);
    return n;
}

size_t progress_n_unknown(struct progress *p)
{
    check_unknown(p);
    return p->n_unknown;
}

struct near {
    progress_known known;
    const void *context;
    struct device_name *to;
    size_t n, max;
};

static void try_name(struct near *near, const struct device_name *name)
{
    if (near->n < near->max && near->known(near->context, *name))
        near->to[near->n++] = *name;
}

size_t progress_near(progress_known known, const void *context, struct device_name name,
                     struct device_name *to, size_t max)
{
    static const char digits[] = "0123456789ABCDEF";
    struct near near = {known, context, to, 0, max};
    struct mac mac;

    if (device_name_mac(name, &mac) < 0)
        return 0;
    name = device_name_of_mac(mac); /* upper case */
    for (char *c = name.s + 3; *c; c++) {
        char own = *c;

        for (const char *d = digits; *d; d++)
            if ((*c = *d) != own)
                try_name(&near, &name);
        *c = own;
        if (c[1] && c[1] != own) {
            *c = c[1], c[1] = own;
            try_name(&near, &name);
            c[1] = *c, *c = own;
        }
    }
    return near.n;
}
