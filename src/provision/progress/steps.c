/* steps.c - what a boot went through: one step stands in the phone, the others in a chain
 * of chunks; words are shared by all phones. */
#include "provision/progress/own.h"

#include <string.h>

#include "base/buf.h"

#define OWN_DIGITS 12 /* of SEP001122334455, as they stand in the names of its files */

void progress_drop_steps(struct progress *p, struct progress_phone *phone)
{
    words_give(p->details, phone->first.detail);
    phone->first.detail = NULL;
    for (uint64_t id = phone->steps; id;) {
        struct progress_chunk *c = pool_get(&p->chunks, id);
        uint64_t next = c ? c->next : 0;

        for (size_t i = 0; c && i < PROGRESS_CHUNK; i++)
            words_give(p->details, c->steps[i].detail);
        pool_give(&p->chunks, id);
        id = next;
    }
    phone->steps = 0;
    phone->n_steps = 0;
}

static struct progress_kept *step_at(const struct progress *p, const struct progress_phone *phone,
                                     size_t i)
{
    const struct progress_chunk *c;

    if (i == 0)
        return (struct progress_kept *)&phone->first;
    for (c = pool_get(&p->chunks, phone->steps), i--; c && i >= PROGRESS_CHUNK; i -= PROGRESS_CHUNK)
        c = pool_get(&p->chunks, c->next);
    return c ? (struct progress_kept *)&c->steps[i] : NULL;
}

/* Room for one more step; the last one is written over when all are taken. */
static struct progress_kept *next_step(struct progress *p, struct progress_phone *phone)
{
    if (phone->n_steps == PROGRESS_STEPS)
        return step_at(p, phone, PROGRESS_STEPS - 1);
    if (phone->n_steps % PROGRESS_CHUNK == 1) {
        uint64_t id, *link = &phone->steps;
        struct progress_chunk *c = pool_take(&p->chunks, &id);

        if (!c)
            return NULL;
        while (*link)
            link = &((struct progress_chunk *)pool_get(&p->chunks, *link))->next;
        *link = id;
    }
    return step_at(p, phone, phone->n_steps++);
}

static struct text own_digits(const struct progress_phone *phone)
{
    struct text name = text_of(phone->name.s);

    return name.len == 3 + OWN_DIGITS ? text_skip(name, 3) : TEXT("");
}

/* All phones ask for SEP\1.cnf.xml. */
static const char *detail_take(struct progress *p, const struct progress_phone *phone,
                               struct text detail)
{
    struct text own = own_digits(phone);
    const char *at = own.len ? memmem(detail.at, detail.len, own.at, own.len) : NULL;
    char to[sizeof(((struct progress_event *)NULL)->detail)];
    struct writer w = writer_of(to, sizeof(to));

    if (!at)
        return words_take(p->details, detail);
    write_bytes(&w, detail.at, (size_t)(at - detail.at));
    write_u8(&w, 1);
    write_text(&w, text_skip(detail, (size_t)(at - detail.at) + own.len));
    return words_take(p->details, (struct text){to, writer_len(&w)});
}

/* Cut, and seen to be cut, when it is too long. */
static void put_detail(const struct progress_phone *phone, const char *kept,
                       char to[static PROGRESS_DETAIL])
{
    struct text rest = text_of(kept), before = text_split(&rest, 1);
    char whole[sizeof(((struct progress_event *)NULL)->detail) + OWN_DIGITS];
    struct writer w = writer_of(whole, sizeof(whole));
    struct text t;

    write_text(&w, before);
    if (rest.at)
        write_text(&w, own_digits(phone));
    write_text(&w, rest);
    t = (struct text){whole, writer_len(&w)};
    if (t.len < PROGRESS_DETAIL) {
        text_copy(to, PROGRESS_DETAIL, t);
        return;
    }
    t.len = text_utf8_cut(t, PROGRESS_DETAIL - 4);
    memcpy(to + text_copy(to, PROGRESS_DETAIL, t), "…", 4);
}

void progress_add_step(struct progress *p, struct progress_phone *phone,
                       const struct progress_event *e)
{
    struct progress_kept *last = phone->n_steps ? step_at(p, phone, phone->n_steps - 1u) : NULL;
    const char *detail =
        detail_take(p, phone, (struct text){e->detail, strnlen(e->detail, sizeof(e->detail))});

    if (last && last->stage == e->stage && last->detail == detail && !e->at_once) {
        last->times += last->times < 255;
        words_give(p->details, detail);
        return;
    }
    last = next_step(p, phone);
    if (!last) {
        words_give(p->details, detail);
        return;
    }
    words_give(p->details, last->detail);
    *last = (struct progress_kept){detail, progress_since_start_ms(phone, e->time_us),
                                   (uint8_t)e->stage, 1, e->at_once};
}

static size_t insert_step(struct progress_step to[static PROGRESS_STEPS], size_t n,
                          const struct progress_step *step)
{
    size_t at = n;

    if (n == PROGRESS_STEPS)
        return n;
    for (; at && to[at - 1].at_ms > step->at_ms; at--)
        to[at] = to[at - 1];
    to[at] = *step;
    return n + 1;
}

size_t progress_steps(const struct progress *p, const struct progress_phone *phone,
                      struct progress_step to[static PROGRESS_STEPS])
{
    size_t n = 0;

    for (size_t i = 0; i < phone->n_steps; i++) {
        const struct progress_kept *s = step_at(p, phone, i);
        struct progress_step step;

        if (!s)
            continue;
        step = (struct progress_step){s->at_ms, s->stage, s->times, ""};
        put_detail(phone, s->detail, step.detail);
        if (s->at_once) {
            step.stage = PROGRESS_REGISTER;
            n = insert_step(to, n, &step);
            step.stage = s->stage;
        }
        n = insert_step(to, n, &step);
    }
    return n;
}
