#include "test.h"

#include "cli/commands.h"
#include "cli/show.h"
#include "core/directory/fields.h"

static bool api_serves(const char *noun, const char *verb)
{
    static const char *const rows[][2] = {
#define API(noun, verb, handler) {noun, verb},
#include "server/api/api.def"
#undef API
    };
    bool is_entity = directory_entity_find(text_of(noun)) >= 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (!strcmp(rows[i][1], verb) &&
            (!strcmp(rows[i][0], noun) || (is_entity && rows[i][0][0] == '*')))
            return true;
    return false;
}

static void every_command_of_the_server_has_a_handler(void **state)
{
    for (const struct noun_row *n = noun_rows; n->noun; n++)
        for (const struct command *c = NULL; (c = command_next(n, c));)
            if (c->runs == SERVER || c->runs == OFFLINE)
                if (!api_serves(n->noun, c->verb))
                    fail_msg("nobody answers \"%s %s\"", n->noun, c->verb);
}

static void every_entity_has_a_noun_and_every_noun_a_command(void **state)
{
    for (int e = 0; e < N_ENTITIES; e++)
        if (!noun_find(text_of(directory_entity((enum entity)e)->noun)))
            fail_msg("no noun \"%s\"", directory_entity((enum entity)e)->noun);
    for (const struct noun_row *n = noun_rows; n->noun; n++)
        if (!command_next(n, NULL))
            fail_msg("\"%s\" can do nothing", n->noun);
}

static void options_of_commands_exist(void **state)
{
    for (const struct command *c = command_rows; c->noun; c++) {
        struct text rest = text_of(c->options);

        while (rest.at && c->options[0]) {
            struct text option = text_split(&rest, ' ');

            if (!option_find(option))
                fail_msg("%s %s takes \"%.*s\", which is no option", c->noun, c->verb,
                         TEXT_ARG(option));
        }
    }
}

/* As a shell would: blanks in '…' do not separate. */
static int split(char *line, char **words)
{
    int n = 0;

    while (*line) {
        char end = *line == '\'' ? '\'' : ' ';

        words[n++] = line += end != ' ';
        while (*line && *line != end)
            line++;
        while (*line == end || *line == ' ')
            *line++ = 0;
    }
    return n;
}

/* What help shows as an example must be accepted. */
static void examples_parse(void **state)
{
    for (const struct command *c = command_rows; c->noun; c++) {
        char copy[256], *words[32];
        struct grow error = {0};
        struct command_line l;
        int n;

        if (text_is(text_of(c->noun), "*") || c->runs == HIDDEN ||
            !text_starts(text_of(c->example), "dialtone "))
            continue;
        text_copy(copy, sizeof(copy), text_of(c->example));
        n = split(copy, words);
        if (command_parse(n - 1, words + 1, &l, &error))
            fail_msg("%s: %s", c->example, error.at);
        assert_ptr_equal(l.command, c);
        command_line_done(&l);
    }
}

static void manual_pages_in_the_tree_are_those_of_the_tables(void **state)
{
    static const char *const pages[] = {"dialtone.1", "dialtone-serve.8", "dialtone.conf.5"};

    for (size_t i = 0; i < 3; i++) {
        struct grow g = {0}, file = {0};
        char path[512], bytes[4096];
        FILE *f;
        size_t n;

        snprintf(path, sizeof(path), "%s/man/%s", SOURCE_ROOT, pages[i]);
        f = fopen(path, "r");
        assert_non_null(f);
        while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
            grow_text(&file, (struct text){bytes, n});
        fclose(f);
        assert_int_equal(manual_page(text_of(pages[i]), &g), 0);
        if (strcmp(g.at, file.at ? file.at : "") != 0)
            fail_msg("make it anew: build/dialtone manual %s > man/%s", pages[i], pages[i]);
        grow_done(&g);
        grow_done(&file);
    }
}

static char *shown(const char *answer, enum report_shape shape, const char *columns)
{
    struct show_options o = {shape, 0, columns};
    json_t *json = json_loads(answer, 0, NULL);
    char *text = NULL, missing[32];
    size_t size;
    FILE *to = open_memstream(&text, &size);

    assert_non_null(json);
    show_answer(to, json, &o, missing, sizeof(missing));
    fclose(to);
    json_decref(json);
    return text;
}

static void expect(const char *answer, enum report_shape shape, const char *columns,
                   const char *wanted)
{
    char *text = shown(answer, shape, columns);

    assert_string_equal(text, wanted);
    free(text);
}

static void answers_are_shown_by_what_they_hold(void **state)
{
    expect("{\"columns\":[\"name\",\"on\"],\"rows\":[[\"a\",true],[\"b\",false]]}", REPORT_TABLE,
           NULL, "name  on\na     yes\nb\n");
    expect("{\"columns\":[\"name\",\"on\"],\"rows\":[[\"a\",true]]}", REPORT_JSON, "on,name",
           "[{\"on\": true, \"name\": \"a\"}]\n");
    expect("{\"columns\":[\"name\"],\"rows\":[]}", REPORT_TABLE, NULL, "");
    expect("{\"record\":{\"name\":\"a\",\"keys\":[{\"feature\":\"line\",\"target\":\"7001\"},{"
           "\"feature\":\"line\","
           "\"target\":\"7002\"}]}}",
           REPORT_TABLE, NULL, "name  a\nkeys  line, target 7001\n      line, target 7002\n");
    expect("{\"text\":\"<x/>\\n\"}", REPORT_TABLE, NULL, "<x/>\n");
    expect("{\"record\":{\"n\":1},\"sections\":[{\"name\":\"s\",\"title\":\"S\",\"columns\":[\"a\"]"
           ",\"rows\":[[2]]}],"
           "\"notes\":[\"Done.\"]}",
           REPORT_TABLE, NULL, "n  1\n\nS\na\n2\n\nDone.\n");
    expect("{\"record\":{\"n\":1},\"sections\":[{\"name\":\"s\",\"title\":\"S\",\"columns\":[\"a\"]"
           ",\"rows\":[[2]]}]}",
           REPORT_JSON, NULL, "{\n  \"n\": 1,\n  \"s\": [\n    {\n      \"a\": 2\n    }\n  ]\n}\n");
}

static void a_line_cannot_steer_the_terminal(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    show_line(to, "SEP\x1b[2J\xff\xe2\x80\xae Réception");
    fclose(to);
    assert_string_equal(text, "SEP?[2J?? Réception\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_of_the_server_has_a_handler),
        cmocka_unit_test(every_entity_has_a_noun_and_every_noun_a_command),
        cmocka_unit_test(options_of_commands_exist),
        cmocka_unit_test(examples_parse),
        cmocka_unit_test(manual_pages_in_the_tree_are_those_of_the_tables),
        cmocka_unit_test(answers_are_shown_by_what_they_hold),
        cmocka_unit_test(a_line_cannot_steer_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
