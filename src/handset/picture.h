/* picture.h - the phone drawn with ncurses: display, keys with lamps, keypad, what happened last.
 *
 * Lower-case letters are the keys beside the display, digits the keypad, F1 to F5 the softkeys; the
 * rest is written in the picture. It draws what fits: below the smallest size only the display. */
#pragma once

#include "handset/handset.h"

struct picture {
    unsigned beat; /* lamps that blink go by it */
    bool ascii, color, many_colors;
    char words[80]; /* why the last key did nothing */
    unsigned words_beat;
};

struct picture_key {
    enum handset_key key;
    unsigned n;
    bool quit;
};

int picture_open(void); /* -ENOTTY */
void picture_close(void);
void picture_init(struct picture *p, const struct handset *h);
void picture_resize(void);
bool picture_is_gone(void); /* end of input: the terminal was closed */
void picture_draw(struct picture *p, const struct handset *h);
bool picture_read(struct picture *p, const struct handset *h,
                  struct picture_key *ret);   /* false: no more keys */
void picture_say(struct picture *p, int err); /* result of the last key */
