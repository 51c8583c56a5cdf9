#include "doctor/tasks.h"

#include <errno.h>
#include <stdio.h>

#include "doctor/anonymise/anonymise.h"
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

int task_anonymise(const char *from, const char *to)
{
    struct anonymised a;
    int err = anonymise(from, to, &a);

    if (err < 0)
        return failed(err == -EEXIST ? to : from, err);
    if (a.problem[0])
        fprintf(stderr, "dialtone doctor: %s: %s\n", from, a.problem);
    printf("%llu packets written to %s\n", (unsigned long long)a.packets, to);
    return 0;
}
