/* text.h - SIP, SCCP, HTTP and configuration files disguised in place, length for length.
 *
 * Each takes a whole message or document: stream.h puts those together that come in pieces. What is known to say
 * nothing of anybody stays (numbers of the protocol, loads, reasons); all other words go. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A configuration file, a directory page, a body of SIP, an alarm: XML, "key: value" lines, or binary with texts in it. */
void disguise_document(char *at, size_t len);
/* The name of a file that phones ask for: the device in it, unless it is SEP with an Ethernet address. */
void disguise_file_name(char *at, size_t len);
void disguise_sip(char *at, size_t len); /* with its body */
void disguise_http(char *at, size_t len); /* request or status line and headers */
/* As many messages as stand there; the rest is blanked. */
void disguise_sccp(uint8_t *at, size_t len);
/* The beginning of a message whose end is not there: who registers stays told. */
void disguise_sccp_part(uint8_t *at, size_t len);
/* Why a phone was away, in its own words. */
void disguise_alarm(char *at, size_t len);
/* Runs of text in bytes of any form. */
void disguise_runs(uint8_t *at, size_t len);
