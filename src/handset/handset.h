/* handset.h - `dialtone handset`: one phone with its display, keys, settings and flash memory.
 *
 * What a key means is decided here, for the terminal and for scripts alike: the keypad programming
 * and the settings menu come first, then the server is told. */
#pragma once

#include "handset/fleet/fleet.h"
#include "handset/keypad_setup.h"
#include "handset/menu.h"
#include "handset/options.h"
#include "handset/runner.h"
#include "handset/screen.h"

#define HANDSET_MESSAGES 24

enum handset_key {
    HANDSET_DIGIT,   /* n: '0'-'9' '*' '#' */
    HANDSET_LINE,    /* n: 1 and on, key of the button template */
    HANDSET_SOFTKEY, /* n: 1 and on, as shown */
    HANDSET_HOOK,    /* handset lifted or put down */
    HANDSET_SPEAKER,
    HANDSET_MESSAGES_KEY,
    HANDSET_SERVICES,
    HANDSET_DIRECTORIES,
    HANDSET_SETTINGS,
    HANDSET_HOLD,
    HANDSET_TRANSFER,
    HANDSET_CONFERENCE,
    HANDSET_REDIAL,
    HANDSET_UP,
    HANDSET_DOWN,
    HANDSET_SELECT,
    HANDSET_BACK,
    HANDSET_PLUG, /* power: out and in */
    N_HANDSET_KEYS
};

struct handset_message {
    uint64_t at_ms;
    char text[96];
};

struct handset {
    struct phone_options options;
    uv_loop_t loop;
    struct runner_site site;
    struct phone_kind kind;
    struct runner runner;
    struct screen screen;
    struct phone_surroundings around;
    struct network flash;
    struct keypad_setup keypad;
    struct menu menu;
    struct handset_message messages[HANDSET_MESSAGES]; /* a ring; n_messages were ever added */
    unsigned n_messages;
    uint64_t begun_ms, registered_ms; /* registered 0: not */
    enum boot_stage stage;
    bool powered, dirty;
    void (*watch)(struct handset *h, const struct runner_note *note); /* may be NULL */
    void *watcher;
};

/* 0, or -errno after a message on standard error. Power is off. */
int handset_open(struct handset *h, const struct phone_options *options);
void handset_close(struct handset *h); /* the loop is run until everything is closed */
void handset_power(struct handset *h, bool on);
int handset_press(struct handset *h, enum handset_key key,
                  unsigned n); /* -EINVAL: no such key here, -ENOTCONN, -EOPNOTSUPP */
const char *handset_state(const struct handset *h); /* "registered", "vlan" … */

/* The display as rows of `columns` characters: text displays have their own size, the others are
 * drawn. */
#define LCD_ROWS    12
#define LCD_COLUMNS 64
struct lcd {
    unsigned rows, columns;
    bool reverse[LCD_ROWS];                   /* header, cursor */
    char text[LCD_ROWS][LCD_COLUMNS * 4 + 1]; /* UTF-8 */
    char softkeys[5][24];
    unsigned n_softkeys;
};
void handset_lcd(const struct handset *h, struct lcd *ret);
/* The keys beside the display: of the template, or before registration of the factory layout. How many, at most
 * SCREEN_KEYS. */
unsigned handset_keys(const struct handset *h, struct screen_key *to);

int handset_main(int argc, char **argv);
int headless_run(struct handset *h, bool json, uint32_t duration_s); /* exit status */
int terminal_run(struct handset *h);                                 /* exit status */
int remote_run(struct handset *h);                                   /* exit status */
