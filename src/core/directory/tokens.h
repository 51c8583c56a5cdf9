/* tokens.h - how a change keeps its operations: one after the other in one growing block. */
#pragma once

#include "core/directory/change.h"

enum token_kind { TOKEN_ADD, TOKEN_SET, TOKEN_PUT, TOKEN_REPLACE, TOKEN_COPY, TOKEN_DELETE, TOKEN_SOURCE, TOKEN_EXPECT, TOKEN_FIELD, TOKEN_LIST, TOKEN_ITEM };

struct token {
    enum token_kind kind;
    enum entity entity; /* of the first six */
    uint32_t source;    /* of SOURCE */
    struct text a, b;   /* key; field and value; COPY: key and what it is copied from; EXPECT: eight bytes */
};

struct change {
    char *at;
    size_t len, size, n;
    bool bad; /* memory ran out */
};

/* Cuts the next token off `rest`; false at the end. */
bool token_read(struct text *rest, struct token *ret);
