#include "server/local_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "core/zones.h"

#define FOLDER    "/usr/share/zoneinfo"
#define ZONES_MAX 64 /* more zones than that in one directory are read again and again */
#define FILE_MAX  65536
#define AGAIN_S   900 /* offsets change on quarters of an hour only */

struct local_times {
    size_t n;
    struct zone {
        char name[64];
        int64_t until; /* `offset` holds before this */
        int32_t offset;
        uint8_t *file; /* NULL: there is none */
        size_t len;
    } zones[ZONES_MAX];
};

struct local_times *local_times_new(void)
{
    return calloc(1, sizeof(struct local_times));
}

void local_times_free(struct local_times *z)
{
    for (size_t i = 0; z && i < z->n; i++)
        free(z->zones[i].file);
    free(z);
}

/* Europe/Berlin, Etc/GMT+1: nothing that leaves the folder. */
static bool is_name(const char *zone)
{
    return *zone != '/' && !strstr(zone, "..") &&
           strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-") ==
               strlen(zone);
}

static void read_file(struct zone *z)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), FOLDER "/%s", z->name);
    if (!is_name(z->name) || !(f = fopen(path, "rb"))) {
        log_warning("sccp",
                    "the time zone %s has no file in " FOLDER ": phones get the server's time",
                    z->name);
        return;
    }
    z->file = malloc(FILE_MAX);
    z->len = z->file ? fread(z->file, 1, FILE_MAX, f) : 0;
    fclose(f);
}

static struct zone *zone_find(struct local_times *z, const char *name)
{
    struct zone *row;

    for (size_t i = 0; i < z->n; i++)
        if (strcmp(z->zones[i].name, name) == 0)
            return &z->zones[i];
    row = &z->zones[z->n < ZONES_MAX ? z->n++ : ZONES_MAX - 1];
    free(row->file);
    *row = (struct zone){.until = 0};
    snprintf(row->name, sizeof(row->name), "%s", name);
    if (*name)
        read_file(row);
    return row;
}

static int32_t own_offset(int64_t utc)
{
    time_t t = (time_t)utc;
    struct tm tm;

    return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

int32_t local_times_offset(struct local_times *z, const char *zone, int64_t utc)
{
    struct zone *row = zone_find(z, zone);

    if (utc >= row->until || utc < row->until - AGAIN_S) {
        if (!row->file || !zone_offset(row->file, row->len, utc, &row->offset))
            row->offset = own_offset(utc);
        row->until = utc - utc % AGAIN_S + AGAIN_S;
    }
    return row->offset;
}
