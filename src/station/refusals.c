#include "station/refusals.h"

#include <ctype.h>

#include "station/news.h"

#define DUPLICATE_TAKEOVERS 3  /* a name that goes to and fro as often is that of two devices */
#define MODULE_LINES        48 /* two expansion modules with 24 keys */

static bool never(struct station *s)
{
    return false;
}

static bool name_is_malformed(struct station *s)
{
    const char *c = s->name.s;

    while (isalnum((unsigned char)*c) || *c == '-' || *c == '_' || *c == '.' || *c == '@')
        c++;
    return *c || !s->name.s[0];
}

static bool directory_is_missing(struct station *s)
{
    return !s->registry->directory;
}

static bool version_is_obsolete(struct station *s)
{
    return s->protocol == PROTOCOL_SCCP && s->offered < SETTING_OF(s, minimum_protocol_version);
}

/* The 7931G came with release 6. */
static bool model_needs_newer_cluster(struct station *s)
{
    return s->model == 348 && SETTING_OF(s, cluster_release) < 6;
}

/* Nodes of different versions: a phone whose files came from the other one must not register. */
static bool publisher_is_another_version(struct station *s)
{
    return s->registry->disagrees;
}

static bool limit_is_reached(struct station *s)
{
    size_t n = 0;

    for (size_t i = 0; i < N_PROTOCOLS; i++)
        n += s->registry->n_registered[i];
    return n >= (size_t)SETTING_OF(s, max_registered_devices) &&
           !registry_holder(s->registry, s->name);
}

/* The row of this node's CallManager; without one, any that is enabled. */
static bool autoregistration_is_open(const struct registry *s)
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

static bool is_unknown_and_door_is_closed(struct station *s)
{
    return !station_phone(s) && !autoregistration_is_open(s->registry);
}

static bool is_configured_for_another_protocol(struct station *s)
{
    return station_phone(s) && station_phone(s)->protocol != s->protocol;
}

static bool is_another_model(struct station *s)
{
    return station_phone(s) && (uint32_t)station_phone(s)->model != s->model;
}

static bool has_too_many_lines(struct station *s)
{
    const struct phone *phone = station_phone(s);
    const struct model *model = model_find(s->model);
    size_t n = 0, most;

    if (!phone || !model)
        return false;
    most = model->max_lines + (model->max_lines >= 6 ? MODULE_LINES : 0u);
    for (size_t i = 0; i < phone->n_buttons; i++)
        n += phone->buttons[i].feature == BUTTON_LINE;
    return model->max_lines && n > most;
}

/* A phone that comes back from elsewhere replaces its old connection at once, here and at the node where it
 * was; only when a name goes to and fro between two addresses, both alive, the newcomer is a second device. */
static bool is_there_twice(struct station *s)
{
    struct rival rival;

    return station_rival(s, &rival) &&
           flapping_takeovers(s->registry->flapping, s->name, s->registry->now.ms) >= DUPLICATE_TAKEOVERS;
}

const struct refusal_rule refusal_rules[N_REFUSALS] = {
    [REFUSAL_NONE] = {0, "", NULL},
#define REFUSAL(id, reason, text, check) [REFUSAL_##id] = {TRANSIENT_##reason, text, check},
#include "station/refusals.def"
#undef REFUSAL
};

enum refusal_id refusal_of(struct station *s)
{
    for (int i = REFUSAL_NONE + 1; i < N_REFUSALS; i++)
        if (refusal_rules[i].check(s))
            return (enum refusal_id)i;
    return REFUSAL_NONE;
}

bool refusal_may_wait(struct station *s)
{
    enum refusal_id id = refusal_of(s);

    return id == REFUSAL_NONE || id == REFUSAL_DUPLICATE;
}

bool refusal_note(struct station *s, uint32_t reason, const char *text, uint32_t *times)
{
    struct refusal refusal = {.name = s->name,
                              .ip = s->peer.ip,
                              .model = s->model,
                              .reason = reason,
                              .last_us = s->registry->now.wall_us,
                              .text = text};

    return refused_note(s->registry->refused, &refusal, s->registry->now.ms, times);
}

void refusal_tell(struct station *s, enum refusal_id id, struct effects *e)
{
    const struct refusal_rule *rule = &refusal_rules[id];
    uint32_t times;

    tell_event(s, STAGE_REJECTED, rule->reason, rule->text, e);
    if (!refusal_note(s, rule->reason, rule->text, &times))
        return;
    if (id == REFUSAL_MODEL)
        tell_mismatch(s, e);
    if (id == REFUSAL_TOO_MANY)
        tell_limit(s, e);
    if (id == REFUSAL_DUPLICATE)
        tell_duplicate(s, e);
    tell_transient(s, rule->reason, times, e);
    if (times > 1)
        station_log(s, LOG_LEVEL_WARNING, "refused with '%s', %u times since the last line: %s",
                    rule->text, times, reason_transient(rule->reason)->text);
    else
        station_log(s, LOG_LEVEL_WARNING, "refused with '%s': %s", rule->text,
                    reason_transient(rule->reason)->text);
}

void refusal_tell_failed(struct station *s, uint32_t reason, struct effects *e)
{
    uint32_t times;

    station_leave_name(s);
    if (s->name.s[0] && refusal_note(s, reason, "", &times)) {
        tell_transient(s, reason, times, e);
        station_log(s, LOG_LEVEL_NOTICE, "not registered: %s", reason_transient(reason)->text);
    }
}
