/* station_memory.c - phones come, go and are refused while any one allocation fails. */
#include "test.h"

#include "base/log.h"
#include "memory.h"
#include "sip_world.h"
#include "station_world.h"

#define SCCP "SEP001122334455"
#define SIP  "SEP00112233445A"
#define PHONES                                                                                     \
    "phone " SCCP " model=7960 lines=7001;7002 speed_dials=Taxi=0123\n"                            \
    "phone " SIP " model=684 protocol=sip lines=7003;7004\n"

static void cores_are_made(void)
{
    static const uint8_t secret[32] = "0123456789abcdefghijklmnopqrstu";
    struct registry_options r = {.node = "cm1"};
    struct registry *registry = registry_new(&r);
    struct stations_options o = {.registry = registry, .max_sessions = 10};
    struct sip_options sip = {
        .registry = registry, .max_devices = 10, .max_links = 10, .secret = secret};
    struct stations *stations = registry ? stations_new(&o) : NULL;
    struct sip_stations *phones = registry ? sip_stations_new(&sip) : NULL;

    effects_free(effects_new());
    stations_free(stations);
    sip_stations_free(phones);
    registry_free(registry);
}

static void a_core_is_made_or_refused_whole(void **state)
{
    with_each_allocation_failing(cores_are_made, 4);
}

static void sccp_phones(void)
{
    long left = memory_pause();
    struct world *w = world_new(PHONES);

    free(w->log);
    w->log = NULL;
    until_failure = left;
    for (uint64_t link = 1; link < 4; link++) {
        world_connect(w, link, (uint32_t)(0x0a010000 + link));
        world_bytes(w, link, "\x04\0\0\0\0\0\0", 7); /* half a message */
        world_bytes(w, link, "\0\0\0\0", 5 - 1 + 1); /* and its end: a keepalive */
        world_register(w, link, link == 3 ? "SEPAABBCCDDEEFF" : SCCP, 7, 11);
        world_capabilities(w, link);
    }
    world_pass(w, 200000);
    stations_order(w->stations, device_name_of(TEXT(SCCP)), STATION_RESET, w->now, w->effects);
    world_carry_out(w);
    for (uint64_t link = 1; link < 4; link++)
        world_close(w, link);
    left = memory_pause();
    world_free(w);
    until_failure = left;
}

static void sccp_phones_come_and_go_whatever_fails(void **state)
{
    with_each_allocation_failing(sccp_phones, 10);
}

static void sip_phones(void)
{
    static const struct sip_say bulk = {1,   "00112233445A", "684", "7003", "one@10.1.0.1",
                                        101, 3600,           NULL,  NULL,   SIP_BULK_BODY};
    struct sip_say unknown = bulk, gone = bulk, udp = bulk;
    long left = memory_pause();
    struct sip_world *w = sip_world_new(PHONES);

    free(w->log);
    w->log = NULL;
    unknown.link = 2;
    unknown.mac = "AABBCCDDEEFF";
    unknown.call_id = "two";
    udp.link = 0;
    udp.call_id = "three";
    gone.cseq = 102;
    gone.expires = 0;
    until_failure = left;
    sip_world_connect(w, 1);
    sip_world_connect(w, 2);
    sip_world_bytes(w, 1, "REGISTER sip:10", 15);
    sip_world_close(w, 1);
    sip_world_connect(w, 1);
    sip_world_register(w, &bulk);
    sip_world_register(w, &unknown);
    sip_world_register(w, &udp);
    sip_stations_order(w->sip, device_name_of(TEXT(SIP)), STATION_RESTART, w->now, w->effects);
    sip_world_carry_out(w);
    sip_world_pass(w, 5000);
    sip_world_register(w, &gone);
    sip_world_close(w, 1);
    sip_world_pass(w, 200000);
    left = memory_pause();
    sip_world_free(w);
    until_failure = left;
}

static void sip_phones_come_and_go_whatever_fails(void **state)
{
    with_each_allocation_failing(sip_phones, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_is_made_or_refused_whole),
        cmocka_unit_test(sccp_phones_come_and_go_whatever_fails),
        cmocka_unit_test(sip_phones_come_and_go_whatever_fails),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
