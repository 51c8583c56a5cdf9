/* credentials.h - SIP digest passwords as they are kept: H(user:realm:password), in MD5 and
 * SHA-256.
 *
 * Who has the hashes can answer for the user: they are secrets. They are bound to user and realm
 * (RFC 8760, RFC 7616 3.4.2), so both stand beside them. The password itself is kept only when an
 * administrator wants it in the files of phones, which know no hashes. */
#pragma once

#include <stdbool.h>

#include "base/text.h"

#define CREDENTIALS_MAX 400

/* "ha1:<md5>:<sha-256>:<realm>:<user>", with `recoverable` also ":<password>". 0; -EINVAL when user
 * or realm have a ':' or are too long; -EIO when the library cannot do MD5. */
int credentials_make(struct text user, struct text realm, struct text password, bool recoverable,
                     char to[static CREDENTIALS_MAX]);

struct credentials {
    struct text md5, sha256; /* hex digits, lower case */
    struct text realm, user;
    struct text password; /* at == NULL: not kept */
};

/* What is stored, taken apart; it borrows. False: it is not of that form. */
bool credentials_read(struct text stored, struct credentials *ret);
