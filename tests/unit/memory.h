/* memory.h - the n-th allocation fails, n = 1, 2, 3 …: for tests linked with --wrap=malloc and its
 * kin. Nothing may crash, and the address sanitizer finds what leaks. */
#pragma once

#include <stdbool.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);

static long until_failure = -1; /* how many succeed before one fails; negative: all */

static bool fails(void)
{
    return until_failure >= 0 && until_failure-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t size)
{
    return fails() ? NULL : __real_realloc(at, size);
}

/* Runs it until nothing fails any more; `least`: it was no empty exercise. */
static inline void with_each_allocation_failing(void (*run)(void), long least)
{
    long n = 0;
    bool failed;

    do {
        until_failure = n++;
        run();
        failed = until_failure < 0;
        until_failure = -1;
    } while (failed);
    assert_true(n > least);
}

/* What a test itself needs must be there. */
static inline long memory_pause(void)
{
    long left = until_failure;

    until_failure = -1;
    return left;
}
