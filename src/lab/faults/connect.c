/* connect.c - faults of TCP and TLS. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lab/faults/faults.h"

static bool signals(const struct packet *k)
{
    uint16_t port = k->from.port < k->to.port ? k->from.port : k->to.port;

    return k->kind == PACKET_TCP && (port == 2000 || port == 5060 || port == 2443 || port == 5061);
}

static bool has_data(const struct packet *k)
{
    return signals(k) && k->payload.len > 0;
}

static bool accepts(const struct packet *k)
{
    return signals(k) && (k->tcp_flags & (PACKET_SYN | PACKET_ACK)) == (PACKET_SYN | PACKET_ACK);
}

void fault_tcp_refused(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE) {
        lab_setting(p, "sccp.port=0");
        lab_setting(p, "sip.port=0");
    }
}

void fault_tcp_filtered(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, .side = SIDE_PHONE, .fits = signals);
}

void fault_tcp_answers_lost(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, .side = SIDE_SERVER, .fits = signals);
}

void fault_tcp_late(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_delay, .side = SIDE_SERVER, .fits = accepts, .value = 1500);
}

/* The connection goes dead for a while in the middle of the registration: each sending waits twice
 * as long. */
void fault_tcp_loss(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = act_drop, .side = SIDE_PHONE, .fits = has_data, .skip = 2, .times = 5);
}

void fault_tcp_ended(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->keepalive_s = 2;
    if (moment == LAB_REGISTERED)
        LAB_RULE(p, .act = act_reset, .side = SIDE_PHONE, .fits = has_data, .times = 1);
}

/* What the server answers becomes an alert, handshake_failure (RFC 8446 6.2): it knows none of the
 * phone's ciphers. */
static bool into_alert(struct rule *r, struct passing *p)
{
    static const uint8_t alert[] = {0x15, 3, 3, 0, 2, 2, 40};
    size_t at = (size_t)((const uint8_t *)p->packet.payload.at - p->frame);

    if (p->packet.payload.at[0] != 0x16)
        return false;
    memcpy(p->frame + at, alert, sizeof(alert));
    p->len = at + sizeof(alert);
    frame_seal(p->frame, p->len);
    return true;
}

void fault_tls_alert(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE) {
        lab_option(p, "--transport");
        lab_option(p, "tls");
        p->protocol = p->phone->protocol = "sip";
    }
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = into_alert, .side = SIDE_SERVER, .fits = has_data);
}

/* -- a closed window ------------------------------------------------------------------------ */

/* A tiny room for what comes, and nobody who reads it: the phone's keys fill it. */
void fault_tcp_window(struct lab_play *p, enum lab_moment moment)
{
    static char script[LAB_PATH + 16];
    FILE *f;

    if (moment == LAB_REGISTERED)
        lab_stop_server(p, true);
    if (moment != LAB_BEFORE)
        return;
    p->keepalive_s = 2;
    network_set_receive_room(network_server(&p->stage.network), 2304);
    snprintf(script, sizeof(script), "%s/keys", p->stage.folder);
    f = fopen(script, "w");
    if (f) {
        fputs("wait registered 60\nsleep 1\npress hook\n", f);
        for (unsigned i = 0; i < 40; i++)
            fputs("keys 123456789\nsleep 0.2\n", f);
        fputs("sleep 30\n", f);
        fclose(f);
    }
    lab_option(p, "--script");
    lab_option(p, script);
}

/* The phone stands still once it has its file; its last acknowledgement is sent for it. */
static bool stop_phone(struct rule *r, struct passing *p)
{
    const uint8_t acknowledgement[] = {0, 4, (uint8_t)p->packet.payload.at[2],
                                       (uint8_t)p->packet.payload.at[3]};

    kill(*(const pid_t *)r->context, SIGSTOP);
    switch_answer_udp(p, acknowledgement, sizeof(acknowledgement));
    return true;
}

void fault_no_server_tried(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = stop_phone, .side = SIDE_SERVER, .kind = PACKET_UDP,
                 .contains = "</device>", .context = &p->phone->process.pid);
}
