#include "test.h"

#include "provision/discovery.h"
#include "wire/boot/cdp.h"
#include "wire/boot/lldp.h"

#define START 1000000ull

static const struct mac ours = {{0x02, 0, 0, 0, 0, 1}},
                        phone = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55}};

struct world {
    struct discovery *d;
    uint64_t now;
    size_t n_cdp, n_lldp, n_progress;
    uint8_t cdp_frame[1600], lldp_frame[1600];
    struct cdp cdp; /* the last ones sent */
    struct lldp lldp;
    struct progress_event event;
};

static void on_send(void *context, unsigned interface, const uint8_t *frame, size_t len)
{
    struct world *w = context;
    struct ethernet e;

    assert_int_equal(interface, 7);
    assert_int_equal(ethernet_decode(frame, len, &e), 0);
    assert_true(mac_equal(e.from, ours));
    if (e.type == ETHERNET_LLDP) {
        w->n_lldp++;
        memcpy(w->lldp_frame, frame, len);
        assert_int_equal(lldp_decode(w->lldp_frame, len, &w->lldp), 0);
    } else {
        w->n_cdp++;
        memcpy(w->cdp_frame, frame, len);
        assert_int_equal(cdp_decode(w->cdp_frame, len, &w->cdp), 0);
        assert_false(w->cdp.checksum_wrong);
    }
}

static void on_progress(void *context, const struct progress_event *event)
{
    struct world *w = context;

    w->n_progress++;
    w->event = *event;
}

static void open_world(struct world *w, uint16_t vlan)
{
    const struct discovery_sink sink = {w, on_send, on_progress};
    const struct discovery_settings settings = {.voice_vlan = vlan,
                                                .voice_priority = 5,
                                                .voice_dscp = 46,
                                                .signalling_priority = 3,
                                                .signalling_dscp = 24,
                                                .node = "node-a",
                                                .version = "Dialtone 1"};
    struct discovery_link link = {.interface = 7, .name = "eth0", .mac = ours};

    *w = (struct world){.now = START};
    ip_parse(TEXT("10.1.0.1"), &link.address);
    w->d = discovery_new(&sink, &settings, START);
    discovery_set_links(w->d, &link, 1, START);
}

/* Lets time pass as a loop would. */
static void wait_ms(struct world *w, uint64_t ms)
{
    uint64_t end = w->now + ms;

    for (;;) {
        uint64_t next = discovery_tick(w->d, w->now);

        if (w->now + next > end)
            break;
        w->now += next ? next : 1;
    }
    w->now = end;
}

static void hear_cdp(struct world *w, struct cdp *m)
{
    uint8_t frame[1600];
    int n = cdp_encode(m, frame, sizeof(frame));

    assert_true(n > 0);
    discovery_input(w->d, 7, frame, (size_t)n, w->now);
}

static void hear_lldp(struct world *w, struct lldp *m)
{
    uint8_t frame[1600];
    int n = lldp_encode(m, frame, sizeof(frame));

    assert_true(n > 0);
    discovery_input(w->d, 7, frame, (size_t)n, w->now);
}

static struct cdp cdp_of_phone(void)
{
    struct cdp m = {.from = phone, .protocol = 2, .ttl = 180};

    cdp_set_device_id(&m, TEXT("SEP001122334455"));
    cdp_set_port_id(&m, TEXT("Port 1"));
    cdp_set_capabilities(&m, 0x490);
    cdp_set_version(&m, TEXT("SCCP41.8-2-1S"));
    cdp_set_platform(&m, TEXT("Cisco IP Phone 7941"));
    return m;
}

static struct lldp lldp_of_phone(void)
{
    struct lldp m = {.from = phone, .ttl = 180};

    m.chassis.subtype = LLDP_CHASSIS_ADDRESS;
    m.chassis.value = (struct text){"\1\0\0\0\0", 5};
    m.port.subtype = LLDP_PORT_MAC;
    m.port.value = (struct text){(const char *)phone.bytes, 6};
    m.system_name = TEXT("SEP001122334455");
    m.has_capabilities = true;
    m.capabilities = m.enabled = LLDP_CAPABLE_BRIDGE | LLDP_CAPABLE_TELEPHONE;
    m.has_med = true;
    m.med_capabilities = LLDP_MED_CAPABILITIES | LLDP_MED_POLICY;
    m.med_device = LLDP_MED_PHONE;
    m.policies[0] = (struct lldp_policy){.application = LLDP_MED_VOICE, .unknown = true};
    m.n_policies = 1;
    m.model = TEXT("CP-7941G");
    m.software = TEXT("SCCP41.8-4-2S");
    return m;
}

static void cdp_names_the_voice_vlan_at_its_intervals(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 110);
    wait_ms(&w, 5000);
    assert_int_equal(w.n_cdp, 4); /* often at first, for phones that boot with us */
    assert_int_equal(w.cdp.voice_vlan.data, 1);
    assert_int_equal(w.cdp.voice_vlan.vlan, 110);
    assert_int_equal(w.cdp.native_vlan, 1);
    assert_int_equal(w.cdp.trust, 0);
    assert_int_equal(w.cdp.untrusted_cos, 0);
    assert_int_equal(w.cdp.capabilities, CDP_CAPABLE_SWITCH);
    assert_true(text_is(w.cdp.device_id, "node-a"));
    assert_true(text_is(w.cdp.port_id, "eth0"));
    wait_ms(&w, 600000);
    assert_int_equal(w.n_cdp, 14);
    discovery_free(w.d);
}

static void without_a_voice_vlan_none_is_named(void **state)
{
    struct world w;
    struct lldp m = lldp_of_phone();
    (void)state;

    open_world(&w, DISCOVERY_VLAN_NONE);
    hear_lldp(&w, &m);
    wait_ms(&w, 5000);
    assert_false(cdp_has(&w.cdp, CDP_voice_vlan));
    assert_false(w.lldp.has_med);
    discovery_free(w.d);
}

static void a_query_is_answered_at_once(void **state)
{
    struct world w;
    struct cdp m = cdp_of_phone();
    size_t before;
    (void)state;

    open_world(&w, 110);
    wait_ms(&w, 10000);
    before = w.n_cdp;
    cdp_set_voice_vlan_query(&m, (struct cdp_voice){0x20, 0x0200});
    cdp_set_power_request(&m, (struct cdp_power_request){9, 3, 2, {6300, 5000}});
    hear_cdp(&w, &m);
    assert_int_equal(w.n_cdp, before + 1);
    assert_int_equal(w.cdp.voice_vlan.vlan, 110);
    assert_int_equal(w.cdp.power_available.id, 9);
    assert_int_equal(w.cdp.power_available.management, 3);
    assert_int_equal(w.cdp.power_available.mw, 6300);
    for (int i = 0; i < 1000; i++)
        hear_cdp(&w, &m);
    assert_true(w.n_cdp <= before + 20); /* a flood of questions is no flood of answers */
    discovery_free(w.d);
}

static void a_med_end_point_hears_the_policy_quickly(void **state)
{
    struct world w;
    struct lldp m = lldp_of_phone();
    const struct lldp_policy *p;
    size_t before;
    (void)state;

    open_world(&w, 110);
    wait_ms(&w, 10000);
    assert_int_equal(w.n_lldp, 1);
    assert_false(w.lldp.has_med); /* nobody there who would read it */
    before = w.n_lldp;
    hear_lldp(&w, &m);
    assert_int_equal(w.n_lldp, before + 1);
    assert_true(w.lldp.has_med);
    assert_int_equal(w.lldp.med_device, LLDP_MED_SWITCH);
    p = lldp_policy(&w.lldp, LLDP_MED_VOICE);
    assert_non_null(p);
    assert_true(p->tagged);
    assert_int_equal(p->vlan, 110);
    assert_int_equal(p->priority, 5);
    assert_int_equal(p->dscp, 46);
    assert_non_null(lldp_policy(&w.lldp, LLDP_MED_VOICE_SIGNALLING));
    wait_ms(&w, 5000);
    assert_int_equal(w.n_lldp, before + 4);
    hear_lldp(&w, &m); /* known: no fast start again */
    wait_ms(&w, 5000);
    assert_int_equal(w.n_lldp, before + 4);
    wait_ms(&w, 60000);
    assert_int_equal(w.n_lldp, before + 6);
    discovery_free(w.d);
}

static void an_untagged_voice_vlan_is_said_so(void **state)
{
    struct world w;
    struct lldp m = lldp_of_phone();
    (void)state;

    open_world(&w, DISCOVERY_VLAN_UNTAGGED);
    wait_ms(&w, 10);
    hear_lldp(&w, &m);
    assert_false(lldp_policy(&w.lldp, LLDP_MED_VOICE)->tagged);
    assert_int_equal(lldp_policy(&w.lldp, LLDP_MED_VOICE)->vlan, 0);
    assert_int_equal(w.cdp.voice_vlan.vlan, 4095);
    discovery_free(w.d);
}

static void neighbours_are_known_until_their_time_is_over(void **state)
{
    struct world w;
    struct cdp m = cdp_of_phone();
    struct lldp l = lldp_of_phone();
    const struct neighbour *n;
    size_t cursor = 0;
    (void)state;

    open_world(&w, 110);
    hear_cdp(&w, &m);
    hear_cdp(&w, &m);
    assert_int_equal(discovery_count(w.d), 1);
    n = discovery_next(w.d, &cursor);
    assert_string_equal(n->device, "SEP001122334455");
    assert_string_equal(n->port, "Port 1");
    assert_string_equal(n->platform, "Cisco IP Phone 7941");
    assert_true(n->phone);
    assert_int_equal(w.n_progress, 1); /* told once */
    assert_int_equal(w.event.stage, PROGRESS_LINK);
    assert_string_equal(w.event.device.s, "SEP001122334455");
    hear_lldp(&w, &l);
    assert_int_equal(discovery_count(w.d), 2);
    l.ttl = 0;
    hear_lldp(&w, &l); /* it goes */
    wait_ms(&w, 10);
    assert_int_equal(discovery_count(w.d), 1);
    wait_ms(&w, 181000);
    assert_int_equal(discovery_count(w.d), 0);
    discovery_free(w.d);
}

static void goodbye_has_no_time_to_live(void **state)
{
    struct world w;
    (void)state;

    open_world(&w, 110);
    discovery_leave(w.d);
    assert_int_equal(w.n_lldp, 1);
    assert_int_equal(w.lldp.ttl, 0);
    discovery_free(w.d);
}

static void the_number_of_neighbours_is_bounded(void **state)
{
    struct world w;
    struct cdp m = cdp_of_phone();
    (void)state;

    open_world(&w, 110);
    for (uint64_t i = 0; i < NEIGHBOURS_MAX + 100; i++) {
        m.from = mac_of_number(i + 1);
        hear_cdp(&w, &m);
    }
    assert_int_equal(discovery_count(w.d), NEIGHBOURS_MAX);
    discovery_free(w.d);
}

static void every_truncation_is_harmless(void **state)
{
    struct world w;
    struct cdp m = cdp_of_phone();
    struct lldp l = lldp_of_phone();
    uint8_t frame[1600];
    (void)state;

    open_world(&w, 110);
    for (int kind = 0; kind < 2; kind++) {
        int n = kind ? cdp_encode(&m, frame, sizeof(frame)) : lldp_encode(&l, frame, sizeof(frame));

        for (int len = 0; len < n; len++) {
            uint8_t *exact = malloc(len ? (size_t)len : 1);

            memcpy(exact, frame, (size_t)len);
            discovery_input(w.d, 7, exact, (size_t)len, w.now);
            free(exact);
        }
    }
    discovery_input(w.d, 8, frame, 100, w.now); /* an interface nobody named */
    discovery_free(w.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cdp_names_the_voice_vlan_at_its_intervals),
        cmocka_unit_test(without_a_voice_vlan_none_is_named),
        cmocka_unit_test(a_query_is_answered_at_once),
        cmocka_unit_test(a_med_end_point_hears_the_policy_quickly),
        cmocka_unit_test(an_untagged_voice_vlan_is_said_so),
        cmocka_unit_test(neighbours_are_known_until_their_time_is_over),
        cmocka_unit_test(goodbye_has_no_time_to_live),
        cmocka_unit_test(the_number_of_neighbours_is_bounded),
        cmocka_unit_test(every_truncation_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
