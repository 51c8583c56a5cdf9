#include "doctor/retell.h"

#include <stdlib.h>
#include <string.h>

#define TFTP_BLOCKS 1 /* a transfer is retold as its first block: how many there were nobody says  \
                       */

struct retell *retell_new(sight_fn on_sight, void *context)
{
    struct retell *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->on_sight = on_sight;
    r->context = context;
    r->n_flows = RETELL_FIRST_FLOW;
    return r;
}

uint32_t retell_flow(struct retell *r)
{
    return ++r->n_flows;
}

/* Between the phone and the server, in one of the directions. */
static void tell(struct retell *r, struct sight *s, bool from_phone)
{
    s->at = r->at;
    s->at.from = from_phone ? r->phone : r->server;
    s->at.to = from_phone ? r->server : r->phone;
    *(from_phone ? &s->at.from_mac : &s->at.to_mac) = r->mac;
    s->at.ttl = 64; /* of its own link: whoever has the address is the phone */
    s->from_client = from_phone;
    r->on_sight(r->context, s);
}

/* ---- address and names ---- */

void retell_dhcp_begin(struct retell *r, enum dhcp_type type)
{
    bool asks = type == DHCP_DISCOVER || type == DHCP_REQUEST || type == DHCP_DECLINE ||
                type == DHCP_RELEASE || type == DHCP_INFORM;

    dhcp_init(&r->dhcp, asks ? DHCP_BOOTREQUEST : DHCP_BOOTREPLY, 0, r->mac);
    dhcp_set_type(&r->dhcp, (uint8_t)type);
}

void retell_dhcp(struct retell *r)
{
    struct sight s = {.kind = SIGHT_DHCP, .dhcp = &r->dhcp};
    bool asks = r->dhcp.op == DHCP_BOOTREQUEST;
    struct endpoint phone = r->phone;

    if (!asks)
        r->phone.ip = ip_v4(UINT32_MAX); /* to everybody */
    tell(r, &s, asks);
    r->phone = phone;
}

void retell_arp(struct retell *r, const struct arp *a)
{
    struct sight s = {.kind = SIGHT_ARP, .at = r->at, .arp = a};

    s.at.from_mac = a->sender_mac;
    s.at.to_mac = a->target_mac;
    r->on_sight(r->context, &s);
}

void retell_dns(struct retell *r, bool answer, uint8_t rcode, const char *name)
{
    struct sight s = {.kind = SIGHT_DNS, .dns = &r->dns};

    dns_init(&r->dns, 0);
    r->dns.response = answer;
    r->dns.rcode = rcode;
    r->dns.has_question = true;
    text_copy(r->dns.name, sizeof(r->dns.name), text_of(name));
    tell(r, &s, !answer);
}

/* ---- files ---- */

static bool by_tftp(const struct retell *r)
{
    return r->server.port == TFTP_PORT;
}

void retell_file_asked(struct retell *r, uint32_t flow, struct text name)
{
    struct tftp_packet packet = {.op = TFTP_RRQ, .file = name};
    struct http_request request = {.method = HTTP_GET, .target = name};
    struct sight s = {.kind = SIGHT_TFTP, .flow = flow, .tftp = &packet};

    if (!by_tftp(r)) {
        s.kind = SIGHT_HTTP_REQUEST;
        s.http_request = &request;
    }
    tell(r, &s, true);
}

void retell_file_sent(struct retell *r, uint32_t flow, struct text name, uint64_t bytes)
{
    struct tftp_packet data = {.op = TFTP_DATA, .block = TFTP_BLOCKS}, ack = {TFTP_ACK, .block = 1};
    struct http_response response = {.head = {.has_length = true, .length = bytes}, .status = 200};
    struct sight s = {.kind = SIGHT_TFTP, .flow = flow, .tftp = &data};
    struct sight file = {.kind = SIGHT_FILE, .flow = flow, .file = {.name = name, .size = bytes}};

    if (!by_tftp(r)) {
        s.kind = SIGHT_HTTP_RESPONSE;
        s.http_response = &response;
    }
    tell(r, &s, false);
    if (by_tftp(r)) {
        s.tftp = &ack;
        tell(r, &s, true);
    }
    file.file.whole = true;
    tell(r, &file, false);
}

void retell_file_refused(struct retell *r, uint32_t flow, unsigned code, struct text words)
{
    struct tftp_packet error = {.op = TFTP_ERROR, .error = (uint16_t)code, .message = words};
    struct http_response response = {.status = (uint16_t)code, .reason = words};
    struct sight s = {.kind = SIGHT_TFTP, .flow = flow, .tftp = &error};

    if (!by_tftp(r)) {
        s.kind = SIGHT_HTTP_RESPONSE;
        s.http_response = &response;
    }
    tell(r, &s, false);
}

/* ---- connections and what is said ---- */

void retell_tcp(struct retell *r, uint32_t flow, bool from_phone, enum tcp_sign sign,
                int64_t after_ns)
{
    struct sight s = {.kind = SIGHT_TCP, .flow = flow};

    s.tcp.sign = sign;
    s.tcp.after_ns = after_ns;
    tell(r, &s, from_phone);
}

void retell_sccp(struct retell *r, uint32_t flow, bool from_phone, uint32_t id)
{
    struct sight s = {.kind = SIGHT_SCCP, .flow = flow, .sccp = &r->sccp};

    r->sccp.id = id;
    tell(r, &s, from_phone);
    memset(&r->sccp, 0, sizeof(r->sccp));
}

void retell_sip(struct retell *r, uint32_t flow, bool from_phone, struct text message)
{
    struct sight s = {.kind = SIGHT_SIP, .flow = flow, .sip = &r->sip};

    if (sip_parse(message.at, message.len, &r->sip) == 0)
        tell(r, &s, from_phone);
}
