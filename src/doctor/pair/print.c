/* print.c - two captures compared, for people. */
#include "doctor/pair/pair.h"

#include <stdio.h>

#include "doctor/say.h"

#define LOSSES_SHOWN 20

static const char *way_words(enum pair_way way)
{
    return way == PAIR_TO_SERVER ? WORDS("to the server") : WORDS("to the phone");
}

static void print_way(const struct pair_facts *f, enum pair_way way, enum language l,
                      struct grow *to)
{
    const struct pair_way_facts *w = &f->ways[way];
    char least[24], mean[24], most[24];

    say_now(to, l, "%s: %llu arrived, %llu lost", way_words(way), (unsigned long long)w->joined,
            (unsigned long long)w->lost);
    if (w->unseen)
        say_now(to, l, ", %llu arrived that were not captured where they left",
                (unsigned long long)w->unseen);
    if (w->joined)
        say_now(to, l, "; delay %s to %s, %s on average", seconds(w->least_ns, least),
                seconds(w->most_ns, most), seconds(w->sum_ns / (int64_t)w->joined, mean));
    grow_string(to, "\n");
}

static void print_marks(const struct pair_facts *f, enum language l, struct grow *to)
{
    for (unsigned i = 0; i < f->n_marks; i++) {
        if (f->marks[i].left == f->marks[i].arrived)
            continue;
        say_now(
            to, l,
            "DSCP %u becomes %u %s: %llu [packet|packets], first packet %llu, there packet %llu",
            f->marks[i].left, f->marks[i].arrived, way_words(f->marks[i].way),
            (unsigned long long)f->marks[i].n, (unsigned long long)f->marks[i].first_left,
            (unsigned long long)f->marks[i].first_arrived);
        grow_string(to, "\n");
    }
}

static void print_nats(const struct pair_facts *f, enum language l, struct grow *to)
{
    char a[IP_TEXT_MAX], b[IP_TEXT_MAX];

    for (unsigned i = 0; i < f->n_nats; i++) {
        say_now(to, l, "address of %s: %s becomes %s, %llu [packet|packets]",
                f->nats[i].server ? WORDS("the server") : WORDS("the phone"),
                ip_print(f->nats[i].there, a), ip_print(f->nats[i].here, b),
                (unsigned long long)f->nats[i].n);
        grow_string(to, "\n");
    }
}

static void print_losses(const struct pair *p, enum language l, struct grow *to)
{
    char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];
    size_t n, shown = 0;
    const struct pair_loss *lost = pair_losses(p, &n);

    for (; shown < n && shown < LOSSES_SHOWN; shown++) {
        const struct pair_loss *one = &lost[shown];

        say_now(to, l, "lost %s: packet %llu of %s, %s > %s, %u [byte|bytes]", way_words(one->way),
                (unsigned long long)one->number,
                one->way == PAIR_TO_SERVER ? WORDS("the phone's capture")
                                           : WORDS("the server's capture"),
                endpoint_print(&one->from, a), endpoint_print(&one->to, b), one->length);
        grow_string(to, "\n");
    }
    if (n > shown)
        say_now(to, l, "… and %zu more", n - shown), grow_string(to, "\n");
}

static void print_clock(const struct pair_facts *f, enum language l, struct grow *to)
{
    char ahead[24], drift[24], both[24];

    snprintf(ahead, sizeof(ahead), "%.6f", (double)f->offset_ns / 1e9);
    snprintf(drift, sizeof(drift), "%.2f", f->drift_ppm);
    say_now(to, l, "The clock of the second capture is %s s ahead, drift %s ppm%s; both run for %s",
            ahead, drift, f->one_way_clock ? WORDS(" (packets of one direction only)") : "",
            seconds(f->last_ns - f->first_ns, both));
    if (f->hops >= 0)
        say_now(to, l, ", %u [router|routers] between them", (unsigned)f->hops);
    say_now(to, l, ". ");
    grow_string(to, "\n");
}

void pair_print(const struct pair *p, enum language l, struct grow *to)
{
    const struct pair_facts *f = pair_facts(p);

    if (!f->joined) {
        say_now(to, l, "The two captures have no packet in common.");
        grow_string(to, "\n");
        return;
    }
    print_clock(f, l, to);
    print_way(f, PAIR_TO_SERVER, l, to);
    print_way(f, PAIR_TO_PHONE, l, to);
    print_marks(f, l, to);
    print_nats(f, l, to);
    print_losses(p, l, to);
}
