/* help.c - the table of commands, told to a person. */
#include <stdlib.h>

#include "cli/commands.h"
#include "base/unicode.h"
#include "cli/fields.h"

#define WIDTH 80

void help_text(struct grow *g, const char *text, const struct noun_row *noun)
{
    const char *at;

    for (; noun && (at = strstr(text, "NOUN")); text = at + 4) {
        grow_text(g, (struct text){text, (size_t)(at - text)});
        grow_string(g, noun->noun);
    }
    grow_string(g, text);
}

void help_synopsis(struct grow *g, const struct noun_row *noun, const struct command *c)
{
    grow_string(g, noun->noun);
    if (c->verb[0])
        grow_format(g, " %s", c->verb);
    if (c->arguments[0])
        grow_format(g, " %s", c->arguments);
}

/* Words of `text` from column `at` on; every line after a break begins at column `indent`. */
static void wrap(struct grow *g, const char *text, size_t at, size_t indent)
{
    struct text rest = text_of(text);
    bool first = true;

    while (rest.at) {
        struct text word = text_split(&rest, ' ');
        size_t width = text_columns(word);

        if (!first && at + 1 + width > WIDTH) {
            grow_string(g, "\n");
            grow_fill(g, ' ', indent);
            at = indent;
        } else if (!first) {
            grow_string(g, " ");
            at++;
        }
        grow_text(g, word);
        at += width;
        first = false;
    }
    grow_string(g, "\n");
}

/* "  left      right", with the right side wrapped in its column. */
static void pair(struct grow *g, const char *left, const char *right, size_t column)
{
    size_t width = text_columns(text_of(left)) + 2;

    grow_format(g, "  %s", left);
    if (width + 2 > column) {
        grow_string(g, "\n");
        width = 0;
    }
    grow_fill(g, ' ', column - width);
    wrap(g, right, column, column);
}

static void commands_of(struct grow *g, const struct noun_row *noun)
{
    for (const struct command *c = NULL; (c = command_next(noun, c));) {
        struct grow left = {0}, right = {0};
        char *l, *r;

        help_synopsis(&left, noun, c);
        help_text(&right, c->help, noun);
        l = grow_take(&left);
        r = grow_take(&right);
        pair(g, l ? l : "", r ? r : "", 34);
        free(l);
        free(r);
    }
}

void help_all(struct grow *g)
{
    grow_string(g, "Usage: dialtone NOUN [VERB] [NAME] [FIELD=VALUE...] [OPTION...]\n\n"
                   "Programs (each has its own --help):\n");
    for (const struct program_row *p = program_rows; p->name; p++)
        pair(g, p->name, p->help, 20);
    grow_string(g, "\nAdministration of the running server:\n");
    for (const struct noun_row *n = noun_rows; n->noun; n++)
        pair(g, n->noun, n->help, 20);
    grow_string(g,
                "\n\"dialtone NOUN --help\" says more; --json, --csv and --html answer programs.\n"
                "Exit status: 0 done, 1 refused or not found, 2 wrong usage, 3 no server.\n");
}

static void fields_of(struct grow *g, const struct noun_row *noun)
{
    bool any = false;

    for (const struct directory_field *f = NULL; (f = field_next(noun->noun, f));) {
        struct grow right = {0};
        char *r;

        if (!any)
            grow_string(g, "\nFields:\n");
        any = true;
        field_help(&right, f);
        r = grow_take(&right);
        pair(g, f->name, r ? r : "", 24);
        free(r);
    }
}

void help_noun(struct grow *g, const struct noun_row *noun)
{
    grow_format(g, "dialtone %s - %s\n\n", noun->noun, noun->help);
    commands_of(g, noun);
    fields_of(g, noun);
    grow_format(g, "\n\"dialtone %s VERB --help\" says more.\n", noun->noun);
}

static void options_of(struct grow *g, const struct command *c)
{
    grow_string(g, "\nOptions:\n");
    for (const struct option_row *o = option_rows; o->name; o++) {
        char left[64];

        if (!command_takes(c, text_of(o->name)))
            continue;
        snprintf(left, sizeof(left), "--%s%s%s", o->name, o->argument ? " " : "",
                 o->argument ? o->argument : "");
        pair(g, left, o->help, 24);
    }
}

void help_command(struct grow *g, const struct noun_row *noun, const struct command *c)
{
    struct grow words = {0};
    char *synopsis;

    help_synopsis(&words, noun, c);
    synopsis = grow_take(&words);
    grow_format(g, "Usage: dialtone %s [OPTION...]\n\n", synopsis ? synopsis : "");
    free(synopsis);
    help_text(&words, c->help, noun);
    synopsis = grow_take(&words);
    wrap(g, synopsis ? synopsis : "", 0, 0);
    free(synopsis);
    if (strchr(c->arguments, '=') && strncmp(c->arguments, "NAME=", 5) != 0)
        fields_of(g, noun);
    options_of(g, c);
    if (c->example[0]) {
        grow_string(g, "\nExample:\n  ");
        help_text(g, c->example, noun);
        grow_string(g, "\n");
    }
}
