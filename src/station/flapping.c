#include "station/flapping.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "core/alarms.h"

#define ROWS_MAX 4096 /* of those that registered last */

struct row {
    struct device_name name;
    uint64_t id, since_ms; /* begin of its window */
    uint64_t second_ms;    /* the first one may be of long before it began */
    uint64_t losses_ms;    /* when it was back after the first loss of n_losses */
    uint32_t n, cause, n_takeovers, n_losses;
    bool lost, losses_told;
    uint64_t takeover_ms; /* the last */
    char other[51]; /* node where it was in between, or "" */
    struct list age;
};

struct flapping {
    struct pool rows;
    struct map by_name;
    struct list ages; /* oldest first */
};

static struct text key_of(const void *value)
{
    return text_of(((const struct row *)value)->name.s);
}

struct flapping *flapping_new(void)
{
    struct flapping *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    pool_init(&f->rows, sizeof(struct row), ROWS_MAX);
    map_init(&f->by_name, key_of);
    list_init(&f->ages);
    return f;
}

void flapping_free(struct flapping *f)
{
    if (!f)
        return;
    map_done(&f->by_name);
    pool_done(&f->rows);
    free(f);
}

static void forget_oldest(struct flapping *f)
{
    struct row *row = container_of(list_take(&f->ages), struct row, age);

    map_remove(&f->by_name, key_of(row));
    pool_give(&f->rows, row->id);
}

static struct row *row_take(struct flapping *f, struct device_name name, uint64_t now_ms)
{
    struct row *row = map_get(&f->by_name, text_of(name.s));
    uint64_t id;

    if (row)
        return row;
    if (f->rows.n == ROWS_MAX)
        forget_oldest(f);
    row = pool_take(&f->rows, &id);
    if (!row)
        return NULL;
    list_append(&f->ages, &row->age);
    row->name = name;
    row->id = id;
    row->since_ms = now_ms;
    if (map_put(&f->by_name, row) < 0) {
        list_remove(&row->age);
        pool_give(&f->rows, id);
        return NULL;
    }
    return row;
}

void flapping_takeover(struct flapping *f, struct device_name name, uint64_t now_ms)
{
    unsigned before = flapping_takeovers(f, name, now_ms);
    struct row *row = row_take(f, name, now_ms);

    if (!row)
        return;
    row->n_takeovers = before + 1;
    row->takeover_ms = now_ms;
}

unsigned flapping_takeovers(const struct flapping *f, struct device_name name, uint64_t now_ms)
{
    const struct row *row = map_get(&f->by_name, text_of(name.s));

    return row && now_ms - row->takeover_ms < FLAPPING_TAKEOVERS_MS ? row->n_takeovers : 0;
}

void flapping_left(struct flapping *f, struct device_name name, uint32_t cause)
{
    struct row *row = map_get(&f->by_name, text_of(name.s));

    if (!row)
        return;
    row->cause = cause;
    row->lost = cause == UNREGISTERED_KEEPALIVE_TIMEOUT || cause == UNREGISTERED_CONNECTIVITY_ERROR;
}

static bool is_quick(struct row *row, uint64_t now_ms, struct toggle *ret)
{
    if (now_ms - row->since_ms >= FLAPPING_WINDOW_MS) {
        row->since_ms = now_ms;
        row->n = 0;
    }
    if (++row->n == 2)
        row->second_ms = now_ms;
    *ret = (struct toggle){FLAPPING_TIMES, FLAPPING_WINDOW_MS,
                           (uint32_t)((now_ms - row->second_ms) / (FLAPPING_TIMES - 2)), row->cause};
    return row->n == FLAPPING_TIMES;
}

/* It comes back after a loss, again and again, but not so often that it is a quick one. */
static bool is_slow(struct row *row, uint64_t now_ms, struct toggle *ret)
{
    uint32_t period_ms;

    if (!row->lost)
        return false;
    row->lost = false;
    if (!row->n_losses || now_ms - row->losses_ms >= FLAPPING_LOSSES_MS) {
        row->losses_ms = now_ms;
        row->n_losses = 0;
        row->losses_told = false;
    }
    if (++row->n_losses < FLAPPING_LOSSES || row->losses_told)
        return false;
    period_ms = (uint32_t)(now_ms - row->losses_ms) / (row->n_losses - 1);
    row->losses_told = period_ms > FLAPPING_WINDOW_MS / FLAPPING_TIMES;
    if (row->losses_told)
        *ret = (struct toggle){row->n_losses, FLAPPING_LOSSES_MS, period_ms, row->cause};
    return row->losses_told;
}

bool flapping_note(struct flapping *f, struct device_name name, uint64_t now_ms, struct toggle *ret)
{
    struct row *row = row_take(f, name, now_ms);
    bool quick;

    if (!row)
        return false;
    list_remove(&row->age);
    list_append(&f->ages, &row->age);
    quick = is_quick(row, now_ms, ret);
    return is_slow(row, now_ms, ret) || quick;
}

void flapping_elsewhere(struct flapping *f, struct device_name name, const char *node)
{
    struct row *row = map_get(&f->by_name, text_of(name.s));

    if (row)
        text_copy(row->other, sizeof(row->other), text_of(node));
}

const char *flapping_other(const struct flapping *f, struct device_name name)
{
    const struct row *row = map_get(&f->by_name, text_of(name.s));

    return row ? row->other : "";
}
