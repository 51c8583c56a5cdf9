/* registry_own.h - the registry as the cores that keep stations see it; private to src/station. */
#pragma once

#include "base/map.h"
#include "core/settings.h"
#include "station/calendar.h"
#include "station/effects.h"
#include "station/flapping.h"
#include "station/pace.h"
#include "station/registry.h"

#define N_PROTOCOLS (PROTOCOL_SIP_THIRD_PARTY + 1)

/* What of phones is spread over time: refreshes of a SIP phone's first line; those of its others and
 * of plain clients; keepalives over SCCP. */
enum calendar_id { CALENDAR_REFRESHES, CALENDAR_CONTACTS, CALENDAR_KEEPALIVES, N_CALENDARS };

/* What differs between the stations of one protocol and another. */
struct station_kind {
    const char *topic;    /* of log lines */
    const char *protocol; /* in alarms */
    const char *signal;   /* what LastSignalReceived begins with */
    const char *(*state_name)(enum station_state state);
    struct ip (*own_address)(const struct station *x); /* as it says */
    uint64_t (*link)(const struct station *x); /* that it uses; 0: none, it is there by UDP */
    bool (*has_proof)(struct station *x); /* who claims its name has shown that it is his; NULL: never */
    /* Of one that uses no link: is that still its registration? And whether it has said so; ends the asking. */
    void (*ask)(struct station *x, struct effects *e);
    bool (*answers)(struct station *x);
    /* Another connection took its name: it ends here and now. */
    void (*replace)(struct station *old, struct effects *e);
};

struct registry {
    struct registry_options options;
    const struct directory *directory;
    uint32_t directory_version; /* how many snapshots were given; 0 none */
    struct moment now;
    struct words *loads;
    struct map by_name; /* of station: who has entered its name */
    struct {            /* what registry_phone was asked last */
        struct device_name name;
        const struct phone *phone;
    } asked;
    size_t n_registered[N_PROTOCOLS], n_tokens;
    struct flapping *flapping;
    struct refused *refused, *impatient; /* the latter: who asks for tokens sooner than he was told to */
    struct guesses *guesses;
    bool disagrees; /* with the version of the publisher */
    bool draining;
    struct pace pace;
    struct calendar calendars[N_CALENDARS];
    uint64_t awake_ms; /* since when this node hears without a break */
    uint64_t token_second;
    uint32_t n_spent;   /* tokens in that second that nobody holds */
    uint32_t n_arrived; /* since the last measurement */
    uint64_t log_second;
    uint32_t n_told, n_untold;    /* lines about life in that second */
    int32_t settings[N_SETTINGS]; /* numbers, read once a snapshot */
};

#define SETTING_OF(x, name) ((x)->registry->settings[SET_##name]) /* of a station */

/* Its record in the newest snapshot, or NULL; and the pool of that record, or the default one, or
 * NULL. */
const struct phone *station_phone(struct station *x);
const struct device_pool *station_pool(struct station *x);
const struct callmanager_group *station_group(struct station *x);
bool station_is_at_home(struct station *x); /* false: this node is only a backup of its group */
/* A record by its key, or NULL; also when the key is NULL or empty. */
/* A phone by its name, or NULL. One message asks for the same one several times. */
const struct phone *registry_phone(struct registry *r, const char *name);
const void *registry_row(const struct registry *r, enum entity entity, const char *key);

#define LOAD_MAX 32 /* characters kept of a load's name */
void station_set_load(struct station *x, struct text load);
void station_done(struct station *x); /* frees what it owns; it has left its name */

struct station *registry_holder(const struct registry *r, struct device_name name);
/* Who has that name and is alive; of a device at another node, that node. */
struct rival {
    struct ip ip;
    const char *node; /* "": this one */
};
bool station_namesake(const struct station *x, struct rival *ret); /* false: nobody */
/* At another address of the same kind: who has one of IPv4 and one of IPv6 uses them in turn. */
bool station_rival(const struct station *x, struct rival *ret);
/* Its name is registered here by another device, as it seems: from another address, or of another own one
 * behind the same NAT. Returns who; NULL: nobody. `own` is the newcomer's. */
struct station *station_other(const struct station *x, struct ip own);
/* A name can be claimed by anybody who knows it, so whoever holds it is asked before a newcomer from elsewhere
 * is believed: its kernel, by a link; without one the phone. RIVAL_MS later either it has answered, or it is not
 * there any more. */
void station_ask(struct station *other, struct effects *e);
bool station_answers(struct station *other); /* ends the asking */
void station_is_gone(struct station *other); /* it did not: no rival of anybody */
/* Whoever has the name goes: a phone that comes back must not wait for its old connection. Counts
 * how often the name went to and fro between addresses. */
void station_take_name(struct station *x, struct effects *e);
int station_enter_name(struct station *x); /* it owns its name from now on; -ENOMEM */
void station_leave_name(struct station *x);
/* Whether one more phone may be told to come back, and after how many seconds one that may not asks again: each gets a place
 * of its own in the queue, one that asks before its time keeps it, and is told of when it did so ten, a hundred … times. */
bool registry_has_token(const struct registry *r);
bool registry_spend_token(struct registry *r); /* the same for who cannot hold one: so many a second */
uint32_t station_token_wait_s(struct station *x, struct effects *e);
/* After how many seconds a phone shall be heard again: `longest`, or not less than `least` when that
 * second is crowded and returns are paced. */
uint32_t registry_spread_s(struct registry *r, enum calendar_id which, uint32_t longest,
                           uint32_t least);
/* Sets the state and keeps the counts of registered phones and of tokens. */
void station_move(struct station *x, enum station_state to);
