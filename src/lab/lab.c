#include "lab/lab.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lab/crowd.h"
#include "lab/guard.h"
#include "lab/learn.h"
#include "lab/wire.h"

#define PHONES_DEFAULT 3
#define NAME_DEFAULT   "dtlab"

struct lab_options {
    const char *name, *folder, *model, *protocol, *language;
    unsigned phones, delay_ms; /* phones 0: not said */
    bool json, quick;
};

static const char usage[] =
    "Usage: dialtone lab run SCENARIO [--folder DIR]   plays a scenario: what was done, what was "
    "seen, a verdict\n"
    "       dialtone lab run FAULT[+FAULT…] [--model M] [--protocol sccp|sip]   makes faults on "
    "purpose\n"
    "           [--phones N] [--protocol sccp|sip|both] [--quick]   of scenarios with several "
    "nodes; "
    "quick: phones'\n"
    "                                                  clocks run six times as fast\n"
    "       dialtone lab learn [FAULT|NUMBER] [--language en|fr|zh]   hides a fault: you find it\n"
    "       dialtone lab list                          names of the scenarios\n"
    "       dialtone lab faults [--json]               names of the faults, and what the doctor "
    "must call them\n"
    "       dialtone lab up [--name N] [--phones N]    a switch, a server's and phones' "
    "namespaces, to be used by hand\n"
    "       dialtone lab down [--name N]               removes them with all that runs in them\n"
    "       dialtone lab wire IF1 IF2 [--delay MS]     carries frames between two interfaces, "
    "late\n"
    "\n"
    "Captures of both ends and logs stay in the folder (default lab-SCENARIO-TIME here). Needs "
    "root.\n";

static int list(void)
{
    for (const struct scenario *s = scenarios; s->name; s++)
        printf("%-18s %s\n", s->name, s->help);
    return 0;
}

static int faults(bool json)
{
    json_t *rows = json_array();

    for (const struct lab_fault *f = lab_faults; f->name; f++) {
        if (!json)
            printf("%-20s %s\n", f->name, f->done);
        json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "name", f->name, "both",
                                              f->causes[VIEW_BOTH], "phone", f->causes[VIEW_PHONE],
                                              "server", f->causes[VIEW_SERVER], "done", f->done,
                                              "lesson", f->lesson));
    }
    if (json) {
        json_dumpf(rows, stdout, JSON_INDENT(1));
        putchar('\n');
    }
    json_decref(rows);
    return 0;
}

/* -- run ------------------------------------------------------------------------------------ */

struct play {
    const struct scenario *scenario; /* NULL: faults */
    struct lab_order order;
    struct scenario_options options;
};

static int play(void *context)
{
    struct play *p = context;
    int err = p->scenario ? scenario_run(p->scenario, p->order.name, p->order.folder, &p->options)
                          : lab_fault_run(&p->order);

    if (err < 0)
        fprintf(stderr, "dialtone lab: cannot build the laboratory: %s\n", strerror(-err));
    return err ? 1 : 0;
}

static void choose_folder(char *to, size_t size, const char *which, const struct lab_options *o)
{
    if (o->folder)
        snprintf(to, size, "%s", o->folder);
    else
        snprintf(to, size, "lab-%s-%ld", which, (long)time(NULL));
}

/* A fault is played with one phone. */
static bool is_of_one(const struct lab_options *o)
{
    if (!o->protocol || strcmp(o->protocol, "both") != 0)
        return true;
    fputs("dialtone lab: both protocols are for scenarios with several nodes\n", stderr);
    return false;
}

static int run(const char *which, const struct lab_options *o)
{
    char name[LAB_NAME_MAX + 1], folder[LAB_PATH];
    struct play p = {scenario_find(which),
                     {.faults = which,
                      .model = o->model,
                      .protocol = o->protocol ? o->protocol : "sccp",
                      .name = guard_name(name, sizeof(name)),
                      .folder = folder},
                     {o->phones ? o->phones : 2, o->protocol ? o->protocol : "both", o->quick}};

    if (!p.scenario && lab_fault_check(which) < 0) {
        fprintf(stderr, "dialtone lab: no scenario or fault is called '%s'; these are:\n", which);
        list();
        faults(false);
        return 2;
    }
    if (!p.scenario && !is_of_one(o))
        return 2;
    choose_folder(folder, sizeof(folder), which, o);
    return guard_run(name, NULL, play, &p);
}

static int learn(const char *which, const struct lab_options *o)
{
    char name[LAB_NAME_MAX + 1], folder[LAB_PATH];
    struct lab_order order = {.model = o->model,
                              .protocol = o->protocol ? o->protocol : "sccp",
                              .name = guard_name(name, sizeof(name)),
                              .folder = folder};
    int status;

    choose_folder(folder, sizeof(folder), "lesson", o);
    status = learn_run(which, &order, o->language);
    if (status == 2)
        fprintf(stderr, "dialtone lab: no fault is called '%s'; `dialtone lab faults` names them\n",
                which);
    return status;
}

/* -- up and down ---------------------------------------------------------------------------- */

static int up(const struct lab_options *o)
{
    struct network n;
    unsigned phones = o->phones ? o->phones : PHONES_DEFAULT;
    int err = phones > LAB_PHONES_MAX ? -EINVAL : network_up(&n, o->name);

    if (!err)
        err = network_set_address(&n, network_server(&n), LAB_ADDRESS "/24");
    for (unsigned i = 0; i < phones && !err; i++)
        err = network_add_phone(&n, mac_of_number(0x001d00000001 + i));
    if (err) {
        network_down(o->name);
        return 1;
    }
    printf("A switch with a server and %u phones. To use it:\n"
           "  ip netns exec %s-server dialtone serve --data DIR --set dhcp.interfaces=eth0 --set "
           "cdp.interfaces=eth0 "
           "--set node.address=" LAB_ADDRESS "\n"
           "  ip netns exec %s-phone1 dialtone handset --interface eth0 --model 7960\n"
           "  ip netns exec %s-phone1 tcpdump -ni eth0\n"
           "`dialtone lab down --name %s` removes it.\n",
           phones, o->name, o->name, o->name, o->name);
    return 0;
}

static int down(const struct lab_options *o)
{
    unsigned n = network_down(o->name);

    printf("%u namespaces removed\n", n);
    return n ? 0 : 1;
}

/* -- command line --------------------------------------------------------------------------- */

static int take_options(int argc, char **argv, struct lab_options *o)
{
    static const struct option longs[] = {{"name", required_argument, NULL, 'n'},
                                          {"folder", required_argument, NULL, 'f'},
                                          {"phones", required_argument, NULL, 'p'},
                                          {"model", required_argument, NULL, 'm'},
                                          {"protocol", required_argument, NULL, 'P'},
                                          {"language", required_argument, NULL, 'l'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"quick", no_argument, NULL, 'q'},
                                          {"delay", required_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'n' && strlen(optarg) <= LAB_NAME_MAX && !strchr(optarg, '/') && *optarg)
            o->name = optarg;
        else if (c == 'f')
            o->folder = optarg;
        else if (c == 'p' && atoi(optarg) > 0 && atoi(optarg) <= CROWD_PHONES_MAX)
            o->phones = (unsigned)atoi(optarg);
        else if (c == 'q')
            o->quick = true;
        else if (c == 'd' && atoi(optarg) >= 0 && atoi(optarg) <= 60000)
            o->delay_ms = (unsigned)atoi(optarg);
        else if (c == 'm')
            o->model = optarg;
        else if (c == 'P' && (strcmp(optarg, "sccp") == 0 || strcmp(optarg, "sip") == 0 ||
                              strcmp(optarg, "both") == 0))
            o->protocol = optarg;
        else if (c == 'l')
            o->language = optarg;
        else if (c == 'j')
            o->json = true;
        else if (c == 'h')
            return 1;
        else
            return -EINVAL;
    }
    return 0;
}

int lab_main(int argc, char **argv)
{
    struct lab_options o = {.name = NAME_DEFAULT, .model = "7961", .language = getenv("LANG")};
    int err = take_options(argc, argv, &o), n = argc - optind;
    const char *verb = n > 0 ? argv[optind] : "";

    if (err > 0 || (!err && strcmp(verb, "list") == 0 && n == 1))
        return err > 0 ? (fputs(usage, stdout), 0) : list();
    if (!err && strcmp(verb, "faults") == 0 && n == 1)
        return faults(o.json);
    if (!err && strcmp(verb, "run") == 0 && n == 2)
        return guard_can("lab") ? run(argv[optind + 1], &o) : 1;
    if (!err && strcmp(verb, "learn") == 0 && n <= 2)
        return !is_of_one(&o) ? 2 : guard_can("lab") ? learn(n == 2 ? argv[optind + 1] : NULL, &o) : 1;
    if (!err && strcmp(verb, "up") == 0 && n == 1)
        return guard_can("lab") ? up(&o) : 1;
    if (!err && strcmp(verb, "down") == 0 && n == 1)
        return guard_can("lab") ? down(&o) : 1;
    if (!err && strcmp(verb, "wire") == 0 && n == 3)
        return wire_run(argv[optind + 1], argv[optind + 2], o.delay_ms);
    fputs(usage, stderr);
    return 2;
}
