/* habits.h - how the generations of SIP loads register.
 *
 * A row a generation, picked by the model and the number of its load; sources beside the rows in
 * habits.c. */
#pragma once

#include "core/models.h"

struct sip_habits {
    const char *supported; /* tags of the Supported header */
    bool managed;          /* CallManager's dialect: standby, tokens, service-control */
    bool bulk;             /* one REGISTER for all lines */
    bool instance_twice;   /* +sip.instance of the active and of the wired interface */
    bool two_loads;        /* the alarm says ActiveLoad= and InactiveLoad=, not Load= */
    bool session_id;
    bool alarms;        /* REFERs with alarms before REGISTER */
    bool names_device;  /* device name among the Contact's parameters */
    bool rport;         /* asks for it in Via (RFC 3581) */
    uint8_t transport;  /* enum link_transport, when no file says */
    uint16_t refresh_s; /* refreshes so often, whatever was granted; 0: granted less delta */
};

/* `protocol` PROTOCOL_SIP or PROTOCOL_SIP_THIRD_PARTY. */
const struct sip_habits *sip_habits_of(const struct model *model, enum device_protocol protocol,
                                       const char *load);
/* "9.4.2" of "SIP41.9-4-2SR3-1S", for User-Agent; "" when there is no number. */
void sip_load_version(const char *load, char to[static 16]);
/* A load of the family of a model that has no default one: "sip88xx.12-8-1-0001-455". */
void sip_load_guess(const struct model *model, char *to, size_t size);
