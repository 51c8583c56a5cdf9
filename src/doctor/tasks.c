#include "doctor/tasks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor/anonymise/anonymise.h"
#include "doctor/anonymise/disguise.h"
#include "doctor/feed.h"
#include "doctor/pair/pair.h"

static int failed(const char *path, int err)
{
    fprintf(stderr, "dialtone doctor: %s: %s\n", path,
            err == -EBADMSG ? "no capture file: neither pcap nor pcapng" : strerror(-err));
    return 3;
}

int task_pair(char *const *files, const struct capture_options *o, enum language l)
{
    const char *both[2] = {files[0], files[1]};
    struct grow text = {0};
    struct pair *p;
    int which = 0, err = pair_read(both, o, NULL, NULL, &p, &which);

    if (err < 0)
        return failed(files[which], err);
    pair_print(p, l, &text);
    fputs(text.at ? text.at : "", stdout);
    grow_done(&text);
    pair_free(p);
    return 0;
}

/* ---- files without names ---- */

struct copies {
    const char *to;
    bool folder;
    struct anonymised all;
};

/* A file that is new; in a folder it has a name as the original's, disguised. */
static FILE *open_copy(const struct copies *c, const struct feed_item *it)
{
    const char *slash = strrchr(it->name, '/');
    char base[64], path[4096];

    if (!c->folder)
        return fopen(c->to, "w+bx");
    snprintf(base, sizeof(base), "%s", slash ? slash + 1 : it->name);
    if (!text_starts(text_of(base), "SDL")) /* SDL001_100_000001.txt: node, kind, number */
        disguise_sentence(base, strlen(base));
    for (int i = 1; i < 1000; i++) {
        char number[8] = "";
        FILE *f;

        if (i > 1)
            snprintf(number, sizeof(number), "%d-", i);
        snprintf(path, sizeof(path), "%s/%s%s%s", c->to, number, base,
                 it->source && !text_ends(text_of(base), ".pcapng") ? ".pcapng" : "");
        if ((f = fopen(path, "w+bx")) || errno != EEXIST)
            return f;
    }
    return NULL;
}

static int copy_item(void *context, const struct feed_item *it)
{
    struct copies *c = context;
    FILE *to = open_copy(c, it);
    int err;

    if (!to)
        return failed(c->to, -errno);
    err = it->source ? anonymise_capture(it->source, it->first, to, &c->all)
                     : anonymise_text(it->read, it->context, to, &c->all);
    if (fclose(to) != 0 && !err)
        err = -errno;
    if (c->all.problem[0])
        fprintf(stderr, "dialtone doctor: %s: %s\n", it->name, c->all.problem);
    c->all.problem[0] = 0;
    return err ? failed(c->to, err) : 0;
}

static void no_sight(void *context, const struct sight *s)
{
}

static void print_problem(const char *name, const char *problem)
{
    fprintf(stderr, "dialtone doctor: %s: %s\n", name, problem);
}

int task_anonymise(char *const *files, int n, const struct capture_options *o, const char *to)
{
    struct feed *f = feed_new(o, no_sight, NULL, print_problem);
    struct copies c = {.to = to};
    int status = f ? 0 : failed(to, -ENOMEM), err;

    for (int i = 0; i < n && !status; i++)
        if ((err = feed_add(f, files[i])) < 0)
            print_problem(files[i], feed_trouble(err)), status = 3;
    c.folder = !status && feed_count(f) > 1;
    if (c.folder && mkdir(to, 0777) < 0)
        status = failed(to, -errno);
    if (!status && (status = feed_each(f, copy_item, &c)) < 0)
        status = failed(to, status);
    if (!status && c.all.packets + c.all.lines)
        printf("%llu packets and %llu lines written to %s\n", (unsigned long long)c.all.packets,
               (unsigned long long)c.all.lines, to);
    feed_free(f);
    return status;
}
