/* routes.c - paths and methods. */
#include "server/web/routes.h"

#include <errno.h>
#include <string.h>

#include "base/grow.h"
#include "wire/http.h"

const char *const route_methods[N_ROUTE_METHODS] = {"GET", "POST", "PATCH", "DELETE"};

static const struct route_verb verbs[] = {
#define VERB(verb, method, names, role, help)                                                      \
    {verb, help, ROUTE_##method, ROUTE_##names, ROUTE_##role, CARRIES_JSON},
#define WHOLE(...)
#define OF_NOUN(...)
#include "server/web/verbs.def"
#undef VERB
#undef OF_NOUN
#undef WHOLE
};

#define VERB(...)
#define WHOLE(...)
static const struct {
    const char *noun;
    struct route_verb verb;
} of_nouns[] = {
#define OF_NOUN(noun, verb, method, names, role, carries, help)                                    \
    {noun, {verb, help, ROUTE_##method, ROUTE_##names, ROUTE_##role, CARRIES_##carries}},
#include "server/web/verbs.def"
#undef OF_NOUN
#undef WHOLE
#define OF_NOUN(...)
};

#define N_VERBS (sizeof(verbs) / sizeof(*verbs))

/* Nouns that are asked for by themselves; a plain verb is the method alone. */
static const struct {
    const char *noun;
    struct route_verb verb;
} whole[] = {
#define WHOLE(noun, method, role, carries, help)                                                   \
    {noun, {"", help, ROUTE_##method, ROUTE_NONE, ROUTE_##role, CARRIES_##carries}},
#include "server/web/verbs.def"
#undef WHOLE
};

const struct route_verb *route_verb_of(struct text noun, struct text verb)
{
    for (size_t i = 0; !verb.len && i < sizeof(whole) / sizeof(*whole); i++)
        if (text_is(noun, whole[i].noun))
            return &whole[i].verb;
    for (size_t i = 0; i < sizeof(of_nouns) / sizeof(*of_nouns); i++)
        if (text_is(noun, of_nouns[i].noun) && text_is(verb, of_nouns[i].verb.verb))
            return &of_nouns[i].verb;
    if (!verb.len)
        return NULL;
    for (size_t i = 0; i < N_VERBS; i++)
        if (text_is(verb, verbs[i].verb))
            return &verbs[i];
    return NULL;
}

const char *const route_role_words[] = {"read", "operate", "administer"};

enum route_role route_role(const char *noun, const struct route_verb *v)
{
    static const char *const nouns[] = {"user", "token", "audit"};

    for (size_t i = 0; i < sizeof(nouns) / sizeof(*nouns); i++)
        if (!strcmp(noun, nouns[i]))
            return ROUTE_ADMINISTER;
    return v->role;
}

static const char *const plain[] = {"", "list", "get", "show", "add", "set", "delete"};

bool route_verb_is_plain(const struct route_verb *v)
{
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
        if (!strcmp(plain[i], v->verb))
            return true;
    return false;
}

static int method_of(struct text method)
{
    if (text_is(method, "HEAD"))
        return ROUTE_GET;
    for (int i = 0; i < N_ROUTE_METHODS; i++)
        if (text_is(method, route_methods[i]))
            return i;
    return -1;
}

typedef bool knows_fn(struct text noun, struct text verb);

/* The plain verb that a method means on /NOUN (no name) or /NOUN/NAME. */
static int plain_verb(int method, bool named, knows_fn *knows, struct route *r)
{
    bool any = false;

    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        const struct route_verb *v = route_verb_of(text_of(r->noun), text_of(plain[i]));

        if (!v || (v->names == ROUTE_ONE) != named || !knows(text_of(r->noun), text_of(v->verb)))
            continue;
        any = true;
        if ((int)v->method == method) {
            r->verb = v;
            return 0;
        }
    }
    return any ? -ENOTSUP : -ENOENT;
}

static int word_verb(int method, bool named, struct text word, knows_fn *knows, struct route *r)
{
    const struct route_verb *v = route_verb_of(text_of(r->noun), word);

    if (!v || route_verb_is_plain(v) || !knows(text_of(r->noun), word) ||
        v->names == (named ? ROUTE_NONE : ROUTE_ONE))
        return -ENOENT;
    r->verb = v;
    return (int)v->method == method ? 0 : -ENOTSUP;
}

static int decode(struct text segment, char *to, size_t size)
{
    int n = http_path(segment, to, size);

    return n < 0 || memchr(to, 0, (size_t)n) ? -ENOENT : 0;
}

int route_find(struct text method, struct text path, knows_fn *knows, struct route *ret)
{
    int m = method_of(method), err;
    struct text noun, name, word;
    struct route r = {.verb = NULL};

    path = text_skip(path, strlen(ROUTES_BASE));
    noun = text_split(&path, '/');
    name = text_split(&path, '/');
    word = text_split(&path, '/');
    if (path.at || !noun.len || decode(noun, r.noun, sizeof(r.noun)) < 0)
        return -ENOENT;
    if (!name.len)
        err = plain_verb(m, false, knows, &r);
    else if (word.len)
        err = word_verb(m, true, word, knows, &r);
    else if ((err = word_verb(m, false, name, knows, &r)) == -ENOENT)
        err = plain_verb(m, true, knows, &r);
    else
        name.len = 0;
    if (!err && name.len && decode(name, r.name, sizeof(r.name)) < 0)
        err = -ENOENT;
    if (!err)
        *ret = r;
    return err;
}

static bool put_plain(struct grow *to, const json_t *value)
{
    if (json_is_string(value))
        grow_text(to, (struct text){json_string_value(value), json_string_length(value)});
    else if (json_is_integer(value))
        grow_format(to, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        grow_string(to, json_is_true(value) ? "yes" : "no");
    else if (!json_is_null(value))
        return false;
    return true;
}

json_t *route_field(const json_t *value)
{
    struct grow text = {0};
    bool good = true;
    json_t *part, *made;
    size_t i;

    if (json_is_array(value))
        json_array_foreach(value, i, part)
        {
            if (i)
                grow_string(&text, ";");
            good = good && put_plain(&text, part);
        }
    else
        good = put_plain(&text, value);
    made = good && !text.bad ? json_stringn(text.at ? text.at : "", text.len) : NULL;
    grow_done(&text);
    return made;
}
