/* web.c - a request becomes a call of the API; opening and closing. */
#include "server/web/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/api/lists.h"
#include "base/grow.h"
#include "base/log.h"
#include "core/histograms.h"
#include "server/certificates.h"
#include "server/perf.h"
#include "server/web/openapi.h"
#include "server/web/pages.h"
#include "server/web/shown.h"
#include "server/web/web_own.h"

json_t *web_body(struct web *w, const struct front_request *r)
{
    const char *type = front_header(r, "Content-Type");
    char detail[256];
    json_error_t error;
    json_t *body;

    if (!r->body.len)
        return json_object();
    if (!type || strncasecmp(type, "application/json", 16) != 0) {
        web_refuse(w, r->id, 415, "The body must be JSON, and say so in Content-Type.");
        return NULL;
    }
    body = json_loadb(r->body.at, r->body.len, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(body))
        return body;
    snprintf(detail, sizeof(detail), "The body is no JSON object: %s.", error.text);
    web_refuse(w, r->id, 400, body ? "The body is no JSON object." : detail);
    json_decref(body);
    return NULL;
}

struct exchange *exchange_new(struct web *w, const struct front_request *r)
{
    struct exchange *e = calloc(1, sizeof(*e));

    if (!e) {
        web_refuse(w, r->id, 503, "The server is short of memory.");
        return NULL;
    }
    *e = (struct exchange){.web = w, .id = r->id, .from = r->peer, .language = w->language};
    text_copy(e->method, sizeof(e->method), text_of(r->method));
    ip_print(r->peer, e->peer);
    e->begun_us = server_steady_us();
    front_keep(w->front, r->id, e);
    return e;
}

/* --- calls --- */

static void make_call(struct web *w, const struct front_request *r, struct exchange *e,
                      const struct session *s, json_t *body)
{
    struct route *route = &e->route;
    json_t *call = json_pack("{s:s, s:s, s:{}, s:{s:b}}", "noun", route->noun, "verb",
                             route->verb->verb, "fields", "options", "full", true);
    const char *wrong = web_read_body(call, body, route), *if_match = front_header(r, "If-Match");

    if (wrong) {
        json_decref(call);
        web_refuse(w, r->id, 422, wrong);
        return;
    }
    front_each_query(r, web_on_query_word, call);
    if ((wrong = web_read_paging(e, call))) {
        json_decref(call);
        web_refuse(w, r->id, 422, wrong);
        return;
    }
    e->plan = json_object_get(json_object_get(call, "options"), "plan");
    if ((wrong = web_file_begin(w, e, r, json_object_get(call, "options")))) {
        json_decref(call);
        web_refuse(w, r->id, 415, wrong);
        return;
    }
    text_copy(e->made, sizeof(e->made),
              call_text(json_object_get(json_object_get(call, "options"), "to")));
    if (if_match)
        web_put_expected(call, if_match);
    if (route->name[0]) {
        json_object_set_new(call, "name", json_of(text_of(route->name)));
        if (!json_object_get(call, "names"))
            json_object_set_new(call, "names", json_pack("[o]", json_of(text_of(route->name))));
    }
    api_request(w->admin, r->id | WEB_ASKER, call);
    e = front_kept(w->front, r->id);
    if (e && !strcmp(e->route.verb->verb, "follow") && !e->answered &&
        !(e->stream = live_begin(w, e, s, false)))
        admin_gone(w->admin, r->id | WEB_ASKER);
}

static void on_call(struct web *w, const struct front_request *r, const struct session *s)
{
    struct route route;
    struct exchange *e;
    const struct record *record;
    json_t *body;
    char detail[128];
    int err = route_find(text_of(r->method), text_of(r->path), api_knows, &route);

    if (err) {
        web_refuse(w, r->id, err == -ENOTSUP ? 405 : 404,
                   err == -ENOTSUP ? "It is there, but has no such method."
                                   : "There is nothing of that name; " ROUTES_BASE
                                     "openapi.json describes all there is.");
        return;
    }
    if (web_session_role(w, s) < (int)route_role(route.noun, route.verb)) {
        snprintf(detail, sizeof(detail), "This needs a user who may %s.",
                 route_role_words[route_role(route.noun, route.verb)]);
        web_refuse(w, r->id, 403, detail);
        return;
    }
    body = route.verb->carries == CARRIES_UPLOAD ? json_object() : web_body(w, r);
    if (!body)
        return;
    if ((e = exchange_new(w, r))) {
        e->route = route;
        snprintf(e->user, sizeof(e->user), "%s%s", s->by_token ? "token " : "", s->user);
        record = exchange_record(w, e);
        e->version = record ? record->version : 0;
        make_call(w, r, e, s, body);
    }
    json_decref(body);
}

/* For Prometheus, with the token of a viewer. */
static void on_metrics(struct web *w, const struct front_request *r)
{
    struct grow text = {0};
    struct headers h = {.n = 0};

    if (!web_authenticate(w, r))
        return;
    perf_print_metrics(w->admin, &text);
    headers_put_common(&h, "text/plain; version=0.0.4; charset=utf-8");
    front_answer(w->front, r->id, 200, h.rows, text.at, text.len);
}

/* It never changes. */
static void on_description(struct web *w, const struct front_request *r)
{
    if (!w->description)
        w->description = openapi_describe();
    web_reply_plain(w, r->id, 200, json_incref(w->description));
}

static void on_language(void *context, const char *name, const char *value)
{
    enum language *l = context;

    if (!strcmp(name, "lang"))
        *l = words_language(value);
}

static void on_request(void *context, const struct front_request *r)
{
    struct web *w = context;
    struct exchange *e;
    struct session *s;

    w->language = words_language(front_header(r, "Accept-Language"));
    front_each_query(r, on_language, &w->language); /* streams of pages can send no header */
    if (r->refused)
        web_refuse(w, r->id, r->refused,
                   r->refused == 413 ? "The body is larger than this request may have."
                                     : "The body finds no room on the server's disk.");
    else if (!source_allows(w->sessions, r->peer, uv_now(&w->admin->thread->loop)))
        web_refuse_for_now(w, r->id, 1000, "More requests than an address may make.");
    else if (!web_is_for_us(w, r))
        web_refuse(w, r->id, 421, "Ask for 127.0.0.1 or localhost.");
    else if (!strcmp(r->path, ROUTES_BASE "openapi.json"))
        on_description(w, r);
    else if (!strcmp(r->path, ROUTES_BASE "session"))
        web_on_session(w, r);
    else if (!strcmp(r->path, "/metrics"))
        on_metrics(w, r);
    else if (!text_starts(text_of(r->path), "/api/"))
        web_on_page(w, r);
    else if (!text_starts(text_of(r->path), ROUTES_BASE))
        web_refuse(w, r->id, 404,
                   "The administration's API begins at " ROUTES_BASE "openapi.json.");
    else if (!(s = web_authenticate(w, r)))
        return;
    else if (strcmp(r->path, ROUTES_BASE "live") != 0)
        on_call(w, r, s);
    else if (strcmp(r->method, "GET") != 0)
        web_refuse(w, r->id, 405, "GET begins the stream.");
    else if ((e = exchange_new(w, r)))
        live_begin(w, e, s, true);
}

static void on_gone(void *context, uint64_t id, void *kept)
{
    struct web *w = context;
    struct exchange *e = kept;

    if (!e)
        return;
    admin_gone(w->admin, id | WEB_ASKER);
    live_gone(w, id);
    if (!e->stream)
        histogram_took(TOOK_WEB_REQUEST, server_steady_us() - e->begun_us);
    web_file_end(e);
    json_decref(e->where);
    free(e->expected);
    free(e);
}

/* --- opening --- */

#define PEM_MAX           65536
#define CERTIFICATE_TURNS 4 /* of half a second: the files are looked at */

/* A whole file, to be freed; 0 or -errno. */
static int read_file(const char *path, char **ret)
{
    FILE *f = fopen(path, "re");
    char *text = f ? calloc(1, PEM_MAX + 1) : NULL;
    size_t n = text ? fread(text, 1, PEM_MAX, f) : 0;

    if (f)
        fclose(f);
    if (!n) {
        free(text);
        return -ENOENT;
    }
    *ret = text;
    return 0;
}

static int read_pem(const struct bootstrap *b, char **certificate, char **key)
{
    struct certificate_files files;
    struct tls_options tls = server_tls_options(b, false, &files);
    int err = read_file(tls.certificate, certificate);

    if (!err)
        err = read_file(tls.key && tls.key[0] ? tls.key : tls.certificate, key);
    return err;
}

/* Signalling makes the node's certificate for its TLS ports; without any, it is ours to make. */
static bool makes_certificate(const struct bootstrap *b)
{
    return !server_certificates_given(b) && !b->sccp_tls_port && !b->sccp_old_tls_port &&
           !b->sip_tls_port && !b->sip_old_tls_port;
}

/* When it was written last, and how long it is: another number, another file. */
static uint64_t stamp_of(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 ? 0
                               : (uint64_t)st.st_mtim.tv_sec * 1000000000u +
                                     (uint64_t)st.st_mtim.tv_nsec + (uint64_t)st.st_size;
}

static uint64_t certificate_stamp(const struct bootstrap *b)
{
    struct certificate_files files;
    struct tls_options tls = server_tls_options(b, false, &files);

    return stamp_of(tls.certificate) ^ (tls.key ? stamp_of(tls.key) << 1 : 0);
}

void web_certificate_tick(struct web *w)
{
    const struct bootstrap *b = server_bootstrap(w->admin->thread->server);
    char *certificate = NULL, *key = NULL, words[256];
    unsigned made;
    uint64_t stamp;

    if (!w->tls || ++w->turns % CERTIFICATE_TURNS)
        return;
    if (makes_certificate(b) && w->turns % ((unsigned)b->tls_check_seconds * 2) < CERTIFICATE_TURNS)
        server_certificates(b, false, &made, words, sizeof(words));
    if ((stamp = certificate_stamp(b)) == w->certificate)
        return;
    w->certificate = stamp;
    if (read_pem(b, &certificate, &key) < 0 || shown_take(certificate, key) < 0)
        log_error("admin", "the new certificate cannot be used, or does not belong to its key: the "
                           "one before is shown");
    else
        log_notice("admin", "another certificate is shown from now on");
    free(certificate);
    if (key)
        explicit_bzero(key, strlen(key));
    free(key);
}

static int open_front(struct web *w, const struct bootstrap *b, const struct endpoint *at)
{
    char *certificate = NULL, *key = NULL, words[256];
    unsigned made;
    int err = 0;

    if (w->tls && makes_certificate(b))
        err = server_certificates(b, false, &made, words, sizeof(words));
    w->certificate = w->tls ? certificate_stamp(b) : 0;
    if (w->tls && !err)
        err = read_pem(b, &certificate, &key);
    if (!err)
        err = front_open(
            &w->admin->thread->loop,
            &(struct front_options){*at, certificate, key, w, web_file_room, on_request, on_gone, 60000},
            &w->front);
    else
        err = -EAGAIN;
    free(certificate);
    if (key)
        explicit_bzero(key, strlen(key));
    free(key);
    return err;
}

int web_open(struct admin *a, struct web **ret, char *error, size_t size)
{
    const struct bootstrap *b = server_bootstrap(a->thread->server);
    struct endpoint at = {.port = (uint16_t)b->admin_port};
    struct web *w = calloc(1, sizeof(*w));
    char text[ENDPOINT_TEXT_MAX];
    int err = w ? ip_parse(text_of(b->admin_address), &at.ip) : -ENOMEM;

    if (err == -EINVAL)
        snprintf(error, size, "admin.address is no address: %s", b->admin_address);
    if (err)
        goto out;
    w->admin = a;
    w->loopback = ip_is_loopback(at.ip);
    w->tls = !w->loopback;
    w->sessions = sessions_new();
    w->passwords = passwords_new(&a->thread->loop, w, web_on_password);
    w->live = live_new();
    err = w->sessions && w->passwords && w->live ? random_hex(w->key, KEY_BYTES) : -ENOMEM;
    if (!err && (err = open_front(w, b, &at)))
        server_bind_error(a->thread->server, err, &at, false, error, size);
    if (err)
        goto out;
    at.port = front_port(w->front);
    snprintf(w->url, sizeof(w->url), "%s://%s/", w->tls ? "https" : "http",
             endpoint_print(&at, text));
    *ret = w;
    w = NULL;
out:
    if (w) {
        passwords_stop(w->passwords);
        sessions_free(w->sessions);
        live_free(w->live);
    }
    free(w);
    return err;
}

const char *web_url(const struct web *w)
{
    return w->url;
}

const char *web_key(const struct web *w)
{
    return web_has_administrator(w) ? NULL : w->key;
}

void web_stop(struct web *w)
{
    if (!w)
        return;
    passwords_stop(w->passwords);
    front_stop(w->front);
    sessions_free(w->sessions);
    live_free(w->live);
    json_decref(w->description);
    free(w);
}
