/* register.c - what SCCP and SIP have in common: sessions begin and end, phones move, and
 * say why they left. */
#include "doctor/timeline/own.h"

#include <stdio.h>

#define RING(array) (sizeof(array) / sizeof(*(array)))

/* Where it is registered now, and how long it was registered there before. */
static void note_move(struct story *s, const struct endpoint *server, struct moment m)
{
    int64_t stay = moments_between(s->at_since, m);

    if (moment_is(s->at_since) && endpoint_equal(&s->at[0], server))
        s->again_ns[s->n_again++ % RING(s->again_ns)] = stay;
    else if (moment_is(s->at_since)) {
        s->n_returns += s->at[1].ip.family && endpoint_equal(&s->at[1], server);
        s->stay_ns[s->n_moves % RING(s->stay_ns)] = stay;
        s->moved[s->n_moves++ % RING(s->moved)] = m;
        s->at[1] = s->at[0];
    }
    s->at[0] = *server;
    s->at_since = m;
}

void open_session(struct story *story, struct session *e, struct moment m)
{
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < story->n_sessions; i++) {
        struct session *other = &story->sessions[i];

        if (other != e && other->end == SESSION_STANDS && !other->standby) {
            other->end = SESSION_REPLACED;
            other->ended = m;
        }
    }
    e->accepted = m;
    e->standby = false;
    spell_add(&story->accepted, m);
    note_move(story, &e->server, m);
    story_tell(story, EVENT_REGISTERED, m, "%s", endpoint_print(&e->server, to));
}

void close_session(struct story *story, uint32_t flow, enum session_end end, struct moment m)
{
    for (unsigned i = story->n_sessions; i-- > 0;) {
        struct session *e = &story->sessions[i];

        if (e->flow != flow || e->end != SESSION_STANDS)
            continue;
        e->end = (uint8_t)end;
        e->ended = m;
    }
}

/* Words that old loads put behind "Last=", for the numbers of newer ones. */
static const struct {
    const char *words;
    uint16_t code;
} reasons[] = {
    {"Initialized", 25},   {"CM-aborted-TCP", 13}, {"cm-aborted-tcp", 13},
    {"CM-closed-TCP", 14}, {"CM-reset-TCP", 12},   {"TCP-timeout", 10},
    {"tcp_timeout", 10},   {"KeepaliveTO", 15},    {"Keepalive", 15},
    {"Phone-Keypad", 20},  {"Reset-Reset", 22},    {"Reset-Restart", 23},
    {"Phone-Reg-Rej", 24}, {"PhoneRegRej", 24},    {"RegistrationTimeOut", 17},
    {"Reg-Timeout", 17},   {"Failback", 18},       {"Fallback", 18},
    {"VLAN", 26},          {"lost-ip", 16},        {"version-stamp", 100},
    {"config-retry", 105}, {"apply_config", 104},  {"tls-error", 106},
};

uint16_t alarm_code(struct text words)
{
    static const struct text mark = {"cisco-alarm:", 12}, field = {"ReasonForOutOfService\">", 23};
    const char *at = memmem(words.at, words.len, mark.at, mark.len);
    unsigned code = 0;
    char number[8];

    if (at)
        words = text_skip(words, (size_t)(at - words.at) + mark.len);
    else if ((at = memmem(words.at, words.len, field.at, field.len)))
        words = text_skip(words, (size_t)(at - words.at) + field.len);
    text_copy(number, sizeof(number), words);
    if (sscanf(number, "%3u", &code) == 1 && code < 1000)
        return (uint16_t)code;
    if (!(at = memmem(words.at, words.len, "Last=", 5)))
        return 0;
    words = text_skip(words, (size_t)(at - words.at) + 5);
    for (size_t i = 0; i < RING(reasons); i++)
        if (text_contains_nocase(words, text_of(reasons[i].words)))
            return reasons[i].code;
    return 0;
}

void note_alarm(struct story *story, uint16_t code, struct text words, struct moment m)
{
    struct story_alarm *a = NULL;

    for (unsigned i = 0; i < story->n_alarms && !a; i++)
        if (story->alarms[i].code == code)
            a = &story->alarms[i];
    if (!a && !(a = story_grow((void **)&story->alarms, &story->n_alarms, sizeof(*a), ALARMS_MAX)))
        return;
    a->code = code;
    spell_add(&a->seen, m);
    text_copy(a->text, sizeof(a->text), words);
    if (code)
        story_tell(story, EVENT_ALARM, m, "%u (%.*s)", code, words.len > 60 ? 60 : (int)words.len,
                   words.at);
    else
        story_tell(story, EVENT_ALARM, m, "%.*s", words.len > 66 ? 66 : (int)words.len, words.at);
}

void note_dscp(struct story *story, const struct sight *s)
{
    unsigned c = s->at.capture < 2 ? s->at.capture : 1;

    spell_add(s->at.dscp ? &story->marked[c] : &story->unmarked[c], moment_of(s));
}
