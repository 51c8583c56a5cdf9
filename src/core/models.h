/* models.h - what each device model is and can do: one row of models.def each.
 *
 * The type is one number space: the device type of an SCCP Register, `loadInformation<N>` of
 * configuration files and the model of a SIP REGISTER. Nothing here changes while running. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/directory.h"

/* How a model boots and which files it reads; a row of model_generations each. */
enum model_generation {
    MODEL_BUTTONS,  /* 12SP+, 30VIP and kin: binary .cnf, text display, no voice VLAN */
    MODEL_7910,     /* 7910, 7935: XML when the load can, binary otherwise */
    MODEL_7940,     /* 7940, 7960: OS79XX.TXT on old loads, XML, SIP text files */
    MODEL_7905,     /* 7902, 7905, 7912: lower-case MAC in file names */
    MODEL_ATA,      /* ATA 186, 188 */
    MODEL_JAVA,     /* 7906 to 7975 and softphone kin: trust lists first, then XML by TFTP or HTTP */
    MODEL_WIRELESS, /* 792x */
    MODEL_CONFERENCE, /* 7936, 7937, 7985 */
    MODEL_LATER,    /* 69xx, 894x: as MODEL_JAVA, HTTP first, SCCP or SIP */
    MODEL_SIP_ONLY, /* 78xx, 88xx, 8961, 99xx … : no SCCP firmware exists */
    MODEL_SPA,      /* SPA phones with SPCP */
    MODEL_GATEWAY,  /* ports of analogue gateways: no files by TFTP of their own */
    MODEL_MODULE,   /* expansion modules: keys that follow those of the phone */
    MODEL_SOFT,     /* Jabber and kin */
    MODEL_DEVICE,   /* no phone: bridges, media devices, ports, trunks */
    N_MODEL_GENERATIONS
};

enum { MODEL_SCCP = 1 << PROTOCOL_SCCP, MODEL_SIP = 1 << PROTOCOL_SIP, MODEL_SIP_THIRD = 1 << PROTOCOL_SIP_THIRD_PARTY };

enum {
    MODEL_OLD_UI        = 1 << 0, /* CallState tricks instead of call history; no coloured remote hold */
    MODEL_TEXT_ONLY     = 1 << 1, /* DisplayText of two rows; no prompts, no softkeys */
    MODEL_NO_DISPLAY    = 1 << 2,
    MODEL_CLEAR_DISPLAY = 1 << 3, /* may be sent ClearDisplay; to the others it is an invalid message */
    MODEL_LABELS_ONLY   = 1 << 4, /* shows label codes, not free prompt texts */
    MODEL_NO_PROMPTS    = 1 << 5,
    MODEL_NO_TONE_IN_RTP = 1 << 6, /* plays no tone while an RTP stream is open */
    MODEL_NO_SMT_ACK    = 1 << 7, /* does not acknowledge StartMediaTransmission */
    MODEL_TOKEN_FIRST   = 1 << 8, /* asks for a token before it registers */
    MODEL_KEEPALIVE_FIRST = 1 << 9, /* sends KeepAlive before Register */
    MODEL_ENBLOC        = 1 << 10, /* dials with EnblocCall */
    MODEL_HOOK_FLASH    = 1 << 11, /* SetHookFlashDetect is for it; a 7911 closes the connection on it */
    MODEL_NO_LAMP       = 1 << 12, /* no message waiting lamp */
    MODEL_WINDOWS_1252  = 1 << 13, /* texts in windows-1252 */
    MODEL_CLOCK_DRIFTS  = 1 << 14, /* wants DefineTimeDate after each call */
    MODEL_FREE_NAME     = 1 << 15, /* device name is not SEP and a MAC */
    MODEL_VIDEO         = 1 << 16,
    MODEL_GIGABIT       = 1 << 17,
    MODEL_UPPER_LOADS   = 1 << 18, /* asks for .LOADS and .SBN */
    MODEL_FEATURE_POLICY = 1 << 19, /* SIP: its softkeys come from a feature policy unless vendorConfig says otherwise */
};

struct model_screen {
    uint8_t columns, rows;  /* of a text display; 0: pictures, or none */
    uint16_t width, height; /* pixels as in Desktops/<width>x<height>x<depth>; 0: text, or none */
    uint8_t depth;
};

struct model {
    uint32_t type;
    const char *name;    /* product name as typed and printed: "7960", "7961G-GE", "12SP+" */
    const char *aliases; /* other spellings, separated by blanks */
    const char *title;   /* "Cisco 7960" */
    enum model_generation generation;
    uint8_t protocols;   /* MODEL_SCCP | MODEL_SIP … */
    const char *keys;    /* factory button template, see model_buttons */
    uint8_t max_lines;   /* keys that can be lines; MODEL_SIP_ONLY: lines */
    uint8_t softkeys;    /* shown at once; 0: none */
    struct model_screen screen;
    uint8_t first_version, last_version; /* SCCP versions seen; both 0: the dialect of CallManager 2 */
    uint8_t version;     /* what a simulated phone offers, and what to treat it as when it offers nonsense */
    uint8_t max_streams; /* word of Register; 0: old phones */
    uint8_t slack_percent; /* added to the keepalive interval before the phone counts as lost */
    uint32_t quirks;     /* MODEL_OLD_UI … */
    const char *family[2];       /* beginnings of load names that fit, separated by blanks; by PROTOCOL_SCCP, _SIP */
    const char *default_load[2]; /* a last load of the family, as the device defaults propose it; "" none known */
    const char *loader;          /* what a factory-reset phone asks for: "term61.default.loads"; "" none known */
    const char *dhcp_class;      /* option 60; "" when not known */
};

struct model_generation_row {
    const char *name;     /* "7906 to 7975" */
    bool lower_mac;       /* file names carry the MAC in lower case */
    bool binary_file;     /* reads SEP<MAC>.cnf, never XML */
    bool http_first;      /* asks by HTTP 6970 before TFTP */
    const char *boot[2];  /* files asked at boot, see model_boot_files; by PROTOCOL_SCCP, _SIP */
};

extern const struct model models[];
extern const size_t n_models; /* in no useful order; iterate for lists */
extern const struct model_generation_row model_generations[N_MODEL_GENERATIONS];

const struct model *model_find(uint32_t type); /* NULL when unknown */

/* By product name, alias or number, any case, with or without "Cisco " and "CP-". A number below
 * 1000 that is both a type and a product name is the product name; NULL when unknown. */
const struct model *model_by_name(struct text t);

/* The model's name, or its number in digits: for logs and tables. Returns `to` or a constant. */
const char *model_print(uint32_t type, char to[static 12]);

static inline bool model_is_phone(const struct model *m)
{
    return m->generation != MODEL_MODULE && m->generation != MODEL_DEVICE;
}

static inline bool model_speaks(const struct model *m, enum device_protocol p)
{
    return (m->protocols >> p) & 1;
}

/* The factory button template, in order of the keys: button_feature numbers, or MODEL_ANY_KEY for
 * one that can be a line, speed dial or feature. Returns how many; never more than `max`. */
#define MODEL_ANY_KEY     0xfe
#define MODEL_KEYS_MAX    56
size_t model_buttons(const struct model *m, uint8_t *features, size_t max);

/* What the phone asks for at boot: steps separated by blanks, alternatives of one step (the first that
 * is found counts) by '|', %M and %m for the MAC in upper and lower case. "" when none is known. */
const char *model_boot_files(const struct model *m, enum device_protocol protocol);
