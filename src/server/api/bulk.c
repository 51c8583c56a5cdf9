/* bulk.c - the same change of many records, by name or by what they have in common: all or
 * nothing. */
#include <stdio.h>
#include <string.h>

#include "server/api/lists.h"

#define MOST 100000 /* records of one request */

struct bulk {
    enum entity entity;
    bool deletes;
    json_t *fields; /* what is set */
    struct change *change;
    size_t n;
};

static void add(struct bulk *b, struct text key)
{
    b->n++;
    if (b->deletes) {
        change_delete(b->change, b->entity, key);
    } else {
        change_set(b->change, b->entity, key);
        change_fields(b->change, b->fields);
    }
}

/* False: one is not there, and the refusal is out. */
static bool add_named(struct admin *a, const struct call *c, struct bulk *b)
{
    char key[DIRECTORY_KEY_MAX];
    json_t *typed;
    size_t i;

    json_array_foreach(c->names, i, typed)
    {
        struct text name = entity_key(b->entity, call_text(typed), key);

        if (!directory_find(a->thread->directory, b->entity, name)) {
            refuse_missing(a, c, b->entity, name);
            return false;
        }
        add(b, name);
    }
    return true;
}

static bool is_searched(struct admin *a, const struct column *columns, int n, const void *record,
                        struct text search)
{
    char text[COLUMN_TEXT];

    for (int i = 0; i < n; i++)
        if (text_contains_nocase(column_text(a, &columns[i], record, text), search))
            return true;
    return !search.len;
}

/* All that a list with these filters and this search would show. */
static bool add_found(struct admin *a, const struct call *c, struct bulk *b, json_t *where)
{
    struct call list = *c;
    struct filters filters;
    struct column columns[MAX_COLUMNS];
    struct text unknown, search = text_of(call_option(c, "search")), after = TEXT("");
    char key[DIRECTORY_KEY_MAX];
    const void *record;
    int n = columns_choose(b->entity, "", false, columns, &unknown);

    list.fields = where;
    if (!filters_read(a, &list, b->entity, &filters))
        return false;
    while ((record = directory_next(a->thread->directory, b->entity, after))) {
        after = (struct text){key, directory_key(record, key)};
        if (filters_pass(a, &filters, record) && is_searched(a, columns, n, record, search))
            add(b, after);
    }
    return true;
}

static bool all_texts(const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value) if (!json_is_string(value)) return false;
    return json_is_object(object);
}

/* NULL, or what is wrong with the words of the request. */
static const char *take_words(const struct call *c, struct bulk *b, json_t *where)
{
    const char *action = call_option(c, "action");
    bool by_filter = json_object_size(where) || *call_option(c, "search") ||
                     json_is_true(json_object_get(c->options, "all"));

    b->deletes = !strcmp(action, "delete");
    b->fields = json_object_get(c->options, "set");
    if (strcmp(action, "set") != 0 && !b->deletes)
        return "\"action\" is \"set\" or \"delete\"; reset, restart and apply are requests of "
               "their own.";
    if (!b->deletes && (!all_texts(b->fields) || !json_object_size(b->fields)))
        return "\"set\" is an object: the fields, and what they become.";
    if (where && !all_texts(where))
        return "\"where\" is an object: columns, and what they must be.";
    if (by_filter == (json_array_size(c->names) > 0))
        return "Which ones? Either \"names\", or \"where\" and \"search\", or \"all\": true.";
    return NULL;
}

void api_entity_bulk(struct admin *a, const struct call *c)
{
    struct bulk b = {.entity = (enum entity)directory_entity_find(text_of(c->noun))};
    json_t *where = json_object_get(c->options, "where"), *empty = json_object(), *answer;
    const char *wrong = take_words(c, &b, where);
    bool found;

    if (wrong) {
        admin_refuse(a, c->who, "%s", wrong);
        json_decref(empty);
        return;
    }
    b.change = change_new();
    found = json_array_size(c->names) ? add_named(a, c, &b)
                                      : add_found(a, c, &b, where ? where : empty);
    json_decref(empty);
    if (found && b.n > MOST)
        admin_refuse(a, c->who, "%zu records are too many for one request: %d at most.", b.n, MOST);
    if (!found || b.n > MOST) {
        change_free(b.change);
        return;
    }
    answer = json_pack("{s:I}", "count", (json_int_t)b.n);
    note(answer, "%zu %s.", b.n, b.deletes ? "deleted" : "changed");
    admin_change(a, c->who, b.change, answer);
}
