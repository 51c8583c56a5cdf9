/* admin_answers.c - calls of the control socket: what was asked, questions to other threads, the
 * one answer of each. */
#include "server/admin.h"

#include <stdarg.h>
#include <stdio.h>

#include "server/api/plan.h"
#include "server/events/audit.h"
#include "server/web/routes.h"

#define MAX_DESCRIBED 500 /* operations whose old and new values are told */
#define ASK_MS        10000
#define LONG_ASK_MS   600000 /* imports, backups and the like */

/* --- the audit log of the control socket --- */

void admin_remember(struct admin *a, uint64_t who, const json_t *request)
{
    const char *noun = json_string_value(json_object_get(request, "noun")),
               *verb = json_string_value(json_object_get(request, "verb"));
    const struct route_verb *v =
        noun ? route_verb_of(text_of(noun), text_of(verb ? verb : "")) : NULL;
    struct local_call *l = &a->local[a->next_local % MAX_LOCAL];
    const json_t *options = json_object_get(request, "options");

    if (!v || !api_knows(text_of(noun), text_of(verb ? verb : "")) || v->method == ROUTE_GET ||
        json_object_get(options, "plan") || json_is_true(json_object_get(options, "dry-run")))
        return;
    a->next_local++;
    l->who = who;
    text_copy(l->noun, sizeof(l->noun), text_of(noun));
    text_copy(l->verb, sizeof(l->verb), text_of(verb ? verb : ""));
    text_copy(l->name, sizeof(l->name), call_text(json_object_get(request, "name")));
}

static void audit_local(struct admin *a, uint64_t who, const json_t *answer)
{
    const char *error = json_string_value(json_object_get(answer, "error"));
    char user[32];

    for (size_t i = 0; i < MAX_LOCAL; i++) {
        struct local_call *l = &a->local[i];

        if (l->who != who)
            continue;
        snprintf(user, sizeof(user), "uid %lld", (long long)control_uid(a->control, who));
        audit_add(a->audit, &(struct audit_entry){user, "command line", l->noun, l->verb, l->name,
                                                  error ? error : "done",
                                                  json_object_get(answer, "changes")});
        l->who = 0;
        return;
    }
}

int admin_deliver(struct admin *a, uint64_t who, json_t *take_answer)
{
    if (who & WEB_ASKER)
        return web_answer(a->web, who, take_answer);
    audit_local(a, who, take_answer);
    if (!json_object_get(take_answer, "plan")) /* the notes say it to people */
        json_object_del(take_answer, "changes");
    return control_answer(a->control, who, take_answer);
}

void admin_answer(struct admin *a, uint64_t who, json_t *take_answer)
{
    if (!json_object_get(take_answer, "status"))
        json_object_set_new(take_answer, "status", json_integer(0));
    admin_deliver(a, who, take_answer);
}

static void refuse(struct admin *a, uint64_t who, int code, const char *format, va_list arguments)
{
    char sentence[1024];

    vsnprintf(sentence, sizeof(sentence), format, arguments);
    admin_deliver(a, who,
                  json_pack("{s:i, s:o, s:i}", "status", 1, "error", json_of(text_of(sentence)),
                            "code", code));
}

void admin_refuse(struct admin *a, uint64_t who, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    refuse(a, who, 422, format, arguments);
    va_end(arguments);
}

void admin_refuse_as(struct admin *a, uint64_t who, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    refuse(a, who, code, format, arguments);
    va_end(arguments);
}

void admin_finish(struct admin *a, uint64_t token, int status, json_t *body)
{
    struct ask *slot = pool_get(&a->asks, token), ask;

    if (!slot)
        return; /* the answer came after its time */
    ask = *slot;
    pool_give(&a->asks, token);
    if (ask.done) {
        ask.done(a, &ask, status, body);
    } else {
        json_object_set_new(body, "status", json_integer(status));
        if (status && !json_object_get(body, "error"))
            json_object_set_new(body, "error", json_string("It was refused without a reason."));
        admin_deliver(a, ask.who, json_incref(body));
    }
    json_decref(ask.kept);
}

void admin_fail(struct admin *a, uint64_t token, int code, const char *format, ...)
{
    char sentence[512];
    va_list arguments;
    json_t *body;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    body = json_pack("{s:o, s:i}", "error", json_of(text_of(sentence)), "code", code);
    admin_finish(a, token, 1, body);
    json_decref(body);
}

static uint64_t open_ask(struct admin *a, struct ask ask, uint64_t timeout_ms)
{
    uint64_t token;
    struct ask *slot = pool_take(&a->asks, &token);

    if (!slot) {
        admin_refuse_as(a, ask.who, 503, "Too many questions wait for an answer; try again.");
        json_decref(ask.kept);
        return 0;
    }
    ask.due_ms = uv_now(&a->thread->loop) + timeout_ms;
    *slot = ask;
    return token;
}

static bool takes_long(enum request_id request)
{
    return request == REQUEST_IMPORT || request == REQUEST_EXPORT || request == REQUEST_BACKUP ||
           request == REQUEST_RESTORE || request == REQUEST_LOAD_IMPORT ||
           request == REQUEST_FILE_REBUILD || request == REQUEST_TRACE_COLLECT;
}

void admin_ask(struct admin *a, uint64_t who, enum request_id request, json_t *take_arguments,
               ask_done done, json_t *take_kept)
{
    const struct request_row *row = &request_rows[request];
    struct ask ask = {.who = who, .what = row->verb, .done = done, .kept = take_kept};
    uint64_t token = open_ask(a, ask, takes_long(request) ? LONG_ASK_MS : ASK_MS);
    struct message m = {.id = MESSAGE_REQUEST, .request = {token, row->verb, take_arguments}};

    if (!token)
        json_decref(take_arguments);
    else if (server_post(a->thread->server, row->thread, &m) < 0)
        admin_fail(a, token, 503, "The server is too busy for \"%s\"; try again.", row->verb);
}

/* What the change does, for the answer and the audit log. Whether it may be done is for storage to
 * say. */
static void describe(struct admin *a, const struct change *change, json_t *answer)
{
    struct delta delta = {.n = 0};
    char error[8];

    if (change_count(change) > MAX_DESCRIBED ||
        directory_apply(a->thread->directory, change, NULL, &delta, error, sizeof(error)) < 0)
        return;
    json_object_set_new(answer, "changes", plan_changes(&delta));
    json_object_set_new(answer, "reset", plan_resets(a, &delta));
    delta_done(&delta);
}

static void tell_plan(struct admin *a, uint64_t who, struct change *take_change,
                      json_t *take_answer)
{
    json_t *plan = plan_of(a, take_change);

    if (json_object_get(plan, "status"))
        admin_deliver(a, who, plan);
    else
        admin_answer(a, who, plan);
    change_free(take_change);
    json_decref(take_answer);
}

void admin_change(struct admin *a, uint64_t who, struct change *take_change, json_t *take_answer)
{
    struct ask ask = {.who = who, .what = "change", .kept = take_answer, .change = true};
    struct message m = {.id = MESSAGE_CHANGE, .change = {0, THREAD_ADMIN, take_change}};
    uint64_t token;

    if (a->plans) {
        tell_plan(a, who, take_change, take_answer);
        return;
    }
    describe(a, take_change, take_answer);
    token = open_ask(a, ask, change_count(take_change) > MAX_DESCRIBED ? LONG_ASK_MS : ASK_MS);
    m.change.token = token;
    if (!token)
        change_free(take_change);
    else if (server_post(a->thread->server, THREAD_STORAGE, &m) < 0)
        admin_fail(a, token, 503, "The database is too busy; try again.");
}

const enum thread_id service_threads[N_SERVICES] = {
#define SERVICE(id, name, thread, help) thread,
#include "server/services.def"
#undef SERVICE
};

void admin_service(struct admin *a, uint64_t who, enum service_id service,
                   enum service_state wanted, ask_done done, json_t *take_kept)
{
    struct ask ask = {.who = who, .what = "service", .done = done, .kept = take_kept};
    uint64_t token = open_ask(a, ask, ASK_MS);
    struct message m = {.id = MESSAGE_SERVICE,
                        .service = {token, (uint8_t)service, (uint8_t)wanted}};

    if (!token)
        return;
    if (server_post(a->thread->server, service_threads[service], &m) < 0)
        admin_fail(a, token, 503, "The service is too busy; try again.");
}
