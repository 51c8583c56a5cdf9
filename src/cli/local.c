/* local.c - commands that need no server. */
#include "cli/local.h"

#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/show.h"
#include "server/bulk/bulk.h"
#include "server/serve.h"

static int wrong(const char *sentence)
{
    fprintf(stderr, "dialtone: %s\n", sentence);
    return EXIT_USAGE;
}

static const char *option(const struct command_line *l, const char *name)
{
    const char *s =
        json_string_value(json_object_get(json_object_get(l->request, "options"), name));

    return s ? s : "";
}

static int print(struct grow *g)
{
    fputs(g->at ? g->at : "", stdout);
    grow_done(g);
    return EXIT_DONE;
}

static int completion(const struct command_line *l)
{
    const char *script = completion_script(text_of(option(l, "shell")));

    if (!script)
        return wrong("Completion is there for bash and zsh.");
    fputs(script, stdout);
    return EXIT_DONE;
}

static int manual(const struct command_line *l)
{
    struct grow g = {0};

    if (manual_page(text_of(option(l, "page")), &g) < 0)
        return wrong("Pages are dialtone.1, dialtone-serve.8 and dialtone.conf.5.");
    return print(&g);
}

/* Names of the running server, when it answers at once; silence is fine. */
static void names_of(void *context, const struct noun_row *noun, struct grow *g)
{
    json_t *request = json_pack("{s:s, s:s, s:{}, s:{s:i}}", "noun", noun->noun, "verb", "list",
                                "fields", "options", "limit", 1000);
    json_t *answer = NULL, *row;
    struct client c;
    char error[512];
    size_t i;

    if (!client_open(&c, client_data_folder(context), error, sizeof(error))) {
        client_set_timeout(&c, 1);
        if (!client_send(&c, request) && !client_receive(&c, &answer))
            json_array_foreach(json_object_get(answer, "rows"), i,
                               row) if (json_is_string(json_array_get(row, 0)))
                grow_format(g, "%s\n", json_string_value(json_array_get(row, 0)));
        client_close(&c);
    }
    json_decref(answer);
    json_decref(request);
}

/* Options before the last word are no part of what is completed; --data says whom to ask for names.
 */
static int drop_options(int argc, char **argv, const char **data)
{
    int n = 0;

    for (int i = 0; i < argc; i++) {
        struct text value = text_of(argv[i]), name = text_split(&value, '=');
        const struct option_row *o =
            text_starts(name, "--") ? option_find(text_skip(name, 2)) : NULL;

        if (i == argc - 1 || !o) {
            argv[n++] = argv[i];
            continue;
        }
        if (o->argument && !value.at && i + 2 < argc)
            value = text_of(argv[++i]);
        if (!strcmp(o->name, "data") && value.at)
            *data = value.at;
    }
    return n;
}

static int complete(const struct command_line *l, int argc, char **argv)
{
    const char *data = l->data;
    struct grow g = {0};

    while (argc && strcmp(argv[0], "--") != 0) /* what follows is the line that is typed */
        argc--, argv++;
    if (argc)
        argc--, argv++;
    argc = drop_options(argc, argv, &data);
    completion_words(argc, argv, names_of, (void *)data, &g);
    return print(&g);
}

/* The options of `config` are those of `serve`, which prints what is wrong with them. */
static int read_settings(const struct command_line *l, struct bootstrap *ret)
{
    json_t *sets = json_object_get(json_object_get(l->request, "options"), "set"), *set;
    char *argv[64] = {"config"};
    int argc = 1;
    size_t i;

    if (option(l, "config")[0]) {
        argv[argc++] = "--config";
        argv[argc++] = (char *)option(l, "config");
    }
    if (l->data) {
        argv[argc++] = "--data";
        argv[argc++] = (char *)l->data;
    }
    json_array_foreach(sets, i, set)
    {
        if (argc > 60)
            return wrong("That are too many settings.");
        argv[argc++] = "--set";
        argv[argc++] = (char *)json_string_value(set);
    }
    return serve_settings(argc, argv, ret) ? EXIT_REFUSED : 0;
}

static void setting_row(json_t *rows, const char *key, json_t *take_value, uint8_t from,
                        const char *help)
{
    json_array_append_new(rows, json_pack("[s, o, b, s]", key, take_value, from != BOOT_DEFAULT, help));
}

static int config_show(const struct command_line *l, const struct bootstrap *b)
{
    struct show_options o = {l->shape, terminal_width(), NULL};
    json_t *rows = json_array(), *answer;

    setting_row(rows, "data", json_string(b->data), BOOT_DEFAULT, "data folder");
#define BOOT_STR(key, field, value, help)                                                          \
    setting_row(rows, key, json_string(b->field), b->from[BOOT_##field], help);
#define BOOT_NUM(key, field, value, min, max, help)                                                \
    setting_row(rows, key, json_integer(b->field), b->from[BOOT_##field], help);
#include "server/bootstrap.def"
#undef BOOT_STR
#undef BOOT_NUM
    answer =
        json_pack("{s:[s,s,s,s], s:o}", "columns", "key", "value", "given", "help", "rows", rows);
    show_answer(stdout, answer, &o, NULL, 0);
    json_decref(answer);
    return EXIT_DONE;
}

static int config(const struct command_line *l)
{
    struct bootstrap b;
    int status = read_settings(l, &b);

    if (status)
        return status;
    if (!strcmp(l->command->verb, "show"))
        return config_show(l, &b);
    puts("The settings are valid.");
    return EXIT_DONE;
}

int local_run(const struct command_line *l, int argc, char **argv)
{
    const char *noun = l->noun->noun;

    if (!strcmp(noun, "completion"))
        return completion(l);
    if (!strcmp(noun, "complete"))
        return complete(l, argc, argv);
    if (!strcmp(noun, "manual"))
        return manual(l);
    if (!strcmp(noun, "config"))
        return config(l);
    puts("dialtone " DIALTONE_VERSION);
    return EXIT_DONE;
}

/* Arguments as requests.def has them for the server. */
static json_t *file_arguments(const struct command_line *l)
{
    json_t *arguments = json_pack("{s:s}", "path", option(l, "file"));

    if (option(l, "format")[0])
        json_object_set_new(arguments, "format", json_string(option(l, "format")));
    if (json_object_get(json_object_get(l->request, "options"), "dry-run"))
        json_object_set_new(arguments, "dry_run", json_true());
    return arguments;
}

int local_offline(const struct command_line *l, const char *data)
{
    struct show_options o = {l->shape, terminal_width(), NULL};
    json_t *arguments = file_arguments(l), *body = NULL;
    int status = bulk_offline(data, l->noun->noun, arguments, &body);
    const char *error = json_string_value(json_object_get(body, "error"));

    if (!body)
        fprintf(stderr, "dialtone: A server has the data folder %s and does not answer.\n", data);
    else if (error)
        show_refusal(body, &o, EXIT_REFUSED, error);
    else
        show_answer(stdout, body, &o, NULL, 0);
    json_decref(body);
    json_decref(arguments);
    return !body ? EXIT_NO_SERVER : error || status ? EXIT_REFUSED : EXIT_DONE;
}
