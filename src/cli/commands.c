/* commands.c - words of a person turned into a request. */
#include "cli/commands.h"

#include <ctype.h>
#include <stdlib.h>

/* The table is read four times, with one kind of row switched on each time. */
#define NOUN(noun, common, help)
#define OPTION(name, argument, help)
#define COMMAND(noun, verb, runs, arguments, options, help, example)
#define PROGRAM(name, help) {name, help},
const struct program_row program_rows[] = {
#include "cli/commands.def"
    {NULL},
};
#undef PROGRAM
#define PROGRAM(name, help)

#undef NOUN
#define NOUN(noun, common, help) {noun, common, help},
const struct noun_row noun_rows[] = {
#include "cli/commands.def"
    {NULL},
};
#undef NOUN
#define NOUN(noun, common, help)

#undef OPTION
#define OPTION(name, argument, help) {name, argument, help},
const struct option_row option_rows[] = {
#include "cli/commands.def"
    {NULL},
};
#undef OPTION
#define OPTION(name, argument, help)

#undef COMMAND
#define COMMAND(noun, verb, runs, arguments, options, help, example)                               \
    {noun, verb, runs, arguments, options, help, example},
const struct command command_rows[] = {
#include "cli/commands.def"
    {NULL},
};

static const struct noun_row hidden_nouns[] = {{"complete", "", ""}, {"manual", "", ""}, {NULL}};

bool word_in(const char *list, struct text word)
{
    struct text rest = text_of(list);

    while (rest.at)
        if (word.len && text_equal(text_split(&rest, ' '), word))
            return true;
        else if (!word.len)
            return false;
    return false;
}

const struct noun_row *noun_find(struct text noun)
{
    for (const struct noun_row *n = noun_rows; n->noun; n++)
        if (text_is(noun, n->noun))
            return n;
    for (const struct noun_row *n = hidden_nouns; n->noun; n++)
        if (text_is(noun, n->noun))
            return n;
    return NULL;
}

const struct option_row *option_find(struct text name)
{
    for (const struct option_row *o = option_rows; o->name; o++)
        if (text_is(name, o->name))
            return o;
    return NULL;
}

static bool has_own(const struct noun_row *noun, const char *verb)
{
    for (const struct command *c = command_rows; c->noun; c++)
        if (!strcmp(c->noun, noun->noun) && !strcmp(c->verb, verb))
            return true;
    return false;
}

const struct command *command_next(const struct noun_row *noun, const struct command *after)
{
    for (const struct command *c = after ? after + 1 : command_rows; c->noun; c++) {
        if (!strcmp(c->noun, noun->noun))
            return c;
        if (!strcmp(c->noun, "*") && word_in(noun->common, text_of(c->verb)) &&
            !has_own(noun, c->verb))
            return c;
    }
    return NULL;
}

const struct command *command_find(const struct noun_row *noun, struct text verb)
{
    for (const struct command *c = NULL; (c = command_next(noun, c));)
        if (text_is(verb, c->verb))
            return c;
    return NULL;
}

bool command_takes(const struct command *c, struct text option)
{
    return word_in("data json csv html help", option) || (c && word_in(c->options, option));
}

void nearest_word(struct text word, const char *candidate, const char **best, unsigned *distance)
{
    unsigned limit = word.len > 4 ? 3 : 2;
    unsigned d = word.len > 32 || strlen(candidate) > 32
                     ? limit
                     : text_distance(word, text_of(candidate), limit);

    if (d < limit && (!*best || d < *distance)) {
        *best = candidate;
        *distance = d;
    }
}

static void say_nearest(struct grow *error, const char *best)
{
    if (best)
        grow_format(error, " Did you mean \"%s\"?", best);
}

static int unknown_noun(struct text word, struct grow *error)
{
    const char *best = NULL;
    unsigned distance = 0;

    for (const struct program_row *p = program_rows; p->name; p++)
        if (text_is(word, p->name)) {
            grow_format(error, "\"%s\" is a program of its own; see \"dialtone %s --help\".",
                        p->name, p->name);
            return EXIT_USAGE;
        }
    for (const struct noun_row *n = noun_rows; n->noun; n++)
        nearest_word(word, n->noun, &best, &distance);
    for (const struct program_row *p = program_rows; p->name; p++)
        nearest_word(word, p->name, &best, &distance);
    grow_format(error, "There is no command \"%.*s\".", TEXT_ARG(word));
    say_nearest(error, best);
    grow_string(error, " \"dialtone --help\" lists all.");
    return EXIT_USAGE;
}

static int unknown_verb(const struct noun_row *noun, struct text word, struct grow *error)
{
    const char *best = NULL;
    unsigned distance = 0;

    if (word.len) {
        for (const struct command *c = NULL; (c = command_next(noun, c));)
            nearest_word(word, c->verb, &best, &distance);
        grow_format(error, "\"%s\" does not know \"%.*s\".", noun->noun, TEXT_ARG(word));
        say_nearest(error, best);
    } else {
        grow_format(error, "What about \"%s\"?", noun->noun);
    }
    grow_string(error, " It can:");
    for (const struct command *c = NULL; (c = command_next(noun, c));)
        if (c->verb[0])
            grow_format(error, " %s", c->verb);
    grow_string(error, ".");
    return EXIT_USAGE;
}

static int unknown_option(const struct command *command, struct text word, struct grow *error)
{
    const char *best = NULL;
    unsigned distance = 0;

    for (const struct option_row *o = option_rows; o->name; o++)
        if (command_takes(command, text_of(o->name)))
            nearest_word(word, o->name, &best, &distance);
    grow_format(error, "There is no option \"--%.*s\" here.", TEXT_ARG(word));
    if (best)
        grow_format(error, " Did you mean \"--%s\"?", best);
    return EXIT_USAGE;
}

/* --- options --- */

static json_t *json_of(struct text t)
{
    return json_stringn(t.at, t.len);
}

static int keep_option(struct command_line *l, const struct option_row *o, struct text value,
                       struct grow *error)
{
    json_t *options = json_object_get(l->request, "options");

    if (o->argument && !text_utf8_valid(value)) {
        grow_format(error, "The value of --%s is not valid UTF-8.", o->name);
        return EXIT_USAGE;
    }
    if (!strcmp(o->name, "json"))
        l->shape = REPORT_JSON;
    else if (!strcmp(o->name, "csv"))
        l->shape = REPORT_CSV;
    else if (!strcmp(o->name, "html"))
        l->shape = REPORT_HTML;
    else if (!strcmp(o->name, "help"))
        l->help = true;
    else if (!strcmp(o->name, "data"))
        l->data = value.at; /* a whole argument of argv, or its end: NUL-terminated */
    else if (!strcmp(o->name, "set")) {
        if (!json_object_get(options, "set"))
            json_object_set_new(options, "set", json_array());
        json_array_append_new(json_object_get(options, "set"), json_of(value));
    } else
        json_object_set_new(options, o->name, o->argument ? json_of(value) : json_true());
    return 0;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1];
}

/* One option at argv[0]; *used says how many words it took. */
static int take_option(int argc, char **argv, struct command_line *l, int *used, struct grow *error)
{
    struct text name = text_of(!strcmp(argv[0], "-h") ? "--help" : argv[0]), value;
    const struct option_row *o;

    *used = 1;
    if (!text_starts(name, "--")) {
        grow_format(error, "There is no option \"%s\" here.", argv[0]);
        return EXIT_USAGE;
    }
    value = text_skip(name, 2);
    name = text_split(&value, '=');
    o = option_find(name);
    if (!o || !(l->command ? command_takes(l->command, name) : command_takes(NULL, name)))
        return unknown_option(l->command, name, error);
    if (!o->argument && value.at) {
        grow_format(error, "Option \"--%s\" takes no value.", o->name);
        return EXIT_USAGE;
    }
    if (o->argument && !value.at) {
        if (argc < 2) {
            grow_format(error, "Option \"--%s\" needs a value: --%s %s.", o->name, o->name,
                        o->argument);
            return EXIT_USAGE;
        }
        value = text_of(argv[1]);
        *used = 2;
    }
    return keep_option(l, o, value, error);
}

/* --- positional words --- */

/* One argument of a row taken apart: [NAME...] FIELD=VALUE... */
struct wanted {
    struct text name;
    bool optional, many, pair;
};

static bool next_wanted(struct text *rest, struct wanted *w)
{
    struct text t = text_trim(text_split(rest, ' '));

    if (!t.len)
        return false;
    *w = (struct wanted){.optional = t.at[0] == '['};
    if (w->optional)
        t = (struct text){t.at + 1, t.len - 2};
    w->many = text_ends(t, "...");
    if (w->many)
        t.len -= 3;
    w->pair = memchr(t.at, '=', t.len) != NULL;
    w->name = t;
    return true;
}

/* field=value; a word that is no such pair is left alone. */
static bool take_pair(json_t *fields, struct text word, bool name_only)
{
    struct text value = word, key = text_split(&value, '=');
    char name[128];

    if (!value.at || !key.len || key.len >= sizeof(name))
        return false;
    text_copy(name, sizeof(name), key);
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-' && !name_only)
            return false;
    json_object_set_new(fields, name, json_of(value));
    return true;
}

static void lower(struct text t, char *to, size_t size)
{
    text_copy(to, size, t);
    for (; *to; to++)
        *to = (char)tolower((unsigned char)*to);
}

static void keep_word(json_t *request, const struct wanted *w, struct text word)
{
    char name[32];

    lower(w->name, name, sizeof(name));
    if (w->many && strcmp(name, "word")) {
        if (!json_object_get(request, "names"))
            json_object_set_new(request, "names", json_array());
        json_array_append_new(json_object_get(request, "names"), json_of(word));
    } else if (!strcmp(name, "name")) {
        json_object_set_new(request, "name", json_of(word));
    } else {
        json_object_set_new(json_object_get(request, "options"), name, json_of(word));
    }
}

static int missing(const struct command_line *l, const struct wanted *w, struct grow *error)
{
    grow_format(error, "%.*s is missing: dialtone ", TEXT_ARG(w->name));
    help_synopsis(error, l->noun, l->command);
    return EXIT_USAGE;
}

static int not_wanted(const struct command_line *l, struct text word, struct grow *error)
{
    grow_format(error, "\"%.*s\" is too much: dialtone ", TEXT_ARG(word));
    help_synopsis(error, l->noun, l->command);
    return EXIT_USAGE;
}

static bool takes_pairs(const struct command *c)
{
    return strchr(c->arguments, '=') != NULL;
}

/* Pairs may stand anywhere among the words; what is left is matched from left to right. */
static int take_words(char **words, int n, struct command_line *l, struct grow *error)
{
    json_t *fields = json_object_get(l->request, "fields");
    struct text rest = text_of(l->command->arguments);
    bool named = !strncmp(l->command->arguments, "NAME=", 5);
    struct wanted w;
    int at = 0, n_left = 0;

    for (int i = 0; i < n; i++) {
        if (!text_utf8_valid(text_of(words[i]))) {
            grow_string(error, "A word is not valid UTF-8.");
            return EXIT_USAGE;
        }
        if (!takes_pairs(l->command) || !take_pair(fields, text_of(words[i]), named))
            words[n_left++] = words[i];
    }
    while (next_wanted(&rest, &w)) {
        if (w.pair) {
            if (!w.optional && !json_object_size(fields)) {
                if (named && n_left == 2) { /* parameter set NAME VALUE */
                    json_object_set_new(fields, words[0], json_string(words[1]));
                    return 0;
                }
                return missing(l, &w, error);
            }
            continue;
        }
        if (at == n_left && !w.optional)
            return missing(l, &w, error);
        do {
            if (at < n_left)
                keep_word(l->request, &w, text_of(words[at++]));
        } while (w.many && at < n_left);
    }
    return at < n_left ? not_wanted(l, text_of(words[at]), error) : 0;
}

/* --- the whole line --- */

static int find_command(struct command_line *l, char **words, int n, int *used, struct grow *error)
{
    *used = 0;
    if (!n)
        return 0;
    l->noun = noun_find(text_of(words[0]));
    if (!l->noun)
        return unknown_noun(text_of(words[0]), error);
    *used = 1;
    if (n > 1 && words[1][0] && (l->command = command_find(l->noun, text_of(words[1]))))
        *used = 2;
    else
        l->command = command_find(l->noun, TEXT(""));
    if (!l->command && n > 1)
        return unknown_verb(l->noun, text_of(words[1]), error);
    return 0;
}

static json_t *new_request(void)
{
    return json_pack("{s:{}, s:{}}", "fields", "options");
}

/* "-" and what follows "--" are words; an option's value is not. */
static int split_words(int argc, char **argv, char **words, int *n_words)
{
    bool only_words = false;

    for (int i = 0; i < argc; i++) {
        const struct option_row *o = NULL;

        if (!only_words && !strcmp(argv[i], "--")) {
            only_words = true;
        } else if (only_words || !is_option(argv[i])) {
            words[(*n_words)++] = argv[i];
        } else if (!strchr(argv[i], '=') && text_starts(text_of(argv[i]), "--")) {
            o = option_find(text_of(argv[i] + 2));
            i += o && o->argument;
        }
    }
    return 0;
}

static int take_options(int argc, char **argv, struct command_line *l, struct grow *error)
{
    int used, err = 0;

    for (int i = 0; i < argc && !err; i += used) {
        used = 1;
        if (!strcmp(argv[i], "--"))
            break;
        if (is_option(argv[i]))
            err = take_option(argc - i, argv + i, l, &used, error);
    }
    return err;
}

int command_parse(int argc, char **argv, struct command_line *ret, struct grow *error)
{
    char **words = calloc((size_t)argc + 1, sizeof(*words));
    struct command_line l = {.request = new_request()};
    int n = 0, used = 0, err;

    if (!words || !l.request)
        abort();
    split_words(argc, argv, words, &n);
    if (!(err = find_command(&l, words, n, &used, error)))
        err = take_options(argc, argv, &l, error);
    if (!err && !l.help && l.noun && !l.command)
        err = unknown_verb(l.noun, TEXT(""), error);
    if (!err && !l.help && l.command) {
        json_object_set_new(l.request, "noun", json_string(l.noun->noun));
        json_object_set_new(l.request, "verb", json_string(l.command->verb));
        err = take_words(words + used, n - used, &l, error);
    }
    free(words);
    if (err)
        command_line_done(&l);
    else
        *ret = l;
    return err;
}

void command_line_done(struct command_line *l)
{
    json_decref(l->request);
    *l = (struct command_line){0};
}
