/* sip_frames.c - every kind of SIP message that the writers make, for a foreign decoder to judge.
 *
 * A line per message: udp or tcp, from (phone or server), method or status, CSeq, message in hex.
 */
#include <stdio.h>
#include <stdlib.h>

#include "wire/sip/digest.h"
#include "wire/sip/multipart.h"
#include "wire/sip/remotecc.h"
#include "wire/sip/service_control.h"
#include "wire/sip/write.h"

#define CALL_ID TEXT("00112233-44550002-1b2c3d4e-5f607182@10.0.0.2")

static const struct endpoint phone = {{4, {10, 0, 0, 2}}, 5060},
                             server = {{4, {10, 0, 0, 1}}, 5060};
static struct digest *digest;
static char bytes[8192];
static uint32_t cseq = 100;

static void print(const struct writer *w, enum sip_transport transport, const char *from,
                  const char *what)
{
    if (w->bad)
        exit(1);
    printf("%s %s %s %u ", transport == SIP_UDP ? "udp" : "tcp", from, what, cseq);
    for (size_t i = 0; i < writer_len(w); i++)
        printf("%02x", (uint8_t)bytes[i]);
    printf("\n");
}

static struct writer begin(enum sip_method method, enum sip_transport transport, bool from_phone)
{
    struct writer w = writer_of(bytes, sizeof(bytes));
    char branch[32];

    snprintf(branch, sizeof(branch), "z9hG4bK%08x", ++cseq);
    sip_write_request(&w, &(struct sip_request_head){
                              .method = method,
                              .uri = from_phone ? TEXT("sip:10.0.0.1")
                                                : TEXT("sip:7001@10.0.0.2:5060;transport=tcp"),
                              .transport = transport,
                              .local = from_phone ? phone : server,
                              .branch = text_of(branch),
                              .from = TEXT("\"M\xc3\xbcller\" <sip:7001@10.0.0.1>;tag=0011-2b"),
                              .to = TEXT("<sip:7001@10.0.0.1>"),
                              .call_id = CALL_ID,
                              .cseq = cseq,
                          });
    return w;
}

/* -- bodies ----------------------------------------------------------------------------------- */

static struct text bulk_update(void)
{
    static char text[1024];
    const struct remotecc_line lines[] = {{.line = 0},
                                          {.line = 1,
                                           .message_waiting = true,
                                           .forwards = true,
                                           .forward_to = TEXT("7<2"),
                                           .to_voicemail = true}};
    struct writer w = writer_of(text, sizeof(text));

    remotecc_write_bulkupdate(&w, lines, 2);
    return (struct text){text, writer_len(&w)};
}

static struct text check_version(void)
{
    static char text[SERVICE_CONTROL_MAX];
    struct writer w = writer_of(text, sizeof(text));

    service_control_write(&w, &(struct service_control){.action = TEXT("check-version"),
                                                        .call_id = CALL_ID,
                                                        .config = TEXT("1288-ab"),
                                                        .dialplan = TEXT(""),
                                                        .softkey = TEXT(""),
                                                        .feature = TEXT("")});
    return (struct text){text, writer_len(&w)};
}

static struct text parts(void)
{
    static char text[4096];
    struct writer w = writer_of(text, sizeof(text));

    sip_write_part(&w, "uniqueBoundary",
                   &(struct sip_part){.type = REMOTECC_REQUEST_TYPE,
                                      .disposition = TEXT("session;handling=optional"),
                                      .id = TEXT("1@10.0.0.1"),
                                      .body = bulk_update()});
    sip_write_part(&w, "uniqueBoundary",
                   &(struct sip_part){.type = SERVICE_CONTROL_TYPE, .body = check_version()});
    sip_write_parts_end(&w, "uniqueBoundary");
    return (struct text){text, writer_len(&w)};
}

static struct text offer_answer(void)
{
    static char text[REMOTECC_ANSWER_MAX];
    struct writer w = writer_of(text, sizeof(text));

    remotecc_write_answer(&w, &(struct remotecc_offer){.options = true,
                                                       .combine = 6,
                                                       .can = (1u << N_REMOTECC_OPTIONS) - 1,
                                                       .unsolicited = 1u << REMOTECC_BLF,
                                                       .subscribed = 1u << REMOTECC_SHARED_LINE});
    return (struct text){text, writer_len(&w)};
}

static struct text status_line(void)
{
    static char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    remotecc_write_status(&w, TEXT("\x80/ <text> & more"), 10);
    return (struct text){text, writer_len(&w)};
}

/* -- messages --------------------------------------------------------------------------------- */

static void write_answer_to(struct writer *w, enum sip_header_id challenge, enum sip_header_id id,
                            enum digest_algorithm algorithm)
{
    char text[512], ha1[DIGEST_HEX_MAX];
    struct writer c = writer_of(text, sizeof(text));
    struct digest_challenge parsed;

    digest_write_challenge(digest, &c, challenge, TEXT("ccmsipline"), algorithm, true, 1000);
    if (digest_read_challenge(
            text_skip((struct text){text, writer_len(&c)}, strcspn(text, ":") + 1), &parsed))
        exit(1);
    digest_ha1(digest, algorithm, TEXT("7001"), parsed.realm, TEXT("secret"), ha1);
    digest_write_answer(digest, w, id, &parsed,
                        &(struct digest_credentials){TEXT("7001"), text_of(ha1),
                                                     TEXT("sip:10.0.0.1"), TEXT("0a4f113b"), 1},
                        TEXT("REGISTER"));
}

static void registers(enum sip_transport transport)
{
    for (int i = 0; i < N_DIGEST_ALGORITHMS; i++) {
        struct writer w = begin(SIP_REGISTER, transport, true);

        sip_write_date(&w, 1289690940000000);
        sip_write_header(&w, SIP_CONTACT,
                         TEXT("<sip:7001@10.0.0.2:5060;transport=tcp>;+sip.instance=\"<urn:uuid:"
                              "00000000-0000-0000-0000-001122334455>\";"
                              "+u.sip!devicename.ccm.cisco.com=\"SEP001122334455\""));
        cisco_reason_write(&w, &(struct cisco_reason){.code = 25,
                                                      .name = TEXT("SEP001122334455"),
                                                      .active_load = TEXT("a.loads"),
                                                      .inactive_load = TEXT("b.loads"),
                                                      .last = TEXT("initialized")});
        write_answer_to(&w, SIP_WWW_AUTHENTICATE, SIP_AUTHORIZATION, (enum digest_algorithm)i);
        write_answer_to(&w, SIP_PROXY_AUTHENTICATE, SIP_PROXY_AUTHORIZATION,
                        (enum digest_algorithm)i);
        sip_write_number(&w, SIP_EXPIRES, 3600);
        sip_write_body(&w, TEXT(""), TEXT(""));
        print(&w, transport, "phone", "REGISTER");
    }
}

static void orders(enum sip_transport transport)
{
    const struct {
        enum sip_method method;
        struct text type, body;
    } rows[] = {
        {SIP_NOTIFY, SERVICE_CONTROL_TYPE, check_version()},
        {SIP_REFER, REMOTECC_REQUEST_TYPE, status_line()},
        {SIP_REFER, TEXT("multipart/mixed; boundary=uniqueBoundary"), parts()},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct writer w = begin(rows[i].method, transport, false);

        sip_write_header(&w, SIP_CONTACT, TEXT("<sip:10.0.0.1:5060>"));
        if (rows[i].method == SIP_NOTIFY) {
            sip_write_header(&w, SIP_EVENT, TEXT("service-control"));
            sip_write_header(&w, SIP_SUBSCRIPTION_STATE, TEXT("active"));
        } else {
            sip_write_header(&w, SIP_REFER_TO, TEXT("cid:1234567890@10.0.0.1"));
            sip_write_header(&w, SIP_REFERRED_BY, TEXT("<sip:7001@10.0.0.1>"));
            sip_write_header(&w, SIP_REQUIRE, TEXT("norefersub"));
            sip_write_header(&w, SIP_CONTENT_ID, TEXT("<1234567890@10.0.0.1>"));
            sip_write_header(&w, SIP_MIME_VERSION, TEXT("1.0"));
        }
        sip_write_body(&w, rows[i].type, rows[i].body);
        print(&w, transport, "server", sip_method_name(rows[i].method));
    }
}

static void all_methods(enum sip_transport transport)
{
    for (int method = SIP_UNKNOWN_METHOD + 1; method < N_SIP_METHODS; method++) {
        struct writer w = begin((enum sip_method)method, transport, true);

        if (method == SIP_SUBSCRIBE || method == SIP_PUBLISH || method == SIP_NOTIFY)
            sip_write_header(&w, SIP_EVENT, TEXT("presence"));
        sip_write_body(&w, TEXT(""), TEXT(""));
        print(&w, transport, "phone", sip_method_name((enum sip_method)method));
    }
}

/* The answers to a REGISTER with every status that has a reason. */
static void all_answers(enum sip_transport transport)
{
    static char request[2048];
    struct writer r = begin(SIP_REGISTER, transport, true);
    struct sip_message m;
    char what[8];

    sip_write_body(&r, TEXT(""), TEXT(""));
    memcpy(request, bytes, writer_len(&r));
    if (sip_parse(request, writer_len(&r), &m))
        exit(1);
    print(&r, transport, "phone", "REGISTER");
    for (uint16_t status = 100; status < 700; status++) {
        struct writer w = writer_of(bytes, sizeof(bytes));

        if (!sip_reason(status)[0])
            continue;
        sip_write_response(&w, &m, status, NULL, status == 100 ? TEXT("") : TEXT("1168208381"),
                           &phone);
        sip_write_header(&w, SIP_SERVER, TEXT("Dialtone"));
        if (status == 401 || status == 407)
            for (int i = 0; i < N_DIGEST_ALGORITHMS; i++)
                digest_write_challenge(
                    digest, &w, status == 401 ? SIP_WWW_AUTHENTICATE : SIP_PROXY_AUTHENTICATE,
                    TEXT("ccmsipline"), (enum digest_algorithm)i, i & 1, 1000);
        if (status == 503)
            sip_write_number(&w, SIP_RETRY_AFTER, 35);
        if (status >= 400)
            sip_write_format(&w, "Warning", "399 %s \"%s\"", "node1", "Device type mismatch");
        sip_write_body(&w, status == 200 ? REMOTECC_RESPONSE_TYPE : TEXT(""),
                       status == 200 ? offer_answer() : TEXT(""));
        snprintf(what, sizeof(what), "%u", status);
        print(&w, transport, "server", what);
    }
}

int main(void)
{
    static const uint8_t secret[32] = "a secret of thirty-two bytes ...";

    digest = digest_new(&(struct digest_options){secret, 0});
    if (!digest)
        return 1;
    for (int transport = SIP_UDP; transport <= SIP_TCP; transport++) {
        registers((enum sip_transport)transport);
        orders((enum sip_transport)transport);
        all_methods((enum sip_transport)transport);
        all_answers((enum sip_transport)transport);
    }
    digest_free(digest);
    return 0;
}
