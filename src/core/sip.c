/* sip.c - what the configuration says of a SIP device. */
#include "core/sip.h"

#include <ctype.h>
#include <stdio.h>

#include "base/address.h"
#include "core/directory/records.h"
#include "core/directory/snapshot.h"
#include "core/models.h"
#include "core/settings.h"

/* Counts into every stamp: raised when this program writes other files from the same configuration,
 * so that phones fetch them. */
#define FILES_VERSION 1

/* --- profiles --- */

/* What the table gives when nothing is said: for a directory without the standard rows. */
static const void *what_the_table_gives(enum entity e)
{
    static _Thread_local union draft profile, security;
    union draft *d = e == ENTITY_sip_profile ? &profile : &security;

    draft_init(d, e);
    return d;
}

static const void *find_or(const struct directory *dir, enum entity e, const char *name,
                           const char *standard)
{
    const void *r = *name ? directory_find(dir, e, text_of(name)) : NULL;

    if (!r)
        r = directory_find(dir, e, text_of(standard));
    return r ? r : what_the_table_gives(e);
}

const struct sip_profile *sip_profile_of(const struct directory *dir, const struct phone *phone)
{
    return find_or(dir, ENTITY_sip_profile, phone->sip_profile, STANDARD_SIP_PROFILE);
}

const struct security_profile *security_profile_of(const struct directory *dir,
                                                   const struct phone *phone)
{
    static const char *const standards[] = {STANDARD_SCCP_SECURITY, STANDARD_SIP_SECURITY,
                                            STANDARD_THIRD_PARTY_SECURITY};

    return find_or(dir, ENTITY_security_profile, phone->security_profile,
                   standards[phone->protocol]);
}

/* --- digest --- */

const struct user *digest_user_of(const struct directory *dir, const struct phone *phone)
{
    const char *name = *phone->digest_user ? phone->digest_user : phone->owner;

    return *name ? directory_find(dir, ENTITY_user, text_of(name)) : NULL;
}

bool digest_credentials_of(const struct directory *dir, const struct user *user,
                           struct credentials *ret)
{
    return credentials_read(text_of(user->digest_password), ret) &&
           text_is(ret->realm, directory_string(dir, SET_sip_realm));
}

struct text digest_password_in_file(const struct directory *dir, const struct phone *phone)
{
    const struct user *user = digest_user_of(dir, phone);
    struct credentials c;

    if (user && security_profile_of(dir, phone)->digest_in_file &&
        digest_credentials_of(dir, user, &c))
        return c.password;
    return (struct text){};
}

/* --- contacts --- */

/* FNV-1a, 64 bits: public, so that every node makes the same; only lines of one phone must differ.
 */
static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return h;
}

#define MIX_START 0xcbf29ce484222325

static uint64_t mix_lower(uint64_t h, const char *s)
{
    for (; *s; s++) {
        char c = (char)tolower((unsigned char)*s);

        h = mix(h, &c, 1);
    }
    return mix(h, "", 1);
}

/* Each REGISTER asks for it: printf would take longer than the rest. */
static void put_hex(char *to, uint64_t n, int digits)
{
    while (digits-- > 0) {
        to[digits] = "0123456789abcdef"[n & 15];
        n >>= 4;
    }
}

const char *sip_contact_user(const struct phone *phone, const char *line,
                             char to[static SIP_CONTACT_LEN + 1])
{
    uint64_t a = mix_lower(mix_lower(MIX_START, phone->name), line);
    uint64_t b = mix_lower(mix_lower(~MIX_START, line), phone->name), node = b & 0xffffffffffff;
    struct mac mac;

    if (device_name_mac(device_name_of(text_of(phone->name)), &mac) == 0)
        node = mac_number(mac);
    put_hex(to, a >> 32, 8);
    put_hex(to + 9, a >> 16, 4);
    put_hex(to + 14, (a & 0xfff) | 0x8000, 4); /* version 8 */
    put_hex(to + 19, (b >> 48 & 0x3fff) | 0x8000, 4);
    put_hex(to + 24, node, 12);
    to[8] = to[13] = to[18] = to[23] = '-';
    to[SIP_CONTACT_LEN] = '\0';
    return to;
}

const struct phone_button *sip_button_of(const struct phone *phone, struct text contact_user)
{
    char contact[SIP_CONTACT_LEN + 1];

    for (unsigned i = 0; i < phone->n_buttons; i++) {
        const struct phone_button *b = &phone->buttons[i];
        struct text rest = text_of(b->target);

        if (b->feature != BUTTON_LINE || !*b->target)
            continue;
        if (contact_user.len == SIP_CONTACT_LEN
                ? text_equal_nocase(contact_user,
                                    text_of(sip_contact_user(phone, b->target, contact)))
                : text_equal_nocase(contact_user, text_split(&rest, '/')))
            return b;
    }
    return NULL;
}

bool sip_line_is_shared(const struct directory *dir, const char *line)
{
    const struct phone *first = *line ? directory_line_user(dir, text_of(line), "") : NULL;

    return first && directory_line_user(dir, text_of(line), first->name);
}

/* --- stamps --- */

bool sip_has_feature_policy(uint32_t model)
{
    const struct model *m = model_find(model);

    return m && (m->quirks & MODEL_FEATURE_POLICY);
}

const char *defaults_key(uint32_t model, enum device_protocol protocol, char to[static 64])
{
    char digits[12];
    const char *p = names_print(device_protocols, protocol);

    snprintf(to, 64, "%.40s/%s", model_print(model, digits), p ? p : "sccp");
    return to;
}

const struct defaults *defaults_of(const struct directory *dir, uint32_t model,
                                   enum device_protocol protocol)
{
    char key[64];

    return directory_find(dir, ENTITY_defaults, text_of(defaults_key(model, protocol, key)));
}

const struct dial_rules *dial_rules_of(const struct directory *dir, const struct phone *phone)
{
    return *phone->dial_rules ? directory_find(dir, ENTITY_dial_rules, text_of(phone->dial_rules))
                              : NULL;
}

const struct softkeys *softkeys_of(const struct directory *dir, const struct phone *phone)
{
    const struct device_pool *pool = directory_find(dir, ENTITY_device_pool, text_of(phone->pool));
    const char *name = *phone->softkeys          ? phone->softkeys
                       : pool && *pool->softkeys ? pool->softkeys
                                                 : STANDARD_SOFTKEYS;

    return directory_find(dir, ENTITY_softkeys, text_of(name));
}

/* A record that is not there, and one that has come or gone, count as well as one that has changed.
 */
static uint64_t mix_record(uint64_t h, const void *record)
{
    uint64_t stamp = record ? ((const struct record *)record)->stamp : 0;

    return mix(h, &stamp, sizeof(stamp));
}

static const void *find(const struct directory *dir, enum entity e, const char *key)
{
    return *key ? directory_find(dir, e, text_of(key)) : NULL;
}

/* What a phone's file says of a node. Descriptions and fingerprints are none of it: each node
 * writes them for itself. */
static uint64_t mix_member(uint64_t h, const struct callmanager *cm)
{
    const int32_t ports[] = {cm ? cm->sccp_port : 0, cm ? cm->sip_port : 0,
                             cm ? cm->sip_tls_port : 0};

    h = mix_lower(h, cm ? cm->server : "");
    return mix(h, ports, sizeof(ports));
}

/* Where phones register. */
static uint64_t mix_group(uint64_t h, const struct directory *dir,
                          const struct callmanager_group *group)
{
    h = mix_record(h, group);
    for (unsigned i = 0; group && i < group->n_members; i++)
        h = mix_member(h, find(dir, ENTITY_callmanager, group->members[i].callmanager));
    return h;
}

static uint64_t mix_lines(uint64_t h, const struct directory *dir, const struct phone *phone)
{
    for (unsigned i = 0; i < phone->n_buttons; i++) {
        const char *line = phone->buttons[i].target;
        bool shared;

        if (phone->buttons[i].feature != BUTTON_LINE)
            continue;
        shared = sip_line_is_shared(dir, line);
        h = mix(mix_record(h, find(dir, ENTITY_line, line)), &shared, sizeof(shared));
    }
    return h;
}

static uint64_t start(void)
{
    uint64_t files = FILES_VERSION;

    return mix(MIX_START, &files, sizeof(files));
}

static uint64_t config_stamp(const struct directory *dir, const struct phone *phone)
{
    const struct device_pool *pool = find(dir, ENTITY_device_pool, phone->pool);
    uint64_t h = start();

    h = mix(h, &dir->settings_stamp, sizeof(dir->settings_stamp));
    h = mix_record(h, phone);
    h = mix_record(h, pool);
    h = mix_record(h, pool ? find(dir, ENTITY_datetime, pool->datetime) : NULL);
    h = mix_group(h, dir, pool ? find(dir, ENTITY_callmanager_group, pool->group) : NULL);
    h = mix_record(h, sip_profile_of(dir, phone));
    h = mix_record(h, security_profile_of(dir, phone));
    h = mix_record(h, defaults_of(dir, (uint32_t)phone->model, phone->protocol));
    h = mix_record(h, find(dir, ENTITY_template, phone->template));
    h = mix_record(h, digest_user_of(dir, phone));
    return mix_lines(h, dir, phone);
}

static void print_stamp(uint64_t h, sip_stamp to)
{
    snprintf(to, SIP_STAMP_LEN + 1, "%016llx", (unsigned long long)h);
}

void sip_file_stamp(const void *record, sip_stamp to)
{
    print_stamp(mix_record(start(), record), to);
}

void sip_stamps(const struct directory *dir, const struct phone *phone, struct sip_stamps *ret)
{
    const void *dial = dial_rules_of(dir, phone), *softkeys = softkeys_of(dir, phone);

    *ret = (struct sip_stamps){0};
    print_stamp(config_stamp(dir, phone), ret->config);
    if (dial)
        sip_file_stamp(dial, ret->dialplan);
    if (softkeys)
        sip_file_stamp(softkeys, ret->softkeys);
    if (sip_has_feature_policy((uint32_t)phone->model))
        sip_file_stamp(NULL, ret->features);
}
