#include "wire/capture/pcap.h"

#include <errno.h>

#define MAGIC_NS 0xa1b23c4du
#define MAGIC_US 0xa1b2c3d4u

void pcap_write_header(struct writer *w, uint32_t link_type)
{
    write_le32(w, MAGIC_NS);
    write_le16(w, 2); /* version 2.4 */
    write_le16(w, 4);
    write_le32(w, 0); /* times are UTC */
    write_le32(w, 0);
    write_le32(w, PCAP_SNAP);
    write_le32(w, link_type);
}

void pcap_write_record(struct writer *w, uint64_t time_ns, size_t captured, size_t original)
{
    write_le32(w, (uint32_t)(time_ns / 1000000000));
    write_le32(w, (uint32_t)(time_ns % 1000000000));
    write_le32(w, (uint32_t)captured);
    write_le32(w, (uint32_t)original);
}

static uint32_t number(struct pcap_file *f)
{
    return f->swapped ? read_be32(&f->r) : read_le32(&f->r);
}

int pcap_open(const void *bytes, size_t len, struct pcap_file *ret)
{
    struct reader magic = reader_of(bytes, len);
    uint32_t little = read_le32(&magic), big = __builtin_bswap32(little);

    *ret = (struct pcap_file){.r = reader_of(bytes, len)};
    ret->swapped = big == MAGIC_NS || big == MAGIC_US;
    ret->nanoseconds = little == MAGIC_NS || big == MAGIC_NS;
    if (!ret->swapped && !ret->nanoseconds && little != MAGIC_US)
        return -EBADMSG;
    read_bytes(&ret->r, PCAP_HEADER_SIZE - 4);
    ret->link_type = number(ret) & 0x0fffffff; /* the upper bits tell of checksums */
    return ret->r.bad ? -EBADMSG : 0;
}

int pcap_next(struct pcap_file *f, struct pcap_packet *ret)
{
    uint64_t seconds, part;

    if (!reader_left(&f->r))
        return 0;
    seconds = number(f);
    part = number(f);
    ret->captured = number(f);
    ret->original = number(f);
    ret->bytes = read_bytes(&f->r, ret->captured);
    if (f->r.bad)
        return -EBADMSG;
    ret->time_ns = seconds * 1000000000 + (f->nanoseconds ? part : part * 1000);
    return 1;
}
