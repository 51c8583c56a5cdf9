/* simulated.c - phones without a phone: booted, watched and pressed by whoever looks at them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api/lists.h"
#include "server/simulated.h"

/* --- who watches --- */

static void tell(struct admin *a, json_t *take_event, const char *line)
{
    for (size_t i = 0; i < MAX_WATCHERS; i++)
        if (a->watchers[i] &&
            admin_deliver(a, a->watchers[i],
                          json_pack("{s:O, s:s}", "event", take_event, "line", line)) < 0)
            a->watchers[i] = 0;
    json_decref(take_event);
}

void api_simulated_changed(void *context, const char *name, const json_t *picture)
{
    const char *state = picture ? json_string_value(json_object_get(picture, "state")) : "gone";
    char line[64];

    snprintf(line, sizeof(line), "%s %s", name, state ? state : "");
    tell(context,
         json_pack("{s:s, s:o}", "name", name, "picture",
                   picture ? json_deep_copy(picture) : json_null()),
         line);
}

void api_simulated_follow(struct admin *a, const struct call *c)
{
    for (size_t i = 0; i < MAX_WATCHERS; i++)
        if (!a->watchers[i]) {
            a->watchers[i] = c->who;
            return;
        }
    admin_refuse_as(a, c->who, 503, "%d others watch already.", MAX_WATCHERS);
}

/* --- what runs --- */

static const char *const columns[] = {"name", "model", "protocol", "state", "display", "picture"};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* What stands on the display, in a row. */
static json_t *display_of(const json_t *picture)
{
    const json_t *rows = json_object_get(picture, "rows");
    char text[512] = "";

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *row = json_string_value(json_object_get(json_array_get(rows, i), "text"));
        struct text t = text_trim(text_of(row ? row : ""));

        if (t.len && strlen(text) + t.len + 4 < sizeof(text))
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s",
                     text[0] ? " | " : "", TEXT_ARG(t));
    }
    return json_of(text_of(text));
}

static json_t *member(const json_t *picture, const char *name)
{
    json_t *value = json_object_get(picture, name);

    return value ? json_incref(value) : json_string("");
}

static json_t *row_of(const char *name, const json_t *picture, bool full)
{
    json_t *row = json_pack(
        "[s, o, o, o, o]", name, member(picture, "model"), member(picture, "protocol"),
        picture ? member(picture, "state") : json_string("starting"), display_of(picture));

    if (full)
        json_array_append_new(row, picture ? json_deep_copy(picture) : json_null());
    return row;
}

void api_simulated_list(struct admin *a, const struct call *c)
{
    json_t *rows = json_array(), *names = json_array();
    const json_t *picture;
    const char *name;

    for (size_t i = 0; i < N_COLUMNS - !c->full; i++)
        json_array_append_new(names, json_string(columns[i]));
    for (size_t i = 0; simulated_at(a->simulated, i, &name, &picture); i++)
        json_array_append_new(rows, row_of(name, picture, c->full));
    admin_answer(a, c->who,
                 json_pack("{s:o, s:o, s:i}", "columns", names, "rows", rows, "most",
                           (int)a->settings.simulated_phones));
}

/* In the form of a device's name; refused when it does not run. */
static bool find(struct admin *a, const struct call *c, struct device_name *ret)
{
    const json_t *picture;
    const char *name;

    *ret = phone_name(text_of(c->name));
    for (size_t i = 0; simulated_at(a->simulated, i, &name, &picture); i++)
        if (!strcmp(name, ret->s))
            return true;
    admin_refuse_as(a, c->who, 404,
                    "No simulated phone %s runs; \"dialtone simulated list\" shows all.", c->name);
    return false;
}

void api_simulated_show(struct admin *a, const struct call *c)
{
    struct device_name wanted;
    const json_t *picture;
    const char *name;

    if (!find(a, c, &wanted))
        return;
    for (size_t i = 0; simulated_at(a->simulated, i, &name, &picture); i++)
        if (!strcmp(name, wanted.s)) {
            json_t *record =
                json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", name, "model",
                          member(picture, "model"), "protocol", member(picture, "protocol"),
                          "state", member(picture, "state"), "display", display_of(picture),
                          "softkeys", member(picture, "softkeys"), "said", member(picture, "said"));

            if (c->full)
                json_object_set_new(record, "picture",
                                    picture ? json_deep_copy(picture) : json_null());
            admin_answer(a, c->who, json_pack("{s:o}", "record", record));
        }
}

/* --- what is done with them --- */

static const char *field(const struct call *c, const char *name)
{
    const char *value = json_string_value(json_object_get(c->fields, name));

    return value ? value : "";
}

/* NULL, and the refusal is out, when there is no such model. */
static const struct model *read_model(struct admin *a, const struct call *c,
                                      enum device_protocol *protocol)
{
    const char *model = field(c, "model"), *wanted = field(c, "protocol");
    const struct model *m = model_by_name(text_of(model[0] ? model : "7960"));
    bool sip = text_equal_nocase(text_of(wanted), TEXT("sip"));

    if (!m)
        admin_refuse(a, c->who, "There is no phone model \"%s\".", model);
    else if (wanted[0] && !sip && !text_equal_nocase(text_of(wanted), TEXT("sccp")))
        admin_refuse(a, c->who, "Phones speak sccp or sip, not \"%s\".", wanted);
    else {
        *protocol =
            sip || (!wanted[0] && !model_speaks(m, PROTOCOL_SCCP)) ? PROTOCOL_SIP : PROTOCOL_SCCP;
        return m;
    }
    return NULL;
}

static void refuse_boot(struct admin *a, const struct call *c, const struct model *m, int err)
{
    if (err == -ENOSPC && !a->settings.simulated_phones)
        admin_refuse_as(
            a, c->who, 403,
            "Simulated phones are off: an administrator turns them on with \"dialtone config "
            "set simulated.phones=%d\".",
            SIMULATED_MAX);
    else if (err == -ENOSPC)
        admin_refuse(a, c->who, "%d simulated phones run, and no more may (simulated.phones).",
                     (int)a->settings.simulated_phones);
    else if (err == -ENOTSUP)
        admin_refuse(a, c->who, "Nobody simulates a %s that speaks this.", m->title);
    else
        admin_refuse_as(a, c->who, 503, "The phone cannot be started: %s.", strerror(-err));
}

void api_simulated_boot(struct admin *a, const struct call *c)
{
    enum device_protocol protocol = PROTOCOL_SCCP;
    const struct model *m = read_model(a, c, &protocol);
    json_t *answer;
    char name[16];
    int err = m ? simulated_boot(a->simulated, &a->settings, m, protocol, name) : 0;

    if (err)
        refuse_boot(a, c, m, err);
    if (!m || err)
        return;
    answer = json_pack("{s:{s:s, s:s}}", "record", "name", name, "model", m->name);
    note(answer,
         device_is_known(a, device_name_of(text_of(name)))
             ? "%s has power."
             : "%s has power. Nobody has added it: see \"dialtone unknown list\", unless "
               "auto-registration is on.",
         name);
    admin_answer(a, c->who, answer);
}

void api_simulated_press(struct admin *a, const struct call *c)
{
    struct device_name name;

    if (!find(a, c, &name))
        return;
    if (!field(c, "key")[0]) {
        admin_refuse(a, c->who,
                     "Which key? digit n=5, line n=1, softkey n=2, hook, speaker, settings, up, "
                     "down, select, back, plug …");
        return;
    }
    simulated_press(a->simulated, name.s, field(c, "key"), field(c, "n")[0] ? field(c, "n") : "1");
    admin_answer(a, c->who, json_object());
}

void api_simulated_unplug(struct admin *a, const struct call *c)
{
    struct device_name name;
    json_t *answer;

    if (!find(a, c, &name))
        return;
    simulated_unplug(a->simulated, name.s);
    answer = json_object();
    note(answer,
         "%s has no power any more; what was configured for it stays: dialtone phone delete %s",
         name.s, name.s);
    admin_answer(a, c->who, answer);
}
