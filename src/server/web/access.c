/* access.c - who asks, what he may, log-in and log-out. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/map.h"
#include "server/events/audit.h"
#include "server/web/web_own.h"

static uint64_t now_ms(const struct web *w)
{
    return uv_now(&w->admin->thread->loop);
}

static const struct user *user_named(const struct web *w, const char *name)
{
    const struct directory *dir = w->admin->thread->directory;

    return dir ? directory_find(dir, ENTITY_user, text_of(name)) : NULL;
}

bool web_has_administrator(const struct web *w)
{
    const struct directory *dir = w->admin->thread->directory;
    const struct user *u = NULL;

    while (dir && (u = directory_next(dir, ENTITY_user, text_of(u ? u->name : ""))))
        if (u->role == ROLE_ADMINISTRATOR && u->password[0])
            return true;
    return !dir;
}

static uint64_t credential_of(const struct web *w, const char *user)
{
    const struct user *u = user_named(w, user);

    return u ? hash_bytes(u->password, strlen(u->password)) : 0;
}

/* --- tokens of programs --- */

static const struct api_token *token_named(const struct web *w, const char *name)
{
    const struct directory *dir = w->admin->thread->directory;

    return dir ? directory_find(dir, ENTITY_api_token, text_of(name)) : NULL;
}

static bool is_over(const struct api_token *t)
{
    char today[16];
    time_t now = time(NULL);
    struct tm tm;

    strftime(today, sizeof(today), "%Y-%m-%d", gmtime_r(&now, &tm));
    return *t->expires && strcmp(t->expires, today) < 0;
}

static uint64_t credential_of_token(const struct api_token *t)
{
    return t && !is_over(t) ? hash_bytes(t->hash, strlen(t->hash)) : 0;
}

/* A token is looked for once, then it is a session like others. */
static struct session *begin_by_token(struct web *w, const uint8_t hash[static 32], uint64_t now)
{
    const struct directory *dir = w->admin->thread->directory;
    const struct api_token *t = NULL;
    char hex[65];

    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    while (dir && (t = directory_next(dir, ENTITY_api_token, text_of(t ? t->name : ""))))
        if (strlen(t->hash) == 64 && !CRYPTO_memcmp(t->hash, hex, 64) && !is_over(t))
            return session_of_token(w->sessions, hash, text_of(t->name), credential_of_token(t),
                                    now);
    return NULL;
}

int web_role(const struct web *w, const char *user)
{
    const struct user *u = user_named(w, user);

    if (!u)
        return !strcmp(user, SETUP) && !web_has_administrator(w) ? ROUTE_ADMINISTER : -1;
    return (int)u->role - ROLE_VIEWER;
}

int web_session_role(const struct web *w, const struct session *s)
{
    const struct api_token *t = s->by_token ? token_named(w, s->user) : NULL;

    if (!s->by_token)
        return web_role(w, s->user);
    return t ? (int)t->role - ROLE_VIEWER : -1;
}

static struct text token_of(const struct front_request *r, bool *by_cookie)
{
    const char *bearer = front_header(r, "Authorization"), *cookie = front_cookie(r, COOKIE);

    *by_cookie = false;
    if (bearer && text_starts(text_of(bearer), "Bearer "))
        return text_of(bearer + strlen("Bearer "));
    *by_cookie = true;
    return text_of(cookie ? cookie : "");
}

/* A page of another origin can make a browser send our cookie, but not the token of our page. */
static bool is_forged(const struct front_request *r, const struct session *s)
{
    const char *sent = front_header(r, "X-CSRF-Token"), *origin = front_header(r, "Origin"),
               *host = front_header(r, "Host"), *at = origin ? strstr(origin, "://") : NULL;

    if (origin && (!at || !host || strcmp(at + 3, host) != 0))
        return true;
    return !sent || strlen(sent) != strlen(s->csrf) || strcmp(sent, s->csrf) != 0;
}

static bool is_safe(const struct front_request *r)
{
    return !strcmp(r->method, "GET") || !strcmp(r->method, "HEAD");
}

static bool user_is_as_before(struct web *w, const struct session *s)
{
    uint64_t now =
        s->by_token ? credential_of_token(token_named(w, s->user)) : credential_of(w, s->user);

    return s->credential == now && web_session_role(w, s) >= 0;
}

bool web_is_in_order(struct web *w, const uint8_t hash[static 32])
{
    const struct session *s = session_peek(w->sessions, hash, now_ms(w));

    return s && user_is_as_before(w, s);
}

struct session *web_authenticate(struct web *w, const struct front_request *r)
{
    bool by_cookie;
    struct text token = token_of(r, &by_cookie);
    struct session *s = token.len ? session_find(w->sessions, token, now_ms(w)) : NULL;
    uint8_t hash[32];

    session_hash(token, hash);
    if (!s && token.len && !by_cookie)
        s = begin_by_token(w, hash, now_ms(w));
    if (s && !user_is_as_before(w, s)) {
        session_end(s);
        s = NULL;
    }
    if (!s)
        web_refuse(w, r->id, 401,
                   "Log in with POST " ROUTES_BASE "session, or send a bearer token.");
    else if (by_cookie && !is_safe(r) && is_forged(r, s))
        web_refuse(w, r->id, 403,
                   "A change needs the X-CSRF-Token that the log-in gave, from the same origin.");
    else if (!session_allows(s))
        web_refuse_for_now(w, r->id, 1000, "More requests than a person makes.");
    else
        return s;
    return NULL;
}

const struct session *web_who(struct web *w, const struct front_request *r)
{
    bool by_cookie;
    struct text token = token_of(r, &by_cookie);
    const struct session *s;
    uint8_t hash[32];

    session_hash(token, hash);
    s = token.len ? session_peek(w->sessions, hash, now_ms(w)) : NULL;
    if (!s && token.len && !by_cookie)
        s = begin_by_token(w, hash, now_ms(w));
    return s && user_is_as_before(w, s) && !(by_cookie && is_forged(r, s)) ? s : NULL;
}

bool web_is_for_us(const struct web *w, const struct front_request *r)
{
    static const char *const ours[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *host = front_header(r, "Host");

    if (!w->loopback)
        return true;
    for (size_t i = 0; host && i < sizeof(ours) / sizeof(*ours); i++) {
        size_t n = strlen(ours[i]);

        if (!strncasecmp(host, ours[i], n) && (!host[n] || host[n] == ':'))
            return true;
    }
    return false;
}

/* --- log-in and log-out --- */

static void let_in(struct web *w, uint64_t id, const char *user)
{
    char token[SESSION_TOKEN_MAX], cookie[256];
    const struct session *s =
        session_begin(w->sessions, text_of(user), credential_of(w, user), now_ms(w), token);
    struct headers h = {.n = 0};

    if (!s) {
        web_refuse(w, id, 503, "The system gives no random bytes.");
        return;
    }
    snprintf(cookie, sizeof(cookie), COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict%s", token,
             w->tls ? "; Secure" : "");
    header_put(&h, "Set-Cookie", cookie);
    web_reply(w, id, 201, &h,
              json_pack("{s:s, s:i, s:s, s:s}", "user", user, "role", web_role(w, user), "token",
                        token, "csrf", s->csrf));
}

static void note_log_in(const struct exchange *e, const char *result)
{
    audit_add(e->web->admin->audit,
              &(struct audit_entry){e->user, e->peer, "session", "add", "", result, NULL});
}

/* The answer to a wrong name and to a wrong password are the same, and take the same time. */
void web_on_password(void *context, void *what, const char *hash)
{
    struct web *w = context;
    struct exchange *e = front_kept(w->front, *(uint64_t *)what);

    free(what);
    if (!e)
        return;
    if (hash && e->expected && !strcmp(hash, e->expected) && web_role(w, e->user) >= 0) {
        guess_right(w->sessions, e->from, text_of(e->user));
        note_log_in(e, "logged in");
        let_in(w, e->id, e->user);
    } else {
        guess_wrong(w->sessions, e->from, text_of(e->user), now_ms(w));
        note_log_in(e, "refused");
        web_refuse(w, e->id, 401, "The name or the password is wrong.");
    }
}

static void log_in_by_password(struct web *w, const struct front_request *r, const char *user,
                               struct text password)
{
    const struct user *u = user_named(w, user);
    struct exchange *e = exchange_new(w, r);
    uint64_t *id = e ? malloc(sizeof(*id)) : NULL;

    if (e && !id)
        web_refuse(w, r->id, 503, "The server is short of memory.");
    if (!id)
        return;
    *id = r->id;
    text_copy(e->user, sizeof(e->user), text_of(user));
    e->expected = u && u->password[0] ? strdup(u->password) : NULL;
    if (passwords_check(w->passwords, password, e->expected ? e->expected : "", id) < 0) {
        free(id);
        web_refuse(w, r->id, 503, "The server is short of memory.");
    }
}

static void log_in(struct web *w, const struct front_request *r, json_t *body)
{
    const char *user = json_string_value(json_object_get(body, "user")),
               *key = json_string_value(json_object_get(body, "key"));
    struct text password = call_text(json_object_get(body, "password"));
    uint64_t wait;

    if (!user)
        user = key ? SETUP : "";
    wait = guess_wait_ms(w->sessions, r->peer, text_of(user), now_ms(w));
    if (wait) {
        web_refuse_for_now(w, r->id, wait, "Too many wrong passwords; wait.");
    } else if (key && w->key[0] && !strcmp(key, w->key) && !web_has_administrator(w)) {
        char peer[IP_TEXT_MAX];

        audit_add(w->admin->audit, &(struct audit_entry){SETUP, ip_print(r->peer, peer), "session",
                                                         "add", "", "logged in by the first key"});
        let_in(w, r->id, SETUP);
    } else if (key) {
        guess_wrong(w->sessions, r->peer, text_of(user), now_ms(w));
        web_refuse(w, r->id, 401, "The key is wrong, or there is an administrator by now.");
    } else {
        log_in_by_password(w, r, user, password);
    }
}

void web_on_session(struct web *w, const struct front_request *r)
{
    struct session *s;
    json_t *body;

    if (!strcmp(r->method, "POST")) {
        body = web_body(w, r);
        if (body)
            log_in(w, r, body);
        json_decref(body);
    } else if (!is_safe(r) && strcmp(r->method, "DELETE") != 0) {
        web_refuse(w, r->id, 405, "POST logs in, GET tells who is logged in, DELETE logs out.");
    } else if ((s = web_authenticate(w, r))) {
        web_reply_plain(w, r->id, 200,
                        json_pack("{s:s, s:i, s:s}", "user", s->user, "role",
                                  web_session_role(w, s), "csrf", s->csrf));
        if (!strcmp(r->method, "DELETE"))
            session_end(s);
    }
}
