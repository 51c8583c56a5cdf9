/* faults.c - names of the faults; see faults.h. */
#include "handset/faults.h"

#include <errno.h>

const struct fault_row fault_rows[N_FAULTS] = {
#define FAULT(id, name, help) {name, help},
#include "handset/faults.def"
#undef FAULT
};

int fault_parse(struct text name, enum fault *ret)
{
    for (unsigned i = 0; i < N_FAULTS; i++) {
        if (text_is(name, fault_rows[i].name)) {
            *ret = (enum fault)i;
            return 0;
        }
    }
    return -ENOENT;
}
