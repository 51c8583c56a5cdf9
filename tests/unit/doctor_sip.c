/* doctor_sip.c - scenes of SIP: for each cause one in which it holds, and what must not be said beside it. */
#include "doctor_kit.h"

#include "wire/sip/message.h"

static uint32_t server = SERVER_A; /* the phone speaks with */

/* A message of the phone to the server over UDP, or back; `lines` are divided by '|'. */
static void sip(struct scenery *k, unsigned phone, bool from_phone, const char *format, ...)
{
    static struct sip_message m;
    static char bytes[2048];
    struct sight s = kit_sight(k, SIGHT_SIP, phone, 5060, server, 5060, from_phone);
    char lines[1024];
    struct text rest;
    va_list args;
    size_t n = 0;

    va_start(args, format);
    vsnprintf(lines, sizeof(lines), format, args);
    va_end(args);
    rest = text_of(lines);
    while (rest.at) {
        struct text line = text_split(&rest, '|');

        n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, "%.*s\r\n", TEXT_ARG(line));
    }
    n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, "Content-Length: 0\r\n\r\n");
    assert_int_equal(sip_parse(bytes, n, &m), 0);
    s.flow = phone + 100 * (server == SERVER_B);
    s.sip = &m;
    timeline_see(k->t, &s);
}

#define IDS "Via: SIP/2.0/UDP 10.0.0.16:5060;branch=z9hG4bK%u|From: <sip:%s@10.0.0.1>;tag=1|To: <sip:%s@10.0.0.1>|" \
            "Call-ID: %s@10.0.0.16|CSeq: %u REGISTER|"

#define CISCO "Cisco-CP7961G/9.4.2"

static unsigned sequence;
static const char *agent = CISCO;

static void asks(struct scenery *k, const char *user, unsigned expires, bool proves)
{
    sequence++;
    sip(k, 1, true, "REGISTER sip:10.0.0.1 SIP/2.0|" IDS "Contact: <sip:%s@10.0.0.16:5060>|Expires: %u|User-Agent: %s%s",
        sequence, user, user, user, sequence, user, expires, agent,
        proves ? "|Authorization: Digest username=\"u\",realm=\"r\",nonce=\"n\",uri=\"sip:10.0.0.1\",response=\"00\"" : "");
    wait_s(k, 0.01);
}

static void answers(struct scenery *k, const char *user, const char *status, const char *more)
{
    sip(k, 1, false, "SIP/2.0 %s|" IDS "%s", status, sequence, user, user, user, sequence, more);
    wait_s(k, 0.01);
}

static void accepts(struct scenery *k, const char *user, unsigned expires)
{
    char contact[96];

    snprintf(contact, sizeof(contact), "Contact: <sip:%s@10.0.0.16:5060>;expires=%u|Expires: %u", user, expires, expires);
    answers(k, user, "200 OK", contact);
}

#define CHALLENGE "WWW-Authenticate: Digest realm=\"r\",nonce=\"n\""

static struct scenery begin(void)
{
    struct scenery k = scenery_new();

    sequence = 0;
    server = SERVER_A;
    dora(&k, 1, true);
    wait_s(&k, 1);
    return k;
}

static void a_long_reason_is_told_whole_or_cut_behind_a_word(void **state)
{
#define REASON "Device is already active for another client of this user, and must be released by that one first"
    struct scenery k = begin();
    char detail[SAY_MAX];

    asks(&k, "7001", 3600, false);
    answers(&k, "7001", "403 Forbidden", "Warning: 399 cucm \"Device already active for another client of this user\"");
    first_finding(&k, 1, detail);
    assert_string_equal(detail, "\"403 Device already active for another client of this user\" of 10.0.0.1:5060");
    k = begin();
    asks(&k, "7001", 3600, false);
    answers(&k, "7001", "403 Forbidden", "Warning: 399 cucm \"" REASON "\"");
    first_finding(&k, 1, detail);
    assert_string_equal(detail, "\"403 Device is already active for another client of this user, and must be released by that…\" of 10.0.0.1:5060");
}

static void a_registration_that_is_refreshed_is_well(void **state)
{
    struct scenery k = begin();

    for (int i = 0; i < 3; i++) {
        asks(&k, "7001", 120, false);
        accepts(&k, "7001", 120);
        wait_s(&k, 115);
    }
    causes_are(&k, 1, "healthy");
}

static void one_challenge_is_how_it_should_be(void **state)
{
    struct scenery k = begin();

    asks(&k, "7001", 3600, false);
    answers(&k, "7001", "401 Unauthorized", CHALLENGE);
    asks(&k, "7001", 3600, true);
    accepts(&k, "7001", 3600);
    wait_s(&k, 20);
    causes_are(&k, 1, "healthy");
}

static void challenged_again_is_a_wrong_password(void **state)
{
    struct scenery k = begin();

    asks(&k, "7001", 3600, false);
    for (int i = 0; i < 2; i++) {
        answers(&k, "7001", "401 Unauthorized", CHALLENGE);
        asks(&k, "7001", 3600, true);
    }
    answers(&k, "7001", "401 Unauthorized", CHALLENGE);
    wait_s(&k, 20);
    causes_are(&k, 1, "authentication");
}

static void forbidden_is_the_password_and_not_found_the_device(void **state)
{
    struct scenery k = begin();

    asks(&k, "7001", 3600, false);
    answers(&k, "7001", "403 Forbidden", "Warning: 399 s \"Forbidden - TLS Authentication Error\"");
    wait_s(&k, 20);
    causes_are(&k, 1, "authentication");
    k = begin();
    asks(&k, "7001", 3600, false);
    answers(&k, "7001", "404 Not Found", "Warning: 399 s \"Unable to find device/user in database\"");
    wait_s(&k, 20);
    causes_are(&k, 1, "rejected-unknown");
}

static void forbidden_without_a_question_is_no_wrong_password(void **state)
{
    struct scenery k = begin();

    asks(&k, "7001", 3600, false);
    answers(&k, "7001", "403 Forbidden", "");
    wait_s(&k, 20);
    causes_are(&k, 1, "rejected-other authentication?");
    k = begin();
    asks(&k, "7001", 3600, false);
    answers(&k, "7001", "401 Unauthorized", CHALLENGE);
    asks(&k, "7001", 3600, true);
    answers(&k, "7001", "403 Forbidden", "");
    wait_s(&k, 20);
    causes_are(&k, 1, "authentication");
}

static void silence_is_no_refusal(void **state)
{
    struct scenery k = begin();

    for (int i = 0; i < 4; i++) {
        asks(&k, "7001", 3600, false);
        wait_s(&k, 4);
    }
    wait_s(&k, 20);
    causes_are(&k, 1, "register-no-answer");
}

static void an_expiry_longer_than_asked_does_not_fit(void **state)
{
    struct scenery k = begin();

    asks(&k, "7001", 120, false);
    accepts(&k, "7001", 3600);
    wait_s(&k, 20);
    causes_are(&k, 1, "expires-wrong");
}

/* Registrars may have a least time (Kamailio's is a minute). */
static void a_foreign_client_that_is_granted_more_is_well(void **state)
{
    struct scenery k = scenery_new();
    struct diagnosis d;

    server = SERVER_A;
    agent = "baresip v3.8";
    for (int i = 0; i < 4; i++) {
        asks(&k, "7001", 20, false);
        accepts(&k, "7001", 60);
        wait_s(&k, 18);
    }
    agent = CISCO;
    timeline_end(k.t, 0);
    assert_int_equal(diagnose(k.t, NULL, &d), 0);
    assert_int_equal(d.n_phones, 1);
    assert_int_equal(d.n_well, 1);
    diagnosis_done(&d);
    timeline_free(k.t);
}

static void one_line_of_two_is_refused(void **state)
{
    struct scenery k = begin();

    asks(&k, "7001", 3600, false);
    accepts(&k, "7001", 3600);
    asks(&k, "7002", 3600, false);
    answers(&k, "7002", "404 Not Found", "Warning: 399 s \"unknown line\"");
    wait_s(&k, 20);
    causes_are(&k, 1, "lines-partial");
}

static void asked_for_a_password_again_and_again_it_gives_none(void **state)
{
    struct scenery k = begin();

    for (int i = 0; i < 3; i++) {
        wait_s(&k, 180);
        asks(&k, "7001", 3600, false);
        answers(&k, "7001", "401 Unauthorized", CHALLENGE);
    }
    causes_are(&k, 1, "authentication");
}

/* As a standby the second server hears keep-alives; then it is registered with, in the same connection. */
static void from_the_standby_server_and_back_is_a_toggle(void **state)
{
    struct scenery k = begin();

    for (int i = 0; i < 6; i++) {
        server = i % 2 ? SERVER_B : SERVER_A;
        asks(&k, "7001", 3600, false);
        accepts(&k, "7001", 120);
        wait_s(&k, 100);
        server = i % 2 ? SERVER_A : SERVER_B;
        sequence++;
        sip(&k, 1, true,
            "REGISTER sip:10.0.0.2 SIP/2.0|" IDS "Contact: <sip:7001@10.0.0.16:5060>;expires=0;cisco-keep-alive|Expires: 0",
            sequence, "7001", "7001", "7001", sequence);
        wait_s(&k, 0.01);
        answers(&k, "7001", "200 OK", "Expires: 0");
    }
    causes_are(&k, 1, "toggle");
}

/* Seen from the server, which answers at once. */
static void asked_again_after_the_answer_is_not_heard(void **state)
{
    struct scenery k = begin();

    for (int i = 0; i < 3; i++) {
        asks(&k, "7001", 3600, false);
        accepts(&k, "7001", 120);
        for (int n = 0; i && n < 4; n++) {
            wait_s(&k, 0.5 * (1 << n));
            sequence--;
            asks(&k, "7001", 3600, false);
            accepts(&k, "7001", 120);
        }
        wait_s(&k, 110);
    }
    causes_are(&k, 1, "keepalive-lost");
}

/* friendly-scanner: each try is the same request with another password, milliseconds apart. */
static void who_tries_passwords_does_hear_the_answers(void **state)
{
    struct scenery k = begin();

    asks(&k, "7001", 3600, true);
    answers(&k, "7001", "401 Unauthorized", CHALLENGE);
    for (int i = 0; i < 12; i++) {
        sequence--;
        asks(&k, "7001", 3600, true);
        answers(&k, "7001", "401 Unauthorized", CHALLENGE);
    }
    wait_s(&k, 20);
    causes_are(&k, 1, "authentication");
}

/* A client that begins each time with the same Call-ID and CSeq, as after a restart: its branches differ. */
static void the_same_numbers_after_a_restart_are_no_repeat(void **state)
{
    struct scenery k = begin();

    for (unsigned i = 0; i < 5; i++) {
        sip(&k, 1, true, "REGISTER sip:10.0.0.1 SIP/2.0|" IDS "Contact: <sip:7001@10.0.0.16:5060>|Expires: 60", 90 + i, "7001", "7001", "7001", 1);
        wait_s(&k, 0.01);
        sip(&k, 1, false, "SIP/2.0 200 OK|" IDS "Contact: <sip:7001@10.0.0.16:5060>;expires=60", 90 + i, "7001", "7001", "7001", 1);
        wait_s(&k, 30);
    }
    causes_are(&k, 1, "healthy");
}

/* It is granted ten seconds and refreshes as if it had what it asked for. */
static void what_is_too_short_is_not_refreshed(void **state)
{
    struct scenery k = begin();

    for (int i = 0; i < 3; i++) {
        asks(&k, "7001", 120, false);
        accepts(&k, "7001", 10);
        wait_s(&k, 100);
    }
    causes_are(&k, 1, "expires-wrong");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_reason_is_told_whole_or_cut_behind_a_word),
        cmocka_unit_test(a_registration_that_is_refreshed_is_well),
        cmocka_unit_test(one_challenge_is_how_it_should_be),
        cmocka_unit_test(challenged_again_is_a_wrong_password),
        cmocka_unit_test(forbidden_is_the_password_and_not_found_the_device),
        cmocka_unit_test(forbidden_without_a_question_is_no_wrong_password),
        cmocka_unit_test(silence_is_no_refusal),
        cmocka_unit_test(an_expiry_longer_than_asked_does_not_fit),
        cmocka_unit_test(a_foreign_client_that_is_granted_more_is_well),
        cmocka_unit_test(one_line_of_two_is_refused),
        cmocka_unit_test(asked_for_a_password_again_and_again_it_gives_none),
        cmocka_unit_test(from_the_standby_server_and_back_is_a_toggle),
        cmocka_unit_test(asked_again_after_the_answer_is_not_heard),
        cmocka_unit_test(who_tries_passwords_does_hear_the_answers),
        cmocka_unit_test(the_same_numbers_after_a_restart_are_no_repeat),
        cmocka_unit_test(what_is_too_short_is_not_refreshed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
