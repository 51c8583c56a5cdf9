/* station.c - any bytes from a peer, in any state of its connection.
 *
 * The first byte chooses the state, the second how the rest is cut. Whatever comes: no crash, every
 * answer decodes, and when the peer has closed nothing of it is left. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "../unit/station_world.h"
#include "base/log.h"

#define A "SEP001122334455"

static struct world *world;

static void world_once(void)
{
    if (world)
        return;
    log_set_level(LOG_LEVEL_ERROR);
    world = world_new("phone " A " model=7 lines=7001;7002 speed_dials=Taxi=0123\n"
                      "phone SEP00112233445A model=437 lines=7003\n"
                      "autoregistration cm1 enabled=true start=8000 end=8010\n");
    free(world->log);
    world->log = NULL;
}

static void enter(uint8_t state)
{
    static const uint8_t versions[] = {0, 3, 6, 11, 15, 17, 22};

    world_connect(world, 1, 0x0a010001);
    if (state & 1)
        world_register(world, 1, state & 0x40 ? "SEPAABBCCDDEEFF" : A, 7,
                       versions[(state >> 2) % 7]);
    if (state & 1 && state & 2)
        world_capabilities(world, 1);
    if (state & 0x80)
        stations_order(world->stations, (struct device_name){A}, STATION_RESET, world->now,
                       world->effects);
    world_carry_out(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t cut;

    if (len < 2)
        return 0;
    world_once();
    enter(bytes[0]);
    cut = bytes[1] ? bytes[1] : len;
    for (size_t at = 2; at < len && !world->closed[1]; at += cut) {
        world_bytes(world, 1, bytes + at, len - at < cut ? len - at : cut);
        world_pass(world, cut);
    }
    world_close(world, 1);
    if (stations_sessions(world->stations) || stations_registered(world->stations))
        abort();
    return 0;
}
