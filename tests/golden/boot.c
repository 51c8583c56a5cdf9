/* boot.c - packets of the boot protocols and what they say. A file's name begins with its protocol.
 */
#include "golden.h"

#include "wire/boot/arp.h"
#include "wire/boot/cdp.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/dns.h"
#include "wire/boot/lldp.h"
#include "wire/boot/tftp.h"
#include "wire/http.h"
#include "wire/xml.h"

#define PRINTER(protocol, type, decode)                                                            \
    static int print_##protocol(const uint8_t *bytes, size_t len, struct writer *w)                \
    {                                                                                              \
        static struct type m;                                                                      \
        int err = decode(bytes, len, &m);                                                          \
                                                                                                   \
        if (err)                                                                                   \
            write_format(w, "refused: %d\n", err);                                                 \
        else                                                                                       \
            protocol##_print(&m, w);                                                               \
        return 0;                                                                                  \
    }

PRINTER(dhcp, dhcp_message, dhcp_decode)
PRINTER(tftp, tftp_packet, tftp_parse)
PRINTER(cdp, cdp, cdp_decode)
PRINTER(lldp, lldp, lldp_decode)
PRINTER(dns, dns_message, dns_decode)

static int print_arp(const uint8_t *bytes, size_t len, struct writer *w)
{
    char sender[MAC_TEXT_MAX], target[MAC_TEXT_MAX], ip[2][IP_TEXT_MAX];
    struct arp a;
    int err = arp_decode(bytes, len, &a);

    if (err)
        write_format(w, "refused: %d\n", err);
    else
        write_format(w, "op %u\nsender %s %s\ntarget %s %s\n", a.op,
                     mac_print(a.sender_mac, sender), ip_print(ip_v4(a.sender_ip), ip[0]),
                     mac_print(a.target_mac, target), ip_print(ip_v4(a.target_ip), ip[1]));
    return 0;
}

static void print_body(struct http_body *body, const uint8_t *bytes, size_t len, struct writer *w)
{
    struct text data;

    while (len && !body->done) {
        int n = http_body_read(body, bytes, len, &data);

        if (n < 0) {
            write_format(w, "body refused: %d\n", n);
            return;
        }
        if (data.len)
            write_format(w, "body %.*s\n", (int)data.len, data.at);
        bytes += n;
        len -= (size_t)n;
    }
    write_format(w, "%s, %zu bytes follow\n", body->done ? "complete" : "more to come", len);
}

static void print_head(const struct http_head *h, struct writer *w)
{
    write_format(w, "HTTP/1.%u%s%s\n", h->minor, h->keep_alive ? ", stays open" : ", closes",
                 h->chunked ? ", in chunks" : "");
    for (unsigned i = 0; i < h->n_headers; i++)
        write_format(w, "header %.*s = %.*s\n", (int)h->headers[i].name.len, h->headers[i].name.at,
                     (int)h->headers[i].value.len, h->headers[i].value.at);
}

static int print_http(const uint8_t *bytes, size_t len, struct writer *w)
{
    struct http_request q;
    struct http_response a;
    struct http_body body;
    bool answer = len > 5 && !memcmp(bytes, "HTTP/", 5);
    int n = answer ? http_parse_response(bytes, len, &a) : http_parse_request(bytes, len, &q);

    if (n <= 0) {
        write_format(w, n ? "refused: %d\n" : "unfinished\n", n);
        return 0;
    }
    if (answer) {
        write_format(w, "status %u %.*s, ", a.status, (int)a.reason.len, a.reason.at);
        print_head(&a.head, w);
        http_body_of_response(&body, &a, false);
    } else {
        write_format(w, "%.*s %.*s, ", (int)q.method_name.len, q.method_name.at, (int)q.target.len,
                     q.target.at);
        print_head(&q.head, w);
        if (q.range.given)
            write_format(w, "range %s%llu to %lld\n", q.range.suffix ? "suffix " : "",
                         (unsigned long long)q.range.first, (long long)q.range.last);
        http_body_of_request(&body, &q);
    }
    print_body(&body, bytes + n, len - (size_t)n, w);
    return 0;
}

static int print_event(void *context, const struct xml_event *e)
{
    static const char *const kinds[] = {"open", "attribute", "close"};

    write_format(context, "%s %.*s %.*s = %.*s\n", kinds[e->kind], (int)e->path.len, e->path.at,
                 (int)e->name.len, e->name.at, (int)e->value.len, e->value.at);
    return 0;
}

static int print_xml(const uint8_t *bytes, size_t len, struct writer *w)
{
    struct xml_error error = {0};
    int err = xml_read(bytes, len, print_event, w, &error);

    if (err)
        write_format(w, "refused: %d, line %u column %u: %s\n", err, error.line, error.column,
                     error.words ? error.words : "");
    return 0;
}

static const struct {
    const char *prefix;
    int (*print)(const uint8_t *bytes, size_t len, struct writer *w);
} rows[] = {
    {"dhcp", print_dhcp}, {"tftp", print_tftp}, {"cdp", print_cdp},   {"lldp", print_lldp},
    {"dns", print_dns},   {"arp", print_arp},   {"http", print_http}, {"xml", print_xml},
};

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (text_starts(text_of(name), rows[i].prefix))
            return rows[i].print(bytes, len, w);
    return -1;
}

int main(int argc, char **argv)
{
    return golden_run(argc, argv, print);
}
