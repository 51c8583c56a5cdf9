/* handset_manual.c - the manual pages of handset and fleet know every fault. */
#include "handset/faults.h"

#include "test.h"

static char *page(const char *name)
{
    char path[512];
    char *text = calloc(1, 65536);
    FILE *f;

    snprintf(path, sizeof(path), SOURCE_ROOT "/man/%s", name);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, 65535, f) > 0);
    fclose(f);
    return text;
}

static void every_fault_stands_in_both_pages(void **state)
{
    char *pages[] = {page("dialtone-handset.1"), page("dialtone-fleet.1")};

    for (unsigned i = 0; i < N_FAULTS; i++) {
        char name[64];
        size_t n = 0;

        for (const char *c = fault_rows[i].name; *c; c++) {
            if (*c == '-')
                name[n++] = '\\';
            name[n++] = *c;
        }
        name[n] = 0;
        for (unsigned j = 0; j < 2; j++)
            if (!strstr(pages[j], name) || !strstr(pages[j], fault_rows[i].help))
                fail_msg("%s is not in page %u", name, j);
    }
    free(pages[0]);
    free(pages[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_fault_stands_in_both_pages)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
