/* sip_resolve.c - whatever a DNS answers, to every question the same: targets end, and fit. */
#include <stdlib.h>

#include "wire/sip/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* NAPTR, 4 SRV, 12 hosts of each with 2 questions and 8 addresses, the name itself. */
#define STEPS_MAX 600

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct dns_message m;
    static struct sip_resolve r;
    struct sip_wish wish = {.host = TEXT("example.com"),
                            .transport = SIP_ANY_TRANSPORT,
                            .naptr = true,
                            .ipv6 = true,
                            .n_transports = 3,
                            .transports = {SIP_UDP, SIP_TCP, SIP_TLS},
                            .random = (uint32_t)len};
    enum sip_resolve_step step;
    struct sip_question q;
    struct sip_target t;
    unsigned n = 0;

    if (dns_decode(bytes, len, &m) < 0 || sip_resolve_start(&r, &wish) < 0)
        return 0;
    while ((step = sip_resolve_next(&r, &q, &t)) != SIP_RESOLVE_END) {
        if (step == SIP_RESOLVE_ASK)
            sip_resolve_answer(&r, &m);
        if (++n > STEPS_MAX || (step == SIP_RESOLVE_TRY && !t.to.ip.family))
            abort();
    }
    return 0;
}
