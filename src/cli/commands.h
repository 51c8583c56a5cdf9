/* commands.h - the table of commands, and the words of a person turned into a request. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/grow.h"
#include "base/report.h"

enum exit_status { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_SERVER };

enum command_runs { SERVER, OFFLINE, LOCAL, HIDDEN };

struct program_row {
    const char *name, *help;
};

struct noun_row {
    const char *noun, *common, *help;
};

struct option_row {
    const char *name, *argument, *help;
};

struct command {
    const char *noun, *verb;
    enum command_runs runs;
    const char *arguments, *options, *help, *example;
};

/* Each table ends with a NULL name. */
extern const struct program_row program_rows[];
extern const struct noun_row noun_rows[];
extern const struct option_row option_rows[];
extern const struct command command_rows[];

struct command_line {
    const struct command *command; /* NULL: only --help was asked, for `noun` or for everything */
    const struct noun_row *noun;
    const char *data; /* --data, or NULL */
    enum report_shape shape;
    bool help;
    /* {"noun", "verb", "name", "names", "fields", "options"}: what was given; further positional
     * words stand in "options" under their lower-case name. */
    json_t *request;
};

const struct noun_row *noun_find(struct text noun);
const struct option_row *option_find(struct text name);
/* The command of a noun and a verb, with the common verbs; NULL when there is none. */
const struct command *command_find(const struct noun_row *noun, struct text verb);
/* Commands of a noun, one after the other: start with NULL; hidden ones too. */
const struct command *command_next(const struct noun_row *noun, const struct command *after);
bool command_takes(const struct command *c, struct text option);
/* Is `word` one of the words of `list`, which are separated by blanks? */
bool word_in(const char *list, struct text word);

/* `argv` without the program's name. 0, or EXIT_USAGE with a sentence in `error`. */
int command_parse(int argc, char **argv, struct command_line *ret, struct grow *error);
void command_line_done(struct command_line *l);

/* The candidate that is nearest to `word` goes to `best` when it is near enough to be meant. */
void nearest_word(struct text word, const char *candidate, const char **best, unsigned *distance);

/* help.c */
void help_all(struct grow *g);
void help_noun(struct grow *g, const struct noun_row *noun);
void help_command(struct grow *g, const struct noun_row *noun, const struct command *c);
/* "phone list [FIELD=VALUE...]" */
void help_synopsis(struct grow *g, const struct noun_row *noun, const struct command *c);
/* Text of a row with the noun put in. */
void help_text(struct grow *g, const char *text, const struct noun_row *noun);

/* completion.c: the script for a shell, or NULL; candidates for the last of `argv`, a line each. */
const char *completion_script(struct text shell);
typedef void (*completion_names)(void *context, const struct noun_row *noun, struct grow *g);
void completion_words(int argc, char **argv, completion_names names, void *context, struct grow *g);

/* manual.c: -ENOENT when there is no such page. */
int manual_page(struct text page, struct grow *g);
