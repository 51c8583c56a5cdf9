/* requests.c - questions between the admin thread and the others, and their answers. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "server/server.h"

const struct request_row request_rows[N_REQUESTS] = {
#define REQUEST(id, verb, thread, arguments, answer) {verb, thread},
#include "server/requests.def"
#undef REQUEST
};

int request_find(const char *verb)
{
    for (int i = 0; i < N_REQUESTS; i++)
        if (!strcmp(request_rows[i].verb, verb))
            return i;
    return -ENOENT;
}

void server_reply(struct server *s, uint64_t token, int status, json_t *take_body)
{
    struct message m = {.id = MESSAGE_REPLY,
                        .reply = {token, status, take_body ? take_body : json_object()}};

    server_post(s, THREAD_ADMIN, &m);
}

void server_refuse(struct server *s, uint64_t token, const char *format, ...)
{
    char sentence[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    server_reply(s, token, 1, json_pack("{s:s}", "error", sentence));
}
