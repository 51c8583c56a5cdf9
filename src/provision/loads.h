/* loads.h - firmware: which files are a load, which parts it has, which models it fits (BOOT-3, BOOT-5).
 *
 * A load is named as phones name it: `X` of X.loads, or the single file of older models without its
 * ending. Parts are the names that stand in the .loads file (reference provisioning.md 9.1), and for
 * families whose parts are known by rule, those. Nothing is opened here: callers bring names and bytes. */
#pragma once

#include "core/models.h"

#define LOAD_NAME_MAX  128
#define LOAD_PARTS_MAX 24

struct load_part {
    char name[LOAD_NAME_MAX + 1];
    uint64_t size;
    bool present;
};

struct load_info {
    char name[LOAD_NAME_MAX + 1];
    char file[LOAD_NAME_MAX + 1]; /* the one it is known by */
    struct load_part parts[LOAD_PARTS_MAX];
    size_t n_parts, n_missing;
};

/* Endings of files that belong to loads, as an importer takes them. */
bool load_is_firmware(const char *name);
/* Whether that file alone stands for a load: its name goes to `to`. Parts of others do not. */
bool load_name_of(const char *file, char to[static LOAD_NAME_MAX + 1]);
/* Names the parts: `bytes` are those of a .loads file; other files have one part, themselves. */
void load_read(const char *file, const uint8_t *bytes, size_t len, struct load_info *ret);
/* Looks for each part; counts what is missing. */
void load_look(struct load_info *l, bool (*find)(void *context, const char *name, uint64_t *size), void *context);

bool load_fits(const char *load, const struct model *m, enum device_protocol *protocol); /* protocol may be NULL */
/* "7942, 7962"; returns the length, cut at a name when there is no more room. */
size_t load_models(const char *load, char *to, size_t size);
/* What to know before phones get it, or NULL: stepping stones and one-way roads (reference 9.3). */
const char *load_advice(const char *load);
