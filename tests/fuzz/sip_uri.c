/* sip_uri.c - URIs, addresses, parameters, lists and Via values. */
#include <stdlib.h>

#include "wire/sip/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void uri(struct text t)
{
    struct sip_uri u, again;
    char plain[256];

    if (sip_uri_parse(t, &u) < 0)
        return;
    must(sip_uri_equal(&u, &u));
    must(sip_uri_parse(u.all, &again) == 0 && sip_uri_equal(&u, &again));
    if (u.user.len < sizeof(plain) && u.scheme != SIP_URI_OTHER)
        must(sip_unescape(u.user, plain, sizeof(plain)) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct text t = {(const char *)bytes, len}, rest = t, name, value;
    struct sip_address a;
    struct sip_via v;
    size_t n = 0;

    uri(t);
    if (sip_address_parse(t, &a) == 0)
        uri(a.uri);
    if (sip_via_parse(t, &v) == 0)
        must(v.host.len > 0 && v.transport.len > 0);
    while (rest.at) {
        struct text one = sip_element(&rest);

        must(one.len <= len && ++n <= len + 1);
        if (sip_address_parse(one, &a) == 0)
            uri(a.uri);
    }
    rest = t;
    while (sip_parameter_next(&rest, &name, &value))
        must(name.len > 0 && rest.len < len);
    return 0;
}
