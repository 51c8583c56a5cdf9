#include "doctor/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "doctor/feed.h"
#include "doctor/pair/pair.h"
#include "doctor/report/tell.h"
#include "doctor/shadow.h"
#include "doctor/tasks.h"
#include "doctor/told.h"

#define CAPTURES_MAX 64

enum task { TASK_REPORT, TASK_SIGHTS, TASK_EXPLAIN, TASK_PAIR, TASK_ANONYMISE, TASK_SHADOW };

static const struct doctor_directory *directory;

void doctor_use(const struct doctor_directory *d)
{
    directory = d;
}

struct doctor_options {
    enum task task;
    struct capture_options capture;
    struct tell_options tell;
    struct diagnose_options how;
    const char *explain; /* a cause; NULL: all */
    const char *out;     /* of --anonymise */
    const char *page;    /* of --html; "-" is the standard output */
    struct shadow_options shadow;
    const char *data;    /* the folder whose phones are known */
    const char *with;    /* the capture at the server's end */
    char **files;
    int n_files;
};

static const char usage[] =
    "Usage: dialtone doctor FILE... [options]\n"
    "       dialtone doctor --shadow INTERFACE | --probe MODEL --interface INTERFACE [options]\n"
    "       dialtone doctor --live [PHONE]    what the doctor beside the running server found\n"
    "\n"
    "Reads captures (pcap, pcapng; gzip, zstd; \"-\" is the standard input), traces of CallManager,\n"
    "logs of phones and archives of these (docs/doctor.md), and says why phones do\n"
    "not register. Exit status: 0 nothing wrong found, 1 findings, 2 wrong usage, 3 a file cannot "
    "be read.\n"
    "\n"
    "  -v              each phone's whole story, with evidence and what to do\n"
    "  --with FILE     a second capture, taken at the server's end at the same time: which way "
    "packets were lost\n"
    "  --phone NAME    this phone only (device name or address)\n"
    "  --json          for programs (docs/doctor.schema.json); with -v the stories too\n"
    "  --html FILE     one self-contained page, with ladder and timeline; \"-\" is the standard "
    "output\n"
    "  --lang TAG      en, fr or zh\n"
    "  --explain CAUSE what a cause means and what to do; \"all\" lists the causes\n"
    "  --sights        every thing seen on the wire, a line each\n"
    "  --pair          two captures, the phone's end and the server's: what was lost on the way, "
    "and which way\n"
    "  --anonymise OUT the capture or trace without names, numbers and secrets, of the same diagnosis;\n"
    "                  several files become a folder and still fit each other\n"
    "  --data DIR      a data folder: who is in it, so that a phone with a wrong label finds its name\n"
    "  --shadow IF     look on at an interface (a mirror port) and tell what is found as it happens\n"
    "  --probe MODEL   plug in a phone of this model at --interface IF (and --vlan N), and say what it met\n"
    "  --for S         so many seconds (until interrupted; a probe: 90 s at most)\n"
    "  --port N,N...   more TCP ports of servers (2000, 2443, 5060, 5061, 6970 and what speaks "
    "like them are known)\n";

/* -- sights --------------------------------------------------------------------------------- */

static void print_sight(void *context, const struct sight *s)
{
    char line[1024];
    struct writer w = writer_of(line, sizeof(line) - 1);

    sight_print(s, &w);
    write_u8(&w, '\n');
    fwrite(line, 1, writer_len(&w), context);
}

static void print_problem(const char *name, const char *problem)
{
    fprintf(stderr, "dialtone doctor: %s: %s\n", name, problem);
}

static int add_files(struct feed *f, const struct doctor_options *o, const char **bad)
{
    int err = 0;

    for (int i = 0; i < o->n_files && !err; i++) {
        *bad = o->files[i];
        err = feed_add(f, o->files[i]);
    }
    return err ? err : feed_run(f, bad);
}

/* All of them as one capture; the feed knows their names. */
static int read_files(const struct doctor_options *o, sight_fn on_sight, void *context,
                      struct feed **ret)
{
    const char *bad = "";
    int err;

    *ret = feed_new(&o->capture, on_sight, context, print_problem);
    err = *ret ? add_files(*ret, o, &bad) : -ENOMEM;
    if (err)
        print_problem(bad, feed_trouble(err));
    return err;
}

/* -- reports --------------------------------------------------------------------------------- */

/* A name forgotten behind --html would be that of a capture: only an older page is written over. */
static bool is_writable(const char *page)
{
    static const char begin[] = "<!doctype html>";
    char first[sizeof(begin)] = "";
    FILE *f = fopen(page, "r");
    size_t n = f ? fread(first, 1, sizeof(begin) - 1, f) : 0;

    if (f)
        fclose(f);
    return n == 0 || strcmp(first, begin) == 0;
}

static int put_out(const struct doctor_options *o, const char *text)
{
    FILE *f = o->page && strcmp(o->page, "-") ? fopen(o->page, "w") : stdout;
    bool bad = !f || fputs(text, f) == EOF;

    bad |= f && f != stdout && fclose(f) == EOF;
    if (bad)
        fprintf(stderr, "dialtone doctor: %s: %s\n", o->page ? o->page : "-", strerror(errno));
    return bad ? -EIO : 0;
}

/* Each end has stories of its own; those of the phone's end are told. */
struct ends {
    struct timeline *t[2];
};

static void see_end(void *context, const struct sight *s)
{
    struct ends *ends = context;

    timeline_see(ends->t[s->at.capture == 1], s);
}

static int report_pair(struct doctor_options *o)
{
    const char *files[2] = {o->files[0], o->with};
    struct ends ends = {{timeline_new(), timeline_new()}};
    struct pair *pair = NULL;
    int which = 0, err = ends.t[0] && ends.t[1] ? 0 : -ENOMEM;
    size_t n_ill = 0;
    char *text = NULL;

    if (!err && (err = pair_read(files, &o->capture, see_end, &ends, &pair, &which)) < 0)
        fprintf(stderr, "dialtone doctor: %s: %s\n", files[which],
                err == -EBADMSG ? "no capture file: neither pcap nor pcapng" : strerror(-err));
    if (!err) {
        timeline_end(ends.t[0], pair_facts(pair)->totals[0].last_ns);
        timeline_end(ends.t[1], 0);
        o->how.pair = pair;
        o->how.other = ends.t[1];
        o->tell.files[1] = o->with;
        o->tell.n_files = 2;
        text = tell(ends.t[0], &o->tell, &o->how, &n_ill);
    }
    err = text ? put_out(o, text) : -ENOMEM;
    free(text);
    pair_free(pair);
    timeline_free(ends.t[0]);
    timeline_free(ends.t[1]);
    return err ? 3 : n_ill != 0;
}

static int report(struct doctor_options *o)
{
    struct timeline *t = timeline_new();
    struct feed *feed = NULL;
    int err = t ? read_files(o, timeline_see, t, &feed) : -ENOMEM;
    size_t n_ill = 0;
    char *text = NULL;

    if (!err) {
        timeline_end(t, feed_last_ns(feed));
        o->tell.names = feed_names(feed, &o->tell.n_names);
        text = tell(t, &o->tell, &o->how, &n_ill);
        err = text ? put_out(o, text) : -ENOMEM;
    }
    free(text);
    timeline_free(t);
    feed_free(feed);
    return err ? 3 : n_ill ? 1 : 0;
}

static int explain(const struct doctor_options *o)
{
    char *text = tell_cause(o->explain, &o->tell);

    if (!text) {
        fprintf(stderr, "dialtone doctor: no cause is called %s; --explain all lists them\n",
                o->explain);
        return 2;
    }
    fputs(text, stdout);
    free(text);
    return 0;
}

/* -- command line --------------------------------------------------------------------------- */

static int take_ports(const char *list, struct capture_options *o)
{
    struct text rest = text_of(list);
    uint32_t port;

    while (rest.at) {
        if (text_to_u32(text_split(&rest, ','), 10, &port) < 0 || port < 1 || port > 65535 ||
            o->n_ports == CAPTURE_PORTS_MAX)
            return -EINVAL;
        o->ports[o->n_ports++] = (uint16_t)port;
    }
    return 0;
}

static int take_option(int c, struct doctor_options *o)
{
    switch (c) {
    case 's':
        o->task = TASK_SIGHTS;
        return 0;
    case 'p':
        return take_ports(optarg, &o->capture);
    case 'P':
        o->task = TASK_PAIR;
        return 0;
    case 'a':
        o->task = TASK_ANONYMISE;
        o->out = optarg;
        return 0;
    case 'w':
        o->with = optarg;
        return 0;
    case 'd':
        o->data = optarg;
        return 0;
    case 'S':
    case 'I':
        o->task = TASK_SHADOW;
        o->shadow.interface = optarg;
        return 0;
    case 'M':
        o->task = TASK_SHADOW;
        o->shadow.model = optarg;
        return 0;
    case 'V':
        return text_to_u32(text_of(optarg), 10, &o->shadow.vlan);
    case 'f':
        return text_to_u32(text_of(optarg), 10, &o->shadow.seconds);
    case 'v':
        o->tell.verbose = true;
        return 0;
    case 'n':
        o->tell.only = optarg;
        return 0;
    case 'j':
        o->tell.shape = SHAPE_JSON;
        return 0;
    case 'H':
        o->tell.shape = SHAPE_HTML;
        o->page = optarg;
        return 0;
    case 'l':
        return language_named(text_of(optarg), &o->tell.language);
    case 'e':
        o->task = TASK_EXPLAIN;
        o->explain = strcmp(optarg, "all") ? optarg : NULL;
        return 0;
    }
    return -EINVAL;
}

/* 0, 1: help was asked for, -EINVAL. */
static int take_options(int argc, char **argv, struct doctor_options *o)
{
    static const struct option longs[] = {{"sights", no_argument, NULL, 's'},
                                          {"pair", no_argument, NULL, 'P'},
                                          {"anonymise", required_argument, NULL, 'a'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"phone", required_argument, NULL, 'n'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"with", required_argument, NULL, 'w'},
                                          {"html", required_argument, NULL, 'H'},
                                          {"lang", required_argument, NULL, 'l'},
                                          {"explain", required_argument, NULL, 'e'},
                                          {"data", required_argument, NULL, 'd'},
                                          {"shadow", required_argument, NULL, 'S'},
                                          {"interface", required_argument, NULL, 'I'},
                                          {"probe", required_argument, NULL, 'M'},
                                          {"vlan", required_argument, NULL, 'V'},
                                          {"for", required_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "hv", longs, NULL)) != -1) {
        if (c == 'h')
            return 1;
        if (take_option(c, o) < 0)
            return -EINVAL;
    }
    o->files = argv + optind;
    o->n_files = argc - optind;
    o->tell.n_files = o->n_files < 2 ? (unsigned)o->n_files : 2;
    for (unsigned i = 0; i < o->tell.n_files; i++)
        o->tell.files[i] = o->files[i];
    if (o->task == TASK_SHADOW)
        return o->shadow.interface && !o->n_files ? 0 : -EINVAL;
    return o->task == TASK_EXPLAIN || (o->n_files > 0 && o->n_files <= CAPTURES_MAX) ? 0 : -EINVAL;
}

/* 0 where it is no terminal: lines stay whole for grep. */
static unsigned terminal_width(void)
{
    struct winsize size;

    return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

static int act(struct doctor_options *o)
{
    struct feed *feed = NULL;
    int status;

    switch (o->task) {
    case TASK_EXPLAIN:
        return explain(o);
    case TASK_SHADOW:
        o->shadow.capture = o->capture;
        o->shadow.tell = o->tell;
        o->shadow.how = o->how;
        return shadow(&o->shadow);
    case TASK_SIGHTS:
        status = read_files(o, print_sight, stdout, &feed) < 0 ? 3 : 0;
        feed_free(feed);
        return status;
    case TASK_PAIR:
        return o->n_files == 2 ? task_pair(o->files, &o->capture, o->tell.language) : 2;
    case TASK_ANONYMISE:
        return task_anonymise(o->files, o->n_files, &o->capture, o->out);
    case TASK_REPORT:
        break;
    }
    if (o->page && strcmp(o->page, "-") && !is_writable(o->page)) {
        fprintf(stderr, "dialtone doctor: %s is there and is no page: --html FILE\n", o->page);
        return 2;
    }
    return o->with ? report_pair(o) : report(o);
}

int doctor_main(int argc, char **argv)
{
    struct doctor_options o = {.tell.width = terminal_width()};
    int err = take_options(argc, argv, &o), status;
    char error[512] = "";

    if (err) {
        fputs(usage, err > 0 ? stdout : stderr);
        return err > 0 ? 0 : 2;
    }
    if (o.data && directory) {
        if (directory->open(o.data, &o.how.context, error, sizeof(error)) < 0) {
            fprintf(stderr, "dialtone doctor: %s: %s\n", o.data, error);
            return 3;
        }
        o.how.known = directory->known;
    }
    status = act(&o);
    if (o.how.known)
        directory->close(o.how.context);
    return status;
}
