/* check.c - evidence, and what several checks ask of a story. */
#include "doctor/check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static void add(struct finding *f, struct moment m, const char *format, va_list args)
{
    struct evidence *e;

    if (f->n_evidence == EVIDENCE_MAX)
        return;
    e = &f->evidence[f->n_evidence++];
    *e = (struct evidence){
        .capture = m.capture, .file = m.file, .line = m.line, .number = m.number, .time_ns = m.ns};
    keep_words_of(e->says, sizeof(e->says), format, args);
    if (!moment_is(m))
        return;
    if (!f->first_ns || m.ns < f->first_ns)
        f->first_ns = m.ns;
    if (m.ns > f->last_ns)
        f->last_ns = m.ns;
}

void prove(struct finding *f, struct moment m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(f, m, format, args);
    va_end(args);
}

void prove_spell(struct finding *f, const struct spell *s, const char *format, ...)
{
    va_list args;

    f->n_times = s->n > f->n_times ? s->n : f->n_times;
    va_start(args, format);
    add(f, s->first, format, args);
    va_end(args);
    if (s->n > 1)
        prove(f, s->last, "the last of %u times", s->n);
}

void prove_barred(const struct scene *c, struct finding *f, struct ip to)
{
    const struct story *s = c->story;
    char by[IP_TEXT_MAX];

    if (s->barred.n && ip_equal(s->barred_to.ip, to))
        prove_spell(f, &s->barred, "ICMP of %s: %s (code %u)", ip_print(s->barred_by, by),
                    s->barred_code == 9 || s->barred_code == 10 || s->barred_code == 13
                        ? WORDS("forbidden by a filter")
                        : WORDS("no way there"),
                    s->barred_code);
}

void detail(struct finding *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep_words_of(f->detail, sizeof(f->detail), format, args);
    va_end(args);
}

void doubt(struct finding *f, enum apart apart)
{
    f->certain = false;
    f->apart = apart;
}

/* When it will be over if it goes on like this: each wait is twice the last (RFC 6298 5.5), a
 * connection is given up after some two minutes, a phone after its keepalives. */
void forecast(struct finding *f, const struct repeat *r)
{
    int64_t wait = r->waited_ns - r->before_ns, at = r->waited_ns, first = r->first_ns;
    struct tm tm;
    time_t over;
    char now[24], next[24], end[24];

    if (wait <= 0 || r->n < 2)
        return;
    while (at < 120 * SECOND)
        at += wait *= 2;
    over = (time_t)((r->since.ns - first + at) / SECOND);
    gmtime_r(&over, &tm);
    strftime(end, sizeof(end), "%H:%M:%S UTC", &tm);
    prove(f, r->since, "not acknowledged for %s, the next try %s later; it will be given up at %s",
          seconds(r->waited_ns, now), seconds(2 * (r->waited_ns - r->before_ns), next), end);
}

bool settled(const struct scene *c, struct moment m, int64_t ns)
{
    bool told = c->story ? c->story->told : c->facts->told;

    return moment_is(m) && c->facts->last.ns - m.ns >= ns && !told;
}

struct moment registered_at(const struct story *s)
{
    struct moment last = {0};

    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];
        struct moment m = e->keepalives.answered.n && (e->middle || moment_is(e->accepted))
                              ? e->keepalives.answered.last
                          : moment_is(e->accepted) || !e->middle ? e->accepted
                                                                 : e->served;

        if (!e->standby && moment_is(m) && m.ns >= last.ns)
            last = m;
    }
    return last;
}

bool is_registered(const struct story *s)
{
    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];

        if (e->end == SESSION_STANDS && !e->standby &&
            (moment_is(e->accepted) ||
             (e->middle && (e->keepalives.answered.n || moment_is(e->served)))))
            return true;
    }
    return false;
}

bool registered_despite(const struct story *s, const struct finding *f)
{
    return is_registered(s) && registered_at(s).ns > f->first_ns;
}

bool is_signalling_port(uint16_t port)
{
    return port == 2000 || port == 2443 || port == 5060 || port == 5061;
}

const char *endpoint_words(const struct endpoint *e, char to[static ENDPOINT_TEXT_MAX])
{
    return endpoint_print(e, to);
}
