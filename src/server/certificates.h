/* certificates.h - which certificates this node shows: its own, kept in the data folder, or given.
 */
#pragma once

#include "io/certificates.h"
#include "io/tls/tls.h"
#include "server/bootstrap.h"

/* The files of the node's own, made when they are missing and renewed when they no longer fit (or
 * `renew`); nothing when they are given by settings. As certificates_provide. */
int server_certificates(const struct bootstrap *b, bool renew, unsigned *made, char *words,
                        size_t size);
char *server_certificates_folder(const struct bootstrap *b, char folder[CERTIFICATE_PATH_MAX]);
bool server_certificates_given(const struct bootstrap *b);

struct certificate_files {
    char certificate[CERTIFICATE_PATH_MAX], key[CERTIFICATE_PATH_MAX];
    char rsa_certificate[CERTIFICATE_PATH_MAX], rsa_key[CERTIFICATE_PATH_MAX];
};

/* Options of a TLS context; they borrow from `files` and the settings. Old phones: RSA alone. */
struct tls_options server_tls_options(const struct bootstrap *b, bool old_phones,
                                      struct certificate_files *files);
