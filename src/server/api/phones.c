/* phones.c - phones: what is known about one, reset and restart, their files. */
#include <stdio.h>
#include <stdlib.h>

#include "core/models.h"
#include "server/api/lists.h"
#include "server/api/plan.h"

/* --- show --- */

static json_t *boot_steps(struct admin *a, const struct progress_phone *p)
{
    struct progress_step steps[PROGRESS_STEPS];
    size_t n = progress_steps(a->progress, p, steps);
    json_t *rows = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct progress_step *s = &steps[i];
        uint32_t took = s->at_ms - (i ? steps[i - 1].at_ms : 0);

        json_array_append_new(rows, json_pack("[i, i, s, i, o]", (int)s->at_ms, (int)took,
                                              progress_stage_titles[s->stage], (int)s->times,
                                              json_of(text_of(s->detail))));
    }
    return rows;
}

static const char *outcome(const struct progress_boot *b, char to[static 160])
{
    if (b->outcome == PROGRESS_REGISTERED)
        snprintf(to, 160, "registered after %u.%03u s", b->total_ms / 1000, b->total_ms % 1000);
    else if (b->outcome == PROGRESS_REJECTED)
        snprintf(to, 160, "refused after %u.%03u s: %s", b->total_ms / 1000, b->total_ms % 1000,
                 reason_transient(b->code)->text);
    else
        snprintf(to, 160, "came as far as: %s", progress_stage_titles[b->outcome]);
    return to;
}

static json_t *past_boots(const struct progress_phone *p, bool full)
{
    json_t *rows = json_array();
    struct progress_boot b;
    char text[160];

    for (size_t i = 0; (b = progress_boot(p, i)).start_us; i++)
        json_array_append_new(rows, json_pack("[o, i, s]", admin_time(b.start_us, full),
                                              (int)b.total_ms, outcome(&b, text)));
    return rows;
}

#define HISTORY 20 /* events shown of one phone */

static json_t *history(struct admin *a, struct text name, bool full)
{
    struct event_filter filter = {.device = name, .severity = 7};
    json_t *rows = json_array();

    for (uint64_t n = events_last(a->events);
         n >= events_first(a->events) && json_array_size(rows) < HISTORY; n--) {
        const struct alarm *alarm = events_get(a->events, n);
        char meaning[256];

        if (alarm && event_matches(alarm, &filter))
            json_array_insert_new(
                rows, 0,
                json_pack("[o, s, o, o]", admin_time(alarm->time_us, full),
                          alarm_rows[alarm->id].name,
                          alarm->reason ? json_integer(alarm->reason) : json_null(),
                          json_of(text_of(alarm_meaning(alarm, meaning)))));
    }
    return rows;
}

static void add_section(json_t *answer, const char *name, const char *title, json_t *take_columns,
                        json_t *take_rows)
{
    if (!json_object_get(answer, "sections"))
        json_object_set_new(answer, "sections", json_array());
    json_array_append_new(json_object_get(answer, "sections"),
                          json_pack("{s:s, s:s, s:o, s:o}", "name", name, "title", title, "columns",
                                    take_columns, "rows", take_rows));
}

/* --- for programs: the files of the last boot --- */

static json_t *files_asked(struct admin *a, const struct progress_phone *p)
{
    struct progress_step steps[PROGRESS_STEPS];
    size_t n = progress_steps(a->progress, p, steps);
    json_t *rows = json_array();

    for (size_t i = 0; i < n; i++) {
        static const char *const answers[] = {"", "sent", "not there", "refused"};
        const struct progress_step *s = &steps[i];

        if (s->stage > PROGRESS_FILE_ASKED && s->stage <= PROGRESS_FILE_REFUSED)
            json_array_append_new(
                rows, json_pack("[i, o, s, i]", (int)s->at_ms, json_of(text_of(s->detail)),
                                answers[s->stage - PROGRESS_FILE_ASKED], (int)s->times));
    }
    return rows;
}

static void add_boots(struct admin *a, json_t *answer, struct text name, bool full)
{
    const struct progress_phone *p = progress_find(a->progress, device_name_of(name));
    char text[160], title[256];

    if (!p)
        return;
    snprintf(title, sizeof(title), "Last boot: %s", outcome(&p->boot, text));
    add_section(answer, "boot", title,
                json_pack("[s,s,s,s,s]", "ms", "took", "stage", "times", "detail"),
                boot_steps(a, p));
    if (full)
        add_section(answer, "files", "Files",
                    json_pack("[s,s,s,s]", "ms", "file", "answer", "times"), files_asked(a, p));
    if (full || progress_boot(p, 1).start_us)
        add_section(answer, "boots", "Boots", json_pack("[s,s,s]", "began", "ms", "outcome"),
                    past_boots(p, full));
}

/* Keys that `lines` and `speed_dials` say already need not be told twice to a person. */
static void drop_plain_buttons(const struct phone *p, json_t *record)
{
    for (size_t i = 0; i < p->n_buttons; i++)
        if (p->buttons[i].feature != BUTTON_LINE && p->buttons[i].feature != BUTTON_SPEED_DIAL)
            return;
    json_object_del(record, "buttons");
}

static void add_findings(struct admin *a, json_t *answer, struct text name, bool full)
{
    json_t *found = live_doctor_list(a->doctor, name, 0, 0, full);

    if (json_array_size(json_object_get(found, "rows")))
        add_section(answer, "findings", "What the doctor found",
                    json_incref(json_object_get(found, "columns")),
                    json_incref(json_object_get(found, "rows")));
    json_decref(found);
}

static json_t *phone_answer(struct admin *a, const struct phone *p, bool full)
{
    struct text name = text_of(p->name);
    json_t *record = entity_record(a, p, full), *answer = json_pack("{s:o}", "record", record);

    if (!full)
        drop_plain_buttons(p, record);
    add_findings(a, answer, name, full);
    add_boots(a, answer, name, full);
    add_section(answer, "history", "History",
                json_pack("[s,s,s,s]", "time", "event", "reason", "meaning"),
                history(a, name, full));
    return answer;
}

/* What people have no use for, or see elsewhere in the record. */
static bool is_for_programs(const char *key)
{
    return word_is_one_of(
        key, "state reported_model connection own_address instance registered_us lost_after_ms "
             "offered_version silent_ms last_alarm");
}

/* What the station knows of a registered phone is added; without it the rest is still worth
 * telling. */
static void with_session(struct admin *a, const struct ask *ask, int status, json_t *body)
{
    json_t *record = json_object_get(ask->kept, "record"),
           *session = json_object_get(body, "record"), *value,
           *contacts = json_object_get(body, "contacts");
    bool full = json_is_true(json_object_get(ask->kept, "full"));
    const char *key;

    json_object_del(ask->kept, "full");
    json_object_foreach(session, key,
                        value) if (!json_object_get(record, key) && (full || !is_for_programs(key)))
        json_object_set(record, key, value);
    if (!full && json_is_integer(json_object_get(session, "silent_ms")))
        json_object_set_new(record, "last_heard",
                            json_sprintf("%lld s ago", (long long)json_integer_value(
                                                           json_object_get(session, "silent_ms")) /
                                                           1000));
    if (contacts)
        add_section(ask->kept, "contacts", "Contacts",
                    json_incref(json_object_get(contacts, "columns")),
                    json_incref(json_object_get(contacts, "rows")));
    admin_answer(a, ask->who, json_incref(ask->kept));
}

/* A device that is in no list of the administrator's may still be known by its boots. */
static bool show_stranger(struct admin *a, const struct call *c, struct text name)
{
    const struct progress_phone *p = progress_find(a->progress, device_name_of(name));
    char ip[IP_TEXT_MAX];
    const struct model *m;
    json_t *answer;

    if (!p)
        return false;
    m = model_find(p->model);
    answer = json_pack("{s:{s:o, s:s, s:s, s:s, s:o, s:i}}", "record", "name",
                       json_of(text_of(p->name.s)), "status", "unknown: nobody added it", "model",
                       m ? m->name : "", "address", ip_is_any(p->ip) ? "" : ip_print(p->ip, ip),
                       "port", json_of(text_of(progress_port(p))), "tries", (int)p->tries);
    add_findings(a, answer, name, c->full);
    add_boots(a, answer, name, c->full);
    add_section(answer, "history", "History",
                json_pack("[s,s,s,s]", "time", "event", "reason", "meaning"),
                history(a, name, c->full));
    note(answer, "To add it: dialtone unknown adopt %s lines=NUMBER", p->name.s);
    admin_answer(a, c->who, answer);
    return true;
}

/* The answer remembers for whom it is until it is complete. */
static json_t *with_full(json_t *answer, bool full)
{
    json_object_set_new(answer, "full", json_boolean(full));
    return answer;
}

void api_phone_show(struct admin *a, const struct call *c)
{
    char key[DIRECTORY_KEY_MAX];
    struct text name = entity_key(ENTITY_phone, text_of(c->name), key);
    const struct phone *p = directory_phone(a->thread->directory, name);

    if (!p && show_stranger(a, c, name))
        return;
    if (!p)
        refuse_missing(a, c, ENTITY_phone, name);
    else if (phone_is_registered(a, name))
        admin_ask(a, c->who, REQUEST_PHONE_SESSION, json_pack("{s:s}", "name", p->name),
                  with_session, with_full(phone_answer(a, p, c->full), c->full));
    else
        admin_answer(a, c->who, phone_answer(a, p, c->full));
}

/* --- reset and restart --- */

/* By the count in the record that says how many were told. */
static const char *order_words(const char *did)
{
    if (!strcmp(did, "reset"))
        return "reset";
    return strcmp(did, "restarted") ? "apply what changed" : "restart";
}

static void reset_done(struct admin *a, const struct ask *ask, int status, json_t *body)
{
    json_t *record = json_object_get(body, "record"), *answer;
    const char *did = json_string_value(json_object_get(ask->kept, "did"));
    long long done = json_integer_value(json_object_get(record, did));
    long long absent = json_integer_value(json_object_get(record, "absent"));
    const char *name =
        json_string_value(json_object_get(ask->kept, "name")); /* when it was only one */

    if (status) {
        admin_refuse(a, ask->who, "%s", json_string_value(json_object_get(body, "error")));
        return;
    }
    if (!done && name) {
        admin_refuse(a, ask->who, "%s is not registered; it reads its settings when it boots.",
                     name);
        return;
    }
    answer = json_object();
    if (json_is_true(json_object_get(ask->kept, "full")))
        json_object_set(answer, "record", record);
    if (name)
        note(answer, "%s was told to %s.", name, order_words(did));
    else
        note(answer, "%lld phones were told to %s, %lld are not registered.", done,
             order_words(did), absent);
    admin_answer(a, ask->who, answer);
}

static bool selected(struct admin *a, const struct call *c, const struct phone *p)
{
    const char *field;
    json_t *wanted;

    json_object_foreach(c->fields, field, wanted)
    {
        struct column column;
        json_t *value;
        bool fits;

        if (!column_find(ENTITY_phone, text_of(field), &column))
            return false;
        value = column_value(a, &column, p, false);
        fits = json_is_string(value) && filter_fits(call_text(wanted), call_text(value));
        json_decref(value);
        if (!fits)
            return false;
    }
    return true;
}

static bool fields_exist(struct admin *a, const struct call *c)
{
    const char *field;
    struct column column;
    json_t *wanted;

    json_object_foreach(c->fields, field,
                        wanted) if (!column_find(ENTITY_phone, text_of(field), &column))
    {
        admin_refuse(a, c->who, "A phone has no field \"%s\".", field);
        return false;
    }
    return true;
}

static json_t *select_names(struct admin *a, const struct call *c)
{
    const struct directory *dir = a->thread->directory;
    json_t *names = json_array();
    const struct phone *p = NULL;

    while ((p = directory_next(dir, ENTITY_phone, text_of(p ? p->name : ""))))
        if (phone_is_registered(a, text_of(p->name)) && selected(a, c, p))
            json_array_append_new(names, json_string(p->name));
    return names;
}

/* The phones that were named, each of which must exist; NULL when one does not (the refusal is
 * out). */
static json_t *given_names(struct admin *a, const struct call *c)
{
    json_t *names = json_array(), *typed;
    char key[DIRECTORY_KEY_MAX];
    size_t i;

    json_array_foreach(c->names, i, typed)
    {
        struct text name = entity_key(ENTITY_phone, call_text(typed), key);

        if (!directory_phone(a->thread->directory, name) && !status_find(a->status, name)) {
            refuse_missing(a, c, ENTITY_phone, name);
            json_decref(names);
            return NULL;
        }
        json_array_append_new(names, json_of(name));
    }
    return names;
}

static void plan_reset(struct admin *a, const struct call *c, json_t *take_names)
{
    json_t *some = json_array(), *name;
    json_int_t n = 0;
    size_t i;

    json_array_foreach(take_names, i, name) if (phone_is_registered(a, call_text(name)))
    {
        n++;
        if (json_array_size(some) < PLAN_NAMES)
            json_array_append(some, name);
    }
    admin_answer(a, c->who,
                 json_pack("{s:b, s:[], s:I, s:{s:I, s:o}}", "plan", true, "changes", "total", 0LL,
                           "reset", "count", n, "names", some));
    json_decref(take_names);
}

static void reset_or_restart(struct admin *a, const struct call *c, enum request_id request,
                             const char *did)
{
    bool by_filter =
        json_object_size(c->fields) || json_is_true(json_object_get(c->options, "all"));
    json_t *names, *kept;

    if (!json_array_size(c->names) && !by_filter) {
        admin_refuse(a, c->who, "Which phones? Name them, or give FIELD=VALUE, or --all.");
        return;
    }
    if (!fields_exist(a, c) || !(names = by_filter ? select_names(a, c) : given_names(a, c)))
        return;
    if (a->plans) {
        plan_reset(a, c, names);
        return;
    }
    kept = json_pack("{s:s, s:b}", "did", did, "full", c->full);
    if (json_array_size(names) == 1 && !by_filter)
        json_object_set(kept, "name", json_array_get(names, 0));
    admin_ask(a, c->who, request, json_pack("{s:o}", "names", names), reset_done, kept);
}

void api_phone_reset(struct admin *a, const struct call *c)
{
    reset_or_restart(a, c, REQUEST_PHONE_RESET, "reset");
}

void api_phone_restart(struct admin *a, const struct call *c)
{
    reset_or_restart(a, c, REQUEST_PHONE_RESTART, "restarted");
}

void api_phone_apply(struct admin *a, const struct call *c)
{
    reset_or_restart(a, c, REQUEST_PHONE_APPLY, "applied");
}

void api_ask_file(struct admin *a, const struct call *c, const char *file, ask_done done)
{
    char key[DIRECTORY_KEY_MAX];
    struct text name = entity_key(ENTITY_phone, text_of(c->name), key);

    if (!directory_phone(a->thread->directory, name))
        refuse_missing(a, c, ENTITY_phone, name);
    else
        admin_ask(a, c->who, REQUEST_PHONE_FILE,
                  json_pack("{s:o, s:s}", "name", json_of(name), "file", file), done,
                  done ? json_of(name) : NULL);
}

void api_phone_file(struct admin *a, const struct call *c)
{
    api_ask_file(a, c, call_option(c, "file"), NULL);
}

/* No name: all of them. */
void api_phone_rebuild(struct admin *a, const struct call *c)
{
    char key[DIRECTORY_KEY_MAX];
    struct text name = entity_key(ENTITY_phone, text_of(c->name), key);

    if (*c->name && !directory_phone(a->thread->directory, name))
        refuse_missing(a, c, ENTITY_phone, name);
    else
        admin_ask(a, c->who, REQUEST_FILE_REBUILD, json_pack("{s:o}", "name", json_of(name)), NULL,
                  NULL);
}
