/* menu.h - the Settings menu of the 79xx: network configuration, status, model; locked until `**#`.
 *
 * Pure: keys in, rows out. What was changed is a draft until Save; the phone then restarts. */
#pragma once

#include "core/models.h"
#include "handset/network.h"
#include "wire/phone_config.h"

#define MENU_ROWS  7
#define MENU_WIDTH 40

struct boot;

enum menu_result {
    MENU_STAYS,
    MENU_CLOSED,
    MENU_SAVED, /* `draft` is to be stored; the phone restarts */
    MENU_RESET, /* `**#**`: the phone restarts with what it has */
    MENU_ERASED /* everything as from the factory */
};

enum menu_page { MENU_OFF, MENU_ROOT, MENU_NETWORK, MENU_STATUS, MENU_MODEL, MENU_ERASE };

struct menu {
    const struct model *model;
    enum menu_page page;
    uint8_t cursor, top;
    bool unlocked, editing, changed;
    char typed[20]; /* the address being typed, dots for `*` */
    char last[6];   /* keys pressed last, for **# and **#** */
    struct network draft;
};

/* What the menu shows of the phone around it. */
struct menu_view {
    const struct network *now; /* in use */
    const struct boot *boot;   /* may be NULL */
    const char *load;
    struct mac mac;
    const char (*messages)[96]; /* status messages, the newest first */
    unsigned n_messages;
};

void menu_init(struct menu *m, const struct model *model);
void menu_open(struct menu *m, const struct network *flash);
static inline bool menu_is_open(const struct menu *m)
{
    return m->page != MENU_OFF;
}
/* Keys: digits, `*`, `#`; 'U' up, 'D' down, 'S' select, 'B' back. */
enum menu_result menu_key(struct menu *m, const struct menu_view *v, char key);
/* The labels under the display, n at most; and one of them pressed, from 0 on. */
unsigned menu_softkeys(const struct menu *m, const char *labels[4]);
enum menu_result menu_softkey(struct menu *m, const struct menu_view *v, unsigned n);
/* Title and rows; *cursor is the row to mark, or -1. How many rows. */
unsigned menu_print(const struct menu *m, const struct menu_view *v, char title[MENU_WIDTH + 1],
                    char rows[MENU_ROWS][MENU_WIDTH + 1], int *cursor);
