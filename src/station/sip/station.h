/* station.h - devices that register by SIP, their contacts, and the connections they use.
 *
 * Private to src/station; others use stations.h. */
#pragma once

#include "base/list.h"
#include "base/pool.h"
#include "base/timers.h"
#include "core/sip.h"
#include "station/keepalive.h"
#include "station/registry_own.h"
#include "station/sip/register.h"
#include "station/sip/stations.h"
#include "wire/sip/transactions.h"

/* Where a line of a phone, or one contact of a plain client, is reached (RFC 3261 10.3). Many: its
 * flow is kept in short, with addresses of IPv6 in a block of their own. */
struct sip_binding {
    struct sip_binding *next; /* of its device, in order of arrival */
    struct sip_device *device;
    struct list on_link; /* in sip_link.bindings; of UDP in none */
    uint64_t expires_ms;
    uint64_t link; /* of its flow, as all to `transport` */
    union {
        uint8_t v4[2][4]; /* peer, local */
        struct ip *wide;  /* both, owned */
    };
    uint16_t peer_port, local_port;
    uint32_t cseq; /* of the last REGISTER */
    bool is_wide : 1;
    bool plain : 1;   /* its texts are not in short */
    bool renewed : 1; /* there was another REGISTER since the one that made it */
    bool has_way : 1; /* RFC 5626: it is a flow; sip_request.way is behind its texts */
    uint16_t transport : 2, q : 10; /* q: thousandths */
    uint8_t line;                   /* of a phone, from 1; of a plain client 0 */
    uint8_t n_user;
    uint16_t n_uri, n_call_id;
    char text[]; /* user of the address of record; contact URI and Call-ID, in short */
};

static inline struct text binding_user(const struct sip_binding *b)
{
    return (struct text){b->text, b->n_user};
}

struct sip_device {
    struct station station;
    struct sip_stations *owner;
    struct timer timer; /* runs late on purpose: it looks at heard_ms when it fires */
    uint64_t state_ms;  /* since when it is in its state */
    struct sip_binding *bindings;
    uint64_t order_id;            /* the NOTIFY under way, or 0 */
    struct keepalive_watch watch; /* of the refreshes of its first line */
    uint32_t credit;       /* bytes that it sent by UDP less those that it got, until it is proven */
    uint16_t verdict : 10; /* final answer to that NOTIFY, 408 without one, 0: still awaited */
    uint16_t order : 4;    /* enum station_order under way */
    uint8_t refusal;       /* row of refusals.def to answer with */
    bool obeyed : 1;       /* it has answered that NOTIFY with 2xx */
    bool bulk : 1;         /* one REGISTER stands for all lines */
    bool proven : 1;       /* by UDP: it has answered something, so its address is its own */
    bool told : 1;         /* its configuration, or needs not be told */
    bool late : 1;         /* who holds its name got a moment more to be heard */
    bool untold : 1;       /* in owner->untold: its configuration is still to be told */
    bool extended_refer : 1, service_control : 1; /* what it says it understands */
    uint32_t vouched_ms;   /* when it last answered whether it is there, the low bits; 0: never */
    uint64_t question_id;  /* that asks by UDP whether it is there, or 0 */
    uint64_t newcomer;     /* who claims its name from another place and waits for that answer, or 0 */
    struct sip_waiting *waiting; /* the REGISTER that waits for the database, or for who holds the name, or NULL … */
    struct sip_waiting *asking; /* … and the INVITE to an activation code, with its transaction */
};

struct sip_waiting {
    struct sip_flow flow;
    uint64_t transaction; /* that answers it, of an INVITE */
    uint32_t len;
    char bytes[];
};

enum sip_link_state {
    SIP_LINK_NEW,     /* nothing of weight was said */
    SIP_LINK_STANDBY, /* keepalives: we are the backup of somebody */
    SIP_LINK_TOKEN,   /* somebody was told that he may come back */
    SIP_LINK_USED,    /* somebody is registered over it */
    SIP_LINK_REFUSED, /* its REGISTER was refused; closed soon */
    SIP_LINK_CLOSED,  /* gone; freed after the step */
    N_SIP_LINK_STATES
};

struct sip_link {
    struct sip_stations *owner;
    uint64_t id;
    struct sip_flow flow;
    struct timer timer;
    struct list waiting;  /* in owner->waiting while it is new, oldest first */
    struct list bindings; /* over it */
    uint64_t state_ms, heard_ms;
    uint64_t events_since_ms;
    uint32_t n_events; /* messages since then */
    uint8_t state;
    char *subject;    /* of the certificate of its peer, or NULL */
    uint8_t *partial; /* start of a message whose rest is still to come, or NULL */
    uint32_t n_partial, partial_size;
};

#define SIP_SOURCES (1u << 19) /* of a few hundred thousand phones, few share one */

#define SIP_SOURCE_FULL    15
#define SIP_SOURCE_SECONDS 4095

struct sip_source { /* where contacts by UDP are */
    uint16_t n : 4; /* full: it stays so, known for good */
    uint16_t since_s : 12; /* when the first came, on a clock that wraps */
};

struct sip_stations {
    struct registry *registry;
    struct sip_options options;
    struct pool devices, links;
    struct map by_link;
    struct timers timers, link_timers;
    struct sip_source *sources; /* SIP_SOURCES of them, by a hash of address and port */
    struct list waiting; /* links that have said nothing of weight */
    uint64_t *untold;    /* ring of devices in turn for sip_tell_configuration; NULL: none */
    size_t untold_size, first_untold, n_untold;
    uint64_t telling_ms; /* since when n_told counts */
    uint32_t n_told;
    struct sip_transactions *transactions;
    struct sip_guard *guard;
    struct digest *digest;
    struct effects *effects; /* of the call that runs, for what transactions send */
    uint8_t secret[32];
    uint64_t unique;          /* of branches and tags of our requests */
    const char *server, *sis; /* settings, of the snapshot in use */
    uint64_t seen_version;    /* of the directory that they are from */
    uint32_t profile_version; /* of the directory of what was asked for last: */
    int32_t profile_protocol;
    const char *profile_name;
    const struct security_profile *profile;
    size_t partial_bytes, waiting_bytes;
    size_t sweep, n_unswept; /* cursor over devices; those still to look at */
    uint64_t swept_version;
    size_t drop_devices, drop_links; /* cursors */
    struct sip_link *current;        /* whose bytes are being read: freed only after that */
};

/* A request of a peer while it is being answered. */
struct sip_request {
    struct sip_stations *owner;
    const struct sip_message *message;
    const struct sip_flow *flow;
    struct sip_link *link; /* NULL: UDP */
    struct effects *effects;
    uint32_t way; /* RFC 5626: instance and reg-id of a plain client, whose contact is a flow, hashed; 0: none */
    bool known;    /* from somebody who is registered: answered however often he asks */
    uint16_t line; /* of the phone that it is for, from 1 */
    struct sip_binding *binding; /* that it refreshes or removes, or NULL */
    struct sip_register reg;     /* of a REGISTER */
};

enum sip_event {
    SIP_EV_REGISTER,   /* a new registration of a device, or of one of its lines */
    SIP_EV_REFRESH,    /* of a line that is registered */
    SIP_EV_REPEAT,     /* the same REGISTER once more */
    SIP_EV_MOVED,      /* a refresh from another contact address or port */
    SIP_EV_UNREGISTER, /* Expires 0 */
    SIP_EV_CONTACTS,   /* REGISTER of a plain client … */
    SIP_EV_SETTLED,    /* … whose contacts were taken or removed */
    SIP_EV_ADMITTED,   /* the database has added it */
    SIP_EV_NOT_ADMITTED,
    SIP_EV_THERE,     /* who holds its name has answered … */
    SIP_EV_SILENT,    /* … or not, or is gone */
    SIP_EV_ORDER,     /* reset, restart, apply: device->order */
    SIP_EV_OBEYED,    /* the NOTIFY was answered with 2xx */
    SIP_EV_DISOBEYED, /* or with something else, or not at all */
    SIP_EV_REPLACED,  /* another registration took its name */
    SIP_EV_DELETED,   /* its record is gone */
    SIP_EV_TIMEOUT,
    SIP_EV_CLOSED, /* the connection of its first line, or of its last contact */
    N_SIP_EVENTS
};

struct sip_input {
    enum sip_event event;
    struct sip_request *request; /* of the events that are messages, and of those that resume one */
    int err;                     /* of NOT_ADMITTED */
};

extern const struct station_kind sip_kind;

/* --- station.c: the life of a device --- */

/* One step: the row that fits is done; what has no row is counted. The device may be gone after. */
void sip_device_step(struct sip_device *d, const struct sip_input *in, struct effects *e);
void sip_device_arm(struct sip_device *d);
void sip_device_timer(struct sip_device *d, struct effects *e);
const char *sip_device_state_name(enum station_state state);
/* The states and what moves between them, as Markdown with Mermaid graphs. */
void sip_print_states(struct writer *w);

/* An act of the table's rows. */
#define SIP_ACT(name) void name(struct sip_device *d, const struct sip_input *in, struct effects *e)

/* --- arrivals.c: how a device comes --- */

SIP_ACT(sip_refuse);
SIP_ACT(sip_refuse_rival);
SIP_ACT(sip_come_in);
SIP_ACT(sip_refuse_admission);
SIP_ACT(sip_ask_to_add);
SIP_ACT(sip_admit);
SIP_ACT(sip_admit_whole);
SIP_ACT(sip_bind_line);
SIP_ACT(sip_add_line);
SIP_ACT(sip_registered);
SIP_ACT(sip_registered_partly);
SIP_ACT(sip_refresh);
SIP_ACT(sip_repeat);
void sip_arrive(struct sip_device *d, enum alarm_id alarm, struct effects *e);
size_t sip_lines_of(struct sip_device *d); /* that it has in the directory */
bool sip_is_whole(struct sip_device *d);   /* all of them are registered */

/* --- rivals.c: whose name it is --- */

bool sip_has_rival(struct sip_device *d, const struct sip_input *in);
bool sip_rival_has_answered(struct sip_device *d, const struct sip_input *in); /* already, lately */
SIP_ACT(sip_ask_rival);
enum sip_event sip_rival_says(struct sip_device *d); /* SIP_EV_THERE or SIP_EV_SILENT */
/* This node looks late: what who holds the name has said by UDP meanwhile is heard first; once. */
bool sip_rival_is_awaited(struct sip_device *d);
/* By UDP: is it there? Its final answer; whether it has said yes, which ends the asking. */
void sip_holder_ask(struct sip_device *d);
void sip_holder_says(struct sip_device *d, uint16_t status);
bool sip_holder_is_there(struct sip_device *d);
/* Who waits for its answer need not wait longer: it is gone. */
void sip_newcomer_stops(struct sip_device *other);
/* Another REGISTER for the name while the first waits: answered; false: none waits. */
bool sip_newcomer_again(struct sip_device *other, struct sip_request *q);

/* --- stations.c: devices and links --- */

struct sip_device *sip_device_new(struct sip_stations *s, struct device_name name,
                                  const struct sip_flow *flow); /* NULL: no room */
void sip_device_free(struct sip_device *d);
struct sip_device *sip_device_find(const struct sip_stations *s, struct device_name name);
/* So its address is its own: by UDP it may be told more now. */
void sip_device_answered(struct sip_device *d);
uint64_t sip_device_token(const struct sip_device *d); /* of EFFECT_AUTOREGISTER and _ACTIVATE */
/* NULL: it is gone. Begins a call with the database's answer. */
struct sip_device *sip_device_of_token(struct sip_stations *s, uint64_t token, struct moment now,
                                       struct effects *e);
void sip_stations_message(struct sip_stations *s, const struct sip_message *m,
                          const struct sip_flow *flow, struct sip_link *link, struct effects *e);

/* --- links.c --- */

struct sip_link *sip_link_find(const struct sip_stations *s, uint64_t link);
/* NULL: no room. `subject` is copied. */
struct sip_link *sip_link_new(struct sip_stations *s, const struct sip_flow *flow,
                              struct text subject);
void sip_link_free(struct sip_link *l);
size_t sip_link_input(struct sip_link *l, const uint8_t *bytes, size_t len, struct effects *e);

enum sip_link_event {
    SIP_LINK_EV_KEEPALIVE, /* a keepalive to a backup */
    SIP_LINK_EV_TOKEN,     /* a token was given */
    SIP_LINK_EV_REGISTERED,
    SIP_LINK_EV_REFUSED,
    SIP_LINK_EV_LEFT, /* somebody who was registered over it is not any more */
    SIP_LINK_EV_TIMEOUT,
    SIP_LINK_EV_BAD,    /* what it sends is no SIP, or too much */
    SIP_LINK_EV_CLOSED, /* by the peer */
    N_SIP_LINK_EVENTS
};
/* The link may be gone after. */
void sip_link_step(struct sip_link *l, enum sip_link_event event, struct effects *e);
void sip_link_print_states(struct writer *w);

/* --- bindings.c --- */

struct sip_binding *sip_binding_of_line(const struct sip_device *d, unsigned line);
struct sip_binding *sip_binding_of_uri(const struct sip_device *d, const struct sip_uri *uri);
struct sip_binding *sip_binding_of_way(const struct sip_device *d, uint32_t way); /* not 0 */
/* A new one in place of `old`, which may be NULL; NULL without memory. */
struct sip_binding *sip_binding_put(struct sip_device *d, struct sip_binding *old,
                                    const struct sip_request *q, const struct sip_contact *contact);
/* As they came; in `room` or where they are kept. */
struct text sip_binding_uri(const struct sip_binding *b, struct sip_room *room);
struct text sip_binding_call_id(const struct sip_binding *b, struct sip_room *room);
bool sip_binding_is_of_call(const struct sip_binding *b, struct text call_id);
/* The same contact once more, in place: false when its texts take another room. Its flow stays. */
bool sip_binding_renew(struct sip_binding *b, const struct sip_request *q,
                       const struct sip_contact *contact);
struct sip_flow sip_binding_flow(const struct sip_binding *b);
/* Without memory for addresses of IPv6 it stays as it was. */
void sip_binding_follow(struct sip_binding *b, const struct sip_flow *flow);
void sip_binding_free(struct sip_binding *b);
struct sip_source *sip_source_of(const struct sip_stations *s, const struct endpoint *peer);
size_t sip_bindings_count(const struct sip_device *d);

/* --- sip/answers.c: what requests are answered with --- */

/* Ours in the To of an answer, the same whenever it is made. */
struct sip_tag {
    char s[24];
};
struct sip_tag sip_answer_tag(const struct sip_request *q);
/* Status line to CSeq, in CallManager's order; returns where the answer begins. */
size_t sip_answer_begin(const struct sip_request *q, uint16_t status, const char *words);
void sip_answer_end(const struct sip_request *q, size_t at, struct text type, struct text body);
void sip_answer(const struct sip_request *q, uint16_t status, const char *words);
/* With Warning: 399 <node> "…" when `warning` is not empty. */
void sip_answer_warning(const struct sip_request *q, uint16_t status, const char *warning);
void sip_answer_registered(const struct sip_request *q, const struct sip_binding *b, bool is_new);
void sip_answer_contacts(const struct sip_request *q, const struct sip_device *d);
void sip_answer_unregistered(const struct sip_request *q);
void sip_answer_keepalive(const struct sip_request *q);
void sip_answer_accepted(const struct sip_request *q); /* 202 of a REFER */
void sip_answer_trying(const struct sip_request *q);
void sip_answer_busy(const struct sip_request *q, const char *warning);   /* 503, Retry-After */
void sip_answer_later(const struct sip_request *q, const char *warning, uint32_t s); /* the same, of `s` */
void sip_answer_too_brief(const struct sip_request *q, uint32_t least_s); /* 423 */
void sip_answer_refused(const struct sip_request *q, unsigned refusal);

/* --- sip/orders.c: what the server asks of phones --- */

/* NOTIFY service-control; its answer comes as SIP_EV_OBEYED or SIP_EV_DISOBEYED. 0 or -errno. */
int sip_order_send(struct sip_device *d);
/* Whether this is still its registration: 2xx, or not; `question_id`. */
void sip_ask_whether_it_is_registered(struct sip_device *d);
/* What a phone is told right after it has registered: lamps, forwards, version stamps. By UDP the
 * source of its REGISTER may be forged: it is asked something short first, and told when it has
 * answered. */
void sip_tell_configuration(struct sip_device *d);
void sip_tell_configuration_later(struct sip_device *d); /* where there may be no room */
/* The next whose turn it is by now; false: none. And milliseconds until one may be. */
bool sip_tell_next(struct sip_stations *s);
uint64_t sip_tell_wait_ms(const struct sip_stations *s, uint64_t now_ms);
/* A text on the status line of a phone, and of one that was refused. */
void sip_tell_text(struct sip_device *d, const char *text);
void sip_tell_status_line(const struct sip_request *q, const char *text);

/* Whether "do not disturb" is on, as the server has it. */
void sip_tell_dnd(struct sip_device *d, bool on);
/* NOTIFY in the dialog of this SUBSCRIBE, as many of them as there are of these. */
void sip_notify_subscriber(const struct sip_request *q, const struct sip_device *d,
                           const char *event, const char *state, struct text type,
                           struct text body);
/* Ours, where this way leads to; `user` may be empty. */
void sip_write_contact(struct writer *w, const struct sip_stations *s, struct text user, const struct sip_flow *flow);
/* A number that nobody guesses who does not have the secret. */
uint64_t sip_keyed(const struct sip_stations *s, uint64_t n);

/* --- events.c --- */

void sip_subscribe_request(struct sip_request *q);
void sip_publish_request(struct sip_request *q);

/* --- activation.c --- */

/* INVITE of a phone in quarantine: its user part is an activation code. */
void sip_activation_invite(struct sip_request *q, struct sip_device *d);
void sip_activation_cancel(struct sip_request *q);

/* --- tokens.c --- */

/* REFER of a phone that asks whether it may come back from another node. */
void sip_token_request(struct sip_request *q);

/* --- requests.c --- */

/* Who is registered over its connection, or from its address; NULL: nobody. */
struct sip_device *sip_request_sender(const struct sip_request *q);
/* Answers a request other than REGISTER. */
void sip_request_answer(struct sip_request *q);

/* --- registrar.c --- */

void sip_registrar_request(struct sip_request *q);
/* Scheme and Require are ours; false: it has been answered, 416 or 420. */
bool sip_request_is_understood(struct sip_request *q);
/* Which line of the phone has this number, from 1; 0: none. */
unsigned sip_line_of_user(const struct phone *phone, const char *user);
void sip_device_keep_alarm(struct sip_device *d, const struct alarm_draft *draft);
/* Keeps a request until the database has answered: 0; -EALREADY one is kept, or -errno. */
int sip_request_keep(const struct sip_request *q, struct sip_waiting **ret);
void sip_request_drop(struct sip_stations *s, struct sip_waiting **kept); /* NULL is fine */
/* The REGISTER that waited goes on with this event; `err` of SIP_EV_NOT_ADMITTED. */
void sip_registrar_resume(struct sip_device *d, enum sip_event event, int err, struct effects *e);
/* With the answer of the database. */
void sip_registrar_admitted(struct sip_device *d, int err, struct effects *e);

/* --- clients.c: plain clients --- */

void sip_client_register(struct sip_request *q);
SIP_ACT(sip_client_welcome);
SIP_ACT(sip_client_take_contacts);
SIP_ACT(sip_client_drop_expired);
