/* dhcp.c - what decodes must encode again, and mean the same after that. */
#include <stdlib.h>

#include "wire/boot/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static size_t print(const struct dhcp_message *m, char *to, size_t size)
{
    struct writer w = writer_of(to, size);

    dhcp_print(m, &w);
    must(!w.bad);
    return writer_len(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct dhcp_message m, again;
    static char first[1 << 16], second[1 << 16];
    static uint8_t packet[2 * DHCP_MAX_SIZE];
    struct dhcp_relay relay;
    size_t n;
    int size;

    if (dhcp_decode(bytes, len, &m) < 0)
        return 0;
    dhcp_room(&m);
    dhcp_mac(&m);
    dhcp_relay_decode(m.relay, &relay);
    n = print(&m, first, sizeof(first));
    size = dhcp_encode(&m, packet, DHCP_MAX_SIZE);
    if (size < 0)
        return 0; /* sname or file without room for a NUL, or full to the last byte */
    must(size >= DHCP_MIN_SIZE && size <= DHCP_MAX_SIZE);
    must(dhcp_decode(packet, (size_t)size, &again) == 0);
    again.n_bad = m.n_bad; /* what was too short has gone */
    must(print(&again, second, sizeof(second)) == n && memcmp(first, second, n) == 0);
    return 0;
}
