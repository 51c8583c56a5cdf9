/* sip_files.h - what SIP phones read beside the common part of a phone's file: profile and lines,
 * the text files of 7940 and 7960, dial templates, feature policies (reference
 * provisioning.md 3.7, 3.8, 3.11, 6.1, 6.3). Inside of phone_files. */
#pragma once

#include "core/sip.h"
#include "provision/building.h"

/* Parts of SEP<MAC>.cnf.xml. */
void sip_write_profile(struct building *b);
void sip_write_feature_policy_name(struct building *b);
void sip_write_missed_calls(struct building *b);
void sip_write_transport(struct building *b);
/* A SPA phone's: it registers as a plain SIP client does. */
void sip_write_flat_profile(struct building *b);

/* User for digest, or the number: never empty. */
const char *sip_auth_name(const struct building *b, const char *number);
#define SIP_LABEL_MAX 13
/* Beside the clock: the first letters of the description. Returns `to`. */
const char *sip_phone_label(const struct phone *phone, char to[static SIP_LABEL_MAX]);

/* The text files of 7940 and 7960: of all phones, and of b->phone. 0, -ENOSPC. */
int sip_text_default(struct building *b, struct writer *w);
int sip_text_phone(struct building *b, struct writer *w);

/* DR<uuid>.xml. Returns `to`. */
char *dial_file_name(const char *rules, char to[static RECORD_FILE_MAX]);
/* A dial template by the name of its file, or dialplan.xml: the rules named `dialplan`, else one
 * that sends any number after five seconds. `name` is in lower case. 0, -ENOENT, -ENOSPC. */
int dial_file_build(const struct directory *dir, const char *name, struct writer *w);

#define FEATURE_POLICY_FILE "DefaultFP.xml"
int feature_policy_build(struct writer *w);
/* What 7940 and 7960 compare with their `sync` on NOTIFY check-sync: never equal, so that they read
 * their files. */
int sync_file_build(struct writer *w);
