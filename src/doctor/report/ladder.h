/* ladder.h - a phone's story drawn: who said what to whom, a step an event, and the stages on a
 * time axis. */
#pragma once

#include "base/grow.h"
#include "doctor/told.h"

void ladder_draw(const struct story *s, enum language l, struct grow *to);
void timeline_draw(const struct story *s, enum language l, struct grow *to);
