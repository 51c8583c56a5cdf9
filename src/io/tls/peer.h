/* peer.h - who is at the other end of a TLS connection; for tls.c and client.c alone. */
#pragma once

#include <stddef.h>

#include <openssl/ssl.h>

#include "io/tls/tls.h"

/* The peer has to show a certificate, and the chain that it brings has to be whole: each signed by
 * the next, all in force. Whether the last of them is to be trusted is for the owner to say. */
void tls_peer_demand(SSL_CTX *c);
/* Common name of its verified certificate, or "". */
void tls_peer_subject(SSL *ssl, char *to, size_t size);
void tls_peer_fingerprint(X509 *certificate, char to[static TLS_FINGERPRINT_MAX]);
/* SHA-256 of the last certificate of its verified chain, or "". */
void tls_peer_authority(SSL *ssl, char to[static TLS_FINGERPRINT_MAX]);
