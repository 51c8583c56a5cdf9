/* live.c - streams of server-sent events: what happens, told twice a second however much it is.
 *
 * One text is made a turn and sent to all that watch. Who does not read misses turns and is told
 * the whole state again when he does; who logs out is cut off. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "server/api/lists.h"
#include "server/web/web_own.h"

#define MAX_STREAMS    96
#define OF_ONE_SESSION 12
#define MAX_CHANGED    250 /* phones named in a turn */
#define MAX_EVENTS     20  /* told in a turn */
#define MAX_UNREAD     (128u << 10)
#define FINDING_TURNS  4  /* the doctor is asked not that often */
#define BEAT_TURNS     30 /* silence is broken, so that a dead peer is found */

struct watcher {
    uint64_t id; /* of the exchange; 0: free */
    uint8_t session[32];
    bool of_all; /* else it only must end in time */
    bool behind; /* missed turns, or has just come: is told the whole state */
    enum language language;
};

/* One text a language that somebody reads. */
struct telling {
    bool wanted[N_LANGUAGES];
    struct grow text[N_LANGUAGES];
};

struct live {
    struct watcher rows[MAX_STREAMS];
    size_t n, n_of_all;
    struct device_name changed[MAX_CHANGED];
    size_t n_changed, n_more;
    json_t *events;
    size_t n_skipped;
    uint64_t version;                     /* of the directory that was told */
    json_t *counts, *services, *findings; /* as they were told */
    unsigned turns;
};

struct live *live_new(void)
{
    return calloc(1, sizeof(struct live));
}

void live_free(struct live *l)
{
    if (!l)
        return;
    json_decref(l->events);
    json_decref(l->counts);
    json_decref(l->services);
    json_decref(l->findings);
    free(l);
}

/* --- who watches --- */

bool live_begin(struct web *w, struct exchange *e, const struct session *s, bool of_all)
{
    struct live *l = w->live;
    struct watcher *free_row = NULL;
    struct headers h = {.n = 0};
    size_t n = 0;

    for (size_t i = 0; i < MAX_STREAMS; i++) {
        n += l->rows[i].id && !memcmp(l->rows[i].session, s->hash, sizeof(s->hash));
        if (!l->rows[i].id)
            free_row = &l->rows[i];
    }
    if (!free_row || n >= OF_ONE_SESSION) {
        web_refuse_for_now(w, e->id, 5000, "Too many streams are open; close one.");
        return false;
    }
    *free_row =
        (struct watcher){.id = e->id, .of_all = of_all, .behind = true, .language = e->language};
    memcpy(free_row->session, s->hash, sizeof(s->hash));
    l->n++;
    l->n_of_all += of_all;
    headers_put_common(&h, "text/event-stream");
    front_stream_begin(w->front, e->id, h.rows);
    if (of_all)
        front_stream(w->front, e->id, "retry: 3000\n\n", 13);
    return true;
}

void live_gone(struct web *w, uint64_t id)
{
    struct live *l = w->live;

    for (size_t i = 0; l && i < MAX_STREAMS; i++)
        if (l->rows[i].id == id) {
            l->n--;
            l->n_of_all -= l->rows[i].of_all;
            l->rows[i].id = 0;
        }
}

static void end_those_logged_out(struct web *w)
{
    for (size_t i = 0; i < MAX_STREAMS; i++)
        if (w->live->rows[i].id && !web_is_in_order(w, w->live->rows[i].session))
            front_stream_end(w->front, w->live->rows[i].id);
}

/* --- what happened --- */

void web_phone_changed(struct web *w, struct device_name name)
{
    struct live *l = w ? w->live : NULL;

    if (!l || !l->n_of_all)
        return;
    for (size_t i = 0; i < l->n_changed; i++)
        if (!strcmp(l->changed[i].s, name.s))
            return;
    if (l->n_changed < MAX_CHANGED)
        l->changed[l->n_changed++] = name;
    else
        l->n_more++;
}

void web_event(struct web *w, const struct alarm *alarm, uint64_t sequence)
{
    struct live *l = w ? w->live : NULL;

    if (!l || !l->n_of_all)
        return;
    if (!l->events)
        l->events = json_array();
    if (json_array_size(l->events) < MAX_EVENTS)
        json_array_append_new(l->events, event_object(alarm, sequence, true));
    else
        l->n_skipped++;
}

/* --- telling --- */

static void put(struct telling *to, const char *event, json_t *take_data)
{
    for (int l = 0; l < N_LANGUAGES; l++) {
        json_t *data =
            to->wanted[l] ? web_in_language(json_incref(take_data), (enum language)l) : NULL;
        char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;

        if (text)
            grow_format(&to->text[l], "event: %s\ndata: %s\n\n", event, text);
        free(text);
        json_decref(data);
    }
    json_decref(take_data);
}

static json_t *changed_phones(struct admin *a, const struct live *l)
{
    json_t *rows = json_array();
    char ip[IP_TEXT_MAX];

    for (size_t i = 0; i < l->n_changed; i++) {
        const struct device_status *d = status_find(a->status, text_of(l->changed[i].s));

        if (d)
            json_array_append_new(
                rows, json_pack("{s:o, s:s, s:s, s:o, s:s, s:o}", "name",
                                json_of(text_of(d->name.s)), "status", device_state_names[d->state],
                                "address", ip_is_any(d->ip) ? "" : ip_print(d->ip, ip), "since",
                                admin_time((uint64_t)d->since_s * 1000000, true), "reason",
                                status_reason(d), "active_load", json_of(text_of(d->load))));
    }
    return rows;
}

static json_t *phones_message(struct admin *a, const struct live *l, bool whole)
{
    json_t *message = admin_counts(a);

    json_object_set_new(message, "changed", whole ? json_array() : changed_phones(a, l));
    json_object_set_new(message, "complete", json_boolean(!whole && !l->n_more));
    return message;
}

/* Remembers what is told; true when it is not what was told before. */
static bool is_news(json_t **told, json_t *take_now)
{
    bool news = !*told || !json_equal(*told, take_now);

    json_decref(*told);
    *told = take_now;
    return news;
}

static void put_news(struct admin *a, struct live *l, struct telling *to)
{
    bool other_counts = is_news(&l->counts, admin_counts(a));

    if (other_counts || l->n_changed)
        put(to, "phones", phones_message(a, l, false));
    if (l->events)
        put(to, "events",
            json_pack("{s:O, s:I}", "items", l->events, "skipped", (json_int_t)l->n_skipped));
    if (is_news(&l->services, admin_services(a, true)))
        put(to, "services", web_list(json_deep_copy(l->services)));
    if (l->turns % FINDING_TURNS == 0 && is_news(&l->findings, admin_causes(a)))
        put(to, "findings", json_pack("{s:O}", "items", l->findings));
    if (l->version != directory_version(a->thread->directory))
        put(to, "directory",
            json_pack("{s:I}", "version", (json_int_t)directory_version(a->thread->directory)));
    l->version = directory_version(a->thread->directory);
    for (int i = 0; i < N_LANGUAGES && l->turns % BEAT_TURNS == 0; i++)
        if (!to->text[i].len)
            grow_string(&to->text[i], ": still here\n\n");
}

/* For who has just come or was away. */
static void put_whole(struct admin *a, struct live *l, struct telling *to)
{
    put(to, "phones", phones_message(a, l, true));
    put(to, "services", web_list(json_deep_copy(l->services)));
    put(to, "findings", json_pack("{s:O}", "items", l->findings));
    put(to, "directory", json_pack("{s:I}", "version", (json_int_t)l->version));
}

static void send_to(struct web *w, struct watcher *s, const struct telling *news,
                    const struct telling *whole)
{
    const struct grow *text = &(s->behind ? whole : news)->text[s->language];

    if (front_unread(w->front, s->id) + text->len > MAX_UNREAD)
        s->behind = true;
    else if (text->len && front_stream(w->front, s->id, text->at, text->len) == 0)
        s->behind = false;
}

static void telling_done(struct telling *t)
{
    for (int i = 0; i < N_LANGUAGES; i++)
        grow_done(&t->text[i]);
}

static void tell(struct web *w)
{
    struct live *l = w->live;
    struct telling news = {0}, whole = {0};
    bool any_behind = false;

    for (size_t i = 0; i < MAX_STREAMS; i++) {
        const struct watcher *s = &l->rows[i];

        if (!s->id || !s->of_all)
            continue;
        news.wanted[s->language] = true;
        whole.wanted[s->language] = whole.wanted[s->language] || s->behind;
        any_behind = any_behind || s->behind;
    }
    l->turns = l->findings ? l->turns + 1 : 0;
    put_news(w->admin, l, &news);
    if (any_behind)
        put_whole(w->admin, l, &whole);
    for (size_t i = 0; i < MAX_STREAMS; i++)
        if (l->rows[i].id && l->rows[i].of_all)
            send_to(w, &l->rows[i], &news, &whole);
    telling_done(&news);
    telling_done(&whole);
}

void web_tick(struct web *w)
{
    struct live *l = w ? w->live : NULL;

    if (w) {
        front_end_slow(w->front);
        web_certificate_tick(w);
    }
    if (!l || !l->n)
        return;
    end_those_logged_out(w);
    if (l->n_of_all && w->admin->thread->directory)
        tell(w);
    l->n_changed = l->n_more = l->n_skipped = 0;
    json_decref(l->events);
    l->events = NULL;
}
