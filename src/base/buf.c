#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

uint8_t read_u8(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 1);

    return p ? p[0] : 0;
}

uint16_t read_be16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);

    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t read_be32(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 4);

    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

uint16_t read_le16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);

    return p ? (uint16_t)(p[1] << 8 | p[0]) : 0;
}

uint32_t read_le32(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 4);

    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

struct text read_text(struct reader *r, size_t n)
{
    const uint8_t *p = read_bytes(r, n);

    return p ? (struct text){(const char *)p, n} : (struct text){"", 0};
}

struct text read_zero_text(struct reader *r)
{
    const uint8_t *nul = reader_left(r) ? memchr(r->at, 0, reader_left(r)) : NULL;
    struct text t;

    if (!nul) {
        r->bad = true;
        r->at = r->end;
        return (struct text){"", 0};
    }
    t = read_text(r, (size_t)(nul - r->at));
    r->at++;
    return t;
}

struct reader read_slice(struct reader *r, size_t n)
{
    const uint8_t *p = read_bytes(r, n);

    return p ? reader_of(p, n) : (struct reader){r->end, r->end, true};
}

void write_u8(struct writer *w, uint8_t v)
{
    write_bytes(w, &v, 1);
}

void write_be16(struct writer *w, uint16_t v)
{
    write_bytes(w, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

void write_be32(struct writer *w, uint32_t v)
{
    write_bytes(
        w, (uint8_t[]){(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}, 4);
}

void write_le16(struct writer *w, uint16_t v)
{
    write_bytes(w, (uint8_t[]){(uint8_t)v, (uint8_t)(v >> 8)}, 2);
}

void write_le32(struct writer *w, uint32_t v)
{
    write_bytes(
        w, (uint8_t[]){(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)}, 4);
}

void write_bytes(struct writer *w, const void *bytes, size_t n)
{
    uint8_t *p = write_room(w, n);

    if (p && n)
        memcpy(p, bytes, n);
}

void write_zeroes(struct writer *w, size_t n)
{
    uint8_t *p = write_room(w, n);

    if (p && n)
        memset(p, 0, n);
}

void write_text(struct writer *w, struct text t)
{
    write_bytes(w, t.at, t.len);
}

void write_string(struct writer *w, const char *s)
{
    write_text(w, text_of(s));
}

void write_decimal(struct writer *w, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    write_bytes(w, digits + at, sizeof(digits) - at);
}

void write_format(struct writer *w, const char *format, ...)
{
    va_list args;
    char text[1024];
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(text))
        w->bad = true;
    else
        write_bytes(w, text, (size_t)n);
}
