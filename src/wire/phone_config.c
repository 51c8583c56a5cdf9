/* phone_config.c - configuration files read as the phones read them; see phone_config.h. */
#include "wire/phone_config.h"

#include <errno.h>
#include <stdio.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/text.h"
#include "wire/xml.h"

struct reading {
    struct phone_config *config;
    struct phone_line line;     /* the one being read */
    uint32_t feature;           /* of it: 9 is a line */
    bool proxied;               /* its proxy is another than CallManager */
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
    COPY("/sipProfile/dialTemplate",               dial_template),
    COPY("/sipProfile/softKeyFile",                softkey_file),
    COPY("/featurePolicyFile",                     feature_policy),
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

#define FEATURE_LINE 9

/* A line without a name, or UNPROVISIONED, is none. */
static void add_line(struct reading *r)
{
    struct phone_config *c = r->config;

    if (r->feature != FEATURE_LINE || !*r->line.name || strcmp(r->line.name, "UNPROVISIONED") == 0)
        return;
    if (!c->n_lines)
        c->managed = !r->proxied;
    if (c->n_lines < PHONE_CONFIG_LINES)
        c->lines[c->n_lines++] = r->line;
}

/* clang-format off */
static const struct { const char *element; size_t at, size; } line_copies[] = {
#define LINE_COPY(element, field) \
    {element, offsetof(struct phone_line, field), sizeof(((struct phone_line *)0)->field)}
    LINE_COPY("/name", name),
    LINE_COPY("/contact", contact),
    LINE_COPY("/featureLabel", label),
    LINE_COPY("/authName", auth_name),
    LINE_COPY("/authPassword", password),
#undef LINE_COPY
};
/* clang-format on */

static void on_line_element(struct reading *r, struct text element, struct text value)
{
    if (text_is(element, "/featureID"))
        text_to_u32(value, 10, &r->feature);
    else if (text_is(element, "/proxy"))
        r->proxied = value.len && !text_is(value, "USECALLMANAGER");
    for (size_t i = 0; i < sizeof(line_copies) / sizeof(*line_copies); i++)
        if (text_is(element, line_copies[i].element))
            text_copy((char *)&r->line + line_copies[i].at, line_copies[i].size, value);
}

static void on_sip(struct reading *r, const struct xml_event *e)
{
    static const char line[] = "/sipProfile/sipLines/line";
    struct phone_config *c = r->config;
    struct text below = text_skip(e->path, sizeof("device") - 1);
    uint16_t code = c->transport_code;

    if (text_is(below, line))
        add_line(r);
    else if (text_starts(below, line))
        on_line_element(r, text_skip(below, sizeof(line) - 1), e->value);
    else if (text_is(below, "/sipProfile/sipStack/timerRegisterExpires"))
        read_number(e->value, &c->register_s);
    else if (text_is(below, "/sipProfile/sipStack/timerRegisterDelta"))
        read_number(e->value, &c->register_delta_s);
    else if (text_is(below, "/sipProfile/sipStack/timerKeepAliveExpires"))
        read_number(e->value, &c->keepalive_s);
    else if (text_is(below, "/sipProfile/sipStack/userInfo"))
        c->phone_users = text_equal_nocase(e->value, TEXT("phone"));
    else if (text_is(below, "/transportLayerProtocol")) {
        read_number(e->value, &code);
        c->transport_code = code >= 1 && code <= 4 ? (uint8_t)code : 0;
    }
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
    else if (text_ends(e->path, "/ports/sipPort"))
        read_number(e->value, &r->member.sip_port);
    else if (text_ends(e->path, "/ports/securedSipPort"))
        read_number(e->value, &r->member.sips_port);
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
        r->member = phone_server_empty();
        r->priority = 0;
    } else if (e->kind == XML_OPEN && text_ends(e->path, "/sipLines/line")) {
        r->line = (struct phone_line){0};
        r->feature = FEATURE_LINE;
        r->proxied = false;
    } else if (e->kind == XML_ATTRIBUTE && text_is(e->name, "priority")) {
        if (text_to_u32(e->value, 10, &priority) == 0)
            r->priority = priority;
    } else if (e->kind == XML_CLOSE) {
        on_close(r, e);
        if (!r->config->is_default)
            on_sip(r, e);
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
    config.managed = true;
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
                *server = phone_server_empty();
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

/* ---- text files of 7940 and 7960 SIP ---- */

/* `value` without quotes and what a comment hides. */
static struct text plain_value(struct text t)
{
    t = text_trim(t);
    if (t.len >= 2 && t.at[0] == '"') {
        struct text rest = text_skip(t, 1);

        return text_split(&rest, '"');
    }
    return text_trim(text_split(&t, '#'));
}

/* "line3_name" is line 3, "_name"; 0 when it is none. */
static unsigned numbered(struct text key, const char *prefix, struct text *rest)
{
    struct text t = text_skip(key, strlen(prefix));

    if (!text_starts(key, prefix) || t.len < 2 || t.at[0] < '1' || t.at[0] > '6')
        return 0;
    *rest = text_skip(t, 1);
    return (unsigned)(t.at[0] - '0');
}

static void take_line_key(struct phone_line *l, struct text key, struct text value)
{
    /* clang-format off */
    static const struct { const char *key; size_t at, size; } rows[] = {
#define ROW(key, field) \
    {key, offsetof(struct phone_line, field), sizeof(((struct phone_line *)0)->field)}
        ROW("_name", name), ROW("_contact", contact), ROW("_shortname", label),
        ROW("_authname", auth_name), ROW("_password", password),
#undef ROW
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (text_is(key, rows[i].key))
            text_copy((char *)l + rows[i].at, rows[i].size, value);
}

/* All lines register with the first one's proxy; a backup without it is none. */
static void take_proxy(struct phone_config *c, unsigned n, struct text value)
{
    text_copy(c->servers[n].name, sizeof(c->servers[n].name), value);
    c->n_servers = *c->servers[0].name ? 1 + (*c->servers[1].name != 0) : 0;
}

static void take_key(struct phone_config *c, struct text key, struct text value)
{
    struct text rest;
    unsigned n;

    if ((n = numbered(key, "line", &rest))) {
        take_line_key(&c->lines[n - 1], rest, value);
        if (text_is(rest, "_name") && value.len && n > c->n_lines)
            c->n_lines = (uint8_t)n;
    } else if (text_is(key, "proxy1_address")) {
        take_proxy(c, 0, value);
    } else if (text_is(key, "proxy1_port")) {
        read_number(value, &c->servers[0].sip_port);
    } else if (text_is(key, "proxy_backup")) {
        take_proxy(c, 1, value);
    } else if (text_is(key, "proxy_backup_port")) {
        read_number(value, &c->servers[1].sip_port);
    } else if (text_is(key, "image_version")) {
        text_copy(c->load, sizeof(c->load), value);
    } else if (text_is(key, "timer_register_expires")) {
        read_number(value, &c->register_s);
    } else if (text_is(key, "dial_template")) {
        text_copy(c->dial_template, sizeof(c->dial_template), value);
    } else if (text_is(key, "services_url")) {
        text_copy(c->services_url, sizeof(c->services_url), value);
    } else if (text_is(key, "directory_url")) {
        text_copy(c->directory_url, sizeof(c->directory_url), value);
    } else if (text_is(key, "user_info")) {
        c->phone_users = text_equal_nocase(value, TEXT("phone"));
    }
}

int phone_config_read_text(const void *bytes, size_t len, struct phone_config *config)
{
    struct text rest = {bytes, len};

    if (len && (memchr(bytes, 0, len) || *(const char *)bytes == '<'))
        return -EBADMSG;
    for (unsigned i = 0; i < 2; i++)
        if (!config->servers[i].sip_port)
            config->servers[i] = phone_server_empty();
    while (rest.at) {
        struct text value = text_trim(text_split(&rest, '\n')), key;

        if (!value.len || value.at[0] == '#')
            continue;
        key = text_trim(text_split(&value, ':'));
        if (value.at)
            take_key(config, key, plain_value(value));
    }
    config->managed = false;
    return 0;
}
