/* files.c - directories and the files that phones get from them.
 *
 * Lines of an input: `put ENTITY KEY | field=value | …` changes the directory of a new node;
 * `static NAME` adds a file to the static tree; `asker DEVICE` says whose address asks from now on;
 * `get NAME` prints the file, `find WORD NAME` its lines with that word; `sip-models MODEL` prints
 * what each model that speaks SIP reads: that model's file whole, of the others the lines that
 * differ from it. */
#include "golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/directory/change.h"
#include "core/directory/fields.h"
#include "core/locales.h"
#include "provision/phone_files.h"

struct scene {
    const struct directory *dir;
    struct device_name asker;
    char files[16][64];
    size_t n_files;
};

static const char *static_file(void *context, const char *after)
{
    struct scene *s = context;
    size_t i = 0;

    while (after && i < s->n_files && strcmp(s->files[i], after) <= 0)
        i++;
    return i < s->n_files ? s->files[i] : NULL;
}

static bool resolve(void *context, const char *name, struct ip *ret)
{
    if (strcmp(name, "cm2.example.com") != 0)
        return false;
    *ret = ip_v4(0xc000020c);
    return true;
}

static int put(struct scene *s, struct text line, struct writer *w)
{
    struct change *c = change_new();
    struct text head = text_split(&line, '|');
    int entity = directory_entity_find(text_split(&head, ' '));
    char error[300];
    int err;

    if (entity < 0)
        return entity;
    change_put(c, (enum entity)entity, text_trim(head));
    while (line.at) {
        struct text value = text_split(&line, '|');
        struct text field = text_trim(text_split(&value, '='));

        change_field(c, field, text_trim(value));
    }
    err = directory_change(&s->dir, c, error, sizeof(error));
    if (err)
        write_format(w, "refused: %s\n", error);
    change_free(c);
    return err;
}

static void print_bytes(const uint8_t *bytes, size_t len, struct writer *w)
{
    struct text t = {(const char *)bytes, len};
    bool is_text = text_utf8_valid(t) && !memchr(bytes, 0, len);

    for (size_t i = 0; !is_text && i < len; i++)
        write_format(w, "%02x%s", bytes[i], i + 1 == len || i % 16 == 15 ? "\n" : " ");
    if (is_text)
        write_text(w, t);
    if (is_text && len && bytes[len - 1] != '\n')
        write_string(w, "(no line end)\n");
}

static struct phone_file_context context_of(struct scene *s)
{
    return (struct phone_file_context){
        .local = ip_v4(0xc000020b),
        .node_name = "cm1",
        .time_zone = "Europe/Berlin",
        .asker = s->asker,
        .context = s,
        .resolve = resolve,
        .static_file = static_file,
    };
}

static void print_found(struct text rest, struct text word, struct writer *w)
{
    while (rest.at) {
        struct text line = text_split(&rest, '\n');

        if (text_contains_nocase(line, word))
            write_format(w, "%.*s\n", TEXT_ARG(text_trim(line)));
    }
}

/* `word`: what its lines must have to be shown; at == NULL: all are. */
static void get(struct scene *s, struct text asked, struct text word, struct writer *w)
{
    struct phone_file_context c = context_of(s);
    static uint8_t bytes[PHONE_FILE_MAX];
    struct writer file = writer_of(bytes, sizeof(bytes));
    struct file_name name;
    int err = file_name_parse(asked, &name);

    if (!err)
        err = phone_file_build(s->dir, &name, &c, &file);
    write_format(w, "== %.*s: ", TEXT_ARG(asked));
    if (err) {
        write_format(w, "%s\n",
                     err == -ENOENT   ? "not found"
                     : err == -EINVAL ? "no name"
                                      : "failed");
        return;
    }
    write_format(w, "%zu bytes\n", writer_len(&file));
    if (word.at)
        print_found((struct text){(const char *)bytes, writer_len(&file)}, word, w);
    else
        print_bytes(bytes, writer_len(&file), w);
}

/* --- a model beside another --- */

#define LINES_MAX 400

struct lines {
    char bytes[PHONE_FILE_MAX];
    struct text at[LINES_MAX];
    size_t n;
};

/* What differs between any two phones is not what differs between models. */
static bool is_of_a_phone(struct text line)
{
    return text_starts(text_trim(line), "<versionStamp>");
}

/* The file of a phone of this model with its last load, with one line or two; -ENOENT: none. */
static int lines_of_model(const struct model *m, bool several, char name[static 64],
                          struct lines *ret)
{
    struct scene s = {.dir = directory_factory(TEXT("cm1"), TEXT(""))};
    struct phone_file_context c = context_of(&s);
    struct writer w = writer_of(ret->bytes, sizeof(ret->bytes)), none = {};
    struct file_name parsed;
    struct text rest;
    char put_line[300];
    int err;

    snprintf(name, 64,
             m->generation == MODEL_7940 ? "SIP001122334455.cnf" : "SEP001122334455.cnf.xml");
    snprintf(put_line, sizeof(put_line),
             "phone SEP001122334455 | model=%u | protocol=sip | lines=7001%s | load=%s", m->type,
             several ? ";7002" : "", m->default_load[1]);
    ret->n = 0;
    err = put(&s, text_of(put_line), &none);
    if (!err)
        err = file_name_parse(text_of(name), &parsed);
    if (!err)
        err = phone_file_build(s.dir, &parsed, &c, &w);
    directory_unref(s.dir);
    for (rest = (struct text){ret->bytes, writer_len(&w)}; !err && rest.len && ret->n < LINES_MAX;)
        if (!is_of_a_phone(ret->at[ret->n] = text_split(&rest, '\n')))
            ret->n++;
    return err;
}

/* Lengths of the longest common subsequences of the ends of both. */
static void print_difference(const struct lines *a, const struct lines *b, struct writer *w)
{
    static uint16_t common[LINES_MAX + 1][LINES_MAX + 1];
    size_t i, j;

    memset(common, 0, sizeof(common));
    for (i = a->n; i-- > 0;)
        for (j = b->n; j-- > 0;)
            common[i][j] = text_equal(a->at[i], b->at[j])        ? common[i + 1][j + 1] + 1
                           : common[i + 1][j] > common[i][j + 1] ? common[i + 1][j]
                                                                 : common[i][j + 1];
    for (i = j = 0; i < a->n || j < b->n;) {
        if (i < a->n && j < b->n && text_equal(a->at[i], b->at[j])) {
            i++;
            j++;
        } else if (j == b->n || (i < a->n && common[i + 1][j] >= common[i][j + 1])) {
            write_format(w, "-%.*s\n", TEXT_ARG(a->at[i]));
            i++;
        } else {
            write_format(w, "+%.*s\n", TEXT_ARG(b->at[j]));
            j++;
        }
    }
}

static void print_model(const struct model *m, const struct lines *reference, struct writer *w)
{
    static struct lines own;
    struct locale_files locale = locale_files_of(m, PROTOCOL_SIP);
    char name[64];
    int err = lines_of_model(m, m->max_lines > 1, name, &own);

    write_format(w, "\n== %s (%u), load %s, texts %s, tones %s: ", m->name, m->type,
                 *m->default_load[1] ? m->default_load[1] : "unknown",
                 locale.texts ? locale.texts : "none", locale.tones ? locale.tones : "none");
    if (err) {
        write_format(w, "%s\n", err == -ENOENT ? "no file" : "failed");
        return;
    }
    write_format(w, "%s\n", name);
    print_difference(reference, &own, w);
}

/* Files of some generations have little in common with the others: the first of them is whole. */
static const struct model *like(const struct model *m, const struct model *reference)
{
    static const struct model *last;

    if (!last || last->generation != m->generation)
        last = m->generation == MODEL_7940 || m->generation == MODEL_7905 ||
                       m->generation == MODEL_ATA || m->generation == MODEL_SPA
                   ? m
                   : reference;
    return last == m ? NULL : last;
}

static int sip_models(struct text name, struct writer *w)
{
    static struct lines lines;
    const struct model *reference = model_by_name(name);
    char file[64];

    if (!reference)
        return -1;
    lines.n = 0;
    write_format(w, "\nThe file of a %s:", reference->name);
    print_model(reference, &lines, w);
    for (size_t i = 0; i < n_models; i++) {
        const struct model *other;

        if (&models[i] == reference || !model_is_phone(&models[i]) ||
            !model_speaks(&models[i], PROTOCOL_SIP))
            continue;
        other = like(&models[i], reference);
        lines.n = 0;
        if (other &&
            lines_of_model(other, models[i].max_lines > 1 && other->max_lines > 1, file, &lines))
            return -1;
        print_model(&models[i], &lines, w);
    }
    return 0;
}

static int step(struct scene *s, struct text line, struct writer *w)
{
    struct text rest = text_trim(line), word;

    if (!rest.len || rest.at[0] == '#')
        return 0;
    word = text_split(&rest, ' ');
    rest = rest.at ? text_trim(rest) : TEXT("");
    if (text_is(word, "put"))
        return put(s, rest, w);
    if (text_is(word, "sip-models"))
        return sip_models(rest, w);
    if (text_is(word, "static"))
        text_copy(s->files[s->n_files++], sizeof(s->files[0]), rest);
    else if (text_is(word, "asker"))
        s->asker = device_name_of(rest);
    else if (text_is(word, "get"))
        get(s, rest, (struct text){}, w);
    else if (text_is(word, "find"))
        word = text_split(&rest, ' '), get(s, rest, word, w);
    else
        return -1;
    return 0;
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    struct scene s = {.dir = directory_factory(TEXT("cm1"), TEXT(""))};
    struct text rest = {(const char *)bytes, len};
    int err = s.dir ? 0 : -1;

    while (!err && rest.at)
        err = step(&s, text_split(&rest, '\n'), w);
    directory_unref(s.dir);
    return err;
}

int main(int argc, char **argv)
{
    return golden_run(argc, argv, print);
}
