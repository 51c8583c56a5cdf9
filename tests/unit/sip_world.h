/* sip_world.h - SIP phones and clients on a virtual clock and network before `struct sip_stations`:
 * what is sent is kept as lines, alarms and events too. Bytes go in, bytes come out. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "directory_lines.h"
#include "story.h"
#include "station/sccp/stations.h"
#include "station/sip/stations.h"

struct sip_world {
    struct registry *registry;
    struct sip_stations *sip;
    struct stations *sccp;
    const struct directory *dir;
    struct moment now;
    struct effects *effects;
    bool whole; /* log whole messages instead of their first lines */
    bool closed[64], answering[64]; /* links; whose peers answer their kernel */
    uint64_t token; /* of the last AUTOREGISTER */
    struct {        /* where else the phone is registered; NULL: nowhere */
        const char *node;
        struct ip ip;
    } elsewhere;
    size_t n_alarms, n_sent, n_answers, udp_bytes;
    struct alarm *last_alarm;
    char last[8192];         /* the last message sent, with a NUL */
    struct endpoint last_to; /* of the last datagram */
    char *log;               /* what happened since sip_world_forget */
    size_t log_len, log_size;
};

static inline void sip_world_log(struct sip_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void sip_world_log(struct sip_world *w, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    story_add(w->log, &w->log_len, w->log_size, format, args);
    va_end(args);
}

static inline void sip_world_forget(struct sip_world *w)
{
    story_forget(w->log, &w->log_len);
}

static inline void sip_world_show(struct sip_world *w, const uint8_t *bytes, size_t len)
{
    struct text rest = {(const char *)bytes, len};

    w->n_sent++;
    text_copy(w->last, sizeof(w->last), rest);
    if (!w->whole) {
        struct text line = text_split(&rest, '\r');

        sip_world_log(w, "  <- %.*s\n", TEXT_ARG(line));
        return;
    }
    while (rest.len) {
        struct text line = text_split(&rest, '\n');

        if (text_ends(line, "\r"))
            line.len--;
        sip_world_log(w, "  <- %.*s\n", TEXT_ARG(line));
    }
}

/* Messages that go out together on one link are shown one by one. */
static inline void sip_world_stream(struct sip_world *w, const uint8_t *bytes, size_t len)
{
    struct sip_message m;

    while (len) {
        if (sip_parse_head(bytes, len, &m) < 0) { /* what a peer wrote comes back as it is */
            sip_world_show(w, bytes, len);
            return;
        }
        w->n_answers += m.status >= 200;
        sip_world_show(w, bytes, m.head + m.length);
        bytes += m.head + m.length;
        len -= m.head + m.length;
    }
}

static inline void sip_world_carry_out(struct sip_world *w)
{
    struct effects *e = w->effects;
    char line[4096];

    for (size_t i = 0; i < e->n; i++) {
        struct effect *row = &e->rows[i];

        sip_world_log(w, "%s", story_effect(row, line, sizeof(line)));
        switch (row->kind) {
        case EFFECT_SEND:
            if (effect_bytes(e, row)[1] == 0)
                break; /* SCCP */
            sip_world_stream(w, effect_bytes(e, row), row->send.len);
            break;
        case EFFECT_DATAGRAM:
            w->last_to = row->datagram.to;
            w->udp_bytes += row->datagram.len;
            sip_world_stream(w, effect_bytes(e, row), row->datagram.len);
            break;
        case EFFECT_CLOSE:
            if (row->link < 64)
                w->closed[row->link] = true;
            sip_world_log(w, "  close %u\n", (unsigned)row->link);
            break;
        case EFFECT_PROBE:
            sip_world_log(w, "  probe %u\n", (unsigned)row->link);
            break;
        case EFFECT_ALARM:
            w->n_alarms++;
            free(w->last_alarm);
            w->last_alarm = row->take_alarm;
            break;
        case EFFECT_AUTOREGISTER:
        case EFFECT_ACTIVATE:
            w->token = row->link;
            break;
        default:
            break;
        }
    }
    effects_clear(e);
}

static inline void sip_world_directory(struct sip_world *w, const char *lines)
{
    const struct directory *old = w->dir;

    w->dir = directory_of_lines(lines);
    registry_set_directory(w->registry, w->dir, w->now);
    directory_unref(old);
}

static inline void sip_world_no_time(void *context, const char *zone, uint64_t wall_us,
                                     struct local_time *ret)
{
    *ret = (struct local_time){2026, 1, 1, 4, 12, 0, 0};
}

static inline const char *sip_world_elsewhere(void *context, struct device_name name, struct ip *ret)
{
    const struct sip_world *w = context;

    *ret = w->elsewhere.ip;
    return w->elsewhere.node;
}

static inline bool sip_world_answers(void *context, uint64_t link, uint32_t within_ms)
{
    const struct sip_world *w = context;

    return link < 64 && w->answering[link] && !w->closed[link];
}

static inline struct sip_world *sip_world_new_sized(const char *lines, size_t max)
{
    static const uint8_t secret[32] = "0123456789abcdefghijklmnopqrstu";
    struct sip_world *w = calloc(1, sizeof(*w));
    struct registry_options r = {.node = "cm1", .local_time = sip_world_no_time, .elsewhere = sip_world_elsewhere, .answers = sip_world_answers, .context = w};
    struct sip_options o = {.max_devices = max, .max_links = max, .secret = secret};
    struct stations_options s = {.max_sessions = 10};

    w->effects = effects_new();
    w->log_size = 1 << 20;
    w->log = calloc(1, w->log_size);
    w->now = (struct moment){1000, 1435818151123000}; /* 2 July 2015 06:22:31.123 UTC */
    w->registry = o.registry = s.registry = registry_new(&r);
    w->sip = sip_stations_new(&o);
    w->sccp = stations_new(&s);
    sip_world_directory(w, lines);
    return w;
}

static inline struct sip_world *sip_world_new(const char *lines)
{
    return sip_world_new_sized(lines, 1000);
}

static inline void sip_world_free(struct sip_world *w)
{
    effects_free(w->effects);
    sip_stations_free(w->sip);
    stations_free(w->sccp);
    registry_free(w->registry);
    directory_unref(w->dir);
    free(w->last_alarm);
    free(w->log);
    free(w);
}

/* Lets time pass, a tick whenever one is due. */
static inline void sip_world_pass(struct sip_world *w, uint64_t ms)
{
    uint64_t end = w->now.ms + ms, step;
    unsigned stuck = 0;

    while (w->now.ms < end) {
        step = sip_stations_next(w->sip, w->now.ms);
        if (step > end - w->now.ms)
            step = end - w->now.ms;
        stuck = step ? 0 : stuck + 1;
        if (stuck > 10)
            abort(); /* a timer that is due and does not fire */
        w->now.ms += step;
        w->now.wall_us += step * 1000;
        while (sip_stations_tick(w->sip, w->now, w->effects))
            sip_world_carry_out(w);
        sip_world_carry_out(w);
    }
}

static inline struct endpoint sip_world_peer(uint64_t link)
{
    return (struct endpoint){ip_v4((uint32_t)(0x0a010000 + link)), (uint16_t)(50000 + link)};
}

static inline void sip_world_connect_as(struct sip_world *w, uint64_t link, struct endpoint peer,
                                        enum sip_transport transport, const char *subject)
{
    struct endpoint local = {ip_v4(0x0a000001), transport == SIP_TLS ? 5061 : 5060};

    if (sip_stations_open(w->sip, link, transport, &peer, &local, text_of(subject), w->now,
                          w->effects) < 0)
        sip_world_log(w, "  no room\n");
    if (link < 64)
        w->closed[link] = false;
    sip_world_carry_out(w);
}

static inline void sip_world_connect(struct sip_world *w, uint64_t link)
{
    sip_world_connect_as(w, link, sip_world_peer(link), SIP_TCP, "");
}

static inline void sip_world_bytes(struct sip_world *w, uint64_t link, const void *bytes,
                                   size_t len)
{
    size_t n = 0;

    do {
        n += sip_stations_input(w->sip, link, (const uint8_t *)bytes + n, len - n, w->now,
                                w->effects);
        sip_world_carry_out(w);
    } while (n < len);
}

static inline void sip_world_datagram(struct sip_world *w, struct endpoint peer, const void *bytes,
                                      size_t len)
{
    struct endpoint local = {ip_v4(0x0a000001), 5060};

    sip_stations_datagram(w->sip, &peer, &local, bytes, len, w->now, w->effects);
    sip_world_carry_out(w);
}

static inline void sip_world_close(struct sip_world *w, uint64_t link)
{
    sip_stations_closed(w->sip, link, 0, w->now, w->effects);
    sip_world_carry_out(w);
}

/* --- what phones say --- */

#define SIP_SUPPORTED_TAGS                                                                         \
    "replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,X-cisco-callinfo,"         \
    "X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,X-cisco-srtp-fallback,"        \
    "X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1"

#define SIP_BULK_BODY                                                                              \
    "--uniqueBoundary\r\nContent-Type: application/x-cisco-remotecc-request+xml\r\n"               \
    "Content-Disposition: session;handling=optional\r\n\r\n"                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-remotecc-request>\n"                     \
    "<bulkregisterreq>\n<contact all=\"true\">\n<register></register>\n</contact>\n"               \
    "</bulkregisterreq>\n</x-cisco-remotecc-request>\n\r\n--uniqueBoundary\r\n"                    \
    "Content-Type: application/x-cisco-remotecc-request+xml\r\n"                                   \
    "Content-Disposition: session;handling=optional\r\n\r\n"                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-remotecc-request>\n<optionsind>\n"       \
    "<combine max=\"6\">\n<remotecc>\n<status></status>\n</remotecc>\n<service-control>"           \
    "</service-control>\n</combine>\n<dialog usage=\"hook status\">\n<unot></unot>\n<sub></sub>\n" \
    "</dialog>\n<dialog usage=\"shared line\">\n<unot></unot>\n<sub></sub>\n</dialog>\n"           \
    "<presence usage=\"blf speed dial\">\n<unot></unot>\n<sub></sub>\n</presence>\n"               \
    "<joinreq></joinreq>\n<cfwdall-anyline></cfwdall-anyline>\n<coaching></coaching>\n"            \
    "<oosalarm></oosalarm>\n<ix></ix>\n<bfcp></bfcp>\n</optionsind>\n"                             \
    "</x-cisco-remotecc-request>\n\r\n--uniqueBoundary--\r\n"

struct sip_say {
    uint64_t link; /* 0: UDP */
    const char *mac, *model, *user, *call_id;
    unsigned cseq;
    int expires;            /* -1: none */
    const char *parameters; /* of Contact, behind those that name the device */
    const char *headers;    /* more of them, with line ends */
    const char *body;       /* a remotecc multipart, or NULL */
    const char *supported;  /* NULL: those of recent loads */
    unsigned port;          /* of Contact; 0: that of the connection */
    uint32_t ip;            /* of Contact; 0: that of the connection */
};

/* A REGISTER as phones write it; returns its length. */
static inline size_t sip_world_write(const struct sip_say *s, char *to, size_t size)
{
    struct endpoint peer = sip_world_peer(s->link);
    const char *transport = s->link ? "TCP" : "UDP", *body = s->body ? s->body : "";
    unsigned port = s->port ? s->port : peer.port;
    char ip[IP_TEXT_MAX], expires[40] = "";
    int n;

    ip_print(s->ip ? ip_v4(s->ip) : peer.ip, ip);
    if (s->expires >= 0)
        snprintf(expires, sizeof(expires), "Expires: %d\r\n", s->expires);
    n = snprintf(
        to, size,
        "REGISTER sip:10.0.0.1 SIP/2.0\r\n"
        "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK%08x\r\n"
        "From: <sip:%s@10.0.0.1>;tag=%s00020000ffff-0000ffff\r\n"
        "To: <sip:%s@10.0.0.1>\r\n"
        "Call-ID: %s\r\n"
        "Max-Forwards: 70\r\n"
        "Date: Thu, 02 Jul 2015 06:22:31 GMT\r\n"
        "CSeq: %u REGISTER\r\n"
        "User-Agent: Cisco-CP8851/12.6.1\r\n"
        "Contact: <sip:%s@%s:%u%s>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-%s>\";"
        "+u.sip!devicename.ccm.cisco.com=\"SEP%s\";+u.sip!model.ccm.cisco.com=\"%s\"%s\r\n"
        "Supported: %s\r\n"
        "%s%s%s"
        "Content-Length: %zu\r\n\r\n%s",
        transport, ip, port, s->cseq, s->user, s->mac, s->user, s->call_id, s->cseq, s->user, ip,
        port, s->link ? ";transport=tcp" : "", s->mac, s->mac, s->model,
        s->parameters ? s->parameters : "", s->supported ? s->supported : SIP_SUPPORTED_TAGS,
        expires, s->headers ? s->headers : "",
        *body ? "Content-Type: multipart/mixed; boundary=uniqueBoundary\r\nMime-Version: 1.0\r\n"
              : "",
        strlen(body), body);
    return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

static inline void sip_world_register(struct sip_world *w, const struct sip_say *s)
{
    char bytes[8192];
    size_t len = sip_world_write(s, bytes, sizeof(bytes));

    if (s->link)
        sip_world_bytes(w, s->link, bytes, len);
    else
        sip_world_datagram(w, sip_world_peer(0), bytes, len);
}
