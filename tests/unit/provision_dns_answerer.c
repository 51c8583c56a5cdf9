#include "test.h"

#include "provision/dns_answerer.h"
#include "wire/boot/dns.h"

static struct ip ip(const char *s)
{
    struct ip a;

    assert_int_equal(ip_parse(text_of(s), &a), 0);
    return a;
}

static struct dns_answerer *site(void)
{
    struct dns_answerer *d = dns_answerer_new();

    dns_answerer_add(d, TEXT(DNS_FALLBACK_NAME), (struct ip){0});
    dns_answerer_add(d, TEXT("node-b"), ip("10.1.0.2"));
    dns_answerer_add(d, TEXT("cm.other.example"), ip("10.1.0.3"));
    dns_answerer_add_domain(d, TEXT("example.com"));
    return d;
}

static size_t ask(const struct dns_answerer *d, const char *name, uint16_t type, uint8_t opcode,
                  struct dns_message *ret)
{
    static uint8_t to[DNS_SIZE_MAX]; /* what is decoded borrows from it */
    uint8_t question[DNS_SIZE_MAX];
    struct dns_message q;
    size_t n;
    int len;

    dns_init(&q, 77);
    q.has_question = true;
    q.recursion_desired = true;
    q.opcode = opcode;
    text_copy(q.name, sizeof(q.name), text_of(name));
    q.type = type;
    q.class = 1;
    len = dns_encode(&q, question, sizeof(question));
    assert_true(len > 0);
    n = dns_answerer_input(d, question, (size_t)len, ip("10.1.0.1"), to, sizeof(to));
    assert_true(n && n <= (size_t)len + 16); /* no amplification */
    assert_int_equal(dns_decode(to, n, ret), 0);
    assert_true(ret->response);
    assert_int_equal(ret->id, 77);
    assert_string_equal(ret->name, name);
    return n;
}

static void expect_address(const struct dns_answerer *d, const char *name, const char *address)
{
    struct dns_message m;

    ask(d, name, DNS_A, 0, &m);
    assert_int_equal(m.rcode, DNS_OK);
    assert_true(m.authoritative);
    assert_int_equal(m.n_records, 1);
    assert_true(ip_equal(m.records[0].ip, ip(address)));
}

static void phones_find_their_server(void **state)
{
    struct dns_answerer *d = site();
    (void)state;

    expect_address(d, "CiscoCM1", "10.1.0.1"); /* the one that was asked */
    expect_address(d, "ciscocm1.example.com", "10.1.0.1");
    expect_address(d, "NODE-B.Example.Com", "10.1.0.2");
    expect_address(d, "node-b", "10.1.0.2");
    expect_address(d, "cm.other.example", "10.1.0.3");
    dns_answerer_free(d);
}

static void other_names_do_not_exist_or_are_refused(void **state)
{
    struct dns_answerer *d = site();
    struct dns_message m;
    (void)state;

    ask(d, "CiscoCH1", DNS_A, 0, &m);
    assert_int_equal(m.rcode, DNS_NAME_ERROR);
    ask(d, "nobody.example.com", DNS_A, 0, &m);
    assert_int_equal(m.rcode, DNS_NAME_ERROR);
    ask(d, "www.example.org", DNS_A, 0, &m);
    assert_int_equal(m.rcode, DNS_REFUSED);
    ask(d, "notexample.com", DNS_A, 0, &m);
    assert_int_equal(m.rcode, DNS_REFUSED);
    ask(d, "", DNS_ANY, 0, &m);
    assert_int_equal(m.rcode, DNS_REFUSED);
    dns_answerer_free(d);
}

static void other_types_of_our_names_are_empty(void **state)
{
    struct dns_answerer *d = site();
    struct dns_message m;
    (void)state;

    ask(d, "CiscoCM1", DNS_AAAA, 0, &m);
    assert_int_equal(m.rcode, DNS_OK);
    assert_int_equal(m.n_records, 0);
    ask(d, "CiscoCM1", DNS_ANY, 0, &m);
    assert_int_equal(m.n_records, 1);
    ask(d, "CiscoCM1", DNS_A, 5, &m); /* UPDATE */
    assert_int_equal(m.rcode, DNS_NOT_IMPLEMENTED);
    dns_answerer_free(d);
}

static void malformed_questions_are_harmless(void **state)
{
    struct dns_answerer *d = site();
    uint8_t question[DNS_SIZE_MAX], to[DNS_SIZE_MAX];
    struct dns_message q;
    int len;
    (void)state;

    dns_init(&q, 1);
    q.has_question = true;
    strcpy(q.name, "CiscoCM1");
    q.type = DNS_A;
    q.class = 1;
    len = dns_encode(&q, question, sizeof(question));
    for (int n = 0; n < len; n++) {
        size_t got = dns_answerer_input(d, question, (size_t)n, ip("10.1.0.1"), to, sizeof(to));

        assert_int_equal(got != 0, n >= 12); /* FORMAT_ERROR once there is a header */
        if (got)
            assert_int_equal(to[3] & 15, DNS_FORMAT_ERROR);
    }
    question[2] |= 0x80; /* a response */
    assert_int_equal(dns_answerer_input(d, question, (size_t)len, ip("10.1.0.1"), to, sizeof(to)),
                     0);
    dns_answerer_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phones_find_their_server),
        cmocka_unit_test(other_names_do_not_exist_or_are_refused),
        cmocka_unit_test(other_types_of_our_names_are_empty),
        cmocka_unit_test(malformed_questions_are_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
