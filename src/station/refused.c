#include "station/refused.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"

#define TOLD_A_SECOND 100 /* the rest is in their counters */
#define AGAIN_MS      60000
#define AGAIN_MOST_MS (3600 * 1000)

struct row {
    struct refusal refusal;
    uint64_t id;
    struct list age;
    uint64_t told_ms, again_ms; /* when it was told, and for how long it is not told again */
    uint32_t told_n;            /* refusals when it was told */
};

struct refused {
    struct pool rows;
    struct map by_name;
    struct list ages; /* oldest first */
    uint64_t second;
    uint32_t n_told; /* in that second */
};

static struct text key_of(const void *value)
{
    return text_of(((const struct row *)value)->refusal.name.s);
}

struct refused *refused_new(void)
{
    struct refused *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    pool_init(&r->rows, sizeof(struct row), REFUSED_MAX);
    map_init(&r->by_name, key_of);
    list_init(&r->ages);
    return r;
}

void refused_free(struct refused *r)
{
    if (!r)
        return;
    map_done(&r->by_name);
    pool_done(&r->rows);
    free(r);
}

static struct row *row_find(const struct refused *r, struct device_name name)
{
    return map_get(&r->by_name, text_of(name.s));
}

static void row_free(struct refused *r, struct row *row)
{
    map_remove(&r->by_name, key_of(row));
    list_remove(&row->age);
    pool_give(&r->rows, row->id);
}

static struct row *row_take(struct refused *r, const struct refusal *refusal)
{
    struct row *row = row_find(r, refusal->name);
    uint64_t id;

    if (row)
        return row;
    if (r->rows.n == REFUSED_MAX)
        row_free(r, container_of(r->ages.next, struct row, age));
    row = pool_take(&r->rows, &id);
    if (!row)
        return NULL;
    row->id = id;
    row->refusal.name = refusal->name;
    row->refusal.first_us = refusal->last_us;
    if (map_put(&r->by_name, row) < 0) {
        pool_give(&r->rows, id);
        return NULL;
    }
    return row;
}

static bool may_be_told(struct refused *r, struct row *row, bool news, uint64_t now_ms)
{
    if (!news && now_ms - row->told_ms < row->again_ms)
        return false;
    if (r->second != now_ms / 1000) {
        r->second = now_ms / 1000;
        r->n_told = 0;
    }
    if (r->n_told >= TOLD_A_SECOND)
        return false;
    r->n_told++;
    row->again_ms = news ? AGAIN_MS : row->again_ms * 2;
    if (row->again_ms > AGAIN_MOST_MS)
        row->again_ms = AGAIN_MOST_MS;
    return true;
}

bool refused_note(struct refused *r, const struct refusal *refusal, uint64_t now_ms,
                  uint32_t *times)
{
    struct row *row = row_take(r, refusal);
    struct refusal *known;
    bool news;

    if (!row)
        return false;
    known = &row->refusal;
    news = known->reason != refusal->reason || !row->told_n;
    *known = (struct refusal){known->name,  refusal->ip,     refusal->model,   refusal->reason,
                              known->n + 1, known->first_us, refusal->last_us, refusal->text};
    list_remove(&row->age);
    list_append(&r->ages, &row->age);
    if (!may_be_told(r, row, news, now_ms))
        return false;
    *times = known->n - row->told_n;
    row->told_n = known->n;
    row->told_ms = now_ms;
    return true;
}

void refused_forget(struct refused *r, struct device_name name)
{
    struct row *row = row_find(r, name);

    if (row)
        row_free(r, row);
}

const struct refusal *refused_find(const struct refused *r, struct device_name name)
{
    const struct row *row = row_find(r, name);

    return row ? &row->refusal : NULL;
}

