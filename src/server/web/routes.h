/* routes.h - from an HTTP request to the call that the command line would have made: the words are
 * the same.
 *
 *   GET    /api/v1/phone?search=x&limit=50      phone list      GET /api/v1/phone/SEP… phone show
 *   POST   /api/v1/phone {"name": …, fields}    phone add       PATCH /api/v1/phone/SEP… {…} phone
 * set POST   /api/v1/phone/SEP…/reset             phone reset     DELETE /api/v1/phone/SEP… phone
 * delete POST   /api/v1/phone/reset {"names": […]}   phone reset */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/text.h"

#define ROUTES_BASE "/api/v1/"

enum route_method { ROUTE_GET, ROUTE_POST, ROUTE_PATCH, ROUTE_DELETE, N_ROUTE_METHODS };
enum route_names { ROUTE_NONE, ROUTE_ONE, ROUTE_BOTH };
enum route_role { ROUTE_READ, ROUTE_OPERATE, ROUTE_ADMINISTER };

/* What is not JSON: a body that is a file (UPLOAD), an answer that is one (DOWNLOAD). */
enum route_carries { CARRIES_JSON, CARRIES_UPLOAD, CARRIES_DOWNLOAD };

struct route_verb {
    const char *verb, *help;
    enum route_method method;
    enum route_names names;
    enum route_role role;
    enum route_carries carries;
};

struct route {
    char noun[32], name[256];
    const struct route_verb *verb;
};

extern const char *const route_role_words[]; /* "read", "operate", "administer" */
/* The least that a user must have: users, their secrets and who did what are for administrators, also to look at. */
enum route_role route_role(const char *noun, const struct route_verb *v);

extern const char *const route_methods[N_ROUTE_METHODS];
/* NULL: not over HTTP. */
const struct route_verb *route_verb_of(struct text noun, struct text verb);
/* Is this verb a word of the path, or what the method means by itself? */
bool route_verb_is_plain(const struct route_verb *v);

/* 0; -ENOENT: no such thing; -ENOTSUP: it is there, with other methods. `knows` tells which pairs
 * there are. `path` as it was sent, beginning with ROUTES_BASE. */
int route_find(struct text method, struct text path,
               bool (*knows)(struct text noun, struct text verb), struct route *ret);

/* A value of a body as the text that fields are made of: numbers, true and false, lists of them
 * (joined by ';'). NULL: an object, or a list of lists. */
json_t *route_field(const json_t *value);
