/* service_control.h - the plain texts of Cisco's dialect: the orders of NOTIFY service-control and
 * of check-version in a REFER, and why a phone comes or leaves, in the Reason of its REGISTER.
 *
 * Slices borrow from what was read. */
#pragma once

#include "base/buf.h"

#define SERVICE_CONTROL_TYPE TEXT("text/plain")
#define SERVICE_CONTROL_MAX  1024

/* What is empty (at == NULL) is not written; what is there without value is "{}". */
struct service_control {
    struct text action;  /* reset, restart, check-version, apply-config … */
    struct text call_id; /* of a current REGISTER of the phone */
    struct text config, dialplan, softkey, feature; /* version stamps */
    struct text result; /* of apply-config: no_change, config_applied, Reregister_Needed */
    struct text load, inactive_load, load_server, log_server;
    struct text ppid, upgrade_time;
};
void service_control_write(struct writer *w, const struct service_control *c);
/* Keys in any case, unknown ones passed over. -EBADMSG: no action. */
int service_control_read(struct text body, struct service_control *ret);

/* Reason: SIP;cause=200;text="cisco-alarm:CODE Name=… ActiveLoad=… InactiveLoad=… Last=…" */
struct cisco_reason {
    uint32_t code;
    struct text words;                                  /* all of it behind "cisco-alarm:" */
    struct text name, active_load, inactive_load, last; /* at == NULL: not given; 79xx with 8.x
                                                           write Load=, read as active_load */
};
/* The value of a Reason header; -ENOENT: it has no cisco-alarm. */
int cisco_reason_read(struct text value, struct cisco_reason *ret);
void cisco_reason_write(struct writer *w, const struct cisco_reason *r); /* the whole header */
