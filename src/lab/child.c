#include "lab/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/network.h"

#define WORDS_MAX   64
#define AT_ONCE_MAX 128 /* children that are waited for together */
#define RUN_MS      60000

uint64_t lab_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* -- start ---------------------------------------------------------------------------------- */

static void become(const char *ns, int out, pid_t parent, char *const argv[])
{
    char *words[WORDS_MAX + 2] = {(char[]){"dialtone"}};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    for (size_t i = 0; i < WORDS_MAX && argv[i]; i++)
        words[i + 1] = argv[i];
    if (ns && network_enter(ns) < 0)
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(126); /* it went in the meantime */
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    setpgid(0, 0); /* the terminal's Ctrl-C is ours to pass on */
    execv("/proc/self/exe", words);
    _exit(127);
}

int child_start(struct child *c, const char *ns, const char *log, char *const argv[])
{
    pid_t parent = getpid();
    int pipes[2];

    c->n_line = 0;
    c->status = 0;
    c->log = log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -errno;
    network_enter(NULL); /* the child must know the way home before it leaves */
    fflush(NULL);
    c->pid = fork();
    if (c->pid == 0)
        become(ns, pipes[1], parent, argv);
    close(pipes[1]);
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    c->out = pipes[0];
    return c->pid < 0 ? -errno : 0;
}

/* -- lines ---------------------------------------------------------------------------------- */

static void take_byte(struct child *c, char byte)
{
    if (byte != '\n' && c->n_line < CHILD_LINE_MAX - 1) {
        c->line[c->n_line++] = byte;
        return;
    }
    if (byte != '\n')
        return; /* the rest of an overlong line */
    c->line[c->n_line] = '\0';
    c->n_line = 0;
    if (c->on_line)
        c->on_line(c, c->line);
}

static void close_out(struct child *c)
{
    if (c->out >= 0)
        close(c->out);
    if (c->log >= 0)
        close(c->log);
    c->out = c->log = -1;
}

static void read_child(struct child *c)
{
    char bytes[4096];
    ssize_t n;

    while (c->out >= 0 && (n = read(c->out, bytes, sizeof(bytes))) >= 0) {
        if (n == 0) {
            close_out(c);
            return;
        }
        if (c->log >= 0 && write(c->log, bytes, (size_t)n) < 0) {
            close(c->log); /* a full disk must not stop the scenario */
            c->log = -1;
        }
        for (ssize_t i = 0; i < n; i++)
            take_byte(c, bytes[i]);
    }
}

void children_read(struct child *const *list, unsigned n, unsigned timeout_ms)
{
    struct pollfd polls[AT_ONCE_MAX];

    for (unsigned i = 0; i < n && i < AT_ONCE_MAX; i++)
        polls[i] = (struct pollfd){.fd = list[i]->out, .events = POLLIN};
    if (poll(polls, n < AT_ONCE_MAX ? n : AT_ONCE_MAX, (int)timeout_ms) <= 0)
        return;
    for (unsigned i = 0; i < n && i < AT_ONCE_MAX; i++)
        if (polls[i].revents)
            read_child(list[i]);
}

/* -- end ------------------------------------------------------------------------------------ */

bool child_running(struct child *c)
{
    if (c->pid > 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
        c->pid = 0;
    return c->pid > 0;
}

static bool ends_within(struct child *c, unsigned ms)
{
    uint64_t end = lab_now_ms() + ms;

    while (child_running(c) && lab_now_ms() < end)
        children_read(&c, 1, 10);
    return !child_running(c);
}

void child_stop(struct child *c, int signal)
{
    if (child_running(c)) {
        kill(c->pid, signal);
        if (!ends_within(c, 10000))
            kill(c->pid, SIGKILL);
        ends_within(c, 1000);
    }
    read_child(c);
    close_out(c);
}

static void on_output(struct child *c, const char *line)
{
    grow_string(c->context, line);
    grow_string(c->context, "\n");
}

int child_run(const char *ns, struct grow *output, char *const argv[])
{
    struct child c = {.on_line = on_output, .context = output}, *list[] = {&c};
    uint64_t end = lab_now_ms() + RUN_MS;
    int err = child_start(&c, ns, NULL, argv);

    if (err)
        return err;
    while (c.out >= 0 && lab_now_ms() < end)
        children_read(list, 1, 100);
    if (c.out >= 0 || !ends_within(&c, 10000)) {
        child_stop(&c, SIGKILL);
        return -ETIMEDOUT;
    }
    return WIFEXITED(c.status) ? WEXITSTATUS(c.status) : -ECHILD;
}
