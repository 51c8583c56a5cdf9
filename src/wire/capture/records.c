#include "wire/capture/records.h"

#define PCAP_US        0xa1b2c3d4u
#define PCAP_NS        0xa1b23c4du
#define PCAP_VARIANT   0xa1b2cd34u /* eight more bytes in every record */
#define SECTION_HEADER 0x0a0d0d0au
#define BYTE_ORDER_IS  0x1a2b3c4du

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED_PACKET = 6
};
enum { OPTION_END = 0, INTERFACE_RESOLUTION = 9, INTERFACE_OFFSET = 14 };
enum { STATISTICS_INTERFACE_DROP = 5, STATISTICS_SYSTEM_DROP = 7 };

#define BLOCK_HEAD 8 /* type and length */
#define SMALL_BLOCK_MAX                                                                            \
    4096 /* read of an interface's description or statistics; what follows is passed over */
#define RESOLUTION_US 6

void records_init(struct records *r)
{
    memset(r, 0, sizeof(*r));
}

static uint32_t u32(const struct records *r, const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return r->swapped ? __builtin_bswap32(v) : v; /* little endian hosts, as everywhere here */
}

static uint16_t u16(const struct records *r, const uint8_t *p)
{
    return r->swapped ? (uint16_t)(p[0] << 8 | p[1]) : (uint16_t)(p[1] << 8 | p[0]);
}

static uint64_t u64(const struct records *r, const uint8_t *p)
{
    uint64_t a = u32(r, p), b = u32(r, p + 4);

    return r->swapped ? a << 32 | b : b << 32 | a;
}

static enum records_step broken(struct records *r, const char *problem)
{
    r->problem = problem;
    return RECORDS_BROKEN;
}

/* -- pcap ----------------------------------------------------------------------------------- */

static enum records_step pcap_start(struct records *r, const uint8_t *p, size_t len, size_t *used)
{
    uint32_t magic;

    if (len < 24)
        return RECORDS_MORE;
    magic = u32(r, p);
    r->format = RECORDS_PCAP;
    r->nanoseconds = magic == PCAP_NS;
    r->record_header = magic == PCAP_VARIANT ? 24 : 16;
    r->n_interfaces = 1;
    r->interfaces[0].link_type = u32(r, p + 20) & 0x0fffffff; /* the upper bits tell of checksums */
    *used = 24;
    return RECORDS_PACKET; /* go on */
}

static enum records_step pcap_record(struct records *r, const uint8_t *p, size_t len, size_t *used,
                                     struct record *ret)
{
    uint32_t part;

    if (len < r->record_header)
        return RECORDS_MORE;
    part = u32(r, p + 4);
    *ret = (struct record){.link_type = r->interfaces[0].link_type,
                           .captured = u32(r, p + 8),
                           .original = u32(r, p + 12)};
    ret->time_ns =
        (int64_t)u32(r, p) * 1000000000 + (r->nanoseconds ? (int64_t)part : (int64_t)part * 1000);
    if (ret->captured > RECORD_CAPTURED_MAX)
        return broken(r, "a record of impossible length");
    if (len - r->record_header < ret->captured)
        return RECORDS_MORE;
    ret->bytes = p + r->record_header;
    *used = r->record_header + ret->captured;
    return RECORDS_PACKET;
}

/* -- pcapng --------------------------------------------------------------------------------- */

/* The value of an option, at least `size` bytes long; NULL when absent. */
static const uint8_t *option(const struct records *r, const uint8_t *p, const uint8_t *end,
                             unsigned code, size_t size)
{
    while (end - p >= 4 && u16(r, p) != OPTION_END) {
        size_t len = u16(r, p + 2), whole = (len + 3) & ~(size_t)3;

        if (len > (size_t)(end - p - 4))
            break;
        if (u16(r, p) == code && len >= size)
            return p + 4;
        if (whole > (size_t)(end - p - 4))
            break;
        p += 4 + whole;
    }
    return NULL;
}

static void read_interface(struct records *r, const uint8_t *body, const uint8_t *end)
{
    struct records_interface *i = &r->interfaces[r->n_interfaces];
    const uint8_t *value;

    if (r->n_interfaces++ >= RECORDS_INTERFACES_MAX || end - body < 8)
        return;
    *i = (struct records_interface){
        .link_type = u16(r, body), .snaplen = u32(r, body + 4), .resolution = RESOLUTION_US};
    if ((value = option(r, body + 8, end, INTERFACE_RESOLUTION, 1)))
        i->resolution = *value;
    if ((value = option(r, body + 8, end, INTERFACE_OFFSET, 8)))
        i->offset_s = (int64_t)u64(r, value);
}

static void read_statistics(struct records *r, const uint8_t *body, const uint8_t *end)
{
    const uint8_t *value;

    if (end - body < 12)
        return;
    if ((value = option(r, body + 12, end, STATISTICS_INTERFACE_DROP, 8)))
        r->dropped += u64(r, value);
    if ((value = option(r, body + 12, end, STATISTICS_SYSTEM_DROP, 8)))
        r->dropped += u64(r, value);
}

static int64_t time_of(const struct records_interface *i, uint64_t units)
{
    static const uint64_t tens[] = {1,
                                    10,
                                    100,
                                    1000,
                                    10000,
                                    100000,
                                    1000000,
                                    10000000,
                                    100000000,
                                    1000000000,
                                    10000000000,
                                    100000000000,
                                    1000000000000,
                                    10000000000000,
                                    100000000000000,
                                    1000000000000000};
    unsigned n = i->resolution & 0x7f;
    uint64_t ns;

    if (i->resolution & 0x80)
        ns = n < 64 ? (uint64_t)(((unsigned __int128)units * 1000000000) >> n) : 0;
    else if (n <= 9)
        ns = units * tens[9 - n];
    else
        ns = n - 9 < sizeof(tens) / sizeof(*tens) ? units / tens[n - 9] : 0;
    return (int64_t)(ns + (uint64_t)i->offset_s * 1000000000); /* unsigned: may wrap for nonsense */
}

/* A packet block of `total` bytes: its packet begins at `head`. */
static enum records_step packet_block(struct records *r, uint32_t type, const uint8_t *p,
                                      size_t len, uint32_t total, size_t *used, struct record *ret)
{
    size_t head = type == BLOCK_SIMPLE_PACKET ? 12 : 28;
    const struct records_interface *i;

    if (total < head + 4)
        return broken(r, "a packet block that is too short");
    if (len < head)
        return RECORDS_MORE;
    ret->interface = type == BLOCK_SIMPLE_PACKET ? 0
                     : type == BLOCK_OLD_PACKET  ? u16(r, p + 8)
                                                 : u32(r, p + 8);
    if (ret->interface >= r->n_interfaces || ret->interface >= RECORDS_INTERFACES_MAX) {
        r->skip = total; /* a packet of an interface nobody described */
        r->n++;
        return RECORDS_MORE;
    }
    i = &r->interfaces[ret->interface];
    ret->original = u32(r, p + (head - 4));
    ret->captured = u32(r, p + (head == 12 ? 8 : 20));
    if (type == BLOCK_SIMPLE_PACKET && i->snaplen && ret->captured > i->snaplen)
        ret->captured = i->snaplen;
    if (type == BLOCK_SIMPLE_PACKET && ret->captured > total - head - 4)
        ret->captured = total - (uint32_t)head - 4;
    if (ret->captured > total - head - 4 || ret->captured > RECORD_CAPTURED_MAX)
        return broken(r, "a packet longer than its block");
    if (len < head + ret->captured)
        return RECORDS_MORE;
    ret->link_type = i->link_type;
    ret->time_ns = type == BLOCK_SIMPLE_PACKET
                       ? r->last_ns
                       : time_of(i, (uint64_t)u32(r, p + 12) << 32 | u32(r, p + 16));
    ret->bytes = p + head;
    *used = head + ret->captured;
    r->skip = total - *used;
    return RECORDS_PACKET;
}

static enum records_step section(struct records *r, const uint8_t *p, size_t len)
{
    uint32_t order;

    if (len < 12)
        return RECORDS_MORE;
    r->swapped = false;
    order = u32(r, p + 8);
    r->swapped = __builtin_bswap32(order) == BYTE_ORDER_IS;
    if (!r->swapped && order != BYTE_ORDER_IS)
        return broken(r, "a section without a byte order");
    r->format = RECORDS_PCAPNG;
    r->n_interfaces = 0;
    return RECORDS_PACKET;
}

static enum records_step block(struct records *r, const uint8_t *p, size_t len, size_t *used,
                               struct record *ret, bool *packet)
{
    uint32_t type, total, wanted;
    enum records_step step;

    if (len < BLOCK_HEAD)
        return RECORDS_MORE;
    type = u32(r, p);
    if (type == SECTION_HEADER && (step = section(r, p, len)) != RECORDS_PACKET)
        return step;
    total = (u32(r, p + 4) + 3) & ~3u;
    if (total < 12)
        return broken(r, "a block of impossible length");
    if (type == BLOCK_ENHANCED_PACKET || type == BLOCK_OLD_PACKET || type == BLOCK_SIMPLE_PACKET) {
        *packet = true;
        return packet_block(r, type, p, len, total, used, ret);
    }
    wanted = total - 4 < SMALL_BLOCK_MAX ? total - 4 : SMALL_BLOCK_MAX;
    if (type == BLOCK_INTERFACE || type == BLOCK_STATISTICS) {
        if (len < wanted)
            return RECORDS_MORE;
        (type == BLOCK_INTERFACE ? read_interface : read_statistics)(r, p + BLOCK_HEAD, p + wanted);
    }
    r->skip = total;
    return RECORDS_PACKET;
}

/* -- both ----------------------------------------------------------------------------------- */

static enum records_step start(struct records *r, const uint8_t *p, size_t len, size_t *used)
{
    uint32_t magic, other;

    if (len < 4)
        return RECORDS_MORE;
    r->swapped = false;
    magic = u32(r, p);
    other = __builtin_bswap32(magic);
    if (magic == SECTION_HEADER)
        return section(r, p, len);
    r->swapped = other == PCAP_US || other == PCAP_NS || other == PCAP_VARIANT;
    if (!r->swapped && magic != PCAP_US && magic != PCAP_NS && magic != PCAP_VARIANT)
        return broken(r, "no capture file: neither pcap nor pcapng");
    return pcap_start(r, p, len, used);
}

static void pass_over(struct records *r, size_t len, size_t *at)
{
    size_t n = len - *at < r->skip ? len - *at : (size_t)r->skip;

    *at += n;
    r->skip -= n;
}

enum records_step records_next(struct records *r, const void *bytes, size_t len, size_t *used,
                               struct record *ret)
{
    const uint8_t *p = bytes;
    enum records_step step = RECORDS_PACKET;
    bool packet = false;
    size_t at = 0;

    while (step == RECORDS_PACKET && !packet) {
        size_t n = 0;

        pass_over(r, len, &at);
        if (r->format == RECORDS_START)
            step = start(r, p + at, len - at, &n);
        else if (r->format == RECORDS_PCAPNG)
            step = block(r, p + at, len - at, &n, ret, &packet);
        else if ((step = pcap_record(r, p + at, len - at, &n, ret)) == RECORDS_PACKET)
            packet = true;
        at += n;
        if (step == RECORDS_MORE && r->skip && at < len) { /* a block that is passed over */
            step = RECORDS_PACKET;
            packet = false;
        }
    }
    if (step == RECORDS_PACKET) {
        r->n++;
        r->last_ns = ret->time_ns;
    }
    *used = at;
    return step;
}

bool records_may_end(const struct records *r, size_t unused)
{
    return r->format != RECORDS_START && !unused &&
           r->skip <= 4; /* the last block's second length may be lost */
}
