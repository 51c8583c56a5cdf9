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

/* "25: Name=SEP001122334455 Load=P0030801SR02 Last=Initialized": the name may be any; the load is
 * none of a person. */
void disguise_alarm(char *at, size_t len)
{
    static const char *const whole[] = {"Name=", "Load=", "load=", "Load ID="};
    size_t from = 0;

    for (size_t i = 0; i < len; i++)
        for (size_t k = 0; k < sizeof(whole) / sizeof(*whole); k++) {
            size_t n = strlen(whole[k]), to = i + n;

            if (i < from || !text_starts((struct text){at + i, len - i}, whole[k]))
                continue;
            disguise_sentence(at + from, i - from);
            while (to < len && at[to] != ' ' && at[to] != '"')
                to++;
            (k ? disguise_addresses : disguise_words)(at + i + n, to - i - n);
            from = to;
        }
    disguise_sentence(at + from, len - from);
}

/* -- values by the name of what they stand in ------------------------------------------------ */

static bool is_number(struct text t)
{
    size_t n = 0;

    while (n < t.len && (isdigit((unsigned char)t.at[n]) || strchr("+-. ", t.at[n])))
        n++;
    return t.len && n == t.len;
}

/* "Sent:REGISTER sip:example.com SIP/2.0  Cseq:103 REGISTER CallId:…": the last a phone heard or
 * said. */
static bool is_event(struct text name)
{
    return text_contains_nocase(name, TEXT("protocolevent"));
}

/* The value of an element, an attribute or a key. */
static void disguise_value(struct text name, char *at, size_t len)
{
    struct text t = text_trim((struct text){at, len});

    if (contains_any(name, "password credential hash secret pin account"))
        disguise_secret(at, len);
    else if (is_one_of(t, "true false yes no on off enabled disabled UNPROVISIONED USECALLMANAGER"))
        return;
    else if (is_event(name) || is_one_of(name, "reason"))
        disguise_sentence(at, len);
    else if (contains_any(name, "processnodename server proxy registrar gateway address"))
        disguise_host(at, len);
    else if (contains_any(name,
                          "featureid loadinfo version reason lasttime lastprotocol image_ langcode "
                          "charset activeinterface timezone priority") ||
             is_one_of(name, "load activeload inactiveload failedload"))
        disguise_addresses(at, len);
    else if (is_number(t) && t.len <= 5 && !contains_any(name, "number telephone support") &&
             contains_any(name, "port timer expires interval timeout count size max "
                                "delay codec tos dscp ttl period volume mode level vlan"))
        disguise_addresses(at, len);
    else if (has_letters(t) || t.len > 2 ||
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
    if (n && (at[0] == '!' || at[0] == '[')) { /* a comment, or letters as they are */
        n = text_starts((struct text){at, len}, "![CDATA[") ? 8 : 1;
        disguise_words(at + n, len - n);
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
    if (n == len || key.len > 40 || memchr(key.at, ' ', key.len)) {
        disguise_words(at, len);
        return;
    }
    disguise_value(key, at + n + 1, len - n - 1);
    if (!memchr(key.at, '_', key.len)) /* as settings of phones have */
        disguise_sentence(at, n);
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

/* A part of a load: as it is written in loads, or beside them. */
static bool is_firmware(struct text name)
{
    static const char *const ends[] = {".loads", ".sbn", ".sgn", ".bin", ".zup", ".zz",
                                       ".sb2",   ".sb3", ".rom", ".fls", ".jar"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (name.len > strlen(ends[i]) &&
            text_equal_nocase(text_skip(name, name.len - strlen(ends[i])), text_of(ends[i])))
            return true;
    return false;
}

/* The name of a device before ".cnf" or ".tlv", without what stands before that. */
static struct text device_of(char *at, size_t len)
{
    static const char *const known[] = {"XMLDefault", "SEPDEFAULT", "SEDDefault", "SIPDefault",
                                        "CTLFile",    "ITLFile",    "SEP"};
    struct text t = {at, len};
    const char *dot = memmem(at, len, ".cnf", 4);
    size_t from = 0;

    dot = dot ? dot : memmem(at, len, ".tlv", 4);
    if (!dot || contains_any(t, "dialplan softkey"))
        return (struct text){0};
    for (const char *c = at; c < dot; c++)
        if (*c == '/' || *c == '\\')
            from = (size_t)(c - at) + 1; /* behind the folder */
    if ((text_starts(text_skip(t, from), "CTL") || text_starts(text_skip(t, from), "ITL")) &&
        !text_starts(text_skip(t, from + 3), "File"))
        from += 3;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (text_starts_nocase(text_skip(t, from), known[i]))
            return (struct text){0};
    return (struct text){at + from, (size_t)(dot - at) - from};
}

void disguise_file_name(char *at, size_t len)
{
    struct text device = device_of(at, len);
    size_t from = device.at ? (size_t)(device.at - at) : len;

    if (is_firmware((struct text){at, len})) {
        disguise_addresses(at, len);
        return;
    }
    disguise_sentence(at, from);
    if (device.at) {
        disguise_words(at + from, device.len);
        disguise_sentence(at + from + device.len, len - from - device.len);
    }
}
