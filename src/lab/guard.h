/* guard.h - runs what needs namespaces in a process of its own, and cleans up behind it however it ends. */
#pragma once

/* `work` runs in a child; its return value is the exit status. Afterwards, also after Ctrl-C, SIGTERM or a crash of
 * the child, every process in the namespaces NAME-… is killed, these are removed, and so is `temporary` (a folder, or
 * NULL). 130 when interrupted. */
int guard_run(const char *name, const char *temporary, int (*work)(void *context), void *context);
/* A laboratory name of this process alone. */
const char *guard_name(char *to, unsigned long size);
/* False, after a message, unless namespaces can be made. */
int guard_can(const char *program);
