/* main.c - the table of subcommands. */
#include <string.h>

#include "cli/cli.h"
#include "doctor/doctor.h"
#include "handset/fleet/fleet.h"
#include "handset/handset.h"
#include "lab/lab.h"
#include "server/known.h"
#include "server/serve.h"

static const struct {
    const char *name;
    int (*main)(int argc, char **argv); /* argv[0] is the name; returns the exit status */
} programs[] = {
    {"serve", serve_main}, {"handset", handset_main}, {"fleet", fleet_main},
    {"lab", lab_main},     {"demo", demo_main},       {"doctor", doctor_main},
};

/* "doctor --live [PHONE] [OPTIONS]" asks the doctor beside the server. */
static int live(int argc, char **argv)
{
    argv[1] = (char *)"diagnosis";
    argv[2] = (char *)(argc > 3 && argv[3][0] != '-' ? "show" : "list");
    return cli_main(argc, argv);
}

int main(int argc, char **argv)
{
    static const struct doctor_directory folder = {known_open, known_close, known_device};

    doctor_use(&folder);
    if (argc > 2 && !strcmp(argv[1], "doctor") && !strcmp(argv[2], "--live"))
        return live(argc, argv);
    for (size_t i = 0; argc > 1 && i < sizeof(programs) / sizeof(programs[0]); i++)
        if (!strcmp(argv[1], programs[i].name))
            return programs[i].main(argc - 1, argv + 1);
    return cli_main(argc, argv);
}
