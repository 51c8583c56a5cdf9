/* completion.c - candidates for the word under the cursor; the shells ask this program. */
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/fields.h"

static const char bash[] =
    "# dialtone completion for bash: source <(dialtone completion bash)\n"
    "_dialtone() {\n"
    "    local IFS=$'\\n' word=${COMP_WORDS[COMP_CWORD]}\n"
    "    COMPREPLY=($(compgen -W \"$(\"${COMP_WORDS[0]/#\\~/$HOME}\" complete -- "
    "\"${COMP_WORDS[@]:1:COMP_CWORD}\" "
    "2>/dev/null)\" -- \"$word\"))\n"
    "    [[ ${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- \"$word\"))\n"
    "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
    "}\n"
    "complete -F _dialtone dialtone\n";

static const char zsh[] =
    "#compdef dialtone\n"
    "# dialtone completion for zsh: source <(dialtone completion zsh)\n"
    "_dialtone() {\n"
    "    local -a found\n"
    "    found=(\"${(@f)$(${~words[1]} complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    if [[ -n \"$found\" ]]; then compadd -Q -- $found; else _files; fi\n"
    "}\n"
    "compdef _dialtone dialtone\n";

static const char fish[] =
    "# dialtone completion for fish: dialtone completion fish | source\n"
    "function __dialtone_words\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    $words[1] complete -- $words[2..-1] 2>/dev/null\n"
    "end\n"
    "complete -c dialtone -a '(__dialtone_words)'\n";

const char *completion_script(struct text shell)
{
    return text_is(shell, "bash")   ? bash
           : text_is(shell, "zsh")  ? zsh
           : text_is(shell, "fish") ? fish
                                    : NULL;
}

static void candidate(struct grow *g, const char *prefix, const char *word, const char *suffix)
{
    grow_format(g, "%s%s%s\n", prefix, word, suffix);
}

static void nouns(struct grow *g)
{
    for (const struct program_row *p = program_rows; p->name; p++)
        candidate(g, "", p->name, "");
    for (const struct noun_row *n = noun_rows; n->noun; n++)
        candidate(g, "", n->noun, "");
}

static void options(struct grow *g, const struct command *c)
{
    for (const struct option_row *o = option_rows; o->name; o++)
        if (command_takes(c, text_of(o->name)))
            candidate(g, "--", o->name, "");
}

static void verbs(struct grow *g, const struct noun_row *noun)
{
    for (const struct command *c = NULL; (c = command_next(noun, c));)
        if (c->verb[0])
            candidate(g, "", c->verb, "");
}

static void fields(struct grow *g, const struct noun_row *noun)
{
    for (const struct directory_field *f = NULL; (f = field_next(noun->noun, f));)
        candidate(g, "", f->name, "=");
}

/* How many words stand after the verb, and is the last one an option? */
static void arguments(const struct noun_row *noun, const struct command *c, int n_given,
                      completion_names names, void *context, struct grow *g)
{
    bool wants_name =
        text_starts(text_of(c->arguments), "NAME") || text_starts(text_of(c->arguments), "[NAME");

    if (wants_name && (n_given == 0 || strstr(c->arguments, "NAME...")))
        names(context, noun, g);
    if (strchr(c->arguments, '=') && (n_given > 0 || !wants_name))
        fields(g, noun);
    if (!strcmp(noun->noun, "completion"))
        grow_string(g, "bash\nzsh\nfish\n");
}

void completion_words(int argc, char **argv, completion_names names, void *context, struct grow *g)
{
    const struct noun_row *noun = argc > 1 ? noun_find(text_of(argv[0])) : NULL;
    const struct command *c = noun && argc > 2 ? command_find(noun, text_of(argv[1])) : NULL;
    int words = 2;

    if (argc <= 1) {
        nouns(g);
        return;
    }
    if (!noun)
        return;
    if (!c) {
        c = command_find(noun, TEXT(""));
        words = 1;
    }
    if (argv[argc - 1][0] == '-') {
        options(g, c);
        return;
    }
    if (argc == 2)
        verbs(g, noun);
    if (c)
        arguments(noun, c, argc - words - 1, names, context, g);
}
