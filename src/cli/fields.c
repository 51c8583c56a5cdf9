/* fields.c - the fields of the directory's entities, told to a person. */
#include "cli/fields.h"

/* Short forms that change.h knows beside the rows of the table. */
static const struct directory_field phone_extras[] = {
    {FIELD_STR, "lines",
     .title = "its numbers, separated by ; (partition after /): 7001;7002/Berlin"},
    {FIELD_STR, "speed_dials", .title = "label=number, separated by ;: Taxi=0123"},
    {.name = NULL},
};

static bool is_extra(const struct directory_field *f)
{
    return f >= phone_extras && f < phone_extras + sizeof(phone_extras) / sizeof(*phone_extras);
}

const struct directory_field *field_next(const char *noun, const struct directory_field *after)
{
    int e = directory_entity_find(text_of(noun));
    const struct directory_field *f = after   ? after + 1
                                      : e < 0 ? NULL
                                              : directory_entity((enum entity)e)->fields;

    while (f && f->name && f->kind == FIELD_KEY)
        f++;
    if (f && !f->name)
        f = e == ENTITY_phone && !is_extra(f) ? phone_extras : NULL;
    return f;
}

static void item_help(struct grow *g, const struct directory_item *item)
{
    grow_string(g, " (separated by ;");
    for (const struct directory_field *f = item->fields; f->name; f++)
        grow_format(g, "%s%s", f == item->fields ? ", each " : ", ", f->name);
    grow_string(g, ")");
}

void field_help(struct grow *g, const struct directory_field *f)
{
    grow_string(g, f->title);
    if (f->kind == FIELD_REF)
        grow_format(g, " [%s]", directory_entity(f->entity)->noun);
    else if (f->kind == FIELD_FLAG)
        grow_string(g, " (yes or no)");
    else if (f->kind == FIELD_NUM && f->max < INT32_MAX)
        grow_format(g, " (%d to %d)", f->min, f->max);
    else if (f->kind == FIELD_LIST)
        item_help(g, f->item);
    for (const struct name *n = f->kind == FIELD_ENUM ? f->names : NULL; n && n->name; n++)
        grow_format(g, "%s%s", n == f->names ? " (" : ", ", n->name);
    grow_string(g, f->kind == FIELD_ENUM ? ")" : "");
}
