#include "doctor/anonymise/text.h"

#include <ctype.h>

#include "doctor/anonymise/disguise.h"
#include "wire/sip/message.h"

static bool is_one_of(struct text t, const char *list)
{
    struct text rest = text_of(list);

    while (rest.at)
        if (text_equal_nocase(t, text_split(&rest, ' ')))
            return true;
    return false;
}

static bool contains_any(struct text t, const char *list)
{
    struct text rest = text_of(list);

    while (rest.at)
        if (text_contains_nocase(t, text_split(&rest, ' ')))
            return true;
    return false;
}

static bool has_letters(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (isalpha((unsigned char)t.at[i]) || t.at[i] & 0x80)
            return true;
    return false;
}

/* "25: Name=SEP001122334455 Load=P0030801SR02 Last=Initialized": the name may be any. */
void disguise_alarm(char *at, size_t len)
{
    static const char mark[] = "Name=";
    char *name = memmem(at, len, mark, sizeof(mark) - 1);
    size_t from = name ? (size_t)(name - at) + sizeof(mark) - 1 : len, to = from;

    while (to < len && at[to] != ' ')
        to++;
    disguise_addresses(at, from);
    disguise_words(at + from, to - from);
    disguise_addresses(at + to, len - to);
}

/* -- values by the name of what they stand in ------------------------------------------------ */

/* The value of an element, an attribute or a key. */
static void disguise_value(struct text name, char *at, size_t len)
{
    struct text t = text_trim((struct text){at, len});

    if (contains_any(name, "password credential hash secret pin"))
        disguise_secret(at, len);
    else if (is_one_of(t, "true false yes no on off enabled disabled UNPROVISIONED USECALLMANAGER"))
        return;
    else if (contains_any(name, "featureid load version reason protocol lasttime template image_ langcode "
                                "charset locale timezone priority security"))
        disguise_addresses(at, len);
    else if (contains_any(name, "processnodename server proxy registrar gateway address"))
        disguise_host(at, len);
    else if (has_letters(t) ||
             contains_any(name, "name contact label user line number uri mailbox prompt "
                                "title text pin forward display caller called"))
        disguise_words(at, len);
    else
        disguise_addresses(at, len);
}

/* -- documents ------------------------------------------------------------------------------- */

/* Inside a tag: its attributes' values. `key` is the one that names what the element holds. */
static void disguise_attributes(struct text tag, char *at, size_t len, struct text *key)
{
    bool names = is_one_of(tag, "alarm string enum bool int");

    for (size_t i = 0; i < len; i++) {
        size_t from = i, to;
        struct text name;
        char quote;

        while (i < len && at[i] != '=')
            i++;
        while (from < i &&
               (isspace((unsigned char)at[from]) || at[from] == '"' || at[from] == '\''))
            from++;
        name = text_trim((struct text){at + from, i - from});
        if (i + 1 >= len)
            return;
        quote = at[++i];
        if (quote != '"' && quote != '\'')
            continue;
        for (to = ++i; to < len && at[to] != quote; to++)
            ;
        if (names && text_equal_nocase(name, TEXT("name")))
            *key = (struct text){at + i, to - i};
        else if (text_starts_nocase(name, "xmlns") || text_starts_nocase(name, "xsi") ||
                 is_one_of(name,
                           "version encoding priority button index type model count standalone"))
            disguise_addresses(at + i, to - i);
        else
            disguise_words(at + i, to - i);
        i = to;
    }
}

static void disguise_tag(char *at, size_t len, struct text *name, struct text *key)
{
    size_t n = 0;

    while (n < len && !isspace((unsigned char)at[n]) && at[n] != '/' && at[n] != '>')
        n++;
    *name = *key = (struct text){at, n};
    if (n && (at[0] == '!' || at[0] == '[')) {
        disguise_words(at + 1, len - 1); /* a comment */
        return;
    }
    disguise_attributes(*name, at + n, len - n, key);
}

static void disguise_xml(char *at, size_t len)
{
    struct text name = {0}, key = {0};
    size_t from = 0;

    while (from < len) {
        char *open = memchr(at + from, '<', len - from), *end;
        size_t to = open ? (size_t)(open - at) : len;

        disguise_value(key, at + from, to - from);
        if (!open)
            return;
        end = memchr(open, '>', len - to);
        from = end ? (size_t)(end - at) : len;
        disguise_tag(open + 1, from - to - 1, &name, &key);
        from += from < len;
    }
}

/* "line1_name: 7001", "key=value". */
static void disguise_line(char *at, size_t len)
{
    size_t n = 0;
    struct text key;

    while (n < len && at[n] != ':' && at[n] != '=')
        n++;
    key = text_trim((struct text){at, n});
    if (n == len || key.len > 40 || memchr(key.at, ' ', key.len))
        disguise_words(at, len);
    else
        disguise_value(key, at + n + 1, len - n - 1);
}

static void disguise_lines(char *at, size_t len)
{
    struct text rest = {at, len};

    while (rest.at) {
        struct text line = text_split(&rest, '\n');

        disguise_line(at + (line.at - at), line.len);
    }
}

/* Old .cnf files: group, tag, value (phone_config_read_cnf). */
static bool disguise_cnf(uint8_t *at, size_t len)
{
    size_t i = 0;

    if (len < 4 || at[0] != 1 || at[1] != 1)
        return false;
    while (i + 2 <= len) {
        uint8_t group = at[i], tag = at[i + 1];

        i += 2;
        if (group == 1 && tag == 1)
            i++;
        else if (group == 1 && tag == 2 && i + 4 <= len)
            disguise_ipv4(at + i), i += 4;
        else if (group == 1 && tag == 3)
            i += 4;
        else if (group == 1 && tag == 0xff)
            continue;
        else if (group == 4) {
            size_t n = strnlen((char *)at + i, len - i);

            disguise_words((char *)at + i, n);
            i += n + 1;
        } else if (group || tag)
            break;
    }
    if (i < len)
        disguise_runs(at + i, len - i);
    return true;
}

static bool is_binary(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)at[i] < ' ' && !isspace((unsigned char)at[i]))
            return true;
    return false;
}

void disguise_document(char *at, size_t len)
{
    const char *xml = memmem(at, len, "<", 1);
    size_t head = xml ? (size_t)(xml - at) : len;

    if (disguise_cnf((uint8_t *)at, len))
        return;
    /* A signed file is a document between a binary head and a signature. */
    if (is_binary(at, head)) {
        if ((xml = memmem(at, len, "<?xml", 5)) || (xml = memmem(at, len, "<device", 7))) {
            head = (size_t)(xml - at);
            disguise_xml(at + head, len - head);
        } else {
            head = len;
        }
        disguise_runs((uint8_t *)at, head);
        return;
    }
    if (xml)
        disguise_xml(at, len);
    else
        disguise_lines(at, len);
}

void disguise_runs(uint8_t *at, size_t len)
{
    size_t n;

    for (size_t i = 0; i < len; i += n ? n : 1) {
        for (n = 0; i + n < len && at[i + n] >= ' ' && at[i + n] != 127; n++)
            ;
        if (n >= 2)
            disguise_words((char *)at + i, n);
    }
}

/* -- names of files -------------------------------------------------------------------------- */

void disguise_file_name(char *at, size_t len)
{
    static const char *const known[] = {"XMLDefault", "SEPDEFAULT", "SEDDefault", "SIPDefault",
                                        "CTLFile",    "ITLFile",    "SEP"};
    struct text t = {at, len};
    const char *dot;
    size_t from = 0;

    disguise_addresses(at, len);
    if (!contains_any(t, ".cnf .tlv") || contains_any(t, "dialplan softkey"))
        return;
    dot = memmem(at, len, ".cnf", 4);
    dot = dot ? dot : memmem(at, len, ".tlv", 4);
    if (!dot)
        return;
    for (const char *c = at; c < dot; c++)
        if (*c == '/' || *c == '\\')
            from = (size_t)(c - at) + 1; /* behind the folder */
    if (text_starts(text_skip(t, from), "CTL") || text_starts(text_skip(t, from), "ITL"))
        from +=
            text_starts(text_skip(t, from), "CTLFile") || text_starts(text_skip(t, from), "ITLFile")
                ? 0
                : 3;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (text_starts_nocase(text_skip(t, from), known[i]))
            return;
    disguise_words(at + from, (size_t)(dot - at) - from);
}
