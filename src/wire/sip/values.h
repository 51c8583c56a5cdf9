/* values.h - what header values are made of: name-addr forms, parameters, lists, Via (RFC 3261 20,
 * 25.1).
 *
 * All slices borrow. */
#pragma once

#include "wire/sip/uri.h"

/* `"Name" <sip:…>;tag=x`, `sip:…;tag=x` or `*`. Parameters behind an addr-spec without brackets
 * belong to the header. */
struct sip_address {
    struct text display; /* quotes taken off, escapes left */
    struct text uri;     /* "*" of a Contact that means all */
    struct text parameters;
};

int sip_address_parse(struct text t, struct sip_address *ret); /* -EBADMSG */

/* Value of a parameter in "a=1;b;c=\"x\"": true when it is there; the value is without quotes,
 * empty for a flag. Names in any case; a repeated one: the first. */
bool sip_parameter(struct text parameters, const char *name, struct text *value);
/* One after the other: false at the end. */
bool sip_parameter_next(struct text *rest, struct text *name, struct text *value);

/* A Via value. */
struct sip_via {
    struct text transport; /* "UDP", "TCP", "TLS" … */
    struct text host;      /* without brackets */
    uint16_t port;         /* 0: not given */
    struct text branch, received;
    bool rport; /* asked for (RFC 3581) */
    struct text parameters;
};

/* One element; -EBADMSG. When only its parameters are malformed, protocol, host and port are filled
 * in all the same: an answer can be sent. */
int sip_via_parse(struct text t, struct sip_via *ret);
/* The first element of a list, cut off `rest`; commas in quotes and angle brackets are left alone.
 * `rest` has at == NULL when nothing is left. */
struct text sip_element(struct text *rest);
