#include "lab/learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "doctor/say.h"
#include "doctor/told.h"
#include "lab/guard.h"

#define ANSWER_MAX 256
#define CAUSES_MAX 8

struct lesson {
    const struct lab_fault *fault;
    const char *folder;
    enum language language;
    enum cause causes[CAUSES_MAX]; /* that are right */
    unsigned n_causes, n_hints;
};

/* -- the fault ------------------------------------------------------------------------------ */

static unsigned count(void)
{
    unsigned n = 0;

    while (lab_faults[n].name)
        n++;
    return n;
}

static const struct lab_fault *choose(const char *which)
{
    uint32_t number;

    if (which && text_to_u32(text_of(which), 10, &number) == 0)
        return number >= 1 && number <= count() ? &lab_faults[number - 1] : NULL;
    if (which)
        return lab_fault_find(text_of(which));
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        number = (uint32_t)lab_now_ms();
    return &lab_faults[number % count()];
}

/* Those that the doctor must name in that view, or also those that it may. */
static void take_view(struct lesson *l, enum lab_view view, bool maybe)
{
    struct text rest = text_of(l->fault->causes[view]);

    while (rest.at && l->n_causes < CAUSES_MAX) {
        struct text name = text_split(&rest, ' ');

        if (name.len && name.at[0] == '?' && !maybe)
            continue;
        if (name.len && (name.at[0] == '~' || name.at[0] == '?'))
            name = text_skip(name, 1);
        if (name.len && cause_named(name, &l->causes[l->n_causes]) == 0)
            l->n_causes++;
    }
}

/* What both captures tell; where that is nothing, what one of them does. */
static void take_causes(struct lesson *l)
{
    take_view(l, VIEW_BOTH, false);
    if (!l->n_causes)
        take_view(l, VIEW_BOTH, true);
    if (!l->n_causes)
        take_view(l, VIEW_PHONE, false);
    if (!l->n_causes)
        take_view(l, VIEW_SERVER, false);
    if (!*l->fault->causes[VIEW_BOTH] && l->n_causes < CAUSES_MAX)
        l->causes[l->n_causes++] = CAUSE_HEALTHY;
}

/* -- talk ----------------------------------------------------------------------------------- */

static void talk(const struct lesson *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void talk(const struct lesson *l, const char *format, ...)
{
    char kept[SAY_MAX], said[SAY_MAX];
    va_list args;

    va_start(args, format);
    keep_words_of(kept, sizeof(kept), format, args);
    va_end(args);
    fputs(say(kept, l->language, said), stdout);
}

static void list_causes(enum language l)
{
    for (int stage = 0; stage < N_DOCTOR_STAGES; stage++) {
        printf("%s\n", stage_words((enum doctor_stage)stage, l));
        for (int c = 0; c < N_CAUSES; c++)
            if ((int)cause_row((enum cause)c)->stage == stage)
                printf("  %2d %-26s %s\n", c + 1, cause_row((enum cause)c)->name,
                       cause_words((enum cause)c, l)->title);
    }
}

static void hint(struct lesson *l)
{
    enum cause c = l->causes[0];

    switch (l->n_hints++) {
    case 0:
        talk(l, "Look at this stage of the boot: %s.",
             stage_words(cause_row(c)->stage, l->language));
        break;
    case 1:
        talk(l, "What is seen: %s.", cause_seen(c, l->language));
        break;
    default:
        talk(l, "The doctor tells: dialtone doctor %s/phone1.pcap --with %s/server.pcap", l->folder,
             l->folder);
    }
    puts("");
}

static void explain(const struct lesson *l)
{
    talk(l, "What was done: %s.", say_row(l->fault->done, l->language));
    printf("\n%s\n", say_row(l->fault->lesson, l->language));
    for (unsigned i = 0; i < l->n_causes; i++) {
        const struct cause_words *w = cause_words(l->causes[i], l->language);

        printf("\n[%s] %s\n%s\n", cause_row(l->causes[i])->name, w->title, w->means);
        talk(l, "%s: %s", phrase(PHRASE_TODO, l->language), w->todo);
        puts("");
    }
}

static int parse_cause(struct text answer, enum cause *ret)
{
    uint32_t number;

    if (text_to_u32(answer, 10, &number) < 0)
        return cause_named(answer, ret);
    *ret = (enum cause)(number - 1);
    return number >= 1 && number <= N_CAUSES ? 0 : -ENOENT;
}

/* True: that was it. */
static bool judge(const struct lesson *l, struct text answer)
{
    enum cause c;

    if (parse_cause(answer, &c) < 0) {
        talk(l, "No cause is called '%.*s': `list` names them all.", TEXT_ARG(answer));
        puts("");
        return false;
    }
    for (unsigned i = 0; i < l->n_causes; i++)
        if (l->causes[i] == c)
            return true;
    talk(l, cause_row(c)->stage == cause_row(l->causes[0])->stage
                ? "No. But that is the right stage."
                : "No. It is another stage, too.");
    puts("");
    return false;
}

static int ask(struct lesson *l)
{
    char line[ANSWER_MAX];

    for (;;) {
        struct text answer;

        talk(l, "Which cause? (its name or number; `list`, `hint`, `give up`) > ");
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
            return 1;
        answer = text_trim(text_of(line));
        if (text_is(answer, "list")) {
            list_causes(l->language);
        } else if (text_is(answer, "hint")) {
            hint(l);
        } else if (text_is(answer, "give up") || text_is(answer, "quit")) {
            explain(l);
            return 1;
        } else if (answer.len && judge(l, answer)) {
            talk(l, "Yes.");
            puts("");
            explain(l);
            return 0;
        }
    }
}

/* Behind a guard: the questions are asked by the process that has the terminal. */
static int make(void *context)
{
    const struct lab_order *order = context;
    int err = lab_fault_run(order);

    if (err < 0)
        fprintf(stderr, "dialtone lab: cannot build the laboratory: %s\n", strerror(-err));
    return err ? 3 : 0;
}

int learn_run(const char *which, const struct lab_order *order, const char *language)
{
    struct lesson l = {.fault = choose(which), .folder = order->folder};
    struct lab_order hidden = *order;
    int status;

    if (!l.fault)
        return 2;
    language_named(text_of(language), &l.language); /* else English */
    take_causes(&l);
    hidden.faults = l.fault->name;
    hidden.quiet = true;
    talk(&l, "A phone is plugged in. Something may be wrong on purpose. Wait a moment …");
    puts("");
    fflush(stdout);
    status = guard_run(order->name, NULL, make, &hidden);
    if (status)
        return status;
    talk(&l, "Captured at the phone: %s/phone1.pcap; at the server: %s/server.pcap.", l.folder,
         l.folder);
    puts("");
    talk(&l, "Look with `dialtone doctor --sights FILE`, tshark or Wireshark, in another window.");
    puts("");
    return ask(&l);
}
