/* wire_memory.c - SIP transactions run while any one allocation fails. */
#include "test.h"

#include "memory.h"
#include "sip_parties.h"
#include "wire/sip/transactions.h"

static void transactions(void)
{
    static const char *const methods[] = {"INVITE", "NOTIFY", "REFER"};
    struct sip_transactions_options options = {party_port, SIP_TIMING_DEFAULT, 20, 1 << 16};
    struct sip_transactions *ts = sip_transactions_new(&options, 1000);
    char branch[32];
    uint64_t id;

    for (unsigned i = 0; ts && i < 12; i++) {
        struct sip_flow flow = party_flow(i % 2 ? SIP_UDP : SIP_TCP);
        const char *method = methods[i % 3];

        party_log[0] = '\0';
        snprintf(branch, sizeof(branch), "z9hG4bK%u", i);
        sip_transactions_request(ts, &flow, party_bytes, request_write(method, branch), 1, 1000,
                                 &id);
        if (i % 2)
            sip_transactions_heard(ts, response(i % 4 ? 200 : 486, method, branch), 1100);
        snprintf(branch, sizeof(branch), "z9hG4bKs%u", i);
        if (sip_transactions_serve(ts, &flow, request(method, branch), 2, 1000, &id) == 0)
            sip_transactions_respond(ts, id, party_bytes, response_write(200, method, branch),
                                     1200);
        party_log[0] = '\0';
    }
    for (uint64_t ms = 1000; ts && ms < 70000; ms += 250) {
        while (sip_transactions_tick(ts, ms))
            ;
        party_log[0] = '\0';
    }
    sip_transactions_free(ts);
}

static void transactions_end_whatever_fails(void **state)
{
    with_each_allocation_failing(transactions, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transactions_end_whatever_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
