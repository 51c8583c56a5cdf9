#include "server/peers/trust.h"

#include <string.h>

#include "base/log.h"
#include "core/counters.h"
#include "io/tls/client.h"
#include "server/certificates.h"

#define TOLD_MS 60000

int peer_trust_open(struct peer_trust *t, const struct bootstrap *b, char *words, size_t size)
{
    struct certificate_files files;
    struct tls_options o = server_tls_options(b, false, &files);
    struct tls_client *client;
    unsigned made;
    int err = server_certificates(b, false, &made, words, size);

    o.authority = NULL; /* of phones */
    o.peers = true;
    if (!err)
        err = t->tls ? tls_reload(t->tls, &o, words, size) : tls_new(&o, &t->tls, words, size);
    if (err)
        return err;
    client = tls_client_peer(o.certificate, o.key, words, size);
    if (!client)
        return -EINVAL;
    tls_client_free(t->client);
    t->client = client;
    tls_own_authority(t->tls, t->ours);
    return 0;
}

void peer_trust_close(struct peer_trust *t)
{
    tls_client_free(t->client);
    tls_free(t->tls);
    t->client = NULL;
    t->tls = NULL;
}

const char *peer_trust_refuse(const struct peer_trust *t, const struct members *m, int member,
                              const struct directory *dir, const char *authority,
                              const char *subject)
{
    const char *known = member > 0 ? members_fingerprint(m, (unsigned)member, dir) : "";

    if (member < 1)
        return "nobody here knows this node";
    if (*known)
        return fingerprint_equal(known, authority)
                   ? NULL
                   : "its authority is not the one whose fingerprint is known here";
    if (!fingerprint_equal(t->ours, authority))
        return "the fingerprint of its authority is not known here";
    return text_equal_nocase(text_of(subject), text_of(m->rows[member].name))
               ? NULL
               : "its certificate bears another name";
}

void peer_trust_tell(struct peer_trust *t, struct server *server, const struct members *m,
                     unsigned member, struct ip ip, const char *authority, const char *why,
                     uint64_t now_ms)
{
    const char *name = member ? m->rows[member].name : "";
    uint64_t *told_ms = &t->told_ms[*authority != '\0'][member];
    char address[IP_TEXT_MAX];
    struct alarm_draft d;

    count(COUNT_PEERS_REFUSED);
    if (*told_ms && now_ms - *told_ms < TOLD_MS)
        return;
    *told_ms = now_ms ? now_ms : 1;
    log_warning("cluster", "%s%s%s is not trusted: %s (%s)", name, *name ? " at " : "",
                ip_print(ip, address), why, *authority ? authority : "no certificate");
    alarm_begin(&d, ALARM_NODE_NOT_TRUSTED);
    alarm_put(&d, "RemoteNode", "%s", name);
    alarm_put_ip(&d, ip);
    alarm_put(&d, "Fingerprint", "%s", authority);
    alarm_put(&d, "Reason", "%s", why);
    server_alarm(server, alarm_finish(&d));
}
