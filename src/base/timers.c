#include "base/timers.h"

#include <assert.h>

#define BITS 6
#define MASK (TIMER_SLOTS - 1)
/* What lies beyond the last level waits in its last slot and is looked at again from there. */
#define SPAN ((uint64_t)1 << (BITS * TIMER_LEVELS))

void timers_init(struct timers *t, uint64_t now_ms)
{
    *t = (struct timers){.now_ms = now_ms};
    for (unsigned level = 0; level < TIMER_LEVELS; level++)
        for (unsigned slot = 0; slot < TIMER_SLOTS; slot++)
            list_init(&t->slots[level][slot]);
}

/* A timer lies on the lowest level on which its time and now differ in one digit only. */
static void place(struct timers *t, struct timer *timer)
{
    uint64_t due = timer->due_ms > t->now_ms ? timer->due_ms : t->now_ms;
    unsigned level = 0, slot;

    if (due - t->now_ms >= SPAN - SPAN / TIMER_SLOTS)
        due = t->now_ms + SPAN - SPAN / TIMER_SLOTS - 1;
    while (level < TIMER_LEVELS - 1 &&
           due >> (BITS * (level + 1)) != t->now_ms >> (BITS * (level + 1)))
        level++;
    slot = due >> (BITS * level) & MASK;
    t->used[level] |= (uint64_t)1 << slot;
    list_append(&t->slots[level][slot], &timer->node);
}

void timer_set(struct timers *t, struct timer *timer, uint64_t due_ms)
{
    timer_stop(t, timer);
    timer->due_ms = due_ms;
    place(t, timer);
    t->n++;
}

void timer_stop(struct timers *t, struct timer *timer)
{
    if (!timer_is_set(timer))
        return;
    list_remove(&timer->node);
    t->n--;
}

bool timer_is_set(const struct timer *timer)
{
    return list_is_linked(&timer->node);
}

/* Slots of a level from `from` on, in order of time, wrapped round: the first used one's distance,
 * or -1. Marks of slots that were emptied by timer_stop are cleared on the way. */
static int first_used(const struct timers *t, unsigned level, unsigned from)
{
    uint64_t used = t->used[level];
    uint64_t turned = from ? used >> from | used << (TIMER_SLOTS - from) : used;

    return turned ? __builtin_ctzll(turned) : -1;
}

/* Moves the timers of one slot down to where they belong now. */
static void spread(struct timers *t, unsigned level, unsigned slot)
{
    struct list waiting, *node;

    list_init(&waiting);
    while ((node = list_take(&t->slots[level][slot])))
        list_append(&waiting, node);
    t->used[level] &= ~((uint64_t)1 << slot);
    while ((node = list_take(&waiting)))
        place(t, container_of(node, struct timer, node));
}

/* Steps the clock to `now_ms` and brings the slots entered on each level down. */
static void step_to(struct timers *t, uint64_t now_ms)
{
    uint64_t before = t->now_ms;

    t->now_ms = now_ms;
    for (unsigned level = TIMER_LEVELS - 1; level > 0; level--)
        if (before >> (BITS * level) != now_ms >> (BITS * level))
            spread(t, level, now_ms >> (BITS * level) & MASK);
}

/* When the next slot that holds anything begins; UINT64_MAX when all are empty. */
static uint64_t next_slot_time(const struct timers *t)
{
    uint64_t next = UINT64_MAX;

    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        uint64_t digit = t->now_ms >> (BITS * level);
        unsigned ahead = level > 0; /* the present slot of a higher level has been spread already */
        int distance = first_used(t, level, (unsigned)((digit + ahead) & MASK));
        uint64_t begins;

        if (distance < 0)
            continue;
        begins = (digit + ahead + (unsigned)distance) << (BITS * level);
        if (begins < next)
            next = begins;
    }
    return next < t->now_ms ? t->now_ms : next;
}

struct timer *timers_expire(struct timers *t, uint64_t now_ms)
{
    for (;;) {
        unsigned slot = t->now_ms & MASK;
        struct list *node = list_take(&t->slots[0][slot]);
        uint64_t next;

        if (node) {
            t->n--;
            return container_of(node, struct timer, node);
        }
        t->used[0] &= ~((uint64_t)1 << slot);
        next = next_slot_time(t);
        if (next > now_ms) {
            if (now_ms > t->now_ms)
                step_to(t, now_ms);
            return NULL;
        }
        step_to(t, next);
    }
}

uint64_t timers_next(const struct timers *t, uint64_t now_ms)
{
    uint64_t next = t->n ? next_slot_time(t) : UINT64_MAX;

    if (next == UINT64_MAX)
        return UINT64_MAX;
    return next > now_ms ? next - now_ms : 0;
}
