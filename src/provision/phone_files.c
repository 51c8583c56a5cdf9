/* phone_files.c - which file is asked for; and all of them but a phone's own XML. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "provision/building.h"
#include "provision/sip_files.h"
#include "provision/softkey_files.h"

const char *phone_file_load(const struct directory *dir, const struct phone *phone)
{
    struct building b = {.dir = dir};
    const struct defaults *d;

    if (*phone->load)
        return phone->load;
    d = building_defaults(&b, (uint32_t)phone->model, phone->protocol);
    return d ? d->load : "";
}

/* Devices of other makers are set up by their owners: there is no file for them. */
static int build_phone_xml(struct building *b, const struct file_name *name, struct writer *w)
{
    const struct phone *phone = directory_phone(b->dir, text_of(name->device.s));
    const struct model *model = phone ? model_find((uint32_t)phone->model) : NULL;

    if (!model || phone->protocol == PROTOCOL_SIP_THIRD_PARTY || !model_speaks(model, phone->protocol))
        return -ENOENT;
    building_begin_phone(b, phone, model);
    return phone_xml_write(b, w);
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

    building_use_pool(b, a && *a->pool ? a->pool : "Default");
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
    enum device_protocol liked = building_number(b, SET_autoregistration_protocol) ? PROTOCOL_SIP : PROTOCOL_SCCP;
    enum device_protocol other = liked == PROTOCOL_SIP ? PROTOCOL_SCCP : PROTOCOL_SIP;
    char element[40];

    for (size_t i = 0; i < n_models; i++) {
        const struct defaults *d = NULL;

        if (model_speaks(&models[i], liked))
            d = building_defaults(b, models[i].type, liked);
        else if (model_speaks(&models[i], other))
            d = building_defaults(b, models[i].type, other);
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
    building_write_members(b);
    write_default_loads(b);
    phone_xml_write_urls(b);
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
    size_t n = building_members(b, members), n_written = 0;
    const char *directory_url = building_string(b, SET_url_directories);

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
    building_begin_phone(b, phone, model);
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

/* --- the text files of 7940 and 7960 with a SIP load --- */

static bool reads_text(const struct phone *phone)
{
    const struct model *model = model_find((uint32_t)phone->model);

    return model && model->generation == MODEL_7940 && phone->protocol == PROTOCOL_SIP;
}

static int build_phone_text(struct building *b, const struct file_name *name, struct writer *w)
{
    const struct phone *phone = directory_phone(b->dir, text_of(name->device.s));

    if (!phone || !reads_text(phone))
        return -ENOENT;
    building_begin_phone(b, phone, model_find((uint32_t)phone->model));
    return sip_text_phone(b, w);
}

/* Phones ask for it whoever they are; what it says of servers holds until their own file says otherwise. */
static int build_default_text(struct building *b, struct writer *w)
{
    use_default_group(b, open_door(b));
    return sip_text_default(b, w);
}

/* --- others --- */

/* The loader of a 7940 or 7960 compares this line with its own load: no blank and no line end may
 * follow. A phone that is known by its address is told its own load, SCCP or SIP. */
static int build_loader(struct building *b, struct writer *w)
{
    const struct defaults *d = building_defaults(b, 7, PROTOCOL_SCCP);
    const char *asker = b->context->asker.s;
    const struct phone *phone = *asker ? directory_phone(b->dir, text_of(asker)) : NULL;

    if (phone && *phone_file_load(b->dir, phone)) {
        write_string(w, phone_file_load(b->dir, phone));
        return w->bad ? -ENOSPC : 0;
    }

    if (!d || !*d->load)
        d = building_defaults(b, 8, PROTOCOL_SCCP);
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
    case FILE_DIAL_TEMPLATE:
        return dial_file_build(dir, name->path, w);
    case FILE_FEATURE_POLICY:
        return feature_policy_build(w);
    case FILE_PHONE_TEXT:
        return build_phone_text(&b, name, w);
    case FILE_DEFAULT_TEXT:
        return build_default_text(&b, w);
    case FILE_SYNC:
        return sync_file_build(w);
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

    if (reads_text(phone)) {
        snprintf(to, FILE_NAME_MAX + 1, "SIP%s.cnf", name.s + strlen("SEP"));
        return to;
    }
    if (m && model_generations[m->generation].lower_mac) {
        for (char *at = name.s + strlen("SEP"); name.s[0] && *at; at++)
            *at = (char)tolower((unsigned char)*at);
    }
    snprintf(to, FILE_NAME_MAX + 1, "%s%s", name.s, suffix);
    return to;
}
