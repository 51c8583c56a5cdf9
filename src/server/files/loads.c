/* loads.c - firmware in the static tree: what is there, what is missing, who wants it, and how
 * it gets there. */
#include "server/files/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "core/counters.h"
#include "io/unpack.h"
#include "provision/loads.h"

#define LOADS_MAX        512   /* told in one list */
#define TEXT_MAX         65536 /* of a .loads file; real ones have under a thousand bytes */
#define CHECK_MS         3000  /* after a change, when others have followed */
#define IMPORT_MAX       (4ull << 30)
#define IMPORT_FILES_MAX 2000

/* --- who wants what --- */

struct wanted {
    const char *load; /* of the snapshot */
    size_t phones, defaults;
};

struct wanted_list {
    struct wanted rows[LOADS_MAX];
    size_t n;
};

static struct wanted *want(struct wanted_list *l, const char *load)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->rows[i].load, load) == 0)
            return &l->rows[i];
    }
    if (!*load || l->n == LOADS_MAX)
        return NULL;
    l->rows[l->n] = (struct wanted){.load = load};
    return &l->rows[l->n++];
}

/* Phones without a load of their own want that of their model: looked up once a model. */
struct model_loads {
    struct {
        int32_t model;
        uint8_t protocol;
        const char *load;
    } rows[64];
    size_t n;
};

static const char *load_of_model(const struct directory *dir, struct model_loads *m,
                                 const struct phone *p)
{
    const char *load;

    for (size_t i = 0; i < m->n; i++) {
        if (m->rows[i].model == p->model && m->rows[i].protocol == p->protocol)
            return m->rows[i].load;
    }
    load = phone_file_load(dir, p);
    if (m->n < sizeof(m->rows) / sizeof(m->rows[0])) {
        m->rows[m->n].model = p->model;
        m->rows[m->n].protocol = p->protocol;
        m->rows[m->n++].load = load;
    }
    return load;
}

static void list_wanted(const struct directory *dir, struct wanted_list *l)
{
    struct model_loads models_seen = {.n = 0};
    const struct defaults *d = NULL;
    const struct phone *p = NULL;
    struct wanted *w;

    while ((d = directory_next(dir, ENTITY_defaults, text_of(d ? d->name : "")))) {
        if ((w = want(l, d->load)))
            w->defaults++;
    }
    while ((p = directory_next(dir, ENTITY_phone, text_of(p ? p->name : "")))) {
        if ((w = want(l, *p->load ? p->load : load_of_model(dir, &models_seen, p))))
            w->phones++;
    }
}

/* --- what is there --- */

static void lower_case(const char *s, char to[static FILE_NAME_MAX + 1])
{
    size_t n = 0;

    for (; s[n] && n < FILE_NAME_MAX; n++)
        to[n] = s[n] >= 'A' && s[n] <= 'Z' ? (char)(s[n] - 'A' + 'a') : s[n];
    to[n] = '\0';
}

static bool find_part(void *context, const char *name, uint64_t *size)
{
    struct files *f = context;
    char lower[FILE_NAME_MAX + 1];
    struct content *c;

    lower_case(name, lower);
    if (!f->tree || file_tree_get(f->tree, lower, name, &c) != 0)
        return false;
    *size = c->size;
    content_unref(c);
    return true;
}

static bool has_loads_file(struct files *f, const char *load)
{
    char file[LOAD_NAME_MAX + 8];
    uint64_t size;

    snprintf(file, sizeof(file), "%s.loads", load);
    return find_part(f, file, &size);
}

/* The load that a file of the tree stands for; false when it is none, or only a part. */
static bool load_of_file(struct files *f, const char *file, struct load_info *l)
{
    char name[LOAD_NAME_MAX + 1], lower[FILE_NAME_MAX + 1];
    struct content *c = NULL;
    const uint8_t *bytes;
    size_t n;

    if (!load_name_of(file, name))
        return false;
    lower_case(file, lower);
    if (!text_ends(text_of(lower), ".loads") && has_loads_file(f, name))
        return false;
    if (file_tree_get(f->tree, lower, file, &c) != 0)
        return false;
    n = c->size < TEXT_MAX ? (size_t)c->size : TEXT_MAX;
    bytes = content_read(c, 0, n < 16384 ? n : 16384);
    load_read(file, bytes, bytes ? (n < 16384 ? n : 16384) : 0, l);
    load_look(l, find_part, f);
    content_unref(c);
    return true;
}

/* --- list and check --- */

static void missing_names(const struct load_info *l, char *to, size_t size)
{
    size_t n = 0;

    to[0] = '\0';
    for (size_t i = 0; i < l->n_parts && n < size; i++) {
        if (!l->parts[i].present)
            n += (size_t)snprintf(to + n, size - n, "%s%s", n ? ", " : "", l->parts[i].name);
    }
}

static bool is_searched(const char *search, const char *name, const char *models_text)
{
    return !*search || text_contains_nocase(text_of(name), text_of(search)) ||
           text_contains_nocase(text_of(models_text), text_of(search));
}

static void add_row(json_t *rows, const char *search, const char *name, const struct load_info *l,
                    const struct wanted *w)
{
    char fits[400], missing[600];
    const char *advice = load_advice(name);

    load_models(name, fits, sizeof(fits));
    if (!is_searched(search, name, fits))
        return;
    if (l)
        missing_names(l, missing, sizeof(missing));
    else
        snprintf(missing, sizeof(missing), "all of it");
    json_array_append_new(rows, json_pack("[s,s,I,s,I,s]", name, fits,
                                          (json_int_t)(l ? l->n_parts : 0), missing,
                                          (json_int_t)(w ? w->phones : 0), advice ? advice : ""));
}

static json_t *list_loads(struct files *f, const char *search)
{
    struct wanted_list *wanted = calloc(1, sizeof(*wanted));
    bool found[LOADS_MAX] = {false};
    json_t *rows = json_array();
    struct file_tree_file file;
    char after[FILE_NAME_MAX + 1];
    struct load_info l;

    if (!wanted)
        return rows;
    list_wanted(f->thread->directory, wanted);
    for (bool more = f->tree && file_tree_next(f->tree, NULL, &file); more;
         more = file_tree_next(f->tree, after, &file)) {
        const struct wanted *w = NULL;

        lower_case(file.path, after);
        if (!load_of_file(f, file.path, &l))
            continue;
        for (size_t i = 0; i < wanted->n; i++) {
            if (text_equal_nocase(text_of(wanted->rows[i].load), text_of(l.name))) {
                found[i] = true;
                w = &wanted->rows[i];
            }
        }
        add_row(rows, search, l.name, &l, w);
    }
    for (size_t i = 0; i < wanted->n; i++) {
        if (!found[i])
            add_row(rows, search, wanted->rows[i].load, NULL, &wanted->rows[i]);
    }
    free(wanted);
    return rows;
}

void file_loads_list(struct files *f, uint64_t token, const json_t *arguments)
{
    const char *search = json_string_value(json_object_get(arguments, "search"));
    json_t *rows = list_loads(f, search ? search : "");

    server_reply(f->server, token, 0,
                 json_pack("{s:[s,s,s,s,s,s],s:o,s:I}", "columns", "name", "models", "parts",
                           "missing", "wanted_by", "advice", "rows", rows, "total",
                           (json_int_t)json_array_size(rows)));
}

static bool find_load(struct files *f, const char *name, struct load_info *l)
{
    static const char *const endings[] = {"", ".loads", ".bin", ".sbin", ".zup"};
    char file[LOAD_NAME_MAX + 16];
    uint64_t size;

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(file, sizeof(file), "%.*s%s", LOAD_NAME_MAX, name, endings[i]);
        if (find_part(f, file, &size) && load_of_file(f, file, l))
            return true;
    }
    return false;
}

/* --- how many fetch one at once --- */

static bool is_part(struct files *f, const char *load, const char *file)
{
    struct load_info l;

    if (!find_load(f, load, &l))
        return false;
    if (text_equal_nocase(text_of(l.file), text_of(file)))
        return true;
    for (size_t i = 0; i < l.n_parts; i++)
        if (text_equal_nocase(text_of(l.parts[i].name), text_of(file)))
            return true;
    return false;
}

/* The load with a limit that a file belongs to, or NULL. */
static const struct load *limited_load(struct files *f, const char *file)
{
    const struct directory *dir = f->thread->directory;

    for (const struct load *l = directory_next(dir, ENTITY_load, TEXT("")); l;
         l = directory_next(dir, ENTITY_load, text_of(l->name)))
        if (l->max_downloads && is_part(f, l->name, file))
            return l;
    return NULL;
}

bool file_loads_begin(struct files *f, const struct file_name *name, struct ip phone)
{
    const struct load *l = load_is_firmware(name->path) ? limited_load(f, name->path) : NULL;
    struct device_name device = file_guard_owner(f->guard, phone);
    const struct phone *p = directory_phone(f->thread->directory, text_of(device.s));

    if (!l || downloads_begin(f->downloads, l->name, p ? p->pool : "", phone,
                              (size_t)l->max_downloads, uv_now(&f->thread->loop)))
        return true;
    count(COUNT_FILE_LOADS_DEFERRED);
    return false;
}

void file_loads_ended(struct files *f, const struct file_name *name, struct ip phone)
{
    if (load_is_firmware(name->path))
        downloads_ended(f->downloads, phone, uv_now(&f->thread->loop));
}

void file_loads_check(struct files *f, uint64_t token, const json_t *arguments)
{
    const char *name = json_string_value(json_object_get(arguments, "name")), *advice;
    json_t *rows, *notes = json_array();
    struct load_info l;

    if (!name || !find_load(f, name, &l)) {
        server_refuse_as(f->server, token, 404, "there is no load %s in %s", name ? name : "",
                         f->tree ? file_tree_path(f->tree) : "the folder of files");
        json_decref(notes);
        return;
    }
    rows = json_array();
    for (size_t i = 0; i < l.n_parts; i++)
        json_array_append_new(rows,
                              json_pack("[s,I,s]", l.parts[i].name, (json_int_t)l.parts[i].size,
                                        l.parts[i].present ? "present" : "missing"));
    if (l.n_missing)
        json_array_append_new(
            notes, json_sprintf("%zu of %zu parts are missing: phones would try again and again.",
                                l.n_missing, l.n_parts));
    if ((advice = load_advice(l.name)))
        json_array_append_new(notes, json_string(advice));
    server_reply(f->server, token, 0,
                 json_pack("{s:[s,s,s],s:o,s:o}", "columns", "file", "size", "state", "rows", rows,
                           "notes", notes));
}

/* Told before any phone asks: loads that the directory names and that are not complete. Once each,
 * until something about them changes. */
static void warn(struct files *f)
{
    json_t *rows = list_loads(f, ""), *row;
    uint64_t told = 0;
    size_t i;

    for (int round = 0; round < 2; round++) {
        json_array_foreach(rows, i, row)
        {
            const char *name = json_string_value(json_array_get(row, 0));
            const char *missing = json_string_value(json_array_get(row, 3));

            if (!*missing)
                continue;
            if (round == 0)
                told += hash_bytes(name, strlen(name)) ^ hash_bytes(missing, strlen(missing));
            else
                log_warning("files", "load %s is not complete, %lld phones want it: missing %s",
                            name, (long long)json_integer_value(json_array_get(row, 4)), missing);
        }
        if (told == f->loads_told)
            break;
    }
    f->loads_told = told;
    json_decref(rows);
}

static void gauge(enum counter c, uint64_t value)
{
    count_by(c, (int64_t)(value - counter_read(&counter_values[c])));
}

static void measure(struct files *f)
{
    struct file_tree_state s = {0};

    if (f->tree)
        s = file_tree_state(f->tree);
    gauge(COUNT_FILE_CACHE_FILES, s.cached);
    gauge(COUNT_FILE_CACHE_BYTES, s.cached_bytes);
    gauge(COUNT_FILE_CONFIG_CACHED, file_cache_count(f->cache));
}

static void on_due(uv_timer_t *timer)
{
    warn(timer->data);
    measure(timer->data);
    files_tell_state(timer->data, 0);
}

void file_loads_check_soon(struct files *f)
{
    if (!f->closing && !uv_is_active((uv_handle_t *)&f->check))
        uv_timer_start(&f->check, on_due, CHECK_MS, 0);
}

/* --- import --- */

struct import {
    uv_work_t work;
    struct files *files;
    uint64_t token;
    char *archive, *folder;
    struct unpack_file *rows;
    size_t n;
    int err;
    char error[300];
};

static void import_free(struct import *i)
{
    free(i->rows);
    free(i->archive);
    free(i->folder);
    free(i);
}

static void in_worker(uv_work_t *work)
{
    struct import *i = work->data;
    struct unpack_options o = {
        .archive = i->archive,
        .folder = i->folder,
        .wants = load_is_firmware,
        .max_bytes = IMPORT_MAX,
        .max_files = IMPORT_FILES_MAX,
    };

    i->err = unpack(&o, &i->rows, &i->n, i->error, sizeof(i->error));
}

static void reply_imported(struct files *f, const struct import *i)
{
    json_t *rows = json_array(), *notes = json_array();
    char name[LOAD_NAME_MAX + 1], fits[400];

    for (size_t k = 0; k < i->n; k++) {
        fits[0] = '\0';
        if (load_name_of(i->rows[k].name, name))
            load_models(name, fits, sizeof(fits));
        json_array_append_new(rows,
                              json_pack("[s,I,s,s]", i->rows[k].name, (json_int_t)i->rows[k].size,
                                        fits, i->rows[k].replaced ? "replaced" : "new"));
    }
    json_array_append_new(
        notes,
        json_sprintf("In %s; served as soon as they have been at rest for a second.", i->folder));
    server_reply(f->server, i->token, 0,
                 json_pack("{s:[s,s,s,s],s:o,s:o}", "columns", "file", "size", "fits", "state",
                           "rows", rows, "notes", notes));
}

static void on_imported(uv_work_t *work, int status)
{
    struct import *i = work->data;
    struct files *f = i->files;

    if (status || i->err)
        server_refuse_as(f->server, i->token, i->err == -ENOSPC ? 507 : 422, "%s",
                         status ? "stopped" : i->error);
    else if (!i->n)
        server_refuse(f->server, i->token, "The archive holds no firmware.");
    else
        reply_imported(f, i);
    if (f->tree)
        file_tree_rescan(f->tree);
    import_free(i);
    files_release(f);
}

void file_loads_import(struct files *f, uint64_t token, const json_t *arguments)
{
    const char *path = json_string_value(json_object_get(arguments, "path"));
    struct import *i;

    if (!path || !f->tree) {
        server_refuse(f->server, token,
                      path ? "the folder of files cannot be read" : "no archive is named");
        return;
    }
    if (!(i = calloc(1, sizeof(*i))))
        return;
    i->work.data = i;
    i->files = f;
    i->token = token;
    i->archive = strdup(path);
    i->folder = strdup(file_tree_path(f->tree));
    if (!i->archive || !i->folder ||
        uv_queue_work(&f->thread->loop, &i->work, in_worker, on_imported) < 0) {
        server_refuse(f->server, token, "no memory");
        import_free(i);
        return;
    }
    f->holders++;
}
