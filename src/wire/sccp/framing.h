/* framing.h - SCCP messages in a TCP stream.
 *
 * A frame is twelve bytes of header, little-endian: length (of what follows the first two words,
 * so 4 for an empty body), version, message id; then the body. The version word decides nothing
 * here: a frame with an odd one must not lose the place in the stream. */
#pragma once

#include "base/buf.h"

#define SCCP_HEADER_SIZE 12
#define SCCP_FRAME_MAX   4096 /* the largest seen is 2416 */

struct sccp_frame {
    uint32_t version; /* of the header */
    uint32_t id;
    const uint8_t *body; /* borrowed from the stream */
    size_t len;
};

/* 1: `ret` is the next frame and `stream` stands behind it; 0: the rest of the stream is the start
 * of a frame, keep it until more has come; -EPROTO: no frame can start like this, close. */
int sccp_frame_next(struct reader *stream, struct sccp_frame *ret);

/* Writes a header whose length is filled in later by sccp_frame_end, which also pads to four. */
uint8_t *sccp_frame_begin(struct writer *w, uint32_t version, uint32_t id);
int sccp_frame_end(struct writer *w,
                   uint8_t *header); /* -ENOBUFS when `w` went bad; `w` is cut back */
