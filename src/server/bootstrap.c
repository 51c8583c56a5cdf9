#include "server/bootstrap.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

#define N_ROWS    N_BOOTSTRAP_KEYS
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

static int set_text(struct bootstrap *b, const struct row *row, struct text value, char *error,
                    size_t size)
{
    bool mode = row == &rows[BOOT_dhcp_mode];

    if (value.len >= TEXT_SIZE) {
        snprintf(error, size, "%s is longer than %zu characters", row->key, TEXT_SIZE - 1);
        return -EINVAL;
    }
    if (mode && !text_is(value, "full") && !text_is(value, "sidecar")) {
        snprintf(error, size, "%s is full or sidecar, not '%.*s'", row->key, TEXT_ARG(value));
        return -EINVAL;
    }
    text_copy(text_field(b, row), TEXT_SIZE, value);
    return 0;
}

/* Nothing happens when something stronger said already what it is. */
static int set_value(struct bootstrap *b, enum boot_from from, struct text key, struct text value,
                     char *error, size_t size)
{
    const struct row *row = row_find(key);
    int err;

    if (!row) {
        snprintf(error, size, "there is no setting '%.*s'; did you mean '%s'?", TEXT_ARG(key),
                 row_nearest(key)->key);
        return -ENOENT;
    }
    if (b->from[row - rows] > from)
        return 0;
    err = row->is_text ? set_text(b, row, value, error, size)
                       : set_number(b, row, value, error, size);
    if (!err)
        b->from[row - rows] = (uint8_t)from;
    return err;
}

int bootstrap_set(struct bootstrap *b, const char *line, char *error, size_t size)
{
    struct text rest = text_of(line), key = text_trim(text_split(&rest, '='));

    if (!rest.at) {
        snprintf(error, size, "'%s' is not of the form key=value", line);
        return -EINVAL;
    }
    return set_value(b, BOOT_SET, key, text_trim(rest), error, size);
}

struct loading {
    struct bootstrap *b;
    enum boot_from from;
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
    err = set_value(l->b, l->from, text_of(key), text_of(value), why, sizeof(why));
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

static int load(struct bootstrap *b, enum boot_from from, const char *path, char *error,
                size_t size)
{
    struct loading l = {b, from, fopen(path, "re"), 0, path, error, size, 0};
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

int bootstrap_load(struct bootstrap *b, const char *path, char *error, size_t size)
{
    return load(b, BOOT_FILE, path, error, size);
}

/* --- what is set while the server runs --- */

static void kept_path(const struct bootstrap *b, const char *suffix, char *to, size_t size)
{
    snprintf(to, size, "%s/" BOOTSTRAP_KEPT_FILE "%s", b->data, suffix);
}

int bootstrap_load_kept(struct bootstrap *b, char *error, size_t size)
{
    char path[600];

    kept_path(b, "", path, sizeof(path));
    return access(path, F_OK) < 0 ? 0 : load(b, BOOT_KEPT, path, error, size);
}

bool bootstrap_is_live(enum bootstrap_key key)
{
    return key == BOOT_dhcp_interfaces || key == BOOT_dhcp_mode || key == BOOT_cdp_interfaces ||
           key == BOOT_cdp_voice_vlan || key == BOOT_simulated_phones;
}

/* What would mean something else when it is read again. */
static bool is_plain(struct text value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!isgraph((unsigned char)value.at[i]) && value.at[i] != ' ')
            return false;
        else if (value.at[i] == ';' || value.at[i] == '#' || value.at[i] == '"')
            return false;
    return true;
}

static void set_default(struct bootstrap *b, const struct row *row)
{
    if (row->is_text)
        text_copy(text_field(b, row), TEXT_SIZE, text_of(row->text));
    else
        *number_field(b, row) = row->number;
    b->from[row - rows] = BOOT_DEFAULT;
}

int bootstrap_keep(struct bootstrap *b, struct text key, struct text value, char *error,
                   size_t size)
{
    const struct row *row = row_find(key);
    enum boot_from from = row ? (enum boot_from)b->from[row - rows] : BOOT_DEFAULT;

    if (row && !bootstrap_is_live((enum bootstrap_key)(row - rows))) {
        snprintf(error, size,
                 "%s is read at the start of the server only: give it with --set or in the file",
                 row->key);
        return -ENOTSUP;
    }
    if (from > BOOT_KEPT) {
        snprintf(error, size, "%s is given %s, which beats what is set here: take it away there",
                 row->key,
                 from == BOOT_SET ? "on the server's command line"
                                  : "in the server's file of settings");
        return -EPERM;
    }
    if (!is_plain(value)) {
        snprintf(error, size, "'%.*s' has characters that have no place there", TEXT_ARG(value));
        return -EINVAL;
    }
    if (row && !value.len) {
        set_default(b, row);
        return 0;
    }
    return set_value(b, BOOT_KEPT, key, value, error, size);
}

const char *bootstrap_print(const struct bootstrap *b, enum bootstrap_key key, char to[static 256])
{
    const char *at = (const char *)b + rows[key].offset;

    if (rows[key].is_text)
        text_copy(to, 256, text_of(at));
    else
        snprintf(to, 256, "%d", *(const int32_t *)at);
    return to;
}

/* So that the new name is there after a power cut too. */
static void sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int bootstrap_store_kept(const struct bootstrap *b)
{
    char path[600], fresh[600], value[256];
    FILE *f;
    int err;

    kept_path(b, "", path, sizeof(path));
    kept_path(b, ".new", fresh, sizeof(fresh));
    if (!(f = fopen(fresh, "we")))
        return -errno;
    fprintf(
        f,
        "; Written by the server (dialtone config set). --set and the file of --config beat it.\n");
    for (int i = 0; i < N_BOOTSTRAP_KEYS; i++)
        if (b->from[i] == BOOT_KEPT)
            fprintf(f, "%s = %s\n", rows[i].key, bootstrap_print(b, (enum bootstrap_key)i, value));
    err = fflush(f) || fsync(fileno(f)) ? -errno : 0;
    if (fclose(f) && !err)
        err = -errno;
    if (!err && rename(fresh, path) < 0)
        err = -errno;
    if (err)
        unlink(fresh);
    else
        sync_folder(b->data);
    return err;
}
