/* sdp.c - what is read can be written, reads the same again, and has an answer that fits it. */
#include <stdlib.h>

#include "wire/sip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct sdp_format formats[] = {
    {0, 1, 8000, TEXT("PCMU"), TEXT("")},
    {101, 1, 8000, TEXT("telephone-event"), TEXT("0-15")},
};
static const struct sdp_ability ability = {"audio", "RTP/AVP", 4000, SDP_SENDRECV, 20, 2, formats};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static struct text written(const struct sdp *sdp, char *to, size_t size)
{
    struct writer w = writer_of(to, size);

    sdp_write(&w, sdp);
    must(!w.bad);
    return (struct text){to, writer_len(&w)};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct sdp first, second, answer;
    static char a[1 << 18], b[1 << 18], c[1 << 18];
    struct sdp_local local = {
        .address = ip_v4(1), .n_abilities = 1, .abilities = &ability, .one_codec = len & 1};
    struct text text;

    if (len > 1 << 16 || sdp_parse((struct text){(const char *)bytes, len}, &first) < 0)
        return 0;
    text = written(&first, a, sizeof(a));
    must(sdp_parse(text, &second) == 0);
    must(text_equal(text, written(&second, b, sizeof(b))));
    must(sdp_follows(&second, &first) && sdp_answers(&second, &first));
    sdp_answer(&first, &local, &answer);
    must(sdp_answers(&answer, &first));
    must(sdp_parse(written(&answer, c, sizeof(c)), &second) == 0);
    for (uint8_t i = 0; i < first.n_media; i++)
        sdp_attribute(&first.media[i], "label");
    return 0;
}
