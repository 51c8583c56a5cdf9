#include "wire/boot/arp.h"

#include <errno.h>

#define HARDWARE_ETHERNET 1

static struct mac read_mac(struct reader *r)
{
    struct mac m = {{0}};
    const uint8_t *p = read_bytes(r, sizeof(m.bytes));

    if (p)
        memcpy(m.bytes, p, sizeof(m.bytes));
    return m;
}

int arp_decode(const void *frame, size_t len, struct arp *ret)
{
    struct ethernet e;
    struct reader r;

    if (ethernet_decode(frame, len, &e) < 0 || e.type != ETHERNET_ARP)
        return -EBADMSG;
    r = reader_of(e.payload.at, e.payload.len);
    if (read_be16(&r) != HARDWARE_ETHERNET || read_be16(&r) != ETHERNET_IPV4 || read_u8(&r) != 6 ||
        read_u8(&r) != 4)
        return -EBADMSG;
    ret->op = read_be16(&r);
    ret->sender_mac = read_mac(&r);
    ret->sender_ip = read_be32(&r);
    ret->target_mac = read_mac(&r);
    ret->target_ip = read_be32(&r);
    return r.bad ? -EBADMSG : 0;
}

int arp_encode(const struct arp *a, void *to, size_t size)
{
    struct writer w = writer_of(to, size);
    struct ethernet e = {.from = a->sender_mac, .to = a->target_mac, .type = ETHERNET_ARP};

    if (a->op == ARP_REQUEST)
        memset(e.to.bytes, 0xff, sizeof(e.to.bytes));
    ethernet_write(&w, &e);
    write_be16(&w, HARDWARE_ETHERNET);
    write_be16(&w, ETHERNET_IPV4);
    write_u8(&w, 6);
    write_u8(&w, 4);
    write_be16(&w, a->op);
    write_bytes(&w, a->sender_mac.bytes, 6);
    write_be32(&w, a->sender_ip);
    write_bytes(&w, a->target_mac.bytes, 6);
    write_be32(&w, a->target_ip);
    if (!w.bad)
        write_zeroes(&w, ARP_FRAME_SIZE - writer_len(&w));
    return w.bad ? -ENOSPC : (int)writer_len(&w);
}

struct arp arp_probe(struct mac sender, uint32_t ip)
{
    return (struct arp){.op = ARP_REQUEST, .sender_mac = sender, .target_ip = ip};
}
