/* activation.c - dial tone, a code, an answer: rows of what follows what. */
#include "station/activation.h"

#include <stdlib.h>

#include "core/counters.h"
#include "station/guesses.h"

#define TYPING_MAX 4096 /* phones off hook at once */
#define CODE_MAX   16
#define LINE       1

enum typing_state { TYPING, ASKING, OVER };

struct typing {
    char code[CODE_MAX + 1];
    uint8_t n, state;
    bool on_speaker;
    uint32_t call;
    uint64_t session, due_ms;
    struct list age; /* in `typings`: all wait equally long, so the first is due first */
};

struct activation {
    struct pool pool;
    struct list typings;
    uint32_t last_call;
};

struct activation *activation_new(void)
{
    struct activation *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    pool_init(&a->pool, sizeof(struct typing), TYPING_MAX);
    list_init(&a->typings);
    return a;
}

void activation_free(struct activation *a)
{
    if (!a)
        return;
    pool_done(&a->pool);
    free(a);
}

static struct activation *of(const struct session *s)
{
    return s->owner->activation;
}

static struct typing *typing_of(const struct session *s)
{
    return s->typing_id ? pool_get(&of(s)->pool, s->typing_id) : NULL;
}

void activation_forget(struct session *s)
{
    struct typing *t = typing_of(s);

    if (t) {
        list_remove(&t->age);
        pool_give(&of(s)->pool, s->typing_id);
    }
    s->typing_id = 0;
}

/* Waits anew for a key, or for the answer. */
static void wait_on(struct session *s, struct typing *t)
{
    t->due_ms =
        s->owner->registry->now.ms + (uint64_t)SETTING_OF(&s->station, activation_pause) * 1000;
    list_remove(&t->age);
    list_append(&of(s)->typings, &t->age);
}

/* --- what the phone is told --- */

static void select_softkeys(struct session *s, uint32_t call, uint32_t set, struct effects *e)
{
    if (s->version)
        SEND(s, e, select_softkeys,
             (&(struct sccp_select_softkeys){call ? LINE : 0, call, set, UINT32_MAX}));
}

static void prompt(struct session *s, const struct typing *t, const char *words, struct effects *e)
{
    struct sccp_display_prompt_status m = {.line = LINE, .call = t->call};
    struct sccp_display_text old = {};

    if (s->version >= 8) {
        SEND(s, e, display_prompt_status_v2,
             (&(struct sccp_display_prompt_status_v2){
                 .line = LINE, .call = t->call, .text = text_of(words)}));
    } else if (!s->version || (s->model && s->model->quirks & MODEL_TEXT_ONLY)) {
        text_copy(old.text, sizeof(old.text), text_of(words));
        SEND(s, e, display_text, &old);
    } else {
        text_copy(m.text, sizeof(m.text), text_of(words));
        SEND(s, e, display_prompt_status, &m);
    }
}

static void tone(struct session *s, const struct typing *t, uint32_t which, struct effects *e)
{
    SEND(s, e, start_tone,
         (&(struct sccp_start_tone){.tone = which, .line = LINE, .call = t->call}));
}

static void silence(struct session *s, const struct typing *t, struct effects *e)
{
    SEND(s, e, stop_tone, (&(struct sccp_stop_tone){.line = LINE, .call = t->call}));
}

static void lamp(struct session *s, uint32_t mode, struct effects *e)
{
    SEND(s, e, set_lamp, (&(struct sccp_set_lamp){SCCP_BUTTON_LINE, LINE, mode}));
}

static void call_state(struct session *s, const struct typing *t, uint32_t state, struct effects *e)
{
    SEND(s, e, call_state,
         (&(struct sccp_call_state){
             .state = state, .line = LINE, .call = t->call, .precedence = 4}));
}

/* Takes the line; the order of messages is that of CallManager 4.1. */
static struct typing *off_hook(struct session *s, bool on_speaker, struct effects *e)
{
    struct activation *a = of(s);
    struct typing *t = pool_take(&a->pool, &s->typing_id);

    if (!t)
        return NULL;
    t->session = s->id;
    t->on_speaker = on_speaker;
    t->call = ++a->last_call;
    list_init(&t->age);
    wait_on(s, t);
    if (on_speaker)
        SEND(s, e, set_speaker_mode, (&(struct sccp_set_speaker_mode){SCCP_ON}));
    lamp(s, SCCP_LAMP_ON, e);
    call_state(s, t, SCCP_STATE_OFF_HOOK, e);
    select_softkeys(s, t->call, SCCP_SET_OFF_HOOK, e);
    prompt(s, t, "Activation code, then #", e);
    SEND(s, e, activate_call_plane, (&(struct sccp_activate_call_plane){LINE}));
    tone(s, t, SCCP_TONE_INSIDE_DIAL, e);
    return t;
}

static void on_hook(struct session *s, struct typing *t, struct effects *e)
{
    silence(s, t, e);
    lamp(s, SCCP_LAMP_OFF, e);
    if (s->version)
        SEND(s, e, clear_prompt_status, (&(struct sccp_clear_prompt_status){LINE, t->call}));
    call_state(s, t, SCCP_STATE_ON_HOOK, e);
    select_softkeys(s, 0, SCCP_SET_ON_HOOK, e);
    if (t->on_speaker)
        SEND(s, e, set_speaker_mode, (&(struct sccp_set_speaker_mode){SCCP_OFF}));
    activation_forget(s);
    session_send_prompt(s, e);
}

/* --- typing --- */

static void refuse(struct session *s, struct typing *t, const char *words, struct effects *e)
{
    t->state = OVER;
    wait_on(s, t);
    silence(s, t, e);
    tone(s, t, SCCP_TONE_REORDER, e);
    prompt(s, t, words, e);
}

static void ask(struct session *s, struct typing *t, struct effects *e)
{
    if (guesses_are_over(&s->station)) {
        count(COUNT_ACTIVATIONS_LIMITED);
        refuse(s, t, "Too many tries, wait", e);
        return;
    }
    guess_ask(&s->station, s->id, t->code, e);
    t->state = ASKING;
    wait_on(s, t);
    silence(s, t, e);
    prompt(s, t, "Looking for your place", e);
}

static void digit(struct session *s, struct typing *t, char c, struct effects *e)
{
    if (t->state != TYPING)
        return;
    wait_on(s, t);
    if (!t->n) {
        silence(s, t, e);
        select_softkeys(s, t->call, SCCP_SET_DIGITS, e);
    }
    if (t->n < CODE_MAX)
        t->code[t->n++] = c;
    else
        refuse(s, t, "Unknown code", e);
}

static void press(struct session *s, uint32_t key, struct effects *e)
{
    struct typing *t = typing_of(s);

    if (!t && !(t = off_hook(s, true, e)))
        return;
    if (key <= SCCP_KEY_9)
        digit(s, t, (char)('0' + key), e);
    else if (key == SCCP_KEY_POUND && t->state == TYPING && t->n)
        ask(s, t, e);
    else if (t->state == TYPING)
        refuse(s, t, "Unknown code", e);
}

static void backspace(struct session *s, struct typing *t, struct effects *e)
{
    if (t->state != TYPING || !t->n)
        return;
    t->code[--t->n] = '\0';
    SEND(s, e, backspace_req, (&(struct sccp_backspace_req){LINE, t->call}));
}

static void softkey(struct session *s, uint32_t which, struct effects *e)
{
    struct typing *t = typing_of(s);

    if (!t && which == SCCP_SOFTKEY_NEW_CALL)
        off_hook(s, true, e);
    else if (t && which == SCCP_SOFTKEY_END_CALL)
        on_hook(s, t, e);
    else if (t && which == SCCP_SOFTKEY_BACKSPACE)
        backspace(s, t, e);
}

/* All of it at once, typed before the handset was lifted. */
static void dial(struct session *s, const char *number, struct effects *e)
{
    for (; *number; number++)
        if (*number >= '0' && *number <= '9')
            press(s, (uint32_t)(*number - '0'), e);
    press(s, SCCP_KEY_POUND, e);
}

void activation_key(struct session *s, const struct sccp_message *m, struct effects *e)
{
    struct typing *t = typing_of(s);

    switch (m->id) {
    case SCCP_OFF_HOOK:
        if (!t)
            off_hook(s, false, e);
        break;
    case SCCP_STIMULUS:
        if (!t && m->stimulus.stimulus == SCCP_BUTTON_LINE)
            off_hook(s, true, e);
        break;
    case SCCP_ON_HOOK:
        if (t)
            on_hook(s, t, e);
        break;
    case SCCP_SOFTKEY_EVENT:
        softkey(s, m->softkey_event.event, e);
        break;
    case SCCP_KEYPAD_BUTTON:
        press(s, m->keypad_button.key, e);
        break;
    case SCCP_ENBLOC_CALL:
        dial(s, m->enbloc_call.number, e);
        break;
    }
}

/* --- the answer --- */

void activation_answer(struct session *s, int err, struct effects *e)
{
    struct typing *t = typing_of(s);
    const char *words = guess_answered(&s->station, err, e);

    if (err && t && t->state == ASKING)
        refuse(s, t, words, e);
    else if (!err && t)
        on_hook(s, t, e); /* a phone with a call would not restart */
}

/* --- time --- */

static struct typing *oldest(const struct activation *a)
{
    return list_is_empty(&a->typings) ? NULL : container_of(a->typings.next, struct typing, age);
}

uint64_t activation_next(const struct activation *a, uint64_t now_ms)
{
    const struct typing *t = oldest(a);

    return !t ? UINT64_MAX : t->due_ms > now_ms ? t->due_ms - now_ms : 0;
}

/* A pause ends the code as # does; after an answer, or without a digit, the phone is hung up. */
void activation_tick(struct stations *o, struct effects *e)
{
    struct typing *t;

    while (effects_have_room(e) && (t = oldest(o->activation)) &&
           t->due_ms <= o->registry->now.ms) {
        struct session *s = pool_get(&o->sessions, t->session);

        if (s->station.state != STATION_REGISTERED)
            activation_forget(s);
        else if (t->state == TYPING && t->n)
            ask(s, t, e);
        else if (t->state == ASKING)
            refuse(s, t, "Error: Database", e);
        else
            on_hook(s, t, e);
    }
}
