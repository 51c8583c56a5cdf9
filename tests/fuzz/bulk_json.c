/* bulk_json.c - everything as JSON: whatever the bytes, a change that is applied or refused; what
 * it made is written and read again to the same. */
#include <assert.h>
#include <stdlib.h>

#include "base/grow.h"
#include "server/bulk/bulk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct directory *read_into(const struct directory *from, const char *bytes,
                                         size_t len)
{
    struct change_fault rows[4];
    struct change_faults faults = {.rows = rows, .max = 4};
    struct change *c = change_new();
    struct delta d = {0};
    const struct directory *dir = NULL;
    char error[256];

    assert(c);
    if (bulk_json_read(bytes, len, c, &faults, error, sizeof(error)) == 0 && !faults.total &&
        directory_apply(from, c, &faults, &d, error, sizeof(error)) == 0)
        dir = directory_ref(d.directory);
    delta_done(&d);
    change_free(c);
    return dir;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct directory *start, *empty;
    const struct directory *dir, *again;
    struct grow first = {0}, second = {0};

    if (!start) {
        start = directory_factory(TEXT("cm1"), TEXT("10.0.0.1"));
        empty = directory_empty();
    }
    if (!(dir = read_into(start, (const char *)bytes, len)))
        return 0;
    bulk_json_write(dir, true, &first);
    again = read_into(empty, first.at, first.len);
    assert(again);
    bulk_json_write(again, true, &second);
    assert(first.len == second.len && !memcmp(first.at, second.at, first.len));
    grow_done(&first);
    grow_done(&second);
    directory_unref(again);
    directory_unref(dir);
    return 0;
}
