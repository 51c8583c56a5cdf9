#include "lab/learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "doctor/told.h"
#include "lab/guard.h"

#define ANSWER_MAX 256

struct lesson {
    const struct lab_fault *fault;
    const char *folder;
    enum language language;
    enum cause causes[8]; /* that are right */
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

static void take_causes(struct lesson *l)
{
    struct text rest = text_of(l->fault->causes[VIEW_BOTH]);

    while (rest.at) {
        struct text name = text_split(&rest, ' ');

        if (name.len && name.at[0] == '~')
            name = text_skip(name, 1);
        if (name.len && name.at[0] != '?' && cause_named(name, &l->causes[l->n_causes]) == 0)
            l->n_causes++;
    }
    if (!l->n_causes)
        l->causes[l->n_causes++] = CAUSE_HEALTHY;
}

/* -- talk ----------------------------------------------------------------------------------- */

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
    const struct cause_row *row = cause_row(l->causes[0]);

    switch (l->n_hints++) {
    case 0:
        printf("Look at this stage of the boot: %s.\n", stage_words(row->stage, l->language));
        break;
    case 1:
        printf("What is seen: %s.\n", row->seen);
        break;
    default:
        printf("The doctor tells: dialtone doctor %s/phone1.pcap %s/server.pcap\n", l->folder,
               l->folder);
    }
}

static void explain(const struct lesson *l)
{
    printf("What was done: %s.\n%s\n", l->fault->done, l->fault->lesson);
    for (unsigned i = 0; i < l->n_causes; i++) {
        const struct cause_words *w = cause_words(l->causes[i], l->language);

        printf("\n%s: %s\n%s\n%s: %s\n", cause_row(l->causes[i])->name, w->title, w->means,
               phrase(PHRASE_TODO, l->language), w->todo);
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
        printf("No cause is called '%.*s': `list` names them all.\n", TEXT_ARG(answer));
        return false;
    }
    for (unsigned i = 0; i < l->n_causes; i++)
        if (l->causes[i] == c)
            return true;
    printf("No. %s\n", cause_row(c)->stage == cause_row(l->causes[0])->stage
                           ? "But that is the right stage."
                           : "It is another stage, too.");
    return false;
}

static int ask(struct lesson *l)
{
    char line[ANSWER_MAX];

    for (;;) {
        struct text answer;

        printf("Which cause? (its name or number; list, hint, give up) > ");
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
            printf("Yes.\n");
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
    printf("A phone is plugged in. Something may be wrong on purpose. Wait a moment …\n");
    fflush(stdout);
    status = guard_run(order->name, NULL, make, &hidden);
    if (status)
        return status;
    printf("Captured at the phone: %s/phone1.pcap; at the server: %s/server.pcap.\n"
           "Look with `dialtone doctor --sights FILE`, tshark or Wireshark, in another window.\n",
           l.folder, l.folder);
    return ask(&l);
}
