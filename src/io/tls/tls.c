/* tls.c - OpenSSL over a non-blocking socket. */
#include "io/tls/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "io/tls/link.h"
#include "io/tls/peer.h"

#define HANDSHAKES 16
#define READS                                                                                      \
    2 /* of the socket in one call, each up to a record of 16 KB: what comes out fits 64 KB */

struct tls {
    SSL_CTX *context; /* connections hold references of their own */
    BIO_METHOD *method;
    unsigned handshakes;
    void (*secret)(void *context, int fd, const char *line);
    void *secret_context;
};

struct tls_link {
    SSL *ssl;
    int fd;
    uint8_t reads; /* that are left in this call */
    bool over;     /* the peer has ended it behind the last bytes */
    int err;       /* errno of the socket, 0: none */
    unsigned long why;
};

/* --- the socket below: MSG_NOSIGNAL, and no more than READS reads a call ---
 */

static int socket_write(BIO *b, const char *bytes, size_t len, size_t *ret)
{
    struct tls_link *l = BIO_get_data(b);
    ssize_t n = send(l->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    BIO_clear_retry_flags(b);
    if (n >= 0) {
        *ret = (size_t)n;
        return 1;
    }
    if (errno == EAGAIN || errno == EINTR)
        BIO_set_retry_write(b);
    else
        l->err = errno;
    return 0;
}

static int socket_read(BIO *b, char *to, size_t size, size_t *ret)
{
    struct tls_link *l = BIO_get_data(b);
    ssize_t n;

    BIO_clear_retry_flags(b);
    if (!l->reads) {
        BIO_set_retry_read(b);
        return 0;
    }
    l->reads--;
    n = recv(l->fd, to, size, MSG_DONTWAIT);
    if (n > 0) {
        *ret = (size_t)n;
        return 1;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(b);
    else
        l->err = n < 0 ? errno : ECONNRESET; /* an end without close_notify */
    return 0;
}

static long socket_control(BIO *b, int command, long number, void *pointer)
{
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *socket_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");

    if (!m)
        return NULL;
    BIO_meth_set_write_ex(m, socket_write);
    BIO_meth_set_read_ex(m, socket_read);
    BIO_meth_set_ctrl(m, socket_control);
    return m;
}

/* --- context --- */

static int complain(char *words, size_t size, const char *what, const char *file)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    snprintf(words, size, "%s %s: %s", what, file, reason ? reason : "refused");
    ERR_clear_error();
    return -EINVAL;
}

static int take_identity(SSL_CTX *c, const char *certificate, const char *key, char *words,
                         size_t size)
{
    if (SSL_CTX_use_certificate_chain_file(c, certificate) != 1)
        return complain(words, size, "the certificate", certificate);
    if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(c) != 1)
        return complain(words, size, "the private key", key);
    return 0;
}

static int take_authority(SSL_CTX *c, const char *authority, char *words, size_t size)
{
    if (SSL_CTX_load_verify_locations(c, authority, NULL) != 1)
        return complain(words, size, "the authority", authority);
    SSL_CTX_set_client_CA_list(c, SSL_load_client_CA_file(authority));
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
    return 0;
}

/* Nothing is kept for a client that comes back: no tickets, no sessions. */
static int set_profile(SSL_CTX *c, bool old_phones)
{
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c, 0);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(c, 1); /* a record's head and body in one read */
    SSL_CTX_set_min_proto_version(c, old_phones ? TLS1_VERSION : TLS1_2_VERSION);
    if (old_phones && SSL_CTX_set_cipher_list(c, "DEFAULT:@SECLEVEL=0") != 1)
        return -EINVAL;
    return 0;
}

static int context_new(const struct tls_options *o, SSL_CTX **ret, char *words, size_t size)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    int err = c ? set_profile(c, o->old_phones) : -ENOMEM;

    if (err)
        snprintf(words, size, "TLS: %s", strerror(-err));
    if (!err)
        err = take_identity(c, o->certificate, o->key, words, size);
    if (!err && o->rsa_certificate)
        err = take_identity(c, o->rsa_certificate, o->rsa_key, words, size);
    if (!err && o->authority)
        err = take_authority(c, o->authority, words, size);
    if (!err && o->peers)
        tls_peer_demand(c);
    if (err)
        SSL_CTX_free(c);
    else
        *ret = c;
    return err;
}

static void on_secret(const SSL *ssl, const char *line)
{
    const struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const struct tls_link *l = BIO_get_data(SSL_get_rbio(ssl));

    t->secret(t->secret_context, l->fd, line);
}

static void take_secret(struct tls *t, const struct tls_options *o)
{
    t->secret = o->secret;
    t->secret_context = o->context;
    SSL_CTX_set_app_data(t->context, t);
    if (o->secret)
        SSL_CTX_set_keylog_callback(t->context, on_secret);
}

int tls_new(const struct tls_options *options, struct tls **ret, char *words, size_t size)
{
    struct tls *t = calloc(1, sizeof(*t));
    int err = -ENOMEM;

    if (t && (t->method = socket_method()))
        err = context_new(options, &t->context, words, size);
    if (err) {
        tls_free(t);
        return err;
    }
    t->handshakes = options->handshakes ? options->handshakes : HANDSHAKES;
    take_secret(t, options);
    *ret = t;
    return 0;
}

int tls_reload(struct tls *t, const struct tls_options *options, char *words, size_t size)
{
    SSL_CTX *fresh;
    int err = context_new(options, &fresh, words, size);

    if (err)
        return err;
    SSL_CTX_free(t->context);
    t->context = fresh;
    take_secret(t, options);
    return 0;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->context);
    BIO_meth_free(t->method);
    free(t);
}

void tls_own_authority(const struct tls *t, char to[static TLS_FINGERPRINT_MAX])
{
    STACK_OF(X509) *chain = NULL;
    int n;

    SSL_CTX_get0_chain_certs(t->context, &chain);
    n = chain ? sk_X509_num(chain) : 0;
    tls_peer_fingerprint(n ? sk_X509_value(chain, n - 1) : SSL_CTX_get0_certificate(t->context), to);
}

unsigned tls_handshakes(const struct tls *t)
{
    return t->handshakes;
}

/* --- a connection --- */

struct tls_link *tls_accept(struct tls *t, int fd)
{
    struct tls_link *l = calloc(1, sizeof(*l));
    BIO *b = l ? BIO_new(t->method) : NULL;

    if (!b || !(l->ssl = SSL_new(t->context))) {
        BIO_free(b);
        free(l);
        return NULL;
    }
    l->fd = fd;
    BIO_set_data(b, l);
    BIO_set_init(b, 1);
    SSL_set_bio(l->ssl, b, b);
    SSL_set_accept_state(l->ssl);
    return l;
}

void tls_end(struct tls_link *l)
{
    if (!l)
        return;
    if (SSL_is_init_finished(l->ssl) && !l->err)
        SSL_shutdown(l->ssl);
    SSL_free(l->ssl);
    ERR_clear_error();
    free(l);
}

/* What the last call of OpenSSL, which gave `n`, means in our terms. */
static int problem(struct tls_link *l, int n)
{
    switch (SSL_get_error(l->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        return -ENOBUFS;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        l->why = ERR_peek_error();
        ERR_clear_error();
        if (!l->err)
            l->err = EPROTO;
        return -l->err;
    }
}

int tls_handshake(struct tls_link *l)
{
    int n, err;

    l->reads = READS;
    n = SSL_accept(l->ssl);
    if (n == 1)
        return 0;
    err = problem(l, n);
    return err == -EAGAIN || err == -ENOBUFS ? err : -EPROTO;
}

ssize_t tls_read(struct tls_link *l, void *to, size_t size)
{
    size_t have = 0, got;
    int n, err;

    l->reads = READS;
    do {
        n = SSL_read_ex(l->ssl, (uint8_t *)to + have, size - have, &got);
        have += n == 1 ? got : 0;
    } while (n == 1 && have < size);
    if (n == 1)
        return (ssize_t)have;
    err = problem(l, n);
    if (have) { /* an end is told by tls_over */
        l->over = err != -EAGAIN && err != -ENOBUFS;
        return (ssize_t)have;
    }
    return err == -ENOBUFS ? -EAGAIN : err;
}

bool tls_over(const struct tls_link *l)
{
    return l->over;
}

ssize_t tls_write(struct tls_link *l, const void *bytes, size_t len)
{
    size_t taken;
    int n = SSL_write_ex(l->ssl, bytes, len, &taken), err;

    if (n == 1)
        return (ssize_t)taken;
    err = problem(l, n);
    return err == -ENOBUFS ? -EAGAIN : err ? err : -EPIPE;
}

void tls_subject(const struct tls_link *l, char *to, size_t size)
{
    tls_peer_subject(l->ssl, to, size);
}

void tls_authority(const struct tls_link *l, char to[static TLS_FINGERPRINT_MAX])
{
    tls_peer_authority(l->ssl, to);
}

const char *tls_why(const struct tls_link *l)
{
    const char *words = ERR_reason_error_string(l->why);

    return words ? words : strerror(l->err);
}
