/* progress.h - the boot of each phone, from the first DHCP message to registered, with times; and
 * who is unknown. Fed by events from every service, owned by the admin thread (BOOT-1, BOOT-2). */
#pragma once

#include "base/address.h"
#include "base/chain.h"
#include "base/text.h"

enum progress_stage {
    PROGRESS_LINK,          /* CDP/LLDP neighbour seen; detail: switch and port, or what it says it is */
    PROGRESS_DHCP_DISCOVER, /* detail: vendor class */
    PROGRESS_DHCP_OFFER,
    PROGRESS_DHCP_REQUEST,
    PROGRESS_DHCP_ACK,      /* ip: what it was given */
    PROGRESS_DHCP_NAK,
    PROGRESS_DHCP_RELEASE,
    PROGRESS_FILE_ASKED,    /* detail: file name */
    PROGRESS_FILE_SENT,     /* detail: file name; code: bytes */
    PROGRESS_FILE_MISSING,  /* detail: file name */
    PROGRESS_FILE_REFUSED,  /* detail: file name; TFTP-6 */
    PROGRESS_FILE_BROKEN,   /* detail: file name; nobody acknowledged what was sent */
    PROGRESS_CONNECTED,     /* TCP open; known only once the phone names itself */
    PROGRESS_REGISTER,      /* Register received */
    PROGRESS_REJECTED,      /* code: reason number; detail: text sent to the LCD */
    PROGRESS_REGISTERED,    /* detail: active load */
    PROGRESS_UNREGISTERED,  /* code: reason number */
    N_PROGRESS_STAGES
};

/* Either `device` or `mac` or, when the service knows no better, only `ip` names the phone. */
struct progress_event {
    uint64_t time_us; /* wall clock */
    struct device_name device;
    struct mac mac;
    struct ip ip;
    uint16_t stage;
    uint32_t model;   /* 0 unknown */
    uint32_t code;
    uint8_t protocol; /* enum device_protocol, of registrations */
    bool at_once;     /* of REGISTERED: it is told of REGISTER as well, which came just before */
    char detail[64];
};

#define PROGRESS_STEPS  16 /* kept of the newest boot */
#define PROGRESS_DETAIL 26 /* of a step, with its NUL */
#define PROGRESS_BOOTS  4  /* kept of each phone, the newest included */

/* One stage of a boot; the same again and again (a DHCP retry) is one step with `times`. */
struct progress_step {
    uint32_t at_ms; /* since the boot began */
    uint8_t stage;
    uint8_t times; /* 255: or more */
    char detail[PROGRESS_DETAIL];
};

struct progress_boot {
    uint64_t start_us; /* wall clock; 0: no such boot */
    uint32_t total_ms; /* until the newest step; of a finished boot: until it was registered or refused */
    uint16_t code;     /* reason of a refusal */
    uint16_t outcome;  /* PROGRESS_REGISTERED, PROGRESS_REJECTED, or how far it has come */
};

/* What few phones have: it was here before, or CDP or LLDP told where. */
struct progress_past {
    uint64_t first_us;                              /* when it was first seen */
    struct ip ip; /* that it had here last while it got it, or its files, here; or none */
    char port[40];                                  /* switch and port, or "" */
    struct progress_boot boots[PROGRESS_BOOTS - 1]; /* before the newest, newest first */
};

/* What is remembered of a phone. To be read only, until the next event. */
struct progress_phone {
    struct device_name name;
    struct ip ip;
    uint8_t protocol; /* enum device_protocol, once it tried to register */
    /* of the module */
    uint8_t n_steps;
    bool known : 1, ended : 1, ip_listed : 1;
    bool served : 1; /* in its newest boot it was given an address, or asked for a file, here */
    uint32_t epoch;
    /* of all again */
    uint32_t model, tries; /* tries: boots that were begun */
    uint64_t last_us;
    struct progress_boot boot;   /* the newest */
    struct progress_past *past;  /* NULL: nothing of it is known */
    /* of the module */
    struct chain_node order; /* by last_us */
    struct progress_kept {
        const char *detail; /* shared by many; \1 stands for the digits of its own name */
        uint32_t at_ms;
        uint8_t stage, times;
        bool at_once; /* two steps: REGISTER, and REGISTERED in the same moment */
    } first;
    uint64_t steps; /* those behind the first: slot of a pool */
};

/* The i-th boot, the newest is 0; start_us is 0 when there is none. */
static inline struct progress_boot progress_boot(const struct progress_phone *phone, size_t i)
{
    if (i == 0)
        return phone->boot;
    return phone->past && i < PROGRESS_BOOTS ? phone->past->boots[i - 1] : (struct progress_boot){0};
}

static inline const char *progress_port(const struct progress_phone *phone)
{
    return phone->past ? phone->past->port : "";
}

static inline uint64_t progress_first_us(const struct progress_phone *phone)
{
    return phone->past ? phone->past->first_us : phone->boot.start_us;
}

struct progress;

/* Is a device of that name in the directory? */
typedef bool (*progress_known)(const void *context, struct device_name name);

/* Bounded: when as many are there, the one that was silent longest is forgotten. NULL without memory. */
struct progress *progress_new(size_t max_known, size_t max_unknown, progress_known known, const void *context);
void progress_free(struct progress *p);
/* Whose event it was; NULL: nobody's that is remembered. */
const struct progress_phone *progress_event(struct progress *p, const struct progress_event *e);
/* It comes from another address than before, where it got that or its files here, and asked for neither this time: perhaps
 * somebody else. */
bool progress_is_from_elsewhere(const struct progress_phone *phone, struct ip *before);
/* Devices were added or removed: who is unknown is asked anew. */
void progress_directory_changed(struct progress *p);
const struct progress_phone *progress_find(const struct progress *p, struct device_name name); /* or NULL */
/* The steps of its newest boot in the order of time (services tell some of them late); returns how many. */
size_t progress_steps(const struct progress *p, const struct progress_phone *phone,
                      struct progress_step to[static PROGRESS_STEPS]);
/* Unknown phones, the one last heard of first; returns how many went to `to`. */
size_t progress_unknown(struct progress *p, const struct progress_phone **to, size_t max);
size_t progress_n_unknown(struct progress *p);

/* Known devices whose name is one hex digit or two swapped neighbours away: the label was typed wrong.
 * 191 look-ups whatever the number of phones. Returns how many went to `to`. */
size_t progress_near(progress_known known, const void *context, struct device_name name, struct device_name *to,
                     size_t max);

extern const char *const progress_stage_titles[N_PROGRESS_STAGES]; /* "DHCP discover" */
