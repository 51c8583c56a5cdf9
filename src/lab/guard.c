#include "lab/guard.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/network.h"

#define INTERRUPTED 130

int guard_can(const char *program)
{
    if (geteuid() == 0)
        return 1;
    fprintf(stderr, "dialtone %s makes network namespaces and must run as root.\n", program);
    return 0;
}

const char *guard_name(char *to, unsigned long size)
{
    snprintf(to, size, "dl%ld", (long)getpid());
    return to;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void drop_pending(const sigset_t *signals)
{
    struct timespec none = {0};

    while (sigtimedwait(signals, NULL, &none) >
           0) /* what came meanwhile is answered by cleaning up */
        ;
}

/* Waits for the child or a signal, which is passed on; the second one kills. */
static int watch(pid_t child, const sigset_t *signals)
{
    int status = 0, signal_number, told = 0;

    for (;;) {
        sigwait(signals, &signal_number);
        if (signal_number == SIGCHLD) {
            pid_t pid = waitpid(child, &status, WNOHANG);

            if (pid == child || (pid < 0 && errno == ECHILD))
                break;
            continue;
        }
        kill(child, told++ ? SIGKILL : SIGTERM);
    }
    if (told)
        return INTERRUPTED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The child's programs go on without it, an `ip netns add` too. First its group ends, so that
 * nobody is left who makes a namespace; then the namespaces with all in them. Orphans become our
 * own children (PR_SET_CHILD_SUBREAPER): when there are none, all are gone. */
static void end_family(pid_t child, const char *name)
{
    kill(-child, SIGKILL);
    while (waitpid(-child, NULL, 0) > 0)
        ;
    network_down(name);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

int guard_run(const char *name, const char *temporary, int (*work)(void *context), void *context)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    sigset_t signals, before;
    pid_t child;
    int status;

    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        sigaddset(&signals, numbers[i]);
    sigprocmask(SIG_BLOCK, &signals, &before);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        status = work(context);
        fflush(NULL);
        _exit(status);
    }
    status = child < 0 ? 1 : watch(child, &signals);
    if (child > 0)
        end_family(child, name);
    if (temporary)
        nftw(temporary, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    drop_pending(&signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
