#include "core/buttons.h"

struct placing {
    const struct phone *phone;
    bool used[256];
    uint8_t counts[256];
    size_t n;
    struct button *to;
};

static size_t template_of(const struct directory *dir, const struct phone *phone,
                          const struct model *model, uint8_t features[static BUTTONS_MAX])
{
    const struct template *t =
        *phone->template ? directory_find(dir, ENTITY_template, text_of(phone->template)) : NULL;
    size_t n = 0;

    if (!t)
        return model ? model_buttons(model, features, BUTTONS_MAX) : 0;
    while (n < t->n_buttons && n < BUTTONS_MAX) {
        features[n] = t->buttons[n].feature;
        n++;
    }
    return n;
}

/* The next configured button that fits the key, marked as used. */
static const struct phone_button *take(struct placing *p, uint8_t feature)
{
    for (size_t i = 0; i < p->phone->n_buttons && i < sizeof(p->used); i++) {
        const struct phone_button *b = &p->phone->buttons[i];

        if (p->used[i] || (feature != MODEL_ANY_KEY && b->feature != feature))
            continue;
        p->used[i] = true;
        return b;
    }
    return NULL;
}

static void place(struct placing *p, uint8_t feature, const struct phone_button *row)
{
    struct button *b = &p->to[p->n++];

    if (feature == BUTTON_UNUSED || feature == 0xff)
        *b = (struct button){0, 0xff, NULL};
    else
        *b = (struct button){++p->counts[feature], feature, row};
}

size_t buttons_of(const struct directory *dir, const struct phone *phone, const struct model *model,
                  struct button to[static BUTTONS_MAX])
{
    uint8_t features[BUTTONS_MAX];
    size_t n = template_of(dir, phone, model, features);
    struct placing p = {.phone = phone, .to = to};
    const struct phone_button *row;

    for (size_t i = 0; i < n; i++) {
        row = take(&p, features[i]);
        if (features[i] != MODEL_ANY_KEY)
            place(&p, features[i], row);
        else if (row)
            place(&p, row->feature, row);
        else
            place(&p, p.counts[BUTTON_LINE] ? BUTTON_SPEED_DIAL : BUTTON_LINE, NULL);
    }
    while (p.n < BUTTONS_MAX && (row = take(&p, MODEL_ANY_KEY)))
        place(&p, row->feature, row); /* on the keys of expansion modules */
    return p.n;
}

struct button button_find(const struct directory *dir, const struct phone *phone,
                          const struct model *model, uint8_t feature, uint32_t instance)
{
    struct button buttons[BUTTONS_MAX];
    size_t n = buttons_of(dir, phone, model, buttons);

    for (size_t i = 0; i < n; i++)
        if (buttons[i].feature == feature && buttons[i].instance == instance)
            return buttons[i];
    return (struct button){0};
}
