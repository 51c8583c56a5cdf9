#include "test.h"

#include "doctor/anonymise/disguise.h"
#include "doctor/anonymise/text.h"
#include "doctor/anonymise/whole.h"

static unsigned common_bits(const uint8_t *a, const uint8_t *b)
{
    for (unsigned i = 0; i < 32; i++)
        if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
            return i;
    return 32;
}

static void addresses_keep_their_prefixes_and_lengths(void **state)
{
    static const uint8_t samples[][4] = {{10, 1, 2, 3},  {10, 1, 2, 200},  {10, 1, 130, 3},
                                         {10, 77, 2, 3}, {192, 168, 5, 9}, {192, 168, 5, 10},
                                         {8, 8, 8, 8},   {8, 8, 4, 4},     {172, 20, 0, 1}};
    size_t n = sizeof(samples) / 4;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            char a[IP_TEXT_MAX], b[IP_TEXT_MAX];
            struct ip x = {4}, y = {4};

            memcpy(x.bytes, samples[i], 4);
            memcpy(y.bytes, samples[k], 4);
            disguise_ipv4(x.bytes);
            disguise_ipv4(y.bytes);
            assert_int_equal(common_bits(samples[i], samples[k]), common_bits(x.bytes, y.bytes));
            disguise_ipv4(y.bytes);
            memcpy(y.bytes, samples[i], 4);
            assert_int_equal(strlen(ip_print(x, a)), strlen(ip_print(y, b)));
        }
}

static void what_is_no_host_stays(void **state)
{
    uint8_t none[4] = {0}, all[4] = {255, 255, 255, 255}, many[4] = {239, 1, 2, 3},
            mac[6] = {1, 0, 0x0c, 0xcc, 0xcc, 0xcc};

    disguise_ipv4(none);
    disguise_ipv4(all);
    disguise_ipv4(many);
    disguise_mac_bytes(mac);
    assert_int_equal(none[0] | none[3], 0);
    assert_int_equal(all[3], 255);
    assert_int_equal(many[3], 3);
    assert_int_equal(mac[5], 0xcc);
}

/* The same address as bytes, as digits, in the name of a device and in its file. */
static void an_address_is_the_same_everywhere(void **state)
{
    struct mac mac = mac_of_number(0x001d45abcdef);
    char text[] = "SEP001D45ABCDEF 00:1d:45:ab:cd:ef SEP001D45ABCDEF.cnf.xml", want[sizeof(text)],
         m[MAC_TEXT_MAX];
    char name[sizeof(struct device_name)];

    disguise_mac_bytes(mac.bytes);
    assert_int_equal(mac_number(mac) >> 24, 0x001d45);
    strcpy(name, device_name_of_mac(mac).s);
    snprintf(want, sizeof(want), "%s %s %s.cnf.xml", name, mac_print(mac, m), name);
    disguise_addresses(text, strlen(text));
    assert_string_equal(text, want);
}

static void two_names_that_differ_in_a_digit_still_do(void **state)
{
    char a[] = "SEP001D45ABCDEF", b[] = "SEP001D45ABCDE0";

    disguise_addresses(a, 15);
    disguise_addresses(b, 15);
    assert_int_equal(text_distance(text_of(a), text_of(b), 9), 1);
}

static void ipv6_addresses_keep_prefixes_and_form(void **state)
{
    char text[] =
        "[2001:db8:77:1::4242]:5060 2001:db8:77:2::1 fe80::1 FE80::21d:45ff:feaa:bbcc at 12:34:56";
    char a[40], b[40], local[40], rest[40];
    size_t len = strlen(text);
    struct ip ip;

    disguise_addresses(text, len);
    assert_int_equal(strlen(text), len);
    assert_int_equal(sscanf(text, "[%39[^]]]:5060 %39s %39s %39s", a, b, local, rest), 4);
    assert_int_equal(ip_parse(text_of(a), &ip), 0);
    assert_memory_equal(a, b, strcspn(a, ":") + 1);
    assert_null(strstr(text, "db8:"));
    assert_null(strstr(text, "4242"));
    assert_null(strcasestr(text, "aa:bbcc"));
    assert_memory_equal(local, "fe80::", 6);
    assert_memory_equal(rest, "FE80::", 6);
    assert_non_null(strstr(text, " at 12:34:56"));
}

static void the_binary_form_is_that_of_the_text(void **state)
{
    char text[] = "2001:db8:77:1::4242", again[IP_TEXT_MAX];
    struct ip ip;

    assert_int_equal(ip_parse(text_of(text), &ip), 0);
    disguise_ipv6(ip.bytes);
    disguise_addresses(text, strlen(text));
    assert_string_equal(ip_print(ip, again), text);
}

static void words_in_documents_are_replaced_and_the_rest_stays(void **state)
{
    char text[] =
        "<device><line button=\"1\"><featureID>9</featureID><name>7001</name><displayName>Ada "
        "Byron</displayName></line>"
        "<loadInformation>SCCP41.9-4-2</loadInformation><phonePassword>secret</phonePassword></"
        "device>";
    size_t len = strlen(text);

    disguise_document(text, len);
    assert_int_equal(strlen(text), len);
    assert_null(strstr(text, "7001"));
    assert_null(strstr(text, "Ada"));
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "SCCP41.9-4-2"));
    assert_non_null(strstr(text, "<line button=\"1\"><featureID>9</featureID><name>"));
}

static void an_address_with_blanks_or_zeroes_around_it_is_one(void **state)
{
    char alone[] = "10.0.0.1", padded[] = " 10.0.0.1\r", option[] = "10.0.0.1\0",
         text[] = "proxy1_address: 10.0.0.1\r\n";

    disguise_host(alone, strlen(alone));
    disguise_host(padded, strlen(padded));
    disguise_host(option, strlen(option) + 1);
    disguise_document(text, strlen(text));
    assert_memory_equal(padded + 1, alone, strlen(alone));
    assert_string_equal(option, alone);
    assert_memory_equal(text + strlen("proxy1_address: "), alone, strlen(alone));
}

static void of_a_register_that_is_cut_the_name_is_another(void **state)
{
    /* as a snap length of 96 leaves it */
    uint8_t cut[42] = {144, 0,   0,   0,   0,   0,   0,   0,   1,   0,   0,   0,   'S', 'E',
                       'P', '0', '0', '1', '1', '2', '2', '3', '3', 'A', 'A', '0', '1', 0,
                       0,   0,   0,   0,   1,   0,   0,   0,   10,  0,   0,   5,   7,   0};
    static const uint8_t rest[14];

    disguise_sccp_part(cut, sizeof(cut));
    assert_int_equal(cut[8], 1);
    assert_memory_equal(cut + 12, "SEP", 3);
    assert_memory_not_equal(cut + 12, "SEP00112233AA01", 15);
    assert_int_equal(cut[27], 0);
    assert_memory_equal(cut + 28, rest, sizeof(rest));
}

static void sip_keeps_its_form_and_loses_its_people(void **state)
{
    char text[] =
        "REGISTER sip:10.0.0.1 SIP/2.0\r\nFrom: \"Ada Byron\" <sip:7001@10.0.0.1>;tag=00114455\r\n"
        "Contact: "
        "<sip:7001@10.0.0.5:5060>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-001d45abcdef>"
        "\"\r\n"
        "Authorization: Digest "
        "username=\"ada\",realm=\"dialtone\",nonce=\"abc123\",response="
        "\"0123456789abcdef0123456789abcdef\"\r\n"
        "User-Agent: Cisco-CP8841/12.1.1\r\nCSeq: 101 REGISTER\r\nContent-Length: 0\r\n\r\n";
    static const char *const gone[] = {"Ada",          "7001",  "ada\"", "0123456789abcdef",
                                       "001d45abcdef", "abc123"};
    static const char *const kept[] = {"REGISTER sip:10.", "SIP/2.0\r\n",
                                       "User-Agent: Cisco-CP8841/12.1.1\r\n", "CSeq: 101 REGISTER",
                                       "Content-Length: 0"};
    uint8_t ip[4] = {10, 0, 0, 1};
    char host[32];
    size_t len = strlen(text);

    disguise_sip(text, len);
    assert_int_equal(strlen(text), len);
    for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
        assert_null(strstr(text, gone[i]));
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        assert_non_null(strstr(text, kept[i]));
    disguise_ipv4(ip);
    snprintf(host, sizeof(host), "@%u.%u.%u.%u>", ip[0], ip[1], ip[2], ip[3]);
    assert_non_null(strstr(text, host)); /* the address was replaced once, not twice */
}

/* A heap of exactly its size: whoever reads on is seen by the sanitizer. */
/* A header whose end was broken off has the next one in its value. */
static void what_follows_a_number_is_no_number(void **state)
{
    char text[] = "OPTIONS sip:a@10.0.0.1 SIP/2.0\r\nContent-Length: 0%suthorization: Digest "
                  "usernqme=\"kangaroo\",response=\"0123456789abcdef0123456789abcdef\"\r\n\r\n";

    disguise_sip(text, strlen(text));
    assert_null(strstr(text, "kangaroo"));
    assert_null(strstr(text, "0123456789abcdef"));
}

static void an_http_head_that_ends_within_a_content_length_is_not_read_on(void **state)
{
    static const char begin[] = "HTTP/1.1 200 OK\r\nX: ", end[] = "\r\nContent-Length: 12";
    struct anonymise_out nowhere = {0};
    struct whole_out out = {.out = &nowhere};
    size_t len = 16384; /* as long as a head may be, without an end */

    for (size_t cut = 0; cut < 4; cut++) {
        struct whole w = {.bytes = malloc(len), .len = (uint32_t)len, .size = (uint32_t)len};

        memset(w.bytes, 'a', len);
        memcpy(w.bytes, begin, strlen(begin));
        memcpy(w.bytes + len - strlen(end) + cut, end, strlen(end) - cut);
        assert_true(whole_take_message(&out, &w));
        assert_int_equal(w.len, 0);
        assert_int_equal(w.body, cut < 1 ? 12 : cut < 2 ? 1 : UINT32_MAX);
        whole_done(&w);
    }
}

static void assert_stays(const char *line)
{
    char text[256];

    snprintf(text, sizeof(text), "%s", line);
    disguise_sentence(text, strlen(text));
    assert_string_equal(text, line);
}

static void of_a_line_that_a_program_wrote_its_words_stay(void **state)
{
    assert_stays("00000010.001 |12:00:01.100 |AppInfo  |StationInit: ok");
    assert_stays("Reason Code [Optional].:13 Device type:115");
    assert_stays("SIP/2.0 404 Not Found");
    assert_stays("on port 57378 index 5");
    assert_stays("Cisco-CP7961G/9.4.2");
    assert_stays("Last=Initialized Load=SCCP41.9-4-2SR3-1S");
    assert_stays("\x80\x31");
}

static void of_a_line_that_a_program_wrote_names_and_numbers_go(void **state)
{
    static const char *const lines[] = {"called 700170017 by Marmalade Zanzibar",
                                        "password=sesamopen pin: 471147114, key 'kangaroo'",
                                        "mac 001d.45ab.cdef",
                                        "sip:700170017@kettles.example.com:5060",
                                        "SN FCH1234ABCD",
                                        "CTLSEP001D45ABCDEF.tlv",
                                        "to 498930123456",
                                        "From: <%s:700170017@host",
                                        "reason 700170017"};
    static const char *const gone[] = {"700170017", "Marmalade", "Zanzibar",    "sesamopen",
                                       "471147114", "kangaroo",  "45ab.cdef",   "kettles",
                                       "FCH1234",   "45ABCDEF",  "498930123456"};

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        char text[256];

        snprintf(text, sizeof(text), "%s", lines[i]);
        disguise_sentence(text, strlen(text));
        assert_int_equal(strlen(text), strlen(lines[i]));
        for (size_t k = 0; k < sizeof(gone) / sizeof(*gone); k++)
            assert_null(strstr(text, gone[k]));
    }
}

static void no_two_numbers_become_one(void **state)
{
    char seen[10000] = {0};

    for (unsigned i = 0; i < 10000; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%04u", i);
        disguise_words(text, 4);
        assert_int_equal(strspn(text, "0123456789"), 4);
        assert_int_equal(seen[atoi(text)]++, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_keep_their_prefixes_and_lengths),
        cmocka_unit_test(what_is_no_host_stays),
        cmocka_unit_test(an_address_is_the_same_everywhere),
        cmocka_unit_test(two_names_that_differ_in_a_digit_still_do),
        cmocka_unit_test(ipv6_addresses_keep_prefixes_and_form),
        cmocka_unit_test(the_binary_form_is_that_of_the_text),
        cmocka_unit_test(words_in_documents_are_replaced_and_the_rest_stays),
        cmocka_unit_test(an_address_with_blanks_or_zeroes_around_it_is_one),
        cmocka_unit_test(of_a_register_that_is_cut_the_name_is_another),
        cmocka_unit_test(sip_keeps_its_form_and_loses_its_people),
        cmocka_unit_test(what_follows_a_number_is_no_number),
        cmocka_unit_test(an_http_head_that_ends_within_a_content_length_is_not_read_on),
        cmocka_unit_test(of_a_line_that_a_program_wrote_its_words_stay),
        cmocka_unit_test(of_a_line_that_a_program_wrote_names_and_numbers_go),
        cmocka_unit_test(no_two_numbers_become_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
