/* own.h - what the parts of the timeline share. */
#pragma once

#include "doctor/say.h"
#include "doctor/timeline/timeline.h"

/* An address and who was seen at it, the newest first (story.next_at_host). */
struct host {
    struct ip ip;
    uint64_t first; /* of stories */
};

/* Where a connection or a transfer belongs. A slot is taken over by a later flow of the same hash. */
struct flow_slot {
    uint32_t flow;
    uint64_t story; /* 0: not known yet */
    struct moment opening;
    unsigned syns;
};

/* Which phone waits for the answer to a SIP request. */
struct dialog_slot {
    uint64_t key; /* hash of Call-ID and CSeq */
    uint64_t story;
    struct moment asked;
    uint8_t line, n_again;
    bool keepalive, leaving, answered;
};

#define SERVER_INDEX 1024

struct timeline {
    struct pool stories, hosts;
    struct map by_mac, by_name, by_ip;
    struct flow_slot *flows;
    struct dialog_slot *dialogs;
    size_t n_slots; /* of both, a power of two */
    size_t n_strangers;
    uint16_t server_index[SERVER_INDEX]; /* 1 + index in facts.servers */
    struct capture_facts facts;
};

/* ---- story.c: parts of a story that grow ---- */

struct moment moment_of(const struct sight *s);
void spell_add(struct spell *spell, struct moment m);
/* Adds to the story that is told; the same as one of the last few is counted there. */
void story_tell(struct story *s, enum event_kind kind, struct moment m, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Why a server refused, in its words: numbers of labels, which phones show in their language, become their English. */
void refusal_words(char *to, size_t size, struct text said);
/* A zeroed element more, or NULL: no memory, or `max` are there. */
void *story_grow(void **array, uint8_t *n, size_t size, size_t max);
void story_done(struct story *s);
struct session *story_session(struct story *s, uint32_t flow, const struct endpoint *server); /* the last there, or NULL */
struct session *story_session_add(struct story *s, const struct sight *sight, const struct endpoint *server, bool sip);
struct peer *story_peer(struct story *s, const struct endpoint *server); /* made when new; NULL when there are too many */
struct story_file *story_file(struct story *s, struct text name, struct ip server, bool http, bool make);
/* Takes over what a story without a name had collected. */
void story_absorb(struct story *into, struct story *from);

/* ---- timeline.c: who is who ---- */

struct story *timeline_by_mac(struct timeline *t, struct mac mac, struct moment m, bool make);
/* The one phone at this address; NULL when there is none, or several. */
struct story *timeline_at(struct timeline *t, struct ip ip);
/* The same, a stranger when there is none; NULL when there are several. `from`: the packet came from there. */
struct story *timeline_at_or_new(struct timeline *t, struct ip ip, const struct sight *s, bool from);
/* The story of a device that named itself, from this address: `there` (NULL: none known there) or another. */
struct story *timeline_name(struct timeline *t, struct story *there, struct text name, const char *identity, struct ip ip,
                            const struct sight *s);
bool is_name_of(struct text name, struct mac mac); /* "SEP" and this MAC address */
void timeline_bind(struct timeline *t, struct story *story, struct ip ip);
void timeline_own(struct timeline *t, struct story *story, struct ip ip); /* by DHCP: nobody else has it any more */
void timeline_phone(struct timeline *t, struct story *story);             /* it is one */
struct flow_slot *timeline_flow(struct timeline *t, uint32_t flow, bool make);
struct story *timeline_of_flow(struct timeline *t, const struct sight *s); /* what the flow's slot says; NULL: nothing */
struct dialog_slot *timeline_dialog(struct timeline *t, uint64_t key);
struct service *timeline_service(struct timeline *t, struct ip ip, enum service_kind kind); /* never NULL */
void service_asked(struct timeline *t, struct ip ip, enum service_kind kind, struct moment m);
void service_answered(struct timeline *t, struct ip ip, enum service_kind kind, struct moment m);
void service_refused(struct timeline *t, struct ip ip, enum service_kind kind, struct moment m);
void story_touch(struct story *story, const struct sight *s);

/* The phone's side of a flow, and the other. */
static inline const struct endpoint *sight_phone(const struct sight *s)
{
    return s->from_client ? &s->at.from : &s->at.to;
}

static inline const struct endpoint *sight_server(const struct sight *s)
{
    return s->from_client ? &s->at.to : &s->at.from;
}

/* ---- one part each: what a sight of a kind adds ---- */

void see_cdp(struct timeline *t, const struct sight *s);
void see_lldp(struct timeline *t, const struct sight *s);
void see_arp(struct timeline *t, const struct sight *s);
void see_vlan(struct story *story, const struct sight *s); /* of a packet the phone sent */
void see_dhcp(struct timeline *t, const struct sight *s);
void see_dns(struct timeline *t, const struct sight *s);
void see_icmp(struct timeline *t, const struct sight *s);
void see_tftp(struct timeline *t, const struct sight *s);
void see_http_request(struct timeline *t, const struct sight *s);
void see_http_response(struct timeline *t, const struct sight *s);
void see_file(struct timeline *t, const struct sight *s);
void see_tcp(struct timeline *t, const struct sight *s);
void see_tls(struct timeline *t, const struct sight *s);
void see_lost(struct timeline *t, const struct sight *s);
void see_sccp(struct timeline *t, const struct sight *s);
void see_sip(struct timeline *t, const struct sight *s);
void see_torn(struct timeline *t, const struct sight *s);
/* A connection first thought to be of one phone turns out to be of another behind the same address. */
void hand_over(struct story *from, struct story *to, const struct sight *s);
/* A configuration file: what it says, or what is wrong with it. `type` of the phone picks the load in a default file. */
void read_config(struct story *story, struct story_file *f, const struct sight *s);
void close_session(struct story *story, uint32_t flow, enum session_end end, struct moment m);

void open_session(struct story *story, struct session *e, struct moment m); /* the server accepted it */
void note_alarm(struct story *story, uint16_t code, struct text words, struct moment m);
void note_dscp(struct story *story, const struct sight *s); /* of signalling the phone sent */
uint16_t alarm_code(struct text words);                     /* from "Last=…" or a leading number; 0: none */

/* ---- keepalives.c: one series ---- */

void keepalive_sent(struct keepalives *k, struct moment m);
void keepalive_answered(struct keepalives *k, struct moment m);
void keepalive_acked(struct keepalives *k);
/* What was sent `after_ns` ago was sent again. */
void keepalive_again(struct keepalives *k, struct moment m, int64_t after_ns);
