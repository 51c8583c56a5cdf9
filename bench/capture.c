/* capture.c - writes a capture of many phones to standard output: each boots (DHCP, TFTP, SCCP
 * registration over TCP), then keeps itself alive every 30 s; some keepalives are sent twice, one
 * phone in twenty talks (RTP).
 *
 *   bench_capture --phones 10000 --bytes 1000000000 > phones.pcap     --silent: nobody talks
 *   --half 0, --half 1: every other packet, so that two captures together are the whole one
 *
 * One keepalive interval is divided into a slot for each phone, so packets come in the order of
 * their times. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/boot/datagram.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/tftp.h"
#include "wire/capture/packet.h"
#include "wire/capture/pcap_write.h"
#include "wire/sccp/message.h"

#define INTERVAL_NS  30000000000ull
#define SERVER       0x0a000001u
#define FIRST_PHONE  0x0a010000u
#define TALKS_EACH   20
#define TWICE_EACH   100
#define RTP_EACH_NS  10000000ull /* both directions of a call, 50 packets/s each */
#define SCCP_VERSION 17
#define WHOLE        2 /* neither half */

struct phone {
    uint32_t sequence, acknowledged; /* what phone and server send next */
    uint16_t ip_id;
};

static struct phone *phones;
static char configuration[4 * 512 + 100]; /* of every phone, as TFTP sends it */
static uint64_t now_ns = 1700000000000000000ull, written, n_frames, half = WHOLE;

static void put_frame(const uint8_t *frame, size_t len)
{
    uint8_t block[2048 + PCAP_WRITE_BLOCK];
    struct writer w = writer_of(block, sizeof(block));

    pcap_write_frame(&w, &(struct pcap_frame){.time_ns = now_ns, .bytes = {(const char *)frame, len}});
    if (half == WHOLE || n_frames++ % 2 == half)
        fwrite(block, 1, writer_len(&w), stdout);
    written += writer_len(&w);
    now_ns += 2000;
}

static struct mac mac_of(uint32_t ip)
{
    return mac_of_number(0x001122000000ull | (ip & 0xffffff));
}

static void put_udp(uint32_t from, uint16_t from_port, uint32_t to, uint16_t to_port,
                    const void *bytes, size_t len)
{
    uint8_t frame[1600];
    struct datagram d = {.to_mac = mac_of(to),
                         .from_mac = mac_of(from),
                         .to = to,
                         .from = from,
                         .to_port = to_port,
                         .from_port = from_port,
                         .payload = {bytes, len}};
    int n = datagram_encode(&d, frame, sizeof(frame));

    if (n > 0)
        put_frame(frame, (size_t)n);
}

/* From phone `i` to its server, or the other way. */
static void put_tcp(uint32_t i, bool up, uint8_t flags, const void *bytes, size_t len)
{
    uint8_t frame[1600];
    struct writer w = writer_of(frame, sizeof(frame));
    struct phone *p = &phones[i];
    uint32_t phone = FIRST_PHONE + i, from = up ? phone : SERVER, to = up ? SERVER : phone;
    uint16_t port = (uint16_t)(49152 + i % 10000);

    ethernet_write(
        &w, &(struct ethernet){.to = mac_of(to), .from = mac_of(from), .type = ETHERNET_IPV4});
    write_be16(&w, 0x4560); /* DSCP 24 */
    write_be16(&w, (uint16_t)(40 + len));
    write_be16(&w, p->ip_id++);
    write_be16(&w, 0x4000);
    write_be16(&w, 64 << 8 | PROTOCOL_TCP);
    write_be16(&w, 0);
    write_be32(&w, from);
    write_be32(&w, to);
    write_be16(&w, up ? port : 2000);
    write_be16(&w, up ? 2000 : port);
    write_be32(&w, up ? p->sequence : p->acknowledged);
    write_be32(&w, up ? p->acknowledged : p->sequence);
    write_be16(&w, 0x5000 | flags);
    write_be16(&w, 8192);
    write_be32(&w, 0);
    write_bytes(&w, bytes, len);
    *(up ? &p->sequence : &p->acknowledged) += (uint32_t)len + (flags & PACKET_SYN ? 1 : 0);
    put_frame(frame, writer_len(&w));
}

static void put_message(uint32_t i, bool up, uint32_t id, const void *body)
{
    uint8_t bytes[SCCP_FRAME_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));

    if (sccp_encode_body(id, body, SCCP_VERSION, &w) == 0)
        put_tcp(i, up, PACKET_ACK | 0x08, bytes, writer_len(&w));
    put_tcp(i, !up, PACKET_ACK, NULL, 0);
}

static void make_configuration(void)
{
    static const char *const start =
        "<device><devicePool><callManagerGroup><members><member "
        "priority=\"0\"><callManager><name>10.0.0.1</name><ports>"
        "<ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</"
        "processNodeName></callManager></member>"
        "</members></callManagerGroup></devicePool><loadInformation></loadInformation>";

    memset(configuration, ' ', sizeof(configuration));
    memcpy(configuration, start, strlen(start));
    memcpy(configuration + sizeof(configuration) - 10, "</device>\n", 10);
}

static void boot(uint32_t i)
{
    uint8_t bytes[1500];
    struct dhcp_message m;
    struct writer w = writer_of(bytes, sizeof(bytes));
    uint32_t phone = FIRST_PHONE + i;
    char name[40];
    struct sccp_register_req request = {.device_type = 437, .protocol = SCCP_VERSION};
    static const uint8_t types[] = {DHCP_DISCOVER, DHCP_OFFER, DHCP_REQUEST, DHCP_ACK};

    for (int k = 0; k < 4; k++) {
        dhcp_init(&m, k & 1 ? DHCP_BOOTREPLY : DHCP_BOOTREQUEST, i + 1, mac_of(phone));
        dhcp_set_type(&m, types[k]);
        m.yiaddr = k & 1 ? phone : 0;
        if (k & 1) {
            dhcp_set_server_id(&m, SERVER);
            dhcp_set_subnet_mask(&m, 0xff000000);
            dhcp_set_tftp_servers(&m, (struct dhcp_addresses){1, {SERVER}});
        }
        put_udp(k & 1 ? SERVER : 0, k & 1 ? 67 : 68, k & 1 ? phone : 0xffffffff, k & 1 ? 68 : 67,
                bytes, (size_t)dhcp_encode(&m, bytes, sizeof(bytes)));
    }
    snprintf(name, sizeof(name), "SEP%012llX.cnf.xml",
             (unsigned long long)mac_number(mac_of(phone)));
    tftp_write_request(&w, TFTP_RRQ, text_of(name), TFTP_OCTET, NULL);
    put_udp(phone, (uint16_t)(20000 + i % 10000), SERVER, 69, bytes, writer_len(&w));
    for (uint16_t block = 1; block <= 5; block++) {
        w = writer_of(bytes, sizeof(bytes));
        tftp_write_data(&w, block, configuration + (block - 1) * 512, block == 5 ? 100 : 512);
        put_udp(SERVER, 30000, phone, (uint16_t)(20000 + i % 10000), bytes, writer_len(&w));
        w = writer_of(bytes, sizeof(bytes));
        tftp_write_ack(&w, block);
        put_udp(phone, (uint16_t)(20000 + i % 10000), SERVER, 30000, bytes, writer_len(&w));
    }
    name[15] = 0;
    phones[i].sequence = i * 77777;
    phones[i].acknowledged = i * 33333;
    put_tcp(i, true, PACKET_SYN, NULL, 0);
    put_tcp(i, false, PACKET_SYN | PACKET_ACK, NULL, 0);
    put_tcp(i, true, PACKET_ACK, NULL, 0);
    snprintf(request.device_name, sizeof(request.device_name), "%.15s", name);
    put_message(i, true, SCCP_REGISTER_REQ, &request);
    put_message(i, false, SCCP_REGISTER_ACK,
                &(struct sccp_register_ack){.keepalive_s = 30, .protocol = SCCP_VERSION});
    put_message(i, false, SCCP_CAPABILITIES_REQ, &(struct sccp_capabilities_req){});
    put_message(i, true, SCCP_CAPABILITIES_RES, &(struct sccp_capabilities_res){});
    put_message(i, true, SCCP_BUTTON_TEMPLATE_REQ, &(struct sccp_button_template_req){});
    put_message(i, false, SCCP_BUTTON_TEMPLATE, &(struct sccp_button_template){});
    put_message(i, true, SCCP_LINE_STAT_REQ, &(struct sccp_line_stat_req){.line = 1});
    put_message(i, false, SCCP_LINE_STAT, &(struct sccp_line_stat){.line = 1, .number = "7001"});
}

static void keep_alive(uint32_t i, uint64_t round)
{
    if ((i + round) % TWICE_EACH == 0) {
        struct phone before = phones[i];

        put_message(i, true, SCCP_KEEPALIVE, &(struct sccp_keepalive){});
        phones[i].sequence = before.sequence;
        now_ns += 1000000;
    }
    put_message(i, true, SCCP_KEEPALIVE, &(struct sccp_keepalive){});
    put_message(i, false, SCCP_KEEPALIVE_ACK, &(struct sccp_keepalive_ack){});
}

static void talk(uint32_t n)
{
    static uint32_t next;
    uint8_t rtp[172] = {0x80};

    for (; n; n--, next++) {
        uint32_t phone = FIRST_PHONE + next / 2 * TALKS_EACH % 0x10000;

        rtp[3] = (uint8_t)next;
        put_udp(next & 1 ? SERVER : phone, 20480, next & 1 ? phone : SERVER, 20480, rtp,
                sizeof(rtp));
    }
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"phones", required_argument, NULL, 'p'},
                                          {"bytes", required_argument, NULL, 'b'},
                                          {"silent", no_argument, NULL, 's'},
                                          {"half", required_argument, NULL, 'h'},
                                          {0}};
    uint64_t n = 10000, bytes = 1000000000, slot_ns, start_ns;
    uint8_t head[PCAP_WRITE_BLOCK];
    struct writer w = writer_of(head, sizeof(head));
    bool silent = false;
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if (c == 's')
            silent = true;
        else
            *(c == 'p' ? &n : c == 'h' ? &half : &bytes) = strtoull(optarg, NULL, 10);
    phones = calloc(n, sizeof(*phones));
    slot_ns = INTERVAL_NS / n;
    make_configuration();
    pcap_write_section(&w, TEXT("bench_capture"), TEXT(""));
    pcap_write_interface(&w, PCAP_WRITE_ETHERNET, TEXT("eth0"));
    fwrite(head, 1, writer_len(&w), stdout);
    for (uint64_t slot = 0; phones && written < bytes; slot++) {
        start_ns = now_ns;
        if (slot < n)
            boot((uint32_t)slot);
        else
            keep_alive((uint32_t)(slot % n), slot / n);
        if (!silent)
            talk((uint32_t)((slot < n ? slot : n) / TALKS_EACH * slot_ns / RTP_EACH_NS));
        if (now_ns - start_ns < slot_ns)
            now_ns = start_ns + slot_ns;
    }
    free(phones);
    return 0;
}
