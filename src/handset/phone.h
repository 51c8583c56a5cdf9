/* phone.h - one phone that registers, whatever it speaks: what SCCP and SIP phones have in common,
 * and the table of what each of them does.
 *
 * Pure: bytes of its links and the time go in, effects come out. Small, for fleets: what many
 * phones share is in struct phone_kind; the display is optional. */
#pragma once

#include "core/models.h"
#include "handset/effects.h"
#include "handset/faults.h"

#define PHONE_SERVERS 3
#define PHONE_LINKS   3

struct screen;
struct phone_habits;
struct sip_habits;
struct digest;
struct phone_config;

/* Reasons of the phone's own alarm: why it left last time. */
enum phone_reason {
    PHONE_REASON_TCP_TIMEOUT = 10,
    PHONE_REASON_TCP_RESET = 12,
    PHONE_REASON_TCP_ABORTED = 13,
    PHONE_REASON_TCP_CLOSED = 14,
    PHONE_REASON_KEEPALIVE = 15,
    PHONE_REASON_LOST_ADDRESS = 16,
    PHONE_REASON_REGISTRATION_TIMEOUT = 17,
    PHONE_REASON_FALLBACK = 18,
    PHONE_REASON_USER_RESET = 20,
    PHONE_REASON_RESET = 22,
    PHONE_REASON_RESTART = 23,
    PHONE_REASON_REJECTED = 24,
    PHONE_REASON_INITIALIZED = 25,
    PHONE_REASON_VLAN = 26,
    PHONE_REASON_CONFIG_VERSION = 101,
    PHONE_REASON_APPLY_CONFIG = 104,
    PHONE_REASON_CONFIG_RETRY = 105
};

/* What all phones of a model in one program share. */
struct phone_kind {
    const struct model *model;
    enum device_protocol protocol;
    const struct phone_habits *habits; /* of SCCP */
    const struct sip_habits *sip;
    uint32_t type;     /* told when it registers; another than the model's for a wrong one */
    uint8_t version;   /* of SCCP, offered */
    uint32_t faults;   /* a bit for each enum fault */
    uint8_t transport; /* of SIP, enum link_transport; N_LINK_TRANSPORTS: as the file says */
    char load[65];
    char config_version[49];
    /* Of SIP without files: digest user, its secret; "" none. A number counts on from first_mac. */
    char user[33], password[33];
    struct mac first_mac;
    struct digest *digest;       /* of SIP; owned */
};

enum phone_state {
    PHONE_OFF,
    PHONE_CONNECTING,
    PHONE_ASKING_TOKEN, /* SPA: before Register */
    PHONE_REGISTERING,  /* asked, no answer yet */
    PHONE_CONFIGURING,  /* SCCP: acknowledged; the ladder is being climbed */
    PHONE_REGISTERED,
    PHONE_LEAVING,  /* said goodbye */
    PHONE_MOVING,   /* between two servers: a breath before it speaks to the other */
    PHONE_ALARMED,  /* SCCP: its alarm is said there; Register follows */
    PHONE_REJECTED, /* waits before it tries again */
    PHONE_BETWEEN,  /* no server could be reached; waits */
    N_PHONE_STATES
};

/* `number` of EFFECT_STATE; its bytes carry a text where one belongs. */
enum phone_event {
    PHONE_EVENT_OPENING, /* bytes: the address */
    PHONE_EVENT_OPENED,
    PHONE_EVENT_ASKED, /* Register was sent */
    PHONE_EVENT_ACKED,
    PHONE_EVENT_REGISTERED,
    PHONE_EVENT_REJECTED,  /* bytes: the server's text */
    PHONE_EVENT_LOST,      /* registration or the way to it lost; `link` holds enum phone_reason */
    PHONE_EVENT_LEFT,      /* unregistered as asked by phone_leave; nothing follows */
    PHONE_EVENT_RESET,     /* unregistered; boot from power */
    PHONE_EVENT_RESTART,   /* unregistered; read the files again */
    PHONE_EVENT_APPLY,     /* still registered; compare the files */
    PHONE_EVENT_LOAD,      /* bytes: the load the server wants */
    PHONE_EVENT_NO_SERVER, /* all servers failed twice: read the files again */
    PHONE_EVENT_KEEPALIVE, /* acknowledged; `to.port` the milliseconds it took */
    PHONE_EVENT_STANDBY,   /* the standby connection is open */
    PHONE_EVENT_REREAD     /* refused, and it has no file of its own: read the files again */
};

/* What an XML alarm says about the phone's place; of a phone on a wire. */
struct phone_surroundings {
    struct ip mask, router;
    uint16_t vlan;
    char neighbour[64], neighbour_port[32];
    uint8_t dns_status[PHONE_SERVERS]; /* as in the alarm: 1 fine, 4 not needed */
};

enum phone_link_state { PHONE_LINK_CLOSED, PHONE_LINK_OPENING, PHONE_LINK_OPEN };

struct phone_link {
    uint8_t state, server;
    uint8_t unanswered; /* keepalives */
    uint16_t port;      /* our own, told by the edge before it reports that the link is open */
    uint16_t n_partial, partial_room;
    uint8_t *partial;  /* start of a message whose rest has not come; owned, usually NULL */
    uint64_t due_ms;   /* keepalive, or giving up to connect */
    uint64_t asked_ms; /* last keepalive sent */
};

/* First members of struct sccp_phone and struct sip_phone: what the owner of either may read and
 * set. */
#define PHONE_COMMON                                                                               \
    const struct phone_protocol *protocol;                                                         \
    const struct phone_kind *kind;                                                                 \
    struct screen *screen;                   /* NULL in fleets; not owned */                       \
    const struct phone_surroundings *around; /* the same */                                        \
    const char *load;                        /* that runs; NULL: the kind's */                     \
    struct device_name name;                                                                       \
    struct ip address;                                                                             \
    struct endpoint servers[PHONE_SERVERS];                                                        \
    uint8_t n_servers;                                                                             \
    uint8_t state;  /* enum phone_state */                                                         \
    uint8_t active; /* link of the registration */                                                 \
    uint8_t reason; /* of the next alarm */                                                        \
    bool rereads;   /* after a refusal it reads its files again: it has none of its own */         \
    uint8_t stale;  /* the stamp that made it compare its files; enum phone_reason, 0: none */     \
    struct phone_link links[PHONE_LINKS];

struct any_phone {
    PHONE_COMMON
};

/* What the owner gives a phone that shall register. */
struct phone_start {
    struct ip own;
    struct endpoint servers[PHONE_SERVERS];
    const char *names[PHONE_SERVERS]; /* as the file writes them; NULL: the address */
    uint16_t sip_ports[PHONE_SERVERS], sips_ports[PHONE_SERVERS]; /* 0: that of the endpoint */
    unsigned n_servers;
    const struct phone_config *config; /* NULL: no file was read; borrowed for the call */
    enum phone_reason reason;          /* why it was away */
};

/* One row a protocol. Every function but init takes a phone that init has made. */
struct phone_protocol {
    const char *name;
    void (*init)(struct any_phone *p, const struct phone_kind *kind, struct mac mac);
    void (*done)(struct any_phone *p);
    void (*start)(struct any_phone *p, const struct phone_start *start, uint64_t now_ms,
                  struct effects *fx);
    void (*leave)(struct any_phone *p, enum phone_reason reason, enum phone_event after,
                  uint64_t now_ms, struct effects *fx);
    void (*stop)(struct any_phone *p, struct effects *fx);
    void (*opened)(struct any_phone *p, unsigned link, uint64_t now_ms, struct effects *fx);
    void (*closed)(struct any_phone *p, unsigned link, int err, uint64_t now_ms,
                   struct effects *fx);
    void (*input)(struct any_phone *p, unsigned link, const void *bytes, size_t len,
                  uint64_t now_ms, struct effects *fx);
    void (*tick)(struct any_phone *p, uint64_t now_ms, struct effects *fx);
    uint64_t (*due)(const struct any_phone *p);
    /* Keys; NULL where the protocol has none. -ENOTCONN unless it is registered. */
    int (*keypad)(struct any_phone *p, char key, struct effects *fx);
    int (*hook)(struct any_phone *p, bool off, struct effects *fx);
    int (*stimulus)(struct any_phone *p, uint32_t button, uint32_t instance, struct effects *fx);
    int (*softkey)(struct any_phone *p, uint32_t event, struct effects *fx);
};

extern const struct phone_protocol sccp_protocol, sip_protocol;
const struct phone_protocol *phone_protocol_of(enum device_protocol protocol);

/* Fills `ret` from the model: load NULL is the model's last one; fault bits of enum fault. */
void phone_kind_init(struct phone_kind *ret, const struct model *model, const char *load,
                     uint32_t faults);
/* Makes it one of SIP phones: PROTOCOL_SIP or PROTOCOL_SIP_THIRD_PARTY. 0 or -ENOMEM. */
int phone_kind_speak_sip(struct phone_kind *k, enum device_protocol protocol, const char *load);
void phone_kind_done(struct phone_kind *k);

const char *phone_state_name(enum phone_state state);
const char *phone_reason_words(unsigned reason); /* "Initialized", as in Last= of an alarm */

static inline bool phone_kind_faulty(const struct phone_kind *k, enum fault f)
{
    return fault_is_on(k->faults, f);
}

/* What both protocols report. */
void phone_tell(struct effects *fx, enum phone_event event);
void phone_tell_text(struct effects *fx, enum phone_event event, const char *words);
void phone_tell_lost(struct effects *fx, enum phone_reason reason);
enum phone_reason phone_reason_of(int err); /* of a link that was closed: 0 by the peer, -errno */
void phone_display(struct screen *screen, struct effects *fx,
                   const char *words); /* NULL: no display */
/* The start of a message whose rest has not come is kept until it has. 0, -ENOMEM, -EMSGSIZE. */
int phone_keep_partial(struct phone_link *l, const struct reader *rest);
void phone_forget_partial(struct phone_link *l);
