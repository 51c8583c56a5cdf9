/* tokens.c - phones that ask whether they may come back from another node (reference 2.5). */
#include "core/counters.h"
#include "station/refusals.h"
#include "station/sip/station.h"
#include "wire/sip/write.h"

static struct station sender_of(const struct sip_request *q)
{
    return (struct station){.registry = q->owner->registry,
                            .kind = &sip_kind,
                            .name = q->reg.device,
                            .peer = q->flow->peer,
                            .protocol = PROTOCOL_SIP,
                            .model = q->reg.model,
                            .phone_version = UINT32_MAX};
}

/* As it would register. */
static enum refusal_id refusal_of_sender(const struct sip_request *q)
{
    struct station x = sender_of(q);
    const struct phone *phone = station_phone(&x);

    if (!x.model && phone)
        x.model = (uint32_t)phone->model;
    return refusal_of(&x);
}

static bool has_one(const struct sip_request *q)
{
    const struct sip_device *d = sip_device_find(q->owner, q->reg.device);

    return (q->link && q->link->state == SIP_LINK_TOKEN) ||
           (d && station_is_registered(&d->station));
}

/* A connection holds its token until it is used; by UDP so many are given a second. */
static bool may_have_one(const struct sip_request *q)
{
    struct registry *r = q->owner->registry;

    return q->link ? registry_has_token(r) : registry_spend_token(r);
}

static void wait_for_it(struct sip_request *q)
{
    struct station x = sender_of(q);
    uint32_t wait_s = station_token_wait_s(&x, q->effects);
    size_t at = sip_answer_begin(q, 486, NULL);

    count(COUNT_SIP_TOKENS_REFUSED);
    sip_write_number(&q->effects->out, SIP_RETRY_AFTER, wait_s);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

void sip_token_request(struct sip_request *q)
{
    uint16_t status = (uint16_t)sip_register_read(q->message, &q->reg);
    enum refusal_id refusal = status ? REFUSAL_NONE : refusal_of_sender(q);

    if (status) {
        sip_answer(q, status, NULL);
    } else if (refusal) {
        count(COUNT_SIP_TOKENS_REFUSED);
        sip_answer_refused(q, refusal);
    } else if (!has_one(q) && !may_have_one(q)) {
        wait_for_it(q);
    } else {
        count(COUNT_SIP_TOKENS_GRANTED);
        sip_answer_accepted(q);
        if (q->link)
            sip_link_step(q->link, SIP_LINK_EV_TOKEN, q->effects);
    }
}
