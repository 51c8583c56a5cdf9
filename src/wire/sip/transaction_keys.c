/* transaction_keys.c - which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3).
 *
 * Keys are hashes under the seed of the process: a peer can neither aim at one nor find two alike.
 */
#include "base/map.h"
#include "wire/sip/transaction.h"

#define COOKIE "z9hG4bK"

static uint64_t mix(uint64_t key, struct text t)
{
    return hash_bytes((uint64_t[]){key, hash_bytes(t.at, t.len)}, 2 * sizeof(uint64_t));
}

static uint64_t mix_number(uint64_t key, uint64_t n)
{
    return hash_bytes((uint64_t[]){key, n}, 2 * sizeof(uint64_t));
}

static uint64_t finish(uint64_t key)
{
    return key ? key : 1;
}

/* A method that has no name here is told apart by the name it was sent with. */
static uint64_t mix_method(uint64_t key, const struct sip_message *m, enum sip_method method)
{
    key = mix_number(key, method);
    return method == SIP_UNKNOWN_METHOD ? mix(key, m->method_name) : key;
}

uint64_t sip_client_key(const struct sip_message *m)
{
    return m->via.branch.len
               ? finish(mix_method(mix(SIP_CLIENT_OTHER, m->via.branch), m, m->method))
               : 0;
}

/* RFC 2543 has no branches that can be relied on. The tag of the To is left out where an INVITE and
 * its ACK differ in it. */
static uint64_t old_key(const struct sip_message *m, enum sip_method method)
{
    uint64_t key = mix(mix(SIP_SERVER_INVITE, m->uri), m->from_tag);

    if (method != SIP_INVITE)
        key = mix(key, m->to_tag);
    return mix(mix_number(mix(key, m->call_id), m->cseq), m->via.parameters);
}

uint64_t sip_server_key(const struct sip_message *m, bool cancelled)
{
    enum sip_method method = m->method == SIP_ACK || cancelled ? SIP_INVITE : m->method;
    bool ours = text_starts(m->via.branch, COOKIE) && m->via.branch.len > strlen(COOKIE);
    uint64_t key = ours ? mix(SIP_SERVER_OTHER, m->via.branch) : old_key(m, method);

    if (!m->via.host.len)
        return 0;
    return finish(mix_method(mix_number(mix(key, m->via.host), m->via.port), m, method));
}

struct text sip_branch(uint64_t unique, char to[static SIP_BRANCH_MAX])
{
    struct writer w = writer_of(to, SIP_BRANCH_MAX);

    write_format(&w, COOKIE "%016llx", (unsigned long long)unique);
    return (struct text){to, writer_len(&w)};
}
