/* stations.c - whole ladders: what a phone says, line by line, and all that the server answers.
 *
 *   dir LINE            a line of directory_lines.h; all of them come first
 *   at MS               the clock moves there
 *   connect IP          a new connection (the next number from 1); `link N` makes another one
 * current close               the phone closes say NAME HEX…       a message with that body, as the
 * phone sends it order reset|restart|apply NAME admit | admit -ERRNO the database's answer to an
 * auto-registration, `dir` lines before it included # a remark          is copied Answers are
 * dumped with their bytes. */
#include "golden.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/station_world.h"
#include "base/log.h"
#include "station/sccp/station.h"

struct ladder {
    struct world *world;
    char lines[8192]; /* of the directory */
    size_t len;
    bool changed; /* since they were last given */
    uint64_t link, n_links, start_ms;
};

static void give_directory(struct ladder *l)
{
    if (!l->changed)
        return;
    l->changed = false;
    if (l->world) {
        world_directory(l->world, l->lines);
        return;
    }
    l->world = world_new(l->lines);
    l->world->dump = l->world->hex = true;
    l->start_ms = l->world->now.ms;
}

static size_t read_hex(struct text t, uint8_t *to, size_t size)
{
    size_t n = 0, digits = 0;

    for (size_t i = 0; i < t.len && n < size; i++) {
        if (!isxdigit((unsigned char)t.at[i]))
            continue;
        to[n] = (uint8_t)(to[n] << 4 | (uint8_t)strtoul((char[]){t.at[i], 0}, NULL, 16));
        if (++digits % 2 == 0)
            n++;
    }
    return n;
}

static int say(struct ladder *l, struct text rest)
{
    struct text name = text_split(&rest, ' ');
    uint8_t body[4096] = {0};
    uint32_t id;

    if (sccp_message_id(name, &id) < 0)
        return -1;
    world_frame(l->world, l->link, id, body, read_hex(rest, body, sizeof(body)));
    return 0;
}

static int order(struct ladder *l, struct text rest)
{
    struct text verb = text_split(&rest, ' ');
    enum station_order o = text_is(verb, "reset")     ? STATION_RESET
                           : text_is(verb, "restart") ? STATION_RESTART
                                                      : STATION_APPLY;
    int err = stations_order(l->world->stations, device_name_of(rest), o, l->world->now,
                             l->world->effects);

    world_carry_out(l->world);
    return err;
}

static int connect_from(struct ladder *l, struct text rest)
{
    struct ip ip;

    if (ip_parse(rest, &ip) < 0)
        return -1;
    l->link = ++l->n_links;
    world_connect(l->world, l->link, ip_v4_number(ip));
    return 0;
}

static int pass(struct ladder *l, struct text rest)
{
    uint64_t ms;

    if (text_to_u64(rest, 10, &ms) < 0 || ms < l->world->now.ms - l->start_ms)
        return -1;
    world_pass(l->world, ms - (l->world->now.ms - l->start_ms));
    return 0;
}

static int line_done(struct ladder *l, struct text verb, struct text rest)
{
    uint64_t n;

    if (text_is(verb, "dir")) {
        l->len += (size_t)snprintf(l->lines + l->len, sizeof(l->lines) - l->len, "%.*s\n",
                                   TEXT_ARG(rest));
        l->changed = true;
        return 0;
    }
    give_directory(l);
    if (text_is(verb, "at"))
        return pass(l, rest);
    if (text_is(verb, "connect"))
        return connect_from(l, rest);
    if (text_is(verb, "say"))
        return say(l, rest);
    if (text_is(verb, "order"))
        return order(l, rest);
    if (text_is(verb, "link") && text_to_u64(rest, 10, &n) == 0)
        return l->link = n, 0;
    if (text_is(verb, "close"))
        return world_close(l->world, l->link), 0;
    if (!text_is(verb, "admit"))
        return -1;
    n = 0;
    text_to_u64(text_skip(rest, rest.len ? 1 : 0), 10, &n);
    stations_admitted(l->world->stations, l->world->token, -(int)n, l->world->now,
                      l->world->effects);
    world_carry_out(l->world);
    return 0;
}

static int print_ladder(struct text all, struct writer *w)
{
    struct ladder l = {.world = NULL};
    int err = 0;

    while (all.at && !err) {
        struct text line = text_trim(text_split(&all, '\n')), rest = line, verb;

        if (!line.len)
            continue;
        write_text(w, line);
        write_string(w, "\n");
        if (line.at[0] == '#')
            continue;
        verb = text_split(&rest, ' ');
        err = line_done(&l, verb, rest.at ? text_trim(rest) : TEXT(""));
        if (l.world) {
            write_string(w, l.world->log);
            world_forget(l.world);
        }
    }
    if (l.world)
        world_free(l.world);
    return err;
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    return print_ladder((struct text){(const char *)bytes, len}, w);
}

int main(int argc, char **argv)
{
    log_set_level(LOG_LEVEL_ERROR);
    return golden_run(argc, argv, print);
}
