/* wire_phone_config.c - configuration files as phones read them. */
#include "wire/phone_config.h"

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

static const char sip[] =
    "<device><devicePool><callManagerGroup><members><member priority=\"0\"><callManager><ports>"
    "<ethernetPhonePort>2000</ethernetPhonePort><sipPort>5070</sipPort>"
    "<securedSipPort>5071</securedSipPort></ports><processNodeName>192.0.2.11</processNodeName>"
    "</callManager></member></members></callManagerGroup></devicePool><sipProfile><sipStack>"
    "<timerRegisterExpires>1800</timerRegisterExpires><timerRegisterDelta>6</timerRegisterDelta>"
    "<timerKeepAliveExpires>240</timerKeepAliveExpires><userInfo>Phone</userInfo></sipStack>"
    "<sipLines><line button=\"1\" lineIndex=\"1\"><featureID>9</featureID>"
    "<featureLabel>Ann</featureLabel><proxy>%s</proxy><port>5060</port><name>7001</name>"
    "<contact>c0ffee</contact><authName>ann</authName><authPassword>secret</authPassword></line>"
    "<line button=\"2\"><featureID>2</featureID><name>fast</name></line>"
    "<line button=\"3\" lineIndex=\"2\"><featureID>9</featureID><name>UNPROVISIONED</name></line>"
    "<line button=\"4\" lineIndex=\"3\"><featureID>9</featureID><name>7002</name></line></sipLines>"
    "<dialTemplate>DR1.xml</dialTemplate><softKeyFile>SK1.xml</softKeyFile></sipProfile>"
    "<transportLayerProtocol>2</transportLayerProtocol></device>";

static void a_sip_file_gives_lines_ports_timers_and_further_files(void **state)
{
    char xml[4096];
    struct phone_config c;
    int n = snprintf(xml, sizeof(xml), sip, "USECALLMANAGER");

    assert_int_equal(phone_config_read_xml(xml, (size_t)n, 683, &c), 0);
    assert_true(c.managed);
    assert_true(c.phone_users);
    assert_int_equal(c.n_lines, 2); /* a speed dial and an empty line are none */
    assert_string_equal(c.lines[0].name, "7001");
    assert_string_equal(c.lines[0].contact, "c0ffee");
    assert_string_equal(c.lines[0].label, "Ann");
    assert_string_equal(c.lines[0].auth_name, "ann");
    assert_string_equal(c.lines[0].password, "secret");
    assert_string_equal(c.lines[1].name, "7002");
    assert_string_equal(c.lines[1].contact, "");
    assert_int_equal(c.servers[0].sip_port, 5070);
    assert_int_equal(c.servers[0].sips_port, 5071);
    assert_int_equal(c.transport_code, 2);
    assert_int_equal(c.register_s, 1800);
    assert_int_equal(c.register_delta_s, 6);
    assert_int_equal(c.keepalive_s, 240);
    assert_string_equal(c.dial_template, "DR1.xml");
    assert_string_equal(c.softkey_file, "SK1.xml");
}

static void another_proxy_than_callmanager_means_a_phone_that_is_not_managed(void **state)
{
    char xml[4096];
    struct phone_config c;
    int n = snprintf(xml, sizeof(xml), sip, "192.0.2.11");

    assert_int_equal(phone_config_read_xml(xml, (size_t)n, 683, &c), 0);
    assert_false(c.managed);
}

static void a_key_of_the_second_text_file_beats_the_first(void **state)
{
    static const char first[] =
        "# all phones\r\nimage_version: P0S3-08-12-00\r\n"
        "proxy1_address: \"192.0.2.11\" # the server\r\nproxy1_port: 5070\r\n"
        "proxy_backup : 192.0.2.12\r\ntimer_register_expires: 600\r\n",
                      second[] =
                          "line1_name: 7001\nline1_authname: \"ann\"\nline1_password: \"a#b\"\n"
                          "line2_name: UNPROVISIONED\ntimer_register_expires: 900\n"
                          "proxy_backup: \"\"\nnonsense\n";
    struct phone_config c = {0};

    assert_int_equal(phone_config_read_text(first, sizeof(first) - 1, &c), 0);
    assert_int_equal(c.n_servers, 2);
    assert_int_equal(phone_config_read_text(second, sizeof(second) - 1, &c), 0);
    assert_int_equal(c.n_servers, 1);
    assert_string_equal(c.servers[0].name, "192.0.2.11");
    assert_int_equal(c.servers[0].sip_port, 5070);
    assert_int_equal(c.n_lines, 2);
    assert_string_equal(c.lines[0].name, "7001");
    assert_string_equal(c.lines[0].auth_name, "ann");
    assert_string_equal(c.lines[0].password, "a#b");
    assert_int_equal(c.register_s, 900);
    assert_string_equal(c.load, "P0S3-08-12-00");
    assert_false(c.managed);
    assert_int_equal(phone_config_read_text("<device/>", 9, &c), -EBADMSG);
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
        cmocka_unit_test(a_sip_file_gives_lines_ports_timers_and_further_files),
        cmocka_unit_test(another_proxy_than_callmanager_means_a_phone_that_is_not_managed),
        cmocka_unit_test(a_key_of_the_second_text_file_beats_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
