/* dhcp_print.c - DHCP messages for people. */
#include "wire/boot/dhcp_rows.h"

static void print_ip(struct writer *to, uint32_t ip)
{
    char s[IP_TEXT_MAX];

    write_format(to, " %s", ip_print(ip_v4(ip), s));
}

static void print_bytes(struct writer *to, struct text t)
{
    write_u8(to, ' ');
    for (size_t i = 0; i < t.len; i++)
        write_format(to, "%02x", (uint8_t)t.at[i]);
}

static void print_text(struct writer *to, struct text t)
{
    write_string(to, " \"");
    for (size_t i = 0; i < t.len; i++)
        if (t.at[i] >= ' ' && t.at[i] < 127 && t.at[i] != '"' && t.at[i] != '\\')
            write_u8(to, (uint8_t)t.at[i]);
        else
            write_format(to, "\\x%02x", (uint8_t)t.at[i]);
    write_u8(to, '"');
}

static void print_field(const struct dhcp_message *m, const struct dhcp_row *row, struct writer *to)
{
    const void *field = (const char *)m + row->offset;

    write_format(to, "%u %s", row->code, row->name);
    switch ((enum dhcp_kind)row->kind) {
    case KIND_U8:
        write_format(to, " %u", *(const uint8_t *)field);
        break;
    case KIND_U16:
        write_format(to, " %u", *(const uint16_t *)field);
        break;
    case KIND_U32:
        write_format(to, " %u", *(const uint32_t *)field);
        break;
    case KIND_IP4:
        print_ip(to, *(const uint32_t *)field);
        break;
    case KIND_IPS: {
        const struct dhcp_addresses *list = field;

        for (unsigned i = 0; i < list->n; i++)
            print_ip(to, list->at[i]);
        break;
    }
    case KIND_TEXT:
        print_text(to, *(const struct text *)field);
        break;
    case KIND_BYTES:
        print_bytes(to, *(const struct text *)field);
        break;
    case KIND_NONE:
        break;
    }
    write_u8(to, '\n');
}

static void print_address(struct writer *to, const char *name, uint32_t ip)
{
    if (!ip)
        return;
    write_string(to, name);
    print_ip(to, ip);
    write_u8(to, '\n');
}

static void print_fixed(const struct dhcp_message *m, struct writer *to)
{
    write_format(to, "%s %s xid %08x secs %u flags %04x hops %u chaddr",
                 m->op == DHCP_BOOTREQUEST ? "request" : "reply",
                 dhcp_type_name(dhcp_has(m, DHCP_type) ? m->type : DHCP_BOOTP), m->xid, m->secs,
                 m->flags, m->hops);
    print_bytes(to, (struct text){(const char *)m->chaddr, m->hlen});
    write_u8(to, '\n');
    print_address(to, "ciaddr", m->ciaddr);
    print_address(to, "yiaddr", m->yiaddr);
    print_address(to, "siaddr", m->siaddr);
    print_address(to, "giaddr", m->giaddr);
}

static void print_named(struct writer *to, const char *name, struct text t)
{
    if (!t.len)
        return;
    write_string(to, name);
    print_text(to, t);
    write_u8(to, '\n');
}

void dhcp_print(const struct dhcp_message *m, struct writer *to)
{
    print_fixed(m, to);
    print_named(to, "sname", m->sname);
    print_named(to, "file", m->file);
    for (unsigned i = 0; i < N_DHCP_ROWS; i++)
        if (dhcp_has(m, dhcp_rows[i].code))
            print_field(m, &dhcp_rows[i], to);
    for (unsigned i = 0; i < m->n_raw; i++) {
        write_format(to, "%u", m->raw[i].code);
        print_bytes(to, m->raw[i].value);
        write_u8(to, '\n');
    }
    if (dhcp_has(m, DHCP_relay)) {
        write_string(to, "82 relay");
        print_bytes(to, m->relay);
        write_u8(to, '\n');
    }
    if (m->n_bad)
        write_format(to, "%u options too short\n", m->n_bad);
}
