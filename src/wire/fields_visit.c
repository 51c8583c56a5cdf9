/* fields_visit.c - goes through a struct by its table. */
#include "wire/fields_walk.h"

void fields_visit(const struct field *rows, unsigned version, void *record,
                  void (*visit)(void *context, const struct field *row, void *member),
                  void *context)
{
    struct walk k = walk_of(version);

    for (const struct field *row = rows; row->kind != F_END; row++) {
        uint8_t *at = (uint8_t *)record + row->at;

        if (walk_mark(&k, row) || !walk_takes(&k) || row->kind == F_PAD || row->kind == F_LEN)
            continue;
        if (row->kind != F_LIST && row->kind != F_SLOTS && row->kind != F_ARRAY) {
            visit(context, row, at);
            continue;
        }
        for (uint32_t i = 0; i < used_of(row, record); i++)
            fields_visit(row->rows(), version, at + (size_t)i * row->stride, visit, context);
    }
}
