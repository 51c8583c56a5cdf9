/* answers.c - what the API says, as HTTP has it: JSON, problems, streams. */
#include "server/web/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api/lists.h"
#include "server/api/order.h"
#include "server/events/audit.h"
#include "server/web/web_own.h"

void header_put(struct headers *h, const char *name, const char *value)
{
    if (h->n < HEADERS_MAX - 1)
        h->rows[h->n++] = (struct front_header){name, value};
}

void headers_put_common(struct headers *h, const char *type)
{
    header_put(h, "Content-Type", type);
    header_put(h, "Cache-Control", "no-store");
    header_put(h, "X-Content-Type-Options", "nosniff");
    header_put(h, "Referrer-Policy", "no-referrer");
    header_put(h, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

json_t *web_in_language(json_t *take_answer, enum language l)
{
    json_t *said = l == LANGUAGE_EN ? NULL : words_said(take_answer, l);

    if (!said)
        return take_answer;
    json_decref(take_answer);
    return said;
}

void web_reply(struct web *w, uint64_t id, unsigned status, struct headers *h, json_t *take_body)
{
    const struct exchange *e = front_kept(w->front, id);
    enum language language = e ? e->language : w->language;
    char *text;

    if (take_body)
        take_body = web_in_language(take_body, language);
    text = take_body ? json_dumps(take_body, JSON_COMPACT) : NULL;
    header_put(h, "Content-Language", words_tags[language]);
    headers_put_common(h, status < 400 ? "application/json" : "application/problem+json");
    front_answer(w->front, id, status, h->rows, text, text ? strlen(text) : 0);
    json_decref(take_body);
}

void web_reply_plain(struct web *w, uint64_t id, unsigned status, json_t *take_body)
{
    web_reply(w, id, status, &(struct headers){.n = 0}, take_body);
}

static const struct {
    unsigned status;
    const char *title;
} titles[] = {
    {400, "Bad request"},       {401, "Log in first"},
    {403, "Not allowed"},       {404, "There is no such thing"},
    {405, "Not this method"},   {409, "Conflict"},
    {412, "Changed meanwhile"}, {413, "Too large"},
    {415, "Not JSON"},          {421, "Not this server"},
    {422, "Refused"},           {429, "Too many requests"},
    {503, "Try again"},         {507, "The disk is full"},
};

/* RFC 9457. */
static json_t *problem(unsigned status, const char *detail)
{
    const char *title = "Refused";

    for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
        if (titles[i].status == status)
            title = titles[i].title;
    return json_pack("{s:s, s:s, s:i, s:o}", "type", "about:blank", "title", title, "status",
                     (int)status, "detail", json_of(text_of(detail)));
}

void web_refuse(struct web *w, uint64_t id, unsigned status, const char *detail)
{
    web_reply_plain(w, id, status, problem(status, detail));
}

void web_refuse_for_now(struct web *w, uint64_t id, uint64_t wait_ms, const char *detail)
{
    struct headers h = {.n = 0};
    char seconds[24];

    snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)(wait_ms + 999) / 1000);
    header_put(&h, "Retry-After", seconds);
    web_reply(w, id, 429, &h, problem(429, detail));
}

/* A list as programs like it: an object a row. */
static json_t *items_of(json_t *columns, json_t *rows)
{
    json_t *items = json_array(), *row, *item;
    size_t i, k;

    json_array_foreach(rows, i, row)
    {
        item = json_object();
        for (k = 0; k < json_array_size(columns); k++)
            json_object_set(item, json_string_value(json_array_get(columns, k)),
                            json_array_get(row, k));
        json_array_append_new(items, item);
    }
    return items;
}

static void list_to_items(json_t *list)
{
    json_t *columns = json_object_get(list, "columns");

    if (!columns)
        return;
    json_object_set_new(list, "items", items_of(columns, json_object_get(list, "rows")));
    json_object_del(list, "columns");
    json_object_del(list, "rows");
}

json_t *web_list(json_t *take_list)
{
    list_to_items(take_list);
    return take_list;
}

static void lists_to_items(json_t *answer)
{
    json_t *section;
    size_t i;

    list_to_items(answer);
    json_array_foreach(json_object_get(answer, "sections"), i, section) list_to_items(section);
}

/* --- lists that come whole: sorted and cut here --- */

static struct text sort_key(const json_t *value, char to[static 32])
{
    if (json_is_integer(value))
        return (struct text){
            to, (size_t)snprintf(to, 32, "%lld", (long long)json_integer_value(value))};
    return call_text((json_t *)value);
}

static void sort_items(json_t *items, const char *by, json_t *to)
{
    struct order o = {.n = 0};
    json_t *item;
    char number[32];
    size_t i;

    json_array_foreach(items, i, item)
        order_add(&o, item, sort_key(json_object_get(item, by + (*by == '-')), number));
    order_sort(&o, *by == '-');
    for (i = 0; i < o.n; i++)
        json_array_append(to, (json_t *)(uintptr_t)o.rows[i].row);
    order_done(&o);
}

static bool item_fits(const json_t *item, const json_t *where)
{
    const char *column;
    json_t *wanted;

    json_object_foreach((json_t *)where, column, wanted) if (!value_fits(
        json_object_get(item, column), call_text(wanted))) return false;
    return true;
}

static bool is_named(const char *columns, const char *column)
{
    struct text rest = text_of(columns);

    while (rest.len)
        if (text_is(text_trim(text_split(&rest, ',')), column))
            return true;
    return false;
}

/* Of a list that came whole. */
static void drop_unfit(json_t *items, const struct exchange *e)
{
    for (size_t i = e->where ? json_array_size(items) : 0; i-- > 0;)
        if (!item_fits(json_array_get(items, i), e->where))
            json_array_remove(items, i);
}

static void cut_items(json_t *items, const struct exchange *e)
{
    const char *column;
    json_t *item, *value;
    void *next;
    size_t i;

    while (e->limit < MAX_PAGE && json_array_size(items) > e->limit)
        json_array_remove(items, json_array_size(items) - 1);
    json_array_foreach(items, i, item) if (e->columns[0])
        json_object_foreach_safe(item, next, column, value) if (!is_named(e->columns, column))
            json_object_del(item, column);
}

/* Entities are sorted where they are found (views.c). */
static void page_items(json_t *answer, const struct exchange *e)
{
    json_t *items = json_object_get(answer, "items"), *sorted, *page;

    if (!e->paged || !items || json_object_get(answer, "offset") || json_object_get(answer, "next"))
        return;
    sorted = json_array();
    page = json_array();
    if (e->sort[0])
        sort_items(items, e->sort, sorted);
    else
        json_array_extend(sorted, items);
    for (size_t i = e->offset; i < json_array_size(sorted) && json_array_size(page) < e->limit; i++)
        json_array_append(page, json_array_get(sorted, i));
    json_object_set_new(answer, "total", json_integer((json_int_t)json_array_size(sorted)));
    json_object_set_new(answer, "offset", json_integer((json_int_t)e->offset));
    json_object_set_new(answer, "items", page);
    json_decref(sorted);
}

const struct record *exchange_record(struct web *w, const struct exchange *e)
{
    int entity = directory_entity_find(text_of(e->route.noun));
    const char *name = e->made[0] ? e->made : e->route.name;
    char key[DIRECTORY_KEY_MAX];

    return entity < 0 || !name[0] || !w->admin->thread->directory
               ? NULL
               : directory_find(w->admin->thread->directory, (enum entity)entity,
                                entity_key((enum entity)entity, text_of(name), key));
}

static bool is_change(const struct exchange *e)
{
    return strcmp(e->method, "GET") != 0 && strcmp(e->method, "HEAD") != 0;
}

/* Who takes everything home is remembered, too. */
static bool is_audited(const struct exchange *e)
{
    return !e->plan && (is_change(e) || e->route.verb->carries == CARRIES_DOWNLOAD);
}

/* Who changed what (audit): also what was refused. */
static void note_change(const struct exchange *e, unsigned status, const char *why,
                        const json_t *changes)
{
    char result[400];

    if (!is_audited(e))
        return;
    snprintf(result, sizeof(result), "%u%s%s", status, *why ? " " : "", why);
    audit_add(e->web->admin->audit,
              &(struct audit_entry){e->user, e->peer, e->route.noun, e->route.verb->verb,
                                    e->route.name, result, changes});
}

static void answer_refused(struct web *w, const struct exchange *e, json_t *answer)
{
    json_int_t code = json_integer_value(json_object_get(answer, "code"));
    unsigned status = code ? (unsigned)code : 422;
    const struct record *record = status == 412 ? exchange_record(w, e) : NULL;
    char *sentence = web_file_sentence(e, json_string_value(json_object_get(answer, "error")));
    json_t *body = problem(status, sentence ? sentence : "");

    if (json_object_get(answer, "faults"))
        json_object_set(body, "faults", json_object_get(answer, "faults"));
    lists_to_items(answer); /* of an import: the lines that are wrong */
    if (json_object_get(answer, "items"))
        json_object_set(body, "items", json_object_get(answer, "items"));
    if (record) /* the second writer sees what the first one wrote */
        json_object_set_new(body, "current", entity_record(w->admin, record, true));
    note_change(e, status, sentence ? sentence : "", NULL);
    free(sentence);
    web_reply_plain(w, e->id, status, body);
}

static void answer_file(struct web *w, struct exchange *e)
{
    struct headers h = {.n = 0};

    note_change(e, 200, "", NULL);
    if (web_file_send(w, e, &h) < 0)
        web_refuse(w, e->id, 503, "It was made, but cannot be read.");
    web_file_end(e);
}

static void answer_done(struct web *w, const struct exchange *e, json_t *answer)
{
    const struct record *record = is_change(e) ? exchange_record(w, e) : NULL;
    uint64_t version = record ? record->version : e->version;
    bool is_new = !strcmp(e->route.verb->verb, "add") && !e->plan;
    char etag[32], location[512];
    struct headers h = {.n = 0};

    lists_to_items(answer);
    drop_unfit(json_object_get(answer, "items"), e);
    page_items(answer, e);
    if (e->route.verb->method == ROUTE_GET)
        cut_items(json_object_get(answer, "items"), e);
    json_object_del(answer, "status");
    if (e->route.verb->carries == CARRIES_UPLOAD) {
        json_object_del(json_object_get(answer, "record"), "path");
        json_object_set_new(answer, "plan", json_boolean(e->plan));
    }
    if (record && !e->plan && e->route.verb->role == ROUTE_ADMINISTER &&
        !json_object_get(answer, "record"))
        json_object_set_new(answer, "record", entity_record(w->admin, record, true));
    snprintf(etag, sizeof(etag), "\"v%llu\"", (unsigned long long)version);
    snprintf(location, sizeof(location), ROUTES_BASE "%s/%s", e->route.noun, e->route.name);
    /* of a parameter 0: the default, which no record says */
    if (version || (e->route.name[0] && !strcmp(e->route.noun, "parameter")))
        header_put(&h, "ETag", etag);
    if (is_new)
        header_put(&h, "Location", location);
    note_change(e, is_new ? 201 : 200, "", json_object_get(answer, "changes"));
    web_reply(w, e->id, is_new ? 201 : 200, &h, json_incref(answer));
}

static int stream(struct web *w, const struct exchange *e, json_t *answer)
{
    json_t *event = web_in_language(json_incref(json_object_get(answer, "event")), e->language);
    char *text = json_dumps(event, JSON_COMPACT);
    size_t size = text ? strlen(text) + 16 : 0;
    char *line = malloc(size);
    int n, err = -ENOMEM;

    if (line && text) {
        n = snprintf(line, size, "data: %s\n\n", text);
        err = front_stream(w->front, e->id, line, (size_t)n);
    }
    free(line);
    free(text);
    json_decref(event);
    return err;
}

int web_answer(struct web *w, uint64_t who, json_t *take_answer)
{
    struct exchange *e = w ? front_kept(w->front, who & ~WEB_ASKER) : NULL;
    int err = e ? 0 : -ENOENT;

    if (e && e->stream) {
        err = stream(w, e, take_answer);
    } else if (e) {
        e->answered = true;
        if (json_integer_value(json_object_get(take_answer, "status")))
            answer_refused(w, e, take_answer);
        else if (e->route.verb->carries == CARRIES_DOWNLOAD)
            answer_file(w, e);
        else
            answer_done(w, e, take_answer);
    }
    json_decref(take_answer);
    return err;
}
