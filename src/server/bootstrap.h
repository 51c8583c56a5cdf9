/* bootstrap.h - settings needed before the database is open: defaults, file, --set. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define BOOTSTRAP_KEPT_FILE "settings.conf" /* in the data folder */

/* Where a value comes from; the later beats the earlier. KEPT: set while the server ran. */
enum boot_from { BOOT_DEFAULT, BOOT_KEPT, BOOT_FILE, BOOT_SET };

enum bootstrap_key {
#define BOOT_STR(key, field, value, help)           BOOT_##field,
#define BOOT_NUM(key, field, value, min, max, help) BOOT_##field,
#include "server/bootstrap.def"
#undef BOOT_STR
#undef BOOT_NUM
    N_BOOTSTRAP_KEYS
};

struct bootstrap {
    char data[512]; /* the data folder */
#define BOOT_STR(key, field, value, help)           char field[256];
#define BOOT_NUM(key, field, value, min, max, help) int32_t field;
#include "server/bootstrap.def"
#undef BOOT_STR
#undef BOOT_NUM
    uint8_t from[N_BOOTSTRAP_KEYS]; /* enum boot_from */
};

void bootstrap_default(struct bootstrap *b);
/* The setting that names this port: "sccp.port". */
const char *bootstrap_port_key(const struct bootstrap *b, uint16_t port);
/* `line` is "key=value". 0, or -EINVAL/-ENOENT with a sentence in `error`. */
int bootstrap_set(struct bootstrap *b, const char *line, char *error, size_t size);
/* An INI file: [sccp] port = 2000, or sccp.port = 2000. 0 or -errno with file, line and reason in
 * `error`. */
int bootstrap_load(struct bootstrap *b, const char *path, char *error, size_t size);

/* What was kept in `b->data`, as far as nothing else said otherwise. No file is fine. */
int bootstrap_load_kept(struct bootstrap *b, char *error, size_t size);
/* Whether a key takes effect while the server runs; all others need a start. */
bool bootstrap_is_live(enum bootstrap_key key);
/* Sets a live key, to be kept; an empty value is the default again. 0; -ENOENT, -EINVAL, -ENOTSUP (not live) or
 * -EPERM (file or command line say what it is), with a sentence in `error`. */
int bootstrap_keep(struct bootstrap *b, struct text key, struct text value, char *error, size_t size);
/* Writes the kept ones, whole or not at all, and durable. 0 or -errno. */
int bootstrap_store_kept(const struct bootstrap *b);
/* The value of a key as text. */
const char *bootstrap_print(const struct bootstrap *b, enum bootstrap_key key, char to[static 256]);
