#include "lab/faults/faults.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define BOOT_MS   90000 /* from power to the fault, on a busy machine */
#define PARTS_MAX 4     /* faults at once */

const struct lab_fault lab_faults[] = {
#define LAB_FAULT(deed, name, until, seconds, both, phone, server, done, lesson)                   \
    {name, fault_##deed, until, seconds, {both, phone, server}, done, lesson},
#include "lab/faults/faults.def"
#undef LAB_FAULT
    {.name = NULL},
};

const struct lab_fault *lab_fault_find(struct text name)
{
    const struct lab_fault *f = lab_faults;

    while (f->name && !text_is(name, f->name))
        f++;
    return f->name ? f : NULL;
}

/* -- what deeds ask for --------------------------------------------------------------------- */

static void add_word(const char **words, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (!words[i]) {
            words[i] = word;
            return;
        }
}
#define ADD_WORD(words, word) add_word(words, sizeof(words) / sizeof(*(words)), word)

void lab_setting(struct lab_play *p, const char *setting)
{
    ADD_WORD(p->stage.office.settings, setting);
}

void lab_parameter(struct lab_play *p, const char *parameter)
{
    ADD_WORD(p->parameters, parameter);
}

void lab_option(struct lab_play *p, const char *word)
{
    ADD_WORD(p->phone->more, word);
}

void lab_stop_server(struct lab_play *p, bool stop)
{
    if (p->stage.office.server.pid > 0)
        kill(p->stage.office.server.pid, stop ? SIGSTOP : SIGCONT);
}

void lab_nft(struct lab_play *p, struct lab_ns ns, const char *rules)
{
    stage_expect(&p->stage, network_nft(ns, rules) == 0, "nft takes its rules");
}

/* -- the stage ------------------------------------------------------------------------------ */

static bool add_scope(struct lab_play *p)
{
    const char **more = p->scope;

    return p->no_scope ||
           office_do(&p->stage.office, "scope", "add", "lab", "subnet=10.99.0.0/24",
                     "first=10.99.0.100", "last=10.99.0.199", "routers=" LAB_ADDRESS,
                     "dns=" LAB_ADDRESS, more[0], more[1], more[2], more[3], NULL) == 0;
}

static bool add_phone(struct lab_play *p)
{
    char model[48], protocol[32], lines[64], interval[48];
    struct office *o = &p->stage.office;

    snprintf(interval, sizeof(interval), "station_keepalive_interval=%u", p->keepalive_s);
    for (unsigned i = 0; i < 4 && p->parameters[i]; i++)
        if (office_do(o, "parameter", "set", p->parameters[i], NULL) != 0)
            return false;
    if (p->keepalive_s && office_do(o, "parameter", "set", interval, NULL) != 0)
        return false;
    if (!p->configured)
        return true;
    if (p->user && office_do(o, "user", "add", p->user, "digest_password=secret", NULL) != 0)
        return false;
    snprintf(model, sizeof(model), "model=%s", p->configured);
    snprintf(protocol, sizeof(protocol), "protocol=%s", p->protocol);
    snprintf(lines, sizeof(lines), "lines=%s", p->number_of_lines);
    return office_do(o, "phone", "add", p->phone->name.s, model, protocol, lines, p->fields[0],
                     p->fields[1], p->fields[2], p->fields[3], NULL) == 0;
}

struct parts {
    const struct lab_fault *at[PARTS_MAX];
    unsigned n;
};

static void tell(struct lab_play *p, const struct parts *parts, enum lab_moment moment)
{
    for (unsigned i = 0; i < parts->n; i++)
        parts->at[i]->deed(p, moment);
}

static bool build(struct lab_play *p, const struct parts *parts)
{
    struct stage *s = &p->stage;

    if (!stage_expect(s, switch_open(&s->network, &s->wire) == 0,
                      "a switch of our own is in the place of the bridge"))
        return false;
    p->phone = stage_add_phone(s, p->model, p->protocol);
    if (!p->phone)
        return false;
    tell(p, parts, LAB_BEFORE);
    if (!stage_expect(s, office_start(&s->office) == 0, "the server is ready on " LAB_ADDRESS) ||
        !stage_expect(s, add_scope(p) && add_phone(p), "%s (%s, %s) is at port phone%u",
                      p->phone->name.s, p->model, p->protocol, p->phone->port))
        return false;
    tell(p, parts, LAB_WIRED);
    return true;
}

static bool has_come(struct stage *s, void *context)
{
    const struct stage_phone *p = context;

    return p->n_awaited > 0;
}

bool lab_never(struct stage *s, void *context)
{
    return false;
}

static void watch(struct lab_play *p, const struct parts *parts)
{
    struct stage *s = &p->stage;
    unsigned seconds = 0;

    p->phone->awaited = "phone    registered";
    for (unsigned i = 0; i < parts->n; i++)
        if (strcmp(parts->at[i]->until, "registered") != 0)
            p->phone->awaited = parts->at[i]->until;
    for (unsigned i = 0; i < parts->n; i++)
        seconds = parts->at[i]->seconds > seconds ? parts->at[i]->seconds : seconds;
    stage_expect(s, stage_power(s, p->phone, true) == 0, "%s has power", p->phone->name.s);
    stage_expect(s, stage_wait(s, BOOT_MS, has_come, p->phone), "the phone says '%s'",
                 p->phone->awaited);
    tell(p, parts, LAB_REGISTERED);
    stage_wait(s, seconds * 1000, lab_never, NULL);
    stage_end_captures(s); /* how the phone ends is no part of the story */
    lab_stop_server(p, false);
}

static int parse(struct parts *parts, const char *names)
{
    struct text rest = text_of(names);

    while (rest.at && parts->n < PARTS_MAX)
        if (!(parts->at[parts->n++] = lab_fault_find(text_split(&rest, '+'))))
            return -EINVAL;
    return rest.at ? -EINVAL : 0;
}

int lab_fault_check(const char *names)
{
    return parse(&(struct parts){.n = 0}, names);
}

int lab_fault_run(const struct lab_order *order)
{
    static struct lab_play p;
    struct parts parts = {.n = 0};
    struct stage *s = &p.stage;
    int err = parse(&parts, order->faults);

    if (err)
        return err;
    p = (struct lab_play){.model = order->model,
                          .protocol = order->protocol,
                          .configured = order->model,
                          .number_of_lines = "7001"};
    err = stage_open(s, order->name, order->folder);
    s->quiet = order->quiet;
    if (!err) {
        for (unsigned i = 0; i < parts.n; i++)
            stage_say(s, "%s: %s", parts.at[i]->name, parts.at[i]->done);
        if (build(&p, &parts))
            watch(&p, &parts);
        if (s->failures && p.phone)
            stage_say(s, "%s said last: %s", p.phone->name.s, p.phone->last);
    }
    stage_turn(s, 0);
    stage_close(s);
    if (err)
        return err;
    stage_say(s, "verdict: %s; captures and logs in %s", s->failures ? "FAILED" : "good",
              order->folder);
    return s->failures ? 1 : 0;
}
