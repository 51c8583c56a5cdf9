#include "test.h"

#include "provision/dhcp/server.h"
#include "wire/boot/dhcp.h"

#define START  1000000000ull
#define NET    0x0a010000u /* 10.1.0.0/24, the server is .1 */
#define SERVER (NET + 1)
#define BRANCH 0x0a020000u /* 10.2.0.0/24, behind the relay agent 10.2.0.1 */
#define RELAY  (BRANCH + 1)
#define ANY    0xffffffffu
#define MAC    0x001122334455ull
#define CLASS  "Cisco Systems, Inc. IP Phone CP-7960"

struct world {
    struct dhcp_server *s;
    uint64_t now;
    size_t n_sent, n_probes, n_stored, n_progress, n_alarms;
    struct dhcp_reply reply;
    uint8_t bytes[2000];
    struct dhcp_message out; /* the last answer, decoded */
    struct dhcp_probe probe;
    struct lease_rows *rows; /* of the batch under way */
    uint64_t batch;
    struct progress_event event;
    enum alarm_id alarm;
    struct device_name alarm_device;
    bool known;
    struct dhcp_settings settings;
};

static void on_send(void *context, const struct dhcp_reply *reply)
{
    struct world *w = context;

    w->n_sent++;
    w->reply = *reply;
    assert_true(reply->len >= 300 && reply->len <= sizeof(w->bytes));
    memcpy(w->bytes, reply->bytes, reply->len);
    assert_int_equal(dhcp_decode(w->bytes, reply->len, &w->out), 0);
    assert_int_equal(w->out.op, DHCP_BOOTREPLY);
}

static void on_probe(void *context, const struct dhcp_probe *probe)
{
    struct world *w = context;

    w->n_probes++;
    w->probe = *probe;
}

static void on_store(void *context, uint64_t batch, struct lease_rows *take_rows)
{
    struct world *w = context;

    assert_null(w->rows);
    w->rows = take_rows;
    w->batch = batch;
    w->n_stored += take_rows->n;
}

static void on_progress(void *context, const struct progress_event *event)
{
    struct world *w = context;

    w->n_progress++;
    w->event = *event;
}

static void on_alarm(void *context, struct alarm *take_alarm)
{
    struct world *w = context;

    w->n_alarms++;
    w->alarm = take_alarm->id;
    w->alarm_device = take_alarm->device;
    free(take_alarm);
}

static bool on_knows(void *context, struct device_name device)
{
    struct world *w = context;
    (void)device;

    return w->known;
}

static struct subnet subnet(uint32_t network, uint32_t first, uint32_t last)
{
    return (struct subnet){.name = "office",
                           .network = network,
                           .mask = 0xffffff00,
                           .first = network + first,
                           .last = network + last,
                           .routers = {1, {network + 254}},
                           .dns = {2, {network + 2, network + 3}},
                           .domain = "example.com",
                           .lease_s = 800};
}

static const struct dhcp_interface eth = {.index = 3,
                                          .name = "eth7",
                                          .n = 1,
                                          .address = {SERVER},
                                          .mask = {0xffffff00},
                                          .can_probe = true};

static void configure(struct world *w, const struct subnet *at, size_t n)
{
    struct subnets *subnets = subnets_empty();

    for (size_t i = 0; i < n; i++)
        subnets_add(subnets, &at[i]);
    assert_int_equal(dhcp_server_configure(w->s, subnets, &eth, 1), 0);
}

static void open_world(struct world *w)
{
    const struct dhcp_sink sink = {w, on_send, on_probe, on_store, on_progress, on_alarm, on_knows};
    const struct subnet both[] = {subnet(NET, 10, 200), subnet(BRANCH, 10, 200)};

    *w = (struct world){.now = START};
    w->settings = (struct dhcp_settings){.hold_s = 30, .abandon_s = 3600, .storm_limit = 20};
    w->s = dhcp_server_new(&sink, &w->settings, START);
    assert_non_null(w->s);
    configure(w, both, 2);
}

static void close_world(struct world *w)
{
    lease_rows_free(w->rows);
    dhcp_server_free(w->s);
}

/* The writer has done its work. */
static void stored(struct world *w, int err)
{
    struct lease_rows *rows = w->rows;

    if (!rows)
        return;
    w->rows = NULL;
    dhcp_server_stored(w->s, w->batch, err, w->now);
    lease_rows_free(rows);
}

static void hear(struct world *w, const void *bytes, size_t len, uint32_t from)
{
    struct dhcp_packet p = {3, from, SERVER, 68, bytes, len};

    dhcp_server_input(w->s, &p, w->now);
    dhcp_server_flush(w->s, w->now);
}

/* Sends the message; how many answers came at once. */
static size_t send_from(struct world *w, const struct dhcp_message *m, uint32_t from)
{
    uint8_t bytes[DHCP_MAX_SIZE];
    size_t before = w->n_sent;
    int n = dhcp_encode(m, bytes, sizeof(bytes));

    assert_true(n > 0);
    hear(w, bytes, (size_t)n, from);
    return w->n_sent - before;
}

static size_t ask(struct world *w, const struct dhcp_message *m)
{
    return send_from(w, m, 0);
}

static struct text bytes_of(const void *p, size_t n)
{
    return (struct text){p, n};
}

static struct dhcp_message message(uint64_t mac, uint8_t type)
{
    struct dhcp_message m;

    dhcp_init(&m, DHCP_BOOTREQUEST, 0x12345678, mac_of_number(mac));
    m.flags = DHCP_BROADCAST;
    dhcp_set_type(&m, type);
    dhcp_set_vendor_class(&m, TEXT(CLASS));
    dhcp_set_parameters(&m, bytes_of("\x01\x42\x06\x03\x0f\x96\x23", 7));
    return m;
}

static struct dhcp_message selecting(uint64_t mac, uint32_t address)
{
    struct dhcp_message m = message(mac, DHCP_REQUEST);

    dhcp_set_requested_ip(&m, address);
    dhcp_set_server_id(&m, SERVER);
    return m;
}

/* The whole exchange; the address. */
static uint32_t dora(struct world *w, uint64_t mac)
{
    struct dhcp_message m = message(mac, DHCP_DISCOVER);

    assert_int_equal(ask(w, &m), 1);
    assert_int_equal(w->out.type, DHCP_OFFER);
    m = selecting(mac, w->out.yiaddr);
    ask(w, &m);
    while (w->rows) /* a write may have been under way */
        stored(w, 0);
    assert_int_equal(w->out.type, DHCP_ACK);
    return w->out.yiaddr;
}

static void expect_nak(struct world *w, const struct dhcp_message *m)
{
    assert_int_equal(ask(w, m), 1);
    assert_int_equal(w->out.type, DHCP_NAK);
    assert_int_equal(w->out.yiaddr, 0);
    assert_int_equal(w->out.server_id, SERVER);
    assert_false(dhcp_has(&w->out, DHCP_lease_s));
    assert_int_equal(w->reply.to, ANY);
}

/* --- the exchange --- */

static void a_phone_gets_address_and_boot_options(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    dhcp_set_client_id(&m, bytes_of("\x01\x00\x11\x22\x33\x44\x55", 7));
    assert_int_equal(ask(&w, &m), 1);
    assert_int_equal(w.out.type, DHCP_OFFER);
    assert_int_equal(w.out.xid, 0x12345678);
    assert_int_equal(w.out.flags, DHCP_BROADCAST);
    assert_true(w.out.yiaddr >= NET + 10 && w.out.yiaddr <= NET + 200);
    assert_int_equal(w.out.siaddr, SERVER);
    assert_int_equal(w.out.server_id, SERVER);
    assert_int_equal(w.out.lease_s, 800);
    assert_int_equal(w.out.renewal_s, 400);
    assert_int_equal(w.out.rebinding_s, 700);
    assert_int_equal(w.out.subnet_mask, 0xffffff00);
    assert_int_equal(w.out.routers.at[0], NET + 254);
    assert_int_equal(w.out.dns_servers.n, 2);
    assert_true(text_is(w.out.domain_name, "example.com"));
    assert_true(text_is(w.out.tftp_name, "10.1.0.1"));
    assert_int_equal(w.out.tftp_servers.n, 1);
    assert_int_equal(w.out.tftp_servers.at[0], SERVER);
    assert_int_equal(w.out.client_id.len, 7); /* RFC 6842 */
    assert_int_equal(w.reply.to, ANY);
    assert_int_equal(w.reply.to_port, 68);
    assert_false(w.reply.frame);
    close_world(&w);
}

static void an_ack_waits_for_the_disk(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    uint32_t address;
    (void)state;

    open_world(&w);
    ask(&w, &m);
    address = w.out.yiaddr;
    m = selecting(MAC, address);
    assert_int_equal(ask(&w, &m), 0);
    assert_int_equal(w.n_stored, 1);
    assert_int_equal(w.rows->at[0].address, address);
    assert_string_equal(w.rows->at[0].name, "SEP001122334455");
    stored(&w, 0);
    assert_int_equal(w.n_sent, 2);
    assert_int_equal(w.out.type, DHCP_ACK);
    assert_int_equal(w.out.yiaddr, address);
    close_world(&w);
}

static void many_leases_share_one_write(void **state)
{
    struct world w;
    struct dhcp_message m;
    (void)state;

    open_world(&w);
    for (uint64_t i = 0; i < 50; i++) {
        m = message(MAC + i, DHCP_DISCOVER);
        ask(&w, &m);
        m = selecting(MAC + i, w.out.yiaddr);
        assert_int_equal(ask(&w, &m), 0);
    }
    assert_int_equal(w.rows->n, 1);
    stored(&w, 0); /* the first ACK leaves, the other 49 go to disk */
    assert_int_equal(w.n_sent, 51);
    assert_int_equal(w.rows->n, 49);
    stored(&w, 0);
    assert_int_equal(w.n_sent, 100);
    assert_null(w.rows);
    close_world(&w);
}

static void a_repeated_request_costs_no_write(void **state)
{
    struct world w;
    uint32_t address;
    size_t n;
    (void)state;

    open_world(&w);
    address = dora(&w, MAC);
    n = w.n_stored;
    w.now += 50000;
    assert_int_equal(dora(&w, MAC), address);
    assert_int_equal(w.n_stored, n);
    w.now += 100000; /* beyond what is stored in advance */
    assert_int_equal(dora(&w, MAC), address);
    assert_int_equal(w.n_stored, n + 1);
    close_world(&w);
}

static void a_failing_disk_is_an_alarm_and_phones_still_boot(void **state)
{
    struct world w;
    struct dhcp_message m;
    (void)state;

    open_world(&w);
    m = message(MAC, DHCP_DISCOVER);
    ask(&w, &m);
    m = selecting(MAC, w.out.yiaddr);
    ask(&w, &m);
    stored(&w, -ENOSPC);
    assert_int_equal(w.out.type, DHCP_ACK);
    assert_int_equal(w.n_alarms, 1);
    assert_int_equal(w.alarm, ALARM_DHCP_LEASES_NOT_STORED);
    m = message(MAC + 1, DHCP_DISCOVER);
    ask(&w, &m);
    m = selecting(MAC + 1, w.out.yiaddr);
    assert_int_equal(ask(&w, &m), 1); /* from memory, at once */
    assert_null(w.rows);
    w.now += 1000;
    assert_int_equal(dhcp_server_tick(w.s, w.now) > 0, true);
    assert_int_equal(w.rows->n, 2); /* nothing is forgotten */
    stored(&w, -ENOSPC);
    assert_int_equal(w.n_alarms, 1);
    w.now += 1000;
    dhcp_server_tick(w.s, w.now);
    stored(&w, 0);
    m = message(MAC + 2, DHCP_DISCOVER);
    ask(&w, &m);
    m = selecting(MAC + 2, w.out.yiaddr);
    assert_int_equal(ask(&w, &m), 0); /* durable first, again */
    close_world(&w);
}

/* --- RFC 2131 table 4: the four kinds of REQUEST --- */

static void selecting_another_server_gives_the_offer_back(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    ask(&w, &m);
    m = selecting(MAC, w.out.yiaddr);
    dhcp_set_server_id(&m, NET + 77);
    assert_int_equal(ask(&w, &m), 0);
    assert_int_equal(leases_total(dhcp_server_leases(w.s)), 0);
    assert_int_equal(w.alarm, ALARM_DHCP_OTHER_SERVER);
    assert_int_equal(w.n_alarms, 1);
    ask(&w, &m);
    assert_int_equal(w.n_alarms, 1); /* said once */
    close_world(&w);
}

static void selecting_an_address_that_is_not_free_is_refused(void **state)
{
    struct world w;
    struct dhcp_message m;
    uint32_t taken;
    (void)state;

    open_world(&w);
    taken = dora(&w, MAC + 1);
    m = selecting(MAC, taken);
    expect_nak(&w, &m);
    m = selecting(MAC, NET + 5); /* outside of the range */
    expect_nak(&w, &m);
    m = message(MAC, DHCP_REQUEST); /* without an address */
    dhcp_set_server_id(&m, SERVER);
    expect_nak(&w, &m);
    close_world(&w);
}

static void selecting_works_when_the_offer_was_lost_in_a_restart(void **state)
{
    struct world w;
    struct dhcp_message m;
    (void)state;

    open_world(&w);
    m = selecting(MAC, NET + 33);
    ask(&w, &m);
    stored(&w, 0);
    assert_int_equal(w.out.type, DHCP_ACK);
    assert_int_equal(w.out.yiaddr, NET + 33);
    close_world(&w);
}

static void init_reboot_is_confirmed_refused_or_left_alone(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_REQUEST);
    uint32_t address;
    (void)state;

    open_world(&w);
    dhcp_set_requested_ip(&m, NET + 50);
    assert_int_equal(ask(&w, &m), 0); /* no record: silence */
    dhcp_set_requested_ip(&m, 0xc0a80005);
    expect_nak(&w, &m); /* wrong network */
    address = dora(&w, MAC);
    dhcp_set_requested_ip(&m, address);
    ask(&w, &m);
    assert_int_equal(w.out.type, DHCP_ACK);
    assert_int_equal(w.out.yiaddr, address);
    dhcp_set_requested_ip(&m, address ^ 1);
    expect_nak(&w, &m); /* not what our record says */
    w.settings.authoritative = true;
    dhcp_server_set(w.s, &w.settings);
    m = message(MAC + 9, DHCP_REQUEST);
    dhcp_set_requested_ip(&m, NET + 50);
    expect_nak(&w, &m);
    close_world(&w);
}

static void renewing_is_answered_by_unicast(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_REQUEST);
    uint32_t address;
    (void)state;

    open_world(&w);
    address = dora(&w, MAC);
    w.now += 400000;
    m.flags = 0;
    m.ciaddr = address;
    send_from(&w, &m, address);
    stored(&w, 0);
    assert_int_equal(w.out.type, DHCP_ACK);
    assert_int_equal(w.out.ciaddr, address);
    assert_int_equal(w.out.yiaddr, address);
    assert_int_equal(w.out.lease_s, 800);
    assert_int_equal(w.reply.to, address);
    assert_false(w.reply.frame);
    close_world(&w);
}

static void rebinding_works_like_renewing_and_strangers_are_left_alone(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_REQUEST);
    uint32_t address;
    (void)state;

    open_world(&w);
    address = dora(&w, MAC);
    m.ciaddr = address;
    ask(&w, &m);
    assert_int_equal(w.out.type, DHCP_ACK);
    m = message(MAC + 1, DHCP_REQUEST);
    m.ciaddr = NET + 60;
    assert_int_equal(ask(&w, &m), 0);
    m.ciaddr = 0xc0a80001;
    expect_nak(&w, &m);
    m.ciaddr = 0; /* says nothing at all */
    assert_int_equal(ask(&w, &m), 0);
    close_world(&w);
}

static void an_expired_lease_is_renewed_while_nobody_else_has_it(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_REQUEST);
    uint32_t address;
    (void)state;

    open_world(&w);
    address = dora(&w, MAC);
    w.now += 2000000;
    dhcp_server_tick(w.s, w.now);
    m.ciaddr = address;
    ask(&w, &m);
    stored(&w, 0);
    assert_int_equal(w.out.type, DHCP_ACK);
    assert_int_equal(w.out.yiaddr, address);
    close_world(&w);
}

static void an_address_that_left_the_scope_is_refused_at_renewal(void **state)
{
    struct world w;
    struct subnet other = subnet(NET, 220, 230);
    struct dhcp_message m = message(MAC, DHCP_REQUEST);
    uint32_t address;
    (void)state;

    open_world(&w);
    address = dora(&w, MAC);
    configure(&w, &other, 1);
    m.ciaddr = address;
    expect_nak(&w, &m);
    assert_true(dora(&w, MAC) >= NET + 220);
    close_world(&w);
}

/* --- the other messages --- */

static void inform_gets_options_and_no_lease(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_INFORM);
    (void)state;

    open_world(&w);
    m.flags = 0;
    m.ciaddr = NET + 5;
    assert_int_equal(send_from(&w, &m, NET + 5), 1);
    assert_int_equal(w.out.type, DHCP_ACK);
    assert_int_equal(w.out.yiaddr, 0);
    assert_false(dhcp_has(&w.out, DHCP_lease_s));
    assert_int_equal(w.out.tftp_servers.at[0], SERVER);
    assert_int_equal(w.out.routers.n, 1);
    assert_int_equal(w.reply.to, NET + 5);
    assert_int_equal(leases_total(dhcp_server_leases(w.s)), 0);
    close_world(&w);
}

static void a_declined_address_is_left_alone(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC + 1, DHCP_DECLINE);
    uint32_t address;
    (void)state;

    open_world(&w);
    address = dora(&w, MAC);
    dhcp_set_requested_ip(&m, address);
    assert_int_equal(ask(&w, &m), 0); /* somebody else's complaint */
    assert_int_equal(lease_at(dhcp_server_leases(w.s), address)->state, LEASE_ACTIVE);
    m = message(MAC, DHCP_DECLINE);
    dhcp_set_requested_ip(&m, address);
    assert_int_equal(ask(&w, &m), 0);
    assert_int_equal(lease_at(dhcp_server_leases(w.s), address)->state, LEASE_ABANDONED);
    assert_int_equal(w.alarm, ALARM_DHCP_ADDRESS_IN_USE);
    stored(&w, 0);
    assert_int_not_equal(dora(&w, MAC), address);
    close_world(&w);
}

static void a_released_address_comes_back_to_its_phone(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_RELEASE);
    uint32_t address;
    (void)state;

    open_world(&w);
    address = dora(&w, MAC);
    m.ciaddr = address;
    dhcp_set_server_id(&m, SERVER);
    assert_int_equal(ask(&w, &m), 0);
    assert_int_equal(lease_at(dhcp_server_leases(w.s), address)->state, LEASE_EXPIRED);
    stored(&w, 0);
    assert_int_equal(dora(&w, MAC), address);
    close_world(&w);
}

static void bootp_clients_get_only_what_is_reserved_for_them(void **state)
{
    struct world w;
    struct subnets *subnets = subnets_empty();
    struct subnet office = subnet(NET, 10, 200);
    struct dhcp_message m = message(MAC, 0);
    (void)state;

    open_world(&w);
    m.has[0] = m.has[1] = 0;
    assert_int_equal(ask(&w, &m), 0);
    stored(&w, 0);
    assert_int_equal(w.n_sent, 0);
    subnets_add(subnets, &office);
    subnets_reserve(subnets, mac_of_number(MAC), NET + 222);
    subnets_sort(subnets);
    dhcp_server_configure(w.s, subnets, &eth, 1);
    ask(&w, &m);
    stored(&w, 0);
    assert_int_equal(w.n_sent, 1);
    assert_int_equal(w.out.yiaddr, NET + 222);
    assert_false(dhcp_has(&w.out, DHCP_type));
    assert_false(dhcp_has(&w.out, DHCP_lease_s));
    assert_true(text_is(w.out.sname, "10.1.0.1"));
    close_world(&w);
}

/* --- where answers go --- */

static void without_the_broadcast_flag_the_offer_goes_to_the_ethernet_address(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    m.flags = 0;
    ask(&w, &m);
    assert_true(w.reply.frame);
    assert_int_equal(w.reply.to, w.out.yiaddr);
    assert_true(mac_equal(w.reply.mac, mac_of_number(MAC)));
    close_world(&w);
}

static void a_relay_agent_gets_its_option_back(void **state)
{
    static const char option[] = "\x01\x04port\x02\x06switch";
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    m.giaddr = RELAY;
    m.hops = 1;
    dhcp_set_relay(&m, bytes_of(option, sizeof(option) - 1));
    assert_int_equal(send_from(&w, &m, RELAY), 1);
    assert_int_equal(w.reply.to, RELAY);
    assert_int_equal(w.reply.to_port, 67);
    assert_int_equal(w.out.giaddr, RELAY);
    assert_int_equal(w.out.yiaddr & 0xffffff00, BRANCH);
    assert_int_equal(w.out.routers.at[0], BRANCH + 254);
    assert_int_equal(w.out.tftp_servers.at[0], SERVER);
    assert_true(text_equal(w.out.relay, bytes_of(option, sizeof(option) - 1)));
    m.giaddr = 0x0a090001; /* a network without scope */
    assert_int_equal(send_from(&w, &m, 0x0a090001), 0);
    close_world(&w);
}

static void a_relayed_nak_asks_to_be_broadcast(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_REQUEST);
    (void)state;

    open_world(&w);
    m.flags = 0;
    m.giaddr = RELAY;
    dhcp_set_requested_ip(&m, NET + 20); /* of the other network */
    assert_int_equal(send_from(&w, &m, RELAY), 1);
    assert_int_equal(w.out.type, DHCP_NAK);
    assert_int_equal(w.out.flags, DHCP_BROADCAST);
    assert_int_equal(w.reply.to, RELAY);
    close_world(&w);
}

static void link_selection_and_server_override_are_followed(void **state)
{
    static const char option[] = "\x05\x04\x0a\x02\x00\x00\x0b\x04\x0a\x02\x00\x01";
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    m.giaddr = 0x0a090001;
    dhcp_set_relay(&m, bytes_of(option, sizeof(option) - 1));
    assert_int_equal(send_from(&w, &m, 0x0a090001), 1);
    assert_int_equal(w.out.yiaddr & 0xffffff00, BRANCH);
    assert_int_equal(w.out.server_id, RELAY);
    assert_int_equal(w.out.tftp_servers.at[0], SERVER);
    assert_int_equal(w.reply.from, SERVER);
    m.giaddr = 0x0a090001;
    dhcp_set_type(&m, DHCP_REQUEST);
    dhcp_set_requested_ip(&m, w.out.yiaddr);
    dhcp_set_server_id(&m, RELAY);
    send_from(&w, &m, 0x0a090001);
    stored(&w, 0);
    assert_int_equal(w.out.type, DHCP_ACK);
    close_world(&w);
}

static void a_renewal_straight_from_another_network_finds_its_scope(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    uint32_t address;
    (void)state;

    open_world(&w);
    m.giaddr = RELAY;
    send_from(&w, &m, RELAY);
    address = w.out.yiaddr;
    m = selecting(MAC, address);
    m.giaddr = RELAY;
    send_from(&w, &m, RELAY);
    stored(&w, 0);
    m = message(MAC, DHCP_REQUEST);
    m.ciaddr = address;
    send_from(&w, &m, address);
    stored(&w, 0);
    assert_int_equal(w.out.type, DHCP_ACK);
    assert_int_equal(w.reply.to, address);
    close_world(&w);
}

/* --- scopes --- */

static void scopes_that_share_a_link_are_used_one_after_the_other(void **state)
{
    struct world w;
    struct subnet two[] = {subnet(NET, 10, 11), subnet(NET, 20, 21)};
    struct dhcp_message m;
    (void)state;

    open_world(&w);
    configure(&w, two, 2);
    for (uint64_t i = 0; i < 4; i++)
        dora(&w, MAC + i);
    m = message(MAC + 5, DHCP_DISCOVER);
    assert_int_equal(ask(&w, &m), 0);
    assert_int_equal(w.alarm, ALARM_DHCP_NO_FREE_ADDRESS);
    assert_int_equal(dora(&w, MAC + 3) <= NET + 21, true);
    close_world(&w);
}

static void a_scope_for_phones_only_leaves_others_alone(void **state)
{
    static const char *const phones[] = {
        "Cisco Systems, Inc. IP Phone CP-7941G-GE",
        "Cisco Systems Inc. Wireless Phone 7921",
        "Cisco System, Inc. IP Phone CP-8945",
        "Cisco Systems, Inc. IP Phone",
        "Cisco Systems, Inc.",
        "CP-8851",
        "ATA186",
        "CISCO ATA190",
    };
    struct world w;
    struct subnet office = subnet(NET, 10, 200);
    struct dhcp_message m;
    (void)state;

    open_world(&w);
    office.phones_only = true;
    configure(&w, &office, 1);
    for (size_t i = 0; i < sizeof(phones) / sizeof(phones[0]); i++) {
        m = message(MAC + i, DHCP_DISCOVER);
        dhcp_set_vendor_class(&m, text_of(phones[i]));
        assert_int_equal(ask(&w, &m), 1);
    }
    m = message(MAC + 50, DHCP_DISCOVER);
    dhcp_set_vendor_class(&m, TEXT("MSFT 5.0"));
    assert_int_equal(ask(&w, &m), 0);
    dhcp_clear(&m, DHCP_vendor_class);
    assert_int_equal(ask(&w, &m), 0);
    dhcp_set_host_name(&m, TEXT("SEP001122334499"));
    assert_int_equal(ask(&w, &m), 1);
    m = message(MAC + 51, DHCP_DISCOVER);
    dhcp_clear(&m, DHCP_vendor_class);
    w.known = true; /* its address is in the directory */
    assert_int_equal(ask(&w, &m), 1);
    m = message(MAC + 52, DHCP_DISCOVER);
    w.known = false;
    dhcp_set_vendor_class(&m, TEXT("Cisco Systems, Inc."));
    dhcp_set_parameters(&m, bytes_of("\x01\x03", 2)); /* a router, not a 6901 */
    assert_int_equal(ask(&w, &m), 0);
    close_world(&w);
}

static void a_renewal_without_vendor_class_is_still_a_phone(void **state)
{
    struct world w;
    struct subnet office = subnet(NET, 10, 200);
    struct dhcp_message m = message(MAC, DHCP_REQUEST);
    (void)state;

    open_world(&w);
    office.phones_only = true;
    configure(&w, &office, 1);
    m.ciaddr = dora(&w, MAC);
    dhcp_clear(&m, DHCP_vendor_class);
    assert_int_equal(ask(&w, &m), 1);
    assert_int_equal(w.out.type, DHCP_ACK);
    close_world(&w);
}

static void a_phone_that_asks_for_its_name_gets_it(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    dhcp_set_parameters(&m, bytes_of("\x01\x03\x0c\x96", 4)); /* as an 8945 */
    ask(&w, &m);
    assert_true(text_is(w.out.host_name, "SEP001122334455"));
    dhcp_set_vendor_class(&m, TEXT("MSFT 5.0"));
    dhcp_set_host_name(&m, TEXT("a-rather-long-name-of-a-computer"));
    ask(&w, &m);
    assert_false(dhcp_has(&w.out, DHCP_host_name));
    close_world(&w);
}

static void what_is_configured_for_tftp_replaces_the_server_itself(void **state)
{
    struct world w;
    struct subnet office = subnet(NET, 10, 200);
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    office.tftp = (struct address_list){2, {NET + 7, NET + 8}};
    configure(&w, &office, 1);
    ask(&w, &m);
    assert_int_equal(w.out.tftp_servers.n, 2);
    assert_int_equal(w.out.siaddr, NET + 7);
    assert_true(text_is(w.out.tftp_name, "10.1.0.7"));
    strcpy(office.tftp_name, "tftp.example.com");
    configure(&w, &office, 1);
    ask(&w, &m);
    assert_true(text_is(w.out.tftp_name, "tftp.example.com"));
    close_world(&w);
}

static void options_stand_in_the_order_asked_for(void **state)
{
    static const uint8_t expected[] = {53, 54, 51, 1, 66, 6, 3, 15, 150};
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    const uint8_t *at;
    (void)state;

    open_world(&w);
    ask(&w, &m);
    at = w.bytes + 240;
    for (size_t i = 0; i < sizeof(expected); i++, at += 2 + at[1])
        assert_int_equal(*at, expected[i]);
    close_world(&w);
}

static void an_interface_that_nobody_named_is_never_answered(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    uint8_t bytes[DHCP_MAX_SIZE];
    int n = dhcp_encode(&m, bytes, sizeof(bytes));
    struct dhcp_packet p = {4, 0, 0xc0a80001, 68, bytes, (size_t)n};
    (void)state;

    open_world(&w);
    dhcp_server_input(w.s, &p, w.now);
    assert_int_equal(w.n_sent, 0);
    close_world(&w);
}

/* --- probes --- */

static void a_new_address_is_probed_before_it_is_offered(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    uint32_t first;
    (void)state;

    open_world(&w);
    w.settings.probe_ms = 250;
    dhcp_server_set(w.s, &w.settings);
    assert_int_equal(ask(&w, &m), 0);
    assert_int_equal(w.n_probes, 1);
    assert_false(w.probe.icmp);
    first = w.probe.address;
    assert_int_equal(ask(&w, &m), 0); /* impatient: one probe is enough */
    assert_int_equal(w.n_probes, 1);
    assert_int_equal(dhcp_server_tick(w.s, w.now) <= 250, true);
    dhcp_server_seen(w.s, first, mac_of_number(MAC), w.now); /* the phone itself */
    assert_int_equal(w.n_sent, 0);
    dhcp_server_seen(w.s, first, mac_of_number(0xaabbccddeeff), w.now);
    assert_int_equal(w.n_alarms, 1);
    assert_int_equal(w.alarm, ALARM_DHCP_ADDRESS_IN_USE);
    assert_int_equal(w.n_probes, 2);
    assert_int_not_equal(w.probe.address, first);
    w.now += 250;
    dhcp_server_tick(w.s, w.now);
    assert_int_equal(w.n_sent, 1);
    assert_int_equal(w.out.yiaddr, w.probe.address);
    stored(&w, 0);
    m = selecting(MAC, w.out.yiaddr);
    ask(&w, &m);
    stored(&w, 0);
    assert_int_equal(w.out.type, DHCP_ACK);
    m = message(MAC, DHCP_DISCOVER);
    assert_int_equal(ask(&w, &m), 1); /* who has it is not slowed */
    assert_int_equal(w.n_probes, 2);
    close_world(&w);
}

static void where_every_address_answers_the_probing_ends(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    w.settings.probe_ms = 250;
    dhcp_server_set(w.s, &w.settings);
    ask(&w, &m);
    for (int i = 0; i < 20; i++)
        dhcp_server_seen(w.s, w.probe.address, mac_of_number(0xaabbccddeeff), w.now);
    assert_int_equal(w.n_probes, 4);
    assert_int_equal(w.n_sent, 0);
    stored(&w, 0);
    close_world(&w);
}

static void behind_a_relay_the_probe_is_icmp(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    w.settings.probe_ms = 250;
    dhcp_server_set(w.s, &w.settings);
    m.giaddr = RELAY;
    assert_int_equal(send_from(&w, &m, RELAY), 0);
    assert_true(w.probe.icmp);
    w.now += 250;
    dhcp_server_tick(w.s, w.now);
    assert_int_equal(w.reply.to, RELAY);
    close_world(&w);
}

static void a_storm_of_new_phones_is_not_held_back_by_probes(void **state)
{
    struct world w;
    struct subnet large = {.network = 0x0a000000,
                           .mask = 0xff000000,
                           .first = 0x0a100000,
                           .last = 0x0affff00,
                           .lease_s = 800};
    (void)state;

    open_world(&w);
    configure(&w, &large, 1);
    w.settings.probe_ms = 250;
    dhcp_server_set(w.s, &w.settings);
    for (uint64_t i = 0; i < 1000; i++) {
        struct dhcp_message m = message(MAC + i, DHCP_DISCOVER);

        ask(&w, &m);
    }
    assert_int_equal(w.n_probes, DHCP_PROBES_MAX);
    assert_int_equal(w.n_sent, 1000 - DHCP_PROBES_MAX);
    w.now += 250;
    dhcp_server_tick(w.s, w.now);
    assert_int_equal(w.n_sent, 1000);
    close_world(&w);
}

/* --- storms, rivals, sidecar, events --- */

static void a_phone_that_is_not_configured_and_asks_too_often_is_limited(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    for (int i = 0; i < 100; i++)
        ask(&w, &m);
    assert_int_equal(w.n_sent, 20);
    assert_int_equal(w.n_alarms, 1);
    assert_int_equal(w.alarm, ALARM_DHCP_REQUEST_STORM);
    assert_string_equal(w.alarm_device.s, "SEP001122334455");
    w.now += 10000;
    assert_int_equal(ask(&w, &m), 1);
    w.known = true;
    for (int i = 0; i < 100; i++)
        assert_int_equal(ask(&w, &m), 1);
    close_world(&w);
}

static void another_server_on_the_wire_is_an_alarm(void **state)
{
    struct world w;
    struct dhcp_message m;
    uint8_t bytes[DHCP_MAX_SIZE];
    int n;
    (void)state;

    open_world(&w);
    dhcp_init(&m, DHCP_BOOTREPLY, 1, mac_of_number(MAC));
    dhcp_set_type(&m, DHCP_OFFER);
    dhcp_set_server_id(&m, NET + 99);
    n = dhcp_encode(&m, bytes, sizeof(bytes));
    dhcp_server_overheard(w.s, 3, bytes, (size_t)n, w.now);
    assert_int_equal(w.alarm, ALARM_DHCP_OTHER_SERVER);
    dhcp_server_overheard(w.s, 3, bytes, (size_t)n, w.now + 1000);
    assert_int_equal(w.n_alarms, 1);
    dhcp_set_server_id(&m, SERVER); /* our own */
    n = dhcp_encode(&m, bytes, sizeof(bytes));
    dhcp_server_overheard(w.s, 3, bytes, (size_t)n, w.now);
    assert_int_equal(w.n_alarms, 1);
    close_world(&w);
}

static void a_sidecar_gives_boot_options_and_never_an_address(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    (void)state;

    open_world(&w);
    w.settings.sidecar = true;
    dhcp_server_set(w.s, &w.settings);
    assert_int_equal(ask(&w, &m), 1);
    assert_int_equal(w.out.type, DHCP_OFFER);
    assert_int_equal(w.out.yiaddr, 0);
    assert_false(dhcp_has(&w.out, DHCP_lease_s));
    assert_false(dhcp_has(&w.out, DHCP_routers));
    assert_int_equal(w.out.tftp_servers.at[0], SERVER);
    assert_int_equal(w.reply.to, ANY);
    m = selecting(MAC, NET + 20);
    assert_int_equal(ask(&w, &m), 0);
    m = message(MAC, DHCP_INFORM);
    m.ciaddr = NET + 20;
    assert_int_equal(send_from(&w, &m, NET + 20), 1);
    assert_int_equal(w.out.type, DHCP_ACK);
    assert_true(text_is(w.out.tftp_name, "10.1.0.1"));
    m = message(MAC + 1, DHCP_DISCOVER);
    dhcp_set_vendor_class(&m, TEXT("MSFT 5.0"));
    assert_int_equal(ask(&w, &m), 0);
    dhcp_set_type(&m, DHCP_INFORM);
    assert_int_equal(ask(&w, &m), 0);
    assert_int_equal(leases_total(dhcp_server_leases(w.s)), 0);
    assert_int_equal(w.n_alarms, 0); /* the other server is meant to be there */
    close_world(&w);
}

static void the_boot_is_told_stage_by_stage(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_DISCOVER);
    uint32_t address;
    (void)state;

    open_world(&w);
    ask(&w, &m);
    assert_int_equal(w.n_progress, 2);
    assert_int_equal(w.event.stage, PROGRESS_DHCP_OFFER);
    assert_string_equal(w.event.device.s, "SEP001122334455");
    address = dora(&w, MAC);
    assert_int_equal(w.event.stage, PROGRESS_DHCP_ACK);
    assert_int_equal(ip_v4_number(w.event.ip), address);
    assert_int_equal(w.n_progress, 6);
    close_world(&w);
}

/* --- bad input --- */

static void every_truncation_is_harmless(void **state)
{
    struct world w;
    struct dhcp_message m = selecting(MAC, NET + 20);
    uint8_t bytes[DHCP_MAX_SIZE];
    int n = dhcp_encode(&m, bytes, sizeof(bytes));
    (void)state;

    open_world(&w);
    for (int len = 0; len <= n; len++) {
        uint8_t *exact = malloc(len ? (size_t)len : 1); /* so that reading beyond it is seen */

        memcpy(exact, bytes, (size_t)len);
        hear(&w, exact, (size_t)len, 0);
        free(exact);
        stored(&w, 0);
    }
    close_world(&w);
}

static void messages_of_servers_and_unknown_types_are_ignored(void **state)
{
    struct world w;
    struct dhcp_message m = message(MAC, DHCP_OFFER);
    (void)state;

    open_world(&w);
    assert_int_equal(ask(&w, &m), 0);
    dhcp_set_type(&m, DHCP_ACK);
    assert_int_equal(ask(&w, &m), 0);
    dhcp_set_type(&m, 13);
    assert_int_equal(ask(&w, &m), 0);
    dhcp_set_type(&m, 255);
    assert_int_equal(ask(&w, &m), 0);
    m = message(MAC, DHCP_DISCOVER);
    m.op = DHCP_BOOTREPLY;
    assert_int_equal(ask(&w, &m), 0);
    m.op = DHCP_BOOTREQUEST;
    m.giaddr = RELAY;
    dhcp_set_relay(&m, bytes_of("\x01\x40x", 3)); /* runs over its end */
    assert_int_equal(ask(&w, &m), 0);
    close_world(&w);
}

static void clients_without_an_ethernet_address_are_told_apart_by_identifier(void **state)
{
    struct world w;
    struct dhcp_message m = message(0, DHCP_DISCOVER);
    uint32_t first;
    (void)state;

    open_world(&w);
    m.htype = 32; /* InfiniBand: no hardware address at all (RFC 4390) */
    m.hlen = 0;
    dhcp_set_client_id(&m, bytes_of("\xff"
                                    "alpha",
                                    6));
    assert_int_equal(ask(&w, &m), 1);
    first = w.out.yiaddr;
    dhcp_set_client_id(&m, bytes_of("\xff"
                                    "beta",
                                    5));
    assert_int_equal(ask(&w, &m), 1);
    assert_int_not_equal(w.out.yiaddr, first);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_gets_address_and_boot_options),
        cmocka_unit_test(an_ack_waits_for_the_disk),
        cmocka_unit_test(many_leases_share_one_write),
        cmocka_unit_test(a_repeated_request_costs_no_write),
        cmocka_unit_test(a_failing_disk_is_an_alarm_and_phones_still_boot),
        cmocka_unit_test(selecting_another_server_gives_the_offer_back),
        cmocka_unit_test(selecting_an_address_that_is_not_free_is_refused),
        cmocka_unit_test(selecting_works_when_the_offer_was_lost_in_a_restart),
        cmocka_unit_test(init_reboot_is_confirmed_refused_or_left_alone),
        cmocka_unit_test(renewing_is_answered_by_unicast),
        cmocka_unit_test(rebinding_works_like_renewing_and_strangers_are_left_alone),
        cmocka_unit_test(an_expired_lease_is_renewed_while_nobody_else_has_it),
        cmocka_unit_test(an_address_that_left_the_scope_is_refused_at_renewal),
        cmocka_unit_test(inform_gets_options_and_no_lease),
        cmocka_unit_test(a_declined_address_is_left_alone),
        cmocka_unit_test(a_released_address_comes_back_to_its_phone),
        cmocka_unit_test(bootp_clients_get_only_what_is_reserved_for_them),
        cmocka_unit_test(without_the_broadcast_flag_the_offer_goes_to_the_ethernet_address),
        cmocka_unit_test(a_relay_agent_gets_its_option_back),
        cmocka_unit_test(a_relayed_nak_asks_to_be_broadcast),
        cmocka_unit_test(link_selection_and_server_override_are_followed),
        cmocka_unit_test(a_renewal_straight_from_another_network_finds_its_scope),
        cmocka_unit_test(scopes_that_share_a_link_are_used_one_after_the_other),
        cmocka_unit_test(a_scope_for_phones_only_leaves_others_alone),
        cmocka_unit_test(a_renewal_without_vendor_class_is_still_a_phone),
        cmocka_unit_test(a_phone_that_asks_for_its_name_gets_it),
        cmocka_unit_test(what_is_configured_for_tftp_replaces_the_server_itself),
        cmocka_unit_test(options_stand_in_the_order_asked_for),
        cmocka_unit_test(an_interface_that_nobody_named_is_never_answered),
        cmocka_unit_test(a_new_address_is_probed_before_it_is_offered),
        cmocka_unit_test(where_every_address_answers_the_probing_ends),
        cmocka_unit_test(behind_a_relay_the_probe_is_icmp),
        cmocka_unit_test(a_storm_of_new_phones_is_not_held_back_by_probes),
        cmocka_unit_test(a_phone_that_is_not_configured_and_asks_too_often_is_limited),
        cmocka_unit_test(another_server_on_the_wire_is_an_alarm),
        cmocka_unit_test(a_sidecar_gives_boot_options_and_never_an_address),
        cmocka_unit_test(the_boot_is_told_stage_by_stage),
        cmocka_unit_test(every_truncation_is_harmless),
        cmocka_unit_test(messages_of_servers_and_unknown_types_are_ignored),
        cmocka_unit_test(clients_without_an_ethernet_address_are_told_apart_by_identifier),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
