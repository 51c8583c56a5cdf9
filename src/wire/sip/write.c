/* write.c - builds messages; no printf where every message passes. */
#include "wire/sip/write.h"

#include <stdarg.h>
#include <stdio.h>

static void write_line_end(struct writer *w)
{
    write_bytes(w, "\r\n", 2);
}

static void write_name(struct writer *w, const char *name)
{
    write_string(w, name);
    write_bytes(w, ": ", 2);
}

void sip_write_header(struct writer *w, enum sip_header_id id, struct text value)
{
    sip_write_named(w, sip_header_name(id), value);
}

void sip_write_named(struct writer *w, const char *name, struct text value)
{
    write_name(w, name);
    write_text(w, value);
    write_line_end(w);
}

void sip_write_number(struct writer *w, enum sip_header_id id, uint64_t value)
{
    write_name(w, sip_header_name(id));
    write_decimal(w, value);
    write_line_end(w);
}

void sip_write_format(struct writer *w, const char *name, const char *format, ...)
{
    char text[1024];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(text))
        w->bad = true;
    else
        sip_write_named(w, name, (struct text){text, (size_t)n});
}

/* -- responses -------------------------------------------------------------------------------- */

/* Whether the sent-by is another address than the one it came from (RFC 3261 18.2.1). */
static bool is_elsewhere(const struct sip_via *via, const struct endpoint *from)
{
    struct ip ip;

    return ip_parse(via->host, &ip) < 0 || !ip_equal(ip, from->ip);
}

static void write_received(struct writer *w, const struct endpoint *from)
{
    char ip[IP_TEXT_MAX];

    write_string(w, ";received=");
    write_string(w, ip_print(from->ip, ip));
}

/* The topmost Via as it came, with received and the value of rport (RFC 3581 4). What the sender
 * wrote for these is left out: it is not the sender's to say. */
static void write_top_via(struct writer *w, struct text all, const struct sip_via *via,
                          const struct endpoint *from)
{
    struct text rest = via->parameters, name, value;

    if (!via->rport && !via->received.at) {
        write_text(w, all);
    } else {
        write_bytes(w, all.at, (size_t)(via->parameters.at - 1 - all.at));
        while (sip_parameter_next(&rest, &name, &value)) {
            if (text_equal_nocase(name, TEXT("received")) || text_equal_nocase(name, TEXT("rport")))
                continue;
            write_u8(w, ';');
            write_text(w, name);
            if (!value.len)
                continue;
            write_u8(w, '=');
            if (value.at[-1] == '"')
                value = (struct text){value.at - 1, value.len + 2};
            write_text(w, value);
        }
    }
    if (via->rport || is_elsewhere(via, from))
        write_received(w, from);
    if (via->rport) {
        write_string(w, ";rport=");
        write_decimal(w, from->port);
    }
}

static void write_vias(struct writer *w, const struct sip_message *m, const struct endpoint *from)
{
    const struct sip_row *row = sip_row(m, SIP_VIA);
    struct text rest, top;

    if (!row)
        return;
    rest = row->value;
    top = sip_element(&rest);
    write_name(w, "Via");
    write_top_via(w, top, &m->via, from);
    if (rest.at) {
        write_bytes(w, ", ", 2);
        write_text(w, text_trim(rest));
    }
    write_line_end(w);
    while ((row = sip_row_next(m, row)))
        sip_write_named(w, "Via", row->value);
}

static void copy_header(struct writer *w, const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_row *row = sip_row(m, id);

    if (row)
        sip_write_header(w, id, row->value);
}

static void write_to(struct writer *w, const struct sip_message *m, struct text tag)
{
    const struct sip_row *row = sip_row(m, SIP_TO);

    if (!row)
        return;
    write_name(w, "To");
    write_text(w, row->value);
    if (tag.len && !m->to_tag.at) {
        write_string(w, ";tag=");
        write_text(w, tag);
    }
    write_line_end(w);
}

void sip_write_answer(struct writer *w, const struct sip_message *request, uint16_t status,
                      const char *reason, struct text tag, const struct endpoint *from,
                      uint64_t wall_us, struct text server)
{
    write_string(w, "SIP/2.0 ");
    write_decimal(w, status);
    write_u8(w, ' ');
    write_string(w, reason ? reason : sip_reason(status));
    write_line_end(w);
    write_vias(w, request, from);
    copy_header(w, request, SIP_FROM);
    write_to(w, request, tag);
    if (wall_us)
        sip_write_date(w, wall_us);
    copy_header(w, request, SIP_CALL_ID);
    if (server.len)
        sip_write_header(w, SIP_SERVER, server);
    copy_header(w, request, SIP_CSEQ);
    if (status == 100)
        copy_header(w, request, SIP_TIMESTAMP); /* RFC 3261 8.2.6.1 */
}

void sip_write_response(struct writer *w, const struct sip_message *request, uint16_t status,
                        const char *reason, struct text tag, const struct endpoint *from)
{
    sip_write_answer(w, request, status, reason, tag, from, 0, (struct text){NULL, 0});
}

/* -- requests --------------------------------------------------------------------------------- */

static void write_host(struct writer *w, const struct endpoint *e)
{
    char text[ENDPOINT_TEXT_MAX];

    write_string(w, endpoint_print(e, text));
}

void sip_write_request(struct writer *w, const struct sip_request_head *head)
{
    static const char *const protocols[] = {"SIP/2.0/UDP ", "SIP/2.0/TCP ", "SIP/2.0/TLS "};

    write_string(w, sip_method_name(head->method));
    write_u8(w, ' ');
    write_text(w, head->uri);
    write_string(w, " SIP/2.0\r\nVia: ");
    write_string(w, protocols[head->transport]);
    write_host(w, &head->local);
    write_string(w, ";branch=");
    write_text(w, head->branch);
    write_string(w, head->transport == SIP_UDP ? ";rport\r\n" : "\r\n");
    sip_write_header(w, SIP_FROM, head->from);
    sip_write_header(w, SIP_TO, head->to);
    sip_write_header(w, SIP_CALL_ID, head->call_id);
    write_name(w, "CSeq");
    write_decimal(w, head->cseq);
    write_u8(w, ' ');
    write_string(w, sip_method_name(head->method));
    write_string(w, "\r\nMax-Forwards: 70\r\n");
}

/* -- parts of both ---------------------------------------------------------------------------- */

static void put_two(char *to, unsigned n)
{
    to[0] = (char)('0' + n / 10 % 10);
    to[1] = (char)('0' + n % 10);
}

/* Days since 1970 to a date (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static void date_of_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t z = days + 719468, era = z / 146097;
    unsigned of_era = (unsigned)(z % 146097);
    unsigned years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * years + years / 4 - years / 100);
    unsigned shifted = (5 * of_year + 2) / 153;

    *day = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (unsigned)(era * 400) + years + (*month <= 2);
}

void sip_write_date(struct writer *w, uint64_t wall_us)
{
    static const char week[] = "ThuFriSatSunMonTueWed",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[] = "Date: Www, dd Mmm yyyy hh:mm:ss GMT\r\n";
    uint64_t seconds = wall_us / 1000000, days = seconds / 86400;
    unsigned of_day = (unsigned)(seconds % 86400), year, month, day;

    date_of_days(days, &year, &month, &day);
    memcpy(text + 6, week + 3 * (days % 7), 3);
    put_two(text + 11, day);
    memcpy(text + 14, months + 3 * (size_t)(month - 1), 3);
    put_two(text + 18, year / 100);
    put_two(text + 20, year % 100);
    put_two(text + 23, of_day / 3600);
    put_two(text + 26, of_day / 60 % 60);
    put_two(text + 29, of_day % 60);
    write_bytes(w, text, sizeof(text) - 1);
}

void sip_write_body(struct writer *w, struct text type, struct text body)
{
    if (type.len)
        sip_write_header(w, SIP_CONTENT_TYPE, type);
    sip_write_number(w, SIP_CONTENT_LENGTH, body.len);
    write_line_end(w);
    write_text(w, body);
}
