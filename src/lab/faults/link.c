/* link.c - faults of cables, switches and addresses: VLAN, ARP, MTU. */
#include <string.h>

#include "lab/faults/faults.h"
#include "wire/boot/arp.h"
#include "wire/boot/cdp.h"

#define STRANGER                                                                                   \
    ((struct mac){{0x02, 0xbd, 0, 0, 0, 0x66}}) /* locally administered: no maker's                \
                                                 */

void fault_healthy(struct lab_play *p, enum lab_moment moment)
{
}

/* -- VLAN ----------------------------------------------------------------------------------- */

static bool is_untagged_ip(const struct packet *k)
{
    return !k->ethernet.tagged && k->kind != PACKET_CDP && k->kind != PACKET_LLDP;
}

/* What the phone of the laboratory sends leaves untagged (its kernel need not know VLANs): the
 * access port puts it into the wrong VLAN, where nobody answers. */
static bool tag(struct rule *r, struct passing *p)
{
    struct writer w = writer_of(p->frame + 12, 4);

    if (p->len + 4 > SWITCH_FRAME_MAX)
        return false;
    memmove(p->frame + 16, p->frame + 12, p->len - 12);
    write_be16(&w, ETHERNET_VLAN);
    write_be16(&w, (uint16_t)r->value);
    p->len += 4;
    return true;
}

void fault_vlan_not_used(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        lab_setting(p, "cdp.voice_vlan=20");
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = tag, .side = SIDE_PHONE, .fits = is_untagged_ip, .value = 30);
}

void fault_vlan_not_offered(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, .side = SIDE_PHONE, .fits = is_untagged_ip);
}

/* LLDP-MED network policy TLV (127, 00-12-BB, subtype 2): the VLAN stands in bits 1 to 12 of the 24
 * behind the application type. */
static bool change_policy(struct rule *r, struct passing *p)
{
    static const uint8_t mark[] = {0x00, 0x12, 0xbb, 0x02, 0x01};

    for (size_t i = 14; i + sizeof(mark) + 3 <= p->len; i++)
        if (memcmp(p->frame + i, mark, sizeof(mark)) == 0) {
            uint8_t *at = p->frame + i + sizeof(mark);

            at[0] = (uint8_t)((at[0] & 0xe0) | r->value >> 7);
            at[1] = (uint8_t)(r->value << 1 | (at[1] & 1));
        }
    return true;
}

void fault_vlan_disagree(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        lab_setting(p, "cdp.voice_vlan=20");
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = change_policy, .side = SIDE_SERVER, .kind = PACKET_LLDP, .value = 30);
}

/* -- ARP ------------------------------------------------------------------------------------ */

static void send_arp(struct lab_switch *sw, unsigned port, const struct arp *a, unsigned delay_ms)
{
    uint8_t frame[ARP_FRAME_SIZE];

    arp_encode(a, frame, sizeof(frame));
    memcpy(frame + 6, a->sender_mac.bytes, 6);
    switch_send(sw, port, frame, sizeof(frame), delay_ms);
}

static bool asks_for_server(const struct packet *k)
{
    static const uint8_t address[] = {10, 99, 0, 1};

    return k->ethernet.payload.len >= 28 && k->ethernet.payload.at[7] == ARP_REQUEST &&
           memcmp(k->ethernet.payload.at + 24, address, 4) == 0;
}

/* A router that answers for everybody: its answer comes behind the right one, so the phone keeps
 * it. */
static bool answer_too(struct rule *r, struct passing *p)
{
    struct arp a;

    if (arp_decode(p->frame, p->len, &a) < 0)
        return true;
    send_arp(p->sw, p->port,
             &(struct arp){ARP_REPLY, STRANGER, a.sender_mac, a.target_ip, a.sender_ip}, 20);
    return true;
}

static bool is_for_stranger(const struct packet *k)
{
    return memcmp(k->ethernet.to.bytes, STRANGER.bytes, 6) == 0;
}

/* The router passes most frames on to the server. */
static bool pass_on(struct rule *r, struct passing *p)
{
    static const struct mac none = {{0}};
    const struct mac *server = r->context ? r->context : &none;

    memcpy(p->frame, server->bytes, 6);
    return true;
}

static bool learn_server(struct rule *r, struct passing *p)
{
    *(struct mac *)r->context = p->packet.ethernet.from;
    return true;
}

void fault_arp_two_answers(struct lab_play *p, enum lab_moment moment)
{
    static struct mac server;

    if (moment != LAB_WIRED)
        return;
    LAB_RULE(p, .act = learn_server, .side = SIDE_SERVER, .context = &server);
    LAB_RULE(p, .act = answer_too, .side = SIDE_PHONE, .kind = PACKET_ARP, .fits = asks_for_server);
    LAB_RULE(p, .act = pass_on, .side = SIDE_PHONE, .fits = is_for_stranger, .context = &server);
}

void fault_arp_no_answer(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, .kind = PACKET_ARP, .side = SIDE_PHONE,
                 .fits = asks_for_server);
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, .kind = PACKET_ARP, .side = SIDE_SERVER);
}

/* Somebody else's announcements of the phone's address (RFC 5227 2.3), which the phone made its
 * own. */
static bool claim(struct rule *r, struct passing *p)
{
    uint32_t ip = ip_v4_number(p->packet.from.ip);

    for (unsigned i = 0; i < 4; i++) {
        const struct arp a = {ARP_REQUEST, STRANGER, {{0}}, ip, ip};

        send_arp(p->sw, p->port, &a, 100 + i * 700);
        send_arp(p->sw, 0, &a, 100 + i * 700);
    }
    return true;
}

void fault_address_duplicate(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->keepalive_s = 2;
    if (moment == LAB_REGISTERED)
        LAB_RULE(p, .act = claim, .side = SIDE_PHONE, .kind = PACKET_TCP, .times = 1);
}

/* -- MTU ------------------------------------------------------------------------------------ */

void fault_path_mtu(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, .kind = PACKET_TCP, .larger = 1400);
}
