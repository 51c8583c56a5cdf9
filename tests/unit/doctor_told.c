#include "test.h"

#include "doctor/report/html.h"
#include "doctor/told.h"

static void every_text_is_there_in_every_language(void **state)
{
    for (enum language l = 0; l < N_LANGUAGES; l++) {
        for (int i = 0; i < N_PHRASES; i++)
            assert_true(*phrase(i, l));
        for (int i = 0; i < N_DOCTOR_STAGES; i++)
            assert_true(*stage_words(i, l));
        for (int i = 0; i < N_EVENT_KINDS; i++)
            assert_true(*event_words(i, l));
        for (int i = APART_NONE + 1; i < N_APARTS; i++)
            assert_true(*apart_words(i, l));
    }
}

/* English stands in where a translation is missing: nobody may have forgotten one. */
static void every_event_is_translated(void **state)
{
    for (enum language l = LANGUAGE_FR; l < N_LANGUAGES; l++) {
        for (int i = 0; i < N_EVENT_KINDS; i++)
            if (strcmp(event_words(i, l), event_words(i, LANGUAGE_EN)) == 0)
                fail_msg("event %d is not translated: %s", i, event_words(i, l));
        for (int i = APART_NONE + 1; i < N_APARTS; i++)
            assert_string_not_equal(apart_words(i, l), apart_words(i, LANGUAGE_EN));
    }
}

/* Two causes of the capture itself have nothing to do; places are empty where there is none. */
static void every_cause_is_told_in_every_language(void **state)
{
    for (enum language l = 0; l < N_LANGUAGES; l++)
        for (int i = 0; i < N_CAUSES; i++) {
            const struct cause_words *w = cause_words(i, l), *english = cause_words(i, LANGUAGE_EN);

            if (!w->title || !*w->title || !w->means || !*w->means || !w->todo || !w->here ||
                !w->there)
                fail_msg("%s lacks words in %s", cause_row(i)->name, language_tag(l));
            if (l != LANGUAGE_EN && strcmp(w->title, english->title) == 0)
                fail_msg("%s is not translated to %s", cause_row(i)->name, language_tag(l));
            assert_int_equal(!*w->here, !*english->here);
        }
}

static void the_manual_lists_every_cause(void **state)
{
    static const char *const stages[N_DOCTOR_STAGES] = {
        "link", "dhcp", "dns", "files", "connect", "register", "keepalive", "move", "capture"};
    static const char *const severities[] = {"hint", "harm", "fatal"};
    static char text[65536];
    FILE *f = fopen(SOURCE_ROOT "/docs/doctor.md", "r");

    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    for (int i = 0; i < N_CAUSES; i++) {
        const struct cause_row *row = cause_row(i);
        char line[512];

        snprintf(line, sizeof(line), "| `%s` | %s | %s | %s |\n", row->name, stages[row->stage],
                 severities[row->severity], row->seen);
        if (!strstr(text, line))
            fail_msg("docs/doctor.md lacks: %s", line);
    }
}

static void a_language_is_known_by_tag_or_locale(void **state)
{
    enum language l = LANGUAGE_EN;

    assert_int_equal(language_named(TEXT("fr"), &l), 0);
    assert_int_equal(l, LANGUAGE_FR);
    assert_int_equal(language_named(TEXT("zh_CN.UTF-8"), &l), 0);
    assert_int_equal(l, LANGUAGE_ZH);
    assert_int_equal(language_named(TEXT("french"), &l), -ENOENT);
    assert_int_equal(language_named(TEXT("C"), &l), -ENOENT);
    assert_int_equal(l, LANGUAGE_ZH);
}

static void nothing_of_the_network_becomes_a_tag(void **state)
{
    struct grow g = {0};

    html_text(&g, TEXT("<script>'a'&\"b\"\x01\xff\xc3\xa9\x7f"));
    assert_string_equal(g.at, "&lt;script&gt;&apos;a&apos;&amp;&quot;b&quot;"
                              "\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd");
    grow_done(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_is_there_in_every_language),
        cmocka_unit_test(every_event_is_translated),
        cmocka_unit_test(every_cause_is_told_in_every_language),
        cmocka_unit_test(the_manual_lists_every_cause),
        cmocka_unit_test(a_language_is_known_by_tag_or_locale),
        cmocka_unit_test(nothing_of_the_network_becomes_a_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
