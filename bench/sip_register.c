/* sip_register.c - the REGISTER of a Cisco phone as a template, its answers, latencies. */
#include "bench/sip_register.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "wire/sip/write.h"

#define PER_ADDRESS 25 /* phones, unless told otherwise */
#define FIELDS_MAX  32
#define BUCKETS     1000000 /* of a microsecond */

/* Fields of the template, by the letters that stand for their digits there. */
enum field { MAC, NUMBER, BRANCH, NTH, SECOND, THIRD, FOURTH, N_FIELDS };
static const char *const letters[] = {"MMMMMMMMMMMM", "NNNNNN", "BBBBBBBB", "QQQQQQ",
                                      "$",            "YYY",    "ZZZ"};

static char text[SIP_BYTES_MAX];
static size_t text_len, n_places;
static struct {
    uint16_t at;
    uint8_t field;
} places[FIELDS_MAX];

static size_t per_address = PER_ADDRESS;
static uint32_t latencies[BUCKETS];
static uint64_t worst_ns;

void sip_bench_options(struct sip_bench *b)
{
    const char *mode = bench_text("mode", "first");

    *b = (struct sip_bench){.count = bench_number("count", 10000),
                            .parallel = bench_number("parallel", 256),
                            .first = bench_number("first", 0),
                            .seconds = bench_number("seconds", 3),
                            .rate = bench_number("rate", 0),
                            .refresh = !strcmp(mode, "refresh"),
                            .hold = !strcmp(mode, "hold"),
                            .pid = (int)bench_number("pid", 0)};
    per_address = bench_number("per-address", PER_ADDRESS);
    b->server = (struct sockaddr_in){.sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)bench_number("port", 5060))};
    inet_pton(AF_INET, bench_text("server", "127.0.0.1"), &b->server.sin_addr);
}

int sip_bench_pause_ms(const struct sip_bench *b)
{
    if (!b->rate)
        return 10;
    return b->rate <= 1000 ? 1 : 0;
}

uint64_t sip_bench_due_ns(const struct sip_bench *b, uint64_t start_ns, uint64_t n, uint64_t now_ns)
{
    return b->rate ? start_ns + (n + 1) * 1000000000u / b->rate : now_ns;
}

struct in_addr sip_source(size_t phone)
{
    size_t n = phone / per_address; /* three digits each, and one */
    uint32_t fourth = 100 + (uint32_t)(n % 150), third = 100 + (uint32_t)(n / 150 % 150),
             second = 1 + (uint32_t)(n / 22500 % 9);

    return (struct in_addr){htonl(0x7f000000u | second << 16 | third << 8 | fourth)};
}

/* ---- REGISTER ---- */

static void places_find(enum field field)
{
    size_t len = strlen(letters[field]);

    for (char *at = text; (at = strstr(at, letters[field])); at += len) {
        places[n_places].at = (uint16_t)(at - text);
        places[n_places++].field = (uint8_t)field;
    }
}

void sip_register_make(const char *transport, uint16_t port, unsigned model)
{
    bool tcp = !strcmp(transport, "TCP");

    /* Another Call-ID for each run, as after a restart: CSeq begins again. */
    text_len = (size_t)snprintf(
        text, sizeof(text),
        "REGISTER sip:127.0.0.1 SIP/2.0\r\n"
        "Via: SIP/2.0/%s 127.$.YYY.ZZZ:%05u;branch=z9hG4bKBBBBBBBB\r\n"
        "From: <sip:NNNNNN@127.0.0.1>;tag=MMMMMMMMMMMM00020f4e7c3b-2d1a6f05\r\n"
        "To: <sip:NNNNNN@127.0.0.1>\r\n"
        "Call-ID: 00NNNNNN-%08x-51a3c8e0-0a1b2c3d4e5@127.$.YYY.ZZZ\r\n"
        "Max-Forwards: 70\r\n"
        "Session-ID: 5f0c3a8e00105000a000MMMMMMMMMMMM;remote=00000000000000000000000000000000\r\n"
        "Date: Sat, 21 Nov 2026 07:16:38 GMT\r\n"
        "CSeq: QQQQQQ REGISTER\r\n"
        "User-Agent: Cisco-CP8851/12.6.1\r\n"
        "Contact: <sip:5f0c3a8e-0010-5000-a000-MMMMMMMMMMMM@127.$.YYY.ZZZ:%05u;transport=%s>;"
        "+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-MMMMMMMMMMMM>\";"
        "+u.sip!devicename.ccm.cisco.com=\"SEPMMMMMMMMMMMM\";"
        "+u.sip!model.ccm.cisco.com=\"%u\"\r\n"
        "Supported: replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,"
        "X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,"
        "X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0,"
        "X-cisco-xsi-8.5.1\r\n"
        "Expires: 3600\r\n"
        "Content-Length: 0\r\n\r\n",
        transport, port, (unsigned)(bench_now_ns() >> 20), port, tcp ? "tcp" : "udp", model);
    for (enum field field = 0; field < N_FIELDS; field++)
        places_find(field);
}

static void put_digits(char *to, uint64_t n, size_t width)
{
    while (width--) {
        to[width] = (char)('0' + n % 10);
        n /= 10;
    }
}

static void put_hex(char *to, uint32_t n)
{
    for (int i = 7; i >= 0; i--, n >>= 4)
        to[i] = "0123456789abcdef"[n & 15];
}

size_t sip_register_write(const struct sip_bench *b, size_t phone, uint32_t nth, uint32_t branch,
                          char to[static SIP_BYTES_MAX])
{
    uint32_t source = ntohl(sip_source(phone).s_addr);
    const uint64_t values[] = {[MAC] = b->first + phone,
                               [NUMBER] = 100000 + (b->first + phone) % 900000,
                               [NTH] = 100101 + nth,
                               [SECOND] = source >> 16 & 255,
                               [THIRD] = source >> 8 & 255,
                               [FOURTH] = source & 255};

    memcpy(to, text, text_len);
    for (size_t i = 0; i < n_places; i++) {
        char *at = to + places[i].at;

        if (places[i].field == BRANCH)
            put_hex(at, branch);
        else
            put_digits(at, values[places[i].field], strlen(letters[places[i].field]));
    }
    return text_len;
}

/* ---- what comes ---- */

static bool from_hex(const char *at, uint32_t *ret)
{
    uint64_t n;

    if (text_to_u64((struct text){at, 8}, 16, &n) < 0)
        return false;
    *ret = (uint32_t)n;
    return true;
}

enum sip_heard sip_hear(struct text message, uint32_t *branch)
{
    static const char mark[] = "branch=z9hG4bK";
    size_t near = message.len < 250 ? message.len : 250;
    const char *at;

    if (!text_starts(message, "SIP/2.0 "))
        return SIP_HEARD_REQUEST;
    if (text_starts(message, "SIP/2.0 100"))
        return SIP_HEARD_TRYING;
    at = memmem(message.at, near, mark, sizeof(mark) - 1);
    if (!at || (size_t)(message.at + message.len - at) < sizeof(mark) + 8 ||
        !text_starts(message, "SIP/2.0 200") || !from_hex(at + sizeof(mark) - 1, branch))
        return SIP_HEARD_OTHER;
    return SIP_HEARD_OK;
}

size_t sip_agree(struct text request, char to[static SIP_BYTES_MAX])
{
    struct writer w = writer_of(to, SIP_BYTES_MAX);
    struct endpoint from = {0};
    struct sip_message m;

    if (sip_parse(request.at, request.len, &m) < 0 || m.status || m.problem)
        return 0;
    sip_write_response(&w, &m, 200, NULL, TEXT("b"), &from);
    sip_write_body(&w, TEXT(""), TEXT(""));
    return w.bad ? 0 : writer_len(&w);
}

/* ---- latencies ---- */

void sip_latency_note(uint64_t ns)
{
    uint64_t us = ns / 1000;

    latencies[us < BUCKETS ? us : BUCKETS - 1]++;
    if (ns > worst_ns)
        worst_ns = ns;
}

static size_t percentile(uint64_t all, double part)
{
    uint64_t seen = 0;
    size_t us = 0;

    while (us < BUCKETS - 1 && (seen += latencies[us]) < (uint64_t)((double)all * part))
        us++;
    return us;
}

void sip_latency_report(void)
{
    uint64_t all = 0;

    for (size_t us = 0; us < BUCKETS; us++)
        all += latencies[us];
    printf("{\"what\": \"latency\", \"median_us\": %zu, \"p99_us\": %zu, \"worst_us\": %llu}\n",
           percentile(all, 0.5), percentile(all, 0.99), (unsigned long long)(worst_ns / 1000));
    fflush(stdout);
}

void sip_latency_forget(void)
{
    memset(latencies, 0, sizeof(latencies));
    worst_ns = 0;
}
