/* samples.c - values and percentiles; see samples.h. */
#include "handset/fleet/samples.h"

#include <stdlib.h>

void samples_init(struct samples *s, size_t max)
{
    *s = (struct samples){.max = max};
}

void samples_done(struct samples *s)
{
    free(s->values);
    *s = (struct samples){0};
}

void samples_add(struct samples *s, uint64_t microseconds)
{
    uint32_t value = microseconds > UINT32_MAX ? UINT32_MAX : (uint32_t)microseconds;

    if (s->n == s->room && s->room < s->max) {
        size_t room = s->room ? s->room * 2 : 1024;
        uint32_t *values;

        room = room > s->max ? s->max : room;
        values = realloc(s->values, room * sizeof(*values));
        if (!values)
            return;
        s->values = values;
        s->room = room;
    }
    if (s->n < s->room)
        s->values[s->n++] = value;
    else if (s->n)
        s->values[s->n_all % s->n] = value;
    s->n_all++;
}

void samples_join(struct samples *s, const uint32_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        samples_add(s, values[i]);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

uint32_t samples_percentile(struct samples *s, double percent)
{
    size_t at;

    if (!s->n)
        return 0;
    qsort(s->values, s->n, sizeof(*s->values), by_value);
    at = (size_t)(percent / 100.0 * (double)(s->n - 1) + 0.5);
    return s->values[at < s->n ? at : s->n - 1];
}
