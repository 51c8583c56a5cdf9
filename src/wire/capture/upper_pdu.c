#include "wire/capture/upper_pdu.h"

#include <errno.h>

enum tag {
    TAG_END = 0,
    TAG_DISSECTOR = 12,
    TAG_IPV4_FROM = 20,
    TAG_IPV4_TO = 21,
    TAG_IPV6_FROM = 22,
    TAG_IPV6_TO = 23,
    TAG_PORT_TYPE = 24,
    TAG_PORT_FROM = 25,
    TAG_PORT_TO = 26
};
enum port_type { PORT_TCP = 2, PORT_UDP = 3 };

static void put(struct writer *w, enum tag tag, const void *value, size_t len)
{
    write_be16(w, (uint16_t)tag);
    write_be16(w, (uint16_t)((len + 3) & ~3u));
    write_bytes(w, value, len);
    write_zeroes(w, -len & 3);
}

static void put_number(struct writer *w, enum tag tag, uint32_t value)
{
    write_be16(w, (uint16_t)tag);
    write_be16(w, 4);
    write_be32(w, value);
}

static void put_address(struct writer *w, enum tag v4, enum tag v6, struct ip ip)
{
    if (ip.family == 6)
        put(w, v6, ip.bytes, 16);
    else
        put(w, v4, ip.bytes, 4);
}

void upper_pdu_write(struct writer *w, const struct upper_pdu *p)
{
    put(w, TAG_DISSECTOR, p->dissector, strlen(p->dissector));
    put_address(w, TAG_IPV4_FROM, TAG_IPV6_FROM, p->from.ip);
    put_address(w, TAG_IPV4_TO, TAG_IPV6_TO, p->to.ip);
    put_number(w, TAG_PORT_TYPE, p->tcp ? PORT_TCP : PORT_UDP);
    put_number(w, TAG_PORT_FROM, p->from.port);
    put_number(w, TAG_PORT_TO, p->to.port);
    put(w, TAG_END, "", 0);
    write_text(w, p->message);
}

static struct ip address_of(uint8_t family, struct text value)
{
    struct ip ip = {.family = value.len >= (family == 4 ? 4 : 16) ? family : 0};

    memcpy(ip.bytes, value.at, ip.family == 4 ? 4 : ip.family ? 16 : 0);
    return ip;
}

static uint32_t number_of(struct text value)
{
    struct reader r = reader_of(value.at, value.len);

    return read_be32(&r);
}

static void take(struct upper_pdu *p, uint16_t tag, struct text value, struct text *name)
{
    switch (tag) {
    case TAG_DISSECTOR:
        *name = (struct text){value.at, strnlen(value.at, value.len)};
        break;
    case TAG_IPV4_FROM:
    case TAG_IPV6_FROM:
        p->from.ip = address_of(tag == TAG_IPV4_FROM ? 4 : 6, value);
        break;
    case TAG_IPV4_TO:
    case TAG_IPV6_TO:
        p->to.ip = address_of(tag == TAG_IPV4_TO ? 4 : 6, value);
        break;
    case TAG_PORT_TYPE:
        p->tcp = number_of(value) == PORT_TCP;
        break;
    case TAG_PORT_FROM:
        p->from.port = (uint16_t)number_of(value);
        break;
    case TAG_PORT_TO:
        p->to.port = (uint16_t)number_of(value);
        break;
    }
}

int upper_pdu_read(const void *bytes, size_t len, struct upper_pdu *ret, struct text *name)
{
    struct reader r = reader_of(bytes, len);
    uint16_t tag;

    *ret = (struct upper_pdu){0};
    *name = (struct text){0};
    while ((tag = read_be16(&r)) != TAG_END)
        take(ret, tag, read_text(&r, read_be16(&r)), name);
    read_bytes(&r, read_be16(&r));
    if (r.bad || !ret->from.ip.family || !ret->to.ip.family)
        return -EBADMSG;
    ret->message = read_text(&r, reader_left(&r));
    return 0;
}
