/* handset_flash.c - what a phone keeps when it is off. */
#include "handset/boot/flash.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "test.h"

static const struct network set = {
    .alternate_tftp = true,
    .address = {.family = 4, .bytes = {192, 0, 2, 20}},
    .mask = {.family = 4, .bytes = {255, 255, 255, 0}},
    .router = {.family = 4, .bytes = {192, 0, 2, 1}},
    .tftp = {{.family = 4, .bytes = {192, 0, 2, 9}}},
    .domain = "example.com",
    .admin_vlan = 4095,
};

static void same(const struct network *a, const struct network *b)
{
    assert_int_equal(a->dhcp, b->dhcp);
    assert_int_equal(a->alternate_tftp, b->alternate_tftp);
    assert_true(ip_equal(a->address, b->address) && ip_equal(a->mask, b->mask));
    assert_true(ip_equal(a->router, b->router) || (ip_is_any(a->router) && ip_is_any(b->router)));
    assert_true(ip_equal(a->tftp[0], b->tftp[0]));
    assert_string_equal(a->domain, b->domain);
    assert_int_equal(a->admin_vlan, b->admin_vlan);
}

static void what_is_written_is_read(void **state)
{
    char bytes[1000];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct network read;
    unsigned line;

    flash_print(&set, &w);
    assert_int_equal(flash_parse((struct text){bytes, writer_len(&w)}, &read, &line), 0);
    same(&set, &read);
}

static void nothing_is_a_phone_from_the_factory(void **state)
{
    struct network read;
    unsigned line;

    assert_int_equal(flash_parse(TEXT("\n# nothing\n"), &read, &line), 0);
    assert_true(read.dhcp && !read.admin_vlan && ip_is_any(read.address));
}

static void nonsense_is_named_by_its_line(void **state)
{
    static const char *const texts[] = {"dhcp: yes\naddress: here\n", "dhcp: yes\nwlan: no\n",
                                        "dhcp: no\ndhcp: perhaps\n", "dhcp: no\nadmin_vlan: 5000",
                                        "dhcp: no\ndhcp"};
    struct network read;
    unsigned line;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        assert_int_equal(flash_parse(text_of(texts[i]), &read, &line), -EINVAL);
        assert_int_equal(line, 2);
    }
}

static void a_file_is_replaced_as_a_whole(void **state)
{
    char path[] = "/tmp/flash-XXXXXX", beside[sizeof(path) + 4];
    struct network read;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    snprintf(beside, sizeof(beside), "%s.new", path);
    assert_int_equal(flash_store(path, &set), 0);
    assert_int_equal(flash_load(path, &read), 0);
    same(&set, &read);
    assert_int_equal(access(beside, F_OK), -1);
    unlink(path);
    assert_int_equal(flash_load(path, &read), -ENOENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(nothing_is_a_phone_from_the_factory),
        cmocka_unit_test(nonsense_is_named_by_its_line),
        cmocka_unit_test(a_file_is_replaced_as_a_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
