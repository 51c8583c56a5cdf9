#include "station/guesses.h"

#include <errno.h>
#include <stdlib.h>

#include "core/counters.h"
#include "station/news.h"

#define GUESSERS_MAX 256

/* Wrong codes of a phone, whatever its connection. */
struct guesser {
    struct device_name name;
    uint32_t n;
    uint64_t since_ms;
};

struct guesses {
    struct guesser guessers[GUESSERS_MAX];
    size_t n_guessers, next_guesser;
    uint64_t minute; /* that n_wrong counts */
    uint32_t n_wrong;
    bool told; /* of this minute's limit */
};

struct guesses *guesses_new(void)
{
    return calloc(1, sizeof(struct guesses));
}

void guesses_free(struct guesses *g)
{
    free(g);
}

static struct guesser *guesser_of(struct guesses *a, struct device_name name)
{
    for (size_t i = 0; i < a->n_guessers; i++)
        if (strcmp(a->guessers[i].name.s, name.s) == 0)
            return &a->guessers[i];
    return NULL;
}

bool guesses_are_over(const struct station *x)
{
    struct guesses *a = x->registry->guesses;
    const struct guesser *g = guesser_of(a, x->name);
    uint64_t now = x->registry->now.ms;

    if (a->minute == now / 60000 && a->n_wrong >= (uint32_t)SETTING_OF(x, activation_tries_all))
        return true;
    return g && g->n >= (uint32_t)SETTING_OF(x, activation_tries) &&
           now - g->since_ms < (uint64_t)SETTING_OF(x, activation_lock) * 1000;
}

void guess_ask(const struct station *x, uint64_t token, const char *code, struct effects *e)
{
    struct effect *row = effects_put(e, EFFECT_ACTIVATE);

    row->link = token;
    row->activate.device = x->name;
    row->activate.model = x->model;
    row->activate.protocol = x->protocol;
    text_copy(row->activate.code, sizeof(row->activate.code), text_of(code));
}

static uint32_t note(struct station *x)
{
    struct guesses *a = x->registry->guesses;
    struct guesser *g = guesser_of(a, x->name);
    uint64_t now = x->registry->now.ms;

    if (a->minute != now / 60000) {
        a->minute = now / 60000;
        a->n_wrong = 0;
        a->told = false;
    }
    a->n_wrong++;
    if (!g) {
        g = &a->guessers[a->next_guesser++ % GUESSERS_MAX];
        a->n_guessers += a->n_guessers < GUESSERS_MAX;
        *g = (struct guesser){.name = x->name, .since_ms = now};
    }
    if (now - g->since_ms >= (uint64_t)SETTING_OF(x, activation_lock) * 1000)
        g->n = 0;
    g->since_ms = now;
    return ++g->n;
}

static void tell(struct station *x, enum alarm_id id, uint32_t tries, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, id);
    alarm_put_device(&d, x->name);
    alarm_put_ip(&d, x->peer.ip);
    if (tries)
        alarm_put(&d, "Tries", "%u", tries);
    if (id == ALARM_ACTIVATION_GUESSED)
        alarm_put(&d, "TriesOfAll", "%u", x->registry->guesses->n_wrong);
    effects_alarm(e, &d);
}

static void tell_wrong(struct station *x, uint32_t n, struct effects *e)
{
    struct guesses *a = x->registry->guesses;
    bool all = a->n_wrong >= (uint32_t)SETTING_OF(x, activation_tries_all);

    tell(x, ALARM_ACTIVATION_WRONG, n, e);
    if (n == (uint32_t)SETTING_OF(x, activation_tries) || (all && !a->told))
        tell(x, ALARM_ACTIVATION_GUESSED, n, e);
    a->told |= all;
    station_log(x, LOG_LEVEL_WARNING, "typed a wrong activation code, %u in a row", n);
}

static const char *words_of(int err)
{
    return err == -ENOENT    ? "Unknown code"
           : err == -ETIME   ? "The code has expired"
           : err == -ENOTSUP ? "Code is for another model"
                             : "Error: Database";
}

const char *guess_answered(struct station *x, int err, struct effects *e)
{
    struct guesser *g = guesser_of(x->registry->guesses, x->name);

    if (err == -ENOENT || err == -ETIME || err == -ENOTSUP) {
        count(COUNT_ACTIVATIONS_WRONG);
        tell_wrong(x, note(x), e);
    }
    if (err)
        return words_of(err);
    count(COUNT_ACTIVATIONS);
    if (g)
        g->n = 0;
    tell(x, ALARM_ACTIVATED, 0, e);
    station_log(x, LOG_LEVEL_INFO, "took the place of its activation code");
    return "";
}
