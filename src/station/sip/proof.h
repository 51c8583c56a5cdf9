/* proof.h - that a device is who it says: digest and certificates, as its security profile asks
 * (RFC 3261 22; reference 1.8). Private to src/station. */
#pragma once

#include "station/sip/station.h"

/* True, or it has been answered: 401, 403. `d` may be NULL: it is not registered yet. */
bool sip_phone_is_proven(struct sip_request *q, struct sip_device *d);
/* Whether its security profile makes it prove itself: then nobody else can claim its name. */
bool sip_phone_has_proof(struct sip_device *d);
/* The phone of the digest user that the request proves to be, or NULL: it has been answered. */
const struct phone *sip_client_prove(struct sip_request *q);

/* A line, or a device, that is not what it says: SIPLineRegistrationError with this reason. */
enum sip_line_error {
    SIP_LINE_MISCONFIGURED = 2,
    SIP_LINE_AUTHENTICATION = 4,
    SIP_LINE_TRANSPORT = 7
};
void sip_tell_line_error(const struct sip_request *q, struct device_name name, uint32_t model,
                         enum sip_line_error reason, uint32_t times);
