/* change.c - building a change. */
#include "core/directory/change.h"

#include <stdlib.h>

#include "core/directory/tokens.h"

struct header {
    uint8_t kind, entity;
    uint32_t source, a_len, b_len;
};

struct change *change_new(void)
{
    return calloc(1, sizeof(struct change));
}

void change_free(struct change *c)
{
    if (!c)
        return;
    free(c->at);
    free(c);
}

size_t change_count(const struct change *c)
{
    return c ? c->n : 0;
}

static char *make_room(struct change *c, size_t len)
{
    size_t size = c->size ? c->size : 256;
    char *at;

    while (size < c->len + len)
        size *= 2;
    if (size != c->size) {
        if (!(at = realloc(c->at, size))) {
            c->bad = true;
            return NULL;
        }
        c->at = at;
        c->size = size;
    }
    at = c->at + c->len;
    c->len += len;
    return at;
}

static void add_token(struct change *c, const struct token *t)
{
    struct header h = {(uint8_t)t->kind, (uint8_t)t->entity, t->source, (uint32_t)t->a.len,
                       (uint32_t)t->b.len};
    char *at;

    if (!c || c->bad || !(at = make_room(c, sizeof(h) + t->a.len + t->b.len)))
        return;
    memcpy(at, &h, sizeof(h));
    if (t->a.len)
        memcpy(at + sizeof(h), t->a.at, t->a.len);
    if (t->b.len)
        memcpy(at + sizeof(h) + t->a.len, t->b.at, t->b.len);
    c->n += t->kind <= TOKEN_DELETE;
}

bool token_read(struct text *rest, struct token *ret)
{
    struct header h;

    if (!rest->len)
        return false;
    memcpy(&h, rest->at, sizeof(h));
    *rest = text_skip(*rest, sizeof(h));
    ret->kind = (enum token_kind)h.kind;
    ret->entity = (enum entity)h.entity;
    ret->source = h.source;
    ret->a = (struct text){rest->at, h.a_len};
    ret->b = (struct text){rest->at + h.a_len, h.b_len};
    *rest = text_skip(*rest, (size_t)h.a_len + h.b_len);
    return true;
}

void change_add(struct change *c, enum entity e, struct text key)
{
    add_token(c, &(struct token){.kind = TOKEN_ADD, .entity = e, .a = key});
}

void change_set(struct change *c, enum entity e, struct text key)
{
    add_token(c, &(struct token){.kind = TOKEN_SET, .entity = e, .a = key});
}

void change_expect(struct change *c, uint64_t version)
{
    add_token(c, &(struct token){.kind = TOKEN_EXPECT,
                                 .a = {(const char *)&version, sizeof(version)}});
}

void change_put(struct change *c, enum entity e, struct text key)
{
    add_token(c, &(struct token){.kind = TOKEN_PUT, .entity = e, .a = key});
}

void change_replace(struct change *c, enum entity e, struct text key)
{
    add_token(c, &(struct token){.kind = TOKEN_REPLACE, .entity = e, .a = key});
}

void change_delete(struct change *c, enum entity e, struct text key)
{
    add_token(c, &(struct token){.kind = TOKEN_DELETE, .entity = e, .a = key});
}

void change_copy(struct change *c, enum entity e, struct text from, struct text key)
{
    add_token(c, &(struct token){.kind = TOKEN_COPY, .entity = e, .a = key, .b = from});
}

void change_source(struct change *c, uint32_t source)
{
    add_token(c, &(struct token){.kind = TOKEN_SOURCE, .source = source});
}

void change_field(struct change *c, struct text field, struct text value)
{
    add_token(c, &(struct token){.kind = TOKEN_FIELD, .a = field, .b = value});
}

void change_list(struct change *c, struct text field)
{
    add_token(c, &(struct token){.kind = TOKEN_LIST, .a = field});
}

void change_item(struct change *c)
{
    add_token(c, &(struct token){.kind = TOKEN_ITEM});
}
