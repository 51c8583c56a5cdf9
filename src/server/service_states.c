/* service_states.c - a small file. */
#include "server/service_states.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "services.stopped"

static const char *const ids[N_SERVICES] = {
#define SERVICE(id, name, thread, help) #id,
#include "server/services.def"
#undef SERVICE
};

void service_states_read(const char *folder, struct service_states *ret)
{
    char path[640], line[64];
    FILE *f;

    *ret = (struct service_states){{false}};
    snprintf(path, sizeof(path), "%s/" FILE_NAME, folder);
    if (!(f = fopen(path, "re")))
        return;
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = 0;
        for (int i = 0; i < N_SERVICES; i++)
            ret->stopped[i] = ret->stopped[i] || !strcmp(line, ids[i]);
    }
    fclose(f);
}

static int write_to(const char *path, const struct service_states *s)
{
    FILE *f = fopen(path, "we");
    int err = 0;

    if (!f)
        return -errno;
    for (int i = 0; i < N_SERVICES; i++)
        if (s->stopped[i])
            fprintf(f, "%s\n", ids[i]);
    if (fflush(f) || fsync(fileno(f)) < 0)
        err = -errno;
    return fclose(f) && !err ? -errno : err;
}

int service_states_write(const char *folder, const struct service_states *s)
{
    char path[640], neighbour[648];
    int err;

    snprintf(path, sizeof(path), "%s/" FILE_NAME, folder);
    snprintf(neighbour, sizeof(neighbour), "%s.part", path);
    err = write_to(neighbour, s);
    if (!err && rename(neighbour, path) < 0)
        err = -errno;
    if (err)
        unlink(neighbour);
    return err;
}
