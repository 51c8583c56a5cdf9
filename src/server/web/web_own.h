/* web_own.h - what the parts of the REST API share: the exchange, answers, who asks. Inside server/web. */
#pragma once

#include "server/admin.h"
#include "server/web/front.h"
#include "server/web/routes.h"
#include "server/web/sessions.h"
#include "server/web/words.h"

#define COOKIE    "dialtone_session"
#define SETUP     "setup" /* who logs in with the key of the first start */
#define KEY_BYTES 16

struct live;

struct web {
    struct admin *admin;
    struct front *front;
    struct sessions *sessions;
    struct passwords *passwords;
    struct live *live;
    bool tls, loopback;
    enum language language; /* of the request that is being looked at */
    uint64_t certificate; /* what its files looked like when they were read */
    unsigned turns;
    json_t *description; /* of the API; NULL until somebody asks */
    char url[128];
    char key[2 * KEY_BYTES + 1]; /* logs in as long as there is no administrator */
};

struct exchange {
    struct web *web;
    uint64_t id;
    struct route route;
    uint64_t version; /* of the record when it was asked for; 0: none */
    char user[SESSION_USER_MAX + 6];
    char method[8], peer[IP_TEXT_MAX];
    enum language language;
    bool stream, answered; /* stream: what a call brings is sent line by line */
    char sort[40]; /* of a list */
    size_t offset, limit;
    bool plan;
    char made[256]; /* of a copy: its name */
    uint64_t begun_us;
    char file[600]; /* of an upload or download; "": none */
    bool paged;     /* sort or offset was given */
    json_t *where;  /* what rows of a list that comes whole must be; NULL: anything */
    char columns[400];
    struct ip from; /* of a log-in */
    char *expected; /* of a log-in: the hash that the password must give */
};

/* --- answers.c --- */
#define HEADERS_MAX 12

struct headers {
    struct front_header rows[HEADERS_MAX];
    size_t n;
};

void header_put(struct headers *h, const char *name, const char *value);
void headers_put_common(struct headers *h, const char *type);
/* JSON, or a problem when the status says so. */
void web_reply(struct web *w, uint64_t id, unsigned status, struct headers *h, json_t *take_body);
void web_reply_plain(struct web *w, uint64_t id, unsigned status, json_t *take_body);
/* The sentences of an answer in the language of who asked; takes it. */
json_t *web_in_language(json_t *take_answer, enum language l);
void web_refuse(struct web *w, uint64_t id, unsigned status, const char *detail);
void web_refuse_for_now(struct web *w, uint64_t id, uint64_t wait_ms, const char *detail);
/* Columns and rows become items: an object a row. */
json_t *web_list(json_t *take_list);
/* The record that a path names, or the copy of it that was made; NULL: there is none. */
const struct record *exchange_record(struct web *w, const struct exchange *e);

/* --- access.c --- */
/* What the user may do (enum route_role); -1: nothing. */
int web_role(const struct web *w, const char *user);
/* The same of a session: of its user, or of its token. */
int web_session_role(const struct web *w, const struct session *s);
bool web_has_administrator(const struct web *w);
/* NULL: refused, and answered. */
struct session *web_authenticate(struct web *w, const struct front_request *r);
/* Who asks, without an answer and without counting: to know how much to take from him. */
const struct session *web_who(struct web *w, const struct front_request *r);
/* A name that leads to 127.0.0.1 must not let a foreign page in (DNS rebinding). */
bool web_is_for_us(const struct web *w, const struct front_request *r);
void web_on_session(struct web *w, const struct front_request *r);
void web_on_password(void *web, void *what, const char *hash);

/* Whether that session is still one, and its user still who he was. */
bool web_is_in_order(struct web *w, const uint8_t hash[static 32]);

/* --- live.c --- */
struct live *live_new(void); /* NULL without memory */
void live_free(struct live *l);
/* Begins a stream that ends when its session does: of all that happens, or of what a call brings.
 * False: there are too many, and the refusal is out. */
bool live_begin(struct web *w, struct exchange *e, const struct session *s, bool of_all);
void live_gone(struct web *w, uint64_t id);

/* --- transfers.c: bodies and answers that are files --- */
struct front_room web_file_room(void *web, const struct front_request *r);
/* Names the file of an upload or download in the options of the call. NULL, or what is wrong. */
const char *web_file_begin(struct web *w, struct exchange *e, const struct front_request *r, json_t *options);
/* Sends what was made. -ENOENT: it is not there. */
int web_file_send(struct web *w, struct exchange *e, struct headers *h);
void web_file_end(struct exchange *e);
/* The sentence without the name of our file; to be freed. */
char *web_file_sentence(const struct exchange *e, const char *sentence);

/* --- bodies.c --- */
void web_on_query_word(void *call, const char *name, const char *value);
/* Body and name of a request become the fields, options and names of a call. NULL, or what is wrong. */
const char *web_read_body(json_t *call, json_t *body, struct route *route);
void web_put_expected(json_t *call, const char *if_match);
/* What answers.c does with a list. NULL, or what is wrong. */
const char *web_read_paging(struct exchange *e, json_t *call);

/* --- web.c --- */
void web_certificate_tick(struct web *w); /* another certificate than before is shown from now on */
/* NULL: refused, and answered. */
json_t *web_body(struct web *w, const struct front_request *r);
struct exchange *exchange_new(struct web *w, const struct front_request *r);
