/* boot.c - packets of the boot protocols and what they say. A file's name begins with its protocol. */
#include "golden.h"

#include "wire/boot/arp.h"
#include "wire/boot/cdp.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/dns.h"
#include "wire/boot/lldp.h"
#include "wire/boot/tftp.h"

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

static const struct {
    const char *prefix;
    int (*print)(const uint8_t *bytes, size_t len, struct writer *w);
} rows[] = {
    {"dhcp", print_dhcp}, {"tftp", print_tftp}, {"cdp", print_cdp},
    {"lldp", print_lldp}, {"dns", print_dns},
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
