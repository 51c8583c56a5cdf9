/* sip_message.c - what a REGISTER costs before and after the registrar: reading the 966 bytes of a
 * phone, writing the 200, alone in one process. Nanoseconds of processor time for each. */
#include <stdio.h>

#include "bench/bench.h"
#include "tests/unit/sip_samples.h"
#include "wire/sip/digest.h"
#include "wire/sip/framing.h"
#include "wire/sip/remotecc.h"
#include "wire/sip/write.h"

static struct sip_message message;
static struct remotecc_offer offer;
static struct digest *digest;
static struct digest_answer answer;
static char out[2048], with_body[4096], ha1[DIGEST_HEX_MAX];
static size_t used, with_body_len;

static void parse(void)
{
    if (sip_parse(SIP_SAMPLE_REGISTER, sizeof(SIP_SAMPLE_REGISTER) - 1, &message) < 0)
        bench_fail("sip_parse");
}

static void frame(void)
{
    if (sip_frame_next(SIP_SAMPLE_REGISTER, sizeof(SIP_SAMPLE_REGISTER) - 1, &message, &used) !=
        SIP_FRAME_MESSAGE)
        bench_fail("sip_frame_next");
}

static void respond(void)
{
    const struct endpoint from = {ip_v4(0x0a0a141f), 5060};
    struct writer w = writer_of(out, sizeof(out));

    sip_write_response(&w, &message, 200, NULL, TEXT("1168208381"), &from);
    sip_write_date(&w, 1289690940000000);
    sip_write_header(&w, SIP_SERVER, TEXT("Cisco-CUCM12.5"));
    sip_write_number(&w, SIP_EXPIRES, 120);
    sip_write_header(&w, SIP_CONTACT, sip_value(&message, SIP_CONTACT));
    sip_write_header(&w, SIP_SUPPORTED, TEXT("X-cisco-srtp-fallback,X-cisco-sis-9.0.0"));
    sip_write_body(&w, TEXT(""), TEXT(""));
    if (w.bad)
        bench_fail("sip_write_response");
}

static void bulk(void)
{
    if (sip_parse(with_body, with_body_len, &message) < 0 ||
        remotecc_read_offer(&message, &offer) < 0 || !offer.bulk)
        bench_fail("remotecc_read_offer");
}

static void bulk_answer(void)
{
    struct writer w = writer_of(out, sizeof(out));

    remotecc_write_answer(&w, &offer);
}

static void check(void)
{
    if (digest_check(digest, &answer, TEXT("REGISTER"), text_of(ha1), true, 600, 1000) != DIGEST_RIGHT)
        bench_fail("digest_check");
}

static void prepare(void)
{
    static const uint8_t secret[32] = "a secret of thirty-two bytes ...";
    static char challenge[512], given[512];
    struct writer w = writer_of(challenge, sizeof(challenge)), g = writer_of(given, sizeof(given));
    struct digest_challenge c;

    with_body_len = (size_t)snprintf(
        with_body, sizeof(with_body),
        "%.*sContent-Type: multipart/mixed; boundary=uniqueBoundary\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        (int)(strstr(SIP_SAMPLE_REGISTER, "Content-Length") - SIP_SAMPLE_REGISTER),
        SIP_SAMPLE_REGISTER, sizeof(SIP_SAMPLE_BULK_BODY) - 1, SIP_SAMPLE_BULK_BODY);
    digest = digest_new(&(struct digest_options){secret, 16});
    digest_write_challenge(digest, &w, SIP_WWW_AUTHENTICATE, TEXT("ccmsipline"), DIGEST_MD5, false,
                           1000);
    digest_ha1(digest, DIGEST_MD5, TEXT("7001"), TEXT("ccmsipline"), TEXT("secret"), ha1);
    if (digest_read_challenge((struct text){challenge + 18, writer_len(&w) - 18}, &c) < 0)
        bench_fail("digest_read_challenge");
    digest_write_answer(digest, &g, SIP_AUTHORIZATION, &c,
                        &(struct digest_credentials){TEXT("7001"), text_of(ha1), TEXT("sip:s"),
                                                     TEXT("0a4f113b"), 1},
                        TEXT("REGISTER"));
    if (digest_read_answer((struct text){given + 15, writer_len(&g) - 15}, &answer) < 0)
        bench_fail("digest_read_answer");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *what;
        void (*run)(void);
    } rows[] = {
        {"parse REGISTER, 966 bytes", parse},
        {"the same in a stream", frame},
        {"write its 200", respond},
        {"parse it with bulk registration and options", bulk},
        {"write the answer to these", bulk_answer},
        {"check digest MD5 and nonce", check},
    };
    unsigned long count;

    bench_options(argc, argv);
    count = bench_number("count", 1000000);
    bench_done();
    prepare();
    parse();
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        double start = bench_cpu_s(0);

        if (rows[i].run == bulk_answer)
            bulk();
        for (unsigned long n = 0; n < count; n++)
            rows[i].run();
        printf("%-45s %6.0f ns\n", rows[i].what, (bench_cpu_s(0) - start) * 1e9 / (double)count);
        parse();
    }
    digest_free(digest);
}
