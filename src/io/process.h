/* process.h - what a daemon says to its system: limits, privileges, readiness, who holds a port. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Raises the soft limit of open files to the hard one; returns what may be open now. Before any thread is started: the
 * kernel's table of them gets its full size, as one that grows stops whoever opens a file until every processor
 * has been seen to rest (about 10 ms each time it doubles). */
size_t process_raise_files(void);

/* The calling thread, and what it starts, runs before all others that have no real-time priority (sched(7), SCHED_RR) as
 * long as there is another processor for these; otherwise, and where that is not allowed, with a nice value of -5.
 * 0, or -errno: neither is allowed. For before process_drop_privileges. */
int process_take_priority(void);
/* The calling thread goes back to what was before that; nothing where nothing was taken. */
void process_leave_priority(void);
/* The calling thread waits its turn when it wakes (sched(7), SCHED_BATCH): who woke it goes on, and has more for it by then. */
void process_run_behind(void);

/* Keeps CAP_NET_BIND_SERVICE and CAP_NET_RAW (those that it has) and nothing else, and becomes
 * `user` when started as root and that user exists; `folder` is given to the user first.
 * 0 or -errno, with the step that failed in `error`. Before any thread is started: capabilities
 * belong to threads. */
int process_drop_privileges(const char *user, const char *folder, char *error, size_t size);

/* Locks a file and writes the own pid into it; the lock ends with the process.
 * 0 with the descriptor to keep, -EBUSY with *other the pid that holds it, or -errno. */
int process_lock(const char *path, int *fd, pid_t *other);

/* Remembers who holds a port now, while we may still look at processes of others: for before
 * process_drop_privileges. At most 16 ports; not from several threads. */
void process_note_holder(uint16_t port, bool udp);

/* The process that listens on a local port: 0 with its pid and name; -ENOENT when it is not to be
 * seen. Looks into /proc; a process with more rights than ours is known only if it was noted. */
int process_holding_port(uint16_t port, bool udp, pid_t *pid, char *name, size_t size);
/* The user whose program holds the port, for when the program itself may not be looked at: 0 or -ENOENT. */
int process_port_owner(uint16_t port, bool udp, char *name, size_t size);

/* Tells the service manager (NOTIFY_SOCKET, sd_notify protocol), if there is one. */
void process_notify(const char *state);
