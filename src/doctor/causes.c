#include "doctor/finding.h"

#include <errno.h>

static const struct cause_row rows[] = {
#define CAUSE(id, name, stage, severity, seen) {name, seen, STAGE_##stage, SEVERITY_##severity},
#include "doctor/causes.def"
#undef CAUSE
};

const struct cause_row *cause_row(enum cause c)
{
    return &rows[c];
}

int cause_named(struct text name, enum cause *ret)
{
    for (int i = 0; i < N_CAUSES; i++)
        if (text_equal(name, text_of(rows[i].name))) {
            *ret = i;
            return 0;
        }
    return -ENOENT;
}
