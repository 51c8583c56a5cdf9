/* station_storm.c - ten thousand phones come within two seconds: their refreshes and keepalives do
 * not come in one storm again and again. Each test prints what came in which second. */
#include "test.h"

#include "sip_world.h"
#include "station/calendar.h"

#define PHONES  10000 /* and one that comes alone */
#define SECONDS 1800

static uint32_t heard[SECONDS + 4096];

/* One line for each half minute: the least and the most of a second, and the mean. Returns the most
 * from `from_s` on, in hundredths of the mean. */
static unsigned print_histogram(const char *what, unsigned from_s)
{
    uint64_t sum = 0;
    unsigned peak = 0;

    print_message("%s in a second, by half minutes\n", what);
    for (unsigned s = 0; s < SECONDS; s += 30) {
        unsigned least = UINT32_MAX, most = 0, n = 0;

        for (unsigned i = s; i < s + 30; i++) {
            least = heard[i] < least ? heard[i] : least;
            most = heard[i] > most ? heard[i] : most;
            n += heard[i];
        }
        if (s < 300)
            print_message("%5u s  least %4u  mean %4u  most %4u  %.*s\n", s, least, n / 30, most,
                          (int)(most / 20 < 60 ? most / 20 : 60),
                          "############################################################");
        if (s >= from_s) {
            sum += n;
            peak = most > peak ? most : peak;
        }
    }
    return (unsigned)(peak * 100ull * (SECONDS - from_s) / sum);
}

static struct world_phone {
    char mac[13], call_id[24];
    unsigned cseq;
} phones[PHONES + 1];

static struct sip_world *office(const char *more)
{
    struct grow_lines {
        char *at;
        size_t len;
    } lines = {malloc(PHONES * 64 + 2000), 0};
    struct sip_world *w;

    lines.len += (size_t)sprintf(lines.at, "%s", more);
    for (unsigned i = 0; i <= PHONES; i++) {
        snprintf(phones[i].mac, sizeof(phones[i].mac), "%012X", 0x440000 + i);
        snprintf(phones[i].call_id, sizeof(phones[i].call_id), "call-%u", i);
        phones[i].cseq = 100;
        lines.len += (size_t)sprintf(lines.at + lines.len,
                                     "phone SEP%s model=8851 protocol=sip lines=%u\n",
                                     phones[i].mac, 100000 + i);
    }
    w = sip_world_new_sized(lines.at, PHONES + 10);
    free(lines.at);
    free(w->log);
    w->log = NULL;
    return w;
}

/* Registers or refreshes; how many seconds were granted. */
static unsigned say_register_from(struct sip_world *w, unsigned i, const struct endpoint *peer)
{
    struct endpoint local = {ip_v4(0x0a000001), 5060};
    char bytes[4096], user[8];
    const char *answer, *expires;
    size_t len;
    struct sip_say s = {.mac = phones[i].mac,
                        .model = "684",
                        .user = user,
                        .call_id = phones[i].call_id,
                        .cseq = ++phones[i].cseq,
                        .expires = 3600,
                        .supported = "replaces",
                        .port = 5060,
                        .ip = 0x0a020000 + i};

    snprintf(user, sizeof(user), "%u", 100000 + i);
    len = sip_world_write(&s, bytes, sizeof(bytes));
    sip_stations_datagram(w->sip, peer, &local, bytes, len, w->now, w->effects);
    answer = (const char *)w->effects->bytes;
    assert_memory_equal(answer, "SIP/2.0 200", 11);
    expires = memmem(answer, writer_len(&w->effects->out), "\r\nExpires: ", 11);
    len = (size_t)atoi(expires + 11);
    sip_world_carry_out(w);
    return (unsigned)len;
}

static unsigned say_register(struct sip_world *w, unsigned i)
{
    return say_register_from(w, i, &(struct endpoint){ip_v4(0x0a020000 + i), 5060});
}

static void refreshes_after_a_storm_are_spread_and_who_comes_alone_gets_the_documented_times(void **state)
{
    struct sip_world *w = office("");
    static unsigned due[PHONES]; /* second of the next refresh */
    unsigned shortest = 120;

    memset(heard, 0, sizeof(heard));
    for (unsigned s = 0; s < SECONDS; s++) {
        for (unsigned i = 0; i < PHONES; i++) {
            unsigned granted;

            if (s < 2 ? i % 2 != s : s != due[i])
                continue;
            granted = say_register(w, i);
            heard[s] += s >= 2;
            shortest = granted < shortest ? granted : shortest;
            due[i] = s + granted - 5;
        }
        if (s >= 300 && s % 115 == 0) /* it came when all were there, and refreshes */
            assert_int_equal(say_register(w, PHONES), 120);
        sip_world_pass(w, 1000);
    }
    assert_in_range(shortest, 30, 60);
    assert_int_equal(registry_registered(w->registry, PROTOCOL_SIP), PHONES + 1);
    assert_true(print_histogram("refreshes", 30) <= 200);
    sip_world_free(w);
}

static bool knows(const struct sip_world *w, const struct endpoint *peer)
{
    return sip_stations_knows(w->sip, peer, w->now.ms);
}

static void who_is_registered_by_udp_is_known_by_where_it_is(void **state)
{
    struct sip_world *w = office("");
    struct endpoint first = {ip_v4(0x0a020000), 5060}, moved = {first.ip, 5070},
                    six = {{6, {1}}, 5060};
    size_t strangers = 0;

    assert_false(knows(w, &first));
    say_register_from(w, 0, &first);
    assert_false(knows(w, &first)); /* not in its first second: it may have sent that twice */
    sip_world_pass(w, 2000);
    assert_true(knows(w, &first));
    say_register_from(w, 0, &moved); /* a NAT gave it another port */
    sip_world_pass(w, 2000);
    assert_true(knows(w, &moved));
    assert_false(knows(w, &first));
    say_register_from(w, 0, &six);
    sip_world_pass(w, 2000);
    assert_true(knows(w, &six));
    assert_false(knows(w, &moved));
    for (unsigned i = 0; i < PHONES; i++)
        say_register(w, i);
    sip_world_pass(w, 2000);
    for (unsigned i = 0; i < PHONES; i++) {
        struct endpoint peer = {ip_v4(0x0a020000 + i), 5060}, other = {peer.ip, 5061};

        assert_true(knows(w, &peer));
        strangers += knows(w, &other);
    }
    assert_in_range(strangers, 0, PHONES / 20); /* who shares a count with another */
    sip_world_pass(w, 200000);
    assert_int_equal(sip_stations_registered(w->sip), 0);
    for (unsigned i = 0; i < PHONES; i++)
        assert_false(knows(w, &(struct endpoint){ip_v4(0x0a020000 + i), 5060}));
    assert_false(knows(w, &six));
    sip_world_free(w);
}

static void a_phone_with_a_shorter_grant_is_lost_that_much_earlier(void **state)
{
    struct sip_world *w = office("");
    struct device_name name;
    unsigned granted = 120, i;

    for (i = 0; granted == 120; i++)
        granted = say_register(w, i);
    snprintf(name.s, sizeof(name.s), "SEP%s", phones[i - 1].mac);
    sip_world_pass(w, (granted + 10) * 1000 - 1); /* 5 s earlier it was due, and 15 s are graceful */
    assert_non_null(registry_find(w->registry, name));
    sip_world_pass(w, 1);
    assert_null(registry_find(w->registry, name));
    sip_world_free(w);
}

static void without_pacing_all_get_the_same(void **state)
{
    struct sip_world *w = office("parameter paced_return value=false\n");

    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(say_register(w, i), 120);
    sip_world_free(w);
}

/* RegisterAck says the interval once and a phone counts from there: those that have the same stay
 * together. A second in which all come is broken up, not made even. */
static void keepalives_of_sccp_phones_after_a_storm_are_broken_up(void **state)
{
    static struct calendar c;
    unsigned spread;

    for (int paced = 0; paced <= 1; paced++) {
        memset(heard, 0, sizeof(heard));
        for (unsigned i = 0; i < PHONES; i++) {
            unsigned s = i / (PHONES / 2), at = paced ? calendar_pick(&c, s * 1000, 30, 23, i) : 30;

            assert_in_range(at, 23, 30);
            for (unsigned next = s + at; next < SECONDS; next += at)
                heard[next]++;
        }
        spread = print_histogram(paced ? "keepalives, spread" : "keepalives, all the same", 30);
        assert_in_range(spread, paced ? 100 : 1400, paced ? 800 : 1600);
    }
}

static void a_clock_that_jumps_empties_the_calendar(void **state)
{
    static struct calendar c;

    for (unsigned i = 0; i < 100; i++)
        calendar_pick(&c, 10000000, 120, 40, 0);
    assert_true(calendar_pick(&c, 10000000, 120, 40, 0) < 120);
    assert_int_equal(calendar_pick(&c, 1000, 120, 40, 0), 120); /* back */
    for (unsigned i = 0; i < 100; i++)
        calendar_pick(&c, 1000, 120, 40, 0);
    assert_int_equal(calendar_pick(&c, UINT64_MAX / 2, 120, 40, 0), 120); /* and far ahead */
    assert_int_equal(calendar_pick(&c, UINT64_MAX / 2, 86400, 40, 0), 86400);
    assert_int_equal(calendar_pick(&c, UINT64_MAX / 2, 0, 40, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            refreshes_after_a_storm_are_spread_and_who_comes_alone_gets_the_documented_times),
        cmocka_unit_test(who_is_registered_by_udp_is_known_by_where_it_is),
        cmocka_unit_test(a_phone_with_a_shorter_grant_is_lost_that_much_earlier),
        cmocka_unit_test(without_pacing_all_get_the_same),
        cmocka_unit_test(keepalives_of_sccp_phones_after_a_storm_are_broken_up),
        cmocka_unit_test(a_clock_that_jumps_empties_the_calendar),
    };

    return cmocka_run_group_tests_name("station_storm", tests, NULL, NULL);
}
