#include "test.h"

#include "wire/xml.h"

static char told[4096];
static struct writer tell;

static int on_event(void *context, const struct xml_event *e)
{
    static const char *const kinds[] = {"open", "attribute", "close"};
    const char *stop_at = context;

    write_format(&tell, "%s %.*s %.*s=%.*s\n", kinds[e->kind], TEXT_ARG(e->path), TEXT_ARG(e->name),
                 TEXT_ARG(e->value));
    return stop_at && text_is(e->name, stop_at) ? -ECANCELED : 0;
}

static int read_all(const char *s, size_t len, const char *stop_at, struct xml_error *error)
{
    int err;

    tell = writer_of(told, sizeof(told) - 1);
    err = xml_read(s, len, on_event, (void *)(uintptr_t)stop_at, error);
    *tell.at = '\0';
    return err;
}

static void elements_attributes_and_texts_are_told_in_order(void **state)
{
    const char *s = "<a><b x='1'> t<c/>u </b><b/></a>";

    assert_int_equal(read_all(s, strlen(s), NULL, NULL), 0);
    assert_string_equal(told,
                        "open a a=\nopen a/b b=\nattribute a/b x=1\nopen a/b/c c=\n"
                        "close a/b/c c=\nclose a/b b=tu\nopen a/b b=\nclose a/b b=\nclose a a=\n");
}

static void the_handler_can_stop_the_reading(void **state)
{
    const char *s = "<a><b/><c/></a>";

    assert_int_equal(read_all(s, strlen(s), "b", NULL), -ECANCELED);
    assert_string_equal(told, "open a a=\nopen a/b b=\n");
}

static void a_document_cut_anywhere_is_refused_with_its_place(void **state)
{
    const char *s = "<a>\n <b x='1'>t</b>\n</a>";
    struct xml_error error;

    for (size_t n = 0; n < strlen(s); n++)
        assert_int_equal(read_all(s, n, NULL, &error), -EBADMSG);
    assert_int_equal(read_all("<a>\n</b>", 8, NULL, &error), -EBADMSG);
    assert_int_equal(error.line, 2);
    assert_string_equal(error.words, "mismatched tag");
}

static void entity_declarations_are_refused(void **state)
{
    const char *s = "<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;'>]><a>&y;</a>";
    const char *file = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>";

    assert_int_equal(read_all(s, strlen(s), NULL, NULL), -EPERM);
    assert_int_equal(read_all(file, strlen(file), NULL, NULL), -EPERM);
}

static void depth_path_and_text_are_limited(void **state)
{
    static char big[2 * XML_TEXT_MAX];
    struct writer w = writer_of(big, sizeof(big));
    struct xml_error error;

    for (int i = 0; i < XML_DEPTH_MAX + 1; i++)
        write_string(&w, "<a>");
    assert_int_equal(read_all(big, writer_len(&w), NULL, &error), -E2BIG);
    memset(big, 'x', sizeof(big));
    memcpy(big, "<a>", 3);
    assert_int_equal(read_all(big, sizeof(big), NULL, &error), -E2BIG);
    big[2] = 'a';
    big[600] = '>';
    assert_int_equal(read_all(big, 601, NULL, &error), -E2BIG);
}

static void what_is_written_is_indented_and_escaped(void **state)
{
    char s[512];
    struct writer w = writer_of(s, sizeof(s));
    struct xml_writer x;

    xml_begin(&x, &w);
    xml_open(&x, "device");
    xml_attribute(&x, "name", TEXT("a\"b<"));
    xml_attribute_number(&x, "n", 7);
    xml_string(&x, "label", "Caf\xc3\xa9 & <Bar> \x01\xff'");
    xml_string(&x, "empty", "");
    xml_open(&x, "list");
    xml_number(&x, "port", 2000);
    xml_close(&x);
    xml_close(&x);
    write_u8(&w, 0);
    assert_string_equal(s, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                           "<device name=\"a&quot;b&lt;\" n=\"7\">\n"
                           " <label>Caf\xc3\xa9 &amp; &lt;Bar&gt; ?&apos;</label>\n"
                           " <empty/>\n"
                           " <list>\n"
                           "  <port>2000</port>\n"
                           " </list>\n"
                           "</device>\n");
    assert_int_equal(read_all(s, strlen(s), NULL, NULL), 0);
}

static void a_writer_that_is_full_says_so(void **state)
{
    char s[512];
    struct xml_writer x;

    for (size_t n = 0; n < 30; n++) {
        struct writer w = writer_of(s, n);

        xml_begin_bare(&x, &w);
        xml_open(&x, "a");
        xml_string(&x, "b", "123456789012345678");
        xml_close(&x);
        assert_true(w.bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_attributes_and_texts_are_told_in_order),
        cmocka_unit_test(the_handler_can_stop_the_reading),
        cmocka_unit_test(a_document_cut_anywhere_is_refused_with_its_place),
        cmocka_unit_test(entity_declarations_are_refused),
        cmocka_unit_test(depth_path_and_text_are_limited),
        cmocka_unit_test(what_is_written_is_indented_and_escaped),
        cmocka_unit_test(a_writer_that_is_full_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
