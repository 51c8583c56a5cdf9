/* order.c - keys that compare byte by byte as a person would: a run of digits is preceded by its
 * length. */
#include "server/api/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void put_number(struct grow *to, struct text digits)
{
    while (digits.len > 1 && digits.at[0] == '0')
        digits = text_skip(digits, 1);
    grow_fill(to, (char)('0' + (digits.len < 70 ? digits.len : 70)), 1);
    grow_text(to, digits);
}

static void put_key(struct grow *to, struct text key)
{
    for (size_t i = 0, n; i < key.len; i += n) {
        for (n = 0; i + n < key.len && is_digit(key.at[i + n]);)
            n++;
        if (n)
            put_number(to, (struct text){key.at + i, n});
        else
            grow_fill(to,
                      key.at[i] >= 'A' && key.at[i] <= 'Z' ? (char)(key.at[i] | 0x20) : key.at[i],
                      n = 1);
    }
}

static uint64_t head_of(struct text key)
{
    uint64_t head = 0;

    for (size_t i = 0; i < sizeof(head); i++)
        head = head << 8 | (i < key.len ? (uint8_t)key.at[i] : 0);
    return head;
}

static int make_room(struct order *o)
{
    size_t size = o->size ? 2 * o->size : 256;
    struct order_row *rows = realloc(o->rows, size * sizeof(*rows));

    if (!rows)
        return -ENOMEM;
    o->rows = rows;
    o->size = size;
    return 0;
}

int order_add(struct order *o, const void *row, struct text key)
{
    size_t at = o->keys.len;

    if (o->n == o->size && make_room(o) < 0)
        return -ENOMEM;
    put_key(&o->keys, key);
    if (o->keys.bad || o->keys.len > UINT32_MAX)
        return -ENOMEM;
    key = (struct text){o->keys.at + at, o->keys.len - at};
    o->rows[o->n] =
        (struct order_row){head_of(key), (uint32_t)at, (uint32_t)key.len, (uint32_t)o->n, row};
    o->n++;
    return 0;
}

static int compare(const void *left, const void *right, void *keys)
{
    const struct order_row *a = left, *b = right;
    const char *text = keys;
    int by_text;

    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    by_text = a->len && b->len
                  ? memcmp(text + a->at, text + b->at, a->len < b->len ? a->len : b->len)
                  : 0;
    if (by_text || a->len != b->len)
        return by_text ? by_text : a->len < b->len ? -1 : 1;
    return a->was < b->was ? -1 : 1;
}

static int compare_down(const void *left, const void *right, void *keys)
{
    return compare(right, left, keys);
}

void order_sort(struct order *o, bool descending)
{
    if (o->n)
        qsort_r(o->rows, o->n, sizeof(*o->rows), descending ? compare_down : compare, o->keys.at);
}

void order_done(struct order *o)
{
    free(o->rows);
    grow_done(&o->keys);
    *o = (struct order){0};
}
