/* answers.c - what the answers of a registrar say; see parts.h. */
#include <stdio.h>

#include "handset/sip/parts.h"
#include "wire/sip/values.h"

bool sip_answer_number(const struct sip_message *m, enum sip_header_id id, uint32_t *ret)
{
    struct text t = sip_value(m, id), first = text_split(&t, ';');

    first = text_trim(first);
    return first.len && text_to_u32(text_trim(text_split(&first, ' ')), 10, ret) == 0;
}

/* The Contact whose user is the line's name, at our own address, beats the Expires header; with
 * contacts that are no numbers none does. What is not smaller than what was asked does not count.
 */
uint32_t sip_granted_s(const struct sip_turn *t)
{
    char own[IP_TEXT_MAX];
    const struct sip_row *row = sip_row(t->m, SIP_CONTACT);
    struct text rest = row ? row->value : (struct text){0}, element, value;
    struct sip_address a;
    struct sip_uri uri;
    uint32_t n, asked = t->r->expires_s;

    ip_print(t->p->address, own);
    while (row && sip_next(t->m, &row, &rest, &element)) {
        if (sip_address_parse(element, &a) < 0 || sip_uri_parse(a.uri, &uri) < 0 ||
            !text_is(uri.user, sip_line_of(t->p, t->r)->name) || !text_is(uri.host, own))
            continue;
        if (sip_parameter(a.parameters, "expires", &value) && text_to_u32(value, 10, &n) == 0)
            return n < asked ? n : asked;
    }
    return sip_answer_number(t->m, SIP_EXPIRES, &n) && n < asked ? n : asked;
}

uint32_t sip_refresh_s(const struct sip_turn *t)
{
    uint32_t expires = sip_granted_s(t), delta = t->p->setup->delta_s;

    if (t->p->kind->sip->refresh_s && expires > t->p->kind->sip->refresh_s)
        return t->p->kind->sip->refresh_s;
    return expires > delta ? expires - delta : 0;
}

bool sip_is_new_binding(const struct sip_message *m)
{
    struct text value;

    SIP_EACH(m, SIP_CONTACT, row)
    if (sip_parameter(row->value, "x-cisco-newreg", &value))
        return true;
    return false;
}

/* "404 Auto-registration failed": the Warning's words where there are some. */
void sip_refusal_words(const struct sip_message *m, char *to, size_t size)
{
    struct text warning = sip_value(m, SIP_WARNING), words = m->reason;

    if (warning.len) {
        text_split(&warning, '"');
        if (warning.at)
            words = text_split(&warning, '"');
    }
    snprintf(to, size, "%u %.*s", m->status, TEXT_ARG(words));
}
