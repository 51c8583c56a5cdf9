/* rename.c - a record has a new key: all that refer to it follow. */
#include "core/directory/apply.h"

static bool rename_texts(struct apply *a, void *record, enum entity of,
                         const struct directory_field *fields, enum entity e, struct text from,
                         struct text to)
{
    bool changed = false;

    for (const struct directory_field *f = fields; f->name; f++) {
        const char **value = (const char **)((char *)record + f->offset);

        if (f->kind == FIELD_LIST && directory_list_count(record, f)) {
            size_t size = f->item->size * directory_list_count(record, f);
            char *copy = arena_take(&a->arena, size);

            if (!copy)
                return true; /* arena.bad refuses the whole */
            memcpy(copy, directory_child(record, f, 0), size);
            *value = copy;
            for (size_t i = 0; i < directory_list_count(record, f); i++)
                changed |=
                    rename_texts(a, copy + i * f->item->size, of, f->item->fields, e, from, to);
        } else if (rules_refers(of, f) == e && text_equal_nocase(text_of(*value), from)) {
            *value = arena_text(&a->arena, to);
            changed = true;
        }
    }
    return changed;
}

static void rename_in(struct apply *a, const struct record *r, enum entity e, struct text from,
                      struct text to)
{
    const struct directory_entity *of = directory_entity(record_entity(r));
    char before_key[DIRECTORY_KEY_MAX], after_key[DIRECTORY_KEY_MAX];
    const struct record *after;
    union draft draft;

    draft_copy(&draft, r);
    if (!rename_texts(a, &draft, record_entity(r), of->fields, e, from, to))
        return;
    directory_key(r, before_key);
    record_ref(r);
    if (a->arena.bad || !(after = record_new(&draft, a->dir->version))) {
        a->no_memory = true;
        record_unref(r);
        return;
    }
    directory_key(after, after_key);
    record_unref(after);
    if (!strcmp(before_key, after_key)) {
        apply_put(a, r, &draft);
    } else {
        apply_remove(a, r);
        apply_put(a, NULL, &draft);
        apply_rename(a, record_entity(r), text_of(before_key), text_of(after_key));
    }
    record_unref(r);
}

static void rename_line(struct apply *a, struct text from, struct text to)
{
    const struct phone *p;

    while (!a->no_memory && (p = directory_line_user(a->dir, from, ""))) {
        union draft draft;
        struct phone_button *buttons = arena_take(&a->arena, p->n_buttons * sizeof(*buttons));

        if (!buttons)
            return;
        draft_copy(&draft, &p->record);
        memcpy(buttons, p->buttons, p->n_buttons * sizeof(*buttons));
        draft.phone.buttons = buttons;
        for (unsigned i = 0; i < p->n_buttons; i++) {
            if (buttons[i].feature == BUTTON_LINE &&
                text_equal_nocase(text_of(buttons[i].target), from))
                buttons[i].target = arena_text(&a->arena, to);
        }
        apply_put(a, &p->record, &draft);
    }
}

void apply_rename(struct apply *a, enum entity e, struct text from, struct text to)
{
    if (e == ENTITY_line)
        rename_line(a, from, to);
    for (enum entity of = 0; of < N_ENTITIES; of++) {
        char key[DIRECTORY_KEY_MAX] = "";
        const struct record *r;

        if (!apply_may_refer(of, directory_entity(of)->fields, e))
            continue;
        while (!a->no_memory && (r = directory_next(a->dir, of, text_of(key)))) {
            directory_key(r, key);
            rename_in(a, r, e, from, to);
        }
    }
}
