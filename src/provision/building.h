/* building.h - a file while it is made: what it is made from, and where phones are told to register. Inside
 * of phone_files. */
#pragma once

#include "core/models.h"
#include "core/settings.h"
#include "provision/phone_files.h"
#include "wire/xml.h"

#define MEMBERS_MAX 5 /* phones read three, later ones five */

struct building {
    const struct directory *dir;
    const struct phone_file_context *context;
    const struct phone *phone; /* NULL in the default file */
    const struct model *model; /* the same */
    const struct device_pool *pool;
    const struct callmanager_group *group;
    const struct datetime *datetime;
    uint64_t version; /* of the newest record that was used, the phone's own left aside */
    struct xml_writer xml;
};

/* A record, or NULL; and its version counts. */
const void *building_use(struct building *b, enum entity e, const char *key);
const char *building_string(struct building *b, enum setting s);
int32_t building_number(struct building *b, enum setting s);
const struct defaults *building_defaults(struct building *b, uint32_t model, enum device_protocol protocol);
void building_use_pool(struct building *b, const char *pool); /* and its group and date/time group */
/* IANA zone of the date/time group, else the server's. */
const char *building_time_zone(const struct building *b);
void building_begin_phone(struct building *b, const struct phone *phone, const struct model *model);

/* A CallManager of the group. */
struct member {
    const char *name; /* host name, when no address is known */
    struct ip ip;
    uint16_t port, sip_port, sip_tls_port;
};

/* By priority; returns how many. A group without a usable member gives this node, as a phone without any
 * server would do nothing at all. */
size_t building_members(struct building *b, struct member members[static MEMBERS_MAX]);
void building_write_members(struct building *b); /* callManagerGroup */

/* phone_xml.c: the file of b->phone. 0, -ENOSPC. */
int phone_xml_write(struct building *b, struct writer *w);
void phone_xml_write_urls(struct building *b); /* also in the default file */
