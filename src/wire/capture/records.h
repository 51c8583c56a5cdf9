/* records.h - the packets of a capture file, of whichever format, out of bytes as they come.
 *
 * Reads pcap (both byte orders, micro- and nanoseconds, the variant with longer records that old Linux programs write;
 * draft-ietf-opsawg-pcap) and pcapng (both byte orders, several sections and interfaces, resolutions and offsets of time,
 * enhanced, simple and old packet blocks; draft-ietf-opsawg-pcapng). Other blocks are passed over without being kept.
 *
 * The caller keeps a buffer of RECORD_BYTES_MAX or more, hands over what is in it, drops what was used and reads more when
 * asked. Nothing is allocated. */
#pragma once

#include "base/buf.h"

#define RECORD_CAPTURED_MAX      262144 /* longer packets: the file is broken; no program writes them */
#define RECORD_BYTES_MAX         (RECORD_CAPTURED_MAX + 64)
#define RECORDS_INTERFACES_MAX   64     /* of a section; packets of further ones are passed over */

struct record {
    int64_t time_ns;      /* since 1970 */
    uint32_t link_type, interface;
    const uint8_t *bytes; /* borrowed */
    uint32_t captured, original;
};

struct records_interface {
    uint32_t link_type, snaplen;
    uint8_t resolution; /* if_tsresol */
    int64_t offset_s;   /* if_tsoffset */
};

struct records {
    enum { RECORDS_START, RECORDS_PCAP, RECORDS_PCAPNG } format;
    bool swapped; /* big endian */
    bool nanoseconds;
    uint8_t record_header; /* pcap: 16, or 24 of the variant */
    uint64_t skip;         /* bytes still to be passed over */
    uint64_t n;            /* packets read */
    uint64_t dropped;      /* packets that the capturing program says it lost */
    int64_t last_ns;
    const char *problem;   /* after RECORDS_BROKEN: what is wrong, static */
    unsigned n_interfaces;
    struct records_interface interfaces[RECORDS_INTERFACES_MAX];
};

enum records_step {
    RECORDS_PACKET, /* `ret` is the next packet */
    RECORDS_MORE,   /* more bytes are needed; at the end of the file: it ended here, cut off if any are unused */
    RECORDS_BROKEN  /* nothing can be read from here on: see `problem` */
};

void records_init(struct records *r);
/* What stands at the start of `bytes`; *used of them are done with, whatever is returned (a packet borrows from them all the
 * same). */
enum records_step records_next(struct records *r, const void *bytes, size_t len, size_t *used, struct record *ret);
/* Whether the file may end here: `unused` bytes were left. */
bool records_may_end(const struct records *r, size_t unused);
