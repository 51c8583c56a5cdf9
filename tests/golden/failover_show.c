#include "failover_show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/sccp/message.h"
#include "wire/sip/message.h"

static struct writer *out;
static struct kept { /* messages of one kind that were not told yet */
    const char *what;
    unsigned n, answered;
    uint64_t first_ms, last_ms;
    bool waits; /* of SIP: the last REGISTER to this node was such a one */
} kept[SHOW_NODES];

static void stamp(uint64_t ms)
{
    write_format(out, "%02u:%02u:%02u.%03u  ", (unsigned)(ms / 3600000),
                 (unsigned)(ms / 60000 % 60), (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
}

static void flush(unsigned node)
{
    struct kept *k = &kept[node];

    if (!k->n)
        return;
    stamp(k->first_ms);
    write_format(out, "phone > cm%u  %s", node + 1, k->what);
    if (k->n > 1)
        write_format(out, ", %u of them until %02u:%02u:%02u", k->n,
                     (unsigned)(k->last_ms / 3600000), (unsigned)(k->last_ms / 60000 % 60),
                     (unsigned)(k->last_ms / 1000 % 60));
    write_format(out, ", %u answered\n", k->answered);
    k->n = k->answered = 0;
}

static void keep(uint64_t now_ms, unsigned node, const char *what)
{
    struct kept *k = &kept[node];

    if (k->n && strcmp(k->what, what) != 0)
        flush(node);
    if (!k->n++)
        k->first_ms = now_ms;
    k->what = what;
    k->last_ms = now_ms;
}

void show_begin(struct writer *w)
{
    out = w;
    memset(kept, 0, sizeof(kept));
}

void show_end(void)
{
    unsigned first = kept[1].n && kept[1].first_ms < kept[0].first_ms;

    flush(first);
    flush(1 - first);
}

void show_tell(uint64_t now_ms, const char *format, ...)
{
    char words[300];
    va_list args;

    show_end();
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    stamp(now_ms);
    write_format(out, "%s\n", words);
}

static void tell_message(uint64_t now_ms, unsigned node, bool from_phone, const char *words)
{
    show_tell(now_ms, "phone %c cm%u  %s", from_phone ? '>' : '<', node + 1, words);
}

/* --- SCCP --- */

static bool is_worth_a_line(uint32_t id)
{
    static const uint32_t ids[] = {SCCP_ALARM,
                                   SCCP_ENHANCED_ALARM,
                                   SCCP_REGISTER_REQ,
                                   SCCP_UNREGISTER,
                                   SCCP_REGISTER_TOKEN_REQ,
                                   SCCP_REGISTER_ACK,
                                   SCCP_REGISTER_REJECT,
                                   SCCP_REGISTER_TOKEN_ACK,
                                   SCCP_REGISTER_TOKEN_REJECT,
                                   SCCP_UNREGISTER_ACK,
                                   SCCP_RESET};

    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
        if (ids[i] == id)
            return true;
    return false;
}

void show_sccp(uint64_t now_ms, unsigned node, bool from_phone, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    struct sccp_frame frame;

    while (sccp_frame_next(&r, &frame) == 1) {
        if (frame.id == SCCP_KEEPALIVE)
            keep(now_ms, node, "KeepAlive");
        else if (frame.id == SCCP_KEEPALIVE_ACK)
            kept[node].answered += kept[node].n > 0;
        else if (is_worth_a_line(frame.id))
            tell_message(now_ms, node, from_phone, sccp_message_name(frame.id));
    }
}

/* --- SIP --- */

static void reason_of(const struct sip_message *m, char *to, size_t size)
{
    struct text code = sip_value(m, SIP_REASON);

    *to = 0;
    if (!code.len)
        return;
    text_split(&code, ':');
    code = text_split(&code, ' ');
    snprintf(to, size, ", reason %.*s", TEXT_ARG(code));
}

static void show_register(uint64_t now_ms, unsigned node, const struct sip_message *m)
{
    struct text expires = sip_value(m, SIP_EXPIRES);
    char why[32], words[96];
    bool keepalive = text_contains_nocase(sip_value(m, SIP_CONTACT), TEXT("cisco-keep-alive"));

    reason_of(m, why, sizeof(why));
    kept[node].waits = keepalive || (!*why && !text_is(expires, "0"));
    if (keepalive) {
        keep(now_ms, node, "REGISTER Expires 0, cisco-keep-alive");
    } else if (kept[node].waits) {
        keep(now_ms, node, "REGISTER, a refresh");
    } else {
        snprintf(words, sizeof(words), "REGISTER Expires %.*s%s", TEXT_ARG(expires), why);
        tell_message(now_ms, node, true, words);
    }
}

static void show_answer(uint64_t now_ms, unsigned node, bool from_phone,
                        const struct sip_message *m)
{
    struct text expires = sip_value(m, SIP_EXPIRES);
    char words[96];

    if (m->status < 200 || from_phone)
        return; /* a phone agrees to whatever it is asked */
    if (m->method == SIP_REGISTER && kept[node].waits && m->status == 200) {
        kept[node].answered += kept[node].n > 0;
        return;
    }
    snprintf(words, sizeof(words), "%u to %s%s%.*s", m->status, sip_method_name(m->method),
             expires.len ? ", Expires " : "", TEXT_ARG(expires));
    tell_message(now_ms, node, false, words);
}

static void show_request(uint64_t now_ms, unsigned node, bool from_phone,
                         const struct sip_message *m)
{
    struct text refer = sip_value(m, SIP_REFER_TO);
    char words[96];

    if (m->method == SIP_REGISTER) {
        show_register(now_ms, node, m);
        return;
    }
    snprintf(words, sizeof(words), "%s%s", sip_method_name(m->method),
             m->method != SIP_REFER                       ? ""
             : text_contains_nocase(refer, TEXT("token")) ? " token-registration"
             : from_phone                                 ? " with an alarm"
                                                          : " check-version");
    tell_message(now_ms, node, from_phone, words);
}

void show_sip(uint64_t now_ms, unsigned node, bool from_phone, const uint8_t *bytes, size_t len)
{
    struct sip_message m;

    while (len && sip_parse_head(bytes, len, &m) == 0 && m.head + m.length <= len) {
        if (m.status)
            show_answer(now_ms, node, from_phone, &m);
        else
            show_request(now_ms, node, from_phone, &m);
        bytes += m.head + m.length;
        len -= m.head + m.length;
    }
}
