/* sip.h - what the configuration says of a SIP device: for the registrar that serves it and for the
 * files it reads, which must not disagree. */
#pragma once

#include "core/credentials.h"
#include "core/directory.h"

/* The profile a phone names, else the standard one, else the defaults of the table: never NULL. */
const struct sip_profile *sip_profile_of(const struct directory *dir, const struct phone *phone);
const struct security_profile *security_profile_of(const struct directory *dir,
                                                   const struct phone *phone);

/* phone->digest_user, else phone->owner; NULL: nobody. */
const struct user *digest_user_of(const struct directory *dir, const struct phone *phone);
/* His hashes for the realm in force; false: he has none. They borrow from the snapshot. */
bool digest_credentials_of(const struct directory *dir, const struct user *user,
                           struct credentials *ret);

/* The password that the phone's file carries; at == NULL: none, as its security profile or the way
 * the password is kept forbids it. */
struct text digest_password_in_file(const struct directory *dir, const struct phone *phone);

/* The user part of a Contact: a UUID (RFC 9562 version 8) that stands for this line on this phone,
 * the same on every node and after every restart. The file gives it as `contact`, REGISTER brings
 * it back (reference cisco-sip.md 1.2). Its last twelve digits are the MAC address of a phone that
 * is named by it. `line` is the target of the button. Returns `to`. */
#define SIP_CONTACT_LEN 36
const char *sip_contact_user(const struct phone *phone, const char *line,
                             char to[static SIP_CONTACT_LEN + 1]);
/* The button with that line, or NULL: by contact as above or, as files of other makers give it, by
 * the number alone; any case. */
const struct phone_button *sip_button_of(const struct phone *phone, struct text contact_user);

/* More than one phone has the line. */
bool sip_line_is_shared(const struct directory *dir, const char *line);
/* The model reads a feature policy: which features its keys may offer. */
bool sip_has_feature_policy(uint32_t model);

/* Version stamps as the files say them and as check-version and apply-config quote them, in braces:
 * ConfigVersionStamp={…}; an empty one, `{}`, says that the phone has no such file. Equal on every
 * node that has the same configuration. Some 25 look-ups: for what is sent once a registration, not
 * for refreshes. */
#define SIP_STAMP_LEN 16
typedef char sip_stamp[SIP_STAMP_LEN + 1];
struct sip_stamps {
    sip_stamp config;
    sip_stamp dialplan; /* DialplanVersionStamp: of the dial template */
    sip_stamp softkeys;
    sip_stamp features; /* FeatureControlVersionStamp: of the feature policy */
};
void sip_stamps(const struct directory *dir, const struct phone *phone, struct sip_stamps *ret);

/* The files whose stamps those are; NULL: none. */
const struct dial_rules *dial_rules_of(const struct directory *dir, const struct phone *phone);
const struct softkeys *softkeys_of(const struct directory *dir, const struct phone *phone);
/* The stamp of one of them, `record`; of the feature policy, which no record stands for: NULL. */
void sip_file_stamp(const void *record, sip_stamp to);

const struct defaults *defaults_of(const struct directory *dir, uint32_t model,
                                   enum device_protocol protocol);
/* Key of the device defaults of a model: "7960/sccp". Returns `to`. */
const char *defaults_key(uint32_t model, enum device_protocol protocol, char to[static 64]);
