/* phone_files.c - files from the directory; the parts of a phone's file are the rows of a table. */
#include "provision/phone_files.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "core/dates.h"
#include "core/models.h"
#include "core/settings.h"
#include "provision/softkey_files.h"
#include "wire/xml.h"

#define MEMBERS_MAX 5 /* phones read three, later ones five */

/* A phone's file while it is written: everything that it is made from. */
struct building {
    const struct directory *dir;
    const struct phone_file_context *context;
    const struct phone *phone; /* NULL in the default file */
    const struct model *model; /* the same */
    const struct device_pool *pool;
    const struct callmanager_group *group;
    const struct datetime *datetime;
    uint64_t version; /* of the newest record that was used: the version stamp */
    struct xml_writer xml;
};

/* --- what a file is made from --- */

static const void *use(struct building *b, enum entity e, const char *key)
{
    const struct record *r = *key ? directory_find(b->dir, e, text_of(key)) : NULL;

    if (r && r->version > b->version)
        b->version = r->version;
    return r;
}

static const char *use_string(struct building *b, enum setting s)
{
    use(b, ENTITY_parameter, setting_rows[s].id);
    return directory_string(b->dir, s);
}

static int32_t use_number(struct building *b, enum setting s)
{
    use(b, ENTITY_parameter, setting_rows[s].id);
    return directory_number(b->dir, s);
}

const char *phone_defaults_key(uint32_t model, enum device_protocol protocol, char to[static 64])
{
    char digits[12];
    const char *p = names_print(device_protocols, protocol);

    snprintf(to, 64, "%.40s/%s", model_print(model, digits), p ? p : "sccp");
    for (char *at = strrchr(to, '/'); *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return to;
}

static const struct defaults *find_defaults(struct building *b, uint32_t model,
                                            enum device_protocol protocol)
{
    char key[64];

    return use(b, ENTITY_defaults, phone_defaults_key(model, protocol, key));
}

const char *phone_file_load(const struct directory *dir, const struct phone *phone)
{
    struct building b = {.dir = dir};
    const struct defaults *d;

    if (*phone->load)
        return phone->load;
    d = find_defaults(&b, (uint32_t)phone->model, phone->protocol);
    return d ? d->load : "";
}

static void use_pool(struct building *b, const char *pool)
{
    b->pool = use(b, ENTITY_device_pool, pool);
    if (!b->pool)
        return;
    b->group = use(b, ENTITY_callmanager_group, b->pool->group);
    b->datetime = use(b, ENTITY_datetime, b->pool->datetime);
}

static void begin_phone(struct building *b, const struct phone *phone, const struct model *model)
{
    b->phone = phone;
    b->model = model;
    b->version = phone->record.version;
    use_pool(b, phone->pool);
}

/* --- where to register --- */

struct member {
    const char *name; /* host name, when no address is known */
    struct ip ip;
    uint16_t port;
};

static bool is_this_node(const struct building *b, const char *name)
{
    const char *node = b->context->node_name;

    return !*name || text_equal_nocase(text_of(name), TEXT("localhost")) ||
           (node && text_equal_nocase(text_of(name), text_of(node)));
}

/* Node names are written as addresses: phones without DNS would not find them (CLUS-2). */
static struct member member_of(struct building *b, const struct callmanager *cm)
{
    const struct server_node *server = use(b, ENTITY_server_node, cm->server);
    const char *name = server ? server->name : cm->server;
    struct member m = {.name = name, .port = (uint16_t)cm->sccp_port};

    if (ip_parse(text_of(name), &m.ip) == 0) {
        if (!ip_is_any(m.ip))
            return m;
        m.ip = b->context->local;
    } else if (is_this_node(b, name)) {
        m.ip = b->context->local;
    } else if (b->context->resolve) {
        b->context->resolve(b->context->context, name, &m.ip);
    }
    return m;
}

/* Returns how many; a group without a usable member gives this node, as a phone without any server
 * would do nothing at all. */
static size_t list_members(struct building *b, struct member members[static MEMBERS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; b->group && i < b->group->n_members && n < MEMBERS_MAX; i++) {
        const struct callmanager *cm = use(b, ENTITY_callmanager, b->group->members[i].callmanager);

        if (cm)
            members[n++] = member_of(b, cm);
    }
    if (!n && b->context->local.family)
        members[n++] = (struct member){.ip = b->context->local, .port = 2000};
    return n;
}

static void write_members(struct building *b)
{
    struct member members[MEMBERS_MAX];
    size_t n = list_members(b, members);
    struct xml_writer *x = &b->xml;
    char address[IP_TEXT_MAX];

    xml_open(x, "callManagerGroup");
    if (b->group && b->phone)
        xml_string(x, "name", b->group->name);
    xml_open(x, "members");
    for (size_t i = 0; i < n; i++) {
        xml_open(x, "member");
        xml_attribute_number(x, "priority", i);
        xml_open(x, "callManager");
        xml_open(
            x, "ports"); /* must precede the name: its end makes SIP phones go to the next server */
        xml_number(x, "ethernetPhonePort", members[i].port);
        xml_close(x);
        xml_string(x, "processNodeName",
                   members[i].ip.family ? ip_print(members[i].ip, address) : members[i].name);
        xml_close(x);
        xml_close(x);
    }
    xml_close(x);
    xml_close(x);
}

/* --- the parts of a phone's file --- */

static void write_protocol(struct building *b)
{
    xml_string(&b->xml, "deviceProtocol", "SCCP");
}

static void write_date(struct building *b)
{
    char template[DATE_TEMPLATE_MAX];
    const char *zone = b->datetime ? b->datetime->time_zone : "";

    if (!*zone)
        zone = b->context->time_zone ? b->context->time_zone : "UTC";
    xml_open(&b->xml, "dateTimeSetting");
    xml_string(&b->xml, "dateTemplate", date_template(b->datetime, template));
    xml_string(&b->xml, "timeZone", time_zone_of_phones(text_of(zone)));
    xml_close(&b->xml);
}

/* Enabling it without a reference makes phones register in two places, so it is always said. */
static void write_srst(struct building *b)
{
    const char *srst = b->pool ? b->pool->srst : "";

    xml_open(&b->xml, "srstInfo");
    xml_string(&b->xml, "name", *srst ? srst : "Disable");
    xml_string(&b->xml, "srstOption", *srst ? "Enable" : "Disable");
    xml_string(&b->xml, "userModifiable", "false");
    xml_string(&b->xml, "ipAddr1", srst);
    xml_number(&b->xml, "port1", 2000);
    xml_close(&b->xml);
}

static void write_pool(struct building *b)
{
    int32_t monitor = b->pool ? b->pool->connection_monitor : -1;

    xml_open(&b->xml, "devicePool");
    write_date(b);
    write_members(b);
    if (b->model->generation == MODEL_JAVA || b->model->generation == MODEL_LATER ||
        b->model->generation == MODEL_WIRELESS)
        write_srst(b);
    xml_number(&b->xml, "connectionMonitorDuration",
               (uint64_t)(monitor >= 0 ? monitor : use_number(b, SET_connection_monitor_duration)));
    xml_close(&b->xml);
}

static void write_load(struct building *b)
{
    const struct defaults *d = find_defaults(b, b->model->type, b->phone->protocol);

    xml_string(&b->xml, "loadInformation", *b->phone->load ? b->phone->load : d ? d->load : "");
}

/* 69xx with SCCP get no line on going off hook otherwise. */
static void write_prime_line(struct building *b)
{
    xml_string(&b->xml, "alwaysUsePrimeLine", "true");
}

static void write_common_profile(struct building *b)
{
    xml_open(&b->xml, "commonProfile");
    xml_string(&b->xml, "backgroundImageAccess", "true");
    xml_number(&b->xml, "callLogBlfEnabled", 2);
    xml_close(&b->xml);
}

/* What an administrator may set: a plain element name that can hold no secret. */
static bool is_vendor_name(struct text name)
{
    if (!name.len || name.len > 63 || !isalpha((unsigned char)name.at[0]))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!isalnum((unsigned char)name.at[i]))
            return false;
    }
    return !text_contains_nocase(name, TEXT("password")) &&
           !text_contains_nocase(name, TEXT("secret")) &&
           !text_contains_nocase(name, TEXT("sshUserId"));
}

static bool vendor_has(struct text settings, const char *name)
{
    while (settings.at) {
        struct text row = text_split(&settings, ';');

        if (text_is(text_trim(text_split(&row, '=')), name))
            return true;
    }
    return false;
}

static void write_vendor_default(struct building *b, const char *name, int value)
{
    if (!vendor_has(text_of(b->phone->vendor_config), name))
        xml_number(&b->xml, name, (uint64_t)value);
}

/* The phone's own web page and shell stay closed unless somebody asks for them (1: disabled): what
 * they tell is where attackers of phones begin. */
static void write_vendor_config(struct building *b)
{
    struct text rest = text_of(b->phone->vendor_config);
    char name[64];

    xml_open(&b->xml, "vendorConfig");
    write_vendor_default(b, "webAccess", 1);
    write_vendor_default(b, "sshAccess", 1);
    write_vendor_default(b, "settingsAccess", 1);
    write_vendor_default(b, "detectCMConnectionFailure", b->phone->delayed_failover);
    while (rest.at) {
        struct text value = text_split(&rest, ';');
        struct text key = text_trim(text_split(&value, '='));

        if (!is_vendor_name(key))
            continue;
        text_copy(name, sizeof(name), key);
        xml_element(&b->xml, name, value.at ? text_trim(value) : TEXT(""));
    }
    xml_close(&b->xml);
}

static void write_stamp(struct building *b)
{
    char stamp[32];

    snprintf(stamp, sizeof(stamp), "{%016llx}", (unsigned long long)b->version);
    xml_string(&b->xml, "versionStamp", stamp);
}

static const char *locale_code(const char *name)
{
    static const struct {
        const char *language, *code;
    } codes[] = {
        {"Chinese", "zh"}, {"Danish", "da"},    {"Dutch", "nl"},      {"Finnish", "fi"},
        {"French", "fr"},  {"German", "de"},    {"Italian", "it"},    {"Japanese", "ja"},
        {"Korean", "ko"},  {"Norwegian", "no"}, {"Portuguese", "pt"}, {"Polish", "pl"},
        {"Russian", "ru"}, {"Spanish", "es"},   {"Swedish", "sv"},
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (text_starts_nocase(text_of(name), codes[i].language))
            return codes[i].code;
    }
    return "en";
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return *a ? a : *b ? b : c;
}

static void write_locales(struct building *b)
{
    const char *user = first_of(b->phone->user_locale, b->pool ? b->pool->user_locale : "",
                                "English_United_States");

    xml_open(&b->xml, "userLocale");
    xml_string(&b->xml, "name", user);
    xml_string(&b->xml, "langCode", locale_code(user));
    xml_close(&b->xml);
    xml_string(&b->xml, "networkLocale",
               first_of(b->phone->network_locale, b->pool ? b->pool->network_locale : "",
                        "United_States"));
}

static void write_security(struct building *b)
{
    xml_number(&b->xml, "deviceSecurityMode", 1);
}

/* Empty elements are written: left out, a phone keeps what it had. */
static void write_urls(struct building *b)
{
    xml_number(&b->xml, "idleTimeout", (uint64_t)use_number(b, SET_url_idle_time));
    xml_string(&b->xml, "authenticationURL", use_string(b, SET_url_authentication));
    xml_string(&b->xml, "directoryURL", use_string(b, SET_url_directories));
    xml_string(&b->xml, "idleURL", use_string(b, SET_url_idle));
    xml_string(&b->xml, "informationURL", use_string(b, SET_url_information));
    xml_string(&b->xml, "messagesURL", use_string(b, SET_url_messages));
    xml_string(&b->xml, "proxyServerURL", use_string(b, SET_phone_proxy));
    xml_string(&b->xml, "servicesURL", use_string(b, SET_url_services));
}

/* TOS octets, not DSCP numbers, as CallManager writes them. */
static void write_dscp(struct building *b)
{
    xml_number(&b->xml, "dscpForSCCPPhoneConfig", (uint64_t)use_number(b, SET_dscp_phone_configuration) << 2);
    xml_number(&b->xml, "dscpForSCCPPhoneServices", (uint64_t)use_number(b, SET_dscp_phone_services) << 2);
    xml_number(&b->xml, "dscpForCm2Dvce", (uint64_t)use_number(b, SET_dscp_callmanager_to_device) << 2);
}

static void write_certificates(struct building *b)
{
    xml_number(&b->xml, "capfAuthMode", 0);
    xml_string(&b->xml, "capfList", "");
    xml_string(&b->xml, "certHash", "");
    xml_string(&b->xml, "encrConfig", "false");
}

#define GENERATION(g) (1u << MODEL_##g)
#define OLD                                                                                        \
    (GENERATION(7910) | GENERATION(7940) | GENERATION(7905) | GENERATION(CONFERENCE) |             \
     GENERATION(BUTTONS))
#define NEW   (GENERATION(JAVA) | GENERATION(WIRELESS) | GENERATION(LATER) | GENERATION(SOFT))
#define EVERY (OLD | NEW | GENERATION(SPA) | GENERATION(ATA) | GENERATION(GATEWAY))

/* In the order of the original's files. The URLs take settings whose change must change the stamp,
 * which comes before them: `resolve_all` has read them by then. */
static const struct part {
    void (*write)(struct building *b);
    uint32_t generations;
} parts[] = {
    {write_protocol, EVERY},
    {write_pool, EVERY},
    {write_prime_line, GENERATION(LATER)},
    {write_common_profile, GENERATION(JAVA) | GENERATION(LATER)},
    {write_load, EVERY},
    {write_vendor_config, NEW | GENERATION(7940) | GENERATION(CONFERENCE)},
    {write_stamp, EVERY},
    {write_locales, EVERY & ~GENERATION(BUTTONS)},
    {write_security, NEW | GENERATION(7940) | GENERATION(7905)},
    {write_urls, EVERY & ~GENERATION(BUTTONS)},
    {write_dscp, EVERY & ~(GENERATION(BUTTONS) | GENERATION(SPA))},
    {write_certificates, NEW},
};

static void write_parts(struct building *b)
{
    xml_open(&b->xml, "device");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].generations & (1u << b->model->generation))
            parts[i].write(b);
    }
    xml_close(&b->xml);
}

/* Records that stand behind the version stamp: those before it are known by then, these are not. */
static void resolve_all(struct building *b)
{
    static const enum setting urls[] = {
        SET_url_idle_time,   SET_url_authentication, SET_url_directories, SET_url_idle,
        SET_url_information, SET_url_messages,       SET_phone_proxy,     SET_url_services};

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        use(b, ENTITY_parameter, setting_rows[urls[i]].id);
}

static int build_phone_xml(struct building *b, const struct file_name *name, struct writer *w)
{
    const struct phone *phone = directory_phone(b->dir, text_of(name->device.s));
    const struct model *model = phone ? model_find((uint32_t)phone->model) : NULL;

    if (!model || phone->protocol != PROTOCOL_SCCP || !model_speaks(model, PROTOCOL_SCCP))
        return -ENOENT;
    begin_phone(b, phone, model);
    resolve_all(b);
    xml_begin(&b->xml, w);
    b->xml.whole = true;
    write_parts(b);
    return w->bad ? -ENOSPC : 0;
}

/* --- the default file --- */

/* The first row of auto-registration that is enabled, or NULL. */
static const struct autoregistration *open_door(struct building *b)
{
    const struct autoregistration *a = NULL;

    while ((a = directory_next(b->dir, ENTITY_autoregistration, text_of(a ? a->name : "")))) {
        if (a->enabled && a->start <= a->end)
            return a;
    }
    return NULL;
}

bool phone_files_autoregistration(const struct directory *dir)
{
    struct building b = {.dir = dir};

    return open_door(&b);
}

/* The group that new phones find: the one marked so, else that of the pool they get. */
static void use_default_group(struct building *b, const struct autoregistration *a)
{
    const struct callmanager_group *g = NULL;

    use_pool(b, *a->pool ? a->pool : "Default");
    while ((g = directory_next(b->dir, ENTITY_callmanager_group, text_of(g ? g->name : "")))) {
        if (g->autoregistration)
            b->group = g;
    }
}

/* Nobody's door is open, or the asker has a file of its own (TFTP-5). */
static const struct autoregistration *default_allowed(struct building *b)
{
    const struct device_name *asker = &b->context->asker;

    if (asker->s[0] && directory_phone(b->dir, text_of(asker->s)))
        return NULL;
    return open_door(b);
}

/* `loadInformation<type>` of each model whose default load is known. Empty means: keep what you
 * have. */
static void write_default_loads(struct building *b)
{
    char element[40];

    for (size_t i = 0; i < n_models; i++) {
        const struct defaults *d = NULL;

        if (model_speaks(&models[i], PROTOCOL_SCCP))
            d = find_defaults(b, models[i].type, PROTOCOL_SCCP);
        else if (model_speaks(&models[i], PROTOCOL_SIP))
            d = find_defaults(b, models[i].type, PROTOCOL_SIP);
        if (!d || !*d->load)
            continue;
        snprintf(element, sizeof(element), "loadInformation%u", models[i].type);
        xml_open(&b->xml, element);
        xml_attribute(&b->xml, "model", text_of(models[i].name));
        xml_text(&b->xml, text_of(d->load));
        xml_close(&b->xml);
    }
}

static int build_default_xml(struct building *b, struct writer *w)
{
    const struct autoregistration *a = default_allowed(b);

    if (!a)
        return -ENOENT;
    use_default_group(b, a);
    xml_begin(&b->xml, w);
    b->xml.whole = true;
    xml_open(&b->xml, "Default");
    write_members(b);
    write_default_loads(b);
    write_urls(b);
    xml_close(&b->xml);
    return w->bad ? -ENOSPC : 0;
}

/* --- the binary files of models that read nothing else ---
 *
 * Pairs of group and tag, then a value whose length the tag implies (reference provisioning.md 2;
 * only these are known): 1/1 index, 1/2 address, 1/3 port in little-endian, 4/7 directory URL, 1/ff
 * end. */
static void write_pair(struct writer *w, uint8_t group, uint8_t tag)
{
    write_u8(w, group);
    write_u8(w, tag);
}

static int write_binary(struct building *b, struct writer *w)
{
    struct member members[MEMBERS_MAX];
    size_t n = list_members(b, members), n_written = 0;
    const char *directory_url = use_string(b, SET_url_directories);

    for (size_t i = 0; i < n && n_written < 3; i++) {
        if (members[i].ip.family != 4)
            continue; /* a name has no place in it */
        write_pair(w, 1, 1);
        write_u8(w, (uint8_t)n_written++);
        write_pair(w, 1, 2);
        write_bytes(w, members[i].ip.bytes, 4);
        write_pair(w, 1, 3);
        write_le32(w, members[i].port);
    }
    if (*directory_url) {
        write_pair(w, 4, 7);
        write_string(w, directory_url);
        write_u8(w, 0);
    }
    write_pair(w, 1, 0xff);
    return w->bad ? -ENOSPC : 0;
}

enum { BUILD_ALL, BUILD_SELECTIVE, BUILD_NONE }; /* values of Build CNF Files */

static bool reads_binary_only(const struct model *m)
{
    return model_generations[m->generation].binary_file || m->generation == MODEL_GATEWAY ||
           m->type == 9;
}

static int build_phone_binary(struct building *b, const struct file_name *name, struct writer *w)
{
    const struct phone *phone = directory_phone(b->dir, text_of(name->device.s));
    const struct model *model = phone ? model_find((uint32_t)phone->model) : NULL;
    int32_t which = directory_number(b->dir, SET_build_cnf_files);

    if (!model || phone->protocol != PROTOCOL_SCCP || which == BUILD_NONE ||
        (which == BUILD_SELECTIVE && !reads_binary_only(model)))
        return -ENOENT;
    begin_phone(b, phone, model);
    return write_binary(b, w);
}

static int build_default_binary(struct building *b, struct writer *w)
{
    const struct autoregistration *a = default_allowed(b);

    if (!a || directory_number(b->dir, SET_build_cnf_files) == BUILD_NONE)
        return -ENOENT;
    use_default_group(b, a);
    return write_binary(b, w);
}

/* --- others --- */

/* The loader of a 7940 or 7960 compares this line with its own load: no blank and no line end may
 * follow. */
static int build_loader(struct building *b, struct writer *w)
{
    const struct defaults *d = find_defaults(b, 7, PROTOCOL_SCCP);

    if (!d || !*d->load)
        d = find_defaults(b, 8, PROTOCOL_SCCP);
    if (!d || !*d->load)
        return -ENOENT;
    write_string(w, d->load);
    return w->bad ? -ENOSPC : 0;
}

static bool is_ring(const char *file, bool wide)
{
    struct text t = text_of(file);

    if (t.len > 25)
        return false;
    return wide ? text_ends(t, ".rwb") : text_ends(t, ".raw") || text_ends(t, ".pcm");
}

static void write_ring(struct xml_writer *x, struct writer *w, bool as_lines, const char *file)
{
    struct text name = text_of(file);

    name.len -= strlen(".raw");
    if (as_lines) {
        write_text(w, name);
        write_u8(w, '\t');
        write_string(w, file);
        write_string(w, "\r\n");
        return;
    }
    xml_open(x, "Ring");
    xml_element(x, "DisplayName", name);
    xml_string(x, "FileName", file);
    xml_close(x);
}

/* The rings that lie in the root of the static tree; phones read fifty. */
static int build_rings(struct building *b, enum file_kind kind, struct writer *w)
{
    const struct phone_file_context *c = b->context;
    const char *file = NULL;
    bool as_lines = kind == FILE_RING_LIST_DAT;
    int n = 0;

    if (!as_lines) {
        xml_begin(&b->xml, w);
        xml_open(&b->xml, "CiscoIPPhoneRingList");
    }
    while (c->static_file && n < 50 && (file = c->static_file(c->context, file))) {
        if (!is_ring(file, kind == FILE_RING_LIST_WIDE))
            continue;
        write_ring(&b->xml, w, as_lines, file);
        n++;
    }
    if (!as_lines)
        xml_close(&b->xml);
    return !n ? -ENOENT : w->bad ? -ENOSPC : 0;
}

static int build_dial_rules(struct writer *w)
{
    struct xml_writer x;

    xml_begin(&x, w);
    xml_open(&x, "DialRules");
    xml_close(&x);
    return w->bad ? -ENOSPC : 0;
}

int phone_file_build(const struct directory *dir, const struct file_name *name,
                     const struct phone_file_context *c, struct writer *w)
{
    struct building b = {.dir = dir, .context = c};

    if (name->is_signed)
        return -ENOENT;
    switch (name->kind) {
    case FILE_PHONE_XML:
        return build_phone_xml(&b, name, w);
    case FILE_PHONE_BINARY:
        return build_phone_binary(&b, name, w);
    case FILE_DEFAULT_XML:
        return build_default_xml(&b, w);
    case FILE_DEFAULT_BINARY:
        return build_default_binary(&b, w);
    case FILE_LOADER:
        return build_loader(&b, w);
    case FILE_RING_LIST:
    case FILE_RING_LIST_WIDE:
    case FILE_RING_LIST_DISTINCTIVE:
    case FILE_RING_LIST_DAT:
        return build_rings(&b, name->kind, w);
    case FILE_SOFTKEYS:
        return softkey_file_build(dir, name->path, w);
    case FILE_DIAL_RULES:
        return build_dial_rules(w);
    case FILE_PLAIN:
    case FILE_PHONE_OTHER:
    case FILE_TRUST:
    case FILE_NEVER:
        break;
    }
    return -ENOENT;
}

const char *phone_file_name(const struct phone *phone, char to[static FILE_NAME_MAX + 1])
{
    const struct model *m = model_find((uint32_t)phone->model);
    struct device_name name = device_name_of(text_of(phone->name));
    const char *suffix = m && model_generations[m->generation].binary_file ? ".cnf" : ".cnf.xml";

    if (m && model_generations[m->generation].lower_mac) {
        for (char *at = name.s + strlen("SEP"); name.s[0] && *at; at++)
            *at = (char)tolower((unsigned char)*at);
    }
    snprintf(to, FILE_NAME_MAX + 1, "%s%s", name.s, suffix);
    return to;
}
