#include "test.h"

#include <errno.h>
#include <unistd.h>

#include "server/bootstrap.h"

static char error[512];

static void what_is_set_beats_the_default(void **state)
{
    struct bootstrap b;

    bootstrap_default(&b);
    assert_int_equal(b.sccp_port, 2000);
    assert_int_equal(bootstrap_set(&b, "sccp.port = 12000", error, sizeof(error)), 0);
    assert_int_equal(b.sccp_port, 12000);
    assert_int_equal(bootstrap_set(&b, "node.name=alpha", error, sizeof(error)), 0);
    assert_string_equal(b.node_name, "alpha");
}

static void what_cannot_be_set_is_said_in_words(void **state)
{
    struct bootstrap b;

    bootstrap_default(&b);
    assert_int_equal(bootstrap_set(&b, "scpp.port=1", error, sizeof(error)), -ENOENT);
    assert_string_equal(error, "there is no setting 'scpp.port'; did you mean 'sccp.port'?");
    assert_int_equal(bootstrap_set(&b, "sccp.port=70000", error, sizeof(error)), -EINVAL);
    assert_string_equal(error, "sccp.port takes a number from 0 to 65535, not '70000'");
    assert_int_equal(bootstrap_set(&b, "sccp.port", error, sizeof(error)), -EINVAL);
    assert_string_equal(error, "'sccp.port' is not of the form key=value");
}

static int load(struct bootstrap *b, const char *text)
{
    char path[] = "/tmp/dialtone-conf-XXXXXX";
    int err, fd = mkstemp(path);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    bootstrap_default(b);
    err = bootstrap_load(b, path, error, sizeof(error));
    unlink(path);
    return err;
}

static void a_file_has_sections_or_dotted_names(void **state)
{
    struct bootstrap b;

    assert_int_equal(load(&b, "node.name = beta\n; comment\n[sccp]\nport = 2001\n"), 0);
    assert_string_equal(b.node_name, "beta");
    assert_int_equal(b.sccp_port, 2001);
}

static void a_faulty_file_is_refused_with_its_line(void **state)
{
    struct bootstrap b;

    assert_int_equal(load(&b, "[sccp]\nport = 2001\ncolour = red\n"), -ENOENT);
    assert_non_null(strstr(error, "line 3: there is no setting 'sccp.colour'"));
    assert_int_equal(load(&b, "[sccp]\njust words\n"), -EINVAL);
    assert_non_null(strstr(error, "line 2"));
}

static void what_is_kept_holds_until_something_stronger_says_otherwise(void **state)
{
    char folder[] = "/tmp/dialtone-kept-XXXXXX", path[128];
    struct bootstrap b;

    assert_non_null(mkdtemp(folder));
    bootstrap_default(&b);
    snprintf(b.data, sizeof(b.data), "%s", folder);
    assert_int_equal(bootstrap_load_kept(&b, error, sizeof(error)), 0); /* there is no file */
    assert_int_equal(bootstrap_keep(&b, TEXT("dhcp.interfaces"), TEXT("eth0, eth1"), error, sizeof(error)), 0);
    assert_int_equal(bootstrap_keep(&b, TEXT("dhcp.mode"), TEXT("sidecar"), error, sizeof(error)), 0);
    assert_int_equal(bootstrap_store_kept(&b), 0);

    bootstrap_default(&b);
    snprintf(b.data, sizeof(b.data), "%s", folder);
    assert_int_equal(bootstrap_set(&b, "dhcp.mode=full", error, sizeof(error)), 0);
    assert_int_equal(bootstrap_load_kept(&b, error, sizeof(error)), 0);
    assert_string_equal(b.dhcp_interfaces, "eth0, eth1");
    assert_string_equal(b.dhcp_mode, "full");
    assert_int_equal(b.from[BOOT_dhcp_interfaces], BOOT_KEPT);
    assert_int_equal(bootstrap_keep(&b, TEXT("dhcp.mode"), TEXT("sidecar"), error, sizeof(error)), -EPERM);
    assert_int_equal(bootstrap_keep(&b, TEXT("dhcp.interfaces"), TEXT(""), error, sizeof(error)), 0);
    assert_string_equal(b.dhcp_interfaces, "");
    assert_int_equal(b.from[BOOT_dhcp_interfaces], BOOT_DEFAULT);
    snprintf(path, sizeof(path), "%s/" BOOTSTRAP_KEPT_FILE, folder);
    unlink(path);
    rmdir(folder);
}

static void only_live_settings_are_kept_and_nothing_that_reads_otherwise(void **state)
{
    struct bootstrap b;

    bootstrap_default(&b);
    assert_int_equal(bootstrap_keep(&b, TEXT("sccp.port"), TEXT("2001"), error, sizeof(error)), -ENOTSUP);
    assert_int_equal(bootstrap_keep(&b, TEXT("dhcp.interface"), TEXT("eth0"), error, sizeof(error)), -ENOENT);
    assert_int_equal(bootstrap_keep(&b, TEXT("dhcp.mode"), TEXT("fully"), error, sizeof(error)), -EINVAL);
    assert_int_equal(bootstrap_keep(&b, TEXT("simulated.phones"), TEXT("9"), error, sizeof(error)), -EINVAL);
    assert_int_equal(bootstrap_keep(&b, TEXT("dhcp.interfaces"), TEXT("eth0\nsccp.port = 1"), error, sizeof(error)), -EINVAL);
    assert_int_equal(bootstrap_keep(&b, TEXT("dhcp.interfaces"), TEXT("eth0 ;"), error, sizeof(error)), -EINVAL);
    assert_string_equal(b.dhcp_interfaces, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_beats_the_default),
        cmocka_unit_test(what_cannot_be_set_is_said_in_words),
        cmocka_unit_test(a_file_has_sections_or_dotted_names),
        cmocka_unit_test(a_faulty_file_is_refused_with_its_line),
        cmocka_unit_test(what_is_kept_holds_until_something_stronger_says_otherwise),
        cmocka_unit_test(only_live_settings_are_kept_and_nothing_that_reads_otherwise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
