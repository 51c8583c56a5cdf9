#include "test.h"

#include "wire/boot/dns.h"

static struct dns_message m, got;
static uint8_t packet[2048];

static void question(const char *name, uint16_t type)
{
    dns_init(&m, 0x1234);
    m.recursion_desired = true;
    m.has_question = true;
    text_copy(m.name, sizeof(m.name), text_of(name));
    m.type = type;
    m.class = 1;
}

static void a_question_comes_back_as_written(void **state)
{
    int n;

    question("CiscoCM1.example.com", DNS_A);
    m.udp_size = 1232;
    n = dns_encode(&m, packet, sizeof(packet));
    assert_true(n > 0);
    assert_int_equal(dns_decode(packet, (size_t)n, &got), 0);
    assert_string_equal(got.name, "CiscoCM1.example.com");
    assert_int_equal(got.id, 0x1234);
    assert_true(got.recursion_desired && !got.response);
    assert_int_equal(got.udp_size, 1232);
    assert_int_equal(got.n_records, 0);
}

static int answer_all(size_t size)
{
    struct dns_record *rr;

    question("_sip._tcp.example.com", DNS_SRV);
    m.response = m.authoritative = true;
    rr = dns_add(&m, DNS_ANSWER, m.name, DNS_SRV, 60);
    rr->priority = 1, rr->weight = 2, rr->port = 5060;
    strcpy(rr->target, "node1.example.com");
    rr = dns_add(&m, DNS_ANSWER, "example.com", DNS_NAPTR, 60);
    rr->priority = 10, rr->weight = 20;
    rr->flags = TEXT("s"), rr->service = TEXT("SIP+D2T"), rr->regexp = TEXT("");
    strcpy(rr->target, "_sip._tcp.example.com");
    rr = dns_add(&m, DNS_ADDITIONAL, "Node1.example.com", DNS_A, 60);
    rr->ip = ip_v4(0x0a000001);
    rr = dns_add(&m, DNS_ADDITIONAL, "node1.example.com", DNS_AAAA, 60);
    rr->ip = (struct ip){6, {0xfd, [15] = 9}};
    rr = dns_add(&m, DNS_AUTHORITY, "1.0.0.10.in-addr.arpa", DNS_PTR, 60);
    strcpy(rr->target, "node1.example.com");
    return dns_encode(&m, packet, size);
}

static void every_kind_of_record_comes_back_as_written(void **state)
{
    int n = answer_all(sizeof(packet));

    assert_true(n > 0);
    assert_int_equal(dns_decode(packet, (size_t)n, &got), 0);
    assert_int_equal(got.n_records, 5);
    assert_int_equal(got.records[0].port, 5060);
    assert_string_equal(got.records[0].target, "node1.example.com");
    assert_true(text_is(got.records[1].service, "SIP+D2T"));
    assert_int_equal(got.records[1].weight, 20);
    assert_int_equal(got.records[2].section, DNS_AUTHORITY);
    assert_string_equal(got.records[2].target, "node1.example.com");
    assert_int_equal(ip_v4_number(got.records[3].ip), 0x0a000001);
    assert_int_equal(got.records[4].ip.bytes[15], 9);
    assert_false(got.truncated);
}

static void names_are_compressed_but_not_those_of_srv(void **state)
{
    int n = answer_all(sizeof(packet));
    size_t written_out = 0;

    for (int i = 0; i + 7 <= n; i++)
        written_out += memcmp(packet + i, "example", 7) == 0;
    assert_int_equal(written_out, 3); /* the question, and the targets of SRV and NAPTR */
}

static void records_that_do_not_fit_set_the_truncation_bit(void **state)
{
    int whole = answer_all(sizeof(packet)), n;

    for (int size = 39; size < whole; size++) {
        n = answer_all((size_t)size);
        assert_true(n > 0 && n <= size);
        assert_int_equal(dns_decode(packet, (size_t)n, &got), 0);
        assert_true(got.truncated);
    }
    assert_int_equal(answer_all(20), -ENOSPC);
}

static void truncation_is_refused_at_every_length(void **state)
{
    static uint8_t whole[512];
    int n = answer_all(sizeof(packet));

    memcpy(whole, packet, (size_t)n);
    for (int i = 0; i < n; i++) {
        uint8_t *copy = malloc(i ? (size_t)i : 1);

        memcpy(copy, whole, (size_t)i);
        assert_int_equal(dns_decode(copy, (size_t)i, &got), -EBADMSG);
        free(copy);
    }
}

static void pointers_that_do_not_go_back_are_refused(void **state)
{
    static const uint8_t self[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1};
    static const uint8_t loop[] = {0, 1, 0, 0,   0,    1,  0, 0, 0, 0,
                                   0, 0, 1, 'a', 0xc0, 12, 0, 1, 0, 1};
    static const uint8_t ahead[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 16, 0, 1, 0, 0};
    static const uint8_t far[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 1, 0, 1};

    assert_int_equal(dns_decode(self, sizeof(self), &got), -EBADMSG);
    assert_int_equal(dns_decode(loop, sizeof(loop), &got), -EBADMSG);
    assert_int_equal(dns_decode(ahead, sizeof(ahead), &got), -EBADMSG);
    assert_int_equal(dns_decode(far, sizeof(far), &got), -EBADMSG);
    assert_int_equal(got.id, 1); /* enough to answer FORMAT_ERROR */
}

static void a_name_is_limited_to_253_characters(void **state)
{
    char name[300];
    int n;

    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = i % 50 == 49 ? '.' : 'a';
    name[253] = '\0';
    question(name, DNS_A);
    n = dns_encode(&m, packet, sizeof(packet));
    assert_true(n > 0);
    assert_int_equal(dns_decode(packet, (size_t)n, &got), 0);
    assert_string_equal(got.name, name);
    question("a..b", DNS_A);
    assert_int_equal(dns_encode(&m, packet, sizeof(packet)), -EINVAL);
    memset(name, 'a', 64);
    name[64] = '\0';
    question(name, DNS_A);
    assert_int_equal(dns_encode(&m, packet, sizeof(packet)), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_comes_back_as_written),
        cmocka_unit_test(every_kind_of_record_comes_back_as_written),
        cmocka_unit_test(names_are_compressed_but_not_those_of_srv),
        cmocka_unit_test(records_that_do_not_fit_set_the_truncation_bit),
        cmocka_unit_test(truncation_is_refused_at_every_length),
        cmocka_unit_test(pointers_that_do_not_go_back_are_refused),
        cmocka_unit_test(a_name_is_limited_to_253_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
