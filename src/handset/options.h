/* options.h - what `dialtone handset` and `dialtone fleet` share on their command lines. */
#pragma once

#include "core/models.h"
#include "base/address.h"
#include "handset/phone.h"

#define PHONE_MODELS_MAX 64

struct phone_options {
    const struct model *models[PHONE_MODELS_MAX]; /* the phones take them in turn */
    unsigned n_models;
    struct mac first_mac;
    struct ip backup;                                 /* of files, or, without files, of calls; none: one server */
    struct ip server;                                 /* none: what DHCP says */
    enum device_protocol protocols[PHONE_MODELS_MAX]; /* that each of them speaks */
    int protocol;                                     /* asked for; -1: what the model speaks */
    uint8_t transport;           /* of SIP; N_LINK_TRANSPORTS: as the file says */
    const char *user, *password; /* of SIP without files; NULL: none */
    uint16_t file_port, http_port, sccp_port, sip_port; /* 0: the usual ones */
    struct ip source; /* of the first phone; none: the kernel's choice */
    const char *interface;
    const char *load; /* NULL: the model's */
    const char *script;
    const char *state; /* of a handset: the file of its flash; NULL: none */
    uint32_t faults;
    uint32_t clock_rate; /* the phones' clocks run so many times as fast */
    bool no_files, json, realistic;
    bool keep_mac; /* the interface keeps its own MAC address */
};

#define PHONE_OPTIONS_NONE                                                                         \
    {                                                                                              \
        .protocol = -1, .transport = N_LINK_TRANSPORTS, .clock_rate = 1                                           \
    }

/* One option that both know; 1 taken, 0 not one of these, -EINVAL after a message on standard
 * error. */
int phone_option(struct phone_options *o, const char *program, const char *name, const char *value);
/* What follows from the rest: a default MAC, source addresses on loopback, own address. -EINVAL
 * after a message. */
int phone_options_finish(struct phone_options *o, const char *program);
/* The kind of phone of the n-th model. 0 or -ENOMEM. */
int phone_options_kind(const struct phone_options *o, unsigned n, struct phone_kind *ret);
/* For getopt_long: the shared options, terminated by the caller's own. */
/* clang-format off */
#define PHONE_LONG_OPTIONS \
    {"model", required_argument, NULL, 1000}, {"mac", required_argument, NULL, 1000}, \
    {"first-mac", required_argument, NULL, 1000}, {"server", required_argument, NULL, 1000}, \
    {"protocol", required_argument, NULL, 1000}, {"file-port", required_argument, NULL, 1000}, \
    {"http-port", required_argument, NULL, 1000}, {"sccp-port", required_argument, NULL, 1000}, \
    {"sip-port", required_argument, NULL, 1000}, {"transport", required_argument, NULL, 1000}, \
    {"backup", required_argument, NULL, 1000}, {"user", required_argument, NULL, 1000}, \
    {"password", required_argument, NULL, 1000}, \
    {"source", required_argument, NULL, 1000}, {"interface", required_argument, NULL, 1000}, \
    {"load", required_argument, NULL, 1000}, {"script", required_argument, NULL, 1000}, \
    {"fault", required_argument, NULL, 1000}, {"no-files", no_argument, NULL, 1000}, \
    {"json", no_argument, NULL, 1000}, {"realistic", no_argument, NULL, 1000}, \
    {"keep-mac", no_argument, NULL, 1000}, {"clock-rate", required_argument, NULL, 1000}
/* clang-format on */
