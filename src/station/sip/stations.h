/* stations.h - the SIP registrar of one signalling thread: Cisco phones and plain SIP clients.
 *
 * Messages, events and the time go in, effects come out; nothing here touches a socket or a clock.
 * A Cisco phone is known by its device name, never by its address (SIP-2, SCCP-3); a plain client
 * by its digest user and Contact. What SCCP and SIP stations share lies in station/registry.h. */
#pragma once

#include "station/keepalive.h"
#include "station/effects.h"
#include "station/sccp/stations.h"
#include "wire/sip/flow.h"

struct sip_stations;
struct registry;

struct sip_options {
    struct registry *registry; /* borrowed */
    size_t max_devices;        /* registered at once */
    size_t max_links;          /* connections */
    const uint8_t *secret;     /* 32 random bytes of this process: nonces, tags, branches */
};

struct sip_stations *
sip_stations_new(const struct sip_options *options); /* copies them; NULL without memory */
void sip_stations_free(struct sip_stations *s);

/* One datagram. Its effects never exceed EFFECTS_STEP and EFFECTS_STEP_BYTES. */
void sip_stations_datagram(struct sip_stations *s, const struct endpoint *peer,
                           const struct endpoint *local, const void *bytes, size_t len,
                           struct moment now, struct effects *e);
/* Whether somebody is registered by UDP from there, and has been for a second at least: who came just now repeats what
 * was answered meanwhile, as thousands do in a storm. Of a newcomer true now and then, too. */
bool sip_stations_knows(const struct sip_stations *s, const struct endpoint *peer, uint64_t now_ms);

/* A TCP or TLS connection; `subject` is the common name of the peer's certificate, or empty. 0, or
 * -ENOBUFS: close it. */
int sip_stations_open(struct sip_stations *s, uint64_t link, enum sip_transport transport,
                      const struct endpoint *peer, const struct endpoint *local,
                      struct text subject, struct moment now, struct effects *e);
/* As stations_input: takes bytes until the effects are full, returns how many. */
size_t sip_stations_input(struct sip_stations *s, uint64_t link, const uint8_t *bytes, size_t len,
                          struct moment now, struct effects *e);
/* As stations_closed. */
void sip_stations_closed(struct sip_stations *s, uint64_t link, int err, struct moment now,
                         struct effects *e);

uint64_t sip_stations_next(const struct sip_stations *s, uint64_t now_ms); /* as stations_next */
bool sip_stations_tick(struct sip_stations *s, struct moment now, struct effects *e);
/* Tokens of SIP have their highest bit set, those of SCCP never. */
void sip_stations_admitted(struct sip_stations *s, uint64_t token, int err, struct moment now,
                           struct effects *e);
/* As stations_activated. */
void sip_stations_activated(struct sip_stations *s, uint64_t token, int err, struct moment now,
                            struct effects *e);
/* As stations_order, by NOTIFY service-control; STATION_APPLY: apply-config. */
int sip_stations_order(struct sip_stations *s, struct device_name name, enum station_order order,
                       struct moment now, struct effects *e);
bool sip_stations_drop_all(struct sip_stations *s, struct moment now, struct effects *e);

const struct station *sip_stations_find(const struct sip_stations *s, struct device_name name);

/* Room for a text that is not kept as it came. */
struct sip_room {
    char bytes[512]; /* SIP_CONTACT_MAX */
};

/* What a person asks about a registered device: one row a line, or a contact of a plain client. */
struct sip_binding_view {
    struct text user;    /* of the address of record: the directory number */
    struct text contact; /* URI */
    struct sip_room room; /* where it may be */
    uint32_t expires_s;  /* left */
    struct sip_flow flow;
};
/* The i-th binding; false beyond the last. */
bool sip_stations_binding(const struct sip_stations *s, struct device_name name, size_t i,
                          struct moment now, struct sip_binding_view *ret);
/* How the refreshes of its first line come, and the link it has (0: UDP); false: it is not registered. */
bool sip_stations_watch(const struct sip_stations *s, struct device_name name, struct keepalive_watch *ret, uint64_t *link);
const struct station *sip_stations_next_registered(const struct sip_stations *s, size_t *cursor);
size_t sip_stations_registered(const struct sip_stations *s);
/* A device that speaks on this link, or NULL. */
const struct station *sip_stations_at(const struct sip_stations *s, uint64_t link);
size_t sip_stations_links(const struct sip_stations *s); /* connections */
