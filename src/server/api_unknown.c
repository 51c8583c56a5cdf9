/* api_unknown.c - phones that boot here and nobody added: who they are, what they may be a typing
 * error of, and how they are adopted (BOOT-2). */
#include <stdio.h>
#include <stdlib.h>

#include "core/models.h"
#include "server/api_lists.h"

#define MAX_NEAR    3
#define MAX_STRANGE 4096

static const char *last_file(struct admin *a, const struct progress_phone *p, char to[static 32])
{
    struct progress_step steps[PROGRESS_STEPS];

    to[0] = 0;
    for (size_t i = progress_steps(a->progress, p, steps); i-- > 0;)
        if (steps[i].stage >= PROGRESS_FILE_ASKED && steps[i].stage <= PROGRESS_FILE_REFUSED) {
            text_copy(to, 32, text_of(steps[i].detail));
            break;
        }
    return to;
}

/* Phones whose label may have been typed wrong: those that are registered are no typing error. */
static json_t *near_names(struct admin *a, struct device_name name)
{
    struct device_name near[32];
    size_t n = progress_near(device_is_known, a, name, near, 32);
    json_t *names = json_array();

    for (size_t i = 0; i < n && json_array_size(names) < MAX_NEAR; i++)
        if (!phone_is_registered(a, text_of(near[i].s)))
            json_array_append_new(names, json_string(near[i].s));
    return names;
}

static json_t *unknown_row(struct admin *a, const struct progress_phone *p, bool full)
{
    const struct device_status *d = status_find(a->status, text_of(p->name.s));
    const struct model *m = model_find(p->model);
    char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX], file[32];

    return json_pack("[o, s, s, s, o, i, o, o, o, o, s, s]", json_of(text_of(p->name.s)),
                     m ? m->name : "", ip_is_any(p->ip) ? "" : ip_print(p->ip, ip),
                     mac_number(p->mac) ? mac_print(p->mac, mac) : "", json_of(text_of(p->port)),
                     (int)p->tries, json_of(text_of(last_file(a, p, file))),
                     admin_time(p->last_us, full), admin_time(p->first_us, full),
                     near_names(a, p->name), progress_stage_titles[p->boots[0].outcome],
                     d ? status_reason(d) : "");
}

static const char *const unknown_columns[] = {
    "name",      "model",     "address",    "mac",       "port",  "tries",
    "last_file", "last_seen", "first_seen", "near_miss", "stage", "refused_for"};
/* What fits the 80 columns of a terminal. */
static const char *const unknown_usual[] = {"name",  "model",     "address",   "port",
                                            "tries", "last_file", "last_seen", "near_miss"};

static bool is_usual(const char *name)
{
    for (size_t i = 0; i < sizeof(unknown_usual) / sizeof(*unknown_usual); i++)
        if (!strcmp(name, unknown_usual[i]))
            return true;
    return false;
}

#define N_UNKNOWN_COLUMNS (sizeof(unknown_columns) / sizeof(*unknown_columns))

static json_t *unknown_page(struct admin *a, const struct call *c,
                            const struct progress_phone **phones, size_t n)
{
    bool all = c->full || call_option(c, "columns")[0];
    size_t first = strtoul(call_option(c, "after"), NULL, 10), i;
    json_t *columns = json_array(), *rows = json_array(), *answer;

    for (size_t k = 0; k < N_UNKNOWN_COLUMNS; k++)
        if (all || is_usual(unknown_columns[k]))
            json_array_append_new(columns, json_string(unknown_columns[k]));
    for (i = first; i < n && json_array_size(rows) < call_limit(c); i++) {
        json_t *row = unknown_row(a, phones[i], c->full);

        for (size_t k = N_UNKNOWN_COLUMNS; k-- > 0;)
            if (!all && !is_usual(unknown_columns[k]))
                json_array_remove(row, k);
        if (row_fits(row, c))
            json_array_append(rows, row);
        json_decref(row);
    }
    answer = json_pack("{s:o, s:o, s:i}", "columns", columns, "rows", rows, "total", (int)n);
    if (i < n)
        json_object_set_new(answer, "next", json_sprintf("%zu", i));
    return answer;
}

void api_unknown_list(struct admin *a, const struct call *c)
{
    const struct progress_phone **phones = calloc(MAX_STRANGE, sizeof(*phones));

    if (!phones) {
        admin_refuse(a, c->who, "The server is short of memory.");
        return;
    }
    admin_answer(a, c->who,
                 unknown_page(a, c, phones, progress_unknown(a->progress, phones, MAX_STRANGE)));
    free(phones);
}

void api_unknown_adopt(struct admin *a, const struct call *c)
{
    struct device_name name = phone_name(text_of(c->name));
    const struct progress_phone *p = progress_find(a->progress, name);
    struct change *change;
    json_t *answer;
    char model[16];

    if (device_is_known(a, name)) {
        admin_refuse(
            a, c->who,
            "%s is in the database already; change it with: dialtone phone set %s FIELD=VALUE",
            name.s, name.s);
        return;
    }
    if (!p) {
        admin_refuse(a, c->who,
                     "No phone %s was seen here; add it with: dialtone phone add %s model=MODEL",
                     name.s, name.s);
        return;
    }
    if (!p->model && !json_object_get(c->fields, "model")) {
        admin_refuse(a, c->who,
                     "%s has not told its model yet; say it: dialtone unknown adopt %s model=MODEL",
                     name.s, name.s);
        return;
    }
    change = change_new();
    change_add(change, ENTITY_phone, text_of(name.s));
    if (!json_object_get(c->fields, "model")) {
        snprintf(model, sizeof(model), "%u", p->model);
        change_field(change, TEXT("model"),
                     text_of(model_find(p->model) ? model_find(p->model)->name : model));
    }
    change_fields(change, c->fields);
    answer = done_answer("added:", ENTITY_phone, text_of(name.s));
    note(answer, "It registers at its next try.");
    admin_change(a, c->who, change, answer);
}
