/* digest.h - digest authentication of SIP (RFC 3261 22, RFC 7616, RFC 8760): both sides.
 *
 * Passwords never come here: callers give HA1, the hash of user, realm and password in hex. Nonces
 * hold their time and number under a keyed hash, so that none is remembered; what a client counted
 * with them is, in a table of fixed size. One struct digest belongs to one thread. */
#pragma once

#include "wire/sip/message.h"

#define DIGEST_HEX_MAX 65 /* with the NUL */

enum digest_algorithm {
    DIGEST_MD5,
    DIGEST_MD5_SESS,
    DIGEST_SHA256,
    DIGEST_SHA256_SESS,
    N_DIGEST_ALGORITHMS
};

struct digest;

struct digest_options {
    const uint8_t *secret; /* 32 random bytes, copied */
    uint32_t n_counted;    /* nonces whose counts are kept at once (16 bytes each); 0: none */
};

/* NULL without memory, or when the library can do neither MD5 nor SHA-256. */
struct digest *digest_new(const struct digest_options *options);
void digest_free(struct digest *d);

/* H(user:realm:password) in hex with a NUL, as MD5 or SHA-256 want it (the sessions too). */
void digest_ha1(struct digest *d, enum digest_algorithm algorithm, struct text user,
                struct text realm, struct text password, char to[static DIGEST_HEX_MAX]);

/* -- the server ------------------------------------------------------------------------------- */

/* A header WWW-Authenticate or Proxy-Authenticate with a new nonce. Several algorithms: one after
 * the other, the preferred first (RFC 8760 2.4). */
void digest_write_challenge(struct digest *d, struct writer *w, enum sip_header_id id,
                            struct text realm, enum digest_algorithm algorithm, bool stale,
                            uint64_t now_s);

/* What a client sends. */
struct digest_answer {
    enum digest_algorithm algorithm;
    struct text user, realm, nonce, uri, cnonce, response, opaque;
    struct text count_text; /* nc as written */
    uint32_t count;         /* nc */
    bool has_qop;           /* qop=auth */
    bool userhash;          /* `user` is H(user:realm) (RFC 7616 3.4.4) */
};
/* The value of an Authorization or Proxy-Authorization. -ENOTSUP: another scheme, algorithm or qop;
 * -EBADMSG: something is missing or malformed. */
int digest_read_answer(struct text value, struct digest_answer *ret);
/* The answer for this realm among all headers `id` of a message; -ENOENT: there is none, else as
 * above. */
int digest_find_answer(const struct sip_message *m, enum sip_header_id id, struct text realm,
                       struct digest_answer *ret);

enum digest_verdict {
    DIGEST_RIGHT,
    DIGEST_STALE, /* the password is right, the nonce is old, unknown or used: challenge again with
                     stale=true, never refuse */
    DIGEST_WRONG
};
/* `ha1` is that of the answer's algorithm. `recount` accepts a count again, as phones send it
 * (they repeat nc=00000001); else each count of a nonce is good once. `validity_s`: of a nonce. */
enum digest_verdict digest_check(struct digest *d, const struct digest_answer *a,
                                 struct text method, struct text ha1, bool recount,
                                 uint32_t validity_s, uint64_t now_s);

/* -- the client ------------------------------------------------------------------------------- */

struct digest_challenge {
    enum digest_algorithm algorithm;
    struct text realm, nonce, opaque; /* opaque with at == NULL: none */
    bool stale, has_qop;              /* qop=auth is offered */
};
int digest_read_challenge(struct text value, struct digest_challenge *ret); /* as read_answer */

struct digest_credentials {
    struct text user, ha1, uri;
    struct text cnonce; /* 8 or more characters of the client's own */
    uint32_t count;     /* nc: 1 for the first answer to a nonce */
};
/* A header Authorization or Proxy-Authorization, parameters without blanks between them, as phones
 * write it. */
void digest_write_answer(struct digest *d, struct writer *w, enum sip_header_id id,
                         const struct digest_challenge *c, const struct digest_credentials *own,
                         struct text method);
