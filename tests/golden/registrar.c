/* registrar.c - whole conversations: what SIP phones say, byte for byte, and all that the server
 * answers.
 *
 *   dir LINE                a line of directory_lines.h; all of them come first
 *   at MS                   the clock moves there
 *   connect IP [tls NAME]   a new connection (the next number from 1), NAME of its certificate
 *   link N                  makes another one current; `udp IP PORT` datagrams from there instead
 *   close                   the phone closes
 *   > LINE                  a line of a message; the next line without `>` sends it.
 * `Content-Length: *` is filled in answer STATUS           to the last request of the server order
 * reset|restart|apply NAME admit | admit -ERRNO    the database's answer to an auto-registration #
 * a remark              is copied */
#include "golden.h"

#include "../unit/sip_world.h"
#include "base/log.h"
#include "notation.h"

static const char *folder; /* of the inputs */

struct talk {
    struct sip_world *world;
    char lines[8192]; /* of the directory */
    size_t len;
    bool changed;
    uint64_t link, n_links, start_ms; /* link 0: datagrams from `peer` */
    struct endpoint peer;
    char message[16384];
    size_t message_len;
};

static void give_directory(struct talk *t)
{
    if (!t->changed)
        return;
    t->changed = false;
    if (t->world) {
        sip_world_directory(t->world, t->lines);
        return;
    }
    t->world = sip_world_new(t->lines);
    t->world->whole = true;
    t->start_ms = t->world->now.ms;
}

static void deliver(struct talk *t, const char *bytes, size_t len)
{
    if (t->link)
        sip_world_bytes(t->world, t->link, bytes, len);
    else
        sip_world_datagram(t->world, t->peer, bytes, len);
}

/* What was collected, with the length of its body where an asterisk stands. */
static void send_message(struct talk *t)
{
    static const char mark[] = "Content-Length: *\r\n";
    char bytes[17000], *at, *body;
    size_t before;
    int n;

    if (!t->message_len)
        return;
    t->message[t->message_len] = '\0';
    at = strstr(t->message, mark);
    body = strstr(t->message, "\r\n\r\n");
    before = at ? (size_t)(at - t->message) : t->message_len;
    memcpy(bytes, t->message, before);
    n = at ? snprintf(bytes + before, sizeof(bytes) - before, "Content-Length: %zu\r\n%s",
                      body ? strlen(body + 4) : 0, at + sizeof(mark) - 1)
           : 0;
    t->message_len = 0;
    deliver(t, bytes, before + (size_t)n);
}

static void collect(struct talk *t, struct text line)
{
    t->message_len +=
        (size_t)snprintf(t->message + t->message_len, sizeof(t->message) - t->message_len,
                         "%.*s\r\n", TEXT_ARG(text_skip(line, line.len > 1 ? 2 : 1)));
}

static int answer(struct talk *t, struct text status)
{
    char bytes[4000];
    struct sip_message m;
    int n;

    if (sip_parse(t->world->last, strlen(t->world->last), &m) < 0 || m.status)
        return -1;
    n = snprintf(bytes, sizeof(bytes),
                 "SIP/2.0 %.*s OK\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s;tag=1\r\nCall-ID: %.*s\r\n"
                 "CSeq: %.*s\r\nContent-Length: 0\r\n\r\n",
                 TEXT_ARG(status), TEXT_ARG(sip_value(&m, SIP_VIA)),
                 TEXT_ARG(sip_value(&m, SIP_FROM)), TEXT_ARG(sip_value(&m, SIP_TO)),
                 TEXT_ARG(sip_value(&m, SIP_CALL_ID)), TEXT_ARG(sip_value(&m, SIP_CSEQ)));
    deliver(t, bytes, (size_t)n);
    return 0;
}

static int connect_from(struct talk *t, struct text rest)
{
    struct endpoint peer = {.port = 50000};
    struct text ip = text_split(&rest, ' ');
    bool tls = rest.at && text_starts(rest, "tls ");
    char name[64] = "";

    if (ip_parse(ip, &peer.ip) < 0)
        return -1;
    if (tls)
        text_copy(name, sizeof(name), text_skip(rest, 4));
    t->link = ++t->n_links;
    sip_world_connect_as(t->world, t->link, peer, tls ? SIP_TLS : SIP_TCP, name);
    return 0;
}

static int use_udp(struct talk *t, struct text rest)
{
    struct text ip = text_split(&rest, ' ');
    uint32_t port;

    if (ip_parse(ip, &t->peer.ip) < 0 || text_to_u32(rest, 10, &port) < 0)
        return -1;
    t->peer.port = (uint16_t)port;
    t->link = 0;
    return 0;
}

static int order(struct talk *t, struct text rest)
{
    struct text verb = text_split(&rest, ' ');
    enum station_order o = text_is(verb, "reset")     ? STATION_RESET
                           : text_is(verb, "restart") ? STATION_RESTART
                                                      : STATION_APPLY;
    int err = sip_stations_order(t->world->sip, device_name_of(rest), o, t->world->now,
                                 t->world->effects);

    sip_world_carry_out(t->world);
    return err;
}

static int pass(struct talk *t, struct text rest)
{
    uint64_t ms, at = t->world->now.ms - t->start_ms;

    if (text_to_u64(rest, 10, &ms) < 0 || ms < at)
        return -1;
    sip_world_pass(t->world, ms - at);
    return 0;
}

static int admit(struct talk *t, struct text rest)
{
    uint64_t n = 0;

    text_to_u64(text_skip(rest, rest.len ? 1 : 0), 10, &n);
    sip_stations_admitted(t->world->sip, t->world->token, -(int)n, t->world->now,
                          t->world->effects);
    sip_world_carry_out(t->world);
    return 0;
}

static int line_done(struct talk *t, struct text verb, struct text rest)
{
    uint64_t n;

    if (text_is(verb, "dir")) {
        t->len += (size_t)snprintf(t->lines + t->len, sizeof(t->lines) - t->len, "%.*s\n",
                                   TEXT_ARG(rest));
        t->changed = true;
        return 0;
    }
    give_directory(t);
    if (text_is(verb, "at"))
        return pass(t, rest);
    if (text_is(verb, "connect"))
        return connect_from(t, rest);
    if (text_is(verb, "udp"))
        return use_udp(t, rest);
    if (text_is(verb, "answer"))
        return answer(t, rest);
    if (text_is(verb, "order"))
        return order(t, rest);
    if (text_is(verb, "admit"))
        return admit(t, rest);
    if (text_is(verb, "link") && text_to_u64(rest, 10, &n) == 0)
        return t->link = n, 0;
    if (text_is(verb, "close"))
        return sip_world_close(t->world, t->link), 0;
    return -1;
}

static void flush(struct talk *t, struct writer *w)
{
    if (!t->world)
        return;
    write_string(w, t->world->log);
    sip_world_forget(t->world);
}

static int print_talk(struct text all, struct writer *w)
{
    struct talk t = {.world = NULL};
    int err = 0;

    while (all.at && !err) {
        struct text line = text_split(&all, '\n'), rest = line, verb;

        if (line.len && line.at[0] == '>') {
            write_format(w, "%.*s\n", TEXT_ARG(line));
            collect(&t, line);
            continue;
        }
        send_message(&t);
        flush(&t, w);
        if (!line.len)
            continue;
        write_format(w, "%.*s\n", TEXT_ARG(line));
        if (line.at[0] == '#')
            continue;
        verb = text_split(&rest, ' ');
        err = line_done(&t, verb, rest.at ? text_trim(rest) : TEXT(""));
        flush(&t, w);
    }
    if (t.world) {
        sip_world_pass(t.world, 1);
        flush(&t, w);
        sip_world_free(t.world);
    }
    return err;
}

/* The message in that file without its first line, which says what must become of it. */
static size_t read_message(struct text name, char *to, size_t size, char *first, size_t first_size)
{
    char path[4096], text[70000];
    struct writer w = writer_of(to, size);
    struct text rest;
    FILE *f;

    snprintf(path, sizeof(path), "%s/../sip/%.*s.sip", folder, TEXT_ARG(name));
    f = fopen(path, "rb");
    if (!f)
        return 0;
    rest = (struct text){text, fread(text, 1, sizeof(text), f)};
    fclose(f);
    text_copy(first, first_size, text_split(&rest, '\n'));
    expand(rest, false, &w);
    return writer_len(&w);
}

static int print_list(struct text all, struct writer *w)
{
    static const struct endpoint peer = {{4, {10, 1, 2, 3}}, 5060};
    struct sip_world *world = sip_world_new("");
    char bytes[70000], first[200];

    while (all.len) {
        struct text name = text_trim(text_split(&all, '\n'));
        size_t len = read_message(name, bytes, sizeof(bytes), first, sizeof(first));

        if (!len)
            break;
        write_format(w, "%s\n", first);
        sip_world_datagram(world, peer, bytes, len);
        write_string(w, *world->log ? world->log : "  nothing\n");
        sip_world_forget(world);
    }
    sip_world_free(world);
    return all.len != 0;
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    struct text all = {(const char *)bytes, len};

    return text_ends(text_of(name), ".list") ? print_list(all, w) : print_talk(all, w);
}

int main(int argc, char **argv)
{
    log_set_level(LOG_LEVEL_ERROR);
    folder = argc > 1 ? argv[1] : ".";
    return golden_run(argc, argv, print);
}
