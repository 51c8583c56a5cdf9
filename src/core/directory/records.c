/* records.c - records: made from a draft in one block of memory, compared by key, counted. */
#include "core/directory/records.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ALIGN(n) (((n) + 7) & ~(size_t)7)

#define AT(record, offset, type)  (*(type *)((char *)(record) + (offset)))
#define GET(record, offset, type) (*(type const *)((const char *)(record) + (offset)))

static bool is_text(const struct directory_field *f)
{
    return f->kind == FIELD_KEY || f->kind == FIELD_STR || f->kind == FIELD_SECRET ||
           f->kind == FIELD_REF;
}

static void set_defaults(void *to, const struct directory_field *fields)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        if (is_text(f))
            AT(to, f->offset, const char *) = f->text;
        else if (f->kind == FIELD_NUM)
            AT(to, f->offset, int32_t) = f->number;
        else if (f->kind == FIELD_FLAG)
            AT(to, f->offset, bool) = f->number;
        else if (f->kind == FIELD_ENUM)
            AT(to, f->offset, uint8_t) = (uint8_t)f->number;
    }
}

void draft_init(union draft *d, enum entity e)
{
    memset(d, 0, sizeof(*d));
    d->record.entity = (uint16_t)e;
    set_defaults(d, directory_entity(e)->fields);
}

void draft_copy(union draft *d, const struct record *r)
{
    d->record.entity = r->entity; /* the counts belong to all threads */
    memcpy(&d->record + 1, r + 1, directory_entity(record_entity(r))->size - sizeof(*r));
}

void item_init(void *item, const struct directory_item *row)
{
    memset(item, 0, row->size);
    set_defaults(item, row->fields);
}

/* Empty texts and defaults need no copy. */
static size_t text_room(const char *s, const struct directory_field *f)
{
    return !*s || !strcmp(s, f->text) ? 0 : strlen(s) + 1;
}

static void measure(const void *from, const struct directory_field *fields, size_t *items,
                    size_t *texts)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        if (is_text(f))
            *texts += text_room(GET(from, f->offset, char *), f);
        if (f->kind != FIELD_LIST)
            continue;
        *items += ALIGN(directory_list_count(from, f) * f->item->size);
        for (size_t i = 0; i < directory_list_count(from, f); i++)
            measure(directory_child(from, f, i), f->item->fields, items, texts);
    }
}

/* Where the next children and the next text go in the block that is being filled. */
struct room {
    char *items, *texts;
};

static void settle(void *to, const struct directory_field *fields, struct room *room)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        if (is_text(f)) {
            const char **s = &AT(to, f->offset, const char *);
            size_t len = text_room(*s, f);

            if (!len) {
                *s = **s ? f->text : "";
                continue;
            }
            memcpy(room->texts, *s, len);
            *s = room->texts;
            room->texts += len;
        } else if (f->kind == FIELD_LIST) {
            size_t n = directory_list_count(to, f);
            char *items = room->items;

            if (!n)
                continue;
            memcpy(items, directory_child(to, f, 0), n * f->item->size);
            room->items += ALIGN(n * f->item->size);
            AT(to, f->offset, const void *) = items;
            for (size_t i = 0; i < n; i++)
                settle(items + i * f->item->size, f->item->fields, room);
        }
    }
}

/* FNV-1a; the zero behind a text tells "ab", "c" from "a", "bc". What has its default counts for
 * nothing, so that a field which a later version adds changes no stamp. */
static uint64_t stamp_bytes(uint64_t h, const void *bytes, size_t len)
{
    for (const uint8_t *at = bytes; len; at++, len--)
        h = (h ^ *at) * 0x100000001b3;
    return h;
}

static uint64_t stamp_fields(uint64_t h, const void *from, const struct directory_field *fields)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        const char *text = is_text(f) ? GET(from, f->offset, char *) : NULL;
        uint64_t n;

        if (directory_is_default(from, f))
            continue;
        h = stamp_bytes(h, f->name, strlen(f->name) + 1);
        if (text) {
            h = stamp_bytes(h, text, strlen(text) + 1);
        } else if (f->kind == FIELD_LIST) {
            n = directory_list_count(from, f);
            h = stamp_bytes(h, &n, sizeof(n));
            for (size_t i = 0; i < n; i++)
                h = stamp_fields(h, directory_child(from, f, i), f->item->fields);
        } else {
            h = stamp_bytes(h, (const char *)from + f->offset,
                            f->kind == FIELD_NUM ? sizeof(int32_t) : 1);
        }
    }
    return h;
}

const struct record *record_new(const union draft *d, uint64_t version)
{
    const struct directory_entity *e = directory_entity(record_entity(d));
    size_t items = 0, texts = 0;
    struct record *r;
    struct room room;

    measure(d, e->fields, &items, &texts);
    if (!(r = malloc(ALIGN(e->size) + items + texts)))
        return NULL;
    memcpy((void *)r, d, e->size);
    r->refs = 1;
    r->version = version;
    room.items = (char *)r + ALIGN(e->size);
    room.texts = room.items + items;
    settle(r, e->fields, &room);
    r->stamp = stamp_fields(0xcbf29ce484222325, r, e->fields);
    return r;
}

const struct record *phone_use_new(int index, const struct phone *phone, const char *used)
{
    struct phone_use *use = malloc(sizeof(*use));

    if (!use)
        return NULL;
    use->record.refs = 1;
    use->record.entity = (uint16_t)index;
    use->record.version = use->record.stamp = 0;
    use->phone = record_ref(phone);
    use->used = used;
    return &use->record;
}

const void *record_ref(const void *record)
{
    if (record)
        atomic_fetch_add_explicit(&((struct record *)record)->refs, 1, memory_order_relaxed);
    return record;
}

void record_unref(const void *record)
{
    struct record *r = (struct record *)record;

    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (r->entity >= N_ENTITIES)
        record_unref(((struct phone_use *)r)->phone);
    free(r);
}

/* The two texts that a key is made of, and what stands between them when there is a second. */
struct key_parts {
    const char *first, *second;
    char between;
};

static struct key_parts parts_of(const struct record *r)
{
    if (r->entity >= N_ENTITIES) {
        const struct phone_use *use = (const struct phone_use *)r;

        return (struct key_parts){use->used, use->phone->name, '\1'};
    }
    /* Keys come first in every record, see entities.def. */
    return (struct key_parts){
        ((const char *const *)(r + 1))[0],
        directory_entities[r->entity].n_keys > 1 ? ((const char *const *)(r + 1))[1] : "", '/'};
}

struct text record_key(const struct record *r, char buffer[static DIRECTORY_KEY_MAX])
{
    struct key_parts p = parts_of(r);
    int n;

    if (!*p.second)
        return text_of(p.first);
    n = snprintf(buffer, DIRECTORY_KEY_MAX, "%s%c%s", p.first, p.between, p.second);
    return (struct text){buffer, n < DIRECTORY_KEY_MAX ? (size_t)n : DIRECTORY_KEY_MAX - 1};
}

static inline int fold(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : (unsigned char)c;
}

/* Compares what of the key follows *at with all of `s`, and moves *at behind what is the same; not zero: that
 * settled it. */
static int compare_part(struct text key, size_t *at, const char *s)
{
    for (; *s; s++, ++*at) {
        int order;

        if (*at == key.len)
            return -1;
        if (key.at[*at] != *s && (order = fold(key.at[*at]) - fold(*s)) != 0)
            return order;
    }
    return 0;
}

int record_compare(struct text key, const struct record *r, size_t *same)
{
    struct key_parts p = parts_of(r);
    const char between[2] = {p.between, 0};
    size_t at = *p.second ? 0 : *same;
    int order = compare_part(key, &at, p.first + at);

    if (!order && *p.second) {
        order = compare_part(key, &at, between);
        if (!order)
            order = compare_part(key, &at, p.second);
    }
    *same = at;
    return order ? order : key.len > at;
}

static bool same_fields(const void *a, const void *b, const struct directory_field *fields)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        char one[DIRECTORY_SCRATCH], other[DIRECTORY_SCRATCH];

        if (!text_equal(directory_value(a, f, one), directory_value(b, f, other)))
            return false;
        if (f->kind != FIELD_LIST)
            continue;
        for (size_t i = 0; i < directory_list_count(a, f); i++) {
            if (!same_fields(directory_child(a, f, i), directory_child(b, f, i), f->item->fields))
                return false;
        }
    }
    return true;
}

bool record_same(const struct record *a, const struct record *b)
{
    return a->entity == b->entity && same_fields(a, b, directory_entity(record_entity(a))->fields);
}
