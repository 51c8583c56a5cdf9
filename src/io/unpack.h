/* unpack.h - takes files out of an archive into a folder: all that are wanted, or none.
 *
 * Reads what libarchive reads (zip, tar, gzip …), also when a signature stands in front of it, as in
 * the maker's .cop.sgn. Only plain names are made, never folders or links. Blocks: for worker threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNPACK_NAME_MAX 128

struct unpack_file {
    char name[UNPACK_NAME_MAX + 1];
    uint64_t size;
    bool replaced; /* there was one of that name */
};

struct unpack_options {
    const char *archive, *folder;
    bool (*wants)(const char *name); /* by name without its folders */
    uint64_t max_bytes;              /* of all files together */
    size_t max_files;
};

/* 0 with malloc'ed rows, maybe none; or -errno with a sentence in `error`, and the folder as it was. */
int unpack(const struct unpack_options *o, struct unpack_file **ret, size_t *n_ret, char *error, size_t size);
