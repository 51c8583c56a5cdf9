/* discovery.c - CDP, LLDP and ARP frames: what decodes must encode again, and mean the same after
 * that. */
#include <stdlib.h>

#include "wire/boot/arp.h"
#include "wire/boot/cdp.h"
#include "wire/boot/lldp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static uint8_t frame[1 << 16];
static char first[1 << 18], second[1 << 18];

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void check_cdp(const uint8_t *bytes, size_t len)
{
    static struct cdp m, again;
    struct writer a = writer_of(first, sizeof(first)), b = writer_of(second, sizeof(second));
    int n;

    if (cdp_decode(bytes, len, &m) < 0)
        return;
    n = cdp_encode(&m, frame, 1400); /* an 802.3 length ends at 1500 */
    if (n < 0)
        return;
    must(cdp_decode(frame, (size_t)n, &again) == 0 && !again.checksum_wrong);
    again.checksum_wrong = m.checksum_wrong;
    again.n_unknown = m.n_unknown;
    cdp_print(&m, &a);
    cdp_print(&again, &b);
    must(writer_len(&a) == writer_len(&b) && memcmp(first, second, writer_len(&a)) == 0);
}

static void check_lldp(const uint8_t *bytes, size_t len)
{
    static struct lldp m, again;
    struct writer a = writer_of(first, sizeof(first)), b = writer_of(second, sizeof(second));
    int n;

    if (lldp_decode(bytes, len, &m) < 0)
        return;
    lldp_mac(&m);
    n = lldp_encode(&m, frame, sizeof(frame));
    if (n < 0)
        return; /* an id of 511 octets with its subtype left no room */
    must(lldp_decode(frame, (size_t)n, &again) == 0 && again.n_unknown == 0);
    again.n_unknown = m.n_unknown;
    lldp_print(&m, &a);
    lldp_print(&again, &b);
    must(writer_len(&a) == writer_len(&b) && memcmp(first, second, writer_len(&a)) == 0);
}

static void check_arp(const uint8_t *bytes, size_t len)
{
    struct arp m, again;

    if (arp_decode(bytes, len, &m) < 0)
        return;
    must(arp_encode(&m, frame, sizeof(frame)) == ARP_FRAME_SIZE);
    must(arp_decode(frame, ARP_FRAME_SIZE, &again) == 0);
    must(again.op == m.op && again.sender_ip == m.sender_ip && again.target_ip == m.target_ip);
    must(mac_equal(again.sender_mac, m.sender_mac) && mac_equal(again.target_mac, m.target_mac));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    check_cdp(bytes, len);
    check_lldp(bytes, len);
    check_arp(bytes, len);
    return 0;
}
