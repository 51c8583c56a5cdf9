#include "test.h"

#include "core/leases/leases.h"

#define START 1000000000ull /* ms */
#define NET   0x0a010000u

static struct subnet net(uint32_t network, unsigned bits, uint32_t first, uint32_t last)
{
    return (struct subnet){.name = "net",
                           .network = network,
                           .mask = UINT32_MAX << (32 - bits),
                           .first = network + first,
                           .last = network + last,
                           .lease_s = 800};
}

static struct leases *leases_with(const struct subnet *s, size_t n, uint64_t reserved_mac,
                                  uint32_t reserved_address)
{
    struct leases *l = leases_new(START);
    struct subnets *subnets = subnets_empty();

    for (size_t i = 0; i < n; i++)
        subnets_add(subnets, &s[i]);
    if (reserved_mac)
        subnets_reserve(subnets, mac_of_number(reserved_mac), reserved_address);
    subnets_sort(subnets);
    assert_int_equal(leases_configure(l, subnets, NULL, 0), 0);
    return l;
}

static struct leases *small(uint32_t first, uint32_t last)
{
    struct subnet s = net(NET, 24, first, last);

    return leases_with(&s, 1, 0, 0);
}

static struct lease_client client(uint64_t n)
{
    struct mac mac = mac_of_number(0x020000000000 + n);

    return lease_client_of((struct text){0}, 1, mac.bytes, 6);
}

static struct lease *offer(struct leases *l, uint64_t n, uint32_t wanted, uint64_t now)
{
    struct lease_client c = client(n);

    return lease_offer(l, 0, &c, wanted, now, 30000);
}

static void store_all(struct leases *l)
{
    uint64_t batch;
    struct lease_rows *rows = leases_batch(l, &batch);

    lease_rows_free(rows);
    leases_stored(l, true);
}

static void a_client_gets_the_same_address_again(void **state)
{
    struct leases *l = small(10, 200);
    struct lease *a = offer(l, 1, 0, START);
    uint32_t address = a->address;
    struct lease_client c = client(1);
    (void)state;

    lease_commit(l, a, START, 800);
    assert_ptr_equal(offer(l, 1, NET + 77, START + 5), a);
    leases_expire(l, START + 800001);
    assert_int_equal(a->state, LEASE_EXPIRED);
    assert_int_equal(offer(l, 1, 0, START + 900000)->address, address);
    assert_ptr_equal(lease_of(l, 0, &c), a);
    leases_free(l);
    l = small(10, 200); /* and in a server that knows nothing: it is computed from the client */
    assert_int_equal(offer(l, 1, 0, START)->address, address);
    leases_free(l);
}

static void the_wanted_address_is_given_when_it_is_free(void **state)
{
    struct leases *l = small(10, 200);
    (void)state;

    assert_int_equal(offer(l, 1, NET + 50, START)->address, NET + 50);
    assert_int_not_equal(offer(l, 2, NET + 50, START)->address, NET + 50);
    assert_int_not_equal(offer(l, 3, NET + 9, START)->address, NET + 9);
    assert_int_not_equal(offer(l, 4, NET + 201, START)->address, NET + 201);
    leases_free(l);
}

static void an_offer_that_nobody_takes_leaves_nothing(void **state)
{
    struct leases *l = small(10, 12);
    (void)state;

    for (uint64_t n = 0; n < 3; n++)
        assert_non_null(offer(l, n, 0, START));
    assert_null(offer(l, 9, 0, START));
    assert_int_equal(leases_next(l, START) <= 30000, true);
    leases_expire(l, START + 30000);
    assert_int_equal(leases_total(l), 0);
    assert_int_equal(leases_count(l, 0).n_free, 3);
    assert_non_null(offer(l, 9, 0, START + 30000));
    leases_free(l);
}

static void a_full_pool_gives_what_ended_longest_ago(void **state)
{
    struct leases *l = small(10, 12);
    struct lease *leases[3];
    uint32_t first;
    (void)state;

    for (uint64_t n = 0; n < 3; n++) {
        leases[n] = offer(l, n, 0, START);
        lease_commit(l, leases[n], START + n, 800 + (uint32_t)n);
    }
    first = leases[1]->address;
    lease_release(l, leases[1], START + 1000); /* ended first */
    leases_expire(l, START + 900000);
    assert_int_equal(offer(l, 7, 0, START + 900000)->address, first);
    assert_int_equal(offer(l, 0, 0, START + 900000)->address, leases[0]->address);
    assert_int_equal(offer(l, 8, 0, START + 900000)->address, leases[2]->address);
    assert_null(offer(l, 10, 0, START + 900000));
    leases_free(l);
}

static void an_abandoned_address_is_the_last_resort(void **state)
{
    struct leases *l = small(10, 11);
    struct lease *a = offer(l, 1, NET + 10, START);
    (void)state;

    lease_commit(l, a, START, 800);
    lease_abandon(l, a, START + 1, 86400);
    assert_int_equal(offer(l, 1, NET + 10, START + 2)->address, NET + 11);
    assert_int_equal(offer(l, 2, 0, START + 3)->address, NET + 10);
    leases_free(l);
}

static void a_reservation_belongs_to_its_mac_alone(void **state)
{
    struct subnet s = net(NET, 24, 10, 12);
    struct leases *l = leases_with(&s, 1, 0x020000000005, NET + 11);
    struct lease_client five = client(5), six = client(6);
    (void)state;

    assert_int_equal(offer(l, 1, NET + 11, START)->address == NET + 11, false);
    assert_non_null(offer(l, 2, 0, START));
    assert_null(offer(l, 3, 0, START));
    assert_int_equal(offer(l, 5, NET + 10, START)->address, NET + 11);
    assert_true(lease_fits(l, 0, &five, NET + 11));
    assert_false(lease_fits(l, 0, &five, NET + 10));
    assert_false(lease_fits(l, 0, &six, NET + 11));
    leases_free(l);
    l = leases_with(&s, 1, 0x020000000005, NET + 200); /* outside of the range is fine */
    assert_int_equal(offer(l, 5, 0, START)->address, NET + 200);
    leases_free(l);
}

static void a_reserved_address_never_goes_to_others_when_it_expires(void **state)
{
    struct subnet s = net(NET, 24, 10, 10);
    struct leases *l = leases_with(&s, 1, 0x020000000005, NET + 10);
    (void)state;

    lease_commit(l, offer(l, 5, 0, START), START, 10);
    leases_expire(l, START + 20000);
    assert_null(offer(l, 6, 0, START + 20000));
    assert_int_equal(offer(l, 5, 0, START + 20000)->address, NET + 10);
    leases_free(l);
}

static void a_new_reservation_moves_its_client_at_the_next_offer(void **state)
{
    struct leases *l = small(10, 20);
    struct lease *a = offer(l, 5, NET + 15, START);
    struct subnets *subnets = subnets_empty();
    struct subnet s = net(NET, 24, 10, 20);
    struct lease_client five = client(5);
    (void)state;

    lease_commit(l, a, START, 800);
    subnets_add(subnets, &s);
    subnets_reserve(subnets, mac_of_number(0x020000000005), NET + 11);
    subnets_sort(subnets);
    assert_int_equal(leases_configure(l, subnets, NULL, 0), 0);
    assert_int_equal(lease_of(l, 0, &five)->state, LEASE_ACTIVE); /* valid still */
    assert_false(lease_fits(l, 0, &five, NET + 15));
    assert_int_equal(offer(l, 5, 0, START + 10)->address, NET + 11);
    assert_int_equal(a->state, LEASE_EXPIRED);
    assert_int_equal(offer(l, 9, NET + 15, START + 10)->address, NET + 15); /* free at once */
    leases_free(l);
}

static void scopes_change_and_leases_stay(void **state)
{
    struct leases *l = small(10, 20);
    struct subnets *subnets = subnets_empty();
    struct subnet s = net(NET, 24, 15, 30);
    struct lease *inside, *outside;
    uint32_t own = NET + 16;
    (void)state;

    inside = offer(l, 1, NET + 18, START);
    outside = offer(l, 2, NET + 12, START);
    lease_commit(l, inside, START, 800);
    lease_commit(l, outside, START, 800);
    subnets_add(subnets, &s);
    assert_int_equal(leases_configure(l, subnets, &own, 1), 0);
    assert_int_equal(inside->state, LEASE_ACTIVE);
    assert_int_equal(outside->state, LEASE_ACTIVE);
    assert_int_equal(leases_count(l, 0).active, 2);
    assert_int_equal(leases_count(l, 0).n_free, 14); /* 16 less one's own and the one inside */
    assert_int_not_equal(offer(l, 3, NET + 18, START)->address, NET + 18);
    assert_int_not_equal(offer(l, 4, NET + 16, START)->address, NET + 16);
    assert_int_equal(leases_configure(l, subnets_empty(), NULL, 0), 0);
    assert_ptr_equal(lease_at(l, NET + 18), inside);
    leases_expire(l, START + 800000);
    assert_int_equal(leases_total(l), 2); /* remembered, should the scope come back */
    leases_free(l);
}

static void nobody_loses_an_address_when_scopes_are_read_again(void **state)
{
    struct subnet s = net(0x7f000000, 8, 0x50000, 0x50fff);
    struct leases *l = leases_with(&s, 1, 0, 0);
    uint32_t addresses[3000];
    uint64_t now = START;
    (void)state;

    for (uint64_t i = 0; i < 3000; i++, now += 3) {
        struct lease *lease = offer(l, i, 0, now);

        addresses[i] = lease->address;
        lease_commit(l, lease, now, 86400);
    }
    for (int round = 0; round < 20; round++) {
        struct subnets *subnets = subnets_empty();
        uint32_t own = 0x7f000001;

        subnets_add(subnets, &s);
        assert_int_equal(leases_configure(l, subnets, &own, 1), 0);
        for (uint64_t i = 0; i < 3000; i++, now += 1) {
            struct lease *lease = offer(l, i, 0, now);

            assert_int_equal(lease->address, addresses[i]);
            assert_int_equal(lease->state, LEASE_ACTIVE);
            lease_commit(l, lease, now, 86400);
            leases_expire(l, now);
        }
    }
    leases_free(l);
}

static void a_commit_names_the_batch_that_makes_it_durable(void **state)
{
    struct leases *l = small(10, 200);
    struct lease *a = offer(l, 1, 0, START), *b = offer(l, 2, 0, START);
    struct lease_rows *rows;
    uint64_t batch;
    (void)state;

    assert_null(leases_batch(l, &batch));
    assert_int_equal(lease_commit(l, a, START, 800), 1);
    assert_int_equal(lease_commit(l, a, START, 800), 1);
    rows = leases_batch(l, &batch);
    assert_int_equal(rows->n, 1);
    assert_int_equal(batch, 1);
    assert_int_equal(rows->at[0].address, a->address);
    assert_int_equal(rows->at[0].state, LEASE_ACTIVE);
    assert_int_equal(rows->at[0].until_s, START / 1000 + 900); /* an eighth more */
    lease_rows_free(rows);
    assert_int_equal(lease_commit(l, b, START + 1, 800), 2);
    assert_int_equal(lease_commit(l, a, START + 1, 800), 1);      /* under way */
    assert_int_equal(lease_commit(l, a, START + 200000, 800), 2); /* more than that one stores */
    assert_null(leases_batch(l, &batch));                         /* one at a time */
    leases_stored(l, true);
    rows = leases_batch(l, &batch);
    assert_int_equal(rows->n, 2);
    lease_rows_free(rows);
    leases_stored(l, true);
    assert_false(leases_waiting(l));
    assert_int_equal(lease_commit(l, a, START + 250000, 800), 0); /* durable already */
    assert_int_equal(lease_commit(l, a, START + 350000, 800), 3);
    leases_free(l);
}

static void a_batch_that_failed_is_tried_again(void **state)
{
    struct leases *l = small(10, 200);
    struct lease *a = offer(l, 1, 0, START);
    uint64_t batch;
    (void)state;

    lease_commit(l, a, START, 800);
    lease_rows_free(leases_batch(l, &batch));
    leases_stored(l, false);
    assert_true(leases_waiting(l));
    assert_int_equal(lease_commit(l, a, START + 1, 800), 2);
    store_all(l);
    assert_int_equal(lease_commit(l, a, START + 2, 800), 0);
    leases_free(l);
}

static void what_was_stored_comes_back(void **state)
{
    struct leases *l = small(10, 200), *again;
    struct lease *a = offer(l, 1, 0, START), *b = offer(l, 2, 0, START), *c = offer(l, 3, 0, START);
    struct lease_client one = client(1), two = client(2);
    struct lease_rows *rows;
    uint64_t batch;
    (void)state;

    lease_commit(l, a, START, 800);
    lease_describe(a, TEXT("SEP020000000001"), TEXT("Cisco Systems, Inc. IP Phone CP-7960"), true);
    lease_commit(l, b, START, 800);
    lease_release(l, b, START + 1);
    lease_commit(l, c, START, 800);
    lease_abandon(l, c, START + 1, 3600);
    rows = leases_batch(l, &batch);
    again = small(10, 200);
    for (size_t i = 0; i < rows->n; i++)
        assert_int_equal(leases_load(again, &rows->at[i]), 0);
    assert_int_equal(leases_load(again, &rows->at[0]), -EINVAL); /* twice the same address */
    assert_int_equal(lease_of(again, 0, &one)->address, a->address);
    assert_int_equal(lease_of(again, 0, &one)->state, LEASE_ACTIVE);
    assert_string_equal(lease_of(again, 0, &one)->name, "SEP020000000001");
    assert_string_equal(lease_of(again, 0, &one)->vendor, "IP Phone CP-7960");
    assert_int_equal(lease_of(again, 0, &two)->state, LEASE_EXPIRED);
    assert_int_equal(lease_at(again, c->address)->state, LEASE_ABANDONED);
    assert_int_equal(offer(again, 2, 0, START)->address, b->address);
    lease_rows_free(rows);
    leases_free(l);
    leases_free(again);
}

static void news_tell_each_change_of_owner_once(void **state)
{
    struct leases *l = small(10, 200);
    struct lease *a = offer(l, 1, 0, START);
    (void)state;

    assert_null(leases_news(l));
    lease_commit(l, a, START, 800);
    lease_commit(l, a, START + 1, 800);
    assert_ptr_equal(leases_news(l), a);
    assert_null(leases_news(l));
    lease_tell_again(l, a);
    assert_ptr_equal(leases_news(l), a);
    lease_commit(l, a, START + 2, 800);
    assert_null(leases_news(l));
    leases_expire(l, START + 900000);
    assert_ptr_equal(leases_news(l), a);
    assert_int_equal(a->state, LEASE_EXPIRED);
    leases_free(l);
}

static void no_address_is_given_twice_in_a_full_pool_of_100000(void **state)
{
    struct subnet s = net(0x0a000000, 8, 1, 100000);
    struct leases *l = leases_with(&s, 1, 0, 0);
    struct lease **page = calloc(1000, sizeof(*page));
    uint32_t after = 0;
    size_t n, all = 0;
    (void)state;

    for (uint64_t i = 0; i < 100000; i++) {
        struct lease *lease = offer(l, i, 0, START);

        assert_non_null(lease);
        assert_int_equal(lease->given, false);
        lease_commit(l, lease, START, 800);
    }
    assert_null(offer(l, 100000, 0, START));
    assert_int_equal(leases_count(l, 0).active, 100000);
    while ((n = leases_page(l, after, page, 1000))) {
        assert_int_equal(page[0]->address, after ? after + 1 : 0x0a000001);
        after = page[n - 1]->address;
        all += n;
    }
    assert_int_equal(all, 100000);
    free(page);
    leases_free(l);
}

static void a_pool_of_a_whole_slash_8_works(void **state)
{
    struct subnet s = net(0x0a000000, 8, 0, 0xffffff);
    struct leases *l = leases_with(&s, 1, 0, 0);
    struct lease *a;
    (void)state;

    assert_int_equal(leases_count(l, 0).n_free, 1 << 24);
    a = offer(l, 1, 0, START);
    assert_int_equal(a->address >> 24, 10);
    leases_free(l);
}

static void long_client_identifiers_stay_apart(void **state)
{
    char id[200];
    struct lease_client a, b;
    (void)state;

    memset(id, 'x', sizeof(id));
    a = lease_client_of((struct text){id, 200}, 1, (const uint8_t *)"123456", 6);
    id[199] = 'y';
    b = lease_client_of((struct text){id, 200}, 1, (const uint8_t *)"123456", 6);
    assert_int_equal(a.len, LEASE_KEY_MAX);
    assert_memory_not_equal(a.key, b.key, LEASE_KEY_MAX);
    a = lease_client_of((struct text){"\1", 1}, 1, (const uint8_t *)"123456", 6);
    assert_int_equal(a.len, 7); /* too short to be one: the hardware address counts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_gets_the_same_address_again),
        cmocka_unit_test(the_wanted_address_is_given_when_it_is_free),
        cmocka_unit_test(an_offer_that_nobody_takes_leaves_nothing),
        cmocka_unit_test(a_full_pool_gives_what_ended_longest_ago),
        cmocka_unit_test(an_abandoned_address_is_the_last_resort),
        cmocka_unit_test(a_reservation_belongs_to_its_mac_alone),
        cmocka_unit_test(a_reserved_address_never_goes_to_others_when_it_expires),
        cmocka_unit_test(a_new_reservation_moves_its_client_at_the_next_offer),
        cmocka_unit_test(scopes_change_and_leases_stay),
        cmocka_unit_test(nobody_loses_an_address_when_scopes_are_read_again),
        cmocka_unit_test(a_commit_names_the_batch_that_makes_it_durable),
        cmocka_unit_test(a_batch_that_failed_is_tried_again),
        cmocka_unit_test(what_was_stored_comes_back),
        cmocka_unit_test(news_tell_each_change_of_owner_once),
        cmocka_unit_test(no_address_is_given_twice_in_a_full_pool_of_100000),
        cmocka_unit_test(a_pool_of_a_whole_slash_8_works),
        cmocka_unit_test(long_client_identifiers_stay_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
