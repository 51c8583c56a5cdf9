/* parts.h - what the files of the SIP phone share: phone.c (links, time, beginning and
 * end), moves.c (the table), answers.c (what a registrar says), servers.c (active,
 * standby, candidates), setup.c (what the files say), say.c (requests), hear.c (what
 * comes), orders.c (requests of the server). Nobody else includes it. */
#pragma once

#include "handset/screen.h"
#include "handset/sip/habits.h"
#include "handset/sip/phone.h"
#include "wire/sip/message.h"

#define NO_SERVER           0xff
#define SIP_SUPERVISION_MS  32000
#define SIP_T1_MS           500
#define SIP_T2_MS           4000
#define SIP_SENDS           10   /* of a request that is no INVITE, over UDP (sipRetx) */
#define SIP_MIN_REFRESH_S   20   /* less is an error */
#define SIP_FALLBACK_POLL_S 300  /* at most */
#define SIP_VERSION_WAIT_MS 5000 /* for check-version after the registration moved */
#define SIP_GOODBYE_MS      5000
#define SIP_CHALLENGES      3

/* A line, with its registration when it has one of its own. */
struct sip_line {
    char name[33], contact[65], auth_name[33], password[33], label[33];
    struct sip_registration registration; /* not used by the first one */
};

/* What the files say, one block. */
struct sip_setup {
    uint8_t transport; /* enum link_transport */
    bool managed, phone_users;
    uint16_t register_s, delta_s, keepalive_s, monitor_s;
    char version_stamp[81];
    char *names[PHONE_SERVERS]; /* where they differ from the address; owned */
    uint8_t n_lines;            /* at least one */
    struct sip_line lines[];
};

struct sip_challenge {
    char value[512]; /* of the header */
    char cnonce[9];
    bool proxy; /* 407 */
};

/* One event of one registration. */
struct sip_turn {
    struct sip_phone *p;
    struct sip_registration *r;
    const struct sip_message *m; /* an answer; NULL otherwise */
    int err;                     /* of REG_BROKEN */
    enum sip_event event;
    uint64_t now_ms;
    struct effects *fx;
};

static inline bool sip_is_faulty(const struct sip_phone *p, enum fault f)
{
    return phone_kind_faulty(p->kind, f);
}

static inline const char *sip_load(const struct sip_phone *p)
{
    return p->load ? p->load : p->kind->load;
}

static inline bool sip_is_prime(const struct sip_phone *p, const struct sip_registration *r)
{
    return r >= p->prime && r < p->prime + PHONE_SERVERS;
}

static inline bool sip_is_managed(const struct sip_phone *p)
{
    return p->setup && p->setup->managed && p->kind->sip->managed;
}

static inline struct sip_registration *sip_active(struct sip_phone *p)
{
    return &p->prime[p->active];
}

/* answers */
bool sip_answer_number(const struct sip_message *m, enum sip_header_id id, uint32_t *ret);
uint32_t sip_granted_s(const struct sip_turn *t);
uint32_t sip_refresh_s(const struct sip_turn *t);     /* until the next one; 0: at once */
bool sip_is_new_binding(const struct sip_message *m); /* x-cisco-newreg */
void sip_refusal_words(const struct sip_message *m, char *to, size_t size);

/* moves */
void sip_step(struct sip_turn *t);
void sip_event(struct sip_phone *p, struct sip_registration *r, enum sip_event event,
               uint64_t now_ms, struct effects *fx);
void sip_registration_reset(struct sip_registration *r);

/* phone */
uint32_t sip_random(struct sip_phone *p);
void sip_after_goodbye(struct sip_phone *p, struct effects *fx);
/* Answered, or nobody will: to the better server, or away. */
void sip_goodbye_over(struct sip_phone *p, uint64_t now_ms, struct effects *fx);
void sip_say_goodbye(struct sip_phone *p, uint64_t now_ms, struct effects *fx);

/* servers */
void sip_begin(struct sip_phone *p, uint64_t now_ms, struct effects *fx);
void sip_link_open(struct sip_phone *p, unsigned link, struct effects *fx);
void sip_link_close(struct sip_phone *p, unsigned link, struct effects *fx);
void sip_lose_active(struct sip_phone *p, enum phone_reason reason, uint64_t now_ms,
                     struct effects *fx);
void sip_give_up(struct sip_phone *p, enum phone_state state, uint64_t now_ms, struct effects *fx);
void sip_choose_standby(struct sip_phone *p, struct effects *fx);
void sip_ask_standby(struct sip_phone *p, uint64_t now_ms, struct effects *fx);
void sip_make_standby(struct sip_phone *p, unsigned server, struct effects *fx);
void sip_fall_back(struct sip_phone *p, uint64_t now_ms, struct effects *fx); /* to come_back */
void sip_register_lines(struct sip_phone *p, uint64_t now_ms, struct effects *fx);

/* setup: 0 or -ENOMEM */
int sip_setup_take(struct sip_phone *p, const struct phone_start *start);
void sip_setup_free(struct sip_setup *s);

/* say */
void sip_ask(struct sip_turn *t, enum sip_form form, bool new_dialog); /* waits for the link */
void sip_ask_again(struct sip_turn *t); /* same form and dialog: after a challenge */
void sip_send(struct sip_phone *p, struct sip_registration *r, uint64_t now_ms, struct effects *fx);
void sip_send_alarm(struct sip_phone *p, unsigned link, const char *name, uint64_t now_ms,
                    struct effects *fx);
void sip_write_call_id(const struct sip_phone *p, unsigned dialog, struct writer *w);
const char *sip_server_name(const struct sip_phone *p, unsigned server, char room[64]);
void sip_write_user_agent(const struct sip_phone *p, const char *header, struct writer *w);
void sip_put(unsigned link, const void *bytes, size_t n, struct effects *fx);
uint32_t sip_mix(uint32_t seed, uint32_t n, uint32_t salt);
const struct sip_line *sip_line_of(const struct sip_phone *p, const struct sip_registration *r);

/* digest: takes what a 401 or 407 asks for; false when it cannot be answered */
bool sip_take_challenge(struct sip_phone *p, const struct sip_message *m);
void sip_write_authorization(const struct sip_phone *p, const struct sip_registration *r,
                             const char *method, struct writer *w);

/* hear */
bool sip_read_date(struct text t, uint64_t *wall_s);

/* orders */
void sip_on_request(struct sip_phone *p, unsigned link, const struct sip_message *m,
                    uint64_t now_ms, struct effects *fx);
