#include "lab/wire.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/child.h"

#define BUFFER_BYTES (8 << 20)
#define FRAME_MAX    (sizeof(struct virtio_net_hdr) + 65536 + ETH_HLEN)
#define READ_AT_ONCE 64

/* A frame with the kernel's word on what is left to do for it (checksum, segments): it goes on as
 * it came. */
struct late {
    struct late *next;
    uint64_t due_ms;
    size_t len;
    uint8_t bytes[];
};

struct way {
    int from, to;
    struct late *first, **end;
    size_t n_bytes;
};

static int open_end(const char *interface)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
    int on = 1, size = BUFFER_BYTES;
    struct sockaddr_ll local = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct packet_mreq all = {.mr_type = PACKET_MR_PROMISC};

    local.sll_ifindex = all.mr_ifindex = (int)if_nametoindex(interface);
    if (fd < 0 || !local.sll_ifindex)
        goto fail;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all));
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) == 0 &&
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) == 0 &&
        bind(fd, (struct sockaddr *)&local, sizeof(local)) == 0)
        return fd;
fail:
    fprintf(stderr, "dialtone lab: wire: %s: %s\n", interface,
            strerror(local.sll_ifindex ? errno : ENODEV));
    if (fd >= 0)
        close(fd);
    return -1;
}

static void take(struct way *w, unsigned delay_ms)
{
    static uint8_t bytes[FRAME_MAX];

    for (int i = 0; i < READ_AT_ONCE; i++) {
        ssize_t n = recv(w->from, bytes, sizeof(bytes), 0);
        struct late *l;

        if (n <= 0)
            return;
        if (w->n_bytes + (size_t)n > BUFFER_BYTES || !(l = malloc(sizeof(*l) + (size_t)n)))
            continue;
        *l = (struct late){.due_ms = lab_now_ms() + delay_ms, .len = (size_t)n};
        memcpy(l->bytes, bytes, (size_t)n);
        *w->end = l;
        w->end = &l->next;
        w->n_bytes += (size_t)n;
    }
}

static void give(struct way *w, uint64_t now_ms)
{
    while (w->first && w->first->due_ms <= now_ms) {
        struct late *l = w->first;

        if (send(w->to, l->bytes, l->len, 0) < 0 && errno == ENOBUFS)
            return; /* the interface takes no more just now */
        w->first = l->next;
        w->n_bytes -= l->len;
        if (!w->first)
            w->end = &w->first;
        free(l);
    }
}

static int wait_ms(const struct way *ways, uint64_t now_ms)
{
    uint64_t due = now_ms + 1000;

    for (int i = 0; i < 2; i++)
        if (ways[i].first && ways[i].first->due_ms < due)
            due = ways[i].first->due_ms;
    return due > now_ms ? (int)(due - now_ms) : 1;
}

int wire_run(const char *a, const char *b, unsigned delay_ms)
{
    struct way ways[2] = {{.from = open_end(a)}, {.from = open_end(b)}};
    struct pollfd polls[2] = {{ways[0].from, POLLIN, 0}, {ways[1].from, POLLIN, 0}};
    bool open = ways[0].from >= 0 && ways[1].from >= 0;

    for (int i = 0; i < 2; i++) {
        ways[i].to = ways[1 - i].from;
        ways[i].end = &ways[i].first;
    }
    if (open)
        puts("Ready."), fflush(stdout);
    while (open && (poll(polls, 2, wait_ms(ways, lab_now_ms())) >= 0 || errno == EINTR))
        for (int i = 0; i < 2; i++) {
            take(&ways[i], delay_ms);
            give(&ways[i], lab_now_ms());
        }
    return 1;
}
