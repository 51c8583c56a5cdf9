/* names.c - who an event is about, and which names are near another. */
#include "provision/progress/own.h"

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* SEP001122334455.cnf.xml, CTLSEP001122334455.tlv, SIP001122334455.cnf … */
static bool name_in_file(const char *file, struct mac *ret)
{
    const char *digits = file;
    size_t n = 0;

    for (; *file && n < 12; file++) {
        n = is_hex(*file) ? n + 1 : 0;
        digits = n == 1 ? file : digits;
    }
    return n == 12 && !is_hex(*file) && mac_parse((struct text){digits, 12}, ret) == 0;
}

bool progress_is_file(const struct progress_event *e)
{
    return e->stage >= PROGRESS_FILE_ASKED && e->stage <= PROGRESS_FILE_BROKEN;
}

static struct progress_phone *by_ip(const struct progress *p, struct ip ip)
{
    return ip_is_any(ip)
               ? NULL
               : map_get(&p->by_ip, (struct text){(const char *)ip.bytes, sizeof(ip.bytes)});
}

struct device_name progress_identify(const struct progress *p, const struct progress_event *e)
{
    const struct progress_phone *phone;
    struct mac mac;

    if (e->device.s[0])
        return e->device;
    if (mac_number(e->mac))
        return device_name_of_mac(e->mac);
    if (progress_is_file(e) && name_in_file(e->detail, &mac))
        return device_name_of_mac(mac);
    phone = by_ip(p, e->ip);
    return phone ? phone->name : (struct device_name){""};
}

bool progress_looks_like_phone(const struct progress_event *e)
{
    struct mac mac;

    if (e->stage == PROGRESS_DHCP_DISCOVER || e->stage == PROGRESS_DHCP_REQUEST)
        return text_starts_nocase(text_of(e->detail), "Cisco");
    if (progress_is_file(e))
        return name_in_file(e->detail, &mac);
    return e->device.s[0] != 0;
}

bool progress_names_file(const struct progress_event *e)
{
    struct mac mac;

    return name_in_file(e->detail, &mac);
}

struct near {
    progress_known known;
    const void *context;
    struct device_name *to;
    size_t n, max;
};

static void try_name(struct near *near, const struct device_name *name)
{
    if (near->n < near->max && near->known(near->context, *name))
        near->to[near->n++] = *name;
}

size_t progress_near(progress_known known, const void *context, struct device_name name,
                     struct device_name *to, size_t max)
{
    static const char digits[] = "0123456789ABCDEF";
    struct near near = {known, context, to, 0, max};
    struct mac mac;

    if (device_name_mac(name, &mac) < 0)
        return 0;
    name = device_name_of_mac(mac); /* upper case */
    for (char *c = name.s + 3; *c; c++) {
        char own = *c;

        for (const char *d = digits; *d; d++)
            if ((*c = *d) != own)
                try_name(&near, &name);
        *c = own;
        if (c[1] && c[1] != own) {
            *c = c[1], c[1] = own;
            try_name(&near, &name);
            c[1] = *c, *c = own;
        }
    }
    return near.n;
}
