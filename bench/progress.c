/* progress.c - what the admin thread pays for an event of a phone, without threads: boot timeline
 * and real-time status.
 *
 * 100 000 phones of a directory boot three times in six events each, then half a million requests
 * come for names that somebody invents. Told: nanoseconds of CPU an event, bytes a phone,
 * microseconds to look for a mistyped label. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/directory/change.h"
#include "server/status.h"

#define PHONES 100000
#define FLOOD  500000
#define NEAR   10000

static const struct directory *dir;
static struct progress *progress;
static struct status *status;
static uint64_t now_us = 1700000000000000;

static bool is_known(const void *context, struct device_name name)
{
    return directory_phone(dir, text_of(name.s)) != NULL;
}

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long size = 0, pages = 0;

    if (f && fscanf(f, "%ld %ld", &size, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * 4096;
}

static void fill(void)
{
    struct change *c = change_new();
    char name[16], error[256];

    dir = directory_factory(TEXT("n"), TEXT("10.0.0.1"));
    for (int i = 0; i < PHONES; i++) {
        snprintf(name, sizeof(name), "SEP%012X", i);
        change_add(c, ENTITY_phone, text_of(name));
        change_field(c, TEXT("model"), TEXT("7960"));
    }
    if (directory_change(&dir, c, error, sizeof(error)) < 0) {
        puts(error);
        exit(1);
    }
    change_free(c);
}

static void tell(struct progress_event *e)
{
    e->time_us = now_us += 10;
    progress_event(progress, e);
    status_event(status, e);
}

static void boot_all(void)
{
    static const struct {
        uint16_t stage;
        const char *detail;
    } steps[] = {
        {PROGRESS_DHCP_DISCOVER, "Cisco Systems, Inc. IP Phone"},
        {PROGRESS_DHCP_ACK, ""},
        {PROGRESS_FILE_ASKED, "SEP.cnf.xml"},
        {PROGRESS_FILE_SENT, "SEP.cnf.xml"},
        {PROGRESS_REGISTER, ""},
        {PROGRESS_REGISTERED, "P00308010200"},
    };

    for (size_t k = 0; k < sizeof(steps) / sizeof(*steps); k++)
        for (uint32_t i = 0; i < PHONES; i++) {
            struct progress_event e = {.stage = steps[k].stage, .ip = ip_v4(0x0a000000 + i)};

            e.device = device_name_of_mac(mac_of_number(i));
            strcpy(e.detail, steps[k].detail);
            tell(&e);
        }
}

static void flood(void)
{
    for (uint32_t i = 0; i < FLOOD; i++) {
        struct progress_event e = {.stage = PROGRESS_FILE_MISSING, .ip = ip_v4(0x7f000001)};

        snprintf(e.detail, sizeof(e.detail), "SEP%04X%08X.cnf.xml", i & 0xffff, i * 2654435761u);
        tell(&e);
    }
}

int main(void)
{
    struct device_name near[4];
    double start;
    long before;

    fill();
    progress = progress_new(131072, 4096, is_known, NULL);
    status = status_new(131072, 131072);
    before = resident();
    for (int round = 1; round <= 3; round++) {
        start = cpu_ns();
        boot_all();
        printf("boot %d of %d phones: %.0f ns an event, %ld bytes a phone\n", round, PHONES,
               (cpu_ns() - start) / (6.0 * PHONES), (resident() - before) / PHONES);
    }
    start = cpu_ns();
    flood();
    printf("invented names: %.0f ns an event, %zu remembered\n", (cpu_ns() - start) / FLOOD,
           progress_n_unknown(progress));
    start = cpu_ns();
    for (uint32_t i = 0; i < NEAR; i++)
        progress_near(is_known, NULL, device_name_of_mac(mac_of_number(200000 + i * 7)), near, 4);
    printf("mistyped labels: %.1f us a name\n", (cpu_ns() - start) / NEAR / 1e3);
    status_free(status);
    progress_free(progress);
    directory_unref(dir);
    return 0;
}
