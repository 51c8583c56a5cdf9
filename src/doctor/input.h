/* input.h - the bytes of a capture file as a stream: a path or "-", plain or compressed (gzip, zstd, xz …). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input;

/* 0, or -errno. */
int input_open(const char *path, struct input **ret);
/* `len` bytes of an open file, which stays the caller's, from `from` on. */
int input_open_part(int fd, uint64_t from, uint64_t len, struct input **ret);
void input_close(struct input *in); /* NULL is fine */
/* Reads on, behind what was not used: all that is there now. No more than last time: the file ended. 0, or -errno with a
 * sentence in input_problem: it cannot be read further. Blocks. */
int input_bytes(struct input *in, const uint8_t **at, size_t *len);
void input_use(struct input *in, size_t n);
const char *input_problem(const struct input *in);
