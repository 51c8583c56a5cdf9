/* talk_tls.c - handshake messages and alerts that are sent in the clear (RFC 5246 6.2, 7; RFC 8446
 * 4, 5, 6). */
#include <errno.h>

#include "doctor/capture/talk.h"

enum { CHANGE_CIPHER_SPEC = 0x14, ALERT = 0x15, HANDSHAKE = 0x16, DATA = 0x17 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };
enum { EXTENSION_SERVER_NAME = 0, EXTENSION_VERSIONS = 43 };
enum {
    TLS_1_3 = 0x0304,
    TLS_FATAL = 2,
    HIDDEN_ALERT = 2 + 1 + 16 /* with its type and tag, RFC 8446 5.2 */
};

#define RECORD_MAX (16384 + 2048)

/* The version a ServerHello chooses is TLS 1.3 (RFC 8446 4.2.1). */
static bool chooses_1_3(struct reader r)
{
    struct reader extensions, body;

    read_bytes(&r, 2 + 32);      /* version, random */
    read_bytes(&r, read_u8(&r)); /* session */
    read_bytes(&r, 2 + 1);       /* cipher, compression */
    extensions = read_slice(&r, read_be16(&r));
    while (!extensions.bad && reader_left(&extensions) >= 4) {
        uint16_t type = read_be16(&extensions);

        body = read_slice(&extensions, read_be16(&extensions));
        if (type == EXTENSION_VERSIONS)
            return !body.bad && read_be16(&body) == TLS_1_3;
    }
    return false;
}

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
        if (sight.tls.type == SERVER_HELLO)
            ((struct talk *)s->user)->hides = chooses_1_3(body);
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

/* Data shows that the handshake is done. In TLS 1.3 the handshake looks like data, too: only what
 * the server sends after the phone's share shows it, if it is longer than the alert that refuses
 * the phone's certificate. */
static void tell_data(struct capture *c, struct stream *s, int side, uint16_t version,
                      uint16_t length)
{
    struct talk *t = s->user;
    struct sight sight = {.kind = SIGHT_TLS, .tls = {.record = DATA, .version = version}};
    bool told = t->sides[side].spoke;

    /* Before the phone's keys are agreed on only TLS 1.3 encrypts, whatever is known of its hello.
     */
    t->hides |= side == 1 && !t->sides[0].encrypted && !t->sides[0].spoke;
    if (t->hides && length == HIDDEN_ALERT && !(t->sides[0].spoke && t->sides[1].spoke)) {
        sight.tls.record = ALERT;
        sight.tls.level = TLS_FATAL;
        sight.tls.type = TLS_HIDDEN;
        talk_tell(c, s, side, &sight);
        return;
    }
    if (told || (t->hides && side == 1 && !t->sides[0].spoke))
        return;
    t->sides[side].spoke = true;
    if (!t->hides || side == 1)
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
    if (type == DATA)
        tell_data(c, s, side, version, length);
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
