#include "doctor/source.h"

#include <errno.h>
#include <stdlib.h>

#include "doctor/input.h"

struct source {
    struct input *in;
    struct records records;
    const uint8_t *at; /* not used yet */
    size_t len;
    struct record first; /* read when the file was opened, to know what it is */
    bool has_first, ended;
    const char *problem;
};

static bool end(struct source *s, const char *problem)
{
    s->ended = true;
    s->problem = problem;
    return false;
}

/* More bytes behind those that were not used; false at the end. */
static bool read_on(struct source *s)
{
    size_t before = s->len;

    if (input_bytes(s->in, &s->at, &s->len) < 0)
        return end(s, input_problem(s->in));
    if (s->len == before)
        return end(s, records_may_end(&s->records, s->len) ? NULL : "the file is cut off");
    return true;
}

static bool read_record(struct source *s, struct record *ret)
{
    enum records_step step;
    size_t used;

    while (!s->ended) {
        step = records_next(&s->records, s->at, s->len, &used, ret);
        input_use(s->in, used);
        s->at += used;
        s->len -= used;
        if (step == RECORDS_PACKET)
            return true;
        if (step == RECORDS_BROKEN)
            return end(s, s->records.problem);
        read_on(s);
    }
    return false;
}

int source_of(struct input *take_in, struct source **ret)
{
    struct source *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->in = take_in;
    records_init(&s->records);
    s->has_first = read_record(s, &s->first);
    if (s->records.format == RECORDS_START) {
        free(s);
        return -EBADMSG;
    }
    *ret = s;
    return 0;
}

int source_open(const char *path, struct source **ret)
{
    struct input *in;
    int err = input_open(path, &in);

    if (err < 0)
        return err;
    if ((err = source_of(in, ret)) < 0)
        input_close(in);
    return err;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    input_close(s->in);
    free(s);
}

bool source_next(struct source *s, struct record *ret)
{
    if (!s->has_first)
        return read_record(s, ret);
    s->has_first = false;
    *ret = s->first;
    return true;
}

uint64_t source_number(const struct source *s)
{
    return s->records.n;
}

uint64_t source_dropped(const struct source *s)
{
    return s->records.dropped;
}

const char *source_problem(const struct source *s)
{
    return s->problem;
}
