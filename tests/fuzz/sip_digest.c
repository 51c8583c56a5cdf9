/* sip/digest.c - challenges and answers, read; no answer of a stranger is right. */
#include <stdlib.h>

#include "wire/sip/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static struct digest *digest(void)
{
    static const uint8_t secret[32] = "a secret that no input contains";
    static struct digest *d;

    if (!d)
        d = digest_new(&(struct digest_options){secret, 8});
    must(d != NULL);
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static uint8_t out[1 << 18];
    struct text t = {(const char *)bytes, len};
    struct writer w = writer_of(out, sizeof(out));
    struct digest_challenge c;
    struct digest_answer a;
    char ha1[DIGEST_HEX_MAX];

    if (len > 1 << 16)
        return 0;
    digest_ha1(digest(), DIGEST_MD5, TEXT("7001"), TEXT("realm"), TEXT("secret"), ha1);
    if (digest_read_answer(t, &a) == 0)
        must(digest_check(digest(), &a, TEXT("REGISTER"), text_of(ha1), false, 600, 1) != DIGEST_RIGHT);
    if (digest_read_challenge(t, &c) < 0)
        return 0;
    digest_write_answer(digest(), &w, SIP_AUTHORIZATION, &c,
                        &(struct digest_credentials){TEXT("7001"), text_of(ha1), TEXT("sip:s"),
                                                     TEXT("12345678"), 1},
                        TEXT("REGISTER"));
    must(!w.bad);
    return 0;
}
