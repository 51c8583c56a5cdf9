/* dump.h - a SIP message as text for people and tests: what was understood, then its headers. */
#pragma once

#include "wire/sip/message.h"

/* Folds are shown as one blank; control characters, and bytes that are not UTF-8, as \xHH. */
void sip_dump(const struct sip_message *m, struct writer *w);
