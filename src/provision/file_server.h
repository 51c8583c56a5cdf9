/* file_server.h - the files once more, by HTTP/1.1 on port 6970, as phones ask (RFC 9110, 9112).
 *
 * Without sockets: what arrives on a link goes in with the time, what is to be sent goes out through
 * `send`. A link carries one request at a time. GET and HEAD only; a name that does not exist closes
 * the connection, as does everything that is not understood. */
#pragma once

#include "provision/file_source.h"

struct file_server;

struct file_server_settings {
    size_t max_links;
    size_t max_per_client; /* links of one address */
    uint32_t head_ms; /* a request must be there so long after the link opened or the last answer ended */
    uint32_t send_ms; /* the peer must take something at least so often */
    size_t burst;     /* bytes handed over while the peer has not taken the last ones */
};

struct file_server_output {
    void *context;
    int (*send)(void *context, uint64_t link, const void *bytes, size_t len); /* copies; below 0: the link is lost */
    size_t (*queued)(void *context, uint64_t link); /* handed over and not yet taken by the system */
    void (*close)(void *context, uint64_t link);    /* after what was sent has left; no `closed` follows */
    void (*report)(void *context, const struct file_report *r);
};

void file_server_settings_default(struct file_server_settings *s);
struct file_server *file_server_new(const struct file_server_settings *settings, const struct file_source *source,
                                    const struct file_server_output *output, uint64_t now_ms);
void file_server_free(struct file_server *s);

/* When all links, or all of this address, are taken, the one of them that has waited longest without a whole
 * request gives way: who says nothing, or says it slowly, keeps nobody out. False: all of them are being
 * served; the caller closes the link. */
bool file_server_opened(struct file_server *s, uint64_t now_ms, uint64_t link, const struct endpoint *peer,
                        struct ip local);
void file_server_input(struct file_server *s, uint64_t now_ms, uint64_t link, const void *bytes, size_t len);
void file_server_closed(struct file_server *s, uint64_t link); /* by the peer, or lost */
/* The system has taken what was handed over: hands over more. */
void file_server_drained(struct file_server *s, uint64_t now_ms, uint64_t link);
/* The same for all links whose bytes have left without being stopped; call it after each turn while it
 * returns true: there are such links. Links that the peer does not empty are left to `drained`. */
bool file_server_pump(struct file_server *s, uint64_t now_ms);

void file_server_expire(struct file_server *s, uint64_t now_ms);
size_t file_server_count(const struct file_server *s);
