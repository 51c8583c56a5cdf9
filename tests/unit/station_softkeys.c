/* station_softkeys.c - the softkeys of a template as SCCP phones are sent them. */
#include "test.h"

#include "directory_lines.h"
#include "station/softkeys.h"

static void the_usual_softkeys_are_twenty_in_eleven_sets(void **state)
{
    static struct sccp_softkey_template t;
    static struct sccp_softkey_set s;

    softkeys_template(NULL, true, &t);
    softkeys_sets(NULL, &s);
    assert_int_equal(t.count, 20);
    assert_int_equal(s.count, 11);
    assert_memory_equal(t.keys[15].label, "\x80\x43",
                        3); /* Barge: position 16, event 21, label 67 */
    assert_int_equal(t.keys[15].event, 21);
    assert_memory_equal(s.sets[0].keys, "\x01\x02\x05\x00", 4);
    softkeys_template(NULL, false, &t);
    assert_string_equal(t.keys[5].label, "<<");
}

static void a_template_with_more_keys_gets_the_rest(void **state)
{
    const struct directory *dir =
        directory_of_lines("softkeys S sets=\"on_hook,Redial DND;connected,EndCall Hold\"\n");
    const struct softkeys *softkeys = directory_find(dir, ENTITY_softkeys, TEXT("S"));
    static struct sccp_softkey_template t;
    static struct sccp_softkey_set s;

    softkeys_template(softkeys, true, &t);
    softkeys_sets(softkeys, &s);
    assert_true(t.count > 20 && t.count <= 32);
    assert_int_equal(s.sets[0].keys[0], 1);
    assert_int_equal(t.keys[s.sets[0].keys[1] - 1].label[1], 63); /* DND */
    assert_memory_equal(s.sets[1].keys, "\x07\x03\x00", 3);
    assert_int_equal(s.sets[3].keys[0], 9); /* sets that it does not name stay: Answer */
    directory_unref(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_softkeys_are_twenty_in_eleven_sets),
        cmocka_unit_test(a_template_with_more_keys_gets_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
