/* check.h - what the checks share: a rule says whether a cause holds for a story, and proves it.
 *
 * A rule that holds returns true and leaves its evidence in the finding; `certain` is true when it
 * is called. */
#pragma once

#include "doctor/diagnosis.h"
#include "doctor/say.h"

/* A server that answered several phones and then none of those who went on asking. */
struct silence {
    struct ip server;
    unsigned n_phones, n_answered; /* that asked after it fell silent; that it answered before */
    struct moment last;            /* its last word to anybody */
    struct moment asked;
};

#define SILENCES_MAX 8

struct scene {
    const struct timeline *timeline;
    const struct capture_facts *facts;
    const struct diagnose_options *options;
    const struct story *story; /* NULL: rules about the whole capture */
    bool one_sided;            /* only one direction of this phone's packets is in the capture */
    bool lossy;                /* the capture itself lost packets of this phone */
    struct silence silences[SILENCES_MAX];
    unsigned n_silences;
};

struct rule {
    enum cause cause;
    bool (*holds)(const struct scene *c, struct finding *f);
};

/* Ends with a rule whose `holds` is NULL. */
extern const struct rule link_rules[], dhcp_rules[], dns_rules[], tftp_rules[], files_rules[],
    path_rules[], tcp_rules[], registration_rules[], keepalive_rules[], move_rules[], pair_rules[],
    capture_rules[], /* when no other holds */
    wide_rules[];    /* about the whole capture */

void find_silences(struct scene *c); /* capture.c: of the whole capture, once */
int make_cohorts(struct diagnosis *d, const struct timeline *t); /* cohorts.c; 0 or -ENOMEM */

/* ---- evidence: sentences as say.h keeps them, a row each in words/sentences.def ---- */

void prove(struct finding *f, struct moment m, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* First and last of something that happened n times. */
void prove_spell(struct finding *f, const struct spell *s, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void detail(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* When a connection whose data is repeated will be given up. */
void forecast(struct finding *f, const struct repeat *r);
/* A router said that there is no way to that address. */
void prove_barred(const struct scene *c, struct finding *f, struct ip to);
void doubt(struct finding *f, enum apart apart); /* not certain; what would settle it */

/* ---- what rules of one capture and of two share (tftp.c, files.c) ---- */

/* A configuration came, or the phone registered: it went on without what it asked for. */
bool files_got_on(const struct story *s, struct moment since);
const char *files_all_the_same(const struct story *s,
                               struct moment since); /* words of that, or "" */
bool tftp_waits(const struct scene *c,
                const struct story_file *file); /* asked, and nothing comes */
bool tftp_server_answers(const struct story *s, const struct story_file *file); /* other names */
/* tcp.c: the connection with a file server that ended before the answer; NULL: none */
const struct peer *file_cut_off(const struct story *s, const struct story_file *file);
/* dhcp.c: it took the address of a DHCP server that names no file server, though another one does, and asks that one itself */
bool asks_intruder(const struct story *s, struct ip server);
bool is_firmware(const struct story_file *file); /* a load, its list or a part of it */
bool path_mtu_stuck(const struct scene *c, struct finding *f);
bool path_mtu_gap(const struct scene *c, struct finding *f);
bool path_mtu_torn(const struct scene *c, struct finding *f);

/* ---- judging ---- */

#define SECOND 1000000000LL

/* The capture goes on for at least this long after m, and would show it if anything came. */
bool settled(const struct scene *c, struct moment m, int64_t ns);
/* The last registration accepted, by any server; number 0: never. */
struct moment registered_at(const struct story *s);
bool is_registered(const struct story *s);  /* as far as the capture shows, at its end */
bool registered_despite(const struct story *s, const struct finding *f); /* and was so when it had begun */
bool is_forgotten(const struct session *e); /* by whoever translates addresses: keepalive.c */
bool interval_too_short(const struct session *e); /* for its path: keepalive.c */
bool is_signalling_port(uint16_t port);
const char *endpoint_words(const struct endpoint *e, char to[static ENDPOINT_TEXT_MAX]);
