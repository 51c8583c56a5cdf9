#include "lab/network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES "/run/netns"
#define WORDS_MAX  32
#define NOBODY     "02:00:00:00:00:99"

/* -- the ip program ------------------------------------------------------------------------- */

static int run(char *const argv[], bool quiet)
{
    int status;
    pid_t pid = fork();

    if (pid < 0)
        return -errno;
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        dup2(null, STDIN_FILENO);
        if (quiet)
            dup2(null, STDERR_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* ip("-n %s link set %s up", …): the words are separated by blanks. */
static int __attribute__((format(printf, 1, 2))) ip(const char *format, ...)
{
    char line[512] = "ip ", *words[WORDS_MAX], *rest = line;
    va_list args;
    size_t n = 0;
    int err;

    va_start(args, format);
    vsnprintf(line + 3, sizeof(line) - 3, format, args);
    va_end(args);
    while (n < WORDS_MAX - 1 && (words[n] = strsep(&rest, " ")))
        n++;
    words[n] = NULL;
    err = run(words, false);
    if (err) {
        va_start(args, format);
        fputs("lab: failed: ip ", stderr);
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
        va_end(args);
    }
    return err;
}

/* -- names ---------------------------------------------------------------------------------- */

static struct lab_ns named(const struct network *n, const char *what)
{
    struct lab_ns ns;

    snprintf(ns.s, sizeof(ns.s), "%s-%s", n->name, what);
    return ns;
}

struct lab_ns network_server(const struct network *n)
{
    return named(n, "server");
}

struct lab_port {
    char s[16];
};

static struct lab_port port_of(unsigned node)
{
    struct lab_port port = {"server"};

    if (node > 1)
        snprintf(port.s, sizeof(port.s), "server%u", node % 10);
    return port;
}

struct lab_ns network_node(const struct network *n, unsigned node)
{
    return named(n, port_of(node).s);
}

struct lab_ns network_router(const struct network *n)
{
    return named(n, "router");
}

struct lab_ns network_switch(const struct network *n)
{
    return named(n, "switch");
}

struct lab_ns network_phone(const struct network *n, unsigned phone)
{
    char what[16];

    snprintf(what, sizeof(what), "phone%u", phone);
    return named(n, what);
}

int network_enter(const char *ns)
{
    static int home = -1;
    char path[sizeof(NAMESPACES) + LAB_NS_MAX + 1];
    int fd, err = 0;

    if (home < 0)
        home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (!ns)
        return setns(home, CLONE_NEWNET) < 0 ? -errno : 0;
    snprintf(path, sizeof(path), NAMESPACES "/%s", ns);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (setns(fd, CLONE_NEWNET) < 0)
        err = -errno;
    close(fd);
    return err;
}

/* -- up ------------------------------------------------------------------------------------- */

/* The kernel's own IPv6 chatter is no part of what is to be seen. */
static void quiet_ipv6(const char *ns)
{
    static const char *const files[] = {"/proc/sys/net/ipv6/conf/all/disable_ipv6",
                                        "/proc/sys/net/ipv6/conf/default/disable_ipv6"};

    if (network_enter(ns) < 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        int fd = open(files[i], O_WRONLY | O_CLOEXEC);

        if (fd >= 0) {
            if (write(fd, "1", 1) < 0)
                perror(files[i]); /* a louder capture, nothing worse */
            close(fd);
        }
    }
    network_enter(NULL);
}

int network_nft(struct lab_ns ns, const char *rules)
{
    char *const words[] = {"ip", "netns", "exec", ns.s, "nft", (char *)(uintptr_t)rules, NULL};

    return run(words, false);
}

static int write_setting(struct lab_ns ns, const char *path, const char *value)
{
    int err = network_enter(ns.s), fd;

    if (err)
        return err;
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        err = -errno;
    if (fd >= 0)
        close(fd);
    network_enter(NULL);
    return err;
}

int network_set_receive_room(struct lab_ns ns, unsigned bytes)
{
    char value[48];

    snprintf(value, sizeof(value), "%u %u %u", bytes, bytes, bytes);
    return write_setting(ns, "/proc/sys/net/ipv4/tcp_rmem", value);
}

static int add_namespace(struct lab_ns ns)
{
    int err = ip("netns add %s", ns.s);

    if (err)
        return err;
    quiet_ipv6(ns.s);
    return ip("-n %s link set lo up", ns.s);
}

/* Frames leave with whole checksums, as from a network card: who captures or changes them sees real
 * ones. */
static int seal_checksums(const char *ns)
{
    struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM};
    struct ifreq request = {.ifr_name = "eth0", .ifr_data = (char *)&off};
    int err = network_enter(ns), fd;

    if (err)
        return err;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0)
        err = -errno;
    if (fd >= 0)
        close(fd);
    network_enter(NULL);
    return err;
}

/* A cable from `eth0` of a namespace to a port of the switch. */
static int add_cable(const struct network *n, struct lab_ns ns, const char *port)
{
    struct lab_ns sw = network_switch(n);
    int err = ip("link add eth0 netns %s type veth peer name %s netns %s", ns.s, port, sw.s);

    if (!err)
        err = ip("-n %s link set %s master bridge up", sw.s, port);
    if (!err)
        err = seal_checksums(ns.s);
    return err ? err : ip("-n %s link set eth0 up", ns.s);
}

/* The bridge learns as a switch does; it lets LLDP through (group_fwd_mask bit 14), as it plays no
 * neighbour. What is sent to its own address ends there. */
static int add_switch(const struct network *n)
{
    struct lab_ns sw = network_switch(n);
    int err = add_namespace(sw);

    if (!err)
        err = ip("-n %s link add bridge address " NOBODY
                 " type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                 sw.s);
    if (!err)
        err = ip("-n %s link set bridge type bridge group_fwd_mask 0x4000", sw.s);
    return err ? err : ip("-n %s link set bridge up", sw.s);
}

int network_up(struct network *n, const char *name)
{
    int err;

    memset(n, 0, sizeof(*n));
    if (strlen(name) > LAB_NAME_MAX)
        return -ENAMETOOLONG;
    snprintf(n->name, sizeof(n->name), "%s", name);
    network_down(name);
    err = add_switch(n);
    if (!err)
        err = add_namespace(network_server(n));
    return err ? err : add_cable(n, network_server(n), "server");
}

int network_add_phone(struct network *n, struct mac mac)
{
    struct lab_ns ns = network_phone(n, n->n_phones + 1);
    char port[16], address[MAC_TEXT_MAX];
    int err;

    if (n->n_phones == LAB_PHONES_MAX)
        return -ENOSPC;
    snprintf(port, sizeof(port), "phone%u", n->n_phones + 1);
    err = add_namespace(ns);
    if (!err)
        err = add_cable(n, ns, port);
    if (!err)
        err = ip("-n %s link set eth0 address %s", ns.s, mac_print(mac, address));
    n->n_phones++;
    return err;
}

int network_add_node(struct network *n, unsigned node)
{
    struct lab_ns ns = network_node(n, node);
    int err = add_namespace(ns);

    return err ? err : add_cable(n, ns, port_of(node).s);
}

/* The phone's end of its cable goes to the router, which has another cable to the phone. */
int network_translate(const struct network *n, unsigned phone, struct mac mac)
{
    struct lab_ns router = network_router(n), ns = network_phone(n, phone);
    char address[MAC_TEXT_MAX];
    int err = add_namespace(router);

    if (!err)
        err = ip("-n %s link set eth0 netns %s", ns.s, router.s);
    if (!err)
        err = seal_checksums(router.s);
    if (!err)
        err = ip("-n %s link set eth0 address " LAB_ROUTER_MAC " up", router.s);
    if (!err)
        err = network_set_address(n, router, LAB_OUTSIDE "/24");
    if (!err)
        err = ip("link add eth0 netns %s address %s type veth peer name inside netns %s", ns.s,
                 mac_print(mac, address), router.s);
    if (!err)
        err = ip("-n %s address add " LAB_ROUTER "/24 dev inside", router.s);
    if (!err)
        err = ip("-n %s link set inside up", router.s);
    if (!err)
        err = seal_checksums(ns.s);
    if (!err)
        err = ip("-n %s link set eth0 up", ns.s);
    return err ? err : write_setting(router, "/proc/sys/net/ipv4/ip_forward", "1");
}

int network_plug_node(const struct network *n, unsigned node, bool in)
{
    return ip("-n %s link set %s %s", network_switch(n).s, port_of(node).s, in ? "up" : "down");
}

int network_filter(struct lab_ns ns, const char *address, bool on)
{
    if (on)
        return ip("-n %s neigh replace %s lladdr " NOBODY " dev eth0 nud permanent", ns.s, address);
    return ip("-n %s neigh delete %s dev eth0", ns.s, address);
}

int network_splice(const struct network *n, unsigned node, bool on)
{
    struct lab_ns sw = network_switch(n);
    struct lab_port port = port_of(node);
    int err;

    if (!on) {
        err = ip("-n %s link delete %s-in", sw.s, port.s);
        return err ? err : ip("-n %s link set %s master bridge", sw.s, port.s);
    }
    err = ip("-n %s link add %s-in type veth peer name %s-out", sw.s, port.s, port.s);
    if (!err)
        err = ip("-n %s link set %s nomaster", sw.s, port.s);
    if (!err)
        err = ip("-n %s link set %s-out master bridge up", sw.s, port.s);
    return err ? err : ip("-n %s link set %s-in up", sw.s, port.s);
}

int network_plug(const struct network *n, unsigned phone, bool in)
{
    return ip("-n %s link set phone%u %s", network_switch(n).s, phone, in ? "up" : "down");
}

int network_unbridge(const struct network *n, const char *port)
{
    return ip("-n %s link set %s nomaster", network_switch(n).s, port);
}

int network_set_address(const struct network *n, struct lab_ns ns, const char *address_and_prefix)
{
    return ip("-n %s address add %s dev eth0", ns.s, address_and_prefix);
}

int network_set_router(struct lab_ns ns, const char *address)
{
    return ip("-n %s route add default via %s", ns.s, address);
}

/* -- down ----------------------------------------------------------------------------------- */

static bool is_in(const char *pid, const struct stat *ns)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%.20s/ns/net", pid);
    return stat(path, &st) == 0 && st.st_ino == ns->st_ino && st.st_dev == ns->st_dev;
}

static void kill_inside(const char *ns)
{
    char path[sizeof(NAMESPACES) + 256];
    struct dirent *entry;
    struct stat st;
    DIR *proc = opendir("/proc");

    snprintf(path, sizeof(path), NAMESPACES "/%s", ns);
    if (stat(path, &st) < 0 || !proc)
        goto out;
    while ((entry = readdir(proc))) {
        long pid = atol(entry->d_name);

        if (pid > 1 && pid != getpid() && is_in(entry->d_name, &st))
            kill((pid_t)pid, SIGKILL);
    }
out:
    if (proc)
        closedir(proc);
}

static bool is_ours(const char *ns, const char *name)
{
    size_t n = strlen(name);

    return strncmp(ns, name, n) == 0 && ns[n] == '-';
}

unsigned network_down(const char *name)
{
    DIR *dir = opendir(NAMESPACES);
    struct dirent *entry;
    unsigned n = 0;

    while (dir && (entry = readdir(dir)))
        if (is_ours(entry->d_name, name)) {
            char *words[] = {"ip", "netns", "delete", entry->d_name, NULL};

            kill_inside(entry->d_name);
            n += run(words, true) == 0;
        }
    if (dir)
        closedir(dir);
    return n;
}
