/* draft.c - filling a draft from texts. */
#include "core/directory/draft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/grow.h"
#include "core/directory/change.h"
#include "core/models.h"
#include "core/settings.h"

#define BLOCK_SIZE 16384
#define MAX_ITEMS  1000

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    max_align_t bytes[];
};

void *arena_take(struct arena *a, size_t size)
{
    struct arena_block *b = a->blocks;
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

    size = (size + 7) & ~(size_t)7;
    if (!b || b->size - b->used < size) {
        if (!(b = malloc(sizeof(*b) + room + 8))) {
            a->bad = true;
            return NULL;
        }
        *b = (struct arena_block){.next = a->blocks, .size = room + 8};
        a->blocks = b;
    }
    b->used += size;
    return (char *)b->bytes + b->used - size;
}

const char *arena_text(struct arena *a, struct text t)
{
    char *s = t.len ? arena_take(a, t.len + 1) : NULL;

    if (!s)
        return "";
    text_copy(s, t.len + 1, t);
    return s;
}

void arena_reset(struct arena *a)
{
    while (a->blocks && a->blocks->next) {
        struct arena_block *next = a->blocks->next;

        free(a->blocks);
        a->blocks = next;
    }
    if (a->blocks)
        a->blocks->used = 0;
}

void arena_done(struct arena *a)
{
    arena_reset(a);
    free(a->blocks);
    a->blocks = NULL;
}

static bool has_control(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if ((unsigned char)t.at[i] < ' ' || t.at[i] == 0x7f)
            return true;
    }
    return false;
}

static int set_text(struct arena *a, const char **to, const struct directory_field *f,
                    struct text value, char *sentence)
{
    if (value.len > (size_t)f->max)
        snprintf(sentence, SENTENCE_MAX, "%s has at most %d characters, not %zu", f->name, f->max,
                 value.len);
    else if (has_control(value))
        snprintf(sentence, SENTENCE_MAX, "%s has a control character in it", f->name);
    else if (!text_utf8_valid(value))
        snprintf(sentence, SENTENCE_MAX, "%s is not UTF-8", f->name);
    else {
        *to = !value.len ? "" : text_is(value, f->text) ? f->text : arena_text(a, value);
        return 0;
    }
    return -EINVAL;
}

static bool is_model(const struct directory_field *f)
{
    return !strcmp(f->name, "model");
}

static int set_model(int32_t *to, const struct directory_field *f, struct text value,
                     char *sentence)
{
    const struct model *m = model_by_name(value);

    if (f->min == 0 && (text_is(text_trim(value), "0") || text_equal_nocase(value, TEXT("any")))) {
        *to = 0;
        return 0;
    }
    if (!m) {
        snprintf(sentence, SENTENCE_MAX,
                 "there is no model \"%.*s\" (a product name as 7960, or a device type)",
                 value.len > 40 ? 40 : (int)value.len, value.at);
        return -EINVAL;
    }
    *to = (int32_t)m->type;
    return 0;
}

static int set_number(int32_t *to, const struct directory_field *f, struct text value,
                      char *sentence)
{
    int32_t n;

    if (is_model(f))
        return set_model(to, f, value, sentence);
    if (text_to_number(value, &n) < 0 || n < f->min || n > f->max) {
        snprintf(sentence, SENTENCE_MAX, "%s is a number from %d to %d", f->name, f->min, f->max);
        return -EINVAL;
    }
    *to = n;
    return 0;
}

static int set_enum(uint8_t *to, const struct directory_field *f, struct text value, char *sentence)
{
    struct grow all = {0};
    uint32_t n;

    if (names_parse(f->names, text_trim(value), &n) == 0) {
        *to = (uint8_t)n;
        return 0;
    }
    for (const struct name *name = f->names; name->name; name++)
        grow_format(&all, "%s%s", all.len ? ", " : "", name->name);
    snprintf(sentence, SENTENCE_MAX, "%s is one of %s", f->name, all.at ? all.at : "its names");
    grow_done(&all);
    return -EINVAL;
}

int draft_value(struct arena *a, void *record, const struct directory_field *f, struct text value,
                char sentence[static SENTENCE_MAX])
{
    void *to = (char *)record + f->offset;

    switch (f->kind) {
    case FIELD_KEY:
    case FIELD_REF:
        return set_text(a, to, f, text_trim(value), sentence);
    case FIELD_STR:
    case FIELD_SECRET:
        return set_text(a, to, f, value, sentence);
    case FIELD_NUM:
        return set_number(to, f, value, sentence);
    case FIELD_ENUM:
        return set_enum(to, f, value, sentence);
    case FIELD_FLAG:
        if (text_to_flag(value, to) == 0)
            return 0;
        snprintf(sentence, SENTENCE_MAX, "%s is true or false", f->name);
        return -EINVAL;
    case FIELD_LIST:
        return draft_list(a, record, f, value, sentence);
    }
    return -EINVAL;
}

/* Children are kept in blocks of a power of two places, so that adding one seldom copies. */
void *draft_item(struct arena *a, void *record, const struct directory_field *f)
{
    char **items = (char **)((char *)record + f->offset);
    uint16_t *n = (uint16_t *)((char *)record + f->n_offset);
    size_t size = f->item->size;
    char *grown;

    if (*n >= MAX_ITEMS)
        return NULL;
    if ((*n & (*n - 1)) == 0) { /* 0, 1, 2, 4, 8 …: full */
        if (!(grown = arena_take(a, (*n ? *n * 2u : 1) * size)))
            return NULL;
        if (*n)
            memcpy(grown, *items, *n * size);
        *items = grown;
    }
    item_init(*items + *n * size, f->item);
    return *items + (*n)++ * size;
}

/* Cuts up to `separator` off `rest`; `\` takes the next character literally. `to` gets the part
 * without the `\`s. Without a `\` nothing is copied. */
static struct text cut(struct arena *a, struct text *rest, char separator, bool keep_escapes)
{
    struct text part = {rest->at, 0};
    bool escaped = false;
    size_t i = 0;

    for (; i < rest->len && rest->at[i] != separator; i++) {
        if (rest->at[i] == '\\' && i + 1 < rest->len) {
            escaped = true;
            i++;
        }
    }
    part.len = i;
    *rest = i < rest->len ? text_skip(*rest, i + 1) : (struct text){NULL, 0};
    if (escaped && !keep_escapes) {
        char *plain = arena_take(a, part.len);
        size_t n = 0;

        if (!plain)
            return TEXT("");
        for (i = 0; i < part.len; i++) {
            if (part.at[i] == '\\' && i + 1 < part.len)
                i++;
            plain[n++] = part.at[i];
        }
        part = (struct text){plain, n};
    }
    return part;
}

static int fill_item(struct arena *a, void *item, const struct directory_field *fields,
                     struct text values, char *sentence)
{
    for (const struct directory_field *f = fields; values.at; f++) {
        struct text value = text_trim(cut(a, &values, ',', false));
        int err;

        if (!f->name) {
            snprintf(sentence, SENTENCE_MAX, "too many values in one entry, separated by ','");
            return -EINVAL;
        }
        if (value.len && (err = draft_value(a, item, f, value, sentence)) < 0)
            return err;
    }
    return 0;
}

static void clear_list(void *record, const struct directory_field *f)
{
    *(const void **)((char *)record + f->offset) = NULL;
    *(uint16_t *)((char *)record + f->n_offset) = 0;
}

int draft_list(struct arena *a, void *record, const struct directory_field *f, struct text value,
               char sentence[static SENTENCE_MAX])
{
    clear_list(record, f);
    if (!text_trim(value).len)
        return 0;
    while (value.at) {
        struct text entry = cut(a, &value, ';', true);
        void *item;
        int err;

        if (!text_trim(entry).len)
            continue;
        if (!(item = draft_item(a, record, f))) {
            snprintf(sentence, SENTENCE_MAX, "%s has too many entries", f->name);
            return -EINVAL;
        }
        if ((err = fill_item(a, item, f->item->fields, entry, sentence)) < 0)
            return err;
    }
    return 0;
}

static const struct directory_field *phone_buttons_field(void)
{
    return directory_field_find(directory_entity(ENTITY_phone)->fields, TEXT("buttons"));
}

enum { LINES = 1, SPEED_DIALS = 2, OTHERS = 4 };

/* The buttons of `old` of these kinds, added to the list of `p`. */
static void keep_buttons(struct arena *a, struct phone *p, const struct phone *old, unsigned kinds)
{
    for (unsigned i = 0; i < old->n_buttons; i++) {
        uint8_t feature = old->buttons[i].feature;
        unsigned kind = feature == BUTTON_LINE         ? LINES
                        : feature == BUTTON_SPEED_DIAL ? SPEED_DIALS
                                                       : OTHERS;
        struct phone_button *b = kind & kinds ? draft_item(a, p, phone_buttons_field()) : NULL;

        if (b)
            *b = old->buttons[i];
    }
}

static int add_line(struct arena *a, struct phone *p, const struct phone *old, struct text target,
                    char *sentence)
{
    const struct directory_field *list = phone_buttons_field();
    struct phone_button *b = draft_item(a, p, list);

    if (!b) {
        snprintf(sentence, SENTENCE_MAX, "too many lines");
        return -EINVAL;
    }
    for (unsigned i = 0; i < old->n_buttons; i++) {
        if (old->buttons[i].feature == BUTTON_LINE &&
            text_equal_nocase(target, text_of(old->buttons[i].target))) {
            *b = old->buttons[i];
            return 0;
        }
    }
    b->feature = BUTTON_LINE;
    return draft_value(a, b, directory_field_find(list->item->fields, TEXT("target")), target,
                       sentence);
}

static int add_speed_dial(struct arena *a, struct phone *p, struct text entry, char *sentence)
{
    const struct directory_field *list = phone_buttons_field();
    const struct directory_field *fields = list->item->fields;
    struct phone_button *b = draft_item(a, p, list);
    struct text label = cut(a, &entry, '=', false), number = TEXT("");
    int err;

    if (!b || !entry.at) {
        snprintf(sentence, SENTENCE_MAX,
                 b ? "a speed dial is label=number" : "too many speed dials");
        return -EINVAL;
    }
    number = cut(a, &entry, '\0', false);
    b->feature = BUTTON_SPEED_DIAL;
    err =
        draft_value(a, b, directory_field_find(fields, TEXT("label")), text_trim(label), sentence);
    return err ? err
               : draft_value(a, b, directory_field_find(fields, TEXT("target")), text_trim(number),
                             sentence);
}

/* Lines come first on a phone, then speed dials, then the rest. */
int draft_phone_extra(struct arena *a, struct phone *p, struct text field, struct text value,
                      char sentence[static SENTENCE_MAX])
{
    bool lines = text_equal_nocase(field, TEXT("lines"));
    struct phone old = *p;
    int err = 0;

    if (!lines && !text_equal_nocase(field, TEXT("speed_dials")))
        return -ENOENT;
    p->buttons = NULL;
    p->n_buttons = 0;
    if (!lines)
        keep_buttons(a, p, &old, LINES);
    value = text_trim(value);
    while (!err && value.len) {
        struct text entry = text_trim(cut(a, &value, ';', !lines));

        if (entry.len)
            err = lines ? add_line(a, p, &old, entry, sentence)
                        : add_speed_dial(a, p, entry, sentence);
    }
    keep_buttons(a, p, &old, lines ? SPEED_DIALS | OTHERS : OTHERS);
    return err;
}

static void print_escaped(struct grow *to, const char *s, const char *special)
{
    for (; *s; s++) {
        if (*s == '\\' || strchr(special, *s))
            grow_string(to, "\\");
        grow_text(to, (struct text){s, 1});
    }
}

void phone_print_lines(const struct phone *p, struct grow *to)
{
    const char *between = "";

    for (unsigned i = 0; i < p->n_buttons; i++) {
        if (p->buttons[i].feature != BUTTON_LINE || !*p->buttons[i].target)
            continue;
        grow_string(to, between);
        print_escaped(to, p->buttons[i].target, ";");
        between = ";";
    }
}

void phone_print_speed_dials(const struct phone *p, struct grow *to)
{
    const char *between = "";

    for (unsigned i = 0; i < p->n_buttons; i++) {
        if (p->buttons[i].feature != BUTTON_SPEED_DIAL)
            continue;
        grow_string(to, between);
        print_escaped(to, p->buttons[i].label, ";=");
        grow_string(to, "=");
        print_escaped(to, p->buttons[i].target, ";");
        between = ";";
    }
}
