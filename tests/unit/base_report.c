#include "test.h"

#include "base/report.h"
#include "base/unicode.h"

static struct report *phones(void)
{
    struct report *r = report_new();

    report_column(r, TEXT("name"));
    report_column(r, TEXT("description"));
    report_column(r, TEXT("buttons"));
    report_column(r, TEXT("load"));
    report_column(r, TEXT("is_new"));
    report_cell(r, REPORT_TEXT, TEXT("SEP001122334455"));
    report_cell(r, REPORT_TEXT, TEXT("Réception"));
    report_number(r, 6);
    report_null(r);
    report_flag(r, true);
    report_cell(r, REPORT_TEXT, TEXT("SEP001122334456"));
    report_cell(r, REPORT_TEXT, TEXT("会议室, \"big\" <one>"));
    report_number(r, 34);
    report_null(r);
    report_flag(r, false);
    return r;
}

static void expect(struct report *r, enum report_shape shape, size_t width, const char *wanted)
{
    char *text = report_print(r, shape, width);

    assert_non_null(text);
    assert_string_equal(text, wanted);
    free(text);
    report_free(r);
}

static void a_table_aligns_by_columns_of_the_terminal_and_leaves_empty_columns_out(void **state)
{
    expect(phones(), REPORT_TABLE, 0,
           "name             description          buttons  is new\n"
           "SEP001122334455  Réception                  6  yes\n"
           "SEP001122334456  会议室, \"big\" <one>       34\n");
}

static void a_table_is_cut_to_the_width_of_the_terminal(void **state)
{
    expect(phones(), REPORT_TABLE, 52,
           "name             description         buttons  is new\n"
           "SEP001122334455  Réception                 6  yes\n"
           "SEP001122334456  会议室, \"big\" <on…       34\n");
}

static void what_still_does_not_fit_is_left_out_from_the_right(void **state)
{
    expect(phones(), REPORT_TABLE, 48,
           "name             description        buttons …\n"
           "SEP001122334455  Réception                6\n"
           "SEP001122334456  会议室, \"big\" <o…       34\n");
}

static void the_last_column_is_wrapped(void **state)
{
    struct report *r = report_new();

    report_column(r, TEXT("service"));
    report_column(r, TEXT("about"));
    report_cell(r, REPORT_TEXT, TEXT("TFTP"));
    report_cell(r, REPORT_TEXT, TEXT("UDP 69 is in use by dnsmasq (pid 812): stop it"));
    expect(r, REPORT_TABLE, 38,
           "service  about\n"
           "TFTP     UDP 69 is in use by dnsmasq\n"
           "         (pid 812): stop it\n");
}

static void json_keeps_numbers_flags_and_nothing(void **state)
{
    expect(phones(), REPORT_JSON, 0,
           "[{\"name\": \"SEP001122334455\", \"description\": \"Réception\", \"buttons\": 6, "
           "\"load\": null, "
           "\"is_new\": true},\n"
           " {\"name\": \"SEP001122334456\", \"description\": \"会议室, \\\"big\\\" <one>\", "
           "\"buttons\": 34, "
           "\"load\": null, \"is_new\": false}]\n");
}

static void csv_quotes_what_needs_it(void **state)
{
    expect(phones(), REPORT_CSV, 0,
           "name,description,buttons,load,is_new\r\n"
           "SEP001122334455,Réception,6,,true\r\n"
           "SEP001122334456,\"会议室, \"\"big\"\" <one>\",34,,false\r\n");
}

static void what_a_spreadsheet_would_compute_has_an_apostrophe_in_csv(void **state)
{
    static const char *const cells[][2] = {
        {"=1+1|cmd", "'=1+1|cmd"}, {"@SUM(A1)", "'@SUM(A1)"},   {"-2+3+cmd", "'-2+3+cmd"}, {"=a,b", "\"'=a,b\""},
        {"+4930 123", "+4930 123"}, {"-17", "-17"},             {"a=b", "a=b"}};

    for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
        struct report *r = report_new();
        char wanted[64];

        report_column(r, TEXT("a"));
        report_cell(r, REPORT_TEXT, text_of(cells[i][0]));
        snprintf(wanted, sizeof(wanted), "a\r\n%s\r\n", cells[i][1]);
        expect(r, REPORT_CSV, 0, wanted);
    }
}

static void html_is_escaped(void **state)
{
    struct report *r = report_new();

    report_column(r, TEXT("a"));
    report_cell(r, REPORT_TEXT, TEXT("<b>&\"\x1b"));
    expect(r, REPORT_HTML, 0,
           "<table>\n<tr><th>a</th></tr>\n<tr><td>&#60;b&#62;&#38;&#34;?</td></tr>\n</table>\n");
}

static void control_characters_of_a_peer_do_not_reach_the_terminal(void **state)
{
    struct report *r = report_new();

    report_column(r, TEXT("port"));
    report_cell(r, REPORT_TEXT, TEXT("\x1b[31mGi\n\xc2\x9b\xff\xe2\x80\xae"));
    expect(r, REPORT_TABLE, 0, "port\n?[31mGi????\n");
}

static void a_record_is_told_downwards_and_wrapped(void **state)
{
    struct report *r = report_new();

    report_set_record(r);
    report_column(r, TEXT("name"));
    report_column(r, TEXT("what_to_do"));
    report_column(r, TEXT("empty"));
    report_cell(r, REPORT_TEXT, TEXT("x"));
    report_cell(r, REPORT_TEXT, TEXT("turn auto-registration on\nor add it"));
    report_cell(r, REPORT_TEXT, TEXT(""));
    expect(r, REPORT_TABLE, 30,
           "name        x\n"
           "what to do  turn\n"
           "            auto-registration\n"
           "            on\n"
           "            or add it\n");
}

static void an_empty_list_is_a_heading_and_an_empty_array(void **state)
{
    struct report *r = report_new();

    report_column(r, TEXT("name"));
    report_column(r, TEXT("since"));
    expect(r, REPORT_JSON, 0, "[]\n");
    r = report_new();
    report_column(r, TEXT("name"));
    expect(r, REPORT_TABLE, 0, "name\n");
}

static void broken_utf8_is_shown_byte_by_byte(void **state)
{
    assert_int_equal(text_columns(TEXT("\xe4\xbc")), 2);
    assert_int_equal(text_columns(TEXT("e\xcc\x81")), 1);
    assert_int_equal(text_columns(TEXT("\xf0\x9f\x93\x9e")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_aligns_by_columns_of_the_terminal_and_leaves_empty_columns_out),
        cmocka_unit_test(a_table_is_cut_to_the_width_of_the_terminal),
        cmocka_unit_test(what_still_does_not_fit_is_left_out_from_the_right),
        cmocka_unit_test(the_last_column_is_wrapped),
        cmocka_unit_test(json_keeps_numbers_flags_and_nothing),
        cmocka_unit_test(csv_quotes_what_needs_it),
        cmocka_unit_test(what_a_spreadsheet_would_compute_has_an_apostrophe_in_csv),
        cmocka_unit_test(html_is_escaped),
        cmocka_unit_test(control_characters_of_a_peer_do_not_reach_the_terminal),
        cmocka_unit_test(a_record_is_told_downwards_and_wrapped),
        cmocka_unit_test(an_empty_list_is_a_heading_and_an_empty_array),
        cmocka_unit_test(broken_utf8_is_shown_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
