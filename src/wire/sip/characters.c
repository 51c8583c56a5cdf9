/* characters.c - the classes of all characters. */
#include "wire/sip/characters.h"

#define ALPHANUMERIC (C_TOKEN | C_USER | C_URI | C_HOST | C_NAME)
#define UNRESERVED   (C_TOKEN | C_USER | C_URI | C_NAME)

const uint8_t sip_characters[256] = {
    ['\t'] = C_BLANK | C_NAME,
    ['\n'] = C_BLANK | C_NAME,
    ['\r'] = C_BLANK | C_NAME,
    [' '] = C_BLANK | C_NAME,
    ['0' ... '9'] = ALPHANUMERIC | C_HEX,
    ['a' ... 'f'] = ALPHANUMERIC | C_HEX,
    ['A' ... 'F'] = ALPHANUMERIC | C_HEX,
    ['g' ... 'z'] = ALPHANUMERIC,
    ['G' ... 'Z'] = ALPHANUMERIC,
    ['-'] = UNRESERVED | C_HOST,
    ['.'] = UNRESERVED | C_HOST,
    ['_'] = UNRESERVED | C_HOST,
    ['!'] = UNRESERVED,
    ['~'] = UNRESERVED,
    ['*'] = UNRESERVED,
    ['\''] = UNRESERVED,
    ['`'] = C_TOKEN | C_NAME,
    ['%'] = C_TOKEN | C_NAME,
    ['('] = C_USER | C_URI | C_NAME,
    [')'] = C_USER | C_URI | C_NAME,
    ['&'] = C_USER | C_URI | C_NAME,
    ['='] = C_USER | C_URI | C_NAME,
    ['+'] = C_TOKEN | C_USER | C_URI | C_NAME,
    ['$'] = C_USER | C_URI | C_NAME,
    ['/'] = C_USER | C_URI | C_NAME,
    ['?'] = C_USER | C_URI | C_NAME,
    [';'] = C_USER | C_URI,
    [','] = C_USER,
    [':'] = C_URI,
    ['['] = C_URI | C_NAME,
    [']'] = C_URI | C_NAME,
    ['#'] = C_USER | C_NAME, /* phones dial it unescaped */
    ['@'] = C_NAME,
    [0x80 ... 0xff] = C_NAME,
};
