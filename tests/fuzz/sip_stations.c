/* sip/stations.c - any bytes from a SIP peer, by datagram or in a stream, in any state of its
 * device.
 *
 * The first byte chooses the way and the state, the second how the rest is cut; then come messages.
 * Whatever comes: no crash, and when all are dropped nothing is left. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "../unit/sip_world.h"
#include "base/log.h"

#define A "SEP001122334455"

static struct sip_world *world;

static void world_once(void)
{
    if (world)
        return;
    log_set_level(LOG_LEVEL_ERROR);
    world = sip_world_new("phone " A " model=684 protocol=sip lines=7001;7002\n"
                          "phone SEP00112233445A model=621 protocol=sip lines=7003 quarantine=true\n"
                          "user alice digest_password=secret\n"
                          "phone softphone1 model=336 protocol=sip-third-party owner=alice "
                          "lines=7005\n"
                          "autoregistration cm1 enabled=true start=8000 end=8010\n");
    free(world->log);
    world->log = NULL;
}

static void enter(uint8_t state)
{
    struct sip_say say = {state & 1, "001122334455", "684", "7001", "one@10.1.0.1",
                          101,       3600,           NULL,  NULL,   SIP_BULK_BODY};

    if (state & 1)
        sip_world_connect(world, 1);
    if (state & 4)
        say.body = NULL;
    if (state & 2)
        sip_world_register(world, &say);
    if (state & 8)
        sip_stations_order(world->sip, (struct device_name){A}, STATION_RESTART, world->now,
                           world->effects);
    sip_world_carry_out(world);
}

static void deliver(uint8_t state, const uint8_t *bytes, size_t len, size_t cut)
{
    for (size_t at = 0; at < len; at += cut) {
        size_t n = len - at < cut ? len - at : cut;

        if (!(state & 1))
            sip_world_datagram(world, sip_world_peer(0), bytes + at, n);
        else if (!world->closed[1])
            sip_world_bytes(world, 1, bytes + at, n);
        sip_world_pass(world, cut % 4096);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 2)
        return 0;
    world_once();
    enter(bytes[0]);
    deliver(bytes[0], bytes + 2, len - 2, bytes[1] ? bytes[1] : len);
    if (bytes[0] & 16)
        sip_stations_admitted(world->sip, world->token, 0, world->now, world->effects);
    sip_world_carry_out(world);
    if (bytes[0] & 64)
        sip_stations_activated(world->sip, world->token, bytes[0] & 128 ? -2 : 0, world->now,
                               world->effects);
    sip_world_carry_out(world);
    if (bytes[0] & 32)
        sip_world_pass(world, 140000);
    if (bytes[0] & 1)
        sip_world_close(world, 1);
    while (sip_stations_drop_all(world->sip, world->now, world->effects))
        sip_world_carry_out(world);
    sip_world_carry_out(world);
    if (sip_stations_registered(world->sip) || sip_stations_links(world->sip))
        abort();
    sip_world_pass(world, 40000);
    return 0;
}
