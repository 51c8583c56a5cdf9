/* bulk_csv.c - phone lists: whatever the bytes, a change that is applied or refused; what it made
 * is written and read again to the same. */
#include <assert.h>
#include <stdlib.h>

#include "base/grow.h"
#include "server/bulk/bulk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct directory *start;

static const struct directory *read_into_new(const char *bytes, size_t len)
{
    struct change_fault rows[4];
    struct change_faults faults = {.rows = rows, .max = 4};
    struct change *c = change_new();
    char *copy = malloc(len + 1), error[256];
    struct delta d = {0};
    const struct directory *dir = NULL;

    assert(c && copy);
    memcpy(copy, bytes, len);
    if (bulk_csv_read(copy, len, TEXT(""), c, &faults, error, sizeof(error)) == 0 &&
        directory_apply(start, c, &faults, &d, error, sizeof(error)) == 0)
        dir = directory_ref(d.directory);
    delta_done(&d);
    change_free(c);
    free(copy);
    return dir;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct directory *dir, *again;
    struct grow first = {0}, second = {0};

    if (!start)
        start = directory_factory(TEXT("cm1"), TEXT("10.0.0.1"));
    if (!(dir = read_into_new((const char *)bytes, len)))
        return 0;
    bulk_csv_write(dir, &first);
    again = read_into_new(first.at, first.len);
    assert(again);
    bulk_csv_write(again, &second);
    assert(first.len == second.len && !memcmp(first.at, second.at, first.len));
    grow_done(&first);
    grow_done(&second);
    directory_unref(again);
    directory_unref(dir);
    return 0;
}
