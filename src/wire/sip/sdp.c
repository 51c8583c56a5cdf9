/* sdp.c - session descriptions, read and written. */
#include "wire/sip/sdp.h"

#include <errno.h>

static const struct sdp_format payloads[] = {
#define PAYLOAD(number, name, hz, n)                                                               \
    {.payload = number, .channels = n, .clock = hz, .encoding = TEXT(name)},
#include "wire/sip/payloads.def"
#undef PAYLOAD
};

static const char *const directions[] = {"inactive", "sendonly", "recvonly", "sendrecv"};

/* ---- reading ---- */

/* What is said before the first medium holds for all that say nothing else. */
struct reading {
    struct sdp *sdp;
    struct sdp_media session, *at;
    bool version, origin;
};

static int read_number(struct text t, uint64_t most, uint64_t *ret)
{
    return text_to_u64(t, 10, ret) < 0 || *ret > most ? -EBADMSG : 0;
}

/* "IN IP4 192.0.2.1/127": a host name is no address, but no mistake. */
static int read_address(struct text t, struct ip *ret)
{
    struct text network = text_split(&t, ' '), family = text_split(&t, ' ');
    struct text address = text_split(&t, '/');

    *ret = (struct ip){0};
    if (!text_is(network, "IN") || !family.len || !address.len)
        return -EBADMSG;
    if (ip_parse(address, ret) < 0)
        *ret = (struct ip){0};
    return 0;
}

static int read_origin(struct reading *r, struct text t)
{
    struct sdp *s = r->sdp;

    r->origin = true;
    s->user = text_split(&t, ' ');
    if (read_number(text_split(&t, ' '), UINT64_MAX, &s->id) < 0 ||
        read_number(text_split(&t, ' '), UINT64_MAX, &s->version) < 0)
        return -EBADMSG;
    return read_address(t, &s->origin);
}

static struct sdp_format format_of(uint8_t payload)
{
    for (size_t i = 0; i < sizeof(payloads) / sizeof(*payloads); i++)
        if (payloads[i].payload == payload)
            return payloads[i];
    return (struct sdp_format){.payload = payload, .channels = 1};
}

static bool is_rtp(const struct sdp_media *m)
{
    return text_starts(m->protocol, "RTP/") || text_starts(m->protocol, "UDP/TLS/RTP/");
}

static struct sdp_format *format_find(struct sdp_media *m, struct text payload)
{
    uint64_t n;

    if (read_number(payload, 127, &n) < 0)
        return NULL;
    for (uint8_t i = 0; i < m->n_formats; i++)
        if (m->formats[i].payload == n)
            return &m->formats[i];
    return NULL;
}

static int read_formats(struct sdp_media *m)
{
    struct text rest = m->words;
    uint64_t n;

    while (rest.at) {
        struct text word = text_split(&rest, ' ');

        if (!word.len)
            continue;
        if (read_number(word, 127, &n) < 0)
            return -EBADMSG;
        if (m->n_formats < SDP_FORMATS_MAX && !format_find(m, word)) /* once is enough */
            m->formats[m->n_formats++] = format_of((uint8_t)n);
    }
    return m->n_formats ? 0 : -EBADMSG;
}

/* "audio 49170/2 RTP/AVP 0 101" */
static int read_media(struct reading *r, struct text t)
{
    struct sdp_media *m = &r->sdp->media[r->sdp->n_media];
    struct text port;
    uint64_t n;

    if (r->sdp->n_media == SDP_MEDIA_MAX)
        return -EBADMSG;
    *m = r->session;
    m->bandwidth_kbs = 0; /* that of the session is the sum of all */
    m->type = text_split(&t, ' ');
    port = text_split(&t, ' ');
    m->protocol = text_split(&t, ' ');
    m->words = t.at ? text_trim(t) : TEXT("");
    if (!m->type.len || !m->protocol.len || !m->words.len ||
        read_number(text_split(&port, '/'), UINT16_MAX, &n) < 0)
        return -EBADMSG;
    m->port = (uint16_t)n;
    r->at = m;
    r->sdp->n_media++;
    return is_rtp(m) ? read_formats(m) : 0;
}

/* "101 telephone-event/8000", "96 opus/48000/2" */
static void read_rtpmap(struct sdp_media *m, struct text t)
{
    struct sdp_format *f = format_find(m, text_split(&t, ' '));
    struct text encoding, clock;
    uint64_t hz, channels = 1;

    if (!f || !t.at)
        return;
    t = text_trim(t);
    encoding = text_split(&t, '/');
    clock = text_split(&t, '/');
    if (!encoding.len || read_number(clock, UINT32_MAX, &hz) < 0 || !hz ||
        (t.at && read_number(t, 255, &channels) < 0))
        return;
    f->encoding = encoding;
    f->clock = (uint32_t)hz;
    f->channels = (uint8_t)channels;
}

static void read_attribute(struct sdp_media *m, struct text t)
{
    struct text name = text_split(&t, ':');
    struct sdp_format *f;
    uint64_t n;

    for (uint8_t i = 0; i < 4; i++)
        if (text_is(name, directions[i]))
            m->direction = i;
    if (!t.at)
        return;
    if (text_is(name, "rtpmap"))
        read_rtpmap(m, t);
    if (text_is(name, "fmtp") && (f = format_find(m, text_split(&t, ' '))) && t.at)
        f->parameters = text_trim(t);
    if (text_is(name, "ptime") && read_number(text_trim(t), UINT16_MAX, &n) == 0)
        m->ptime_ms = (uint16_t)n;
}

static void read_bandwidth(struct sdp_media *m, struct text t)
{
    struct text kind = text_split(&t, ':');
    uint64_t n;

    if (text_is(kind, "AS") && t.at && read_number(text_trim(t), UINT32_MAX, &n) == 0)
        m->bandwidth_kbs = (uint32_t)n;
}

static int read_line(struct reading *r, char type, struct text value)
{
    if (!r->version && type != 'v')
        return -EBADMSG;
    switch (type) {
    case 'v':
        r->version = true;
        return text_is(value, "0") ? 0 : -EBADMSG;
    case 'o':
        return read_origin(r, value);
    case 's':
        r->sdp->name = value;
        return 0;
    case 'c':
        return read_address(value, &r->at->address);
    case 'm':
        return read_media(r, value);
    case 'b':
        read_bandwidth(r->at, value);
        return 0;
    case 'a':
        read_attribute(r->at, value);
        return 0;
    default:
        return 0;
    }
}

int sdp_parse(struct text body, struct sdp *ret)
{
    struct reading r = {.sdp = ret, .session = {.direction = SDP_SENDRECV}};

    memset(ret, 0, offsetof(struct sdp, media));
    r.at = &r.session;
    if (body.len && memchr(body.at, 0, body.len))
        return -EBADMSG; /* byte-string (RFC 8866 9) */
    while (body.at && body.len) {
        struct text line = text_split(&body, '\n');

        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        if (!line.len)
            continue;
        if (line.len < 2 || line.at[1] != '=' || read_line(&r, line.at[0], text_skip(line, 2)) < 0)
            return -EBADMSG;
        if (line.at[0] == 'm')
            r.at->lines = (struct text){line.at + line.len, 0};
        r.at->lines.len = r.at->lines.at ? (size_t)(line.at + line.len - r.at->lines.at) : 0;
    }
    return r.origin ? 0 : -EBADMSG;
}

struct text sdp_attribute(const struct sdp_media *m, const char *name)
{
    struct text rest = m->lines;

    while (rest.at) {
        struct text line = text_trim(text_split(&rest, '\n')), found;

        if (!text_starts(line, "a="))
            continue;
        line = text_skip(line, 2);
        found = text_split(&line, ':');
        if (text_is(found, name))
            return line.at ? line : TEXT("");
    }
    return (struct text){NULL, 0};
}

/* ---- what is in it ---- */

static bool is_talk(const struct sdp_format *f)
{
    return !text_equal_nocase(f->encoding, TEXT("telephone-event")) &&
           !text_equal_nocase(f->encoding, TEXT("CN"));
}

const struct sdp_format *sdp_codec(const struct sdp_media *m)
{
    for (uint8_t i = 0; i < m->n_formats; i++)
        if (is_talk(&m->formats[i]))
            return &m->formats[i];
    return NULL;
}

const struct sdp_format *sdp_events(const struct sdp_media *m)
{
    const struct sdp_format *codec = sdp_codec(m), *any = NULL;

    for (uint8_t i = 0; i < m->n_formats; i++) {
        const struct sdp_format *f = &m->formats[i];

        if (!text_equal_nocase(f->encoding, TEXT("telephone-event")))
            continue;
        if (codec && f->clock == codec->clock)
            return f;
        any = any ? any : f;
    }
    return any;
}

enum sdp_direction sdp_peer_direction(const struct sdp_media *m)
{
    bool blank = m->address.family && ip_is_any(m->address);

    return m->port ? m->direction & (blank ? SDP_SENDONLY : SDP_SENDRECV) : SDP_INACTIVE;
}

/* ---- writing ---- */

static void write_line_end(struct writer *to)
{
    write_bytes(to, "\r\n", 2);
}

static struct ip written_ip(struct ip ip)
{
    return ip.family ? ip : ip_v4(0);
}

static void write_ip(struct writer *to, struct ip ip)
{
    char s[IP_TEXT_MAX];

    ip = written_ip(ip);
    write_format(to, "IN IP%u %s\r\n", ip.family, ip_print(ip, s));
}

static void write_formats(struct writer *to, const struct sdp_media *m)
{
    for (uint8_t i = 0; i < m->n_formats; i++) {
        const struct sdp_format *f = &m->formats[i];

        if (f->encoding.len && f->clock) {
            write_format(to, "a=rtpmap:%u %.*s/%u", f->payload, TEXT_ARG(f->encoding), f->clock);
            if (f->channels != 1)
                write_format(to, "/%u", f->channels);
            write_line_end(to);
        }
        if (f->parameters.len)
            write_format(to, "a=fmtp:%u %.*s\r\n", f->payload, TEXT_ARG(f->parameters));
    }
}

static void write_media(struct writer *to, const struct sdp_media *m, bool own_address)
{
    write_format(to, "m=%.*s %u %.*s", TEXT_ARG(m->type), m->port, TEXT_ARG(m->protocol));
    for (uint8_t i = 0; i < m->n_formats; i++)
        write_format(to, " %u", m->formats[i].payload);
    if (!m->n_formats)
        write_format(to, " %.*s", TEXT_ARG(m->words));
    write_line_end(to);
    if (own_address) {
        write_string(to, "c=");
        write_ip(to, m->address);
    }
    if (m->bandwidth_kbs)
        write_format(to, "b=AS:%u\r\n", m->bandwidth_kbs);
    write_formats(to, m);
    if (m->ptime_ms)
        write_format(to, "a=ptime:%u\r\n", m->ptime_ms);
    if (m->port)
        write_format(to, "a=%s\r\n", directions[m->direction & 3]);
}

static bool addresses_differ(const struct sdp *sdp)
{
    for (uint8_t i = 1; i < sdp->n_media; i++)
        if (!ip_equal(written_ip(sdp->media[i].address), written_ip(sdp->media[0].address)))
            return true;
    return false;
}

void sdp_write(struct writer *to, const struct sdp *sdp)
{
    bool differ = addresses_differ(sdp);

    write_format(to, "v=0\r\no=%.*s %llu %llu ", TEXT_ARG(sdp->user.len ? sdp->user : TEXT("-")),
                 (unsigned long long)sdp->id, (unsigned long long)sdp->version);
    write_ip(to, sdp->origin);
    write_format(to, "s=%.*s\r\n", TEXT_ARG(sdp->name.len ? sdp->name : TEXT("-")));
    if (!differ) {
        write_string(to, "c=");
        write_ip(to, sdp->n_media ? sdp->media[0].address : sdp->origin);
    }
    write_string(to, "t=0 0\r\n");
    for (uint8_t i = 0; i < sdp->n_media; i++)
        write_media(to, &sdp->media[i], differ);
}
