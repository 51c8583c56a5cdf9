/* load.c - a directory filled from where it was stored. */
#include "core/directory/load.h"

#include <errno.h>
#include <stdlib.h>

#include "core/directory/draft.h"
#include "core/directory/snapshot.h"

struct loader {
    struct directory *dir;
    struct arena arena;
    union draft draft;
    uint64_t version;
    void *to;            /* the draft, or the child that is being filled */
    union draft nowhere; /* takes the values of a child that found no room */
    bool bad;
};

struct loader *loader_new(void)
{
    struct loader *l = calloc(1, sizeof(*l));

    if (l && !(l->dir = directory_fork(NULL, 1))) {
        free(l);
        return NULL;
    }
    return l;
}

void loader_free(struct loader *l)
{
    if (!l)
        return;
    directory_unref(l->dir);
    arena_done(&l->arena);
    free(l);
}

void loader_begin(struct loader *l, enum entity e, uint64_t version)
{
    arena_reset(&l->arena);
    draft_init(&l->draft, e);
    l->version = version;
    l->to = &l->draft;
}

void loader_item(struct loader *l, const struct directory_field *list)
{
    void *item = draft_item(&l->arena, &l->draft, list);

    l->to = item ? item : &l->nowhere;
}

void loader_text(struct loader *l, const struct directory_field *f, struct text value)
{
    const char **to = (const char **)((char *)l->to + f->offset);

    *to = !value.len ? "" : text_is(value, f->text) ? f->text : arena_text(&l->arena, value);
}

void loader_number(struct loader *l, const struct directory_field *f, int64_t value)
{
    char *to = (char *)l->to + f->offset;

    if (f->kind == FIELD_FLAG)
        *(bool *)to = value != 0;
    else if (f->kind == FIELD_ENUM)
        *(uint8_t *)to = (uint8_t)value;
    else
        *(int32_t *)to = value < f->min ? f->min : value > f->max ? f->max : (int32_t)value;
}

int loader_end(struct loader *l)
{
    const struct record *r = l->arena.bad ? NULL : record_new(&l->draft, l->version);

    if (!r || directory_put(l->dir, r) < 0)
        l->bad = true;
    record_unref(r);
    return l->bad ? -ENOMEM : 0;
}

const struct directory *loader_finish(struct loader *take_loader, uint64_t version)
{
    const struct directory *dir = NULL;

    if (!take_loader->bad) {
        take_loader->dir->version = version;
        directory_read_settings(take_loader->dir);
        dir = directory_ref(take_loader->dir);
    }
    loader_free(take_loader);
    return dir;
}
