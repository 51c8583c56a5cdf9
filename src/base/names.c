#include "base/names.h"

#include <errno.h>

const char *names_print(const struct name *table, uint32_t value)
{
    for (; table->name; table++)
        if (table->value == value)
            return table->name;
    return NULL;
}

int names_parse(const struct name *table, struct text t, uint32_t *ret)
{
    for (; table->name; table++) {
        if (!text_equal_nocase(t, text_of(table->name)))
            continue;
        *ret = table->value;
        return 0;
    }
    return -ENOENT;
}
