#include "test.h"

#include <ctype.h>
#include <glob.h>

#include "doctor/say.h"
#include "doctor/told.h"

static const char *said(const char *kept, enum language l)
{
    static char to[3][SAY_MAX];
    static unsigned turn;

    return say(kept, l, to[turn++ % 3]);
}

static void arguments_take_the_order_of_the_language(void **state)
{
    char kept[120], other[120], server[] = "10.0.0.1";

    keep_words(kept, sizeof(kept), "%s as %s, model %s", "Register", "SEP1", "7960");
    assert_string_equal(said(kept, LANGUAGE_EN), "Register as SEP1, model 7960");
    keep_words(kept, sizeof(kept), "%s request for %s to %s, no answer", "TFTP", "a.xml", server);
    server[0] = '9'; /* nothing is borrowed */
    assert_string_equal(said(kept, LANGUAGE_EN), "TFTP request for a.xml to 10.0.0.1, no answer");
    assert_string_equal(said(kept, LANGUAGE_ZH), "向 10.0.0.1 发出对 a.xml 的 TFTP 请求，没有应答");
    keep_words(other, sizeof(other), "%s request for %s to %s, no answer", "TFTP", "a.xml", "10.0.0.1");
    assert_string_equal(kept, other);
    assert_string_equal(said(kept, LANGUAGE_FR), "requête TFTP pour a.xml à 10.0.0.1, sans réponse");
}

static void numbers_choose_the_plural_of_the_language(void **state)
{
    char kept[120];

    keep_words(kept, sizeof(kept), "%s, %u [phone|phones]", "10.0.0.1", 1u);
    assert_string_equal(said(kept, LANGUAGE_EN), "10.0.0.1, 1 phone");
    assert_string_equal(said(kept, LANGUAGE_FR), "10.0.0.1, 1 téléphone");
    keep_words(kept, sizeof(kept), "%s, %u [phone|phones]", "10.0.0.1", 0u);
    assert_string_equal(said(kept, LANGUAGE_EN), "10.0.0.1, 0 phones");
    assert_string_equal(said(kept, LANGUAGE_FR), "10.0.0.1, 0 téléphone");
    keep_words(kept, sizeof(kept), "%s, %u [phone|phones]", "10.0.0.1", 37u);
    assert_string_equal(said(kept, LANGUAGE_FR), "10.0.0.1, 37 téléphones");
    assert_string_equal(said(kept, LANGUAGE_ZH), "10.0.0.1，37 部电话");
}

static void spans_have_the_units_and_the_point_of_the_language(void **state)
{
    static const struct {
        int64_t ns;
        const char *words[N_LANGUAGES];
    } rows[] = {
        {1500000, {"1.5 ms", "1,5 ms", "1.5 毫秒"}},
        {1234000000, {"1.2 s", "1,2 s", "1.2 秒"}},
        {45600000000, {"46 s", "46 s", "46 秒"}},
        {960000000000, {"16 min", "16 min", "16 分钟"}},
        {9000000000000, {"2.5 h", "2,5 h", "2.5 小时"}},
    };
    char kept[120], span[24];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (enum language l = 0; l < N_LANGUAGES; l++) {
            keep_words(kept, sizeof(kept), "%s", seconds(rows[i].ns, span));
            assert_string_equal(said(kept, l), rows[i].words[l]);
        }
}

static void words_inside_a_sentence_are_said_too(void **state)
{
    char kept[120];

    keep_words(kept, sizeof(kept), "%u, sent by %s", 40u, WORDS("the phone"));
    assert_string_equal(said(kept, LANGUAGE_EN), "40, sent by the phone");
    assert_string_equal(said(kept, LANGUAGE_ZH), "40，发送方：电话");
    keep_words(kept, sizeof(kept), "\x12line\x1f %u: \x12%s\x1f", 3u, "mismatched tag"); /* expat's */
    assert_string_equal(said(kept, LANGUAGE_FR), "ligne 3: balises qui ne se correspondent pas");
    kept[0] = '\0';
    keep_also(kept, sizeof(kept), "VLAN %u", 20u);
    keep_also(kept, sizeof(kept), "load %s", "P0030");
    assert_string_equal(said(kept, LANGUAGE_EN), "VLAN 20, load P0030");
    assert_string_equal(said(kept, LANGUAGE_FR), "VLAN 20, firmware P0030");
}

static void a_peers_name_neither_commands_nor_lies(void **state)
{
    char kept[120];

    keep_words(kept, sizeof(kept), "%s, %u [phone|phones]", "a\x1b[2J\x1e\x01@@b%s[x|y]", 2u);
    assert_string_equal(said(kept, LANGUAGE_EN), "a?[2J??@@b%s[x|y], 2 phones");
    keep_words(kept, sizeof(kept), "%s", "\xe2\x80\xae"
                                         "abc\xff");
    assert_string_equal(said(kept, LANGUAGE_EN), "?abc?");
}

static void an_empty_text_may_be_nowhere(void **state)
{
    struct text none = {getenv("no such variable"), 0}; /* NULL, unknown to the compiler */
    char kept[120];

    keep_words(kept, sizeof(kept), "%s, %.*s", "a", TEXT_ARG(none));
    assert_string_equal(said(kept, LANGUAGE_EN), "a, ");
}

static void what_does_not_fit_is_cut_at_every_length(void **state)
{
    char kept[64];

    for (size_t n = 1; n < sizeof(kept); n++) {
        keep_words(kept, n, "%s says: router %s, %s", "10.0.0.1", "réseau", WORDS("with a boot server"));
        assert_true(strlen(kept) < n);
        for (enum language l = 0; l < N_LANGUAGES; l++)
            said(kept, l);
    }
}

/* ---- the table ---- */

#define PLACES 8

/* Types of the arguments in their order: 's' or 'u'. False: malformed, or one is used twice. */
static bool arguments(const char *format, char types[static PLACES + 1])
{
    unsigned next = 0;

    memset(types, '\0', PLACES + 1);
    for (const char *at = format; (at = strchr(at, '%')); at++) {
        unsigned place = next;
        char *end;

        if (*++at == '%')
            continue;
        if (isdigit((unsigned char)*at) && strtoul(at, &end, 10) && *end == '$') {
            place = (unsigned)strtoul(at, &end, 10) - 1;
            at = end + 1;
        } else
            next++;
        at += strspn(at, ".*0123456789lz");
        if (place >= PLACES || types[place] || !strchr("sud", *at))
            return false;
        types[place] = *at == 's' ? 's' : 'u';
    }
    return true;
}

static void every_sentence_has_three_texts_with_the_same_arguments(void **state)
{
    const struct sentence *s, *before = NULL;

    for (size_t i = 0; (s = sentence_row(i)); before = s, i++) {
        char english[PLACES + 1], types[PLACES + 1];

        if (before && strcmp(before->text[LANGUAGE_EN], s->text[LANGUAGE_EN]) >= 0)
            fail_msg("out of order: %s", s->text[LANGUAGE_EN]);
        assert_true(arguments(s->text[LANGUAGE_EN], english));
        for (enum language l = LANGUAGE_FR; l < N_LANGUAGES; l++)
            if (!s->text[l] || !*s->text[l] || !arguments(s->text[l], types) || strcmp(types, english) != 0)
                fail_msg("other arguments: %s: %s", s->text[LANGUAGE_EN], s->text[l] ? s->text[l] : "");
    }
}

/* A blank there would leave the sign at the beginning of the next line. */
static bool breaks_before_signs(const char *french)
{
    return strstr(french, " :") || strstr(french, " ;") || strstr(french, " ?") || strstr(french, " !") ||
           strstr(french, " »") || strstr(french, "« ");
}

static void french_signs_stay_with_their_words(void **state)
{
    const struct sentence *s;

    for (size_t i = 0; (s = sentence_row(i)); i++)
        if (breaks_before_signs(s->text[LANGUAGE_FR]))
            fail_msg("%s", s->text[LANGUAGE_FR]);
    for (enum cause c = 0; c < N_CAUSES; c++) {
        const struct cause_words *w = cause_words(c, LANGUAGE_FR);
        const char *const all[] = {w->title, w->means, w->todo, w->here, w->there, cause_seen(c, LANGUAGE_FR)};

        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
            if (breaks_before_signs(all[i]))
                fail_msg("%s", all[i]);
    }
}

/* -- the sentences that the sources make -- */

static char source[1 << 18];

/* A literal at `at`, and those that follow it at once, as the compiler sees them. Behind it. */
static const char *literal(const char *at, char *to, size_t size)
{
    size_t n = 0;

    while (*at == '"') {
        for (at++; *at && *at != '"'; at++) {
            char c = *at;

            if (c == '\\' && *++at)
                c = *at == 'n' ? '\n' : *at == 't' ? '\t' : *at;
            if (n + 1 < size)
                to[n++] = c;
        }
        at += *at == '"';
        at += strspn(at, " \n");
    }
    to[n] = '\0';
    return at;
}

static bool has_letters(const char *s)
{
    for (; *s; s++) {
        if (*s == '%') {
            s += 1 + strspn(s + 1, ".*0123456789lz$");
            continue;
        }
        if (isalpha((unsigned char)*s))
            return true;
    }
    return false;
}

/* Of a protocol, the same in every language. */
static bool is_term(const char *s)
{
    for (const char *c = s; *c; c++)
        if (islower((unsigned char)*c))
            return strcmp(s, "Register") == 0;
    return true;
}

static void check_call(const char *file, const char *at)
{
    bool format = false, behind = false; /* seen; and its comma */
    char words[1024];

    for (int depth = 1; *at && depth; ) {
        if (strncmp(at, "WORDS(", 6) == 0) { /* looked at by itself */
            at = literal(at + 6, words, sizeof(words)) + 1;
        } else if (*at == '"') {
            at = literal(at, words, sizeof(words));
            format = true;
            if (behind && !is_term(words))
                fail_msg("%s: write WORDS(\"%s\"), for it is said too", file, words);
            if (!behind && has_letters(words) && !sentence_find(words))
                fail_msg("%s: no row in words/sentences.def: SENTENCE(\"%s\", …)", file, words);
        } else {
            depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
            behind |= format && depth == 1 && *at == ',';
            at++;
        }
    }
}

static void check_source(const char *path)
{
    static const char *const calls[] = {"prove(f,", "prove_spell(f,", "detail(f,", "story_tell(", "keep_words(",
                                        "keep_also(", "say_now(", "SHARED(", "WORDS(", "talk("};
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    source[fread(source, 1, sizeof(source) - 1, f)] = '\0';
    fclose(f);
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        for (const char *at = source; (at = strstr(at, calls[i])); at++)
            if (at == source || (!isalnum((unsigned char)at[-1]) && at[-1] != '_'))
                check_call(path, strchr(at, '(') + 1);
}

static void every_sentence_of_the_sources_has_a_row(void **state)
{
    static const char *const where[] = {SOURCE_ROOT "/src/doctor/*.c", SOURCE_ROOT "/src/doctor/*/*.c",
                                        SOURCE_ROOT "/src/lab/learn.c"};

    for (size_t i = 0; i < sizeof(where) / sizeof(*where); i++) {
        glob_t files;

        assert_int_equal(glob(where[i], 0, NULL, &files), 0);
        for (size_t k = 0; k < files.gl_pathc; k++)
            check_source(files.gl_pathv[k]);
        globfree(&files);
    }
}

/* The last two texts of each row of the laboratory: what was done, and the lesson. */
static void every_lesson_has_a_row(void **state)
{
    FILE *f = fopen(SOURCE_ROOT "/src/lab/faults/faults.def", "r");
    char words[8][1024];

    assert_non_null(f);
    source[fread(source, 1, sizeof(source) - 1, f)] = '\0';
    fclose(f);
    for (const char *at = source; (at = strstr(at, "\nLAB_FAULT(")); ) {
        unsigned n = 0;

        for (at += 10; *at && *at != ')';)
            at = *at == '"' ? literal(at, words[n++ % 8], sizeof(words[0])) : at + 1;
        assert_true(n >= 2);
        for (unsigned i = n - 2; i < n; i++)
            if (!sentence_find(words[i % 8]))
                fail_msg("lab/faults/faults.def: no row in words/sentences.def: SENTENCE(\"%s\", …)", words[i % 8]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_take_the_order_of_the_language),
        cmocka_unit_test(numbers_choose_the_plural_of_the_language),
        cmocka_unit_test(spans_have_the_units_and_the_point_of_the_language),
        cmocka_unit_test(words_inside_a_sentence_are_said_too),
        cmocka_unit_test(a_peers_name_neither_commands_nor_lies),
        cmocka_unit_test(an_empty_text_may_be_nowhere),
        cmocka_unit_test(what_does_not_fit_is_cut_at_every_length),
        cmocka_unit_test(every_sentence_has_three_texts_with_the_same_arguments),
        cmocka_unit_test(french_signs_stay_with_their_words),
        cmocka_unit_test(every_sentence_of_the_sources_has_a_row),
        cmocka_unit_test(every_lesson_has_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
