/* health.c - how a connection fares, as the kernel tells. */
#include "io/tcp/own.h"

#include <netinet/tcp.h>

bool tcp_health(const struct tcp *t, uint64_t link, struct tcp_health *ret)
{
    const struct link *l = tcp_link_get(t, link);
    struct tcp_info i = {0};
    socklen_t len = sizeof(i);

    if (!l || getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, &i, &len) < 0)
        return false;
    *ret = (struct tcp_health){.tries = i.tcpi_retransmits,
                               .timeout_ms = i.tcpi_rto / 1000,
                               .rtt_us = i.tcpi_rtt,
                               .deviation_us = i.tcpi_rttvar,
                               .unacked = i.tcpi_unacked,
                               .lost = i.tcpi_lost,
                               .total = i.tcpi_total_retrans,
                               .silent_ms = i.tcpi_last_ack_recv};
    return true;
}

/* --- is anybody there? --- */

#define ASK_S 1 /* of silence; the first goes out at once when it has lasted so long */

static void set(const struct link *l, int level, int option, int value)
{
    setsockopt(l->fd, level, option, &value, sizeof(value));
}

void tcp_probe(struct tcp *t, uint64_t link)
{
    struct link *l = tcp_link_get(t, link);

    if (!l || l->probes++)
        return;
    set(l, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(l, IPPROTO_TCP, TCP_KEEPINTVL, ASK_S);
    set(l, IPPROTO_TCP, TCP_KEEPIDLE, ASK_S);
}

bool tcp_answers(struct tcp *t, uint64_t link, uint32_t within_ms)
{
    struct link *l = tcp_link_get(t, link);
    struct tcp_info i = {0};
    socklen_t len = sizeof(i);

    if (!l)
        return false;
    if (l->probes && !--l->probes)
        set(l, SOL_SOCKET, SO_KEEPALIVE, 0);
    return getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, &i, &len) == 0 &&
           (i.tcpi_last_ack_recv < within_ms || i.tcpi_last_data_recv < within_ms);
}
