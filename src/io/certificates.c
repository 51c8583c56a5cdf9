/* certificates.c - X.509 with OpenSSL: an authority, and what it signs. */
#include "io/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define DAY            86400
#define AUTHORITY_DAYS 7300
#define NODE_DAYS      730
#define RENEW_DAYS     30 /* before its end */

const char *const certificate_names[N_CERTIFICATES] = {"authority", "node", "node-rsa"};

char *certificate_path(const char *folder, enum certificate_id id, char path[CERTIFICATE_PATH_MAX])
{
    snprintf(path, CERTIFICATE_PATH_MAX, "%s/%s.pem", folder, certificate_names[id]);
    return path;
}

char *certificate_key_path(const char *folder, enum certificate_id id,
                           char path[CERTIFICATE_PATH_MAX])
{
    snprintf(path, CERTIFICATE_PATH_MAX, "%s/%s.key", folder, certificate_names[id]);
    return path;
}

/* --- files --- */

static X509 *read_certificate(const char *path)
{
    FILE *f = fopen(path, "re");
    X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;

    if (f)
        fclose(f);
    return x;
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *f = fopen(path, "re");
    EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

    if (f)
        fclose(f);
    return key;
}

/* The file is there whole or not at all, also after a power cut. */
static int write_file(const char *path, mode_t mode, BIO *content)
{
    char fresh[CERTIFICATE_PATH_MAX + 8], *bytes;
    long len = BIO_get_mem_data(content, &bytes);
    int fd, err = 0;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    if (write(fd, bytes, (size_t)len) != len || fsync(fd) < 0)
        err = errno ? -errno : -EIO;
    close(fd);
    if (!err && rename(fresh, path) < 0)
        err = -errno;
    return err;
}

static int write_key(const char *path, EVP_PKEY *key)
{
    BIO *b = BIO_new(BIO_s_mem());
    int err = b && PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL)
                  ? write_file(path, 0600, b)
                  : -ENOMEM;

    BIO_free(b);
    return err;
}

static int write_chain(const char *path, X509 *x, X509 *signer)
{
    BIO *b = BIO_new(BIO_s_mem());
    int err = b && PEM_write_bio_X509(b, x) && (!signer || PEM_write_bio_X509(b, signer))
                  ? write_file(path, 0644, b)
                  : -ENOMEM;

    BIO_free(b);
    return err;
}

/* --- making --- */

static EVP_PKEY *key_make(enum certificate_id id)
{
    return id == CERTIFICATE_NODE ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
}

static int extend(X509 *x, X509 *signer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *e;
    int ok;

    X509V3_set_ctx(&context, signer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    ok = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

static bool is_address(const char *name, ASN1_OCTET_STRING **ret)
{
    *ret = a2i_IPADDRESS(name);
    return *ret != NULL;
}

static int add_name(GENERAL_NAMES *all, const char *name)
{
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_OCTET_STRING *ip;
    ASN1_IA5STRING *dns;

    if (!g)
        return 0;
    if (is_address(name, &ip))
        GENERAL_NAME_set0_value(g, GEN_IPADD, ip);
    else if ((dns = ASN1_IA5STRING_new()) && ASN1_STRING_set(dns, name, -1))
        GENERAL_NAME_set0_value(g, GEN_DNS, dns);
    return sk_GENERAL_NAME_push(all, g);
}

static int add_names(X509 *x, const struct certificates_options *o)
{
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    int ok = all != NULL;

    for (size_t i = 0; ok && i < o->n_names; i++)
        ok = add_name(all, o->names[i]);
    ok = ok && (!o->n_names || X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0));
    GENERAL_NAMES_free(all);
    return ok;
}

static int set_serial(X509 *x)
{
    BIGNUM *n = BN_new();
    int ok = n && BN_rand(n, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
             BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));

    BN_free(n);
    return ok;
}

static int set_common_name(X509_NAME *name, const char *words)
{
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)words,
                                      (int)strnlen(words, ub_common_name), -1, 0);
}

static int add_uses(X509 *x, X509 *signer, bool authority, enum certificate_id id)
{
    if (!extend(x, signer, NID_basic_constraints,
                authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") ||
        !extend(x, signer, NID_subject_key_identifier, "hash") ||
        !extend(x, signer, NID_authority_key_identifier, "keyid"))
        return 0;
    if (authority)
        return extend(x, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
    return extend(x, signer, NID_key_usage,
                  id == CERTIFICATE_NODE ? "critical,digitalSignature"
                                         : "critical,digitalSignature,keyEncipherment") &&
           extend(x, signer, NID_ext_key_usage, "serverAuth,clientAuth");
}

/* Signed by `signer`, or by itself. */
static X509 *certificate_make(const struct certificates_options *o, enum certificate_id id,
                              EVP_PKEY *key, X509 *signer, EVP_PKEY *signer_key)
{
    bool authority = id == CERTIFICATE_AUTHORITY;
    time_t now = (time_t)o->now_s;
    char words[80];
    X509 *x = X509_new();

    snprintf(words, sizeof(words), authority ? "%.40s Dialtone authority" : "%s", o->node);
    if (x && X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
        X509_time_adj_ex(X509_getm_notBefore(x), -1, 0, &now) &&
        X509_time_adj_ex(X509_getm_notAfter(x), authority ? AUTHORITY_DAYS : NODE_DAYS, 0, &now) &&
        set_common_name(X509_get_subject_name(x), words) &&
        X509_set_issuer_name(x, X509_get_subject_name(signer ? signer : x)) &&
        X509_set_pubkey(x, key) && add_uses(x, signer ? signer : x, authority, id) &&
        (authority || add_names(x, o)) && X509_sign(x, signer_key, EVP_sha256()))
        return x;
    X509_free(x);
    return NULL;
}

/* --- does it still fit? --- */

static bool holds_name(X509 *x, const char *name)
{
    ASN1_OCTET_STRING *ip;
    bool held;

    if (!is_address(name, &ip))
        return X509_check_host(x, name, 0, X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
    held = X509_check_ip(x, ip->data, (size_t)ip->length, 0) == 1;
    ASN1_OCTET_STRING_free(ip);
    return held;
}

static bool still_fits(X509 *x, EVP_PKEY *key, EVP_PKEY *signer_key,
                       const struct certificates_options *o, bool authority)
{
    time_t soon = (time_t)o->now_s + RENEW_DAYS * DAY;

    if (X509_check_private_key(x, key) != 1 || X509_verify(x, signer_key) != 1)
        return false;
    if (authority)
        return true;
    if (X509_cmp_time(X509_get0_notAfter(x), &soon) < 0)
        return false;
    for (size_t i = 0; i < o->n_names; i++)
        if (!holds_name(x, o->names[i]))
            return false;
    return true;
}

/* --- the three of them --- */

struct made {
    X509 *certificate;
    EVP_PKEY *key;
};

static int complain(int err, const char *what, const char *path, char *words, size_t size)
{
    snprintf(words, size, "%s %s: %s", what, path, strerror(-err));
    ERR_clear_error();
    return err;
}

/* A key that is there and cannot be read is not replaced: somebody has put it there. */
static int key_provide(const char *path, enum certificate_id id, EVP_PKEY **ret, char *words,
                       size_t size)
{
    int err;

    if ((*ret = read_key(path)))
        return 0;
    if (access(path, F_OK) == 0)
        return complain(-EINVAL, "cannot read the key", path, words, size);
    if (!(*ret = key_make(id)))
        return complain(-ENOMEM, "cannot make the key", path, words, size);
    err = write_key(path, *ret);
    return err ? complain(err, "cannot write the key", path, words, size) : 0;
}

static int provide(const struct certificates_options *o, enum certificate_id id, bool renew,
                   const struct made *signer, struct made *ret, char *words, size_t size)
{
    char path[CERTIFICATE_PATH_MAX], key_path[CERTIFICATE_PATH_MAX];
    int err =
        key_provide(certificate_key_path(o->folder, id, key_path), id, &ret->key, words, size);
    EVP_PKEY *signer_key = signer ? signer->key : ret->key;

    if (err)
        return err;
    ret->certificate = read_certificate(certificate_path(o->folder, id, path));
    if (ret->certificate && !renew &&
        still_fits(ret->certificate, ret->key, signer_key, o, !signer))
        return 0;
    X509_free(ret->certificate);
    ret->certificate =
        certificate_make(o, id, ret->key, signer ? signer->certificate : NULL, signer_key);
    if (!ret->certificate)
        return complain(-EIO, "cannot make the certificate", path, words, size);
    err = write_chain(path, ret->certificate, signer ? signer->certificate : NULL);
    return err ? complain(err, "cannot write the certificate", path, words, size) : 1 << id;
}

static void made_done(struct made *m)
{
    X509_free(m->certificate);
    EVP_PKEY_free(m->key);
    *m = (struct made){0};
}

int certificates_provide(const struct certificates_options *o, int renew, unsigned *made,
                         char *words, size_t size)
{
    struct made authority = {0}, own = {0};
    int err;

    *made = 0;
    if (mkdir(o->folder, 0700) < 0 && errno != EEXIST)
        return complain(-errno, "cannot make the folder", o->folder, words, size);
    err = provide(o, CERTIFICATE_AUTHORITY, false, NULL, &authority, words, size);
    for (int id = CERTIFICATE_NODE; err >= 0 && id < N_CERTIFICATES; id++) {
        *made |= (unsigned)err;
        err = provide(o, (enum certificate_id)id, renew, &authority, &own, words, size);
        made_done(&own);
    }
    if (err > 0)
        *made |= (unsigned)err;
    made_done(&authority);
    ERR_clear_error();
    return err < 0 ? err : 0;
}

/* --- for people --- */

static void print_digest(const X509 *x, const EVP_MD *kind, char *to, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    size_t used = 0;

    X509_digest(x, kind, digest, &n);
    *to = 0;
    for (unsigned i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(to + used, size - used, "%s%02X", i ? ":" : "", digest[i]);
}

static void print_names(X509 *x, char *to, size_t size)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    BIO *b = BIO_new(BIO_s_mem());
    int n = 0;

    for (int i = 0; b && i < sk_GENERAL_NAME_num(all); i++) {
        BIO_puts(b, i ? ", " : "");
        GENERAL_NAME_print(b, sk_GENERAL_NAME_value(all, i));
    }
    if (b)
        n = BIO_read(b, to, (int)size - 1);
    to[n > 0 ? n : 0] = 0;
    BIO_free(b);
    GENERAL_NAMES_free(all);
}

static void print_common_name(const X509_NAME *name, char *to, size_t size)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *utf8 = NULL;

    *to = 0;
    if (at >= 0 &&
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))) >= 0)
        snprintf(to, size, "%s", (char *)utf8);
    OPENSSL_free(utf8);
}

static void print_serial(const X509 *x, char *to, size_t size)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *words = n ? BN_bn2hex(n) : NULL;

    snprintf(to, size, "%s", words ? words : "");
    OPENSSL_free(words);
    BN_free(n);
}

static int64_t seconds_of(const ASN1_TIME *t)
{
    struct tm tm = {0};

    return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

int certificate_read(const char *path, struct certificate_facts *ret)
{
    X509 *x = read_certificate(path);
    EVP_PKEY *key;

    ERR_clear_error();
    if (!x)
        return access(path, R_OK) < 0 ? -errno : -EINVAL;
    *ret = (struct certificate_facts){.from_s = seconds_of(X509_get0_notBefore(x)),
                                      .until_s = seconds_of(X509_get0_notAfter(x))};
    print_common_name(X509_get_subject_name(x), ret->subject, sizeof(ret->subject));
    print_common_name(X509_get_issuer_name(x), ret->issuer, sizeof(ret->issuer));
    print_names(x, ret->names, sizeof(ret->names));
    print_serial(x, ret->serial, sizeof(ret->serial));
    print_digest(x, EVP_sha256(), ret->sha256, sizeof(ret->sha256));
    print_digest(x, EVP_sha1(), ret->sha1, sizeof(ret->sha1));
    print_digest(x, EVP_md5(), ret->md5, sizeof(ret->md5));
    if ((key = X509_get0_pubkey(x)))
        snprintf(ret->kind, sizeof(ret->kind), "%s %d", EVP_PKEY_get0_type_name(key),
                 EVP_PKEY_get_bits(key));
    X509_free(x);
    return 0;
}
