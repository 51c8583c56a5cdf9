#include "doctor/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/input.h"
#include "doctor/shelf.h"
#include "doctor/source.h"

#define OPEN_MAX_ITEMS                                                                             \
    64 /* open at once; of more that overlap the order is that of their beginnings */
#define LOOK_LINES 500 /* of a text for its first time */

/* A capture or a text. */
struct item {
    const char *path; /* of a capture by itself; NULL: it is a blob */
    const struct blob *blob;
    unsigned given; /* which of those that were added */
    uint8_t number;
    bool is_text;
    int64_t first_ns, next_ns; /* INT64_MIN: no line says */
    struct source *source;
    struct record record;
    struct trace *trace;
    uint64_t at; /* of a blob's text, read so far */
};

struct given {
    const char *path;
    bool understood;
};

struct feed {
    struct capture *capture;
    struct texts *texts;
    struct shelf *shelf;
    struct item *items;
    size_t n, size, n_waiting; /* waiting: the last ones, in order of their time */
    struct item *open[OPEN_MAX_ITEMS];
    size_t n_open;
    struct given *given;
    unsigned n_given;
    const char *names[FEED_FILES_MAX];
    unsigned n_names;
    void (*on_problem)(const char *name, const char *problem);
};

struct feed *feed_new(const struct capture_options *o, sight_fn on_sight, void *context,
                      void (*on_problem)(const char *name, const char *problem))
{
    struct feed *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->on_problem = on_problem;
    f->capture = capture_new(o, on_sight, context);
    f->texts = texts_new(on_sight, context, 0);
    f->shelf = shelf_new();
    if (f->capture && f->texts && f->shelf)
        return f;
    feed_free(f);
    return NULL;
}

static void close_item(struct item *it)
{
    source_close(it->source);
    text_close(it->trace);
    it->source = NULL;
    it->trace = NULL;
}

void feed_free(struct feed *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++)
        close_item(&f->items[i]);
    capture_free(f->capture);
    texts_free(f->texts);
    shelf_free(f->shelf);
    free(f->items);
    free(f->given);
    free(f);
}

const char *const *feed_names(const struct feed *f, unsigned *n)
{
    *n = f->n_names;
    return f->names;
}

int64_t feed_last_ns(const struct feed *f)
{
    const struct capture_totals *packets = capture_totals(f->capture);
    const struct text_totals *lines = texts_totals(f->texts);

    if (!packets->packets || !lines->sights)
        return packets->packets ? packets->last_ns : lines->sights ? lines->last_ns : INT64_MIN;
    return packets->last_ns > lines->last_ns ? packets->last_ns : lines->last_ns;
}

/* ---- what there is ---- */

static struct item *new_item(struct feed *f, const char *name)
{
    struct item *more;

    if (f->n == f->size) {
        size_t size = f->size ? f->size * 2 : 16;

        if (!(more = realloc(f->items, size * sizeof(*more))))
            return NULL;
        f->items = more;
        f->size = size;
    }
    if (f->n_names < FEED_FILES_MAX)
        f->names[f->n_names++] = name;
    f->items[f->n] = (struct item){.given = f->n_given - 1, .number = (uint8_t)(f->n_names - 1)};
    return &f->items[f->n++];
}

static int blob_source(const struct blob *b, struct source **ret)
{
    struct input *in;
    int err = input_open_part(b->fd, b->from, b->len, &in);

    if (err < 0)
        return err;
    if ((err = source_of(in, ret)) < 0)
        input_close(in);
    return err;
}

static ssize_t read_blob(void *context, void *to, size_t size)
{
    struct item *it = context;
    size_t left = it->blob->len - it->at < size ? (size_t)(it->blob->len - it->at) : size;
    ssize_t n = pread(it->blob->fd, to, left, (off_t)(it->blob->from + it->at));

    it->at += n > 0 ? (uint64_t)n : 0;
    return n;
}

static int64_t first_of(struct source *s, struct record *ret)
{
    return source_next(s, ret) ? ret->time_ns : INT64_MIN;
}

static void no_sight(void *context, const struct sight *s)
{
}

/* When a text begins, as far as its first lines tell. */
static int64_t begin_of_text(const struct blob *b)
{
    struct item look = {.blob = b};
    struct texts *alone = texts_new(no_sight, NULL, 0);
    struct trace *t = alone ? text_open(alone, 0, read_blob, &look) : NULL;
    int64_t ns = INT64_MIN;

    for (int i = 0; t && i < LOOK_LINES && ns == INT64_MIN && text_next(t, &ns); i++)
        text_step(t);
    text_close(t);
    texts_free(alone);
    return ns;
}

static bool looks_like_text(const struct blob *b)
{
    uint8_t first[512];
    ssize_t n =
        pread(b->fd, first, b->len < sizeof(first) ? b->len : sizeof(first), (off_t)b->from);

    return n > 0 && shelf_looks_like_text(first, (size_t)n);
}

static int add_blob(struct feed *f, const struct blob *b)
{
    struct record first;
    struct source *s = NULL;
    struct item *it;

    if (blob_source(b, &s) < 0 && !looks_like_text(b))
        return 0;
    if (!(it = new_item(f, b->name))) {
        source_close(s);
        return -ENOMEM;
    }
    it->blob = b;
    it->is_text = !s;
    it->first_ns = s ? first_of(s, &first) : begin_of_text(b);
    source_close(s);
    return 0;
}

static int add_blobs(struct feed *f, size_t first, const char *path)
{
    size_t items = f->n;
    int err = 0;

    for (size_t i = first; i < shelf_count(f->shelf) && !err; i++)
        err = add_blob(f, shelf_blob(f->shelf, i));
    if (shelf_problem(f->shelf) && f->on_problem)
        f->on_problem(path, shelf_problem(f->shelf));
    return err ? err : f->n > items ? 0 : -EBADMSG;
}

static int add_source(struct feed *f, struct source *s, const char *path, bool again)
{
    struct item *it = new_item(f, path);

    if (!it) {
        source_close(s);
        return -ENOMEM;
    }
    it->path = path;
    it->first_ns = it->next_ns = first_of(s, &it->record);
    it->source = s;
    if (again)
        close_item(it);
    return 0;
}

const char *feed_trouble(int err)
{
    switch (-err) {
    case EBADMSG:
        return "neither a capture (pcap, pcapng) nor a trace or log that is known; docs/doctor.md "
               "lists what is read";
    case ENODATA:
        return "the file is empty: nothing was captured, or it is not written yet";
    case EISDIR:
        return "a folder: give the files that are in it";
    case EACCES:
        return "permission denied: captures often belong to root; read it as root, or give it to "
               "yourself (chown)";
    case ENOENT:
        return "there is no such file";
    default:
        return strerror(-err);
    }
}

int feed_add(struct feed *f, const char *path)
{
    struct given *more = realloc(f->given, (f->n_given + 1) * sizeof(*more));
    size_t before = shelf_count(f->shelf);
    struct source *source;
    struct input *in;
    struct stat st;
    bool again = strcmp(path, "-") && stat(path, &st) == 0 && S_ISREG(st.st_mode);
    int err;

    if (!more)
        return -ENOMEM;
    f->given = more;
    f->given[f->n_given++] = (struct given){.path = path};
    if (again && !st.st_size)
        return -ENODATA;
    if ((err = input_open(path, &in)) < 0)
        return err;
    if ((err = source_of(in, &source)) == 0)
        return add_source(f, source, path, again);
    if (err == -EBADMSG)
        err = again ? shelf_add(f->shelf, path) : shelf_take(f->shelf, in);
    input_close(in);
    return err ? err : add_blobs(f, before, path);
}

size_t feed_count(const struct feed *f)
{
    return f->n;
}

static int open_item(struct item *it)
{
    int err;

    if (it->is_text || it->source)
        return 0;
    err = it->path ? source_open(it->path, &it->source) : blob_source(it->blob, &it->source);
    it->next_ns = err ? 0 : first_of(it->source, &it->record);
    return err;
}

int feed_each(struct feed *f, int (*on_item)(void *context, const struct feed_item *it),
              void *context)
{
    int err = 0;

    for (size_t i = 0; i < f->n && !err; i++) {
        struct item *it = &f->items[i];

        if ((err = open_item(it)))
            break;
        err = on_item(context, &(struct feed_item){it->path ? it->path : it->blob->name, it->source,
                                                   it->next_ns != INT64_MIN ? &it->record : NULL,
                                                   it->is_text ? read_blob : NULL, it});
        close_item(it);
    }
    return err;
}

/* ---- in the order of time ---- */

static int by_time(const void *x, const void *y)
{
    const struct item *a = x, *b = y;

    return a->first_ns != b->first_ns ? (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns)
                                      : (a > b) - (a < b);
}

static void tell_problem(struct feed *f, const struct item *it, const char *problem)
{
    if (f->on_problem && problem && *problem)
        f->on_problem(it->path ? it->path : it->blob->name, problem);
}

static void finish(struct feed *f, struct item *it)
{
    if (it->source) {
        capture_note_source(f->capture, it->source);
        if (source_problem(it->source))
            tell_problem(f, it, capture_totals(f->capture)->problem);
    }
    close_item(it);
    for (size_t i = 0; i < f->n_open; i++)
        if (f->open[i] == it)
            f->open[i] = f->open[--f->n_open];
}

static void begin(struct feed *f, struct item *it)
{
    int err = 0;

    it->next_ns = it->first_ns;
    f->open[f->n_open++] = it;
    if (it->is_text) {
        it->trace = text_open(f->texts, it->number, read_blob, it);
        err = it->trace ? 0 : -ENOMEM;
    } else {
        err = open_item(it);
        f->given[it->given].understood = true;
    }
    if (err)
        tell_problem(f, it, strerror(-err));
    if (err || (it->source && it->next_ns == INT64_MIN))
        finish(f, it);
}

/* Its packets up to `until`; false: it is over. */
static bool read_packets(struct feed *f, struct item *it, int64_t until)
{
    capture_name(f->capture, it->number);
    do {
        capture_packet(f->capture, &it->record, source_number(it->source));
        if (!source_next(it->source, &it->record))
            return false;
        it->next_ns = it->record.time_ns;
    } while (it->next_ns <= until);
    return true;
}

static bool read_lines(struct feed *f, struct item *it, int64_t until)
{
    uint64_t before = texts_totals(f->texts)->understood;
    bool more;

    do
        more = text_step(it->trace);
    while (more && (until == INT64_MAX ||
                    ((more = text_next(it->trace, &it->next_ns)) && it->next_ns <= until)));
    if (!more)
        text_step(it->trace);
    f->given[it->given].understood |= texts_totals(f->texts)->understood > before;
    return more;
}

static struct item *earliest(const struct feed *f, int64_t *until)
{
    struct item *first = f->n_open ? f->open[0] : NULL;

    for (size_t i = 1; i < f->n_open; i++)
        if (f->open[i]->next_ns < first->next_ns)
            first = f->open[i];
    *until = f->n_waiting ? f->items[f->n - f->n_waiting].first_ns : INT64_MAX;
    for (size_t i = 0; i < f->n_open; i++)
        if (f->open[i] != first && f->open[i]->next_ns < *until)
            *until = f->open[i]->next_ns;
    return first;
}

int feed_run(struct feed *f, const char **bad)
{
    struct item *it;
    int64_t until;

    qsort(f->items, f->n, sizeof(*f->items), by_time);
    f->n_waiting = f->n;
    while ((it = earliest(f, &until)) || f->n_waiting) {
        if (f->n_waiting && f->n_open < OPEN_MAX_ITEMS &&
            (!it || f->items[f->n - f->n_waiting].first_ns <= it->next_ns))
            begin(f, &f->items[f->n - f->n_waiting--]);
        else if (!(it->is_text ? read_lines : read_packets)(f, it, until))
            finish(f, it);
    }
    capture_end(f->capture);
    for (unsigned i = 0; i < f->n_given; i++)
        if (!f->given[i].understood) {
            *bad = f->given[i].path;
            return -EBADMSG;
        }
    return 0;
}
