#include "doctor/report/tell.h"

char *tell(const struct timeline *t, const struct tell_options *o,
           const struct diagnose_options *how, size_t *n_ill)
{
    struct report_view v = {.timeline = t,
                            .files = {o->files[0], o->files[1]},
                            .n_files = o->n_files,
                            .names = o->names,
                            .n_names = o->n_names,
                            .pair = how && how->pair != NULL,
                            .verbose = o->verbose,
                            .only = o->only,
                            .language = o->language,
                            .width = o->width};
    struct grow g = {0};
    struct diagnosis d;

    if (diagnose(t, how, &d) < 0)
        return NULL;
    v.diagnosis = &d;
    *n_ill = d.n_phones - d.n_well - d.n_unclear;
    if (o->shape == SHAPE_JSON)
        report_json(&v, &g);
    else if (o->shape == SHAPE_HTML)
        report_html(&v, &g);
    else
        report_text(&v, &g);
    diagnosis_done(&d);
    return grow_take(&g);
}

char *tell_cause(const char *name, const struct tell_options *o)
{
    struct grow g = {0};
    enum cause c;

    if (name) {
        if (cause_named(text_of(name), &c) < 0)
            return NULL;
        report_explain(c, o->language, o->width, &g);
        return grow_take(&g);
    }
    for (c = 0; c < N_CAUSES; c++)
        grow_format(&g, "%-24s %s\n", cause_row(c)->name, cause_words(c, o->language)->title);
    return grow_take(&g);
}
