/* story.h - what one phone did, as far as the capture shows it.
 *
 * timeline.c writes stories out of sights; checks and reports read them. Memory is bounded for each phone: what can
 * repeat is counted or kept in rings, never listed. Times are since 1970, in nanoseconds. */
#pragma once

#include "base/pool.h"
#include "doctor/finding.h"

/* When something was seen, and in which packet. number 0: never. */
struct moment {
    int64_t ns;
    uint64_t number;
    uint8_t capture, file; /* as place */
    bool line;
};

/* Something that happened n times. */
struct spell {
    struct moment first, last;
    unsigned n;
};

/* ---- what happened, in order: the story as it is told ---- */

enum event_kind {
#define EVENT(id, stage, words) EVENT_##id,
#include "doctor/events.def"
#undef EVENT
    N_EVENT_KINDS
};

#define EVENT_DETAIL 72

struct event {
    uint8_t kind; /* enum event_kind */
    struct spell seen; /* the same once more soon after is counted, not listed */
    char detail[EVENT_DETAIL];
};

#define EVENTS_MAX  96 /* the first EVENTS_HEAD stay, of the later ones the newest */
#define EVENTS_HEAD 32

/* ---- DHCP ---- */

struct dhcp_said { /* by one server, last */
    struct ip server;  /* option 54, else the sender */
    struct mac mac;    /* its own, or the relay's */
    struct spell offers, acks, naks;
    struct spell unheeded; /* offers since the phone last asked for an address of anybody's */
    uint32_t address, mask, router, lease_s, relay, siaddr;
    uint32_t boot[4];  /* option 150, else siaddr */
    bool has_150, has_66, boot_from_siaddr;
    bool untold;       /* what its answers hold is not told */
    bool unicast;      /* its last OFFER was not sent as a broadcast */
    uint8_t n_dns;
    char boot_name[48]; /* option 66 */
    char boot_text[24]; /* option 150, where it holds an address in letters */
};

struct story_dhcp {
    struct spell discover, offer, request, ack, nak, decline, release, inform;
    struct dhcp_said servers[3];
    uint8_t n_servers, acked; /* index of the server of the last ACK */
    bool asks_150, other_servers; /* more servers than fit */
    bool wants_broadcast;     /* flag of its requests (RFC 2131 4.1) */
    uint32_t xid;             /* of its last message … */
    uint16_t vlan;            /* … which was sent in this VLAN */
    bool two_tags;            /* one message was seen in two VLANs: the mirror does that */
    struct moment since;      /* first message of the attempt that runs; number 0: none runs */
    unsigned tries;           /* messages of it */
    int64_t waited_ns;        /* of it: the longest from a message (sent once more or not) to its answer */
    int64_t offered_ns;       /* of it: from the first message to the first OFFER; -1: none came */
    int64_t slowest_ns;       /* of the attempts that ended with an ACK */
    int64_t slowest_waited_ns;
    bool slowest_offered;     /* that one was promptly offered an address, and asked once more */
    unsigned slowest_tries, n_attempts;
    struct moment slowest;    /* its ACK */
    unsigned discovers_since_ack, offers_since_ack;
    struct moment discover_since; /* the first of them */
};

/* ---- DNS ---- */

struct dns_asked {
    char name[64];
    struct ip server;
    struct spell asked, answered;
    struct moment pending; /* the query not yet answered */
    uint16_t id;           /* of the last query */
    uint8_t rcode;         /* of the last answer */
    bool has_address;
    struct ip address;
};

#define DNS_ASKED_MAX 6

/* ---- files ---- */

enum file_state {
    FILE_ASKED,     /* no answer yet */
    FILE_RUNNING,   /* bytes come */
    FILE_WHOLE,
    FILE_NOT_FOUND,
    FILE_REFUSED,   /* another TFTP error or HTTP status: `code` */
    FILE_CLOSED,    /* ICMP: nobody listens there */
};

enum file_content { CONTENT_UNSEEN, CONTENT_FINE, CONTENT_EMPTY, CONTENT_CUT, CONTENT_MALFORMED, CONTENT_WRONG };

struct story_file {
    char name[56];
    struct ip server;
    bool http;
    uint8_t state;     /* enum file_state */
    uint8_t content;   /* enum file_content; of configuration files */
    uint16_t code;
    uint32_t flow;
    uint64_t bytes, size;
    struct spell asked, data, acks, whole, not_found, closed;
    unsigned since_answer; /* requests since anything came from the server … */
    struct moment waiting; /* … the first of them */
    unsigned in_row;       /* the last requests, unanswered: for no other name, and not long apart */
    struct moment row_since; /* the first of them */
    uint16_t port;         /* the phone's, of its last request by TFTP */
    struct spell unheard;    /* requests repeated from the same port though the answer had been sent */
    struct spell elsewhere; /* answers from another address than the one asked … */
    struct ip elsewhere_at; /* … the last */
    struct spell slow;      /* answers that took seconds … */
    int64_t slow_ns;        /* … all of them together */
    unsigned stuck, stuck_most; /* how often the same block came in a row */
    unsigned ack_stuck, ack_stuck_most; /* how often the phone acknowledged the same block in a row */
    unsigned n_again;      /* blocks or acknowledgements that came twice */
    uint16_t last_block, last_ack;
    bool answered;         /* ever, anything */
    bool given_up;         /* the phone no longer listens for its blocks: it has done with the file */
    char fault[64];        /* what is wrong with the content, as say.h keeps it */
};

#define FILES_MAX 40

/* What the phone's configuration file says; the last one read. */
struct story_config {
    char file[56];
    struct moment at;
    char servers[3][40];
    uint16_t ports[3]; /* of the phone's protocol */
    uint8_t n_servers, n_lines;
    bool is_default, sip, managed, has_load;
    char load[48], stamp[48];
};

/* ---- connections ---- */

/* Data that is sent again and again. */
struct repeat {
    struct moment since; /* its first repeat; number 0: none runs */
    uint32_t flow, length;
    unsigned n;
    int64_t waited_ns, before_ns; /* since its first sending: at the last repeat, and at the one before */
    int64_t first_ns;             /* the same, at `since` */
};

/* Bytes that never came though later ones did. */
struct gap {
    struct moment since; /* number 0: nothing is missing */
    uint32_t flow, length;
};

/* One server and port the phone opens connections to. */
struct peer {
    struct endpoint server;
    uint32_t flow;      /* the connection of now */
    bool stands;        /* it is established */
    bool middle;        /* its beginning is not in the capture */
    uint8_t capture;
    uint16_t port;      /* the phone's */
    unsigned syns;      /* of the attempt that runs */
    struct moment opening; /* its first SYN */
    struct spell opened, accepted, refused, silent; /* silent: attempts given up without an answer */
    int64_t refused_ns, accepted_ns, accepted_max_ns, accepted_sum_ns; /* last; last; worst; sum */
    unsigned accepted_late;   /* after a second or more, or after a repeated SYN */
    unsigned syn_again;       /* repeated SYNs in all */
    unsigned syn_ack_again;   /* the server's answer once more, of the attempt that runs */
    struct moment heard, said; /* last packet of each side that says something */
    struct spell again_phone, again_server; /* data sent once more */
    unsigned again_most;      /* the most often one piece of data was sent again */
    struct repeat unheard;    /* of connections before: the server's data that a phone which still spoke never acknowledged */
    struct repeat stuck[2];   /* of connections before: long pieces that were never acknowledged */
    struct repeat repeats[2]; /* now being repeated: the phone's data, the server's */
    struct gap gaps[2], missed[2];     /* the phone's, the server's; in a connection before */
    unsigned recovered;       /* repeats of data that was acknowledged in the end */
    uint32_t passed_length;   /* the longest piece that was acknowledged */
    struct spell window;      /* closed */
    struct moment window_since;
    int64_t window_ns;        /* longest */
    struct spell reset_server, reset_phone, closed_server, closed_phone;
    struct spell lost;        /* bytes missing in the capture */
    struct spell hello, server_hello, alert; /* TLS; since data last passed */
    uint8_t alert_level, alert_code;
    bool alert_phone, tls_done;
    int64_t rtt_sum_ns, rtt_max_ns; /* acknowledgements of the phone's data */
    unsigned n_rtt;
    bool from_phone, from_server; /* data of that side is in the capture */
};

#define PEERS_MAX 8

/* ---- registrations ---- */

enum session_end {
    SESSION_STANDS,
    SESSION_UNREGISTERED,  /* by the phone */
    SESSION_REJECTED,
    SESSION_PHONE_CLOSED,
    SESSION_SERVER_CLOSED,
    SESSION_PHONE_RESET,
    SESSION_SERVER_RESET,
    SESSION_REPLACED,      /* registered anew while it stood */
    SESSION_EXPIRED,       /* SIP: not refreshed */
};

#define RTT_BUCKETS 28 /* of microseconds, by powers of two */
#define DELAYS_MAX  16

/* Keepalives of SCCP, keep-alives and refreshes of SIP: one series. */
struct keepalives {
    struct spell sent, answered;
    struct moment pending;        /* sent, not yet answered; number 0: none */
    int64_t interval_min_ns, interval_max_ns, interval_sum_ns, rtt_sum_ns, rtt_max_ns;
    uint32_t rtt[RTT_BUCKETS];
    unsigned n_intervals, n_acked; /* n_acked: acknowledged by TCP alone */
    unsigned n_lost, lost_streak, lost_streak_max; /* not answered before the next */
    struct spell lost;
    unsigned n_late;              /* answered, but later than a second and eight times the mean … */
    unsigned n_calm;              /* … of those that were not */
    int64_t calm_sum_ns;
    unsigned n_again;             /* had to be sent more than once */
    struct spell again;
    unsigned again_streak, again_streak_max;
    bool pending_again, pending_acked;
    unsigned acked_streak;        /* the last ones: acknowledged by TCP, and not answered */
    struct moment unheard_since;  /* the first of them */
    int64_t delays[DELAYS_MAX];   /* ring: how long the last ones that were sent again waited */
    unsigned n_delays;
};

#define REFUSAL_MAX   96
#define REFUSAL_SHOWN 40 /* in the list of what happened */

struct session {
    struct endpoint server;
    uint32_t flow;
    bool sip, middle;  /* middle: its beginning is not in the capture */
    bool standby;      /* kept alive, not registered */
    uint8_t line;      /* SIP: the line whose refreshes are the keepalives */
    uint8_t end;       /* enum session_end */
    bool ordered;      /* the server had sent a Reset before */
    uint8_t order;     /* its kind: 1 reset, 2 restart, 3 apply */
    uint16_t status;   /* SIP: last answer */
    uint32_t interval_s, asked_s; /* keepalive granted; SIP Expires asked for */
    struct spell asked, answered_401;
    struct moment served; /* SCCP: the server's last word that only a registered phone gets */
    struct moment accepted, complete, ended, capabilities_asked, ordered_at;
    uint16_t ladder_asked, ladder_answered; /* bits of sccp_ladder (timeline/sccp.c) */
    struct moment ladder_last;              /* the last message of the ladder */
    char said[REFUSAL_MAX]; /* text of the refusal, or reason of the end */
    bool reused;       /* refused before, and tried again */
    struct gap missing; /* of the phone's bytes */
    struct keepalives keepalives;
};

#define SESSIONS_MAX  24 /* the first 4 stay, of the later ones the newest */
#define SESSIONS_HEAD 4

/* SIP: one line of the phone. */
struct story_line {
    char user[32];
    struct endpoint server;
    uint16_t status;        /* of the last final answer */
    struct spell asked, accepted, refused, challenged;
    struct moment pending;
    unsigned challenged_again; /* after it had answered a challenge, in a row */
    bool authorized, registered;
    uint32_t granted_s;
};

#define LINES_MAX 12

struct story_alarm {
    uint16_t code;    /* ReasonForOutOfService; 0: none given */
    struct spell seen;
    char text[96];
};

#define ALARMS_MAX 6

/* A VLAN the phone sent in. */
struct vlan_use {
    uint16_t vlan; /* 0: untagged */
    struct spell seen;
};

struct story {
    uint64_t id;         /* of the pool */
    char name[32];       /* "SEP001122334455"; a user for SIP phones that give no more; "" */
    char identity[48];   /* how it is found by name: the name, or "sip:address:port" */
    struct mac mac;      /* zero: not known */
    struct ip ip;        /* now */
    struct ip ips[4];    /* all, oldest first */
    uint8_t n_ips;
    bool is_phone;       /* something only phones do was seen; others are not reported */
    bool told;           /* also by a trace, which leaves things out: silence says nothing */
    bool on_link;        /* frames of its own MAC address are in the capture: no router is between */
    bool shared_address; /* other phones stand behind the same address */
    uint64_t next_at_host; /* the next story at the same address */
    char model[32], load[36], neighbour[40];
    uint32_t device_type;
    struct moment born, last;
    unsigned n_boots;    /* begun */
    uint8_t n_captures;  /* bits of the captures it was seen in */

    struct spell cdp, lldp;
    struct vlan_use vlans[4];
    uint8_t n_vlans;
    uint16_t voice_vlan; /* told to it: by CDP or LLDP */
    struct moment told_vlan;

    struct story_dhcp dhcp;
    struct dns_asked *dns;
    struct story_file *files;
    struct peer *peers;
    struct session *sessions;
    struct story_line *lines;
    struct event *events;
    struct story_alarm *alarms;
    struct story_config *config; /* NULL: none seen */
    unsigned n_unseen; /* requests that must have been answered: it went on at once, and no answer is in the capture */
    uint8_t file_last; /* the file asked for last */
    uint16_t tftp_port; /* of its last request */
    bool tftp_ports;   /* its requests come from several */
    uint8_t n_dns, n_files, n_peers, n_sessions, n_lines, n_events, n_alarms;
    unsigned n_sessions_dropped, n_events_dropped, n_files_dropped, n_peers_dropped;

    struct spell arp_asked;       /* unanswered requests of the phone, in a row */
    uint32_t arp_for;             /* the address it asks for */
    unsigned arp_silent;          /* requests since the last answer … */
    struct moment arp_since;      /* … the first of them */
    struct spell address_used;    /* another MAC address claimed its address */
    struct mac address_user;
    struct ip address_used_at;
    struct spell registers;       /* all Registers, of whatever server */
    struct spell unmarked[2], marked[2]; /* signalling of the phone without and with DSCP, by capture */
    struct spell unheard[2];      /* SIP over UDP: sent again and again though it was answered here: REGISTERs, refreshes */
    struct spell accepted, rejected, ordered, unregistered; /* of all servers, over all sessions */
    char keys[8];                        /* the last digits of the keypad */
    struct spell barred;          /* ICMP: there is no way, or it is forbidden */
    struct spell closed;          /* ICMP: nobody listens at a UDP port, not that of TFTP */
    struct ip barred_by;
    struct endpoint closed_to;
    struct endpoint barred_to;
    uint8_t barred_code;
    struct spell too_large;       /* ICMP: fragmentation needed */
    uint16_t mtu;
    struct spell torn;            /* SIP messages by UDP of which only the first fragment came */
    bool torn_answered;           /* who only captures what has ports captures first fragments only */
    struct endpoint torn_by;      /* who sent the last of them */
    unsigned n_moves;             /* registrations that went to another server than the last */
    unsigned n_returns;           /* those that went back to the one before */
    int64_t stay_ns[8];           /* ring: how long it stayed before each move */
    struct moment moved[4];       /* ring: the last moves */
    struct endpoint at[2];        /* the last two servers it was registered at, newest first */
    struct moment at_since;
    int64_t again_ns[8];          /* ring: times between registrations with the same server */
    unsigned n_again;
};

static inline bool moment_is(struct moment m)
{
    return m.number != 0;
}

/* From a to b in ns; 0 when either is missing. */
static inline int64_t moments_between(struct moment a, struct moment b)
{
    return moment_is(a) && moment_is(b) ? b.ns - a.ns : 0;
}

extern const struct event_row {
    const char *name; /* "DHCP_DISCOVER" */
    const char *words;
    enum doctor_stage stage;
} event_rows[N_EVENT_KINDS];
