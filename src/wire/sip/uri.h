/* uri.h - SIP and tel URIs (RFC 3261 19.1, RFC 3966).
 *
 * All slices borrow; nothing is unescaped until it is compared or copied. */
#pragma once

#include "base/address.h"
#include "base/text.h"

struct sip_uri {
    enum { SIP_URI_OTHER, SIP_URI_SIP, SIP_URI_SIPS, SIP_URI_TEL } scheme;
    struct text all;  /* as written */
    struct text user; /* without password; of tel: the number */
    struct text password;
    struct text host;                /* without the brackets of an IPv6 reference */
    uint16_t port;                   /* 0: not given */
    struct text parameters, headers; /* what follows ';' and '?', without it */
};

/* 0, or -EBADMSG. */
int sip_uri_parse(struct text t, struct sip_uri *ret);
/* RFC 3261 19.1.4; with more than 32 parameters or headers they are equal only when written
 * alike. */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);
/* Unescapes %HH of a user part into `to` with a NUL; length, -EBADMSG, -ENOSPC. */
int sip_unescape(struct text t, char *to, size_t size);
/* host, host:port, [v6] or [v6]:port; blanks may stand around the colon, as in a Via. The host is
 * without brackets, `port` 0 when there is none. -EBADMSG. */
int sip_host_parse(struct text t, struct text *host, uint16_t *port);
