/* files.c - directories and the files that phones get from them.
 *
 * Lines of an input: `put ENTITY KEY | field=value | …` changes the directory of a new node;
 * `static NAME` adds a file to the static tree; `asker DEVICE` says whose address asks from now on;
 * `get NAME` prints the file. */
#include "golden.h"

#include <errno.h>
#include <stdlib.h>

#include "core/directory/change.h"
#include "core/directory/fields.h"
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

static void get(struct scene *s, struct text asked, struct writer *w)
{
    struct phone_file_context c = {
        .local = ip_v4(0xc000020b),
        .node_name = "cm1",
        .time_zone = "Europe/Berlin",
        .asker = s->asker,
        .context = s,
        .resolve = resolve,
        .static_file = static_file,
    };
    static uint8_t bytes[PHONE_FILE_MAX];
    struct writer file = writer_of(bytes, sizeof(bytes));
    struct file_name name;
    int err = file_name_parse(asked, &name);

    if (!err)
        err = phone_file_build(s->dir, &name, &c, &file);
    write_format(w, "== %.*s: ", TEXT_ARG(asked));
    if (err) {
        write_format(w, "%s\n", err == -ENOENT ? "not found" : err == -EINVAL ? "no name" : "failed");
        return;
    }
    write_format(w, "%zu bytes\n", writer_len(&file));
    print_bytes(bytes, writer_len(&file), w);
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
    if (text_is(word, "static"))
        text_copy(s->files[s->n_files++], sizeof(s->files[0]), rest);
    else if (text_is(word, "asker"))
        s->asker = device_name_of(rest);
    else if (text_is(word, "get"))
        get(s, rest, w);
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
