/* settings.c - looking up service and enterprise parameters, and checking what people type. */
#include "core/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/names.h"

const struct setting_row setting_rows[N_SETTINGS] = {
#define SETTING(id, service, title, kind, number, min, max, string, unit, needs_reset, help)       \
    {#id, service, title, kind, number, min, max, string, unit, needs_reset, help},
#include "core/settings.def"
#undef SETTING
};

int setting_find(struct text id_or_title)
{
    for (int i = 0; i < N_SETTINGS; i++) {
        if (text_equal_nocase(id_or_title, text_of(setting_rows[i].id)) ||
            text_equal_nocase(id_or_title, text_of(setting_rows[i].title)))
            return i;
    }
    return -ENOENT;
}

int setting_nearest(struct text name)
{
    unsigned best = 6;
    int nearest = -ENOENT;

    for (int i = 0; i < N_SETTINGS; i++) {
        struct text id = text_of(setting_rows[i].id);
        unsigned distance = name.len <= 32 && id.len <= 32 ? text_distance(name, id, best) : best;

        if (distance < best) {
            best = distance;
            nearest = i;
        }
    }
    for (int i = 0; nearest < 0 && name.len > 3 && i < N_SETTINGS; i++) {
        if (text_contains_nocase(text_of(setting_rows[i].id), name) ||
            text_contains_nocase(text_of(setting_rows[i].title), name))
            nearest = i;
    }
    return nearest;
}

static const struct name flag_words[] = {{1, "true"}, {0, "false"}, {1, "yes"}, {0, "no"},
                                         {1, "on"},   {0, "off"},   {1, "1"},   {0, "0"},
                                         {1, "t"},    {0, "f"},     {0, NULL}};

int text_to_flag(struct text t, bool *ret)
{
    uint32_t value;

    if (names_parse(flag_words, text_trim(t), &value) < 0)
        return -EINVAL;
    *ret = value;
    return 0;
}

int text_to_number(struct text t, int32_t *ret)
{
    char digits[16], *end;
    long value;

    t = text_trim(t);
    if (!t.len || t.len >= sizeof(digits) || t.at[0] == '+')
        return -EINVAL;
    text_copy(digits, sizeof(digits), t);
    value = strtol(digits, &end, 10);
    if (*end)
        return -EINVAL;
    if (value < INT32_MIN || value > INT32_MAX)
        return -ERANGE;
    *ret = (int32_t)value;
    return 0;
}

static int check_choice(const struct setting_row *row, struct text value, int32_t *number,
                        char *error, size_t error_size)
{
    struct text rest = text_of(row->string);

    for (int32_t i = 0; rest.at; i++) {
        if (text_equal_nocase(value, text_split(&rest, '|'))) {
            *number = i;
            return 0;
        }
    }
    if (text_to_number(value, number) == 0 && *number >= row->min && *number <= row->max)
        return 0;
    snprintf(error, error_size, "%s is one of %s", row->id, row->string);
    return -EINVAL;
}

int setting_check(enum setting s, struct text value, int32_t *number, char *error,
                  size_t error_size)
{
    const struct setting_row *row = &setting_rows[s];
    int32_t n = 0;
    bool flag = false;

    value = text_trim(value);
    switch (row->kind) {
    case SETTING_STRING:
        if (!row->max || value.len <= (size_t)row->max)
            return 0;
        snprintf(error, error_size, "%s has at most %d characters", row->id, row->max);
        return -EINVAL;
    case SETTING_CHOICE:
        return check_choice(row, value, number, error, error_size);
    case SETTING_FLAG:
        if (text_to_flag(value, &flag) == 0) {
            *number = flag;
            return 0;
        }
        snprintf(error, error_size, "%s is true or false", row->id);
        return -EINVAL;
    case SETTING_NUMBER:
        break;
    }
    if (text_to_number(value, &n) == 0 && n >= row->min && n <= row->max) {
        *number = n;
        return 0;
    }
    snprintf(error, error_size, "%s is a number from %d to %d%s%s", row->id, row->min, row->max,
             *row->unit ? " " : "", row->unit);
    return -EINVAL;
}

struct text setting_print(enum setting s, int32_t number, const char *string,
                          char scratch[static 16])
{
    const struct setting_row *row = &setting_rows[s];
    struct text rest = text_of(row->string), word = text_of("");

    switch (row->kind) {
    case SETTING_STRING:
        return text_of(string);
    case SETTING_FLAG:
        return text_of(number ? "true" : "false");
    case SETTING_CHOICE:
        for (int32_t i = 0; rest.at && i <= number; i++)
            word = text_split(&rest, '|');
        return word;
    case SETTING_NUMBER:
        break;
    }
    snprintf(scratch, 16, "%d", number);
    return text_of(scratch);
}
