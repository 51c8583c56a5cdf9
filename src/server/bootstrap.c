#include "server/bootstrap.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct row {
    const char *key;
    size_t offset;
    bool is_text;
    const char *text; /* defaults */
    int32_t number, min, max;
    const char *help;
};

static const struct row rows[] = {
#define BOOT_STR(key, field, value, help)                                                          \
    {key, offsetof(struct bootstrap, field), true, value, 0, 0, 0, help},
#define BOOT_NUM(key, field, value, min, max, help)                                                \
    {key, offsetof(struct bootstrap, field), false, NULL, value, min, max, help},
#include "server/bootstrap.def"
#undef BOOT_STR
#undef BOOT_NUM
};

#define N_ROWS    (sizeof(rows) / sizeof(rows[0]))
#define TEXT_SIZE sizeof(((struct bootstrap *)0)->node_name)

static char *text_field(struct bootstrap *b, const struct row *row)
{
    return (char *)b + row->offset;
}

static int32_t *number_field(struct bootstrap *b, const struct row *row)
{
    return (int32_t *)((char *)b + row->offset);
}

void bootstrap_default(struct bootstrap *b)
{
    memset(b, 0, sizeof(*b));
    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].is_text)
            text_copy(text_field(b, &rows[i]), TEXT_SIZE, text_of(rows[i].text));
        else
            *number_field(b, &rows[i]) = rows[i].number;
    }
}

static const struct row *row_nearest(struct text key)
{
    const struct row *best = &rows[0];
    unsigned least = 99;

    for (size_t i = 0; i < N_ROWS; i++) {
        unsigned distance = text_distance(key, text_of(rows[i].key), 32);

        if (distance < least) {
            least = distance;
            best = &rows[i];
        }
    }
    return best;
}

const char *bootstrap_port_key(const struct bootstrap *b, uint16_t port)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (!rows[i].is_text && text_ends(text_of(rows[i].key), "port") &&
            *(const int32_t *)((const char *)b + rows[i].offset) == port)
            return rows[i].key;
    return "KEY";
}

static const struct row *row_find(struct text key)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (text_equal_nocase(key, text_of(rows[i].key)))
            return &rows[i];
    return NULL;
}

static int set_number(struct bootstrap *b, const struct row *row, struct text value, char *error,
                      size_t size)
{
    uint32_t n;

    if (text_to_u32(value, 10, &n) < 0 || n > (uint32_t)row->max || (int32_t)n < row->min) {
        snprintf(error, size, "%s takes a number from %d to %d, not '%.*s'", row->key, row->min,
                 row->max, TEXT_ARG(value));
        return -EINVAL;
    }
    *number_field(b, row) = (int32_t)n;
    return 0;
}

static int set_value(struct bootstrap *b, struct text key, struct text value, char *error,
                     size_t size)
{
    const struct row *row = row_find(key);

    if (!row) {
        snprintf(error, size, "there is no setting '%.*s'; did you mean '%s'?", TEXT_ARG(key),
                 row_nearest(key)->key);
        return -ENOENT;
    }
    if (!row->is_text)
        return set_number(b, row, value, error, size);
    if (value.len >= TEXT_SIZE) {
        snprintf(error, size, "%s is longer than %zu characters", row->key, TEXT_SIZE - 1);
        return -EINVAL;
    }
    text_copy(text_field(b, row), TEXT_SIZE, value);
    return 0;
}

int bootstrap_set(struct bootstrap *b, const char *line, char *error, size_t size)
{
    struct text rest = text_of(line), key = text_trim(text_split(&rest, '='));

    if (!rest.at) {
        snprintf(error, size, "'%s' is not of the form key=value", line);
        return -EINVAL;
    }
    return set_value(b, key, text_trim(rest), error, size);
}

struct loading {
    struct bootstrap *b;
    FILE *file;
    int line; /* being read */
    const char *path;
    char *error;
    size_t size;
    int err;
};

static int on_entry(void *context, const char *section, const char *name, const char *value)
{
    struct loading *l = context;
    char key[128], why[256];
    int err;

    snprintf(key, sizeof(key), "%s%s%s", section, *section ? "." : "", name);
    err = set_value(l->b, text_of(key), text_of(value), why, sizeof(why));
    if (err && !l->err) {
        l->err = err;
        snprintf(l->error, l->size, "%s line %d: %s", l->path, l->line, why);
    }
    return !err;
}

static char *read_line(char *to, int size, void *context)
{
    struct loading *l = context;

    l->line++;
    return fgets(to, size, l->file);
}

int bootstrap_load(struct bootstrap *b, const char *path, char *error, size_t size)
{
    struct loading l = {b, fopen(path, "re"), 0, path, error, size, 0};
    int line;

    if (!l.file) {
        snprintf(error, size, "cannot read %s: %s", path, strerror(errno));
        return -errno;
    }
    line = ini_parse_stream(read_line, &l, on_entry, &l);
    fclose(l.file);
    if (line > 0 && !l.err) {
        snprintf(error, size, "%s line %d: neither [section] nor key = value", path, line);
        return -EINVAL;
    }
    return l.err;
}
