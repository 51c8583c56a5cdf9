/* child.h - programs that the laboratory runs inside its namespaces, and the lines they print. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/grow.h"

#define CHILD_LINE_MAX 1024

struct child {
    pid_t pid;     /* 0: not running */
    int out;       /* its standard output and error; -1: closed */
    int log;       /* the same, as a file; -1: none */
    int status;    /* as waitpid gave it, once it has ended */
    size_t n_line;
    char line[CHILD_LINE_MAX];
    void (*on_line)(struct child *c, const char *line); /* may be NULL */
    void *context;
};

/* Starts this very program with `argv` (argv[0] is the subcommand) in a namespace (NULL: here). It dies with
 * us. `log` is a path, or NULL. The lines go to `on_line`. 0 or -errno. */
int child_start(struct child *c, const char *ns, const char *log, char *const argv[]);
/* Ends it: the signal, and after a second SIGKILL. Waits for its end and reads what it still said. */
void child_stop(struct child *c, int signal);
bool child_running(struct child *c);
/* Hands out what the children print until `timeout_ms` is over or something was read. */
void children_read(struct child *const *list, unsigned n, unsigned timeout_ms);
/* Runs it to its end, at most 20 s; what it printed goes to `output`. The exit status, or -errno. */
int child_run(const char *ns, struct grow *output, char *const argv[]);

uint64_t lab_now_ms(void); /* monotonic */
