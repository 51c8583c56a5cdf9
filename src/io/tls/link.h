/* link.h - one TLS connection below a link of tcp.c, and for nobody else.
 *
 * Never blocks. A call reads from the socket a bounded number of times, so a peer that never stops
 * sending does not keep the others waiting; what is left makes the socket readable again. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "io/tls/tls.h"

struct tls_link;

unsigned tls_handshakes(const struct tls *t);
struct tls_link *tls_accept(struct tls *t, int fd); /* borrows fd; NULL without memory */
void tls_end(struct tls_link *l);                   /* NULL is fine; says goodbye if it can */

/* 0: done; -EAGAIN: when more has come; -ENOBUFS: when the socket has room; -EPROTO: failed. */
int tls_handshake(struct tls_link *l);
/* Bytes, `size` being at least 64 KB; 0: the peer is gone; -EAGAIN, or another -errno. */
ssize_t tls_read(struct tls_link *l, void *to, size_t size);
bool tls_over(const struct tls_link *l); /* the peer has gone behind the bytes just read */
/* Bytes taken, at least one; -EAGAIN, or another -errno. */
ssize_t tls_write(struct tls_link *l, const void *bytes, size_t len);

/* Common name of the peer's verified certificate, or "". */
void tls_subject(const struct tls_link *l, char *to, size_t size);
/* Fingerprint of the end of its verified chain, or "". */
void tls_authority(const struct tls_link *l, char to[static TLS_FINGERPRINT_MAX]);
/* Why the handshake failed: static words of OpenSSL. */
const char *tls_why(const struct tls_link *l);
