#include "test.h"

#include "wire/capture/stream.h"

/* One connection between 10.0.0.5:50000 and 10.0.0.1:2000; what came of it is written as text. */
struct world {
    struct streams streams;
    int64_t now_ns;
    char log[2048];
    struct writer w;
};

static const char *const names[] = {"opening",      "accepted", "refused", "established", "again",
                                    "acknowledged", "closed",   "open",    "probe",       "closing",
                                    "reset",        "gap",      "filled",  "middle"};

static void on_sign(void *context, struct stream *s, int side, const struct stream_sign *sign)
{
    struct world *w = context;

    write_format(&w->w, "%c%s", side ? '<' : '>', names[sign->sign]);
    if (sign->again)
        write_format(&w->w, "*%u", sign->again);
    if (sign->after_ns)
        write_format(&w->w, "+%lldms", (long long)sign->after_ns / 1000000);
    write_string(&w->w, " ");
}

static void on_data(void *context, struct stream *s, int side, const void *bytes, size_t len)
{
    struct world *w = context;

    write_format(&w->w, "%c'%.*s' ", side ? '<' : '>', (int)len, (const char *)bytes);
}

static void on_hole(void *context, struct stream *s, int side, enum stream_hole hole,
                    uint32_t bytes)
{
    static const char *const holes[] = {"lost", "cut", "unknown"};
    struct world *w = context;

    write_format(&w->w, "%c%s:%u ", side ? '<' : '>', holes[hole], bytes);
}

static void on_gone(void *context, struct stream *s)
{
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->now_ns = 1000000000000;
    w->w = writer_of(w->log, sizeof(w->log) - 1);
    streams_init(&w->streams, &(struct stream_handler){w, on_sign, on_data, on_hole, on_gone});
}

static void after(struct world *w, int ms)
{
    w->now_ns += ms * 1000000ll;
}

static void packet_cut(struct world *w, bool up, uint8_t flags, uint32_t sequence,
                       uint32_t acknowledged, const char *data, uint16_t window, uint32_t missing)
{
    struct endpoint client = {ip_v4(0x0a000005), 50000}, server = {ip_v4(0x0a000001), 2000};
    struct packet p = {.kind = PACKET_TCP,
                       .from = up ? client : server,
                       .to = up ? server : client,
                       .tcp_sequence = sequence,
                       .tcp_acknowledged = acknowledged,
                       .tcp_flags = flags,
                       .tcp_window = window,
                       .payload = {data, strlen(data)},
                       .missing = missing};
    struct stream *s = streams_find(&w->streams, &p);

    if (!s || stream_is_over(s, &p))
        s = streams_make(&w->streams, &p, 2000, w->now_ns);
    streams_packet(&w->streams, s, &p, w->now_ns);
}

static void packet(struct world *w, bool up, uint8_t flags, uint32_t sequence,
                   uint32_t acknowledged, const char *data)
{
    packet_cut(w, up, flags, sequence, acknowledged, data, 1000, 0);
}

#define UP(sequence, acknowledged, data) packet(&w, true, PACKET_ACK, sequence, acknowledged, data)
#define DOWN(sequence, acknowledged, data)                                                         \
    packet(&w, false, PACKET_ACK, sequence, acknowledged, data)

/* Opened: the client sends from 101 on, the server from 501 on. */
static void open_one(struct world *w)
{
    world_init(w);
    packet(w, true, PACKET_SYN, 100, 0, "");
    packet(w, false, PACKET_SYN | PACKET_ACK, 500, 101, "");
    packet(w, true, PACKET_ACK, 101, 501, "");
    assert_string_equal(w->log, ">opening <accepted >established ");
    memset(w->log, 0, sizeof(w->log));
    w->w = writer_of(w->log, sizeof(w->log) - 1);
}

static void told(struct world *w, const char *expected)
{
    assert_string_equal(w->log, expected);
    streams_done(&w->streams);
}

static void openings_are_told_with_their_times(void **state)
{
    struct world w;

    world_init(&w);
    packet(&w, true, PACKET_SYN, 100, 0, "");
    after(&w, 3000);
    packet(&w, true, PACKET_SYN, 100, 0, "");
    after(&w, 5);
    packet(&w, false, PACKET_SYN | PACKET_ACK, 500, 101, "");
    after(&w, 1);
    UP(101, 501, "");
    told(&w, ">opening >opening*1+3000ms <accepted+5ms >established+3006ms ");
}

static void a_refusal_is_told_from_a_reset(void **state)
{
    struct world w;

    world_init(&w);
    packet(&w, true, PACKET_SYN, 100, 0, "");
    after(&w, 2);
    packet(&w, false, PACKET_RST | PACKET_ACK, 0, 101, "");
    after(&w, 500);
    packet(&w, true, PACKET_SYN, 100, 0, "");
    packet(&w, false, PACKET_RST | PACKET_ACK, 0, 101, "");
    after(&w, 500);
    packet(&w, true, PACKET_SYN, 9900, 0, ""); /* another connection from the same port */
    packet(&w, false, PACKET_SYN | PACKET_ACK, 500, 9901, "");
    UP(9901, 501, "");
    packet(&w, false, PACKET_RST, 501, 0, "");
    told(&w,
         ">opening <refused+2ms >opening*1+502ms <refused >opening <accepted >established <reset ");
}

static void bytes_come_in_their_order(void **state)
{
    struct world w;

    open_one(&w);
    UP(107, 501, "efgh");
    after(&w, 1);
    UP(101, 501, "abcd--");
    DOWN(501, 111, "x");
    told(&w, ">gap >'abcd--' >'efgh' >filled <acknowledged+1ms <'x' ");
}

static void what_is_sent_again_is_told_and_not_read_twice(void **state)
{
    struct world w;

    open_one(&w);
    UP(101, 501, "abcd");
    after(&w, 200);
    UP(101, 501, "abcd");
    after(&w, 400);
    UP(101, 501, "abcdef"); /* more came to it */
    after(&w, 1);
    DOWN(501, 107, "");
    told(&w, ">'abcd' >again*1+200ms >again*2+600ms >'ef' <acknowledged*2+601ms ");
}

static void acknowledged_bytes_that_never_came_were_lost_by_the_capture(void **state)
{
    struct world w;

    open_one(&w);
    UP(101, 501, "abcd");
    DOWN(501, 111, ""); /* six bytes nobody saw */
    after(&w, 100);
    UP(111, 501, "gh");
    told(&w, ">'abcd' <acknowledged >lost:6 >'gh' ");
}

static void mirror_ports_may_show_the_answer_first(void **state)
{
    struct world w;

    open_one(&w);
    DOWN(501, 105, "");
    after(&w, 2);
    UP(101, 501, "abcd");
    after(&w, 1000);
    UP(105, 501, "e");
    told(&w, ">'abcd' >'e' ");
}

static void a_direction_that_is_not_in_the_capture_loses_nothing(void **state)
{
    struct world w;

    world_init(&w);
    UP(101, 501, "abcd");
    after(&w, 1000);
    UP(105, 601, "efgh");
    after(&w, 1000);
    UP(109, 701, "ijkl");
    told(&w, ">middle >'abcd' >'efgh' >'ijkl' ");
}

static void what_waits_for_a_gap_is_handed_on_when_the_connection_goes(void **state)
{
    struct world w;

    open_one(&w);
    UP(105, 501, "efgh");
    after(&w, 1);
    DOWN(501, 109, ""); /* all of it came: the capture missed the first */
    streams_done(&w.streams);
    assert_string_equal(w.log, ">gap <acknowledged+1ms >lost:4 >'efgh' ");
}

static void a_gap_that_stays_is_given_up(void **state)
{
    struct world w;

    open_one(&w);
    UP(105, 501, "efgh");
    after(&w, 6000);
    UP(109, 501, "ij");
    told(&w, ">gap >unknown:4 >'efgh' >'ij' ");
}

static void parting_words_show_what_never_came(void **state)
{
    struct world w;

    open_one(&w);
    UP(101, 501, "abcd");
    packet(&w, true, PACKET_FIN | PACKET_ACK, 117, 501, "");
    after(&w, 200);
    told(&w, ">'abcd' >gap*1 >closing ");
    open_one(&w);
    packet(&w, true, PACKET_FIN | PACKET_ACK, 105, 501, "");
    after(&w, 200);
    UP(101, 501, "abcd");
    told(&w, ">gap*1 >closing >'abcd' >filled ");
    open_one(&w);
    packet(&w, true, PACKET_RST, 90000000, 0, ""); /* of no number of this connection */
    told(&w, ">reset ");
}

static void what_the_snaplen_cut_off_is_a_hole_of_its_own(void **state)
{
    struct world w;

    open_one(&w);
    packet_cut(&w, true, PACKET_ACK, 101, 501, "abcd", 1000, 96);
    UP(201, 501, "next");
    told(&w, ">'abcd' >cut:96 >'next' ");
}

static void windows_and_probes(void **state)
{
    struct world w;

    open_one(&w);
    UP(101, 501, "ab");
    packet_cut(&w, false, PACKET_ACK, 501, 103, "", 0, 0);
    after(&w, 300);
    UP(103, 501, "c"); /* a byte to try the window */
    after(&w, 300);
    packet_cut(&w, false, PACKET_ACK, 501, 103, "", 500, 0);
    UP(102, 501, ""); /* keepalive of TCP */
    told(&w, ">'ab' <acknowledged <closed >probe <open+600ms >probe ");
}

static void sequence_numbers_wrap(void **state)
{
    struct world w;

    world_init(&w);
    packet(&w, true, PACKET_SYN, 0xfffffffd, 0, "");
    packet(&w, false, PACKET_SYN | PACKET_ACK, 0xffffffff, 0xfffffffe, "");
    UP(0xfffffffe, 0, "abcd");
    UP(2, 0, "efgh");
    DOWN(0, 6, "ok");
    told(&w, ">opening <accepted >established >'abcd' >'efgh' <acknowledged <'ok' ");
}

static void ports_that_are_used_again_are_another_connection(void **state)
{
    struct world w;

    open_one(&w);
    UP(101, 501, "abcd");
    packet(&w, true, PACKET_FIN | PACKET_ACK, 105, 501, "");
    packet(&w, false, PACKET_FIN | PACKET_ACK, 501, 106, "");
    UP(106, 502, "");
    after(&w, 10);
    packet(&w, true, PACKET_SYN, 77000000, 0, "");
    packet(&w, false, PACKET_SYN | PACKET_ACK, 900, 77000001, "");
    UP(77000001, 901, "new");
    told(&w, ">'abcd' >closing <acknowledged <closing >opening <accepted >established >'new' ");
}

static void a_connection_out_of_the_window_began_anew_unseen(void **state)
{
    struct world w;

    open_one(&w);
    UP(101, 501, "abcd");
    UP(1500000000, 501, "new");
    told(&w, ">'abcd' >middle >'new' ");
}

static void what_waits_is_bounded(void **state)
{
    static char data[1001];
    struct world w;

    memset(data, 'z', 1000);
    open_one(&w);
    for (uint32_t i = 0; i < 2000; i++)
        UP(110 + i * 1000, 501, data);
    assert_true(w.streams.waiting <= STREAM_WAITING_MAX);
    streams_done(&w.streams);
    assert_int_equal(w.streams.waiting, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openings_are_told_with_their_times),
        cmocka_unit_test(a_refusal_is_told_from_a_reset),
        cmocka_unit_test(bytes_come_in_their_order),
        cmocka_unit_test(what_is_sent_again_is_told_and_not_read_twice),
        cmocka_unit_test(acknowledged_bytes_that_never_came_were_lost_by_the_capture),
        cmocka_unit_test(mirror_ports_may_show_the_answer_first),
        cmocka_unit_test(a_direction_that_is_not_in_the_capture_loses_nothing),
        cmocka_unit_test(what_waits_for_a_gap_is_handed_on_when_the_connection_goes),
        cmocka_unit_test(a_gap_that_stays_is_given_up),
        cmocka_unit_test(parting_words_show_what_never_came),
        cmocka_unit_test(what_the_snaplen_cut_off_is_a_hole_of_its_own),
        cmocka_unit_test(windows_and_probes),
        cmocka_unit_test(sequence_numbers_wrap),
        cmocka_unit_test(ports_that_are_used_again_are_another_connection),
        cmocka_unit_test(a_connection_out_of_the_window_began_anew_unseen),
        cmocka_unit_test(what_waits_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
