/* softkey_set.c - reads one set of a softkey file. */
#include "handset/softkey_set.h"

#include "wire/xml.h"

#define SETS "softKeyCfg/softKeySets/softKeySet"

struct reading {
    const char *set;
    struct screen_softkey *to;
    unsigned n, max;
    bool inside; /* of the set that is wanted */
};

static int on_event(void *context, const struct xml_event *e)
{
    struct reading *r = context;

    if (e->kind != XML_ATTRIBUTE)
        return 0;
    if (text_is(e->path, SETS) && text_is(e->name, "id"))
        r->inside = text_is(e->value, r->set);
    else if (r->inside && r->n < r->max && text_is(e->path, SETS "/softKey") &&
             text_is(e->name, "keyID") && !text_is(e->value, "Undefined"))
        text_copy(r->to[r->n++].label, sizeof(r->to->label), e->value);
    return 0;
}

unsigned softkey_set_read(const void *bytes, size_t len, const char *set, struct screen_softkey *to,
                          unsigned max)
{
    struct reading r = {.set = set, .to = to, .max = max};

    return xml_read(bytes, len, on_event, &r, NULL) < 0 ? 0 : r.n;
}
