/* runner.h - one phone on real sockets: carries out what its pure cores want, and tells its owner.
 *
 * All phones of a loop share a site: the loop, a wheel of timers, a list of effects. A phone boots
 * (when the site says so), registers, comes back after resets; the owner only watches and presses
 * keys. */
#pragma once

#include <uv.h>

#include "base/timers.h"
#include "handset/boot/boot.h"
#include "handset/sccp/phone.h"
#include "handset/sip/phone.h"
#include "io/dial.h"

struct runner;
struct nic;
struct udp;

enum runner_event {
    RUNNER_STAGE,  /* boot came to stage `number` */
    RUNNER_STATUS, /* text: a status message */
    RUNNER_BOOTED, /* the boot is over: registration begins */
    RUNNER_PHONE,  /* enum phone_event in `number`; text where one belongs, `detail` its number */
    RUNNER_REBOOT, /* it begins again from power */
    RUNNER_LCD     /* the display changed */
};

struct runner_note {
    enum runner_event event;
    uint32_t number, detail;
    struct text text; /* valid during the call */
    uint64_t now_us;
};

struct runner_site {
    uv_loop_t *loop;
    uv_timer_t tick;
    struct timers wheel;
    struct effects *fx;  /* scratch of all phones of the site */
    uint64_t ticking_ms; /* when the tick is due; UINT64_MAX: not running */
    bool files;          /* boot by files; false: register at once with `server` */
    bool on_wire, quick;
    bool keep_boot;   /* also on loopback: the settings menu shows it, extras are fetched */
    struct nic *nic;  /* of a named interface; NULL on loopback */
    struct ip server; /* TFTP server and, without files, CallManager; none: what DHCP says */
    struct ip backup; /* second CallManager, without files; none: only one */
    uint16_t file_port, http_port; /* 0: the usual ones */
    uint16_t sccp_port, sip_port;  /* these beat the file's */
    struct tls_client *tls;        /* made when the first phone needs it; owned */
    uint8_t tos;                   /* of signalling; 0x60: CS3 */
    struct udp *shared;            /* of all SIP phones by UDP, see runner_site_share; NULL: none */
    struct runner *(*at_address)(void *owner, struct ip ip);
    void *owner;
    uv_prepare_t prepare;
    void (*note)(struct runner *r, const struct runner_note *note); /* must not touch the runner */
};

struct runner_link {
    struct dial *dial;
    uint8_t index; /* of the phone's links */
    bool shared;   /* open, over the site's socket */
};

struct runner {
    struct runner_site *site;
    union {
        struct any_phone phone; /* what the phone is, whatever it speaks */
        struct sccp_phone sccp;
        struct sip_phone sip;
    };
    struct boot *boot; /* NULL once it is over, on loopback */
    struct http_get *http;
    struct dial *udp;
    struct runner_link links[PHONE_LINKS];
    struct timer timer;
    struct network stored; /* the phone's flash */
    struct mac mac;
    uint8_t reason;       /* enum phone_reason of the next registration */
    bool comparing;       /* the files are read again to compare them */
    uint64_t config_hash; /* of the configuration it registered with */
    uint8_t to_do;        /* what follows when the effects are done */
    char *load;           /* that runs, when an upgrade changed it; owned */
    void *context;        /* the owner's */
};

int runner_site_init(struct runner_site *site, uv_loop_t *loop); /* 0 or -ENOMEM */
void runner_site_done(struct runner_site *site);                 /* the loop must run once more */
/* SIP phones by UDP use one socket for all from now on, for more phones than a process may have
 * files. Each needs an address of its own on this host; `at_address` finds the phone that has it,
 * or NULL. 0 or -errno. */
int runner_site_share(struct runner_site *site, struct runner *(*at_address)(void *, struct ip),
                      void *owner);
uint64_t runner_now_ms(void); /* of the phones' clocks */
uint64_t runner_now_us(void); /* of the real one */
/* The clocks of all phones run so many times as fast as the real one; before the first phone. */
void runner_set_clock_rate(uint32_t rate);

/* `kind` and what it points to live longer than the runner. */
void runner_init(struct runner *r, struct runner_site *site, const struct phone_kind *kind,
                 struct mac mac, const struct network *stored);
void runner_done(struct runner *r); /* closes everything without a word */
void runner_power_on(struct runner *r);
void runner_power_off(struct runner *r); /* as when the plug is pulled */
void runner_leave(struct runner *r,
                  enum phone_event after); /* unregisters; EVENT_LEFT, _RESET or _RESTART */
void runner_vanish(struct runner *r);      /* as when the cable is pulled: nothing is closed */

/* The keys of sccp/phone.h with their effects carried out; 0, -ENOTCONN, or -EOPNOTSUPP when the
 * protocol has none. */
int runner_keypad(struct runner *r, char key);
int runner_hook(struct runner *r, bool off);
int runner_stimulus(struct runner *r, uint32_t button, uint32_t instance);
int runner_softkey(struct runner *r, uint32_t event);

void runner_watch_display(struct runner *r); /* a text with a time-out was put there */
/* A frame that came to the site's interface, for this phone or for all. */
void runner_frame(struct runner *r, const void *frame, size_t len);
void runner_dhcp(struct runner *r, const void *bytes, size_t len);
