/* talk_sccp.c - SCCP and SIP messages out of a connection. */
#include <errno.h>

#include "doctor/capture/talk.h"

#define VERSION_GUESS                                                                              \
    11 /* of a session whose registration was not seen and whose headers do not tell */

static unsigned version_of(const struct stream *s, const struct sccp_frame *f)
{
    const struct talk *t = s->user;

    if (t->version)
        return t->version;
    if (f->version && f->version <= SCCP_VERSION_MAX)
        return f->version;
    return s->middle ? VERSION_GUESS : 0;
}

/* The version they agreed on. */
static void learn_version(struct talk *t, const struct sccp_message *m)
{
    if (m->id == SCCP_REGISTER_REQ)
        t->version = sccp_version_agree(m->register_req.protocol, SCCP_VERSION_MAX);
    else if (m->id == SCCP_REGISTER_ACK && m->register_ack.protocol <= SCCP_VERSION_MAX)
        t->version = m->register_ack.protocol;
}

static void tell_frame(struct capture *c, struct stream *s, int side, const struct sccp_frame *f)
{
    struct sight sight = {.kind = SIGHT_SCCP, .sccp = &c->sccp};

    c->sccp.id = f->id;
    c->sccp.header_version = f->version;
    if (sccp_decode(f, version_of(s, f), SCCP_FROM_PHONE | SCCP_FROM_SERVER, &c->sccp) != -ENOENT)
        learn_version(s->user, &c->sccp);
    talk_tell(c, s, side, &sight);
}

int talk_sccp(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    struct sccp_frame frame;
    int err = sccp_frame_next(&r, &frame);

    if (err < 0 || (len >= SCCP_HEADER_SIZE && bytes[7])) /* a version of millions is none */
        return -EPROTO;
    if (!err)
        return 0;
    tell_frame(c, s, side, &frame);
    return (int)(r.at - bytes);
}

void talk_sccp_cut(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    struct sccp_frame frame = {0};

    if (!talk_is_sccp(bytes, len))
        return;
    read_le32(&r);
    frame.version = read_le32(&r);
    frame.id = read_le32(&r);
    frame.body = r.at;
    frame.len = reader_left(&r);
    tell_frame(c, s, side, &frame);
}

int talk_sip(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len)
{
    struct sight sight = {.kind = SIGHT_SIP, .sip = &c->sip};
    size_t used;

    switch (sip_frame_next(bytes, len, &c->sip, &used)) {
    case SIP_FRAME_MORE:
        return 0;
    case SIP_FRAME_MESSAGE:
        talk_tell(c, s, side, &sight);
        return (int)used;
    case SIP_FRAME_PING:
    case SIP_FRAME_SKIP:
        return (int)used;
    case SIP_FRAME_BAD:
        break;
    }
    return -EPROTO;
}

void talk_message(struct capture *c, const struct packet *p)
{
    struct reader r = reader_of(p->payload.at, p->payload.len);
    struct sight sight = {.kind = SIGHT_SIP, .sip = &c->sip};
    struct sccp_frame f;

    if (talk_is_sip(p->payload.at, p->payload.len)) {
        if (sip_parse(p->payload.at, p->payload.len, &c->sip) == 0)
            capture_tell(c, &sight);
        return;
    }
    sight = (struct sight){.kind = SIGHT_SCCP, .sccp = &c->sccp};
    while (sccp_frame_next(&r, &f) == 1) {
        c->sccp.id = f.id;
        sight.from_client = sccp_message_from(f.id) == SCCP_FROM_PHONE;
        sccp_decode(&f, f.version && f.version <= SCCP_VERSION_MAX ? f.version : VERSION_GUESS,
                    SCCP_FROM_PHONE | SCCP_FROM_SERVER, &c->sccp);
        capture_tell(c, &sight);
    }
}
