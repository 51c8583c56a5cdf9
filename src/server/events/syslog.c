/* syslog.c - alarms to a syslog server. */
#include "server/events/syslog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define FACILITY_LOCAL7 23 /* as the original's alarms come */

struct syslog {
    uv_getaddrinfo_t lookup;
    int fd; /* -1: not connected yet, or never */
    bool looking, stopped;
    char where[256];
};

static int connect_to(const struct sockaddr *to, socklen_t len)
{
    int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect(fd, to, len) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void on_address(uv_getaddrinfo_t *lookup, int err, struct addrinfo *found)
{
    struct syslog *s = lookup->data;

    s->looking = false;
    if (s->stopped) {
        uv_freeaddrinfo(found);
        free(s);
        return;
    }
    if (err)
        log_warning("syslog", "%s cannot be found: %s; alarms do not go there", s->where,
                    uv_strerror(err));
    for (struct addrinfo *a = found; a && s->fd < 0; a = a->ai_next)
        s->fd = connect_to(a->ai_addr, a->ai_addrlen);
    uv_freeaddrinfo(found);
}

/* "[::1]:514" is an address with a port, "::1" one without. */
static void host_and_port(const char *where, char *host, size_t size, const char **port)
{
    const char *bracket = where[0] == '[' ? strchr(where, ']') : NULL, *colon = strrchr(where, ':');

    *port = "514";
    if (bracket) {
        text_copy(host, size, (struct text){where + 1, (size_t)(bracket - where - 1)});
        if (bracket[1] == ':')
            *port = bracket + 2;
    } else if (colon && strchr(where, ':') == colon) {
        text_copy(host, size, (struct text){where, (size_t)(colon - where)});
        *port = colon + 1;
    } else {
        text_copy(host, size, text_of(where));
    }
}

static int look_up(struct syslog *s, uv_loop_t *loop)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    char host[256];
    const char *port;
    int err;

    host_and_port(s->where, host, sizeof(host), &port);
    s->lookup.data = s;
    err = uv_getaddrinfo(loop, &s->lookup, on_address, host, port, &hints);
    s->looking = !err;
    return err;
}

int syslog_open(uv_loop_t *loop, const char *where, struct syslog **ret)
{
    static const struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    struct syslog *s;
    int err = 0;

    *ret = NULL;
    if (!where[0])
        return 0;
    if (!(s = calloc(1, sizeof(*s))))
        return -ENOMEM;
    s->fd = -1;
    text_copy(s->where, sizeof(s->where), text_of(where));
    if (!strcmp(where, "local")) {
        if ((s->fd = connect_to((const struct sockaddr *)&local, sizeof(local))) < 0)
            log_warning("syslog",
                        "no syslog runs on this machine (/dev/log); alarms do not go there");
    } else {
        err = look_up(s, loop);
    }
    if (err)
        free(s);
    else
        *ret = s;
    return err;
}

void syslog_send(struct syslog *s, unsigned severity, const char *line)
{
    char bytes[2048];
    int n;

    if (!s || s->fd < 0)
        return;
    n = snprintf(bytes, sizeof(bytes), "<%u>%s", FACILITY_LOCAL7 * 8 + severity, line);
    if (n > 0)
        send(s->fd, bytes, (size_t)n < sizeof(bytes) ? (size_t)n : sizeof(bytes) - 1,
             MSG_DONTWAIT | MSG_NOSIGNAL);
}

void syslog_stop(struct syslog *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->stopped = true;
    if (s->looking)
        uv_cancel((uv_req_t *)&s->lookup); /* on_address frees */
    else
        free(s);
}
