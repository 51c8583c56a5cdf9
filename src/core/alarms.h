/* alarms.h - what went wrong, with reason codes and the documented syslog form (EVT-1).
 *
 * An alarm is drafted on the stack and finished into one heap block that may cross threads:
 *
 *   struct alarm_draft d;
 *   alarm_begin(&d, ALARM_NO_CALLMANAGER_FOUND);
 *   alarm_put(&d, "Error", "%s", group);
 *   server_alarm(server, alarm_finish(&d));
 *
 * Parameters are put in the order of their row in alarms.def; empty ones may be put and leave no
 * trace. Brackets and control characters in values are replaced, so that a line stays parseable. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum alarm_catalogue {
#define CATALOGUE(id, tag, app) CATALOGUE_##id,
#include "core/alarms.def"
#undef CATALOGUE
    N_CATALOGUES
};

enum alarm_id {
#define ALARM(id, name, severity, catalogue, parameters, text) ALARM_##id,
#include "core/alarms.def"
#undef ALARM
    N_ALARMS
};

struct alarm_row {
    const char *name;
    uint8_t severity; /* as syslog: 0 emergency … 7 debug */
    uint8_t catalogue;
    const char *parameters; /* keys in order, separated by blanks */
    const char *text;
};

struct alarm_catalogue_row {
    const char *tag; /* "UC_CALLMANAGER" */
    const char *app; /* "Cisco CallManager" */
};

extern const struct alarm_row alarm_rows[N_ALARMS];
extern const struct alarm_catalogue_row alarm_catalogues[N_CATALOGUES];

/* One occurrence. `parameters` is the ready "[DeviceName=…][IPAddress=…]" part of the syslog form.
 */
struct alarm {
    uint64_t time_us; /* wall clock; 0: server_alarm fills it in */
    enum alarm_id id;
    uint32_t reason; /* 0: none */
    uint32_t times;  /* how often since the last one that was told (rate-limited), 1 or more */
    struct device_name device;
    struct ip ip;
    char parameters[]; /* NUL-terminated; the alarm is one heap block */
};

#define ALARM_TEXT_MAX 1500

struct alarm_draft {
    enum alarm_id id;
    uint32_t reason, times;
    struct device_name device;
    struct ip ip;
    const char *keys; /* of its row, behind the last that was put */
    size_t len;
    char text[ALARM_TEXT_MAX];
};

void alarm_begin(struct alarm_draft *d, enum alarm_id id);
void alarm_put(struct alarm_draft *d, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void alarm_put_text(struct alarm_draft *d, const char *key, struct text value);
void alarm_put_number(struct alarm_draft *d, const char *key, uint64_t value);
/* The usual parameters; each also fills the field of the alarm. Nothing is put for what is empty.
 */
void alarm_put_device(struct alarm_draft *d, struct device_name name); /* DeviceName */
void alarm_put_mac(struct alarm_draft *d, struct device_name name);    /* MACAddress=001122334455 */
void alarm_put_ip(struct alarm_draft *d, struct ip ip);        /* IPAddress or IPV6Address */
void alarm_put_reason(struct alarm_draft *d, uint32_t reason); /* Reason, unless 0 */
struct alarm *alarm_finish(const struct alarm_draft *d); /* heap, free() it; NULL without memory */

/* As the row says; EndPointUnregistered is only informational when the leave was asked for. */
unsigned alarm_severity(const struct alarm *a);

/* Value of a parameter in `parameters`, or empty. */
struct text alarm_parameter(const struct alarm *a, const char *key);

/* The documented line from the sequence number on, without its line end:
 *   41679: host: Jul 02 2015 06:22:31.123 UTC :  %UC_CALLMANAGER-3-EndPointUnregistered:
 *   %[DeviceName=…]…[AppID=Cisco CallManager][ClusterID=…][NodeID=…]: An endpoint has unregistered
 * Returns its length, cut to size - 1. */
size_t alarm_print(const struct alarm *a, uint64_t sequence, const char *node, const char *cluster,
                   char *to, size_t size);

/* --- reason numbers: why a phone left, was refused, or says it was away
 * --------------------------- */

struct reason {
    uint32_t code;
    const char *name; /* "KeepAliveTimeout" */
    const char *text; /* plain words: "no keepalive came in time" */
};

#define UNREGISTERED_REASON(id, code, name, text) UNREGISTERED_##id = code,
#define TRANSIENT_REASON(id, code, name, text)
#define PHONE_REASON(code, name, text)
enum unregistered_reason {
#include "core/reasons.def"
};
#undef UNREGISTERED_REASON
#undef TRANSIENT_REASON
#define UNREGISTERED_REASON(id, code, name, text)
#define TRANSIENT_REASON(id, code, name, text) TRANSIENT_##id = code,
enum transient_reason {
#include "core/reasons.def"
};
#undef UNREGISTERED_REASON
#undef TRANSIENT_REASON
#undef PHONE_REASON

/* Each returns a row, also for an unknown code (name "Unknown"); never NULL. */
const struct reason *
reason_unregistered(uint32_t code);                   /* EndPointUnregistered, RIS StatusReason */
const struct reason *reason_transient(uint32_t code); /* EndPointTransientConnection */
const struct reason *reason_phone(uint32_t code);     /* ReasonForOutOfService, "25: Name=…" */
const struct reason *alarm_reason(const struct alarm *a); /* of the alarm's own table, or NULL */
