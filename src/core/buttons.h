/* buttons.h - the keys of a phone in their physical order: what its record places on its template.
 */
#pragma once

#include "core/directory.h"
#include "core/models.h"

struct button {
    uint8_t instance; /* counts per feature: line 1, line 2, speed dial 1 … */
    uint8_t feature;  /* enum button_feature, as in a SCCP button template */
    const struct phone_button
        *row; /* what is configured there, or NULL; lives as long as the snapshot */
};

#define BUTTONS_MAX 56

/* Template of the phone, else the factory keys of the model; keys that may be anything take the
 * configured buttons in order and, when these are used up, are speed dials without a number.
 * Returns how many. */
size_t buttons_of(const struct directory *dir, const struct phone *phone, const struct model *model,
                  struct button to[static BUTTONS_MAX]);
/* The button of that feature and instance; zeroed when there is none. */
struct button button_find(const struct directory *dir, const struct phone *phone,
                          const struct model *model, uint8_t feature, uint32_t instance);
