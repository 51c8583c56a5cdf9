/* overview.c - the node at a glance: who is registered, by what; the last day; what to look at.
 */
#include <stdio.h>
#include <string.h>

#include "core/models.h"
#include "core/directory/walk.h"
#include "server/api/lists.h"

#define FRESH_MS 2000 /* 100 000 phones are not counted for each that looks */

/* --- findings --- */

/* `command` may be "". */
static void find(json_t *findings, const char *id, const char *severity, size_t n, const char *noun,
                 const char *command, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

static void find(json_t *findings, const char *id, const char *severity, size_t n, const char *noun,
                 const char *command, const char *format, ...)
{
    char sentence[400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    json_array_append_new(findings,
                          json_pack("{s:s, s:s, s:I, s:o, s:s, s:s}", "id", id, "severity",
                                    severity, "count", (json_int_t)n, "text",
                                    json_of(text_of(sentence)), "noun", noun, "command", command));
}

json_t *admin_findings(struct admin *a)
{
    size_t unknown = progress_n_unknown(a->progress),
           rejected = status_count(a->status, STATE_REJECTED);
    json_t *findings = json_array();

    for (int i = 0; i < N_SERVICES; i++)
        if (a->services[i].state == SERVICE_FAILED)
            find(findings, "service_failed", "error", 1, "service", "", "%s failed: %s",
                 service_title((enum service_id)i), a->services[i].text);
    if (unknown)
        find(findings, "unknown_phones", "warning", unknown, "unknown", "dialtone unknown list",
             "%zu phone%s boot%s here and %s not in the database", unknown, unknown > 1 ? "s" : "",
             unknown > 1 ? "" : "s", unknown > 1 ? "are" : "is");
    if (rejected)
        find(findings, "rejected_phones", "warning", rejected, "status",
             "dialtone status list status=rejected", "%zu device%s refused", rejected,
             rejected > 1 ? "s were" : " was");
    if (live_doctor_ill(a->doctor))
        find(findings, "phones_not_well", "warning", live_doctor_ill(a->doctor), "diagnosis",
             "dialtone diagnosis list", "%zu phone%s not well", live_doctor_ill(a->doctor),
             live_doctor_ill(a->doctor) > 1 ? "s are" : " is");
    if (events_error(a->events))
        find(findings, "events_not_written", "error", 1, "event", "",
             "events cannot be written to disk: %s", strerror(-events_error(a->events)));
    if (!a->collecting)
        find(findings, "collector_stopped", "warning", 1, "service", "dialtone service start ris",
             "the RIS data collector is stopped: the state of phones is not reported");
    return findings;
}

#define MAX_ILL   500 /* findings of the doctor that are looked through */
#define MAX_NAMED 20  /* phones named of a cause */

static json_t *of_cause(json_t *findings, json_t *causes, const json_t *row)
{
    const char *cause = json_string_value(json_array_get(row, 1));
    json_t *one = json_object_get(causes, cause);

    if (one)
        return one;
    one = json_pack("{s:s, s:O, s:I, s:O, s:O, s:s, s:s, s:[], s:{}}", "id", cause, "severity",
                    json_array_get(row, 2), "count", 0LL, "text", json_array_get(row, 5), "todo",
                    json_array_get(row, 7), "noun", "phone", "command", "dialtone diagnosis list",
                    "names", "common");
    json_array_append_new(findings, one);
    json_object_set(causes, cause, one);
    return one;
}

/* Keeps of what the phones before have in common what this one has, too (DOC-12). */
static void narrow(json_t *common, const char *field, const char *value, bool first)
{
    const char *before = json_string_value(json_object_get(common, field));

    if (first && *value)
        json_object_set_new(common, field, json_of(text_of(value)));
    else if (!first && before && strcmp(before, value) != 0)
        json_object_del(common, field);
}

static void narrow_to_phone(struct admin *a, json_t *common, struct text name, bool first)
{
    const struct phone *phone = directory_phone(a->thread->directory, name);
    const struct device_status *now = status_find(a->status, name);
    const struct model *model = model_find(now && now->model ? now->model
                                           : phone           ? (uint32_t)phone->model
                                                             : 0);
    char network[IP_TEXT_MAX + 3] = "", ip[IP_TEXT_MAX];

    if (now && now->ip.family == 4)
        snprintf(network, sizeof(network), "%s/24",
                 ip_print(ip_v4(ip_v4_number(now->ip) & 0xffffff00), ip));
    narrow(common, "network", network, first);
    narrow(common, "model", model ? model->name : "", first);
    narrow(common, "load", now && now->load ? now->load : "", first);
    narrow(common, "pool", phone ? phone->pool : "", first);
}

/* What the doctor finds at the phones: each cause once, with those it is about and what they have
 * in common. */
static void put_doctor(struct admin *a, json_t *findings)
{
    json_t *list = live_doctor_list(a->doctor, TEXT(""), 0, MAX_ILL, true), *causes = json_object();
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(list, "rows"), i, row)
    {
        json_t *one = of_cause(findings, causes, row), *names = json_object_get(one, "names");

        narrow_to_phone(a, json_object_get(one, "common"),
                        text_of(json_string_value(json_array_get(row, 0))),
                        !json_array_size(names));
        json_integer_set(json_object_get(one, "count"),
                         json_integer_value(json_object_get(one, "count")) + 1);
        if (json_array_size(names) < MAX_NAMED)
            json_array_append(names, json_array_get(row, 0));
    }
    json_decref(causes);
    json_decref(list);
}

json_t *admin_causes(struct admin *a)
{
    json_t *findings = admin_findings(a);

    put_doctor(a, findings);
    return findings;
}

/* --- counts --- */

json_t *admin_counts(struct admin *a)
{
    size_t phones = directory_count(a->thread->directory, ENTITY_phone);

    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I}", "reported", a->collecting, "phones",
                     (json_int_t)phones, "registered",
                     (json_int_t)status_count(a->status, STATE_REGISTERED), "unregistered",
                     (json_int_t)status_count(a->status, STATE_UNREGISTERED), "rejected",
                     (json_int_t)status_count(a->status, STATE_REJECTED), "unknown_phones",
                     (json_int_t)progress_n_unknown(a->progress));
}

/* One more phone under `key`; registered or not. */
static void tally(json_t *by, const char *key, bool registered)
{
    json_t *row = json_object_get(by, key);

    if (!row) {
        row = json_pack("{s:s, s:i, s:i}", "name", key, "phones", 0, "registered", 0);
        json_object_set_new(by, key, row);
    }
    json_integer_set(json_object_get(row, "phones"),
                     json_integer_value(json_object_get(row, "phones")) + 1);
    if (registered)
        json_integer_set(json_object_get(row, "registered"),
                         json_integer_value(json_object_get(row, "registered")) + 1);
}

static json_t *rows_of(json_t *take_by)
{
    json_t *rows = json_array(), *row;
    const char *key;

    json_object_foreach(take_by, key, row) json_array_append(rows, row);
    json_decref(take_by);
    return rows;
}

struct groups {
    struct admin *a;
    json_t *by_model, *by_protocol, *by_pool;
};

static int count_phone(void *context, const void *record)
{
    const struct groups *g = context;
    const struct phone *p = record;
    const struct model *m = model_find((uint32_t)p->model);
    bool registered = phone_is_registered(g->a, text_of(p->name));

    tally(g->by_model, m ? m->name : "?", registered);
    tally(g->by_protocol, names_print(device_protocols, p->protocol), registered);
    tally(g->by_pool, p->pool, registered);
    return 0;
}

static void put_groups(struct admin *a, json_t *record)
{
    struct groups g = {a, json_object(), json_object(), json_object()};

    directory_each(a->thread->directory, ENTITY_phone, count_phone, &g);
    json_object_set_new(record, "models", rows_of(g.by_model));
    json_object_set_new(record, "protocols", rows_of(g.by_protocol));
    json_object_set_new(record, "pools", rows_of(g.by_pool));
}

static json_t *strip_rows(struct admin *a)
{
    uint64_t now = server_wall_us();
    json_t *rows = json_array();

    for (size_t i = 0; i < STRIP_SLOTS; i++) {
        struct strip_slot s = strip_slot(&a->strip, now, i);

        json_array_append_new(rows, json_pack("[I, i, i, i]", (json_int_t)(s.number * STRIP_SLOT_S),
                                              (int)s.registered, (int)s.lost, (int)s.refused));
    }
    return rows;
}

static void with_nodes(struct admin *a, const struct ask *ask, int status, json_t *body)
{
    json_t *record = json_object_get(ask->kept, "record"), *rows = json_object_get(body, "rows");

    if (!status && rows) {
        json_object_set(record, "node_columns", json_object_get(body, "columns"));
        json_object_set(record, "nodes", rows);
    }
    if (!a->overview) {
        a->overview = json_incref(ask->kept);
        a->overview_ms = uv_now(&a->thread->loop);
    }
    admin_answer(a, ask->who, json_deep_copy(ask->kept));
}

void api_overview(struct admin *a, const struct call *c)
{
    json_t *answer;

    if (a->overview && uv_now(&a->thread->loop) - a->overview_ms < FRESH_MS) {
        admin_answer(a, c->who, json_deep_copy(a->overview));
        return;
    }
    json_decref(a->overview);
    a->overview = NULL;
    answer =
        json_pack("{s:{s:o, s:s, s:I, s:o, s:o, s:{s:i, s:[s,s,s,s], s:o}}}", "record", "node",
                  json_of(text_of(a->node)), "version", DIALTONE_VERSION, "uptime",
                  (json_int_t)((server_steady_us() - a->started_us) / 1000000), "counts",
                  admin_counts(a), "findings", admin_causes(a), "strip", "slot_s", STRIP_SLOT_S,
                  "columns", "time", "registered", "lost", "refused", "rows", strip_rows(a));
    put_groups(a, json_object_get(answer, "record"));
    admin_ask(a, c->who, REQUEST_NODE_LIST, json_object(), with_nodes, answer);
}
