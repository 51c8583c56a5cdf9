/* shelf.h - files as pieces of bytes: a file as it lies there, or what an archive, a compressed file or a pipe holds.
 *
 * What has to be unpacked is written to one file without a name in the folder for temporary files ($TMPDIR), so memory stays small whatever the size;
 * archives within archives are opened, SHELF_DEPTH deep. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHELF_DEPTH    4
#define SHELF_BYTES    (16ull << 30)  /* unpacked; the rest is not read, */
#define SHELF_FREE     (256ull << 20) /* nor what is more than this and … */
#define SHELF_RATIO    100            /* … so many times the file: who packs tighter packs no logs */
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
/* A pipe or a device, to its end; -EBADMSG when it begins as nothing that is read here. */
int shelf_take(struct shelf *s, struct input *in);
/* Letters, in UTF-8 or UTF-16, and no picture, program or memory image, as far as these first bytes tell. */
bool shelf_looks_like_text(const uint8_t *at, size_t n);
size_t shelf_count(const struct shelf *s);
const struct blob *shelf_blob(const struct shelf *s, size_t i); /* it does not move when more are added, its shelf lives */
const char *shelf_problem(const struct shelf *s); /* of the last one added; NULL: none */
