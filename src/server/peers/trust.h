/* trust.h - TLS between nodes: what this node shows, and which certificate is whose.
 *
 * A node is taken for the member that it says it is when its certificate ends at the authority whose
 * fingerprint the database has for that member, or at our own authority and bears the member's name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/members.h"
#include "io/tls/tls.h"
#include "server/server.h"

struct tls_client;

struct peer_trust {
    struct tls *tls; /* for who comes; NULL: not opened yet */
    struct tls_client *client;
    char ours[TLS_FINGERPRINT_MAX]; /* fingerprint of the authority that we show */
    uint64_t told_ms[2][MEMBERS_MAX]; /* when it was last an alarm that a member is not trusted, without a certificate
                                         or with one; 0 never */
};

/* Again after certificates were renewed. 0, or -errno and `words` say what failed. */
int peer_trust_open(struct peer_trust *t, const struct bootstrap *b, char *words, size_t size);
void peer_trust_close(struct peer_trust *t);

/* NULL: it is that member; or why it is not taken for it, in static words. */
const char *peer_trust_refuse(const struct peer_trust *t, const struct members *m, int member,
                              const struct directory *dir, const char *authority,
                              const char *subject);
/* Log and alarm, once a minute a member, and once more when a certificate was shown: noise hides no forgery.
 * Member 0 stands for those that are none. */
void peer_trust_tell(struct peer_trust *t, struct server *server, const struct members *m,
                     unsigned member, struct ip ip, const char *authority, const char *why,
                     uint64_t now_ms);
