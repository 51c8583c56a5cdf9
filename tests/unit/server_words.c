#include "test.h"

#include "core/alarms.h"
#include "core/counters.h"
#include "core/settings.h"
#include "server/bootstrap.h"
#include "server/web/words.h"

static const char *said(enum language l, const char *english)
{
    static char to[4][1024];
    static unsigned turn;
    struct grow g = {0};
    char *here = to[turn++ % 4];

    words_say(&g, l, text_of(english));
    text_copy(here, sizeof(to[0]), (struct text){g.at, g.len});
    grow_done(&g);
    return here;
}

static void a_sentence_is_found_again_by_its_pattern(void **state)
{
    assert_string_equal(said(LANGUAGE_FR, "There is no phone \"SEP1\"."), "«\u00a0SEP1\u00a0» n'existe pas (téléphone).");
    assert_string_equal(said(LANGUAGE_ZH, "There is no phone \"SEP1\"."), "没有电话“SEP1”。");
    assert_string_equal(said(LANGUAGE_EN, "There is no phone \"SEP1\"."), "There is no phone \"SEP1\".");
    assert_string_equal(said(LANGUAGE_ZH, "2 phones boot here and are not in the database"),
                        "有 2 部电话在此启动但不在数据库中");
    assert_string_equal(said(LANGUAGE_FR, "refused after 0.004 s: its protocol version is too old"),
                        "refusé après 0.004 s\u00a0: sa version de protocole est trop ancienne");
}

static void a_side_of_a_colon_is_said_alone(void **state)
{
    assert_string_equal(said(LANGUAGE_FR, "A file could not be served: SEP1.cnf.xml"),
                        "Un fichier n'a pas pu être servi\u00a0: SEP1.cnf.xml");
    assert_string_equal(said(LANGUAGE_ZH, "lo: it is no Ethernet interface"), "lo：它不是以太网接口");
}

/* Whole, and of a cause of which it is the English. */
static bool is_todo(enum language l, const char *english, const char *text)
{
    for (int c = 0; c < N_CAUSES; c++)
        if (!strcmp(cause_words((enum cause)c, LANGUAGE_EN)->todo, english) &&
            !strcmp(cause_words((enum cause)c, l)->todo, text))
            return true;
    return false;
}

static void what_the_doctor_says_is_known(void **state)
{
    for (int c = 0; c < N_CAUSES; c++)
        for (enum language l = LANGUAGE_FR; l < N_LANGUAGES; l++) {
            const char *english = cause_words((enum cause)c, LANGUAGE_EN)->todo;

            assert_true(is_todo(l, english, said(l, english)));
        }
    assert_string_equal(said(LANGUAGE_FR, "\"Error: DB Config\" of 127.0.0.1:2000"),
                        "«\u00a0Error: DB Config\u00a0» de 127.0.0.1:2000");
}

static void what_people_wrote_stays(void **state)
{
    assert_string_equal(said(LANGUAGE_ZH, "Lobby, second floor"), "Lobby, second floor");
    assert_string_equal(said(LANGUAGE_FR, "Head of sales and service"), "Head of sales and service");
    assert_string_equal(said(LANGUAGE_ZH, ""), "");
    assert_string_equal(said(LANGUAGE_FR, "There is no phone \"%s%n\"."), "«\u00a0%s%n\u00a0» n'existe pas (téléphone).");
}

static void values_made_to_be_slow_are_not(void **state)
{
    char text[4000];

    memset(text, '"', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    memcpy(text, "a scope has no field ", 21);
    assert_true(said(LANGUAGE_FR, text)[0]); /* and soon */
}

static void members_that_are_names_are_left_alone(void **state)
{
    json_t *answer = json_loads("{\"detail\": \"A name is needed.\", \"name\": \"registered\","
                                " \"items\": [{\"description\": \"Refused\", \"help\": \"Registrations refused\"}],"
                                " \"notes\": [\"SEP1 has power.\"]}", 0, NULL);
    json_t *made = words_said(answer, LANGUAGE_FR);
    char *text = json_dumps(made, JSON_COMPACT);

    assert_string_equal(text, "{\"detail\":\"Il faut un nom.\",\"name\":\"registered\","
                              "\"items\":[{\"description\":\"Refused\",\"help\":\"Enregistrements refusés\"}],"
                              "\"notes\":[\"SEP1 est sous tension.\"]}");
    free(text);
    json_decref(made);
    json_decref(answer);
}

static void the_language_is_what_weighs_most(void **state)
{
    assert_int_equal(words_language(NULL), LANGUAGE_EN);
    assert_int_equal(words_language("zh-CN,zh;q=0.9,en;q=0.8"), LANGUAGE_ZH);
    assert_int_equal(words_language("de, en;q=0.3, fr;q=0.7"), LANGUAGE_FR);
    assert_int_equal(words_language("frr"), LANGUAGE_EN); /* Frisian */
    assert_int_equal(words_language("fr;q=0"), LANGUAGE_EN);
    assert_int_equal(words_language("\x01;;,,q=,fr;q=9999999999"), LANGUAGE_FR);
}

static unsigned unknown_of(const char *text)
{
    if (!*text || words_know(text_of(text)))
        return 0;
    print_message("no row: %s\n", text);
    return 1;
}

static void every_text_of_a_table_has_a_row(void **state)
{
    unsigned unknown = 0;

    for (int i = 0; i < N_SETTINGS; i++)
        unknown += unknown_of(setting_rows[i].help);
    for (int i = 0; i < N_ALARMS; i++)
        unknown += unknown_of(alarm_rows[i].text);
    for (int i = 0; i < N_COUNTERS; i++)
        unknown += unknown_of(counter_rows[i].help);
#define BOOT_STR(key, field, value, help)           unknown += unknown_of(help);
#define BOOT_NUM(key, field, value, min, max, help) unknown += unknown_of(help);
#include "server/bootstrap.def"
#undef BOOT_STR
#undef BOOT_NUM
#define PERF(object, name, kind, value, help) unknown += unknown_of(help);
#include "server/perf.def"
#undef PERF
#define UNREGISTERED_REASON(id, code, name, text) unknown += unknown_of(text);
#define TRANSIENT_REASON(id, code, name, text)    unknown += unknown_of(text);
#define PHONE_REASON(code, name, text)            unknown += unknown_of(text);
#include "core/reasons.def"
#undef UNREGISTERED_REASON
#undef TRANSIENT_REASON
#undef PHONE_REASON
    assert_int_equal(unknown, 0);
}

static void every_row_is_said_in_each_language(void **state)
{
    static const char *const rows[] = {
#define SENTENCE(en, fr, zh) en, fr, zh,
#include "server/web/sentences.def"
#undef SENTENCE
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_true(rows[i][0] && text_utf8_valid(text_of(rows[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_is_found_again_by_its_pattern),
        cmocka_unit_test(a_side_of_a_colon_is_said_alone),
        cmocka_unit_test(what_the_doctor_says_is_known),
        cmocka_unit_test(what_people_wrote_stays),
        cmocka_unit_test(values_made_to_be_slow_are_not),
        cmocka_unit_test(members_that_are_names_are_left_alone),
        cmocka_unit_test(the_language_is_what_weighs_most),
        cmocka_unit_test(every_text_of_a_table_has_a_row),
        cmocka_unit_test(every_row_is_said_in_each_language),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
