/* keypad_setup.h - keypad programming of the 12SP+ and 30VIP: status, then address, mask, gateway,
 * DNS, TFTP.
 *
 * `**` shows the status, `#` while it shows opens the programming. In an address `*` stands for the
 * dot and the fourth `*` ends it; `#` keeps the value that is shown; `**` drops every change and
 * resets the phone. Nothing is written before the last question is answered with `1`. All addresses
 * zero gives the phone back to DHCP. */
#pragma once

#include "handset/network.h"

#define KEYPAD_ROWS    2
#define KEYPAD_COLUMNS 20

enum keypad_page {
    KEYPAD_CLOSED,
    KEYPAD_STATUS, /* pages of what is in use; `1` turns the page */
    KEYPAD_ASK,    /* "Press 1 to disable DHCP or # to skip" */
    KEYPAD_ADDRESS,
    KEYPAD_MASK,
    KEYPAD_GATEWAY,
    KEYPAD_DNS,
    KEYPAD_TFTP,
    KEYPAD_MAC, /* shown, cannot be changed */
    KEYPAD_CONFIRM
};

/* What the rules object to; each names the field to correct. */
enum keypad_fault {
    KEYPAD_FINE,
    KEYPAD_BAD_OCTET,       /* above 255 */
    KEYPAD_NO_ADDRESS,      /* address zero while others are not */
    KEYPAD_MASK_ZERO,       /* mask 0.0.0.0 needs gateway 0.0.0.0 */
    KEYPAD_MASK_HOLES,      /* not ones followed by zeroes */
    KEYPAD_GATEWAY_OUTSIDE, /* gateway is not in the subnet of the address */
    KEYPAD_GATEWAY_NEEDED,  /* gateway 0.0.0.0 but TFTP or DNS is outside of the subnet */
    KEYPAD_TFTP_ZERO
};

enum keypad_result {
    KEYPAD_STAYS,
    KEYPAD_LEFT,      /* nothing changed */
    KEYPAD_DROPPED,   /* all changes dropped: the phone resets */
    KEYPAD_PROGRAMMED /* network_settings is to be stored: the phone resets */
};

struct keypad_setup {
    enum keypad_page page;
    enum keypad_fault fault;
    struct network draft;
    struct mac mac;
    uint8_t status_page;
    uint8_t octets[4], n_octets, n_digits; /* the address being typed */
    uint16_t octet;
    char last; /* the key before, to know `**` */
};

/* The first `*` of `**` is swallowed by the caller's idle phone: call it with every key. */
void keypad_setup_init(struct keypad_setup *k);
enum keypad_result keypad_setup_key(struct keypad_setup *k, const struct network *now,
                                    struct mac mac, char key);
/* The two rows of the LCD; empty when closed. */
void keypad_setup_print(const struct keypad_setup *k, char rows[KEYPAD_ROWS][KEYPAD_COLUMNS + 1]);
/* The rules alone: FINE also for all zero, which means DHCP. */
enum keypad_fault keypad_setup_check(const struct network *n);
