/* heads.c - what the head of a request says. */
#include "server/web/heads.h"

#include <string.h>

#include "server/web/front.h"

struct framing {
    unsigned lengths, encodings, hosts;
    bool other; /* than chunked */
};

static enum MHD_Result on_head_line(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct framing *f = context;

    (void)kind;
    f->lengths += !strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH);
    f->hosts += !strcasecmp(name, MHD_HTTP_HEADER_HOST);
    if (!strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        f->encodings++;
        f->other = f->other || !value || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

bool head_is_ambiguous(struct MHD_Connection *connection)
{
    struct framing f = {0};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, on_head_line, &f);
    return f.lengths + f.encodings > 1 || f.other || f.hosts > 1;
}

enum MHD_Result head_refuse(struct MHD_Connection *connection)
{
    static char said[] = "{\"type\":\"about:blank\",\"title\":\"Bad request\",\"status\":400,\"detail\":\"The head "
                         "of the request says in two ways where it ends, or for which host it is.\"}";
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(said), said, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/problem+json");
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    result = MHD_queue_response(connection, MHD_HTTP_BAD_REQUEST, r);
    MHD_destroy_response(r);
    return result;
}

const char *front_header(const struct front_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *front_cookie(const struct front_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);
}

struct walk {
    void (*each)(void *context, const char *name, const char *value);
    void *context;
};

static enum MHD_Result on_word(void *context, enum MHD_ValueKind kind, const char *name,
                               const char *value)
{
    struct walk *w = context;

    (void)kind;
    w->each(w->context, name, value ? value : "");
    return MHD_YES;
}

void front_each_query(const struct front_request *r,
                      void (*each)(void *context, const char *name, const char *value),
                      void *context)
{
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, on_word,
                              &(struct walk){each, context});
}
