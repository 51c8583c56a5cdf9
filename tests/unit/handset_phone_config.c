/* handset_phone_config.c - configuration files as phones read them. */
#include "handset/phone_config.h"

#include "test.h"

static const char own[] =
    "<device xsi:type=\"axl:XIPPhone\" "
    "ctiid=\"1\"><deviceProtocol>SCCP</deviceProtocol><devicePool>"
    "<dateTimeSetting><dateTemplate>D.M.Y</dateTemplate><timeZone>GMT Standard/Daylight "
    "Time</timeZone></dateTimeSetting>"
    "<callManagerGroup><members>"
    "<member priority=\"1\"><callManager><ports><ethernetPhonePort>2001</ethernetPhonePort></ports>"
    "<processNodeName>cm2.example.com</processNodeName></callManager></member>"
    "<member "
    "priority=\"0\"><callManager><ports><ethernetPhonePort>2000</"
    "ethernetPhonePort><mgcpPorts><listen>2427</listen>"
    "</mgcpPorts></ports><processNodeName>192.0.2.11</processNodeName></callManager></member>"
    "</members></callManagerGroup><connectionMonitorDuration>90</connectionMonitorDuration></"
    "devicePool>"
    "<versionStamp>{0001}</versionStamp><loadInformation>SCCP41.9-4-2SR3-1S</loadInformation>"
    "<unknownThing>1</unknownThing><userLocale><name>English</name></userLocale>"
    "<deviceSecurityMode>7</deviceSecurityMode><directoryURL></directoryURL>"
    "<servicesURL>http://h/a?x&amp;y</servicesURL></device>";

static void an_own_file_gives_servers_in_order_of_priority(void **state)
{
    struct phone_config c;

    assert_int_equal(phone_config_read_xml(own, sizeof(own) - 1, 30018, &c), 0);
    assert_false(c.is_default);
    assert_int_equal(c.n_servers, 2);
    assert_string_equal(c.servers[0].name, "192.0.2.11");
    assert_int_equal(c.servers[0].port, 2000);
    assert_string_equal(c.servers[1].name, "cm2.example.com");
    assert_int_equal(c.servers[1].port, 2001);
    assert_string_equal(c.load, "SCCP41.9-4-2SR3-1S");
    assert_string_equal(c.version_stamp, "{0001}");
    assert_string_equal(c.date_template, "D.M.Y");
    assert_string_equal(c.user_locale, "English");
    assert_string_equal(c.services_url, "http://h/a?x&y");
    assert_int_equal(c.monitor_s, 90);
    assert_int_equal(c.security_mode, 1); /* 7 does not exist */
}

static void only_the_first_three_servers_are_kept(void **state)
{
    char xml[2048] = "<device><devicePool><callManagerGroup><members>";
    struct phone_config c;

    for (int i = 4; i >= 0; i--)
        snprintf(xml + strlen(xml), sizeof(xml) - strlen(xml),
                 "<member "
                 "priority=\"%d\"><callManager><processNodeName>10.0.0.%d</processNodeName></"
                 "callManager></member>",
                 i, i);
    strcat(xml, "</members></callManagerGroup></devicePool></device>");
    assert_int_equal(phone_config_read_xml(xml, strlen(xml), 7, &c), 0);
    assert_int_equal(c.n_servers, 3);
    assert_string_equal(c.servers[0].name, "10.0.0.0");
    assert_string_equal(c.servers[2].name, "10.0.0.2");
    assert_int_equal(c.servers[1].port, 2000);
}

static void a_default_file_gives_the_load_of_the_own_model(void **state)
{
    static const char xml[] =
        "<Default><callManagerGroup><members><member priority=\"0\"><callManager><ports>"
        "<ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>192.0.2.11</"
        "processNodeName>"
        "</callManager></member></members></callManagerGroup>"
        "<loadInformation7 model=\"7960\">P0030801SR02</loadInformation7>"
        "<loadInformation115 model=\"7941\">SCCP41.9-4-2SR3-1S</loadInformation115></Default>";
    struct phone_config c;

    assert_int_equal(phone_config_read_xml(xml, sizeof(xml) - 1, 7, &c), 0);
    assert_true(c.is_default);
    assert_string_equal(c.load, "P0030801SR02");
    assert_int_equal(phone_config_read_xml(xml, sizeof(xml) - 1, 8, &c), 0);
    assert_string_equal(c.load, "");
    assert_int_equal(c.n_servers, 1);
}

static void another_root_and_broken_xml_are_refused(void **state)
{
    struct phone_config c;

    assert_int_equal(phone_config_read_xml("<html></html>", 13, 7, &c), -EBADMSG);
    assert_int_equal(phone_config_read_xml("", 0, 7, &c), -EBADMSG);
}

static void truncation_is_refused_at_every_length(void **state)
{
    struct phone_config c;

    for (size_t n = 0; n < sizeof(own) - 1; n++) {
        char *cut = malloc(n ? n : 1);

        memcpy(cut, own, n);
        assert_int_equal(phone_config_read_xml(cut, n, 7, &c), -EBADMSG);
        free(cut);
    }
}

static const uint8_t binary[] = {1, 1, 0,   1,   2,   192, 0, 2, 11, 1, 3, 0xd0, 7,   0, 0,
                                 1, 1, 1,   1,   2,   192, 0, 2, 12, 1, 3, 0xd1, 7,   0, 0,
                                 4, 7, 'h', 't', 't', 'p', 0, 0, 0,  0, 0, 1,    0xff};

static void a_binary_file_gives_servers_and_the_directory(void **state)
{
    struct phone_config c;

    assert_int_equal(phone_config_read_cnf(binary, sizeof(binary), &c), 0);
    assert_int_equal(c.n_servers, 2);
    assert_string_equal(c.servers[0].name, "192.0.2.11");
    assert_int_equal(c.servers[1].port, 2001);
    assert_string_equal(c.directory_url, "http");
}

static void a_truncated_binary_file_is_refused(void **state)
{
    struct phone_config c;

    for (size_t n = 0; n < sizeof(binary); n++) {
        uint8_t *cut = malloc(n ? n : 1);

        memcpy(cut, binary, n);
        assert_int_equal(phone_config_read_cnf(cut, n, &c), -EBADMSG);
        free(cut);
    }
}

static void os79xx_names_a_load(void **state)
{
    char load[65];

    assert_int_equal(phone_config_read_os79xx("P0030801SR02", 12, load), 0);
    assert_string_equal(load, "P0030801SR02");
    assert_int_equal(phone_config_read_os79xx("P003 X", 6, load), -EBADMSG);
    assert_int_equal(phone_config_read_os79xx("", 0, load), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_own_file_gives_servers_in_order_of_priority),
        cmocka_unit_test(only_the_first_three_servers_are_kept),
        cmocka_unit_test(a_default_file_gives_the_load_of_the_own_model),
        cmocka_unit_test(another_root_and_broken_xml_are_refused),
        cmocka_unit_test(truncation_is_refused_at_every_length),
        cmocka_unit_test(a_binary_file_gives_servers_and_the_directory),
        cmocka_unit_test(a_truncated_binary_file_is_refused),
        cmocka_unit_test(os79xx_names_a_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
