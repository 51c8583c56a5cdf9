/* io_certificates.c - an authority and what it signs: made once, renewed when they no longer fit.
 */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/certificates.h"

#define NOW 1800000000
#define DAY 86400

static const char *const names[] = {"cm1", "cm1.example.com", "192.0.2.1", "2001:db8::1"};

struct world {
    char folder[64], words[256];
    struct certificates_options options;
    unsigned made;
};

static void remove_file(const char *path)
{
    if (unlink(path) < 0)
        assert_int_equal(errno, ENOENT);
}

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    snprintf(w->folder, sizeof(w->folder), "/tmp/dialtone-certificates-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->options = (struct certificates_options){
        .folder = w->folder, .node = "cm1", .names = names, .n_names = 4, .now_s = NOW};
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    char path[CERTIFICATE_PATH_MAX];

    for (int id = 0; id < N_CERTIFICATES; id++) {
        remove_file(certificate_path(w->folder, (enum certificate_id)id, path));
        remove_file(certificate_key_path(w->folder, (enum certificate_id)id, path));
    }
    assert_int_equal(rmdir(w->folder), 0);
    free(w);
    return 0;
}

static int provide(struct world *w, int renew)
{
    return certificates_provide(&w->options, renew, &w->made, w->words, sizeof(w->words));
}

static struct certificate_facts facts(struct world *w, enum certificate_id id)
{
    struct certificate_facts f;
    char path[CERTIFICATE_PATH_MAX];

    assert_int_equal(certificate_read(certificate_path(w->folder, id, path), &f), 0);
    return f;
}

static void three_are_made_and_keys_are_nobody_elses(void **state)
{
    struct world *w = *state;
    char path[CERTIFICATE_PATH_MAX];
    struct certificate_facts f;
    struct stat st;

    assert_int_equal(provide(w, false), 0);
    assert_int_equal(w->made, 7);
    for (int id = 0; id < N_CERTIFICATES; id++) {
        assert_int_equal(stat(certificate_key_path(w->folder, (enum certificate_id)id, path), &st),
                         0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    f = facts(w, CERTIFICATE_NODE);
    assert_string_equal(f.subject, "cm1");
    assert_string_equal(f.issuer, "cm1 Dialtone authority");
    assert_string_equal(f.kind, "EC 256");
    assert_string_equal(f.names, "DNS:cm1, DNS:cm1.example.com, IP Address:192.0.2.1, "
                                 "IP Address:2001:DB8:0:0:0:0:0:1");
    assert_int_equal(f.until_s, NOW + 730 * (int64_t)DAY);
    assert_int_equal(strlen(f.sha256), 95);
    assert_string_equal(facts(w, CERTIFICATE_NODE_RSA).kind, "RSA 2048");
    assert_int_equal(facts(w, CERTIFICATE_AUTHORITY).until_s, NOW + 7300 * (int64_t)DAY);
}

static void what_fits_is_left_alone(void **state)
{
    struct world *w = *state;
    struct certificate_facts before;

    assert_int_equal(provide(w, false), 0);
    before = facts(w, CERTIFICATE_NODE);
    w->options.now_s += 300 * DAY;
    w->options.n_names = 2; /* more names than are wanted do no harm */
    assert_int_equal(provide(w, false), 0);
    assert_int_equal(w->made, 0);
    assert_string_equal(facts(w, CERTIFICATE_NODE).serial, before.serial);
}

static void a_new_name_and_a_near_end_renew_what_the_authority_signed(void **state)
{
    struct world *w = *state;

    w->options.n_names = 3;
    assert_int_equal(provide(w, false), 0);
    w->options.n_names = 4;
    assert_int_equal(provide(w, false), 0);
    assert_int_equal(w->made, 6);
    w->options.now_s += 701 * (int64_t)DAY;
    assert_int_equal(provide(w, false), 0);
    assert_int_equal(w->made, 6);
    assert_int_equal(provide(w, true), 0);
    assert_int_equal(w->made, 6);
}

static void a_new_authority_signs_all_again(void **state)
{
    struct world *w = *state;
    char path[CERTIFICATE_PATH_MAX];

    assert_int_equal(provide(w, false), 0);
    remove_file(certificate_key_path(w->folder, CERTIFICATE_AUTHORITY, path));
    assert_int_equal(provide(w, false), 0);
    assert_int_equal(w->made, 7);
}

static void a_key_that_cannot_be_read_is_not_replaced(void **state)
{
    struct world *w = *state;
    char path[CERTIFICATE_PATH_MAX];
    int fd;

    assert_int_equal(provide(w, false), 0);
    fd = open(certificate_key_path(w->folder, CERTIFICATE_NODE, path), O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "something", 9), 9);
    close(fd);
    assert_int_equal(provide(w, false), -EINVAL);
    assert_non_null(strstr(w->words, "node.key"));
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    struct world *w = *state;

    w->options.folder = "/nowhere/certificates";
    assert_int_equal(provide(w, false), -ENOENT);
    assert_non_null(strstr(w->words, "/nowhere/certificates"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(three_are_made_and_keys_are_nobody_elses, begin, end),
        cmocka_unit_test_setup_teardown(what_fits_is_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_new_name_and_a_near_end_renew_what_the_authority_signed,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_new_authority_signs_all_again, begin, end),
        cmocka_unit_test_setup_teardown(a_key_that_cannot_be_read_is_not_replaced, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_is_named, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
