/* wire_sip_sdp.c - session descriptions and offer/answer (RFC 8866, RFC 3264). */
#include "test.h"

#include "wire/sip/sdp.h"

static struct sdp sdp, answer;

static const struct sdp_format formats[] = {
    {0, 1, 8000, TEXT("PCMU"), TEXT("")},
    {8, 1, 8000, TEXT("PCMA"), TEXT("")},
    {101, 1, 8000, TEXT("telephone-event"), TEXT("0-15")},
};
static struct sdp_ability ability = {"audio", "RTP/AVP", 4000, SDP_SENDRECV, 20, 3, formats};
static struct sdp_local local = {.user = TEXT("us"),
                                 .name = TEXT("call"),
                                 .id = 5,
                                 .version = 6,
                                 .n_abilities = 1,
                                 .abilities = &ability};

#define HEAD "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"

static int parse(const char *text)
{
    return sdp_parse(text_of(text), &sdp);
}

static void answer_to(const char *media)
{
    char text[1024];

    snprintf(text, sizeof(text), HEAD "%s", media);
    assert_int_equal(parse(text), 0);
    local.address = ip_v4(0x0a000001);
    sdp_answer(&sdp, &local, &answer);
    assert_true(sdp_answers(&answer, &sdp));
}

static void a_connection_of_a_medium_stands_before_that_of_the_session(void **state)
{
    assert_int_equal(parse(HEAD "m=audio 1000 RTP/AVP 0\r\nc=IN IP4 10.0.0.9\r\n"
                                "m=audio 1002 RTP/AVP 0\r\n"),
                     0);
    assert_int_equal(ip_v4_number(sdp.media[0].address), 0x0a000009);
    assert_int_equal(ip_v4_number(sdp.media[1].address), 0x0a000002);
}

static void attributes_of_the_session_hold_for_media_that_say_nothing(void **state)
{
    assert_int_equal(parse(HEAD "a=sendonly\r\nm=audio 1000 RTP/AVP 0\r\n"
                                "m=audio 1002 RTP/AVP 0\r\na=recvonly\r\n"),
                     0);
    assert_int_equal(sdp.media[0].direction, SDP_SENDONLY);
    assert_int_equal(sdp.media[1].direction, SDP_RECVONLY);
}

static void an_answer_has_the_numbers_of_the_offer(void **state)
{
    answer_to("m=audio 1000 RTP/AVP 120 96 97\r\na=rtpmap:120 opus/48000/2\r\n"
              "a=rtpmap:96 pcma/8000\r\na=rtpmap:97 telephone-event/8000\r\n");
    assert_int_equal(answer.media[0].port, 4000);
    assert_int_equal(answer.media[0].n_formats, 2);
    assert_int_equal(answer.media[0].formats[0].payload, 96);
    assert_int_equal(answer.media[0].formats[1].payload, 97);
    assert_true(text_is(answer.media[0].formats[1].parameters, "0-15"));
    assert_int_equal(answer.version, 6);
}

static void the_order_of_the_offer_is_kept(void **state)
{
    answer_to("m=audio 1000 RTP/AVP 8 0\r\n");
    assert_int_equal(answer.media[0].formats[0].payload, 8);
    assert_int_equal(answer.media[0].formats[1].payload, 0);
}

static void channels_and_clock_must_agree(void **state)
{
    answer_to(
        "m=audio 1000 RTP/AVP 96 97\r\na=rtpmap:96 PCMU/16000\r\na=rtpmap:97 PCMU/8000/2\r\n");
    assert_int_equal(answer.media[0].port, 0);
}

static void events_alone_are_no_talk(void **state)
{
    answer_to("m=audio 1000 RTP/AVP 101 13\r\na=rtpmap:101 telephone-event/8000\r\n");
    assert_int_equal(answer.media[0].port, 0);
    assert_int_equal(answer.media[0].n_formats, 2); /* RFC 3264 6: as offered */
}

static void media_are_answered_in_their_order(void **state)
{
    answer_to("m=video 900 RTP/AVP 34\r\nm=audio 0 RTP/AVP 0\r\nm=audio 1000 RTP/AVP 0\r\n"
              "m=audio 1002 RTP/AVP 0\r\nm=image 1004 udptl t38\r\n");
    assert_int_equal(answer.n_media, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(answer.media[i].port, i == 2 ? 4000 : 0);
    assert_true(text_is(answer.media[4].words, "t38"));
}

static void one_codec_takes_the_events_of_its_clock(void **state)
{
    local.one_codec = true;
    answer_to("m=audio 1000 RTP/AVP 100 0 8 101\r\na=rtpmap:100 telephone-event/48000\r\n"
              "a=rtpmap:101 telephone-event/8000\r\n");
    local.one_codec = false;
    assert_int_equal(answer.media[0].n_formats, 2);
    assert_int_equal(answer.media[0].formats[0].payload, 0);
    assert_int_equal(answer.media[0].formats[1].payload, 101);
}

static enum sdp_direction direction_to(const char *media)
{
    char text[256];

    snprintf(text, sizeof(text), "m=audio 1000 RTP/AVP 0\r\n%s", media);
    answer_to(text);
    return (enum sdp_direction)answer.media[0].direction;
}

static void directions_are_turned(void **state)
{
    assert_int_equal(direction_to(""), SDP_SENDRECV);
    assert_int_equal(direction_to("a=sendonly\r\n"), SDP_RECVONLY);
    assert_int_equal(direction_to("a=recvonly\r\n"), SDP_SENDONLY);
    assert_int_equal(direction_to("a=inactive\r\n"), SDP_INACTIVE);
    ability.direction = SDP_SENDONLY;
    assert_int_equal(direction_to(""), SDP_SENDONLY);
    assert_int_equal(direction_to("a=sendonly\r\n"), SDP_INACTIVE);
    ability.direction = SDP_SENDRECV;
}

static void a_blank_address_is_hold(void **state)
{
    assert_int_equal(direction_to("c=IN IP4 0.0.0.0\r\n"), SDP_RECVONLY);
    assert_int_equal(direction_to("c=IN IP4 0.0.0.0\r\na=inactive\r\n"), SDP_INACTIVE);
    assert_int_equal(sdp_peer_direction(&sdp.media[0]), SDP_INACTIVE);
    assert_int_equal(direction_to("c=IN IP4 0.0.0.0\r\na=recvonly\r\n"), SDP_INACTIVE);
}

static void hold_keeps_what_we_send(void **state)
{
    sdp_offer(&local, &sdp);
    sdp_hold(&sdp, false);
    assert_int_equal(sdp.version, 7);
    assert_int_equal(sdp.media[0].direction, SDP_SENDONLY);
    sdp.media[0].direction = SDP_RECVONLY;
    sdp_hold(&sdp, true);
    assert_int_equal(sdp.media[0].direction, SDP_INACTIVE);
    assert_true(ip_is_any(sdp.media[0].address));
}

static void an_offer_can_be_read_by_the_other_side(void **state)
{
    static struct sdp offer;
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    local.address = ip_v4(0x0a000001);
    sdp_offer(&local, &offer);
    sdp_write(&w, &offer);
    assert_int_equal(sdp_parse((struct text){text, writer_len(&w)}, &sdp), 0);
    assert_int_equal(sdp.media[0].n_formats, 3);
    assert_true(text_is(sdp.media[0].formats[2].encoding, "telephone-event"));
    assert_int_equal(sdp.media[0].ptime_ms, 20);
    assert_int_equal(sdp.id, 5);
}

static void media_may_come_but_not_go(void **state)
{
    static struct sdp next;

    assert_int_equal(parse(HEAD "m=audio 1000 RTP/AVP 0\r\n"), 0);
    next = sdp;
    next.id = 77; /* Cisco phones, when they resume */
    next.media[1] = next.media[0];
    next.n_media = 2;
    assert_true(sdp_follows(&next, &sdp));
    assert_false(sdp_follows(&sdp, &next));
    next.media[0].type = TEXT("video");
    assert_false(sdp_follows(&next, &sdp));
    sdp.media[0].port = 0; /* its place may be taken */
    assert_true(sdp_follows(&next, &sdp));
}

static void offers_early_and_delayed_find_their_answers(void **state)
{
    struct sdp_exchange x = {SDP_STABLE};

    assert_int_equal(sdp_came(&x), SDP_IS_OFFER);  /* INVITE */
    assert_int_equal(sdp_sent(&x), SDP_IS_ANSWER); /* 200 */
    assert_int_equal(sdp_sent(&x), SDP_IS_OFFER);  /* 200 to an INVITE without */
    assert_int_equal(sdp_came(&x), SDP_IS_ANSWER); /* ACK */
    assert_int_equal(x.state, SDP_STABLE);
}

static void a_second_offer_has_no_place(void **state)
{
    struct sdp_exchange x = {SDP_STABLE};

    assert_int_equal(sdp_came(&x), SDP_IS_OFFER);
    assert_int_equal(sdp_came(&x), -EPROTO);
    sdp_gave_up(&x);
    assert_int_equal(sdp_sent(&x), SDP_IS_OFFER);
    assert_int_equal(sdp_sent(&x), -EPROTO);
}

static void what_is_no_description_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "v=1\r\no=- 1 1 IN IP4 1.2.3.4\r\n",
                                      "v=0\r\n",
                                      "v=0\r\nhello\r\n",
                                      "v=0\r\no=- x 1 IN IP4 1.2.3.4\r\n",
                                      "v=0\r\no=- 1 1 XX IP4 1.2.3.4\r\n",
                                      HEAD "m=audio\r\n",
                                      HEAD "m=audio 1000 RTP/AVP\r\n",
                                      HEAD "m=audio x RTP/AVP 0\r\n",
                                      HEAD "m=audio 1000 RTP/AVP x\r\n",
                                      HEAD "c=IN IP4\r\n"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(parse(bad[i]), -EBADMSG);
}

static void truncation_never_reads_beyond_the_end(void **state)
{
    static const char whole[] =
        HEAD "m=audio 1000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000"
             "\r\na=fmtp:101 0-15\r\na=ptime:20\r\n";

    for (size_t n = 0; n < sizeof(whole); n++) {
        char *copy = malloc(n ? n : 1);

        memcpy(copy, whole, n);
        sdp_parse((struct text){copy, n}, &sdp);
        free(copy);
    }
}

static void formats_beyond_the_limit_are_left_out(void **state)
{
    char text[1024] = HEAD "m=audio 1000 RTP/AVP";

    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", i);
    strcat(text, "\r\n");
    assert_int_equal(parse(text), 0);
    assert_int_equal(sdp.media[0].n_formats, SDP_FORMATS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_of_a_medium_stands_before_that_of_the_session),
        cmocka_unit_test(attributes_of_the_session_hold_for_media_that_say_nothing),
        cmocka_unit_test(an_answer_has_the_numbers_of_the_offer),
        cmocka_unit_test(the_order_of_the_offer_is_kept),
        cmocka_unit_test(channels_and_clock_must_agree),
        cmocka_unit_test(events_alone_are_no_talk),
        cmocka_unit_test(media_are_answered_in_their_order),
        cmocka_unit_test(one_codec_takes_the_events_of_its_clock),
        cmocka_unit_test(directions_are_turned),
        cmocka_unit_test(a_blank_address_is_hold),
        cmocka_unit_test(hold_keeps_what_we_send),
        cmocka_unit_test(an_offer_can_be_read_by_the_other_side),
        cmocka_unit_test(media_may_come_but_not_go),
        cmocka_unit_test(offers_early_and_delayed_find_their_answers),
        cmocka_unit_test(a_second_offer_has_no_place),
        cmocka_unit_test(what_is_no_description_is_refused),
        cmocka_unit_test(truncation_never_reads_beyond_the_end),
        cmocka_unit_test(formats_beyond_the_limit_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
