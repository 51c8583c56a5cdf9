/* setup.c - what a SIP phone keeps of its files while it is registered; see parts.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "handset/sip/parts.h"

#define REGISTER_S  3600
#define DELTA_S     5
#define KEEPALIVE_S 120
#define MONITOR_S   120

void sip_setup_free(struct sip_setup *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < PHONE_SERVERS; i++)
        free(s->names[i]);
    free(s);
}

static uint8_t transport_of(const struct phone_kind *k, const struct phone_config *c)
{
    if (k->transport < N_LINK_TRANSPORTS)
        return k->transport;
    if (!k->sip->managed)
        return k->sip->transport;
    switch (c ? c->transport_code : 0) {
    case 2:
        return LINK_UDP;
    case 3: /* TLS of a phone that is not secured is TCP */
        return c->security_mode > 1 ? LINK_TLS : LINK_TCP;
    case 0: /* built in when only a default file was found */
        return c && c->is_default ? LINK_UDP : k->sip->transport;
    default:
        return LINK_TCP;
    }
}

static uint16_t or_default(uint16_t value, uint16_t otherwise)
{
    return value ? value : otherwise;
}

static void take_line(struct sip_line *to, const struct phone_line *l)
{
    if (strcmp(l->name, "UNPROVISIONED") == 0)
        return;
    memcpy(to->name, l->name, sizeof(to->name));
    memcpy(to->label, l->label, sizeof(to->label));
    memcpy(to->contact, *l->contact ? l->contact : l->name,
           *l->contact ? sizeof(l->contact) : sizeof(l->name));
    memcpy(to->auth_name, l->auth_name, sizeof(to->auth_name));
    memcpy(to->password, l->password, sizeof(to->password));
}

/* Without a file of its own a phone registers as its MAC, or as the user it was told. */
static void take_own_name(struct sip_phone *p, struct sip_line *l)
{
    const struct phone_kind *k = p->kind;
    struct mac mac = {{0}};
    uint64_t number;

    device_name_mac(p->name, &mac);
    if (text_to_u64(text_of(k->user), 10, &number) == 0)
        snprintf(l->name, sizeof(l->name), "%0*llu", (int)strlen(k->user),
                 (unsigned long long)(number + mac_number(mac) - mac_number(k->first_mac)));
    else if (*k->user)
        snprintf(l->name, sizeof(l->name), "%s", k->user);
    else
        snprintf(l->name, sizeof(l->name), "%012llx", (unsigned long long)mac_number(mac));
    memcpy(l->contact, l->name, sizeof(l->name));
    memcpy(l->auth_name, l->name, sizeof(l->name));
    memcpy(l->password, k->password, sizeof(l->password));
}

static void take_names(struct sip_phone *p, struct sip_setup *s, const struct phone_start *start)
{
    char address[IP_TEXT_MAX];

    for (unsigned i = 0; i < p->n_servers; i++)
        if (start->names[i] && strcmp(start->names[i], ip_print(p->servers[i].ip, address)) != 0)
            s->names[i] = text_dup(text_of(start->names[i]));
}

static void take_ports(struct sip_phone *p, const struct sip_setup *s,
                       const struct phone_start *start)
{
    for (unsigned i = 0; i < p->n_servers; i++) {
        uint16_t port = s->transport == LINK_TLS ? start->sips_ports[i] : start->sip_ports[i];

        if (port)
            p->servers[i].port = port;
    }
}

/* Lines without credentials use those of the first one. */
static void share_credentials(struct sip_setup *s)
{
    for (unsigned i = 1; i < s->n_lines; i++) {
        if (*s->lines[i].auth_name)
            continue;
        memcpy(s->lines[i].auth_name, s->lines[0].auth_name, sizeof(s->lines[i].auth_name));
        memcpy(s->lines[i].password, s->lines[0].password, sizeof(s->lines[i].password));
    }
}

int sip_setup_take(struct sip_phone *p, const struct phone_start *start)
{
    const struct phone_config *c = start->config;
    bool own = c && !c->is_default;
    unsigned n = own && c->n_lines ? c->n_lines : 1;
    struct sip_setup *s = calloc(1, sizeof(*s) + n * sizeof(s->lines[0]));

    if (!s)
        return -ENOMEM;
    s->transport = transport_of(p->kind, c);
    s->managed = !own || c->managed;
    s->phone_users = own && c->phone_users;
    s->register_s = or_default(own ? c->register_s : 0, REGISTER_S);
    s->delta_s = or_default(own ? c->register_delta_s : 0, DELTA_S);
    s->keepalive_s = or_default(own ? c->keepalive_s : 0, KEEPALIVE_S);
    if (s->keepalive_s < KEEPALIVE_S) /* clamped by the phone: 120 to 7200 */
        s->keepalive_s = KEEPALIVE_S;
    if (s->keepalive_s > 7200)
        s->keepalive_s = 7200;
    s->monitor_s = or_default(c ? c->monitor_s : 0, MONITOR_S);
    if (c)
        memcpy(s->version_stamp, c->version_stamp, sizeof(s->version_stamp));
    s->n_lines = (uint8_t)n;
    for (unsigned i = 0; own && i < c->n_lines; i++)
        take_line(&s->lines[i], &c->lines[i]);
    if (!own)
        take_own_name(p, &s->lines[0]);
    share_credentials(s);
    for (unsigned i = 0; i < n; i++) {
        s->lines[i].registration.line = (uint8_t)i;
        s->lines[i].registration.cseq = 100;
        sip_registration_reset(&s->lines[i].registration);
    }
    take_names(p, s, start);
    take_ports(p, s, start);
    sip_setup_free(p->setup);
    p->setup = s;
    return 0;
}
