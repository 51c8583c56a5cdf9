/* json_all.c - everything as JSON: one object, an array per noun, a record a line. Records are read
 * one at a time, so that a file of 100 000 phones costs no more memory than itself. */
#include <errno.h>
#include <stdio.h>

#include "base/grow.h"
#include "core/directory/fields.h"
#include "core/models.h"
#include "server/bulk/bulk.h"

struct reader {
    const char *at, *end;
    uint32_t line;
    struct change *to;
    struct change_faults *faults;
    bool complete;
    char *error;
    size_t size;
};

static void skip_blanks(struct reader *r)
{
    for (; r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at; r->at++)
        r->line += *r->at == '\n';
}

static int fail(struct reader *r, const char *what)
{
    snprintf(r->error, r->size, "line %u: %s", r->line, what);
    return -EINVAL;
}

/* The next character that is no blank, if it is this one. */
static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* The JSON value that comes next; NULL with a sentence. */
static json_t *take_value(struct reader *r)
{
    json_error_t why;
    json_t *value;

    skip_blanks(r);
    value = json_loadb(r->at, (size_t)(r->end - r->at),
                       JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &why);
    if (!value) {
        r->line += (uint32_t)(why.line > 0 ? why.line - 1 : 0);
        fail(r, why.text);
        return NULL;
    }
    for (int i = 0; i < why.position && r->at < r->end; i++, r->at++)
        r->line += *r->at == '\n';
    return value;
}

static void fault(struct reader *r, uint32_t line, const char *format, const char *name)
{
    struct change_faults *f = r->faults;

    f->total++;
    if (f->n == f->max)
        return;
    f->rows[f->n].source = line;
    f->rows[f->n].field = "";
    snprintf(f->rows[f->n++].text, sizeof(f->rows[0].text), format, name);
}

/* A number in `model` is the device type, whatever products are called. */
static struct text model_text(const json_t *value, char scratch[static 24])
{
    const struct model *m = model_find((uint32_t)json_integer_value(value));

    if (m)
        return text_of(m->name);
    snprintf(scratch, 24, "%lld", (long long)json_integer_value(value));
    return text_of(scratch);
}

/* The text of a value that is no list; at == NULL for what cannot be a field. */
static struct text value_text(const json_t *value, const char *name, char scratch[static 24])
{
    if (json_is_string(value))
        return (struct text){json_string_value(value), json_string_length(value)};
    if (json_is_boolean(value))
        return text_of(json_is_true(value) ? "true" : "false");
    if (json_is_null(value))
        return TEXT("");
    if (!json_is_integer(value))
        return (struct text){NULL, 0};
    if (!strcmp(name, "model"))
        return model_text(value, scratch);
    snprintf(scratch, 24, "%lld", (long long)json_integer_value(value));
    return text_of(scratch);
}

static void read_field(struct reader *r, uint32_t line, const char *name, const json_t *value)
{
    char scratch[24];
    struct text t = value_text(value, name, scratch);

    if (t.at)
        change_field(r->to, text_of(name), t);
    else
        fault(r, line, "%s has a value of the wrong kind", name);
}

static void read_list(struct reader *r, uint32_t line, const char *name, const json_t *list)
{
    const char *field;
    json_t *item, *value;
    size_t i;

    change_list(r->to, text_of(name));
    json_array_foreach(list, i, item)
    {
        if (!json_is_object(item))
            fault(r, line, "%s holds something that is no object", name);
        change_item(r->to);
        json_object_foreach(item, field, value) read_field(r, line, field, value);
    }
}

static bool read_key(const struct directory_entity *e, const json_t *record, char *to, size_t size)
{
    char scratch[24];
    struct text first = value_text(json_object_get(record, e->fields[0].name), "", scratch),
                second = TEXT("");

    if (e->n_keys > 1 && json_is_string(json_object_get(record, e->fields[1].name)))
        second = text_of(json_string_value(json_object_get(record, e->fields[1].name)));
    if (!first.at || !first.len)
        return false;
    return snprintf(to, size, "%.*s%s%.*s", TEXT_ARG(first), second.len ? "/" : "",
                    TEXT_ARG(second)) < (int)size;
}

static void read_record(struct reader *r, enum entity id, uint32_t line, const json_t *record)
{
    const struct directory_entity *e = directory_entity(id);
    char key[600];
    const char *name;
    json_t *value;

    if (!json_is_object(record) || !read_key(e, record, key, sizeof(key))) {
        fault(r, line, "a %s without a name", e->noun);
        return;
    }
    change_source(r->to, line);
    if (r->complete)
        change_replace(r->to, id, text_of(key));
    else
        change_put(r->to, id, text_of(key));
    json_object_foreach((json_t *)record, name, value)
    {
        const struct directory_field *f = directory_field_find(e->fields, text_of(name));

        if (f && f->kind == FIELD_KEY)
            continue;
        if (json_is_array(value))
            read_list(r, line, name, value);
        else
            read_field(r, line, name, value);
    }
}

static int read_array(struct reader *r, enum entity e)
{
    if (!take(r, '['))
        return fail(r, "a list of records, [ … ], belongs here");
    if (take(r, ']'))
        return 0;
    do {
        uint32_t line;
        json_t *record;

        skip_blanks(r);
        line = r->line;
        if (!(record = take_value(r)))
            return -EINVAL;
        read_record(r, e, line, record);
        json_decref(record);
    } while (take(r, ','));
    return take(r, ']') ? 0 : fail(r, "',' or ']' belongs here");
}

static int read_member(struct reader *r)
{
    char what[100];
    json_t *name, *value;
    int e;

    if (!(name = take_value(r)))
        return -EINVAL;
    e = directory_entity_find(text_of(json_string_value(name)));
    snprintf(what, sizeof(what), "there is nothing called \"%.40s\"",
             json_is_string(name) ? json_string_value(name) : "?");
    if (!json_is_string(name) || !take(r, ':')) {
        json_decref(name);
        return fail(r, "\"noun\": [ … ] belongs here");
    }
    if (e >= 0) {
        json_decref(name);
        return read_array(r, (enum entity)e);
    }
    if (strcmp(json_string_value(name), "complete") != 0 &&
        strcmp(json_string_value(name), "dialtone") != 0) {
        json_decref(name);
        return fail(r, what);
    }
    if ((value = take_value(r)) && !strcmp(json_string_value(name), "complete"))
        r->complete = json_is_true(value);
    json_decref(name);
    json_decref(value);
    return value ? 0 : -EINVAL;
}

int bulk_json_read(const char *bytes, size_t len, struct change *to, struct change_faults *faults,
                   char *error, size_t size)
{
    struct reader r = {bytes, bytes + len, 1, to, faults, false, error, size};
    int err;

    if (!take(&r, '{'))
        return fail(&r, "an object, { … }, belongs here");
    if (take(&r, '}'))
        return 0;
    do {
        if ((err = read_member(&r)))
            return err;
    } while (take(&r, ','));
    if (!take(&r, '}'))
        return fail(&r, "',' or '}' belongs here");
    skip_blanks(&r);
    return r.at == r.end ? 0 : fail(&r, "text after the end");
}

static void write_string(struct grow *to, struct text t)
{
    size_t from = 0;

    grow_string(to, "\"");
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];

        if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f)
            continue;
        grow_text(to, (struct text){t.at + from, i - from});
        grow_format(to, "\\u%04x", c);
        from = i + 1;
    }
    grow_text(to, (struct text){t.at + from, t.len - from});
    grow_string(to, "\"");
}

static void write_fields(struct grow *to, const void *record, const struct directory_field *fields,
                         bool secrets);

static void write_list(struct grow *to, const void *record, const struct directory_field *f,
                       bool secrets)
{
    grow_string(to, "[");
    for (size_t i = 0; i < directory_list_count(record, f); i++) {
        grow_string(to, i ? ", {" : "{");
        write_fields(to, directory_child(record, f, i), f->item->fields, secrets);
        grow_string(to, "}");
    }
    grow_string(to, "]");
}

/* Keys, the model, and what differs from the default: the file says that it is complete. */
static void write_fields(struct grow *to, const void *record, const struct directory_field *fields,
                         bool secrets)
{
    const char *between = "";

    for (const struct directory_field *f = fields; f->name; f++) {
        char scratch[DIRECTORY_SCRATCH];
        struct text value = directory_value(record, f, scratch);

        if (directory_is_default(record, f) && f != fields && strcmp(f->name, "model") != 0)
            continue;
        if (f->kind == FIELD_SECRET && !secrets && value.at[0] != '$')
            continue;
        grow_format(to, "%s\"%s\": ", between, f->name);
        between = ", ";
        if (f->kind == FIELD_LIST)
            write_list(to, record, f, secrets);
        else if (f->kind == FIELD_NUM || f->kind == FIELD_FLAG)
            grow_text(to, value);
        else
            write_string(to, value);
    }
}

void bulk_json_write(const struct directory *dir, bool secrets, struct grow *to)
{
    grow_string(to, "{\"dialtone\": 1, \"complete\": true");
    for (int e = 0; e < N_ENTITIES; e++) {
        char key[DIRECTORY_KEY_MAX] = "";
        const char *between = "";
        const void *r;

        grow_format(to, ",\n\"%s\": [", directory_entity((enum entity)e)->noun);
        while ((r = directory_next(dir, (enum entity)e, text_of(key)))) {
            directory_key(r, key);
            grow_format(to, "%s\n  {", between);
            write_fields(to, r, directory_entity((enum entity)e)->fields, secrets);
            grow_string(to, "}");
            between = ",";
        }
        grow_string(to, "]");
    }
    grow_string(to, "\n}\n");
}
