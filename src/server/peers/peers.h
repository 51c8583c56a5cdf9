/* peers.h - the links of this node to the other nodes of its cluster, on the signalling thread.
 *
 * Each node opens a connection to every other; on it says who it is, which devices are registered
 * here, and that it lives. What must be known of another node is known through these functions
 * alone. */
#pragma once

#include "core/cluster/homes.h"
#include "core/cluster/members.h"
#include "server/signalling/signalling.h"

struct peers;

/* Nothing is opened while the node is alone. NULL without memory. */
struct peers *peers_new(struct signalling *s);
void peers_stop(struct peers *p, void (*done)(void *context), void *context); /* frees it later */

/* The directory is another: members may have come and gone. */
void peers_update(struct peers *p);
/* A device has registered here, or is gone. */
void peers_tell(struct peers *p, struct device_name device, struct ip ip, bool gone);
/* The other node at which the device is registered, and its address there; NULL: at none that is known. */
const char *peers_elsewhere(const struct peers *p, struct device_name device, struct ip *ret);

/* Of the authority of our certificates: what other nodes must know of this one; "": there is none. */
const char *peers_fingerprint(struct peers *p);
/* Connections from now on are shown the certificates that lie in the data folder now. */
void peers_certificates_reload(struct peers *p);

const char *peers_why(const struct peers *p, size_t member); /* it is not linked; "": not known */
const struct members *peers_members(const struct peers *p);
bool peers_set_draining(struct peers *p, bool on); /* true when that is new */
bool peers_is_member(const struct peers *p, const struct callmanager_group *group); /* this node */
/* Another node of the group of this device is up and takes phones. */
bool peers_has_other_home(const struct peers *p, const struct callmanager_group *group);
