/* core_memory.c - leases are given, and homes and alarms kept, while any one allocation fails. */
#include "test.h"

#include "core/alarms.h"
#include "core/cluster/homes.h"
#include "core/leases/leases.h"
#include "memory.h"

static struct subnets *scopes(void)
{
    const struct subnet scope = {
        .network = 0x0a000000, .mask = 0xffffff00, .first = 0x0a00000a, .last = 0x0a0000c8};
    struct subnets *s = subnets_empty();

    if (s && (subnets_add(s, &scope) < 0 ||
              subnets_reserve(s, mac_of_number(0x000102030405), 0x0a000032) < 0)) {
        subnets_free(s);
        return NULL;
    }
    if (s)
        subnets_sort(s);
    return s;
}

static void leases(void)
{
    struct leases *l = leases_new(1000);
    struct subnets *s = l ? scopes() : NULL;
    uint64_t batch;

    if (!s || leases_configure(l, s, NULL, 0) < 0) {
        leases_free(l);
        return;
    }
    for (uint8_t n = 0; n < 30; n++) {
        uint8_t hardware[6] = {0, 1, 2, 3, 4, (uint8_t)(n % 20)};
        struct lease_client c = lease_client_of(TEXT(""), 1, hardware, 6);
        struct lease *lease = lease_offer(l, 0, &c, 0, 1000, 500);

        if (!lease)
            continue;
        lease_commit(l, lease, 1001, 3600);
        lease_describe(lease, TEXT("SEP000102030405"), TEXT("Cisco"), true);
        if (n % 5 == 4)
            lease_release(l, lease, 1002);
        if (n % 7 == 6) {
            lease_rows_free(leases_batch(l, &batch));
            leases_stored(l, n % 2);
        }
        while (leases_news(l))
            ;
    }
    leases_expire(l, 10000000);
    leases_free(l);
}

static void leases_are_given_or_not_whatever_fails(void **state)
{
    with_each_allocation_failing(leases, 10);
}

static void homes_and_alarms(void)
{
    struct homes *h = homes_new(50);
    struct alarm_draft d;

    for (unsigned n = 0; h && n < 100; n++) {
        homes_put(h, device_name_of_mac(mac_of_number(n)), n % 3, ip_v4(7), 1000 + n, 0);
        homes_remove(h, device_name_of_mac(mac_of_number(n / 2)), n % 3);
    }
    homes_free(h);
    alarm_begin(&d, ALARM_ENDPOINT_UNREGISTERED);
    alarm_put_reason(&d, 13);
    free(alarm_finish(&d));
}

static void homes_and_alarms_are_kept_or_not_whatever_fails(void **state)
{
    with_each_allocation_failing(homes_and_alarms, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leases_are_given_or_not_whatever_fails),
        cmocka_unit_test(homes_and_alarms_are_kept_or_not_whatever_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
