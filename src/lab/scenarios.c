/* scenarios.c - what happens in each scenario; see scenario.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lab/failover.h"
#include "lab/scenario.h"

#define BOOT_MS    120000 /* from power to registered, on a busy machine */
#define RESTART_MS 180000
#define FLEET      50
#define QUICK_RATE 6

/* -- what they share ------------------------------------------------------------------------ */

static bool open_office(struct stage *s)
{
    int err = office_start(&s->office);

    if (!stage_expect(s, !err, "the server is ready on " LAB_ADDRESS))
        return false;
    return stage_expect(s,
                        office_do(&s->office, "scope", "add", "lab", "subnet=10.99.0.0/24",
                                  "first=10.99.0.100", "last=10.99.0.199", "routers=" LAB_ADDRESS,
                                  "dns=" LAB_ADDRESS, NULL) == 0,
                        "a DHCP scope 10.99.0.100 to .199");
}

static bool add_to_directory(struct stage *s, const struct stage_phone *p, const char *model,
                             unsigned number)
{
    char model_field[48], protocol[32], lines[32];

    snprintf(model_field, sizeof(model_field), "model=%s", model);
    snprintf(protocol, sizeof(protocol), "protocol=%s", p->protocol);
    snprintf(lines, sizeof(lines), "lines=%u", number);
    return stage_expect(
        s,
        office_do(&s->office, "phone", "add", p->name.s, model_field, protocol, lines, NULL) == 0,
        "%s is added as %s (%s) with line %u", p->name.s, model, p->protocol, number);
}

static struct stage_phone *plug_in_as(struct stage *s, const char *model, const char *protocol)
{
    struct stage_phone *p = stage_add_phone(s, model, protocol);

    if (p)
        stage_say(s, "a %s (%s) is at port phone%u: %s", model, protocol, p->port, p->name.s);
    return p;
}

static struct stage_phone *plug_in(struct stage *s, const char *model)
{
    return plug_in_as(s, model, "sccp");
}

static void power_on(struct stage *s, struct stage_phone *p)
{
    stage_expect(s, stage_power(s, p, true) == 0, "%s has power", p->name.s);
}

/* -- the scenarios -------------------------------------------------------------------------- */

/* Registered later than it was at `context`, or never before. */
struct since {
    const struct stage_phone *phone;
    char before[40];
};

static bool registered_anew(struct stage *s, void *context)
{
    const struct since *since = context;
    json_t *rows = office_ask(&s->office, "status", "list", NULL);
    bool truth = strcmp(row_field(rows, since->phone->name.s, "status"), "registered") == 0 &&
                 strcmp(row_field(rows, since->phone->name.s, "since"), since->before) != 0;

    json_decref(rows);
    return truth;
}

static bool never(struct stage *s, void *context)
{
    return false;
}

static void order(struct stage *s, const struct stage_phone *p, const char *verb)
{
    struct since since = {.phone = p};
    json_t *rows = office_ask(&s->office, "status", "list", NULL);

    snprintf(since.before, sizeof(since.before), "%s", row_field(rows, p->name.s, "since"));
    json_decref(rows);
    stage_wait(s, 1100, never, NULL); /* the time of the next registration shall be another one */
    stage_expect(s, office_do(&s->office, "phone", verb, p->name.s, NULL) == 0, "%s: %s", p->name.s,
                 verb);
    stage_expect(s, stage_wait(s, BOOT_MS, registered_anew, &since), "%s is registered again",
                 p->name.s);
}

static void plain_boot(struct stage *s)
{
    static const struct {
        const char *model, *protocol;
    } rows[] = {{"7960", "sccp"}, {"7961", "sccp"}, {"7975", "sccp"},
                {"7960", "sip"},  {"7961", "sip"},  {"8841", "sip"}};
    const unsigned n = sizeof(rows) / sizeof(*rows);
    struct stage_phone *phones[sizeof(rows) / sizeof(*rows)];

    if (!open_office(s))
        return;
    for (unsigned i = 0; i < n; i++) {
        if (!(phones[i] = plug_in_as(s, rows[i].model, rows[i].protocol)) ||
            !add_to_directory(s, phones[i], rows[i].model, 7001 + i))
            return;
        power_on(s, phones[i]);
    }
    for (unsigned i = 0; i < n; i++)
        stage_wait_status(s, phones[i], "registered", BOOT_MS);
    order(s, phones[n - 1], "restart");
    order(s, phones[n - 1], "reset");
}

static bool is_listed_unknown(struct stage *s, void *context)
{
    const struct stage_phone *p = context;
    json_t *rows = office_ask(&s->office, "unknown", "list", NULL);
    bool truth = rows_count(rows, "name", p->name.s) == 1;

    json_decref(rows);
    return truth;
}

static void unknown_phone(struct stage *s)
{
    struct stage_phone *p;

    if (!open_office(s) || !(p = plug_in(s, "7961")))
        return;
    power_on(s, p);
    stage_expect(s, stage_wait(s, BOOT_MS, is_listed_unknown, p),
                 "it stands in `dialtone unknown list`");
    stage_wait_status(s, p, "rejected", BOOT_MS);
    stage_expect(s, office_do(&s->office, "unknown", "adopt", p->name.s, "lines=7100", NULL) == 0,
                 "it is adopted with line 7100");
    stage_wait_status(s, p, "registered", RESTART_MS);
}

static void auto_registration(struct stage *s)
{
    struct stage_phone *p;
    json_t *rows;

    if (!open_office(s) || !(p = plug_in(s, "7975")))
        return;
    stage_expect(s,
                 office_do(&s->office, "autoregistration", "set", "enabled=yes", "start=8000",
                           "end=8009", NULL) == 0,
                 "auto-registration is on, 8000 to 8009");
    power_on(s, p);
    stage_wait_status(s, p, "registered", BOOT_MS);
    rows = office_ask(&s->office, "line", "list", NULL);
    stage_expect(s,
                 rows_count(rows, "number", "8000") == 1 || rows_count(rows, "name", "8000") == 1,
                 "number 8000 is in the directory");
    json_decref(rows);
    stage_expect(s, office_do(&s->office, "autoregistration", "set", "enabled=no", NULL) == 0,
                 "the door is closed");
    if (!(p = plug_in(s, "7975")))
        return;
    power_on(s, p);
    stage_wait_status(s, p, "rejected", BOOT_MS);
}

static void wrong_type(struct stage *s)
{
    struct stage_phone *p;
    json_t *rows;

    if (!open_office(s) || !(p = plug_in(s, "7961G-GE")) || !add_to_directory(s, p, "7961", 7001))
        return;
    power_on(s, p);
    stage_wait_status(s, p, "rejected", BOOT_MS);
    rows = office_ask(&s->office, "status", "list", NULL);
    stage_say(s, "the server says: %s", row_field(rows, p->name.s, "reason"));
    json_decref(rows);
    stage_expect(s, office_do(&s->office, "phone", "set", p->name.s, "model=7961G-GE", NULL) == 0,
                 "the entry is corrected to 7961G-GE");
    stage_wait_status(s, p, "registered", RESTART_MS);
}

static unsigned registered(struct stage *s)
{
    json_t *rows = office_ask(&s->office, "status", "list", NULL);
    unsigned n = rows_count(rows, "status", "registered");

    json_decref(rows);
    return n;
}

static bool all_are_back(struct stage *s, void *context)
{
    return registered(s) == FLEET;
}

static bool write_list(struct stage *s, char *path, size_t size, struct mac first)
{
    FILE *f;

    snprintf(path, size, "%s/phones.csv", s->folder);
    f = fopen(path, "w");
    if (!f)
        return false;
    fputs("name,model,lines\n", f);
    for (unsigned i = 0; i < FLEET; i++)
        fprintf(f, "%s,%s,%u\n", device_name_of_mac(mac_of_number(mac_number(first) + i)).s,
                i % 2 ? "7975" : "7960", 7001 + i);
    return fclose(f) == 0;
}

/* All in one namespace behind one address, as behind a router that translates (SCCP-3). */
static bool start_fleet(struct stage *s, struct stage_phone *crowd)
{
    struct lab_ns ns = network_phone(&s->network, crowd->port);
    char mac[MAC_TEXT_MAX], log[LAB_PATH + 32];
    char *words[] = {"fleet",     "--server",    LAB_ADDRESS, "--count",    "50",  "--model",
                     "7960,7975", "--first-mac", mac,         "--duration", "600", NULL};

    mac_print(crowd->mac, mac);
    snprintf(log, sizeof(log), "%s/fleet.log", s->folder);
    return network_set_address(&s->network, ns, "10.99.0.50/24") == 0 &&
           child_start(&crowd->process, ns.s, log, words) == 0;
}

static void server_restart(struct stage *s)
{
    struct stage_phone *crowd;
    char list[LAB_PATH + 32];

    if (!open_office(s) || !(crowd = plug_in(s, "7960")))
        return;
    if (!stage_expect(s,
                      write_list(s, list, sizeof(list), crowd->mac) &&
                          office_do(&s->office, "import", list, NULL) == 0,
                      "%d phones are imported", FLEET))
        return;
    stage_expect(s, start_fleet(s, crowd), "%d phones behind port phone%u have power", FLEET,
                 crowd->port);
    stage_expect(s, stage_wait(s, BOOT_MS, all_are_back, NULL), "all %d are registered", FLEET);
    stage_say(s, "the server is killed (SIGKILL)");
    office_stop(&s->office, SIGKILL);
    stage_turn(s, 1000);
    stage_expect(s, office_start(&s->office) == 0, "the server is ready again");
    stage_expect(s, stage_wait(s, RESTART_MS, all_are_back, NULL), "all %d are registered again",
                 FLEET);
}

static void cable_pull(struct stage *s)
{
    struct stage_phone *p;

    if (!open_office(s) || !(p = plug_in(s, "7961")) || !add_to_directory(s, p, "7961", 7001))
        return;
    stage_expect(
        s, office_do(&s->office, "parameter", "set", "station_keepalive_interval=2", NULL) == 0,
        "keepalives every 2 s");
    power_on(s, p);
    stage_wait_status(s, p, "registered", BOOT_MS);
    stage_expect(s, network_plug(&s->network, p->port, false) == 0, "the cable of %s is pulled",
                 p->name.s);
    stage_wait_status(s, p, "unregistered", RESTART_MS);
    stage_expect(s, network_plug(&s->network, p->port, true) == 0, "the cable is back");
    stage_wait_status(s, p, "registered", RESTART_MS);
}

/* -- the table ------------------------------------------------------------------------------ */

#define SCENARIO(function, name, help)
#define FAILOVER(id, name, help)                                                                   \
    static void failover_##id(struct stage *s)                                                     \
    {                                                                                              \
        failover_play(s, FAILOVER_##id);                                                           \
    }
#include "lab/scenarios.def"
#undef FAILOVER
#undef SCENARIO

const struct scenario scenarios[] = {
#define SCENARIO(function, name, help) {name, help, function},
#define FAILOVER(id, name, help)       {name, help, failover_##id},
#include "lab/scenarios.def"
#undef FAILOVER
#undef SCENARIO
    {NULL, NULL, NULL},
};

const struct scenario *scenario_find(const char *name)
{
    const struct scenario *s = scenarios;

    while (s->name && strcmp(s->name, name) != 0)
        s++;
    return s->name ? s : NULL;
}

static void tell_capture(struct stage *s, const char *path)
{
    struct sightings seen;
    const char *comma = "";
    int err = sightings_of(path, &seen);

    if (!stage_expect(s, !err && !seen.broken, "%s is whole, with no malformed frame", path))
        return;
    printf("         %u frames:", seen.frames);
    for (int i = 0; i < N_SIGHTINGS; i++)
        if (seen.n[i]) {
            printf("%s %u %s", comma, seen.n[i], sighting_words((enum sighting)i));
            comma = ",";
        }
    putchar('\n');
}

int scenario_run(const struct scenario *scenario, const char *name, const char *folder,
                 const struct scenario_options *options)
{
    static struct stage s;
    int err = stage_open(&s, name, folder);

    if (!err) {
        s.scenario = scenario->name;
        s.protocol = options->protocol;
        s.count = options->phones;
        s.clock_rate = options->quick ? QUICK_RATE : 1;
        stage_say(&s, "%s: %s", scenario->name, scenario->help);
        scenario->play(&s);
        for (unsigned i = 0; i < s.n_phones && s.failures; i++)
            stage_say(&s, "%s said last: %s", s.phones[i].name.s, s.phones[i].last);
    }
    stage_turn(&s, 0);
    stage_close(&s);
    if (err)
        return err;
    for (unsigned i = 0; i < STAGE_SNIFFERS_MAX && *s.captures[i]; i++)
        tell_capture(&s, s.captures[i]);
    stage_say(&s, "verdict: %s (%u of %u as expected); captures and logs in %s",
              s.failures ? "FAILED" : "good", s.checks - s.failures, s.checks, folder);
    return s.failures ? 1 : 0;
}
