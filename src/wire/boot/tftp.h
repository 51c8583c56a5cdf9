/* tftp.h - TFTP packets (RFC 1350, 2347, 2348, 2349, 7440). Parses and builds all six; allocates nothing. */
#pragma once

#include "base/buf.h"

#define TFTP_PORT        69
#define TFTP_BLOCK       512   /* without the blksize option */
#define TFTP_BLOCK_MIN   8     /* RFC 2348 */
#define TFTP_BLOCK_MAX   65464
#define TFTP_HEADER      4     /* of DATA, before its bytes */
#define TFTP_REQUEST_MAX 512   /* longer requests are refused (RFC 2347) */

enum tftp_op { TFTP_RRQ = 1, TFTP_WRQ, TFTP_DATA, TFTP_ACK, TFTP_ERROR, TFTP_OACK };

enum tftp_mode { TFTP_OCTET, TFTP_NETASCII, TFTP_MAIL, TFTP_OTHER_MODE };

enum tftp_error {
    TFTP_ERROR_OTHER,
    TFTP_ERROR_NOT_FOUND,
    TFTP_ERROR_ACCESS,
    TFTP_ERROR_DISK_FULL,
    TFTP_ERROR_ILLEGAL,
    TFTP_ERROR_UNKNOWN_ID,
    TFTP_ERROR_EXISTS,
    TFTP_ERROR_NO_USER,
    TFTP_ERROR_OPTION
};

enum tftp_option { TFTP_BLKSIZE, TFTP_TIMEOUT, TFTP_TSIZE, TFTP_WINDOWSIZE, N_TFTP_OPTIONS };

/* An option that is unknown or out of its range is as if it had not been sent (RFC 2347: not acknowledged). */
struct tftp_options {
    uint8_t has; /* a bit for each tftp_option */
    uint64_t value[N_TFTP_OPTIONS];
};

struct tftp_packet {
    enum tftp_op op;
    struct text file;            /* RRQ, WRQ: as sent */
    enum tftp_mode mode;         /* RRQ, WRQ */
    struct tftp_options options; /* RRQ, WRQ, OACK */
    uint16_t block;              /* DATA, ACK */
    struct text data;            /* DATA: borrowed */
    uint16_t error;              /* ERROR */
    struct text message;         /* ERROR */
};

static inline bool tftp_has(const struct tftp_options *o, enum tftp_option which)
{
    return o->has >> which & 1;
}

static inline void tftp_set(struct tftp_options *o, enum tftp_option which, uint64_t value)
{
    o->has |= 1u << which;
    o->value[which] = value;
}

/* 0, -EBADMSG when malformed (unknown opcode, no NUL where one belongs, odd length of an ACK …). An
 * ERROR without its final NUL and an ACK with trailing bytes are accepted, as devices send both. */
int tftp_parse(const void *bytes, size_t len, struct tftp_packet *ret);

void tftp_write_request(struct writer *w, enum tftp_op op, struct text file, enum tftp_mode mode,
                        const struct tftp_options *options); /* options may be NULL */
void tftp_write_data(struct writer *w, uint16_t block, const void *bytes, size_t n);
void tftp_write_ack(struct writer *w, uint16_t block);
void tftp_write_error(struct writer *w, uint16_t error, const char *message);
void tftp_write_oack(struct writer *w, const struct tftp_options *options);

const char *tftp_op_name(unsigned op); /* "RRQ"; "?" when unknown */
void tftp_print(const struct tftp_packet *p, struct writer *to); /* one line */
