/* move.c - phones that go from server to server, or sit at another than they should. */
#include "doctor/check/check.h"

static bool toggle(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    unsigned n = s->n_moves < 8 ? s->n_moves : 8;
    char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX], period[24];
    int64_t sum = 0;

    if (s->n_returns < 2 || s->n_moves < 3)
        return false;
    for (unsigned i = 0; i < n; i++)
        sum += s->stay_ns[i];
    detail(f, "%s and %s, there and back in %s", endpoint_words(&s->at[0], a),
           endpoint_words(&s->at[1], b), seconds(2 * sum / n, period));
    f->n_times = s->n_moves;
    for (unsigned i = 0; i < 4 && i < s->n_moves; i++)
        prove(f, s->moved[(s->n_moves - (s->n_moves < 4 ? s->n_moves : 4) + i) % 4],
              "registered by the other server");
    prove(f, (struct moment){0}, "%u moves, %u of them back", s->n_moves, s->n_returns);
    return true;
}

static bool server_ip(const struct story *s, const char *name, struct ip *ret)
{
    if (ip_parse(text_of(name), ret) == 0)
        return true;
    for (unsigned i = 0; i < s->n_dns; i++)
        if (s->dns[i].has_address && text_starts_nocase(text_of(s->dns[i].name), name)) {
            *ret = s->dns[i].address;
            return true;
        }
    return false;
}

static bool registered_elsewhere(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char at[ENDPOINT_TEXT_MAX];
    struct ip first;

    if (!s->config || !s->config->n_servers || !is_registered(s) || !s->at[0].ip.family ||
        s->at_since.ns < s->config->at.ns || !server_ip(s, s->config->servers[0], &first) ||
        ip_equal(first, s->at[0].ip))
        return false;
    detail(f, "at %s, its file says %s first", endpoint_words(&s->at[0], at),
           s->config->servers[0]);
    prove(f, s->config->at, "%s names %s first", s->config->file, s->config->servers[0]);
    prove(f, s->at_since, "registered by %s", at);
    return true;
}

const struct rule move_rules[] = {
    {CAUSE_TOGGLE, toggle},
    {CAUSE_REGISTERED_ELSEWHERE, registered_elsewhere},
    {0},
};
