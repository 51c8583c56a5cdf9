/* credentials.c - SIP digest passwords as they are kept. */
#include "core/credentials.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#define PREFIX     "ha1:"
#define MD5_HEX    32
#define SHA256_HEX 64

static int hash_hex(const EVP_MD *kind, const char *s, char *to)
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(s, strlen(s), sum, &n, kind, NULL) != 1)
        return -EIO;
    for (unsigned i = 0; i < n; i++)
        sprintf(to + 2 * i, "%02x", sum[i]);
    return 0;
}

int credentials_make(struct text user, struct text realm, struct text password, bool recoverable,
                     char to[static CREDENTIALS_MAX])
{
    char clear[1024], md5[MD5_HEX + 1], sha256[SHA256_HEX + 1];
    int n = snprintf(clear, sizeof(clear), "%.*s:%.*s:%.*s", TEXT_ARG(user), TEXT_ARG(realm),
                     TEXT_ARG(password));
    int err = -EINVAL;

    if (n < (int)sizeof(clear) && !memchr(user.at, ':', user.len) &&
        !memchr(realm.at, ':', realm.len) && !(err = hash_hex(EVP_md5(), clear, md5)) &&
        !(err = hash_hex(EVP_sha256(), clear, sha256)) &&
        snprintf(to, CREDENTIALS_MAX, PREFIX "%s:%s:%.*s:%.*s%s%.*s", md5, sha256, TEXT_ARG(realm),
                 TEXT_ARG(user), recoverable ? ":" : "", recoverable ? (int)password.len : 0,
                 password.at) >= CREDENTIALS_MAX)
        err = -EINVAL;
    explicit_bzero(clear, sizeof(clear));
    return err;
}

static bool is_hex(struct text t, size_t len)
{
    if (t.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!strchr("0123456789abcdef", t.at[i]))
            return false;
    }
    return true;
}

bool credentials_read(struct text stored, struct credentials *ret)
{
    struct text rest = stored;

    if (!text_starts(rest, PREFIX))
        return false;
    rest = text_skip(rest, strlen(PREFIX));
    ret->md5 = text_split(&rest, ':');
    ret->sha256 = text_split(&rest, ':');
    ret->realm = text_split(&rest, ':');
    ret->user = text_split(&rest, ':');
    ret->password = rest;
    return ret->user.at && is_hex(ret->md5, MD5_HEX) && is_hex(ret->sha256, SHA256_HEX);
}
