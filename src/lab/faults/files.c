/* files.c - faults of the file server, of files and of firmware. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lab/faults/faults.h"
#include "wire/boot/tftp.h"

#define UDP_BODY  42
#define DATA_HEAD 4
#define IP_SOURCE 26

static bool is_op(const struct packet *k, enum tftp_op op)
{
    struct tftp_packet t;

    return k->kind == PACKET_UDP && k->from.port != 53 && k->from.port != 67 &&
           tftp_parse(k->payload.at, k->payload.len, &t) == 0 && t.op == op;
}

static bool is_data(const struct packet *k)
{
    return is_op(k, TFTP_DATA);
}

static bool is_acknowledgement(const struct packet *k)
{
    return is_op(k, TFTP_ACK);
}

#define REQUEST .side = SIDE_PHONE, .kind = PACKET_UDP, .to = TFTP_PORT
#define BLOCK   .side = SIDE_SERVER, .kind = PACKET_UDP, .fits = is_data

/* -- the service ---------------------------------------------------------------------------- */

void fault_tftp_closed(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE) {
        lab_setting(p, "tftp.port=0");
        lab_setting(p, "files.http_port=0");
    }
}

static bool asks_http(const struct packet *k)
{
    return k->to.port == 6970 || k->from.port == 6970;
}

void fault_tftp_filtered(struct lab_play *p, enum lab_moment moment)
{
    if (moment != LAB_WIRED)
        return;
    LAB_RULE(p, .act = act_drop, REQUEST);
    LAB_RULE(p, .act = act_drop, .kind = PACKET_TCP, .fits = asks_http);
}

void fault_tftp_name_silent(struct lab_play *p, enum lab_moment moment)
{
    /* Behind the server's own capture: "SEP" at the beginning of the name, after the opcode. */
    if (moment == LAB_WIRED)
        lab_nft(p, network_server(&p->stage.network),
                "table ip lab { chain in { type filter hook input priority 0; "
                "udp dport 69 @th,80,24 0x534550 drop; }; }");
}

void fault_tftp_one_way(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, .side = SIDE_PHONE, .kind = PACKET_UDP,
                 .fits = is_acknowledgement);
}

void fault_tftp_answers_lost(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, BLOCK);
}

/* Each block comes with its second sending. */
static bool drop_every_second(struct rule *r, struct passing *p)
{
    return r->n % 2 == 0;
}

static bool is_answer(const struct packet *k)
{
    return is_data(k) || is_op(k, TFTP_ERROR) || is_op(k, TFTP_OACK);
}

/* The server's other interface, which nobody asked. */
static bool come_from_elsewhere(struct rule *r, struct passing *p)
{
    p->frame[IP_SOURCE + 3] = (uint8_t)r->value;
    frame_seal(p->frame, p->len);
    return true;
}

void fault_tftp_other_address(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = come_from_elsewhere, .side = SIDE_SERVER, .kind = PACKET_UDP,
                 .fits = is_answer, .value = 99);
}

void fault_files_slow(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_delay, REQUEST, .value = 3000);
}

static bool refuse(struct rule *r, struct passing *p)
{
    static const char violation[] = "\0\5\0\2Access violation";

    switch_answer_udp(p, violation, sizeof(violation));
    return false;
}

void fault_file_refused(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = refuse, REQUEST, .contains = ".cnf");
}

void fault_tftp_loss(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = drop_every_second, BLOCK);
}

/* -- the phone and its file ----------------------------------------------------------------- */

void fault_unknown_phone(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->configured = NULL;
}

/* The label was typed wrong: the directory has the phone with another last digit. */
void fault_near_miss(struct lab_play *p, enum lab_moment moment)
{
    struct device_name name = p->phone->name;

    if (moment == LAB_BEFORE)
        p->configured = NULL;
    if (moment != LAB_WIRED)
        return;
    name.s[strlen(name.s) - 1] = '7';
    stage_expect(
        &p->stage,
        office_do(&p->stage.office, "phone", "add", name.s, "model=7961", "lines=7001", NULL) == 0,
        "%s stands in the directory", name.s);
}

/* -- content -------------------------------------------------------------------------------- */

static size_t block_of(const struct passing *p, const char **body)
{
    *body = p->packet.payload.at + DATA_HEAD;
    return p->packet.payload.len - DATA_HEAD;
}

/* A block that is shorter than 512 bytes is the last one (RFC 1350). */
static bool shorten(struct rule *r, struct passing *p)
{
    const char *body;

    if (block_of(p, &body) <= r->value)
        return true;
    p->len = UDP_BODY + DATA_HEAD + r->value;
    frame_seal(p->frame, p->len);
    return true;
}

/* Writes `value` over what stands at the first `contains`. */
static bool overwrite(struct rule *r, struct passing *p, const char *with)
{
    const char *body, *at;
    size_t len = block_of(p, &body);

    at = memmem(body, len, r->contains, strlen(r->contains));
    if (at) {
        memcpy(p->frame + UDP_BODY + DATA_HEAD + (at - body), with, strlen(with));
        frame_seal(p->frame, p->len);
    }
    return true;
}

static bool break_tag(struct rule *r, struct passing *p)
{
    return overwrite(r, p, "<devicePoal>");
}

static bool take_servers(struct rule *r, struct passing *p)
{
    return overwrite(r, p, ">         </proc");
}

void fault_file_truncated(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = shorten, BLOCK, .contains = "<devicePool>", .value = 400);
}

void fault_file_malformed(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = break_tag, BLOCK, .contains = "<devicePool>");
}

void fault_file_unusable(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = take_servers, BLOCK, .contains = ">10.99.0.1</proc");
}

/* -- firmware ------------------------------------------------------------------------------- */

void fault_load_missing(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->fields[0] = strcmp(p->protocol, "sip") == 0 ? "load=SIP41.9-9-9S" : "load=SCCP41.9-9-9S";
}

static bool write_file(struct lab_play *p, const char *name, const char *text, size_t len)
{
    char path[LAB_PATH + 64];
    FILE *f;

    snprintf(path, sizeof(path), "%s/data/files", p->stage.folder);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/data/files/%s", p->stage.folder, name);
    f = fopen(path, "w");
    return f && fwrite(text, len, 1, f) == 1 && fclose(f) == 0;
}

/* A .loads file names its parts; of two one is there. */
void fault_load_part_missing(struct lab_play *p, enum lab_moment moment)
{
    static const char loads[] = "\0\0\0\x10"
                                "apps41.9-9-9.sbn\0\0\0\0"
                                "jar41sccp.9-9-9.sbn\0\0";

    if (moment == LAB_BEFORE)
        p->fields[0] = "load=SCCP41.9-9-9S";
    if (moment == LAB_WIRED)
        stage_expect(&p->stage,
                     write_file(p, "SCCP41.9-9-9S.loads", loads, sizeof(loads)) &&
                         write_file(p, "apps41.9-9-9.sbn", loads, sizeof(loads)),
                     "SCCP41.9-9-9S.loads and one of its two parts are there");
}

/* The load and its part are there; the phone never comes to run it. */
void fault_load_loop(struct lab_play *p, enum lab_moment moment)
{
    static const char loads[] = "\0\0\0\x10"
                                "apps41.9-9-9.sbn\0\0\0\0";

    if (moment == LAB_BEFORE) {
        p->fields[0] = "load=SCCP41.9-9-9S";
        lab_option(p, "--fault");
        lab_option(p, "old-load");
    }
    if (moment == LAB_WIRED)
        stage_expect(&p->stage,
                     write_file(p, "SCCP41.9-9-9S.loads", loads, sizeof(loads)) &&
                         write_file(p, "apps41.9-9-9.sbn", loads, sizeof(loads)),
                     "SCCP41.9-9-9S.loads and its part are there");
}

void fault_trust_old(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE) {
        lab_option(p, "--fault");
        lab_option(p, "old-trust");
    }
}
