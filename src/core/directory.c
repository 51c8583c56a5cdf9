/* directory.c - reading a snapshot; making the next one. */
#include "core/directory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/directory/snapshot.h"

const struct directory *directory_ref(const struct directory *dir)
{
    if (dir)
        atomic_fetch_add_explicit(&((struct directory *)dir)->refs, 1, memory_order_relaxed);
    return dir;
}

void directory_unref(const struct directory *dir)
{
    struct directory *d = (struct directory *)dir;

    if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (int e = 0; e < N_TREES; e++)
        tree_done(&d->trees[e]);
    free(d);
}

struct directory *directory_fork(const struct directory *dir, uint64_t version)
{
    struct directory *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->refs = 1;
    d->version = version;
    for (int e = 0; dir && e < N_TREES; e++)
        d->trees[e] = tree_ref(&dir->trees[e]);
    if (dir) {
        memcpy(d->numbers, dir->numbers, sizeof(d->numbers));
        memcpy(d->strings, dir->strings, sizeof(d->strings));
    } else {
        directory_read_settings(d);
    }
    return d;
}

uint64_t directory_version(const struct directory *dir)
{
    return dir->version;
}

size_t directory_count(const struct directory *dir, enum entity e)
{
    return dir->trees[e].n;
}

const void *directory_find(const struct directory *dir, enum entity e, struct text key)
{
    return tree_find(&dir->trees[e], key);
}

const void *directory_next(const struct directory *dir, enum entity e, struct text after)
{
    return tree_after(&dir->trees[e], after);
}

size_t directory_key(const void *record, char to[static DIRECTORY_KEY_MAX])
{
    char buffer[DIRECTORY_KEY_MAX];

    return text_copy(to, DIRECTORY_KEY_MAX, record_key(record, buffer));
}

const struct phone *directory_line_user(const struct directory *dir, struct text line_key,
                                        const char *after)
{
    char key[DIRECTORY_KEY_MAX];
    size_t len = text_copy(key, sizeof(key) - 1, line_key);
    const struct line_use *use;

    key[len++] = '\1';
    len += text_copy(key + len, sizeof(key) - len, text_of(after));
    use =
        (const struct line_use *)tree_after(&dir->trees[ENTITY_LINE_USE], (struct text){key, len});
    return use && text_equal_nocase(text_of(use->line), line_key) ? use->phone : NULL;
}

static bool uses_line(const struct phone_button *b)
{
    return b->feature == BUTTON_LINE && *b->target;
}

static int put_line_uses(struct directory *dir, const struct phone *phone)
{
    int err = 0;

    for (unsigned i = 0; i < phone->n_buttons && !err; i++) {
        const struct record *use;

        if (!uses_line(&phone->buttons[i]))
            continue;
        if (!(use = line_use_new(phone, phone->buttons[i].target)))
            return -ENOMEM;
        err = tree_put(&dir->trees[ENTITY_LINE_USE], use);
        record_unref(use);
    }
    return err;
}

static int remove_line_uses(struct directory *dir, const struct phone *phone)
{
    int err = 0;

    for (unsigned i = 0; i < phone->n_buttons && !err; i++) {
        struct line_use use = {.record = {.entity = ENTITY_LINE_USE},
                               .phone = phone,
                               .line = phone->buttons[i].target};
        char buffer[DIRECTORY_KEY_MAX];

        if (uses_line(&phone->buttons[i]))
            err = tree_remove(&dir->trees[ENTITY_LINE_USE], record_key(&use.record, buffer));
    }
    return err == -ENOENT ? 0 : err;
}

int directory_put(struct directory *dir, const struct record *r)
{
    int err = 0;

    if (r->entity == ENTITY_phone) {
        const struct phone *phone = (const struct phone *)r, *old;

        if ((old = directory_phone(dir, text_of(phone->name))))
            err = remove_line_uses(dir, old);
        if (!err)
            err = put_line_uses(dir, phone);
    }
    return err ? err : tree_put(&dir->trees[r->entity], r);
}

int directory_remove(struct directory *dir, const struct record *r)
{
    char buffer[DIRECTORY_KEY_MAX];
    int err = r->entity == ENTITY_phone ? remove_line_uses(dir, (const struct phone *)r) : 0;

    return err ? err : tree_remove(&dir->trees[r->entity], record_key(r, buffer));
}

void directory_read_settings(struct directory *dir)
{
    const struct parameter *p = NULL;

    for (int i = 0; i < N_SETTINGS; i++) {
        dir->numbers[i] = setting_rows[i].number;
        dir->strings[i] = setting_rows[i].string ? setting_rows[i].string : "";
    }
    while ((p = directory_next(dir, ENTITY_parameter, text_of(p ? p->name : "")))) {
        int i = setting_find(text_of(p->name));
        char error[2];

        if (i < 0)
            continue;
        if (setting_rows[i].kind == SETTING_STRING)
            dir->strings[i] = p->value;
        else
            setting_check((enum setting)i, text_of(p->value), &dir->numbers[i], error,
                          sizeof(error));
    }
}

int32_t directory_number(const struct directory *dir, int setting)
{
    return dir->numbers[setting];
}

const char *directory_string(const struct directory *dir, int setting)
{
    return dir->strings[setting];
}
