/* wire_sip_resolve.c - RFC 3263 against a small DNS that lives here. */
#include "test.h"

#include "wire/sip/resolve.h"

static struct sip_resolve r;
static struct dns_message zone, m;
static char steps[4096]; /* "NAPTR example.com | udp 10.0.0.1:5060 | …" */

static struct dns_record *record(const char *name, uint16_t type)
{
    struct dns_record *rr = dns_add(&zone, DNS_ANSWER, name, type, 60);

    assert_non_null(rr);
    return rr;
}

static void naptr(const char *name, uint16_t order, uint16_t preference, const char *service,
                  const char *to)
{
    struct dns_record *rr = record(name, DNS_NAPTR);

    rr->priority = order, rr->weight = preference;
    rr->flags = TEXT("s"), rr->service = text_of(service);
    strcpy(rr->target, to);
}

static void srv(const char *name, uint16_t priority, uint16_t weight, uint16_t port, const char *to)
{
    struct dns_record *rr = record(name, DNS_SRV);

    rr->priority = priority, rr->weight = weight, rr->port = port;
    strcpy(rr->target, to);
}

static void address(const char *name, const char *ip)
{
    struct ip parsed;

    ip_parse(text_of(ip), &parsed);
    record(name, parsed.family == 6 ? DNS_AAAA : DNS_A)->ip = parsed;
}

/* What the zone says, or that there is no such name. */
static void answer(const struct sip_question *q)
{
    dns_init(&m, 1);
    m.rcode = DNS_NAME_ERROR;
    for (uint8_t i = 0; i < zone.n_records; i++)
        if (zone.records[i].type == q->type && !strcmp(zone.records[i].name, q->name)) {
            m.records[m.n_records++] = zone.records[i];
            m.rcode = DNS_OK;
        }
    sip_resolve_answer(&r, &m);
}

static void note(const char *format, ...)
{
    size_t n = strlen(steps);
    va_list args;

    if (n)
        n += (size_t)snprintf(steps + n, sizeof(steps) - n, " | ");
    va_start(args, format);
    vsnprintf(steps + n, sizeof(steps) - n, format, args);
    va_end(args);
}

static const char *type_name(uint16_t type)
{
    return type == DNS_NAPTR ? "NAPTR" : type == DNS_SRV ? "SRV" : type == DNS_A ? "A" : "AAAA";
}

static const char *walk(const struct sip_wish *wish)
{
    static const char *const names[] = {"udp", "tcp", "tls"};
    enum sip_resolve_step step;
    struct sip_question q;
    struct sip_target t;
    char to[ENDPOINT_TEXT_MAX];

    steps[0] = '\0';
    if (sip_resolve_start(&r, wish) < 0)
        return "EINVAL";
    while ((step = sip_resolve_next(&r, &q, &t)) != SIP_RESOLVE_END) {
        if (step == SIP_RESOLVE_TRY) {
            note("%s %s", names[t.transport], endpoint_print(&t.to, to));
        } else {
            note("%s %s", type_name(q.type), q.name);
            answer(&q);
        }
    }
    return steps;
}

static const char *resolve(const char *uri, bool with_naptr)
{
    struct sip_wish wish = {.naptr = with_naptr,
                            .n_transports = 3,
                            .transports = {SIP_UDP, SIP_TCP, SIP_TLS},
                            .random = 1};
    struct sip_uri parsed;

    assert_int_equal(sip_uri_parse(text_of(uri), &parsed), 0);
    sip_resolve_uri(&parsed, &wish);
    return walk(&wish);
}

static int empty(void **state)
{
    dns_init(&zone, 0);
    return 0;
}

static void an_address_needs_no_question(void **state)
{
    assert_string_equal(resolve("sip:10.0.0.1", true), "udp 10.0.0.1:5060");
    assert_string_equal(resolve("sips:10.0.0.1", true), "tls 10.0.0.1:5061");
    assert_string_equal(resolve("sip:10.0.0.1:6000;transport=tcp", true), "tcp 10.0.0.1:6000");
    assert_string_equal(resolve("sip:[2001:db8::1]", true), "udp [2001:db8::1]:5060");
    assert_string_equal(resolve("sip:example.com;maddr=10.0.0.9", true), "udp 10.0.0.9:5060");
    assert_string_equal(resolve("sips:10.0.0.1;transport=tcp", true), "tls 10.0.0.1:5061");
}

static void a_port_that_is_said_asks_for_addresses_only(void **state)
{
    address("example.com", "10.0.0.1");
    address("example.com", "10.0.0.2");
    assert_string_equal(resolve("sip:example.com:5070", true),
                        "A example.com | udp 10.0.0.1:5070 | udp 10.0.0.2:5070");
}

static void naptr_leads_to_srv_and_to_addresses(void **state)
{
    naptr("example.com", 50, 50, "SIPS+D2T", "_sips._tcp.example.com");
    naptr("example.com", 90, 50, "SIP+D2T", "_sip._tcp.example.com");
    naptr("example.com", 100, 50, "SIP+D2U", "_sip._udp.example.com");
    naptr("example.com", 10, 10, "SIP+D2S", "_sip._sctp.example.com");
    srv("_sip._tcp.example.com", 0, 1, 5060, "server1.example.com");
    srv("_sip._tcp.example.com", 1, 2, 5062, "server2.example.com");
    address("server1.example.com", "10.0.0.1");
    address("server2.example.com", "10.0.0.2");
    assert_string_equal(
        resolve("sip:example.com", true),
        "NAPTR example.com | SRV _sips._tcp.example.com | SRV _sip._tcp.example.com | "
        "A server1.example.com | tcp 10.0.0.1:5060 | A server2.example.com | tcp 10.0.0.2:5062 | "
        "SRV _sip._udp.example.com");
    assert_string_equal(resolve("sips:example.com", true),
                        "NAPTR example.com | SRV _sips._tcp.example.com | A example.com");
}

static void without_naptr_each_transport_is_asked_for(void **state)
{
    srv("_sip._tcp.example.com", 0, 0, 5065, "a.example.com");
    address("a.example.com", "10.0.0.1");
    assert_string_equal(resolve("sip:example.com", false),
                        "SRV _sip._udp.example.com | SRV _sip._tcp.example.com | A a.example.com | "
                        "tcp 10.0.0.1:5065 | SRV _sips._tcp.example.com");
    assert_string_equal(resolve("sip:example.com;transport=tcp", true),
                        "SRV _sip._tcp.example.com | A a.example.com | tcp 10.0.0.1:5065");
}

static void without_srv_the_name_itself_is_asked_for(void **state)
{
    address("cm1", "10.0.0.1");
    assert_string_equal(resolve("sip:cm1;transport=tcp", false),
                        "SRV _sip._tcp.cm1 | A cm1 | tcp 10.0.0.1:5060");
    assert_string_equal(resolve("sips:cm1", false),
                        "SRV _sips._tcp.cm1 | A cm1 | tls 10.0.0.1:5061");
    assert_string_equal(resolve("sip:nobody;transport=udp", false),
                        "SRV _sip._udp.nobody | A nobody");
}

static void a_dot_means_that_there_is_no_service(void **state)
{
    srv("_sip._udp.example.com", 0, 0, 0, "");
    address("example.com", "10.0.0.1");
    assert_string_equal(resolve("sip:example.com;transport=udp", false),
                        "SRV _sip._udp.example.com");
}

static void both_families_are_tried(void **state)
{
    struct sip_wish wish = {.host = TEXT("a."),
                            .port = 5060,
                            .transport = SIP_TCP,
                            .ipv6 = true,
                            .n_transports = 1,
                            .transports = {SIP_TCP}};

    address("a", "10.0.0.1");
    address("a", "2001:db8::1");
    assert_string_equal(walk(&wish), "A a | AAAA a | tcp 10.0.0.1:5060 | tcp [2001:db8::1]:5060");
}

static void priorities_come_first_and_weights_share(void **state)
{
    unsigned heavy = 0;
    struct sip_wish wish = {
        .host = TEXT("x"), .transport = SIP_UDP, .n_transports = 1, .transports = {SIP_UDP}};

    srv("_sip._udp.x", 20, 0, 5063, "last");
    srv("_sip._udp.x", 10, 10, 5061, "light");
    srv("_sip._udp.x", 10, 90, 5062, "heavy");
    address("light", "10.0.0.1");
    address("heavy", "10.0.0.2");
    address("last", "10.0.0.3");
    for (uint32_t i = 0; i < 1000; i++) {
        const char *at;

        wish.random = i * 2654435761u;
        at = walk(&wish);
        assert_true(strstr(at, "10.0.0.3") > strstr(at, "10.0.0.1"));
        assert_true(strstr(at, "10.0.0.3") > strstr(at, "10.0.0.2"));
        heavy += strstr(at, "10.0.0.2") < strstr(at, "10.0.0.1");
    }
    assert_in_range(heavy, 850, 950);
}

static void a_resolver_that_says_nothing_ends_in_no_target(void **state)
{
    struct sip_wish wish = {.host = TEXT("x"), .transport = SIP_UDP, .n_transports = 1};
    struct sip_question q;
    struct sip_target t;

    assert_int_equal(sip_resolve_start(&r, &wish), 0);
    assert_int_equal(sip_resolve_next(&r, &q, &t), SIP_RESOLVE_ASK);
    assert_int_equal(sip_resolve_next(&r, &q, &t), SIP_RESOLVE_ASK); /* the same again */
    sip_resolve_answer(&r, NULL);
    assert_int_equal(sip_resolve_next(&r, &q, &t), SIP_RESOLVE_ASK);
    assert_int_equal(q.type, DNS_A);
    sip_resolve_answer(&r, NULL);
    assert_int_equal(sip_resolve_next(&r, &q, &t), SIP_RESOLVE_END);
    assert_int_equal(sip_resolve_next(&r, &q, &t), SIP_RESOLVE_END);
    sip_resolve_answer(&r, NULL);
}

static void what_cannot_be_is_refused(void **state)
{
    struct sip_wish wish = {.host = TEXT("x"), .transport = SIP_TLS, .n_transports = 1};

    assert_string_equal(walk(&wish), "EINVAL"); /* no TLS here */
    wish = (struct sip_wish){.host = TEXT(""), .transport = SIP_UDP, .n_transports = 1};
    assert_string_equal(walk(&wish), "EINVAL");
    wish.host = TEXT("x");
    wish.secure = true;
    assert_string_equal(walk(&wish), "EINVAL");
}

static void more_records_than_there_is_room_for_are_left_out(void **state)
{
    for (int i = 0; i < DNS_RECORDS_MAX; i++)
        srv("_sip._udp.x", 1, 1, 5060, "a");
    assert_non_null(strstr(resolve("sip:x;transport=udp", false), "A a | A a"));
    empty(NULL);
    for (int i = 0; i < DNS_RECORDS_MAX; i++)
        naptr("x", 1, 1, "SIP+D2U", "_sip._udp.x");
    resolve("sip:x", true);
    empty(NULL);
    for (int i = 0; i < DNS_RECORDS_MAX; i++)
        address("x", "10.0.0.1");
    resolve("sip:x:5060", true);
}

#define TEST(name) cmocka_unit_test_setup(name, empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_address_needs_no_question),
        TEST(a_port_that_is_said_asks_for_addresses_only),
        TEST(naptr_leads_to_srv_and_to_addresses),
        TEST(without_naptr_each_transport_is_asked_for),
        TEST(without_srv_the_name_itself_is_asked_for),
        TEST(a_dot_means_that_there_is_no_service),
        TEST(both_families_are_tried),
        TEST(priorities_come_first_and_weights_share),
        TEST(a_resolver_that_says_nothing_ends_in_no_target),
        TEST(what_cannot_be_is_refused),
        TEST(more_records_than_there_is_room_for_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
