/* switch_acts.c - what a bad switch does to frames; see switch.h. */
#include <string.h>

#include "lab/switch.h"

#define IP_AT     14
#define REPEAT_MS 40

static uint32_t add_up(const uint8_t *bytes, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    return len & 1 ? sum + ((uint32_t)bytes[len - 1] << 8) : sum;
}

static void put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void put_sum(uint8_t *at, const uint8_t *bytes, size_t len, uint32_t sum)
{
    put16(at, 0);
    sum = add_up(bytes, len, sum);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(at, ~sum & 0xffff);
}

void frame_seal(uint8_t *frame, size_t len)
{
    uint8_t *ip = frame + IP_AT, *body = ip + (ip[0] & 15) * 4;
    size_t n = len - (size_t)(body - frame);
    uint32_t pseudo = add_up(ip + 12, 8, ip[9] + (uint32_t)n);

    put16(ip + 2, (uint32_t)(len - IP_AT));
    put_sum(ip + 10, ip, (size_t)(body - ip), 0);
    if (ip[9] == 17)
        put16(body + 4, (uint32_t)n);
    if (ip[9] == 17 || ip[9] == 6)
        put_sum(body + (ip[9] == 6 ? 16 : 6), body, n, pseudo);
    else if (ip[9] == 1)
        put_sum(body + 2, body, n, 0);
}

/* A frame back to the sender of `p`, with room for `len` bytes behind the IP header. */
static uint8_t *answer(const struct passing *p, uint8_t protocol, uint8_t *frame)
{
    const uint8_t *ip = p->frame + IP_AT;

    memcpy(frame, p->frame + 6, 6);
    memcpy(frame + 6, p->frame, 6);
    put16(frame + 12, 0x0800);
    memset(frame + IP_AT, 0, 20);
    frame[IP_AT] = 0x45;
    frame[IP_AT + 8] = 64;
    frame[IP_AT + 9] = protocol;
    memcpy(frame + IP_AT + 12, ip + 16, 4);
    memcpy(frame + IP_AT + 16, ip + 12, 4);
    return frame + IP_AT + 20;
}

void switch_answer_udp(struct passing *p, const void *payload, size_t len)
{
    uint8_t frame[SWITCH_FRAME_MAX], *udp = answer(p, 17, frame);

    put16(udp, p->packet.to.port);
    put16(udp + 2, p->packet.from.port);
    memcpy(udp + 8, payload, len);
    frame_seal(frame, (size_t)(udp + 8 - frame) + len);
    switch_send(p->sw, p->port, frame, (size_t)(udp + 8 - frame) + len, 0);
}

bool act_drop(struct rule *r, struct passing *p)
{
    return false;
}

bool act_delay(struct rule *r, struct passing *p)
{
    p->delay_ms += r->value;
    return true;
}

bool act_remark(struct rule *r, struct passing *p)
{
    p->frame[IP_AT + 1] = (uint8_t)(r->value << 2 | (p->frame[IP_AT + 1] & 3));
    frame_seal(p->frame, IP_AT + (size_t)(p->frame[IP_AT + 2] << 8 | p->frame[IP_AT + 3]));
    return true;
}

static void write_tcp(uint8_t *tcp, uint16_t from, uint16_t to, uint32_t sequence,
                      uint32_t acknowledged)
{
    struct writer w = writer_of(tcp, 20);

    write_be16(&w, from);
    write_be16(&w, to);
    write_be32(&w, sequence);
    write_be32(&w, acknowledged);
    write_be32(&w, 5u << 28 | (PACKET_RST | PACKET_ACK) << 16);
    write_be32(&w, 0);
}

bool act_reset(struct rule *r, struct passing *p)
{
    const struct packet *k = &p->packet;
    uint32_t n = (uint32_t)k->payload.len + ((k->tcp_flags & (PACKET_SYN | PACKET_FIN)) != 0);
    uint8_t frame[SWITCH_FRAME_MAX];

    write_tcp(answer(p, 6, frame), k->to.port, k->from.port, k->tcp_acknowledged,
              k->tcp_sequence + n);
    frame_seal(frame, IP_AT + 40);
    switch_send(p->sw, p->port, frame, IP_AT + 40, 0);
    /* what passes on becomes the reset of the other end */
    write_tcp(p->frame + IP_AT + 20, k->from.port, k->to.port, k->tcp_sequence,
              k->tcp_acknowledged);
    p->frame[IP_AT] = 0x45;
    p->len = IP_AT + 40;
    frame_seal(p->frame, p->len);
    return true;
}

bool act_age(struct rule *r, struct passing *p)
{
    bool forgotten = r->last_ms && p->now_ms - r->last_ms > r->value;

    r->last_ms = p->now_ms;
    return !forgotten;
}

bool act_repeat(struct rule *r, struct passing *p)
{
    for (unsigned i = 1; i <= r->value; i++) {
        switch_again(p->sw, p->port, p->frame, p->len, i * REPEAT_MS);
        switch_send(p->sw, p->port, p->frame, p->len, i * REPEAT_MS); /* seen at the phone, too */
    }
    return true;
}
