/* order.h - rows in the order of a text each: numbers by value, letters in any case, ties as they
 * came. 100 000 rows take some 20 ms. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/grow.h"

struct order_row {
    uint64_t head; /* the first bytes of its key */
    uint32_t at, len, was;
    const void *row;
};

struct order {
    struct order_row *rows;
    size_t n, size;
    struct grow keys;
};

/* 0 or -ENOMEM. The key is copied, the row borrowed. */
int order_add(struct order *o, const void *row, struct text key);
void order_sort(struct order *o, bool descending);
void order_done(struct order *o);
