#include "io/raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH     64
#define FRAME_MAX 1536

struct raw {
    uv_poll_t poll;
    int fd;
    bool closing;
    raw_input input;
    void *context;
    size_t n_out;
    struct mmsghdr in_headers[BATCH], out_headers[BATCH];
    struct iovec in_pieces[BATCH], out_pieces[BATCH];
    uint8_t in[BATCH][FRAME_MAX], out[BATCH][FRAME_MAX];
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct raw *r = poll->data;
    int n = recvmmsg(r->fd, r->in_headers, BATCH, MSG_DONTWAIT, NULL);
    (void)status;
    (void)events;

    for (int i = 0; i < n && !r->closing; i++)
        if (!(r->in_headers[i].msg_hdr.msg_flags & MSG_TRUNC))
            r->input(r->context, r->in[i], r->in_headers[i].msg_len);
    if (!r->closing)
        raw_flush(r);
}

void raw_send(struct raw *r, const void *frame, size_t len)
{
    size_t i;

    if (len > FRAME_MAX || r->closing)
        return;
    if (r->n_out == BATCH)
        raw_flush(r);
    i = r->n_out++;
    memcpy(r->out[i], frame, len);
    r->out_pieces[i].iov_len = len;
}

/* What does not leave is lost, as on any wire; who waits for it asks again. */
void raw_flush(struct raw *r)
{
    size_t done = 0;

    while (done < r->n_out) {
        int n = sendmmsg(r->fd, r->out_headers + done, (unsigned)(r->n_out - done), MSG_DONTWAIT);

        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            done++;
    }
    r->n_out = 0;
}

static int join(const struct raw *r, unsigned interface, struct mac group)
{
    struct packet_mreq request = {
        .mr_ifindex = (int)interface, .mr_type = PACKET_MR_MULTICAST, .mr_alen = 6};

    memcpy(request.mr_address, group.bytes, 6);
    return setsockopt(r->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) < 0
               ? -errno
               : 0;
}

/* The filter comes before the bind: nothing else slips in between. */
static int set_up(struct raw *r, const struct raw_options *o)
{
    struct sock_fprog program = {o->n_filter, (struct sock_filter *)(uintptr_t)o->filter};
    struct sockaddr_ll name = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(ETH_P_ALL),
                               .sll_ifindex = (int)o->interface};
    int on = 1, err;

    r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (r->fd < 0)
        return -errno;
    if (setsockopt(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
        return -errno;
    setsockopt(r->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
    if (bind(r->fd, (struct sockaddr *)&name, sizeof(name)) < 0)
        return -errno;
    for (size_t i = 0; i < o->n_groups; i++)
        if ((err = join(r, o->interface, o->groups[i])) < 0)
            return err;
    return 0;
}

static void point(struct mmsghdr *header, struct iovec *piece, uint8_t *bytes)
{
    *piece = (struct iovec){bytes, FRAME_MAX};
    header->msg_hdr.msg_iov = piece;
    header->msg_hdr.msg_iovlen = 1;
}

int raw_open(uv_loop_t *loop, const struct raw_options *options, struct raw **ret)
{
    struct raw *r = calloc(1, sizeof(*r));
    int err;

    if (!r)
        return -ENOMEM;
    r->input = options->input;
    r->context = options->context;
    for (int i = 0; i < BATCH; i++) {
        point(&r->in_headers[i], &r->in_pieces[i], r->in[i]);
        point(&r->out_headers[i], &r->out_pieces[i], r->out[i]);
    }
    err = set_up(r, options);
    if (!err)
        err = uv_poll_init(loop, &r->poll, r->fd);
    if (err) {
        if (r->fd >= 0)
            close(r->fd);
        free(r);
        return err;
    }
    r->poll.data = r;
    uv_poll_start(&r->poll, UV_READABLE, on_readable);
    *ret = r;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct raw *r = h->data;

    close(r->fd);
    free(r);
}

void raw_close(struct raw *r)
{
    if (!r || r->closing)
        return;
    raw_flush(r);
    r->closing = true;
    uv_close((uv_handle_t *)&r->poll, on_closed);
}
