#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "doctor/pair/pair.h"
#include "wire/capture/packet.h"
#include "wire/capture/pcap_write.h"

#define START_NS 1700000000000000000ll

/* Two captures of one path: what the phone's end sends at a time comes to the server's end 5 ms
 * later by its own clock, which is `ahead_ns` ahead and gains `drift`. Behind a router that does
 * NAT and forgets the mark. */
struct ends {
    char paths[2][32];
    FILE *files[2];
    int64_t ahead_ns;
    double drift;
    uint64_t n[2]; /* packets written */
};

static void open_ends(struct ends *e)
{
    uint8_t bytes[PCAP_WRITE_BLOCK];

    for (int i = 0; i < 2; i++) {
        struct writer w = writer_of(bytes, sizeof(bytes));

        strcpy(e->paths[i], "/tmp/pair-XXXXXX");
        e->files[i] = fdopen(mkstemp(e->paths[i]), "wb");
        assert_non_null(e->files[i]);
        pcap_write_section(&w, TEXT(""), TEXT(""));
        pcap_write_interface(&w, PCAP_WRITE_ETHERNET, TEXT("eth0"));
        fwrite(bytes, 1, writer_len(&w), e->files[i]);
    }
}

static void put(struct ends *e, int end, int64_t time_ns, bool up, uint32_t sequence,
                uint32_t acknowledged, const char *data)
{
    uint8_t bytes[256], block[256 + PCAP_WRITE_BLOCK];
    struct writer w = writer_of(bytes, sizeof(bytes)), file = writer_of(block, sizeof(block));
    uint32_t phone = end ? 0xc0a80001 : 0x0a000005, server = 0x0a000101;
    uint16_t port = end ? 61000 : 50000;
    size_t len = 54 + strlen(data);
    int64_t since = time_ns - START_NS;

    if (end)
        time_ns += e->ahead_ns + (int64_t)(e->drift * (double)since);
    ethernet_write(&w, &(struct ethernet){.type = ETHERNET_IPV4});
    write_be16(&w, up && !end ? 0x4560 : 0x4500);
    write_be16(&w, (uint16_t)(len - 14));
    write_be16(&w, (uint16_t)(sequence + since / 1000000));
    write_be16(&w, 0);
    write_be16(&w, (uint16_t)((end == up ? 63 : 64) << 8 | PROTOCOL_TCP));
    write_be16(&w, 0);
    write_be32(&w, up ? phone : server);
    write_be32(&w, up ? server : phone);
    write_be16(&w, up ? port : 2000);
    write_be16(&w, up ? 2000 : port);
    write_be32(&w, sequence);
    write_be32(&w, acknowledged);
    write_be16(&w, 0x5010);
    write_be16(&w, 8192);
    write_be32(&w, 0);
    write_string(&w, data);
    assert_false(w.bad);
    pcap_write_frame(&file, &(struct pcap_frame){.time_ns = (uint64_t)time_ns, .bytes = {(char *)bytes, len}});
    fwrite(block, 1, writer_len(&file), e->files[end]);
    e->n[end]++;
}

/* One keepalive a second and its answer; the tenth is lost on the way to the server, the answer of
 * the twentieth on the way back. */
static void exchange(struct ends *e, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        int64_t t = START_NS + i * 1000000000ll;
        uint32_t up = 1000 + i * 12, down = 5000 + i * 12;

        put(e, 0, t, true, up, down, "keepalive up");
        if (i == 10)
            continue;
        put(e, 1, t + 5000000, true, up, down, "keepalive up");
        put(e, 1, t + 6000000, false, down, up + 12, "the answer..");
        if (i != 20)
            put(e, 0, t + 11000000, false, down, up + 12, "the answer..");
    }
    for (int i = 0; i < 2; i++)
        fclose(e->files[i]);
}

static struct pair *read_ends(const struct ends *e)
{
    const char *files[2] = {e->paths[0], e->paths[1]};
    struct pair *p = NULL;
    int failed = 0;

    assert_int_equal(pair_read(files, &(struct capture_options){0}, NULL, NULL, &p, &failed), 0);
    for (int i = 0; i < 2; i++)
        unlink(e->paths[i]);
    return p;
}

static void clocks_losses_marks_and_addresses_are_told(void **state)
{
    struct ends e = {.ahead_ns = 3723000000000, .drift = 20e-6};
    const struct pair_facts *f;
    const struct pair_loss *l;
    struct pair *p;
    size_t n;

    open_ends(&e);
    exchange(&e, 300);
    p = read_ends(&e);
    f = pair_facts(p);
    assert_true(f->joined);
    assert_in_range(f->offset_ns - e.ahead_ns + 1000000, 0, 2000000);
    assert_true(f->drift_ppm > 19 && f->drift_ppm < 21);
    assert_int_equal(f->hops, 1);
    assert_int_equal(f->ways[PAIR_TO_SERVER].lost, 1);
    assert_int_equal(f->ways[PAIR_TO_PHONE].lost, 1);
    assert_in_range(f->ways[PAIR_TO_SERVER].sum_ns / (int64_t)f->ways[PAIR_TO_SERVER].joined,
                    4500000, 5500000);
    l = pair_losses(p, &n);
    assert_int_equal(n, 2);
    assert_int_equal(l[0].way, PAIR_TO_SERVER);
    assert_int_equal(l[0].sequence, 1000 + 120);
    assert_int_equal(l[1].way, PAIR_TO_PHONE);
    assert_int_equal(pair_fate(p, 0, l[0].number), PAIR_LOST);
    assert_int_equal(pair_fate(p, 1, l[1].number), PAIR_LOST);
    assert_int_equal(pair_fate(p, 0, 1), PAIR_ARRIVED);
    assert_int_equal(pair_fate(p, 0, 100000), PAIR_UNKNOWN);
    assert_int_equal(f->n_nats, 1);
    assert_int_equal(ip_v4_number(f->nats[0].here), 0xc0a80001);
    assert_false(f->nats[0].server);
    assert_int_equal(f->n_marks, 2);
    assert_int_equal(f->marks[0].left, 24);
    assert_int_equal(f->marks[0].arrived, 0);
    pair_free(p);
}

static void captures_without_a_common_packet_are_no_pair(void **state)
{
    struct ends e = {0};
    struct pair *p;

    open_ends(&e);
    put(&e, 0, START_NS, true, 1, 1, "here");
    put(&e, 1, START_NS, true, 9, 9, "there");
    for (int i = 0; i < 2; i++)
        fclose(e.files[i]);
    p = read_ends(&e);
    assert_false(pair_facts(p)->joined);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_losses_marks_and_addresses_are_told),
        cmocka_unit_test(captures_without_a_common_packet_are_no_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
