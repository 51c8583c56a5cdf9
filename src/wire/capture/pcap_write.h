/* pcap_write.h - writes capture files of the pcapng format (draft-ietf-opsawg-pcapng): little-endian, times
 * in nanoseconds. Each call appends one whole block; a writer without room turns bad and the block is lost.
 *
 * A file is a section, its interfaces (numbered from 0 in the order they are written), then frames and
 * secrets in any order. Secrets must stand before the frames that they open. */
#pragma once

#include "base/buf.h"

#define PCAP_WRITE_ETHERNET 1   /* link types */
#define PCAP_WRITE_MESSAGES 252 /* Wireshark "upper PDU": a message, with who said it to whom */
#define PCAP_WRITE_FRAME_AT 28  /* of the bytes of a frame in the block written for it */
#define PCAP_WRITE_BLOCK    512 /* room for any block beside its frame, comment or secrets */

struct pcap_frame {
    uint32_t interface;
    uint64_t time_ns;         /* since 1970 */
    struct text bytes;        /* what was captured */
    size_t original;          /* its length on the wire; 0: all was captured */
    enum { PCAP_WAY_UNKNOWN, PCAP_WAY_IN, PCAP_WAY_OUT } way;
    struct text comment;      /* empty: none */
};

void pcap_write_section(struct writer *w, struct text application, struct text comment);
void pcap_write_interface(struct writer *w, uint32_t link_type, struct text name);
void pcap_write_frame(struct writer *w, const struct pcap_frame *f);
void pcap_write_secrets(struct writer *w, struct text key_log); /* lines of NSS key log format (TLS) */
/* At the end: frames that were seen, and those that the kernel dropped. */
void pcap_write_statistics(struct writer *w, uint32_t interface, uint64_t time_ns, uint64_t seen,
                           uint64_t dropped);
