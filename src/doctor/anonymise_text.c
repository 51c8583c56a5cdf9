#include "doctor/anonymise_text.h"

#include <ctype.h>

#include "doctor/disguise.h"
#include "wire/sccp/message.h"
#include "wire/sip/message.h"

/* -- documents ------------------------------------------------------------------------------ */

static const char *const secret_tags[] = {"password",      "authpassword",  "sshpassword",
                                          "phonepassword", "adminpassword", "credential",
                                          "certhash"};
static const char *const word_tags[] = {"name",
                                        "displayname",
                                        "contact",
                                        "authname",
                                        "featurelabel",
                                        "phonelabel",
                                        "userid",
                                        "username",
                                        "sshuserid",
                                        "speeddialnumber",
                                        "directoryuri",
                                        "messagesnumber",
                                        "description",
                                        "label",
                                        "featureid",
                                        "callpickupuri",
                                        "callpickupgroupuri",
                                        "meetmeserviceuri",
                                        "line",
                                        "number",
                                        "remotenumber",
                                        "mailbox",
                                        "prompt",
                                        "title",
                                        "text"};
static const char *const host_tags[] = {"processnodename"};

static bool stands_in(const char *tag, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(tag, list[i]) == 0)
            return true;
    return false;
}

#define STANDS_IN(tag, list) stands_in(tag, list, sizeof(list) / sizeof(*(list)))

static void disguise_content(const struct markup *m, char *at, size_t len)
{
    if (STANDS_IN(m->tag, secret_tags))
        disguise_secret(at, len);
    else if (STANDS_IN(m->tag, host_tags))
        disguise_host(at, len);
    else if (STANDS_IN(m->tag, word_tags))
        disguise_words(at, len);
    else
        disguise_addresses(at, len);
}

/* The name of the element; it ends at the first blank, its attributes are not kept. */
static void add_to_tag(struct markup *m, char c)
{
    if (c == '/' && m->n == 0) { /* what follows the end of an element belongs to none */
        m->tag[0] = '/';
        m->n = sizeof(m->tag) - 1;
    } else if (!isalnum((unsigned char)c)) {
        m->n = sizeof(m->tag) - 1;
    } else if (m->n < sizeof(m->tag) - 1) {
        m->tag[m->n++] = (char)tolower((unsigned char)c);
    }
}

void disguise_markup(struct markup *m, char *at, size_t len)
{
    size_t from = 0;

    for (size_t i = 0; i < len; i++) {
        if (m->in == MARKUP_TEXT && at[i] == '<') {
            disguise_content(m, at + from, i - from);
            memset(m, 0, sizeof(*m));
            m->in = MARKUP_TAG;
            from = i;
        } else if (m->in == MARKUP_TAG && at[i] == '>') {
            disguise_addresses(at + from, i - from);
            m->in = MARKUP_TEXT;
            from = i + 1;
        } else if (m->in == MARKUP_TAG) {
            add_to_tag(m, at[i]);
        }
    }
    if (m->in == MARKUP_TEXT)
        disguise_content(m, at + from, len - from);
    else
        disguise_addresses(at + from, len - from);
}

/* -- SIP ------------------------------------------------------------------------------------ */

#define PARTS_MAX 64

/* A line, and the parts of it that are disguised: nothing is disguised twice. */
struct line {
    char *at;
    size_t len;
    struct part {
        size_t from, to;
    } parts[PARTS_MAX];
    size_t n;
};

static void disguise_part(struct line *l, size_t from, size_t to, void (*with)(char *, size_t))
{
    size_t k = l->n;

    if (from >= to || l->n == PARTS_MAX)
        return;
    for (size_t i = 0; i < l->n; i++)
        if (from < l->parts[i].to && to > l->parts[i].from)
            return;
    with(l->at + from, to - from);
    for (; k && l->parts[k - 1].from > from; k--)
        l->parts[k] = l->parts[k - 1];
    l->parts[k] = (struct part){from, to};
    l->n++;
}

/* What is left: addresses only. */
static void disguise_rest(struct line *l)
{
    size_t from = 0;

    for (size_t i = 0; i <= l->n; i++) {
        size_t to = i < l->n ? l->parts[i].from : l->len;

        disguise_addresses(l->at + from, to - from);
        from = i < l->n ? l->parts[i].to : to;
    }
}

static size_t scheme(const char *at, size_t len)
{
    struct text t = {at, len};

    return text_starts_nocase(t, "sips:")                                   ? 5
           : text_starts_nocase(t, "sip:") || text_starts_nocase(t, "tel:") ? 4
                                                                            : 0;
}

static size_t find_any(const struct line *l, size_t from, const char *ends)
{
    while (from < l->len && !strchr(ends, l->at[from]))
        from++;
    return from;
}

/* user@host of every URI. */
static void disguise_uris(struct line *l)
{
    for (size_t i = 0; i < l->len; i++) {
        size_t from = i + scheme(l->at + i, l->len - i), end;

        if (from == i || (i && isalnum((unsigned char)l->at[i - 1])))
            continue;
        end = find_any(l, from, "@;?> \t\r\n,\"");
        if (end < l->len && l->at[end] == '@') {
            disguise_part(l, from, end, disguise_words);
            from = end + 1;
        }
        end = find_any(l, from, ":;?> \t\r\n,\"");
        disguise_part(l, from, end,
                      l->at[i] == 't' || l->at[i] == 'T' ? disguise_words : disguise_host);
        i = end;
    }
}

static void disguise_quoted(struct line *l, size_t from, size_t to, void (*with)(char *, size_t))
{
    const char *open = from < to ? memchr(l->at + from, '"', to - from) : NULL;
    const char *close = open ? memchr(open + 1, '"', (size_t)(l->at + l->len - open - 1)) : NULL;

    if (close)
        disguise_part(l, (size_t)(open + 1 - l->at), (size_t)(close - l->at), with);
}

/* user and realm as words, what proves knowledge of the password as a secret. */
static void disguise_digest(struct line *l)
{
    static const struct {
        const char *key;
        void (*with)(char *, size_t);
    } rows[] = {{"response=", disguise_secret},
                {"nonce=", disguise_secret},
                {"opaque=", disguise_secret},
                {"username=", disguise_words},
                {"realm=", disguise_words}};

    for (size_t i = 0; i < l->len; i++)
        for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++)
            if (text_starts_nocase((struct text){l->at + i, l->len - i}, rows[k].key))
                disguise_quoted(l, i, i + strlen(rows[k].key) + 1, rows[k].with);
}

static bool is_header(struct text line, const char *names)
{
    struct text rest = line, head = text_trim(text_split(&rest, ':')), list = text_of(names);

    while (rest.at && list.at)
        if (text_equal_nocase(head, text_split(&list, ' ')))
            return true;
    return false;
}

static void disguise_sip_line(char *at, size_t len)
{
    struct line l = {.at = at, .len = len};
    struct text line = {at, len};

    if (is_header(line, "Authorization Proxy-Authorization WWW-Authenticate Proxy-Authenticate "
                        "Authentication-Info"))
        disguise_digest(&l);
    else if (is_header(line, "From f To t Contact m Remote-Party-ID P-Asserted-Identity "
                             "P-Preferred-Identity Diversion Refer-To "
                             "r Referred-By b"))
        disguise_quoted(&l, 0, find_any(&l, 0, "<"), disguise_words); /* the display name */
    disguise_uris(&l);
    disguise_rest(&l);
}

void disguise_sip(char *at, size_t len)
{
    struct markup m = {0};
    size_t from = 0;

    while (from < len) {
        char *end = memchr(at + from, '\n', len - from);
        size_t n = end ? (size_t)(end - at) - from + 1 : len - from;

        if (at[from] == '<' || m.in == MARKUP_TAG || m.n)
            disguise_markup(&m, at + from, n);
        else
            disguise_sip_line(at + from, n);
        from += n;
    }
}

/* -- SCCP ----------------------------------------------------------------------------------- */

void disguise_runs(uint8_t *at, size_t len)
{
    size_t n;

    for (size_t i = 0; i < len; i += n ? n : 1) {
        for (n = 0; i + n < len && at[i + n] >= ' ' && at[i + n] < 127; n++)
            ;
        if (n >= 2)
            disguise_words((char *)at + i, n);
    }
}

/* Texts of these say why: only what is an address in them is disguised. */
static bool is_kept(uint32_t id)
{
    static const uint32_t kept[] = {
        SCCP_REGISTER_REQ,  SCCP_REGISTER_ACK, SCCP_REGISTER_REJECT,    SCCP_ALARM,
        SCCP_UNREGISTER,    SCCP_VERSION,      SCCP_REGISTER_TOKEN_REQ, SCCP_KEEPALIVE,
        SCCP_KEEPALIVE_ACK, SCCP_RESET};

    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        if (kept[i] == id)
            return true;
    return false;
}

/* Addresses of members that hold them. */
static void disguise_members(uint32_t id, uint8_t *body, size_t len)
{
    if (id == SCCP_REGISTER_REQ && len >= 28)
        disguise_ipv4(body + 24); /* behind name, user and instance */
    if (id == SCCP_KEYPAD_BUTTON && len >= 4)
        memset(body, 0, 4); /* what is dialled */
}

void disguise_sccp(uint8_t *at, size_t len)
{
    struct sccp_frame f;
    struct reader r = reader_of(at, len);

    while (sccp_frame_next(&r, &f) == 1) {
        uint8_t *body = at + (f.body - at);

        disguise_members(f.id, body, f.len);
        if (is_kept(f.id))
            disguise_addresses((char *)body, f.len);
        else
            disguise_runs(body, f.len);
    }
    if (reader_left(&r)) /* a part of a message */
        disguise_runs(at + (r.at - at), reader_left(&r));
}
