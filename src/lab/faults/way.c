/* way.c - what lies between: a router that translates addresses, a second server, and
 * captures that miss something. */
#include <signal.h>
#include <string.h>

#include "lab/faults/faults.h"

/* Of the captures of a stage: the server's is the first, then those of phones. */
enum { SERVER_SNIFFER, PHONE_SNIFFER };

/* -- address translation -------------------------------------------------------------------- */

/* Behind the router nothing but the registration passes: TFTP answers from ports of its own. */
static void behind_router(struct lab_play *p, enum lab_moment moment)
{
    struct stage *s = &p->stage;

    if (moment != LAB_BEFORE)
        return;
    p->keepalive_s = 5;
    p->phone->typed_address = p->phone->translated = true;
    lab_option(p, "--server");
    lab_option(p, LAB_ADDRESS);
    lab_option(p, "--no-files");
    stage_expect(s, network_translate(&s->network, p->phone->port, p->phone->mac) == 0,
                 "a router with NAT is in the phone's cable");
    sniffer_close(s->sniffers[PHONE_SNIFFER]); /* the cable is another one */
    stage_expect(s,
                 sniffer_open(network_phone(&s->network, p->phone->port).s, "eth0",
                              s->captures[PHONE_SNIFFER], &s->sniffers[PHONE_SNIFFER]) == 0,
                 "capture on the new cable");
}

void fault_nat_healthy(struct lab_play *p, enum lab_moment moment)
{
    behind_router(p, moment);
    if (moment == LAB_WIRED)
        lab_nft(p, network_router(&p->stage.network),
                "table ip lab { chain out { type nat hook postrouting priority 100; "
                "oifname eth0 masquerade; }; }");
}

/* What the router does not know any more it answers by a reset, as home routers do. */
void fault_nat_real(struct lab_play *p, enum lab_moment moment)
{
    behind_router(p, moment);
    if (moment == LAB_WIRED)
        lab_nft(p, network_router(&p->stage.network),
                "table ip lab { ct timeout short { protocol tcp; policy = { established: 3 }; }; "
                "chain first { type filter hook prerouting priority -150; "
                "ct timeout set \"short\"; }; "
                "chain pass { type filter hook forward priority 0; "
                "ct state new tcp flags & (syn | ack) != syn reject with tcp reset; }; "
                "chain out { type nat hook postrouting priority 100; "
                "oifname eth0 masquerade; }; }");
}

/* -- a second server ------------------------------------------------------------------------ */

static struct office second;

/* It knows nothing of the first one; the first one's files name both. */
static void with_second(struct lab_play *p, enum lab_moment moment)
{
    struct stage *s = &p->stage;

    if (moment == LAB_BEFORE) {
        stage_expect(s, office_open_node(&second, &s->network, s->folder, 2) == 0,
                     "a namespace for a second server");
        stage_expect(s, switch_add_node(s->wire, &s->network, 2) == 0, "it is at the switch");
        second.settings[0] = "dhcp.interfaces=";
        second.settings[1] = "cdp.interfaces=";
        stage_watch(s, &second.server);
    }
    if (moment == LAB_WIRED)
        stage_expect(
            s,
            office_start(&second) == 0 &&
                office_do(&second, "phone", "add", p->phone->name.s, "model=7961", "lines=7001",
                          NULL) == 0 &&
                office_do(&s->office, "node", "join", "cm2", "server=" LAB_SUBNET "2", NULL) == 0 &&
                office_do(&s->office, "group", "set", "Default", "members=lab;cm2", NULL) == 0,
            "the second server is ready, and in the group");
}

void fault_registered_elsewhere(struct lab_play *p, enum lab_moment moment)
{
    with_second(p, moment);
    if (moment == LAB_BEFORE) {
        lab_setting(p, "sccp.port=0");
        lab_setting(p, "sip.port=0");
    }
}

/* The first server's connections are reset, and for a while it takes none. */
static bool refuse_first(struct rule *r, struct passing *p)
{
    return *(const bool *)r->context ? act_reset(r, p) : true;
}

static bool is_of_first(const struct packet *k)
{
    static const uint8_t address[] = {10, 99, 0, 1};

    return k->to.port == 2000 && memcmp(k->to.ip.bytes, address, 4) == 0;
}

void fault_toggle(struct lab_play *p, enum lab_moment moment)
{
    static bool away;

    with_second(p, moment);
    if (moment == LAB_BEFORE) {
        lab_option(p, "--clock-rate");
        lab_option(p, "12");
    }
    if (moment == LAB_WIRED) {
        away = false;
        LAB_RULE(p, .act = refuse_first, .side = SIDE_PHONE, .kind = PACKET_TCP,
                 .fits = is_of_first, .context = &away);
    }
    for (unsigned i = 0; moment == LAB_REGISTERED && i < 4; i++) {
        away = i % 2 == 0;
        stage_wait(&p->stage, away ? 8000 : 25000, lab_never, NULL);
    }
}

/* -- captures ------------------------------------------------------------------------------- */

void fault_capture_loss(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->keepalive_s = 2;
    if (moment == LAB_WIRED)
        sniffer_spoil(p->stage.sniffers[SERVER_SNIFFER], 9, false);
}

void fault_capture_one_sided(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->keepalive_s = 2;
    if (moment == LAB_WIRED)
        sniffer_spoil(p->stage.sniffers[PHONE_SNIFFER], 0, true);
}
