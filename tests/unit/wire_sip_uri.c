/* wire_sip_uri.c - URIs, addresses and Via values. */
#include "test.h"

#include "wire/sip/values.h"

static void assert_text(struct text t, const char *expected)
{
    assert_int_equal(t.len, strlen(expected));
    assert_memory_equal(t.at, expected, t.len);
}

static void uris_are_taken_apart(void **state)
{
    struct sip_uri u;

    assert_int_equal(
        sip_uri_parse(text_of("SIPS:al%20ice;x=1:pw@[2001:db8::1]:5061;transport=tls;lr?a=b&c=d"),
                      &u),
        0);
    assert_int_equal(u.scheme, SIP_URI_SIPS);
    assert_text(u.user, "al%20ice;x=1");
    assert_text(u.password, "pw");
    assert_text(u.host, "2001:db8::1");
    assert_int_equal(u.port, 5061);
    assert_text(u.parameters, "transport=tls;lr");
    assert_text(u.headers, "a=b&c=d");
    assert_int_equal(sip_uri_parse(text_of("tel:+1-201-555-0123;phone-context=x"), &u), 0);
    assert_int_equal(u.scheme, SIP_URI_TEL);
    assert_text(u.user, "+1-201-555-0123");
    assert_int_equal(sip_uri_parse(text_of("urn:X-cisco-remotecc:token-registration"), &u), 0);
    assert_int_equal(u.scheme, SIP_URI_OTHER);
}

static void what_is_no_uri_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "sip:",
        "sip",
        "sip:@host",
        "sip:a@",
        "sip:a b@h",
        "sip:a@h:",
        "sip:a@h:0",
        "sip:a@h:65536",
        "sip:a@h:5060x",
        "sip:a@[::1",
        "sip:a@[]",
        "sip:a@[x]",
        "sip:a%4@h",
        "sip:a%zz@h",
        "sip:a@h;x y",
        "sip:a@h ;lr",
        "<sip:a@h>",
        ":a@h",
        "tel:",
        "http://<x>",
        "sip:a@h;x=\"",
        "sip:a@[12]",
        "sip:u@2001:db8::10",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct sip_uri u;

        assert_int_equal(sip_uri_parse(text_of(bad[i]), &u), -EBADMSG);
    }
}

/* The examples of RFC 3261 19.1.4 and RFC 3966 4. */
static void uris_are_compared_as_the_standard_says(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
        {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
         "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
        {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
         "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
        {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
        {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
        {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
        {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
        {"sip:a@h", "sips:a@h", false},
        {"tel:+1-201-555-0123", "tel:+12015550123", true},
        {"tel:+12015550123", "tel:+12015550124", false},
        {"tel:7042;phone-context=example.com", "tel:7042", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct sip_uri a, b;

        assert_int_equal(sip_uri_parse(text_of(rows[i].a), &a), 0);
        assert_int_equal(sip_uri_parse(text_of(rows[i].b), &b), 0);
        assert_int_equal(sip_uri_equal(&a, &b), rows[i].equal);
        assert_int_equal(sip_uri_equal(&b, &a), rows[i].equal);
    }
}

static void thousands_of_parameters_are_not_compared(void **state)
{
    char many[16384], other[16384];
    struct sip_uri a, b;

    memset(many, 'a', sizeof(many));
    memcpy(many, "sip:h", 5);
    for (size_t i = 5; i < sizeof(many); i += 4)
        many[i] = ';';
    memcpy(other, many, sizeof(many));
    other[sizeof(other) - 1] = 'b';
    assert_int_equal(sip_uri_parse((struct text){many, sizeof(many)}, &a), 0);
    assert_int_equal(sip_uri_parse((struct text){other, sizeof(other)}, &b), 0);
    assert_true(sip_uri_equal(&a, &a));
    assert_false(sip_uri_equal(&a, &b));
}

static void escapes_are_taken_off(void **state)
{
    char to[8];

    assert_int_equal(sip_unescape(TEXT("a%20b%00"), to, sizeof(to)), 4);
    assert_memory_equal(to, "a b\0", 5);
    assert_int_equal(sip_unescape(TEXT("a%2"), to, sizeof(to)), -EBADMSG);
    assert_int_equal(sip_unescape(TEXT("12345678"), to, sizeof(to)), -ENOSPC);
    assert_int_equal(sip_unescape(TEXT("1234567"), to, sizeof(to)), 7);
}

static void addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *all, *display, *uri, *parameters;
    } rows[] = {
        {"\"J Rosenberg \\\\\\\"\" <sip:j@h>;tag=9", "J Rosenberg \\\\\\\"", "sip:j@h", "tag=9"},
        {"caller<sip:c@h>", "caller", "sip:c@h", ""},
        {" A  B\r\n <sip:a@h;x?y=z> ; q = 0.1 ", "A  B", "sip:a@h;x?y=z", " q = 0.1"},
        {"<sip:a@h>", "", "sip:a@h", ""},
        {"sip:a@h;tag=1", "", "sip:a@h", "tag=1"},
        {"*", "", "*", ""},
        {"\"<sip:x>\" <sip:y>", "<sip:x>", "sip:y", ""},
    };
    static const char *const bad[] = {
        "",          "\"x <sip:a>", "<sip:a",       "< sip:a >", "<>", "\"x\" sip:a",
        "sip:a?x=y", "<sip:a> x",   "a, b <sip:c>", "sip:a,b",
    };
    struct sip_address a;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(sip_address_parse(text_of(rows[i].all), &a), 0);
        assert_text(a.display, rows[i].display);
        assert_text(a.uri, rows[i].uri);
        assert_text(a.parameters, rows[i].parameters);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(sip_address_parse(text_of(bad[i]), &a), -EBADMSG);
}

static void parameters_come_one_after_the_other(void **state)
{
    struct text rest = TEXT("a=1; B = \"x;\\\"y\" ;c;;d=;a=2"), name, value;

    assert_true(sip_parameter(rest, "b", &value));
    assert_text(value, "x;\\\"y");
    assert_true(sip_parameter(rest, "A", &value));
    assert_text(value, "1");
    assert_true(sip_parameter(rest, "c", &value));
    assert_int_equal(value.len, 0);
    assert_false(sip_parameter(rest, "e", &value));
    for (const char *names = "aBcda"; *names; names++) {
        assert_true(sip_parameter_next(&rest, &name, &value));
        assert_int_equal(*name.at, *names);
    }
    assert_false(sip_parameter_next(&rest, &name, &value));
}

static void vias_are_taken_apart(void **state)
{
    static const char *const bad[] = {
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 h",
        "SIP/2.0/ h",
        "HTTP/2.0/UDP h",
        "SIP/2.0/UDP ;x",
        "SIP/2.0/UDP h:",
        "SIP/2.0/UDP h;;",
        "SIP/2.0/UDP h;x;",
    };
    struct sip_via v;

    assert_int_equal(sip_via_parse(text_of("SIP / 2.0 /\r\n TCP   h.example.com : 5070 ;\r\n"
                                           " branch = z9hG4bK1 ; rport;received=192.0.2.1"),
                                   &v),
                     0);
    assert_text(v.transport, "TCP");
    assert_text(v.host, "h.example.com");
    assert_int_equal(v.port, 5070);
    assert_text(v.branch, "z9hG4bK1");
    assert_text(v.received, "192.0.2.1");
    assert_true(v.rport);
    assert_int_equal(sip_via_parse(text_of("SIP/2.0/UDP [2001:db8::9:1]:5060;branch=x"), &v), 0);
    assert_text(v.host, "2001:db8::9:1");
    assert_null(v.received.at);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(sip_via_parse(text_of(bad[i]), &v), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_are_taken_apart),
        cmocka_unit_test(what_is_no_uri_is_refused),
        cmocka_unit_test(uris_are_compared_as_the_standard_says),
        cmocka_unit_test(thousands_of_parameters_are_not_compared),
        cmocka_unit_test(escapes_are_taken_off),
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(parameters_come_one_after_the_other),
        cmocka_unit_test(vias_are_taken_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
