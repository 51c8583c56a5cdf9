/* pcap.h - capture files of the classic format: written with nanoseconds, read in any byte order and precision.
 *
 * The format is described in draft-ietf-opsawg-pcap. */
#pragma once

#include "base/buf.h"

#define PCAP_HEADER_SIZE 24
#define PCAP_RECORD_SIZE 16
#define PCAP_SNAP        65535
#define PCAP_ETHERNET    1 /* link type */

struct pcap_packet {
    uint64_t time_ns;     /* since 1970 */
    const uint8_t *bytes; /* borrowed */
    size_t captured, original;
};

struct pcap_file {
    struct reader r;
    bool swapped, nanoseconds;
    uint32_t link_type;
};

void pcap_write_header(struct writer *w, uint32_t link_type);
/* The header of a record; the frame's `captured` bytes follow it. */
void pcap_write_record(struct writer *w, uint64_t time_ns, size_t captured, size_t original);

/* `bytes` must live as long as the file is read. 0, or -EBADMSG: no such file. */
int pcap_open(const void *bytes, size_t len, struct pcap_file *ret);
/* 1 and a packet, 0 at the end, -EBADMSG when the file is cut off or broken here. */
int pcap_next(struct pcap_file *f, struct pcap_packet *ret);
