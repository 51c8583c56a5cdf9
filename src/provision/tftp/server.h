/* server.h - the TFTP server without its sockets (RFC 1350, 2347, 2348, 2349, 7440).
 *
 * Datagrams and the time go in, datagrams go out through `send`. A transfer has its own port: the
 * caller brings `n_tids` bound sockets, numbered from 0, and the server spreads transfers over them;
 * a transfer is known by client address, client port and socket. Read requests only. Everything is
 * in pools of a fixed size: what does not fit is refused with "Server busy" and counted.
 *
 * Never answers a duplicate ACK with DATA (the Sorcerer's Apprentice, RFC 1123 4.2.3.1): lost blocks are
 * sent again when the timer says so, with a time-out that doubles, or once per window when the client
 * reports a gap (RFC 7440 4). */
#pragma once

#include "provision/file_source.h"

struct tftp_server;

struct tftp_settings {
    size_t max_transfers;      /* at once */
    size_t max_per_client;     /* at once from one address */
    uint32_t timeout_ms;       /* first time-out when the client asks for none */
    uint32_t max_timeout_ms;   /* doubling stops here */
    uint8_t max_tries;         /* datagrams of one kind without an answer before the client is given up */
    uint8_t max_first_tries;   /* the same before its first answer: a forged request must not amplify */
    uint16_t max_window;       /* blocks in flight at most, 64 at most */
    uint16_t n_tids;
};

struct tftp_output {
    void *context;
    /* Where up to `n` bytes for that socket and peer are best put together, or NULL: anywhere. May be NULL. */
    uint8_t *(*room)(void *context, unsigned tid, const struct endpoint *to, size_t n);
    /* `len` bytes as datagrams of `segment` bytes each, the last may be shorter; segment 0: one datagram.
     * From socket `tid`, from our address `local`. */
    void (*send)(void *context, unsigned tid, const struct endpoint *to, struct ip local,
                 const void *bytes, size_t len, size_t segment);
    void (*report)(void *context, const struct file_report *r);
};

void tftp_settings_default(struct tftp_settings *s);
/* Copies all three. NULL without memory. */
struct tftp_server *tftp_server_new(const struct tftp_settings *settings, const struct file_source *source,
                                    const struct tftp_output *output, uint64_t now_ms);
void tftp_server_free(struct tftp_server *s); /* what is still running is released and reported as aborted */
void tftp_server_limit(struct tftp_server *s, size_t max_transfers, size_t max_per_client);

/* A datagram that came to port 69, and one that came to socket `tid`. `local`: our address it came to. */
void tftp_server_request(struct tftp_server *s, uint64_t now_ms, const struct endpoint *from, struct ip local,
                         const void *bytes, size_t len);
void tftp_server_packet(struct tftp_server *s, uint64_t now_ms, unsigned tid, const struct endpoint *from,
                        const void *bytes, size_t len);

void tftp_server_expire(struct tftp_server *s, uint64_t now_ms);            /* acts on what is due */
size_t tftp_server_count(const struct tftp_server *s);                      /* transfers that run */
