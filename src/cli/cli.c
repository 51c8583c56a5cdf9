/* cli.c - the administration commands: parse, ask the server, show. */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/local.h"
#include "cli/secrets.h"
#include "cli/show.h"
#include "cli/watch.h"

#define PAGE          500 /* rows asked for at once */
#define TERMINAL_ROWS 200 /* rows shown on a terminal unless --limit says more */

static const char *option_of(const struct command_line *l, const char *name)
{
    return json_string_value(json_object_get(json_object_get(l->request, "options"), name));
}

static int refuse_with(const struct command_line *l, int status, const char *sentence,
                       const json_t *answer)
{
    struct show_options o = {l->shape, terminal_width(), NULL};

    return show_refusal(answer, &o, status, sentence);
}

static int refuse(const struct command_line *l, int status, const char *sentence)
{
    return refuse_with(l, status, sentence, NULL);
}

static int lost(const struct command_line *l, int err)
{
    char sentence[128];

    snprintf(sentence, sizeof(sentence), "The server went away: %s.", strerror(-err));
    return refuse(l, EXIT_NO_SERVER, err == -EAGAIN ? "The server does not answer." : sentence);
}

static int ask_once(struct client *c, const struct command_line *l, json_t **ret)
{
    int err = client_send(c, l->request);

    if (!err)
        err = client_receive(c, ret);
    return err;
}

static size_t rows_wanted(const struct command_line *l, size_t width)
{
    const char *limit = option_of(l, "limit");

    if (limit)
        return strtoul(limit, NULL, 10) ? strtoul(limit, NULL, 10) : SIZE_MAX;
    return width && l->shape == REPORT_TABLE ? TERMINAL_ROWS : SIZE_MAX;
}

/* Further pages are appended to the rows of the first until `wanted` are there. */
static int ask_pages(struct client *c, const struct command_line *l, size_t wanted, json_t **ret)
{
    json_t *options = json_object_get(l->request, "options"), *whole = NULL, *rows = NULL;
    int err = 0;

    json_object_set_new(options, "wanted",
                        json_integer(wanted == SIZE_MAX ? 0 : (json_int_t)wanted));
    for (;;) {
        size_t have = rows ? json_array_size(rows) : 0;
        json_t *page, *next;

        json_object_set_new(
            options, "limit",
            json_integer(wanted - have < PAGE ? (json_int_t)(wanted - have) : PAGE));
        if ((err = ask_once(c, l, &page)) < 0)
            break;
        if (!whole) {
            whole = page;
            rows = json_object_get(whole, "rows");
        } else {
            json_array_extend(rows, json_object_get(page, "rows"));
        }
        next = json_object_get(page, "next");
        if (next)
            json_object_set(options, "after", next);
        else
            json_object_del(whole, "next");
        if (page != whole)
            json_decref(page);
        if (!next || json_array_size(rows) >= wanted)
            break;
    }
    if (err)
        json_decref(whole);
    else
        *ret = whole;
    return err;
}

static void say_rest(const struct command_line *l, const json_t *answer)
{
    size_t shown = json_array_size(json_object_get(answer, "rows"));
    json_int_t total = json_integer_value(json_object_get(answer, "total"));

    if (l->shape != REPORT_TABLE)
        return;
    if (json_object_get(answer, "next") && total > (json_int_t)shown)
        fprintf(stderr, "%zu of %lld shown; --search narrows, --limit 0 shows all.\n", shown,
                (long long)total);
    else if (json_object_get(answer, "next"))
        fprintf(stderr, "%zu shown, there are more; --search narrows, --limit 0 shows all.\n",
                shown);
    else if (!shown && json_object_get(answer, "columns") && !json_object_get(answer, "record"))
        fprintf(stderr, "Nothing found.\n");
}

static void put_fields(json_t *rows, const json_t *change)
{
    json_t *fields = json_object_get(change, "fields"), *values;
    const char *field;

    if (!json_object_size(fields))
        json_array_append_new(rows, json_pack("[O, O, O, s, s, s]", json_object_get(change, "noun"),
                                              json_object_get(change, "name"),
                                              json_object_get(change, "action"), "", "", ""));
    json_object_foreach(fields, field, values) json_array_append_new(
        rows, json_pack("[O, O, O, s, O?, O?]", json_object_get(change, "noun"),
                        json_object_get(change, "name"), json_object_get(change, "action"), field,
                        json_object_get(values, "old"), json_object_get(values, "new")));
}

/* A plan, as a table: what of which record would become what, and whom that would reset. */
static void tell_plan(json_t *answer)
{
    json_t *reset = json_object_get(answer, "reset"), *rows, *change;
    size_t i;

    if (!json_is_true(json_object_get(answer, "plan")))
        return;
    rows = json_array();
    json_array_foreach(json_object_get(answer, "changes"), i, change) put_fields(rows, change);
    json_object_set_new(
        answer, "columns",
        json_pack("[s, s, s, s, s, s]", "noun", "name", "action", "field", "old", "new"));
    json_object_set_new(answer, "rows", rows);
    json_object_set_new(
        answer, "notes",
        json_pack("[s, o]", "Nothing was changed: this is a plan.",
                  json_sprintf("Registered phones that would need a reset: %lld.",
                               (long long)json_integer_value(json_object_get(reset, "count")))));
}

static int show(const struct command_line *l, const json_t *answer, size_t width)
{
    struct show_options o = {l->shape, width, option_of(l, "columns")};
    const char *error = json_string_value(json_object_get(answer, "error"));
    int status = (int)json_integer_value(json_object_get(answer, "status"));
    char missing[64], sentence[128];

    if (error || status)
        return refuse_with(l, status ? status : EXIT_REFUSED,
                           error ? error : "The server refused without a reason.", answer);
    if (show_answer(stdout, answer, &o, missing, sizeof(missing)) < 0) {
        snprintf(sentence, sizeof(sentence), "There is no column \"%s\".", missing);
        return refuse(l, EXIT_USAGE, sentence);
    }
    say_rest(l, answer);
    return EXIT_DONE;
}

/* The server has another working directory. */
static void make_absolute(const struct command_line *l)
{
    json_t *options = json_object_get(l->request, "options");
    const char *file = option_of(l, "file");
    char folder[PATH_MAX];

    if (strcmp(l->noun->noun, "phone") && file && file[0] != '/' && getcwd(folder, sizeof(folder)))
        json_object_set_new(options, "file", json_sprintf("%s/%s", folder, file));
}

/* A phone's name where a file's was asked for must not become a file, nor take the place of one. */
static int look_at_file(const struct command_line *l)
{
    static const char *const writers[] = {"trace collect", "capture fetch", "export ", "backup "};
    const char *file = option_of(l, "file");
    char words[64], sentence[PATH_MAX + 160];
    bool writes = false;

    snprintf(words, sizeof(words), "%s %s", l->noun->noun, l->command->verb);
    for (size_t i = 0; i < sizeof(writers) / sizeof(*writers); i++)
        writes = writes || !strcmp(words, writers[i]);
    if (!writes || !file)
        return 0;
    if (!strpbrk(file, "./")) {
        snprintf(sentence, sizeof(sentence),
                 "\"%s\" does not look like a file that is to be written: ./%s if it is meant%s.",
                 file, file,
                 command_takes(l->command, TEXT("device")) ? "; a phone is --device NAME" : "");
        return refuse(l, EXIT_USAGE, sentence);
    }
    if (!json_object_get(json_object_get(l->request, "options"), "force") && !access(file, F_OK)) {
        snprintf(sentence, sizeof(sentence), "%s is there already: choose another name%s.", file,
                 command_takes(l->command, TEXT("force")) ? ", or say --force" : "");
        return refuse(l, EXIT_REFUSED, sentence);
    }
    return 0;
}

static int run_on_server(const struct command_line *l)
{
    bool lists = word_in(l->command->options, TEXT("limit"));
    struct client c;
    char sentence[512];
    json_t *answer = NULL;
    size_t width = terminal_width();
    int err = client_open(&c, client_data_folder(l->data), sentence, sizeof(sentence)), status;

    if (err && l->command->runs == OFFLINE && err != -EACCES)
        return local_offline(l, client_data_folder(l->data));
    if (err)
        return refuse(l, EXIT_NO_SERVER, sentence);
    if (word_in("follow watch", text_of(l->command->verb)) ||
        json_object_get(json_object_get(l->request, "options"), "follow")) {
        status = watch(&c, l, width);
    } else {
        err = lists ? ask_pages(&c, l, rows_wanted(l, width), &answer) : ask_once(&c, l, &answer);
        if (!err && l->shape != REPORT_JSON)
            tell_plan(answer);
        status = err ? lost(l, err) : show(l, answer, width);
        json_decref(answer);
    }
    client_close(&c);
    return status;
}

static int print_help(const struct command_line *l)
{
    struct grow g = {0};

    if (l->command && (l->command->verb[0] || !command_next(l->noun, l->command)))
        help_command(&g, l->noun, l->command);
    else if (l->noun)
        help_noun(&g, l->noun);
    else
        help_all(&g);
    fputs(g.at ? g.at : "", stdout);
    grow_done(&g);
    return EXIT_DONE;
}

int cli_main(int argc, char **argv)
{
    struct command_line l;
    struct grow error = {0};
    int status;

    if (argc < 2) {
        help_all(&error);
        fputs(error.at ? error.at : "", stderr);
        grow_done(&error);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--version"))
        argv[1] = "version";
    if (!strcmp(argv[1], "help")) /* "help phone add" is "phone add --help" */
        argv[1] = "--help";
    status = command_parse(argc - 1, argv + 1, &l, &error);
    if (status) {
        fprintf(stderr, "dialtone: %s\n", error.at ? error.at : "");
        grow_done(&error);
        return status;
    }
    if (l.help || !l.command)
        status = print_help(&l);
    else if (l.command->runs == LOCAL || l.command->runs == HIDDEN)
        status = local_run(&l, argc - 1, argv + 1);
    else {
        if ((status = look_at_file(&l))) {
            command_line_done(&l);
            return status;
        }
        make_absolute(&l);
        if (secrets_ask(json_object_get(l.request, "fields"))) {
            command_line_done(&l);
            return EXIT_USAGE;
        }
        if (l.shape != REPORT_TABLE)
            json_object_set_new(json_object_get(l.request, "options"), "full", json_true());
        status = run_on_server(&l);
    }
    command_line_done(&l);
    return status;
}
