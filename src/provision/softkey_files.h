/* softkey_files.h - softkey templates as the files that phones read (reference provisioning.md 6.3). */
#pragma once

#include "base/buf.h"
#include "core/directory.h"

#define SOFTKEY_FILE_NAME_MAX 64 /* RECORD_FILE_MAX */

/* SK<uuid>.xml; the uuid is made from the template's name. Returns `to`. */
const char *softkey_file_name(const char *softkeys, char to[static SOFTKEY_FILE_NAME_MAX]);

/* The file of that name (lower case). 0, -ENOENT when no template has it, -ENOSPC. */
int softkey_file_build(const struct directory *dir, const char *name, struct writer *w);
