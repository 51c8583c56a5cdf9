/* addressing.c - the addressing thread: who gets which address and VLAN, and what names mean. */
#include "server/addressing/addressing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/leases/leases.h"

#define WATCH_MS 2000
#define SOON_MS  100
#define CHADDR   28 /* of a DHCP message: where the Ethernet address stands */

/* The client's Ethernet address stands at a fixed place, so whose message it is costs no decoding.
 */
void addressing_trace(struct addressing *a, enum trace_kind kind, const struct endpoint *peer,
                      const uint8_t *bytes, size_t len)
{
    struct trace_about about = {.peer = *peer};
    struct mac mac;

    if (!trace_wants(TRACE_DHCP, TRACE_DETAILED))
        return;
    if (len >= CHADDR + sizeof(mac.bytes)) {
        memcpy(mac.bytes, bytes + CHADDR, sizeof(mac.bytes));
        about.device = device_name_of_mac(mac);
    }
    trace_message(a->server, TRACE_DHCP, kind, &about, bytes, len);
}

uint64_t addressing_now(const struct addressing *a)
{
    return uv_now(&a->thread->loop) + a->wall_ms;
}

size_t addressing_names(const char *list, char names[][16], size_t max)
{
    struct text rest = text_of(list);
    size_t n = 0;

    while (rest.len && n < max) {
        struct text name = text_trim(text_split(&rest, ','));

        if (name.len && name.len < 16)
            text_copy(names[n++], 16, name);
    }
    return n;
}

void addressing_node_name(const struct addressing *a, char *to, size_t size)
{
    text_copy(to, size, text_of(a->settings.node_name));
    if (!to[0] && gethostname(to, size) < 0)
        to[0] = '\0';
    to[size - 1] = '\0';
}

static void on_tick(uv_timer_t *timer)
{
    dhcp_service_tick(timer->data);
}

/* Timers come before sockets in a turn of the loop. A thread that waited for its processor would
 * say that nobody answered a probe although the answer has arrived: it is heard first, the tick is
 * a turn later. */
static void on_due(uv_timer_t *timer)
{
    uv_timer_start(timer, on_tick, 1, 0);
}

static void on_watch(uv_timer_t *timer)
{
    dhcp_service_watch(timer->data);
    discovery_service_watch(timer->data);
    dns_service_watch(timer->data);
}

/* A burst of changes is looked at once, soon after its first one. */
void addressing_watch_soon(struct addressing *a)
{
    uv_timer_start(&a->watch, on_watch, SOON_MS, WATCH_MS);
}

static int start(struct thread *t)
{
    struct addressing *a = calloc(1, sizeof(*a));
    int err;

    if (!a)
        return -ENOMEM;
    t->state = a;
    a->thread = t;
    a->server = t->server;
    a->settings = *server_bootstrap(t->server);
    uv_update_time(&t->loop);
    a->wall_ms = server_wall_us() / 1000 - uv_now(&t->loop);
    uv_timer_init(&t->loop, &a->tick);
    uv_timer_init(&t->loop, &a->watch);
    uv_timer_init(&t->loop, &a->discovery_tick);
    a->tick.data = a->watch.data = a->discovery_tick.data = a;
    a->n_timers = 3;
    if ((err = dhcp_service_init(a)) < 0)
        return err;
    dhcp_service_start(a, 0);
    discovery_service_start(a, 0);
    dns_service_start(a, 0);
    uv_timer_start(&a->watch, on_watch, WATCH_MS, WATCH_MS);
    return 0;
}

static const struct {
    enum service_id id;
    void (*start)(struct addressing *a, uint64_t token);
    void (*stop)(struct addressing *a, uint64_t token);
} services[] = {
    {SERVICE_DHCP, dhcp_service_start, dhcp_service_stop},
    {SERVICE_DISCOVERY, discovery_service_start, discovery_service_stop},
    {SERVICE_DNS, dns_service_start, dns_service_stop},
};

static void service(struct addressing *a, uint64_t token, uint8_t id, bool run)
{
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if (services[i].id == id)
            (run ? services[i].start : services[i].stop)(a, token);
}

static void on_message(struct thread *t, const struct message *m)
{
    struct addressing *a = t->state;

    switch (m->id) {
    case MESSAGE_SNAPSHOT:
        dhcp_service_directory_changed(a);
        break;
    case MESSAGE_LEASES_LOADED:
        dhcp_service_loaded(a, m->leases_loaded.take_rows);
        lease_rows_free(m->leases_loaded.take_rows);
        break;
    case MESSAGE_LEASES_STORED:
        dhcp_service_stored(a, m->leases_stored.batch, m->leases_stored.err);
        break;
    case MESSAGE_SERVICE:
        service(a, m->service.token, m->service.service, m->service.wanted == SERVICE_RUNNING);
        break;
    case MESSAGE_REQUEST:
        addressing_request(a, m->request.token, m->request.verb, m->request.take_arguments);
        json_decref(m->request.take_arguments);
        break;
    default:
        break;
    }
}

void addressing_arm(struct addressing *a, uint64_t after_ms)
{
    if (after_ms == UINT64_MAX)
        uv_timer_stop(&a->tick);
    else
        uv_timer_start(&a->tick, on_due, after_ms, 0);
}

static void on_closed(uv_handle_t *h)
{
    struct addressing *a = h->data;

    if (--a->n_timers == 0)
        free(a);
}

static void stop(struct thread *t)
{
    struct addressing *a = t->state;

    if (!a)
        return;
    t->state = NULL;
    dhcp_service_done(a);
    discovery_service_done(a);
    dns_service_done(a);
    interface_probe_done(a);
    uv_close((uv_handle_t *)&a->tick, on_closed);
    uv_close((uv_handle_t *)&a->discovery_tick, on_closed);
    uv_close((uv_handle_t *)&a->watch, on_closed);
}

const struct thread_row addressing_thread = {"addressing", start, on_message, stop};
