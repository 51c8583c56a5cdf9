/* digest.c - hashes by libcrypto, whose contexts are kept; nonces without memory. */
#include "wire/sip/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define NONCE_LEN 48 /* time 8, number 8, keyed hash 32: hex digits */

/* What was counted with one nonce: the highest count, and which of the 32 below it were seen. */
struct counted {
    uint32_t number; /* of the nonce */
    uint32_t highest;
    uint32_t seen;
    bool used;
};

struct digest {
    EVP_MD_CTX *ctx;
    EVP_MD *md5, *sha256;
    uint8_t secret[32];
    uint32_t number; /* of the last nonce */
    uint32_t n_counted;
    struct counted counted[];
};

static const struct {
    const char *name;
    bool sha256, session;
} algorithms[N_DIGEST_ALGORITHMS] = {
    [DIGEST_MD5] = {"MD5", false, false},
    [DIGEST_MD5_SESS] = {"MD5-sess", false, true},
    [DIGEST_SHA256] = {"SHA-256", true, false},
    [DIGEST_SHA256_SESS] = {"SHA-256-sess", true, true},
};

struct digest *digest_new(const struct digest_options *options)
{
    struct digest *d = calloc(1, sizeof(*d) + options->n_counted * sizeof(*d->counted));

    if (!d)
        return NULL;
    d->ctx = EVP_MD_CTX_new();
    d->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    memcpy(d->secret, options->secret, sizeof(d->secret));
    d->n_counted = options->n_counted;
    if (d->ctx && d->md5 && d->sha256)
        return d;
    digest_free(d);
    return NULL;
}

void digest_free(struct digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->ctx);
    EVP_MD_free(d->md5);
    EVP_MD_free(d->sha256);
    OPENSSL_cleanse(d->secret, sizeof(d->secret));
    free(d);
}

/* -- hashing ---------------------------------------------------------------------------------- */

static void write_hex(const uint8_t *bytes, size_t n, char *to)
{
    for (size_t i = 0; i < n; i++) {
        *to++ = "0123456789abcdef"[bytes[i] >> 4];
        *to++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *to = '\0';
}

/* H(a:b:c…) in hex; texts with at == NULL are left out. A hash that the library refuses is empty
 * and equals nothing. */
static struct text hash(struct digest *d, bool sha256, const struct text *parts, size_t n,
                        char to[static DIGEST_HEX_MAX])
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool ok = EVP_DigestInit_ex2(d->ctx, sha256 ? d->sha256 : d->md5, NULL) == 1, first = true;

    for (size_t i = 0; i < n && ok; i++) {
        if (!parts[i].at)
            continue;
        ok = (first || EVP_DigestUpdate(d->ctx, ":", 1) == 1) &&
             EVP_DigestUpdate(d->ctx, parts[i].at, parts[i].len) == 1;
        first = false;
    }
    to[0] = '\0';
    if (ok && EVP_DigestFinal_ex(d->ctx, bytes, &len) == 1 && len <= 32)
        write_hex(bytes, len, to);
    return text_of(to);
}

#define HASH(d, sha256, to, ...)                                                                   \
    hash(d, sha256, (const struct text[]){__VA_ARGS__},                                            \
         sizeof((const struct text[]){__VA_ARGS__}) / sizeof(struct text), to)

void digest_ha1(struct digest *d, enum digest_algorithm algorithm, struct text user,
                struct text realm, struct text password, char to[static DIGEST_HEX_MAX])
{
    HASH(d, algorithms[algorithm].sha256, to, user, realm, password);
}

/* RFC 7616 3.4.1; without qop as RFC 2069 had it. */
static struct text response_of(struct digest *d, const struct digest_answer *a, struct text method,
                               struct text ha1, char to[static DIGEST_HEX_MAX])
{
    bool sha256 = algorithms[a->algorithm].sha256;
    char session[DIGEST_HEX_MAX], second[DIGEST_HEX_MAX];
    struct text ha2 = HASH(d, sha256, second, method, a->uri);

    if (algorithms[a->algorithm].session)
        ha1 = HASH(d, sha256, session, ha1, a->nonce, a->cnonce);
    if (a->has_qop)
        return HASH(d, sha256, to, ha1, a->nonce, a->count_text, a->cnonce, TEXT("auth"), ha2);
    return HASH(d, sha256, to, ha1, a->nonce, ha2);
}

/* -- nonces ----------------------------------------------------------------------------------- */

/* Time and number under the secret at both ends: their length is fixed, so that nothing can be
 * appended. */
static void make_nonce(struct digest *d, uint32_t time_s, uint32_t number,
                       char to[static NONCE_LEN + 1])
{
    uint8_t head[8] = {(uint8_t)(time_s >> 24), (uint8_t)(time_s >> 16), (uint8_t)(time_s >> 8),
                       (uint8_t)time_s,         (uint8_t)(number >> 24), (uint8_t)(number >> 16),
                       (uint8_t)(number >> 8),  (uint8_t)number};
    struct text key = {(const char *)d->secret, sizeof(d->secret)};
    char keyed[DIGEST_HEX_MAX];

    HASH(d, true, keyed, key, {(const char *)head, sizeof(head)}, key);
    write_hex(head, sizeof(head), to);
    memcpy(to + 16, keyed, NONCE_LEN - 16);
    to[NONCE_LEN] = '\0';
}

static bool same(struct text a, struct text b)
{
    return a.len == b.len && a.len && CRYPTO_memcmp(a.at, b.at, a.len) == 0;
}

/* Whether it is ours and not too old. */
static bool nonce_holds(struct digest *d, struct text nonce, uint32_t validity_s, uint64_t now_s,
                        uint32_t *number)
{
    char ours[NONCE_LEN + 1];
    uint32_t time_s;

    if (nonce.len != NONCE_LEN || text_to_u32((struct text){nonce.at, 8}, 16, &time_s) < 0 ||
        text_to_u32((struct text){nonce.at + 8, 8}, 16, number) < 0)
        return false;
    make_nonce(d, time_s, *number, ours);
    return same(nonce, text_of(ours)) && (uint32_t)now_s - time_s <= validity_s;
}

/* Takes a count of a nonce; false when it was seen, or cannot be known. A younger nonce takes the
 * place of an older one, never the other way: what was forgotten is stale, not good again. */
static bool count_is_new(struct digest *d, uint32_t number, uint32_t count)
{
    struct counted *c = d->n_counted ? &d->counted[number % d->n_counted] : NULL;
    uint32_t back;

    if (!c)
        return true;
    if (c->used && (int32_t)(number - c->number) < 0)
        return false;
    if (!c->used || c->number != number)
        *c = (struct counted){.number = number, .used = true};
    if (count > c->highest) {
        back = count - c->highest;
        c->seen = (back < 32 ? c->seen << back : 0) | (back <= 32 ? 1u << (back - 1) : 0);
        c->highest = count;
        return true;
    }
    back = c->highest - count;
    if (back == 0 || back > 32 || c->seen & 1u << (back - 1))
        return false;
    c->seen |= 1u << (back - 1);
    return true;
}

void digest_write_challenge(struct digest *d, struct writer *w, enum sip_header_id id,
                            struct text realm, enum digest_algorithm algorithm, bool stale,
                            uint64_t now_s)
{
    char nonce[NONCE_LEN + 1];

    make_nonce(d, (uint32_t)now_s, ++d->number, nonce);
    write_string(w, sip_header_name(id));
    write_string(w, ": Digest realm=\"");
    write_text(w, realm);
    write_string(w, "\", nonce=\"");
    write_string(w, nonce);
    write_string(w, stale ? "\", stale=true, algorithm=" : "\", algorithm=");
    write_string(w, algorithms[algorithm].name);
    write_string(w, ", qop=\"auth\"\r\n");
}

/* -- what the other side wrote ---------------------------------------------------------------- */

/* Takes the scheme off; -ENOTSUP for another one. */
static int take_scheme(struct text *value)
{
    struct text t = text_trim(*value);

    if (!text_starts_nocase(t, "Digest") || t.len < 7 || !strchr(" \t\r\n", t.at[6]))
        return -ENOTSUP;
    *value = text_skip(t, 7);
    return 0;
}

/* One name=value of a list by commas. 1, 0 at the end, -EBADMSG. */
static int next_pair(struct text *rest, struct text *name, struct text *value)
{
    struct text pair = {"", 0};

    while (rest->at && pair.len == 0)
        pair = sip_element(rest);
    if (pair.len == 0)
        return 0;
    *value = pair;
    *name = text_trim(text_split(value, '='));
    if (!value->at || name->len == 0)
        return -EBADMSG;
    *value = text_trim(*value);
    if (value->len && value->at[0] == '"') {
        if (value->len < 2 || value->at[value->len - 1] != '"')
            return -EBADMSG;
        *value = (struct text){value->at + 1, value->len - 2};
    }
    return 1;
}

static int algorithm_of(struct text name, enum digest_algorithm *ret)
{
    for (int i = 0; i < N_DIGEST_ALGORITHMS; i++)
        if (text_equal_nocase(name, text_of(algorithms[i].name))) {
            *ret = (enum digest_algorithm)i;
            return 0;
        }
    return -ENOTSUP;
}

static bool offers_auth(struct text qop)
{
    while (qop.at)
        if (text_equal_nocase(text_trim(text_split(&qop, ',')), TEXT("auth")))
            return true;
    return false;
}

static int take_answer(struct digest_answer *a, struct text name, struct text value)
{
    const struct {
        const char *name;
        struct text *to;
    } rows[] = {
        {"username", &a->user}, {"realm", &a->realm},   {"nonce", &a->nonce},
        {"uri", &a->uri},       {"cnonce", &a->cnonce}, {"response", &a->response},
        {"nc", &a->count_text}, {"opaque", &a->opaque},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (text_equal_nocase(name, text_of(rows[i].name))) {
            *rows[i].to = value;
            return 0;
        }
    if (text_equal_nocase(name, TEXT("algorithm")))
        return algorithm_of(value, &a->algorithm);
    if (text_equal_nocase(name, TEXT("userhash")))
        a->userhash = text_equal_nocase(value, TEXT("true"));
    if (!text_equal_nocase(name, TEXT("qop")))
        return 0;
    a->has_qop = offers_auth(value);
    return a->has_qop ? 0 : -ENOTSUP;
}

int digest_read_answer(struct text value, struct digest_answer *ret)
{
    struct digest_answer a = {.algorithm = DIGEST_MD5};
    struct text name, one;
    int err = take_scheme(&value), more;

    while (!err && (more = next_pair(&value, &name, &one)) != 0)
        err = more < 0 ? more : take_answer(&a, name, one);
    if (err)
        return err;
    if (!a.user.at || !a.realm.at || !a.nonce.at || !a.uri.at || !a.response.at)
        return -EBADMSG;
    if (a.has_qop &&
        (!a.cnonce.at || a.count_text.len != 8 || text_to_u32(a.count_text, 16, &a.count) < 0))
        return -EBADMSG;
    if (algorithms[a.algorithm].session && !a.cnonce.at)
        return -EBADMSG;
    *ret = a;
    return 0;
}

int digest_find_answer(const struct sip_message *m, enum sip_header_id id, struct text realm,
                       struct digest_answer *ret)
{
    int err = -ENOENT;

    SIP_EACH(m, id, row)
    {
        struct digest_answer a;
        int one = digest_read_answer(row->value, &a);

        if (one == 0 && text_equal(a.realm, realm)) {
            *ret = a;
            return 0;
        }
        if (one < 0)
            err = one;
    }
    return err;
}

enum digest_verdict digest_check(struct digest *d, const struct digest_answer *a,
                                 struct text method, struct text ha1, bool recount,
                                 uint32_t validity_s, uint64_t now_s)
{
    char hex[DIGEST_HEX_MAX];
    uint32_t number;

    if (!same(response_of(d, a, method, ha1, hex), a->response))
        return DIGEST_WRONG;
    if (!nonce_holds(d, a->nonce, validity_s, now_s, &number))
        return DIGEST_STALE;
    if (!recount && !count_is_new(d, number, a->has_qop ? a->count : 1))
        return DIGEST_STALE;
    return DIGEST_RIGHT;
}

/* -- the client ------------------------------------------------------------------------------- */

int digest_read_challenge(struct text value, struct digest_challenge *ret)
{
    struct digest_challenge c = {.algorithm = DIGEST_MD5};
    struct text name, one;
    int err = take_scheme(&value), more;

    while (!err && (more = next_pair(&value, &name, &one)) != 0) {
        if (more < 0)
            err = more;
        else if (text_equal_nocase(name, TEXT("realm")))
            c.realm = one;
        else if (text_equal_nocase(name, TEXT("nonce")))
            c.nonce = one;
        else if (text_equal_nocase(name, TEXT("opaque")))
            c.opaque = one;
        else if (text_equal_nocase(name, TEXT("stale")))
            c.stale = text_equal_nocase(one, TEXT("true"));
        else if (text_equal_nocase(name, TEXT("algorithm")))
            err = algorithm_of(one, &c.algorithm);
        else if (text_equal_nocase(name, TEXT("qop")))
            err = (c.has_qop = offers_auth(one)) ? 0 : -ENOTSUP;
    }
    if (!err && (!c.realm.at || !c.nonce.at))
        err = -EBADMSG;
    if (!err)
        *ret = c;
    return err;
}

static void write_quoted(struct writer *w, const char *name, struct text value)
{
    write_string(w, name);
    write_text(w, value);
    write_u8(w, '"');
}

void digest_write_answer(struct digest *d, struct writer *w, enum sip_header_id id,
                         const struct digest_challenge *c, const struct digest_credentials *own,
                         struct text method)
{
    uint8_t count[4] = {(uint8_t)(own->count >> 24), (uint8_t)(own->count >> 16),
                        (uint8_t)(own->count >> 8), (uint8_t)own->count};
    char count_text[9], hex[DIGEST_HEX_MAX];
    struct digest_answer a = {.algorithm = c->algorithm,
                              .nonce = c->nonce,
                              .uri = own->uri,
                              .cnonce = own->cnonce,
                              .count_text = {count_text, 8},
                              .has_qop = c->has_qop};

    write_hex(count, sizeof(count), count_text);
    write_string(w, sip_header_name(id));
    write_quoted(w, ": Digest username=\"", own->user);
    write_quoted(w, ",realm=\"", c->realm);
    write_quoted(w, ",uri=\"", own->uri);
    write_quoted(w, ",response=\"", response_of(d, &a, method, own->ha1, hex));
    write_quoted(w, ",nonce=\"", c->nonce);
    if (c->opaque.at)
        write_quoted(w, ",opaque=\"", c->opaque);
    if (c->has_qop || algorithms[c->algorithm].session)
        write_quoted(w, ",cnonce=\"", own->cnonce);
    if (c->has_qop) {
        write_string(w, ",qop=auth,nc=");
        write_text(w, a.count_text);
    }
    write_string(w, ",algorithm=");
    write_string(w, algorithms[c->algorithm].name);
    write_bytes(w, "\r\n", 2);
}
