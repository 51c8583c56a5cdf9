#include "io/tls/peer.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

/* The end of the chain that came is what the rest is verified against. */
static int is_whole(X509_STORE_CTX *ctx, void *unused)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(ctx);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *own = X509_STORE_CTX_new();
    int n = chain ? sk_X509_num(chain) : 0, good = 0;

    if (n && store && own && X509_STORE_add_cert(store, sk_X509_value(chain, n - 1)) &&
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) &&
        X509_STORE_CTX_init(own, store, X509_STORE_CTX_get0_cert(ctx), chain)) {
        good = X509_verify_cert(own) == 1;
        X509_STORE_CTX_set_error(ctx, X509_STORE_CTX_get_error(own));
        X509_STORE_CTX_set0_verified_chain(ctx, X509_STORE_CTX_get1_chain(own));
    } else {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_OUT_OF_MEM);
    }
    X509_STORE_CTX_free(own);
    X509_STORE_free(store);
    return good;
}

void tls_peer_demand(SSL_CTX *c)
{
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(c, is_whole, NULL);
}

void tls_peer_subject(SSL *ssl, char *to, size_t size)
{
    X509 *peer = SSL_get0_peer_certificate(ssl);
    const X509_NAME *name = peer ? X509_get_subject_name(peer) : NULL;
    int at = name ? X509_NAME_get_index_by_NID(name, NID_commonName, -1) : -1, len;
    unsigned char *utf8 = NULL;

    *to = 0;
    if (at < 0 || SSL_get_verify_result(ssl) != X509_V_OK)
        return;
    len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len > 0 && (size_t)len < size && !memchr(utf8, 0, (size_t)len)) {
        memcpy(to, utf8, (size_t)len);
        to[len] = 0;
    }
    OPENSSL_free(utf8);
}

void tls_peer_fingerprint(X509 *certificate, char to[static TLS_FINGERPRINT_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    *to = 0;
    if (certificate && X509_digest(certificate, EVP_sha256(), digest, &len))
        for (unsigned i = 0; i < len; i++)
            snprintf(to + 3 * i, TLS_FINGERPRINT_MAX - 3 * i, i + 1 < len ? "%02X:" : "%02X",
                     digest[i]);
}

void tls_peer_authority(SSL *ssl, char to[static TLS_FINGERPRINT_MAX])
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    int n = chain && SSL_get_verify_result(ssl) == X509_V_OK ? sk_X509_num(chain) : 0;

    tls_peer_fingerprint(n ? sk_X509_value(chain, n - 1) : NULL, to);
}
