/* core_sip.c - what the configuration says of a SIP device. */
#include "test.h"

#include "core/models.h"
#include "core/settings.h"
#include "core/sip.h"
#include "directory_lines.h"

static const char lines[] = "user alice digest_password=secret\n"
                            "user bob\n"
                            "partition Berlin\n"
                            "phone SEP0000000000A1 model=8841 lines=7001;7002/Berlin owner=alice\n"
                            "phone SEP0000000000A2 model=7960 protocol=sip lines=7001\n"
                            "phone softphone1 model=third-party-basic protocol=sip lines=7003 "
                            "owner=bob digest_user=alice\n";

static const struct phone *phone(const struct directory *dir, const char *name)
{
    const struct phone *p = directory_phone(dir, text_of(name));

    assert_non_null(p);
    return p;
}

static void a_phone_without_profiles_has_the_standard_ones(void **state)
{
    const struct directory *dir = directory_of_lines(lines), *empty = directory_empty();
    const struct phone *p = phone(dir, "SEP0000000000A1");

    assert_int_equal(p->protocol, PROTOCOL_SIP);
    assert_string_equal(sip_profile_of(dir, p)->name, STANDARD_SIP_PROFILE);
    assert_int_equal(sip_profile_of(dir, p)->timer_register_expires, 3600);
    assert_string_equal(security_profile_of(dir, p)->name, STANDARD_SIP_SECURITY);
    assert_false(security_profile_of(dir, p)->digest_authentication);
    assert_true(security_profile_of(dir, phone(dir, "SOFTPHONE1"))->digest_authentication);
    assert_int_equal(sip_profile_of(empty, p)->stop_media_port, 32766);
    assert_int_equal(security_profile_of(empty, p)->sip_port, 5060);
    directory_unref(empty);
    directory_unref(dir);
}

static void sip_of_another_make_is_a_protocol_of_its_own(void **state)
{
    const struct directory *dir = directory_of_lines(lines);

    assert_int_equal(phone(dir, "SOFTPHONE1")->protocol, PROTOCOL_SIP_THIRD_PARTY);
    assert_string_equal(model_find(336)->title, "Third-party SIP Device (Basic)");
    assert_int_equal(model_find(374)->max_lines, 8);
    directory_unref(dir);
}

static void a_digest_password_is_kept_as_hashes_for_its_realm(void **state)
{
    const struct directory *dir = directory_of_lines(lines);
    const struct user *alice = directory_find(dir, ENTITY_user, TEXT("alice"));
    struct credentials c;

    assert_true(digest_credentials_of(dir, alice, &c));
    assert_true(text_is(c.md5, "0d6cb9dc0e49f65b3df9fadaac48e370")); /* alice:ccmsipline:secret */
    assert_true(
        text_is(c.sha256, "6e6ba11654ea2a9460a1d1e300f341041259da827832835a0888a0cfc850319c"));
    assert_null(strstr(alice->digest_password, "secret"));
    assert_false(digest_credentials_of(dir, directory_find(dir, ENTITY_user, TEXT("bob")), &c));
    dir = directory_with(dir, "parameter sip_realm value=elsewhere\n");
    assert_false(digest_credentials_of(dir, directory_find(dir, ENTITY_user, TEXT("alice")), &c));
    directory_unref(dir);
}

static void a_digest_password_can_be_read_back_only_when_it_is_wanted(void **state)
{
    const struct directory *dir = directory_of_lines(lines);
    struct credentials c;

    assert_true(digest_credentials_of(dir, directory_find(dir, ENTITY_user, TEXT("alice")), &c));
    assert_null(c.password.at);
    dir = directory_with(dir, "parameter sip_digest_recoverable value=1\n");
    dir = directory_with(dir, "user carol digest_password=a:b\n");
    assert_true(digest_credentials_of(dir, directory_find(dir, ENTITY_user, TEXT("carol")), &c));
    assert_true(text_is(c.password, "a:b"));
    assert_true(text_is(c.user, "carol"));
    directory_unref(dir);
}

static void who_is_renamed_gives_his_digest_password_again(void **state)
{
    const struct directory *dir = directory_of_lines(lines);
    struct change *c = change_new();
    char error[200];

    change_set(c, ENTITY_user, TEXT("alice"));
    change_field(c, TEXT("name"), TEXT("alina"));
    assert_int_equal(directory_change(&dir, c, error, sizeof(error)), -EINVAL);
    assert_non_null(strstr(error, "give it again"));
    change_field(c, TEXT("digest_password"), TEXT("other"));
    assert_int_equal(directory_change(&dir, c, error, sizeof(error)), 0);
    assert_string_equal(phone(dir, "SOFTPHONE1")->digest_user, "alina");
    change_free(c);
    directory_unref(dir);
}

static void a_digest_user_leads_to_his_devices(void **state)
{
    const struct directory *dir = directory_of_lines(lines);
    const struct phone *p = directory_digest_device(dir, TEXT("ALICE"), "");

    assert_string_equal(p->name, "SEP0000000000A1");
    p = directory_digest_device(dir, TEXT("alice"), p->name);
    assert_string_equal(p->name, "SOFTPHONE1");
    assert_null(directory_digest_device(dir, TEXT("alice"), p->name));
    assert_null(directory_digest_device(dir, TEXT("bob"), ""));
    dir = directory_with(dir, "phone softphone1 digest_user=bob\n");
    assert_string_equal(directory_digest_device(dir, TEXT("bob"), "")->name, "SOFTPHONE1");
    assert_null(directory_digest_device(dir, TEXT("alice"), "SEP0000000000A1"));
    directory_unref(dir);
}

static void a_contact_stands_for_a_line_on_a_phone(void **state)
{
    const struct directory *dir = directory_of_lines(lines);
    const struct phone *p = phone(dir, "SEP0000000000A1"), *other = phone(dir, "SEP0000000000A2");
    char first[SIP_CONTACT_LEN + 1], second[SIP_CONTACT_LEN + 1];

    sip_contact_user(p, "7001", first);
    assert_string_equal(
        first,
        "ae080d65-9eb6-809d-a3c1-0000000000a1"); /* phones have it in their files: never another */
    assert_int_equal(first[14], '8');            /* version and variant of RFC 9562 */
    assert_non_null(strchr("89ab", first[19]));
    assert_string_not_equal(first, sip_contact_user(p, "7002/Berlin", second));
    assert_string_not_equal(first, sip_contact_user(other, "7001", second));
    assert_ptr_equal(sip_button_of(p, text_of(first)), &p->buttons[0]);
    assert_ptr_equal(sip_button_of(p, text_of(sip_contact_user(p, "7002/Berlin", second))),
                     &p->buttons[1]);
    assert_ptr_equal(sip_button_of(p, TEXT("7002")), &p->buttons[1]);
    assert_null(sip_button_of(other, text_of(first)));
    assert_null(sip_button_of(p, TEXT("7003")));
    directory_unref(dir);
}

static void assert_stamp_changes(const struct directory **dir, const char *change, unsigned which)
{
    struct sip_stamps before, after;

    sip_stamps(*dir, phone(*dir, "SEP0000000000A1"), &before);
    *dir = directory_with(*dir, change);
    sip_stamps(*dir, phone(*dir, "SEP0000000000A1"), &after);
    if ((which & 1) != (strcmp(before.config, after.config) != 0) ||
        (which & 2) / 2 != (strcmp(before.dialplan, after.dialplan) != 0) ||
        (which & 4) / 4 != (strcmp(before.softkeys, after.softkeys) != 0))
        fail_msg("%s: %s %s %s, then %s %s %s", change, before.config, before.dialplan,
                 before.softkeys, after.config, after.dialplan, after.softkeys);
}

static void a_stamp_changes_with_what_stands_behind_it(void **state)
{
    static const struct {
        const char *change;
        unsigned which; /* 1 configuration, 2 dial plan, 4 softkeys */
    } rows[] = {
        {"phone SEP0000000000A1 description=x", 1},
        {"line 7001 alerting_name=x", 1},
        {"line 7003 alerting_name=x", 0},
        {"phone SEP0000000000A2 description=x", 0},
        {"pool Default user_locale=x", 1},
        {"datetime CMLocal time_zone=UTC", 1},
        {"callmanager cm1 sip_port=5070", 1},
        {"sip-profile \"Standard SIP Profile\" timer_t1=600", 1},
        {"parameter url_services value=x", 1},
        {"parameter url_services value=", 1},
        {"defaults 8841/sip load=x", 1},
        {"defaults 8845/sip load=x", 0},
        {"softkeys \"Standard User\" description=x", 4},
        {"dial-rules x rules=9.......,0", 0},
        {"phone SEP0000000000A1 dial_rules=x", 3},
        {"dial-rules x rules=8.......,0", 2},
        {"user alice digest_password=x", 1},
    };
    const struct directory *dir = directory_of_lines(lines);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_stamp_changes(&dir, rows[i].change, rows[i].which);
    directory_unref(dir);
}

/* Imports at two nodes are other snapshots, in another order. A phone that finds another stamp at
 * its backup reads its files again and starts anew. */
static void nodes_that_were_told_the_same_quote_the_same_stamps(void **state)
{
    const struct directory *first = directory_of_lines(lines),
                           *second = directory_with(directory_of_lines("line 7099"), lines);
    struct sip_stamps a, b;

    second = directory_with(second, "server 10.0.0.1 description=words");
    second = directory_with(second, "callmanager cm1 description=words fingerprint="
                                    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
    sip_stamps(first, phone(first, "SEP0000000000A1"), &a);
    sip_stamps(second, phone(second, "SEP0000000000A1"), &b);
    assert_memory_equal(&a, &b, sizeof(a));
    directory_unref(first);
    directory_unref(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_without_profiles_has_the_standard_ones),
        cmocka_unit_test(sip_of_another_make_is_a_protocol_of_its_own),
        cmocka_unit_test(a_digest_password_is_kept_as_hashes_for_its_realm),
        cmocka_unit_test(a_digest_password_can_be_read_back_only_when_it_is_wanted),
        cmocka_unit_test(who_is_renamed_gives_his_digest_password_again),
        cmocka_unit_test(a_digest_user_leads_to_his_devices),
        cmocka_unit_test(a_contact_stands_for_a_line_on_a_phone),
        cmocka_unit_test(a_stamp_changes_with_what_stands_behind_it),
        cmocka_unit_test(nodes_that_were_told_the_same_quote_the_same_stamps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
