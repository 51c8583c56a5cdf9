#include "station/softkeys.h"

#define INFO_BASE  300 /* help text of a key: this and its position in the template */
#define USUAL      20  /* keys of the usual template */
#define USUAL_SETS 11

static const struct key {
    uint8_t event, label;
    const char *text, *other;
} keys[] = {
#define SOFTKEY(event, label, text, other) {event, label, text, other},
#include "station/softkeys.def"
#undef SOFTKEY
};

#define N_KEYS (sizeof(keys) / sizeof(*keys))

/* By the number of the set. */
static const char *const usual_sets[USUAL_SETS] = {
    "Redial NewCall CFwdAll",
    "Hold EndCall Trnsfer Park Confrn ConfList Select Join DirTrfr VidMode",
    "Resume NewCall DirTrfr Select Join",
    "Answer",
    "Redial EndCall CFwdAll PickUp GPickUp MeetMe",
    "EndCall Trnsfer",
    "<< EndCall",
    "EndCall Confrn",
    "EndCall",
    "Redial EndCall",
    "Barge NewCall",
};

static uint8_t position_of(struct text name)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (text_equal_nocase(name, text_of(keys[i].text)) ||
            (keys[i].other[0] && text_equal_nocase(name, text_of(keys[i].other))))
            return (uint8_t)(i + 1);
    return 0; /* unknown, or "Undefined": an empty key */
}

static bool uses_more(const struct softkeys *softkeys)
{
    for (size_t i = 0; softkeys && i < softkeys->n_sets; i++) {
        struct text rest = text_of(softkeys->sets[i].keys);

        while (rest.at)
            if (position_of(text_split(&rest, ' ')) > USUAL)
                return true;
    }
    return false;
}

void softkeys_template(const struct softkeys *softkeys, bool codes,
                       struct sccp_softkey_template *ret)
{
    size_t n = uses_more(softkeys) ? N_KEYS : USUAL;

    ret->offset = 0;
    ret->count = ret->total = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        struct sccp_softkey *key = &ret->keys[i];

        memset(key->label, 0, sizeof(key->label));
        if (codes)
            memcpy(key->label, (char[]){(char)0x80, (char)keys[i].label}, 2);
        else
            text_copy(key->label, sizeof(key->label), text_of(keys[i].text));
        key->event = keys[i].event;
    }
}

static void fill_set(struct sccp_softkey_positions *set, const char *names)
{
    struct text rest = text_of(names);
    size_t n = 0;

    memset(set, 0, sizeof(*set));
    while (rest.at && n < sizeof(set->keys)) {
        struct text name = text_split(&rest, ' ');
        uint8_t position = position_of(name);

        if (!name.len)
            continue;
        set->keys[n] = position;
        set->info[n] = position ? INFO_BASE + position : 0;
        n++;
    }
}

void softkeys_sets(const struct softkeys *softkeys, struct sccp_softkey_set *ret)
{
    ret->offset = 0;
    ret->count = USUAL_SETS;
    for (size_t i = 0; i < USUAL_SETS; i++)
        fill_set(&ret->sets[i], usual_sets[i]);
    for (size_t i = 0; softkeys && i < softkeys->n_sets; i++) {
        size_t state = softkeys->sets[i].state;

        if (state >= 16)
            continue;
        while (ret->count <= state)
            fill_set(&ret->sets[ret->count++], "");
        fill_set(&ret->sets[state], softkeys->sets[i].keys);
    }
    ret->total = ret->count;
}
