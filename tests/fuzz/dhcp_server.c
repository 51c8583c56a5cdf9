/* dhcp/server.c - a server fed with any packets, probes, disk errors and leaps of time: an address
 * never has two owners, and answers always decode. Input: records of op, length (2), bytes. */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "provision/dhcp/server.h"
#include "wire/boot/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct lease_rows *rows;
static uint64_t rows_batch;
static uint32_t last_probe;

static void on_send(void *context, const struct dhcp_reply *reply)
{
    struct dhcp_message m;
    (void)context;

    assert(dhcp_decode(reply->bytes, reply->len, &m) == 0);
    assert(m.op == DHCP_BOOTREPLY);
}

static void on_probe(void *context, const struct dhcp_probe *probe)
{
    (void)context;
    last_probe = probe->address;
}

static void on_store(void *context, uint64_t batch, struct lease_rows *take_rows)
{
    (void)context;
    assert(!rows);
    rows = take_rows;
    rows_batch = batch;
}

static void on_progress(void *context, const struct progress_event *event)
{
    (void)context;
    (void)event;
}

static void on_alarm(void *context, struct alarm *take_alarm)
{
    (void)context;
    free(take_alarm);
}

static void check_owners(const struct leases *l)
{
    struct lease *page[300];
    size_t n = leases_page(l, 0, page, 300);

    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++) {
            assert(page[i]->address != page[k]->address);
            assert(!page[i]->key_len || page[i]->key_len != page[k]->key_len ||
                   memcmp(page[i]->key, page[k]->key, page[i]->key_len) != 0);
        }
}

static void step(struct dhcp_server *s, uint8_t op, struct text bytes, uint64_t *now_ms)
{
    struct dhcp_packet p = {3, 0, 0x0a010001, 68, (const uint8_t *)bytes.at, bytes.len};
    struct lease_rows *done = rows;

    switch (op % 8) {
    case 0:
        *now_ms += bytes.len * 1000;
        dhcp_server_tick(s, *now_ms);
        break;
    case 1:
        dhcp_server_seen(s, last_probe, mac_of_number(bytes.len), *now_ms);
        break;
    case 2:
        rows = NULL;
        if (done)
            dhcp_server_stored(s, rows_batch, bytes.len % 2 ? -5 : 0, *now_ms);
        lease_rows_free(done);
        break;
    case 3:
        dhcp_server_overheard(s, 3, p.bytes, p.len, *now_ms);
        break;
    default:
        dhcp_server_input(s, &p, *now_ms);
        dhcp_server_flush(s, *now_ms);
    }
}

static struct dhcp_server *open_server(uint64_t now_ms)
{
    const struct dhcp_sink sink = {NULL, on_send, on_probe, on_store, on_progress, on_alarm, NULL};
    const struct dhcp_settings settings = {
        .probe_ms = 100, .hold_s = 5, .abandon_s = 60, .storm_limit = 50, .authoritative = true};
    static const struct dhcp_interface in = {
        .index = 3, .n = 1, .address = {0x0a010001}, .mask = {0xffffff00}, .can_probe = true};
    const struct subnet subnet = {.name = "fuzz",
                                  .network = 0x0a010000,
                                  .mask = 0xffffff00,
                                  .first = 0x0a01000a,
                                  .last = 0x0a01000f,
                                  .lease_s = 60};
    struct dhcp_server *s = dhcp_server_new(&sink, &settings, now_ms);
    struct subnets *subnets = subnets_empty();

    subnets_add(subnets, &subnet);
    subnets_reserve(subnets, mac_of_number(0x001122334455), 0x0a01000c);
    subnets_sort(subnets);
    dhcp_server_configure(s, subnets, &in, 1);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    uint64_t now_ms = 1000000;
    struct dhcp_server *s = open_server(now_ms);

    log_set_level(LOG_LEVEL_ERROR);
    while (reader_left(&r) && !r.bad) {
        uint8_t op = read_u8(&r);
        size_t n = read_be16(&r);
        struct text part = read_text(&r, n < reader_left(&r) ? n : reader_left(&r));

        if (!r.bad)
            step(s, op, part, &now_ms);
    }
    check_owners(dhcp_server_leases(s));
    lease_rows_free(rows);
    rows = NULL;
    dhcp_server_free(s);
    return 0;
}
