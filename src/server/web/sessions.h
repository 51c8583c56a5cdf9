/* sessions.h - who is logged in at the administration, by cookie or bearer token; and who guesses
 * passwords.
 *
 * A token is 32 random bytes; only its SHA-256 is kept. A session ends by log-out, after
 * SESSION_IDLE_MS of silence or SESSION_MAX_MS at most. Fixed tables: when full, the session silent
 * for longest gives way. Time is brought. */
#pragma once

#include "base/address.h"

#define SESSIONS_MAX      1024
#define SESSION_IDLE_MS   (30u * 60 * 1000)
#define SESSION_MAX_MS    (12u * 60 * 60 * 1000)
#define SESSION_TOKEN_MAX 65 /* hex, with the NUL */
#define SESSION_USER_MAX  129

struct sessions;

struct session {
    uint8_t hash[32];
    char user[SESSION_USER_MAX]; /* or the name of a token */
    bool by_token;
    char csrf[SESSION_TOKEN_MAX]; /* what a page must send along with what it changes */
    uint64_t credential; /* of the password that began it: when that changes, the session ends */
    uint64_t begun_ms, seen_ms;
    double allowance; /* requests it may make at once */
};

struct sessions *sessions_new(void); /* NULL without memory */
void sessions_free(struct sessions *s);

/* A new session; its token for the client in `token`. NULL when the system gives no random bytes.
 */
const struct session *session_begin(struct sessions *s, struct text user, uint64_t credential,
                                    uint64_t now_ms, char token[static SESSION_TOKEN_MAX]);
void session_hash(struct text token, uint8_t to[static 32]);
/* The session of that hash; asking is no use of it, so it grows old. */
const struct session *session_peek(const struct sessions *s, const uint8_t hash[static 32], uint64_t now_ms);
/* A session of a token that programs show with each request: it is its own secret, so it begins again when it has
 * ended. NULL without random bytes. */
struct session *session_of_token(struct sessions *s, const uint8_t hash[static 32], struct text name,
                                 uint64_t credential, uint64_t now_ms);
/* NULL: no such session, or it has ended. */
struct session *session_find(struct sessions *s, struct text token, uint64_t now_ms);
void session_end(struct session *one);
/* False: more than SESSION_RATE requests a second, over a burst of SESSION_BURST. */
bool session_allows(struct session *one);
#define SESSION_RATE  100
#define SESSION_BURST 300

/* Guessing: after five wrong passwords from an address, or for a user, each further one makes both
 * wait twice as long, an address up to 15 minutes, a user up to 30 seconds. The wait in ms that is
 * left, 0: go on. */
uint64_t guess_wait_ms(struct sessions *s, struct ip from, struct text user, uint64_t now_ms);
void guess_wrong(struct sessions *s, struct ip from, struct text user, uint64_t now_ms);
void guess_right(struct sessions *s, struct ip from, struct text user);

/* False: more than SOURCE_RATE requests a second from this address, over a burst of SOURCE_BURST. */
bool source_allows(struct sessions *s, struct ip from, uint64_t now_ms);
#define SOURCE_RATE  200
#define SOURCE_BURST 1000

/* Hex digits of `n` random bytes; -EIO. `to` holds 2n+1. */
int random_hex(char *to, size_t n);
