/* building.c - records with their versions, and the members of a group as addresses. */
#include "provision/building.h"

#include "core/cluster/spread.h"
#include "core/sip.h"

/* --- what a file is made from --- */

const void *building_use(struct building *b, enum entity e, const char *key)
{
    const struct record *r = *key ? directory_find(b->dir, e, text_of(key)) : NULL;

    if (r && r->version > b->version)
        b->version = r->version;
    return r;
}

const char *building_string(struct building *b, enum setting s)
{
    building_use(b, ENTITY_parameter, setting_rows[s].id);
    return directory_string(b->dir, s);
}

int32_t building_number(struct building *b, enum setting s)
{
    building_use(b, ENTITY_parameter, setting_rows[s].id);
    return directory_number(b->dir, s);
}

const struct defaults *building_defaults(struct building *b, uint32_t model,
                                         enum device_protocol protocol)
{
    char key[64];

    return building_use(b, ENTITY_defaults, defaults_key(model, protocol, key));
}

void building_use_pool(struct building *b, const char *pool)
{
    b->pool = building_use(b, ENTITY_device_pool, pool);
    if (!b->pool)
        return;
    b->group = building_use(b, ENTITY_callmanager_group, b->pool->group);
    b->datetime = building_use(b, ENTITY_datetime, b->pool->datetime);
}

const char *building_time_zone(const struct building *b)
{
    if (b->datetime && *b->datetime->time_zone)
        return b->datetime->time_zone;
    return b->context->time_zone ? b->context->time_zone : "UTC";
}

void building_begin_phone(struct building *b, const struct phone *phone, const struct model *model)
{
    b->phone = phone;
    b->model = model;
    building_use_pool(b, phone->pool);
}

/* --- where to register --- */

static bool is_this_node(const struct building *b, const char *name)
{
    const char *node = b->context->node_name;

    return !*name || text_equal_nocase(text_of(name), TEXT("localhost")) ||
           (node && text_equal_nocase(text_of(name), text_of(node)));
}

/* Node names are written as addresses: phones without DNS would not find them (CLUS-2). */
static struct member member_of(struct building *b, const struct callmanager *cm)
{
    const struct server_node *server = building_use(b, ENTITY_server_node, cm->server);
    const char *name = server ? server->name : cm->server;
    struct member m = {.name = name,
                       .port = (uint16_t)cm->sccp_port,
                       .sip_port = (uint16_t)cm->sip_port,
                       .sip_tls_port = (uint16_t)cm->sip_tls_port};

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

size_t building_members(struct building *b, struct member members[static MEMBERS_MAX])
{
    uint8_t order[GROUP_MEMBERS_MAX];
    size_t n = 0, n_group = spread_order(b->group, b->phone ? b->phone->name : "", order);

    for (size_t i = 0; i < n_group && n < MEMBERS_MAX; i++) {
        const struct callmanager *cm =
            building_use(b, ENTITY_callmanager, b->group->members[order[i]].callmanager);

        if (cm)
            members[n++] = member_of(b, cm);
    }
    if (!n && b->context->local.family)
        members[n++] = (struct member){
            .ip = b->context->local, .port = 2000, .sip_port = 5060, .sip_tls_port = 5061};
    return n;
}

void building_write_members(struct building *b)
{
    struct member members[MEMBERS_MAX];
    size_t n = building_members(b, members);
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
        if (!b->phone || b->phone->protocol != PROTOCOL_SCCP) {
            xml_number(x, "sipPort", members[i].sip_port);
            xml_number(x, "securedSipPort", members[i].sip_tls_port);
        }
        xml_close(x);
        xml_string(x, "processNodeName",
                   members[i].ip.family ? ip_print(members[i].ip, address) : members[i].name);
        xml_close(x);
        xml_close(x);
    }
    xml_close(x);
    xml_close(x);
}
