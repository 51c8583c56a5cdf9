#include "station/refusals.h"

#include <ctype.h>

#define DUPLICATE_WINDOW_MS (5 * 60 * 1000) /* within this, a name that goes to and fro … */
#define DUPLICATE_TAKEOVERS 3               /* … as often as this is two devices */
#define MODULE_LINES        48              /* two expansion modules with 24 keys */

static bool never(struct session *s)
{
    return false;
}

static bool name_is_malformed(struct session *s)
{
    const char *c = s->station.name.s;

    while (isalnum((unsigned char)*c) || *c == '-' || *c == '_' || *c == '.' || *c == '@')
        c++;
    return *c || !s->station.name.s[0];
}

static bool directory_is_missing(struct session *s)
{
    return !s->owner->directory;
}

static bool version_is_obsolete(struct session *s)
{
    return s->offered < SETTING_OF(s, minimum_protocol_version);
}

/* The 7931G came with release 6. */
static bool model_needs_newer_cluster(struct session *s)
{
    return s->station.model == 348 && SETTING_OF(s, cluster_release) < 6;
}

static bool limit_is_reached(struct session *s)
{
    return s->owner->n_registered >= (size_t)SETTING_OF(s, max_registered_devices) &&
           !stations_by_name(s->owner, s->station.name);
}

/* The row of this node's CallManager; without one, any that is enabled. */
bool autoregistration_is_open(const struct stations *s)
{
    const struct autoregistration *row =
        directory_find(s->directory, ENTITY_autoregistration, text_of(s->options.node));

    if (row)
        return row->enabled;
    while ((
        row = directory_next(s->directory, ENTITY_autoregistration, text_of(row ? row->name : ""))))
        if (row->enabled)
            return true;
    return false;
}

static bool is_unknown_and_door_is_closed(struct session *s)
{
    return !session_phone(s) && !autoregistration_is_open(s->owner);
}

static bool is_configured_for_another_protocol(struct session *s)
{
    return session_phone(s) && session_phone(s)->protocol != PROTOCOL_SCCP;
}

static bool is_another_model(struct session *s)
{
    return session_phone(s) && (uint32_t)session_phone(s)->model != s->station.model;
}

static bool has_too_many_lines(struct session *s)
{
    const struct phone *phone = session_phone(s);
    size_t n = 0, most;

    if (!phone || !s->model)
        return false;
    most = s->model->max_lines + (s->model->max_lines >= 6 ? MODULE_LINES : 0u);
    for (size_t i = 0; i < phone->n_buttons; i++)
        n += phone->buttons[i].feature == BUTTON_LINE;
    return s->model->max_lines && n > most;
}

/* A phone that comes back from elsewhere replaces its old connection at once; only when a name goes
 * to and fro between two addresses, both alive, the newcomer is a second device. */
static bool is_there_twice(struct session *s)
{
    const struct session *old = stations_by_name(s->owner, s->station.name);
    uint64_t now = s->owner->now.ms;

    return old && old != s && !ip_equal(old->station.peer.ip, s->station.peer.ip) &&
           old->takeovers >= DUPLICATE_TAKEOVERS && now - old->takeover_ms < DUPLICATE_WINDOW_MS &&
           now - old->heard_ms < old->loss_ms;
}

const struct refusal_rule refusal_rules[N_REFUSALS] = {
    [REFUSAL_NONE] = {0, "", NULL},
#define REFUSAL(id, reason, text, check) [REFUSAL_##id] = {TRANSIENT_##reason, text, check},
#include "station/refusals.def"
#undef REFUSAL
};

enum refusal_id refusal_of(struct session *s)
{
    for (int i = REFUSAL_NONE + 1; i < N_REFUSALS; i++)
        if (refusal_rules[i].check(s))
            return (enum refusal_id)i;
    return REFUSAL_NONE;
}
