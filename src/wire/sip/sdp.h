/* sdp.h - session descriptions (RFC 8866) and offer/answer (RFC 3264).
 *
 * Read in place: texts borrow from the bytes given. Nothing is allocated. Lines and attributes that
 * have no field here are skipped; sdp_attribute finds those of one medium by name.
 *
 * A description with too many media is refused; formats beyond the limit of a medium are dropped,
 * since an answer may leave out any. */
#pragma once

#include "base/address.h"
#include "base/buf.h"

#define SDP_MEDIA_MAX   8
#define SDP_FORMATS_MAX 24

enum sdp_direction {
    SDP_INACTIVE,
    SDP_SENDONLY,
    SDP_RECVONLY,
    SDP_SENDRECV
}; /* bits: send, receive */

struct sdp_format {
    uint8_t payload;        /* RTP payload type */
    uint8_t channels;       /* 1 unless said */
    uint32_t clock;         /* Hz; 0: nothing known of a dynamic payload */
    struct text encoding;   /* PCMU, telephone-event …; of static payloads too (RFC 3551) */
    struct text parameters; /* fmtp */
};

struct sdp_media {
    struct text type, protocol; /* "audio", "RTP/AVP" */
    uint16_t port;              /* 0: rejected, or disabled */
    struct ip address;          /* of its own c= or the session's; family 0: none, or a host name */
    uint8_t direction;          /* enum sdp_direction; of the session unless said */
    uint16_t ptime_ms;          /* 0: not said */
    uint32_t bandwidth_kbs;     /* b=AS, 0: not said */
    uint8_t n_formats;          /* of RTP; others keep `words` only */
    struct sdp_format formats[SDP_FORMATS_MAX];
    struct text words; /* formats as written */
    struct text lines; /* what followed its m= */
};

struct sdp {
    struct text user, name; /* of o= and s= */
    uint64_t id, version;
    struct ip origin;
    uint8_t n_media;
    struct sdp_media media[SDP_MEDIA_MAX];
};

/* 0, or -EBADMSG. Line ends may be LF alone (RFC 8866 5). */
int sdp_parse(struct text body, struct sdp *ret);
/* Canonical: c= in each medium when they differ, rtpmap for all formats. */
void sdp_write(struct writer *to, const struct sdp *sdp);
/* "label" in "a=label:x"; at == NULL when it is not there. */
struct text sdp_attribute(const struct sdp_media *m, const char *name);

/* The first format that is talk, not telephone-event or comfort noise; NULL: none. */
const struct sdp_format *sdp_codec(const struct sdp_media *m);
/* telephone-event (RFC 4733) with the clock of the codec, or any; NULL: none. */
const struct sdp_format *sdp_events(const struct sdp_media *m);
/* What the other side wants of us: c=0.0.0.0 means "send me nothing" (RFC 3264 8.4, RFC 2543). */
enum sdp_direction sdp_peer_direction(const struct sdp_media *m);

/* ---- offer and answer ---- */

/* What we can do for one type of medium; formats in order of preference. */
struct sdp_ability {
    const char *type, *protocol;
    uint16_t port;
    uint8_t direction;
    uint16_t ptime_ms;
    uint8_t n_formats;
    const struct sdp_format *formats; /* their payload numbers are those of our offers */
};

struct sdp_local {
    struct text user, name;
    uint64_t id, version;
    struct ip address;
    uint8_t n_abilities;
    const struct sdp_ability *abilities;
    bool one_codec; /* answer with one codec and telephone-event, as CallManager does */
};

/* An offer of all abilities. */
void sdp_offer(const struct sdp_local *local, struct sdp *ret);
/* RFC 3264 6: a medium for each one offered, in their order, with the offer's payload numbers; port
 * 0 for what has no format in common. True when any medium is left. Borrows from both. */
bool sdp_answer(const struct sdp *offer, const struct sdp_local *local, struct sdp *ret);
/* Makes our last description one that holds the other side (RFC 3264 8.4), as the next version;
 * `blank`: with c=0.0.0.0 too. */
void sdp_hold(struct sdp *own, bool blank);
/* Whether `answer` can be the answer to `offer`: as many media of the same types (RFC 3264 6). */
bool sdp_answers(const struct sdp *answer, const struct sdp *offer);
/* Whether a new description may follow an old one of the same session: no medium may vanish (RFC
 * 3264 8). Another session id is no mistake: Cisco phones write one when they resume. */
bool sdp_follows(const struct sdp *next, const struct sdp *last);

/* Whose turn it is, for offers early (INVITE, 200), delayed (200, ACK) and later. */
struct sdp_exchange {
    enum { SDP_STABLE, SDP_WE_OFFERED, SDP_THEY_OFFERED } state;
};
enum sdp_part { SDP_IS_OFFER, SDP_IS_ANSWER };
/* What a body that we send, or that came, is; -EPROTO: it has no place now (491, or 500). */
int sdp_sent(struct sdp_exchange *x);
int sdp_came(struct sdp_exchange *x);
void sdp_gave_up(struct sdp_exchange *x); /* the request that carried the offer failed */
