#include "wire/boot/cdp.h"

#include <errno.h>

#define HEADER_SIZE    4
#define PROTOCOL_NLPID 1 /* one octet, 0xcc for IPv4 */
#define PROTOCOL_802_2 2 /* eight octets of LLC and SNAP */
#define NLPID_IPV4     0xcc

static const uint8_t snap[] = {0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x20, 0x00};
static const uint8_t ipv6_protocol[] = {0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00, 0x86, 0xdd};

bool cdp_is(const struct ethernet *e)
{
    return e->type < 0x600 && e->payload.len >= sizeof(snap) &&
           memcmp(e->payload.at, snap, sizeof(snap)) == 0;
}

uint16_t cdp_checksum(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint32_t sum = 0;

    for (; len > 1; len -= 2, p += 2)
        sum += (uint32_t)(p[0] << 8 | p[1]);
    if (len)
        sum += *p < 0x80 ? *p : 0xff00u | (*p - 1u); /* a sign bug that everyone must copy */
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* -- the kinds of value --------------------------------------------------------------------- */

static void read_U8(struct reader *r, void *field)
{
    *(uint8_t *)field = read_u8(r);
}

static void write_U8(struct writer *w, const void *field)
{
    write_u8(w, *(const uint8_t *)field);
}

static void print_U8(struct writer *to, const void *field)
{
    write_format(to, " %u", *(const uint8_t *)field);
}

static void read_U16(struct reader *r, void *field)
{
    *(uint16_t *)field = read_be16(r);
}

static void write_U16(struct writer *w, const void *field)
{
    write_be16(w, *(const uint16_t *)field);
}

static void print_U16(struct writer *to, const void *field)
{
    write_format(to, " %u", *(const uint16_t *)field);
}

static void read_U32(struct reader *r, void *field)
{
    *(uint32_t *)field = read_be32(r);
}

static void write_U32(struct writer *w, const void *field)
{
    write_be32(w, *(const uint32_t *)field);
}

static void print_U32(struct writer *to, const void *field)
{
    write_format(to, " %#x", *(const uint32_t *)field);
}

static void read_TEXT(struct reader *r, void *field)
{
    *(struct text *)field = read_text(r, reader_left(r));
}

static void write_TEXT(struct writer *w, const void *field)
{
    write_text(w, *(const struct text *)field);
}

static void print_TEXT(struct writer *to, const void *field)
{
    write_format(to, " \"%.*s\"", TEXT_ARG(*(const struct text *)field));
}

static struct ip address_of(const uint8_t *protocol, uint8_t protocol_len, const uint8_t *bytes,
                            size_t n)
{
    struct ip ip = {0};

    if (n == 4 && protocol_len == 1 && protocol[0] == NLPID_IPV4)
        ip.family = 4;
    else if (n == 16 && protocol_len == sizeof(ipv6_protocol) &&
             memcmp(protocol, ipv6_protocol, sizeof(ipv6_protocol)) == 0)
        ip.family = 6;
    if (ip.family)
        memcpy(ip.bytes, bytes, n);
    return ip;
}

static void read_ADDRESSES(struct reader *r, void *field)
{
    struct cdp_addresses *list = field;

    for (uint32_t n = read_be32(r); n && !r->bad; n--) {
        uint8_t protocol_len = (read_u8(r), read_u8(r));
        const uint8_t *protocol = read_bytes(r, protocol_len);
        size_t len = read_be16(r);
        const uint8_t *bytes = read_bytes(r, len);
        struct ip ip = {0};

        if (!r->bad)
            ip = address_of(protocol, protocol_len, bytes, len);
        if (ip.family && list->n < CDP_ADDRESSES_MAX)
            list->at[list->n++] = ip;
    }
}

static void write_address(struct writer *w, const struct ip *ip)
{
    size_t n = ip->family == 6 ? 16 : 4;

    if (ip->family == 6) {
        write_u8(w, PROTOCOL_802_2);
        write_u8(w, sizeof(ipv6_protocol));
        write_bytes(w, ipv6_protocol, sizeof(ipv6_protocol));
    } else {
        write_u8(w, PROTOCOL_NLPID);
        write_u8(w, 1);
        write_u8(w, NLPID_IPV4);
    }
    write_be16(w, (uint16_t)n);
    write_bytes(w, ip->bytes, n);
}

static void write_ADDRESSES(struct writer *w, const void *field)
{
    const struct cdp_addresses *list = field;

    write_be32(w, list->n);
    for (unsigned i = 0; i < list->n && i < CDP_ADDRESSES_MAX; i++)
        write_address(w, &list->at[i]);
}

static void print_ADDRESSES(struct writer *to, const void *field)
{
    const struct cdp_addresses *list = field;
    char s[IP_TEXT_MAX];

    for (unsigned i = 0; i < list->n; i++)
        write_format(to, " %s", ip_print(list->at[i], s));
}

static void read_VOICE(struct reader *r, void *field)
{
    struct cdp_voice *v = field;

    v->data = read_u8(r);
    v->vlan = reader_left(r) >= 2 ? read_be16(r) : 0; /* a query may be shorter */
}

static void write_VOICE(struct writer *w, const void *field)
{
    const struct cdp_voice *v = field;

    write_u8(w, v->data);
    write_be16(w, v->vlan);
}

static void print_VOICE(struct writer *to, const void *field)
{
    const struct cdp_voice *v = field;

    write_format(to, " %u data %#x", v->vlan, v->data);
}

#define read_QUERY  read_VOICE
#define print_QUERY print_VOICE

static void write_QUERY(struct writer *w, const void *field)
{
    write_VOICE(w, field);
    write_u8(w, 1); /* as phones end it: 20 02 00 01 */
}

static void read_REQUEST(struct reader *r, void *field)
{
    struct cdp_power_request *p = field;

    p->id = read_be16(r);
    p->management = read_be16(r);
    while (reader_left(r) >= 4 && p->n < sizeof(p->mw) / sizeof(*p->mw))
        p->mw[p->n++] = read_be32(r);
}

static void write_REQUEST(struct writer *w, const void *field)
{
    const struct cdp_power_request *p = field;

    write_be16(w, p->id);
    write_be16(w, p->management);
    for (unsigned i = 0; i < p->n && i < sizeof(p->mw) / sizeof(*p->mw); i++)
        write_be32(w, p->mw[i]);
}

static void print_REQUEST(struct writer *to, const void *field)
{
    const struct cdp_power_request *p = field;

    write_format(to, " id %u management %u mW", p->id, p->management);
    for (unsigned i = 0; i < p->n; i++)
        write_format(to, " %u", p->mw[i]);
}

static void read_AVAILABLE(struct reader *r, void *field)
{
    struct cdp_power_available *p = field;

    p->id = read_be16(r);
    p->management = read_be16(r);
    p->mw = read_be32(r);
    p->level = reader_left(r) >= 4 ? read_be32(r) : UINT32_MAX;
}

static void write_AVAILABLE(struct writer *w, const void *field)
{
    const struct cdp_power_available *p = field;

    write_be16(w, p->id);
    write_be16(w, p->management);
    write_be32(w, p->mw);
    write_be32(w, p->level);
}

static void print_AVAILABLE(struct writer *to, const void *field)
{
    const struct cdp_power_available *p = field;

    write_format(to, " id %u management %u mW %u level %#x", p->id, p->management, p->mw, p->level);
}

static const struct row {
    uint16_t type, offset;
    const char *name;
    void (*read)(struct reader *r, void *field);
    void (*write)(struct writer *w, const void *field);
    void (*print)(struct writer *to, const void *field);
} rows[] = {
#define TLV(type, kind, name)                                                                      \
    {type, offsetof(struct cdp, name), #name, read_##kind, write_##kind, print_##kind},
#include "wire/boot/cdp.def"
#undef TLV
};

#define N_ROWS (sizeof(rows) / sizeof(*rows))

/* -- frames --------------------------------------------------------------------------------- */

static const struct row *row_of(uint16_t type)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

static int decode_tlv(struct reader *r, struct cdp *m)
{
    uint16_t type = read_be16(r), len = read_be16(r);
    const struct row *row = row_of(type);
    struct reader value;

    if (r->bad || len < HEADER_SIZE)
        return -EBADMSG;
    value = read_slice(r, len - HEADER_SIZE);
    if (r->bad)
        return -EBADMSG;
    if (!row || m->has >> type & 1) {
        m->n_unknown += m->n_unknown < UINT8_MAX;
        return 0;
    }
    row->read(&value, (char *)m + row->offset);
    m->has |= 1u << type;
    return value.bad ? -EBADMSG : 0;
}

int cdp_decode(const void *frame, size_t len, struct cdp *ret)
{
    struct ethernet e;
    struct reader r;
    int err = 0;

    memset(ret, 0, sizeof(*ret));
    if (ethernet_decode(frame, len, &e) < 0 || !cdp_is(&e))
        return -EBADMSG;
    e.payload = text_skip(e.payload, sizeof(snap));
    r = reader_of(e.payload.at, e.payload.len);
    ret->from = e.from;
    ret->protocol = read_u8(&r);
    ret->ttl = read_u8(&r);
    read_be16(&r);
    if (r.bad || ret->protocol < 1 || ret->protocol > 2)
        return -EBADMSG;
    ret->checksum_wrong = cdp_checksum(e.payload.at, e.payload.len) != 0;
    while (!err && reader_left(&r))
        err = decode_tlv(&r, ret);
    return err;
}

static void encode_tlv(struct writer *w, const struct cdp *m, const struct row *row)
{
    uint8_t *head = write_room(w, HEADER_SIZE);
    struct writer h = writer_of(head, HEADER_SIZE);

    if (!head)
        return;
    row->write(w, (const char *)m + row->offset);
    write_be16(&h, row->type);
    write_be16(&h, (uint16_t)(w->at - head));
}

int cdp_encode(const struct cdp *m, void *to, size_t size)
{
    struct writer w = writer_of(to, size), fix;
    struct ethernet e = {.to = CDP_MULTICAST, .from = m->from};
    uint8_t *start, *message;
    uint16_t sum;

    ethernet_write(&w, &e);
    start = w.at;
    write_bytes(&w, snap, sizeof(snap));
    message = w.at;
    write_u8(&w, m->protocol);
    write_u8(&w, m->ttl);
    write_be16(&w, 0);
    for (size_t i = 0; i < N_ROWS; i++)
        if (m->has >> rows[i].type & 1)
            encode_tlv(&w, m, &rows[i]);
    if (w.bad)
        return -ENOSPC;
    sum = cdp_checksum(message, (size_t)(w.at - message));
    fix = writer_of(message + 2, 2);
    write_be16(&fix, sum);
    fix = writer_of(start - 2, 2);
    write_be16(&fix, (uint16_t)(w.at - start));
    return (int)writer_len(&w);
}

void cdp_print(const struct cdp *m, struct writer *to)
{
    char s[MAC_TEXT_MAX];

    write_format(to, "cdp %u from %s ttl %u%s\n", m->protocol, mac_print(m->from, s), m->ttl,
                 m->checksum_wrong ? " (wrong checksum)" : "");
    for (size_t i = 0; i < N_ROWS; i++)
        if (m->has >> rows[i].type & 1) {
            write_format(to, "%04x %s", rows[i].type, rows[i].name);
            rows[i].print(to, (const char *)m + rows[i].offset);
            write_u8(to, '\n');
        }
    if (m->n_unknown)
        write_format(to, "%u others\n", m->n_unknown);
}
