/* directory_lines.h - a directory for a test, written as lines:
 *
 *   dir = directory_of_lines("phone SEP001122334455 model=7960 lines=7001;7002
 * speed_dials=Taxi=0123\n" "pool Default description=\"Head office\"\n");
 *
 * On top of directory_factory("cm1", "10.0.0.1"). What is there is changed, the rest is added. A
 * line that is refused ends the test program. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "core/directory/change.h"
#include "core/directory/fields.h"

static inline struct text lines_word(struct text *rest)
{
    struct text word = *rest = text_trim(*rest);
    bool quoted = false;
    size_t i = 0;

    for (; i < rest->len && (quoted || rest->at[i] != ' '); i++)
        quoted ^= rest->at[i] == '"';
    word.len = i;
    *rest = text_skip(*rest, i);
    return word;
}

static inline struct text lines_value(struct text value)
{
    if (value.len > 1 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        return (struct text){value.at + 1, value.len - 2};
    return value;
}

static inline struct change *change_of_lines(const char *lines)
{
    struct text all = text_of(lines);
    struct change *c = change_new();

    while (all.at) {
        struct text rest = text_trim(text_split(&all, '\n')), noun = lines_word(&rest), word;
        int e = directory_entity_find(noun);

        if (!noun.len)
            continue;
        if (e < 0) {
            fprintf(stderr, "no noun %.*s\n", TEXT_ARG(noun));
            abort();
        }
        change_put(c, (enum entity)e, lines_value(lines_word(&rest)));
        while ((word = lines_word(&rest)).len) {
            struct text field = text_split(&word, '=');

            change_field(c, field, lines_value(word.at ? word : TEXT("")));
        }
    }
    return c;
}

static inline const struct directory *directory_of_lines(const char *lines)
{
    const struct directory *dir = directory_factory(TEXT("cm1"), TEXT("10.0.0.1"));
    struct change *c = change_of_lines(lines);
    char error[256];

    if (!dir || directory_change(&dir, c, error, sizeof(error)) < 0) {
        fprintf(stderr, "directory_of_lines: %s\n", error);
        abort();
    }
    change_free(c);
    return dir;
}

/* The directory after these lines; takes the reference on the one before. */
static inline const struct directory *directory_with(const struct directory *take_dir, const char *lines)
{
    struct change *c = change_of_lines(lines);
    char error[256];

    if (directory_change(&take_dir, c, error, sizeof(error)) < 0) {
        fprintf(stderr, "directory_with: %s\n", error);
        abort();
    }
    change_free(c);
    return take_dir;
}
