/* framing.c - where messages, pings and pongs end in a stream. */
#include "wire/sip/framing.h"

#include <errno.h>

/* Line ends between messages: two together ask for one as an answer (RFC 5626 3.5.1). */
static enum sip_frame_kind line_ends(const char *at, size_t len, size_t *used)
{
    if (len >= 4 && memcmp(at, "\r\n\r\n", 4) == 0) {
        *used = 4;
        return SIP_FRAME_PING;
    }
    if (len < 4 && memcmp(at, "\r\n\r\n", len) == 0)
        return SIP_FRAME_MORE; /* a pong, or half a ping */
    *used = at[0] == '\r' && at[1] == '\n' ? 2 : 1;
    return SIP_FRAME_SKIP;
}

/* Where the body ends must be known, else the place in the stream is lost. */
static bool has_end(struct sip_message *m)
{
    if (m->head == 0)
        return false;
    if (!m->has_length && (m->first[SIP_CONTENT_LENGTH] || m->first[SIP_CONTENT_TYPE])) {
        if (!m->problem) {
            m->problem = 400;
            m->words = "Missing Content-Length";
        }
        return false;
    }
    if (m->length > SIP_BODY_MAX) {
        m->problem = 513;
        m->words = "Message Too Large";
        return false;
    }
    return true;
}

enum sip_frame_kind sip_frame_next(const void *bytes, size_t len, struct sip_message *message,
                                   size_t *used)
{
    const char *at = bytes;
    int err;

    *used = 0;
    message->problem = 0;
    if (len == 0)
        return SIP_FRAME_MORE;
    if (*at == '\r' || *at == '\n')
        return line_ends(at, len, used);
    err = sip_parse_head(bytes, len, message);
    if (err == -EAGAIN)
        return SIP_FRAME_MORE;
    if (!has_end(message)) {
        if (err < 0)
            message->problem = 0; /* not to be answered */
        return SIP_FRAME_BAD;
    }
    if (message->length > len - message->head)
        return SIP_FRAME_MORE;
    message->body = (struct text){at + message->head, message->length};
    *used = message->head + message->length;
    return err < 0 ? SIP_FRAME_SKIP : SIP_FRAME_MESSAGE;
}
