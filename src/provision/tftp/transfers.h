/* transfers.h - the transfers of a TFTP server: who they belong to, how they begin and end, and what
 * they send. Inside of tftp_server. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/timers.h"
#include "provision/tftp/server.h"
#include "wire/boot/tftp.h"

#define TRANSFER_NAME_MAX   128
#define TRANSFER_WINDOW_MAX     64
#define OUT_MAX        (TFTP_HEADER + TFTP_BLOCK_MAX)
#define RECENT_CLIENTS 4096 /* slots that remember a client's last socket */
#define ENDPOINT_KEY   19

enum transfer_state { HELD, OFFERED, SENDING }; /* answer held back; OACK sent; DATA sent */

struct transfer {
    struct timer timer;
    struct list node; /* in `unheard` until its client has said anything */
    struct transfer_client *client;
    uint64_t id;
    char key[ENDPOINT_KEY]; /* of `peer` */
    struct endpoint peer;
    struct ip local;
    struct file_answer file;
    struct tftp_options accepted;
    uint64_t base, sent, last; /* blocks: first not acknowledged, last sent, last of the file (0: unknown) */
    uint64_t started_ms, heard_ms;
    uint64_t ascii_offset, ascii_next_offset; /* in the file: where block `base` and the next begin */
    uint32_t timeout_ms, resent;
    uint16_t block_size, window;
    uint8_t state, tries, tid;
    bool heard, netascii, timeout_fixed, gap_answered, told_slow;
    int8_t ascii_pending, ascii_next_pending; /* second byte of a pair that did not fit, or -1 */
    uint8_t name_len;
    char name[TRANSFER_NAME_MAX];
};

struct transfer_client {
    struct ip ip;
    char key[17];
    uint64_t id;
    size_t n;
};

struct tftp_server {
    struct tftp_settings settings;
    struct file_source source;
    struct tftp_output output;
    struct pool transfers, clients;
    struct map by_peer, by_ip;
    struct timers timers;
    struct list unheard; /* oldest first: maybe nobody is there, so they make room for others */
    uint16_t turn;
    uint8_t turn_requests;
    struct {
        uint32_t hash;
        uint16_t tid;
    } recent[RECENT_CLIENTS];
    uint8_t out[OUT_MAX];
};

/* transfers.c */
void transfer_key_of(const struct endpoint *e, char to[static ENDPOINT_KEY]);
struct transfer *transfer_find(const struct tftp_server *s, const struct endpoint *peer);
/* NULL: no room, or too many from that address. */
struct transfer *transfer_new(struct tftp_server *s, const struct file_request *r, unsigned tid);
void transfer_end(struct tftp_server *s, struct transfer *t, enum file_result result); /* reports and frees */
void transfer_report(struct tftp_server *s, const struct transfer *t, enum file_result result);
unsigned transfer_choose_tid(struct tftp_server *s, const char key[static ENDPOINT_KEY]);

/* send.c */
void transfer_send_error(struct tftp_server *s, unsigned tid, const struct endpoint *to, struct ip local,
                         enum tftp_error error, const char *words);
void transfer_send_refusal(struct tftp_server *s, unsigned tid, const struct endpoint *to, struct ip local, int err);
/* What the client has not answered yet, for the first time or again. Ends the transfer when it cannot. */
void transfer_transmit(struct tftp_server *s, struct transfer *t, uint64_t now_ms);
