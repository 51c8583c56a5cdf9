/* dhcp_scan.c - what dhcp_print wrote, read again. */
#include "wire/boot/dhcp_rows.h"

#include <errno.h>

/* Up to the next comma or line that stands in no quotation marks. */
static struct text part_of(struct text *rest)
{
    struct text part = *rest;
    bool quoted = false;
    size_t n = 0;

    for (; n < rest->len && (quoted || (rest->at[n] != ',' && rest->at[n] != '\n')); n++)
        quoted ^= rest->at[n] == '"';
    part.len = n;
    *rest = n < rest->len ? text_skip(*rest, n + 1) : (struct text){NULL, 0};
    return text_trim(part);
}

/* Written behind what was joined before: texts of a message borrow from it. */
static struct text keep(struct dhcp_message *m, const char *bytes, size_t len)
{
    struct text kept = {(char *)m->joined + m->n_joined, len};

    if (len > sizeof(m->joined) - m->n_joined)
        return (struct text){"", 0};
    memcpy(m->joined + m->n_joined, bytes, len);
    m->n_joined += (uint16_t)len;
    return kept;
}

static int digit(char c)
{
    uint32_t value;

    return text_to_u32((struct text){&c, 1}, 16, &value) == 0 ? (int)value : -1;
}

static size_t scan_hex(struct text t, char *to, size_t size)
{
    size_t n = 0;

    for (; n < size && t.len >= 2 * n + 2; n++) {
        int high = digit(t.at[2 * n]), low = digit(t.at[2 * n + 1]);

        if (high < 0 || low < 0)
            break;
        to[n] = (char)(high << 4 | low);
    }
    return n;
}

static size_t scan_quoted(struct text t, char *to, size_t size)
{
    size_t n = 0;

    for (size_t i = 1; i < t.len && t.at[i] != '"' && n < size; i++)
        if (t.at[i] == '\\' && t.len > i + 3 && scan_hex(text_skip(t, i + 2), to + n, 1)) {
            i += 3;
            n++;
        } else {
            to[n++] = t.at[i];
        }
    return n;
}

static uint32_t address_in(struct text t)
{
    struct ip ip = {0};

    ip_parse(t, &ip);
    return ip.family == 4 ? ip_v4_number(ip) : 0;
}

static void scan_field(struct dhcp_message *m, const struct dhcp_row *row, struct text value)
{
    void *field = (char *)m + row->offset;
    struct dhcp_addresses list = {0};
    char bytes[256];
    uint32_t number = 0;

    text_to_u32(value, 10, &number);
    switch ((enum dhcp_kind)row->kind) {
    case KIND_U8:
        *(uint8_t *)field = (uint8_t)number;
        break;
    case KIND_U16:
        *(uint16_t *)field = (uint16_t)number;
        break;
    case KIND_U32:
        *(uint32_t *)field = number;
        break;
    case KIND_IP4:
        *(uint32_t *)field = address_in(value);
        break;
    case KIND_IPS:
        while (value.at && list.n < DHCP_LIST_MAX)
            list.at[list.n++] = address_in(text_split(&value, ' '));
        *(struct dhcp_addresses *)field = list;
        break;
    case KIND_TEXT:
        *(struct text *)field = keep(m, bytes, scan_quoted(value, bytes, sizeof(bytes)));
        break;
    case KIND_BYTES:
        *(struct text *)field = keep(m, bytes, scan_hex(value, bytes, sizeof(bytes)));
        break;
    case KIND_NONE:
        return;
    }
    dhcp_mark(m, row->code);
}

/* "yiaddr 10.0.0.5", "150 tftp_servers 10.0.0.1". */
static void scan_part(struct dhcp_message *m, struct text part)
{
    struct text word = text_split(&part, ' ');
    uint32_t code;

    if (!part.at)
        return;
    if (text_is(word, "ciaddr"))
        m->ciaddr = address_in(part);
    else if (text_is(word, "yiaddr"))
        m->yiaddr = address_in(part);
    else if (text_is(word, "siaddr"))
        m->siaddr = address_in(part);
    else if (text_is(word, "giaddr"))
        m->giaddr = address_in(part);
    else if (text_to_u32(word, 10, &code) == 0 && code < 256 && dhcp_row_of[code]) {
        text_split(&part, ' '); /* its name */
        scan_field(m, &dhcp_rows[dhcp_row_of[code] - 1], part.at ? part : TEXT(""));
    }
}

int dhcp_scan(struct text printed, struct dhcp_message *ret)
{
    struct text head = part_of(&printed), word;
    uint32_t xid = 0, secs = 0;
    struct mac mac = {{0}};
    bool asks = text_starts(head, "request ");

    if (!asks && !text_starts(head, "reply "))
        return -EBADMSG;
    while (head.at) {
        word = text_split(&head, ' ');
        if (text_is(word, "xid"))
            text_to_u32(text_split(&head, ' '), 16, &xid);
        else if (text_is(word, "secs"))
            text_to_u32(text_split(&head, ' '), 10, &secs);
        else if (text_is(word, "chaddr"))
            mac_parse(text_split(&head, ' '), &mac);
    }
    dhcp_init(ret, asks ? DHCP_BOOTREQUEST : DHCP_BOOTREPLY, xid, mac);
    ret->secs = (uint16_t)secs;
    while (printed.at)
        scan_part(ret, part_of(&printed));
    return 0;
}
