#include "handset/fleet/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "handset/phone.h"

#define LINE_MAX_BYTES 64

struct fleet_events {
    int fd;
    size_t n;
    char lines[64 * 1024];
};

static const char *const names[] = {
    [PHONE_EVENT_ASKED] = "asked",       [PHONE_EVENT_REGISTERED] = "registered",
    [PHONE_EVENT_REJECTED] = "rejected", [PHONE_EVENT_LOST] = "lost",
    [PHONE_EVENT_LEFT] = "left",         [PHONE_EVENT_RESET] = "reset",
    [PHONE_EVENT_RESTART] = "restart",   [PHONE_EVENT_NO_SERVER] = "no-server",
    [PHONE_EVENT_STANDBY] = "standby",
};

int fleet_events_open(const char *path, struct fleet_events **ret)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct fleet_events *e = fd < 0 ? NULL : malloc(sizeof(*e));

    if (fd < 0)
        return -errno;
    if (!e) {
        close(fd);
        return -ENOMEM;
    }
    e->fd = fd;
    e->n = 0;
    *ret = e;
    return 0;
}

/* Whole lines in one write: another process appends to the same file. */
void fleet_events_flush(struct fleet_events *e)
{
    if (e->n && write(e->fd, e->lines, e->n) < 0)
        perror("dialtone fleet: events"); /* the phones go on without them */
    e->n = 0;
}

void fleet_events_close(struct fleet_events *e)
{
    if (!e)
        return;
    fleet_events_flush(e);
    close(e->fd);
    free(e);
}

void fleet_events_add(struct fleet_events *e, uint64_t now_us, uint32_t phone, unsigned event,
                      unsigned server)
{
    if (event >= sizeof(names) / sizeof(*names) || !names[event])
        return;
    if (e->n + LINE_MAX_BYTES > sizeof(e->lines))
        fleet_events_flush(e);
    e->n += (size_t)snprintf(e->lines + e->n, LINE_MAX_BYTES, "%llu,%u,%s,%u\n",
                             (unsigned long long)now_us, phone, names[event], server);
}
