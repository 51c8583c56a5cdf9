/* core_models.c - the model table is consistent, and found by what people type. */
#include "core/models.h"

#include "test.h"

static void every_type_stands_once_and_is_found(void **state)
{
    for (size_t i = 0; i < n_models; i++)
        assert_ptr_equal(model_find(models[i].type), &models[i]);
    assert_null(model_find(4711));
}

static void every_name_leads_to_its_model(void **state)
{
    for (size_t i = 0; i < n_models; i++)
        assert_ptr_equal(model_by_name(text_of(models[i].name)), &models[i]);
}

static void a_model_is_found_by_name_alias_title_or_type(void **state)
{
    assert_int_equal(model_by_name(TEXT("7960"))->type, 7);
    assert_int_equal(model_by_name(TEXT("7960G"))->type, 7);
    assert_int_equal(model_by_name(TEXT("Cisco 7960"))->type, 7);
    assert_int_equal(model_by_name(TEXT("cp-7961g-ge"))->type, 308);
    assert_int_equal(model_by_name(TEXT("7941GE"))->type, 309);
    assert_int_equal(model_by_name(TEXT(" 115 "))->type, 115);
    assert_int_equal(model_by_name(TEXT("30006"))->type, 30006);
    assert_int_equal(model_by_name(TEXT("12sp+"))->type, 2);
    assert_int_equal(model_by_name(TEXT("186"))->type, 12);
    assert_null(model_by_name(TEXT("")));
    assert_null(model_by_name(TEXT("Cisco ")));
    assert_null(model_by_name(TEXT("79")));
}

static void no_number_is_both_a_type_and_the_name_of_another_model(void **state)
{
    char digits[12];

    for (size_t i = 0; i < n_models; i++) {
        snprintf(digits, sizeof(digits), "%u", models[i].type);
        assert_ptr_equal(model_by_name(text_of(digits)), &models[i]);
    }
}

static void the_factory_template_lists_the_keys_in_order(void **state)
{
    static const uint8_t vip[] = {
        MODEL_ANY_KEY, MODEL_ANY_KEY, MODEL_ANY_KEY, MODEL_ANY_KEY, BUTTON_REDIAL, BUTTON_VOICE_MAIL,
        BUTTON_PARK, BUTTON_FORWARD_ALL, BUTTON_CONFERENCE, BUTTON_UNUSED, BUTTON_UNUSED, BUTTON_UNUSED,
        BUTTON_UNUSED, MODEL_ANY_KEY,
    };
    uint8_t keys[MODEL_KEYS_MAX];

    assert_int_equal(model_buttons(model_find(5), keys, MODEL_KEYS_MAX), 26);
    assert_memory_equal(keys, vip, sizeof(vip));
    assert_int_equal(model_buttons(model_find(2), keys, MODEL_KEYS_MAX), 12);
    assert_int_equal(keys[0], BUTTON_LINE);
    assert_int_equal(keys[11], BUTTON_VOICE_MAIL);
    assert_int_equal(model_buttons(model_find(7), keys, 4), 4);
}

static void no_model_has_more_lines_than_keys_or_an_unknown_key(void **state)
{
    uint8_t keys[MODEL_KEYS_MAX];

    for (size_t i = 0; i < n_models; i++) {
        size_t n = model_buttons(&models[i], keys, MODEL_KEYS_MAX);

        assert_int_equal(strspn(models[i].keys, "0123456789mLShtrvpfcd-MDHA"), strlen(models[i].keys));
        if (model_speaks(&models[i], PROTOCOL_SCCP) && model_is_phone(&models[i]))
            assert_in_range(models[i].max_lines, 1, n);
        assert_true(models[i].first_version <= models[i].last_version);
    }
}

static void a_phone_asks_for_the_files_of_its_generation_and_protocol(void **state)
{
    assert_string_equal(model_boot_files(model_find(2), PROTOCOL_SCCP), "SEP%M.cnf|SEPDEFAULT.cnf");
    assert_non_null(strstr(model_boot_files(model_find(437), PROTOCOL_SCCP), "ITLSEP%M.tlv|ITLFile.tlv"));
    assert_string_equal(model_boot_files(model_find(621), PROTOCOL_SCCP), "");
    assert_string_equal(model_boot_files(model_find(2), PROTOCOL_SIP_THIRD_PARTY), "");
}

static void the_lookup_of_an_unknown_type_prints_its_number(void **state)
{
    char to[12];

    assert_string_equal(model_print(30018, to), "7961");
    assert_string_equal(model_print(4294967295u, to), "4294967295");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_stands_once_and_is_found),
        cmocka_unit_test(every_name_leads_to_its_model),
        cmocka_unit_test(a_model_is_found_by_name_alias_title_or_type),
        cmocka_unit_test(no_number_is_both_a_type_and_the_name_of_another_model),
        cmocka_unit_test(the_factory_template_lists_the_keys_in_order),
        cmocka_unit_test(no_model_has_more_lines_than_keys_or_an_unknown_key),
        cmocka_unit_test(a_phone_asks_for_the_files_of_its_generation_and_protocol),
        cmocka_unit_test(the_lookup_of_an_unknown_type_prints_its_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
