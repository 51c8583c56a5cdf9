/* certificates.h - the keys and certificates of a node, and the authority that signs them, as
 * files.
 *
 * The authority is made once and lives twenty years; what it signs is made anew when it does not
 * name the node any more or ends soon. Keys are kept when certificates are renewed. Two of them:
 * ECDSA P-256, which costs less, and RSA 2048 for phones that know nothing else (decision 007).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum certificate_id {
    CERTIFICATE_AUTHORITY,
    CERTIFICATE_NODE,
    CERTIFICATE_NODE_RSA,
    N_CERTIFICATES
};

extern const char *const certificate_names[N_CERTIFICATES]; /* "authority", "node", "node-rsa" */

#define CERTIFICATE_PATH_MAX 640

struct certificates_options {
    const char *folder;       /* made when it is absent, 0700 */
    const char *node;         /* common name of the node's certificates */
    const char *const *names; /* DNS names and addresses (as text) that they must hold */
    size_t n_names;
    int64_t now_s; /* the time, since 1970 */
};

/* Makes what is missing, and the node's certificates anew when they miss a name, end within 30 days
 * or `renew` is set. 0, with a bit of *made for each that was made; or -errno, and `words` says
 * what failed. */
int certificates_provide(const struct certificates_options *o, int renew, unsigned *made,
                         char *words, size_t size);

char *certificate_path(const char *folder, enum certificate_id id, char path[CERTIFICATE_PATH_MAX]);
char *certificate_key_path(const char *folder, enum certificate_id id,
                           char path[CERTIFICATE_PATH_MAX]);

/* What a person wants to know of a certificate. */
struct certificate_facts {
    char subject[256], issuer[256], kind[32], names[1024], serial[64];
    char sha256[96], sha1[64], md5[48]; /* of the DER: hexadecimal, bytes separated by colons */
    int64_t from_s, until_s;
};

/* The first certificate of a PEM file. */
int certificate_read(const char *path, struct certificate_facts *ret);
