/* apply.c - from one snapshot to the next: operations in order, then what they leave behind. */
#include "core/directory/apply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/directory/tokens.h"

void apply_fault(struct apply *a, const char *field, const char *format, ...)
{
    char text[SENTENCE_MAX];
    va_list args;

    a->failed = true;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (a->n_faults++ == 0 && a->error_size)
        snprintf(a->error, a->error_size, "%s", text);
    if (!a->faults)
        return;
    a->faults->total++;
    if (a->faults->n < a->faults->max) {
        struct change_fault *fault = &a->faults->rows[a->faults->n++];

        fault->source = a->source ? a->source : a->n_ops;
        fault->field = field;
        memcpy(fault->text, text, sizeof(text));
    }
}

static void note(struct apply *a, const struct record *before, const struct record *after)
{
    struct delta *d = a->delta;

    if (d->n == d->capacity) {
        size_t capacity = d->capacity ? d->capacity * 2 : 8;
        struct delta_row *rows = realloc(d->rows, capacity * sizeof(*rows));

        if (!rows) {
            a->no_memory = true;
            return;
        }
        d->rows = rows;
        d->capacity = capacity;
    }
    d->rows[d->n++] =
        (struct delta_row){record_ref(before), record_ref(after), a->source ? a->source : a->n_ops};
}

void apply_put(struct apply *a, const struct record *before, const union draft *draft)
{
    const struct record *after;

    if (a->arena.bad || !(after = record_new(draft, a->dir->version))) {
        a->no_memory = true;
        return;
    }
    if (!before || !record_same(before, after)) {
        note(a, before, after);
        if (directory_put(a->dir, after) < 0)
            a->no_memory = true;
    }
    record_unref(after);
}

void apply_remove(struct apply *a, const struct record *before)
{
    record_ref(before); /* the tree may hold the last one */
    note(a, before, NULL);
    if (directory_remove(a->dir, before) < 0)
        a->no_memory = true;
    record_unref(before);
}

static void finish_put(struct apply *a)
{
    char key[DIRECTORY_KEY_MAX], old_key[DIRECTORY_KEY_MAX];
    const struct record *there;

    text_copy(key, sizeof(key), record_key(&a->draft.record, old_key));
    there = directory_find(a->dir, a->entity, text_of(key));
    if (there && there != a->before) {
        apply_fault(a, directory_entity(a->entity)->fields[0].name, "there is a %s \"%s\" already",
                    directory_entity(a->entity)->noun, key);
        return;
    }
    rules_check(a);
    if (a->failed)
        return;
    if (rules_needs_no_row(&a->draft)) {
        if (a->before)
            apply_remove(a, a->before);
    } else if (a->before && !there) { /* renamed */
        const struct record *before = record_ref(a->before);

        directory_key(before, old_key);
        apply_remove(a, before);
        apply_put(a, NULL, &a->draft);
        apply_rename(a, a->entity, text_of(old_key), text_of(key));
        record_unref(before);
    } else {
        apply_put(a, a->before, &a->draft);
    }
}

static void finish_operation(struct apply *a)
{
    if (a->open && !a->failed && !a->no_memory && !a->arena.bad) {
        if (a->verb == TOKEN_DELETE) {
            rules_before_delete(a, a->before);
            apply_remove(a, a->before);
        } else {
            finish_put(a);
        }
    }
    record_unref(a->base);
    a->base = a->before = NULL;
    a->no_memory |= a->arena.bad;
    arena_reset(&a->arena);
    a->open = false;
}

/* The draft is all of what it was copied from: gives it the key of `named`, a phone neither lines nor
 * activation code, a user no digest password. */
static void become_copy(struct apply *a, const union draft *named)
{
    char sentence[SENTENCE_MAX];

    memcpy(&a->draft.record + 1, &named->record + 1,
           directory_entity(a->entity)->n_keys * sizeof(const char *));
    if (a->entity == ENTITY_phone) {
        draft_phone_extra(&a->arena, &a->draft.phone, TEXT("lines"), TEXT(""), sentence);
        a->draft.phone.activation_code = a->draft.phone.activation_until = "";
    }
    if (a->entity == ENTITY_user)
        a->draft.user.digest_password = ""; /* it is bound to the name */
}

/* Reads the key, finds what is there, and prepares the draft. */
static void begin_operation(struct apply *a, const struct token *t)
{
    const struct directory_entity *e = directory_entity(t->entity);
    char key[DIRECTORY_KEY_MAX], buffer[DIRECTORY_KEY_MAX];
    const struct record *there, *base;
    union draft draft;

    finish_operation(a);
    a->open = true;
    a->failed = a->protocol_said = false;
    a->verb = t->kind;
    a->entity = t->entity;
    a->n_ops++;
    a->list = NULL;
    a->item = NULL;
    draft_init(&a->draft, t->entity);
    rules_key(a, t->entity, t->a, &a->draft);
    if (a->failed)
        return;
    text_copy(key, sizeof(key), record_key(&a->draft.record, buffer));
    base = there = directory_find(a->dir, t->entity, text_of(key));
    if (t->kind == TOKEN_COPY) {
        draft_init(&draft, t->entity);
        rules_key(a, t->entity, t->b, &draft);
        base = directory_find(a->dir, t->entity, record_key(&draft.record, buffer));
    }
    if (there && (t->kind == TOKEN_ADD || t->kind == TOKEN_COPY)) {
        apply_fault(a, e->fields[0].name, "there is a %s \"%s\" already", e->noun, key);
    } else if (!base && t->kind == TOKEN_COPY) {
        apply_fault_missing(a, t->entity, t->b, e->fields[0].name);
    } else if (!there && (t->kind == TOKEN_DELETE ||
                          (t->kind == TOKEN_SET && t->entity != ENTITY_parameter))) {
        apply_fault_missing(a, t->entity, text_of(key), e->fields[0].name);
    } else if (base) {
        a->base = record_ref(base); /* holds what the draft borrows */
        a->before = there;
        draft = a->draft;
        if (t->kind == TOKEN_REPLACE)
            return;
        draft_copy(&a->draft, base);
        if (t->kind == TOKEN_COPY)
            become_copy(a, &draft);
    }
}

/* A name typed in another case is stored as that of what it names. */
static void spell_reference(struct apply *a, void *to, const struct directory_field *f)
{
    const char **value = (const char **)((char *)to + f->offset);
    char buffer[DIRECTORY_KEY_MAX];
    const struct record *r = directory_find(a->dir, f->entity, text_of(*value));
    struct text key = r ? record_key(r, buffer) : TEXT("");

    if (r && !text_is(key, *value))
        *value = arena_text(&a->arena, key);
}

static void set_field(struct apply *a, const struct token *t)
{
    const struct directory_field *fields = directory_entity(a->entity)->fields, *f;
    char sentence[SENTENCE_MAX];
    void *to = &a->draft;
    int err;

    if (a->item) {
        fields = a->list->item->fields;
        to = a->item;
    }
    f = directory_field_find(fields, t->a);
    a->protocol_said |= f && !strcmp(f->name, "protocol");
    if (f && f->kind == FIELD_KEY && directory_entity(a->entity)->n_keys == 1) {
        rules_key(a, a->entity, t->b, &a->draft);
        return;
    }
    if (f)
        err = draft_value(&a->arena, to, f, t->b, sentence);
    else if (a->entity != ENTITY_phone || a->item)
        err = -ENOENT;
    else
        err = draft_phone_extra(&a->arena, &a->draft.phone, t->a, t->b, sentence);
    if (f && !err && f->kind == FIELD_REF)
        spell_reference(a, to, f);
    if (err == -ENOENT) {
        const struct directory_field *nearest = directory_field_nearest(fields, t->a);

        apply_fault(a, "", "a %s has no field \"%.*s\"%s%s%s",
                    a->item ? a->list->item->title : directory_entity(a->entity)->noun,
                    t->a.len > 40 ? 40 : (int)t->a.len, t->a.at, nearest ? ": did you mean " : "",
                    nearest ? nearest->name : "", nearest ? "?" : "");
    } else if (err < 0) {
        apply_fault(a,
                    f                                        ? f->name
                    : text_equal_nocase(t->a, TEXT("lines")) ? "lines"
                                                             : "speed_dials",
                    "%s", sentence);
    }
}

/* Two people at one record: the second one must see what the first one did. */
static void expect(struct apply *a, const struct token *t)
{
    uint64_t version;

    memcpy(&version, t->a.at, sizeof(version));
    if ((a->before ? a->before->version : 0) == version)
        return;
    a->stale = !a->n_faults;
    apply_fault(a, "", "it was changed meanwhile; look at it again");
}

static void begin_list(struct apply *a, const struct token *t)
{
    char sentence[SENTENCE_MAX];

    a->item = NULL;
    a->list = directory_field_find(directory_entity(a->entity)->fields, t->a);
    if (a->list && a->list->kind == FIELD_LIST)
        draft_list(&a->arena, &a->draft, a->list, TEXT(""), sentence);
    else
        apply_fault(a, "", "a %s has no list \"%.*s\"", directory_entity(a->entity)->noun,
                    t->a.len > 40 ? 40 : (int)t->a.len, t->a.at);
}

static void begin_item(struct apply *a)
{
    if (!a->list)
        apply_fault(a, "", "an entry without its list");
    else if (!(a->item = draft_item(&a->arena, &a->draft, a->list)) && !a->arena.bad)
        apply_fault(a, a->list->name, "%s has too many entries", a->list->name);
}

static void step(struct apply *a, const struct token *t)
{
    switch (t->kind) {
    case TOKEN_SOURCE:
        finish_operation(a);
        a->source = t->source;
        return;
    case TOKEN_EXPECT:
    case TOKEN_FIELD:
    case TOKEN_LIST:
    case TOKEN_ITEM:
        break;
    default:
        begin_operation(a, t);
        return;
    }
    if (!a->open || a->failed || a->no_memory || a->arena.bad)
        return;
    if (t->kind == TOKEN_EXPECT)
        expect(a, t);
    else if (t->kind == TOKEN_FIELD)
        set_field(a, t);
    else if (t->kind == TOKEN_LIST)
        begin_list(a, t);
    else
        begin_item(a);
}

void delta_done(struct delta *d)
{
    for (size_t i = 0; i < d->n; i++) {
        record_unref(d->rows[i].before);
        record_unref(d->rows[i].after);
    }
    free(d->rows);
    directory_unref(d->directory);
    *d = (struct delta){0};
}

int directory_apply(const struct directory *old, const struct change *c,
                    struct change_faults *faults, struct delta *ret, char *error, size_t size)
{
    struct delta delta = {0};
    struct apply a = {.delta = &delta, .faults = faults, .error = error, .error_size = size};
    struct text rest;
    struct token t;

    if (!c || c->bad || !(a.dir = directory_fork(old, directory_version(old) + 1)))
        goto no_memory;
    rest = (struct text){c->at, c->len};
    while (!a.no_memory && token_read(&rest, &t))
        step(&a, &t);
    finish_operation(&a);
    if (!a.n_faults)
        apply_check_references(&a);
    arena_done(&a.arena);
    if (a.no_memory)
        goto no_memory;
    if (a.n_faults) {
        delta_done(&delta);
        directory_unref(a.dir);
        return a.stale ? -ESTALE : -EINVAL;
    }
    delta.directory = delta.n ? a.dir : directory_ref(old);
    if (!delta.n)
        directory_unref(a.dir);
    *ret = delta;
    return 0;
no_memory:
    delta_done(&delta);
    directory_unref(a.dir);
    snprintf(error, size, "there is not enough memory for this");
    return -ENOMEM;
}

int directory_change(const struct directory **dir, const struct change *c, char *error, size_t size)
{
    struct delta delta;
    int err = directory_apply(*dir, c, NULL, &delta, error, size);

    if (err)
        return err;
    directory_unref(*dir);
    *dir = directory_ref(delta.directory);
    delta_done(&delta);
    return 0;
}
