/* models.c - the device models: what each one is and can do, for lists and pictures. */
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "core/models.h"
#include "server/api/lists.h"

static const char *const model_columns[] = {"name",     "title",  "family", "protocols", "lines",
                                            "softkeys", "screen", "type",   "keys"};

#define N_MODEL_COLUMNS (sizeof(model_columns) / sizeof(*model_columns))
#define N_MODEL_USUAL   7

static json_t *protocols_of(const struct model *m)
{
    char words[64] = "";
    size_t n = 0;

    for (enum device_protocol p = PROTOCOL_SCCP; p <= PROTOCOL_SIP_THIRD_PARTY; p++)
        if (model_speaks(m, p))
            n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? "," : "",
                                  names_print(device_protocols, p));
    return json_string(words);
}

static json_t *screen_of(const struct model *m)
{
    const struct model_screen *s = &m->screen;

    if (s->width)
        return json_sprintf("%ux%ux%u", s->width, s->height, s->depth);
    return s->columns ? json_sprintf("%ux%u characters", s->columns, s->rows) : json_string("");
}

/* In order, with "any" for a key that may be what the administrator likes. */
static json_t *keys_of(const struct model *m)
{
    uint8_t features[MODEL_KEYS_MAX];
    size_t n = model_buttons(m, features, MODEL_KEYS_MAX);
    json_t *keys = json_array();

    for (size_t i = 0; i < n; i++) {
        const char *word =
            features[i] == MODEL_ANY_KEY ? "any" : names_print(button_features, features[i]);

        json_array_append_new(keys, json_string(word ? word : "unused"));
    }
    return keys;
}

static json_t *model_row(const struct model *m, size_t n_columns)
{
    json_t *row =
        json_pack("[s, s, s, o, i, i, o, i, o]", m->name, m->title,
                  model_generations[m->generation].name, protocols_of(m), (int)m->max_lines,
                  (int)m->softkeys, screen_of(m), (int)m->type, keys_of(m));

    while (json_array_size(row) > n_columns)
        json_array_remove(row, json_array_size(row) - 1);
    return row;
}

void api_model_list(struct admin *a, const struct call *c)
{
    size_t n_columns = c->full ? N_MODEL_COLUMNS : N_MODEL_USUAL;
    json_t *columns = json_array(), *rows = json_array();

    for (size_t i = 0; i < n_columns; i++)
        json_array_append_new(columns, json_string(model_columns[i]));
    for (size_t i = 0; i < n_models; i++) {
        json_t *row = model_is_phone(&models[i]) ? model_row(&models[i], n_columns) : NULL;

        if (row && row_fits(row, c))
            json_array_append(rows, row);
        json_decref(row);
    }
    admin_answer(a, c->who, json_pack("{s:o, s:o}", "columns", columns, "rows", rows));
}
