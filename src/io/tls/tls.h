/* tls.h - TLS for the links of io/tcp/tcp.h: a context is given to tcp_listen, the rest is as without.
 *
 * on_open is called when the handshake is done, on_input with clear bytes, tcp_send takes clear
 * bytes. Handshakes are paced: at most `handshakes` steps are made in a turn of the loop, so that
 * calls go on while ten thousand phones come back. OpenSSL 3; SSL_MODE_RELEASE_BUFFERS, no tickets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tls;

struct tls_options {
    const char *certificate, *key;         /* PEM files, the chain behind the certificate */
    const char *rsa_certificate, *rsa_key; /* the same for clients that know no ECDSA; NULL: none */
    const char *authority; /* PEM of who signs clients' certificates: asked for, and verified when
                              given; NULL: not asked for */
    bool peers; /* nodes, that have to show a certificate and the whole chain behind it; whose it is
                   the owner asks: tcp_authority */
    bool old_phones;       /* TLS 1.0, DEFAULT:@SECLEVEL=0: for phones that know no better */
    unsigned handshakes;   /* 0: 16 */
    /* NULL, or hears what opens the connections of a capture: a line of the NSS key log format. */
    void (*secret)(void *context, int fd, const char *line);
    void *context;
};

/* 0; or -errno, and `words` says which file and why. */
int tls_new(const struct tls_options *options, struct tls **ret, char *words, size_t size);
/* New certificates for connections from now on; when it fails the old ones stay. */
int tls_reload(struct tls *t, const struct tls_options *options, char *words, size_t size);
#define TLS_FINGERPRINT_MAX 96 /* SHA-256 in hexadecimal, bytes separated by colons */
/* Fingerprint of the end of the chain that is shown. */
void tls_own_authority(const struct tls *t, char to[static TLS_FINGERPRINT_MAX]);
void tls_free(struct tls *t); /* when no listener uses it any more; NULL is fine */
