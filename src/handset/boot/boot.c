/* boot.c - the stages of a boot and what leads from one to the next; see boot.h. */
#include "handset/boot/boot.h"

#include <stdlib.h>

#include "handset/boot/stages.h"

#define LOADING_MS    1500
#define VLAN_WAIT_MS  1000
#define VLAN_TRIES    3 /* then the phone goes on untagged */
#define PROBE_WAIT_MS 200
#define PROBE_TRIES   2
#define NAME_WAIT_MS  2000
#define NAME_TRIES    3
#define AGAIN_MS      5000 /* from giving up to beginning again */

static const uint8_t asks_79xx[] = {1, 66, 6, 3, 15, 150, 35};
static const uint8_t asks_7905[] = {1, 3, 6, 15, 42, 66, 150};
static const uint8_t asks_7937[] = {1, 3, 6, 15, 35, 66, 150};
static const uint8_t asks_8841[] = {1, 42, 66, 6, 3, 15, 150, 35};
static const uint8_t asks_894x[] = {1, 3, 15, 6, 12, 35, 66, 150};

/* clang-format off */
static const struct asks_row {
    const uint8_t *codes;
    uint8_t n;
} asks[N_MODEL_GENERATIONS] = {
#define ASKS(list) {list, sizeof(list)}
    [MODEL_BUTTONS] = ASKS(asks_79xx),    [MODEL_7910] = ASKS(asks_79xx),       [MODEL_7940] = ASKS(asks_79xx),
    [MODEL_7905] = ASKS(asks_7905),       [MODEL_ATA] = ASKS(asks_7905),        [MODEL_JAVA] = ASKS(asks_79xx),
    [MODEL_WIRELESS] = ASKS(asks_7937),   [MODEL_CONFERENCE] = ASKS(asks_7937), [MODEL_LATER] = ASKS(asks_894x),
    [MODEL_SIP_ONLY] = ASKS(asks_8841),   [MODEL_SPA] = ASKS(asks_79xx),        [MODEL_GATEWAY] = ASKS(asks_79xx),
    [MODEL_MODULE] = ASKS(asks_79xx),     [MODEL_SOFT] = ASKS(asks_79xx),       [MODEL_DEVICE] = ASKS(asks_79xx),
};
/* clang-format on */

struct ip boot_tftp_server(const struct boot *b)
{
    return b->network.tftp[b->tftp_at];
}

static bool has_voice_vlan(const struct boot *b)
{
    return b->options.on_wire && b->options.model->generation != MODEL_BUTTONS;
}

/* loading */

static void loading_enter(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    b->due_ms = now_ms + (b->options.quick ? 0 : LOADING_MS);
}

static void loading_due(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    boot_go(b, has_voice_vlan(b) ? BOOT_VLAN : BOOT_ADDRESS, now_ms, fx);
}

/* VLAN: link.c hears the answer */

static void vlan_enter(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    b->vlan_known = false;
    boot_announce(b, now_ms, fx);
    b->due_ms = now_ms + VLAN_WAIT_MS;
}

static void vlan_due(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (++b->tries >= VLAN_TRIES) {
        boot_go(b, BOOT_ADDRESS, now_ms, fx);
        return;
    }
    boot_announce(b, now_ms, fx);
    b->due_ms = now_ms + VLAN_WAIT_MS;
}

/* address */

static void put_dhcp(struct boot *b, struct effects *fx, const struct writer *w)
{
    struct effect *e;

    if (!writer_len(w))
        return;
    e = effects_add(fx, EFFECT_DHCP);
    e->to = (struct endpoint){ip_v4(dhcp_client_to(&b->dhcp)), 67};
    effects_bytes(fx, e, w);
}

static void take_network(struct boot *b)
{
    const struct dhcp_lease *l = &b->dhcp.lease;
    struct network *n = &b->network;

    n->address = ip_v4(l->address);
    n->mask = ip_v4(l->mask);
    n->router = ip_v4(l->router);
    n->dns = ip_v4(l->dns);
    text_copy(n->domain, sizeof(n->domain), text_of(l->domain));
    if (n->alternate_tftp)
        return; /* typed on the phone: DHCP's is not looked at */
    n->tftp[0] = ip_v4(l->tftp[0]);
    n->tftp[1] = ip_v4(l->tftp[1]);
}

static void use_address(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    boot_go(b, b->options.on_wire ? BOOT_PROBE : BOOT_TFTP_NAME, now_ms, fx);
}

static void address_enter(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    const struct asks_row *row = &asks[b->options.model->generation];
    struct writer w = effects_writer(fx);

    b->network = b->options.stored;
    b->tftp_at = 0;
    if (!b->network.dhcp || !b->options.on_wire) {
        use_address(b, now_ms, fx);
        return;
    }
    effects_add(fx, EFFECT_ADDRESS)->number = 0;
    dhcp_client_init(&b->dhcp, b->options.mac, b->name, b->options.model->dhcp_class, row->codes,
                     row->n);
    b->transaction = b->transaction * 1664525u + 1013904223u;
    dhcp_client_start(&b->dhcp, b->transaction, now_ms, &w);
    put_dhcp(b, fx, &w);
    b->due_ms = UINT64_MAX; /* the DHCP client has its own clock */
}

/* What the DHCP client says, now or long after the boot. */
static void on_dhcp(struct boot *b, enum dhcp_client_event event, uint64_t now_ms,
                    struct effects *fx)
{
    switch (event) {
    case DHCP_CLIENT_LEASED:
        if (b->stage != BOOT_ADDRESS)
            effects_text(fx, EFFECT_STATUS, "IP address changed");
        take_network(b);
        use_address(b, now_ms, fx);
        break;
    case DHCP_CLIENT_SILENCE:
        if (b->stage == BOOT_ADDRESS)
            effects_text(fx, EFFECT_STATUS, "DHCP timeout");
        break;
    case DHCP_CLIENT_REFUSED:
    case DHCP_CLIENT_LOST:
        effects_text(fx, EFFECT_STATUS, "IP address released");
        effects_add(fx, EFFECT_ADDRESS)->number = 0;
        if (b->stage != BOOT_ADDRESS)
            effects_add(fx, EFFECT_REBOOT)->number = 16; /* lost its address */
        break;
    case DHCP_CLIENT_NOTHING:
    case DHCP_CLIENT_OFFERED:
    case DHCP_CLIENT_RENEWED:
        break;
    }
}

/* probe */

static void probe_enter(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    boot_send_probe(b, fx);
    b->due_ms = now_ms + PROBE_WAIT_MS;
}

static void probe_due(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (++b->tries < PROBE_TRIES) {
        probe_enter(b, now_ms, fx);
        return;
    }
    effects_add(fx, EFFECT_ADDRESS)->number = ip_v4_number(b->network.address);
    if (ip_is_any(b->network.router))
        effects_text(fx, EFFECT_STATUS, "No default router");
    boot_go(b, BOOT_TFTP_NAME, now_ms, fx);
}

/* names */

static void name_query(struct boot *b, uint64_t now_ms, struct effects *fx, const char *name)
{
    boot_ask_name(b, name, fx);
    b->due_ms = now_ms + NAME_WAIT_MS;
}

/* The name that stands for a missing TFTP address (System Guide, "Cisco TFTP"). */
static const char *tftp_name(const struct boot *b)
{
    return b->dhcp.lease.tftp_name[0] ? b->dhcp.lease.tftp_name : "CiscoCM1";
}

static void tftp_name_failed(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (b->dhcp.state >= DHCP_CLIENT_BOUND && b->options.model->generation == MODEL_7940 &&
        b->dhcp.lease.server) {
        b->network.tftp[0] =
            ip_v4(b->dhcp.lease.server); /* without an option 7940/60 ask the DHCP server itself */
        boot_go(b, BOOT_FILES, now_ms, fx);
        return;
    }
    effects_text(fx, EFFECT_STATUS, "TFTP access error");
    boot_give_up(b, now_ms, fx);
}

static void tftp_name_enter(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (!ip_is_any(b->network.tftp[0])) {
        boot_go(b, BOOT_FILES, now_ms, fx);
    } else if (ip_is_any(b->network.dns)) {
        effects_text(fx, EFFECT_STATUS, "No DNS server IP");
        tftp_name_failed(b, now_ms, fx);
    } else {
        name_query(b, now_ms, fx, tftp_name(b));
    }
}

static void tftp_name_due(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (++b->tries < NAME_TRIES) {
        name_query(b, now_ms, fx, tftp_name(b));
        return;
    }
    effects_text(fx, EFFECT_STATUS, "DNS timeout");
    tftp_name_failed(b, now_ms, fx);
}

static void tftp_name_answer(struct boot *b, enum boot_dns_status status, struct ip ip,
                             uint64_t now_ms, struct effects *fx)
{
    if (status == BOOT_DNS_FINE) {
        b->network.tftp[0] = ip;
        boot_go(b, BOOT_FILES, now_ms, fx);
        return;
    }
    effects_text(fx, EFFECT_STATUS, "DNS unknown host");
    tftp_name_failed(b, now_ms, fx);
}

static void next_server_name(struct boot *b, uint64_t now_ms, struct effects *fx);

static void server_found(struct boot *b, enum boot_dns_status status, struct boot_server found,
                         uint64_t now_ms, struct effects *fx)
{
    struct boot_server *s = &b->servers[b->n_servers];

    boot_server_end(b);
    *s = found;
    s->dns = status;
    s->at.port = s->as_written.port;
    if (status == BOOT_DNS_FINE || status == BOOT_DNS_NOT_NEEDED)
        b->n_servers++; /* a member whose name is not known is dropped from the list */
    else
        effects_text(fx, EFFECT_STATUS,
                     status == BOOT_DNS_TIMEOUT ? "DNS timeout" : "DNS unknown host");
    b->name_at++;
    b->tries = 0;
    next_server_name(b, now_ms, fx);
}

static void server_done(struct boot *b, enum boot_dns_status status, struct ip ip, uint64_t now_ms,
                        struct effects *fx)
{
    struct boot_server s = {.as_written = b->config.servers[b->name_at], .at.ip = ip};

    server_found(b, status, s, now_ms, fx);
}

static void next_server_name(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    const char *name = b->config.servers[b->name_at].name;
    struct ip ip;

    if (b->name_at >= b->config.n_servers) {
        if (b->n_servers)
            boot_go(b, BOOT_READY, now_ms, fx);
        else
            boot_give_up(b, now_ms, fx);
    } else if (ip_parse(text_of(name), &ip) == 0) {
        server_done(b, BOOT_DNS_NOT_NEEDED, ip, now_ms, fx);
    } else if (ip_is_any(b->network.dns)) {
        server_done(b, BOOT_DNS_NOT_FOUND, (struct ip){0}, now_ms, fx);
    } else {
        boot_server_begin(b, fx);
        b->due_ms = now_ms + NAME_WAIT_MS;
    }
}

/* A configuration without servers means the TFTP server itself, port 2000. */
static void names_enter(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    char text[IP_TEXT_MAX];

    if (!b->config.n_servers) {
        b->defaulted = true;
        b->config.n_servers = 1;
        b->config.servers[0] = phone_server_empty();
        text_copy(b->config.servers[0].name, sizeof(b->config.servers[0].name),
                  text_of(ip_print(boot_tftp_server(b), text)));
    }
    b->name_at = b->n_servers = 0;
    next_server_name(b, now_ms, fx);
}

static void names_due(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    b->due_ms = now_ms + NAME_WAIT_MS;
    if (++b->tries < NAME_TRIES)
        boot_server_ask(b, fx);
    else if (boot_server_silent(b, fx))
        server_done(b, BOOT_DNS_TIMEOUT, (struct ip){0}, now_ms, fx);
}

/* ready, waiting */

static void ready_enter(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    b->due_ms = UINT64_MAX;
    effects_add(fx, EFFECT_READY);
}

static void waiting_enter(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    b->due_ms = now_ms + AGAIN_MS;
}

static void waiting_due(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    boot_go(b, has_voice_vlan(b) ? BOOT_VLAN : BOOT_ADDRESS, now_ms, fx);
}

/* clang-format off */
static const struct stage_row {
    const char *name, *lcd;
    void (*enter)(struct boot *b, uint64_t now_ms, struct effects *fx);
    void (*due)(struct boot *b, uint64_t now_ms, struct effects *fx);
} stages[N_BOOT_STAGES] = {
    [BOOT_OFF]       = {"off",      "",                   NULL,               NULL},
    [BOOT_LOADING]   = {"loading",  "Verifying load",     loading_enter,      loading_due},
    [BOOT_VLAN]      = {"vlan",     "Configuring VLAN",   vlan_enter,         vlan_due},
    [BOOT_ADDRESS]   = {"address",  "Configuring IP",     address_enter,      NULL},
    [BOOT_PROBE]     = {"probe",    "Configuring IP",     probe_enter,        probe_due},
    [BOOT_TFTP_NAME] = {"tftp-name","Configuring IP",     tftp_name_enter,    tftp_name_due},
    [BOOT_FILES]     = {"files",    "Configuring CM List",boot_files_begin,   boot_files_tick},
    [BOOT_NAMES]     = {"names",    "Configuring CM List",names_enter,        names_due},
    [BOOT_UPGRADE]   = {"upgrade",  "Upgrading",          boot_upgrade_begin, boot_files_tick},
    [BOOT_READY]     = {"ready",    "",                   ready_enter,        NULL},
    [BOOT_WAITING]   = {"waiting",  "Configuring IP",     waiting_enter,      waiting_due},
    [BOOT_EXTRAS]    = {"extras",   "",                   boot_extras_begin,  boot_files_tick},
    [BOOT_DONE]      = {"done",     "",                   NULL,               NULL},
};
/* clang-format on */

void boot_go(struct boot *b, enum boot_stage stage, uint64_t now_ms, struct effects *fx)
{
    b->stage = stage;
    b->stage_ms = now_ms;
    b->due_ms = UINT64_MAX;
    b->tries = 0;
    effects_add(fx, EFFECT_STAGE)->number = stage;
    if (stages[stage].enter)
        stages[stage].enter(b, now_ms, fx);
}

void boot_give_up(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    boot_go(b, BOOT_WAITING, now_ms, fx);
}

struct boot *boot_new(const struct boot_options *options)
{
    struct boot *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->options = *options;
    b->name = device_name_of_mac(options->mac);
    b->transaction = options->random ^ (uint32_t)mac_number(options->mac) * 2654435761u;
    text_copy(b->load, sizeof(b->load), text_of(options->load));
    b->due_ms = b->announce_ms = UINT64_MAX;
    b->dhcp.due_ms = UINT64_MAX;
    return b;
}

void boot_free(struct boot *b)
{
    if (!b)
        return;
    boot_server_end(b);
    free(b->body);
    free(b);
}

void boot_start(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    b->announce_ms = UINT64_MAX;
    b->dhcp.state = DHCP_CLIENT_OFF;
    b->dhcp.due_ms = UINT64_MAX;
    b->dhcp.lease = (struct dhcp_lease){0};
    b->vlan = 0;
    b->defaulted = b->have_config = b->upgrade_tried = b->kept = false;
    boot_go(b, BOOT_LOADING, now_ms, fx);
}

void boot_restart(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    boot_go(b, BOOT_FILES, now_ms, fx);
}

void boot_settle(struct boot *b)
{
    b->stage = BOOT_DONE;
    b->due_ms = UINT64_MAX;
}

void boot_fetch_extras(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (b->stage == BOOT_READY || b->stage == BOOT_DONE)
        boot_go(b, BOOT_EXTRAS, now_ms, fx);
}

void boot_upgrade(struct boot *b, const char *load, uint64_t now_ms, struct effects *fx)
{
    text_copy(b->wanted_load, sizeof(b->wanted_load), text_of(load));
    b->upgrade_tried = true;
    boot_go(b, BOOT_UPGRADE, now_ms, fx);
}

void boot_tick(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (now_ms >= b->announce_ms)
        boot_announce(b, now_ms, fx);
    if (now_ms >= b->dhcp.due_ms) {
        struct writer w = effects_writer(fx);
        enum dhcp_client_event event = dhcp_client_tick(&b->dhcp, now_ms, &w);

        put_dhcp(b, fx, &w);
        on_dhcp(b, event, now_ms, fx);
    }
    if (now_ms < b->due_ms)
        return;
    if (stages[b->stage].due)
        stages[b->stage].due(b, now_ms, fx);
    else
        b->due_ms = UINT64_MAX;
}

void boot_frame(struct boot *b, const void *frame, size_t len, uint64_t now_ms, struct effects *fx)
{
    if (b->stage != BOOT_OFF && b->stage != BOOT_LOADING)
        boot_link_frame(b, frame, len, now_ms, fx);
}

void boot_dhcp(struct boot *b, const void *bytes, size_t len, uint64_t now_ms, struct effects *fx)
{
    struct writer w = effects_writer(fx);
    enum dhcp_client_event event;

    if (b->dhcp.state == DHCP_CLIENT_OFF)
        return;
    event = dhcp_client_input(&b->dhcp, bytes, len, now_ms, &w);
    put_dhcp(b, fx, &w);
    on_dhcp(b, event, now_ms, fx);
}

void boot_udp(struct boot *b, const struct endpoint *from, const void *bytes, size_t len,
              uint64_t now_ms, struct effects *fx)
{
    struct ip ip = {0};
    uint32_t asked = b->transaction;
    struct boot_server server;
    enum boot_dns_status status;

    if (boot_is_reading(b)) {
        boot_files_input(b, from, bytes, len, now_ms, fx);
        return;
    }
    if (b->stage == BOOT_NAMES) {
        status = boot_server_answer(b, bytes, len, &server, fx);
        if (status)
            server_found(b, status, server, now_ms, fx);
        else if (b->transaction != asked)
            b->due_ms = now_ms + NAME_WAIT_MS;
    } else if (b->stage == BOOT_TFTP_NAME) {
        status = boot_name_answer(b, bytes, len, &ip);
        if (status)
            tftp_name_answer(b, status, ip, now_ms, fx);
    }
}

void boot_udp_unreachable(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (boot_is_reading(b))
        boot_files_unreachable(b, now_ms, fx);
}

void boot_stop(struct boot *b, bool release, struct effects *fx)
{
    struct writer w = effects_writer(fx);
    uint32_t server = b->dhcp.lease.server;

    if (release && b->dhcp.state >= DHCP_CLIENT_BOUND) {
        dhcp_client_release(&b->dhcp, &w);
        struct effect *e = effects_add(fx, EFFECT_DHCP);
        e->to = (struct endpoint){ip_v4(server), 67};
        effects_bytes(fx, e, &w);
    }
    b->stage = BOOT_OFF;
    b->due_ms = b->announce_ms = b->dhcp.due_ms = UINT64_MAX;
}

uint64_t boot_due(const struct boot *b)
{
    uint64_t due = b->due_ms < b->announce_ms ? b->due_ms : b->announce_ms;

    return due < b->dhcp.due_ms ? due : b->dhcp.due_ms;
}

const char *boot_stage_name(enum boot_stage stage)
{
    return stage < N_BOOT_STAGES ? stages[stage].name : "?";
}

const char *boot_stage_lcd(enum boot_stage stage)
{
    return stage < N_BOOT_STAGES ? stages[stage].lcd : "";
}

const char *boot_lcd(const struct boot *b)
{
    if (b->stage == BOOT_NAMES && b->defaulted)
        return "Defaulting CM to TFTP";
    return stages[b->stage].lcd;
}
