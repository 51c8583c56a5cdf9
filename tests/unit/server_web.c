/* server_web.c - sessions and guesses on a clock that is brought; paths of the REST API. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "server/web/pages.h"
#include "server/web/routes.h"
#include "server/web/sessions.h"

static char token[SESSION_TOKEN_MAX];

static struct session *found(struct sessions *s, uint64_t now_ms)
{
    return session_find(s, text_of(token), now_ms);
}

static void a_session_is_found_by_its_token_alone(void **state)
{
    struct sessions *s = sessions_new();
    const struct session *one = session_begin(s, TEXT("alice"), 7, 1000, token);

    assert_string_equal(one->user, "alice");
    assert_ptr_equal(found(s, 2000), one);
    assert_null(session_find(s, TEXT(""), 2000));
    assert_null(session_find(s, text_of(one->csrf), 2000));
    session_end(found(s, 2000));
    assert_null(found(s, 2000));
    sessions_free(s);
}

static void a_session_ends_by_silence_and_by_age(void **state)
{
    struct sessions *s = sessions_new();
    uint64_t now = 1000, begun = now;

    session_begin(s, TEXT("alice"), 7, now, token);
    for (; now - begun <= SESSION_MAX_MS; now += SESSION_IDLE_MS)
        assert_non_null(found(s, now));
    assert_null(found(s, now));
    session_begin(s, TEXT("alice"), 7, now, token);
    assert_null(found(s, now + SESSION_IDLE_MS + 1));
    sessions_free(s);
}

static void a_full_table_gives_up_the_session_silent_longest(void **state)
{
    struct sessions *s = sessions_new();
    char first[SESSION_TOKEN_MAX], second[SESSION_TOKEN_MAX];

    session_begin(s, TEXT("first"), 0, 1, first);
    session_begin(s, TEXT("second"), 0, 2, second);
    for (int i = 2; i < SESSIONS_MAX; i++)
        session_begin(s, TEXT("other"), 0, 3, token);
    assert_non_null(session_find(s, text_of(first), 4)); /* no longer the most silent */
    session_begin(s, TEXT("last"), 0, 5, token);
    assert_null(session_find(s, text_of(second), 6));
    assert_non_null(session_find(s, text_of(first), 6));
    sessions_free(s);
}

static void a_session_may_ask_in_bursts_and_then_at_a_rate(void **state)
{
    struct sessions *s = sessions_new();
    int n = 0;

    session_begin(s, TEXT("alice"), 7, 0, token);
    while (session_allows(found(s, 0)))
        n++;
    assert_int_equal(n, SESSION_BURST);
    for (n = 0; session_allows(found(s, 1000)); n++)
        ;
    assert_int_equal(n, SESSION_RATE);
    sessions_free(s);
}

static void who_guesses_waits_and_locks_nobody_out_for_long(void **state)
{
    struct sessions *s = sessions_new();
    struct ip bad = ip_v4(0x0a000001), good = ip_v4(0x0a000002);

    for (int i = 0; i < 4; i++)
        guess_wrong(s, bad, TEXT("alice"), 0);
    assert_int_equal(guess_wait_ms(s, bad, TEXT("alice"), 0), 0);
    for (int i = 0; i < 20; i++)
        guess_wrong(s, bad, TEXT("alice"), 0);
    assert_int_equal(guess_wait_ms(s, bad, TEXT("bob"), 0), 15 * 60 * 1000);
    assert_int_equal(guess_wait_ms(s, good, TEXT("alice"), 0), 30000);
    assert_int_equal(guess_wait_ms(s, good, TEXT("bob"), 0), 0);
    assert_int_equal(guess_wait_ms(s, good, TEXT("alice"), 30001), 0);
    guess_right(s, good, TEXT("alice"));
    guess_wrong(s, good, TEXT("alice"), 40000);
    assert_int_equal(guess_wait_ms(s, good, TEXT("alice"), 40000), 0);
    sessions_free(s);
}

static bool knows(struct text noun, struct text verb)
{
    static const char *const verbs[] = {"list", "show", "add", "set", "delete", "copy", "reset"};

    if (text_is(noun, "status"))
        return text_is(verb, "") || text_is(verb, "list");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs) && text_is(noun, "phone"); i++)
        if (text_is(verb, verbs[i]))
            return true;
    return false;
}

static int route(const char *method, const char *path, struct route *r)
{
    return route_find(text_of(method), text_of(path), knows, r);
}

static void methods_and_paths_are_the_words_of_the_command_line(void **state)
{
    static const struct {
        const char *method, *path, *verb, *name;
    } rows[] = {
        {"GET", "/api/v1/phone", "list", ""},
        {"GET", "/api/v1/status", "", ""},
        {"POST", "/api/v1/phone", "add", ""},
        {"GET", "/api/v1/phone/SEP001122334455", "show", "SEP001122334455"},
        {"PATCH", "/api/v1/phone/7001%2FBerlin", "set", "7001/Berlin"},
        {"DELETE", "/api/v1/phone/a%20b%3f", "delete", "a b?"},
        {"POST", "/api/v1/phone/x/reset", "reset", "x"},
        {"POST", "/api/v1/phone/reset", "reset", ""},
        {"GET", "/api/v1/phone/copy", "show", "copy"},
    };
    struct route r;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(route(rows[i].method, rows[i].path, &r), 0);
        assert_string_equal(r.verb->verb, rows[i].verb);
        assert_string_equal(r.name, rows[i].name);
    }
}

static void what_is_not_there_and_what_has_other_methods_differ(void **state)
{
    struct route r;

    assert_int_equal(route("PUT", "/api/v1/phone", &r), -ENOTSUP);
    assert_int_equal(route("GET", "/api/v1/phone/x/reset", &r), -ENOTSUP);
    assert_int_equal(route("GET", "/api/v1/", &r), -ENOENT);
    assert_int_equal(route("GET", "/api/v1/bird", &r), -ENOENT);
    assert_int_equal(route("POST", "/api/v1/phone/x/fly", &r), -ENOENT);
    assert_int_equal(route("GET", "/api/v1/phone/x/show", &r), -ENOENT);
    assert_int_equal(route("GET", "/api/v1/phone/x/reset/y", &r), -ENOENT);
    assert_int_equal(route("GET", "/api/v1/phone/%00", &r), -ENOENT);
    assert_int_equal(route("GET", "/api/v1/phone/%zz", &r), -ENOENT);
}

static void values_of_a_body_become_the_texts_of_fields(void **state)
{
    static const struct {
        const char *json, *text;
    } rows[] = {{"\"a\"", "a"},      {"5", "5"},           {"true", "yes"},
                {"null", ""},        {"[1,\"b\"]", "1;b"}, {"[]", ""},
                {"{\"a\":1}", NULL}, {"[[1]]", NULL},      {"1.5", NULL}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL), *made = route_field(value);

        if (rows[i].text)
            assert_string_equal(json_string_value(made), rows[i].text);
        else
            assert_null(made);
        json_decref(made);
        json_decref(value);
    }
}

static void a_file_of_the_page_has_a_plain_path_and_a_known_type(void **state)
{
    static const char *const
        good[] = {"index.html", "lib/api.js", "vendor/htm.LICENSE.txt"},
        *const bad[] = {"",           "/",           "../secret.js", "lib/../api.js", "lib//api.js",
                        ".hidden.js", "lib/.git.js", "a%2fb.js",     "a\\b.js",       "a b.js",
                        "lib/",       "./app.js"};

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(page_path_is_plain(good[i]) && page_type(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(page_path_is_plain(bad[i]));
    assert_null(page_type("dialtone.db"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_found_by_its_token_alone),
        cmocka_unit_test(a_session_ends_by_silence_and_by_age),
        cmocka_unit_test(a_full_table_gives_up_the_session_silent_longest),
        cmocka_unit_test(a_session_may_ask_in_bursts_and_then_at_a_rate),
        cmocka_unit_test(who_guesses_waits_and_locks_nobody_out_for_long),
        cmocka_unit_test(methods_and_paths_are_the_words_of_the_command_line),
        cmocka_unit_test(what_is_not_there_and_what_has_other_methods_differ),
        cmocka_unit_test(values_of_a_body_become_the_texts_of_fields),
        cmocka_unit_test(a_file_of_the_page_has_a_plain_path_and_a_known_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
