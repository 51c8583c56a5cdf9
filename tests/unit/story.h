/* story.h - what happened in a test, line by line; what the effects of both kinds of stations look like there. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "station/effects.h"

static inline void story_add(char *story, size_t *len, size_t size, const char *format, va_list args)
{
    int n;

    if (!story)
        return;
    n = vsnprintf(story + *len, size - *len, format, args);
    if (n < 0 || (size_t)n >= size - *len)
        abort();
    *len += (size_t)n;
}

static inline void story_forget(char *story, size_t *len)
{
    *len = 0;
    if (story)
        story[0] = '\0';
}

/* The line of an effect that is told of, or "". */
static inline const char *story_effect(const struct effect *row, char *to, size_t size)
{
    static const char *const stages[] = {"register", "rejected", "registered", "unregistered"};

    *to = '\0';
    if (row->kind == EFFECT_ALARM)
        snprintf(to, size, "  alarm %s %s%s\n", alarm_rows[row->take_alarm->id].name,
                 row->take_alarm->parameters, row->take_alarm->times > 1 ? " again" : "");
    else if (row->kind == EFFECT_EVENT)
        snprintf(to, size, "  event %s %s %u%s%s\n", stages[row->event.stage], row->event.device.s,
                 row->event.code, row->event.detail[0] ? " " : "", row->event.detail);
    else if (row->kind == EFFECT_AUTOREGISTER)
        snprintf(to, size, "  autoregister %s %u\n", row->autoregister.device.s, row->autoregister.model);
    else if (row->kind == EFFECT_ACTIVATE)
        snprintf(to, size, "  activate %s %s\n", row->activate.device.s, row->activate.code);
    return to;
}
