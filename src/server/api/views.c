/* views.c - lists by any column and pages by number, as a page with a scroll bar asks for them.
 *
 * What one request has found and sorted is kept: the next pages of the same list cost nothing. A
 * view is good as long as the directory is the same; one that looks at the state of phones, for a
 * moment. */
#include <stdio.h>
#include <stdlib.h>

#include "core/directory/walk.h"
#include "server/api/lists.h"
#include "server/api/order.h"

#define N_VIEWS   6
#define MOMENT_MS 2000
#define KEPT_MS   30000

struct view {
    char *asked; /* what it shows, as text; NULL: free */
    char *rest;  /* the same without what was searched for */
    char searched[64];
    const struct directory *directory;
    uint64_t made_ms, used_ms;
    bool live; /* looks at what is not in the directory */
    const void **rows;
    size_t n;
};

struct views {
    struct view rows[N_VIEWS];
};

struct views *views_new(void)
{
    return calloc(1, sizeof(struct views));
}

static void view_done(struct view *v)
{
    free(v->asked);
    free(v->rest);
    free(v->rows);
    directory_unref(v->directory);
    *v = (struct view){.asked = NULL};
}

void views_free(struct views *v)
{
    for (size_t i = 0; v && i < N_VIEWS; i++)
        view_done(&v->rows[i]);
    free(v);
}

void views_expire(struct admin *a)
{
    uint64_t now = uv_now(&a->thread->loop);

    for (size_t i = 0; i < N_VIEWS; i++)
        if (now - a->views->rows[i].used_ms > KEPT_MS)
            view_done(&a->views->rows[i]);
}

static bool is_good(const struct admin *a, const struct view *v)
{
    return v->directory == a->thread->directory &&
           (!v->live || uv_now(&a->thread->loop) - v->made_ms < MOMENT_MS);
}

/* The view that was asked for before, else the place of the one unused for longest. */
static struct view *place_of(struct views *views, const char *asked)
{
    struct view *oldest = &views->rows[0];

    for (size_t i = 0; i < N_VIEWS; i++) {
        struct view *v = &views->rows[i];

        if (v->asked && !strcmp(v->asked, asked))
            return v;
        if (v->used_ms < oldest->used_ms)
            oldest = v;
    }
    return oldest;
}

/* --- making one --- */

struct wanted {
    enum entity entity;
    const struct filters *filters;
    const struct column *columns;
    size_t n_columns;
    struct text search;
    struct column by;
    bool sorted, descending;
};

static bool is_live(const struct column *c)
{
    return !c->field;
}

static bool contains(struct admin *a, const struct wanted *w, const void *record)
{
    char text[COLUMN_TEXT];

    for (size_t i = 0; i < w->n_columns; i++)
        if (strcmp(w->columns[i].name, "since") != 0 && /* nobody searches for a moment */
            text_contains_nocase(column_text(a, &w->columns[i], record, text), w->search))
            return true;
    return !w->search.len;
}

struct filling {
    struct admin *a;
    const struct wanted *wanted;
    struct order *order;
};

static int look_at(void *context, const void *record)
{
    const struct filling *f = context;
    const struct wanted *w = f->wanted;
    char text[COLUMN_TEXT];

    if (!filters_pass(f->a, w->filters, record) || !contains(f->a, w, record))
        return 0;
    return order_add(f->order, record,
                     w->sorted ? column_text(f->a, &w->by, record, text) : TEXT(""));
}

static int fill(struct admin *a, const struct wanted *w, struct order *o)
{
    int err = directory_each(a->thread->directory, w->entity, look_at, &(struct filling){a, w, o});

    if (!err && w->sorted)
        order_sort(o, w->descending);
    return err;
}

/* While somebody types, what he has found already holds what he will find. */
static const struct view *wider_view(const struct admin *a, const struct wanted *w,
                                     const char *rest)
{
    const struct view *best = NULL;

    for (size_t i = 0; i < N_VIEWS; i++) {
        const struct view *v = &a->views->rows[i];

        if (v->asked && v->searched[0] && !strcmp(v->rest, rest) && is_good(a, v) &&
            text_contains_nocase(w->search, text_of(v->searched)) && (!best || v->n < best->n))
            best = v;
    }
    return best;
}

static int narrow(struct admin *a, const struct wanted *w, const struct view *wider, struct view *v)
{
    if (!(v->rows = malloc((wider->n + 1) * sizeof(*v->rows))))
        return -1;
    for (size_t i = 0; i < wider->n; i++)
        if (contains(a, w, wider->rows[i]))
            v->rows[v->n++] = wider->rows[i];
    v->directory = directory_ref(wider->directory);
    v->made_ms = wider->made_ms; /* what was left out then is no younger */
    v->live = wider->live;
    return 0;
}

static int view_make(struct admin *a, const struct wanted *w, struct view *v)
{
    struct order o = {.n = 0};
    int err = fill(a, w, &o);

    if (!err && !(v->rows = malloc((o.n + 1) * sizeof(*v->rows))))
        err = -1;
    for (size_t i = 0; !err && i < o.n; i++)
        v->rows[i] = o.rows[i].row;
    v->n = o.n;
    order_done(&o);
    v->directory = directory_ref(a->thread->directory);
    v->made_ms = uv_now(&a->thread->loop);
    v->live = w->sorted && is_live(&w->by);
    for (size_t i = 0; i < w->filters->n; i++)
        v->live = v->live || is_live(&w->filters->rows[i].column);
    for (size_t i = 0; w->search.len && i < w->n_columns; i++)
        v->live = v->live || is_live(&w->columns[i]);
    return err;
}

/* --- asking --- */

/* "-name": the other way round. False: there is no such column, and the refusal is out. */
static bool read_sort(struct admin *a, const struct call *c, struct wanted *w)
{
    struct text sort = text_of(call_option(c, "sort"));

    w->descending = text_starts(sort, "-");
    sort = text_skip(sort, w->descending);
    w->sorted = sort.len;
    if (!sort.len || column_find(w->entity, sort, &w->by))
        return true;
    admin_refuse(a, c->who, "A %s has no column \"%.*s\" to sort by.",
                 directory_entity(w->entity)->noun, TEXT_ARG(sort));
    return false;
}

/* What makes the difference between two lists, in any order of its words. */
static char *print_asked(const struct call *c, const char *search)
{
    json_t *asked = json_pack("{s:s, s:O, s:s, s:s, s:s}", "noun", c->noun, "fields", c->fields,
                              "search", search, "sort", call_option(c, "sort"), "columns",
                              *call_option(c, "search") ? call_option(c, "columns") : "");
    char *text = json_dumps(asked, JSON_COMPACT | JSON_SORT_KEYS);

    json_decref(asked);
    return text;
}

static int view_renew(struct admin *a, const struct call *c, const struct wanted *w, struct view *v,
                      char *take_asked)
{
    char *rest = print_asked(c, "");
    const struct view *wider = rest && w->search.len ? wider_view(a, w, rest) : NULL;
    struct view made = {.asked = take_asked, .rest = rest};
    int err = !rest ? -1 : wider ? narrow(a, w, wider, &made) : view_make(a, w, &made);

    if (w->search.len < sizeof(made.searched))
        text_copy(made.searched, sizeof(made.searched), w->search);
    view_done(v);
    *v = made;
    if (err)
        view_done(v);
    return err;
}

static struct view *view_of(struct admin *a, const struct call *c, const struct wanted *w)
{
    char *asked = print_asked(c, call_option(c, "search"));
    struct view *v = asked ? place_of(a->views, asked) : NULL;
    bool kept = v && v->asked && !strcmp(v->asked, asked) && is_good(a, v);

    if (!v)
        return NULL;
    if (kept)
        free(asked);
    else if (view_renew(a, c, w, v, asked))
        return NULL;
    v->used_ms = uv_now(&a->thread->loop);
    return v;
}

void views_list(struct admin *a, const struct call *c, enum entity e, const struct filters *f,
                const struct column *columns, size_t n_columns)
{
    struct wanted w = {.entity = e,
                       .filters = f,
                       .columns = columns,
                       .n_columns = n_columns,
                       .search = text_of(call_option(c, "search"))};
    size_t offset = strtoul(call_option(c, "offset"), NULL, 10);
    json_t *rows;
    struct view *v;

    if (!read_sort(a, c, &w))
        return;
    if (!(v = view_of(a, c, &w))) {
        admin_refuse_as(a, c->who, 503, "The server is short of memory.");
        return;
    }
    rows = json_array();
    for (size_t at = offset; at < v->n && json_array_size(rows) < call_limit(c); at++)
        json_array_append_new(rows, columns_row(a, columns, (int)n_columns, v->rows[at], c->full));
    admin_answer(a, c->who,
                 json_pack("{s:o, s:o, s:I, s:I}", "columns",
                           columns_names(columns, (int)n_columns), "rows", rows, "total",
                           (json_int_t)v->n, "offset", (json_int_t)offset));
}
