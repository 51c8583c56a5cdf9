/* sessions.c - sessions and guesses, in tables of fixed size. */
#include "server/web/sessions.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/map.h"

#define GUESSERS        4096
#define FREE_GUESSES    5
#define GUESS_WAIT_MS   2000u
#define ADDRESS_WAIT_MS (15u * 60 * 1000)
#define USER_WAIT_MS    30000u /* somebody else's guesses must not lock a person out */

/* A slot is of an address or of a user, by the hash of both: who shares one waits with the other.
 */
struct guesser {
    uint32_t n;
    uint64_t until_ms;
};

struct sessions {
    struct session rows[SESSIONS_MAX];
    struct guesser guessers[GUESSERS];
    struct source {
        uint64_t seen_ms;
        double allowance;
    } sources[GUESSERS]; /* by the hash of their address */
};

struct sessions *sessions_new(void)
{
    return calloc(1, sizeof(struct sessions));
}

void sessions_free(struct sessions *s)
{
    free(s);
}

int random_hex(char *to, size_t n)
{
    uint8_t bytes[64];

    if (n > sizeof(bytes) || getrandom(bytes, n, 0) != (ssize_t)n)
        return -EIO;
    for (size_t i = 0; i < n; i++)
        sprintf(to + 2 * i, "%02x", bytes[i]);
    return 0;
}

static bool is_over(const struct session *one, uint64_t now_ms)
{
    return !one->user[0] || now_ms - one->seen_ms > SESSION_IDLE_MS ||
           now_ms - one->begun_ms > SESSION_MAX_MS;
}

static struct session *place(struct sessions *s, uint64_t now_ms)
{
    struct session *oldest = &s->rows[0];

    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (is_over(&s->rows[i], now_ms))
            return &s->rows[i];
        if (s->rows[i].seen_ms < oldest->seen_ms)
            oldest = &s->rows[i];
    }
    return oldest;
}

void session_hash(struct text token, uint8_t to[static 32])
{
    SHA256((const uint8_t *)token.at, token.len, to);
}

static struct session *begin(struct sessions *s, const uint8_t hash[static 32], struct text user,
                             uint64_t credential, uint64_t now_ms)
{
    struct session *one = place(s, now_ms);

    memset(one, 0, sizeof(*one));
    if (!user.len || random_hex(one->csrf, 32) < 0)
        return NULL;
    text_copy(one->user, sizeof(one->user), user);
    memcpy(one->hash, hash, sizeof(one->hash));
    one->credential = credential;
    one->begun_ms = one->seen_ms = now_ms;
    one->allowance = SESSION_BURST;
    return one;
}

const struct session *session_begin(struct sessions *s, struct text user, uint64_t credential,
                                    uint64_t now_ms, char token[static SESSION_TOKEN_MAX])
{
    uint8_t hash[32];

    if (random_hex(token, 32) < 0)
        return NULL;
    session_hash(text_of(token), hash);
    return begin(s, hash, user, credential, now_ms);
}

struct session *session_of_token(struct sessions *s, const uint8_t hash[static 32],
                                 struct text name, uint64_t credential, uint64_t now_ms)
{
    struct session *one = begin(s, hash, name, credential, now_ms);

    if (one)
        one->by_token = true;
    return one;
}

const struct session *session_peek(const struct sessions *s, const uint8_t hash[static 32],
                                   uint64_t now_ms)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (!is_over(&s->rows[i], now_ms) && !CRYPTO_memcmp(s->rows[i].hash, hash, 32))
            return &s->rows[i];
    return NULL;
}

struct session *session_find(struct sessions *s, struct text token, uint64_t now_ms)
{
    uint8_t hash[32];

    session_hash(token, hash);
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct session *one = &s->rows[i];

        if (!one->user[0] || CRYPTO_memcmp(one->hash, hash, sizeof(hash)))
            continue;
        if (is_over(one, now_ms)) {
            session_end(one);
            return NULL;
        }
        one->allowance += (double)(now_ms - one->seen_ms) * SESSION_RATE / 1000;
        if (one->allowance > SESSION_BURST)
            one->allowance = SESSION_BURST;
        one->seen_ms = now_ms;
        return one;
    }
    return NULL;
}

void session_end(struct session *one)
{
    memset(one, 0, sizeof(*one));
}

bool session_allows(struct session *one)
{
    if (one->allowance < 1)
        return false;
    one->allowance--;
    return true;
}

/* --- sources --- */

bool source_allows(struct sessions *s, struct ip from, uint64_t now_ms)
{
    struct source *one = &s->sources[hash_bytes(&from, sizeof(from)) % GUESSERS];

    one->allowance += (double)(now_ms - one->seen_ms) * SOURCE_RATE / 1000;
    if (!one->seen_ms || one->allowance > SOURCE_BURST)
        one->allowance = SOURCE_BURST;
    one->seen_ms = now_ms ? now_ms : 1;
    if (one->allowance < 1)
        return false;
    one->allowance--;
    return true;
}

/* --- guesses --- */

static struct guesser *by_address(struct sessions *s, struct ip from)
{
    return &s->guessers[hash_bytes(&from, sizeof(from)) % GUESSERS];
}

static struct guesser *by_user(struct sessions *s, struct text user)
{
    return &s->guessers[hash_bytes(user.at, user.len) % GUESSERS];
}

static uint64_t left(const struct guesser *g, uint64_t now_ms)
{
    return g->until_ms > now_ms ? g->until_ms - now_ms : 0;
}

uint64_t guess_wait_ms(struct sessions *s, struct ip from, struct text user, uint64_t now_ms)
{
    uint64_t a = left(by_address(s, from), now_ms), b = left(by_user(s, user), now_ms);

    return a > b ? a : b;
}

static void count_wrong(struct guesser *g, uint64_t most_ms, uint64_t now_ms)
{
    uint64_t wait = GUESS_WAIT_MS;

    if (++g->n < FREE_GUESSES)
        return;
    for (uint32_t i = FREE_GUESSES; i < g->n && wait < most_ms; i++)
        wait *= 2;
    g->until_ms = now_ms + (wait < most_ms ? wait : most_ms);
}

void guess_wrong(struct sessions *s, struct ip from, struct text user, uint64_t now_ms)
{
    count_wrong(by_address(s, from), ADDRESS_WAIT_MS, now_ms);
    count_wrong(by_user(s, user), USER_WAIT_MS, now_ms);
}

void guess_right(struct sessions *s, struct ip from, struct text user)
{
    *by_address(s, from) = *by_user(s, user) = (struct guesser){0};
}
