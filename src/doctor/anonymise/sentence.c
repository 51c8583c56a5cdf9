/* sentence.c - what programs write, disguised word by word; see disguise.h. */
#include <ctype.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "doctor/anonymise/disguise.h"

#define KEY_MAX 24 /* letters of the longest word that is known */

static bool is_in(const char *list, const char *word, size_t n)
{
    char with_blanks[KEY_MAX + 2];

    if (n > KEY_MAX)
        return false;
    with_blanks[0] = ' ';
    for (size_t i = 0; i < n; i++)
        with_blanks[i + 1] = (char)tolower((unsigned char)word[i]);
    with_blanks[n + 1] = ' ';
    return memmem(list, strlen(list), with_blanks, n + 2);
}

static bool is_vocabulary(const char *word, size_t n)
{
    static const char *const words[26] = {
#define WORDS(first, list) [first - 'a'] = list,
#include "doctor/anonymise/vocabulary.def"
#undef WORDS
    };
    const char *list = isalpha((unsigned char)*word) ? words[(*word | 32) - 'a'] : NULL;

    return n == 1 || (list && is_in(list, word, n));
}

/* What numbers behind these say is no secret. */
static bool names_a_number(const char *word, size_t n)
{
    return is_in(
        " port ports code codes cause reason expires interval status type devicetype version cseq "
        "length error seq ack win len s d limit rcvd size timeout count secs seconds year jan "
        "feb mar apr may jun jul aug sep oct nov dec january february march april june july "
        "august september october november december audio video after found alarm ",
        word, n);
}

static bool names_a_secret(const char *word, size_t n)
{
    struct text t = {word, n};
    static const char *const parts[] = {"password", "passwd", "secret", "credential", "community"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (text_contains_nocase(t, text_of(parts[i])))
            return true;
    return is_in(" pin nonce cnonce pwd key ", word, n);
}

/* The letters of one part of a compound: "Station" of "StationInit", "SIP" of "SIPStation". */
static size_t part_of(const char *at, size_t len)
{
    size_t n = 1;

    if (len > 1 && isupper((unsigned char)at[0]) && isupper((unsigned char)at[1])) {
        while (n < len && isupper((unsigned char)at[n]))
            n++;
        return n < len && islower((unsigned char)at[n]) ? n - 1 : n;
    }
    while (n < len && islower((unsigned char)at[n]))
        n++;
    return n;
}

/* Numbers within words: of models and loads ("CP7961G", "SIP41"), and what is shorter. */
static bool digits_stay(const char *word, size_t at, size_t n)
{
    return n <= 3 || (n == 4 && at && isupper((unsigned char)word[at - 1]));
}

static bool is_known(const char *word, size_t len)
{
    size_t n;

    if (len > 6 && len < 16 && text_starts((struct text){word, len}, "P00")) /* a load */
        return true;
    for (size_t i = 0; i < len; i += n) {
        size_t letters = i;

        for (n = 0; i + n < len && isdigit((unsigned char)word[i + n]); n++)
            ;
        if (n && !digits_stay(word, i, n))
            return false;
        if (n)
            continue;
        while (letters < len && isalpha((unsigned char)word[letters]))
            letters++;
        n = is_vocabulary(word + i, letters - i) ? letters - i : part_of(word + i, letters - i);
        if (!letters || letters == i || !is_vocabulary(word + i, n))
            return false;
    }
    return true;
}

static size_t count_digits(const char *at, size_t len)
{
    size_t n = 0;

    while (n < len && isdigit((unsigned char)at[n]))
        n++;
    return n;
}

static bool is_hex(const char *at, size_t n)
{
    while (n && isxdigit((unsigned char)at[n - 1]))
        n--;
    return !n;
}

/* "12:00:01.234", "21/11/2026", "2026-11-21": the bytes of it. */
static size_t moment(const char *at, size_t len)
{
    size_t a = count_digits(at, len), b, c;
    char mark = a && a < len ? at[a] : 0;

    if (!mark || !strchr(":/-", mark) || (a > 2 && (a != 4 || mark == ':')))
        return 0;
    b = count_digits(at + a + 1, len - a - 1);
    if (!b || b > 2 || a + b + 2 > len || at[a + 1 + b] != mark)
        return 0;
    c = count_digits(at + a + b + 2, len - a - b - 2);
    if (!c || (c > 2 && (c != 4 || mark == ':' || a == 4)))
        return 0;
    a += b + c + 2;
    if (mark == ':' && a + 1 < len && (at[a] == '.' || at[a] == ','))
        a += 1 + count_digits(at + a + 1, len - a - 1);
    return a < len && isalnum((unsigned char)at[a]) && at[a] != 'T' && at[a] != 'Z' ? 0 : a;
}

/* "00000010.001 |", "4866 NOT Mar 09": the number of a line. */
static size_t line_number(const char *at, size_t len)
{
    size_t n = count_digits(at, len), part;

    if (!n || n + 3 >= len)
        return 0;
    if (at[n] == '.' && (part = count_digits(at + n + 1, len - n - 1)) && n + 1 + part < len &&
        strchr(" |", at[n + 1 + part]))
        return n + 1 + part;
    return at[n] == ' ' && isupper((unsigned char)at[n + 1]) && isupper((unsigned char)at[n + 2])
               ? n
               : 0;
}

/* "SIP/2.0 404", "HTTP/1.1 404", "0x4fbb150" and moments: they stay. */
static size_t fixed_form(const char *at, size_t len)
{
    static const char cookie[] = "z9hG4bK"; /* RFC 3261 8.1.1.7 */
    struct text t = {at, len};
    size_t n;

    if (text_starts(t, cookie))
        return sizeof(cookie) - 1;
    if (len >= 11 && (text_starts(t, "SIP/2.0 ") || text_starts(t, "HTTP/1.")) &&
        count_digits(at + (*at == 'S' ? 8 : 9), 3) == 3)
        return *at == 'S' ? 11 : 12;
    if (len > 2 && at[0] == '0' && at[1] == 'x') {
        for (n = 2; n < len && isxdigit((unsigned char)at[n]); n++)
            ;
        return n <= 12 ? n : 0;
    }
    return moment(at, len);
}

/* "[144.]", "[144.254.]": a part of an address, as printed captures shorten them. */
static size_t take_partial(char *at, size_t len)
{
    uint8_t four[4] = {0};
    size_t i = 1, n = 0, digits;
    char text[16];

    if (*at != '[')
        return 0;
    for (; n < 4 && (digits = count_digits(at + i, len - i)) && digits <= 3; n++) {
        unsigned v = (unsigned)strtoul(at + i, NULL, 10);

        if (v > 255 || i + digits >= len || at[i + digits] != '.')
            return 0;
        four[n] = (uint8_t)v;
        i += digits + 1;
    }
    if (!n || n > 3 || i >= len || at[i] != ']')
        return 0;
    disguise_ipv4(four);
    snprintf(text, sizeof(text), "%u.%u.%u.", four[0], four[1], four[2]);
    memcpy(at + 1, text, i - 1);
    return i;
}

/* What stands behind "password=", "pin: ": up to a blank or a mark. */
static size_t take_secret(char *at, size_t len)
{
    size_t from = 0, to;

    while (from < len && strchr("=:\"'>[ ", at[from]) && at[from])
        from++;
    for (to = from; to < len && !strchr("\"'<,;]| \t\r", at[to]); to++)
        ;
    if (from)
        disguise_secret(at + from, to - from);
    return from ? to : 0;
}

/* Where it stands, and what it remembers of what came before. */
struct sentence {
    char *at;
    size_t len, i;
    const char *key; /* the word before; NULL: it says nothing */
    size_t key_len;
    bool host; /* what came before may be a host: a port follows */
    bool arp;  /* printed; of Ethernet addresses five digits may be left, which are their maker's */
};

static bool number_stays(const struct sentence *s, size_t n)
{
    bool port = s->i && strchr(":~", s->at[s->i - 1]) && (s->host || s->i == 1) && n <= 5;

    bool named = s->key && names_a_number(s->key, s->key_len) &&
                 (s->key_len > 1 || s->at[s->i - 1] == '=') && /* "S=2000" of printed captures */
                 (n <= 5 || is_in(" seq ack cseq length size limit rcvd ", s->key, s->key_len));

    return n <= 2 || port || (n == 3 && !s->i) || /* "404 Not Found" */
           named;
}

static size_t take_word(struct sentence *s, size_t n)
{
    char *word = s->at + s->i;

    bool number = count_digits(word, n) == n, stays = number && number_stays(s, n);

    if (s->arp && n == 5 && is_hex(word, n))
        return n;
    s->host = s->i && strchr(".@/]", word[-1]);
    if (number) {
        if (!stays)
            disguise_word(word, n);
        s->key = NULL;
    } else if (is_known(word, n)) {
        s->key = word;
        s->key_len = n;
        if (names_a_secret(word, n))
            n += take_secret(word + n, s->len - s->i - n);
    } else {
        disguise_word(word, n);
        s->key = NULL;
    }
    return n;
}

static size_t take_any(struct sentence *s)
{
    char *at = s->at + s->i;
    size_t left = s->len - s->i, n;

    if (!s->i && (n = line_number(at, left)))
        return n;
    if ((!s->i || !isalnum((unsigned char)at[-1])) && left >= 18 &&
        (!memcmp(at, "CTLSEP", 6) || !memcmp(at, "ITLSEP", 6)))
        return 3; /* a trust list of the device that follows */
    if (*at == '%' && left > 2 && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]))
        return 3; /* an escape in a URI (RFC 3986 2.1) */
    if (*at == '\x80' && left > 1)
        return 2; /* the number of a label of SCCP; no letter of UTF-8 begins so */
    if ((!s->i || !isalnum((unsigned char)at[-1])) && (n = fixed_form(at, left)))
        return n;
    if ((n = take_partial(at, left)) || (n = disguise_device(at, left)) ||
        (n = disguise_address(s->at, at, left))) {
        s->host = true;
        s->key = NULL;
        return n;
    }
    n = word_length(at, left);
    return n ? take_word(s, n) : 1;
}

void disguise_sentence(char *at, size_t len)
{
    struct sentence s = {.at = at, .len = len, .arp = memmem(at, len, "ARP: ", 5)};

    while (s.i < len)
        s.i += take_any(&s);
}
