/* demo.c - `dialtone demo`: a server and eight phones that boot before your eyes; see lab.h. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/guard.h"
#include "lab/lab.h"
#include "lab/network.h"
#include "lab/office.h"

#define N_PHONES    8
#define FIRST_MAC   0x001d45000001
#define LOOK_MS     1000 /* between two questions to the server */
#define DRAW_MS     250
#define DRAW_OUT_MS 2000 /* to a file */

/* What the milliseconds of a boot are told by. */
enum column { TIME_LINK, TIME_ADDRESS, TIME_FILES, TIME_REGISTER, N_TIMES };

static const struct {
    const char *stage; /* of the simulated phone's boot */
    enum column column;
} stage_rows[] = {
    {"loading", TIME_LINK},  {"vlan", TIME_LINK},       {"address", TIME_ADDRESS},
    {"probe", TIME_ADDRESS}, {"tftp-name", TIME_FILES}, {"files", TIME_FILES},
    {"names", TIME_FILES},   {"upgrade", TIME_FILES},   {"ready", TIME_REGISTER},
};

/* The last two speak SIP. */
static const char *const models[N_PHONES] = {"12SP+", "30VIP", "7940", "7960",
                                             "7961",  "7975",  "8841", "9971"};

struct demo_phone {
    struct child process;
    struct mac mac;
    struct device_name name;
    const char *model;
    int64_t stage_began, begun, registered; /* ms of its own clock; registered -1: not */
    int column;                             /* the one that runs; -1: none */
    int64_t times[N_TIMES];
    char stage[32], lcd[40], status[24], address[IP_TEXT_MAX];
};

struct demo {
    struct network network;
    struct office office;
    struct demo_phone phones[N_PHONES];
    char name[LAB_NAME_MAX + 1], folder[64];
    unsigned duration_s;
    uint64_t begun_ms;
    bool terminal, drawn, changed, once;
};

/* -- what the phones tell ------------------------------------------------------------------- */

static void begin_boot(struct demo_phone *p, int64_t ms)
{
    p->begun = p->stage_began = ms;
    p->registered = p->column = -1;
    memset(p->times, 0, sizeof(p->times));
}

static void begin_stage(struct demo_phone *p, const char *stage, int64_t ms)
{
    if (p->column >= 0)
        p->times[p->column] += ms - p->stage_began;
    p->column = -1;
    for (size_t i = 0; i < sizeof(stage_rows) / sizeof(*stage_rows); i++)
        if (strcmp(stage_rows[i].stage, stage) == 0)
            p->column = (int)stage_rows[i].column;
    p->stage_began = ms;
    snprintf(p->stage, sizeof(p->stage), "%s", stage);
}

static void take_event(struct demo_phone *p, const char *event, const char *what, const char *text,
                       int64_t ms)
{
    if (strcmp(event, "boot") == 0)
        begin_boot(p, ms);
    else if (strcmp(event, "stage") == 0)
        begin_stage(p, what, ms);
    else if (strcmp(event, "booted") == 0)
        begin_stage(p, "ready", ms);
    else if (strcmp(event, "lcd") == 0)
        snprintf(p->lcd, sizeof(p->lcd), "%s", text);
    else if (strcmp(event, "phone") == 0 && strcmp(what, "registered") == 0) {
        begin_stage(p, "registered", ms);
        p->registered = ms;
    } else if (strcmp(event, "phone") == 0 && strcmp(what, "keepalive") != 0) {
        snprintf(p->stage, sizeof(p->stage), "%s", what);
    }
}

static const char *string_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static void on_phone_line(struct child *c, const char *line)
{
    struct demo_phone *p = c->context;
    json_t *o = json_loads(line, 0, NULL);

    if (!o)
        snprintf(p->lcd, sizeof(p->lcd), "%s", line); /* a complaint of the program */
    else
        take_event(p, string_of(o, "event"), string_of(o, "what"), string_of(o, "text"),
                   json_integer_value(json_object_get(o, "ms")));
    json_decref(o);
}

/* -- the table ------------------------------------------------------------------------------ */

static void print_time(int64_t ms, bool known)
{
    if (known)
        printf(" %8lld", (long long)ms);
    else
        printf(" %8s", "");
}

static void print_row(const struct demo *d, const struct demo_phone *p)
{
    int64_t now = (int64_t)(lab_now_ms() - d->begun_ms),
            total = p->registered >= 0 ? p->registered - p->begun : now;

    printf("%-15s %-6s %-12s %-14s %-12s", p->name.s, p->model, p->status, p->address, p->stage);
    for (int i = 0; i < N_TIMES; i++)
        print_time(p->times[i], p->times[i] > 0 || (p->registered >= 0 && i == TIME_REGISTER));
    print_time(total, p->registered >= 0);
    printf("  %.30s%s\n", p->lcd, d->terminal ? "\033[K" : "");
}

static unsigned registered(const struct demo *d)
{
    unsigned n = 0;

    for (unsigned i = 0; i < N_PHONES; i++)
        n += strcmp(d->phones[i].status, "registered") == 0;
    return n;
}

static void draw(struct demo *d)
{
    if (d->terminal && d->drawn)
        printf("\033[%dA", N_PHONES + 3); /* over the table that stands there */
    printf("\n%-15s %-6s %-12s %-14s %-12s %8s %8s %8s %8s %8s  %s\n", "phone", "model", "status",
           "address", "stage", "link", "address", "files", "register", "all ms", "display");
    for (unsigned i = 0; i < N_PHONES; i++)
        print_row(d, &d->phones[i]);
    printf("%u of %u registered after %.1f s%s%s\n", registered(d), N_PHONES,
           (double)(lab_now_ms() - d->begun_ms) / 1000, d->once ? "" : " - Ctrl-C ends the demo",
           d->terminal ? "\033[K" : "");
    fflush(stdout);
    d->drawn = true;
}

static bool look(struct demo *d)
{
    json_t *rows = office_ask(&d->office, "status", "list", NULL);
    unsigned before = registered(d);

    for (unsigned i = 0; i < N_PHONES && rows; i++) {
        struct demo_phone *p = &d->phones[i];

        snprintf(p->status, sizeof(p->status), "%s", row_field(rows, p->name.s, "status"));
        snprintf(p->address, sizeof(p->address), "%s", row_field(rows, p->name.s, "address"));
    }
    json_decref(rows);
    return registered(d) != before;
}

/* -- the stage ------------------------------------------------------------------------------ */

static bool add_phone(struct demo *d, unsigned i)
{
    struct demo_phone *p = &d->phones[i];
    char model[32], line[32], description[48];

    p->process.out = p->process.log = -1;
    p->model = models[i];
    p->mac = mac_of_number(FIRST_MAC + i);
    p->name = device_name_of_mac(p->mac);
    begin_boot(p, 0);
    snprintf(model, sizeof(model), "model=%s", p->model);
    snprintf(line, sizeof(line), "lines=%u", 7001 + i);
    snprintf(description, sizeof(description), "description=Demo %u", i + 1);
    return network_add_phone(&d->network, p->mac) == 0 &&
           office_do(&d->office, "phone", "add", p->name.s, model, line, description, NULL) == 0;
}

static bool start_phone(struct demo *d, unsigned i)
{
    struct demo_phone *p = &d->phones[i];
    struct lab_ns ns = network_phone(&d->network, i + 1);
    char mac[MAC_TEXT_MAX], log[LAB_PATH];
    char *words[] = {"handset", "--json",  "--interface",
                     "eth0",    "--model", (char *)(uintptr_t)p->model,
                     "--mac",   mac,       NULL};

    mac_print(p->mac, mac);
    snprintf(log, sizeof(log), "%s/phone%u.log", d->folder, i + 1);
    p->process.on_line = on_phone_line;
    p->process.context = p;
    return child_start(&p->process, ns.s, log, words) == 0;
}

static void print_command(const struct demo *d, const char *words, const char *name)
{
    char program[LAB_PATH] = {0};

    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
        perror("/proc/self/exe");
    printf("  sudo ip netns exec %s %s --data %s/data %s %s\n", network_server(&d->network).s,
           program, d->folder, words, name);
}

static bool set_up(struct demo *d)
{
    printf("A switch, a server and %d phones, each in a network namespace of its own (%s-…).\n",
           N_PHONES, d->name);
    fflush(stdout);
    if (network_up(&d->network, d->name) < 0 || office_open(&d->office, &d->network, d->folder) < 0)
        return false;
    if (office_start(&d->office) < 0) {
        fprintf(stderr, "dialtone demo: the server does not start:\n%s\n", d->office.server.line);
        return false;
    }
    if (office_do(&d->office, "scope", "add", "demo", "subnet=10.99.0.0/24", "first=10.99.0.100",
                  "last=10.99.0.199", "routers=" LAB_ADDRESS, NULL) != 0)
        return false;
    for (unsigned i = 0; i < N_PHONES; i++)
        if (!add_phone(d, i))
            return false;
    printf("The server is ready on " LAB_ADDRESS " with numbers 7001 to %u. In another terminal:\n",
           7000 + N_PHONES);
    print_command(d, "phone show", d->phones[0].name.s);
    print_command(d, "event list", "");
    puts("Now the phones get power: CDP and LLDP, DHCP, TFTP, then SCCP.");
    return true;
}

static void turn(struct demo *d, unsigned ms)
{
    struct child *list[N_PHONES + 1] = {&d->office.server};

    for (unsigned i = 0; i < N_PHONES; i++)
        list[i + 1] = &d->phones[i].process;
    children_read(list, N_PHONES + 1, ms);
}

/* Until all are registered and that is wanted, or the time is over. */
static int watch(struct demo *d)
{
    uint64_t look_at = 0, draw_at = 0, now;
    bool news = true;

    for (;;) {
        now = lab_now_ms();
        if (now >= look_at) {
            news |= look(d);
            look_at = lab_now_ms() + LOOK_MS;
        }
        if (now >= draw_at && (d->terminal || news)) {
            draw(d);
            draw_at = now + (d->terminal ? DRAW_MS : DRAW_OUT_MS);
            news = false;
        }
        if (d->once && registered(d) == N_PHONES)
            return 0;
        if (d->duration_s && now - d->begun_ms > d->duration_s * 1000ull)
            return registered(d) == N_PHONES ? 0 : 1;
        turn(d, 100);
    }
}

static int play(void *context)
{
    struct demo *d = context;
    int status;

    if (!set_up(d))
        return 1;
    d->begun_ms = lab_now_ms();
    for (unsigned i = 0; i < N_PHONES; i++)
        if (!start_phone(d, i))
            return 1;
    status = watch(d);
    draw(d);
    for (unsigned i = 0; i < N_PHONES; i++)
        child_stop(&d->phones[i].process, SIGTERM);
    office_stop(&d->office, SIGTERM);
    return status;
}

/* -- command line --------------------------------------------------------------------------- */

static const char usage[] =
    "Usage: dialtone demo [--once] [--duration S]\n"
    "\n"
    "Starts a server and eight simulated phones in network namespaces of their own and shows\n"
    "how they boot. Nothing outside is touched; all is removed at the end. Needs root.\n"
    "\n"
    "  --once        ends when all phones are registered\n"
    "  --duration S  ends after so many seconds; status 1 when not all are registered\n";

static int take_options(int argc, char **argv, struct demo *d)
{
    static const struct option longs[] = {{"once", no_argument, NULL, 'o'},
                                          {"duration", required_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'o')
            d->once = true;
        else if (c == 'd' && text_to_u32(text_of(optarg), 10, &d->duration_s) == 0)
            continue;
        else
            return c == 'h' ? 1 : -EINVAL;
    }
    return optind == argc ? 0 : -EINVAL;
}

int demo_main(int argc, char **argv)
{
    struct demo *d = calloc(1, sizeof(*d));
    int status = 2, err = d ? take_options(argc, argv, d) : -ENOMEM;

    if (err) {
        fputs(usage, err > 0 ? stdout : stderr);
        status = err > 0 ? 0 : 2;
        goto out;
    }
    d->terminal = isatty(STDOUT_FILENO);
    guard_name(d->name, sizeof(d->name));
    snprintf(d->folder, sizeof(d->folder), "/tmp/dialtone-demo-XXXXXX");
    status = 1;
    if (!guard_can("demo"))
        goto out;
    if (!mkdtemp(d->folder)) {
        perror("dialtone demo: /tmp");
        goto out;
    }
    status = guard_run(d->name, d->folder, play, d);
    if (status == 130) /* Ctrl-C is how it ends */
        status = 0;
    printf("\nThe demo is over: namespaces and data are removed.\n");
out:
    free(d);
    return status;
}
