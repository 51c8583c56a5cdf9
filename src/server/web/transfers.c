/* transfers.c - imports, backups and the like over HTTP: the body is the file, the answer is the
 * file. Where they lie on this machine is for the server alone to say. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/grow.h"
#include "server/web/web.h"
#include "server/web/web_own.h"

#define UPLOAD_MAX ((size_t)1 << 30)

static const char *folder_of(const struct web *w)
{
    return server_bootstrap(w->admin->thread->server)->data;
}

/* Only who may do it fills our disk. */
struct front_room web_file_room(void *context, const struct front_request *r)
{
    struct front_room usual = {.max = FRONT_BODY_MAX};
    struct web *w = context;
    const struct session *s;
    struct route route;

    if (!web_is_for_us(w, r) ||
        route_find(text_of(r->method), text_of(r->path), api_knows, &route) < 0 ||
        route.verb->carries != CARRIES_UPLOAD || !(s = web_who(w, r)) ||
        web_session_role(w, s) < ROUTE_ADMINISTER)
        return usual;
    return (struct front_room){UPLOAD_MAX, folder_of(w)};
}

static bool begins(const char *type, const char *with)
{
    return type && !strncasecmp(type, with, strlen(with));
}

/* Pages of other origins can send none of these types by themselves. */
static const char *upload(struct exchange *e, const struct front_request *r, json_t *options)
{
    const char *type = front_header(r, "Content-Type");

    if (!r->file)
        return "The body is the file.";
    if (!begins(type, "text/csv") && !begins(type, "application/"))
        return "Content-Type is text/csv, application/json or application/octet-stream.";
    text_copy(e->file, sizeof(e->file), text_of(r->file));
    json_object_set_new(options, "file", json_string(r->file));
    if (!json_object_get(options, "format"))
        json_object_set_new(options, "format",
                            json_string(begins(type, "application/json") ? "json" : "csv"));
    if (json_object_get(options, "plan") && strcmp(e->route.noun, "load") != 0) {
        json_object_set_new(options, "dry-run", json_true());
        json_object_del(options, "plan"); /* of a load it stays, and is refused */
    }
    return NULL;
}

/* "export.csv", "backup.db" … with the day, as the client may name it. */
static const char *ending_of(const struct exchange *e, const json_t *options)
{
    if (!strcmp(e->route.noun, "backup"))
        return "db";
    if (!strcmp(e->route.noun, "trace"))
        return "tar.gz";
    if (!strcmp(e->route.noun, "capture"))
        return "pcapng";
    return text_is(call_text(json_object_get(options, "format")), "json") ? "json" : "csv";
}

const char *web_file_begin(struct web *w, struct exchange *e, const struct front_request *r,
                           json_t *options)
{
    char random[17];

    if (e->route.verb->carries == CARRIES_UPLOAD)
        return upload(e, r, options);
    if (e->route.verb->carries != CARRIES_DOWNLOAD)
        return NULL;
    if (random_hex(random, 8) < 0)
        return "The system gives no random bytes.";
    snprintf(e->file, sizeof(e->file), "%s/download-%s.%s", folder_of(w), random,
             ending_of(e, options));
    json_object_set_new(options, "file", json_string(e->file));
    return NULL;
}

static const char *type_of(const char *name)
{
    struct text t = text_of(name);

    return text_ends(t, ".csv")    ? "text/csv; charset=utf-8"
           : text_ends(t, ".json") ? "application/json"
           : text_ends(t, ".gz")   ? "application/gzip"
                                   : "application/octet-stream";
}

int web_file_send(struct web *w, struct exchange *e, struct headers *h)
{
    int fd = open(e->file, O_RDONLY | O_CLOEXEC);
    char disposition[160], day[16];
    const char *dot = strrchr(e->file, '.');
    time_t now = time(NULL);

    if (fd < 0)
        return -ENOENT;
    if (text_ends(text_of(e->file), ".tar.gz"))
        dot -= 4;
    strftime(day, sizeof(day), "%Y-%m-%d", gmtime(&now));
    snprintf(disposition, sizeof(disposition), "attachment; filename=\"dialtone-%s-%s%s\"",
             e->route.noun, day, dot);
    header_put(h, "Content-Disposition", disposition);
    headers_put_common(h, type_of(e->file));
    return front_answer_file(w->front, e->id, h->rows, fd);
}

/* Sentences of the command line name the file; here it has no name. */
char *web_file_sentence(const struct exchange *e, const char *sentence)
{
    const char *at = e->file[0] ? strstr(sentence, e->file) : NULL;
    struct grow text = {0};

    if (!at)
        return strdup(sentence);
    grow_text(&text, (struct text){sentence, (size_t)(at - sentence)});
    grow_string(&text, "the file");
    grow_string(&text, at + strlen(e->file));
    return grow_take(&text);
}

/* "download-0123456789abcdef.db", "upload-a1B2c3" */
static bool is_transfer(const char *name)
{
    return !strncmp(name, "download-", 9)
               ? strspn(name + 9, "0123456789abcdef") == 16 && name[25] == '.'
               : !strncmp(name, "upload-", 7) && strlen(name) == 13;
}

void web_files_clean(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *d;

    while (dir && (d = readdir(dir)))
        if (is_transfer(d->d_name))
            unlinkat(dirfd(dir), d->d_name, 0); /* never a folder */
    if (dir)
        closedir(dir);
}

void web_file_end(struct exchange *e)
{
    if (e->file[0])
        unlink(e->file);
    e->file[0] = 0;
}
