/* remotecc.c - reads Cisco's small documents in place, and writes them as CallManager does. */
#include "wire/sip/remotecc.h"

#include <errno.h>

#include "wire/sip/multipart.h"
#include "wire/xml.h"

/* -- elements --------------------------------------------------------------------------------- */

enum element_kind { ELEMENT_END, ELEMENT_OPEN, ELEMENT_CLOSE };

struct elements {
    struct text rest;
    struct text open[REMOTECC_DEPTH];
    unsigned depth; /* the element that was opened or closed counts */
    bool empty;     /* <x/>: its close comes next */
    bool closed, begun;
    struct text name, attributes;
    struct text value; /* of ELEMENT_OPEN: text up to the next tag */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Skips <?…?> and comments; -EBADMSG for declarations. */
static int skip_other(struct text *t)
{
    bool comment = text_starts(*t, "<!--");
    const char *end;

    if (!comment && !text_starts(*t, "<?"))
        return -EBADMSG;
    end = comment ? memmem(t->at + 4, t->len - 4, "-->", 3) : memmem(t->at, t->len, "?>", 2);
    if (!end)
        return -EBADMSG;
    *t = text_skip(*t, (size_t)(end - t->at) + (comment ? 3 : 2));
    return 0;
}

/* Length of what stands between < and >; a > in quotes does not end it. 0: it does not end. */
static size_t tag_span(struct text t)
{
    char quote = 0;

    for (size_t i = 1; i < t.len; i++) {
        if (quote)
            quote = t.at[i] == quote ? 0 : quote;
        else if (t.at[i] == '"' || t.at[i] == '\'')
            quote = t.at[i];
        else if (t.at[i] == '>')
            return i - 1;
        else if (t.at[i] == '<')
            return 0;
    }
    return 0;
}

static int close_element(struct elements *x, struct text name)
{
    if (x->depth == 0 || !text_equal(x->open[x->depth - 1], name))
        return -EBADMSG;
    x->closed = true;
    x->name = name;
    return ELEMENT_CLOSE;
}

static struct text text_before_tag(struct text t)
{
    const char *tag = t.len ? memchr(t.at, '<', t.len) : NULL;

    return text_trim((struct text){t.at, tag ? (size_t)(tag - t.at) : t.len});
}

static int open_element(struct elements *x, struct text tag)
{
    size_t n = 0;

    x->empty = tag.at[tag.len - 1] == '/';
    if (x->empty)
        tag.len--;
    while (n < tag.len && !is_space(tag.at[n]))
        n++;
    if (n == 0 || x->depth == REMOTECC_DEPTH || (x->depth == 0 && x->begun))
        return -EBADMSG;
    x->begun = true;
    x->name = (struct text){tag.at, n};
    x->attributes = text_trim(text_skip(tag, n));
    x->value = x->empty ? (struct text){"", 0} : text_before_tag(x->rest);
    x->open[x->depth++] = x->name;
    return ELEMENT_OPEN;
}

/* enum element_kind, or -EBADMSG. */
static int next_element(struct elements *x)
{
    struct text tag;
    const char *at;
    size_t n;
    int err = 0;

    if (x->closed)
        x->depth--;
    x->closed = false;
    if (x->empty) {
        x->empty = false;
        return close_element(x, x->name);
    }
    for (;;) {
        at = x->rest.len ? memchr(x->rest.at, '<', x->rest.len) : NULL;
        if (!at)
            return x->depth == 0 && x->begun ? ELEMENT_END : -EBADMSG;
        x->rest = text_skip(x->rest, (size_t)(at - x->rest.at));
        if (x->rest.len < 2 || (x->rest.at[1] != '?' && x->rest.at[1] != '!'))
            break;
        err = skip_other(&x->rest);
        if (err)
            return err;
    }
    n = tag_span(x->rest);
    if (n == 0)
        return -EBADMSG;
    tag = (struct text){x->rest.at + 1, n};
    x->rest = text_skip(x->rest, n + 2);
    if (tag.at[0] == '/')
        return close_element(x, text_trim(text_skip(tag, 1)));
    return open_element(x, tag);
}

static struct text attribute(const struct elements *x, const char *name)
{
    struct text rest = x->attributes;

    while (rest.len) {
        struct text key = text_trim(text_split(&rest, '=')), value;

        rest = text_trim(rest);
        if (rest.len < 2 || (rest.at[0] != '"' && rest.at[0] != '\''))
            break;
        value = text_skip(rest, 1);
        rest = value;
        value = text_split(&rest, value.at[-1]);
        if (text_is(key, name))
            return value;
        rest = text_trim(rest);
    }
    return (struct text){"", 0};
}

bool remotecc_value(struct text xml, const char *path, struct text *ret)
{
    struct elements x = {.rest = xml};
    struct text names[REMOTECC_DEPTH], rest = text_of(path);
    unsigned n = 0, matched = 1; /* the root */
    int kind;

    while (rest.at && n < REMOTECC_DEPTH)
        names[n++] = text_split(&rest, '/');
    while ((kind = next_element(&x)) > ELEMENT_END) {
        if (kind == ELEMENT_CLOSE && matched >= x.depth)
            matched = x.depth > 1 ? x.depth - 1 : 1;
        if (kind == ELEMENT_CLOSE || x.depth != matched + 1 ||
            !text_equal(x.name, names[matched - 1]))
            continue;
        if (matched++ == n) {
            *ret = x.value;
            return true;
        }
    }
    return false;
}

/* -- what a phone offers ---------------------------------------------------------------------- */

enum choice { LEFT_OUT, ECHOED, ECHOED_SHORT, CHOSEN };

static const struct {
    const char *element, *usage;
    enum choice choice;
} options[N_REMOTECC_OPTIONS] = {
#define REMOTECC_OPTION(id, element, usage, choice) [REMOTECC_##id] = {element, usage, choice},
#include "wire/sip/remotecc.def"
#undef REMOTECC_OPTION
};

static int option_of(const struct elements *x)
{
    for (int i = 0; i < N_REMOTECC_OPTIONS; i++)
        if (text_is(x->name, options[i].element) &&
            (!options[i].usage[0] || text_is(attribute(x, "usage"), options[i].usage)))
            return i;
    return -1;
}

/* One element; `base` is the depth of the optionsind, 0 outside, and `option` what is open in it.
 */
static void take_element(struct remotecc_offer *o, const struct elements *x, unsigned *base,
                         int *option)
{
    uint32_t bit = *option < 0 ? 0 : 1u << *option, n;

    if (*base && x->depth == *base + 1) {
        *option = option_of(x);
        if (*option >= 0)
            o->can |= 1u << *option;
        if (*option == REMOTECC_COMBINE && text_to_u32(attribute(x, "max"), 10, &n) == 0)
            o->combine = n < REMOTECC_COMBINE_MAX ? (uint8_t)n : REMOTECC_COMBINE_MAX;
    } else if (*base && x->depth == *base + 2) {
        if (text_is(x->name, "unot"))
            o->unsolicited |= bit;
        else if (text_is(x->name, "sub"))
            o->subscribed |= bit;
    } else if (text_is(x->name, "optionsind")) {
        o->options = true;
        *base = x->depth;
        *option = -1;
    } else if (text_is(x->name, "bulkregisterreq")) {
        o->bulk = true;
    } else if (text_is(x->name, "code") && text_to_u32(x->value, 10, &n) == 0 && n <= 999) {
        o->code = (uint16_t)n;
    }
}

static int read_document(struct text xml, struct remotecc_offer *o)
{
    struct elements x = {.rest = xml};
    unsigned base = 0;
    int kind, option = -1;

    while ((kind = next_element(&x)) > ELEMENT_END) {
        if (kind == ELEMENT_OPEN)
            take_element(o, &x, &base, &option);
        else if (x.depth == base)
            base = 0;
    }
    return kind;
}

int remotecc_read_offer(const struct sip_message *m, struct remotecc_offer *ret)
{
    struct sip_part parts[REMOTECC_PARTS];
    struct remotecc_offer o = {.bulk = false};
    int n = sip_message_parts(m, parts, REMOTECC_PARTS), err = n < 0 ? -EBADMSG : 0;

    for (int i = 0; i < n && !err; i++)
        if (text_starts_nocase(parts[i].type, "application/x-cisco-remotecc-"))
            err = read_document(parts[i].body, &o);
    if (!err)
        *ret = o;
    return err;
}

static void write_option(struct writer *w, const struct remotecc_offer *o, int i)
{
    const char *element = options[i].element;

    if (i == REMOTECC_COMBINE) {
        write_string(w, "<combine max=\"");
        write_u8(w, (uint8_t)('0' + o->combine));
        write_string(w, "\">\n<remotecc><status/></remotecc>\n<service-control/>\n</combine>\n");
        return;
    }
    write_u8(w, '<');
    write_string(w, element);
    if (options[i].choice == ECHOED_SHORT) {
        write_string(w, "/>\n");
        return;
    }
    if (options[i].choice == CHOSEN) {
        write_string(w, " usage=\"");
        write_string(w, options[i].usage);
        write_string(w, o->unsolicited & 1u << i ? "\"><unot/>" : "\"><sub/>");
    } else {
        write_u8(w, '>');
    }
    write_string(w, "</");
    write_string(w, element);
    write_string(w, ">\n");
}

void remotecc_write_answer(struct writer *w, const struct remotecc_offer *o)
{
    uint32_t chosen = o->unsolicited | o->subscribed;

    write_string(w, "<x-cisco-remotecc-response>\n<response>\n<code>200</code>\n");
    if (o->options)
        write_string(w, "<optionsind>\n");
    for (int i = 0; i < N_REMOTECC_OPTIONS; i++) {
        uint32_t bit = 1u << i;

        if (o->can & bit && options[i].choice != LEFT_OUT &&
            (options[i].choice != CHOSEN || chosen & bit))
            write_option(w, o, i);
    }
    if (o->options)
        write_string(w, "</optionsind>\n");
    write_string(w, "</response>\n</x-cisco-remotecc-response>\n\r\n"); /* as CallManager ends it */
}

/* -- orders ----------------------------------------------------------------------------------- */

static void write_line(struct writer *w, const struct remotecc_line *l)
{
    if (!l->line) {
        write_string(w, "<contact all=\"true\">");
        write_string(w, l->message_waiting ? "<mwi>yes</mwi>" : "<mwi>no</mwi>");
        write_string(w, l->forwards ? "<cfwdallupdate></cfwdallupdate></contact>\n" : "</contact>\n");
        return;
    }
    write_format(w, "<contact line=\"%u\">\n", l->line);
    write_string(w, l->message_waiting ? "<mwi>yes</mwi>\n" : "<mwi>no</mwi>\n");
    if (l->forwards) {
        write_string(w, "<cfwdallupdate>\n<fwdaddress>");
        xml_escape(w, l->forward_to);
        write_string(w, "</fwdaddress>\n<tovoicemail>");
        write_string(w, l->to_voicemail ? "on" : "off");
        write_string(w, "</tovoicemail>\n</cfwdallupdate>\n");
    }
    write_string(w, "</contact>\n");
}

void remotecc_write_bulkupdate(struct writer *w, const struct remotecc_line *lines, size_t n)
{
    write_string(w, "<x-cisco-remotecc-request>\n<bulkupdate>\n");
    for (size_t i = 0; i < n; i++)
        write_line(w, &lines[i]);
    write_string(w, "</bulkupdate>\n</x-cisco-remotecc-request>\n");
}

/* As xml_escape, but bytes above 0x7f stay: they are characters of ISO 8859-1 or escape codes. */
static void write_latin(struct writer *w, struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == '<')
            write_string(w, "&lt;");
        else if (t.at[i] == '&')
            write_string(w, "&amp;");
        else if ((uint8_t)t.at[i] >= ' ' && t.at[i] != 127)
            write_u8(w, (uint8_t)t.at[i]);
    }
}

void remotecc_write_status(struct writer *w, struct text words, unsigned timeout_s)
{
    write_string(w, "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<x-cisco-remotecc-request>\n"
                    "<statuslineupdatereq>\n<action>notify_display</action>\n<statustext>");
    write_latin(w, words);
    write_format(w,
                 "</statustext>\n<displaytimeout>%u</displaytimeout>\n"
                 "<priority>1</priority>\n</statuslineupdatereq>\n</x-cisco-remotecc-request>\n\r\n",
                 timeout_s);
}

void remotecc_write_dnd(struct writer *w, bool on)
{
    write_format(w,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-remotecc-request>\n"
                 "<dndupdate>\n<state>%s</state>\n<option>ringeroff</option>\n</dndupdate>\n"
                 "</x-cisco-remotecc-request>\n",
                 on ? "enable" : "disable");
}
