/* provision_loads.c - firmware files are recognised, and what is missing is named. */
#include "provision/loads.h"

#include "test.h"

static const char *const *present;

static bool find(void *context, const char *name, uint64_t *size)
{
    for (const char *const *p = present; *p; p++) {
        if (strcasecmp(*p, name) == 0) {
            *size = strlen(name);
            return true;
        }
    }
    return false;
}

static void a_loads_file_names_its_parts(void **state)
{
    /* shaped as signed headers are: lengths and signatures around names that end with NUL */
    static const char bytes[] = "\x01\x02\x00\x14\x82SCCP45.9-4-2SR3-1S.loads\0\xff\xfe\x07"
                                "apps45.9-4-2ES26.sbn\0\x00\x15" "cnu45.9-4-2ES26.sbn\0cvm45sccp.9-4-2ES26.sbn\0"
                                "dsp45.9-4-2ES26.sbn\0jar45sccp.9-4-2ES26.sbn\0noise.\0cnu45.9-4-2ES26.sbn\0";
    static const char *const files[] = {"sccp45.9-4-2sr3-1s.LOADS", "apps45.9-4-2ES26.sbn", "CNU45.9-4-2ES26.SBN",
                                        "cvm45sccp.9-4-2ES26.sbn", "jar45sccp.9-4-2ES26.sbn", NULL};
    struct load_info l;

    load_read("SCCP45.9-4-2SR3-1S.loads", (const uint8_t *)bytes, sizeof(bytes), &l);
    assert_string_equal(l.name, "SCCP45.9-4-2SR3-1S");
    assert_int_equal(l.n_parts, 6);
    present = files;
    load_look(&l, find, NULL);
    assert_int_equal(l.n_missing, 1);
    assert_string_equal(l.parts[4].name, "dsp45.9-4-2ES26.sbn");
    assert_false(l.parts[4].present);
}

static void truncated_loads_files_do_no_harm(void **state)
{
    static const char bytes[] = "\x01" "apps45.9-4-2ES26.sbn\0" "cnu45.9-4-2ES26.sbn";
    struct load_info l;

    for (size_t len = 0; len <= sizeof(bytes); len++) {
        load_read("x.loads", (const uint8_t *)bytes, len, &l);
        assert_in_range(l.n_parts, 1, 3);
    }
}

static void a_file_with_very_many_names_fills_the_list_and_no_more(void **state)
{
    char bytes[64 * 20];
    struct load_info l;

    for (unsigned i = 0; i < 64; i++)
        snprintf(bytes + 20 * i, 20, "part%03u-1-2-3.sbn", i);
    load_read("x.loads", (const uint8_t *)bytes, sizeof(bytes), &l);
    assert_int_equal(l.n_parts, LOAD_PARTS_MAX);
}

static void the_parts_of_a_7960_load_are_known_by_rule(void **state)
{
    static const char *const files[] = {"P0030801SR02.loads", "P0030801SR02.sb2", NULL};
    struct load_info l;

    load_read("P0030801SR02.loads", (const uint8_t *)"", 0, &l);
    present = files;
    load_look(&l, find, NULL);
    assert_int_equal(l.n_parts, 4);
    assert_int_equal(l.n_missing, 2);
}

static void a_load_fits_the_models_of_its_family(void **state)
{
    static const struct {
        const char *load;
        uint32_t type;
        int fits; /* -1: not, else the protocol */
    } rows[] = {
        {"SCCP41.9-4-2SR3-1S", 115, PROTOCOL_SCCP}, {"SCCP41.9-4-2SR3-1S", 30018, PROTOCOL_SCCP},
        {"SIP41.9-4-2SR3-1S", 308, PROTOCOL_SIP},   {"SCCP41.9-4-2SR3-1S", 434, -1},
        {"P0030801SR02", 7, PROTOCOL_SCCP},         {"P0S3-08-12-00", 8, PROTOCOL_SIP},
        {"P00405000700", 6, PROTOCOL_SCCP},         {"P00405000700", 7, -1},
        {"sip88xx.12-8-1-0001-455", 684, PROTOCOL_SIP}, {"term61.default", 308, PROTOCOL_SCCP},
        {"term61.default", 115, -1},                {"CP7912080000SIP060111A", 30007, PROTOCOL_SIP},
        {"readme", 7, -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum device_protocol p;
        bool fits = load_fits(rows[i].load, model_find(rows[i].type), &p);

        assert_int_equal(fits, rows[i].fits >= 0);
        if (fits)
            assert_int_equal(p, rows[i].fits);
    }
}

static void models_are_listed_and_cut_at_a_name(void **state)
{
    char to[64];

    load_models("SCCP45.9-4-2SR3-1S", to, sizeof(to));
    assert_string_equal(to, "7945, 7965");
    load_models("SCCP45.9-4-2SR3-1S", to, 10);
    assert_string_equal(to, "7945");
}

static void only_files_that_stand_for_a_load_are_loads(void **state)
{
    static const struct {
        const char *file, *load;
    } rows[] = {
        {"SCCP45.9-4-2SR3-1S.loads", "SCCP45.9-4-2SR3-1S"}, {"CP7921G-1.4.6.3.LOADS", "CP7921G-1.4.6.3"},
        {"CP7912080004SCCP080108A.sbin", "CP7912080004SCCP080108A"}, {"P00405000700.bin", "P00405000700"},
        {"apps45.9-4-2ES26.sbn", NULL}, {"picture.bin", NULL}, {"sub/x.loads", NULL}, {".loads", NULL},
    };
    char name[LOAD_NAME_MAX + 1];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(load_name_of(rows[i].file, name), rows[i].load != NULL);
        if (rows[i].load)
            assert_string_equal(name, rows[i].load);
    }
    assert_true(load_is_firmware("rootfs.78xx.11-0-1-11.SBN"));
    assert_true(load_is_firmware("OS79XX.TXT"));
    assert_false(load_is_firmware("copstart.sh"));
    assert_false(load_is_firmware("README.txt"));
}

static void stepping_stones_are_told_where_they_lie(void **state)
{
    assert_non_null(load_advice("SCCP45.9-4-2SR3-1S"));
    assert_null(load_advice("SCCP45.8-3-3S"));
    assert_non_null(load_advice("P0S3-08-12-00"));
    assert_null(load_advice("sip88xx.12-8-1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loads_file_names_its_parts),
        cmocka_unit_test(truncated_loads_files_do_no_harm),
        cmocka_unit_test(a_file_with_very_many_names_fills_the_list_and_no_more),
        cmocka_unit_test(the_parts_of_a_7960_load_are_known_by_rule),
        cmocka_unit_test(a_load_fits_the_models_of_its_family),
        cmocka_unit_test(models_are_listed_and_cut_at_a_name),
        cmocka_unit_test(only_files_that_stand_for_a_load_are_loads),
        cmocka_unit_test(stepping_stones_are_told_where_they_lie),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
