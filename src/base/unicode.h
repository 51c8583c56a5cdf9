/* unicode.h - what a terminal does with a character of a UTF-8 text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Takes the next character off a text that is not empty. A byte that begins no valid character is
 * U+FFFD by itself. */
uint32_t unicode_next(struct text *t);
/* Columns it takes: 0 combining or invisible, 2 wide (East Asian Width W and F), else 1. */
size_t unicode_width(uint32_t c);
/* Controls, and what turns the direction of writing round, could make a peer's name lie. */
bool unicode_is_harmful(uint32_t c);
/* Columns that the whole text takes. */
size_t text_columns(struct text t);
