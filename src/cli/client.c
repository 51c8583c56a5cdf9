/* client.c - the command line's end of the control socket. */
#include "cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_ANSWER (256u << 20)

const char *client_data_folder(const char *wanted)
{
    struct stat st;

    if (wanted)
        return wanted;
    return !stat("data", &st) && S_ISDIR(st.st_mode) ? "data" : "/var/lib/dialtone";
}

/* The name of a socket has 108 bytes; a long path goes by way of an open folder. */
static int connect_in(const char *data)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int folder = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, err = 0;

    if (folder < 0)
        return -errno;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/control.sock", folder);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        err = -errno;
        if (fd >= 0)
            close(fd);
    }
    close(folder);
    return err ? err : fd;
}

int client_open(struct client *c, const char *data, char *error, size_t size)
{
    int fd = connect_in(data);

    *c = (struct client){.fd = fd};
    if (fd >= 0)
        return 0;
    if (fd == -EACCES)
        snprintf(error, size,
                 "You may not talk to the server in %s; become root or a member of its group.",
                 data);
    else if (fd == -ENOENT || fd == -ECONNREFUSED || fd == -ENOTDIR)
        snprintf(
            error, size,
            "No server runs on %s. Start one with \"dialtone serve --data %s\", or name its folder "
            "with --data.",
            data, data);
    else
        snprintf(error, size, "The server in %s cannot be reached: %s.", data, strerror(-fd));
    return fd;
}

void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->buffer);
    *c = (struct client){.fd = -1};
}

void client_set_timeout(struct client *c, int seconds)
{
    struct timeval tv = {.tv_sec = seconds};

    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

int client_send(struct client *c, const json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT);
    size_t len, at = 0;
    ssize_t n = 0;

    if (!text)
        return -ENOMEM;
    len = strlen(text);
    text[len++] = '\n'; /* in place of the NUL */
    for (; at < len && n >= 0; at += n > 0 ? (size_t)n : 0)
        n = send(c->fd, text + at, len - at, MSG_NOSIGNAL);
    free(text);
    return n < 0 ? -errno : 0;
}

static int read_more(struct client *c)
{
    ssize_t n;

    if (c->size - c->len < 65536) {
        size_t size = c->size ? c->size * 2 : 131072;
        char *buffer = size > MAX_ANSWER ? NULL : realloc(c->buffer, size);

        if (!buffer)
            return -ENOMEM;
        c->buffer = buffer;
        c->size = size;
    }
    do
        n = recv(c->fd, c->buffer + c->len, c->size - c->len, 0);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : -EPIPE;
    c->len += (size_t)n;
    return 0;
}

int client_receive(struct client *c, json_t **ret)
{
    size_t looked = 0;
    char *end;
    int err;

    while (!(end = c->len > looked ? memchr(c->buffer + looked, '\n', c->len - looked) : NULL)) {
        looked = c->len;
        if ((err = read_more(c)) < 0)
            return err;
    }
    *ret = json_loadb(c->buffer, (size_t)(end - c->buffer), 0, NULL);
    c->len -= (size_t)(end + 1 - c->buffer);
    memmove(c->buffer, end + 1, c->len);
    return *ret ? 0 : -EPROTO;
}
