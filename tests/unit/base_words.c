#include "test.h"

#include "base/words.h"

static void who_has_the_same_text_has_the_same_word(void **state)
{
    struct words *w = words_new();
    const char *a = words_take(w, TEXT("sip88xx.12-5-1")),
               *b = words_take(w, TEXT("sip88xx.12-5-1")), *other = words_take(w, TEXT("sip88xx"));

    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, other);
    assert_string_equal(other, "sip88xx");
    words_give(w, a);
    assert_string_equal(b, "sip88xx.12-5-1"); /* while one has it */
    words_give(w, b);
    words_give(w, other);
    words_free(w);
}

static void a_word_that_nobody_has_is_forgotten(void **state)
{
    struct words *w = words_new();
    char text[16];

    for (int i = 0; i < 1000; i++) { /* the sanitizer sees what is left */
        snprintf(text, sizeof(text), "%d", i);
        words_give(w, words_take(w, text_of(text)));
    }
    words_free(w);
}

static void an_empty_text_needs_no_word(void **state)
{
    struct words *w = words_new();

    assert_string_equal(words_take(w, TEXT("")), "");
    assert_string_equal(words_take(w, (struct text){"\0x", 2}), "");
    words_give(w, "");
    words_give(w, NULL);
    words_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_the_same_text_has_the_same_word),
        cmocka_unit_test(a_word_that_nobody_has_is_forgotten),
        cmocka_unit_test(an_empty_text_needs_no_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
