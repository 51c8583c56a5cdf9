/* own.h - what the files of the boot timelines share: progress.c (phones, boots),
 * steps.c (what a boot went through), names.c (who an event is about). Nobody
 * else includes it. */
#pragma once

#include "base/map.h"
#include "base/pool.h"
#include "base/words.h"
#include "provision/progress/progress.h"

#define PROGRESS_CHUNK                                                                             \
    2 /* steps a slot: a phone that only registers needs none, a whole boot three */

struct progress_chunk {
    uint64_t next;
    struct progress_kept steps[PROGRESS_CHUNK];
};

struct progress {
    struct pool phones, chunks;
    struct map by_name, by_ip;
    struct words *details;
    struct chain known, unknown; /* oldest first */
    size_t n_known, n_unknown, max_known, max_unknown;
    progress_known is_known;
    const void *context;
    uint32_t epoch;
    uint64_t ignored;
};

/* The name that the event is about; empty when nobody can say. */
struct device_name progress_identify(const struct progress *p, const struct progress_event *e);
/* Not every computer that asks for an address is a phone. */
bool progress_looks_like_phone(const struct progress_event *e);
bool progress_is_file(const struct progress_event *e);
bool progress_names_file(
    const struct progress_event *e); /* a file of one phone alone, which its name tells */

uint32_t progress_since_start_ms(const struct progress_phone *phone,
                                 uint64_t now_us); /* of its boot */
/* One more step of its boot, or the last one once more; nothing without memory. */
void progress_add_step(struct progress *p, struct progress_phone *phone,
                       const struct progress_event *e);
void progress_drop_steps(struct progress *p, struct progress_phone *phone);
