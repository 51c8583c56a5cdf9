/* bootstrap.h - settings needed before the database is open: defaults, file, --set. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bootstrap {
    char data[512]; /* the data folder */
#define BOOT_STR(key, field, value, help)           char field[256];
#define BOOT_NUM(key, field, value, min, max, help) int32_t field;
#include "server/bootstrap.def"
#undef BOOT_STR
#undef BOOT_NUM
};

void bootstrap_default(struct bootstrap *b);
/* The setting that names this port: "sccp.port". */
const char *bootstrap_port_key(const struct bootstrap *b, uint16_t port);
/* `line` is "key=value". 0, or -EINVAL/-ENOENT with a sentence in `error`. */
int bootstrap_set(struct bootstrap *b, const char *line, char *error, size_t size);
/* An INI file: [sccp] port = 2000, or sccp.port = 2000. 0 or -errno with file, line and reason in
 * `error`. */
int bootstrap_load(struct bootstrap *b, const char *path, char *error, size_t size);
