/* signalling.h - the signalling thread's own state; for the parts of the thread alone. */
#pragma once

#include "io/backlog.h"
#include "io/tcp/tcp.h"
#include "io/tls/tls.h"
#include "server/signalling/drain.h"
#include "io/udp.h"
#include "server/local_time.h"
#include "server/server.h"
#include "station/sip/stations.h"
#include "station/sccp/stations.h"

#define NEWS_MAX 1024

enum port_id { /* also the tag of the ids of its links */
#define PORT(service, protocol, transport, key, field, profile) PORT_##service,
#include "server/signalling/ports.def"
#undef PORT
               N_PORTS
};

struct port {
    struct signalling *owner;
    enum port_id id;
    struct tcp *tcp;    /* NULL: not open, or of UDP */
    struct udp *udp[2]; /* of UDP: IPv4, IPv6 */
    struct tls *tls;
    uint64_t told_ms; /* when a failed handshake was last an alarm; 0: never */
};

struct signalling {
    struct thread *thread;
    struct port ports[N_PORTS];
    struct registry *registry;
    struct stations *stations; /* of SCCP */
    struct sip_stations *sip;
    struct peers *peers; /* the other nodes */
    struct drain drain;
    uv_timer_t measure; /* each quarter of a second: what was taken, who is sent away */
    uint64_t cpu_us, measured_ns;
    int64_t ahead_us; /* how far the wall clock is ahead of the steady one */
    size_t pulse; /* the next link whose health is read */
    uint8_t pulse_port;
    uint64_t wall_us; /* of the step that runs */
    struct effects *effects;
    struct local_times *times;
    const struct directory *directory; /* what `registry` works with: one reference */
    uv_timer_t timer;                  /* the next thing that is due in a core */
    uv_timer_t certificates_timer;
    struct backlog newcomers; /* by UDP: what waits until registered phones have been heard */
    uv_idle_t newcomers_turn; /* runs while there is any */
    uv_prepare_t prepare;
    uint64_t due_ms;           /* when `timer` fires; UINT64_MAX: it is off */
    uint64_t turn_ms, hold_ms; /* when the loop began to wait; until when nothing is due */
    uv_timer_t news_timer;
    struct news { /* what another thread will be told together */
        size_t n;
        struct message messages[NEWS_MAX];
    } admin_news, files_news;
    char node[256];
    int n_handles; /* still closing */
};

#define OVERSLEPT_MS 2000 /* the loop turns at least each quarter of a second */

/* nodes.c: the loop did not turn for so long (a virtual machine that was suspended, a process that was
 * stopped). What phones said meanwhile waits in the sockets: nobody is given up before it was read, and no keepalive
 * of before is called late. */
void signalling_overslept(struct signalling *s, uint64_t ms);

static inline struct moment signalling_now(struct signalling *s)
{
    uint64_t slept_ms = uv_now(&s->thread->loop) - s->turn_ms;

    if (slept_ms > OVERSLEPT_MS)
        signalling_overslept(s, slept_ms);
    s->wall_us = server_wall_us();
    return (struct moment){uv_now(&s->thread->loop), s->wall_us};
}

/* Whether the core of SIP serves a port, or that of SCCP. */
static inline bool signalling_is_sip(enum port_id port)
{
    return port >= PORT_SIP_UDP;
}

/* traces.c: what traces and captures want to know; each costs one look when they want nothing. */
void signalling_heard(void *context, struct device_name device, uint64_t link,
                      const struct endpoint *peer, const void *bytes, size_t len);
void signalling_said(struct signalling *s, const struct effect *row);
void signalling_trace_link(struct signalling *s, uint64_t link, const struct endpoint *peer,
                           int err); /* -EINPROGRESS: it was opened */
void signalling_trace_event(struct signalling *s, const struct progress_event *e);
void signalling_trace_binding(struct signalling *s, const struct effect *row);
void signalling_secret(void *context, int fd, const char *line);

/* effects.c: does what the effects say and clears them. */
struct tcp *signalling_tcp(const struct signalling *s, uint64_t link); /* whose link it is; NULL: its port is closed */
void signalling_carry_out(struct signalling *s);
/* The database's answer to a phone that registers itself. Frees what the message brought. */
void signalling_admitted(struct signalling *s, const struct message *m);
/* The same for an activation code that was typed. */
void signalling_activated(struct signalling *s, const struct message *m);
/* Gives the other threads what they have not been told yet. */
void signalling_tell_news(struct signalling *s);
void signalling_on_news_timer(uv_timer_t *timer);

/* ports.c */
void signalling_ports_open(struct signalling *s);
void signalling_ports_close(struct signalling *s);
void signalling_service(struct signalling *s, const struct message *m); /* MESSAGE_SERVICE */
size_t signalling_links_allowed(void);
/* Connections from now on are shown the certificates that lie in the data folder now. */
void signalling_certificates_reload(struct signalling *s);

/* requests.c: answers MESSAGE_REQUEST; frees its arguments. */
void signalling_answer(struct signalling *s, const struct message *m);
void signalling_reply(struct signalling *s, uint64_t token, int status, json_t *take_body);

void signalling_session(struct signalling *s, const struct message *m); /* session.c */

/* certificates.c */
void signalling_certificate_list(struct signalling *s, const struct message *m);
void signalling_certificate_show(struct signalling *s, const struct message *m);
void signalling_certificate_renew(struct signalling *s, const struct message *m);
void signalling_on_certificates_timer(uv_timer_t *timer);

/* nodes.c */
void signalling_measure(struct signalling *s); /* begins */
void signalling_node_list(struct signalling *s, const struct message *m);
void signalling_node_token(struct signalling *s, const struct message *m);
void signalling_node_drain(struct signalling *s, const struct message *m);
/* All registered phones, whatever they speak: start with a zeroed cursor, ends with NULL. */
const struct station *signalling_next_registered(const struct signalling *s,
                                                 struct phone_cursor *cursor);
