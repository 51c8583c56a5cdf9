/* show.c - an answer of the server, shown to a person or a program. */
#include "cli/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/grow.h"
#include "base/unicode.h"

size_t terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");

    if (!isatty(STDOUT_FILENO))
        return 0;
    if (columns && atoi(columns) > 0)
        return (size_t)atoi(columns);
    return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

static void grow_value(struct grow *g, const json_t *value)
{
    const char *key;
    json_t *part;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_STRING:
        grow_text(g, (struct text){json_string_value(value), json_string_length(value)});
        break;
    case JSON_INTEGER:
        grow_format(g, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        grow_format(g, "%g", json_real_value(value));
        break;
    case JSON_TRUE:
        grow_string(g, "yes");
        break;
    case JSON_ARRAY:
        json_array_foreach(value, i, part)
        {
            grow_string(g, !i ? "" : json_is_object(part) ? "\n" : ", ");
            grow_value(g, part);
        }
        break;
    case JSON_OBJECT:
        i = 0;
        json_object_foreach((json_t *)value, key, part)
        {
            if (json_is_null(part) || (json_is_string(part) && !json_string_length(part)))
                continue;
            if (i++) /* the first says what it is */
                grow_format(g, ", %s ", key);
            grow_value(g, part);
        }
        break;
    default: /* null and false say nothing to people */
        break;
    }
}

char *show_value(const json_t *value)
{
    struct grow g = {0};

    grow_value(&g, value);
    return grow_take(&g);
}

/* "2026-11-21T04:12:07Z" as people of this place say it: "04:12:07" of today, else date and time.
 */
static bool local_time(const char *s, char to[static 32])
{
    time_t now = time(NULL), then;
    struct tm tm = {0}, today;
    char *end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);

    if (!end || *end)
        return false;
    then = timegm(&tm);
    localtime_r(&then, &tm);
    localtime_r(&now, &today);
    strftime(to, 32,
             tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday ? "%H:%M:%S"
                                                                        : "%Y-%m-%d %H:%M",
             &tm);
    return true;
}

static void put_cell(struct report *r, const json_t *value, enum report_shape shape)
{
    char *text, when[32];

    if (!value || json_is_null(value)) {
        report_null(r);
    } else if (json_is_string(value) && shape == REPORT_TABLE &&
               local_time(json_string_value(value), when)) {
        report_cell(r, REPORT_TEXT, text_of(when));
    } else if (json_is_string(value)) {
        report_cell(r, REPORT_TEXT,
                    (struct text){json_string_value(value), json_string_length(value)});
    } else if (json_is_integer(value)) {
        report_number(r, json_integer_value(value));
    } else if (json_is_boolean(value)) {
        report_flag(r, json_is_true(value));
    } else if ((text = shape == REPORT_JSON ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT)
                                            : show_value(value))) {
        report_cell(r,
                    json_is_real(value)    ? REPORT_NUMBER
                    : shape == REPORT_JSON ? REPORT_RAW
                                           : REPORT_TEXT,
                    text_of(text));
        free(text);
    }
}

static size_t column_index(const json_t *columns, struct text name)
{
    const json_t *column;
    size_t i;

    json_array_foreach(columns, i, column) if (text_is(name, json_string_value(column))) return i;
    return SIZE_MAX;
}

#define MAX_SHOWN 64

/* Which columns, in which order: the indices go to `chosen`. */
static int choose(const json_t *columns, const char *wanted, size_t chosen[MAX_SHOWN], size_t *n,
                  char *missing, size_t size)
{
    struct text rest = text_of(wanted);

    *n = 0;
    if (!wanted) {
        for (*n = 0; *n < json_array_size(columns) && *n < MAX_SHOWN; ++*n)
            chosen[*n] = *n;
        return 0;
    }
    while (rest.at && *n < MAX_SHOWN) {
        struct text name = text_split(&rest, ',');

        if ((chosen[*n] = column_index(columns, name)) == SIZE_MAX) {
            text_copy(missing, size, name);
            return -ENOENT;
        }
        ++*n;
    }
    return 0;
}

static struct report *rows_report(const json_t *columns, const json_t *rows, const size_t *chosen,
                                  size_t n, enum report_shape shape)
{
    struct report *r = report_new();
    const json_t *row;
    size_t i;

    for (size_t c = 0; r && c < n; c++)
        report_column(r, text_of(json_string_value(json_array_get(columns, chosen[c]))));
    json_array_foreach(rows, i, row) for (size_t c = 0; r && c < n; c++)
        put_cell(r, json_array_get(row, chosen[c]), shape);
    return r;
}

static struct report *record_report(const json_t *record, enum report_shape shape)
{
    struct report *r = report_new();
    const char *key;
    json_t *value;

    if (!r)
        return NULL;
    report_set_record(r);
    json_object_foreach((json_t *)record, key, value) report_column(r, text_of(key));
    json_object_foreach((json_t *)record, key, value) put_cell(r, value, shape);
    return r;
}

static void print_report(FILE *to, struct report *r, const struct show_options *o)
{
    char *text = r ? report_print(r, o->shape, o->width) : NULL;

    fputs(text ? text : "", to);
    free(text);
    report_free(r);
}

static int show_rows(FILE *to, const json_t *answer, const struct show_options *o, char *missing,
                     size_t size)
{
    const json_t *columns = json_object_get(answer, "columns"),
                 *rows = json_object_get(answer, "rows");
    size_t chosen[MAX_SHOWN], n;
    int err = choose(columns, o->columns, chosen, &n, missing, size);

    if (!err && (json_array_size(rows) || o->shape != REPORT_TABLE))
        print_report(to, rows_report(columns, rows, chosen, n, o->shape), o);
    return err;
}

/* Rows as objects, for a record that has lists inside. */
static json_t *rows_as_objects(const json_t *list)
{
    json_t *columns = json_object_get(list, "columns"), *all = json_array(), *row, *column;
    size_t i, c;

    json_array_foreach(json_object_get(list, "rows"), i, row)
    {
        json_t *object = json_object();

        json_array_foreach(columns, c, column)
            json_object_set(object, json_string_value(column), json_array_get(row, c));
        json_array_append_new(all, object);
    }
    return all;
}

/* All parts of the answer in one object. */
static void show_json(FILE *to, const json_t *answer)
{
    json_t *record = json_object_get(answer, "record"),
           *all = record ? json_deep_copy(record) : json_object();
    json_t *section;
    char *text;
    size_t i;

    json_array_foreach(json_object_get(answer, "sections"), i, section) json_object_set_new(
        all, json_string_value(json_object_get(section, "name")), rows_as_objects(section));
    if (json_object_get(answer, "text"))
        json_object_set(all, "text", json_object_get(answer, "text"));
    if (record && json_object_get(answer, "columns"))
        json_object_set_new(all, "rows", rows_as_objects(answer));
    if (json_array_size(json_object_get(answer, "notes")))
        json_object_set(all, "notes", json_object_get(answer, "notes"));
    text = json_dumps(all, JSON_INDENT(2));
    fprintf(to, "%s\n", text ? text : "{}");
    free(text);
    json_decref(all);
}

static void show_sections(FILE *to, const json_t *answer, const struct show_options *o)
{
    struct show_options all = *o;
    const json_t *section;
    size_t i;

    all.columns = NULL;
    json_array_foreach(json_object_get(answer, "sections"), i, section)
    {
        const char *title = json_string_value(json_object_get(section, "title"));

        if (!json_array_size(json_object_get(section, "rows")))
            continue;
        if (o->shape == REPORT_HTML)
            fprintf(to, "<h2>%s</h2>\n", title ? title : "");
        else
            fprintf(to, "\n%s\n", title ? title : "");
        show_rows(to, section, &all, NULL, 0);
    }
}

void show_line(FILE *to, const char *text)
{
    struct text rest = text_of(text);

    while (rest.len) {
        struct text before = rest;

        if (unicode_is_harmful(unicode_next(&rest)))
            fputc('?', to);
        else
            fwrite(before.at, 1, before.len - rest.len, to);
    }
    fputc('\n', to);
}

static void show_notes(FILE *to, const json_t *answer)
{
    const json_t *note;
    size_t i;

    if (json_array_size(json_object_get(answer, "notes")) && json_object_get(answer, "sections"))
        fputs("\n", to); /* not a row of the last table */
    json_array_foreach(json_object_get(answer, "notes"), i, note)
        show_line(to, json_string_value(note));
}

int show_answer(FILE *to, const json_t *answer, const struct show_options *o, char *missing,
                size_t size)
{
    const json_t *record = json_object_get(answer, "record"),
                 *text = json_object_get(answer, "text");
    int err = 0;

    if (o->shape == REPORT_JSON && (record || text || !json_object_get(answer, "columns"))) {
        show_json(to, answer);
        return 0;
    }
    if (text && o->shape == REPORT_TABLE)
        fputs(json_string_value(text), to);
    else if (record)
        print_report(to, record_report(record, o->shape), o);
    if (json_object_get(answer, "columns"))
        err = show_rows(to, answer, o, missing, size);
    show_sections(to, answer, o);
    show_notes(o->shape == REPORT_TABLE ? to : stderr, answer);
    return err;
}

int show_refusal(const json_t *answer, const struct show_options *options, int status,
                 const char *sentence)
{
    json_t *rows = json_object_get(answer, "rows"), *shown = json_object();

    if (json_array_size(rows)) {
        json_object_set(shown, "columns", json_object_get(answer, "columns"));
        json_object_set(shown, "rows", rows);
    }
    if (options->shape == REPORT_JSON) {
        json_object_set_new(shown, "error", json_string(sentence));
        json_object_set_new(shown, "status", json_integer(status));
        json_dumpf(shown, stdout, 0);
        putchar('\n');
    } else if (json_array_size(rows)) {
        show_answer(stdout, shown, options, NULL, 0);
        fflush(stdout);
    }
    json_decref(shown);
    fprintf(stderr, "dialtone: %s\n", sentence);
    return status;
}
