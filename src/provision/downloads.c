#include "provision/downloads.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"

#define PLACES_MAX 16384
#define SITE_KEY   256

struct site { /* a load at a site; there while phones fetch it */
    char key[SITE_KEY];
    size_t n;
};

struct place {
    struct list node; /* in `resting`, oldest first, while nothing runs */
    struct site *site;
    struct ip phone;
    uint64_t id, rests_ms;
    unsigned running;
};

struct downloads {
    struct map sites, by_phone;
    struct pool places;
    struct list resting;
};

static struct text site_key(const void *value)
{
    return text_of(((const struct site *)value)->key);
}

static struct text key_of(const struct ip *ip)
{
    return (struct text){(const char *)ip, sizeof(*ip)};
}

static struct text place_key(const void *value)
{
    return key_of(&((const struct place *)value)->phone);
}

struct downloads *downloads_new(void)
{
    struct downloads *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    map_init(&d->sites, site_key);
    map_init(&d->by_phone, place_key);
    pool_init(&d->places, sizeof(struct place), PLACES_MAX);
    list_init(&d->resting);
    return d;
}

static void leave_site(struct downloads *d, struct site *s)
{
    if (--s->n == 0)
        free(map_remove(&d->sites, text_of(s->key)));
}

static void place_free(struct downloads *d, struct place *p)
{
    list_remove(&p->node);
    map_remove(&d->by_phone, key_of(&p->phone));
    leave_site(d, p->site);
    pool_give(&d->places, p->id);
}

void downloads_free(struct downloads *d)
{
    size_t cursor = 0;
    struct place *p;
    uint64_t id;

    if (!d)
        return;
    while ((p = pool_next(&d->places, &cursor, &id)))
        place_free(d, p);
    map_done(&d->sites);
    map_done(&d->by_phone);
    pool_done(&d->places);
    free(d);
}

static void expire(struct downloads *d, uint64_t now_ms)
{
    while (!list_is_empty(&d->resting)) {
        struct place *p = container_of(d->resting.next, struct place, node);

        if (now_ms - p->rests_ms < DOWNLOADS_PATIENCE_MS)
            return;
        place_free(d, p);
    }
}

static struct site *site_get(struct downloads *d, const char *key)
{
    struct site *s = map_get(&d->sites, text_of(key));

    if (s || !(s = calloc(1, sizeof(*s))))
        return s;
    snprintf(s->key, sizeof(s->key), "%s", key);
    if (map_put(&d->sites, s) == 0)
        return s;
    free(s);
    return NULL;
}

static struct place *place_new(struct downloads *d, struct site *s, struct ip phone)
{
    uint64_t id;
    struct place *p = pool_take(&d->places, &id);

    if (!p)
        return NULL;
    *p = (struct place){.site = s, .phone = phone, .id = id};
    if (map_put(&d->by_phone, p) == 0)
        return p;
    pool_give(&d->places, id);
    return NULL;
}

/* A site that was only looked up is not left behind. */
static struct place *take_place(struct downloads *d, const char *key, struct ip phone, size_t max)
{
    struct site *s = site_get(d, key);
    struct place *p;

    if (!s)
        return NULL;
    p = s->n++ < max ? place_new(d, s, phone) : NULL;
    if (!p)
        leave_site(d, s);
    return p;
}

bool downloads_begin(struct downloads *d, const char *load, const char *site, struct ip phone,
                     size_t max, uint64_t now_ms)
{
    char key[SITE_KEY];
    struct place *p;

    snprintf(key, sizeof(key), "%s %s", load, site);
    expire(d, now_ms);
    p = map_get(&d->by_phone, key_of(&phone));
    if (p && strcmp(p->site->key, key) != 0 && !p->running) { /* another load now */
        place_free(d, p);
        p = NULL;
    }
    if (!p)
        p = take_place(d, key, phone, max);
    if (!p)
        return false;
    list_remove(&p->node);
    p->running++;
    return true;
}

void downloads_ended(struct downloads *d, struct ip phone, uint64_t now_ms)
{
    struct place *p = map_get(&d->by_phone, key_of(&phone));

    if (!p || !p->running || --p->running)
        return;
    p->rests_ms = now_ms;
    list_append(&d->resting, &p->node);
}
