/* fleet.c - `dialtone fleet`; see fleet.h. */
#include "handset/fleet.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handset/options.h"
#include "handset/runner.h"
#include "handset/samples.h"
#include "io/process.h"

#define RAMP_TICK_MS 10
#define MAX_SAMPLES  400000
#define MAX_REFUSALS 16
#define DEFAULT_WAIT 120 /* seconds until phones that did not register are given up */
#define FAREWELL_MS  3000

/* What is measured; a row each. */
enum { TIME_FILES, TIME_CONNECT, TIME_REGISTER, TIME_TOTAL, TIME_KEEPALIVE, N_TIMES };
static const char *const time_names[N_TIMES] = {"files", "connect", "register", "total",
                                                "keepalive"};

struct fleet_options {
    struct phone_options phone;
    uint32_t count, ramp, duration_s, wait_s, processes;
    bool leave_nothing; /* --vanish: no goodbye at the end */
};

struct refusal {
    char text[64];
    uint32_t n;
};

/* What a process tells its parent; the samples follow. */
struct tally {
    uint32_t count, registered_once, registered_now, refused, lost, no_server, reboots;
    uint32_t n_refusals;
    struct refusal refusals[MAX_REFUSALS];
    uint64_t keepalives, first_us, last_us; /* first start, last registration */
    uint32_t n_samples[N_TIMES];
};

struct fleet_phone {
    struct runner runner;
    uint64_t started_us, booted_us, opened_us;
    bool counted, now_registered, refused;
};

struct fleet {
    struct fleet_options options;
    uv_loop_t loop;
    struct runner_site site;
    struct phone_kind kinds[PHONE_MODELS_MAX];
    struct fleet_phone *phones;
    uint32_t first, count, started; /* this process's part */
    double allowance;               /* of the ramp */
    uv_timer_t ramp, end, watch;
    uv_signal_t interrupt;
    struct tally tally;
    struct samples times[N_TIMES];
    uint64_t begun_ms;
    bool ending;
};

/* ---- what happens to a phone ---- */

static void count_refusal(struct tally *t, struct text words, uint32_t n)
{
    uint32_t i = 0;

    while (i < t->n_refusals && !text_is(words, t->refusals[i].text))
        i++;
    if (i == MAX_REFUSALS)
        return;
    if (i == t->n_refusals) {
        text_copy(t->refusals[i].text, sizeof(t->refusals[i].text), words);
        t->n_refusals++;
    }
    t->refusals[i].n += n;
}

static void on_registered(struct fleet *f, struct fleet_phone *p, uint64_t now_us)
{
    samples_add(&f->times[TIME_REGISTER], now_us - p->opened_us);
    samples_add(&f->times[TIME_TOTAL], now_us - p->started_us);
    if (!p->counted)
        f->tally.registered_once++;
    p->counted = true;
    if (!p->now_registered)
        f->tally.registered_now++;
    p->now_registered = true;
    f->tally.last_us = now_us;
}

static void on_gone(struct fleet *f, struct fleet_phone *p, uint64_t now_us)
{
    if (p->now_registered)
        f->tally.registered_now--;
    p->now_registered = false;
    p->started_us = now_us; /* what follows is timed from here */
}

static void phone_note(struct fleet *f, struct fleet_phone *p, const struct runner_note *n)
{
    switch (n->number) {
    case PHONE_EVENT_OPENED:
        samples_add(&f->times[TIME_CONNECT], n->now_us - p->booted_us);
        p->opened_us = n->now_us;
        break;
    case PHONE_EVENT_OPENING:
        p->booted_us = n->now_us;
        break;
    case PHONE_EVENT_REGISTERED:
        on_registered(f, p, n->now_us);
        break;
    case PHONE_EVENT_REJECTED:
        if (!p->refused)
            f->tally.refused++;
        p->refused = true;
        count_refusal(&f->tally, n->text, 1);
        break;
    case PHONE_EVENT_LOST:
        f->tally.lost++;
        on_gone(f, p, n->now_us);
        break;
    case PHONE_EVENT_RESET:
    case PHONE_EVENT_RESTART:
    case PHONE_EVENT_LEFT:
        on_gone(f, p, n->now_us);
        break;
    case PHONE_EVENT_NO_SERVER:
        f->tally.no_server++;
        break;
    case PHONE_EVENT_KEEPALIVE:
        f->tally.keepalives++;
        samples_add(&f->times[TIME_KEEPALIVE], n->detail * 1000ull);
        break;
    default:
        break;
    }
}

static void on_note(struct runner *r, const struct runner_note *n)
{
    struct fleet_phone *p = container_of(r, struct fleet_phone, runner);
    struct fleet *f = r->context;

    if (n->event == RUNNER_PHONE)
        phone_note(f, p, n);
    else if (n->event == RUNNER_BOOTED)
        samples_add(&f->times[TIME_FILES], n->now_us - p->started_us);
    else if (n->event == RUNNER_REBOOT)
        f->tally.reboots++;
}

/* ---- beginning ---- */

static void start_phone(struct fleet *f, uint32_t i)
{
    struct fleet_phone *p = &f->phones[i];
    const struct phone_options *o = &f->options.phone;
    uint32_t number = f->first + i, named = number;
    struct network stored = {.dhcp = false, .address = o->source};

    if (fault_is_on(o->faults, FAULT_DUPLICATE))
        named &= ~1u;
    if (ip_v4_number(o->source) >> 24 == 127)
        stored.address = ip_v4(ip_v4_number(o->source) + number);
    runner_init(&p->runner, &f->site, &f->kinds[named % o->n_models],
                mac_of_number(mac_number(o->first_mac) + named), &stored);
    p->runner.context = f;
    p->started_us = p->booted_us = p->opened_us = runner_now_us();
    if (!f->tally.first_us)
        f->tally.first_us = p->started_us;
    runner_power_on(&p->runner);
}

static void on_ramp(uv_timer_t *timer)
{
    struct fleet *f = timer->data;
    uint32_t n;

    f->allowance += f->options.ramp ? (double)f->options.ramp * RAMP_TICK_MS / 1000 : 500;
    n = (uint32_t)f->allowance;
    f->allowance -= n;
    for (; n && f->started < f->count; n--)
        start_phone(f, f->started++);
    if (f->started == f->count)
        uv_timer_stop(timer);
}

/* ---- end ---- */

static void on_over(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* Phones say goodbye, unless they are to be gone without a word. */
static void end(struct fleet *f)
{
    if (f->ending)
        return;
    f->ending = true;
    f->tally.count = f->count;
    f->site.note = NULL; /* what follows is no result any more */
    uv_timer_stop(&f->ramp);
    uv_timer_stop(&f->watch);
    for (uint32_t i = 0; i < f->started && !f->options.leave_nothing; i++)
        if (f->phones[i].now_registered)
            runner_leave(&f->phones[i].runner, PHONE_EVENT_LEFT);
    uv_timer_start(&f->end, on_over, f->options.leave_nothing ? 0 : FAREWELL_MS, 0);
}

static void on_end(uv_timer_t *timer)
{
    end(timer->data);
}

static void on_interrupt(uv_signal_t *signal, int number)
{
    struct fleet *f = signal->data;

    if (f->ending)
        uv_stop(signal->loop);
    end(f);
}

/* A phone that has registered once, or was refused, has had its say. */
static bool all_have_answers(const struct fleet *f)
{
    uint32_t n = 0;

    if (f->started < f->count)
        return false;
    if (f->tally.registered_once == f->count)
        return true;
    for (uint32_t i = 0; i < f->count; i++)
        n += f->phones[i].counted || f->phones[i].refused;
    return n == f->count;
}

/* Registered phones that are to vanish do so here, not under their own callbacks. */
static void do_faults(struct fleet *f)
{
    bool half_open = fault_is_on(f->options.phone.faults, FAULT_HALF_OPEN);
    bool aborts = fault_is_on(f->options.phone.faults, FAULT_ABORT);

    if (!half_open && !aborts)
        return;
    for (uint32_t i = 0; i < f->started; i++) {
        struct fleet_phone *p = &f->phones[i];

        if (p->runner.phone.state != PHONE_REGISTERED)
            continue;
        if (half_open) {
            runner_vanish(&p->runner);
        } else {
            dial_abort(p->runner.links[p->runner.phone.active].dial);
            p->runner.links[p->runner.phone.active].dial = NULL;
            runner_power_off(&p->runner);
            runner_power_on(&p->runner);
        }
    }
}

static void on_watch(uv_timer_t *timer)
{
    struct fleet *f = timer->data;
    uint64_t age_ms = runner_now_ms() - f->begun_ms;

    do_faults(f);
    if (f->options.duration_s)
        return;
    if (all_have_answers(f) || age_ms > f->options.wait_s * 1000ull)
        end(f);
}

/* ---- one process ---- */

static int fleet_open(struct fleet *f)
{
    const struct phone_options *o = &f->options.phone;
    int err;

    uv_loop_init(&f->loop);
    err = runner_site_init(&f->site, &f->loop);
    f->phones = calloc(f->count ? f->count : 1, sizeof(*f->phones));
    if (err || !f->phones)
        return -ENOMEM;
    f->site.files = !o->no_files;
    f->site.quick = !o->realistic;
    f->site.server = o->server;
    f->site.file_port = o->file_port;
    f->site.http_port = o->http_port;
    f->site.sccp_port = o->sccp_port;
    f->site.note = on_note;
    for (unsigned i = 0; i < o->n_models; i++)
        phone_kind_init(&f->kinds[i], o->models[i], o->load, o->faults);
    for (unsigned i = 0; i < N_TIMES; i++)
        samples_init(&f->times[i], MAX_SAMPLES);
    return 0;
}

static void fleet_run(struct fleet *f)
{
    uv_timer_t *timers[] = {&f->ramp, &f->end, &f->watch};

    for (unsigned i = 0; i < 3; i++) {
        uv_timer_init(&f->loop, timers[i]);
        timers[i]->data = f;
    }
    uv_signal_init(&f->loop, &f->interrupt);
    f->interrupt.data = f;
    uv_signal_start(&f->interrupt, on_interrupt, SIGINT);
    f->begun_ms = runner_now_ms();
    uv_timer_start(&f->ramp, on_ramp, 0, RAMP_TICK_MS);
    uv_timer_start(&f->watch, on_watch, 20, 20);
    if (f->options.duration_s)
        uv_timer_start(&f->end, on_end, f->options.duration_s * 1000ull, 0);
    uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void on_walk(uv_handle_t *handle, void *context)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void fleet_close(struct fleet *f)
{
    for (uint32_t i = 0; i < f->started; i++)
        runner_done(&f->phones[i].runner);
    runner_site_done(&f->site);
    uv_walk(&f->loop, on_walk, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    uv_loop_close(&f->loop);
    free(f->phones);
}

/* ---- report ---- */

static double rate(const struct tally *t)
{
    double s = (double)(t->last_us - t->first_us) / 1e6;

    return t->registered_once && s > 0 ? t->registered_once / s : 0;
}

static void print_people(const struct tally *t, struct samples times[N_TIMES])
{
    printf("%u phones: %u registered in %.3f s (%.0f/s), %u registered now, %u refused, %u losses, "
           "%u restarts\n",
           t->count, t->registered_once,
           t->registered_once ? (double)(t->last_us - t->first_us) / 1e6 : 0, rate(t),
           t->registered_now, t->refused, t->lost, t->reboots);
    printf("%-10s %10s %10s %10s %10s   milliseconds\n", "stage", "n", "p50", "p99", "max");
    for (unsigned i = 0; i < N_TIMES; i++)
        if (times[i].n)
            printf("%-10s %10llu %10.2f %10.2f %10.2f\n", time_names[i],
                   (unsigned long long)times[i].n_all, samples_percentile(&times[i], 50) / 1e3,
                   samples_percentile(&times[i], 99) / 1e3,
                   samples_percentile(&times[i], 100) / 1e3);
    for (uint32_t i = 0; i < t->n_refusals; i++)
        printf("refused %u times: %s\n", t->refusals[i].n, t->refusals[i].text);
    if (t->no_server)
        printf("no server could be reached %u times\n", t->no_server);
}

static void print_json(const struct tally *t, struct samples times[N_TIMES])
{
    json_t *root = json_pack(
        "{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:I,s:f,s:f}", "phones", t->count, "registered",
        t->registered_once, "registered_now", t->registered_now, "refused", t->refused, "losses",
        t->lost, "restarts", t->reboots, "no_server", t->no_server, "keepalives",
        (json_int_t)t->keepalives, "seconds",
        t->registered_once ? (double)(t->last_us - t->first_us) / 1e6 : 0, "per_second", rate(t));
    json_t *stages = json_object(), *refusals = json_array();

    for (unsigned i = 0; i < N_TIMES; i++)
        json_object_set_new(stages, time_names[i],
                            json_pack("{s:I,s:f,s:f,s:f}", "n", (json_int_t)times[i].n_all,
                                      "p50_ms", samples_percentile(&times[i], 50) / 1e3, "p99_ms",
                                      samples_percentile(&times[i], 99) / 1e3, "max_ms",
                                      samples_percentile(&times[i], 100) / 1e3));
    for (uint32_t i = 0; i < t->n_refusals; i++)
        json_array_append_new(refusals,
                              json_pack("{s:s%,s:i}", "text", t->refusals[i].text,
                                        strlen(t->refusals[i].text), "n", t->refusals[i].n));
    json_object_set_new(root, "stages", stages);
    json_object_set_new(root, "refusals", refusals);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

/* ---- several processes ---- */

static bool write_all(int fd, const void *bytes, size_t n)
{
    for (const char *at = bytes; n;) {
        ssize_t done = write(fd, at, n);

        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static bool read_all(int fd, void *bytes, size_t n)
{
    for (char *at = bytes; n;) {
        ssize_t done = read(fd, at, n);

        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static void send_results(struct fleet *f, int fd)
{
    for (unsigned i = 0; i < N_TIMES; i++)
        f->tally.n_samples[i] = (uint32_t)f->times[i].n;
    write_all(fd, &f->tally, sizeof(f->tally));
    for (unsigned i = 0; i < N_TIMES; i++)
        write_all(fd, f->times[i].values, f->times[i].n * sizeof(uint32_t));
}

static void join_tally(struct tally *sum, const struct tally *t)
{
    sum->count += t->count;
    sum->registered_once += t->registered_once;
    sum->registered_now += t->registered_now;
    sum->refused += t->refused;
    sum->lost += t->lost;
    sum->no_server += t->no_server;
    sum->reboots += t->reboots;
    sum->keepalives += t->keepalives;
    sum->first_us = !sum->first_us || t->first_us < sum->first_us ? t->first_us : sum->first_us;
    sum->last_us = t->last_us > sum->last_us ? t->last_us : sum->last_us;
    for (uint32_t i = 0; i < t->n_refusals && i < MAX_REFUSALS; i++)
        count_refusal(sum, text_of(t->refusals[i].text), t->refusals[i].n);
}

static bool receive_results(int fd, struct tally *sum, struct samples times[N_TIMES])
{
    struct tally t;

    if (!read_all(fd, &t, sizeof(t)))
        return false;
    join_tally(sum, &t);
    for (unsigned i = 0; i < N_TIMES; i++) {
        uint32_t *values = malloc(t.n_samples[i] * sizeof(*values) + 1);

        if (!values || !read_all(fd, values, t.n_samples[i] * sizeof(*values))) {
            free(values);
            return false;
        }
        samples_join(&times[i], values, t.n_samples[i]);
        free(values);
    }
    return true;
}

static struct fleet *fleet_part(const struct fleet_options *o, uint32_t first, uint32_t count)
{
    struct fleet *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->options = *o;
    f->first = first;
    f->count = count;
    if (o->ramp && o->processes > 1)
        f->options.ramp = o->ramp / o->processes ? o->ramp / o->processes : 1;
    if (fleet_open(f) < 0) {
        fleet_close(f);
        free(f);
        return NULL;
    }
    return f;
}

static int run_child(const struct fleet_options *o, uint32_t first, uint32_t count, int fd)
{
    struct fleet *f = fleet_part(o, first, count);

    if (!f)
        return 1;
    fleet_run(f);
    send_results(f, fd);
    fleet_close(f);
    for (unsigned i = 0; i < N_TIMES; i++)
        samples_done(&f->times[i]);
    free(f);
    return 0;
}

static int run_processes(const struct fleet_options *o, struct tally *sum,
                         struct samples times[N_TIMES])
{
    uint32_t n = o->processes, first = 0;
    int *fds = calloc(n, sizeof(*fds)), err = 0;

    if (!fds)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t count = o->count / n + (i < o->count % n);
        int pipes[2];

        if (pipe(pipes) < 0)
            return -errno;
        fflush(NULL);
        if (fork() == 0) {
            close(pipes[0]);
            _exit(run_child(o, first, count, pipes[1]));
        }
        close(pipes[1]);
        fds[i] = pipes[0];
        first += count;
    }
    signal(SIGINT, SIG_IGN); /* the children end themselves and report */
    for (uint32_t i = 0; i < n; i++) {
        if (!receive_results(fds[i], sum, times))
            err = -EIO;
        close(fds[i]);
    }
    while (wait(NULL) > 0)
        ;
    free(fds);
    return err;
}

static int run_one(const struct fleet_options *o, struct tally *sum, struct samples times[N_TIMES])
{
    struct fleet *f = fleet_part(o, 0, o->count);

    if (!f)
        return -ENOMEM;
    fleet_run(f);
    *sum = f->tally;
    for (unsigned i = 0; i < N_TIMES; i++) {
        samples_join(&times[i], f->times[i].values, f->times[i].n);
        times[i].n_all = f->times[i].n_all;
        samples_done(&f->times[i]);
    }
    fleet_close(f);
    free(f);
    return 0;
}

/* ---- command line ---- */

static void usage(FILE *to)
{
    fputs("usage: dialtone fleet --server ADDRESS [option …]\n"
          "  --count N          phones (1)\n"
          "  --model LIST       models, taken in turn: 7960,7975 (7960)\n"
          "  --first-mac MAC    of the first phone, the others count on (001122000001)\n"
          "  --ramp N           phones begun in a second (all at once)\n"
          "  --duration S       go on for so long (until every phone has its answer)\n"
          "  --wait S           give up on phones after so long (120)\n"
          "  --processes N      share the phones among processes (as many as files may be open)\n"
          "  --source ADDRESS   of the first phone, on loopback the others count on (127.64.0.1)\n"
          "  --file-port N, --http-port N, --sccp-port N\n"
          "  --no-files         register at once with --server, without reading files\n"
          "  --load NAME        the load that runs (the model's last)\n"
          "  --fault LIST       what the phones do wrong; `--fault help` lists them\n"
          "  --vanish           no goodbye at the end\n"
          "  --json             the report for programs\n",
          to);
}

static int take_number(const char *value, uint32_t *ret)
{
    struct text t = text_of(value);

    if (text_ends(t, "/s"))
        t.len -= 2;
    if (text_ends(t, "s"))
        t.len -= 1;
    if (text_to_u32(t, 10, ret) == 0)
        return 0;
    fprintf(stderr, "dialtone fleet: not a number: %s\n", value);
    return -EINVAL;
}

static int take_options(int argc, char **argv, struct fleet_options *o)
{
    static const struct option longs[] = {PHONE_LONG_OPTIONS,
                                          {"count", required_argument, NULL, 'c'},
                                          {"ramp", required_argument, NULL, 'r'},
                                          {"duration", required_argument, NULL, 'd'},
                                          {"wait", required_argument, NULL, 'w'},
                                          {"processes", required_argument, NULL, 'p'},
                                          {"vanish", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c, at, err = 0;

    optind = 1;
    while (!err && (c = getopt_long(argc, argv, "h", longs, &at)) != -1) {
        switch (c) {
        case 1000:
            err = phone_option(&o->phone, "fleet", longs[at].name, optarg) < 0 ? -EINVAL : 0;
            break;
        case 'c':
            err = take_number(optarg, &o->count);
            break;
        case 'r':
            err = take_number(optarg, &o->ramp);
            break;
        case 'd':
            err = take_number(optarg, &o->duration_s);
            break;
        case 'w':
            err = take_number(optarg, &o->wait_s);
            break;
        case 'p':
            err = take_number(optarg, &o->processes);
            break;
        case 'v':
            o->leave_nothing = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            err = -EINVAL;
        }
    }
    if (!err && optind < argc) {
        fprintf(stderr, "dialtone fleet: unexpected word: %s\n", argv[optind]);
        err = -EINVAL;
    }
    return err ? err : phone_options_finish(&o->phone, "fleet");
}

int fleet_main(int argc, char **argv)
{
    struct fleet_options o = {.count = 1, .wait_s = DEFAULT_WAIT};
    struct samples times[N_TIMES];
    struct tally sum = {0};
    size_t files = process_raise_files();
    int err;

    if (take_options(argc, argv, &o) < 0) {
        fputs("try: dialtone fleet --help\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!o.processes)
        o.processes = (uint32_t)(o.count / (files > 1000 ? files - 200 : 800)) + 1;
    for (unsigned i = 0; i < N_TIMES; i++)
        samples_init(&times[i], MAX_SAMPLES);
    err = o.processes > 1 ? run_processes(&o, &sum, times) : run_one(&o, &sum, times);
    if (err)
        fprintf(stderr, "dialtone fleet: %s\n", strerror(-err));
    if (o.phone.json)
        print_json(&sum, times);
    else
        print_people(&sum, times);
    for (unsigned i = 0; i < N_TIMES; i++)
        samples_done(&times[i]);
    return err || sum.registered_once < sum.count;
}
