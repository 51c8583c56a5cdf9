#include "wire/boot/ethernet.h"

#include <errno.h>

static uint16_t u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool is_tag(uint16_t type)
{
    return type == ETHERNET_VLAN || type == ETHERNET_QINQ || type == ETHERNET_QINQ_OLD;
}

int ethernet_decode(const void *frame, size_t len, struct ethernet *ret)
{
    const uint8_t *p = frame;
    size_t at = 14;

    memset(ret, 0, sizeof(*ret));
    if (len < at)
        return -EBADMSG;
    memcpy(ret->to.bytes, p, 6);
    memcpy(ret->from.bytes, p + 6, 6);
    ret->type = u16(p + 12);
    for (int i = 0; i < ETHERNET_TAGS_MAX && is_tag(ret->type); i++, at += 4) {
        if (len < at + 4)
            return -EBADMSG;
        if (!ret->tagged) {
            ret->vlan = u16(p + at) & 0x0fff;
            ret->priority = p[at] >> 5;
        }
        ret->tagged = true;
        ret->type = u16(p + at + 2);
    }
    if (ret->type < 0x600 && ret->type > len - at)
        return -EBADMSG;
    ret->payload = (struct text){(const char *)p + at, ret->type < 0x600 ? ret->type : len - at};
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
