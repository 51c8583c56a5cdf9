/* sip.c - SIP: REGISTER and its answers, keep-alives to a standby, tokens, and what the
 * server orders. */
#include "doctor/timeline/own.h"

#include <stdio.h>

/* Of a transaction (RFC 3261 17.1.3); who begins anew may begin with the same Call-ID and CSeq. */
static uint64_t key_of(const struct sip_message *m)
{
    const struct sip_row *row = sip_row(m, SIP_VIA);
    struct text rest = row ? row->value : TEXT(""), element;
    struct sip_via via = {0};

    if (!row || !sip_next(m, &row, &rest, &element) || sip_via_parse(element, &via) < 0)
        via.branch = TEXT("");
    return hash_bytes(m->call_id.at, m->call_id.len) ^ (m->cseq * 0x9e3779b97f4a7c15ull) ^
           hash_bytes(via.branch.at, via.branch.len);
}

/* ---- who it is ---- */

/* "SEP…" from Cisco's parameters of the Contact, or out of its instance; empty: it says neither. */
static struct text device_of(const struct sip_address *contact, char to[static 16])
{
    struct text value;
    struct mac mac;

    if (sip_parameter(contact->parameters, "+u.sip!devicename.ccm.cisco.com", &value) &&
        value.len && value.len < 16) {
        text_copy(to, 16, value);
        return text_of(to);
    }
    if (!sip_parameter(contact->parameters, "+sip.instance", &value))
        return TEXT("");
    while (value.len && (value.at[0] == '<' || value.at[0] == '"'))
        value = text_skip(value, 1);
    if (!text_starts_nocase(value, "urn:uuid:00000000-0000-0000-0000-") || value.len < 45 ||
        mac_parse((struct text){value.at + 33, 12}, &mac) < 0)
        return TEXT("");
    memcpy(to, device_name_of_mac(mac).s, 16);
    return text_of(to);
}

static struct text user_of(struct text uri)
{
    struct sip_uri u;

    return sip_uri_parse(uri, &u) == 0 && u.user.len ? u.user : uri;
}

static struct story *registrant(struct timeline *t, const struct sight *s,
                                const struct sip_address *contact, struct text user)
{
    struct story *there = timeline_of_flow(t, s);
    struct ip ip = s->at.from.ip;
    char name[16], identity[48], from[ENDPOINT_TEXT_MAX];
    struct text device = device_of(contact, name);

    if (!there)
        there = timeline_at(t, ip);
    if (device.len)
        return timeline_name(t, there, device, NULL, ip, s);
    /* Plain clients: a phone known otherwise, or whoever sends from this port or connection. */
    if (there && there->name[0] &&
        (strncmp(there->identity, "sip:", 4) != 0 || timeline_of_flow(t, s))) {
        timeline_bind(t, there, ip);
        timeline_phone(t, there);
        return there;
    }
    if (s->flow)
        snprintf(identity, sizeof(identity), "sip:%.*s@%s", (int)(user.len > 16 ? 16 : user.len),
                 user.at, ip_print(ip, from));
    else
        snprintf(identity, sizeof(identity), "sip:%.43s", endpoint_print(&s->at.from, from));
    user.len = user.len > 31 ? 31 : user.len;
    return timeline_name(t, there, user, identity, ip, s);
}

static struct story_line *line_of(struct story *story, struct text user,
                                  const struct endpoint *server)
{
    struct story_line *l;

    if (user.len >= sizeof(l->user))
        user.len = sizeof(l->user) - 1;
    for (unsigned i = 0; i < story->n_lines; i++)
        if (text_is(user, story->lines[i].user) && ip_equal(story->lines[i].server.ip, server->ip))
            return &story->lines[i];
    if (!(l = story_grow((void **)&story->lines, &story->n_lines, sizeof(*l), LINES_MAX)))
        return NULL;
    text_copy(l->user, sizeof(l->user), user);
    l->server = *server;
    return l;
}

/* ---- REGISTER ---- */

struct registering {
    struct sip_address contact;
    struct text user;
    uint32_t expires;
    bool given, keepalive, leaving, authorized;
};

static void read_register(const struct sip_message *m, struct registering *r)
{
    struct text value = sip_value(m, SIP_CONTACT), element = sip_element(&value);

    *r = (struct registering){.expires = 3600};
    sip_address_parse(element, &r->contact);
    r->user = user_of(m->to.uri);
    r->authorized = sip_row(m, SIP_AUTHORIZATION) || sip_row(m, SIP_PROXY_AUTHORIZATION);
    r->given = text_to_u32(sip_value(m, SIP_EXPIRES), 10, &r->expires) == 0;
    if (sip_parameter(r->contact.parameters, "expires", &value) &&
        text_to_u32(value, 10, &r->expires) == 0)
        r->given = true;
    r->keepalive = sip_parameter(r->contact.parameters, "cisco-keep-alive", &value);
    r->leaving = r->given && r->expires == 0 && !r->keepalive;
}

static struct session *session_again(struct story *story, const struct sight *s)
{
    struct session *last = story->n_sessions ? &story->sessions[story->n_sessions - 1] : NULL;

    if (!last || !last->sip || moment_is(last->accepted) || last->standby ||
        !endpoint_equal(&last->server, &s->at.to))
        return NULL;
    last->flow = s->flow;
    last->end = SESSION_STANDS;
    last->reused = true;
    return last;
}

static void note_peer(struct story *story, const struct sight *s, const struct endpoint *server,
                      bool from_phone)
{
    struct peer *p;

    if (!s->flow || !(p = story_peer(story, server)))
        return;
    p->flow = s->flow;
    p->stands = true;
    *(from_phone ? &p->from_phone : &p->from_server) = true;
    *(from_phone ? &p->said : &p->heard) = moment_of(s);
}

#define RETRY_NS                                                                                   \
    250000000LL /* no timer is as short (T1, RFC 3261 17.1.1.1): who tries passwords is */

/* The same request again: over UDP, because no answer came. */
static bool is_repeated(struct story *story, struct dialog_slot *d, uint64_t key,
                        const struct sight *s)
{
    struct session *e = story_session(story, s->flow, &s->at.to);
    struct moment m = moment_of(s);
    bool soon = moments_between(d->asked, m) < RETRY_NS;
    char to[ENDPOINT_TEXT_MAX];

    if (d->key != key || d->story != story->id)
        return false;
    if (d->answered && !soon && ++d->n_again >= 2) /* one may have crossed its answer */
        spell_add(&story->unheard[d->keepalive], m);
    else if (e && d->keepalive && !d->answered)
        keepalive_again(&e->keepalives, m, moments_between(d->asked, m));
    story_tell(story, EVENT_REGISTER, m, "%s once more, by the same request",
               endpoint_print(&s->at.to, to));
    return true;
}

/* What is asked for: to stand by, to leave, or to be registered. */
static void take_register(struct story *story, struct session *e, struct story_line *line,
                          const struct sight *s, const struct registering *r, bool keepalive)
{
    struct moment at = moment_of(s);
    bool retry = line->status == 401 || line->status == 407; /* belongs to the request before */
    char to[ENDPOINT_TEXT_MAX];

    endpoint_print(&s->at.to, to);
    line->status = 0;
    line->authorized = r->authorized;
    spell_add(&line->asked, at);
    line->pending = at;
    if (!r->leaving && !r->keepalive)
        e->asked_s = r->expires;
    if (keepalive) {
        if (r->keepalive && !e->keepalives.sent.n)
            story_tell(story, EVENT_STANDBY, at, "%s", to);
        e->standby |= r->keepalive && !moment_is(e->accepted);
        if (!retry)
            keepalive_sent(&e->keepalives, at);
    } else if (r->leaving) {
        story_tell(story, EVENT_UNREGISTER, at, "%s", to);
        spell_add(&story->unregistered, at);
    } else {
        e->standby = false;
        spell_add(&e->asked, at);
        spell_add(&story->registers, at);
        story_tell(story, EVENT_REGISTER, at, "%s as %s", to, line->user);
    }
}

static void on_register(struct timeline *t, const struct sight *s)
{
    const struct sip_message *m = s->sip;
    uint64_t key = key_of(m);
    struct dialog_slot *d = timeline_dialog(t, key);
    struct flow_slot *slot = timeline_flow(t, s->flow, true);
    struct moment at = moment_of(s);
    struct registering r;
    struct story *story;
    struct story_line *line;
    struct session *e;

    read_register(m, &r);
    if (!(story = registrant(t, s, &r.contact, r.user)))
        return;
    story_touch(story, s);
    see_vlan(story, s);
    note_dscp(story, s);
    if (slot)
        slot->story = story->id;
    note_peer(story, s, &s->at.to, true);
    if (is_repeated(story, d, key, s) || !(line = line_of(story, r.user, &s->at.to)))
        return;
    if (!story->model[0])
        text_copy(story->model, sizeof(story->model), sip_value(m, SIP_USER_AGENT));
    if (sip_row(m, SIP_REASON) && alarm_code(sip_value(m, SIP_REASON)))
        note_alarm(story, alarm_code(sip_value(m, SIP_REASON)), sip_value(m, SIP_REASON), at);
    if (!(e = story_session(story, s->flow, &s->at.to)) && !(e = session_again(story, s)) &&
        !(e = story_session_add(story, s, &s->at.to, true)))
        return;
    if (!e->asked.n)
        e->line = (uint8_t)(line - story->lines);
    service_asked(t, s->at.to.ip, SERVICE_SIP, at);
    *d = (struct dialog_slot){.key = key,
                              .story = story->id,
                              .asked = at,
                              .line = (uint8_t)(line - story->lines),
                              .leaving = r.leaving};
    d->keepalive = r.keepalive || (!r.leaving && moment_is(e->accepted) && e->line == d->line);
    take_register(story, e, line, s, &r, d->keepalive);
}

/* ---- answers ---- */

/* What the answer says of the time; what was asked for when it says nothing. */
static uint32_t granted(const struct sip_message *m, const struct story *story, uint32_t asked)
{
    const struct sip_row *row = sip_row(m, SIP_CONTACT);
    struct text rest = row ? row->value : TEXT(""), element, value;
    uint32_t seconds, header;
    struct sip_address a;
    struct sip_uri u;
    struct ip ip;
    unsigned n = 0;

    if (text_to_u32(sip_value(m, SIP_EXPIRES), 10, &header) < 0)
        header = asked;
    while (row && sip_next(m, &row, &rest, &element)) {
        if (sip_address_parse(element, &a) < 0 || !sip_parameter(a.parameters, "expires", &value))
            continue;
        if (n++ &&
            (sip_uri_parse(a.uri, &u) < 0 || ip_parse(u.host, &ip) < 0 || !ip_equal(ip, story->ip)))
            continue; /* another binding of the same user */
        if (text_to_u32(value, 10, &seconds) == 0)
            header = seconds;
    }
    return header;
}

static void refuse(struct timeline *t, struct story *story, struct story_line *line,
                   struct session *e, const struct sight *s)
{
    const struct sip_message *m = s->sip;
    struct text warning = sip_value(m, SIP_WARNING);
    const char *quote = memchr(warning.at ? warning.at : "", '"', warning.len);
    struct text words = quote ? text_skip(warning, (size_t)(quote - warning.at) + 1) : m->reason;
    char said[REFUSAL_MAX], shown[REFUSAL_SHOWN], by[ENDPOINT_TEXT_MAX];
    size_t n = (size_t)snprintf(said, sizeof(said), "%u ", m->status);

    if (quote)
        words = text_split(&words, '"');
    refusal_words(said + n, sizeof(said) - n, words);
    spell_add(&line->refused, moment_of(s));
    line->registered = false;
    service_refused(t, s->at.from.ip, SERVICE_SIP, moment_of(s));
    spell_add(&story->rejected, moment_of(s));
    keep_cut(shown, sizeof(shown), text_of(said));
    story_tell(story, EVENT_REJECTED, moment_of(s), "%s by %s", shown,
               endpoint_print(&s->at.from, by));
    if (!e)
        return;
    text_copy(e->said, sizeof(e->said), text_of(said));
    e->status = m->status;
    if (!moment_is(e->accepted) || &story->lines[e->line] == line) {
        e->end = SESSION_REJECTED;
        e->ended = moment_of(s);
    }
}

static void challenge(struct story *story, struct story_line *line, struct session *e,
                      const struct sight *s)
{
    enum sip_header_id id = s->sip->status == 401 ? SIP_WWW_AUTHENTICATE : SIP_PROXY_AUTHENTICATE;
    bool stale = text_contains_nocase(sip_value(s->sip, id), TEXT("stale=true"));
    char by[ENDPOINT_TEXT_MAX];

    spell_add(&line->challenged, moment_of(s));
    if (line->authorized && !stale)
        line->challenged_again++;
    if (e)
        spell_add(&e->answered_401, moment_of(s));
    story_tell(story, EVENT_CHALLENGED, moment_of(s), "%s", endpoint_print(&s->at.from, by));
}

static void accept_register(struct timeline *t, struct story *story, struct story_line *line,
                            struct session *e, const struct dialog_slot *d, const struct sight *s)
{
    struct moment m = moment_of(s);
    char by[ENDPOINT_TEXT_MAX];

    service_answered(t, s->at.from.ip, SERVICE_SIP, m);
    line->challenged_again = 0;
    if (d->leaving) {
        line->registered = false;
        if (e && &story->lines[e->line] == line) {
            e->end = SESSION_UNREGISTERED;
            e->ended = m;
        }
        story_tell(story, EVENT_UNREGISTERED, m, "%s", endpoint_print(&s->at.from, by));
        return;
    }
    if (e && d->keepalive)
        keepalive_answered(&e->keepalives, m);
    if (!e || e->standby)
        return;
    line->registered = true;
    line->granted_s = granted(s->sip, story, e->asked_s);
    spell_add(&line->accepted, m);
    if (!moment_is(e->accepted)) {
        e->line = (uint8_t)(line - story->lines); /* the first that is accepted */
        e->said[0] = '\0';
        open_session(story, e, m);
    }
    if (&story->lines[e->line] == line)
        e->interval_s = line->granted_s;
    e->complete = e->accepted;
}

static void on_answer(struct timeline *t, const struct sight *s)
{
    struct dialog_slot *d = timeline_dialog(t, key_of(s->sip));
    struct story *story = d->key == key_of(s->sip) ? pool_get(&t->stories, d->story) : NULL;
    struct session *e;
    struct story_line *line;

    if (!story && (story = timeline_at(t, s->at.to.ip)))
        story->torn_answered = true; /* a request that is not here whole was whole there */
    if (d->key != key_of(s->sip) || !story || s->sip->status < 200 || d->line >= story->n_lines)
        return;
    story_touch(story, s);
    note_peer(story, s, &s->at.from, false);
    if (d->answered)
        return; /* sent once more */
    d->answered = true;
    line = &story->lines[d->line];
    line->status = s->sip->status;
    line->pending = (struct moment){0};
    e = story_session(story, s->flow, &s->at.from);
    if (s->sip->status < 300)
        accept_register(t, story, line, e, d, s);
    else if (s->sip->status == 401 || s->sip->status == 407)
        challenge(story, line, e, s);
    else
        refuse(t, story, line, e, s);
}

/* ---- what else is said ---- */

static void order(struct story *story, uint8_t kind, const char *words, const struct sight *s)
{
    struct moment m = moment_of(s);

    spell_add(&story->ordered, m);
    for (unsigned i = story->n_sessions; i-- > 0;) {
        struct session *e = &story->sessions[i];

        if (e->end != SESSION_STANDS || !ip_equal(e->server.ip, s->at.from.ip))
            continue;
        e->ordered = true;
        e->order = kind;
        e->ordered_at = m;
    }
    story_tell(story, EVENT_ORDERED, m, "%s", words);
}

/* service-control (Cisco), check-sync (everybody else). */
static void on_notify(struct timeline *t, const struct sight *s)
{
    struct text event = sip_value(s->sip, SIP_EVENT), body = s->sip->body;
    struct story *story = timeline_of_flow(t, s);

    if (!story && !(story = timeline_at(t, s->at.to.ip)))
        return;
    if (text_starts_nocase(event, "service-control")) {
        if (text_contains_nocase(body, TEXT("action=reset")))
            order(story, 1, WORDS("reset"), s);
        else if (text_contains_nocase(body, TEXT("action=restart")))
            order(story, 2, WORDS("restart"), s);
        else if (text_contains_nocase(body, TEXT("action=apply-config")))
            order(story, 3, WORDS("apply its configuration"), s);
    } else if (text_starts_nocase(event, "check-sync"))
        order(story, 1, WORDS("check its configuration (check-sync)"), s);
}

void see_torn(struct timeline *t, const struct sight *s)
{
    struct story *story = timeline_at(t, s->at.from.ip);

    if (!story)
        story = timeline_at(t, s->at.to.ip);
    if (!story)
        return;
    spell_add(&story->torn, moment_of(s));
    story->torn_by = s->at.from;
}

void see_sip(struct timeline *t, const struct sight *s)
{
    const struct sip_message *m = s->sip;
    struct story *story;
    char to[ENDPOINT_TEXT_MAX];

    if (m->status && m->method == SIP_REGISTER)
        on_answer(t, s);
    else if (m->status)
        return;
    else if (m->method == SIP_REGISTER)
        on_register(t, s);
    else if (m->method == SIP_NOTIFY)
        on_notify(t, s);
    else if (m->method == SIP_REFER &&
             text_contains_nocase(sip_value(m, SIP_REFER_TO), TEXT("token-registration")) &&
             ((story = timeline_of_flow(t, s)) || (story = timeline_at(t, s->at.from.ip))))
        story_tell(story, EVENT_TOKEN, moment_of(s), "%s", endpoint_print(&s->at.to, to));
}
