/* keypad_setup.c - the pages, the keys and the rules of keypad programming; see keypad_setup.h. */
#include "handset/keypad_setup.h"

#include <stdio.h>

/* clang-format off */
static const struct page_row {
    const char *title;
    size_t field; /* offset in struct network, 0: none */
} pages[] = {
    [KEYPAD_ADDRESS] = {"IP address",   offsetof(struct network, address)},
    [KEYPAD_MASK]    = {"Subnet mask",  offsetof(struct network, mask)},
    [KEYPAD_GATEWAY] = {"Gateway",      offsetof(struct network, router)},
    [KEYPAD_DNS]     = {"DNS server",   offsetof(struct network, dns)},
    [KEYPAD_TFTP]    = {"TFTP server",  offsetof(struct network, tftp)},
    [KEYPAD_MAC]     = {"MAC address",  0},
};
/* clang-format on */

/* clang-format off */
static const struct fault_row {
    const char *words;
    enum keypad_page back_to;
} faults[] = {
    [KEYPAD_FINE]            = {"",                     KEYPAD_CONFIRM},
    [KEYPAD_BAD_OCTET]       = {"0 to 255 only",        KEYPAD_ADDRESS},
    [KEYPAD_NO_ADDRESS]      = {"IP address is zero",   KEYPAD_ADDRESS},
    [KEYPAD_MASK_ZERO]       = {"Mask 0: gateway 0",    KEYPAD_MASK},
    [KEYPAD_MASK_HOLES]      = {"Mask is not valid",    KEYPAD_MASK},
    [KEYPAD_GATEWAY_OUTSIDE] = {"Gateway not in net",   KEYPAD_GATEWAY},
    [KEYPAD_GATEWAY_NEEDED]  = {"Gateway is needed",    KEYPAD_GATEWAY},
    [KEYPAD_TFTP_ZERO]       = {"TFTP must be set",     KEYPAD_TFTP},
};
/* clang-format on */

static struct ip *field_of(struct keypad_setup *k)
{
    return (struct ip *)((char *)&k->draft + pages[k->page].field);
}

static bool same_subnet(uint32_t a, uint32_t b, uint32_t mask)
{
    return (a & mask) == (b & mask);
}

enum keypad_fault keypad_setup_check(const struct network *n)
{
    uint32_t address = ip_v4_number(n->address), mask = ip_v4_number(n->mask),
             gateway = ip_v4_number(n->router), dns = ip_v4_number(n->dns),
             tftp = ip_v4_number(n->tftp[0]);

    if (!address && !mask && !gateway && !dns && !tftp)
        return KEYPAD_FINE;
    if (!address)
        return KEYPAD_NO_ADDRESS;
    if (!tftp)
        return KEYPAD_TFTP_ZERO;
    if (!mask && gateway)
        return KEYPAD_MASK_ZERO;
    if (~mask & (~mask + 1))
        return KEYPAD_MASK_HOLES;
    if (gateway && !same_subnet(gateway, address, mask))
        return KEYPAD_GATEWAY_OUTSIDE;
    if (!gateway &&
        (!same_subnet(tftp, address, mask) || (dns && !same_subnet(dns, address, mask))))
        return KEYPAD_GATEWAY_NEEDED;
    return KEYPAD_FINE;
}

void keypad_setup_init(struct keypad_setup *k)
{
    *k = (struct keypad_setup){0};
}

static void turn_to(struct keypad_setup *k, enum keypad_page page)
{
    k->page = page;
    k->n_octets = k->n_digits = 0;
    k->octet = 0;
}

static enum keypad_result leave(struct keypad_setup *k, enum keypad_result result)
{
    char last = k->last;

    keypad_setup_init(k);
    k->last = result == KEYPAD_LEFT ? last : 0;
    return result;
}

static void octet_done(struct keypad_setup *k)
{
    if (!k->n_digits)
        return;
    k->octets[k->n_octets++] = (uint8_t)k->octet;
    k->n_digits = 0;
    k->octet = 0;
    if (k->n_octets < 4)
        return;
    *field_of(k) = ip_v4((uint32_t)k->octets[0] << 24 | (uint32_t)k->octets[1] << 16 |
                         (uint32_t)k->octets[2] << 8 | k->octets[3]);
    turn_to(k, k->page + 1);
}

static void digit(struct keypad_setup *k, unsigned value)
{
    k->fault = KEYPAD_FINE;
    k->octet = (uint16_t)(k->octet * 10 + value);
    k->n_digits++;
    if (k->octet > 255 || k->n_digits > 3) {
        turn_to(k, k->page);
        k->fault = KEYPAD_BAD_OCTET;
    }
}

static void address_key(struct keypad_setup *k, char key)
{
    if (key >= '0' && key <= '9')
        digit(k, (unsigned)(key - '0'));
    else if (key == '*')
        octet_done(k);
    else if (key == '#')
        turn_to(k, k->page + 1); /* what was typed of it is dropped, the value shown stays */
}

/* The last question. What breaks a rule is not written; the phone goes back to the field in
 * question. */
static enum keypad_result confirm_key(struct keypad_setup *k, char key)
{
    if (key == '*')
        return leave(k, KEYPAD_LEFT);
    if (key != '1')
        return KEYPAD_STAYS;
    k->fault = keypad_setup_check(&k->draft);
    if (k->fault) {
        turn_to(k, faults[k->fault].back_to);
        return KEYPAD_STAYS;
    }
    k->draft.dhcp = ip_is_any(k->draft.address);
    k->draft.alternate_tftp = !k->draft.dhcp;
    return KEYPAD_PROGRAMMED;
}

static void status_key(struct keypad_setup *k, const struct network *now, char key)
{
    if (key == '1')
        k->status_page = (k->status_page + 1) % 6;
    if (key != '#')
        return;
    k->draft = *now;
    turn_to(k, KEYPAD_ASK);
}

enum keypad_result keypad_setup_key(struct keypad_setup *k, const struct network *now,
                                    struct mac mac, char key)
{
    bool twice = key == '*' && k->last == '*';

    k->last = twice ? 0 : key;
    k->mac = mac;
    if (k->page == KEYPAD_CLOSED || k->page == KEYPAD_STATUS) {
        if (twice) {
            k->draft = *now;
            k->status_page = 0;
            k->page = k->page == KEYPAD_CLOSED ? KEYPAD_STATUS : KEYPAD_CLOSED;
            return k->page == KEYPAD_CLOSED ? KEYPAD_LEFT : KEYPAD_STAYS;
        }
        if (k->page == KEYPAD_STATUS)
            status_key(k, now, key);
        return KEYPAD_STAYS;
    }
    if (twice)
        return leave(k, KEYPAD_DROPPED);
    if (k->page == KEYPAD_ASK) {
        if (key == '1')
            turn_to(k, KEYPAD_ADDRESS);
        else if (key == '#')
            turn_to(k, KEYPAD_MAC);
        return KEYPAD_STAYS;
    }
    if (k->page == KEYPAD_MAC) {
        if (key == '#')
            turn_to(k, KEYPAD_CONFIRM);
        return KEYPAD_STAYS;
    }
    if (k->page == KEYPAD_CONFIRM)
        return confirm_key(k, key);
    address_key(k, key);
    if (k->page ==
        KEYPAD_MAC) /* after the TFTP server; the MAC address is shown on the way round only */
        turn_to(k, KEYPAD_CONFIRM);
    return KEYPAD_STAYS;
}

static void print_typed(const struct keypad_setup *k, char *row)
{
    char text[32];
    size_t n = 0;

    for (unsigned i = 0; i < k->n_octets; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%u.", k->octets[i]);
    if (k->n_digits)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%u", k->octet);
    snprintf(text + n, sizeof(text) - n, "_");
    snprintf(row, KEYPAD_COLUMNS + 1, "%.20s", text);
}

static void print_status(const struct keypad_setup *k, char rows[KEYPAD_ROWS][KEYPAD_COLUMNS + 1])
{
    static const uint8_t order[] = {KEYPAD_ADDRESS, KEYPAD_MASK, KEYPAD_GATEWAY,
                                    KEYPAD_DNS,     KEYPAD_TFTP, KEYPAD_MAC};
    const struct page_row *p = &pages[order[k->status_page]];
    char text[IP_TEXT_MAX];

    snprintf(rows[0], KEYPAD_COLUMNS + 1, "%.13s%s", p->title,
             k->draft.dhcp && p->field ? " (DHCP)" : "");
    if (p->field)
        snprintf(rows[1], KEYPAD_COLUMNS + 1, "%.20s",
                 ip_print(*(const struct ip *)((const char *)&k->draft + p->field), text));
    else
        snprintf(rows[1], KEYPAD_COLUMNS + 1, "%012llX", (unsigned long long)mac_number(k->mac));
}

static void print_field(const struct keypad_setup *k, char rows[KEYPAD_ROWS][KEYPAD_COLUMNS + 1])
{
    const struct ip *value = (const struct ip *)((const char *)&k->draft + pages[k->page].field);
    char text[IP_TEXT_MAX];

    snprintf(rows[0], KEYPAD_COLUMNS + 1, "%s",
             k->fault ? faults[k->fault].words : pages[k->page].title);
    if (k->n_octets || k->n_digits)
        print_typed(k, rows[1]);
    else
        snprintf(rows[1], KEYPAD_COLUMNS + 1, "%.20s",
                 value->family ? ip_print(*value, text) : "0.0.0.0");
}

void keypad_setup_print(const struct keypad_setup *k, char rows[KEYPAD_ROWS][KEYPAD_COLUMNS + 1])
{
    rows[0][0] = rows[1][0] = 0;
    switch (k->page) {
    case KEYPAD_CLOSED:
        break;
    case KEYPAD_STATUS:
        print_status(k, rows);
        break;
    case KEYPAD_ASK:
        strcpy(rows[0], "Press 1 to disable");
        strcpy(rows[1], "DHCP or # to skip");
        break;
    case KEYPAD_MAC:
        snprintf(rows[0], KEYPAD_COLUMNS + 1, "%s", pages[KEYPAD_MAC].title);
        snprintf(rows[1], KEYPAD_COLUMNS + 1, "%012llX", (unsigned long long)mac_number(k->mac));
        break;
    case KEYPAD_CONFIRM:
        strcpy(rows[0], "Press * to exit, or");
        strcpy(rows[1], "1 to disable DHCP");
        break;
    default:
        print_field(k, rows);
    }
}
