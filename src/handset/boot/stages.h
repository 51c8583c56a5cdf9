/* stages.h - what the files of the boot core share: boot.c (stages), link.c (VLAN, ARP),
 * names.c (DNS), files.c (files, firmware). Nobody else includes it. */
#pragma once

#include "handset/boot/boot.h"

static inline bool boot_is_reading(const struct boot *b)
{
    return b->stage == BOOT_FILES || b->stage == BOOT_UPGRADE || b->stage == BOOT_EXTRAS;
}

void boot_go(struct boot *b, enum boot_stage stage, uint64_t now_ms, struct effects *fx);
/* Nothing to be had: `words` become a status message, and the phone begins again after a while. */
void boot_give_up(struct boot *b, uint64_t now_ms, struct effects *fx);
struct ip boot_tftp_server(const struct boot *b);

/* link */
void boot_announce(struct boot *b, uint64_t now_ms,
                   struct effects *fx); /* CDP and LLDP-MED, and when next */
void boot_send_probe(struct boot *b, struct effects *fx);
void boot_link_frame(struct boot *b, const void *frame, size_t len, uint64_t now_ms,
                     struct effects *fx);

/* names */
void boot_ask_name(struct boot *b, const char *name, struct effects *fx);
enum boot_dns_status boot_name_answer(struct boot *b, const void *bytes, size_t len,
                                      struct ip *ret); /* 0: not for us */
/* A CallManager of the file: SCCP phones ask for the address of the name, SIP phones for the
 * service before it (RFC 3263 4.2, without NAPTR). */
void boot_server_begin(struct boot *b, struct effects *fx);
void boot_server_ask(struct boot *b, struct effects *fx); /* once more */
void boot_server_end(struct boot *b);
/* 0: not for us, or another question went out (`b->tries` begins anew); else `ret` is written. */
enum boot_dns_status boot_server_answer(struct boot *b, const void *bytes, size_t len,
                                        struct boot_server *ret, struct effects *fx);
/* Nobody answers: 0 when another question went out, or BOOT_DNS_TIMEOUT. */
enum boot_dns_status boot_server_silent(struct boot *b, struct effects *fx);

/* files */
void boot_files_begin(struct boot *b, uint64_t now_ms, struct effects *fx);
void boot_extras_begin(struct boot *b, uint64_t now_ms, struct effects *fx);
void boot_upgrade_begin(struct boot *b, uint64_t now_ms, struct effects *fx);
void boot_files_input(struct boot *b, const struct endpoint *from, const void *bytes, size_t len,
                      uint64_t now_ms, struct effects *fx);
void boot_files_tick(struct boot *b, uint64_t now_ms, struct effects *fx);
void boot_files_unreachable(struct boot *b, uint64_t now_ms, struct effects *fx);
