/* config.c - the settings that take effect while the server runs, and the interfaces that they
 * name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api/lists.h"

static const struct {
    const char *key, *standard, *help;
} boot_rows[] = {
#define BOOT_STR(key, field, value, help)           {key, value, help},
#define BOOT_NUM(key, field, value, min, max, help) {key, #value, help},
#include "server/bootstrap.def"
#undef BOOT_STR
#undef BOOT_NUM
};

void api_config_list(struct admin *a, const struct call *c)
{
    static const char *const from_words[] = {"default", "kept", "file", "command line"};
    json_t *rows = json_array(), *row;
    char value[256];

    for (int i = 0; i < N_BOOTSTRAP_KEYS; i++) {
        row =
            json_pack("[s, o, s, s, b, s]", boot_rows[i].key,
                      json_of(text_of(bootstrap_print(&a->settings, (enum bootstrap_key)i, value))),
                      boot_rows[i].standard, from_words[a->settings.from[i]],
                      (int)bootstrap_is_live((enum bootstrap_key)i), boot_rows[i].help);
        if (row_fits(row, c))
            json_array_append(rows, row);
        json_decref(row);
    }
    admin_answer(a, c->who,
                 json_pack("{s:[s,s,s,s,s,s], s:o}", "columns", "name", "value", "default", "from",
                           "live", "help", "rows", rows));
}

/* --- a change: kept first, then in force --- */

/* Every live setting as it is kept; empty: as it is without. */
static json_t *kept_of(const struct bootstrap *b)
{
    json_t *all = json_object();
    char value[256];

    for (int i = 0; i < N_BOOTSTRAP_KEYS; i++)
        if (bootstrap_is_live((enum bootstrap_key)i))
            json_object_set_new(all, boot_rows[i].key,
                                json_string(b->from[i] == BOOT_KEPT
                                                ? bootstrap_print(b, (enum bootstrap_key)i, value)
                                                : ""));
    return all;
}

static void take_over(struct admin *a, const json_t *all)
{
    char error[256];
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)all, key, value)
        bootstrap_keep(&a->settings, text_of(key), call_text(value), error, sizeof(error));
}

static void on_taken(struct admin *a, const struct ask *ask, int status, json_t *body)
{
    const char *error = json_string_value(json_object_get(body, "error"));
    json_t *answer = json_pack("{s:[]}", "notes"), *notes = json_object_get(body, "notes");
    const char *sentence;
    size_t i;

    a->configuring = false;
    if (status) {
        json_decref(answer);
        admin_refuse_as(a, ask->who, 503, "It is kept, but: %s", error ? error : "nobody answers.");
        return;
    }
    json_array_foreach(json_object_get(ask->kept, "told"), i, body)
        note(answer, "%s", json_string_value(body));
    for (i = 0; (sentence = json_string_value(json_array_get(notes, i))); i++)
        note(answer, "%s", sentence);
    admin_answer(a, ask->who, answer);
}

static void on_kept(struct admin *a, const struct ask *ask, int status, json_t *body)
{
    json_t *all = json_object_get(ask->kept, "all");
    const char *error = json_string_value(json_object_get(body, "error"));

    if (status) {
        a->configuring = false;
        admin_refuse_as(a, ask->who, 503, "%s", error ? error : "It could not be kept.");
        return;
    }
    take_over(a, all);
    admin_ask(a, ask->who, REQUEST_CONFIG_TAKE, json_incref(all), on_taken, json_incref(ask->kept));
}

/* PATCH /config/dhcp.mode {"value": "full"} is `config set dhcp.mode=full`. */
static json_t *wanted_fields(const struct call *c)
{
    json_t *value = json_object_get(c->fields, "value");

    if (!c->name[0] || !value)
        return json_incref(c->fields);
    return json_pack("{s:O}", c->name, value);
}

void api_config_set(struct admin *a, const struct call *c)
{
    struct bootstrap b = a->settings;
    json_t *fields = wanted_fields(c), *told = json_array(), *value, *all;
    char error[384] = "";
    const char *key;
    int err = 0;

    json_object_foreach(fields, key, value)
    {
        err = err ? err : bootstrap_keep(&b, text_of(key), call_text(value), error, sizeof(error));
        json_array_append_new(told, !json_string_length(value)
                                        ? json_sprintf("%s is the default again.", key)
                                        : json_sprintf("%s is %s.", key, json_string_value(value)));
    }
    if (err)
        admin_refuse(a, c->who, "%s.", error);
    else if (a->configuring)
        admin_refuse_as(a, c->who, 503, "Another change is being kept; try again.");
    if (err || a->configuring) {
        json_decref(fields);
        json_decref(told);
        return;
    }
    a->configuring = true;
    all = kept_of(&b);
    json_decref(fields);
    admin_ask(a, c->who, REQUEST_CONFIG_KEEP, json_incref(all), on_kept,
              json_pack("{s:o, s:o}", "all", all, "told", told));
}

/* --- interfaces --- */

void api_interface_list(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_INTERFACE_LIST, json_object(), NULL, NULL);
}

void api_interface_probe(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_INTERFACE_PROBE, json_pack("{s:s}", "name", c->name), NULL, NULL);
}
