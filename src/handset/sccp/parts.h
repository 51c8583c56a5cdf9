/* parts.h - what the files of the SCCP phone share: phone.c (states), failover.c (keepalives, the second connection), say.c
 * (messages and reports), introduce.c (alarm, Register, token), ladder.c (questions),
 * hear.c (what the server says), keys.c. Nobody else includes it. */
#pragma once

#include "handset/sccp/habits.h"
#include "handset/sccp/phone.h"
#include "handset/screen.h"
#include "wire/sccp/message.h"

enum {
#define SCCP_TIMER(id, ms, what, evidence) SCCP_##id##_MS = ms,
#include "handset/sccp/timers.def"
#undef SCCP_TIMER
};

static inline bool phone_is_faulty(const struct sccp_phone *p, enum fault f)
{
    return phone_kind_faulty(p->kind, f);
}

static inline const char *phone_load(const struct sccp_phone *p)
{
    return p->load ? p->load : p->kind->load;
}

/* say */
void phone_show(struct sccp_phone *p, struct effects *fx, const char *words);
void phone_put(struct sccp_phone *p, unsigned link, uint32_t id, const void *body,
               struct effects *fx);
void phone_put_bytes(unsigned link, const void *bytes, size_t n, struct effects *fx);
void phone_put_number(struct sccp_phone *p, uint32_t id, uint32_t number,
                      struct effects *fx); /* of one word */
void phone_put_empty(struct sccp_phone *p, unsigned link, uint32_t id, struct effects *fx);

/* phone */
void phone_link_close(struct sccp_phone *p, unsigned link, struct effects *fx);
void phone_link_open(struct sccp_phone *p, unsigned link, unsigned server, uint64_t now_ms,
                     struct effects *fx);
void phone_next_server(struct sccp_phone *p, uint64_t now_ms, struct effects *fx);

/* failover */
void phone_lost(struct sccp_phone *p, enum phone_reason reason, uint64_t now_ms,
                struct effects *fx);
void phone_moved(struct sccp_phone *p, uint64_t now_ms, struct effects *fx);
void phone_fall_back(struct sccp_phone *p, uint64_t now_ms, struct effects *fx);
uint64_t phone_patience_ms(const struct sccp_phone *p); /* with an unanswered keepalive */
void phone_send_keepalive(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx);
void phone_on_keepalive_ack(struct sccp_phone *p, unsigned link, uint64_t now_ms,
                            struct effects *fx);
void phone_standby_due(struct sccp_phone *p, uint64_t now_ms, struct effects *fx);
void phone_standby_opened(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx);
void phone_standby_failed(struct sccp_phone *p, uint64_t now_ms);
void phone_on_token(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx);
void phone_on_no_token(struct sccp_phone *p, unsigned link, uint32_t wait_s, uint64_t now_ms);
void phone_plan_standby(struct sccp_phone *p, uint64_t now_ms);

/* hear */
void phone_after_goodbye(struct sccp_phone *p, uint64_t now_ms, struct effects *fx);
void phone_on_goodbye(struct sccp_phone *p, uint64_t now_ms,
                      struct effects *fx); /* answered, or nobody will */

/* introduce */
void phone_send_alarm(struct sccp_phone *p, unsigned link, struct effects *fx);
/* With its alarm, unless that was said before (PHONE_ALARMED). */
void phone_ask_registration(struct sccp_phone *p, unsigned link, uint64_t now_ms,
                            struct effects *fx);
void phone_ask_token(struct sccp_phone *p, unsigned link, struct effects *fx);

/* ladder */
void phone_send_capabilities(struct sccp_phone *p, struct effects *fx);
void phone_take_buttons(struct sccp_phone *p, const struct sccp_button_template *m);
void phone_note_answer(struct sccp_phone *p, const struct sccp_message *m);
void phone_climb(struct sccp_phone *p, uint64_t now_ms,
                 struct effects *fx); /* as far as the answers allow */
