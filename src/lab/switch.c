#include "lab/switch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/packets.h"
#include "lab/child.h"

#define PORTS_MAX     (LAB_PHONES_MAX + 1)
#define ADDRESSES_MAX 256
#define WAITING_MAX   1024
#define GREET_MS      2000

struct waiting {
    uint64_t due_ms; /* 0: free */
    unsigned port;
    bool out; /* out of the port; else it comes in there once more */
    size_t len;
    uint8_t frame[SWITCH_FRAME_MAX];
};

struct address {
    struct mac mac;
    unsigned port;
};

struct lab_switch {
    pthread_t thread;
    pthread_mutex_t lock;
    int wake;
    bool ending;
    uint64_t greeted_ms;
    struct packets *ports[PORTS_MAX]; /* port 0 is the server's */
    unsigned n_ports, n_addresses, n_rules;
    struct address addresses[ADDRESSES_MAX];
    struct rule rules[SWITCH_RULES_MAX];
    struct waiting waiting[WAITING_MAX];
};

/* -- forwarding ----------------------------------------------------------------------------- */

static struct address *address_of(struct lab_switch *sw, const uint8_t *mac)
{
    for (unsigned i = 0; i < sw->n_addresses; i++)
        if (memcmp(sw->addresses[i].mac.bytes, mac, 6) == 0)
            return &sw->addresses[i];
    return NULL;
}

static void learn(struct lab_switch *sw, const uint8_t *mac, unsigned port)
{
    struct address *a = address_of(sw, mac);

    if (!a && sw->n_addresses < ADDRESSES_MAX) {
        a = &sw->addresses[sw->n_addresses++];
        memcpy(a->mac.bytes, mac, 6);
    }
    if (a)
        a->port = port;
}

static void put_out(struct lab_switch *sw, unsigned port, const uint8_t *frame, size_t len)
{
    /* A cable that is pulled loses what is sent, as a real one does. */
    if (send(packets_fd(sw->ports[port]), frame, len, MSG_DONTWAIT) < 0)
        return;
}

static void forward(struct lab_switch *sw, unsigned port, const uint8_t *frame, size_t len)
{
    const struct address *to = frame[0] & 1 ? NULL : address_of(sw, frame);

    for (unsigned i = 0; i < sw->n_ports; i++)
        if (i != port && (!to || to->port == i))
            put_out(sw, i, frame, len);
}

static void wait_for(struct lab_switch *sw, unsigned port, bool out, const void *frame, size_t len,
                     unsigned delay_ms)
{
    for (unsigned i = 0; i < WAITING_MAX && len <= SWITCH_FRAME_MAX; i++) {
        struct waiting *w = &sw->waiting[i];

        if (w->due_ms)
            continue;
        w->due_ms = lab_now_ms() + delay_ms;
        w->port = port;
        w->out = out;
        w->len = len;
        memcpy(w->frame, frame, len);
        return;
    }
}

void switch_send(struct lab_switch *sw, unsigned port, const void *frame, size_t len,
                 unsigned delay_ms)
{
    wait_for(sw, port, true, frame, len, delay_ms);
}

void switch_again(struct lab_switch *sw, unsigned port, const void *frame, size_t len,
                  unsigned delay_ms)
{
    wait_for(sw, port, false, frame, len, delay_ms);
}

/* -- rules ---------------------------------------------------------------------------------- */

static bool fits(const struct rule *r, const struct passing *p)
{
    const struct packet *k = &p->packet;

    return (r->side == SIDE_ANY || (r->side == SIDE_SERVER) == (p->port == 0)) &&
           (r->kind == PACKET_OTHER || r->kind == k->kind) &&
           (!r->from || r->from == k->from.port) && (!r->to || r->to == k->to.port) &&
           (!r->larger || p->len > r->larger) &&
           (!r->contains || text_contains_nocase(k->payload, text_of(r->contains))) &&
           (!r->fits || r->fits(k));
}

static bool harm(struct lab_switch *sw, struct passing *p)
{
    for (unsigned i = 0; i < sw->n_rules; i++) {
        struct rule *r = &sw->rules[i];

        if (!fits(r, p) || ++r->n <= r->skip || (r->times && r->n > r->skip + r->times))
            continue;
        if (!r->act(r, p))
            return false;
    }
    return true;
}

static void frame_in(struct lab_switch *sw, unsigned port, uint8_t *frame, size_t len)
{
    struct passing p = {.sw = sw, .port = port, .frame = frame, .len = len, .now_ms = lab_now_ms()};

    if (packet_decode(frame, len, &p.packet) < 0)
        return;
    learn(sw, frame + 6, port);
    if (!harm(sw, &p))
        return;
    if (p.delay_ms)
        wait_for(sw, port, false, p.frame, p.len, p.delay_ms);
    else
        forward(sw, port, p.frame, p.len);
}

/* -- the thread ----------------------------------------------------------------------------- */

static bool read_port(struct lab_switch *sw, unsigned port)
{
    uint8_t frame[SWITCH_FRAME_MAX];
    struct packets_frame f;

    if (!packets_read(sw->ports[port], &f))
        return false;
    if (f.outgoing || f.len > sizeof(frame))
        return true;
    memcpy(frame, f.bytes, f.len);
    frame_in(sw, port, frame, f.len);
    return true;
}

/* What a real switch says every two seconds (IEEE 802.1D 9.3.1): a capture goes on while a phone
 * waits. */
static void greet(struct lab_switch *sw, uint64_t now)
{
    static const uint8_t bpdu[60] = {
        0x01, 0x80, 0xc2, 0, 0,    0,    0x02, 0xbd, 0, 0, 0,  0x01, 0, 38, 0x42, 0x42, 0x03, 0,
        0,    0,    0,    0, 0x80, 0x01, 0x02, 0xbd, 0, 0, 0,  0x01, 0, 0,  0,    0,    0x80, 0x01,
        0x02, 0xbd, 0,    0, 0,    0x01, 0x80, 0x01, 0, 0, 20, 0,    2, 0,  15,   0};

    if (now < sw->greeted_ms + GREET_MS)
        return;
    sw->greeted_ms = now;
    for (unsigned i = 0; i < sw->n_ports; i++)
        put_out(sw, i, bpdu, sizeof(bpdu));
}

/* Sends what is due; how long until the next is. */
static int send_waiting(struct lab_switch *sw)
{
    uint64_t now = lab_now_ms(), next = now + GREET_MS;

    greet(sw, now);

    for (unsigned i = 0; i < WAITING_MAX; i++) {
        struct waiting *w = &sw->waiting[i];

        if (!w->due_ms)
            continue;
        if (w->due_ms > now) {
            next = w->due_ms < next ? w->due_ms : next;
            continue;
        }
        if (w->out)
            put_out(sw, w->port, w->frame, w->len);
        else
            forward(sw, w->port, w->frame, w->len);
        w->due_ms = 0;
    }
    return (int)(next - now);
}

static void *work(void *context)
{
    struct lab_switch *sw = context;
    struct pollfd polls[PORTS_MAX + 1];
    uint64_t count;

    pthread_mutex_lock(&sw->lock);
    while (!sw->ending) {
        int timeout = send_waiting(sw);
        unsigned n = sw->n_ports;

        for (unsigned i = 0; i < n; i++)
            polls[i] = (struct pollfd){.fd = packets_fd(sw->ports[i]), .events = POLLIN};
        polls[n] = (struct pollfd){.fd = sw->wake, .events = POLLIN};
        pthread_mutex_unlock(&sw->lock);
        poll(polls, n + 1, timeout);
        pthread_mutex_lock(&sw->lock);
        if (polls[n].revents && read(sw->wake, &count, sizeof(count)) < 0)
            break;
        for (unsigned i = 0; i < n; i++)
            while (read_port(sw, i))
                ;
    }
    pthread_mutex_unlock(&sw->lock);
    return NULL;
}

static void wake(struct lab_switch *sw)
{
    uint64_t one = 1;

    if (write(sw->wake, &one, sizeof(one)) < 0)
        perror("eventfd");
}

/* -- life ----------------------------------------------------------------------------------- */

static int open_port(const struct network *n, const char *name, struct packets **ret)
{
    int err = network_unbridge(n, name);

    if (!err)
        err = network_enter(network_switch(n).s);
    if (err)
        return err;
    err = packets_open(name, NULL, ret);
    network_enter(NULL);
    return err;
}

static int add_port(struct lab_switch *sw, const struct network *n, const char *name)
{
    struct packets *port;
    int err = open_port(n, name, &port);

    if (err)
        return err;
    pthread_mutex_lock(&sw->lock);
    sw->ports[sw->n_ports++] = port;
    pthread_mutex_unlock(&sw->lock);
    wake(sw);
    return 0;
}

int switch_open(const struct network *n, struct lab_switch **ret)
{
    struct lab_switch *sw = calloc(1, sizeof(*sw));
    int err;

    if (!sw)
        return -ENOMEM;
    pthread_mutex_init(&sw->lock, NULL);
    sw->wake = eventfd(0, EFD_CLOEXEC);
    err = add_port(sw, n, "server");
    if (!err)
        err = -pthread_create(&sw->thread, NULL, work, sw);
    if (err) {
        close(sw->wake);
        free(sw);
        return err;
    }
    *ret = sw;
    return 0;
}

void switch_close(struct lab_switch *sw)
{
    if (!sw)
        return;
    pthread_mutex_lock(&sw->lock);
    sw->ending = true;
    pthread_mutex_unlock(&sw->lock);
    wake(sw);
    pthread_join(sw->thread, NULL);
    for (unsigned i = 0; i < sw->n_ports; i++)
        packets_close(sw->ports[i]);
    close(sw->wake);
    pthread_mutex_destroy(&sw->lock);
    free(sw);
}

int switch_add_phone(struct lab_switch *sw, const struct network *n, unsigned phone)
{
    char name[16];

    snprintf(name, sizeof(name), "phone%u", phone);
    return add_port(sw, n, name);
}

int switch_add_node(struct lab_switch *sw, const struct network *n, unsigned node)
{
    char name[16];

    snprintf(name, sizeof(name), "server%u", node);
    return add_port(sw, n, name);
}

void switch_rule(struct lab_switch *sw, struct rule r)
{
    r.n = 0;
    r.last_ms = 0;
    pthread_mutex_lock(&sw->lock);
    if (sw->n_rules < SWITCH_RULES_MAX)
        sw->rules[sw->n_rules++] = r;
    pthread_mutex_unlock(&sw->lock);
}
