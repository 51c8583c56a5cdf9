/* shown.h - the certificate that the administration shows (GnuTLS): another one takes its place
 * while it serves.
 *
 * There is one for the process, for GnuTLS asks without saying for whom. What is being shown to
 * somebody while it is replaced lives until the next replacement. */
#pragma once

#include <gnutls/abstract.h>

/* Two PEM texts; the certificate may be followed by its chain. 0, -EINVAL: they cannot be used, or
 * do not belong together; -ENOMEM. What was shown before then stays. */
int shown_take(const char *certificate, const char *key);
void shown_done(void);

/* For gnutls_certificate_set_retrieve_function2. */
int shown_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
                   const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                   gnutls_pcert_st **certificates, unsigned *n_certificates, gnutls_privkey_t *key);
