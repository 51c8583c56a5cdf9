/* station_sip_clients.c - plain SIP clients: who they are, where they are reached, for how long. */
#include "test.h"

#include "base/log.h"
#include "sip_world.h"
#include "station/sip/station.h"
#include "wire/sip/digest.h"

#define ALICE                                                                                      \
    "user alice digest_password=secret\n"                                                          \
    "phone softphone1 model=336 protocol=sip-third-party owner=alice lines=7003\n"                 \
    "user bob digest_password=hidden\n"                                                            \
    "phone softphone2 model=374 protocol=sip-third-party digest_user=bob lines=7004\n"

static struct digest *client;

struct say {
    uint64_t link; /* 0: UDP */
    const char *user, *password, *number, *contact;
    unsigned cseq, count;
    int expires;
    const char *call_id, *headers;
    const char *uri; /* that is hashed; NULL: the Request-URI */
};

static const struct say alice = {0, "alice", "secret", "7003", "<sip:7003@192.168.1.5:5062>",
                                 1, 1,       300,      "c1",   ""};

static const struct say bob = {0, "bob", "hidden", "7004", "<sip:7004@192.168.1.6:5062>",
                               1, 1,     300,      "b1",   ""};

static void saw_last(struct sip_world *w, const char *part)
{
    if (!strstr(w->last, part))
        fail_msg("no '%s' in:\n%s", part, w->last);
}

/* The answer to the challenge that came last, or nothing. */
static size_t put_credentials(struct sip_world *w, const struct say *s, char *to, size_t size)
{
    struct writer out = writer_of(to, size);
    struct digest_challenge c;
    struct sip_message m;
    char ha1[DIGEST_HEX_MAX];

    if (!s->password || sip_parse(w->last, strlen(w->last), &m) < 0 || m.status != 401)
        return 0;
    assert_int_equal(digest_read_challenge(sip_value(&m, SIP_WWW_AUTHENTICATE), &c), 0);
    assert_true(text_is(c.realm, "ccmsipline"));
    digest_ha1(client, c.algorithm, text_of(s->user), c.realm, text_of(s->password), ha1);
    digest_write_answer(
        client, &out, SIP_AUTHORIZATION, &c,
        &(struct digest_credentials){.user = text_of(s->user),
                                     .ha1 = text_of(ha1),
                                     .uri = text_of(s->uri ? s->uri : "sip:10.0.0.1"),
                                     .cnonce = TEXT("0a4f113b"),
                                     .count = s->count ? s->count : 1},
        TEXT("REGISTER"));
    return writer_len(&out);
}

static size_t write_request(struct sip_world *w, const struct say *s, char *to, size_t size)
{
    char credentials[1000];
    size_t n = put_credentials(w, s, credentials, sizeof(credentials));

    return (size_t)snprintf(
        to, size,
        "REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%s "
        "192.168.1.5:5062;rport;branch=z9hG4bK%u\r\n"
        "From: <sip:%s@10.0.0.1>;tag=1\r\nTo: <sip:%s@10.0.0.1>\r\nCall-ID: %s\r\n"
        "CSeq: %u REGISTER\r\nMax-Forwards: 70\r\nUser-Agent: baresip v1.0.0\r\n%s%s%s"
        "Expires: %d\r\n%s%.*sContent-Length: 0\r\n\r\n",
        s->link ? "TCP" : "UDP", s->cseq, s->number, s->number, s->call_id, s->cseq,
        s->contact ? "Contact: " : "", s->contact ? s->contact : "", s->contact ? "\r\n" : "",
        s->expires, s->headers ? s->headers : "", (int)n, credentials);
}

static void say(struct sip_world *w, const struct say *s)
{
    char bytes[4096];
    size_t len = write_request(w, s, bytes, sizeof(bytes));

    if (s->link)
        sip_world_bytes(w, s->link, bytes, len);
    else
        sip_world_datagram(w, sip_world_peer(0), bytes, len);
}

/* Asked for credentials, it gives them. */
static void registers(struct sip_world *w, const struct say *s)
{
    struct say again = *s;

    w->last[0] = '\0';
    say(w, s);
    saw_last(w, "SIP/2.0 401 Unauthorized");
    again.cseq++;
    sip_world_forget(w);
    say(w, &again);
}

static const struct station *found(struct sip_world *w, const char *name)
{
    return sip_stations_find(w->sip, device_name_of(text_of(name)));
}

static size_t contacts(struct sip_world *w, const char *name)
{
    struct sip_binding_view view;
    size_t n = 0;

    while (sip_stations_binding(w->sip, device_name_of(text_of(name)), n, w->now, &view))
        n++;
    return n;
}

static void a_client_is_known_by_its_digest_user(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);

    registers(w, &alice);
    saw_last(w, "SIP/2.0 200 OK");
    saw_last(w, "Contact: <sip:7003@192.168.1.5:5062>;expires=300\r\n");
    assert_non_null(found(w, "softphone1"));
    assert_int_equal(found(w, "softphone1")->protocol, PROTOCOL_SIP_THIRD_PARTY);
    if (!strstr(w->log, "alarm EndPointRegistered [DeviceName=SOFTPHONE1]"))
        fail_msg("%s", w->log);
    sip_world_free(w);
}

static void what_is_offered_is_a_setting(void **state)
{
    struct sip_world *w =
        sip_world_new(ALICE "parameter sip_digest_algorithms value=\"SHA-256 and MD5\"\n");
    const char *sha, *md5;

    say(w, &alice);
    sha = strstr(w->last, "algorithm=SHA-256");
    md5 = strstr(w->last, "algorithm=MD5");
    assert_true(sha && md5 && sha < md5);
    registers(w, &alice);
    saw_last(w, "SIP/2.0 200 OK");
    sip_world_free(w);
}

/* Somebody in between took the better one out of the challenge. */
static void a_weaker_algorithm_than_is_asked_for_proves_nothing(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say again = alice;

    say(w, &alice);
    saw_last(w, "algorithm=MD5");
    sip_world_directory(w, ALICE "parameter sip_digest_algorithms value=SHA-256\n");
    again.cseq++;
    say(w, &again);
    saw_last(w, "401 Unauthorized");
    saw_last(w, "algorithm=SHA-256");
    assert_null(found(w, "softphone1"));
    again.cseq++;
    say(w, &again);
    saw_last(w, "SIP/2.0 200 OK");
    sip_world_free(w);
}

static void a_wrong_password_is_asked_again_and_told_once_a_minute(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say wrong = alice;

    wrong.password = "guess";
    for (unsigned i = 0; i < 10; i++) {
        wrong.cseq = 10 * i;
        registers(w, &wrong);
        saw_last(w, "401 Unauthorized");
    }
    assert_null(found(w, "softphone1"));
    assert_int_equal(w->n_alarms, 1);
    assert_int_equal(w->last_alarm->id, ALARM_SIP_LINE_ERROR);
    sip_world_free(w);
}

static void who_guesses_on_is_not_heard_any_more(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say wrong = alice;
    size_t n;

    wrong.password = "guess";
    for (unsigned i = 0; i < 30; i++) {
        wrong.cseq = 10 * i;
        registers(w, &wrong);
    }
    say(w, &alice);
    n = w->n_sent;
    say(w, &alice); /* even the right password, for a minute */
    assert_int_equal(w->n_sent, n);
    registers(w, &bob); /* others behind the same router are */
    assert_non_null(found(w, "softphone2"));
    sip_world_pass(w, 60000);
    registers(w, &alice);
    assert_non_null(found(w, "softphone1"));
    sip_world_free(w);
}

static void nobody_learns_which_users_exist(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say nobody = alice;

    nobody.user = "mallory";
    registers(w, &nobody);
    saw_last(w, "401 Unauthorized");
    sip_world_free(w);
}

static void the_line_of_another_user_is_refused(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say other = alice;

    other.number = "7004";
    registers(w, &other);
    saw_last(w, "403 Forbidden");
    assert_null(found(w, "softphone1"));
    assert_null(found(w, "softphone2"));
    sip_world_free(w);
}

static void an_answer_lost_is_given_again(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say again = alice;
    char bytes[4096], first[8192];
    size_t len;

    say(w, &alice);
    again.cseq++;
    len = write_request(w, &again, bytes, sizeof(bytes));
    sip_world_datagram(w, sip_world_peer(0), bytes, len);
    strcpy(first, w->last);
    sip_world_forget(w);
    sip_world_datagram(w, sip_world_peer(0), bytes, len);
    assert_string_equal(w->last, first);
    assert_null(strstr(w->log, "alarm"));
    sip_world_free(w);
}

static void credentials_of_others_cannot_be_used_again(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say again = alice;
    char bytes[4096], *cseq;
    size_t len;

    say(w, &alice);
    again.cseq++;
    len = write_request(w, &again, bytes, sizeof(bytes));
    sip_world_datagram(w, sip_world_peer(0), bytes, len);
    assert_non_null(found(w, "softphone1"));
    cseq = strstr(bytes, "CSeq: 2");
    cseq[6] = '9';
    sip_world_datagram(w, sip_world_peer(9), bytes, len);
    saw_last(w, "401 Unauthorized");
    saw_last(w, "stale=true");
    sip_world_free(w);
}

/* Digest does not cover the Contact: who forges the source of a REGISTER that he has seen may
 * neither move nor end what it registered. */
static void a_repeated_register_moves_nothing(void **state)
{
    static const char *const changes[][2] = {
        {"@192.168.1.5:5062>\r\nExp", "@192.168.9.9:5062>\r\nExp"},
        {"Expires: 300", "Expires: 000"}};
    struct sip_world *w = sip_world_new(ALICE);
    struct say again = alice;
    char bytes[4096], *at;
    size_t len;

    say(w, &alice);
    again.cseq++;
    len = write_request(w, &again, bytes, sizeof(bytes));
    sip_world_datagram(w, sip_world_peer(0), bytes, len);
    for (int i = 0; i < 2; i++) {
        char forged[4096];

        memcpy(forged, bytes, sizeof(forged));
        at = strstr(forged, changes[i][0]);
        assert_non_null(at);
        memcpy(at, changes[i][1], strlen(changes[i][1]));
        sip_world_forget(w);
        sip_world_datagram(w, sip_world_peer(0), forged, len);
        saw_last(w, "401 Unauthorized");
        saw_last(w, "stale=true");
    }
    assert_int_equal(contacts(w, "softphone1"), 1);
    sip_world_free(w);
}

static void a_nonce_is_good_as_long_as_the_profile_says(void **state)
{
    struct sip_world *w =
        sip_world_new("user alice digest_password=secret\n"
                      "security-profile brief protocol=sip-third-party digest_authentication=true "
                      "nonce_validity=10\n"
                      "phone softphone1 model=336 protocol=sip-third-party owner=alice lines=7003 "
                      "security_profile=brief\n");
    struct say again = alice;

    say(w, &alice);
    again.cseq++;
    sip_world_pass(w, 11000);
    say(w, &again);
    saw_last(w, "stale=true");
    again.cseq++;
    sip_world_pass(w, 9000);
    say(w, &again);
    saw_last(w, "200 OK");
    sip_world_free(w);
}

static void credentials_for_another_place_are_refused(void **state)
{
    static const struct {
        const char *uri, *status;
    } rows[] = {{"sip:10.0.0.9", "400"},
                {"sip:7003@10.0.0.1", "400"},
                {"http://10.0.0.1/", "400"},
                {"sips:10.0.0.1:5061;transport=tls", "200"}, /* who hashed what he was told */
                {"sip:10.0.0.1:5060", "200"}};
    struct sip_world *w = sip_world_new(ALICE);
    struct say one = alice;
    char expected[40];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        one.uri = rows[i].uri;
        one.cseq += 2;
        registers(w, &one);
        snprintf(expected, sizeof(expected), "SIP/2.0 %s", rows[i].status);
        saw_last(w, expected);
    }
    sip_world_free(w);
}

static void several_contacts_are_kept_with_their_preference(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say two = alice;

    two.contact =
        "<sip:7003@192.168.1.5:5062>;q=0.5;expires=120, <sip:7003@192.168.1.6>;expires=600";
    registers(w, &two);
    saw_last(w, "Contact: <sip:7003@192.168.1.5:5062>;q=0.500;expires=120\r\n");
    saw_last(w, "Contact: <sip:7003@192.168.1.6>;expires=600\r\n");
    assert_int_equal(contacts(w, "softphone1"), 2);
    sip_world_pass(w, 120000);
    assert_int_equal(contacts(w, "softphone1"), 1);
    assert_non_null(found(w, "softphone1"));
    sip_world_forget(w);
    sip_world_pass(w, 480000);
    assert_null(found(w, "softphone1"));
    assert_non_null(strstr(w->log, "[Reason=13]"));
    sip_world_free(w);
}

static void contacts_can_be_asked_for_and_removed(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say next = alice;

    registers(w, &alice);
    next.contact = NULL;
    next.cseq = 5;
    registers(w, &next);
    saw_last(w, "Contact: <sip:7003@192.168.1.5:5062>;expires=300\r\n");
    next.contact = "*";
    next.expires = 0;
    next.cseq = 10;
    registers(w, &next);
    saw_last(w, "SIP/2.0 200 OK");
    assert_null(strstr(w->last, "Contact:"));
    assert_null(found(w, "softphone1"));
    assert_non_null(strstr(w->log, "[Reason=10]"));
    sip_world_free(w);
}

static void an_asterisk_stands_alone_and_with_expires_0(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say bad = alice;

    bad.contact = "*";
    say(w, &bad);
    saw_last(w, "400 Bad Request");
    bad.contact = "*, <sip:7003@192.168.1.5>";
    bad.expires = 0;
    say(w, &bad);
    saw_last(w, "400 Bad Request");
    sip_world_free(w);
}

static void too_brief_a_contact_is_refused(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say brief = alice;

    brief.expires = 10;
    registers(w, &brief);
    saw_last(w, "423 Interval Too Brief");
    saw_last(w, "Min-Expires: 60\r\n");
    assert_null(found(w, "softphone1"));
    sip_world_free(w);
}

static void too_many_contacts_are_refused(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say many = alice;
    char list[2000] = "", *at = list;

    for (unsigned i = 0; i < 11; i++)
        at += sprintf(at, "%s<sip:7003@192.168.1.%u>", i ? ", " : "", i + 1);
    many.contact = list;
    say(w, &many);
    saw_last(w, "403 Forbidden");
    sip_world_free(w);
}

static void a_client_that_crashes_again_and_again_is_taken(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    char contact[60], call_id[20];
    struct say next = alice;

    next.contact = contact;
    next.call_id = call_id;
    for (unsigned i = 1; i <= 13; i++) {
        snprintf(contact, sizeof(contact), "<sip:7003@192.168.1.5:%u>", 40000 + i);
        snprintf(call_id, sizeof(call_id), "c%u", i);
        sip_world_pass(w, 1000);
        registers(w, &next);
        saw_last(w, "SIP/2.0 200 OK");
        saw_last(w, contact);
    }
    assert_int_equal(contacts(w, "softphone1"), 10);
    saw_last(w, ":40004>");
    assert_null(strstr(w->last, ":40003>")); /* longest unheard */
    sip_world_free(w);
}

static void answers_go_back_through_a_nat(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);

    say(w, &alice);
    saw_last(w, ";received=10.1.0.0;rport=50000");
    assert_int_equal(w->last_to.port, 50000);
    sip_world_free(w);
}

static void an_answer_goes_to_where_the_request_came_from(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    static const char spoofed[] =
        "REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5999;branch=z9hG4bKx\r\n"
        "From: <sip:7003@10.0.0.1>;tag=1\r\nTo: <sip:7003@10.0.0.1>\r\nCall-ID: x\r\n"
        "CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContact: <sip:7003@203.0.113.9>\r\n"
        "Content-Length: 0\r\n\r\n";

    sip_world_datagram(w, sip_world_peer(0), spoofed, sizeof(spoofed) - 1);
    assert_true(ip_equal(w->last_to.ip, sip_world_peer(0).ip));
    assert_int_equal(w->last_to.port, 5999);
    sip_world_free(w);
}

static void a_closed_connection_takes_its_contact(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say tcp = alice, udp = alice;

    tcp.link = 1;
    sip_world_connect(w, 1);
    registers(w, &tcp);
    assert_int_equal(contacts(w, "softphone1"), 1);
    udp.call_id = "c2";
    udp.contact = "<sip:7003@192.168.1.77>";
    registers(w, &udp);
    assert_int_equal(contacts(w, "softphone1"), 2);
    sip_world_close(w, 1);
    assert_int_equal(contacts(w, "softphone1"), 1);
    sip_world_free(w);
}

/* RFC 5626: the NAT has forgotten the first connection, and nobody knows it but the client. */
static void a_client_that_comes_by_another_connection_has_one_contact(void **state)
{
#define WAY "<sip:7003@192.168.1.5:%u;transport=tcp>;+sip.instance=\"<urn:uuid:061a7edd-f09e-8681-accf-604c2e98161f>\";reg-id=%u"
    static const struct {
        uint64_t link;
        unsigned reg_id;
        const char *headers, *more;
        size_t contacts;
    } rows[] = {{1, 1, "Supported: path, outbound\r\n", "Require: outbound\r\n", 1},
                {2, 1, "Supported: path, outbound\r\n", "Require: outbound\r\n", 1},
                {3, 2, "Supported: path, outbound\r\nRequire: outbound\r\n", "Require: outbound\r\n", 2},
                {4, 1, "", "", 3}, /* an extension that the client does not have */
                {0, 1, "Supported: path, outbound\r\n", "", 4}};
    struct sip_world *w = sip_world_new(ALICE);
    char contact[200], call_id[20];

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct say s = alice;

        s.link = rows[i].link;
        s.headers = rows[i].headers;
        s.contact = contact;
        s.call_id = call_id;
        snprintf(contact, sizeof(contact), WAY, 40000 + i, rows[i].reg_id);
        snprintf(call_id, sizeof(call_id), "c%u", i);
        if (s.link)
            sip_world_connect(w, s.link);
        registers(w, &s);
        saw_last(w, "SIP/2.0 200 OK");
        saw_last(w, rows[i].more);
        assert_int_equal(!!strstr(w->last, "Require: outbound"), *rows[i].more != '\0');
        assert_int_equal(contacts(w, "softphone1"), rows[i].contacts);
    }
    assert_true(w->closed[1]);
    assert_false(w->closed[2]);
    sip_world_free(w);
#undef WAY
}

static void by_udp_a_flow_cannot_be_insisted_on(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);
    struct say s = alice;

    s.headers = "Require: outbound\r\n";
    say(w, &s);
    saw_last(w, "420 Bad Extension");
    saw_last(w, "Unsupported: outbound");
    sip_world_free(w);
}

static void a_client_is_suggested_to_fetch_its_settings(void **state)
{
    struct sip_world *w = sip_world_new(ALICE);

    registers(w, &alice);
    assert_int_equal(sip_stations_order(w->sip, device_name_of(TEXT("softphone1")), STATION_RESET,
                                        w->now, w->effects),
                     0);
    sip_world_carry_out(w);
    saw_last(w, "Event: check-sync;reboot=true\r\n");
    assert_int_equal(w->last_to.port, 50000); /* through the NAT */
    sip_world_pass(w, 40000);
    assert_non_null(found(w, "softphone1"));
    sip_world_free(w);
}

static void a_cisco_phone_may_have_to_prove_its_user(void **state)
{
    struct sip_world *w =
        sip_world_new("user alice digest_password=secret\n"
                      "security-profile Digest digest_authentication=true\n"
                      "phone SEP001122334455 model=684 protocol=sip lines=7001 digest_user=alice "
                      "security_profile=Digest\n");
    struct sip_say phone = {1,   "001122334455", "684", "7001", "one@10.1.0.1",
                            101, 3600,           NULL,  NULL,   SIP_BULK_BODY};
    struct say credentials = {.user = "alice", .password = "secret"};
    char header[1000];
    size_t n;

    sip_world_connect(w, 1);
    sip_world_register(w, &phone);
    saw_last(w, "401 Unauthorized");
    saw_last(w, "realm=\"ccmsipline\"");
    assert_null(strstr(w->last, "SHA-256"));
    n = put_credentials(w, &credentials, header, sizeof(header) - 1);
    header[n] = '\0';
    phone.headers = header;
    phone.cseq++;
    sip_world_register(w, &phone);
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_pass(w, 115000);
    phone.cseq++;
    phone.body = NULL;
    sip_world_forget(w);
    sip_world_register(w, &phone); /* the same answer again, as phones do */
    assert_null(strstr(w->log, "401"));
    sip_world_free(w);
}

int main(void)
{
    static const uint8_t secret[32] = "client";
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_known_by_its_digest_user),
        cmocka_unit_test(what_is_offered_is_a_setting),
        cmocka_unit_test(a_weaker_algorithm_than_is_asked_for_proves_nothing),
        cmocka_unit_test(a_wrong_password_is_asked_again_and_told_once_a_minute),
        cmocka_unit_test(who_guesses_on_is_not_heard_any_more),
        cmocka_unit_test(nobody_learns_which_users_exist),
        cmocka_unit_test(the_line_of_another_user_is_refused),
        cmocka_unit_test(an_answer_lost_is_given_again),
        cmocka_unit_test(credentials_of_others_cannot_be_used_again),
        cmocka_unit_test(a_repeated_register_moves_nothing),
        cmocka_unit_test(a_nonce_is_good_as_long_as_the_profile_says),
        cmocka_unit_test(credentials_for_another_place_are_refused),
        cmocka_unit_test(several_contacts_are_kept_with_their_preference),
        cmocka_unit_test(contacts_can_be_asked_for_and_removed),
        cmocka_unit_test(an_asterisk_stands_alone_and_with_expires_0),
        cmocka_unit_test(too_brief_a_contact_is_refused),
        cmocka_unit_test(too_many_contacts_are_refused),
        cmocka_unit_test(a_client_that_crashes_again_and_again_is_taken),
        cmocka_unit_test(answers_go_back_through_a_nat),
        cmocka_unit_test(an_answer_goes_to_where_the_request_came_from),
        cmocka_unit_test(a_closed_connection_takes_its_contact),
        cmocka_unit_test(a_client_that_comes_by_another_connection_has_one_contact),
        cmocka_unit_test(by_udp_a_flow_cannot_be_insisted_on),
        cmocka_unit_test(a_client_is_suggested_to_fetch_its_settings),
        cmocka_unit_test(a_cisco_phone_may_have_to_prove_its_user),
    };
    int failed;

    log_set_level(LOG_LEVEL_ERROR);
    client = digest_new(&(struct digest_options){secret, 0});
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    digest_free(client);
    return failed;
}
