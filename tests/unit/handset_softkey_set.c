/* handset_softkey_set.c - the keys of a softkey file that a SIP phone shows. */
#include "handset/softkey_set.h"

#include "test.h"

#define FILE_TEXT                                                                                  \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<softKeyCfg><versionStamp>1</versionStamp>"       \
    "<typeSoftKey><softKeyDef keyID=\"Redial\"><tag>1</tag></softKeyDef></typeSoftKey>"            \
    "<softKeySets><softKeySet id=\"Off Hook\"><softKey keyID=\"EndCall\"/></softKeySet>"           \
    "<softKeySet id=\"On Hook\"><softKey keyID=\"Redial\"/><softKey keyID=\"Undefined\"/>"         \
    "<softKey keyID=\"NewCall\"/></softKeySet>"                                                    \
    "<softKeySet id=\"On Hold\"><softKey "                                                         \
    "keyID=\"Resume\"/></softKeySet></softKeySets></softKeyCfg>"

static unsigned read_set(const char *text, const char *set, struct screen_softkey *keys,
                         unsigned max)
{
    return softkey_set_read(text, strlen(text), set, keys, max);
}

static void the_keys_of_the_set_come_in_their_order(void **state)
{
    struct screen_softkey keys[16] = {0};

    assert_int_equal(read_set(FILE_TEXT, "On Hook", keys, 16), 2);
    assert_string_equal(keys[0].label, "Redial");
    assert_string_equal(keys[1].label, "NewCall");
    assert_int_equal(read_set(FILE_TEXT, "Ring In", keys, 16), 0);
}

static void no_more_than_there_is_room_for(void **state)
{
    struct screen_softkey keys[1] = {0};

    assert_int_equal(read_set(FILE_TEXT, "On Hook", keys, 1), 1);
    assert_string_equal(keys[0].label, "Redial");
}

static void what_is_no_softkey_file_has_no_keys(void **state)
{
    struct screen_softkey keys[16];

    assert_int_equal(read_set("<device/>", "On Hook", keys, 16), 0);
    assert_int_equal(read_set("not XML", "On Hook", keys, 16), 0);
    assert_int_equal(read_set("", "On Hook", keys, 16), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_of_the_set_come_in_their_order),
        cmocka_unit_test(no_more_than_there_is_room_for),
        cmocka_unit_test(what_is_no_softkey_file_has_no_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
