/* progress.h - the boot of each phone, from the first DHCP message to registered, with times; and
 * who is unknown. Fed by events from every service, owned by the admin thread (BOOT-1, BOOT-2). */
#pragma once

#include "base/address.h"

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
    char detail[64];
};
