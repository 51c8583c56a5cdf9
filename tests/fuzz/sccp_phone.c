/* sccp/phone.c - any bytes from a server into a phone that has just sent its Register: the first
 * byte chooses the model and how the rest is cut. */
#include "handset/sccp/phone.h"

#include <stdlib.h>

#include "handset/screen.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *const names[] = {"7960", "7975", "12SP+", "7912", "7910", "6921"};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct effects fx;
    static struct screen screen;
    static struct phone_kind kind;
    struct endpoint servers[] = {{ip_v4(0x0a000001), 2000}, {ip_v4(0x0a000002), 2000}};
    struct sccp_phone p;
    uint64_t now_ms = 1000;
    size_t at = 1, step;

    if (!len)
        return 0;
    phone_kind_init(&kind, model_by_name(text_of(names[bytes[0] % 6])), NULL, 0);
    sccp_phone_init(&p, &kind, (struct mac){{0, 1, 2, 3, 4, 5}});
    screen_init(&screen, kind.model);
    p.screen = &screen;
    step = bytes[0] / 6u + 1;
    effects_clear(&fx);
    sccp_phone_start(&p, ip_v4(0x0a000003), servers, 2, PHONE_REASON_INITIALIZED, now_ms, &fx);
    sccp_phone_opened(&p, 0, now_ms, &fx);
    while (at < len) {
        size_t n = len - at < step * 7 ? len - at : step * 7;

        effects_clear(&fx);
        sccp_phone_input(&p, p.active, bytes + at, n, now_ms, &fx);
        if (fx.full) /* what one read can ask for always fits */
            abort();
        if (sccp_phone_due(&p) < now_ms + 100000) {
            now_ms = sccp_phone_due(&p) > now_ms ? sccp_phone_due(&p) : now_ms;
            effects_clear(&fx);
            sccp_phone_tick(&p, now_ms, &fx);
        }
        if (p.links[p.active].state == PHONE_LINK_OPENING)
            sccp_phone_opened(&p, p.active, now_ms, &fx);
        at += n;
    }
    sccp_phone_done(&p);
    return 0;
}
