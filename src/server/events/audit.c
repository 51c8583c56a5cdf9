/* audit.c - a line for each change. */
#include "server/events/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "server/server.h"

#define FILE_SIZE  (16u << 20)
#define FILES_KEPT 10

struct audit {
    char *folder;
    char fetched[400]; /* who took what home last */
};

struct audit *audit_new(const char *folder)
{
    struct audit *a = calloc(1, sizeof(*a));

    if (a && !(a->folder = strdup(folder))) {
        free(a);
        a = NULL;
    }
    return a;
}

void audit_free(struct audit *a)
{
    if (a)
        free(a->folder);
    free(a);
}

/* 0 is the newest. */
static void path_of(const struct audit *a, unsigned i, char to[static 640])
{
    if (i)
        snprintf(to, 640, "%s/audit.log.%u", a->folder, i);
    else
        snprintf(to, 640, "%s/audit.log", a->folder);
}

static void rotate(const struct audit *a)
{
    char from[640], to[640];

    for (unsigned i = FILES_KEPT - 1; i-- > 0;) {
        path_of(a, i, from);
        path_of(a, i + 1, to);
        rename(from, to);
    }
}

static int open_newest(const struct audit *a)
{
    char path[640];
    struct stat st;

    path_of(a, 0, path);
    if (!stat(path, &st) && st.st_size > FILE_SIZE)
        rotate(a);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static json_t *object_of(const struct audit_entry *e)
{
    time_t now = (time_t)(server_wall_us() / 1000000);
    char stamp[32];
    struct tm tm;
    json_t *object;

    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    object = json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:o}", "time", stamp, "who",
                       json_of(text_of(e->who)), "from", e->from, "noun", e->noun, "verb", e->verb,
                       "name", json_of(text_of(e->name)), "result", json_of(text_of(e->result)));
    if (e->changes)
        json_object_set(object, "changes", (json_t *)(uintptr_t)e->changes);
    return object;
}

static int append(const struct audit *a, const json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    size_t len = text ? strlen(text) : 0;
    int fd = text ? open_newest(a) : -1, err = text ? (fd < 0 ? -errno : 0) : -ENOMEM;

    if (!err) {
        text[len] = '\n'; /* in place of the NUL */
        if (write(fd, text, len + 1) != (ssize_t)(len + 1) || fdatasync(fd) < 0)
            err = errno ? -errno : -EIO;
    }
    if (fd >= 0)
        close(fd);
    free(text);
    return err;
}

/* As it stands in the entry: whole characters, whatever was typed and cut. */
static const char *clean(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s ? s : "";
}

/* A recording that is looked at while it runs is fetched each second: that is told once. */
static bool is_fetched_again(struct audit *a, const struct audit_entry *e)
{
    char now[sizeof(a->fetched)];
    bool again;

    if (strcmp(e->verb, "fetch"))
        return false;
    snprintf(now, sizeof(now), "%s %s %s %s %s", e->who, e->from, e->noun, e->name, e->result);
    again = !strcmp(now, a->fetched);
    memcpy(a->fetched, now, sizeof(now));
    return again;
}

int audit_add(struct audit *a, const struct audit_entry *e)
{
    json_t *object;
    int err;

    if (is_fetched_again(a, e))
        return 0;
    object = object_of(e);
    err = append(a, object);

    log_notice("audit", "%s from %s: %s %s%s%s: %s", clean(object, "who"), e->from, e->noun,
               e->verb, *e->name ? " " : "", clean(object, "name"), clean(object, "result"));
    json_decref(object);
    if (err)
        log_error("audit", "audit.log cannot be written: %s", strerror(-err));
    return err;
}

/* --- reading --- */

static char *read_whole(const char *path, size_t *len)
{
    FILE *f = fopen(path, "re");
    struct stat st;
    char *text;

    if (!f)
        return NULL;
    text = !fstat(fileno(f), &st) ? malloc((size_t)st.st_size + 1) : NULL;
    *len = text ? fread(text, 1, (size_t)st.st_size, f) : 0;
    fclose(f);
    return text;
}

/* The last line of what is left, cut off; NULL at the beginning. */
static struct text last_line(struct text *rest)
{
    struct text line;
    size_t at;

    while (rest->len && rest->at[rest->len - 1] == '\n')
        rest->len--;
    for (at = rest->len; at && rest->at[at - 1] != '\n';)
        at--;
    line = (struct text){rest->at + at, rest->len - at};
    rest->len = at;
    return line;
}

static bool walk_file(const char *path, bool (*each)(void *context, const json_t *entry),
                      void *context, bool *more)
{
    size_t len = 0;
    char *text = read_whole(path, &len);
    struct text rest = {text, len}, line;

    *more = true;
    if (!text)
        return false;
    while (*more && (line = last_line(&rest)).len) {
        json_t *entry = json_loadb(line.at, line.len, 0, NULL);

        if (entry) /* a line that was cut by a power failure is none */
            *more = each(context, entry);
        json_decref(entry);
    }
    free(text);
    return true;
}

void audit_walk(const struct audit *a, bool (*each)(void *context, const json_t *entry),
                void *context)
{
    char path[640];
    bool more = true;

    for (unsigned i = 0; more && i < FILES_KEPT; i++) {
        path_of(a, i, path);
        if (!walk_file(path, each, context, &more))
            return;
    }
}
