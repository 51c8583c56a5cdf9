/* diagnosis.c - what the doctor beside the server found. */
#include <stdlib.h>
#include <string.h>

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
    admin_answer(a, c->who, answer);
}
