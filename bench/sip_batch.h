/* sip_batch.h - datagrams of many phones over one socket: each from the address of its phone, sent
 * many at once. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#define BATCH 64 /* datagrams a system call */

union control { /* room for the address of a datagram */
    char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct cmsghdr head;
};

/* Where the next datagram is written, SIP_BYTES_MAX bytes; then batch_add sends it, at the latest
 * with batch_send. `to` must live until then. */
char *batch_room(void);
void batch_add(int fd, struct sockaddr_in *to, struct in_addr from, size_t len);
void batch_send(int fd);
/* The address that a received datagram was sent to (IP_PKTINFO). */
struct in_addr batch_destination(struct msghdr *h);
