/* moves.c - the moves of a registration: questions, acts, and the table; see parts.h.
 *
 * After Cisco's stack as it was published and watched: 32 s of supervision, refresh at the granted
 * time less the delta, keepalives to the standby, fall-back by token. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "handset/sip/parts.h"
#include "wire/sip/values.h"

#define FLAP_MS   5000
#define MOVES_MAX 5 /* 3xx and 423 in a row that are followed */
#define NEVER     UINT64_MAX

/* ---- questions of the table ---- */

static bool is_prime(const struct sip_turn *t)
{
    return sip_is_prime(t->p, t->r);
}

static bool is_too_short(const struct sip_turn *t)
{
    return sip_refresh_s(t) < SIP_MIN_REFRESH_S;
}

static bool may_answer(const struct sip_turn *t)
{
    return t->p->challenge && t->r->challenges < SIP_CHALLENGES;
}

static bool may_move(const struct sip_turn *t)
{
    return is_prime(t) && t->p->moves < MOVES_MAX;
}

static bool is_active(const struct sip_turn *t)
{
    return is_prime(t) && t->r == sip_active(t->p);
}

static bool is_first_reject(const struct sip_turn *t)
{
    return is_prime(t) && !t->p->failures;
}

/* A server of higher priority than the one the phone is registered with. */
static bool is_better(const struct sip_turn *t)
{
    return t->p->state == PHONE_REGISTERED && t->r - t->p->prime < t->p->active;
}

static bool was_silent(const struct sip_turn *t)
{
    return is_better(t) && t->r->silent;
}

static bool is_better_standby(const struct sip_turn *t)
{
    return t->p->standby == NO_SERVER || t->r - t->p->prime < t->p->standby;
}

static bool is_stable(const struct sip_turn *t)
{
    return t->r->stable <= 1;
}

/* ---- acts of the table ---- */

static void ask_first(struct sip_turn *t)
{
    t->r->expires_s = t->p->setup->register_s;
    t->r->challenges = 0;
    sip_ask(t, FORM_FIRST, true);
    if (!is_active(t))
        return;
    t->p->state = t->r->pending ? PHONE_CONNECTING : PHONE_REGISTERING;
    phone_display(t->p->screen, t->fx, "Registering");
}

static void ask_as_before(struct sip_turn *t)
{
    if (is_active(t))
        t->p->state = PHONE_REGISTERING;
    sip_ask(t, FORM_FIRST, false);
}

static void ask_longer(struct sip_turn *t)
{
    uint32_t least = 0;

    t->p->moves++;
    sip_answer_number(t->m, SIP_MIN_EXPIRES, &least);
    t->r->expires_s = least > t->r->expires_s && least <= UINT16_MAX ? (uint16_t)least : 3600;
    sip_ask(t, FORM_FIRST, true);
}

static void send_now(struct sip_turn *t)
{
    if (t->r->pending)
        sip_send(t->p, t->r, t->now_ms, t->fx);
}

static void answer_challenge(struct sip_turn *t)
{
    t->r->challenges++;
    sip_ask_again(t);
}

/* The server is replaced by the one that was named; only addresses are followed. */
static void go_there(struct sip_turn *t)
{
    struct sip_address a;
    struct sip_uri uri;
    struct endpoint *server = &t->p->servers[t->r->link];
    struct ip ip;

    if (sip_address_parse(sip_value(t->m, SIP_CONTACT), &a) < 0 || sip_uri_parse(a.uri, &uri) < 0 ||
        ip_parse(uri.host, &ip) < 0) {
        sip_lose_active(t->p, PHONE_REASON_REJECTED, t->now_ms, t->fx);
        return;
    }
    t->p->moves++;
    *server = (struct endpoint){ip, uri.port ? uri.port : 5060};
    free(t->p->setup->names[t->r->link]);
    t->p->setup->names[t->r->link] = NULL;
    sip_link_close(t->p, t->r->link, t->fx);
    sip_event(t->p, t->r, REG_WANTED, t->now_ms, t->fx);
}

static void set_clock(struct sip_turn *t)
{
    uint64_t wall_s;

    if (!sip_read_date(sip_value(t->m, SIP_DATE), &wall_s))
        return;
    t->p->clock_us = (int64_t)(wall_s * 1000000) - (int64_t)(t->now_ms * 1000);
    if (t->p->screen)
        screen_set_clock(t->p->screen, wall_s, t->now_ms);
}

static void show_lines(struct sip_phone *p)
{
    for (unsigned i = 0; p->screen && i < p->setup->n_lines; i++)
        screen_set_line(p->screen, i + 1, p->setup->lines[i].name, p->setup->lines[i].label);
}

/* The phone is in service: the rest of its lines, the standby. */
static void in_service(struct sip_turn *t)
{
    struct sip_phone *p = t->p;
    bool all = p->kind->sip->bulk && t->m->body.len;

    p->state = PHONE_REGISTERED;
    p->failures = p->moves = 0;
    p->due_ms = sip_is_faulty(p, FAULT_FLAP) ? t->now_ms + FLAP_MS : NEVER;
    show_lines(p);
    phone_display(p->screen, t->fx, "");
    phone_tell(t->fx, PHONE_EVENT_REGISTERED);
    sip_ask_standby(p, t->now_ms, t->fx);
    p->lines_due_ms = p->setup->n_lines < 2 || all       ? NEVER
                      : p->was_away && sip_is_managed(p) ? t->now_ms + SIP_VERSION_WAIT_MS
                                                         : t->now_ms;
    p->was_away = false;
    if (p->lines_due_ms <= t->now_ms)
        sip_register_lines(p, t->now_ms, t->fx);
}

static void take_registration(struct sip_turn *t)
{
    struct sip_registration *r = t->r;
    bool first = r->form == FORM_FIRST;
    struct effect *e;

    r->due_ms = t->now_ms + sip_refresh_s(t) * 1000ull;
    r->challenges = 0;
    if (sip_is_faulty(t->p, FAULT_LOST_KEEPALIVES))
        r->due_ms = NEVER;
    if (!is_active(t))
        return;
    set_clock(t);
    if (first) {
        in_service(t);
        return;
    }
    e = effects_add(t->fx, EFFECT_STATE);
    e->number = PHONE_EVENT_KEEPALIVE;
    e->link = r->link;
    e->to.port = (uint16_t)(t->now_ms - r->sent_ms);
    if (sip_is_new_binding(t->m) &&
        !t->p->kind->sip->bulk) /* the server has forgotten everything */
        sip_register_lines(t->p, t->now_ms, t->fx);
}

static void refresh(struct sip_turn *t)
{
    bool forgets = sip_is_faulty(t->p, FAULT_NEW_CALL_ID);

    sip_ask(t, FORM_REFRESH, forgets);
}

/* Less than 20 s is taken for an error: it unregisters, and is silent for its own hour. */
static void refuse_grant(struct sip_turn *t)
{
    char words[48];

    sip_ask(t, FORM_LEAVE, false);
    t->r->due_ms = t->now_ms + (t->p->setup->register_s - t->p->setup->delta_s) * 1000ull;
    if (!is_active(t))
        return;
    t->p->state = PHONE_REJECTED;
    snprintf(words, sizeof(words), "Expires: %u is too short", sip_granted_s(t));
    phone_tell_text(t->fx, PHONE_EVENT_REJECTED, words);
}

static void wait_as_told(struct sip_turn *t)
{
    uint32_t wait_s = 0;
    char words[96];

    sip_answer_number(t->m, SIP_RETRY_AFTER, &wait_s);
    t->r->due_ms = t->now_ms + wait_s * 1000ull;
    if (!is_active(t))
        return;
    sip_refusal_words(t->m, words, sizeof(words));
    if (t->p->state == PHONE_REGISTERED)
        phone_tell_lost(t->fx, PHONE_REASON_REJECTED);
    t->p->state = PHONE_REJECTED;
    phone_tell_text(t->fx, PHONE_EVENT_REJECTED, words);
}

static void tell_rejected(struct sip_turn *t)
{
    struct sip_phone *p = t->p;
    char words[96], shown[128];

    sip_refusal_words(t->m, words, sizeof(words));
    snprintf(shown, sizeof(shown), "Registration Rejected: %s", words);
    p->reason = PHONE_REASON_REJECTED;
    if (p->state == PHONE_REGISTERED)
        phone_tell_lost(t->fx, PHONE_REASON_REJECTED);
    p->state = PHONE_REJECTED;
    if (p->screen)
        screen_clear(p->screen);
    phone_display(p->screen, t->fx, shown);
    phone_tell_text(t->fx, PHONE_EVENT_REJECTED, words);
}

/* The first time everything is closed and begun again in 100 ms. */
static void rejected_first(struct sip_turn *t)
{
    tell_rejected(t);
    sip_give_up(t->p, PHONE_REJECTED, t->now_ms, t->fx);
}

/* Later the supervision runs on, and then it is the next server's turn. */
static void rejected_again(struct sip_turn *t)
{
    if (is_active(t)) {
        tell_rejected(t);
        t->r->give_up_ms = t->r->sent_ms + SIP_SUPERVISION_MS;
    } else {
        t->r->due_ms = t->now_ms + 120000 + sip_random(t->p) % 60000;
    }
}

static void keep_supervision(struct sip_turn *t)
{
    t->r->give_up_ms = t->r->sent_ms + SIP_SUPERVISION_MS;
}

static enum phone_reason reason_of(const struct sip_turn *t)
{
    if (t->event == REG_BROKEN)
        return phone_reason_of(t->err);
    if (t->event == REG_FAILED || t->p->state == PHONE_REJECTED)
        return PHONE_REASON_REJECTED;
    return t->r->form == FORM_REFRESH ? PHONE_REASON_TCP_TIMEOUT
                                      : PHONE_REASON_REGISTRATION_TIMEOUT;
}

static void lost(struct sip_turn *t)
{
    t->r->silent = t->event == REG_SILENCE || t->err == -ETIMEDOUT;
    if (is_active(t))
        sip_lose_active(t->p, reason_of(t), t->now_ms, t->fx);
    else if (!is_prime(t))
        t->r->due_ms = t->now_ms + 120000 + sip_random(t->p) % 60000;
}

static void unregister(struct sip_turn *t)
{
    sip_ask(t, FORM_LEAVE, false);
}

static void gone(struct sip_turn *t)
{
    if (is_active(t) && t->p->state == PHONE_LEAVING)
        sip_goodbye_over(t->p, t->now_ms, t->fx);
}

static void rearm(struct sip_turn *t)
{
    uint32_t poll_s = t->p->setup->keepalive_s;

    if (t->r->state != REG_STANDBY && poll_s > SIP_FALLBACK_POLL_S)
        poll_s = SIP_FALLBACK_POLL_S;
    t->r->due_ms = t->now_ms + poll_s * 1000ull;
}

static void keepalive(struct sip_turn *t)
{
    sip_ask(t, FORM_KEEPALIVE, t->r->form != FORM_KEEPALIVE);
}

static void standby_answered(struct sip_turn *t)
{
    if (t->r->stable != 1) {
        t->r->stable = 1; /* told once of each standby */
        phone_tell(t->fx, PHONE_EVENT_STANDBY);
    }
    rearm(t);
}

static void unreachable(struct sip_turn *t)
{
    sip_link_close(t->p, t->r->link, t->fx);
    rearm(t);
}

static void standby_lost(struct sip_turn *t)
{
    t->r->silent = t->event == REG_SILENCE;
    unreachable(t);
    t->p->standby = NO_SERVER;
    sip_choose_standby(t->p, t->fx);
    sip_ask_standby(t->p, t->now_ms, t->fx);
}

static void become_standby(struct sip_turn *t)
{
    sip_make_standby(t->p, (unsigned)(t->r - t->p->prime), t->fx);
    standby_answered(t);
}

static void begin_watching(struct sip_turn *t)
{
    uint32_t n = t->p->setup->monitor_s / t->p->setup->keepalive_s;

    t->r->stable = (uint8_t)(n < 255 ? n : 255);
    rearm(t);
}

static void count_down(struct sip_turn *t)
{
    t->r->stable--;
    rearm(t);
}

static void ask_token(struct sip_turn *t)
{
    if (t->p->standby == t->r - t->p->prime) /* it is wanted for more than that */
        t->p->standby = NO_SERVER;
    sip_ask(t, FORM_TOKEN, true);
}

static void wait_for_token(struct sip_turn *t)
{
    uint32_t wait_s;

    if (sip_answer_number(t->m, SIP_RETRY_AFTER, &wait_s))
        t->r->due_ms = t->now_ms + wait_s * 1000ull;
    else
        rearm(t);
}

static void use_token(struct sip_turn *t)
{
    t->p->come_back = (uint8_t)(t->r - t->p->prime);
    t->p->reason = PHONE_REASON_FALLBACK;
    t->r->due_ms = NEVER;
    sip_say_goodbye(t->p, t->now_ms, t->fx);
}

/* ---- the table ---- */

struct move {
    enum sip_state in;
    enum sip_event on;
    const char *when_name;
    bool (*when)(const struct sip_turn *t);
    const char *act_name;
    void (*act)(struct sip_turn *t);
    enum sip_state to;
};

#define ALWAYS  "", NULL
#define IF(f)   #f, f
#define DO(f)   #f, f
#define NOTHING "", NULL

/* First fitting row wins; what has no row changes nothing. */
/* clang-format off */
static const struct move moves[] = {
    {REG_IDLE,          REG_WANTED,    ALWAYS,               DO(ask_first),         REG_REGISTERING},
    {REG_IDLE,          REG_DUE,       ALWAYS,               DO(ask_as_before),     REG_REGISTERING},
    {REG_IDLE,          REG_SILENCE,   ALWAYS,               DO(lost),              REG_IDLE},

    {REG_REGISTERING,   REG_OPENED,    ALWAYS,               DO(send_now),          REG_REGISTERING},
    {REG_REGISTERING,   REG_TRYING,    ALWAYS,               NOTHING,               REG_REGISTERING},
    {REG_REGISTERING,   REG_PROGRESS,  ALWAYS,               DO(keep_supervision),  REG_IDLE},
    {REG_REGISTERING,   REG_OK,        IF(is_too_short),     DO(refuse_grant),      REG_UNREGISTERING},
    {REG_REGISTERING,   REG_OK,        ALWAYS,               DO(take_registration), REG_REGISTERED},
    {REG_REGISTERING,   REG_CHALLENGE, IF(may_answer),       DO(answer_challenge),  REG_REGISTERING},
    {REG_REGISTERING,   REG_BRIEF,     IF(may_move),         DO(ask_longer),        REG_REGISTERING},
    {REG_REGISTERING,   REG_MOVED,     IF(may_move),         DO(go_there),          REG_IDLE},
    {REG_REGISTERING,   REG_LATER,     ALWAYS,               DO(wait_as_told),      REG_IDLE},
    {REG_REGISTERING,   REG_FAILED,    ALWAYS,               DO(lost),              REG_IDLE},
    {REG_REGISTERING,   REG_OTHER,     IF(is_first_reject),  DO(rejected_first),    REG_IDLE},
    {REG_REGISTERING,   REG_OTHER,     ALWAYS,               DO(rejected_again),    REG_IDLE},
    {REG_REGISTERING,   REG_SILENCE,   ALWAYS,               DO(lost),              REG_IDLE},
    {REG_REGISTERING,   REG_BROKEN,    ALWAYS,               DO(lost),              REG_IDLE},
    {REG_REGISTERING,   REG_CANCEL,    ALWAYS,               DO(unregister),        REG_UNREGISTERING},

    {REG_REGISTERED,    REG_DUE,       ALWAYS,               DO(refresh),           REG_REGISTERING},
    {REG_REGISTERED,    REG_WANTED,    ALWAYS,               DO(ask_first),         REG_REGISTERING},
    {REG_REGISTERED,    REG_CANCEL,    ALWAYS,               DO(unregister),        REG_UNREGISTERING},
    {REG_REGISTERED,    REG_BROKEN,    ALWAYS,               DO(lost),              REG_IDLE},

    {REG_UNREGISTERING, REG_OPENED,    ALWAYS,               DO(send_now),          REG_UNREGISTERING},
    {REG_UNREGISTERING, REG_CHALLENGE, IF(may_answer),       DO(answer_challenge),  REG_UNREGISTERING},
    {REG_UNREGISTERING, REG_OK,        ALWAYS,               DO(gone),              REG_IDLE},
    {REG_UNREGISTERING, REG_OTHER,     ALWAYS,               DO(gone),              REG_IDLE},
    {REG_UNREGISTERING, REG_SILENCE,   ALWAYS,               DO(gone),              REG_IDLE},
    {REG_UNREGISTERING, REG_BROKEN,    ALWAYS,               DO(gone),              REG_IDLE},

    {REG_STANDBY,       REG_OPENED,    ALWAYS,               DO(send_now),          REG_STANDBY},
    {REG_STANDBY,       REG_DUE,       ALWAYS,               DO(keepalive),         REG_STANDBY},
    {REG_STANDBY,       REG_OK,        IF(is_better),        DO(ask_token),         REG_TOKEN_WAIT},
    {REG_STANDBY,       REG_OK,        ALWAYS,               DO(standby_answered),  REG_STANDBY},
    {REG_STANDBY,       REG_OTHER,     ALWAYS,               DO(rearm),             REG_STANDBY},
    {REG_STANDBY,       REG_SILENCE,   ALWAYS,               DO(standby_lost),      REG_IN_FALLBACK},
    {REG_STANDBY,       REG_BROKEN,    ALWAYS,               DO(standby_lost),      REG_IN_FALLBACK},

    {REG_IN_FALLBACK,   REG_OPENED,    ALWAYS,               DO(send_now),          REG_IN_FALLBACK},
    {REG_IN_FALLBACK,   REG_DUE,       ALWAYS,               DO(keepalive),         REG_IN_FALLBACK},
    {REG_IN_FALLBACK,   REG_OK,        IF(was_silent),       DO(begin_watching),    REG_STABILITY},
    {REG_IN_FALLBACK,   REG_OK,        IF(is_better),        DO(ask_token),         REG_TOKEN_WAIT},
    {REG_IN_FALLBACK,   REG_OK,        IF(is_better_standby),DO(become_standby),    REG_STANDBY},
    {REG_IN_FALLBACK,   REG_OK,        ALWAYS,               DO(rearm),             REG_IN_FALLBACK},
    {REG_IN_FALLBACK,   REG_OTHER,     ALWAYS,               DO(rearm),             REG_IN_FALLBACK},
    {REG_IN_FALLBACK,   REG_SILENCE,   ALWAYS,               DO(unreachable),       REG_IN_FALLBACK},
    {REG_IN_FALLBACK,   REG_BROKEN,    ALWAYS,               DO(rearm),             REG_IN_FALLBACK},

    {REG_STABILITY,     REG_OPENED,    ALWAYS,               DO(send_now),          REG_STABILITY},
    {REG_STABILITY,     REG_DUE,       ALWAYS,               DO(keepalive),         REG_STABILITY},
    {REG_STABILITY,     REG_OK,        IF(is_stable),        DO(ask_token),         REG_TOKEN_WAIT},
    {REG_STABILITY,     REG_OK,        ALWAYS,               DO(count_down),        REG_STABILITY},
    {REG_STABILITY,     REG_SILENCE,   ALWAYS,               DO(unreachable),       REG_IN_FALLBACK},
    {REG_STABILITY,     REG_BROKEN,    ALWAYS,               DO(rearm),             REG_IN_FALLBACK},
    {REG_STABILITY,     REG_OTHER,     ALWAYS,               DO(rearm),             REG_IN_FALLBACK},

    {REG_TOKEN_WAIT,    REG_OPENED,    ALWAYS,               DO(send_now),          REG_TOKEN_WAIT},
    {REG_TOKEN_WAIT,    REG_DUE,       ALWAYS,               DO(ask_token),         REG_TOKEN_WAIT},
    {REG_TOKEN_WAIT,    REG_OK,        ALWAYS,               DO(use_token),         REG_IDLE},
    {REG_TOKEN_WAIT,    REG_LATER,     ALWAYS,               DO(wait_for_token),    REG_TOKEN_WAIT},
    {REG_TOKEN_WAIT,    REG_OTHER,     ALWAYS,               DO(rearm),             REG_IN_FALLBACK},
    {REG_TOKEN_WAIT,    REG_SILENCE,   ALWAYS,               DO(unreachable),       REG_IN_FALLBACK},
    {REG_TOKEN_WAIT,    REG_BROKEN,    ALWAYS,               DO(rearm),             REG_IN_FALLBACK},
};

static const char *const state_names[N_REG_STATES] = {
    [REG_IDLE] = "idle",         [REG_REGISTERING] = "registering",     [REG_REGISTERED] = "registered",
    [REG_UNREGISTERING] = "unregistering", [REG_STANDBY] = "standby",   [REG_IN_FALLBACK] = "in fall-back",
    [REG_STABILITY] = "stability check",   [REG_TOKEN_WAIT] = "token wait",
};

static const char *const event_names[N_REG_EVENTS] = {
    [REG_WANTED] = "wanted",   [REG_CANCEL] = "cancel", [REG_OPENED] = "opened",       [REG_TRYING] = "100",
    [REG_PROGRESS] = "1xx",    [REG_OK] = "2xx",        [REG_MOVED] = "3xx",           [REG_CHALLENGE] = "401/407",
    [REG_BRIEF] = "423",       [REG_LATER] = "retry-after", [REG_REFUSED] = "4xx",     [REG_FAILED] = "5xx/6xx",
    [REG_OTHER] = "other final",
    [REG_SILENCE] = "silence", [REG_BROKEN] = "broken", [REG_DUE] = "due",
};
/* clang-format on */

void sip_phone_print_moves(struct writer *w)
{
    write_string(w, "| a registration is | and then | if | does | becomes |\n"
                    "| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
        const struct move *m = &moves[i];

        write_format(w, "| %s | %s | %s | %s | %s |\n", state_names[m->in], event_names[m->on],
                     m->when_name, m->act_name, state_names[m->to]);
    }
}

static const struct move *find_move(const struct sip_turn *t, enum sip_event on)
{
    for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++)
        if (moves[i].in == t->r->state && moves[i].on == on && (!moves[i].when || moves[i].when(t)))
            return &moves[i];
    return NULL;
}

void sip_step(struct sip_turn *t)
{
    const struct move *m = find_move(t, t->event);

    if (!m && t->m && t->m->status >= 300)
        m = find_move(t, REG_OTHER);
    if (!m)
        return;
    t->r->state = (uint8_t)m->to;
    if (m->act)
        m->act(t);
}

void sip_event(struct sip_phone *p, struct sip_registration *r, enum sip_event event,
               uint64_t now_ms, struct effects *fx)
{
    struct sip_turn t = {.p = p, .r = r, .event = event, .now_ms = now_ms, .fx = fx};

    sip_step(&t);
}

void sip_registration_reset(struct sip_registration *r)
{
    *r = (struct sip_registration){.line = r->line,
                                   .link = r->link,
                                   .cseq = r->cseq,
                                   .due_ms = NEVER,
                                   .give_up_ms = NEVER,
                                   .resend_ms = NEVER};
}
