#include "provision/file_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/timers.h"
#include "core/counters.h"
#include "wire/http.h"

#define HEAD_ROOM  2048  /* a phone's head has less than a hundred bytes */
#define PIECE      65536 /* of a body, at once */
#define NAME_ROOM  129
#define SLOW_MS    250
#define ALL_BURSTS (128u << 20) /* what all links together may have waiting */

enum link_state { READING, HELD, SENDING };

struct client { /* an address with links */
    struct ip ip;
    size_t n;
    struct list readers;
};

struct link {
    struct timer timer;
    struct list node;   /* in `pumping` */
    struct list reader; /* in `readers` of the server, and of the client: no whole request yet, */
    struct list of_client; /* who waits longest first */
    struct client *client;
    uint64_t id, slot;
    struct endpoint peer;
    struct ip local;
    struct file_answer file;
    uint64_t offset, end, started_ms; /* of the body */
    struct http_range range;
    uint64_t if_tag; /* If-None-Match; 0: none */
    uint16_t head_len, name_len;
    uint8_t state;
    uint8_t waited; /* turns since the last piece that have not emptied the queue */
    bool head_only, keep, told_slow;
    char name[NAME_ROOM];
    char head[HEAD_ROOM];
};

struct file_server {
    struct file_server_settings settings;
    struct file_source source;
    struct file_server_output output;
    struct pool pool;
    struct map by_id, clients;
    struct list readers;
    struct timers timers;
    struct list pumping; /* more to send, and not known to be stopped by the peer */
};

void file_server_settings_default(struct file_server_settings *s)
{
    *s = (struct file_server_settings){
        .max_links = 5000,
        .max_per_client = 512,
        .head_ms = 5000,
        .send_ms = 30000,
        .burst = 256 * 1024,
    };
}

static struct text link_key(const void *value)
{
    return (struct text){(const char *)&((const struct link *)value)->id, sizeof(uint64_t)};
}

static struct text client_key(const void *value)
{
    return (struct text){(const char *)&((const struct client *)value)->ip, sizeof(struct ip)};
}

static struct link *find(const struct file_server *s, uint64_t id)
{
    return map_get(&s->by_id, (struct text){(const char *)&id, sizeof(id)});
}

struct file_server *file_server_new(const struct file_server_settings *settings,
                                    const struct file_source *source,
                                    const struct file_server_output *output, uint64_t now_ms)
{
    struct file_server *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->settings = *settings;
    s->source = *source;
    s->output = *output;
    pool_init(&s->pool, sizeof(struct link), settings->max_links);
    map_init(&s->by_id, link_key);
    map_init(&s->clients, client_key);
    list_init(&s->readers);
    timers_init(&s->timers, now_ms);
    list_init(&s->pumping);
    return s;
}

size_t file_server_count(const struct file_server *s)
{
    return s->pool.n;
}

/* --- clients --- */

static struct client *client_find(const struct file_server *s, struct ip ip)
{
    return map_get(&s->clients, (struct text){(const char *)&ip, sizeof(ip)});
}

static struct client *client_enter(struct file_server *s, struct ip ip)
{
    struct client *c = client_find(s, ip);

    if (!c) {
        c = calloc(1, sizeof(*c));
        if (!c)
            return NULL;
        c->ip = ip;
        list_init(&c->readers);
        if (map_put(&s->clients, c) < 0) {
            free(c);
            return NULL;
        }
    }
    c->n++;
    return c;
}

static void client_leave(struct file_server *s, struct client *c)
{
    if (--c->n)
        return;
    map_remove(&s->clients, client_key(c));
    free(c);
}

static void wait_for_request(struct file_server *s, struct link *l, uint64_t now_ms)
{
    list_append(&s->readers, &l->reader);
    list_append(&l->client->readers, &l->of_client);
    timer_set(&s->timers, &l->timer, now_ms + s->settings.head_ms);
}

static void stop_waiting(struct link *l)
{
    list_remove(&l->reader);
    list_remove(&l->of_client);
}

/* --- ends --- */

static void report(struct file_server *s, const struct link *l, enum file_result result)
{
    struct file_report r = {
        .result = result,
        .name = {l->name, l->name_len},
        .client = l->peer,
        .local = l->local,
        .sent = l->offset,
        .started_ms = l->started_ms,
        .http = true,
    };

    s->output.report(s->output.context, &r);
}

static void let_go(struct file_server *s, struct link *l)
{
    if (l->state == SENDING && !l->file.err)
        s->source.close(s->source.context, l->file.hold);
    list_remove(&l->node);
    l->state = READING;
}

static void link_free(struct file_server *s, struct link *l)
{
    if (l->state == SENDING) {
        count(COUNT_HTTP_ABORTED);
        report(s, l, FILE_ABORTED);
    } else if (l->state == HELD && !l->file.err) {
        s->source.close(s->source.context, l->file.hold);
    }
    let_go(s, l);
    stop_waiting(l);
    client_leave(s, l->client);
    timer_stop(&s->timers, &l->timer);
    map_remove(&s->by_id, link_key(l));
    pool_give(&s->pool, l->slot);
}

static void link_close(struct file_server *s, struct link *l)
{
    uint64_t id = l->id;

    link_free(s, l);
    s->output.close(s->output.context, id);
}

void file_server_free(struct file_server *s)
{
    size_t cursor = 0;
    uint64_t slot;
    struct link *l;

    if (!s)
        return;
    while ((l = pool_next(&s->pool, &cursor, &slot)))
        link_free(s, l);
    map_done(&s->by_id);
    map_done(&s->clients);
    pool_done(&s->pool);
    free(s);
}

void file_server_closed(struct file_server *s, uint64_t id)
{
    struct link *l = find(s, id);

    if (l)
        link_free(s, l);
}

static bool give_way(struct file_server *s, struct link *l)
{
    count(COUNT_HTTP_GAVE_WAY);
    link_close(s, l);
    return true;
}

static bool make_room(struct file_server *s, struct ip ip)
{
    const struct client *c = client_find(s, ip);

    if (c && c->n >= s->settings.max_per_client)
        return !list_is_empty(&c->readers) &&
               give_way(s, container_of(c->readers.next, struct link, of_client));
    return s->pool.n < s->settings.max_links ||
           (!list_is_empty(&s->readers) &&
            give_way(s, container_of(s->readers.next, struct link, reader)));
}

bool file_server_opened(struct file_server *s, uint64_t now_ms, uint64_t id,
                        const struct endpoint *peer, struct ip local)
{
    uint64_t slot;
    struct link *l;

    if (!make_room(s, peer->ip) || !(l = pool_take(&s->pool, &slot)))
        return false;
    l->id = id;
    l->slot = slot;
    l->peer = *peer;
    l->local = local;
    if (!(l->client = client_enter(s, peer->ip)) || map_put(&s->by_id, l) < 0) {
        if (l->client)
            client_leave(s, l->client);
        pool_give(&s->pool, slot);
        return false;
    }
    wait_for_request(s, l, now_ms);
    count(COUNT_HTTP_CONNECTS);
    return true;
}

/* --- heads of answers --- */

static void begin_head(struct writer *w, uint16_t status)
{
    http_write_status(w, status);
    http_write_header(w, "Cache-Control", TEXT("no-store"));
}

static int send_head(struct file_server *s, struct link *l, struct writer *w)
{
    http_write_end(w);
    return s->output.send(s->output.context, l->id, w->start, writer_len(w));
}

/* An answer without a body; ends the connection, as nothing good follows a wrong request. */
static void send_end(struct file_server *s, struct link *l, uint16_t status)
{
    uint8_t bytes[256];
    struct writer w = writer_of(bytes, sizeof(bytes));

    begin_head(&w, status);
    http_write_number(&w, "Content-length", 0);
    if (status == 405)
        http_write_header(&w, "Allow", TEXT("GET, HEAD"));
    http_write_header(&w, "Connection", TEXT("close"));
    send_head(s, l, &w);
    link_close(s, l);
}

static int send_file_head(struct file_server *s, struct link *l, uint16_t status)
{
    uint8_t bytes[512];
    struct writer w = writer_of(bytes, sizeof(bytes));
    char words[80];

    begin_head(&w, status);
    if (status != 304)
        http_write_number(&w, "Content-length", l->end - l->offset);
    http_write_header(&w, "Content-type", TEXT("*/*"));
    snprintf(words, sizeof(words), "\"%016llx\"", (unsigned long long)l->file.tag);
    http_write_header(&w, "ETag", text_of(words));
    if (status == 206) {
        snprintf(words, sizeof(words), "bytes %llu-%llu/%llu", (unsigned long long)l->offset,
                 (unsigned long long)l->end - 1, (unsigned long long)l->file.size);
        http_write_header(&w, "Content-Range", text_of(words));
    }
    if (!l->keep)
        http_write_header(&w, "Connection", TEXT("close"));
    return send_head(s, l, &w);
}

/* --- the body --- */

static void next_request(struct file_server *s, struct link *l, uint64_t now_ms);

static void finish(struct file_server *s, struct link *l, uint64_t now_ms)
{
    count(COUNT_HTTP_PROCESSED);
    report(s, l, FILE_SENT);
    let_go(s, l);
    if (!l->keep) {
        link_close(s, l);
        return;
    }
    wait_for_request(s, l, now_ms);
    if (l->head_len)
        next_request(s, l, now_ms);
}

/* Many slow readers share the memory for what waits. */
static size_t burst(const struct file_server *s)
{
    size_t share = ALL_BURSTS / (s->pool.n ? s->pool.n : 1);

    return share < s->settings.burst ? share : s->settings.burst;
}

/* Hands over a piece; below 0 when the link is gone or the file has changed. */
static int send_piece(struct file_server *s, struct link *l)
{
    uint64_t left = l->end - l->offset;
    size_t most = burst(s) < PIECE ? burst(s) : PIECE, n = left < most ? (size_t)left : most;
    const uint8_t *bytes = l->file.bytes ? l->file.bytes + l->offset : NULL;

    if (!bytes) {
        n = n < 16384 ? n : 16384;
        bytes = s->source.read(s->source.context, l->file.hold, l->offset, n);
        count(COUNT_HTTP_FROM_DISK);
    }
    if (!bytes || s->output.send(s->output.context, l->id, bytes, n) < 0)
        return -EIO;
    l->offset += n;
    return 0;
}

static void tell_when_slow(struct file_server *s, struct link *l, uint64_t now_ms)
{
    if (l->told_slow || now_ms - l->started_ms < SLOW_MS)
        return;
    l->told_slow = true;
    report(s, l, FILE_SLOW);
}

static void send_more(struct file_server *s, struct link *l, uint64_t now_ms)
{
    list_remove(&l->node);
    l->waited = 0;
    while (l->offset < l->end && s->output.queued(s->output.context, l->id) < burst(s)) {
        if (send_piece(s, l) < 0) {
            link_close(
                s,
                l); /* the length was promised: a short body tells the phone that it is not whole */
            return;
        }
    }
    timer_set(&s->timers, &l->timer, now_ms + s->settings.send_ms);
    if (l->offset == l->end)
        finish(s, l, now_ms);
    else
        list_append(&s->pumping, &l->node);
}

bool file_server_pump(struct file_server *s, uint64_t now_ms)
{
    struct list round;
    struct list *node;

    list_init(&round);
    while ((node = list_take(&s->pumping)))
        list_append(&round, node);
    while ((node = list_take(&round))) {
        struct link *l = container_of(node, struct link, node);

        tell_when_slow(s, l, now_ms);
        if (!s->output.queued(s->output.context, l->id))
            send_more(s, l, now_ms);
        else if (!l->waited++) /* not flushed yet; after two turns the peer has stopped us */
            list_append(&s->pumping, &l->node);
    }
    return !list_is_empty(&s->pumping);
}

void file_server_drained(struct file_server *s, uint64_t now_ms, uint64_t id)
{
    struct link *l = find(s, id);

    if (l && l->state == SENDING)
        send_more(s, l, now_ms);
}

/* --- requests --- */

static void send_file(struct file_server *s, struct link *l, uint64_t now_ms)
{
    uint64_t first = 0, n = l->file.size;
    uint16_t status = 200;

    l->state = SENDING;
    if (l->if_tag && l->if_tag == l->file.tag) {
        status = 304;
        n = 0;
    } else if (l->range.given && http_range_cut(&l->range, l->file.size, &first, &n)) {
        status = 206;
    } else if (l->range.given) {
        let_go(s, l);
        send_end(s, l, 416);
        return;
    }
    l->offset = first;
    l->end = first + n;
    if (send_file_head(s, l, status) < 0) {
        link_close(s, l);
        return;
    }
    if (l->head_only)
        l->end = l->offset;
    send_more(s, l, now_ms);
}

static void answer(struct file_server *s, struct link *l, uint64_t now_ms)
{
    int err = l->file.err;

    l->state = READING;
    if (!err) {
        send_file(s, l, now_ms);
        return;
    }
    count(err == -EBUSY    ? COUNT_HTTP_OVERFLOW
          : err == -EACCES ? COUNT_HTTP_REFUSED
                           : COUNT_HTTP_NOT_FOUND);
    report(s, l, err == -EBUSY ? FILE_BUSY : err == -EACCES ? FILE_REFUSED : FILE_MISSING);
    send_end(s, l, err == -EBUSY ? 503 : 404);
}

static void ask(struct file_server *s, struct link *l, uint64_t now_ms)
{
    struct file_request r = {
        .name = {l->name, l->name_len},
        .client = l->peer,
        .local = l->local,
        .now_ms = now_ms,
        .http = true,
    };

    count(COUNT_HTTP_REQUESTS);
    stop_waiting(l);
    l->started_ms = now_ms;
    l->told_slow = false;
    l->offset = l->end = 0;
    l->file = (struct file_answer){0};
    s->source.open(s->source.context, &r, &l->file);
    if (!l->file.delay_ms) {
        answer(s, l, now_ms);
        return;
    }
    l->state = HELD;
    timer_set(&s->timers, &l->timer, now_ms + l->file.delay_ms);
}

static uint64_t tag_of(struct text value)
{
    uint64_t tag = 0;

    value = text_trim(value);
    if (text_starts(value, "W/"))
        value = text_skip(value, 2);
    if (value.len > 2 && value.at[0] == '"' &&
        text_to_u64((struct text){value.at + 1, value.len - 2}, 16, &tag) == 0)
        return tag;
    return 0;
}

/* The name without its slash; one that is too long or badly written is a name that does not exist.
 */
static void take_name(struct link *l, struct text target)
{
    char path[NAME_ROOM + 1];
    int len = http_path(target, path, sizeof(path));

    l->name_len = 0;
    if (len < 1 || path[0] != '/')
        return;
    l->name_len = (uint16_t)(len - 1);
    memcpy(l->name, path + 1, l->name_len);
}

static void take_request(struct file_server *s, struct link *l, uint64_t now_ms,
                         const struct http_request *r, size_t used)
{
    bool has_body = r->head.chunked || (r->head.has_length && r->head.length);
    struct text match = http_header(&r->head, "If-None-Match");

    l->keep = r->head.keep_alive && !has_body;
    l->head_only = r->method == HTTP_HEAD;
    l->range = r->range;
    l->if_tag = match.at ? tag_of(match) : 0;
    take_name(l, r->target);
    if (r->method != HTTP_GET && r->method != HTTP_HEAD) {
        count(COUNT_HTTP_MALFORMED);
        send_end(s, l, 405);
        return;
    }
    l->head_len -= (uint16_t)used;
    memmove(l->head, l->head + used, l->head_len);
    ask(s, l, now_ms);
}

static void next_request(struct file_server *s, struct link *l, uint64_t now_ms)
{
    struct http_request r;
    int used = http_parse_request(l->head, l->head_len, &r);

    if (used > 0) {
        take_request(s, l, now_ms, &r, (size_t)used);
    } else if (used < 0 || l->head_len == HEAD_ROOM) {
        count(COUNT_HTTP_MALFORMED);
        send_end(s, l, used < 0 && used != -E2BIG ? 400 : 431);
    }
}

void file_server_input(struct file_server *s, uint64_t now_ms, uint64_t id, const void *bytes,
                       size_t len)
{
    struct link *l = find(s, id);
    size_t room;

    if (!l)
        return;
    room = sizeof(l->head) - l->head_len;
    if (len > room && l->state != READING) { /* far too much while an answer is on its way */
        count(COUNT_HTTP_MALFORMED);
        link_close(s, l);
        return;
    }
    memcpy(l->head + l->head_len, bytes, len < room ? len : room);
    l->head_len += (uint16_t)(len < room ? len : room);
    if (l->state == READING)
        next_request(s, l, now_ms);
}

/* --- time --- */

static void expire(struct file_server *s, struct link *l, uint64_t now_ms)
{
    if (l->state == HELD)
        answer(s, l, now_ms);
    else
        link_close(s, l); /* half a request, an idle connection, or a peer that takes nothing */
}

void file_server_expire(struct file_server *s, uint64_t now_ms)
{
    struct timer *due;

    while ((due = timers_expire(&s->timers, now_ms)))
        expire(s, container_of(due, struct link, timer), now_ms);
}
