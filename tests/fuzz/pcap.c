/* pcap.c - capture files and the packets in them. */
#include "wire/capture/packet.h"
#include "wire/capture/pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct pcap_packet p;
    struct pcap_file f;
    struct packet packet;
    volatile unsigned sum = 0;

    if (pcap_open(bytes, len, &f) < 0)
        return 0;
    while (pcap_next(&f, &p) == 1)
        if (packet_decode(p.bytes, p.captured, &packet) == 0)
            for (size_t i = 0; i < packet.payload.len; i++)
                sum += (unsigned char)packet.payload.at[i];
    (void)sum; /* read for the sanitizers' sake */
    return 0;
}
