/* phone_xml.c - SEP<MAC>.cnf.xml: the parts are the rows of a table, each for some generations of phones. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/map.h"
#include "core/cluster/spread.h"
#include "core/dates.h"
#include "core/locales.h"
#include "provision/sip_files.h"

static void write_full(struct building *b)
{
    xml_string(&b->xml, "fullConfig", "true");
}

static void write_protocol(struct building *b)
{
    xml_string(&b->xml, "deviceProtocol", b->phone->protocol == PROTOCOL_SIP ? "SIP" : "SCCP");
}

static void write_ntps(struct building *b)
{
    struct text rest = text_of(b->datetime->ntp);

    xml_open(&b->xml, "ntps");
    while (rest.at) {
        struct text server = text_trim(text_split(&rest, ','));

        if (!server.len)
            continue;
        xml_open(&b->xml, "ntp");
        xml_element(&b->xml, "name", server);
        xml_string(&b->xml, "ntpMode", "unicast");
        xml_close(&b->xml);
    }
    xml_close(&b->xml);
}

static void write_date(struct building *b)
{
    char template[DATE_TEMPLATE_MAX];

    xml_open(&b->xml, "dateTimeSetting");
    xml_string(&b->xml, "dateTemplate", date_template(b->datetime, template));
    xml_string(&b->xml, "timeZone", time_zone_of_phones(text_of(building_time_zone(b))));
    if (b->phone->protocol == PROTOCOL_SIP && b->datetime && *b->datetime->ntp)
        write_ntps(b); /* SCCP phones are told the time */
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
    if (b->phone->protocol == PROTOCOL_SIP) {
        xml_string(&b->xml, "sipIpAddr1", srst);
        xml_number(&b->xml, "sipPort1", 5060);
        xml_string(&b->xml, "isSecure", "false");
    }
    xml_close(&b->xml);
}

static void write_pool(struct building *b)
{
    int32_t monitor = b->pool ? b->pool->connection_monitor : -1;

    xml_open(&b->xml, "devicePool");
    write_date(b);
    building_write_members(b);
    if (b->model->generation == MODEL_JAVA || b->model->generation == MODEL_LATER ||
        b->model->generation == MODEL_WIRELESS || b->model->generation == MODEL_SIP_ONLY)
        write_srst(b);
    xml_number(&b->xml, "connectionMonitorDuration",
               (uint64_t)(monitor >= 0 ? monitor : building_number(b, SET_connection_monitor_duration)));
    xml_close(&b->xml);
}

static void write_load(struct building *b)
{
    const struct defaults *d = building_defaults(b, b->model->type, b->phone->protocol);

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
    if (sip_has_feature_policy(b->model->type))
        write_vendor_default(b, "softKeyControl", 1); /* the softkey file counts */
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

#define STAMP_DIGITS 16

static uint64_t newest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* As the registrar quotes it; without the braces that it puts around. */
static void write_sip_stamp(struct building *b)
{
    struct sip_stamps stamps;

    sip_stamps(b->dir, b->phone, &stamps);
    xml_string(&b->xml, "versionStamp", stamps.config);
}

/* The stamp alone differs between phones that are alike: whoever wants to make it anew is told where it is. */
static void write_stamp(struct building *b)
{
    static const char before[] = "{";
    char stamp[STAMP_DIGITS + 3];

    if (b->phone->protocol == PROTOCOL_SIP) {
        write_sip_stamp(b);
        return;
    }
    snprintf(stamp, sizeof(stamp), "%s%016llx}", before,
             (unsigned long long)newest(b->version, b->phone->record.version));
    xml_string(&b->xml, "versionStamp", stamp);
    if (b->context->stamp) {
        b->context->stamp->offset = writer_len(b->xml.to) - strlen("</versionStamp>") - strlen(stamp) + strlen(before);
        b->context->stamp->version = b->version;
    }
}

void phone_file_restamp(uint8_t *bytes, const struct phone_file_stamp *stamp, const struct phone *phone)
{
    char digits[STAMP_DIGITS + 1];

    if (!stamp->offset)
        return;
    snprintf(digits, sizeof(digits), "%016llx",
             (unsigned long long)newest(stamp->version, phone->record.version));
    memcpy(bytes + stamp->offset, digits, STAMP_DIGITS);
}

static uint64_t hash_text(const char *s)
{
    return hash_bytes(s, strlen(s));
}

/* Its servers, in its own order. */
static uint64_t hash_servers(const struct directory *dir, const struct phone *p)
{
    const struct device_pool *pool =
        *p->pool ? directory_find(dir, ENTITY_device_pool, text_of(p->pool)) : NULL;
    uint8_t order[GROUP_MEMBERS_MAX];
    size_t n = spread_order(
        pool ? directory_find(dir, ENTITY_callmanager_group, text_of(pool->group)) : NULL, p->name, order);

    return hash_bytes(order, n);
}

/* Every field of a phone that a part below, or the choice of the parts, looks at. A SIP phone's file has its lines
 * in it: it is like no other. */
uint64_t phone_file_likeness(const struct directory *dir, const struct phone *p)
{
    if (p->protocol != PROTOCOL_SCCP)
        return hash_text(p->name);
    uint64_t words[] = {
        (uint64_t)p->model,        p->protocol,  p->delayed_failover, hash_text(p->pool),           hash_text(p->load),
        hash_text(p->vendor_config), hash_text(p->user_locale), hash_text(p->network_locale),
        hash_servers(dir, p),
    };

    return hash_bytes(words, sizeof(words));
}

#define GENERATION(g) (1u << MODEL_##g)
#define OLD                                                                                        \
    (GENERATION(7910) | GENERATION(7940) | GENERATION(7905) | GENERATION(CONFERENCE) |             \
     GENERATION(BUTTONS))
#define NEW                                                                                        \
    (GENERATION(JAVA) | GENERATION(WIRELESS) | GENERATION(LATER) | GENERATION(SOFT) | GENERATION(SIP_ONLY))
/* Those that read the profile from XML; 7940, 7960 have text files, 7905 and ATA a format that is not known here. */
#define SIP_XML (GENERATION(JAVA) | GENERATION(LATER) | GENERATION(SOFT) | GENERATION(SIP_ONLY))
#define BOTH    (MODEL_SCCP | MODEL_SIP)
#define EVERY (OLD | NEW | GENERATION(SPA) | GENERATION(ATA) | GENERATION(GATEWAY))

static const char *first_of(const char *a, const char *b, const char *c)
{
    return *a ? a : *b ? b : c;
}

/* The numbers are CallManager's for the built-in ones; of others phones look at the name alone. */
static void write_locale_row(struct building *b, const char *name, const char *built_in, unsigned uid)
{
    char number[12] = "";

    xml_string(&b->xml, "name", name);
    if (!strcmp(name, built_in))
        snprintf(number, sizeof(number), "%u", uid);
    xml_string(&b->xml, "uid", number);
}

/* A phone of the later generations fetches its dictionary again when the version is another. */
static void write_locales(struct building *b)
{
    const char *user = first_of(b->phone->user_locale, b->pool ? b->pool->user_locale : "", USER_LOCALE_BUILT_IN);
    const char *network =
        first_of(b->phone->network_locale, b->pool ? b->pool->network_locale : "", NETWORK_LOCALE_BUILT_IN);
    struct locale_words words = locale_words_of(user);
    bool versions = NEW & 1u << b->model->generation;

    xml_open(&b->xml, "userLocale");
    if (versions)
        write_locale_row(b, user, USER_LOCALE_BUILT_IN, 1);
    else
        xml_string(&b->xml, "name", user);
    xml_string(&b->xml, "langCode", words.code);
    if (versions) {
        xml_string(&b->xml, "version", building_string(b, SET_locale_version));
        xml_string(&b->xml, "winCharSet", words.charset);
    }
    xml_close(&b->xml);
    xml_string(&b->xml, "networkLocale", network);
    if (!versions)
        return;
    xml_open(&b->xml, "networkLocaleInfo");
    write_locale_row(b, network, NETWORK_LOCALE_BUILT_IN, 64);
    xml_string(&b->xml, "version", building_string(b, SET_locale_version));
    xml_close(&b->xml);
}

static void write_security(struct building *b)
{
    unsigned mode = b->phone->protocol == PROTOCOL_SIP ? security_profile_of(b->dir, b->phone)->device_security_mode : 0;

    xml_number(&b->xml, "deviceSecurityMode", 1 + mode);
}

/* Empty elements are written: left out, a phone keeps what it had. */
void phone_xml_write_urls(struct building *b)
{
    xml_number(&b->xml, "idleTimeout", (uint64_t)building_number(b, SET_url_idle_time));
    xml_string(&b->xml, "authenticationURL", building_string(b, SET_url_authentication));
    xml_string(&b->xml, "directoryURL", building_string(b, SET_url_directories));
    xml_string(&b->xml, "idleURL", building_string(b, SET_url_idle));
    xml_string(&b->xml, "informationURL", building_string(b, SET_url_information));
    xml_string(&b->xml, "messagesURL", building_string(b, SET_url_messages));
    xml_string(&b->xml, "proxyServerURL", building_string(b, SET_phone_proxy));
    xml_string(&b->xml, "servicesURL", building_string(b, SET_url_services));
}

/* TOS octets, not DSCP numbers, as CallManager writes them. */
static void write_dscp(struct building *b)
{
    xml_number(&b->xml, "dscpForSCCPPhoneConfig", (uint64_t)building_number(b, SET_dscp_phone_configuration) << 2);
    xml_number(&b->xml, "dscpForSCCPPhoneServices", (uint64_t)building_number(b, SET_dscp_phone_services) << 2);
    xml_number(&b->xml, "dscpForCm2Dvce", (uint64_t)building_number(b, SET_dscp_callmanager_to_device) << 2);
}

static void write_certificates(struct building *b)
{
    xml_number(&b->xml, "capfAuthMode", 0);
    xml_string(&b->xml, "capfList", "");
    xml_string(&b->xml, "certHash", "");
    xml_string(&b->xml, "encrConfig", "false");
}


/* In the order of the original's files. The URLs take settings whose change must change the stamp,
 * which comes before them: `resolve_all` has read them by then. */
static const struct part {
    void (*write)(struct building *b);
    uint32_t generations;
    uint8_t protocols;
} parts[] = {
    {write_full, SIP_XML, MODEL_SIP},
    {write_protocol, EVERY, BOTH},
    {write_pool, EVERY, BOTH},
    {sip_write_profile, SIP_XML, MODEL_SIP},
    {sip_write_feature_policy_name, SIP_XML, MODEL_SIP},
    {sip_write_missed_calls, SIP_XML, MODEL_SIP},
    {write_prime_line, GENERATION(LATER), MODEL_SCCP},
    {write_common_profile, GENERATION(JAVA) | GENERATION(LATER) | GENERATION(SIP_ONLY), BOTH},
    {write_load, EVERY, BOTH},
    {write_vendor_config, NEW | GENERATION(7940) | GENERATION(CONFERENCE), BOTH},
    {write_stamp, EVERY, BOTH},
    {write_locales, EVERY & ~GENERATION(BUTTONS), BOTH},
    {write_security, NEW | GENERATION(7940) | GENERATION(7905), BOTH},
    {phone_xml_write_urls, EVERY & ~GENERATION(BUTTONS), BOTH},
    {sip_write_transport, SIP_XML, MODEL_SIP},
    {write_dscp, EVERY & ~(GENERATION(BUTTONS) | GENERATION(SPA)), BOTH},
    {write_certificates, NEW, BOTH},
};

static void write_parts(struct building *b)
{
    xml_open(&b->xml, "device");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if ((parts[i].generations & (1u << b->model->generation)) && (parts[i].protocols & (1u << b->phone->protocol)))
            parts[i].write(b);
    }
    xml_close(&b->xml);
}

/* Records that stand behind the version stamp: those before it are known by then, these are not. */
static void resolve_all(struct building *b)
{
    static const enum setting behind[] = {
        SET_url_idle_time,   SET_url_authentication,       SET_url_directories,     SET_url_idle,
        SET_url_information, SET_url_messages,             SET_phone_proxy,         SET_url_services,
        SET_dscp_phone_configuration, SET_dscp_phone_services, SET_dscp_callmanager_to_device,
        SET_locale_version};

    for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
        building_use(b, ENTITY_parameter, setting_rows[behind[i]].id);
}

int phone_xml_write(struct building *b, struct writer *w)
{
    resolve_all(b);
    xml_begin(&b->xml, w);
    b->xml.whole = true;
    if (b->model->generation == MODEL_SPA && b->phone->protocol == PROTOCOL_SIP)
        sip_write_flat_profile(b);
    else
        write_parts(b);
    return w->bad ? -ENOSPC : 0;
}
