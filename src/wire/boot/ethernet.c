#include "wire/boot/ethernet.h"

#include <errno.h>

static struct mac read_mac(struct reader *r)
{
    struct mac m = {{0}};
    const uint8_t *p = read_bytes(r, sizeof(m.bytes));

    if (p)
        memcpy(m.bytes, p, sizeof(m.bytes));
    return m;
}

static void read_tag(struct reader *r, struct ethernet *e)
{
    uint16_t tag = read_be16(r);

    if (!e->tagged) {
        e->tagged = true;
        e->vlan = tag & 0x0fff;
        e->priority = (uint8_t)(tag >> 13);
    }
    e->type = read_be16(r);
}

int ethernet_decode(const void *frame, size_t len, struct ethernet *ret)
{
    struct reader r = reader_of(frame, len);
    bool is_802_3;

    memset(ret, 0, sizeof(*ret));
    ret->to = read_mac(&r);
    ret->from = read_mac(&r);
    ret->type = read_be16(&r);
    for (int i = 0; i < 2 && (ret->type == ETHERNET_VLAN || ret->type == 0x88a8); i++)
        read_tag(&r, ret);
    is_802_3 = ret->type < 0x600;
    if (r.bad || (is_802_3 && ret->type > reader_left(&r)))
        return -EBADMSG;
    ret->payload = read_text(&r, is_802_3 ? ret->type : reader_left(&r));
    return 0;
}

void ethernet_write(struct writer *w, const struct ethernet *e)
{
    write_bytes(w, e->to.bytes, sizeof(e->to.bytes));
    write_bytes(w, e->from.bytes, sizeof(e->from.bytes));
    if (e->tagged) {
        write_be16(w, ETHERNET_VLAN);
        write_be16(w, (uint16_t)(e->priority << 13 | (e->vlan & 0x0fff)));
    }
    write_be16(w, e->type);
}
