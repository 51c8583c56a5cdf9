/* locales.h - languages and tones of phones: what their folders hold, and what files say of them.
 *
 * None of the files is shipped; an administrator puts them into the static tree (reference
 * provisioning.md 6.5). */
#pragma once

#include "core/models.h"

#define USER_LOCALE_BUILT_IN    "English_United_States"
#define NETWORK_LOCALE_BUILT_IN "United_States"

/* In the folders of the user locale and of the network locale: "mk-sip.jar", "g3-tones.xml". Both
 * NULL: the model has no localisation with these loads, or none is known. */
struct locale_files {
    const char *texts, *tones;
};
struct locale_files locale_files_of(const struct model *m, enum device_protocol protocol);

struct locale_words {
    const char *code;    /* "de" */
    const char *charset; /* of the texts: "iso-8859-1" or "utf-8" */
};

/* By the name of the folder, which begins with the language; English when that is unknown. */
struct locale_words locale_words_of(const char *name);
