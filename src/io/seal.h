/* seal.h - texts that are of no use to somebody who has the file they are stored in, but not the
 * key.
 *
 * AES-256-GCM with a random nonce for each text; the key is a file of 32 random bytes, readable for
 * its owner alone. Written as "sealed:" and base64, so that it goes wherever text goes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct seal;

#define SEAL_CLEAR_MAX 512 /* bytes of a text */
#define SEAL_TEXT_MAX  768 /* of what becomes of it, with the NUL */

/* The key in that file, or a new one that is written when it is first needed. 0; -EBADMSG when the
 * file is no key; other -errno when it is there and cannot be read. */
int seal_new(const char *path, struct seal **ret, char *error, size_t size);
void seal_free(struct seal *s); /* forgets the key; NULL is fine */

bool seal_is(struct text t);
/* 0, -E2BIG, or -errno when the file of a new key cannot be written. */
int seal_close(struct seal *s, struct text clear, char to[static SEAL_TEXT_MAX]);
/* 0, or -EBADMSG: another key, or somebody changed it. */
int seal_open(const struct seal *s, struct text sealed, char to[static SEAL_CLEAR_MAX + 1]);
