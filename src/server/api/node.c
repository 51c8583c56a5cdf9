/* node.c - the node: what runs, who is registered, counters, services. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/models.h"
#include "server/api/lists.h"
#include "server/perf.h"

static const char *const state_words[] = {"off", "running", "stopped", "failed"};

static const struct {
    const char *id, *name, *help;
} service_rows[N_SERVICES] = {
#define SERVICE(id, name, thread, help) {#id, name, help},
#include "server/services.def"
#undef SERVICE
};

/* --- status --- */

static json_t *services_rows(struct admin *a, bool full)
{
    json_t *rows = json_array();

    for (int i = 0; i < N_SERVICES; i++) {
        const struct service_line *s = &a->services[i];

        json_array_append_new(rows,
                              json_pack("[s, s, o, o]", service_rows[i].name, state_words[s->state],
                                        admin_time(s->since_us, full), json_of(text_of(s->text))));
    }
    return rows;
}

static json_t *services_columns(void)
{
    return json_pack("[s,s,s,s]", "service", "state", "since", "about");
}

/* What a person should look at, each with what to do. */
static void attention(struct admin *a, json_t *answer)
{
    json_t *findings = admin_findings(a), *f;
    size_t i;

    json_array_foreach(findings, i, f)
    {
        const char *command = json_string_value(json_object_get(f, "command"));

        note(answer, "! %s%s%s", json_string_value(json_object_get(f, "text")),
             *command ? ": " : "", command);
    }
    json_decref(findings);
}

static json_t *status_record(struct admin *a, bool full)
{
    const struct directory *dir = a->thread->directory;
    uint64_t up_us = server_steady_us() - a->started_us;
    json_t *record = json_object();
    char uptime[24];

    admin_duration(up_us, uptime);
    json_object_set_new(record, "node", json_of(text_of(a->node)));
    json_object_set_new(record, "version", json_string(DIALTONE_VERSION));
    json_object_set_new(record, "uptime",
                        full ? json_integer((json_int_t)(up_us / 1000000)) : json_string(uptime));
    json_object_set_new(record, "phones",
                        json_integer((json_int_t)directory_count(dir, ENTITY_phone)));
    json_object_set_new(record, "registered",
                        json_integer((json_int_t)status_count(a->status, STATE_REGISTERED)));
    json_object_set_new(record, "unregistered",
                        json_integer((json_int_t)status_count(a->status, STATE_UNREGISTERED)));
    json_object_set_new(record, "rejected",
                        json_integer((json_int_t)status_count(a->status, STATE_REJECTED)));
    json_object_set_new(record, "unknown_phones",
                        json_integer((json_int_t)progress_n_unknown(a->progress)));
    return record;
}

void api_status(struct admin *a, const struct call *c)
{
    json_t *answer =
        json_pack("{s:o, s:[{s:s, s:s, s:o, s:o}]}", "record", status_record(a, c->full),
                  "sections", "name", "services", "title", "Services", "columns",
                  services_columns(), "rows", services_rows(a, c->full));

    attention(a, answer);
    admin_answer(a, c->who, answer);
}

/* --- status of devices --- */

static const char *const status_columns[] = {"name", "status",   "address", "model",
                                             "load", "since",    "reason",  "code",
                                             "node", "protocol", "attempts"};

#define N_STATUS_COLUMNS (sizeof(status_columns) / sizeof(*status_columns))
#define N_STATUS_USUAL   7

static json_t *device_row(struct admin *a, const struct device_status *d, bool full)
{
    const struct model *m = model_find(d->model);
    const char *protocol = names_print(device_protocols, d->protocol);
    char ip[IP_TEXT_MAX];

    return json_pack("[o, s, s, s, o, o, s, i, s, s, i]", json_of(text_of(d->name.s)),
                     device_state_names[d->state], ip_is_any(d->ip) ? "" : ip_print(d->ip, ip),
                     m ? m->name : "", json_of(text_of(d->load)),
                     admin_time((uint64_t)d->since_s * 1000000, full), status_reason(d),
                     (int)d->reason, a->node, protocol ? protocol : "", (int)d->attempts);
}

/* The number of a column of status, or -1 and the refusal is out. */
static int status_column(struct admin *a, const struct call *c, const char *name)
{
    for (size_t i = 0; i < N_STATUS_COLUMNS; i++)
        if (!strcmp(name, status_columns[i]))
            return (int)i;
    admin_refuse(a, c->who, "Status has no column \"%s\".", name);
    return -1;
}

static bool status_fits(json_t *row, const struct call *c)
{
    const char *field;
    json_t *wanted;

    json_object_foreach(
        c->fields, field,
        wanted) for (size_t i = 0; i < N_STATUS_COLUMNS;
                     i++) if (!strcmp(field, status_columns[i]) &&
                              !value_fits(json_array_get(row, i), call_text(wanted))) return false;
    return row_fits(row, c);
}

#define MAX_SCANNED 20000

static json_t *status_page(struct admin *a, const struct call *c, size_t n_columns)
{
    size_t cursor = strtoul(call_option(c, "after"), NULL, 10), scanned = 0;
    json_t *columns = json_array(), *rows = json_array(), *answer;
    const struct device_status *d = NULL;

    for (size_t i = 0; i < n_columns; i++)
        json_array_append_new(columns, json_string(status_columns[i]));
    while (json_array_size(rows) < call_limit(c) && scanned++ < MAX_SCANNED &&
           (d = status_next(a->status, &cursor))) {
        json_t *row = device_row(a, d, c->full);

        if (status_fits(row, c)) {
            for (size_t i = N_STATUS_COLUMNS; i-- > n_columns;)
                json_array_remove(row, i);
            json_array_append(rows, row);
        }
        json_decref(row);
    }
    answer = json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
    if (d && status_next(a->status, &(size_t){cursor}))
        json_object_set_new(answer, "next", json_sprintf("%zu", cursor));
    return answer;
}

void api_status_list(struct admin *a, const struct call *c)
{
    const char *field;
    json_t *wanted;

    json_object_foreach(c->fields, field, wanted) if (status_column(a, c, field) < 0) return;
    admin_answer(
        a, c->who,
        status_page(a, c,
                    c->full || call_option(c, "columns")[0] ? N_STATUS_COLUMNS : N_STATUS_USUAL));
}

/* --- counters --- */

/* "Cisco Phones" stands for all its instances. */
static bool object_fits(struct text wanted, const char *object)
{
    struct text rest = text_of(object);

    return filter_fits(wanted, rest) || filter_fits(wanted, text_split(&rest, '('));
}

static bool counter_wanted(const struct perf_counter *counter, const struct call *c)
{
    struct text object = call_text(json_object_get(c->fields, "object")), typed;
    size_t n = json_array_size(c->names);

    if (object.len && !object_fits(object, counter->object))
        return false;
    for (size_t i = 0; i < n; i++) {
        typed = call_text(json_array_get(c->names, i));
        if (filter_fits(typed, text_of(counter->name)) || object_fits(typed, counter->object))
            return true;
    }
    return !n;
}

static bool counter_fits(json_t *row, const struct call *c)
{
    static const char *const columns[] = {"", "name", "value", "help"};

    for (size_t i = 1; i < sizeof(columns) / sizeof(*columns); i++) {
        json_t *wanted = json_object_get(c->fields, columns[i]);

        if (wanted && !value_fits(json_array_get(row, i), call_text(wanted)))
            return false;
    }
    return row_fits(row, c);
}

static void put_counter(json_t *rows, const struct call *c, const struct perf_counter *counter)
{
    json_t *row = json_pack("[s, s, I, s]", counter->object, counter->name,
                            (json_int_t)counter->value, counter->help);

    if (counter_wanted(counter, c) && counter_fits(row, c))
        json_array_append(rows, row);
    json_decref(row);
}

static bool asks_for(const struct call *c, const char *object)
{
    json_t *typed;
    size_t i;

    json_array_foreach(c->names, i,
                       typed) if (text_starts_nocase(call_text(typed), object)) return true;
    return text_starts_nocase(call_text(json_object_get(c->fields, "object")), object);
}

/* An instance for each registered phone and its numbers: only for who asks for them. */
static void put_instances(struct admin *a, const struct call *c, json_t *rows)
{
    bool phones = asks_for(c, "Cisco Phones"), lines = asks_for(c, "Cisco Lines");
    const struct phone *p = NULL;
    char object[96];

    while ((phones || lines) && json_array_size(rows) < call_limit(c) &&
           (p = directory_next(a->thread->directory, ENTITY_phone, text_of(p ? p->name : "")))) {
        struct perf_counter one = {object, "CallsAttempted", "Attempts to call", false, 0};

        if (!phone_is_registered(a, text_of(p->name)))
            continue;
        snprintf(object, sizeof(object), "Cisco Phones(%s)", p->name);
        if (phones)
            put_counter(rows, c, &one);
        one.name = "Active";
        one.help = "Gauge: calls on the line";
        for (size_t i = 0; lines && i < p->n_buttons; i++)
            if (p->buttons[i].feature == BUTTON_LINE) {
                snprintf(object, sizeof(object), "Cisco Lines(%s)", p->buttons[i].target);
                put_counter(rows, c, &one);
            }
    }
}

void api_counter_list(struct admin *a, const struct call *c)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < perf_count(); i++) {
        struct perf_counter counter = perf_get(a, i);

        put_counter(rows, c, &counter);
    }
    put_instances(a, c, rows);
    if (json_array_size(c->names) && !json_array_size(rows) && !asks_for(c, "Cisco Phones") &&
        !asks_for(c, "Cisco Lines")) {
        json_decref(rows);
        admin_refuse_as(a, c->who, 404, "There is no such counter; \"dialtone counter list\" shows all.");
        return;
    }
    admin_answer(a, c->who,
                 json_pack("{s:[s,s,s,s], s:o}", "columns", "object", "name", "value", "help",
                           "rows", rows));
}

/* --- services --- */

const char *service_title(enum service_id service)
{
    return service_rows[service].name;
}

json_t *admin_services(struct admin *a, bool full)
{
    json_t *rows = json_array();

    for (int i = 0; i < N_SERVICES; i++) {
        const struct service_line *s = &a->services[i];
        char id[32];

        text_copy(id, sizeof(id), text_of(service_rows[i].id));
        for (char *p = id; *p; p++)
            *p = (char)(*p == '_' ? '-' : *p | 0x20);
        json_array_append_new(rows, json_pack("[s, s, s, o, o]", id, service_rows[i].name,
                                              state_words[s->state], admin_time(s->since_us, full),
                                              json_of(text_of(s->text))));
    }
    return json_pack("{s:[s,s,s,s,s], s:o}", "columns", "id", "service", "state", "since", "about",
                     "rows", rows);
}

void api_service_list(struct admin *a, const struct call *c)
{
    admin_answer(a, c->who, admin_services(a, c->full));
}

static bool names_service(struct text typed, const char *id)
{
    char folded[32];

    text_copy(folded, sizeof(folded), typed);
    for (char *p = folded; *p; p++)
        *p = *p == '-' || *p == ' ' ? '_' : *p;
    return text_equal_nocase(text_of(folded), text_of(id));
}

/* The number of a service by id or name, or -1 and the refusal is out. */
static int find_service(struct admin *a, const struct call *c)
{
    const char *best = NULL;
    unsigned distance = 0;

    for (int i = 0; i < N_SERVICES; i++) {
        if (names_service(text_of(c->name), service_rows[i].id) ||
            text_equal_nocase(text_of(c->name), text_of(service_rows[i].name)))
            return i;
        nearest(text_of(c->name), service_rows[i].id, &best, &distance);
    }
    admin_refuse_as(a, c->who, 404, "There is no service \"%s\"; \"dialtone service list\" shows all.",
                 c->name);
    return -1;
}

static void service_done(struct admin *a, const struct ask *ask, int status, json_t *body)
{
    const char *name = json_string_value(json_object_get(ask->kept, "name"));
    const char *text = json_string_value(json_object_get(body, "text"));
    const char *error = json_string_value(json_object_get(body, "error"));
    json_int_t state = json_integer_value(json_object_get(body, "state"));
    json_int_t wanted = json_integer_value(json_object_get(ask->kept, "wanted"));
    json_t *answer;

    if (error) {
        admin_refuse(a, ask->who, "%s", error);
    } else if (status || state != wanted) {
        admin_refuse(a, ask->who, "%s is %s%s%s", name, state_words[state & 3],
                     text && *text ? ": " : ".", text ? text : "");
    } else {
        admin_keep_service(a, (enum service_id)json_integer_value(json_object_get(ask->kept, "id")),
                           state == SERVICE_STOPPED);
        answer = json_pack("{s:{s:s, s:s, s:s}}", "record", "service", name, "state",
                           state_words[state & 3], "about", text ? text : "");
        admin_answer(a, ask->who, answer);
    }
}

static void control_service(struct admin *a, const struct call *c, enum service_state wanted,
                            ask_done done)
{
    int i = find_service(a, c);

    if (i >= 0)
        admin_service(a, c->who, (enum service_id)i, wanted, done,
                      json_pack("{s:s, s:i, s:i}", "name", service_rows[i].name, "wanted",
                                (int)(done == service_done ? wanted : SERVICE_RUNNING), "id", i));
}

void api_service_start(struct admin *a, const struct call *c)
{
    control_service(a, c, SERVICE_RUNNING, service_done);
}

void api_service_stop(struct admin *a, const struct call *c)
{
    control_service(a, c, SERVICE_STOPPED, service_done);
}

/* It has stopped; now it starts. */
static void start_again(struct admin *a, const struct ask *ask, int status, json_t *body)
{
    const char *error = json_string_value(json_object_get(body, "error"));

    if (error)
        admin_refuse(a, ask->who, "%s", error);
    else
        admin_service(a, ask->who,
                      (enum service_id)json_integer_value(json_object_get(ask->kept, "id")),
                      SERVICE_RUNNING, service_done, json_incref(ask->kept));
}

void api_service_restart(struct admin *a, const struct call *c)
{
    control_service(a, c, SERVICE_STOPPED, start_again);
}
