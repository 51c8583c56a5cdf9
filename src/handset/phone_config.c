/* phone_config.c - configuration files read as the phones read them; see phone_config.h. */
#include "handset/phone_config.h"

#include <errno.h>
#include <stdio.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/text.h"
#include "wire/xml.h"

struct reading {
    struct phone_config *config;
    struct phone_server member; /* the one being read */
    unsigned priority;
    unsigned priorities[PHONE_CONFIG_SERVERS];
    uint32_t type;
    bool known_root;
};

#define COPY(element, field)                                                                       \
    {                                                                                              \
        element, offsetof(struct phone_config, field), sizeof(((struct phone_config *)0)->field)   \
    }

/* Elements kept as they are, by the end of their path. */
/* clang-format off */
static const struct copy_row {
    const char *path;
    size_t at, size;
} copies[] = {
    COPY("/deviceProtocol",                        protocol),
    COPY("/loadInformation",                       load),
    COPY("/versionStamp",                          version_stamp),
    COPY("/devicePool/dateTimeSetting/dateTemplate", date_template),
    COPY("/devicePool/dateTimeSetting/timeZone",   time_zone),
    COPY("/userLocale/name",                       user_locale),
    COPY("/networkLocale",                         network_locale),
    COPY("/servicesURL",                           services_url),
    COPY("/directoryURL",                          directory_url),
    COPY("/messagesURL",                           messages_url),
    COPY("/informationURL",                        information_url),
};
/* clang-format on */

/* Members may stand in any order; the list is kept sorted by priority, the first three. */
static void add_member(struct reading *r)
{
    struct phone_config *c = r->config;
    unsigned at = 0;

    if (!*r->member.name)
        return;
    while (at < c->n_servers && r->priorities[at] <= r->priority)
        at++;
    if (at == PHONE_CONFIG_SERVERS)
        return;
    if (c->n_servers < PHONE_CONFIG_SERVERS)
        c->n_servers++;
    for (unsigned i = c->n_servers - 1u; i > at; i--) {
        c->servers[i] = c->servers[i - 1];
        r->priorities[i] = r->priorities[i - 1];
    }
    c->servers[at] = r->member;
    r->priorities[at] = r->priority;
}

static void read_number(struct text value, uint16_t *ret)
{
    uint32_t n;

    if (text_to_u32(value, 10, &n) == 0 && n <= UINT16_MAX)
        *ret = (uint16_t)n;
}

static void on_close(struct reading *r, const struct xml_event *e)
{
    struct text below =
        text_skip(e->path, r->config->is_default ? sizeof("Default") - 1 : sizeof("device") - 1);
    char own_load[32];
    uint16_t mode = r->config->security_mode;

    snprintf(own_load, sizeof(own_load), "/loadInformation%u", r->type);
    if (text_ends(e->path, "/members/member"))
        add_member(r);
    else if (text_ends(e->path, "/callManager/processNodeName"))
        text_copy(r->member.name, sizeof(r->member.name), e->value);
    else if (text_ends(e->path, "/ports/ethernetPhonePort"))
        read_number(e->value, &r->member.port);
    else if (text_ends(e->path, "/connectionMonitorDuration"))
        read_number(e->value, &r->config->monitor_s);
    else if (text_is(below, "/vendorConfig/detectCMConnectionFailure"))
        r->config->delayed_failover = text_is(text_trim(e->value), "1");
    else if (text_is(below, "/deviceSecurityMode")) {
        read_number(e->value, &mode);
        r->config->security_mode =
            mode >= 1 && mode <= 3 ? (uint8_t)mode : 1; /* others count as 1 */
    } else if (r->config->is_default && text_is(below, own_load))
        text_copy(r->config->load, sizeof(r->config->load), e->value);
    for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++)
        if (text_is(below, copies[i].path))
            text_copy((char *)r->config + copies[i].at, copies[i].size, e->value);
}

static int on_event(void *context, const struct xml_event *e)
{
    struct reading *r = context;
    uint32_t priority;

    if (e->kind == XML_OPEN && !r->known_root) {
        r->known_root = text_is(e->path, "device") || text_is(e->path, "Default");
        r->config->is_default = text_is(e->path, "Default");
        return r->known_root ? 0 : -EBADMSG;
    }
    if (e->kind == XML_OPEN && text_ends(e->path, "/members/member")) {
        r->member = (struct phone_server){.port = 2000};
        r->priority = 0;
    } else if (e->kind == XML_ATTRIBUTE && text_is(e->name, "priority")) {
        if (text_to_u32(e->value, 10, &priority) == 0)
            r->priority = priority;
    } else if (e->kind == XML_CLOSE) {
        on_close(r, e);
    }
    return 0;
}

int phone_config_read_xml(const void *bytes, size_t len, uint32_t type, struct phone_config *ret)
{
    struct phone_config config;
    struct reading r = {.config = &config, .type = type};
    int err;

    memset(&config, 0, sizeof(config)); /* it may be compared as bytes */
    config.security_mode = 1;
    err = len > PHONE_CONFIG_MAX ? -E2BIG : xml_read(bytes, len, on_event, &r, NULL);

    if (err)
        return err == -ENOMEM ? err : -EBADMSG;
    *ret = config;
    return 0;
}

/* Group 1 describes the CallManagers: tag 1 index, 2 address in network order, 3 port as a
 * little-endian word; group 4 tag 7 is the directory URL; group 1 tag 0xff ends the list. */
int phone_config_read_cnf(const void *bytes, size_t len, struct phone_config *ret)
{
    struct phone_config config = {.security_mode = 1};
    struct reader r = reader_of(bytes, len);
    struct phone_server *server = NULL;
    bool ended = false;

    while (reader_left(&r) >= 2 && !ended) {
        uint8_t group = read_u8(&r), tag = read_u8(&r);

        if (group == 1 && tag == 1) {
            read_u8(&r);
            server = config.n_servers < PHONE_CONFIG_SERVERS ? &config.servers[config.n_servers++]
                                                             : NULL;
            if (server)
                server->port = 2000;
        } else if (group == 1 && tag == 2) {
            struct ip ip = ip_v4(read_be32(&r));
            char text[IP_TEXT_MAX];

            if (server)
                text_copy(server->name, sizeof(server->name), text_of(ip_print(ip, text)));
        } else if (group == 1 && tag == 3) {
            uint32_t port = read_le32(&r);

            if (server)
                server->port = (uint16_t)port;
        } else if (group == 1 && tag == 0xff) {
            ended = true;
        } else if (group == 4) {
            struct text url = read_zero_text(&r);

            if (tag == 7)
                text_copy(config.directory_url, sizeof(config.directory_url), url);
        } else if (group || tag) {
            return -EBADMSG; /* zero pairs are the padding behind a URL */
        }
    }
    if (r.bad || !ended)
        return -EBADMSG;
    *ret = config;
    return 0;
}

int phone_config_read_os79xx(const void *bytes, size_t len, char load[static 65])
{
    struct text t = text_trim((struct text){bytes, len});

    if (!t.len || t.len > 64)
        return -EBADMSG;
    for (size_t i = 0; i < t.len; i++)
        if (t.at[i] <= ' ' || t.at[i] > '~')
            return -EBADMSG;
    text_copy(load, 65, t);
    return 0;
}
