/* flash.h - what a phone keeps when it is off: its network settings, as a text file.
 *
 *   dhcp: no
 *   address: 192.0.2.20
 *
 * Values that are not there are as from the factory. */
#pragma once

#include "base/buf.h"
#include "base/text.h"
#include "handset/network.h"

void flash_print(const struct network *n, struct writer *w);
/* 0, or -EINVAL with the number of the line that says nothing sensible. */
int flash_parse(struct text t, struct network *ret, unsigned *line);

/* 0; -ENOENT: there is none yet; another -errno after a message on standard error. */
int flash_load(const char *path, struct network *ret);
int flash_store(const char *path, const struct network *n); /* whole or not at all */
