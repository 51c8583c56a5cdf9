/* shelf.h - files as pieces of bytes: a file as it lies there, or what an archive, a compressed file or a pipe holds.
 *
 * What has to be unpacked is written to one file without a name in the folder for temporary files ($TMPDIR), so memory stays small whatever the size;
 * archives within archives are opened, SHELF_DEPTH deep. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHELF_DEPTH    4
#define SHELF_BYTES    (16ull << 30) /* unpacked; the rest is not read */
#define SHELF_BLOBS    4096

struct input;
struct shelf;

struct blob {
    int fd; /* the shelf's; read with pread */
    uint64_t from, len;
    char name[64]; /* the last part of its path */
};

struct shelf *shelf_new(void); /* NULL without memory */
void shelf_free(struct shelf *s);
/* A file, with all that is in it; 0 or -errno. What could not be unpacked is in shelf_problem. */
int shelf_add(struct shelf *s, const char *path);
int shelf_take(struct shelf *s, struct input *in); /* a pipe, to its end */
size_t shelf_count(const struct shelf *s);
const struct blob *shelf_blob(const struct shelf *s, size_t i); /* it does not move when more are added, its shelf lives */
const char *shelf_problem(const struct shelf *s); /* of the last one added; NULL: none */
