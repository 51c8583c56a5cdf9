/* references.c - at the end of a change every name must be that of something. */
#include "core/directory/apply.h"

#define MAX_HINTS 100 /* a long file full of mistakes must not cost a search each */

/* "no phone "x" (did you mean "y"?)" */
void apply_fault_missing(struct apply *a, enum entity e, struct text key, const char *field)
{
    const struct record *r = NULL, *nearest = NULL;
    char buffer[DIRECTORY_KEY_MAX];
    struct text at = TEXT("");
    unsigned best = 3;

    for (unsigned i = 0; key.len <= 32 && i < 2000 && a->n_faults < MAX_HINTS && (r = directory_next(a->dir, e, at)); i++) {
        at = record_key(r, buffer);
        if (at.len <= 32 && text_distance(key, at, best) < best) {
            best = text_distance(key, at, best);
            nearest = r;
        }
    }
    if (nearest)
        at = record_key(nearest, buffer);
    apply_fault(a, field, "there is no %s \"%.*s\"%s%.*s%s", directory_entity(e)->noun,
                key.len > 60 ? 60 : (int)key.len, key.at, nearest ? ": did you mean \"" : "",
                nearest ? (int)at.len : 0, at.at, nearest ? "\"?" : "");
}

bool apply_may_refer(enum entity of, const struct directory_field *fields, enum entity e)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        if (rules_refers(of, f) == e ||
            (f->kind == FIELD_LIST && apply_may_refer(of, f->item->fields, e)))
            return true;
    }
    return false;
}

/* Every name in a record must be that of something. */
static void check_references(struct apply *a, const void *record, enum entity of,
                             const struct directory_field *fields)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        enum entity e = rules_refers(of, f);

        if (f->kind == FIELD_LIST) {
            for (size_t i = 0; i < directory_list_count(record, f); i++)
                check_references(a, directory_child(record, f, i), of, f->item->fields);
        } else if (e != N_ENTITIES) {
            struct text key = text_of(*(const char *const *)((const char *)record + f->offset));

            if (key.len && !directory_find(a->dir, e, key))
                apply_fault_missing(a, e, key, f->name);
        }
    }
}

static bool names_missing(struct apply *a, const void *record, enum entity of,
                          const struct directory_field *fields, enum entity e, struct text *missing)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        if (f->kind == FIELD_LIST) {
            for (size_t i = 0; i < directory_list_count(record, f); i++) {
                if (names_missing(a, directory_child(record, f, i), of, f->item->fields, e,
                                  missing))
                    return true;
            }
        } else if (rules_refers(of, f) == e) {
            *missing = text_of(*(const char *const *)((const char *)record + f->offset));
            if (missing->len && !directory_find(a->dir, e, *missing))
                return true;
        }
    }
    return false;
}

/* Something of `e` has gone: nobody may name it any more. */
static void check_referrers(struct apply *a, enum entity e)
{
    unsigned n_found = 0;

    for (enum entity of = 0; of < N_ENTITIES && n_found < 8; of++) {
        char key[DIRECTORY_KEY_MAX] = "";
        const struct record *r;
        struct text missing;

        if (!apply_may_refer(of, directory_entity(of)->fields, e))
            continue;
        while (n_found < 8 && (r = directory_next(a->dir, of, text_of(key)))) {
            directory_key(r, key);
            if (!names_missing(a, r, of, directory_entity(of)->fields, e, &missing))
                continue;
            apply_fault(a, "", "%s \"%.*s\" is in use by %s \"%s\"", directory_entity(e)->noun,
                        TEXT_ARG(missing), directory_entity(of)->noun, key);
            n_found++;
        }
    }
}

static void check_line_users(struct apply *a, const struct record *line)
{
    char key[DIRECTORY_KEY_MAX];
    const struct phone *user;

    directory_key(line, key);
    if (!directory_find(a->dir, ENTITY_line, text_of(key)) &&
        (user = directory_line_user(a->dir, text_of(key), "")))
        apply_fault(a, "", "line \"%s\" is in use by phone \"%s\"", key, user->name);
}

void apply_check_references(struct apply *a)
{
    bool gone[N_ENTITIES] = {false};
    bool parameters = false;

    for (size_t i = 0; i < a->delta->n && !a->no_memory; i++) {
        const struct delta_row *row = &a->delta->rows[i];
        const struct record *r = row->after ? row->after : row->before;

        a->source = row->source;
        parameters |= r->entity == ENTITY_parameter;
        if (row->after)
            check_references(a, row->after, record_entity(r),
                             directory_entity(record_entity(r))->fields);
        else
            gone[r->entity] = true;
        if (!row->after && r->entity == ENTITY_line)
            check_line_users(a, r);
    }
    for (enum entity e = 0; e < N_ENTITIES; e++) {
        if (gone[e] && !a->no_memory)
            check_referrers(a, e);
    }
    if (parameters)
        directory_read_settings(a->dir);
}
