/* story.c - the parts of a story that grow, all of them bounded; see story.h. */
#include "doctor/timeline/own.h"

#include <stdarg.h>
#include <stdlib.h>

const struct event_row event_rows[N_EVENT_KINDS] = {
#define EVENT(id, stage, words) {#id, words, STAGE_##stage},
#include "doctor/events.def"
#undef EVENT
};

struct moment moment_of(const struct sight *s)
{
    return (struct moment){s->at.time_ns, s->at.number, s->at.capture, s->at.file, s->at.line};
}

void spell_add(struct spell *spell, struct moment m)
{
    if (!spell->n++)
        spell->first = m;
    spell->last = m;
}

/* Arrays grow by half, so that a phone of which little is seen costs little. */
void *story_grow(void **array, uint8_t *n, size_t size, size_t max)
{
    size_t have = *n, room = 2;
    void *bigger;

    if (have >= max)
        return NULL;
    while (room < have)
        room += (room + 1) / 2;
    if (have == 0 || have == room) {
        room = have ? room + (room + 1) / 2 : 2;
        if (!(bigger = realloc(*array, room * size)))
            return NULL;
        *array = bigger;
    }
    (*n)++;
    return memset((char *)*array + have * size, 0, size);
}

#define EVENTS_ALIKE                                                                               \
    8 /* how far back the same event is looked for: a phone that tries in circles */

static struct event *event_alike(struct story *s, enum event_kind kind, const char *detail)
{
    for (unsigned i = 1; i <= EVENTS_ALIKE && i <= s->n_events; i++) {
        struct event *e = &s->events[s->n_events - i];

        if (e->kind == kind && strcmp(e->detail, detail) == 0)
            return e;
    }
    return NULL;
}

void story_tell(struct story *s, enum event_kind kind, struct moment m, const char *format, ...)
{
    char detail[EVENT_DETAIL];
    struct event *e;
    va_list args;

    va_start(args, format);
    keep_words_of(detail, sizeof(detail), format, args);
    va_end(args);
    if ((e = event_alike(s, kind, detail))) {
        spell_add(&e->seen, m);
        return;
    }
    if (s->n_events == EVENTS_MAX) {
        memmove(s->events + EVENTS_HEAD, s->events + EVENTS_HEAD + 1,
                (EVENTS_MAX - EVENTS_HEAD - 1) * sizeof(*e));
        s->n_events--;
        s->n_events_dropped++;
    }
    if (!(e = story_grow((void **)&s->events, &s->n_events, sizeof(*e), EVENTS_MAX)))
        return;
    e->kind = kind;
    spell_add(&e->seen, m);
    memcpy(e->detail, detail, sizeof(detail));
}

/* In a trace that was read as Latin-1 the 0x80 before a label is U+0080. */
static struct text without_latin(struct text t, char *to, size_t size)
{
    struct writer w = writer_of(to, size);

    for (size_t i = 0; i < t.len; i++)
        if ((uint8_t)t.at[i] != 0xc2 || i + 1 == t.len || (uint8_t)t.at[i + 1] != 0x80)
            write_u8(&w, (uint8_t)t.at[i]);
    return (struct text){to, writer_len(&w)};
}

void refusal_words(char *to, size_t size, struct text said)
{
    char plain[256], shown[256];
    struct writer w = writer_of(shown, sizeof(shown));

    sccp_label_expand(without_latin(said, plain, sizeof(plain)), &w);
    keep_cut(to, size, (struct text){shown, writer_len(&w)});
}

void story_done(struct story *s)
{
    free(s->dns);
    free(s->files);
    free(s->peers);
    free(s->sessions);
    free(s->lines);
    free(s->events);
    free(s->alarms);
    free(s->config);
}

struct session *story_session(struct story *s, uint32_t flow, const struct endpoint *server)
{
    for (unsigned i = s->n_sessions; i-- > 0;) {
        struct session *e = &s->sessions[i];

        if (e->end == SESSION_STANDS && e->flow == flow && endpoint_equal(&e->server, server))
            return e;
    }
    return NULL;
}

struct session *story_session_add(struct story *s, const struct sight *sight,
                                  const struct endpoint *server, bool sip)
{
    struct session *e;

    if (s->n_sessions == SESSIONS_MAX) {
        memmove(s->sessions + SESSIONS_HEAD, s->sessions + SESSIONS_HEAD + 1,
                (SESSIONS_MAX - SESSIONS_HEAD - 1) * sizeof(*e));
        s->n_sessions--;
        s->n_sessions_dropped++;
    }
    if (!(e = story_grow((void **)&s->sessions, &s->n_sessions, sizeof(*e), SESSIONS_MAX)))
        return NULL;
    e->server = *server;
    e->flow = sight->flow;
    e->sip = sip;
    return e;
}

struct peer *story_peer(struct story *s, const struct endpoint *server)
{
    struct peer *p;

    for (unsigned i = 0; i < s->n_peers; i++)
        if (endpoint_equal(&s->peers[i].server, server))
            return &s->peers[i];
    if (!(p = story_grow((void **)&s->peers, &s->n_peers, sizeof(*p), PEERS_MAX))) {
        s->n_peers_dropped++;
        return NULL;
    }
    p->server = *server;
    return p;
}

struct story_file *story_file(struct story *s, struct text name, struct ip server, bool http,
                              bool make)
{
    struct story_file *f;

    if (name.len >= sizeof(f->name))
        name.len = sizeof(f->name) - 1;
    for (unsigned i = 0; i < s->n_files; i++)
        if (text_is(name, s->files[i].name) && s->files[i].http == http &&
            ip_equal(s->files[i].server, server))
            return &s->files[i];
    if (!make)
        return NULL;
    if (!(f = story_grow((void **)&s->files, &s->n_files, sizeof(*f), FILES_MAX))) {
        s->n_files_dropped++;
        return NULL;
    }
    text_copy(f->name, sizeof(f->name), name);
    f->server = server;
    f->http = http;
    return f;
}

/* Elements of `from` behind those of `into`, as far as there is room. */
static void take_over(void **into, uint8_t *n, const void *from, uint8_t n_from, size_t size,
                      size_t max)
{
    for (unsigned i = 0; i < n_from; i++) {
        void *slot = story_grow(into, n, size, max);

        if (slot)
            memcpy(slot, (const char *)from + i * size, size);
    }
}

#define TAKE_OVER(field, max)                                                                      \
    take_over((void **)&into->field, &into->n_##field, from->field, from->n_##field,               \
              sizeof(*into->field), max)

static int by_time(const void *x, const void *y)
{
    const struct event *a = x, *b = y;

    return a->seen.first.ns < b->seen.first.ns ? -1 : a->seen.first.ns > b->seen.first.ns;
}

void story_absorb(struct story *into, struct story *from)
{
    TAKE_OVER(events, EVENTS_MAX);
    if (into->n_events)
        qsort(into->events, into->n_events, sizeof(*into->events), by_time);
    into->born = from->born.ns < into->born.ns ? from->born : into->born;
    TAKE_OVER(files, FILES_MAX);
    TAKE_OVER(peers, PEERS_MAX);
    TAKE_OVER(dns, DNS_ASKED_MAX);
    TAKE_OVER(sessions, SESSIONS_MAX);
    TAKE_OVER(alarms, ALARMS_MAX);
    if (!into->dhcp.discover.n && !into->dhcp.request.n)
        into->dhcp = from->dhcp;
    if (!into->config) {
        into->config = from->config;
        from->config = NULL;
    }
    if (!into->cdp.n)
        into->cdp = from->cdp;
    if (!into->arp_silent) {
        into->arp_silent = from->arp_silent;
        into->arp_for = from->arp_for;
        into->arp_asked = from->arp_asked;
    }
    into->n_captures |= from->n_captures;
    into->told |= from->told;
}
