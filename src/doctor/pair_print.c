/* pair_print.c - two captures compared, for people. */
#include "doctor/pair.h"

#define LOSSES_SHOWN 20

static const char *const ways[] = {
    [PAIR_TO_SERVER] = "to the server", [PAIR_TO_PHONE] = "to the phone"};

static void print_way(const struct pair_facts *f, enum pair_way way, struct grow *to)
{
    const struct pair_way_facts *w = &f->ways[way];

    grow_format(to, "%-14s %llu arrived, %llu lost", ways[way], (unsigned long long)w->joined,
                (unsigned long long)w->lost);
    if (w->unseen)
        grow_format(to, ", %llu arrived that were not captured where they left",
                    (unsigned long long)w->unseen);
    if (w->joined)
        grow_format(to, "; delay %.3f to %.3f ms, %.3f on average", (double)w->least_ns / 1e6,
                    (double)w->most_ns / 1e6, (double)w->sum_ns / (double)w->joined / 1e6);
    grow_string(to, "\n");
}

static void print_marks(const struct pair_facts *f, struct grow *to)
{
    for (unsigned i = 0; i < f->n_marks; i++)
        if (f->marks[i].left != f->marks[i].arrived)
            grow_format(to, "DSCP %u becomes %u %s: %llu packets, first %llu, there %llu\n",
                        f->marks[i].left, f->marks[i].arrived, ways[f->marks[i].way],
                        (unsigned long long)f->marks[i].n,
                        (unsigned long long)f->marks[i].first_left,
                        (unsigned long long)f->marks[i].first_arrived);
}

static void print_nats(const struct pair_facts *f, struct grow *to)
{
    char a[IP_TEXT_MAX], b[IP_TEXT_MAX];

    for (unsigned i = 0; i < f->n_nats; i++)
        grow_format(to, "address of the %s %s becomes %s: %llu packets\n",
                    f->nats[i].server ? "server" : "phone", ip_print(f->nats[i].there, a),
                    ip_print(f->nats[i].here, b), (unsigned long long)f->nats[i].n);
}

static void print_losses(const struct pair *p, struct grow *to)
{
    char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];
    size_t n, shown = 0;
    const struct pair_loss *l = pair_losses(p, &n);

    for (size_t i = 0; i < n && shown < LOSSES_SHOWN; i++, shown++)
        grow_format(to, "lost %s: packet %llu of %s, %s > %s, %u bytes\n", ways[l[i].way],
                    (unsigned long long)l[i].number,
                    l[i].way == PAIR_TO_SERVER ? "the phone's capture" : "the server's capture",
                    endpoint_print(&l[i].from, a), endpoint_print(&l[i].to, b), l[i].length);
    if (n > shown)
        grow_format(to, "… and %zu more\n", n - shown);
}

void pair_print(const struct pair *p, struct grow *to)
{
    const struct pair_facts *f = pair_facts(p);

    if (!f->joined) {
        grow_string(to, "The two captures have no packet in common.\n");
        return;
    }
    grow_format(
        to,
        "The clock of the second capture is %.6f s ahead, drift %.2f ppm%s; both run for %.3f s",
        (double)f->offset_ns / 1e9, f->drift_ppm,
        f->one_way_clock ? " (packets of one direction only)" : "",
        (double)(f->last_ns - f->first_ns) / 1e9);
    grow_format(to, f->hops >= 0 ? ", %d routers between them.\n" : ".\n", f->hops);
    print_way(f, PAIR_TO_SERVER, to);
    print_way(f, PAIR_TO_PHONE, to);
    print_marks(f, to);
    print_nats(f, to);
    print_losses(p, to);
}
