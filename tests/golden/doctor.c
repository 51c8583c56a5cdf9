/* doctor.c - stories of phones, made into packets and told by the doctor as whole reports.
 *
 * A line of a story is something that happens between the phone SEP001D45AABBCC (10.0.0.16) and the server 10.0.0.1:
 *
 *   report [text|story|json|html] [en|fr|zh]    what is made of it
 *   both                             two captures, at the phone's end and 5 ms later at the server's
 *   lose up | down | none            from now on what the phone, or the server, sends does not come to the other end
 *   unmark                           from now on marks (DSCP) are gone at the server's end
 *   phone N                          another phone speaks from now on: 0 to 9 more than the first
 *   wait SECONDS
 *   cdp VLAN | none                  the phone announces itself, the switch answers
 *   dhcp TYPE [150]                  discover, offer, request, ack, nak; with option 150
 *   ask NAME; missing NAME; file NAME CONTENT
 *   syn; rst; connect                to port 2000 (or 5060, after `sip`)
 *   register; accept; complete; reject TEXT; keepalive; answer; unregister; reset
 *   sip; > LINE…; < LINE…            a message of SIP over UDP, lines divided by '|' */
#include "golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "doctor/pair/pair.h"
#include "doctor/report/tell.h"
#include "doctor/told.h"
#include "wire/boot/cdp.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/ethernet.h"
#include "wire/capture/pcap_write.h"
#include "wire/sccp/message.h"

#define SERVER_IP  0x0a000001
#define SERVER_MAC 0x001b2b112233ull

#define MARK_AT 15 /* of a frame: the octet with the DSCP */

enum { TO_SERVER, TO_PHONE };

struct play {
    FILE *files[2]; /* of both ends; NULL: there is one capture */
    char paths[2][32];
    bool lost[2], unmarked;
    struct capture *capture;
    struct timeline *timeline;
    struct tell_options how;
    int64_t now_ns;
    uint64_t number;
    unsigned phone; /* 0 … 9 */
    uint16_t port;  /* of the phone, for what comes next */
    uint32_t seq[10][2];
    uint16_t connection[10];
};

static struct mac phone_mac(const struct play *p)
{
    return mac_of_number(0x001d45aabbccull + p->phone);
}

static uint32_t phone_ip(const struct play *p)
{
    return 0x0a000010u + p->phone;
}

static void write_frame(FILE *f, int64_t time_ns, const void *bytes, size_t len)
{
    uint8_t block[4096 + PCAP_WRITE_BLOCK];
    struct writer w = writer_of(block, sizeof(block));

    pcap_write_frame(&w, &(struct pcap_frame){.time_ns = (uint64_t)time_ns, .bytes = {bytes, len}});
    fwrite(block, 1, writer_len(&w), f);
}

static bool is_up(const uint8_t *frame)
{
    struct mac from;

    memcpy(from.bytes, frame + 6, sizeof(from.bytes));
    return mac_number(from) >> 8 != SERVER_MAC >> 8;
}

/* At the sender's end, and after a while at the other's. */
static void see_twice(struct play *p, uint8_t *bytes, size_t len)
{
    bool up = is_up(bytes);

    write_frame(p->files[!up], p->now_ns, bytes, len);
    if (up && p->unmarked)
        bytes[MARK_AT] = 0;
    if (!p->lost[up ? TO_SERVER : TO_PHONE])
        write_frame(p->files[up], p->now_ns + 5000000, bytes, len);
    p->now_ns += 10000000;
}

static void see_frame(struct play *p, void *bytes, size_t len)
{
    if (p->files[0]) {
        see_twice(p, bytes, len);
        return;
    }
    struct record r = {.time_ns = p->now_ns,
                       .link_type = 1,
                       .bytes = bytes,
                       .captured = (uint32_t)len,
                       .original = (uint32_t)len};

    capture_packet(p->capture, &r, ++p->number);
    p->now_ns += 1000000;
}

/* ---- packets ---- */

static void send_ip(struct play *p, bool from_phone, uint8_t protocol, const void *body, size_t len)
{
    struct mac server = mac_of_number(SERVER_MAC);
    struct ethernet e = {.from = from_phone ? phone_mac(p) : server,
                         .to = from_phone ? server : phone_mac(p),
                         .type = ETHERNET_IPV4};
    uint8_t frame[4096];
    struct writer w = writer_of(frame, sizeof(frame));

    ethernet_write(&w, &e);
    write_be16(&w, 0x4560);
    write_be16(&w, (uint16_t)(20 + len));
    write_be32(&w, (uint32_t)p->number << 16);
    write_u8(&w, 64);
    write_u8(&w, protocol);
    write_be16(&w, 0);
    write_be32(&w, from_phone ? phone_ip(p) : SERVER_IP);
    write_be32(&w, from_phone ? SERVER_IP : phone_ip(p));
    write_bytes(&w, body, len);
    see_frame(p, frame, writer_len(&w));
}

static void send_udp(struct play *p, bool from_phone, uint16_t phone, uint16_t server, const void *body, size_t len)
{
    uint8_t bytes[2048];
    struct writer w = writer_of(bytes, sizeof(bytes));

    write_be16(&w, from_phone ? phone : server);
    write_be16(&w, from_phone ? server : phone);
    write_be16(&w, (uint16_t)(8 + len));
    write_be16(&w, 0);
    write_bytes(&w, body, len);
    send_ip(p, from_phone, 17, bytes, writer_len(&w));
}

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static void send_tcp(struct play *p, bool from_phone, uint8_t flags, const void *body, size_t len)
{
    uint32_t *seq = p->seq[p->phone];
    uint16_t phone = p->connection[p->phone];
    uint8_t bytes[4096];
    struct writer w = writer_of(bytes, sizeof(bytes));

    write_be16(&w, from_phone ? phone : 2000);
    write_be16(&w, from_phone ? 2000 : phone);
    write_be32(&w, seq[!from_phone]);
    write_be32(&w, flags & ACK ? seq[from_phone] : 0);
    write_u8(&w, 0x50);
    write_u8(&w, flags);
    write_be16(&w, 8192);
    write_be32(&w, 0);
    write_bytes(&w, body, len);
    seq[!from_phone] += (uint32_t)len + ((flags & (SYN | FIN)) != 0);
    send_ip(p, from_phone, 6, bytes, writer_len(&w));
}

static void send_sccp(struct play *p, const struct sccp_message *m)
{
    uint8_t bytes[4096];
    struct writer w = writer_of(bytes, sizeof(bytes));
    bool from_phone = sccp_message_from(m->id) == SCCP_FROM_PHONE;

    sccp_encode(m, 11, &w);
    send_tcp(p, from_phone, PSH | ACK, bytes, writer_len(&w));
    if (!p->lost[from_phone ? TO_SERVER : TO_PHONE])
        send_tcp(p, !from_phone, ACK, NULL, 0);
}

static void say_sccp(struct play *p, uint32_t id)
{
    static struct sccp_message m;

    memset(&m, 0, sizeof(m));
    m.id = id;
    if (id == SCCP_REGISTER_ACK)
        m.register_ack.keepalive_s = 30;
    if (id == SCCP_RESET)
        m.reset.kind = SCCP_RESET_FULL;
    send_sccp(p, &m);
}

/* ---- what a line says ---- */

static void play_cdp(struct play *p, struct text vlan)
{
    struct cdp phone = {.from = phone_mac(p), .protocol = 2, .ttl = 180},
               box = {.from = mac_of_number(SERVER_MAC + 1), .protocol = 2, .ttl = 180};
    uint32_t number;
    uint8_t frame[1600];
    int n;

    cdp_set_platform(&phone, TEXT("Cisco IP Phone 7961"));
    cdp_set_capabilities(&phone, CDP_CAPABLE_PHONE | CDP_CAPABLE_HOST);
    cdp_set_version(&phone, TEXT("SCCP41.9-4-2SR3-1S"));
    if ((n = cdp_encode(&phone, frame, sizeof(frame))) > 0)
        see_frame(p, frame, (size_t)n);
    cdp_set_device_id(&box, TEXT("switch4"));
    cdp_set_port_id(&box, TEXT("Fa0/7"));
    if (text_to_u32(vlan, 10, &number) == 0)
        cdp_set_voice_vlan(&box, (struct cdp_voice){1, (uint16_t)number});
    if ((n = cdp_encode(&box, frame, sizeof(frame))) > 0)
        see_frame(p, frame, (size_t)n);
}

static void play_dhcp(struct play *p, struct text words)
{
    static const struct {
        const char *word;
        enum dhcp_type type;
    } types[] = {{"discover", DHCP_DISCOVER},
                 {"offer", DHCP_OFFER},
                 {"request", DHCP_REQUEST},
                 {"ack", DHCP_ACK},
                 {"nak", DHCP_NAK}};
    static struct dhcp_message m;
    struct text word = text_split(&words, ' ');
    enum dhcp_type type = DHCP_DISCOVER;
    uint8_t bytes[1500];
    bool asks;
    int n;

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        type = text_is(word, types[i].word) ? types[i].type : type;
    asks = type == DHCP_DISCOVER || type == DHCP_REQUEST;
    dhcp_init(&m, asks ? DHCP_BOOTREQUEST : DHCP_BOOTREPLY, 7 + p->phone, phone_mac(p));
    dhcp_set_type(&m, type);
    if (type == DHCP_REQUEST)
        dhcp_set_requested_ip(&m, phone_ip(p));
    if (asks) {
        dhcp_set_vendor_class(&m, TEXT("Cisco Systems, Inc. IP Phone CP-7961G"));
    } else {
        dhcp_set_server_id(&m, SERVER_IP);
        m.yiaddr = type == DHCP_NAK ? 0 : phone_ip(p);
        dhcp_set_subnet_mask(&m, 0xffffff00);
        dhcp_set_routers(&m, (struct dhcp_addresses){1, {0x0a0000fe}});
        if (text_is(text_trim(words), "150"))
            dhcp_set_tftp_servers(&m, (struct dhcp_addresses){1, {SERVER_IP}});
    }
    if ((n = dhcp_encode(&m, bytes, sizeof(bytes))) > 0)
        send_udp(p, asks, 68, 67, bytes, (size_t)n);
}

static void ask_file(struct play *p, struct text name)
{
    uint8_t bytes[256];
    struct writer w = writer_of(bytes, sizeof(bytes));

    write_be16(&w, 1);
    write_text(&w, name);
    write_u8(&w, 0);
    write_text(&w, TEXT("octet\0"));
    send_udp(p, true, ++p->port, 69, bytes, writer_len(&w));
}

static void answer_file(struct play *p, uint16_t op, uint16_t number, struct text content)
{
    uint8_t bytes[600];
    struct writer w = writer_of(bytes, sizeof(bytes));

    write_be16(&w, op);
    write_be16(&w, number);
    write_text(&w, content);
    send_udp(p, op == 4, p->port, 40001, bytes, writer_len(&w));
}

static void play_file(struct play *p, struct text words)
{
    struct text name = text_split(&words, ' ');

    ask_file(p, name);
    answer_file(p, 3, 1, words);
    answer_file(p, 4, 1, (struct text){0});
}

static void play_register(struct play *p)
{
    static struct sccp_message m;
    char name[MAC_TEXT_MAX];

    memset(&m, 0, sizeof(m));
    m.id = SCCP_REGISTER_REQ;
    snprintf(m.register_req.device_name, sizeof(m.register_req.device_name), "SEP%012llX",
             (unsigned long long)mac_number(mac_of_number(0x001d45aabbccull + p->phone)));
    mac_print(phone_mac(p), name);
    m.register_req.address = ip_v4(phone_ip(p));
    m.register_req.device_type = 30018;
    m.register_req.protocol = 11;
    send_sccp(p, &m);
}

static void play_reject(struct play *p, struct text words)
{
    static struct sccp_message m;

    memset(&m, 0, sizeof(m));
    m.id = SCCP_REGISTER_REJECT;
    text_copy(m.register_reject.text, sizeof(m.register_reject.text), words);
    send_sccp(p, &m);
}

static void play_sip(struct play *p, bool from_phone, struct text words)
{
    char bytes[2048];
    struct writer w = writer_of(bytes, sizeof(bytes));

    while (words.at) {
        write_text(&w, text_split(&words, '|'));
        write_text(&w, TEXT("\r\n"));
    }
    write_text(&w, TEXT("Content-Length: 0\r\n\r\n"));
    send_udp(p, from_phone, 5060, 5060, bytes, writer_len(&w));
}

static void play_open(struct play *p)
{
    p->connection[p->phone] = ++p->port;
    p->seq[p->phone][0] = 1000;
    p->seq[p->phone][1] = 5000;
    send_tcp(p, true, SYN, NULL, 0);
}

static void play_connect(struct play *p)
{
    play_open(p);
    send_tcp(p, false, SYN | ACK, NULL, 0);
    send_tcp(p, true, ACK, NULL, 0);
}

static void play_report(struct play *p, struct text words)
{
    struct text shape = text_split(&words, ' ');

    p->how.verbose = text_is(shape, "story") || text_is(shape, "json");
    p->how.shape = text_is(shape, "json") ? SHAPE_JSON : text_is(shape, "html") ? SHAPE_HTML : SHAPE_TEXT;
    language_named(words, &p->how.language);
}

static void play_complete(struct play *p)
{
    say_sccp(p, SCCP_CAPABILITIES_REQ);
    say_sccp(p, SCCP_CAPABILITIES_RES);
    say_sccp(p, SCCP_TIME_DATE_REQ);
    say_sccp(p, SCCP_DEFINE_TIME_DATE);
}

static int play_both(struct play *p)
{
    uint8_t bytes[PCAP_WRITE_BLOCK];

    for (int i = 0; i < 2; i++) {
        struct writer w = writer_of(bytes, sizeof(bytes));

        strcpy(p->paths[i], "/tmp/story-XXXXXX");
        if (!(p->files[i] = fdopen(mkstemp(p->paths[i]), "wb")))
            return -errno;
        pcap_write_section(&w, TEXT(""), TEXT(""));
        pcap_write_interface(&w, PCAP_WRITE_ETHERNET, TEXT(""));
        fwrite(bytes, 1, writer_len(&w), p->files[i]);
    }
    return 0;
}

static void play_lose(struct play *p, struct text which)
{
    p->lost[TO_SERVER] = text_is(which, "up");
    p->lost[TO_PHONE] = text_is(which, "down");
}

/* 0, or -EINVAL. */
static int play_line(struct play *p, struct text line)
{
    struct text rest = line, verb = text_split(&rest, ' ');
    static const struct {
        const char *verb;
        uint32_t id;
    } messages[] = {{"accept", SCCP_REGISTER_ACK}, {"keepalive", SCCP_KEEPALIVE},
                    {"answer", SCCP_KEEPALIVE_ACK}, {"unregister", SCCP_UNREGISTER},
                    {"reset", SCCP_RESET}};
    uint32_t number;

    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
        if (text_is(verb, messages[i].verb))
            return say_sccp(p, messages[i].id), 0;
    if (text_is(verb, "both"))
        return play_both(p);
    if (text_is(verb, "lose"))
        play_lose(p, rest);
    else if (text_is(verb, "unmark"))
        p->unmarked = true;
    else if (text_is(verb, "report"))
        play_report(p, rest);
    else if (text_is(verb, "phone") && text_to_u32(rest, 10, &number) == 0 && number < 10)
        p->phone = number;
    else if (text_is(verb, "wait") && text_to_u32(rest, 10, &number) == 0)
        p->now_ns += number * 1000000000ll;
    else if (text_is(verb, "cdp"))
        play_cdp(p, rest);
    else if (text_is(verb, "dhcp"))
        play_dhcp(p, rest);
    else if (text_is(verb, "ask"))
        ask_file(p, rest);
    else if (text_is(verb, "missing"))
        ask_file(p, rest), answer_file(p, 5, 1, TEXT("File not found\0"));
    else if (text_is(verb, "file"))
        play_file(p, rest);
    else if (text_is(verb, "syn"))
        play_open(p);
    else if (text_is(verb, "rst"))
        send_tcp(p, false, RST | ACK, NULL, 0);
    else if (text_is(verb, "connect"))
        play_connect(p);
    else if (text_is(verb, "register"))
        play_register(p);
    else if (text_is(verb, "complete"))
        play_complete(p);
    else if (text_is(verb, "reject"))
        play_reject(p, rest);
    else if (text_is(verb, ">") || text_is(verb, "<"))
        play_sip(p, text_is(verb, ">"), rest);
    else
        return -EINVAL;
    return 0;
}

static void see_end(void *context, const struct sight *s)
{
    struct timeline **ends = context;

    timeline_see(ends[s->at.capture == 1], s);
}

/* As `dialtone doctor A --with B`. */
static char *tell_both(struct play *p)
{
    const char *files[2] = {p->paths[0], p->paths[1]};
    struct timeline *ends[2] = {p->timeline, timeline_new()};
    struct pair *pair = NULL;
    char *report = NULL;
    int which;
    size_t n_ill;

    for (int i = 0; i < 2; i++)
        fclose(p->files[i]);
    if (ends[1] && pair_read(files, &(struct capture_options){0}, see_end, ends, &pair, &which) == 0) {
        timeline_end(ends[0], p->now_ns);
        timeline_end(ends[1], 0);
        p->how.files[1] = "server.pcap";
        p->how.n_files = 2;
        report = tell(ends[0], &p->how, &(struct diagnose_options){.other = ends[1], .pair = pair}, &n_ill);
    }
    for (int i = 0; i < 2; i++)
        unlink(p->paths[i]);
    pair_free(pair);
    timeline_free(ends[1]);
    return report;
}

static char *tell_one(struct play *p)
{
    size_t n_ill;

    capture_end(p->capture);
    timeline_end(p->timeline, p->now_ns);
    return tell(p->timeline, &p->how, NULL, &n_ill);
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    static const struct capture_options options;
    struct play p = {.timeline = timeline_new(),
                     .now_ns = 1700000000ll * 1000000000,
                     .port = 50000,
                     .how = {.files = {"story.pcap"}, .n_files = 1}};
    struct text rest = {(const char *)bytes, len};
    int err = -ENOMEM;
    char *report;

    if (!p.timeline || !(p.capture = capture_new(&options, timeline_see, p.timeline)))
        goto out;
    for (err = 0; rest.at && !err;) {
        struct text line = text_trim(text_split(&rest, '\n'));

        err = line.len && line.at[0] != '#' ? play_line(&p, line) : 0;
        if (err)
            fprintf(stderr, "%s: %.*s\n", name, TEXT_ARG(line));
    }
    if (!err && (report = p.files[0] ? tell_both(&p) : tell_one(&p))) {
        write_string(w, report);
        free(report);
    }
out:
    capture_free(p.capture);
    timeline_free(p.timeline);
    return err;
}

int main(int argc, char **argv)
{
    return golden_run(argc, argv, print);
}
