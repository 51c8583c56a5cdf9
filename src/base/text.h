/* text.h - borrowed slices of characters: compare, split, trim, to number.
 *
 * A slice owns nothing and is not NUL-terminated; it is valid as long as what it points into. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *at;
    size_t len;
};

#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})
#define TEXT_ARG(t)   (int)(t).len, (t).at /* for "%.*s" */

/* The whole of a C string; NULL is empty. */
static inline struct text text_of(const char *s)
{
    return (struct text){s ? s : "", s ? strlen(s) : 0};
}

bool text_is(struct text t, const char *s);
bool text_equal(struct text a, struct text b);
bool text_equal_nocase(struct text a, struct text b); /* ASCII only */
int text_compare(struct text a, struct text b);       /* byte order, as strcmp */
bool text_starts(struct text t, const char *prefix);
bool text_ends(struct text t, const char *suffix);
bool text_starts_nocase(struct text t, const char *prefix);
bool text_contains_nocase(struct text t, struct text needle);
struct text text_trim(struct text t); /* blanks, tabs, CR and LF at both ends */
struct text text_skip(struct text t, size_t n);

/* Cuts up to the first `separator` off `rest` and returns it; `rest` is empty (at == NULL) when
 * nothing is left. Loop: while (rest.at) part = text_split(&rest, ','); */
struct text text_split(struct text *rest, char separator);

/* Whole slice as an unsigned number in `base` (10 or 16); 0, or -EINVAL / -ERANGE. */
int text_to_u64(struct text t, int base, uint64_t *ret);
int text_to_u32(struct text t, int base, uint32_t *ret);

/* Copies with a NUL, cut to `size`; returns the length copied. */
size_t text_copy(char *to, size_t size, struct text t);
char *text_dup(struct text t); /* heap, NUL-terminated; NULL without memory */

/* Length of the longest prefix of at most `max` bytes that does not end inside a UTF-8 character.
 */
size_t text_utf8_cut(struct text t, size_t max);
bool text_utf8_valid(struct text t);

/* Number of single-character edits between two slices of at most 32 bytes, `limit` at most. */
unsigned text_distance(struct text a, struct text b, unsigned limit);
