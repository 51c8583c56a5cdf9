/* talk.h - what is said on a connection: SCCP, SIP, HTTP, TLS, told apart by what it looks like. */
#pragma once

#include "doctor/capture/parts.h"
#include "wire/sip/framing.h"

enum talk_kind { TALK_UNKNOWN, TALK_SCCP, TALK_SIP, TALK_HTTP, TALK_TLS };

struct talk_side {
    struct kept kept;   /* the beginning of a message whose rest has not come */
    bool lost;          /* bytes were missed: look for the beginning of a message */
    bool encrypted;     /* TLS: behind ChangeCipherSpec */
    bool spoke;         /* TLS: application data longer than an alert */
    uint64_t skip;      /* bytes of which nothing is wanted */
};

struct talk {
    enum talk_kind kind;
    unsigned version;   /* of SCCP, as agreed */
    bool hides;         /* TLS 1.3: handshake and alerts look like application data */
    struct talk_side sides[2];
    struct http_body body;  /* of the response being read */
    bool in_body, to_head, wanted; /* wanted: its content is */
    bool holes;
    uint64_t size;
    struct kept content;
    char name[256];     /* of the file asked for last */
};

/* One message at the start of `bytes`: the bytes it takes, 0 when more are needed, -EPROTO when none can start there. */
typedef int (*talk_reader)(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len);

int talk_sccp(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len);
void talk_sccp_cut(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len); /* all that there is of a message */
int talk_sip(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len);
int talk_http(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len);
void talk_http_hole(struct capture *c, struct stream *s, uint64_t bytes);
void talk_http_end(struct capture *c, struct stream *s, bool whole); /* no more of a body comes */
int talk_tls(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len);
void talk_tell(struct capture *c, const struct stream *s, int side, struct sight *sight);
