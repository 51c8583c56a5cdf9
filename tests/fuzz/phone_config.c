/* phone_config.c - configuration files from whoever answers TFTP: XML, binary, text, OS79XX.TXT. */
#include "wire/phone_config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct phone_config *c)
{
    if (c->n_servers > PHONE_CONFIG_SERVERS || c->n_lines > PHONE_CONFIG_LINES ||
        c->security_mode < 1 || c->security_mode > 3)
        abort();
    for (unsigned i = 0; i < c->n_servers; i++)
        if (strnlen(c->servers[i].name, sizeof(c->servers[i].name)) == sizeof(c->servers[i].name))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct phone_config c;
    char load[65];

    if (phone_config_read_xml(bytes, len, 7, &c) == 0)
        check(&c);
    if (phone_config_read_cnf(bytes, len, &c) == 0)
        check(&c);
    memset(&c, 0, sizeof(c));
    c.security_mode = 1;
    if (phone_config_read_text(bytes, len, &c) == 0 && phone_config_read_text(bytes, len, &c) == 0)
        check(&c);
    if (phone_config_read_os79xx(bytes, len, load) == 0 && !*load)
        abort();
    return 0;
}
