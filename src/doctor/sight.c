#include "doctor/sight.h"

#include <time.h>

static const char *const kinds[] = {
    [SIGHT_CDP] = "CDP",   [SIGHT_LLDP] = "LLDP",
    [SIGHT_ARP] = "ARP",   [SIGHT_DHCP] = "DHCP",
    [SIGHT_DNS] = "DNS",   [SIGHT_TFTP] = "TFTP",
    [SIGHT_ICMP] = "ICMP", [SIGHT_HTTP_REQUEST] = "HTTP",
    [SIGHT_FILE] = "FILE", [SIGHT_HTTP_RESPONSE] = "HTTP",
    [SIGHT_SCCP] = "SCCP", [SIGHT_SIP] = "SIP",
    [SIGHT_TORN] = "TORN", [SIGHT_TLS] = "TLS",
    [SIGHT_TCP] = "TCP",   [SIGHT_LOST] = "LOST",
};

static const char *const signs[] = {
    [TCP_OPENING] = "opening",
    [TCP_ACCEPTED] = "accepted",
    [TCP_REFUSED] = "refused",
    [TCP_CONNECTED] = "established",
    [TCP_AGAIN] = "again",
    [TCP_ACKNOWLEDGED] = "acknowledged",
    [TCP_WINDOW_CLOSED] = "window-closed",
    [TCP_WINDOW_OPEN] = "window-open",
    [TCP_PROBE] = "probe",
    [TCP_GAP] = "gap",
    [TCP_GAP_FILLED] = "gap filled",
    [TCP_ENDING] = "closing",
    [TCP_RESET] = "reset",
    [TCP_MIDDLE] = "middle",
};

/* Text of the wire as it may go to a terminal. */
static void print_text(struct text t, struct writer *to)
{
    for (size_t i = 0; i < t.len && i < 128; i++)
        write_u8(to, t.at[i] >= ' ' && t.at[i] < 127 ? (uint8_t)t.at[i] : '.');
}

static void print_place(const struct place *at, struct writer *to)
{
    char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];
    time_t seconds = (time_t)(at->time_ns / 1000000000);
    struct tm tm = {0};

    gmtime_r(&seconds, &tm);
    if (at->capture)
        write_format(to, "%u:", at->capture);
    write_format(to, "%llu %02d:%02d:%02d.%06lld", (unsigned long long)at->number, tm.tm_hour,
                 tm.tm_min, tm.tm_sec, (long long)(at->time_ns % 1000000000 / 1000));
    if (at->vlan)
        write_format(to, " vlan %u", at->vlan);
    if (at->from.ip.family)
        write_format(to, " %s > %s", endpoint_print(&at->from, a), endpoint_print(&at->to, b));
    else
        write_format(to, " %s > %s", mac_print(at->from_mac, a), mac_print(at->to_mac, b));
}

static void print_tcp(const struct sight *s, struct writer *to)
{
    write_format(to, " %s",
                 s->tcp.sign < sizeof(signs) / sizeof(*signs) ? signs[s->tcp.sign] : "?");
    if (s->tcp.length)
        write_format(to, " %u bytes at %u", s->tcp.length, s->tcp.sequence);
    if (s->tcp.again)
        write_format(to, " again %u", s->tcp.again);
    if (s->tcp.after_ns)
        write_format(to, " after %lld us", (long long)s->tcp.after_ns / 1000);
}

static void print_arp(const struct arp *m, struct writer *to)
{
    char a[IP_TEXT_MAX], b[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

    if (m->op == ARP_REQUEST)
        write_format(to, " who has %s? tell %s", ip_print(ip_v4(m->target_ip), a),
                     ip_print(ip_v4(m->sender_ip), b));
    else
        write_format(to, " %s is at %s", ip_print(ip_v4(m->sender_ip), a),
                     mac_print(m->sender_mac, mac));
}

static void print_dhcp(const struct dhcp_message *m, struct writer *to)
{
    char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

    write_format(to, " %s %s xid %08x", dhcp_type_name(m->type), mac_print(dhcp_mac(m), mac),
                 m->xid);
    if (m->yiaddr)
        write_format(to, " address %s", ip_print(ip_v4(m->yiaddr), ip));
}

static void print_dns(const struct dns_message *m, struct writer *to)
{
    write_format(to, " %s ", m->response ? "answer" : "query");
    print_text(text_of(m->name), to);
    if (m->response)
        write_format(to, " rcode %u records %u", m->rcode, m->n_records);
}

static void print_icmp(const struct sight *s, struct writer *to)
{
    char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];

    write_format(to, " type %u code %u protocol %u %s > %s", s->icmp.type, s->icmp.code,
                 s->icmp.protocol, endpoint_print(&s->icmp.from, a),
                 endpoint_print(&s->icmp.to, b));
}

static void print_tftp(const struct tftp_packet *m, struct writer *to)
{
    write_format(to, " %s", tftp_op_name(m->op));
    if (m->op == TFTP_RRQ || m->op == TFTP_WRQ) {
        write_format(to, " ");
        print_text(m->file, to);
    } else if (m->op == TFTP_DATA || m->op == TFTP_ACK) {
        write_format(to, " block %u", m->block);
    } else if (m->op == TFTP_ERROR) {
        write_format(to, " %u ", m->error);
        print_text(m->message, to);
    }
}

static void print_sip(const struct sip_message *m, struct writer *to)
{
    if (m->status)
        write_format(to, " %u %s", m->status, sip_method_name(m->method));
    else
        write_format(to, " %.*s", (int)(m->method_name.len < 32 ? m->method_name.len : 32),
                     m->method_name.at);
    write_format(to, " cseq %u call ", m->cseq);
    print_text(m->call_id, to);
}

static void print_file(const struct sight *s, struct writer *to)
{
    write_format(to, " ");
    print_text(s->file.name, to);
    write_format(to, " %llu bytes%s", (unsigned long long)s->file.size,
                 s->file.whole ? "" : ", not whole");
}

static void print_http(const struct http_request *r, struct writer *to)
{
    write_format(to, " ");
    print_text(r->method_name, to);
    write_format(to, " ");
    print_text(r->target, to);
}

static void print_sccp(const struct sccp_message *m, struct writer *to)
{
    const char *name = sccp_message_name(m->id);

    if (name)
        write_format(to, " %s", name);
    else
        write_format(to, " message %04x", m->id);
}

static void print_tls(const struct sight *s, struct writer *to)
{
    const char *record = s->tls.record == 0x15 ? "alert" : s->tls.record == 0x17 ? "data" : "handshake";

    write_format(to, " %s %u version %04x ", record, s->tls.type, s->tls.version);
    print_text(s->tls.name, to);
}

static void print_body(const struct sight *s, struct writer *to)
{
    switch (s->kind) {
    case SIGHT_CDP:
    case SIGHT_LLDP:
    case SIGHT_TORN:
        break;
    case SIGHT_ARP:
        print_arp(s->arp, to);
        break;
    case SIGHT_DHCP:
        print_dhcp(s->dhcp, to);
        break;
    case SIGHT_DNS:
        print_dns(s->dns, to);
        break;
    case SIGHT_TFTP:
        print_tftp(s->tftp, to);
        break;
    case SIGHT_ICMP:
        print_icmp(s, to);
        break;
    case SIGHT_HTTP_REQUEST:
        print_http(s->http_request, to);
        break;
    case SIGHT_HTTP_RESPONSE:
        write_format(to, " %u", s->http_response->status);
        break;
    case SIGHT_FILE:
        print_file(s, to);
        break;
    case SIGHT_SCCP:
        print_sccp(s->sccp, to);
        break;
    case SIGHT_SIP:
        print_sip(s->sip, to);
        break;
    case SIGHT_TLS:
        print_tls(s, to);
        break;
    case SIGHT_TCP:
        print_tcp(s, to);
        break;
    case SIGHT_LOST:
        write_format(to, " %llu bytes", (unsigned long long)s->lost.bytes);
        break;
    }
}

void sight_print(const struct sight *s, struct writer *to)
{
    print_place(&s->at, to);
    write_format(to, " %s", s->kind < sizeof(kinds) / sizeof(*kinds) ? kinds[s->kind] : "?");
    if (s->flow)
        write_format(to, " #%u%s", s->flow, s->from_client ? ">" : "<");
    print_body(s, to);
}
