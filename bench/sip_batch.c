/* sip_batch.c - datagrams from many addresses in one sendmmsg. */
#include "bench/sip_batch.h"

#include <errno.h>

#include "bench/bench.h"
#include "bench/sip_register.h"

static char bytes[BATCH][SIP_BYTES_MAX];
static union control controls[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr batch[BATCH];
static unsigned n_batch;

char *batch_room(void)
{
    return bytes[n_batch];
}

void batch_send(int fd)
{
    for (unsigned sent = 0; sent < n_batch;) {
        int n = sendmmsg(fd, batch + sent, n_batch - sent, 0);

        if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
            bench_fail("sendmmsg");
        sent += n > 0 ? (unsigned)n : 0;
    }
    n_batch = 0;
}

void batch_add(int fd, struct sockaddr_in *to, struct in_addr from, size_t len)
{
    union control *c = &controls[n_batch];
    struct in_pktinfo info = {.ipi_spec_dst = from};

    c->head = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO};
    memcpy(CMSG_DATA(&c->head), &info, sizeof(info));
    parts[n_batch] = (struct iovec){bytes[n_batch], len};
    batch[n_batch].msg_hdr = (struct msghdr){to, sizeof(*to), &parts[n_batch], 1, c, sizeof(*c), 0};
    if (++n_batch == BATCH)
        batch_send(fd);
}

struct in_addr batch_destination(struct msghdr *h)
{
    struct in_pktinfo info = {0};
    struct cmsghdr *c = CMSG_FIRSTHDR(h);

    if (c && c->cmsg_type == IP_PKTINFO)
        memcpy(&info, CMSG_DATA(c), sizeof(info));
    return info.ipi_addr;
}
