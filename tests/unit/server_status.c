#include "test.h"

#include "server/status.h"

static void tell(struct status *s, const char *name, enum progress_stage stage, uint32_t code,
                 uint64_t at_s)
{
    struct progress_event e = {
        .time_us = at_s * 1000000, .stage = (uint16_t)stage, .code = code, .model = 7};

    e.device = device_name_of(text_of(name));
    e.ip = ip_v4(0x0a000007);
    strcpy(e.detail, stage == PROGRESS_REGISTERED ? "P00308010200" : "Error: DB Config");
    status_event(s, &e);
}

static void a_phone_registers_leaves_and_is_still_known(void **state)
{
    struct status *s = status_new(100, 100);
    const struct device_status *d;

    assert_null(status_find(s, TEXT("SEP001122334455")));
    tell(s, "SEP001122334455", PROGRESS_REGISTERED, 0, 1000);
    d = status_find(s, TEXT("SEP001122334455"));
    assert_int_equal(d->state, STATE_REGISTERED);
    assert_string_equal(d->load, "P00308010200");
    assert_string_equal(status_reason(d), "");
    tell(s, "SEP001122334455", PROGRESS_UNREGISTERED, 13, 1060);
    assert_int_equal(d->state, STATE_UNREGISTERED);
    assert_int_equal(d->since_s, 1060);
    assert_int_equal(d->reason, 13);
    assert_string_not_equal(status_reason(d), "");
    assert_int_equal(status_count(s, STATE_REGISTERED), 0);
    assert_int_equal(status_count(s, STATE_UNREGISTERED), 1);
    status_free(s);
}

static void a_refused_phone_counts_its_attempts(void **state)
{
    struct status *s = status_new(100, 100);

    for (int i = 0; i < 3; i++)
        tell(s, "SEP001122334455", PROGRESS_REJECTED, 29, 1000);
    assert_int_equal(status_find(s, TEXT("SEP001122334455"))->attempts, 3);
    assert_int_equal(status_count(s, STATE_REJECTED), 1);
    status_free(s);
}

static void stages_of_the_boot_are_no_status(void **state)
{
    struct status *s = status_new(100, 100);

    tell(s, "SEP001122334455", PROGRESS_FILE_ASKED, 0, 1000);
    assert_null(status_find(s, TEXT("SEP001122334455")));
    status_free(s);
}

static void a_flood_of_refusals_never_pushes_a_registered_phone_out(void **state)
{
    struct status *s = status_new(1000, 50);
    const struct device_status *d;
    size_t cursor = 0, n = 0;
    char name[16];

    tell(s, "SEP001122334455", PROGRESS_REGISTERED, 0, 1000);
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "SEP%012X", i);
        tell(s, name, PROGRESS_REJECTED, 29, 1000 + i);
    }
    while ((d = status_next(s, &cursor)))
        n++;
    assert_int_equal(n, 51);
    assert_int_equal(status_count(s, STATE_REJECTED), 50);
    assert_int_equal(status_find(s, TEXT("SEP001122334455"))->state, STATE_REGISTERED);
    assert_null(status_find(s, TEXT("SEP000000000001")));
    assert_non_null(status_find(s, TEXT("SEP00000000270F")));
    status_free(s);
}

static void a_device_is_small(void **state)
{
    assert_true(sizeof(struct device_status) <= 72);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_registers_leaves_and_is_still_known),
        cmocka_unit_test(a_refused_phone_counts_its_attempts),
        cmocka_unit_test(stages_of_the_boot_are_no_status),
        cmocka_unit_test(a_flood_of_refusals_never_pushes_a_registered_phone_out),
        cmocka_unit_test(a_device_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
