/* diagnosis.c - what the doctor beside the server found. */
#include <stdlib.h>
#include <string.h>

#include "doctor/bedside.h"
#include "doctor/told.h"
#include "doctor/say.h"
#include "server/api/lists.h"

static void drop_unwanted(json_t *answer, const struct call *c)
{
    json_t *rows = json_object_get(answer, "rows");

    for (size_t i = json_array_size(rows); i-- > 0;)
        if (!row_fits(json_array_get(rows, i), c))
            json_array_remove(rows, i);
}

void api_diagnosis_list(struct admin *a, const struct call *c)
{
    size_t after = strtoul(call_option(c, "after"), NULL, 10);
    json_t *answer = live_doctor_list(a->doctor, TEXT(""), after, call_limit(c), c->full);

    drop_unwanted(answer, c);
    admin_answer(a, c->who, answer);
}

static int64_t ns_of(const json_t *record, const char *key)
{
    return (int64_t)(json_number_value(json_object_get(record, key)) * 1e6);
}

static uint32_t number_of(const json_t *record, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(record, key));
}

/* How its connection fares now stands under the story. */
static void with_pulse(struct admin *a, const struct ask *ask, int status, json_t *body)
{
    json_t *session = json_object_get(body, "record");
    struct bedside_pulse p = {.n = number_of(session, "keepalives"),
                              .missed = number_of(session, "keepalives_missed"),
                              .gap_ns = ns_of(session, "keepalive_gap_ms"),
                              .worst_ns = ns_of(session, "keepalive_worst_ms"),
                              .jitter_ns = ns_of(session, "keepalive_jitter_ms"),
                              .told = json_object_get(session, "round_trip_ms"),
                              .round_trip_ns = ns_of(session, "round_trip_ms"),
                              .deviation_ns = ns_of(session, "round_trip_deviation_ms"),
                              .again = number_of(session, "segments_sent_again"),
                              .waiting = number_of(session, "segments_waiting")};
    enum language l = LANGUAGE_EN;
    struct grow text = {0};

    language_named(text_of(json_string_value(json_object_get(ask->kept, "lang"))), &l);
    json_object_del(ask->kept, "lang");
    grow_string(&text, json_string_value(json_object_get(ask->kept, "text")));
    bedside_pulse(&p, l, &text);
    json_object_set_new(ask->kept, "text", json_of(text_of(text.at ? text.at : "")));
    grow_done(&text);
    admin_answer(a, ask->who, json_incref(ask->kept));
}

void api_diagnosis_show(struct admin *a, const struct call *c)
{
    const char *tag = call_option(c, "lang");
    struct device_name name = phone_name(text_of(c->name));
    json_t *answer, *found;
    char *story;

    if (*tag && strcmp(tag, "en") != 0 && strcmp(tag, "fr") != 0 && strcmp(tag, "zh") != 0) {
        admin_refuse(a, c->who, "The doctor speaks en, fr and zh, not \"%s\".", tag);
        return;
    }
    if (!(story = live_doctor_story(a->doctor, name, tag))) {
        admin_refuse_as(a, c->who, 404, "%s was not heard of since the server started.", name.s);
        return;
    }
    found = live_doctor_list(a->doctor, text_of(name.s), 0, 0, c->full);
    answer = json_pack("{s:{s:s}, s:o, s:[{s:s, s:s, s:O, s:O}]}", "record", "name", name.s, "text",
                       json_of(text_of(story)), "sections", "name", "findings", "title", "Findings",
                       "columns", json_object_get(found, "columns"), "rows",
                       json_object_get(found, "rows"));
    json_decref(found);
    free(story);
    if (!phone_is_registered(a, text_of(name.s))) {
        admin_answer(a, c->who, answer);
        return;
    }
    json_object_set_new(answer, "lang", json_string(tag));
    admin_ask(a, c->who, REQUEST_PHONE_SESSION, json_pack("{s:s}", "name", name.s), with_pulse,
              answer);
}
