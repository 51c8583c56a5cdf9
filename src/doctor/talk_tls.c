/* talk_tls.c - handshake messages and alerts that are sent in the clear (RFC 5246 6.2, 7; RFC 8446
 * 4, 5, 6). */
#include <errno.h>

#include "doctor/capture_talk.h"

enum { CHANGE_CIPHER_SPEC = 0x14, ALERT = 0x15, HANDSHAKE = 0x16 };
enum { CLIENT_HELLO = 1, EXTENSION_SERVER_NAME = 0 };

#define RECORD_MAX (16384 + 2048)

/* The name in a ClientHello (RFC 6066 3), or none. */
static struct text server_name(struct reader r)
{
    struct reader extensions, body;

    read_bytes(&r, 2 + 32);        /* version, random */
    read_bytes(&r, read_u8(&r));   /* session */
    read_bytes(&r, read_be16(&r)); /* ciphers */
    read_bytes(&r, read_u8(&r));   /* compression */
    extensions = read_slice(&r, read_be16(&r));
    while (!extensions.bad && reader_left(&extensions) >= 4) {
        uint16_t type = read_be16(&extensions);

        body = read_slice(&extensions, read_be16(&extensions));
        if (type != EXTENSION_SERVER_NAME || extensions.bad)
            continue;
        read_bytes(&body, 3); /* length of the list, type of the name */
        return read_text(&body, read_be16(&body));
    }
    return (struct text){0};
}

static void tell_handshake(struct capture *c, struct stream *s, int side, uint16_t version,
                           struct reader r)
{
    while (reader_left(&r) >= 4) {
        struct sight sight = {.kind = SIGHT_TLS, .tls = {.record = HANDSHAKE, .version = version}};
        struct reader body;
        uint32_t len;

        sight.tls.type = read_u8(&r);
        len = (uint32_t)read_u8(&r) << 16;
        len |= read_be16(&r);
        body = read_slice(&r, len < reader_left(&r)
                                  ? len
                                  : reader_left(&r)); /* it may go on in the next record */
        if (sight.tls.type == CLIENT_HELLO)
            sight.tls.name = server_name(body);
        talk_tell(c, s, side, &sight);
    }
}

static void tell_alert(struct capture *c, struct stream *s, int side, uint16_t version,
                       struct reader r)
{
    struct sight sight = {.kind = SIGHT_TLS, .tls = {.record = ALERT, .version = version}};

    sight.tls.level = read_u8(&r);
    sight.tls.type = read_u8(&r);
    if (!r.bad)
        talk_tell(c, s, side, &sight);
}

int talk_tls(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len)
{
    struct talk_side *me = &((struct talk *)s->user)->sides[side];
    struct reader r = reader_of(bytes, len);
    uint8_t type = read_u8(&r);
    uint16_t version = read_be16(&r), length = read_be16(&r);

    if (len < 5)
        return 0;
    if (type < CHANGE_CIPHER_SPEC || type > 0x17 || version >> 8 != 3 || length > RECORD_MAX)
        return -EPROTO;
    if (type == CHANGE_CIPHER_SPEC)
        me->encrypted = true;
    if (me->encrypted || (type != ALERT && type != HANDSHAKE)) {
        me->skip = length;
        return 5;
    }
    if (reader_left(&r) < length)
        return 0;
    r.end = r.at + length;
    (type == ALERT ? tell_alert : tell_handshake)(c, s, side, version, r);
    return 5 + length;
}
