/* script.h - keys to press and things to wait for, a line each, for a phone without a terminal.
 *
 *   wait registered [SECONDS]     until the phone is in this state (handset_state), 30 s at most
 *   wait "text" [SECONDS]         until the words stand on the display
 *   sleep SECONDS
 *   keys 12*#                     of the keypad
 *   press line 1 | softkey 2 | settings | hook | speaker | hold | up | down | select | back …
 *   softkey NewCall               by its label
 *   reset | restart | plug | unplug | show | say WORDS | quit
 *
 * `#` as the first character of a line begins a comment. */
#pragma once

#include "handset/handset.h"

struct script;

enum script_kind { SCRIPT_DONE, SCRIPT_SHOW, SCRIPT_SAY, SCRIPT_FAILED, SCRIPT_END };

struct script_step {
    enum script_kind kind;
    char words[200];
};

/* A key by the name that `press` knows it by. */
bool script_key(struct text name, enum handset_key *ret);
struct script *script_load(const char *path); /* "-": standard input; NULL with errno */
void script_free(struct script *s);           /* NULL is fine */
/* Does the next line. False: it waits for something; true: `ret` tells what was done. */
bool script_next(struct script *s, struct handset *h, uint64_t now_ms, struct script_step *ret);
