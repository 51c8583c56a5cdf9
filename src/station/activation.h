/* activation.h - a phone in quarantine goes off hook and types its activation code (REG-3).
 *
 * It hears dial tone, is asked for the code, and ends it with # or by a pause; the database decides
 * (EFFECT_ACTIVATE). Guessing is limited for each phone and for all together. Private to
 * src/station. */
#pragma once

#include "station/sccp/station.h"

struct activation;

struct activation *activation_new(void); /* NULL without memory */
void activation_free(struct activation *a);

/* A key, the hook, a softkey or a line of a phone in quarantine. */
void activation_key(struct session *s, const struct sccp_message *m, struct effects *e);
/* The database's answer, an error of server/activation.h; 0: the session's record is another now,
 * and the phone has been told so. */
void activation_answer(struct session *s, int err, struct effects *e);
/* The session ends. */
void activation_forget(struct session *s);

uint64_t activation_next(const struct activation *a, uint64_t now_ms); /* as stations_next */
void activation_tick(struct stations *s, struct effects *e); /* hangs up where nothing was typed */
