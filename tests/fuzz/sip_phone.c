/* sip/phone.c - any bytes from a server into a phone that has just sent its REGISTER: the first
 * byte chooses the model, the transport and how the rest is cut. */
#include "handset/sip/phone.h"

#include <stdlib.h>

#include "handset/screen.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *const names[] = {"8851", "7961", "7960", "336"};

static struct phone_kind *kind_of(unsigned i)
{
    static struct phone_kind kinds[4];

    if (!kinds[i].model) {
        phone_kind_init(&kinds[i], model_by_name(text_of(names[i])), NULL, 0);
        phone_kind_speak_sip(&kinds[i], i == 3 ? PROTOCOL_SIP_THIRD_PARTY : PROTOCOL_SIP, NULL);
        memcpy(kinds[i].password, "secret", 7);
    }
    return &kinds[i];
}

/* Lists of effects that overflow are no mistake of the phone's: a read of 64 KB holds more requests
 * than there is room for answers. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct effects fx;
    static struct screen screen;
    struct phone_start s = {
        .own = ip_v4(0x0a000003), .n_servers = 2, .reason = PHONE_REASON_INITIALIZED};
    struct sip_phone p;
    uint64_t now_ms = 1000;
    size_t at = 1, step;

    if (!len)
        return 0;
    s.servers[0] = (struct endpoint){ip_v4(0x0a000001), 5060};
    s.servers[1] = (struct endpoint){ip_v4(0x0a000002), 5060};
    sip_phone_init(&p, kind_of(bytes[0] % 4), (struct mac){{0, 1, 2, 3, 4, 5}});
    screen_init(&screen, p.kind->model);
    p.screen = &screen;
    step = bytes[0] / 4u + 1;
    effects_clear(&fx);
    sip_phone_start(&p, &s, now_ms, &fx);
    while (at < len) {
        size_t n = len - at < step * 64 ? len - at : step * 64;

        for (unsigned i = 0; i < PHONE_LINKS; i++)
            if (p.links[i].state == PHONE_LINK_OPENING)
                sip_phone_opened(&p, i, now_ms, &fx);
        effects_clear(&fx);
        sip_phone_input(&p, p.active, bytes + at, n, now_ms, &fx);
        if (sip_phone_due(&p) < now_ms + 200000) {
            now_ms = sip_phone_due(&p) > now_ms ? sip_phone_due(&p) : now_ms;
            effects_clear(&fx);
            sip_phone_tick(&p, now_ms, &fx);
        }
        at += n;
    }
    sip_phone_done(&p);
    return 0;
}
