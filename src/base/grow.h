/* grow.h - text that grows on the heap as it is written. Fails softly: without memory `bad` is set and
 * the rest is dropped; callers look once, at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct grow {
    char *at; /* NUL-terminated once something was added; NULL before */
    size_t len, size;
    bool bad;
};

void grow_done(struct grow *g);
void grow_text(struct grow *g, struct text t);
void grow_string(struct grow *g, const char *s);
void grow_fill(struct grow *g, char c, size_t n);
void grow_format(struct grow *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text, owned by the caller from now on; NULL when memory ran out. `g` is empty again. */
char *grow_take(struct grow *g);
