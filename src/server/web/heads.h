/* heads.h - heads that are not to be trusted. Of front.c. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

/* A head that a proxy may read another way than we do: one request could be two (RFC 9112 6.3, 3.2). */
bool head_is_ambiguous(struct MHD_Connection *connection);
/* Answered before its body, which ends the connection: where the body ends is not known. */
enum MHD_Result head_refuse(struct MHD_Connection *connection);
