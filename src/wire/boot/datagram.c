#include "wire/boot/datagram.h"

#include <errno.h>

#define UDP     17
#define TTL     64
#define DF      0x4000
#define OFFSETS 0x3fff /* more fragments, and the offset */

int datagram_decode(const void *frame, size_t len, struct datagram *ret)
{
    struct datagram d = {0};
    struct ethernet e;
    struct reader r;
    uint8_t version, protocol;
    uint16_t total, udp_len;

    if (ethernet_decode(frame, len, &e) < 0 || e.type != ETHERNET_IPV4)
        return -EBADMSG;
    d.to_mac = e.to;
    d.from_mac = e.from;
    r = reader_of(e.payload.at, e.payload.len);
    version = read_u8(&r);
    d.tos = read_u8(&r);
    total = read_be16(&r);
    read_be16(&r);
    if (version >> 4 != 4 || (version & 15) < 5 || read_be16(&r) & OFFSETS)
        return -EBADMSG;
    read_u8(&r);
    protocol = read_u8(&r);
    read_be16(&r);
    d.from = read_be32(&r);
    d.to = read_be32(&r);
    read_bytes(&r, ((version & 15) - 5u) * 4);
    d.from_port = read_be16(&r);
    d.to_port = read_be16(&r);
    udp_len = read_be16(&r);
    read_be16(&r);
    if (r.bad || protocol != UDP || udp_len < 8 || total < (version & 15) * 4 + udp_len)
        return -EBADMSG;
    d.payload = read_text(&r, udp_len - 8u);
    if (r.bad)
        return -EBADMSG;
    *ret = d;
    return 0;
}

static uint32_t sum_of(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;

    for (; len > 1; len -= 2, bytes += 2)
        sum += (uint32_t)(bytes[0] << 8 | bytes[1]);
    return len ? sum + (uint32_t)(bytes[0] << 8) : sum;
}

static void put_checksum(uint8_t *at, uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16)) & 0xffff;
    at[0] = (uint8_t)(sum >> 8);
    at[1] = (uint8_t)sum;
}

int datagram_encode(const struct datagram *d, void *to, size_t size)
{
    struct writer w = writer_of(to, size);
    uint16_t udp_len = (uint16_t)(8 + d->payload.len);
    uint8_t *ip, *udp;

    if (size < DATAGRAM_HEADERS + d->payload.len || d->payload.len > 1472)
        return -ENOSPC;
    ethernet_write(&w,
                   &(struct ethernet){.to = d->to_mac, .from = d->from_mac, .type = ETHERNET_IPV4});
    ip = w.at;
    write_u8(&w, 0x45);
    write_u8(&w, d->tos);
    write_be16(&w, (uint16_t)(20 + udp_len));
    write_be16(&w, 0);
    write_be16(&w, DF);
    write_u8(&w, TTL);
    write_u8(&w, UDP);
    write_be16(&w, 0);
    write_be32(&w, d->from);
    write_be32(&w, d->to);
    udp = w.at;
    write_be16(&w, d->from_port);
    write_be16(&w, d->to_port);
    write_be16(&w, udp_len);
    write_be16(&w, 0);
    write_text(&w, d->payload);
    put_checksum(ip + 10, sum_of(ip, 20));
    put_checksum(udp + 6, sum_of(ip + 12, 8) + UDP + udp_len + sum_of(udp, udp_len));
    if (!udp[6] && !udp[7]) /* zero would say that there is none (RFC 768) */
        udp[6] = udp[7] = 0xff;
    return (int)writer_len(&w);
}
