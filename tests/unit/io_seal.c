/* io_seal.c - texts that only the key opens. */
#include "io/seal.h"

#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char folder[64], path[128], error[200];

static int set_up(void **state)
{
    strcpy(folder, "/tmp/dialtone-seal-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/secrets.key", folder);
    return 0;
}

static int tear_down(void **state)
{
    unlink(path);
    return rmdir(folder);
}

static struct seal *seal(void)
{
    struct seal *s = NULL;

    if (seal_new(path, &s, error, sizeof(error)))
        fail_msg("%s", error);
    return s;
}

static void what_is_sealed_is_opened_after_a_restart(void **state)
{
    char clear[SEAL_CLEAR_MAX], sealed[SEAL_TEXT_MAX], again[SEAL_TEXT_MAX],
        open[SEAL_CLEAR_MAX + 1];
    struct seal *s, *later;

    memset(clear, 'x', sizeof(clear));
    for (size_t len = 0; len <= SEAL_CLEAR_MAX; len++) {
        struct text t = {clear, len};

        s = seal();
        assert_int_equal(seal_close(s, t, sealed), 0);
        assert_int_equal(seal_close(s, t, again), 0);
        assert_string_not_equal(sealed, again); /* two alike are not seen to be alike */
        assert_true(seal_is(text_of(sealed)));
        later = seal();
        assert_int_equal(seal_open(later, text_of(sealed), open), 0);
        assert_true(text_equal(t, text_of(open)));
        seal_free(s);
        seal_free(later);
    }
}

static void the_key_is_for_its_owner_alone_and_made_when_needed(void **state)
{
    char sealed[SEAL_TEXT_MAX];
    struct seal *s = seal();
    struct stat st;

    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(seal_close(s, TEXT("x"), sealed), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 32);
    seal_free(s);
}

static void a_changed_byte_or_another_key_opens_nothing(void **state)
{
    char sealed[SEAL_TEXT_MAX], other[SEAL_TEXT_MAX], open[SEAL_CLEAR_MAX + 1];
    struct seal *s = seal();

    /* no fill bits in the last group, which change nothing */
    assert_int_equal(seal_close(s, TEXT("8 bytes!"), sealed), 0);
    for (size_t i = strlen("sealed:"); sealed[i]; i++) {
        char was = sealed[i];

        sealed[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(seal_open(s, text_of(sealed), open), -EBADMSG);
        sealed[i] = was;
        assert_int_equal(seal_open(s, (struct text){sealed, i}, open), -EBADMSG);
    }
    assert_int_equal(unlink(path), 0);
    seal_free(s);
    s = seal();
    assert_int_equal(seal_open(s, text_of(sealed), open), -EBADMSG);
    assert_int_equal(seal_close(s, TEXT("x"), other), 0);
    assert_int_equal(seal_open(s, text_of(sealed), open), -EBADMSG);
    seal_free(s);
}

static void a_file_that_is_no_key_is_refused(void **state)
{
    struct seal *s = NULL;
    FILE *f = fopen(path, "w");

    fputs("too short", f);
    fclose(f);
    assert_int_equal(seal_new(path, &s, error, sizeof(error)), -EBADMSG);
    assert_non_null(strstr(error, "no key"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_sealed_is_opened_after_a_restart),
        TEST(the_key_is_for_its_owner_alone_and_made_when_needed),
        TEST(a_changed_byte_or_another_key_opens_nothing),
        TEST(a_file_that_is_no_key_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
