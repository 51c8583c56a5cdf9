/* client.h - TLS between a link of dial.c and its owner, for a program that plays many clients.
 *
 * Bytes in, bytes out: the link carries what comes from `out`. A server's certificate is taken as
 * it comes, as phones without a trust list take it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_client;
struct tls_session;

/* `old`: TLS 1.0 and the ciphers of old phones. NULL without memory. */
struct tls_client *tls_client_new(bool old);
/* For a node that shows its own certificate to another (PEM files) and wants to see the other's, as
 * tls_options.peers. NULL: `words` says why. */
struct tls_client *tls_client_peer(const char *certificate, const char *key, char *words,
                                   size_t size);
void tls_client_free(struct tls_client *c); /* sessions may outlive it; NULL is fine */

struct tls_session_calls {
    int (*out)(void *context, const void *bytes, size_t len); /* to the wire; 0 or -errno */
    void (*ready)(void *context);                             /* the handshake is done */
    void (*clear)(void *context, const uint8_t *bytes, size_t len);
    bool (*over)(void *context); /* the owner has gone away: stop */
};

struct tls_session *tls_session_new(struct tls_client *c, const struct tls_session_calls *calls,
                                    void *context); /* NULL without memory */
void tls_session_free(struct tls_session *s);       /* NULL is fine */

/* Of the other's certificate, as tcp_subject and tcp_authority. */
void tls_session_peer(const struct tls_session *s, char *subject, size_t size, char *authority);

int tls_session_begin(struct tls_session *s); /* says hello; 0 or -errno */
/* What came from the wire. 0; -ECONNRESET: the peer ended it; -EPROTO: no TLS that fits. */
int tls_session_input(struct tls_session *s, const uint8_t *bytes, size_t len);
int tls_session_send(struct tls_session *s, const void *bytes, size_t len); /* 0, -EPIPE, -errno */
