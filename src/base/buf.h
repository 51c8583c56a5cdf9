/* buf.h - bounded reader and writer that fail softly.
 *
 * Reading past the end gives zeroes and sets `bad`; writing past the end drops the bytes and sets
 * `bad`. Callers look at `bad` once, at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

struct writer {
    uint8_t *start, *at, *end;
    bool bad;
};

static inline struct reader reader_of(const void *bytes, size_t len)
{
    return (struct reader){bytes, (const uint8_t *)bytes + len, false};
}

static inline struct writer writer_of(void *bytes, size_t size)
{
    return (struct writer){bytes, bytes, (uint8_t *)bytes + size, false};
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static inline size_t writer_len(const struct writer *w)
{
    return (size_t)(w->at - w->start);
}

static inline size_t writer_left(const struct writer *w)
{
    return (size_t)(w->end - w->at);
}

/* The next `n` bytes in place, or NULL (and bad) when fewer are left. */
static inline const uint8_t *read_bytes(struct reader *r, size_t n)
{
    const uint8_t *p = r->at;

    if (reader_left(r) < n) {
        r->bad = true;
        r->at = r->end;
        return NULL;
    }
    r->at += n;
    return p;
}

uint8_t read_u8(struct reader *r);
uint16_t read_be16(struct reader *r);
uint32_t read_be32(struct reader *r);
uint16_t read_le16(struct reader *r);
uint32_t read_le32(struct reader *r);
struct text read_text(struct reader *r, size_t n); /* exactly n bytes */
struct text read_zero_text(struct reader *r);      /* up to a NUL, which is consumed; bad without */
struct reader read_slice(struct reader *r,
                         size_t n); /* a reader of its own over the next n bytes */

/* Room for n bytes, or NULL (and bad). */
static inline uint8_t *write_room(struct writer *w, size_t n)
{
    uint8_t *p = w->at;

    if (writer_left(w) < n) {
        w->bad = true;
        return NULL;
    }
    w->at += n;
    return p;
}

void write_u8(struct writer *w, uint8_t v);
void write_be16(struct writer *w, uint16_t v);
void write_be32(struct writer *w, uint32_t v);
void write_le16(struct writer *w, uint16_t v);
void write_le32(struct writer *w, uint32_t v);
void write_bytes(struct writer *w, const void *bytes, size_t n);
void write_zeroes(struct writer *w, size_t n);
void write_text(struct writer *w, struct text t);
void write_string(struct writer *w, const char *s); /* without its NUL */
void write_decimal(struct writer *w, uint64_t n);    /* decimal */
void write_format(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
