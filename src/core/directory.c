/* directory.c - reading a snapshot; making the next one. */
#include "core/directory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/directory/snapshot.h"
#include "core/directory/walk.h"

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
        d->settings_stamp = dir->settings_stamp;
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

struct walk {
    int (*each)(void *context, const void *record);
    void *context;
};

static int on_record(void *context, const struct record *r)
{
    const struct walk *w = context;

    return w->each(w->context, r);
}

int directory_each(const struct directory *dir, enum entity e,
                   int (*each)(void *context, const void *record), void *context)
{
    struct walk w = {each, context};

    return tree_each(&dir->trees[e], on_record, &w);
}

size_t directory_key(const void *record, char to[static DIRECTORY_KEY_MAX])
{
    char buffer[DIRECTORY_KEY_MAX];

    return text_copy(to, DIRECTORY_KEY_MAX, record_key(record, buffer));
}

static const struct phone *next_user(const struct directory *dir, int index, struct text used,
                                     const char *after)
{
    char key[DIRECTORY_KEY_MAX];
    size_t len = text_copy(key, sizeof(key) - 1, used);
    const struct phone_use *use;

    key[len++] = '\1';
    len += text_copy(key + len, sizeof(key) - len, text_of(after));
    use = (const struct phone_use *)tree_after(&dir->trees[index], (struct text){key, len});
    return use && text_equal_nocase(text_of(use->used), used) ? use->phone : NULL;
}

const struct phone *directory_line_user(const struct directory *dir, struct text line_key,
                                        const char *after)
{
    return next_user(dir, ENTITY_LINE_USE, line_key, after);
}

const struct phone *directory_digest_device(const struct directory *dir, struct text user,
                                            const char *after)
{
    return next_user(dir, ENTITY_USER_USE, user, after);
}

const struct phone *directory_activation(const struct directory *dir, struct text code)
{
    return code.len ? next_user(dir, ENTITY_CODE_USE, code, "") : NULL;
}

static bool uses_line(const struct phone_button *b)
{
    return b->feature == BUTTON_LINE && *b->target;
}

static int put_use(struct directory *dir, int index, const struct phone *phone, const char *used)
{
    const struct record *use = phone_use_new(index, phone, used);
    int err = use ? tree_put(&dir->trees[index], use) : -ENOMEM;

    record_unref(use);
    return err;
}

static int remove_use(struct directory *dir, int index, const struct phone *phone, const char *used)
{
    struct phone_use use = {.record = {.entity = (uint16_t)index}, .phone = phone, .used = used};
    char buffer[DIRECTORY_KEY_MAX];
    int err = tree_remove(&dir->trees[index], record_key(&use.record, buffer));

    return err == -ENOENT ? 0 : err;
}

static int each_use(struct directory *dir, const struct phone *phone,
                    int (*act)(struct directory *, int, const struct phone *, const char *))
{
    const char *user = *phone->digest_user ? phone->digest_user : phone->owner;
    int err = *user ? act(dir, ENTITY_USER_USE, phone, user) : 0;

    if (!err && *phone->activation_code)
        err = act(dir, ENTITY_CODE_USE, phone, phone->activation_code);
    for (unsigned i = 0; i < phone->n_buttons && !err; i++) {
        if (uses_line(&phone->buttons[i]))
            err = act(dir, ENTITY_LINE_USE, phone, phone->buttons[i].target);
    }
    return err;
}

int directory_put(struct directory *dir, const struct record *r)
{
    int err = 0;

    if (r->entity == ENTITY_phone) {
        const struct phone *phone = (const struct phone *)r, *old;

        if ((old = directory_phone(dir, text_of(phone->name))))
            err = each_use(dir, old, remove_use);
        if (!err)
            err = each_use(dir, phone, put_use);
    }
    return err ? err : tree_put(&dir->trees[r->entity], r);
}

int directory_remove(struct directory *dir, const struct record *r)
{
    char buffer[DIRECTORY_KEY_MAX];
    int err = r->entity == ENTITY_phone ? each_use(dir, (const struct phone *)r, remove_use) : 0;

    return err ? err : tree_remove(&dir->trees[r->entity], record_key(r, buffer));
}

void directory_read_settings(struct directory *dir)
{
    const struct parameter *p = NULL;

    for (int i = 0; i < N_SETTINGS; i++) {
        dir->numbers[i] = setting_rows[i].number;
        dir->strings[i] = setting_rows[i].string ? setting_rows[i].string : "";
    }
    dir->settings_stamp = 0;
    while ((p = directory_next(dir, ENTITY_parameter, text_of(p ? p->name : "")))) {
        int i = setting_find(text_of(p->name));
        char error[2];

        if (i < 0)
            continue;
        dir->settings_stamp = dir->settings_stamp * 0x100000001b3 + p->record.stamp;
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
