/* provision_phone_files.c - what holds for the file of every model. The bytes are in
 * tests/golden/files. */
#include "provision/phone_files.h"

#include "test.h"

#include "core/directory/change.h"
#include "core/models.h"
#include "provision/sip_files.h"
#include "provision/softkey_files.h"
#include "wire/xml.h"

static const struct directory *dir;
static uint8_t bytes[PHONE_FILE_MAX];

static int set_up(void **state)
{
    dir = directory_factory(TEXT("cm1"), TEXT(""));
    return dir ? 0 : -1;
}

static int tear_down(void **state)
{
    directory_unref(dir);
    return 0;
}

static void put(enum entity e, const char *key, const char *const *fields)
{
    struct change *c = change_new();
    char error[300] = "";

    change_put(c, e, text_of(key));
    for (; fields && fields[0]; fields += 2)
        change_field(c, text_of(fields[0]), text_of(fields[1]));
    if (directory_change(&dir, c, error, sizeof(error)) < 0)
        fail_msg("%s", error);
    change_free(c);
}

static void put_delete(const char *phone)
{
    struct change *c = change_new();
    char error[300] = "";

    change_delete(c, ENTITY_phone, text_of(phone));
    assert_int_equal(directory_change(&dir, c, error, sizeof(error)), 0);
    change_free(c);
}

static int build(const char *asked, size_t size, size_t *len)
{
    struct phone_file_context c = {.local = ip_v4(0xc0000201), .node_name = "cm1"};
    struct writer w = writer_of(bytes, size);
    struct file_name name;
    int err = file_name_parse(text_of(asked), &name);

    if (!err)
        err = phone_file_build(dir, &name, &c, &w);
    if (len)
        *len = writer_len(&w);
    return err;
}

static int any_element(void *context, const struct xml_event *e)
{
    return 0;
}

static void every_model_with_sccp_gets_a_well_formed_file_without_secrets(void **state)
{
    char type[12], protocol[] = "sccp";
    const char *fields[] = {"model", type, "protocol", protocol, "unlock_password", "sesame", NULL};
    size_t len;

    for (size_t i = 0; i < n_models; i++) {
        if (!model_speaks(&models[i], PROTOCOL_SCCP) || !model_is_phone(&models[i]))
            continue;
        snprintf(type, sizeof(type), "%u", models[i].type);
        put(ENTITY_phone, "SEP001122334455", fields);
        assert_int_equal(build("SEP001122334455.cnf.xml", sizeof(bytes), &len), 0);
        assert_int_equal(xml_read(bytes, len, any_element, NULL, NULL), 0);
        assert_true(len < PHONE_FILE_OLD_MAX);
        assert_null(memmem(bytes, len, "sesame", 6));
        assert_null(memmem(bytes, len, "phonePassword", 13));
    }
}

/* What SIPCC needs to call it a configuration, and 88xx to register: name, proxy, port, authName in each line. */
struct seen {
    unsigned lines, names, proxies, ports, auth_names, contacts;
    char stamp[SIP_STAMP_LEN + 1];
};

static int sip_element(void *context, const struct xml_event *e)
{
    static const char line[] = "device/sipProfile/sipLines/line";
    struct seen *s = context;
    struct text below = text_starts(e->path, line) ? text_skip(e->path, strlen(line)) : TEXT("-");

    if (e->kind != XML_CLOSE)
        return 0;
    s->lines += text_is(below, "");
    s->names += text_is(below, "/name") && e->value.len;
    s->proxies += text_is(below, "/proxy") && text_is(e->value, "USECALLMANAGER");
    s->ports += text_is(below, "/port") && e->value.len;
    s->auth_names += text_is(below, "/authName") && e->value.len;
    s->contacts += text_is(below, "/contact") && sip_button_of(directory_phone(dir, TEXT("SEP001122334455")), e->value);
    if (text_is(e->path, "device/versionStamp"))
        text_copy(s->stamp, sizeof(s->stamp), e->value);
    return 0;
}

static void assert_no_secret(size_t len)
{
    assert_null(memmem(bytes, len, "sesame", 6));
    assert_null(memmem(bytes, len, "assword", 7));
    assert_null(memmem(bytes, len, "ha1:", 4));
}

static void every_model_with_sip_gets_a_file_with_its_lines_and_no_secret(void **state)
{
    char type[12], asked[FILE_NAME_MAX + 1];
    const char *fields[] = {"model", type, "protocol", "sip", "unlock_password", "sesame", "owner", "alice",
                            "lines", "7001;7002", NULL};
    struct sip_stamps stamps;
    struct seen seen;
    size_t len;

    put(ENTITY_user, "alice", (const char *const[]){"digest_password", "sesame", NULL});
    for (size_t i = 0; i < n_models; i++) {
        const struct model *m = &models[i];
        const struct phone *phone;
        bool own_format = m->generation == MODEL_7905 || m->generation == MODEL_ATA || m->generation == MODEL_SPA;

        if (!model_speaks(m, PROTOCOL_SIP) || !model_is_phone(m))
            continue;
        snprintf(type, sizeof(type), "%u", m->type);
        put(ENTITY_phone, "SEP001122334455", fields);
        phone = directory_phone(dir, TEXT("SEP001122334455"));
        assert_int_equal(build(phone_file_name(phone, asked), sizeof(bytes), &len), 0);
        assert_no_secret(len);
        if (m->generation == MODEL_7940)
            continue; /* text */
        seen = (struct seen){0};
        assert_int_equal(xml_read(bytes, len, sip_element, &seen, NULL), 0);
        sip_stamps(dir, phone, &stamps);
        if (m->generation != MODEL_SPA)
            assert_string_equal(seen.stamp, stamps.config);
        if (own_format)
            continue;
        assert_int_equal(seen.lines, 2);
        assert_int_equal(seen.names, 2);
        assert_int_equal(seen.proxies, 2);
        assert_int_equal(seen.ports, 2);
        assert_int_equal(seen.auth_names, 2);
        assert_int_equal(seen.contacts, 2);
    }
}

/* SIPCC's reader passes over an element whose first child follows without white space (cisco-sip.md 10). */
static void white_space_stands_before_every_first_child(void **state)
{
    size_t len;

    put(ENTITY_phone, "SEP001122334455",
        (const char *const[]){"model", "8841", "protocol", "sip", "lines", "7001", NULL});
    assert_int_equal(build("SEP001122334455.cnf.xml", sizeof(bytes), &len), 0);
    for (size_t i = 0; i + 2 < len; i++) {
        if (bytes[i] == '>' && bytes[i + 1] == '<')
            assert_int_equal(bytes[i + 2], '/'); /* empty */
    }
}

static void stamps_of_dial_rules_softkeys_and_features_are_those_that_are_quoted(void **state)
{
    char asked[FILE_NAME_MAX + 1], element[64];
    struct sip_stamps stamps;
    size_t len;

    put(ENTITY_dial_rules, "Paris", (const char *const[]){"rules", "4...,0", NULL});
    put(ENTITY_phone, "SEP001122334455",
        (const char *const[]){"model", "8841", "protocol", "sip", "dial_rules", "Paris", NULL});
    sip_stamps(dir, directory_phone(dir, TEXT("SEP001122334455")), &stamps);
    {
        const char *const rows[][2] = {
            {dial_file_name("Paris", asked), stamps.dialplan},
            {"DefaultFP.xml", stamps.features},
            {"softkeyDefault_kpml.xml", stamps.softkeys},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            assert_int_equal(build(rows[i][0], sizeof(bytes), &len), 0);
            snprintf(element, sizeof(element), "<versionStamp>%s</versionStamp>", rows[i][1]);
            assert_non_null(memmem(bytes, len, element, strlen(element)));
        }
    }
}

static void what_an_administrator_typed_cannot_break_the_file(void **state)
{
    static const char *const fields[] = {"model", "7975", "vendor_config",
                                         "a<b=1;x y=2;=3;;webAccess=<&>\";loggingDisplay=0", NULL};
    size_t len;

    put(ENTITY_phone, "SEP001122334455", fields);
    assert_int_equal(build("SEP001122334455.cnf.xml", sizeof(bytes), &len), 0);
    assert_int_equal(xml_read(bytes, len, any_element, NULL, NULL), 0);
    assert_non_null(memmem(bytes, len, "<webAccess>&lt;&amp;&gt;", 23));
}

static void a_file_that_does_not_fit_is_refused_at_every_size(void **state)
{
    static const char *const fields[] = {"model", "7960", NULL};
    size_t len;

    put(ENTITY_phone, "SEP001122334455", fields);
    assert_int_equal(build("SEP001122334455.cnf.xml", sizeof(bytes), &len), 0);
    for (size_t size = 0; size < len; size++)
        assert_int_equal(build("SEP001122334455.cnf.xml", size, NULL), -ENOSPC);
    assert_int_equal(build("SEP001122334455.cnf.xml", len, NULL), 0);
}

static void the_version_stamp_changes_with_everything_the_file_is_made_from(void **state)
{
    static const char *const phone[] = {"model", "7960", NULL};
    static const struct {
        enum entity e;
        const char *key;
        const char *fields[3];
    } changes[] = {
        {ENTITY_phone, "SEP001122334455", {"load", "P0030801SR02"}},
        {ENTITY_device_pool, "Default", {"connection_monitor", "90"}},
        {ENTITY_callmanager_group, "Default", {"autoregistration", "false"}},
        {ENTITY_callmanager_group, "Default", {"load_sharing", "all"}},
        {ENTITY_callmanager, "cm1", {"sccp_port", "2222"}},
        {ENTITY_datetime, "CMLocal", {"format", "D/M/Y"}},
        {ENTITY_defaults, "7960/sccp", {"load", "P0030801SR01"}},
        {ENTITY_parameter, "url_services", {"value", "http://192.0.2.9/"}},
        {ENTITY_parameter, "connection_monitor_duration", {"value", "77"}},
    };
    char before[64], after[64];
    size_t len;

    put(ENTITY_phone, "SEP001122334455", phone);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        build("SEP001122334455.cnf.xml", sizeof(bytes), &len);
        memcpy(before, memmem(bytes, len, "<versionStamp>", 14), 32);
        if (changes[i].e == ENTITY_parameter &&
            strcmp(changes[i].key, "connection_monitor_duration") == 0)
            put(ENTITY_device_pool, "Default",
                (const char *const[]){"connection_monitor", "-1", NULL});
        put(changes[i].e, changes[i].key, changes[i].fields);
        build("SEP001122334455.cnf.xml", sizeof(bytes), &len);
        memcpy(after, memmem(bytes, len, "<versionStamp>", 14), 32);
        assert_memory_not_equal(before, after, 32);
    }
}

/* Each field of a phone: those that are alike get the same file but for its stamp, whatever differs
 * else. */
static void files_of_phones_that_are_alike_differ_by_their_stamp_alone(void **state)
{
    static const char *const changes[][2] = {
        {"description", "x"},
        {"css", "c"},
        {"location", "Hub_None"},
        {"load", "P1"},
        {"delayed_failover", "true"},
        {"user_locale", "French_France"},
        {"network_locale", "France"},
        {"vendor_config", "webAccess=0"},
        {"unlock_password", "x"},
        {"quarantine", "true"},
        {"auto_registered", "true"},
        {"pool", "Other"},
        {"model", "7961"},
        {"softkeys", "Standard User"},
        {"lines", "7009"},
        {"protocol", "sip"},
        {"sip_profile", "Standard SIP Profile"},
    };
    static uint8_t first[PHONE_FILE_MAX], second[PHONE_FILE_MAX];
    struct phone_file_stamp stamp;
    struct phone_file_context c = {.local = ip_v4(0xc0000201), .stamp = &stamp};
    size_t n_alike = 0;

    put(ENTITY_css, "c", NULL);
    put(ENTITY_device_pool, "Other", (const char *const[]){"connection_monitor", "77", NULL});
    put(ENTITY_phone, "SEP001122334401", (const char *const[]){"model", "7960", NULL});
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct writer a = writer_of(first, sizeof(first)), b = writer_of(second, sizeof(second));
        const struct phone *p, *q;
        struct file_name name;
        bool same;

        put(ENTITY_phone, "SEP001122334402", (const char *const[]){"model", "7960", NULL});
        put(ENTITY_phone, "SEP001122334402",
            (const char *const[]){changes[i][0], changes[i][1], NULL});
        p = directory_phone(dir, TEXT("SEP001122334401"));
        q = directory_phone(dir, TEXT("SEP001122334402"));
        file_name_parse(TEXT("SEP001122334402.cnf.xml"), &name);
        assert_int_equal(phone_file_build(dir, &name, &c, &b), 0);
        file_name_parse(TEXT("SEP001122334401.cnf.xml"), &name);
        assert_int_equal(phone_file_build(dir, &name, &c, &a), 0);
        phone_file_restamp(first, &stamp, q);
        same = writer_len(&a) == writer_len(&b) && memcmp(first, second, writer_len(&a)) == 0;
        if (phone_file_likeness(dir, p) == phone_file_likeness(dir, q))
            assert_true(same);
        n_alike += same;
        put_delete("SEP001122334402");
    }
    assert_in_range(n_alike, 5, sizeof(changes) / sizeof(changes[0]) - 5);
}

/* The server where the first phone of three members' group is told to register: 1, 2 or 3. */
static int first_server(const char *name)
{
    char file[32];
    const char *at;
    size_t len;

    snprintf(file, sizeof(file), "%s.cnf.xml", name);
    assert_int_equal(build(file, sizeof(bytes), &len), 0);
    bytes[len] = 0;
    at = strstr((char *)bytes, "<processNodeName>192.0.2.");
    assert_non_null(at);
    return at[25] - '0';
}

static void phones_of_a_group_that_shares_them_are_told_different_servers_first(void **state)
{
    unsigned n[4] = {0}, alike[4] = {0};
    uint64_t likeness[4][300];

    for (int i = 2; i <= 3; i++) {
        char name[8], server[16];

        snprintf(name, sizeof(name), "cm%d", i);
        snprintf(server, sizeof(server), "192.0.2.%d", i);
        put(ENTITY_server_node, server, NULL);
        put(ENTITY_callmanager, name, (const char *const[]){"server", server, NULL});
    }
    put(ENTITY_callmanager_group, "Default",
        (const char *const[]){"members", "cm1;cm2;cm3", "load_sharing", "all", NULL});
    for (unsigned i = 0; i < 300; i++) {
        char name[20];
        int first;

        snprintf(name, sizeof(name), "SEP%012X", 0x330000 + i);
        put(ENTITY_phone, name, (const char *const[]){"model", "7960", NULL});
        first = first_server(name);
        likeness[first][n[first]++] = phone_file_likeness(dir, directory_phone(dir, text_of(name)));
    }
    for (int i = 1; i <= 3; i++) {
        assert_in_range(n[i], 80, 120);
        for (unsigned k = 1; k < n[i]; k++)
            alike[i] += likeness[i][k] == likeness[i][0];
        assert_in_range(alike[i], n[i] / 4, n[i] * 3 / 4); /* two orders begin with this server */
    }
}

static void a_phone_asks_first_for_the_name_its_model_uses(void **state)
{
    static const struct {
        const char *model, *file;
    } rows[] = {
        {"7960", "SEP00112233AABB.cnf.xml"},
        {"12SP+", "SEP00112233AABB.cnf"},
        {"7905", "SEP00112233aabb.cnf.xml"},
        {"8841", "SEP00112233AABB.cnf.xml"},
    };
    char name[FILE_NAME_MAX + 1];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put(ENTITY_phone, "SEP00112233AABB", (const char *const[]){"model", rows[i].model, NULL});
        assert_string_equal(phone_file_name(directory_phone(dir, TEXT("SEP00112233AABB")), name),
                            rows[i].file);
        put_delete("SEP00112233AABB");
    }
    put(ENTITY_phone, "SEP00112233AABB", (const char *const[]){"model", "7960", "protocol", "sip", NULL});
    assert_string_equal(phone_file_name(directory_phone(dir, TEXT("SEP00112233AABB")), name), "SIP00112233AABB.cnf");
}

static void a_softkey_template_is_found_by_the_name_made_from_its_own(void **state)
{
    char name[SOFTKEY_FILE_NAME_MAX];
    size_t len;

    softkey_file_name("Standard User", name);
    assert_int_equal(build(name, sizeof(bytes), &len), 0);
    assert_int_equal(xml_read(bytes, len, any_element, NULL, NULL), 0);
    assert_non_null(memmem(bytes, len, "<softKeySet id=\"On Hook\">", 25));
    name[5] ^= 1;
    assert_int_equal(build(name, sizeof(bytes), &len), -ENOENT);
}

static void names_that_lead_elsewhere_are_no_names(void **state)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "..",
                                      "../x",
                                      "a/../b",
                                      "a/./b",
                                      "a//b",
                                      "a/",
                                      "//x",
                                      ".x",
                                      "a/.x",
                                      "c:/x",
                                      "x%2e",
                                      "a\001b",
                                      "a\nb",
                                      "\\\\server\\share"};
    static const char *const good[] = {
        "/x", "./x", "\\x", "a/b/c.xml", "Desktops\\320x212x12\\List.xml", "a..b"};
    struct file_name n;
    char long_name[200];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(file_name_parse(text_of(bad[i]), &n), -EINVAL);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(file_name_parse(text_of(good[i]), &n), 0);
    assert_int_equal(file_name_parse((struct text){"a\0b", 3}, &n), -EINVAL);
    memset(long_name, 'a', sizeof(long_name));
    assert_int_equal(file_name_parse((struct text){long_name, FILE_NAME_MAX}, &n), 0);
    assert_int_equal(file_name_parse((struct text){long_name, FILE_NAME_MAX + 1}, &n), -EINVAL);
}

static void a_name_tells_kind_device_and_signature(void **state)
{
    static const struct {
        const char *asked;
        enum file_kind kind;
        const char *device;
        bool is_signed;
    } rows[] = {
        {"SEP001122334455.cnf.xml", FILE_PHONE_XML, "SEP001122334455", false},
        {"sep00112233aabb.cnf.xml", FILE_PHONE_XML, "SEP00112233AABB", false},
        {"SEP001122334455.cnf.xml.sgn", FILE_PHONE_XML, "SEP001122334455", true},
        {"SEP001122334455.cnf.xml.enc.sgn", FILE_PHONE_XML, "SEP001122334455", true},
        {"SEP001122334455.cnf", FILE_PHONE_BINARY, "SEP001122334455", false},
        {"XmlDefault.cnf.xml", FILE_DEFAULT_XML, "", false},
        {"SEPDefault.cnf", FILE_DEFAULT_BINARY, "", false},
        {"CTLSEP001122334455.tlv", FILE_TRUST, "SEP001122334455", false},
        {"ITLFile.tlv", FILE_TRUST, "", false},
        {"gk001122334455.txt", FILE_PHONE_OTHER, "SEP001122334455", false},
        {"SIP001122334455.cnf", FILE_PHONE_TEXT, "SEP001122334455", false},
        {"SIPDefault.cnf", FILE_DEFAULT_TEXT, "", false},
        {"softkeyDefault_kpml.xml", FILE_SOFTKEYS, "", false},
        {"DR01234567-89ab.xml", FILE_DIAL_TEMPLATE, "", false},
        {"dialplan.xml", FILE_DIAL_TEMPLATE, "", false},
        {"DialTemplate.xml", FILE_PLAIN, "", false},
        {"syncinfo.xml", FILE_SYNC, "", false},
        {"CIPCalice.cnf.xml", FILE_PHONE_XML, "CIPCALICE", false},
        {"SCCP69xx.9-4-1-3.zz.sgn", FILE_PLAIN, "", false},
        {"ATA030204SCCP090202A.zup", FILE_PLAIN, "", false},
        {"os79xx.txt", FILE_LOADER, "", false},
        {"Desktops/SEP001122334455.cnf.xml", FILE_PLAIN, "", false},
    };
    struct file_name n;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(file_name_parse(text_of(rows[i].asked), &n), 0);
        assert_int_equal(n.kind, rows[i].kind);
        assert_string_equal(n.device.s, rows[i].device);
        assert_int_equal(n.is_signed, rows[i].is_signed);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_model_with_sccp_gets_a_well_formed_file_without_secrets),
        TEST(every_model_with_sip_gets_a_file_with_its_lines_and_no_secret),
        TEST(white_space_stands_before_every_first_child),
        TEST(stamps_of_dial_rules_softkeys_and_features_are_those_that_are_quoted),
        TEST(what_an_administrator_typed_cannot_break_the_file),
        TEST(a_file_that_does_not_fit_is_refused_at_every_size),
        TEST(the_version_stamp_changes_with_everything_the_file_is_made_from),
        TEST(files_of_phones_that_are_alike_differ_by_their_stamp_alone),
        TEST(phones_of_a_group_that_shares_them_are_told_different_servers_first),
        TEST(a_phone_asks_first_for_the_name_its_model_uses),
        TEST(a_softkey_template_is_found_by_the_name_made_from_its_own),
        TEST(names_that_lead_elsewhere_are_no_names),
        TEST(a_name_tells_kind_device_and_signature),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
