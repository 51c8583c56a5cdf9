/* sccp_parts.h - what the files of the SCCP phone share: sccp_phone.c (states), sccp_say.c
 * (messages and reports), sccp_introduce.c (alarm, Register, token), sccp_ladder.c (questions),
 * sccp_hear.c (what the server says), sccp_keys.c. Nobody else includes it. */
#pragma once

#include "handset/sccp_habits.h"
#include "handset/sccp_phone.h"
#include "handset/screen.h"
#include "wire/sccp/message.h"

#define PHONE_REGISTER_MS 30000 /* Register without an answer, or a ladder that stalls */

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
#define PHONE_GOODBYE_MS 5000 /* Unregister without an answer */
void phone_link_close(struct sccp_phone *p, unsigned link, struct effects *fx);
void phone_lost(struct sccp_phone *p, enum phone_reason reason, uint64_t now_ms,
                struct effects *fx);

/* hear */
void phone_after_goodbye(struct sccp_phone *p, uint64_t now_ms, struct effects *fx);
void phone_on_goodbye(struct sccp_phone *p, uint64_t now_ms,
                      struct effects *fx); /* answered, or nobody will */

/* introduce */
void phone_ask_registration(struct sccp_phone *p, unsigned link, uint64_t now_ms,
                            struct effects *fx);
void phone_ask_token(struct sccp_phone *p, unsigned link, struct effects *fx);

/* ladder */
void phone_send_capabilities(struct sccp_phone *p, struct effects *fx);
void phone_take_buttons(struct sccp_phone *p, const struct sccp_button_template *m);
void phone_note_answer(struct sccp_phone *p, const struct sccp_message *m);
void phone_climb(struct sccp_phone *p, uint64_t now_ms,
                 struct effects *fx); /* as far as the answers allow */
