/* requests.c - questions between the admin thread and the others, and their answers. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/server.h"

const struct request_row request_rows[N_REQUESTS] = {
#define REQUEST(id, verb, thread, arguments, answer) {verb, thread},
#include "server/api/requests.def"
#undef REQUEST
};

json_t *json_of(struct text t)
{
    json_t *s = json_stringn(t.at, t.len);
    char *clean;

    for (size_t cut = 1; !s && cut < 4 && cut < t.len; cut++) /* it may end inside a character */
        s = json_stringn(t.at, t.len - cut);
    if (s || !(clean = text_dup(t)))
        return s ? s : json_string("");
    for (char *c = clean; *c; c++) /* a peer's bytes that are no UTF-8 */
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    s = json_string(clean);
    free(clean);
    return s;
}

void server_reply(struct server *s, uint64_t token, int status, json_t *take_body)
{
    struct message m = {.id = MESSAGE_REPLY,
                        .reply = {token, status, take_body ? take_body : json_object()}};

    server_post(s, THREAD_ADMIN, &m);
}

static void refuse(struct server *s, uint64_t token, int code, const char *format,
                   va_list arguments)
{
    char sentence[512];

    vsnprintf(sentence, sizeof(sentence), format, arguments);
    server_reply(s, token, 1,
                 json_pack("{s:o, s:i}", "error", json_of(text_of(sentence)), "code", code));
}

void server_refuse(struct server *s, uint64_t token, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    refuse(s, token, 422, format, arguments);
    va_end(arguments);
}

void server_refuse_as(struct server *s, uint64_t token, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    refuse(s, token, code, format, arguments);
    va_end(arguments);
}
