/* client.c - OpenSSL between two buffers; see client.h. */
#include "io/tls/client.h"

#include <errno.h>
#include <stdlib.h>

#include <stdio.h>

#include <openssl/err.h>

#include "io/tls/peer.h"

struct tls_client {
    SSL_CTX *context; /* sessions hold references of their own */
};

struct tls_session {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    const struct tls_session_calls *calls;
    void *context;
    bool ready;
};

struct tls_client *tls_client_new(bool old)
{
    struct tls_client *c = calloc(1, sizeof(*c));

    if (!c || !(c->context = SSL_CTX_new(TLS_client_method()))) {
        free(c);
        return NULL;
    }
    SSL_CTX_set_verify(c->context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(c->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c->context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_min_proto_version(c->context, old ? TLS1_VERSION : TLS1_2_VERSION);
    if (old) {
        SSL_CTX_set_max_proto_version(c->context, TLS1_VERSION);
        SSL_CTX_set_cipher_list(c->context, "DEFAULT:@SECLEVEL=0");
    }
    return c;
}

struct tls_client *tls_client_peer(const char *certificate, const char *key, char *words,
                                   size_t size)
{
    struct tls_client *c = tls_client_new(false);
    const char *reason;

    if (c && SSL_CTX_use_certificate_chain_file(c->context, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(c->context, key, SSL_FILETYPE_PEM) == 1) {
        tls_peer_demand(c->context);
        return c;
    }
    reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(words, size, "the certificate %s: %s", certificate, reason ? reason : "no memory");
    ERR_clear_error();
    tls_client_free(c);
    return NULL;
}

void tls_session_peer(const struct tls_session *s, char *subject, size_t size, char *authority)
{
    tls_peer_subject(s->ssl, subject, size);
    tls_peer_authority(s->ssl, authority);
}

void tls_client_free(struct tls_client *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->context);
    free(c);
}

struct tls_session *tls_session_new(struct tls_client *c, const struct tls_session_calls *calls,
                                    void *context)
{
    struct tls_session *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->calls = calls;
    s->context = context;
    s->ssl = SSL_new(c->context);
    s->in = BIO_new(BIO_s_mem());
    s->out = BIO_new(BIO_s_mem());
    if (!s->ssl || !s->in || !s->out) {
        BIO_free(s->in);
        BIO_free(s->out);
        SSL_free(s->ssl);
        free(s);
        return NULL;
    }
    BIO_set_mem_eof_return(s->in, -1); /* empty means: wait */
    SSL_set_bio(s->ssl, s->in, s->out);
    SSL_set_connect_state(s->ssl);
    return s;
}

void tls_session_free(struct tls_session *s)
{
    if (!s)
        return;
    SSL_free(s->ssl);
    free(s);
}

/* What TLS has to say goes to the wire. */
static int flush(struct tls_session *s)
{
    char *bytes;
    long n = BIO_get_mem_data(s->out, &bytes);
    int err = n > 0 ? s->calls->out(s->context, bytes, (size_t)n) : 0;

    (void)BIO_reset(s->out);
    return err;
}

/* What the last call, which gave `n`, means. */
static int problem(struct tls_session *s, int n)
{
    switch (SSL_get_error(s->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return -ECONNRESET;
    default:
        ERR_clear_error();
        return -EPROTO;
    }
}

static int shake_hands(struct tls_session *s)
{
    int n = SSL_do_handshake(s->ssl), err = n == 1 ? 0 : problem(s, n), sent = flush(s);

    if (n == 1)
        s->ready = true;
    return err ? err : sent;
}

int tls_session_begin(struct tls_session *s)
{
    return shake_hands(s);
}

int tls_session_input(struct tls_session *s, const uint8_t *bytes, size_t len)
{
    uint8_t clear[16384];
    size_t got;
    int err, n;

    if (BIO_write(s->in, bytes, (int)len) != (int)len)
        return -ENOMEM;
    if (!s->ready) {
        if ((err = shake_hands(s)) < 0 || !s->ready)
            return err;
        s->calls->ready(s->context);
    }
    while (!s->calls->over(s->context)) {
        n = SSL_read_ex(s->ssl, clear, sizeof(clear), &got);
        if (n != 1) {
            err = problem(s, n);
            return err ? err : flush(s);
        }
        s->calls->clear(s->context, clear, got);
    }
    return 0;
}

int tls_session_send(struct tls_session *s, const void *bytes, size_t len)
{
    size_t taken;

    if (!s->ready || SSL_write_ex(s->ssl, bytes, len, &taken) != 1) {
        ERR_clear_error();
        return -EPIPE;
    }
    return flush(s);
}
