#include "io/process.h"

#include <cap-ng.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FILES_READY 262144 /* beyond that the kernel's table grows as it must */
#define PRIORITY    1      /* the least of the real-time ones */
#define NICE        (-5)

static void reserve_files(rlim_t n)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int last = fcntl(fd, F_DUPFD_CLOEXEC, (int)(n < FILES_READY ? n : FILES_READY) - 1);

    if (last >= 0)
        close(last);
    if (fd >= 0)
        close(fd);
}

size_t process_raise_files(void)
{
    struct rlimit limit = {0};

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    reserve_files(limit.rlim_cur);
    return limit.rlim_cur;
}

static struct {
    bool taken;
    int policy, nice;
    struct sched_param param;
} before;

int process_take_priority(void)
{
    struct sched_param p = {.sched_priority = PRIORITY};
    cpu_set_t cpus;
    int err = 0;

    before.policy = sched_getscheduler(0);
    before.nice = getpriority(PRIO_PROCESS, 0);
    sched_getparam(0, &before.param);
    if (before.policy != SCHED_OTHER)
        return 0; /* who started us has chosen */
    if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0 || CPU_COUNT(&cpus) < 2 || sched_setscheduler(0, SCHED_RR, &p) < 0)
        err = before.nice > NICE && setpriority(PRIO_PROCESS, 0, NICE) < 0 ? -errno : 0;
    before.taken = !err;
    return err;
}

void process_leave_priority(void)
{
    if (!before.taken)
        return;
    sched_setscheduler(0, before.policy, &before.param);
    setpriority(PRIO_PROCESS, 0, before.nice);
}

void process_run_behind(void)
{
    if (sched_getscheduler(0) == SCHED_OTHER)
        sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
}

/* Only capabilities that we have can be kept; asking for others fails as a whole. */
static void keep_needed_capabilities(void)
{
    static const unsigned needed[] = {CAP_NET_BIND_SERVICE, CAP_NET_RAW};
    bool had[2];

    capng_get_caps_process();
    for (size_t i = 0; i < 2; i++)
        had[i] = capng_have_capability(CAPNG_PERMITTED, needed[i]);
    capng_clear(CAPNG_SELECT_BOTH);
    for (size_t i = 0; i < 2; i++)
        if (had[i])
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, needed[i]);
}

static const struct passwd *heir;

/* Only what root made: a link that somebody else put there leads nowhere. The tree of files to
 * serve is the administrator's and only read. */
static int inherit(const char *path, const struct stat *st, int type, struct FTW *at)
{
    if (st->st_uid == 0 && (S_ISDIR(st->st_mode) || st->st_nlink == 1) &&
        lchown(path, heir->pw_uid, heir->pw_gid) < 0 && errno != ENOENT)
        return -1;
    return type == FTW_D && at->level == 1 && !strcmp(path + at->base, "files") ? FTW_SKIP_SUBTREE
                                                                                : FTW_CONTINUE;
}

/* The folder, and what a server or a command left in it that ran as root. */
static int give_folder(const char *folder, const struct passwd *to)
{
    heir = to;
    if (chown(folder, to->pw_uid, to->pw_gid) < 0)
        return -errno;
    return nftw(folder, inherit, 16, FTW_PHYS | FTW_ACTIONRETVAL) ? -errno : 0;
}

int process_drop_privileges(const char *user, const char *folder, char *error, size_t size)
{
    const struct passwd *pw = geteuid() == 0 && *user ? getpwnam(user) : NULL;
    int failed, err = pw ? give_folder(folder, pw) : 0;

    if (err) {
        snprintf(error, size, "cannot give %s to user %s: %s", folder, user, strerror(-err));
        return err;
    }
    keep_needed_capabilities();
    if (pw)
        failed = capng_change_id((int)pw->pw_uid, (int)pw->pw_gid,
                                 CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
    else
        failed = capng_apply(CAPNG_SELECT_CAPS);
    if (!failed)
        return 0;
    snprintf(error, size, "cannot drop privileges%s%s (step %d)", pw ? " to user " : "",
             pw ? user : "", failed);
    return -EPERM;
}

int process_lock(const char *path, int *ret, pid_t *other)
{
    char text[32] = "";
    int err, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        err = errno == EWOULDBLOCK ? -EBUSY : -errno;
        if (err == -EBUSY && pread(fd, text, sizeof(text) - 1, 0) >= 0)
            *other = (pid_t)atol(text);
        close(fd);
        return err;
    }
    snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) < 0) {
        /* a full disk must not keep the server from starting: the lock holds without the number */
    }
    *ret = fd;
    return 0;
}

/* The inode of the socket bound to a port, from one of the tables in /proc/net, and whose it is; 0:
 * none. */
static unsigned long socket_inode(const char *table, uint16_t port, uid_t *owner)
{
    FILE *f = fopen(table, "re");
    char line[512];
    unsigned long inode = 0;

    if (!f)
        return 0;
    while (!inode && fgets(line, sizeof(line), f)) {
        unsigned local, remote, state, uid;
        unsigned long found;

        if (sscanf(line,
                   " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%x %x %*x:%*x %*x:%*x %*x %u %*u %lu",
                   &local, &remote, &state, &uid, &found) == 5 &&
            local == port && remote == 0) {
            inode = found;
            *owner = uid;
        }
    }
    fclose(f);
    return inode;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char path[300], wanted[64], link[64];
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    if (!(dir = opendir(path)))
        return false;
    while (!found && (entry = readdir(dir))) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

        if (n < 0)
            continue;
        link[n] = '\0';
        found = strcmp(link, wanted) == 0;
    }
    closedir(dir);
    return found;
}

static void read_name(const char *pid, char *name, size_t size)
{
    char path[300];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    snprintf(name, size, "?");
    if (!(f = fopen(path, "re")))
        return;
    if (fgets(name, (int)size, f))
        name[strcspn(name, "\n")] = '\0';
    fclose(f);
}

static struct {
    unsigned long inode;
    pid_t pid;
    char name[32];
} noted[16];
static size_t n_noted;

static unsigned long bound_inode(uint16_t port, bool udp, uid_t *owner)
{
    unsigned long inode = socket_inode(udp ? "/proc/net/udp" : "/proc/net/tcp", port, owner);

    return inode ? inode : socket_inode(udp ? "/proc/net/udp6" : "/proc/net/tcp6", port, owner);
}

int process_port_owner(uint16_t port, bool udp, char *name, size_t size)
{
    const struct passwd *pw;
    uid_t owner = 0;

    if (!bound_inode(port, udp, &owner))
        return -ENOENT;
    pw = getpwuid(owner);
    if (pw)
        snprintf(name, size, "%s", pw->pw_name);
    else
        snprintf(name, size, "%lu", (unsigned long)owner);
    return 0;
}

static int noted_holder(unsigned long inode, pid_t *pid, char *name, size_t size)
{
    for (size_t i = 0; i < n_noted; i++) {
        if (noted[i].inode != inode)
            continue;
        *pid = noted[i].pid;
        snprintf(name, size, "%s", noted[i].name);
        return 0;
    }
    return -ENOENT;
}

void process_note_holder(uint16_t port, bool udp)
{
    uid_t owner;

    if (n_noted == sizeof(noted) / sizeof(noted[0]))
        return;
    if (process_holding_port(port, udp, &noted[n_noted].pid, noted[n_noted].name,
                             sizeof(noted[0].name)) < 0)
        return;
    noted[n_noted].inode = bound_inode(port, udp, &owner);
    n_noted++;
}

int process_holding_port(uint16_t port, bool udp, pid_t *pid, char *name, size_t size)
{
    uid_t owner;
    unsigned long inode = bound_inode(port, udp, &owner);
    struct dirent *entry;
    int err = -ENOENT;
    DIR *proc;

    if (!inode || !(proc = opendir("/proc")))
        return -ENOENT;
    while (err && (entry = readdir(proc))) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, inode))
            continue;
        *pid = (pid_t)atol(entry->d_name);
        read_name(entry->d_name, name, size);
        err = 0;
    }
    closedir(proc);
    return err ? noted_holder(inode, pid, name, size) : 0;
}

void process_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    int fd;

    if (len == 0 || len >= sizeof(to.sun_path))
        return;
    memcpy(to.sun_path, path, len);
    if (to.sun_path[0] == '@') /* an abstract address */
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    close(fd);
}
