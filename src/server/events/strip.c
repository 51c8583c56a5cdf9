/* strip.c - the last day, counted. */
#include "server/events/strip.h"

#include "core/alarms.h"

static uint64_t number_of(uint64_t time_us)
{
    return time_us / (STRIP_SLOT_S * UINT64_C(1000000));
}

/* Reset, restarted or reconfigured by an administrator. */
static bool was_told_to_leave(uint32_t reason)
{
    return reason == UNREGISTERED_CALLMANAGER_RESET || reason == UNREGISTERED_CALLMANAGER_RESTART ||
           reason == UNREGISTERED_APPLY_CONFIG;
}

void strip_event(struct strip *s, const struct progress_event *e)
{
    uint64_t number = number_of(e->time_us);
    struct strip_slot *slot = &s->slots[number % STRIP_SLOTS];

    if (slot->number > number)
        return; /* told a day late */
    if (slot->number != number)
        *slot = (struct strip_slot){.number = number};
    slot->registered += e->stage == PROGRESS_REGISTERED;
    slot->refused += e->stage == PROGRESS_REJECTED;
    slot->lost += e->stage == PROGRESS_UNREGISTERED && !was_told_to_leave(e->code);
}

struct strip_slot strip_slot(const struct strip *s, uint64_t now_us, size_t i)
{
    uint64_t number = number_of(now_us) - (STRIP_SLOTS - 1) + i;
    struct strip_slot slot = s->slots[number % STRIP_SLOTS];

    return slot.number == number ? slot : (struct strip_slot){.number = number};
}
