/* sip_parties.h - messages of one transaction for tests, and a log of what it sends and tells. */
#pragma once

#include "wire/sip/transaction.h"

static char party_log[8192]; /* "send INVITE|tell 180|…", emptied by `log_is` */

static void party_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void party_note(const char *format, ...)
{
    size_t n = strlen(party_log);
    va_list args;

    va_start(args, format);
    if (n)
        party_log[n++] = '|';
    vsnprintf(party_log + n, sizeof(party_log) - n, format, args);
    va_end(args);
}

static char party_sent[4096]; /* the last message */

static void party_send(void *context, const struct sip_transaction *t, const void *bytes,
                       size_t len)
{
    struct sip_message m;

    assert_true(len < sizeof(party_sent));
    memcpy(party_sent, bytes, len);
    party_sent[len] = '\0';
    assert_int_equal(sip_parse(bytes, len, &m), 0);
    assert_int_equal(m.problem, 0);
    if (m.status)
        party_note("send %u", m.status);
    else
        party_note("send %s", sip_method_name(m.method));
}

static void party_tell(void *context, struct sip_transaction *t, enum sip_told what,
                       const struct sip_message *m)
{
    static const char *const words[] = {"response", "ACK", "timeout", "broken", "ended"};

    if (what == SIP_TOLD_RESPONSE)
        party_note("tell %u", m->status);
    else
        party_note("tell %s", words[what]);
}

static const struct sip_port party_port = {NULL, party_send, party_tell};

static inline void log_is(const char *expected)
{
    assert_string_equal(party_log, expected);
    party_log[0] = '\0';
}

static struct sip_flow party_flow(enum sip_transport transport)
{
    return (struct sip_flow){.transport = (uint8_t)transport,
                             .link = transport == SIP_UDP ? 0 : 7,
                             .peer = {ip_v4(0x0a000002), 5060},
                             .local = {ip_v4(0x0a000001), 5060}};
}

static char party_bytes[4096];

/* With a route set and two Vias, so that what follows from it can be looked at. */
static size_t request_write(const char *method, const char *branch)
{
    return (size_t)snprintf(
        party_bytes, sizeof(party_bytes),
        "%s sip:bob@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=%s, "
        "SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKother\r\nMax-Forwards: 70\r\n"
        "Route: <sip:one;lr>, <sip:two;lr>\r\nFrom: <sip:alice@10.0.0.1>;tag=a\r\n"
        "To: <sip:bob@10.0.0.2>\r\nCall-ID: c1\r\nCSeq: 5 %s\r\nContent-Length: 0\r\n\r\n",
        method, branch, method);
}

static struct sip_message party_message;

static const struct sip_message *parsed(size_t len)
{
    assert_int_equal(sip_parse(party_bytes, len, &party_message), 0);
    return &party_message;
}

static const struct sip_message *request(const char *method, const char *branch)
{
    return parsed(request_write(method, branch));
}

static size_t response_write(unsigned status, const char *method, const char *branch)
{
    return (size_t)snprintf(party_bytes, sizeof(party_bytes),
                            "SIP/2.0 %u Words\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=%s\r\n"
                            "From: <sip:alice@10.0.0.1>;tag=a\r\nTo: <sip:bob@10.0.0.2>;tag=b%u\r\n"
                            "Call-ID: c1\r\nCSeq: 5 %s\r\nContent-Length: 0\r\n\r\n",
                            status, branch, status, method);
}

static const struct sip_message *response(unsigned status, const char *method, const char *branch)
{
    return parsed(response_write(status, method, branch));
}
