/* dhcp.c - faults of DHCP and DNS. */
#include <string.h>

#include "lab/faults/faults.h"
#include "wire/boot/arp.h"
#include "wire/boot/dhcp.h"

#define UDP_BODY 42 /* Ethernet, IP without options, UDP */

/* -- changing what the server says ---------------------------------------------------------- */

/* Decodes the message of a frame, lets `change` at it, writes it back. */
static bool edit(struct passing *p, void (*change)(struct dhcp_message *m, unsigned value),
                 unsigned value)
{
    struct dhcp_message m;
    uint8_t bytes[DHCP_MAX_SIZE];
    int len;

    if (dhcp_decode(p->packet.payload.at, p->packet.payload.len, &m) < 0)
        return true;
    change(&m, value);
    len = dhcp_encode(&m, bytes, sizeof(bytes));
    if (len < 0)
        return true;
    memcpy(p->frame + UDP_BODY, bytes, (size_t)len);
    p->len = UDP_BODY + (size_t)len;
    frame_seal(p->frame, p->len);
    return true;
}

static void without_boot_server(struct dhcp_message *m, unsigned value)
{
    dhcp_clear(m, DHCP_tftp_servers);
    dhcp_clear(m, DHCP_tftp_name);
    m->siaddr = 0;
    m->sname = (struct text){0};
}

static bool take_boot_server(struct rule *r, struct passing *p)
{
    return edit(p, without_boot_server, 0);
}

static void router_outside(struct dhcp_message *m, unsigned value)
{
    m->routers = (struct dhcp_addresses){1, {0x0a630901}}; /* 10.99.9.1 */
    dhcp_mark(m, DHCP_routers);
}

static bool move_router(struct rule *r, struct passing *p)
{
    return edit(p, router_outside, 0);
}

static void into_nak(struct dhcp_message *m, unsigned value)
{
    uint32_t server = m->server_id;

    if (m->type != DHCP_ACK)
        return;
    dhcp_init(m, DHCP_BOOTREPLY, m->xid, dhcp_mac(m));
    dhcp_set_type(m, DHCP_NAK);
    dhcp_set_server_id(m, server);
    dhcp_set_message(m, TEXT("address not available"));
}

static bool refuse(struct rule *r, struct passing *p)
{
    return edit(p, into_nak, 0);
}

#define TO_CLIENT .side = SIDE_SERVER, .kind = PACKET_UDP, .to = DHCP_CLIENT_PORT

/* -- faults --------------------------------------------------------------------------------- */

void fault_dhcp_none(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->no_scope = true;
}

void fault_dhcp_filtered(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, TO_CLIENT);
}

void fault_dhcp_slow(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_delay, TO_CLIENT, .times = 1, .value = 5000);
}

static bool is_ack(const struct packet *k)
{
    struct dhcp_message m;

    return dhcp_decode(k->payload.at, k->payload.len, &m) == 0 && m.type == DHCP_ACK;
}

void fault_dhcp_nak(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = refuse, TO_CLIENT, .fits = is_ack, .times = 2);
}

void fault_dhcp_no_option_150(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = take_boot_server, TO_CLIENT);
}

void fault_dhcp_router_outside(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = move_router, TO_CLIENT);
}

void fault_dhcp_storm(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_repeat, .side = SIDE_PHONE, .kind = PACKET_UDP,
                 .to = DHCP_SERVER_PORT, .value = 60);
}

/* The server has a second address, which is typed in on the phone. */
void fault_tftp_overridden(struct lab_play *p, enum lab_moment moment)
{
    if (moment != LAB_BEFORE)
        return;
    network_set_address(&p->stage.network, network_server(&p->stage.network), LAB_SUBNET "9/32");
    lab_option(p, "--server");
    lab_option(p, LAB_SUBNET "9");
}

/* -- a second server ------------------------------------------------------------------------ */

#define ROGUE     0x0a630042 /* 10.99.0.66 */
#define ROGUE_MAC ((struct mac){{0x02, 0xbd, 0, 0, 0, 0x42}})

/* A small router that gives addresses too: of another network, without option 150. */
static size_t rogue_message(const struct dhcp_message *q, uint8_t *to, size_t size)
{
    struct dhcp_message m;
    int len;

    dhcp_init(&m, DHCP_BOOTREPLY, q->xid, dhcp_mac(q));
    m.flags = q->flags;
    m.yiaddr = 0xc0a80116; /* 192.168.1.22 */
    dhcp_set_type(&m, q->type == DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK);
    dhcp_set_server_id(&m, ROGUE);
    dhcp_set_lease_s(&m, 86400);
    dhcp_set_subnet_mask(&m, 0xffffff00);
    dhcp_set_routers(&m, (struct dhcp_addresses){1, {0xc0a80101}});
    len = dhcp_encode(&m, to, size);
    return len < 0 ? 0 : (size_t)len;
}

static bool offer_too(struct rule *r, struct passing *p)
{
    uint8_t frame[SWITCH_FRAME_MAX] = {0};
    struct writer w = writer_of(frame, UDP_BODY);
    struct dhcp_message q;
    size_t len;

    if (dhcp_decode(p->packet.payload.at, p->packet.payload.len, &q) < 0 ||
        (q.type != DHCP_DISCOVER && !(q.type == DHCP_REQUEST && q.server_id == ROGUE)))
        return true;
    len = rogue_message(&q, frame + UDP_BODY, DHCP_MAX_SIZE);
    memset(write_room(&w, 6), 0xff, 6);
    write_bytes(&w, ROGUE_MAC.bytes, 6);
    write_be16(&w, ETHERNET_IPV4);
    write_be32(&w, 0x45000000);
    write_be32(&w, 0);
    write_be32(&w, 64u << 24 | 17 << 16);
    write_be32(&w, ROGUE);
    write_be32(&w, 0xffffffff);
    write_be16(&w, DHCP_SERVER_PORT);
    write_be16(&w, DHCP_CLIENT_PORT);
    frame_seal(frame, UDP_BODY + len);
    switch_send(p->sw, p->port, frame, UDP_BODY + len, 5);
    switch_send(p->sw, 0, frame, UDP_BODY + len, 5);
    return true;
}

void fault_dhcp_two_servers(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = offer_too, .side = SIDE_PHONE, .kind = PACKET_UDP,
                 .to = DHCP_SERVER_PORT);
}

/* -- an address that is in use -------------------------------------------------------------- */

static bool is_probe(const struct packet *k)
{
    struct text a = k->ethernet.payload;

    return a.len >= 28 && a.at[7] == ARP_REQUEST && a.at[24] == 10 && (uint8_t)a.at[27] >= 100 &&
           memcmp(a.at + 14, "\0\0\0\0", 4) == 0;
}

static bool is_mine(struct rule *r, struct passing *p)
{
    uint8_t frame[ARP_FRAME_SIZE];
    struct arp a;

    if (arp_decode(p->frame, p->len, &a) < 0)
        return true;
    arp_encode(&(struct arp){ARP_REPLY, ROGUE_MAC, a.sender_mac, a.target_ip, a.sender_ip}, frame,
               sizeof(frame));
    switch_send(p->sw, p->port, frame, sizeof(frame), 5);
    return true;
}

void fault_dhcp_declined(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = is_mine, .side = SIDE_PHONE, .kind = PACKET_ARP, .fits = is_probe,
                 .times = 1);
}

/* -- DNS ------------------------------------------------------------------------------------ */

/* The phone is left with a name for its file server: option 66 without 150. */
static void name_only(struct dhcp_message *m, unsigned value)
{
    without_boot_server(m, value);
    dhcp_set_tftp_name(m, TEXT("ciscocm1.example.com"));
}

static bool give_name(struct rule *r, struct passing *p)
{
    return edit(p, name_only, 0);
}

static void name_server(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        lab_setting(p, "dns.port=53");
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = give_name, TO_CLIENT);
}

/* Answers in the server's place: the question, with a response code (RFC 1035 4.1.1). */
static bool answer_code(struct rule *r, struct passing *p)
{
    uint8_t answer[512];
    size_t len = p->packet.payload.len;

    if (len < 12 || len > sizeof(answer))
        return true;
    memcpy(answer, p->packet.payload.at, len);
    answer[2] |= 0x80;
    answer[3] = (uint8_t)(0x80 | r->value);
    switch_answer_udp(p, answer, len);
    return false;
}

#define QUESTION .side = SIDE_PHONE, .kind = PACKET_UDP, .to = 53

void fault_dns_name_error(struct lab_play *p, enum lab_moment moment)
{
    name_server(p, moment);
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = answer_code, QUESTION, .value = 3);
}

void fault_dns_no_answer(struct lab_play *p, enum lab_moment moment)
{
    name_server(p, moment);
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, QUESTION);
}

void fault_dns_failed(struct lab_play *p, enum lab_moment moment)
{
    name_server(p, moment);
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = answer_code, QUESTION, .value = 2);
}
