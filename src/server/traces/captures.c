#include "server/traces/captures.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "io/packets.h"
#include "server/server.h"
#include "wire/capture/pcap_write.h"
#include "wire/capture/upper_pdu.h"

#define TICK_MS                                                                                    \
    100 /* packets are taken so often: what opens TLS stands before them in the file               \
         */
#define A_TICK    20000 /* packets, at most: others want the thread too */
#define OUT_BYTES (256u << 10)
#define ENDING    ".pcapng"

struct capture {
    struct capture_order order;
    char name[64]; /* of the file, without its ending; empty: the place is free */
    int fd;
    struct packets *packets; /* NULL: messages */
    uint64_t started_us, ends_ms, bytes, frames, dropped;
    int err;
    uint8_t *out;
    size_t n_out;
};

struct captures {
    uv_timer_t timer;
    char folder[600], node[64];
    struct capture running[CAPTURES_RUNNING];
    void (*closed)(void *context);
    void *context;
};

/* --- a file --- */

static void flush(struct capture *c)
{
    ssize_t n = c->n_out ? write(c->fd, c->out, c->n_out) : 0;

    if (c->n_out && n != (ssize_t)c->n_out)
        c->err = n < 0 ? -errno : -ENOSPC;
    c->n_out = 0;
}

static struct writer room(struct capture *c, size_t len)
{
    if (OUT_BYTES - c->n_out < len + PCAP_WRITE_BLOCK)
        flush(c);
    return writer_of(c->out + c->n_out, OUT_BYTES - c->n_out);
}

static void put(struct capture *c, const struct writer *w)
{
    if (w->bad)
        return;
    c->n_out += writer_len(w);
    c->bytes += writer_len(w);
}

static void put_frame(struct capture *c, const struct pcap_frame *f)
{
    struct writer w = room(c, f->bytes.len);

    pcap_write_frame(&w, f);
    put(c, &w);
    c->frames++;
}

static void begin_file(struct capture *c, const char *node)
{
    char comment[128];
    struct writer w = room(c, 0);

    snprintf(comment, sizeof(comment), "%s%s at %s", c->order.device[0] ? c->order.device : "all",
             c->packets ? "" : ", messages of the server", node);
    pcap_write_section(&w, TEXT("dialtone " DIALTONE_VERSION), text_of(comment));
    pcap_write_interface(&w, c->packets ? PCAP_WRITE_ETHERNET : PCAP_WRITE_MESSAGES,
                         c->order.interface[0] ? text_of(c->order.interface) : TEXT("any"));
    put(c, &w);
}

static void end(struct capture *c)
{
    struct writer w = room(c, 0);

    if (c->err)
        log_warning("capture", "%s ends: %s", c->name, strerror(-c->err));

    pcap_write_statistics(&w, 0, server_wall_us() * 1000, c->frames + c->dropped, c->dropped);
    put(c, &w);
    flush(c);
    packets_close(c->packets);
    close(c->fd);
    free(c->out);
    memset(c, 0, sizeof(*c));
}

static bool is_over(const struct capture *c, uint64_t now_ms)
{
    return c->err || now_ms >= c->ends_ms || c->bytes >= c->order.max_bytes;
}

/* --- packets --- */

static void take_packets(struct capture *c)
{
    struct packets_frame f;

    for (int i = 0; i < A_TICK && c->bytes < c->order.max_bytes && packets_read(c->packets, &f);
         i++)
        put_frame(c, &(struct pcap_frame){.time_ns = f.time_ns,
                                          .bytes = {(const char *)f.bytes, f.len},
                                          .original = f.original,
                                          .way = f.outgoing ? PCAP_WAY_OUT : PCAP_WAY_IN});
    c->dropped += packets_dropped(c->packets);
}

static void on_tick(uv_timer_t *timer)
{
    struct captures *all = timer->data;

    for (size_t i = 0; i < CAPTURES_RUNNING; i++) {
        struct capture *c = &all->running[i];

        if (!c->name[0])
            continue;
        if (c->packets)
            take_packets(c);
        flush(c);
        if (is_over(c, uv_now(timer->loop)))
            end(c);
    }
    if (!captures_run(all))
        uv_timer_stop(timer);
}

/* --- messages --- */

static const struct kind {
    const char *dissector;
    bool in, tcp;
    uint16_t port; /* ours, when it is not known */
} kinds[] = {
    [TRACE_SCCP_IN] = {"skinny", true, true, 2000},
    [TRACE_SCCP_OUT] = {"skinny", false, true, 2000},
    [TRACE_SIP_IN] = {"sip", true, false, 5060},
    [TRACE_SIP_OUT] = {"sip", false, false, 5060},
    [TRACE_DHCP_IN] = {"dhcp", true, false, 67},
    [TRACE_DHCP_OUT] = {"dhcp", false, false, 67},
};

static void put_message(struct capture *c, const struct trace_record *r)
{
    const struct kind *k = &kinds[r->kind];
    struct endpoint local = {r->about.local.ip,
                             r->about.local.port ? r->about.local.port : k->port};
    size_t size = r->len + UPPER_PDU_HEAD;
    uint8_t *bytes = malloc(size);
    struct writer w = writer_of(bytes, bytes ? size : 0);

    upper_pdu_write(&w, &(struct upper_pdu){k->dissector,
                                            k->tcp || r->about.link,
                                            k->in ? r->about.peer : local,
                                            k->in ? local : r->about.peer,
                                            {(const char *)r->bytes, r->len}});
    if (!w.bad)
        put_frame(c, &(struct pcap_frame){.time_ns = r->time_us * 1000,
                                          .bytes = {(const char *)bytes, writer_len(&w)},
                                          .way = k->in ? PCAP_WAY_IN : PCAP_WAY_OUT});
    free(bytes);
}

static bool has_host(const struct capture *c, struct ip ip)
{
    for (size_t i = 0; i < c->order.n_hosts; i++)
        if (ip_equal(c->order.hosts[i], ip))
            return true;
    return false;
}

void captures_message(struct captures *all, const struct trace_record *r, struct device_name device)
{
    for (size_t i = 0; i < CAPTURES_RUNNING; i++) {
        struct capture *c = &all->running[i];

        if (c->name[0] && !c->packets && r->kind != TRACE_LINE &&
            (!c->order.device[0] || !strcmp(device.s, c->order.device) ||
             has_host(c, r->about.peer.ip)))
            put_message(c, r);
    }
}

void captures_address(struct captures *all, struct device_name device, struct ip ip)
{
    for (size_t i = 0; i < CAPTURES_RUNNING; i++) {
        struct capture *c = &all->running[i];
        struct packets_filter filter = {.mac = c->order.mac};

        if (!c->name[0] || strcmp(device.s, c->order.device) || has_host(c, ip) ||
            c->order.n_hosts == CAPTURE_HOSTS)
            continue;
        c->order.hosts[c->order.n_hosts++] = ip;
        memcpy(filter.hosts, c->order.hosts, sizeof(filter.hosts));
        filter.n_hosts = c->order.n_hosts;
        if (c->packets)
            packets_filter(c->packets, &filter);
    }
}

void captures_secret(struct captures *all, struct ip peer, struct text line)
{
    for (size_t i = 0; i < CAPTURES_RUNNING; i++) {
        struct capture *c = &all->running[i];
        struct writer w;

        if (!c->name[0] || !c->packets || !c->order.secrets ||
            (c->order.device[0] && !has_host(c, peer)))
            continue;
        w = room(c, line.len);
        pcap_write_secrets(&w, line);
        put(c, &w);
    }
}

/* --- start, stop, list --- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_capture(const struct dirent *d)
{
    return text_ends(text_of(d->d_name), ENDING);
}

static int64_t modified(const struct captures *all, const char *file)
{
    char path[900];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", all->folder, file);
    return stat(path, &st) < 0 ? 0 : st.st_mtime;
}

static void remove_old(const struct captures *all)
{
    struct dirent **list;
    int n = scandir(all->folder, &list, is_capture, by_name), kept = n;

    while (n > 0 && kept-- >= CAPTURES_KEPT) {
        char path[900];
        int oldest = -1;

        for (int i = 0; i < n; i++)
            if (list[i] && (oldest < 0 ||
                            modified(all, list[i]->d_name) < modified(all, list[oldest]->d_name)))
                oldest = i;
        snprintf(path, sizeof(path), "%s/%s", all->folder, list[oldest]->d_name);
        unlink(path);
        free(list[oldest]);
        list[oldest] = NULL;
    }
    for (int i = 0; i < n; i++)
        free(list[i]);
    if (n >= 0)
        free(list);
}

struct captures *captures_new(uv_loop_t *loop, const char *data, const char *node)
{
    struct captures *all = calloc(1, sizeof(*all));

    if (!all)
        return NULL;
    snprintf(all->folder, sizeof(all->folder), "%s/captures", data);
    snprintf(all->node, sizeof(all->node), "%s", node);
    uv_timer_init(loop, &all->timer);
    all->timer.data = all;
    return all;
}

static void on_closed(uv_handle_t *h)
{
    struct captures *all = h->data;

    all->closed(all->context);
    free(all);
}

void captures_close(struct captures *all, void (*closed)(void *context), void *context)
{
    for (size_t i = 0; i < CAPTURES_RUNNING; i++)
        if (all->running[i].name[0])
            end(&all->running[i]);
    all->closed = closed;
    all->context = context;
    uv_close((uv_handle_t *)&all->timer, on_closed);
}

static int open_file(struct captures *all, struct capture *c, char *words, size_t size)
{
    time_t now = (time_t)(server_wall_us() / 1000000);
    char path[800], stamp[32];
    struct tm tm;
    int err;

    for (char *p = c->order.device; *p; p++) /* a device may call itself anything */
        if (!isalnum((unsigned char)*p) && *p != '_')
            *p = '_';
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
    mkdir(all->folder, 0750);
    remove_old(all);
    for (unsigned n = 0;; n++) { /* a second one in the same second has a number behind it */
        snprintf(c->name, sizeof(c->name), n ? "%s-%s-%u" : "%s-%s",
                 c->order.device[0] ? c->order.device : "all", stamp, n);
        snprintf(path, sizeof(path), "%s/%s" ENDING, all->folder, c->name);
        c->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        if (c->fd >= 0)
            return 0;
        if (errno != EEXIST || n > 99)
            break;
    }
    err = -errno;
    snprintf(words, size, "%s cannot be written: %s", path, strerror(-err));
    return err;
}

/* Packets where they may be seen, else messages; a device of that name that is not there is an
 * error. */
static int open_source(struct capture *c, char *words, size_t size)
{
    struct packets_filter filter = {.mac = c->order.mac, .n_hosts = c->order.n_hosts};
    int err;

    if (c->order.messages)
        return 0;
    memcpy(filter.hosts, c->order.hosts, sizeof(filter.hosts));
    err = packets_open(c->order.interface, &filter, &c->packets);
    if (err == -EPERM || err == -EACCES) {
        c->order.messages = true;
        return 0;
    }
    if (err)
        snprintf(words, size, "%s: %s", c->order.interface[0] ? c->order.interface : "packets",
                 err == -ENODEV ? "there is no such interface" : strerror(-err));
    return err;
}

int captures_start(struct captures *all, struct capture_order *order, char name[static 64],
                   char *words, size_t size)
{
    struct capture *c = NULL;
    int err;

    for (size_t i = 0; i < CAPTURES_RUNNING && !c; i++)
        c = all->running[i].name[0] ? NULL : &all->running[i];
    if (!c) {
        snprintf(words, size, "%d captures run already", CAPTURES_RUNNING);
        return -EBUSY;
    }
    *c = (struct capture){.order = *order, .fd = -1, .out = malloc(OUT_BYTES)};
    err = c->out ? open_source(c, words, size) : -ENOMEM;
    if (!err)
        err = open_file(all, c, words, size);
    if (err) {
        packets_close(c->packets);
        free(c->out);
        memset(c, 0, sizeof(*c));
        return err;
    }
    c->started_us = server_wall_us();
    c->ends_ms = uv_now(all->timer.loop) + c->order.duration_s * 1000ull;
    begin_file(c, all->node);
    *order = c->order;
    memcpy(name, c->name, sizeof(c->name));
    uv_timer_start(&all->timer, on_tick, TICK_MS, TICK_MS);
    return 0;
}

static struct capture *find(struct captures *all, struct text name)
{
    struct capture *only = NULL;

    for (size_t i = 0; i < CAPTURES_RUNNING; i++) {
        struct capture *c = &all->running[i];

        if (!c->name[0])
            continue;
        if (name.len && (text_equal_nocase(name, text_of(c->name)) ||
                         text_equal_nocase(name, text_of(c->order.device))))
            return c;
        if (!name.len && only)
            return NULL;
        only = c;
    }
    return name.len ? NULL : only;
}

int captures_stop(struct captures *all, struct text name, char stopped[static 64])
{
    struct capture *c = find(all, name);

    if (!c)
        return -ENOENT;
    memcpy(stopped, c->name, sizeof(c->name));
    if (c->packets)
        take_packets(c);
    end(c);
    return 0;
}

static json_t *running_row(const struct captures *all, const struct capture *c)
{
    uint64_t now = uv_now(all->timer.loop);

    return json_pack(
        "[s, s, s, I, I, I, I, s]", c->name, "running", c->packets ? "packets" : "messages",
        (json_int_t)c->frames, (json_int_t)c->bytes, (json_int_t)c->dropped,
        (json_int_t)(c->ends_ms > now ? (c->ends_ms - now) / 1000 : 0), c->order.device);
}

json_t *captures_list(struct captures *all)
{
    json_t *rows = json_array();
    struct dirent **list;
    int n = scandir(all->folder, &list, is_capture, by_name);

    for (size_t i = 0; i < CAPTURES_RUNNING; i++)
        if (all->running[i].name[0])
            json_array_append_new(rows, running_row(all, &all->running[i]));
    for (int i = 0; i < n; i++) {
        char path[900];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", all->folder, list[i]->d_name);
        list[i]->d_name[strlen(list[i]->d_name) - strlen(ENDING)] = '\0';
        if (stat(path, &st) == 0 && !find(all, text_of(list[i]->d_name)))
            json_array_append_new(rows, json_pack("[s, s, n, n, I, n, n, s%]", list[i]->d_name,
                                                  "ended", (json_int_t)st.st_size, list[i]->d_name,
                                                  strcspn(list[i]->d_name, "-")));
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return json_pack("{s:[s,s,s,s,s,s,s,s], s:o}", "columns", "name", "state", "of", "frames",
                     "bytes", "dropped", "seconds_left", "phone", "rows", rows);
}

int captures_path(struct captures *all, struct text name, char *to, size_t size)
{
    struct capture *c = find(all, name);

    if (c) {
        if (c->packets)
            take_packets(c);
        flush(c);
    }
    if (!c && (!name.len || memchr(name.at, '/', name.len)))
        return -ENOENT;
    snprintf(to, size, "%s/%.*s" ENDING, all->folder, TEXT_ARG(c ? text_of(c->name) : name));
    return access(to, R_OK) < 0 ? -ENOENT : 0;
}

bool captures_run(const struct captures *all)
{
    for (size_t i = 0; i < CAPTURES_RUNNING; i++)
        if (all->running[i].name[0])
            return true;
    return false;
}

bool captures_wants_messages(const struct captures *all)
{
    for (size_t i = 0; i < CAPTURES_RUNNING; i++)
        if (all->running[i].name[0] && !all->running[i].packets)
            return true;
    return false;
}

bool captures_wants_secrets(const struct captures *all)
{
    for (size_t i = 0; i < CAPTURES_RUNNING; i++)
        if (all->running[i].name[0] && all->running[i].order.secrets)
            return true;
    return false;
}
