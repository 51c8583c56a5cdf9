/* factory.c - what a new node starts with: the records that the original ships. */
#include <stdio.h>

#include "base/log.h"
#include "core/directory/change.h"
#include "core/directory/draft.h"
#include "core/directory/snapshot.h"
#include "core/models.h"

static void put(struct change *c, enum entity e, const char *key)
{
    change_put(c, e, text_of(key));
}

static void set(struct change *c, const char *field, const char *value)
{
    change_field(c, text_of(field), text_of(value));
}

/* Contents of CallManager 4.1 (reference sccp.md 4.3). */
static const char *const standard_softkeys[] = {
    "on_hook",
    "Redial NewCall CFwdAll",
    "connected",
    "Hold EndCall Trnsfer Park Confrn ConfList Select Join DirTrfr VidMode",
    "on_hold",
    "Resume NewCall DirTrfr Select Join",
    "ring_in",
    "Answer",
    "off_hook",
    "Redial EndCall CFwdAll PickUp GPickUp MeetMe",
    "connected_transfer",
    "EndCall Trnsfer",
    "digits_after_first",
    "<< EndCall",
    "connected_conference",
    "EndCall Confrn",
    "ring_out",
    "EndCall",
    "off_hook_feature",
    "Redial EndCall",
    "in_use_hint",
    "Barge NewCall",
};

static void add_softkeys(struct change *c)
{
    put(c, ENTITY_softkeys, STANDARD_SOFTKEYS);
    set(c, "description", "Standard softkeys");
    change_list(c, TEXT("sets"));
    for (size_t i = 0; i < sizeof(standard_softkeys) / sizeof(standard_softkeys[0]); i += 2) {
        change_item(c);
        set(c, "state", standard_softkeys[i]);
        set(c, "keys", standard_softkeys[i + 1]);
    }
}

/* Keys that may be anything are two lines, then speed dials, as in the templates that the original
 * ships. */
static void add_template(struct change *c, const struct model *m, const char *name)
{
    uint8_t features[MODEL_KEYS_MAX];
    size_t n = model_buttons(m, features, sizeof(features));
    unsigned n_lines = 0;

    put(c, ENTITY_template, name);
    set(c, "model", m->name);
    change_list(c, TEXT("buttons"));
    for (size_t i = 0; i < n; i++) {
        uint8_t feature = features[i];
        const char *word;

        if (feature == MODEL_ANY_KEY)
            feature = n_lines < 2 && n_lines < m->max_lines ? BUTTON_LINE : BUTTON_SPEED_DIAL;
        n_lines += feature == BUTTON_LINE;
        word = names_print(button_features, feature);
        change_item(c);
        set(c, "feature", word ? word : "unused");
    }
}

static void add_model(struct change *c, const struct model *m)
{
    static const struct {
        enum device_protocol protocol;
        const char *word;
    } kinds[] = {{PROTOCOL_SCCP, "SCCP"}, {PROTOCOL_SIP, "SIP"}, {PROTOCOL_SIP_THIRD_PARTY, "SIP"}};
    char template[100], name[50];

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!model_speaks(m, kinds[i].protocol))
            continue;
        snprintf(template, sizeof(template), "Standard %s %s", m->name, kinds[i].word);
        snprintf(name, sizeof(name), "%s/%s", m->name,
                 names_print(device_protocols, kinds[i].protocol));
        if (*m->keys)
            add_template(c, m, template);
        put(c, ENTITY_defaults, name);
        if (*m->keys)
            set(c, "template", template);
    }
}

static void add_node(struct change *c, struct text node_name, struct text node_address)
{
    struct text address = node_address.len ? node_address : node_name;

    change_put(c, ENTITY_server_node, address);
    change_field(c, TEXT("description"), node_name);
    change_put(c, ENTITY_callmanager, node_name);
    change_field(c, TEXT("server"), address);
    change_put(c, ENTITY_autoregistration, node_name);
    put(c, ENTITY_callmanager_group, "Default");
    set(c, "autoregistration", "true");
    change_list(c, TEXT("members"));
    change_item(c);
    change_field(c, TEXT("callmanager"), node_name);
}

/* A third-party device is known by its digest user and nothing else, so it has to prove who it is. */
static void add_profiles(struct change *c)
{
    put(c, ENTITY_sip_profile, STANDARD_SIP_PROFILE);
    put(c, ENTITY_security_profile, STANDARD_SCCP_SECURITY);
    set(c, "protocol", "sccp");
    put(c, ENTITY_security_profile, STANDARD_SIP_SECURITY);
    put(c, ENTITY_security_profile, STANDARD_THIRD_PARTY_SECURITY);
    set(c, "protocol", "sip-third-party");
    set(c, "digest_authentication", "true");
}

static void add_system(struct change *c)
{
    put(c, ENTITY_datetime, "CMLocal");
    put(c, ENTITY_region, "Default");
    put(c, ENTITY_location, "Hub_None");
    add_softkeys(c);
    add_profiles(c);
    put(c, ENTITY_device_pool, "Default");
    set(c, "softkeys", STANDARD_SOFTKEYS);
}

const struct directory *directory_empty(void)
{
    return directory_fork(NULL, 1);
}

const struct directory *directory_as_version(const struct directory *dir, uint64_t version)
{
    return directory_fork(dir, version);
}

const struct directory *directory_factory(struct text node_name, struct text node_address)
{
    const struct directory *dir = directory_empty();
    struct change *c = change_new();
    char error[SENTENCE_MAX] = "no memory";

    add_node(c, node_name, node_address);
    add_system(c);
    for (size_t i = 0; i < n_models; i++) {
        if (model_is_phone(&models[i]) && models[i].generation != MODEL_GATEWAY)
            add_model(c, &models[i]);
    }
    if (!dir || directory_change(&dir, c, error, sizeof(error)) < 0) {
        log_error("directory", "cannot make the first directory: %s", error);
        directory_unref(dir);
        dir = NULL;
    }
    change_free(c);
    return dir;
}
