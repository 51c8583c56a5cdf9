/* file_guard.h - who may have which device's file, and who asks for too many (TFTP-6).
 *
 * A lease or a registration ties a device to an address. A client that asks for the files of many
 * devices that are not its own, or do not exist, is answered one at a time, whatever the answer is:
 * neither words nor time tell 'not yours' from 'not there'. Memory is bounded: the clients watched
 * longest ago are forgotten. */
#pragma once

#include "base/address.h"

struct file_guard;

enum file_policy { FILE_POLICY_OPEN, FILE_POLICY_WARN, FILE_POLICY_STRICT }; /* values of the setting */
enum binding_source { BOUND_BY_LEASE, BOUND_BY_REGISTRATION, N_BINDING_SOURCES };

struct file_guard_settings {
    enum file_policy policy;
    uint32_t names_limit; /* a minute; 0: none */
    uint32_t delay_ms;    /* between answers to a client beyond it */
};

struct file_judgement {
    bool refuse;       /* answer as if there were no such file */
    bool warn;         /* served, but the device is tied to another address; true at most once a minute and device */
    bool too_many;     /* the client has just passed the limit: raise the alarm */
    bool busy;         /* so many of its answers wait already that this one is not worth a place */
    uint32_t delay_ms; /* hold the answer back */
    uint32_t names;    /* of devices it asked for in this minute */
};

struct file_guard *file_guard_new(void); /* NULL without memory */
void file_guard_free(struct file_guard *g);
void file_guard_set(struct file_guard *g, const struct file_guard_settings *settings);

/* A device has, or no longer has, this address. */
void file_guard_bind(struct file_guard *g, struct device_name device, struct ip ip, enum binding_source by,
                     bool gone);
/* The device whose address this is; "" when none is, or several. */
struct device_name file_guard_owner(const struct file_guard *g, struct ip ip);
size_t file_guard_count(const struct file_guard *g); /* devices tied to an address */

/* A client asks for a file of that device. `exists`: the directory knows the device. */
struct file_judgement file_guard_judge(struct file_guard *g, uint64_t now_ms, struct ip client,
                                       struct device_name device, bool exists);
