/* wire_sccp_message.c - SCCP messages: sizes, round trips, truncation, texts. */
#include "test.h"

#include "wire/sccp/message.h"

static uint8_t first[SCCP_FRAME_MAX], second[SCCP_FRAME_MAX];
static char text_a[1 << 18], text_b[1 << 18];

static const struct sizes {
    uint32_t id;
    const char *name;
    const char *sizes;
} known[] = {
#define SIZES(id, name, sizes) {id, #name, sizes},
#include "sccp_sizes.def"
};

#define N_KNOWN (sizeof(known) / sizeof(*known))

static uint32_t number_of(struct text t)
{
    uint32_t n = 0;

    assert_int_equal(text_to_u32(t, 10, &n), 0);
    return n;
}

/* The sizes of `version` in "0-2=36,40;3-22=44": a slice of the table, or none. */
static struct text sizes_at(const char *table, unsigned version)
{
    struct text rest = text_of(table), part;

    while (rest.at) {
        struct text range, hi;

        part = text_split(&rest, ';');
        range = text_split(&part, '=');
        if (text_is(range, "*"))
            return part;
        hi = range;
        range = text_split(&hi, '-');
        if (number_of(range) <= version && version <= (hi.at ? number_of(hi) : number_of(range)))
            return part;
    }
    return (struct text){NULL, 0};
}

static bool size_fits(struct text one, size_t size)
{
    uint32_t n;

    if (text_ends(one, "+"))
        return size >= number_of((struct text){one.at, one.len - 1});
    for (size_t i = 0; i + 1 < one.len; i++)
        if (one.at[i] == '.') /* N..M, and the padding */
            return size >= number_of((struct text){one.at, i}) &&
                   size <= ((number_of(text_skip(one, i + 2)) + 3) & ~3u);
    n = number_of(one);
    return size == n || size == ((n + 3) & ~3u);
}

static bool sizes_allow(struct text sizes, size_t size)
{
    while (sizes.at)
        if (size_fits(text_split(&sizes, ','), size))
            return true;
    return false;
}

static int decode(uint32_t id, unsigned version, const void *body, size_t len,
                  struct sccp_message *ret)
{
    struct sccp_frame frame = {.id = id, .body = body, .len = len};

    return sccp_decode(&frame, version, sccp_message_from(id), ret);
}

static size_t encode(const struct sccp_message *m, unsigned version, uint8_t to[SCCP_FRAME_MAX])
{
    struct writer w = writer_of(to, SCCP_FRAME_MAX);

    assert_int_equal(sccp_encode(m, version, &w), 0);
    assert_int_equal(writer_len(&w), sccp_body_size(m, version) + SCCP_HEADER_SIZE);
    return writer_len(&w) - SCCP_HEADER_SIZE;
}

static const char *dump(const struct sccp_message *m, unsigned version, char *to, size_t size)
{
    struct writer w = writer_of(to, size - 1);

    sccp_dump(m, version, &w);
    assert_false(w.bad);
    to[writer_len(&w)] = 0;
    return to;
}

static void every_known_message_has_its_name_and_layout(void **state)
{
    size_t n = 0;

    for (size_t i = 0; i < N_KNOWN; i++) {
        assert_non_null(sccp_message_name(known[i].id));
        assert_string_equal(sccp_message_name(known[i].id), known[i].name);
    }
    while (sccp_message_at(n) != UINT32_MAX)
        n++;
    assert_int_equal(n, N_KNOWN);
}

static void bodies_have_the_known_sizes_in_every_version(void **state)
{
    static const uint8_t zeroes[2500];
    static struct sccp_message m;

    for (size_t i = 0; i < N_KNOWN; i++)
        for (unsigned v = 0; v <= SCCP_VERSION_MAX; v++) {
            struct text sizes = sizes_at(known[i].sizes, v);
            size_t size;

            if (!sizes.at)
                continue;
            assert_int_equal(decode(known[i].id, v, zeroes, sizeof(zeroes), &m), 0);
            if (known[i].id == SCCP_ENUNCIATOR_COMMAND || known[i].id >= SCCP_UNKNOWN_VG224)
                continue; /* raw: as long as what came */
            size = encode(&m, v, first);
            if (!sizes_allow(sizes, size))
                fail_msg("%s version %u: %zu bytes, known are %.*s", known[i].name, v, size,
                         TEXT_ARG(sizes));
        }
}

/* Bytes that look like anything, the same in each run. */
static void fill(uint8_t *to, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        to[i] = seed >> 28 < 4 ? 0 : seed >> 28 < 8 ? seed >> 20 & 7 : (uint8_t)(seed >> 20);
    }
}

static void round_trip(uint32_t id, unsigned version, uint32_t seed)
{
    static struct sccp_message m, m2;
    static uint8_t body[2600], third[SCCP_FRAME_MAX];
    size_t n;

    fill(body, sizeof(body), seed);
    decode(id, version, body, sizeof(body), &m); /* a length in it may be wrong: cut to what there is */
    n = encode(&m, version, first);
    assert_int_equal(decode(id, version, first + SCCP_HEADER_SIZE, n, &m2), 0);
    assert_int_equal(encode(&m2, version, second), n);
    assert_memory_equal(first, second, n + SCCP_HEADER_SIZE);
    assert_int_equal(decode(id, version, second + SCCP_HEADER_SIZE, n, &m), 0);
    assert_string_equal(dump(&m, version, text_a, sizeof(text_a)),
                        dump(&m2, version, text_b, sizeof(text_b)));
    assert_int_equal(encode(&m, version, third), n);
}

static void every_message_survives_a_round_trip_in_every_version(void **state)
{
    for (size_t i = 0; sccp_message_at(i) != UINT32_MAX; i++)
        for (unsigned v = 0; v <= SCCP_VERSION_MAX; v++)
            for (uint32_t seed = 1; seed < 5; seed++)
                round_trip(sccp_message_at(i), v, seed * 7919 + (uint32_t)i);
}

/* Each prefix in memory of its own, so that a read behind its end is seen. */
static void truncate(uint32_t id, unsigned version, const uint8_t *body, size_t len)
{
    static struct sccp_message m;

    for (size_t n = 0; n <= len; n += n < 700 || n + 16 > len ? 1 : 13) {
        uint8_t *part = malloc(n ? n : 1);
        int err;

        memcpy(part, body, n);
        err = decode(id, version, part, n, &m);
        assert_true(err == 0 || err == -EBADMSG);
        encode(&m, version, second);
        dump(&m, version, text_a, sizeof(text_a));
        free(part);
    }
}

static void truncation_is_harmless_at_every_length(void **state)
{
    static const uint8_t versions[] = {0, 3, 6, 8, 11, 16, 18, 22};
    static struct sccp_message m;
    static uint8_t body[2600];

    fill(body, sizeof(body), 4711);
    for (size_t i = 0; sccp_message_at(i) != UINT32_MAX; i++)
        for (size_t v = 0; v < sizeof(versions); v++) {
            size_t n;

            decode(sccp_message_at(i), versions[v], body, sizeof(body), &m);
            n = encode(&m, versions[v], first);
            truncate(sccp_message_at(i), versions[v], first + SCCP_HEADER_SIZE, n);
        }
}

static void a_body_without_its_required_part_is_refused(void **state)
{
    struct sccp_message m;
    uint8_t body[44] = "SEP001122334455";

    assert_int_equal(decode(SCCP_REGISTER_REQ, 0, body, 35, &m), -EBADMSG);
    assert_int_equal(decode(SCCP_REGISTER_REQ, 0, body, 36, &m), 0);
    assert_string_equal(m.register_req.device_name, "SEP001122334455");
    assert_int_equal(m.register_req.protocol, 0);
    assert_int_equal(decode(SCCP_LINE_STAT_REQ, 0, body, 3, &m), -EBADMSG);
    assert_int_equal(m.line_stat_req.line, 0);
    assert_int_equal(decode(SCCP_OFF_HOOK, 22, body, 0, &m), 0);
    assert_int_equal(m.off_hook.call, 0);
}

static void a_message_of_the_wrong_side_or_id_is_refused(void **state)
{
    struct sccp_message m;
    struct sccp_frame frame = {.id = SCCP_REGISTER_ACK, .body = (const uint8_t *)"", .len = 0};

    assert_int_equal(sccp_decode(&frame, 22, SCCP_FROM_PHONE, &m), -EPROTO);
    for (frame.id = 0x13; frame.id < 0x20; frame.id++)
        assert_int_equal(sccp_decode(&frame, 22, SCCP_FROM_PHONE, &m), -ENOENT);
    frame.id = 0xffffffff;
    assert_int_equal(sccp_decode(&frame, 22, SCCP_FROM_PHONE, &m), -ENOENT);
    frame.id = 0x18000;
    assert_int_equal(sccp_decode(&frame, 22, SCCP_FROM_PHONE, &m), -ENOENT);
}

static void the_register_of_each_generation_is_read_by_its_length(void **state)
{
    static const size_t lengths[] = {44, 52, 68, 124, 172};
    struct sccp_message m = {.id = SCCP_REGISTER_REQ};
    struct sccp_register_req *r = &m.register_req;
    uint8_t body[SCCP_FRAME_MAX];

    *r = (struct sccp_register_req){.device_name = "SEP00070EA5CAFE", .instance = 1, .device_type = 30018,
                                    .protocol = 22, .max_conferences = 3, .address_scope = 2, .max_lines = 6,
                                    .load = "SCCP41.9-4-2SR3-1S", .config_version = "stamp"};
    assert_int_equal(encode(&m, 22, body), 172);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(decode(SCCP_REGISTER_REQ, 0, body + SCCP_HEADER_SIZE, lengths[i], &m), 0);
        assert_int_equal(r->protocol, 22);
        assert_int_equal(r->max_conferences, i >= 1 ? 3 : 0);
        assert_int_equal(r->address_scope, i >= 2 ? 2 : 0);
        assert_string_equal(r->load, i >= 3 ? "SCCP41.9-4-2SR3-1S" : "");
        assert_string_equal(r->config_version, i >= 4 ? "stamp" : "");
    }
}

static void counts_are_cut_to_what_was_sent(void **state)
{
    uint8_t body[4 + 16 * 2 + 3] = {255, 255, 255, 255, 4};
    struct sccp_message m;

    assert_int_equal(decode(SCCP_CAPABILITIES_RES, 22, body, sizeof(body), &m), 0);
    assert_int_equal(m.capabilities_res.count, 2);
    assert_int_equal(m.capabilities_res.audio[0].codec, SCCP_CODEC_G711_ULAW_64K);
}

static void a_line_behind_an_odd_number_is_found_packed_and_aligned(void **state)
{
    uint8_t body[32] = "7001";
    struct sccp_message m;

    body[25] = 2; /* 7970 */
    assert_int_equal(decode(SCCP_ENBLOC_CALL, 20, body, 32, &m), 0);
    assert_int_equal(m.enbloc_call.line, 2);
    body[25] = 0, body[28] = 3; /* 8945 */
    assert_int_equal(decode(SCCP_ENBLOC_CALL, 20, body, 32, &m), 0);
    assert_int_equal(m.enbloc_call.line, 3);
    assert_int_equal(decode(SCCP_ENBLOC_CALL, 20, body, 28, &m), 0);
    assert_int_equal(m.enbloc_call.line, 0);
    assert_string_equal(m.enbloc_call.number, "7001");
}

static void fixed_texts_end_with_a_nul_and_between_characters(void **state)
{
    struct sccp_message m = {.id = SCCP_SPEED_DIAL_STAT};

    memset(m.speed_dial_stat.number, '7', 24);
    strcpy(m.speed_dial_stat.label, "0123456789012345678901234567890123456\xc3\xa4\xc3\xbc");
    encode(&m, 11, first);
    assert_int_equal(first[12 + 4 + 22], '7');
    assert_int_equal(first[12 + 4 + 23], 0);
    assert_int_equal(first[12 + 28 + 38], 0xa4);
    assert_int_equal(first[12 + 28 + 39], 0);
    strcpy(m.speed_dial_stat.label, "01234567890123456789012345678901234567\xc3\xa4z");
    encode(&m, 11, first);
    assert_int_equal(first[12 + 28 + 37], '7');
    assert_int_equal(first[12 + 28 + 38], 0); /* half an umlaut is left out */
}

static void an_empty_variable_text_is_one_nul(void **state)
{
    struct sccp_message m = {.id = SCCP_DISPLAY_NOTIFY_V2, .display_notify_v2 = {.timeout_s = 5}};

    assert_int_equal(encode(&m, 22, first), 8);
    assert_int_equal(decode(m.id, 22, first + 12, 5, &m), 0);
    assert_int_equal(m.display_notify_v2.text.len, 0);
}

static void unused_buttons_are_sent_as_undefined(void **state)
{
    struct sccp_message m = {.id = SCCP_BUTTON_TEMPLATE};

    m.button_template.count = m.button_template.total = 43;
    assert_int_equal(encode(&m, 22, first), 124);
    m.button_template.count = 1;
    m.button_template.buttons[0] = (struct sccp_button){1, SCCP_BUTTON_LINE};
    assert_int_equal(encode(&m, 22, first), 96);
    assert_memory_equal(first + 24, "\x01\x09\x00\xff\x00\xff", 6);
    assert_memory_equal(first + 12 + 94, "\x00\xff", 2);
}

static void the_version_agreed_has_a_layout_and_is_in_reach_of_both(void **state)
{
    static const uint8_t expected[][3] = {{22, 22, 22}, {22, 17, 17}, {14, 22, 11}, {7, 22, 5}, {0, 22, 0},
                                          {2, 22, 0}, {33, 22, 3}, {30, 22, 22}, {22, 12, 11}, {4, 22, 3}};

    for (size_t i = 0; i < sizeof(expected) / 3; i++)
        assert_int_equal(sccp_version_agree(expected[i][0], expected[i][1]), expected[i][2]);
}

static void labels_are_shown_as_the_phone_shows_them(void **state)
{
    char to[64] = "";
    struct writer w = writer_of(to, sizeof(to) - 1);

    sccp_label_expand(TEXT("\x80\x17 1001"), &w);
    assert_string_equal(to, "From 1001");
    w = writer_of(to, sizeof(to) - 1);
    memset(to, 0, sizeof(to));
    sccp_label_expand(TEXT("\x1e\x22, \xe2\x80\x93 \xc3\x80"), &w); /* 0x80 inside a character is no code */
    assert_string_equal(to, "Call on hold, \xe2\x80\x93 \xc3\x80");
    assert_string_equal(sccp_label(1, 47), "Error: DB Config");
    assert_null(sccp_label(1, 96));
    assert_null(sccp_label(2, 1));
    assert_null(sccp_label(0, 1));
    assert_null(sccp_label(1, 128));
}

static void ids_are_found_by_name(void **state)
{
    uint32_t id = 0;

    assert_int_equal(sccp_message_id(TEXT("linestatv2"), &id), 0);
    assert_int_equal(id, SCCP_LINE_STAT_V2);
    assert_int_equal(sccp_message_id(TEXT("LineStatV3"), &id), -ENOENT);
    assert_null(sccp_message_name(0x1234));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_message_has_its_name_and_layout),
        cmocka_unit_test(bodies_have_the_known_sizes_in_every_version),
        cmocka_unit_test(every_message_survives_a_round_trip_in_every_version),
        cmocka_unit_test(truncation_is_harmless_at_every_length),
        cmocka_unit_test(a_body_without_its_required_part_is_refused),
        cmocka_unit_test(a_message_of_the_wrong_side_or_id_is_refused),
        cmocka_unit_test(the_register_of_each_generation_is_read_by_its_length),
        cmocka_unit_test(counts_are_cut_to_what_was_sent),
        cmocka_unit_test(a_line_behind_an_odd_number_is_found_packed_and_aligned),
        cmocka_unit_test(fixed_texts_end_with_a_nul_and_between_characters),
        cmocka_unit_test(an_empty_variable_text_is_one_nul),
        cmocka_unit_test(unused_buttons_are_sent_as_undefined),
        cmocka_unit_test(the_version_agreed_has_a_layout_and_is_in_reach_of_both),
        cmocka_unit_test(labels_are_shown_as_the_phone_shows_them),
        cmocka_unit_test(ids_are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
