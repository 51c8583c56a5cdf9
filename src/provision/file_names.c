/* file_names.c - names, by pattern. */
#include "provision/file_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

enum middle { NOTHING, MAC, MAC_AND_ANY, NAME, UUID };

/* First fitting row wins. Lower case; `middle` stands between prefix and suffix. */
/* clang-format off: a table */
static const struct pattern {
    const char *prefix;
    enum middle middle;
    const char *suffix;
    enum file_kind kind;
} patterns[] = {
    {"xmldefault.cnf.xml",      NOTHING,     "",         FILE_DEFAULT_XML},
    {"sepdefault.cnf",          NOTHING,     "",         FILE_DEFAULT_BINARY},
    {"seddefault.cnf",          NOTHING,     "",         FILE_DEFAULT_BINARY},
    {"ctlsep",                  MAC,         ".tlv",     FILE_TRUST},
    {"itlsep",                  MAC,         ".tlv",     FILE_TRUST},
    {"ctlfile.tlv",             NOTHING,     "",         FILE_TRUST},
    {"itlfile.tlv",             NOTHING,     "",         FILE_TRUST},
    {"sep",                     MAC,         ".cnf.xml", FILE_PHONE_XML},
    {"sep",                     MAC,         ".cnf",     FILE_PHONE_BINARY},
    {"sip",                     MAC,         ".cnf",     FILE_PHONE_TEXT},
    {"saa",                     MAC,         ".cnf",     FILE_PHONE_OTHER},
    {"gk",                      MAC_AND_ANY, "",         FILE_PHONE_OTHER},
    {"ld",                      MAC_AND_ANY, "",         FILE_PHONE_OTHER},
    {"ata",                     MAC_AND_ANY, "",         FILE_PHONE_OTHER},
    {"sep",                     MAC_AND_ANY, "",         FILE_PHONE_OTHER},
    {"os79xx.txt",              NOTHING,     "",         FILE_LOADER},
    {"ringlist.xml",            NOTHING,     "",         FILE_RING_LIST},
    {"ringlist-wb.xml",         NOTHING,     "",         FILE_RING_LIST_WIDE},
    {"distinctiveringlist.xml", NOTHING,     "",         FILE_RING_LIST_DISTINCTIVE},
    {"ringlist.dat",            NOTHING,     "",         FILE_RING_LIST_DAT},
    {"sk",                      UUID,        ".xml",     FILE_SOFTKEYS},
    {"softkeydefault",          NOTHING,     ".xml",     FILE_SOFTKEYS},
    {"softkeydefault_kpml",     NOTHING,     ".xml",     FILE_SOFTKEYS},
    {"appdialrules.xml",        NOTHING,     "",         FILE_DIAL_RULES},
    {"dr",                      UUID,        ".xml",     FILE_DIAL_TEMPLATE},
    {"dialplan.xml",            NOTHING,     "",         FILE_DIAL_TEMPLATE},
    {"defaultfp.xml",           NOTHING,     "",         FILE_FEATURE_POLICY},
    {"sipdefault.cnf",          NOTHING,     "",         FILE_DEFAULT_TEXT},
    {"syncinfo.xml",            NOTHING,     "",         FILE_SYNC},
    {"configfilecachelist.txt", NOTHING,     "",         FILE_NEVER},
    {"rootca.cer",              NOTHING,     "",         FILE_NEVER},
    {"",                        NAME,        ".cnf.xml", FILE_PHONE_XML},
};
/* clang-format on */

/* Strips what phones put in front; folders by '/'. */
static int normalise(struct text t, struct file_name *n)
{
    size_t len = 0, part = 0; /* part: where the current one begins */

    if (t.len >= 2 && t.at[0] == '.' && (t.at[1] == '/' || t.at[1] == '\\'))
        t = text_skip(t, 2);
    else if (t.len && (t.at[0] == '/' || t.at[0] == '\\'))
        t = text_skip(t, 1);
    if (!t.len || t.len > FILE_NAME_MAX)
        return -EINVAL;
    for (; len < t.len; len++) {
        unsigned char c = (unsigned char)t.at[len];

        if (c == '\\')
            c = '/';
        if (c < ' ' || c == 0x7f || c == '%' || c == ':' || ((c == '/' || c == '.') && len == part))
            return -EINVAL;
        if (c == '/')
            part = len + 1;
        n->given[len] = (char)c;
        n->path[len] = (char)tolower(c);
    }
    n->given[len] = n->path[len] = '\0';
    return part == len ? -EINVAL : 0;
}

static size_t count_hex(struct text t)
{
    size_t n = 0;

    while (n < t.len && isxdigit((unsigned char)t.at[n]))
        n++;
    return n;
}

static struct device_name upper_name(const char *prefix, struct text t)
{
    struct device_name name = {""};
    size_t n = 0;

    for (; *prefix; prefix++)
        name.s[n++] = *prefix;
    for (size_t i = 0; i < t.len && n < sizeof(name.s) - 1; i++)
        name.s[n++] = (char)toupper((unsigned char)t.at[i]);
    return name;
}

static bool is_uuid(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (!isxdigit((unsigned char)t.at[i]) && t.at[i] != '-')
            return false;
    }
    return t.len >= 8;
}

static bool is_device(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (!isalnum((unsigned char)t.at[i]) && !strchr("-_.", t.at[i]))
            return false;
    }
    return t.len && t.len < sizeof(((struct device_name *)0)->s);
}

static bool middle_fits(const struct pattern *p, struct text middle, struct file_name *n)
{
    switch (p->middle) {
    case NOTHING:
        return !middle.len;
    case MAC:
    case MAC_AND_ANY:
        if (count_hex(middle) < 12 || (p->middle == MAC && middle.len != 12))
            return false;
        n->device = upper_name("SEP", (struct text){middle.at, 12});
        return true;
    case NAME:
        if (!is_device(middle))
            return false;
        n->device = upper_name("", middle);
        return true;
    case UUID:
        return is_uuid(middle);
    }
    return false;
}

static bool pattern_fits(const struct pattern *p, struct text name, struct file_name *n)
{
    size_t ends;

    if (*p->prefix && *p->prefix != *name.at)
        return false; /* most rows end here */
    ends = strlen(p->prefix) + strlen(p->suffix);
    if (name.len < ends || !text_starts(name, p->prefix) || !text_ends(name, p->suffix))
        return false;
    return middle_fits(p, (struct text){name.at + strlen(p->prefix), name.len - ends}, n);
}

/* The name without what asks for a signature or encryption. */
static struct text unsigned_name(struct text name)
{
    if (text_ends(name, ".sgn"))
        name.len -= strlen(".sgn");
    if (text_ends(name, ".enc"))
        name.len -= strlen(".enc");
    return name;
}

int file_name_parse(struct text asked, struct file_name *ret)
{
    struct file_name n = {.kind = FILE_PLAIN};
    struct text name, bare;
    int err = normalise(asked, &n);

    if (err)
        return err;
    name = text_of(n.path);
    bare = unsigned_name(name);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (!pattern_fits(&patterns[i], bare, &n))
            continue;
        n.kind = patterns[i].kind;
        n.is_signed = bare.len < name.len;
        n.path[bare.len] = n.given[bare.len] = '\0';
        break;
    }
    *ret = n;
    return 0;
}

static uint64_t mix(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (uint8_t)*s) * 0x100000001b3u; /* FNV-1a */
    return h;
}

char *file_name_of_record(const char *prefix, const char *name, char to[static RECORD_FILE_MAX])
{
    uint64_t a = mix(0xcbf29ce484222325u, name), b = mix(a, name);

    snprintf(to, RECORD_FILE_MAX, "%s%08x-%04x-%04x-%04x-%012llx.xml", prefix, (unsigned)(a >> 32),
             (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xffff, (unsigned)(b >> 48),
             (unsigned long long)(b & 0xffffffffffff));
    return to;
}
