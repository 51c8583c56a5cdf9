/* wire_sip_digest.c - digest authentication, both sides. */
#include "test.h"

#include "wire/sip/digest.h"

#define REALM TEXT("ccmsipline")

static const uint8_t secret[32] = "thirty-two bytes of a secret ...";
static struct digest *d;
static char bytes[1024];

static int setup(void **state)
{
    d = digest_new(&(struct digest_options){secret, 4});
    return d ? 0 : -1;
}

static int teardown(void **state)
{
    digest_free(d);
    return 0;
}

/* Value of the header that `w` holds. */
static struct text value_of(struct writer *w)
{
    assert_false(w->bad);
    assert_memory_equal(w->at - 2, "\r\n", 2);
    return text_trim(text_skip((struct text){bytes, writer_len(w)}, strcspn(bytes, ":") + 1));
}

static struct digest_challenge challenge(enum digest_algorithm algorithm, uint64_t now_s)
{
    static char kept[512];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct digest_challenge c;
    struct text value;

    digest_write_challenge(d, &w, SIP_WWW_AUTHENTICATE, REALM, algorithm, false, now_s);
    value = value_of(&w);
    text_copy(kept, sizeof(kept), value);
    assert_int_equal(digest_read_challenge(text_of(kept), &c), 0);
    assert_int_equal(c.algorithm, algorithm);
    return c;
}

static enum digest_verdict try(const struct digest_challenge *c, const char *password,
                               uint32_t count, bool recount, uint64_t now_s)
{
    char right[DIGEST_HEX_MAX], given[DIGEST_HEX_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct digest_answer a;

    digest_ha1(d, c->algorithm, TEXT("7001"), REALM, TEXT("secret"), right);
    digest_ha1(d, c->algorithm, TEXT("7001"), REALM, text_of(password), given);
    digest_write_answer(d, &w, SIP_AUTHORIZATION, c,
                        &(struct digest_credentials){TEXT("7001"), text_of(given),
                                                     TEXT("sip:server"), TEXT("0a4f113b"), count},
                        TEXT("REGISTER"));
    assert_int_equal(digest_read_answer(value_of(&w), &a), 0);
    return digest_check(d, &a, TEXT("REGISTER"), text_of(right), recount, 600, now_s);
}

static void every_algorithm_works_from_end_to_end(void **state)
{
    for (int i = 0; i < N_DIGEST_ALGORITHMS; i++) {
        struct digest_challenge c = challenge((enum digest_algorithm)i, 1000);

        assert_int_equal(try(&c, "secret", 1, false, 1000), DIGEST_RIGHT);
        assert_int_equal(try(&c, "Secret", 2, false, 1000), DIGEST_WRONG);
        c.has_qop = false;
        assert_int_equal(try(&c, "secret", 2, true, 1000), DIGEST_RIGHT);
    }
}

/* Examples of RFC 2617 3.5, RFC 7616 3.9.1, RFC 2069 2.4 (its errata), and sessions computed by
 * other means. The nonce is not ours: a right answer is stale. */
static void examples_of_the_standards_are_right(void **state)
{
    static const struct {
        const char *method, *password, *answer;
    } rows[] = {
        {"GET", "Circle Of Life",
         "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
         "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, "
         "nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", "
         "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""},
        {"GET", "Circle of Life",
         "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
         "algorithm=MD5, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
         "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
         "response=\"8ca523f5e9506fed4657c9700eebdbec\""},
        {"GET", "Circle of Life",
         "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
         "algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
         "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
         "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""},
        {"GET", "CircleOfLife",
         "digest username=\"Mufasa\",realm=\"testrealm@host.com\","
         "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",uri=\"/dir/index.html\","
         "response=\"1949323746fe6a43ef61f9606e7febea\""},
        {"REGISTER", "secret",
         "Digest username=\"7001\",realm=\"ccmsipline\",uri=\"sip:server\",algorithm=MD5-sess,"
         "nonce=\"abc\",nc=00000001,cnonce=\"0a4f113b\",qop=auth,"
         "response=\"1811c3f91eb928e34965dcd7507ed3ac\""},
        {"REGISTER", "secret",
         "Digest username=\"7001\",realm=\"ccmsipline\",uri=\"sip:server\",algorithm=SHA-256-sess,"
         "nonce=\"abc\",nc=00000001,cnonce=\"0a4f113b\",qop=auth,"
         "response=\"f032af0d039f7dc3f3f8c994e8a89365a9b2ed0c64407892157d461cde75e9e5\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char ha1[DIGEST_HEX_MAX];
        struct digest_answer a;

        assert_int_equal(digest_read_answer(text_of(rows[i].answer), &a), 0);
        digest_ha1(d, a.algorithm, a.user, a.realm, text_of(rows[i].password), ha1);
        assert_int_equal(digest_check(d, &a, text_of(rows[i].method), text_of(ha1), false, 600, 0),
                         DIGEST_STALE);
        assert_int_equal(digest_check(d, &a, TEXT("PUT"), text_of(ha1), false, 600, 0), DIGEST_WRONG);
    }
}

static void an_old_or_changed_nonce_is_stale(void **state)
{
    struct digest_challenge c = challenge(DIGEST_MD5, 1000);
    char *nonce = (char *)(uintptr_t)c.nonce.at;

    assert_int_equal(try(&c, "secret", 1, false, 1600), DIGEST_RIGHT);
    assert_int_equal(try(&c, "secret", 2, false, 1601), DIGEST_STALE);
    assert_int_equal(try(&c, "secret", 2, false, 999), DIGEST_STALE); /* of the future */
    for (size_t i = 0; i < c.nonce.len; i++) {
        nonce[i] ^= 1;
        assert_int_equal(try(&c, "secret", 3, false, 1000), DIGEST_STALE);
        nonce[i] ^= 1;
    }
    assert_int_equal(try(&c, "secret", 3, false, 1000), DIGEST_RIGHT);
}

static void a_count_is_good_once(void **state)
{
    struct digest_challenge c = challenge(DIGEST_MD5, 1000);

    assert_int_equal(try(&c, "secret", 0, false, 1000), DIGEST_STALE);
    assert_int_equal(try(&c, "secret", 1, false, 1000), DIGEST_RIGHT);
    assert_int_equal(try(&c, "secret", 1, false, 1000), DIGEST_STALE);
    assert_int_equal(try(&c, "secret", 1, true, 1000), DIGEST_RIGHT); /* phones repeat it */
    assert_int_equal(try(&c, "secret", 5, false, 1000), DIGEST_RIGHT);
    assert_int_equal(try(&c, "secret", 3, false, 1000), DIGEST_RIGHT); /* overtaken on the way */
    assert_int_equal(try(&c, "secret", 3, false, 1000), DIGEST_STALE);
    assert_int_equal(try(&c, "secret", 1, false, 1000), DIGEST_STALE);
    assert_int_equal(try(&c, "secret", 100, false, 1000), DIGEST_RIGHT);
    assert_int_equal(try(&c, "secret", 67, false, 1000), DIGEST_STALE); /* too far back */
    assert_int_equal(try(&c, "secret", 68, false, 1000), DIGEST_RIGHT);
    assert_int_equal(try(&c, "secret", 68, false, 1000), DIGEST_STALE);
    assert_int_equal(try(&c, "secret", 132, false, 1000), DIGEST_RIGHT);
    assert_int_equal(try(&c, "secret", 100, false, 1000), DIGEST_STALE);
}

static void a_forgotten_nonce_is_stale_and_not_good_again(void **state)
{
    static char kept[8][64];
    struct digest_challenge c[8];

    for (int i = 0; i < 8; i++) {
        c[i] = challenge(DIGEST_MD5, 1000);
        text_copy(kept[i], sizeof(kept[i]), c[i].nonce);
        c[i].nonce = text_of(kept[i]);
        c[i].realm = REALM;
        assert_int_equal(try(&c[i], "secret", 1, false, 1000), DIGEST_RIGHT);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(try(&c[i], "secret", 2, false, 1000), i < 4 ? DIGEST_STALE : DIGEST_RIGHT);
}

static void what_cannot_be_understood_is_named(void **state)
{
    static const struct {
        const char *value;
        int err;
    } rows[] = {
        {"", -ENOTSUP},
        {"Digest", -ENOTSUP},
        {"Basic QWxhZGRpbg==", -ENOTSUP},
        {"Bearer token=\"x\"", -ENOTSUP},
        {"NoOneKnowsThisScheme opaque-data=here", -ENOTSUP},
        {"Digest username=\"a\"", -EBADMSG},
        {"Digest username=\"a,realm=b", -EBADMSG},
        {"Digest a=b,=c", -EBADMSG},
        {"Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"u\",response=\"x\",algorithm=SHA-512",
         -ENOTSUP},
        {"Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"u\",response=\"x\",qop=auth-int",
         -ENOTSUP},
        {"Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"u\",response=\"x\",qop=auth",
         -EBADMSG},
        {"Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"u\",response=\"x\",qop=auth,nc=1,"
         "cnonce=\"c\"",
         -EBADMSG},
        {"Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"u\",response=\"x\",qop=auth,"
         "nc=0000000g,cnonce=\"c\"",
         -EBADMSG},
        {"Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"u\",response=\"x\","
         "algorithm=MD5-sess",
         -EBADMSG},
        {"Digest ,username=\"a\" , realm=\"r\",\r\n nonce=\"n\",,uri=\"u\",response=\"x\",new=1",
         0},
    };
    struct digest_answer a;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(digest_read_answer(text_of(rows[i].value), &a), rows[i].err);
}

static void the_answer_for_our_realm_is_found(void **state)
{
    static const char text[] =
        "REGISTER sip:s SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a>\r\nTo: <sip:a>\r\n"
        "Call-ID: 1\r\nCSeq: 1 REGISTER\r\n"
        "Authorization: Digest username=\"a\",realm=\"x\",nonce=\"1\",uri=\"u\",response=\"r\"\r\n"
        "Authorization: Digest username=\"a\",realm=\"ccmsipline\",nonce=\"2\",uri=\"u\","
        "response=\"r\"\r\n\r\n";
    struct sip_message m;
    struct digest_answer a;

    assert_int_equal(sip_parse(text, strlen(text), &m), 0);
    assert_int_equal(digest_find_answer(&m, SIP_AUTHORIZATION, REALM, &a), 0);
    assert_true(text_is(a.nonce, "2"));
    assert_int_equal(digest_find_answer(&m, SIP_AUTHORIZATION, TEXT("y"), &a), -ENOENT);
    assert_int_equal(digest_find_answer(&m, SIP_PROXY_AUTHORIZATION, REALM, &a), -ENOENT);
}

static void a_challenge_is_read_whatever_its_order(void **state)
{
    struct digest_challenge c;

    assert_int_equal(digest_read_challenge(TEXT("DIGEST  qop=\"auth-int,auth\", stale=TRUE,"
                                                "algorithm=sha-256, opaque=\"\", nonce=\"n\","
                                                "realm=\"a, \\\"b\\\"\""),
                                           &c),
                     0);
    assert_true(c.stale && c.has_qop && c.opaque.at);
    assert_int_equal(c.algorithm, DIGEST_SHA256);
    assert_true(text_is(c.realm, "a, \\\"b\\\""));
    assert_int_equal(digest_read_challenge(TEXT("Digest realm=\"r\""), &c), -EBADMSG);
    assert_int_equal(digest_read_challenge(TEXT("Digest realm=\"r\",nonce=n,qop=\"auth-int\""), &c),
                     -ENOTSUP);
    assert_int_equal(digest_read_challenge(TEXT("Digest realm=\"r\",nonce=n"), &c), 0);
    assert_false(c.has_qop || c.opaque.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_works_from_end_to_end),
        cmocka_unit_test(examples_of_the_standards_are_right),
        cmocka_unit_test(an_old_or_changed_nonce_is_stale),
        cmocka_unit_test(a_count_is_good_once),
        cmocka_unit_test(a_forgotten_nonce_is_stale_and_not_good_again),
        cmocka_unit_test(what_cannot_be_understood_is_named),
        cmocka_unit_test(the_answer_for_our_realm_is_found),
        cmocka_unit_test(a_challenge_is_read_whatever_its_order),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
