/* settings.h - service and enterprise parameters: one row of settings.def each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum setting_kind { SETTING_NUMBER, SETTING_FLAG, SETTING_STRING, SETTING_CHOICE };

struct setting_row {
    const char *id;      /* station_keepalive_interval: for programs and the command line */
    const char *service; /* "Cisco CallManager", "Cisco TFTP", …, "Enterprise" */
    const char *title;   /* as the original names it: "Station KeepAlive Interval" */
    enum setting_kind kind;
    int32_t number;      /* default of NUMBER, FLAG, CHOICE (index) */
    int32_t min, max;
    const char *string;  /* default of STRING; names of CHOICE separated by '|' */
    const char *unit;
    bool needs_reset;    /* phones see it only after a reset */
    const char *help;
};

enum setting {
#define SETTING(id, service, title, kind, number, min, max, string, unit, needs_reset, help) SET_##id,
#include "core/settings.def"
#undef SETTING
    N_SETTINGS
};

extern const struct setting_row setting_rows[N_SETTINGS];

int setting_find(struct text id_or_title); /* index, or -ENOENT; any case */
/* Checks a value typed by a person against the row and makes it canonical: 0, or -EINVAL with a
 * sentence in `error`. NUMBER, FLAG (true/false/yes/no/on/off/1/0) and CHOICE give *number. */
int setting_check(enum setting s, struct text value, int32_t *number, char *error, size_t error_size);
/* The row whose id or title is most like what was typed, or -ENOENT: for "did you mean …". */
int setting_nearest(struct text name);
/* A value as setting_check accepts it; borrowed from the table, `string` or `scratch`. */
struct text setting_print(enum setting s, int32_t number, const char *string, char scratch[static 16]);

/* What people type for a flag (true/false/yes/no/on/off/1/0) and for a signed number; -EINVAL, -ERANGE. */
int text_to_flag(struct text t, bool *ret);
int text_to_number(struct text t, int32_t *ret);
