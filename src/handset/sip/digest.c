/* digest.c - a phone answers challenges; see parts.h.
 *
 * Cisco's phones send the same answer again (nonce, cnonce, nc=00000001) until they are challenged
 * anew, and so do these. */
#include <stdio.h>
#include <stdlib.h>

#include "handset/sip/parts.h"
#include "wire/sip/digest.h"

/* The first challenge that this phone can answer: Cisco's know MD5 only. */
static bool read_one(const struct sip_phone *p, struct text value, struct digest_challenge *c)
{
    return digest_read_challenge(value, c) == 0 &&
           (p->kind->protocol == PROTOCOL_SIP_THIRD_PARTY || c->algorithm <= DIGEST_MD5_SESS);
}

bool sip_take_challenge(struct sip_phone *p, const struct sip_message *m)
{
    enum sip_header_id id = m->status == 407 ? SIP_PROXY_AUTHENTICATE : SIP_WWW_AUTHENTICATE;
    struct digest_challenge c;

    if (!p->kind->digest || !*p->setup->lines[0].auth_name)
        return false;
    SIP_EACH(m, id, row)
    {
        if (row->value.len >= sizeof(p->challenge->value) || !read_one(p, row->value, &c))
            continue;
        if (!p->challenge && !(p->challenge = malloc(sizeof(*p->challenge))))
            return false;
        text_copy(p->challenge->value, sizeof(p->challenge->value), row->value);
        snprintf(p->challenge->cnonce, sizeof(p->challenge->cnonce), "%08x", sip_random(p));
        p->challenge->proxy = m->status == 407;
        return true;
    }
    return false;
}

void sip_write_authorization(const struct sip_phone *p, const struct sip_registration *r,
                             const char *method, struct writer *w)
{
    const struct sip_line *l = sip_line_of(p, r);
    struct digest_challenge c;
    char ha1[DIGEST_HEX_MAX], uri[80], room[64];

    if (!p->challenge || !*l->auth_name || r->form == FORM_KEEPALIVE ||
        digest_read_challenge(text_of(p->challenge->value), &c) < 0)
        return;
    digest_ha1(p->kind->digest, c.algorithm, text_of(l->auth_name), c.realm, text_of(l->password),
               ha1);
    snprintf(uri, sizeof(uri), "sip:%s", sip_server_name(p, r->link, room));
    digest_write_answer(p->kind->digest, w,
                        p->challenge->proxy ? SIP_PROXY_AUTHORIZATION : SIP_AUTHORIZATION, &c,
                        &(struct digest_credentials){.user = text_of(l->auth_name),
                                                     .ha1 = text_of(ha1),
                                                     .uri = text_of(uri),
                                                     .cnonce = text_of(p->challenge->cnonce),
                                                     .count = 1},
                        text_of(method));
}
