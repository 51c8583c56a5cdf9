/* boot.h - from power to the list of CallManagers: VLAN, address, names, files, firmware.
 *
 * One phone, no sockets, no clock: frames, datagrams, file answers and the time go in, effects come
 * out. The files and their order are those of the model's generation (core/models.h). A phone that
 * finds none takes the TFTP server for its CallManager; one that gets no answer begins again.
 */
#pragma once

#include "core/models.h"
#include "handset/softkey_set.h"
#include "handset/boot/dhcp_client.h"
#include "handset/effects.h"
#include "handset/network.h"
#include "wire/phone_config.h"
#include "handset/boot/tftp_get.h"

enum boot_stage {
    BOOT_OFF,
    BOOT_LOADING,   /* the stored image */
    BOOT_VLAN,      /* CDP, LLDP-MED */
    BOOT_ADDRESS,   /* DHCP, or what is typed in */
    BOOT_PROBE,     /* ARP: does somebody have it? */
    BOOT_TFTP_NAME, /* DNS for the TFTP server */
    BOOT_FILES,
    BOOT_NAMES, /* DNS for the CallManagers */
    BOOT_UPGRADE,
    BOOT_READY,
    BOOT_WAITING, /* nothing to be had: begins again */
    BOOT_EXTRAS,  /* registered: locale, tones, rings */
    BOOT_DONE,
    N_BOOT_STAGES
};

/* As reported in LastOutOfServiceInformation. */
enum boot_dns_status {
    BOOT_DNS_FINE = 1,
    BOOT_DNS_TIMEOUT,
    BOOT_DNS_NOT_FOUND,
    BOOT_DNS_NOT_NEEDED
};

struct boot_server {
    struct phone_server as_written;
    struct endpoint at;
    enum boot_dns_status dns;
};

struct boot_options {
    const struct model *model;
    enum device_protocol protocol;
    struct mac mac;
    struct network stored; /* what the phone's flash says */
    const char *load;      /* that runs */
    bool on_wire; /* a named interface: VLAN, DHCP and ARP happen; else the address is given */
    bool quick;   /* no waiting for the picture of a boot: image loads at once */
    bool old_trust; /* configurations must be signed by a cluster that this one is not */
    uint16_t file_port; /* TFTP server's port, 0: 69 */
    uint16_t http_port; /* 0: 6970 */
    uint32_t random;    /* seed of the DHCP and DNS transaction numbers */
};

struct boot {
    struct boot_options options;
    enum boot_stage stage;
    uint64_t due_ms;      /* call boot_tick then; UINT64_MAX: nothing to wait for */
    uint64_t stage_ms;    /* when the stage began */
    uint64_t announce_ms; /* next CDP and LLDP */
    struct device_name name;
    uint16_t vlan; /* 0: untagged */
    uint8_t tries;
    bool vlan_known, defaulted;
    struct network network; /* in use */
    struct dhcp_client dhcp;
    struct tftp_get get;
    const char *step;    /* rest of the file steps, at the one being done */
    uint8_t alternative; /* of the step */
    bool by_http, have_config, upgrade_tried;
    bool kept; /* `config` is from before: used when no TFTP server answers */
    uint8_t tftp_at; /* which TFTP server is asked */
    uint8_t name_at; /* which CallManager is looked up */
    char *body;      /* the file being received, owned */
    size_t n_body, body_room;
    char parts[24][64]; /* of the load being fetched */
    uint8_t n_parts, part_at;
    char extras[256]; /* steps of BOOT_EXTRAS, and those that a SIP phone's file names */
    bool named_asked; /* the latter have been asked for */
    char load[65], wanted_load[65];
    char switch_name[64], switch_port[32];
    struct phone_config config;
    struct boot_server servers[PHONE_CONFIG_SERVERS];
    uint8_t n_servers;
    struct screen_softkey idle_keys[SCREEN_SOFTKEYS]; /* of the softkey file of a SIP phone */
    uint8_t n_idle_keys;
    struct boot_lookup *lookup; /* of a SIP server's name, while it is asked for; else NULL */
    uint32_t transaction;
};

struct boot *boot_new(const struct boot_options *options); /* NULL without memory */
void boot_free(struct boot *b);                            /* NULL is fine */

void boot_start(struct boot *b, uint64_t now_ms,
                struct effects *fx); /* power, or a reset: everything again */
void boot_restart(struct boot *b, uint64_t now_ms,
                  struct effects *fx); /* a restart: files again, the address is kept */
void boot_settle(struct boot *b);      /* gives up what it is reading; the phone goes on as it is */
/* The phone is registered: what may wait until then is fetched now. */
void boot_fetch_extras(struct boot *b, uint64_t now_ms, struct effects *fx);
void boot_upgrade(struct boot *b, const char *load, uint64_t now_ms,
                  struct effects *fx); /* told by SCCP */
void boot_tick(struct boot *b, uint64_t now_ms, struct effects *fx);
void boot_frame(struct boot *b, const void *frame, size_t len, uint64_t now_ms, struct effects *fx);
void boot_dhcp(struct boot *b, const void *bytes, size_t len, uint64_t now_ms, struct effects *fx);
void boot_udp(struct boot *b, const struct endpoint *from, const void *bytes, size_t len,
              uint64_t now_ms, struct effects *fx);
void boot_udp_unreachable(struct boot *b, uint64_t now_ms, struct effects *fx);
/* The answer to EFFECT_HTTP: status 0 when there was no connection or no proper answer. */
void boot_http(struct boot *b, unsigned status, const void *body, size_t len, uint64_t now_ms,
               struct effects *fx);
/* The wire went away, or the phone leaves: RELEASE is sent when asked. */
void boot_stop(struct boot *b, bool release, struct effects *fx);

uint64_t boot_due(const struct boot *b);            /* earliest of all its timers */
const char *boot_stage_name(enum boot_stage stage); /* "vlan" … */
const char *boot_stage_lcd(enum boot_stage stage);  /* the words on the display: "Configuring IP" */
/* The same for the stage it is in, and why. */
const char *boot_lcd(const struct boot *b);
/* Names of the parts in a .loads file, found as printable strings. How many, `max` at most. */
size_t boot_load_parts(const void *bytes, size_t len, char (*names)[64], size_t max);
