#include "doctor/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/capture.h"
#include "doctor/tasks.h"

#define FILES_MAX 64

enum task { TASK_SIGHTS, TASK_PAIR, TASK_ANONYMISE };

struct doctor_options {
    enum task task;
    struct capture_options capture;
    const char *out; /* of --anonymise */
    char **files;
    int n_files;
};

static const char usage[] =
    "Usage: dialtone doctor FILE... [options]\n"
    "\n"
    "Reads captures (pcap, pcapng; gzip, zstd; \"-\" is the standard input).\n"
    "\n"
    "  --sights        every thing seen on the wire, a line each\n"
    "  --pair          two captures, the phone's end and the server's: what was lost on the way, "
    "and which way\n"
    "  --anonymise OUT.pcapng\n"
    "                  the capture without names, numbers and secrets, of the same diagnosis\n"
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

static void print_totals(const char *path, const struct capture_totals *t)
{
    if (t->problem[0])
        fprintf(stderr, "dialtone doctor: %s: %s\n", path, t->problem);
}

/* One file after the other, as one capture. */
static int read_files(const struct doctor_options *o, sight_fn on_sight, void *context)
{
    struct capture *c = capture_new(&o->capture, on_sight, context);
    int err = c ? 0 : -ENOMEM;

    for (int i = 0; i < o->n_files && !err; i++) {
        err = capture_file(c, o->files[i], 0);
        if (err < 0)
            fprintf(stderr, "dialtone doctor: %s: %s\n", o->files[i],
                    err == -EBADMSG ? "no capture file: neither pcap nor pcapng" : strerror(-err));
        else
            print_totals(o->files[i], capture_totals(c));
    }
    if (c)
        capture_end(c);
    capture_free(c);
    return err;
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

/* 0, 1: help was asked for, -EINVAL. */
static int take_options(int argc, char **argv, struct doctor_options *o)
{
    static const struct option longs[] = {{"sights", no_argument, NULL, 's'},
                                          {"pair", no_argument, NULL, 'P'},
                                          {"anonymise", required_argument, NULL, 'a'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h')
            return 1;
        if (c == 's')
            o->task = TASK_SIGHTS;
        else if (c == 'P')
            o->task = TASK_PAIR;
        else if (c == 'a')
            o->task = (o->out = optarg, TASK_ANONYMISE);
        else if (c != 'p' || take_ports(optarg, &o->capture) < 0)
            return -EINVAL;
    }
    o->files = argv + optind;
    o->n_files = argc - optind;
    return o->n_files > 0 && o->n_files <= FILES_MAX ? 0 : -EINVAL;
}

int doctor_main(int argc, char **argv)
{
    struct doctor_options o = {0};
    int err = take_options(argc, argv, &o);

    if (err) {
        fputs(usage, err > 0 ? stdout : stderr);
        return err > 0 ? 0 : 2;
    }
    if (o.task == TASK_PAIR)
        return o.n_files == 2 ? task_pair(o.files, &o.capture) : 2;
    if (o.task == TASK_ANONYMISE)
        return o.n_files == 1 ? task_anonymise(o.files[0], o.out) : 2;
    return read_files(&o, print_sight, stdout) < 0 ? 1 : 0;
}
