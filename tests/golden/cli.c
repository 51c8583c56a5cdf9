/* cli.c - what people type at the command line, and what becomes of it: the request, the help, the
 * words that complete it, or what is wrong. A line of a `.words` file is a command line; blanks in
 * '…' do not separate. */
#include "golden.h"

#include <stdlib.h>

#include "cli/commands.h"

#define MAX_WORDS 32

/* Takes the words of a line apart, in place. */
static int split(char *line, char **words)
{
    int n = 0;

    for (char *p = line; *p && n < MAX_WORDS - 1;) {
        bool quoted = *p == '\'';

        if (*p == ' ') {
            p++;
            continue;
        }
        words[n++] = p += quoted;
        while (*p && *p != (quoted ? '\'' : ' '))
            p++;
        if (*p)
            *p++ = 0;
    }
    words[n] = NULL;
    return n;
}

static void show_request(const struct command_line *l, struct grow *g)
{
    static const char *const shapes[] = {"", " as JSON", " as CSV", " as HTML"};
    char *request = json_dumps(l->request, JSON_COMPACT | JSON_SORT_KEYS);

    if (l->help && l->command)
        help_command(g, l->noun, l->command);
    else if (l->help && l->noun)
        help_noun(g, l->noun);
    else if (l->help || !l->command)
        help_all(g);
    else
        grow_format(g, "%s%s%s%s\n", request, shapes[l->shape], l->data ? " in " : "",
                    l->data ? l->data : "");
    free(request);
}

static void parse(int argc, char **argv, struct grow *g)
{
    struct command_line l;
    struct grow error = {0};
    int status = command_parse(argc, argv, &l, &error);

    if (status) {
        grow_format(g, "%d: %s\n", status, error.at ? error.at : "");
    } else {
        show_request(&l, g);
        command_line_done(&l);
    }
    grow_done(&error);
}

static void some_names(void *context, const struct noun_row *noun, struct grow *g)
{
    grow_format(g, "a-%s\n", noun->noun);
}

static void complete(int argc, char **argv, struct grow *g)
{
    struct grow words = {0};

    completion_words(argc, argv, some_names, NULL, &words);
    for (char *p = words.at; p && *p; p++)
        *p = *p == '\n' ? ' ' : *p;
    grow_format(g, "%s\n", words.at ? words.at : "");
    grow_done(&words);
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    struct text rest = {(const char *)bytes, len};

    while (rest.at) {
        struct text line = text_split(&rest, '\n');
        char *words[MAX_WORDS], copy[512];
        struct grow g = {0};
        int n;

        if (!line.len)
            continue;
        write_format(w, "$ %.*s\n", TEXT_ARG(line));
        text_copy(copy, sizeof(copy), line);
        n = split(copy, words);
        if (text_starts(text_of(name), "complete"))
            complete(n, words, &g);
        else
            parse(n, words, &g);
        write_string(w, g.at ? g.at : "");
        grow_done(&g);
    }
    return 0;
}

int main(int argc, char **argv)
{
    return golden_run(argc, argv, print);
}
