#include "doctor/anonymise/disguise.h"

#include <ctype.h>
#include <stdio.h>

#include "base/map.h"

/* -- addresses ------------------------------------------------------------------------------ */

static uint64_t keyed(char purpose, uint64_t a, uint64_t b)
{
    uint64_t words[3] = {(uint8_t)purpose, a, b};

    return hash_bytes(words, sizeof(words));
}

/* A digit below 16 by a substitution that depends on its place: a shuffle drawn from the key
 * (Fisher and Yates). */
static uint8_t substitute(uint8_t digit, unsigned place)
{
    uint8_t order[16];

    for (uint8_t i = 0; i < 16; i++)
        order[i] = i;
    for (unsigned i = 15; i > 0; i--) {
        unsigned k = (unsigned)(keyed('d', place, i) % (i + 1));
        uint8_t swap = order[i];

        order[i] = order[k];
        order[k] = swap;
    }
    return order[digit];
}

void disguise_mac_bytes(uint8_t *six)
{
    if (six[0] & 1 || (!six[3] && !six[4] && !six[5] && !six[0] && !six[1] && !six[2]))
        return; /* to many, or none */
    for (unsigned i = 3; i < 6; i++)
        six[i] =
            (uint8_t)(substitute(six[i] >> 4, 2 * i) << 4 | substitute(six[i] & 15, 2 * i + 1));
}

static unsigned n_digits(unsigned octet)
{
    return octet < 10 ? 1 : octet < 100 ? 2 : 3;
}

/* Goes down the tree of all octets; at each node the halves may change places when all of the node
 * has as many decimal digits: so common prefixes and lengths both stay. */
static uint8_t disguise_octet(uint8_t octet, uint64_t before)
{
    uint8_t ret = 0;
    unsigned first = 0;

    for (unsigned bit = 128; bit; bit /= 2) {
        bool flip = n_digits(first) == n_digits(first + 2 * bit - 1) &&
                    keyed('o', before, first << 8 | bit) & 1;

        ret |= (octet & bit ? bit : 0) ^ (flip ? bit : 0);
        first |= octet & bit;
    }
    return ret;
}

void disguise_ipv4(uint8_t *four)
{
    uint64_t before = 1;
    unsigned kept = 0;

    if (four[0] == 0 || four[0] == 127 || four[0] >= 224)
        return;
    if (four[0] == 10)
        kept = 1;
    else if ((four[0] == 192 && four[1] == 168) || (four[0] == 169 && four[1] == 254) ||
             (four[0] == 172 && four[1] >> 4 == 1))
        kept = 2;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t octet = four[i];

        if (i >= kept)
            four[i] = disguise_octet(octet, before);
        before = before << 8 | octet;
    }
}

/* A digit after those that `before` stands for. Zeroes that are not written stay, and so do digits
 * that are: the text keeps its length. */
static uint8_t disguise_nibble(uint8_t nibble, bool leads, uint64_t before)
{
    unsigned r = (unsigned)(keyed('6', before, leads) >> 9);

    if (!leads)
        return (uint8_t)(nibble ^ (r & 15));
    return nibble ? (uint8_t)(1 + (nibble - 1 + r) % 15) : 0;
}

void disguise_ipv6(uint8_t *sixteen)
{
    static const uint8_t none[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint64_t before = 1;
    bool leads = true;
    unsigned kept = sixteen[0] == 0xfe ? 4 : sixteen[0] >> 1 == 0xfe >> 1 ? 2 : 1; /* nibbles */

    if (sixteen[0] == 0xff || memcmp(sixteen, none, 15) == 0)
        return;
    if (memcmp(sixteen, mapped, sizeof(mapped)) == 0) {
        disguise_ipv4(sixteen + 12);
        return;
    }
    for (unsigned i = 0; i < 32; i++) {
        unsigned shift = i % 2 ? 0 : 4;
        uint8_t nibble = sixteen[i / 2] >> shift & 15;

        leads = i % 4 ? leads : true;
        if (i >= kept)
            sixteen[i / 2] = (uint8_t)((sixteen[i / 2] & ~(15 << shift)) |
                                       disguise_nibble(nibble, leads, before) << shift);
        before = keyed('p', before, nibble);
        leads &= nibble == 0;
    }
}

/* -- addresses in text ---------------------------------------------------------------------- */

static bool is_hex(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isxdigit((unsigned char)at[i]))
            return false;
    return true;
}

static unsigned hex(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a' + 10);
}

/* Writes the last six of twelve digits anew; `step` is 2 and a separator follows each pair, or 0.
 */
static void disguise_digits(char *at, size_t gap, bool capitals)
{
    const char *digits = capitals ? "0123456789ABCDEF" : "0123456789abcdef";

    if (hex(at[1]) & 1)
        return;
    for (unsigned i = 6; i < 12; i++)
        at[i + i / 2 * gap] = digits[substitute((uint8_t)hex(at[i + i / 2 * gap]), i)];
}

static bool has_capitals(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] >= 'A' && at[i] <= 'F')
            return true;
    for (size_t i = 0; i < n; i++)
        if (at[i] >= 'a' && at[i] <= 'f')
            return false;
    return true;
}

/* Twelve digits together, at the end of a word as in SEP001122334455: the bytes taken, or 0. */
static size_t take_name(char *at, size_t len)
{
    size_t n = 0;

    while (n < len && isxdigit((unsigned char)at[n]))
        n++;
    if (n != 12 || (n < len && isalnum((unsigned char)at[n])))
        return 0;
    disguise_digits(at, 0, has_capitals(at, 12));
    return 12;
}

/* Twelve digits without a name before them may be a number somebody dials; makers' begin with
 * zeroes. */
static bool is_dialled(const char *at, size_t len)
{
    for (size_t i = 0; i < 12; i++)
        if (i >= len || !isdigit((unsigned char)at[i]))
            return false;
    return at[0] != '0' || at[1] != '0';
}

static size_t take_colons(char *at, size_t len)
{
    char separator = len >= 17 ? at[2] : 0;

    if (separator != ':' && separator != '-')
        return 0;
    for (size_t i = 0; i < 17; i++)
        if (i % 3 == 2 ? at[i] != separator : !isxdigit((unsigned char)at[i]))
            return 0;
    if (len > 17 && (isxdigit((unsigned char)at[17]) || at[17] == separator))
        return 0;
    disguise_digits(at, 1, has_capitals(at, 17));
    return 17;
}

/* 0011.2233.4455, as switches write it. */
static size_t take_quads(char *at, size_t len)
{
    char separator = len >= 14 ? at[4] : 0, plain[12];

    if (!separator || !strchr(".-:", separator) || at[9] != separator)
        return 0;
    for (size_t i = 0; i < 3; i++) {
        if (!is_hex(at + 5 * i, 4))
            return 0;
        memcpy(plain + 4 * i, at + 5 * i, 4);
    }
    if (len > 14 && (isalnum((unsigned char)at[14]) || at[14] == separator))
        return 0;
    disguise_digits(plain, 0, has_capitals(plain, 12));
    for (size_t i = 0; i < 3; i++)
        memcpy(at + 5 * i, plain + 4 * i, 4);
    return 14;
}

static size_t take_ipv4(char *at, size_t len)
{
    uint8_t four[4] = {0};
    size_t n = 0, digits[4];
    char text[16];

    for (int i = 0; i < 4; i++) {
        unsigned v = 0;

        for (digits[i] = 0; n < len && isdigit((unsigned char)at[n]) && digits[i] < 4; digits[i]++)
            v = v * 10 + (unsigned)(at[n++] - '0');
        if (!digits[i] || digits[i] != n_digits(v) || v > 255 ||
            (i < 3 && (n >= len || at[n++] != '.')))
            return 0;
        four[i] = (uint8_t)v;
    }
    if (n < len && (isalnum((unsigned char)at[n]) || at[n] == '.'))
        return 0;
    disguise_ipv4(four);
    if (snprintf(text, sizeof(text), "%u.%u.%u.%u", four[0], four[1], four[2], four[3]) == (int)n)
        memcpy(at, text, n);
    return n;
}

struct group {
    uint16_t value;
    size_t place; /* of its digits */
    unsigned digits;
};

/* The groups of an IPv6 address in text (RFC 4291 2.2), those left out by "::" without digits; the
 * bytes they take, or 0. */
static size_t read_groups(const char *at, size_t len, struct group to[8])
{
    struct group found[8];
    unsigned n = 0, gap = 9; /* how many stand before the "::" */
    size_t i = 0;

    while (n < 8) {
        struct group g = {.place = i};

        for (; i < len && g.digits < 4 && isxdigit((unsigned char)at[i]); g.digits++)
            g.value = (uint16_t)(g.value << 4 | hex(at[i++]));
        if (!g.digits)
            break;
        found[n++] = g;
        if (i + 1 < len && at[i] == ':' && at[i + 1] == ':' && gap == 9) {
            gap = n;
            i += 2;
        } else if (i + 1 < len && at[i] == ':' && isxdigit((unsigned char)at[i + 1]) && n < 8) {
            i++;
        } else {
            break;
        }
    }
    if ((gap == 9 && n != 8) || n < 2 ||
        (i < len && (isalnum((unsigned char)at[i]) || at[i] == '.' || at[i] == ':')))
        return 0;
    for (unsigned k = 0; k < n; k++)
        to[k < gap ? k : k + 8 - n] = found[k];
    return i;
}

static size_t take_ipv6(char *at, size_t len)
{
    struct group groups[8] = {{0}};
    size_t n = read_groups(at, len, groups);
    const char *digits = has_capitals(at, n) ? "0123456789ABCDEF" : "0123456789abcdef";
    uint8_t bytes[16];

    if (!n)
        return 0;
    for (unsigned i = 0; i < 8; i++) {
        bytes[2 * i] = (uint8_t)(groups[i].value >> 8);
        bytes[2 * i + 1] = (uint8_t)groups[i].value;
    }
    disguise_ipv6(bytes);
    for (unsigned i = 0; i < 8; i++)
        for (unsigned d = 0; d < groups[i].digits; d++)
            at[groups[i].place + d] =
                digits[(bytes[2 * i] << 8 | bytes[2 * i + 1]) >> 4 * (groups[i].digits - 1 - d) &
                       15];
    return n;
}

size_t disguise_address(char *start, char *at, size_t len)
{
    char before = at > start ? at[-1] : ' ';
    size_t n;

    if (isdigit((unsigned char)*at) && !isalnum((unsigned char)before) && before != '.' &&
        before != '/' && (n = take_ipv4(at, len)))
        return n;
    if (!isxdigit((unsigned char)*at) || isxdigit((unsigned char)before))
        return 0;
    if (!isalnum((unsigned char)before) && before != ':' &&
        ((n = take_colons(at, len)) || (n = take_quads(at, len)) || (n = take_ipv6(at, len))))
        return n;
    return isalnum((unsigned char)before) || !is_dialled(at, len) ? take_name(at, len) : 0;
}

void disguise_addresses(char *at, size_t len)
{
    size_t n;

    for (size_t i = 0; i < len; i += n ? n : 1)
        n = disguise_address(at, at + i, len - i);
}

/* -- words ---------------------------------------------------------------------------------- */

static unsigned long long power_of_ten(size_t n)
{
    unsigned long long p = 1;

    while (n--)
        p *= 10;
    return p;
}

/* A number becomes another of as many digits, and no two the same one: four rounds over its halves
 * (Feistel). */
static void disguise_number(char *at, size_t n)
{
    size_t half[2] = {n / 2, n - n / 2};
    unsigned long long v[2] = {0};

    for (size_t i = 0; i < n; i++)
        v[i >= half[0]] = v[i >= half[0]] * 10 + (unsigned)(at[i] - '0');
    for (unsigned round = 0; round < 4; round++) {
        unsigned to = (round + 1) & 1;
        unsigned long long power = power_of_ten(half[to]);

        v[to] = (v[to] + keyed('n', v[!to], n << 4 | round) % power) % power;
    }
    for (size_t i = n; i-- > 0; v[i >= half[0]] /= 10)
        at[i] = (char)('0' + v[i >= half[0]] % 10);
}

static void disguise_letters(char *at, size_t n, uint64_t hash)
{
    for (size_t i = 0; i < n; i++) {
        unsigned r = (unsigned)(keyed('l', hash, i) >> 8);

        if (isdigit((unsigned char)at[i]))
            at[i] = (char)('0' + r % 10);
        else
            at[i] = (char)((isupper((unsigned char)at[i]) ? 'A' : 'a') + r % 26);
    }
}

/* Words of any writing: bytes above ASCII count as letters, and become ASCII letters. */
static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (c & 0x80);
}

size_t word_length(const char *at, size_t len)
{
    size_t n = 0;

    while (n < len && is_word(at[n]))
        n++;
    return n;
}

void disguise_word(char *at, size_t n)
{
    char lower[64] = "";
    bool number = n <= 30;
    size_t i;

    for (i = 0; i < n && i < sizeof(lower); i++) {
        lower[i] = (char)tolower((unsigned char)at[i]);
        number &= isdigit((unsigned char)at[i]) != 0;
    }
    if (number && n)
        disguise_number(at, n);
    else
        disguise_letters(at, n, hash_bytes(lower, i));
}

size_t disguise_device(char *at, size_t len)
{
    if (len < 15 || memcmp(at, "SEP", 3) != 0 || !is_hex(at + 3, 12))
        return 0;
    len = take_name(at + 3, len - 3);
    return len ? 3 + len : 0;
}

void disguise_words(char *at, size_t len)
{
    size_t n;

    for (size_t i = 0; i < len; i += n ? n : 1) {
        if ((n = disguise_device(at + i, len - i)) || (n = disguise_address(at, at + i, len - i)))
            continue;
        n = word_length(at + i, len - i);
        disguise_word(at + i, n);
    }
}

void disguise_host(char *at, size_t len)
{
    static const char *const kept[] = {"com",  "net",        "org",      "local", "lan",
                                       "arpa", "in-addr",    "_sip",     "_sips", "_tcp",
                                       "_udp", "_cisco-uds", "localhost"};
    struct text rest = {at, len}, label;
    bool keep;

    for (; len && strchr(" \t\"", *at); at++) /* a NUL too */
        len--;
    while (len && strchr(" \t\r\"", at[len - 1]))
        len--;
    rest = (struct text){at, len};
    if (len && take_ipv4(at, len) == len)
        return;
    while (rest.at) {
        label = text_split(&rest, '.');
        keep = text_starts_nocase(label, "CiscoCM") || text_starts_nocase(label, "CiscoCH");
        for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
            keep |= text_equal_nocase(label, text_of(kept[i]));
        if (!keep)
            disguise_words(at + (label.at - at), label.len);
    }
}

void disguise_secret(char *at, size_t len)
{
    uint64_t hash = hash_bytes(at, len);

    for (size_t i = 0; i < len; i++)
        if (isxdigit((unsigned char)at[i]))
            at[i] = "0123456789abcdef"[keyed('s', hash, i) & 15];
        else if (isalnum((unsigned char)at[i]))
            disguise_letters(at + i, 1, hash + i);
}
