/* file_source.h - where TFTP and HTTP get what they send, and whom they tell what became of it.
 *
 * The two servers speak protocols only; which name stands for what, and who may have it, is decided
 * once, behind `open`. */
#pragma once

#include "base/address.h"

struct file_request {
    struct text name;        /* as asked, not yet normalised */
    struct endpoint client;
    struct ip local;         /* our address that was asked; family 0 when not known */
    uint64_t now_ms;
    bool http;
};

struct file_answer {
    int err;                 /* 0, -ENOENT, -EACCES, -EBUSY (try again), -EIO */
    uint32_t delay_ms;       /* hold the answer back this long, whatever it is (TFTP-6) */
    uint64_t size;
    uint64_t tag;            /* changes when the content does; for ETag */
    const uint8_t *bytes;    /* the whole content, or NULL: ask `read` */
    void *hold;              /* the source's own; given back by `close` when err is 0 */
};

struct file_source {
    void *context;
    void (*open)(void *context, const struct file_request *r, struct file_answer *ret);
    /* `n` bytes from `offset` (both inside the size) in place, valid until the next call; NULL when
     * the content is no longer what was opened: the transfer then fails. */
    const uint8_t *(*read)(void *context, void *hold, uint64_t offset, size_t n);
    void (*close)(void *context, void *hold);
};

enum file_result {
    FILE_SENT,      /* all of it, and the client said so (TFTP) or the system took it (HTTP) */
    FILE_MISSING,
    FILE_REFUSED,   /* to this client */
    FILE_BUSY,      /* too many transfers */
    FILE_ABORTED,   /* the client gave up or vanished, or the content changed */
    FILE_SLOW       /* still running after a moment; another report follows */
};

struct file_report {
    enum file_result result;
    struct text name;
    struct endpoint client;
    struct ip local;
    uint64_t sent;      /* bytes of content that arrived, or were taken */
    uint64_t started_ms;
    uint32_t resent;    /* TFTP: datagrams sent again */
    bool http;
};
