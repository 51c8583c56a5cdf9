#include "server/web/shown.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX 8
#define ID_MAX    64

struct shown {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned n;
    gnutls_privkey_t key;
};

static struct shown *now, *before;

static void shown_free(struct shown *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n; i++)
        gnutls_pcert_deinit(&s->chain[i]);
    if (s->key)
        gnutls_privkey_deinit(s->key);
    free(s);
}

static bool same_key(gnutls_pubkey_t a, gnutls_pubkey_t b)
{
    unsigned char id[2][ID_MAX];
    size_t size[2] = {ID_MAX, ID_MAX};

    return !gnutls_pubkey_get_key_id(a, 0, id[0], &size[0]) &&
           !gnutls_pubkey_get_key_id(b, 0, id[1], &size[1]) && size[0] == size[1] &&
           !memcmp(id[0], id[1], size[0]);
}

static bool belong_together(const struct shown *s)
{
    gnutls_pubkey_t of_key = NULL;
    bool same = !gnutls_pubkey_init(&of_key) &&
                !gnutls_pubkey_import_privkey(of_key, s->key, 0, 0) &&
                same_key(s->chain[0].pubkey, of_key);

    if (of_key)
        gnutls_pubkey_deinit(of_key);
    return same;
}

static gnutls_datum_t datum_of(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

int shown_take(const char *certificate, const char *key)
{
    struct shown *s = calloc(1, sizeof(*s));
    gnutls_datum_t chain = datum_of(certificate), secret = datum_of(key);
    unsigned n = CHAIN_MAX;

    if (!s)
        return -ENOMEM;
    if (!gnutls_pcert_list_import_x509_raw(s->chain, &n, &chain, GNUTLS_X509_FMT_PEM, 0))
        s->n = n;
    if (!s->n || gnutls_privkey_init(&s->key) ||
        gnutls_privkey_import_x509_raw(s->key, &secret, GNUTLS_X509_FMT_PEM, NULL, 0) ||
        !belong_together(s)) {
        shown_free(s);
        return -EINVAL;
    }
    shown_free(before);
    before = now;
    now = s;
    return 0;
}

void shown_done(void)
{
    shown_free(before);
    shown_free(now);
    before = now = NULL;
}

int shown_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
                   const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                   gnutls_pcert_st **certificates, unsigned *n_certificates, gnutls_privkey_t *key)
{
    if (!now)
        return -1;
    *certificates = now->chain;
    *n_certificates = now->n;
    *key = now->key;
    return 0;
}
