/* shared_socket.c - one UDP socket for the phones of a site, each with an address of its own on
 * loopback: the address that a datagram came to tells whose it is. */
#include <errno.h>

#include "handset/runner_parts.h"
#include "io/udp.h"

#define BUFFER (16u << 20) /* what answers to a storm wait in */

/* The link that talks with this server. */
static struct runner_link *link_with(struct runner *r, const struct endpoint *from)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        if (r->links[i].shared && ip_equal(r->phone.servers[i].ip, from->ip))
            return &r->links[i];
    return NULL;
}

static void on_datagrams(void *context, const struct udp_datagram *batch, size_t n)
{
    struct runner_site *site = context;

    for (size_t i = 0; i < n; i++) {
        struct runner *r = site->at_address(site->owner, batch[i].to);
        struct runner_link *l = r ? link_with(r, &batch[i].from) : NULL;

        if (l)
            runner_heard(r, l, batch[i].bytes, batch[i].len);
    }
}

/* What timers have queued leaves before the loop sleeps. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct runner_site *site = prepare->data;

    if (site->shared)
        udp_flush(site->shared);
}

int runner_site_share(struct runner_site *site, struct runner *(*at_address)(void *, struct ip),
                      void *owner)
{
    struct udp_options o = {.local = {ip_v4(0), 0},
                            .tos = site->tos,
                            .receive_buffer = BUFFER,
                            .max_len = 16384,
                            .input = on_datagrams,
                            .context = site};
    int err = udp_open(site->loop, &o, &site->shared);

    if (err)
        return err;
    site->at_address = at_address;
    site->owner = owner;
    uv_prepare_init(site->loop, &site->prepare);
    site->prepare.data = site;
    uv_prepare_start(&site->prepare, on_prepare);
    return 0;
}

/* As if it were lost when the kernel has no room: it is sent again. */
int runner_share_send(struct runner *r, unsigned link, const void *bytes, size_t len)
{
    struct endpoint to = r->phone.servers[link];

    if (r->site->sip_port)
        to.port = r->site->sip_port;
    udp_send(r->site->shared, &to, r->phone.address, 0, bytes, len);
    return 0;
}
