/* provision_tftp_server.c - the TFTP server on a virtual network and clock. */
#include "provision/tftp/server.h"

#include "test.h"

#include "base/buf.h"
#include "core/counters.h"
#include "wire/boot/tftp.h"

#define PACKETS 4096

/* What the server sent, in order, and what it told. */
static struct {
    struct {
        uint8_t bytes[1600];
        size_t len;
        unsigned tid;
        struct endpoint to;
    } sent[PACKETS];
    size_t n_sent, n_taken;
    struct file_report reports[64];
    size_t n_reports, n_open, read_calls;
    uint8_t file[200000];
    size_t size;
    bool in_memory, changed, endless; /* endless: the same bytes again and again */
    int err;
    uint32_t delay_ms;
    char asked[200];
} net;

static struct tftp_server *server;
static uint64_t now_ms;
static const struct endpoint phone = {.ip = {4, {10, 0, 0, 7}}, .port = 50000};
static const struct ip here = {4, {10, 0, 0, 1}};

static void open_file(void *context, const struct file_request *r, struct file_answer *a)
{
    text_copy(net.asked, sizeof(net.asked), r->name);
    a->err = net.err;
    a->delay_ms = net.delay_ms;
    a->size = net.size;
    a->bytes = net.in_memory ? net.file : NULL;
    a->hold = &net;
    net.n_open += !a->err;
}

static const uint8_t *read_file(void *context, void *hold, uint64_t offset, size_t n)
{
    net.read_calls++;
    assert_true(offset + n <= net.size);
    return net.changed ? NULL : net.file + (net.endless ? offset % 1000 : offset);
}

static void close_file(void *context, void *hold)
{
    assert_ptr_equal(hold, &net);
    net.n_open--;
}

static void send_datagrams(void *context, unsigned tid, const struct endpoint *to, struct ip local,
                           const void *bytes, size_t len, size_t segment)
{
    const uint8_t *at = bytes;

    assert_true(ip_equal(local, here));
    for (size_t n; len; at += n, len -= n) {
        n = segment && segment < len ? segment : len;
        assert_true(net.n_sent < PACKETS && n <= sizeof(net.sent[0].bytes));
        memcpy(net.sent[net.n_sent].bytes, at, n);
        net.sent[net.n_sent].len = n;
        net.sent[net.n_sent].tid = tid;
        net.sent[net.n_sent++].to = *to;
    }
}

static void report(void *context, const struct file_report *r)
{
    net.reports[net.n_reports % 64] = *r;
    net.n_reports++;
}

static int set_up(void **state)
{
    static const struct file_source source = {NULL, open_file, read_file, close_file};
    static const struct tftp_output output = {NULL, NULL, send_datagrams, report};
    struct tftp_settings s;

    memset(&net, 0, sizeof(net));
    for (size_t i = 0; i < sizeof(net.file); i++)
        net.file[i] = (uint8_t)(i * 7 + i / 256);
    net.size = 1300;
    net.in_memory = true;
    now_ms = 1000000;
    tftp_settings_default(&s);
    s.n_tids = 4;
    s.max_transfers = 8;
    s.max_per_client = 4;
    server = tftp_server_new(&s, &source, &output, now_ms);
    return server ? 0 : -1;
}

static int tear_down(void **state)
{
    tftp_server_free(server);
    assert_int_equal(net.n_open, 0);
    return 0;
}

/* --- the phone's side --- */

static void request_from(const struct endpoint *from, enum tftp_op op, const char *name, enum tftp_mode mode,
                         const struct tftp_options *options)
{
    uint8_t bytes[600];
    struct writer w = writer_of(bytes, sizeof(bytes));

    tftp_write_request(&w, op, text_of(name), mode, options);
    tftp_server_request(server, now_ms, from, here, bytes, writer_len(&w));
}

static void request(const char *name, const struct tftp_options *options)
{
    request_from(&phone, TFTP_RRQ, name, TFTP_OCTET, options);
}

static void ack_at(unsigned tid, const struct endpoint *from, uint16_t block)
{
    uint8_t bytes[4];
    struct writer w = writer_of(bytes, sizeof(bytes));

    tftp_write_ack(&w, block);
    tftp_server_packet(server, now_ms, tid, from, bytes, sizeof(bytes));
}

/* The next datagram that was sent. */
static struct tftp_packet take(void)
{
    struct tftp_packet p;

    assert_true(net.n_taken < net.n_sent);
    assert_int_equal(tftp_parse(net.sent[net.n_taken].bytes, net.sent[net.n_taken].len, &p), 0);
    net.n_taken++;
    return p;
}

static unsigned tid(void)
{
    return net.sent[net.n_taken - 1].tid;
}

static void nothing_was_sent(void)
{
    assert_int_equal(net.n_taken, net.n_sent);
}

static struct tftp_packet take_data(uint16_t block, size_t len)
{
    struct tftp_packet p = take();

    assert_int_equal(p.op, TFTP_DATA);
    assert_int_equal(p.block, block);
    assert_int_equal(p.data.len, len);
    return p;
}

static void ack(uint16_t block)
{
    ack_at(tid(), &phone, block);
}

static void wait_ms(uint64_t ms)
{
    for (; ms; ms--)
        tftp_server_expire(server, ++now_ms);
}

static struct tftp_options option(enum tftp_option which, uint64_t value)
{
    struct tftp_options o = {0};

    tftp_set(&o, which, value);
    return o;
}

static enum file_result result(void)
{
    assert_true(net.n_reports > 0);
    return net.reports[net.n_reports - 1].result;
}

/* --- lock-step --- */

static void a_file_arrives_whole_block_by_block(void **state)
{
    struct tftp_packet p;

    request("SEP001122334455.cnf.xml", NULL);
    assert_string_equal(net.asked, "SEP001122334455.cnf.xml");
    p = take_data(1, 512);
    assert_memory_equal(p.data.at, net.file, 512);
    ack(1);
    take_data(2, 512);
    ack(2);
    p = take_data(3, 1300 - 1024);
    assert_memory_equal(p.data.at, net.file + 1024, 1300 - 1024);
    ack(3);
    nothing_was_sent();
    assert_int_equal(result(), FILE_SENT);
    assert_int_equal(net.reports[0].sent, 1300);
    assert_int_equal(tftp_server_count(server), 0);
}

static void a_file_that_fills_its_last_block_ends_with_an_empty_one(void **state)
{
    net.size = 1024;
    request("x", NULL);
    take_data(1, 512);
    ack(1);
    take_data(2, 512);
    ack(2);
    take_data(3, 0);
    ack(3);
    assert_int_equal(result(), FILE_SENT);
}

static void an_empty_file_is_one_empty_block(void **state)
{
    net.size = 0;
    request("x", NULL);
    take_data(1, 0);
    ack(1);
    assert_int_equal(result(), FILE_SENT);
}

static void a_missing_file_is_answered_at_once_in_the_words_phones_know(void **state)
{
    struct tftp_packet p;

    net.err = -ENOENT;
    request("CTLSEP001122334455.tlv", NULL);
    p = take();
    assert_int_equal(p.op, TFTP_ERROR);
    assert_int_equal(p.error, TFTP_ERROR_NOT_FOUND);
    assert_true(text_is(p.message, "File not found"));
    assert_int_equal(result(), FILE_MISSING);
    assert_int_equal(tftp_server_count(server), 0);
}

static void what_is_not_yours_looks_like_what_is_not_there(void **state)
{
    uint8_t first[64];
    size_t len;

    net.err = -ENOENT;
    request("a", NULL);
    len = net.sent[0].len;
    memcpy(first, net.sent[0].bytes, len);
    net.err = -EACCES;
    request("a", NULL);
    assert_int_equal(net.sent[1].len, len);
    assert_memory_equal(net.sent[1].bytes, first, len);
    assert_int_equal(result(), FILE_REFUSED);
}

static void an_answer_that_is_held_back_leaves_when_it_is_due(void **state)
{
    net.err = -ENOENT;
    net.delay_ms = 1000;
    request("SEP001122334455.cnf.xml", NULL);
    nothing_was_sent();
    wait_ms(999);
    nothing_was_sent();
    request("SEP001122334455.cnf.xml", NULL); /* the impatient client changes nothing */
    wait_ms(1);
    assert_int_equal(take().error, TFTP_ERROR_NOT_FOUND);
    nothing_was_sent();
}

static void a_file_that_is_held_back_arrives_later(void **state)
{
    net.delay_ms = 50;
    request("x", NULL);
    nothing_was_sent();
    wait_ms(50);
    take_data(1, 512);
}

static void a_write_request_is_refused(void **state)
{
    struct tftp_packet p;

    request_from(&phone, TFTP_WRQ, "x", TFTP_OCTET, NULL);
    p = take();
    assert_int_equal(p.op, TFTP_ERROR);
    assert_int_equal(p.error, TFTP_ERROR_ACCESS);
}

static void a_lost_block_is_sent_again_with_doubling_pauses_until_the_client_is_given_up(void **state)
{
    request("x", NULL);
    take_data(1, 512);
    ack(1);
    take_data(2, 512);
    for (unsigned pause = 500, i = 0; i < 6; i++, pause = pause * 2 > 4000 ? 4000 : pause * 2) {
        wait_ms(pause - 1);
        nothing_was_sent();
        wait_ms(1);
        take_data(2, 512);
    }
    wait_ms(4000);
    nothing_was_sent();
    assert_int_equal(result(), FILE_ABORTED);
    assert_int_equal(tftp_server_count(server), 0);
}

static void a_client_that_never_answers_gets_few_datagrams(void **state)
{
    request("x", NULL);
    wait_ms(60000);
    assert_int_equal(net.n_sent, 4);
    assert_int_equal(tftp_server_count(server), 0);
}

static void duplicate_acknowledgements_are_never_answered(void **state)
{
    request("x", NULL);
    take_data(1, 512);
    ack(1);
    take_data(2, 512);
    for (int i = 0; i < 10; i++)
        ack(1);
    nothing_was_sent(); /* the Sorcerer's Apprentice stays in bed */
    ack(2);
    take_data(3, 276);
    ack(1);
    ack(2);
    nothing_was_sent();
}

static void acknowledgements_of_blocks_that_were_not_sent_are_ignored(void **state)
{
    request("x", NULL);
    take_data(1, 512);
    ack(2);
    ack(7);
    ack(65535);
    nothing_was_sent();
    ack(1);
    take_data(2, 512);
}

static void a_repeated_request_gets_the_first_block_again_and_no_second_transfer(void **state)
{
    request("x", NULL);
    take_data(1, 512);
    now_ms += 300;
    request("x", NULL);
    take_data(1, 512);
    assert_int_equal(tftp_server_count(server), 1);
    ack(1);
    take_data(2, 512);
    request("x", NULL); /* late on the way: the transfer lives */
    nothing_was_sent();
}

static void a_client_that_starts_anew_from_the_same_port_gets_a_new_transfer(void **state)
{
    unsigned first;

    request("x", NULL);
    take_data(1, 512);
    first = tid();
    ack(1);
    take_data(2, 512);
    request("y", NULL);
    take_data(1, 512);
    assert_int_not_equal(tid(), first);
    assert_int_equal(tftp_server_count(server), 1);
    ack_at(first, &phone, 1); /* an answer to the old one is nobody's */
    nothing_was_sent();
}

static void consecutive_transfers_of_one_client_use_different_sockets(void **state)
{
    unsigned last = 99;

    net.size = 10;
    for (int i = 0; i < 200; i++) {
        request("x", NULL);
        take_data(1, 10);
        assert_int_not_equal(tid(), last);
        last = tid();
        ack(1);
    }
}

static void an_error_from_the_client_ends_its_transfer(void **state)
{
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof(bytes));

    request("x", NULL);
    take_data(1, 512);
    tftp_write_error(&w, TFTP_ERROR_OPTION, "no");
    tftp_server_packet(server, now_ms, tid(), &phone, bytes, writer_len(&w));
    assert_int_equal(tftp_server_count(server), 0);
    assert_int_equal(result(), FILE_ABORTED);
    nothing_was_sent();
}

static void block_numbers_roll_over_to_zero(void **state)
{
    struct tftp_options o = option(TFTP_BLKSIZE, 8);

    net.size = 70000 * 8;
    net.endless = true;
    net.in_memory = false;
    request("x", &o);
    assert_int_equal(take().op, TFTP_OACK);
    ack(0);
    for (uint32_t block = 1; block <= 70000; block++) {
        take_data((uint16_t)block, 8);
        net.sent[0].tid = tid();
        net.n_sent = net.n_taken = 1;
        ack((uint16_t)block);
    }
    take_data((uint16_t)70001, 0);
    ack((uint16_t)70001);
    assert_int_equal(result(), FILE_SENT);
    assert_int_equal(net.reports[net.n_reports - 1].sent, 70000 * 8);
}

/* --- options --- */

static void options_are_answered_with_what_was_accepted(void **state)
{
    for (unsigned mask = 1; mask < 16; mask++) {
        static const uint64_t values[] = {1428, 3, 0, 4};
        struct tftp_options o = {0};
        struct tftp_packet p;

        for (unsigned i = 0; i < N_TFTP_OPTIONS; i++) {
            if (mask >> i & 1)
                tftp_set(&o, i, values[i]);
        }
        request("x", &o);
        p = take();
        assert_int_equal(p.op, TFTP_OACK);
        assert_int_equal(p.options.has, mask);
        if (tftp_has(&p.options, TFTP_TSIZE))
            assert_int_equal(p.options.value[TFTP_TSIZE], 1300);
        if (tftp_has(&p.options, TFTP_BLKSIZE))
            assert_int_equal(p.options.value[TFTP_BLKSIZE], 1428);
        ack(0);
        take_data(1, tftp_has(&o, TFTP_BLKSIZE) ? 1300 : 512);
        net.n_taken = net.n_sent;
        tear_down(NULL);
        set_up(NULL);
    }
}

static void an_offer_is_repeated_and_an_early_acknowledgement_of_data_is_not_taken_for_it(void **state)
{
    struct tftp_options o = option(TFTP_BLKSIZE, 1024);

    request("x", &o);
    assert_int_equal(take().op, TFTP_OACK);
    ack(1);
    nothing_was_sent();
    wait_ms(500);
    assert_int_equal(take().op, TFTP_OACK);
    ack(0);
    take_data(1, 1024);
    ack(0); /* a duplicate */
    nothing_was_sent();
}

static void the_time_out_that_the_client_asks_for_is_kept(void **state)
{
    struct tftp_options o = option(TFTP_TIMEOUT, 3);

    request("x", &o);
    take();
    ack(0);
    take_data(1, 512);
    for (int i = 0; i < 3; i++) {
        wait_ms(2999);
        nothing_was_sent();
        wait_ms(1);
        take_data(1, 512);
    }
}

/* --- windows --- */

static void begin_window(uint16_t window)
{
    struct tftp_options o = option(TFTP_WINDOWSIZE, window);

    request("x", &o);
    take();
    ack(0);
}

static void a_window_is_sent_at_once_and_the_next_after_its_last_block(void **state)
{
    net.size = 512 * 10 + 5;
    begin_window(4);
    for (uint16_t b = 1; b <= 4; b++)
        take_data(b, 512);
    nothing_was_sent();
    ack(4);
    for (uint16_t b = 5; b <= 8; b++)
        take_data(b, 512);
    ack(8);
    take_data(9, 512);
    take_data(10, 512);
    take_data(11, 5);
    nothing_was_sent();
    ack(11);
    assert_int_equal(result(), FILE_SENT);
    assert_int_equal(net.reports[net.n_reports - 1].resent, 0);
}

static void a_gap_is_filled_from_the_first_block_that_is_missing(void **state)
{
    net.size = 512 * 10;
    begin_window(4);
    net.n_taken = net.n_sent;
    ack(2); /* block 3 was lost */
    for (uint16_t b = 3; b <= 6; b++)
        take_data(b, 512);
    nothing_was_sent();
}

static void a_window_whose_first_block_was_lost_is_sent_again_once(void **state)
{
    net.size = 512 * 10;
    begin_window(4);
    net.n_taken = net.n_sent;
    for (int i = 0; i < 4; i++)
        ack(0); /* one for each block that came out of order */
    for (uint16_t b = 1; b <= 4; b++)
        take_data(b, 512);
    nothing_was_sent();
}

static void late_acknowledgements_of_an_earlier_window_change_nothing(void **state)
{
    net.size = 512 * 20;
    begin_window(4);
    net.n_taken = net.n_sent;
    ack(4);
    net.n_taken = net.n_sent;
    ack(2);
    ack(3);
    nothing_was_sent();
}

static void a_window_is_limited_to_what_the_server_likes(void **state)
{
    struct tftp_options o = option(TFTP_WINDOWSIZE, 65535);
    struct tftp_packet p;

    net.size = 512 * 100;
    request("x", &o);
    p = take();
    assert_int_equal(p.options.value[TFTP_WINDOWSIZE], 64);
    ack(0);
    for (uint16_t b = 1; b <= 64; b++)
        take_data(b, 512);
    nothing_was_sent();
}

/* Loses, doubles and exchanges datagrams by a fixed sequence of numbers, and expects the file all the same. */
static void run_on_a_bad_network(uint16_t window, uint32_t seed)
{
    struct tftp_options o = {0};
    static uint8_t got[sizeof(net.file)];
    uint16_t expected = 1;
    size_t len = 0;
    bool done = false, offered = false;

    tftp_set(&o, TFTP_WINDOWSIZE, window);
    tftp_set(&o, TFTP_BLKSIZE, 1000);
    net.size = 20500;
    request("x", &o);
    for (int turn = 0; turn < 3000 && !done; turn++) {
        while (net.n_taken < net.n_sent) {
            struct tftp_packet p = take();
            unsigned fate = (seed = seed * 1103515245 + 12345) >> 16 & 15;

            if (fate < 4)
                continue; /* lost */
            if (p.op == TFTP_OACK) {
                if (!offered || expected == 1)
                    ack(0);
                offered = true;
                continue;
            }
            if (p.block == expected && !done) {
                memcpy(got + len, p.data.at, p.data.len);
                len += p.data.len;
                expected++;
                done = p.data.len < 1000;
            }
            if (fate != 5 && (done || (expected - 1) % window == 0 || p.block != (uint16_t)(expected - 1)))
                ack((uint16_t)(expected - 1));
            if (fate == 6)
                ack((uint16_t)(expected - 1));
            if (net.n_sent > PACKETS - 200) {
                net.n_sent = net.n_taken = 1;
                net.sent[0].tid = tid();
            }
        }
        wait_ms(100);
    }
    assert_true(done);
    assert_int_equal(len, net.size);
    assert_memory_equal(got, net.file, len);
}

static void a_bad_network_delays_but_does_not_spoil_a_file(void **state)
{
    for (uint32_t seed = 1; seed < 40; seed++) {
        run_on_a_bad_network(seed % 3 ? 1 : 8, seed);
        tear_down(NULL);
        set_up(NULL);
    }
}

/* --- netascii --- */

static void netascii_turns_line_ends_over_block_borders(void **state)
{
    struct tftp_packet p;

    memset(net.file, 'a', sizeof(net.file));
    net.file[511] = '\n'; /* its CR is octet 512, its LF begins block 2 */
    net.file[600] = '\r';
    net.size = 700;
    net.in_memory = false;
    request_from(&phone, TFTP_RRQ, "x", TFTP_NETASCII, NULL);
    p = take_data(1, 512);
    assert_int_equal(p.data.at[511], '\r');
    wait_ms(500);
    p = take_data(1, 512); /* again the same */
    assert_int_equal(p.data.at[511], '\r');
    ack(1);
    p = take_data(2, 700 - 512 + 2);
    assert_int_equal(p.data.at[0], '\n');
    assert_int_equal(p.data.at[600 - 512 + 1], '\r');
    assert_int_equal(p.data.at[600 - 512 + 2], '\0');
    ack(2);
    assert_int_equal(result(), FILE_SENT);
}

static void other_modes_are_refused(void **state)
{
    request_from(&phone, TFTP_RRQ, "x", TFTP_MAIL, NULL);
    assert_int_equal(take().error, TFTP_ERROR_ILLEGAL);
}

/* --- limits and nonsense --- */

static void one_address_has_a_limited_number_of_transfers(void **state)
{
    struct endpoint e = phone;

    for (e.port = 1; e.port <= 4; e.port++) {
        request_from(&e, TFTP_RRQ, "x", TFTP_OCTET, NULL);
        take_data(1, 512);
    }
    request_from(&e, TFTP_RRQ, "x", TFTP_OCTET, NULL);
    assert_int_equal(take().op, TFTP_ERROR);
    assert_int_equal(result(), FILE_BUSY);
    e.ip.bytes[3]++;
    request_from(&e, TFTP_RRQ, "x", TFTP_OCTET, NULL);
    take_data(1, 512);
}

static void there_are_no_more_transfers_than_the_pool_has(void **state)
{
    struct endpoint e = phone;

    for (int i = 0; i < 20; i++) {
        e.ip.bytes[2] = (uint8_t)i;
        request_from(&e, TFTP_RRQ, "x", TFTP_OCTET, NULL);
    }
    assert_int_equal(tftp_server_count(server), 8);
    assert_int_equal(net.n_open, 8);
}

static void forged_requests_cannot_keep_real_clients_out(void **state)
{
    struct endpoint e = phone;
    unsigned real;

    request("x", NULL);
    take_data(1, 512);
    real = tid();
    ack(1); /* this one is there */
    take_data(2, 512);
    for (int i = 0; i < 1000; i++) {
        e.ip.bytes[1] = (uint8_t)(i >> 8);
        e.ip.bytes[2] = (uint8_t)(i + 1);
        request_from(&e, TFTP_RRQ, "x", TFTP_OCTET, NULL);
    }
    assert_int_equal(tftp_server_count(server), 8);
    net.n_taken = net.n_sent;
    ack_at(real, &phone, 2);
    take_data(3, 276);
    e.ip.bytes[1] = 200;
    request_from(&e, TFTP_RRQ, "x", TFTP_OCTET, NULL); /* and so is the next */
    take_data(1, 512);
}

static void a_file_that_changes_under_way_ends_in_an_error(void **state)
{
    net.in_memory = false;
    request("x", NULL);
    take_data(1, 512);
    net.changed = true;
    ack(1);
    assert_int_equal(take().op, TFTP_ERROR);
    assert_int_equal(result(), FILE_ABORTED);
}

static void truncated_requests_are_refused_at_every_length(void **state)
{
    uint8_t bytes[200];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct tftp_options o = option(TFTP_BLKSIZE, 1428);

    tftp_write_request(&w, TFTP_RRQ, TEXT("x"), TFTP_OCTET, &o);
    for (size_t len = 0; len < 10; len++) { /* name and mode are 10 octets with the opcode */
        size_t before = net.n_sent;

        tftp_server_request(server, now_ms, &phone, here, bytes, len);
        assert_true(net.n_sent <= before + 1);
        if (net.n_sent > before)
            assert_int_equal(take().error, TFTP_ERROR_ILLEGAL);
    }
    assert_int_equal(tftp_server_count(server), 0);
}

static void what_is_no_request_gets_no_answer(void **state)
{
    static const uint8_t data[] = {0, 3, 0, 1, 'x'}, ack_bytes[] = {0, 4, 0, 1}, error[] = {0, 5, 0, 1, 0},
                         unknown[] = {0, 9, 1}, one[] = {0};
    struct endpoint zero = phone;

    tftp_server_request(server, now_ms, &phone, here, data, sizeof(data));
    tftp_server_request(server, now_ms, &phone, here, ack_bytes, sizeof(ack_bytes));
    tftp_server_request(server, now_ms, &phone, here, error, sizeof(error));
    tftp_server_request(server, now_ms, &phone, here, unknown, sizeof(unknown));
    tftp_server_request(server, now_ms, &phone, here, one, sizeof(one));
    zero.port = 0;
    request_from(&zero, TFTP_RRQ, "x", TFTP_OCTET, NULL);
    ack_at(0, &phone, 1);
    nothing_was_sent();
    assert_int_equal(tftp_server_count(server), 0);
}

static void data_from_a_client_that_reads_is_an_illegal_operation(void **state)
{
    static const uint8_t data[] = {0, 3, 0, 1, 'x'};

    request("x", NULL);
    take_data(1, 512);
    tftp_server_packet(server, now_ms, tid(), &phone, data, sizeof(data));
    assert_int_equal(take().error, TFTP_ERROR_ILLEGAL);
    assert_int_equal(tftp_server_count(server), 0);
}

static void a_name_longer_than_any_file_is_not_found(void **state)
{
    char name[300];

    memset(name, 'a', sizeof(name));
    name[200] = '\0';
    request(name, NULL);
    assert_int_equal(take().error, TFTP_ERROR_NOT_FOUND);
    assert_string_equal(net.asked, "");
}

static void a_transfer_that_takes_long_is_told_before_it_ends(void **state)
{
    request("x", NULL);
    take_data(1, 512);
    now_ms += 300;
    ack(1);
    assert_int_equal(result(), FILE_SLOW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_arrives_whole_block_by_block),
        TEST(a_file_that_fills_its_last_block_ends_with_an_empty_one),
        TEST(an_empty_file_is_one_empty_block),
        TEST(a_missing_file_is_answered_at_once_in_the_words_phones_know),
        TEST(what_is_not_yours_looks_like_what_is_not_there),
        TEST(an_answer_that_is_held_back_leaves_when_it_is_due),
        TEST(a_file_that_is_held_back_arrives_later),
        TEST(a_write_request_is_refused),
        TEST(a_lost_block_is_sent_again_with_doubling_pauses_until_the_client_is_given_up),
        TEST(a_client_that_never_answers_gets_few_datagrams),
        TEST(duplicate_acknowledgements_are_never_answered),
        TEST(acknowledgements_of_blocks_that_were_not_sent_are_ignored),
        TEST(a_repeated_request_gets_the_first_block_again_and_no_second_transfer),
        TEST(a_client_that_starts_anew_from_the_same_port_gets_a_new_transfer),
        TEST(consecutive_transfers_of_one_client_use_different_sockets),
        TEST(an_error_from_the_client_ends_its_transfer),
        TEST(block_numbers_roll_over_to_zero),
        TEST(options_are_answered_with_what_was_accepted),
        TEST(an_offer_is_repeated_and_an_early_acknowledgement_of_data_is_not_taken_for_it),
        TEST(the_time_out_that_the_client_asks_for_is_kept),
        TEST(a_window_is_sent_at_once_and_the_next_after_its_last_block),
        TEST(a_gap_is_filled_from_the_first_block_that_is_missing),
        TEST(a_window_whose_first_block_was_lost_is_sent_again_once),
        TEST(late_acknowledgements_of_an_earlier_window_change_nothing),
        TEST(a_window_is_limited_to_what_the_server_likes),
        TEST(a_bad_network_delays_but_does_not_spoil_a_file),
        TEST(netascii_turns_line_ends_over_block_borders),
        TEST(other_modes_are_refused),
        TEST(one_address_has_a_limited_number_of_transfers),
        TEST(there_are_no_more_transfers_than_the_pool_has),
        TEST(forged_requests_cannot_keep_real_clients_out),
        TEST(a_file_that_changes_under_way_ends_in_an_error),
        TEST(truncated_requests_are_refused_at_every_length),
        TEST(what_is_no_request_gets_no_answer),
        TEST(data_from_a_client_that_reads_is_an_illegal_operation),
        TEST(a_name_longer_than_any_file_is_not_found),
        TEST(a_transfer_that_takes_long_is_told_before_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
