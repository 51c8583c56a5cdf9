/* fleet.c - `dialtone fleet`; see fleet.h. */
#include "handset/fleet/fleet.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handset/fleet/own.h"
#include "handset/runner.h"
#include "io/process.h"

#define DEFAULT_WAIT 120 /* seconds until phones that did not register are given up */

static int run_child(const struct fleet_options *o, uint32_t first, uint32_t count, int fd)
{
    struct tally t;
    bool fine;

    tally_init(&t);
    fine = fleet_part_run(o, first, count, &t) == 0 && tally_send(&t, fd);
    tally_done(&t);
    return !fine;
}

static int run_processes(const struct fleet_options *o, struct tally *sum)
{
    uint32_t n = o->processes, first = 0;
    int *fds = calloc(n, sizeof(*fds)), err = 0;

    if (!fds)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t count = o->count / n + (i < o->count % n);
        int pipes[2];

        if (pipe(pipes) < 0) {
            err = -errno;
            n = i;
            break;
        }
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
        if (!tally_receive(sum, fds[i]))
            err = -EIO;
        close(fds[i]);
    }
    while (wait(NULL) > 0)
        ;
    free(fds);
    return err;
}

/* ---- command line ---- */

static void usage(FILE *to)
{
    fputs(
        "usage: dialtone fleet (--server ADDRESS | --interface NAME) [option …]\n"
        "  --count N          phones (1)\n"
        "  --model LIST       models, taken in turn: 7960,7975 (7960)\n"
        "  --first-mac MAC    of the first phone, the others count on (001122000001)\n"
        "  --ramp N           phones begun in a second (all at once)\n"
        "  --duration S       go on for so long (until every phone has its answer)\n"
        "  --wait S           give up on phones after so long (120)\n"
        "  --processes N      share the phones among processes (as many as files may be open)\n"
        "  --share-socket     one socket for all phones of a process: SIP by UDP on loopback; by "
        "itself\n"
        "                     when --transport udp is said and there are more phones than files\n"
        "  --source ADDRESS   of the first phone, on loopback the others count on (127.64.0.1)\n"
        "  --interface NAME   boot on it: DHCP with a MAC address each; addresses are put on the "
        "interface\n"
        "  --protocol NAME    sccp or sip (what the models speak first)\n"
        "  --transport NAME   of SIP: udp, tcp, tls (as the file says)\n"
        "  --file-port N, --http-port N, --sccp-port N, --sip-port N\n"
        "  --user NAME, --password WORDS\n"
        "                     of SIP without files: address of record and digest user; a number\n"
        "                     is the first phone's, the others count on\n"
        "  --no-files         register at once with --server, without reading files\n"
        "  --backup ADDRESS   of a second server: of files, or, without files, of calls\n"
        "  --load NAME        the load that runs (the model's last)\n"
        "  --fault LIST       what the phones do wrong; `--fault help` lists them\n"
        "  --vanish           no goodbye at the end\n"
        "  --events FILE      adds a line to it for what happens to a phone: microseconds, phone,\n"
        "                     event, server\n"
        "  --clock-rate N     the phones' clocks run N times as fast (1): their own timers are\n"
        "                     through sooner, for tests\n"
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

/* Each phone has an address of its own there. */
static bool on_loopback(const struct fleet_options *o)
{
    return !o->phone.interface && ip_v4_number(o->phone.source) >> 24 == 127;
}

/* One that takes a value or is a switch; 0 or -EINVAL. */
static int take_option(struct fleet_options *o, int c)
{
    switch (c) {
    case 'c':
        return take_number(optarg, &o->count);
    case 'r':
        return take_number(optarg, &o->ramp);
    case 'd':
        return take_number(optarg, &o->duration_s);
    case 'w':
        return take_number(optarg, &o->wait_s);
    case 'p':
        return take_number(optarg, &o->processes);
    case 'e':
        o->events = optarg;
        return 0;
    case 's':
        o->share_socket = true;
        return 0;
    case 'v':
        o->leave_nothing = true;
        return 0;
    case 'h':
        usage(stdout);
        exit(0);
    default:
        return -EINVAL;
    }
}

static int finish_options(struct fleet_options *o, const char *surplus)
{
    if (surplus) {
        fprintf(stderr, "dialtone fleet: unexpected word: %s\n", surplus);
        return -EINVAL;
    }
    if (phone_options_finish(&o->phone, "fleet") < 0)
        return -EINVAL;
    if (o->share_socket && !on_loopback(o)) {
        fputs("dialtone fleet: --share-socket wants phones on loopback\n", stderr);
        return -EINVAL;
    }
    return 0;
}

static int take_options(int argc, char **argv, struct fleet_options *o)
{
    static const struct option longs[] = {PHONE_LONG_OPTIONS,
                                          {"count", required_argument, NULL, 'c'},
                                          {"ramp", required_argument, NULL, 'r'},
                                          {"duration", required_argument, NULL, 'd'},
                                          {"wait", required_argument, NULL, 'w'},
                                          {"processes", required_argument, NULL, 'p'},
                                          {"share-socket", no_argument, NULL, 's'},
                                          {"vanish", no_argument, NULL, 'v'},
                                          {"events", required_argument, NULL, 'e'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c, at, err = 0;

    optind = 1;
    while (err >= 0 && (c = getopt_long(argc, argv, "h", longs, &at)) != -1)
        err = c == 1000 ? phone_option(&o->phone, "fleet", longs[at].name, optarg)
                        : take_option(o, c);
    return err < 0 ? -EINVAL : finish_options(o, argv[optind]);
}

/* The hard limit too, when we may: root may. */
static size_t raise_files(size_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < wanted) {
        limit.rlim_max = wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return process_raise_files();
}

int fleet_main(int argc, char **argv)
{
    struct fleet_options o = {.phone = PHONE_OPTIONS_NONE, .count = 1, .wait_s = DEFAULT_WAIT};
    struct tally sum;
    size_t files, sockets; /* a phone may have one to each of two servers */
    int err, status;

    if (take_options(argc, argv, &o) < 0) {
        fputs("try: dialtone fleet --help\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    runner_set_clock_rate(o.phone.clock_rate);
    sockets = o.count * (o.phone.no_files && ip_is_any(o.phone.backup) ? 1u : 2u);
    files = raise_files(sockets + 200);
    if (sockets + 200 > files && !o.processes && o.phone.transport == LINK_UDP && on_loopback(&o))
        o.share_socket = true;
    if (!o.processes && o.share_socket)
        o.processes = 1;
    if (!o.processes)
        o.processes = (uint32_t)(sockets / (files > 1000 ? files - 200 : 800)) + 1;
    tally_init(&sum);
    err = o.processes > 1 ? run_processes(&o, &sum) : fleet_part_run(&o, 0, o.count, &sum);
    if (err)
        fprintf(stderr, "dialtone fleet: a part of the fleet could not run\n");
    tally_print(&sum, o.phone.json);
    status = err || sum.registered_once < o.count;
    tally_done(&sum);
    return status;
}
