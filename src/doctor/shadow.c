#include "doctor/shadow.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#include "doctor/check/check.h"
#include "doctor/say.h"
#include "io/packets.h"

#define LOOK_S      5     /* between two looks at what is new */
#define TOLD_MAX    65536 /* findings that are told once only */
#define PROBE_S     90
#define WELL_S      3 /* a probe is over so long after it has registered */
#define FRAMES_TURN 20000

/* A finding that was told. */
struct told_once {
    uint64_t phone;
    enum cause cause;
    unsigned look; /* the last one in which it held; 0: an empty place, or it was taken back */
};

struct watch {
    const struct shadow_options *o;
    struct timeline *timeline;
    struct capture *capture;
    struct packets *packets;
    struct mac phone; /* of a probe */
    uint64_t n;       /* packets */
    struct told_once *told;
    unsigned n_looks;
    int64_t looked_ns, registered_ns;
    bool well;      /* the probe is through */
    pid_t plugged;  /* the phone of a probe; 0: none, or it has ended */
    bool unplugged; /* it ended by itself, with … */
    int status;     /* … this */
};

static volatile sig_atomic_t over;

static void on_signal(int number)
{
    over = number;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* A mirror port brings frames that are for others. */
static void promiscuous(struct packets *p, const char *interface)
{
    struct packet_mreq m = {.mr_ifindex = (int)if_nametoindex(interface),
                            .mr_type = PACKET_MR_PROMISC};

    setsockopt(packets_fd(p), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m));
}

/* ---- what is new ---- */

/* The place of a finding among those told; NULL: there are too many to tell each. */
static struct told_once *told_of(struct watch *w, const struct finding *f)
{
    uint64_t at = hash_bytes(&f->phone, sizeof(f->phone)) ^ (uint64_t)f->cause << 40;
    struct told_once *empty = NULL;

    for (unsigned i = 0; i < 32; i++, at++) {
        struct told_once *t = &w->told[at % TOLD_MAX];

        if (t->look && t->phone == f->phone && t->cause == f->cause)
            return t;
        if (!t->look && !empty)
            empty = t;
    }
    return empty;
}

static void tell_line(struct watch *w, int64_t ns, uint64_t phone, const char *words)
{
    const struct story *s = timeline_story(w->timeline, phone);
    time_t at = (time_t)(ns / SECOND);
    char clock[16], ip[IP_TEXT_MAX];
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
    printf("%s %s: %s\n", clock,
           !s             ? "-"
           : s->name[0]   ? s->name
           : s->ip.family ? ip_print(s->ip, ip)
                          : "?",
           words);
    fflush(stdout);
}

static void tell_new(struct watch *w, const struct finding *f)
{
    enum language l = w->o->tell.language;
    char detail[SAY_MAX];
    struct grow line = {0};

    say_now(&line, l, "%s: %s", cause_words(f->cause, l)->title, say(f->detail, l, detail));
    grow_format(&line, " [%s]", cause_row(f->cause)->name);
    tell_line(w, f->last_ns, f->phone, line.at ? line.at : "");
    grow_done(&line);
}

/* What was told and does not hold any more: an answer came after all, or the trouble is over. */
static void take_back(struct watch *w)
{
    enum language l = w->o->tell.language;

    for (size_t i = 0; i < TOLD_MAX; i++) {
        struct told_once *t = &w->told[i];
        struct grow line = {0};

        if (!t->look || t->look == w->n_looks)
            continue;
        say_now(&line, l, "no longer: %s", cause_words(t->cause, l)->title);
        grow_format(&line, " [%s]", cause_row(t->cause)->name);
        tell_line(w, w->looked_ns, t->phone, line.at ? line.at : "");
        grow_done(&line);
        t->look = 0;
    }
}

static void look(struct watch *w, int64_t now)
{
    struct diagnosis d;

    w->looked_ns = now;
    w->n_looks++;
    timeline_end(w->timeline, now);
    if (w->o->tell.shape != SHAPE_TEXT || diagnose(w->timeline, &w->o->how, &d) < 0)
        return;
    for (size_t i = 0; i < d.n; i++) {
        const struct finding *f = &d.findings[i];
        struct told_once *t = f->severity != SEVERITY_HINT ? told_of(w, f) : NULL;

        if (!t || (!t->look && !f->certain))
            continue;
        if (!t->look)
            tell_new(w, f);
        *t = (struct told_once){f->phone, f->cause, w->n_looks};
    }
    take_back(w);
    diagnosis_done(&d);
}

/* ---- a phone of our own ---- */

static int run(char *const *words)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        execvp(words[0], words);
        _exit(127);
    }
    return child < 0 || waitpid(child, &status, 0) < 0 ? -1 : status;
}

/* The VLAN's own interface, made for the probe alone. NULL, and said why, when it cannot be. */
static const char *vlan_open(const struct shadow_options *o, char name[static IFNAMSIZ])
{
    char id[12];

    if (!o->vlan)
        return o->interface;
    snprintf(name, IFNAMSIZ, "dtprobe%u", o->vlan & 0xfff);
    snprintf(id, sizeof(id), "%u", o->vlan);
    if (run((char *[]){(char *)"ip", (char *)"link", (char *)"add", (char *)"link",
                       (char *)o->interface, (char *)"name", name, (char *)"type", (char *)"vlan",
                       (char *)"id", id, NULL}) != 0) {
        fprintf(stderr,
                "dialtone doctor: no interface %s for VLAN %u on %s: see above (it needs root and "
                "the kernel's 8021q)\n",
                name, o->vlan, o->interface);
        return NULL;
    }
    run((char *[]){(char *)"ip", (char *)"link", (char *)"set", name, (char *)"up", NULL});
    return name;
}

static void vlan_close(const struct shadow_options *o, char *name)
{
    if (o->vlan)
        run((char *[]){(char *)"ip", (char *)"link", (char *)"delete", name, NULL});
}

static pid_t plug_in(const struct shadow_options *o, const char *interface)
{
    pid_t child = fork();

    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    freopen("/dev/null", "w", stdout);
    execl("/proc/self/exe", "dialtone", "handset", "--headless", "--interface", interface,
          "--keep-mac", "--model", o->model, (char *)NULL);
    _exit(127);
}

static bool mac_of(const char *interface, struct mac *ret)
{
    char path[64], line[32] = "";
    FILE *f;
    bool found;

    snprintf(path, sizeof(path), "/sys/class/net/%.30s/address", interface);
    if (!(f = fopen(path, "re")))
        return false;
    found = fgets(line, sizeof(line), f) && mac_parse(text_trim(text_of(line)), ret) == 0;
    fclose(f);
    return found;
}

static bool is_through(struct watch *w, int64_t now)
{
    const struct story *s = timeline_mac(w->timeline, w->phone);

    if (s && is_registered(s) && !w->registered_ns)
        w->registered_ns = now;
    return w->registered_ns && now - w->registered_ns > WELL_S * SECOND;
}

/* ---- the watch ---- */

static void take(struct watch *w)
{
    struct packets_frame f;

    for (unsigned i = 0; i < FRAMES_TURN && packets_read(w->packets, &f); i++) {
        struct record r = {.time_ns = (int64_t)f.time_ns,
                           .link_type = LINK_ETHERNET,
                           .bytes = f.bytes,
                           .captured = (uint32_t)f.len,
                           .original = (uint32_t)f.original};

        capture_packet(w->capture, &r, ++w->n);
    }
}

static void watch(struct watch *w, int64_t until)
{
    struct pollfd fd = {.fd = packets_fd(w->packets), .events = POLLIN};
    int64_t now = now_ns();

    for (w->looked_ns = now; !over && (!until || now < until) && !w->well && !w->unplugged;
         now = now_ns()) {
        if (poll(&fd, 1, 500) > 0)
            take(w);
        if (now - w->looked_ns > LOOK_S * SECOND)
            look(w, now);
        w->well = w->o->model && is_through(w, now);
        w->unplugged = w->plugged > 0 && waitpid(w->plugged, &w->status, WNOHANG) == w->plugged;
    }
    take(w);
    capture_end(w->capture);
    timeline_end(w->timeline, now_ns());
}

static int report(struct watch *w)
{
    struct tell_options as = w->o->tell;
    struct device_name name = device_name_of_mac(w->phone);
    size_t n_ill = 0;
    char *text;

    if (w->o->model) {
        as.only = name.s;
        as.verbose = true;
    }
    text = tell(w->timeline, &as, &w->o->how, &n_ill);
    if (text)
        fputs(text, stdout);
    free(text);
    return !text ? 3 : n_ill != 0;
}

static int open_all(struct watch *w)
{
    const struct packets_filter all = {.n_hosts = 0};
    int err;

    w->timeline = timeline_new();
    w->told = calloc(TOLD_MAX, sizeof(*w->told));
    w->capture =
        w->timeline && w->told ? capture_new(&w->o->capture, timeline_see, w->timeline) : NULL;
    if (!w->capture)
        return -ENOMEM;
    if ((err = packets_open(w->o->interface, &all, &w->packets)))
        return err;
    promiscuous(w->packets, w->o->interface);
    return 0;
}

int shadow(const struct shadow_options *o)
{
    struct sigaction end = {.sa_handler = on_signal};
    struct watch w = {.o = o};
    char vlan[IFNAMSIZ] = "";
    int64_t until = o->seconds ? now_ns() + o->seconds * SECOND : 0;
    int err = open_all(&w), status = 3;

    if (err)
        fprintf(stderr, "dialtone doctor: %s: %s\n", o->interface,
                err == -EPERM    ? "seeing packets needs root or CAP_NET_RAW"
                : err == -ENODEV ? "there is no such interface"
                                 : strerror(-err));
    if (!err) {
        sigaction(SIGINT, &end, NULL);
        sigaction(SIGTERM, &end, NULL);
        if (o->model) {
            const char *at = vlan_open(o, vlan);

            if (!at)
                goto out;
            mac_of(at, &w.phone);
            until = until ? until : now_ns() + PROBE_S * SECOND;
            w.plugged = plug_in(o, at);
        }
        watch(&w, until);
        if (w.plugged > 0 && !w.unplugged) {
            kill(w.plugged, SIGTERM);
            waitpid(w.plugged, NULL, 0);
        }
        if (o->model)
            vlan_close(o, vlan);
        /* No such model, no rights: it has said so itself. */
        status = w.unplugged ? (WEXITSTATUS(w.status) == 2 ? 2 : 3) : report(&w);
    }
out:
    packets_close(w.packets);
    capture_free(w.capture);
    timeline_free(w.timeline);
    free(w.told);
    return status;
}
