/* dhcp.c - DHCP messages as our own server's trace tells them. */
#include "doctor/text/parts.h"

/* "Received from 0.0.0.0:68: request DISCOVER xid 00000001 … chaddr 001122334455, 60 vendor_class
 * "…", …". */
bool text_dhcp_line(struct trace *t, struct text line)
{
    bool from_phone = text_starts(line, "Received from ");
    struct text peer = trace_after(line, from_phone ? "Received from " : "Sent to "),
                message = line;
    struct endpoint other = {.port = 68};
    const char *at = memmem(line.at, line.len, ": re", 4);
    uint32_t port;

    if ((!from_phone && !text_starts(line, "Sent to ")) || !at || !trace_has(line, " chaddr "))
        return false;
    message = text_skip(line, (size_t)(at - line.at) + 2);
    at = memchr(message.at, '|', message.len);
    if (at) /* whom it is about */
        message.len = (size_t)(at - message.at);
    if (dhcp_scan(message, &t->r->dhcp) < 0)
        return true;
    peer.len -= peer.len && peer.at[peer.len - 1] == ':';
    ip_parse(text_split(&peer, ':'), &other.ip);
    if (peer.at && text_to_u32(peer, 10, &port) == 0)
        other.port = (uint16_t)port;
    t->r->mac = dhcp_mac(&t->r->dhcp);
    t->r->phone = other;
    t->r->server = (struct endpoint){t->now.node, DHCP_SERVER_PORT};
    if (!t->r->server.ip.family && t->r->dhcp.server_id)
        t->r->server.ip = ip_v4(t->r->dhcp.server_id);
    t->r->at.told = false; /* nothing of it is left out */
    retell_dhcp(t->r);
    t->r->at.told = true;
    return true;
}
