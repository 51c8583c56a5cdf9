/* curve_report.c - a curve as table, text plot, JSON, CSV and SVG; see curve.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab/curve.h"

#define COLUMNS 72
#define ROWS    10
#define STEP_US 10000 /* of the files: changes within it are one row */

struct point {
    uint64_t us;
    unsigned at[LAB_NODES_MAX + 1]; /* phones registered at each node, by what the phones said */
};

struct points {
    struct point *rows;
    size_t n;
    unsigned phones;
};

/* -- the course of time --------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

struct move {
    uint64_t us;
    uint8_t from, to;
};

static size_t moves_of(const struct crowd *crowd, struct move *to)
{
    uint8_t *at = calloc(crowd->count ? crowd->count : 1, 1);
    size_t n = 0;

    for (size_t i = 0; at && i < crowd->n_events; i++) {
        const struct crowd_event *e = &crowd->events[i];
        uint8_t now = e->what == CROWD_REGISTERED ? e->server : 0;

        if (e->what == CROWD_STANDBY || e->what == CROWD_OTHER || now == at[e->phone])
            continue;
        to[n++] = (struct move){e->us, at[e->phone], now};
        at[e->phone] = now;
    }
    free(at);
    return n;
}

static int points_of(const struct curve *c, struct points *ret)
{
    size_t room = 0, n = 0;
    struct move *moves;
    struct point now = {0};

    for (unsigned i = 0; i < c->n_crowds; i++) {
        room += c->crowds[i].n_events;
        ret->phones += c->crowds[i].count;
    }
    moves = malloc((room + 1) * sizeof(*moves));
    ret->rows = malloc((room + 2) * sizeof(*ret->rows));
    if (!moves || !ret->rows) {
        free(moves);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < c->n_crowds; i++)
        n += moves_of(&c->crowds[i], moves + n);
    qsort(moves, n, sizeof(*moves), by_time);
    now.us = c->begun_us;
    now.at[0] = ret->phones;
    ret->rows[ret->n++] = now;
    for (size_t i = 0; i < n; i++) {
        now.us = moves[i].us > c->begun_us ? moves[i].us : c->begun_us;
        now.at[moves[i].from]--;
        now.at[moves[i].to]++;
        if (now.us - ret->rows[ret->n - 1].us >= STEP_US || i + 1 == n)
            ret->rows[ret->n++] = now;
        else
            memcpy(ret->rows[ret->n - 1].at, now.at, sizeof(now.at));
    }
    free(moves);
    return 0;
}

static double second(const struct curve *c, uint64_t us)
{
    return us > c->begun_us ? (double)(us - c->begun_us) / 1e6 : 0;
}

static double end_of(const struct curve *c, const struct points *p)
{
    double end = second(c, p->rows[p->n - 1].us);

    if (c->n_phases && second(c, c->phases[c->n_phases - 1].ended_us) > end)
        end = second(c, c->phases[c->n_phases - 1].ended_us);
    return end > 0 ? end : 1;
}

static double share(const struct points *p, unsigned n)
{
    return p->phones ? (double)n / p->phones : 0;
}

/* -- for people ----------------------------------------------------------------------------- */

static void print_times(const struct curve_times *t)
{
    if (t->n)
        printf("  %8.3f %8.3f %8.3f", t->p50, t->p99, t->last);
    else
        printf("  %8s %8s %8s", "-", "-", "-");
}

static void print_table(const struct curve *c)
{
    printf("\n%-26s %-5s %6s  %26s  %26s  %26s\n", "seconds: p50, p99, last", "", "phones",
           "until noticed", "from then to registered", "together");
    for (unsigned i = 0; i < c->n_phases; i++)
        for (unsigned k = 0; k < c->n_crowds && c->phases[i].node; k++) {
            struct curve_times t[N_CURVE_TIMES];

            curve_measure(c, &c->phases[i], &c->crowds[k], t);
            printf("%-26s %-5s %6u", c->phases[i].words, c->crowds[k].protocol, t[CURVE_ALL].n);
            for (int m = 0; m < N_CURVE_TIMES; m++)
                print_times(&t[m]);
            putchar('\n');
        }
    if (c->clock_rate > 1)
        printf("The phones' clocks ran %u times as fast: their own waits count %u times as much.\n",
               c->clock_rate, c->clock_rate);
}

static const struct point *point_at(const struct points *p, uint64_t us)
{
    size_t low = 0, high = p->n;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (p->rows[middle].us <= us)
            low = middle;
        else
            high = middle;
    }
    return &p->rows[low];
}

/* A digit is the node that has at least that share of the phones there. */
static void print_plot(const struct curve *c, const struct points *p)
{
    double end = end_of(c, p);
    char marks[COLUMNS + 1];

    puts("\nshare of the phones registered, at which node, against seconds");
    for (int row = ROWS; row > 0; row--) {
        printf("%4d %% |", row * 100 / ROWS);
        for (int column = 0; column < COLUMNS; column++) {
            uint64_t us = c->begun_us + (uint64_t)(end * (column + 1) / COLUMNS * 1e6);
            const struct point *at = point_at(p, us);
            char mark = ' ';

            for (unsigned node = 1; node <= c->n_nodes; node++)
                if (share(p, at->at[node]) >= (row - 0.5) / ROWS)
                    mark = (char)('0' + node);
            putchar(mark);
        }
        putchar('\n');
    }
    memset(marks, '-', COLUMNS);
    marks[COLUMNS] = '\0';
    for (unsigned i = 0; i < c->n_phases; i++) {
        int column = (int)(second(c, c->phases[i].begun_us) / end * COLUMNS);

        marks[column < COLUMNS ? column : COLUMNS - 1] = (char)('a' + i);
    }
    printf("       +%s %.1f s\n", marks, end);
    for (unsigned i = 0; i < c->n_phases; i++)
        printf("        %c %8.3f  %s\n", 'a' + i, second(c, c->phases[i].begun_us),
               c->phases[i].words);
    putchar('\n');
}

/* -- for programs --------------------------------------------------------------------------- */

static json_t *json_times(const struct curve_times *t)
{
    return t->n ? json_pack("{s:i,s:f,s:f,s:f}", "n", (int)t->n, "p50", t->p50, "p99", t->p99,
                            "last", t->last)
                : json_pack("{s:i}", "n", 0);
}

static json_t *json_phase(const struct curve *c, const struct curve_phase *phase)
{
    json_t *crowds = json_array();

    for (unsigned k = 0; k < c->n_crowds; k++) {
        struct curve_times t[N_CURVE_TIMES];

        curve_measure(c, phase, &c->crowds[k], t);
        json_array_append_new(
            crowds,
            json_pack("{s:s,s:i,s:o,s:o,s:o}", "protocol", c->crowds[k].protocol, "phones",
                      (int)c->crowds[k].count, "noticed", json_times(&t[CURVE_NOTICED]), "moved",
                      json_times(&t[CURVE_MOVED]), "together", json_times(&t[CURVE_ALL])));
    }
    return json_pack("{s:s,s:f,s:f,s:i,s:o}", "what", phase->words, "begins",
                     second(c, phase->begun_us), "ends", second(c, phase->ended_us), "node",
                     (int)phase->node, "crowds", crowds);
}

static int write_json(const struct curve *c, const struct points *p, const char *path)
{
    json_t *phases = json_array(), *curve = json_array(), *heard = json_array(), *root;
    int err;

    for (unsigned i = 0; i < c->n_phases; i++)
        json_array_append_new(phases, json_phase(c, &c->phases[i]));
    for (size_t i = 0; i < p->n; i++) {
        json_t *row = json_pack("[f]", second(c, p->rows[i].us));

        for (unsigned node = 1; node <= c->n_nodes; node++)
            json_array_append_new(row, json_integer(p->rows[i].at[node]));
        json_array_append_new(curve, row);
    }
    for (size_t i = 0; i < c->n_heard; i++)
        json_array_append_new(heard, json_pack("[f,i,i]", second(c, c->heard[i].us),
                                               (int)c->heard[i].node, (int)c->heard[i].registered));
    root = json_pack("{s:s,s:i,s:i,s:o,s:o,s:o}", "scenario", c->scenario, "phones", (int)p->phones,
                     "clock_rate", (int)c->clock_rate, "phases", phases, "curve", curve,
                     "nodes_said", heard);
    err = json_dump_file(root, path, JSON_COMPACT | JSON_REAL_PRECISION(9)) ? -EIO : 0;
    json_decref(root);
    return err;
}

static int write_csv(const struct curve *c, const struct points *p, const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f)
        return -errno;
    fputs("seconds,said_by,nowhere", f);
    for (unsigned node = 1; node <= c->n_nodes; node++)
        fprintf(f, ",cm%u", node);
    fputc('\n', f);
    for (size_t i = 0; i < p->n; i++) {
        fprintf(f, "%.6f,phones,%u", second(c, p->rows[i].us), p->rows[i].at[0]);
        for (unsigned node = 1; node <= c->n_nodes; node++)
            fprintf(f, ",%u", p->rows[i].at[node]);
        fputc('\n', f);
    }
    for (size_t i = 0; i < c->n_heard; i++) {
        fprintf(f, "%.6f,cm%u,", second(c, c->heard[i].us), c->heard[i].node);
        for (unsigned node = 1; node <= c->n_nodes; node++) {
            if (node == c->heard[i].node)
                fprintf(f, ",%u", c->heard[i].registered);
            else
                fputc(',', f);
        }
        fputc('\n', f);
    }
    return fclose(f) ? -EIO : 0;
}

#define WIDTH  900
#define HEIGHT 300

static void draw_node(const struct curve *c, const struct points *p, unsigned node, FILE *f)
{
    static const char *const colours[] = {"#777", "#1f77b4", "#d62728", "#2ca02c"};
    double end = end_of(c, p), y = HEIGHT;

    fprintf(f, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"M0,%d", colours[node],
            HEIGHT);
    for (size_t i = 0; i < p->n; i++) {
        double x = second(c, p->rows[i].us) / end * WIDTH;

        fprintf(f, "L%.2f,%.2f", x, y);
        y = HEIGHT * (1 - share(p, p->rows[i].at[node]));
        fprintf(f, "L%.2f,%.2f", x, y);
    }
    fprintf(f, "L%d,%.2f\"/>\n<text x=\"%d\" y=\"%u\" fill=\"%s\">cm%u</text>\n", WIDTH, y,
            WIDTH + 8, 20 * node, colours[node], node);
}

static int write_svg(const struct curve *c, const struct points *p, const char *path)
{
    FILE *f = fopen(path, "w");
    double end = end_of(c, p);

    if (!f)
        return -errno;
    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-60 -30 %d %d\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n<text x=\"0\" y=\"-12\">%s: %u phones, "
            "share registered against seconds</text>\n<rect width=\"%d\" height=\"%d\" "
            "fill=\"none\" stroke=\"#aaa\"/>\n",
            WIDTH + 130, HEIGHT + 80, c->scenario, p->phones, WIDTH, HEIGHT);
    for (int i = 0; i <= 4; i++)
        fprintf(f,
                "<text x=\"-8\" y=\"%d\" text-anchor=\"end\">%d %%</text>\n"
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%.1f</text>\n",
                HEIGHT - HEIGHT * i / 4 + 4, 25 * i, WIDTH * i / 4, HEIGHT + 16, end * i / 4);
    for (unsigned i = 0; i < c->n_phases; i++) {
        double x = second(c, c->phases[i].begun_us) / end * WIDTH;

        fprintf(f,
                "<path stroke=\"#aaa\" stroke-dasharray=\"4\" d=\"M%.2f,0V%d\"/>\n"
                "<text x=\"%.2f\" y=\"%d\">%s</text>\n",
                x, HEIGHT, x, HEIGHT + 30 + 14 * (int)(i % 3), c->phases[i].words);
    }
    for (unsigned node = 1; node <= c->n_nodes; node++)
        draw_node(c, p, node, f);
    fputs("</svg>\n", f);
    return fclose(f) ? -EIO : 0;
}

int curve_report(const struct curve *c, const char *folder)
{
    static const struct {
        const char *name;
        int (*write)(const struct curve *c, const struct points *p, const char *path);
    } files[] = {{"curve.json", write_json}, {"curve.csv", write_csv}, {"curve.svg", write_svg}};
    struct points p = {0};
    char path[LAB_PATH + 32];
    int err = points_of(c, &p);

    if (!err) {
        print_table(c);
        print_plot(c, &p);
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(*files) && !err; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, files[i].name);
        err = files[i].write(c, &p, path);
    }
    free(p.rows);
    return err;
}
