/* phone_alarm.h - what a phone tells of its last absence: text (0x0020) and XML (0x015A) (SCCP-4).
 */
#pragma once

#include "core/alarms.h"
#include "wire/sccp/message.h"

/* Drafts the alarm that the message is: StationAlarm, or for XML LastOutOfServiceInformation or
 * PhoneEvent. `device` is filled in when the alarm names one, `reason` with its
 * ReasonForOutOfService. -EBADMSG when nothing can be made of it. */
int phone_alarm_read(const struct sccp_message *m, struct alarm_draft *ret);
/* The same of the XML alone, as SIP phones send it in a REFER. */
int phone_alarm_read_xml(struct text xml, struct alarm_draft *ret);
