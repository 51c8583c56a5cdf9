/* screen.h - what a phone shows: its keys with lamps, prompt, notes, softkeys, clock, ringer and
 * tone.
 *
 * The server commands all of it; the screen keeps what was commanded last. Texts are what the user
 * reads: label codes replaced, UTF-8. A fleet's phones have none. */
#pragma once

#include "handset/softkey_set.h"
#include "core/models.h"
#include "wire/sccp/message.h"

#define SCREEN_KEYS  56
#define SCREEN_TEXT  104
#define SCREEN_CALLS 4

struct screen_key {
    uint8_t feature, instance; /* of the button template */
    uint8_t lamp;              /* SCCP_LAMP_… */
    uint8_t state;             /* of a feature or busy-lamp key */
    bool known;                /* the server told its number and label */
    char number[26], label[48];
};

struct screen_call {
    uint32_t line, call; /* call 0: free */
    uint32_t state;      /* SCCP_STATE_… */
    char other[48];      /* name or number of the other party */
    char prompt[SCREEN_TEXT];
};

struct screen {
    const struct model *model;
    struct screen_key keys[SCREEN_KEYS];
    uint8_t n_keys;
    char status[SCREEN_TEXT]; /* the phone's own words while it boots: "Configuring IP" */
    char prompt[SCREEN_TEXT]; /* idle prompt of the server */
    char notify[SCREEN_TEXT];
    uint64_t prompt_until_ms, notify_until_ms; /* 0: until replaced */
    char text[2][41];                          /* DisplayText rows */
    struct screen_softkey template[32];
    uint8_t n_template, n_sets;
    uint8_t sets[16][SCREEN_SOFTKEYS];               /* 1-based positions in the template */
    struct screen_softkey softkeys[SCREEN_SOFTKEYS]; /* the ones to be pressed now */
    uint8_t n_softkeys, softkey_page;
    struct screen_call calls[SCREEN_CALLS];
    struct sccp_define_time_date clock; /* as told at clock_ms */
    uint64_t clock_ms;                  /* 0: not told */
    char date_template[8];
    uint8_t message_lamp, ringer;
    uint32_t tone;
    bool speaker, off_hook;
    uint32_t n_ignored; /* messages without a place on this display */
};

void screen_init(struct screen *s, const struct model *model);
void screen_clear(struct screen *s); /* registration is gone: keys and texts of the server too */
void screen_status(struct screen *s, const char *words);
/* What SIP phones show of their own: no server tells them. */
void screen_set_clock(struct screen *s, uint64_t wall_s, uint64_t now_ms);
void screen_set_line(struct screen *s, unsigned line, const char *number, const char *label);
void screen_set_softkeys(struct screen *s, const struct screen_softkey *keys, unsigned n);
void screen_set_notice(struct screen *s, struct text words, uint64_t until_ms);
/* True when something that is shown changed. */
bool screen_message(struct screen *s, const struct sccp_message *m, uint64_t now_ms);
bool screen_tick(struct screen *s, uint64_t now_ms); /* texts with a time-out */
uint64_t screen_due(const struct screen *s);

/* The rows of the display, as wide as the model's: `columns` characters each with a NUL at
 * [columns]. Text displays have two; the others as many rows as fit their picture of header, lines,
 * prompt, softkeys. */
const char *screen_prompt(const struct screen *s); /* what stands in the prompt line now */
void screen_time(const struct screen *s, uint64_t now_ms, char *date, size_t date_size, char *time,
                 size_t time_size);
const struct screen_call *screen_active_call(const struct screen *s); /* NULL: idle */
/* Label of a key as printed beside it: its text, the number, or the fixed function. */
const char *screen_key_label(const struct screen_key *k);
