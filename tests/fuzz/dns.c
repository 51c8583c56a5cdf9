/* dns.c - what decodes must encode again, and mean the same after that. */
#include <stdlib.h>

#include "wire/boot/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static size_t print(const struct dns_message *m, char *to, size_t size)
{
    struct writer w = writer_of(to, size);

    dns_print(m, &w);
    return writer_len(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct dns_message m, again;
    static char first[1 << 16], second[1 << 16];
    static uint8_t packet[1 << 17];
    int n;

    if (dns_decode(bytes, len, &m) < 0)
        return 0;
    n = dns_encode(&m, packet, sizeof(packet));
    must(n > 0);
    must(dns_decode(packet, (size_t)n, &again) == 0);
    must(print(&m, first, sizeof(first)) == print(&again, second, sizeof(second)));
    return 0;
}
