/* options.c - options of handset and fleet; see options.h. */
#include "handset/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handset/faults.h"

static int complain(const char *program, const char *words, const char *value)
{
    fprintf(stderr, "dialtone %s: %s%s%s\n", program, words, value ? ": " : "", value ? value : "");
    return -EINVAL;
}

#define THIRD_PARTY 336 /* model of SIP phones of other makes */

static int take_models(struct phone_options *o, const char *program, const char *value, void *at)
{
    struct text rest = text_of(value);

    while (rest.at) {
        struct text name = text_split(&rest, ',');
        const struct model *m =
            text_is(name, "third-party") ? model_find(THIRD_PARTY) : model_by_name(name);
        char copy[64];

        text_copy(copy, sizeof(copy), name);
        if (!m || !model_is_phone(m))
            return complain(program, "no such phone model", copy);
        if (o->n_models < PHONE_MODELS_MAX)
            o->models[o->n_models++] = m;
    }
    return 1;
}

static int take_faults(struct phone_options *o, const char *program, const char *value, void *at)
{
    struct text rest = text_of(value);
    enum fault f;

    while (rest.at) {
        if (fault_parse(text_split(&rest, ','), &f) < 0) {
            complain(program, "no such fault", value);
            fprintf(stderr, "faults:\n");
            for (unsigned i = 0; i < N_FAULTS; i++)
                fprintf(stderr, "  %-16s %s\n", fault_rows[i].name, fault_rows[i].help);
            return -EINVAL;
        }
        o->faults |= 1u << f;
    }
    return 1;
}

static int take_port(struct phone_options *o, const char *program, const char *value, void *at)
{
    uint32_t port;

    if (text_to_u32(text_of(value), 10, &port) < 0 || !port || port > 65535)
        return complain(program, "not a port", value);
    *(uint16_t *)at = (uint16_t)port;
    return 1;
}

static int take_ip(struct phone_options *o, const char *program, const char *value, void *at)
{
    return ip_parse(text_of(value), at) < 0 ? complain(program, "not an IP address", value) : 1;
}

static int take_mac(struct phone_options *o, const char *program, const char *value, void *at)
{
    return mac_parse(text_of(value), at) < 0 ? complain(program, "not a MAC address", value) : 1;
}

static int take_rate(struct phone_options *o, const char *program, const char *value, void *at)
{
    uint32_t rate;

    if (text_to_u32(text_of(value), 10, &rate) < 0 || !rate || rate > 1000)
        return complain(program, "a clock rate is 1 to 1000, not", value);
    *(uint32_t *)at = rate;
    return 1;
}

static int take_words(struct phone_options *o, const char *program, const char *value, void *at)
{
    *(const char **)at = value;
    return 1;
}

static int take_flag(struct phone_options *o, const char *program, const char *value, void *at)
{
    *(bool *)at = true;
    return 1;
}

static int take_protocol(struct phone_options *o, const char *program, const char *value, void *at)
{
    bool sip = text_equal_nocase(text_of(value), TEXT("sip"));

    if (!sip && !text_equal_nocase(text_of(value), TEXT("sccp")))
        return complain(program, "phones speak sccp or sip", value);
    o->protocol = sip ? PROTOCOL_SIP : PROTOCOL_SCCP;
    return 1;
}

static int take_transport(struct phone_options *o, const char *program, const char *value, void *at)
{
    static const char *const names[N_LINK_TRANSPORTS] = {"tcp", "udp", "tls"};

    for (uint8_t i = 0; i < N_LINK_TRANSPORTS; i++) {
        if (!text_equal_nocase(text_of(value), text_of(names[i])))
            continue;
        o->transport = i;
        return 1;
    }
    return complain(program, "a transport is udp, tcp or tls", value);
}

/* What each model speaks: what was asked for, else the first it can. */
static int choose_protocols(struct phone_options *o, const char *program)
{
    for (unsigned i = 0; i < o->n_models; i++) {
        const struct model *m = o->models[i];

        if (model_speaks(m, PROTOCOL_SIP_THIRD_PARTY) && o->protocol != PROTOCOL_SCCP)
            o->protocols[i] = PROTOCOL_SIP_THIRD_PARTY;
        else if (o->protocol >= 0)
            o->protocols[i] = (enum device_protocol)o->protocol;
        else
            o->protocols[i] = model_speaks(m, PROTOCOL_SCCP) ? PROTOCOL_SCCP : PROTOCOL_SIP;
        if (!model_speaks(m, o->protocols[i]))
            return complain(program,
                            o->protocols[i] == PROTOCOL_SCCP ? "this model has no SCCP firmware"
                                                             : "this model has no SIP firmware",
                            m->name);
    }
    return 0;
}

int phone_options_kind(const struct phone_options *o, unsigned n, struct phone_kind *ret)
{
    int err;

    phone_kind_init(ret, o->models[n], o->load, o->faults);
    if (o->protocols[n] == PROTOCOL_SCCP)
        return 0;
    err = phone_kind_speak_sip(ret, o->protocols[n], o->load);
    ret->transport = o->transport;
    ret->first_mac = o->first_mac;
    text_copy(ret->user, sizeof(ret->user), text_of(o->user));
    text_copy(ret->password, sizeof(ret->password), text_of(o->password));
    return err;
}

/* clang-format off */
static const struct {
    const char *name;
    int (*take)(struct phone_options *o, const char *program, const char *value, void *at);
    size_t at; /* of what it sets; the first four know themselves */
} options[] = {
    {"model",      take_models,    0},
    {"fault",      take_faults,    0},
    {"protocol",   take_protocol,  0},
    {"transport",  take_transport, 0},
    {"mac",        take_mac,       offsetof(struct phone_options, first_mac)},
    {"first-mac",  take_mac,       offsetof(struct phone_options, first_mac)},
    {"server",     take_ip,        offsetof(struct phone_options, server)},
    {"backup",     take_ip,        offsetof(struct phone_options, backup)},
    {"source",     take_ip,        offsetof(struct phone_options, source)},
    {"file-port",  take_port,      offsetof(struct phone_options, file_port)},
    {"http-port",  take_port,      offsetof(struct phone_options, http_port)},
    {"sccp-port",  take_port,      offsetof(struct phone_options, sccp_port)},
    {"sip-port",   take_port,      offsetof(struct phone_options, sip_port)},
    {"clock-rate", take_rate,      offsetof(struct phone_options, clock_rate)},
    {"interface",  take_words,     offsetof(struct phone_options, interface)},
    {"user",       take_words,     offsetof(struct phone_options, user)},
    {"password",   take_words,     offsetof(struct phone_options, password)},
    {"load",       take_words,     offsetof(struct phone_options, load)},
    {"script",     take_words,     offsetof(struct phone_options, script)},
    {"no-files",   take_flag,      offsetof(struct phone_options, no_files)},
    {"json",       take_flag,      offsetof(struct phone_options, json)},
    {"realistic",  take_flag,      offsetof(struct phone_options, realistic)},
    {"keep-mac",   take_flag,      offsetof(struct phone_options, keep_mac)},
};
/* clang-format on */

int phone_option(struct phone_options *o, const char *program, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        if (strcmp(name, options[i].name) == 0)
            return options[i].take(o, program, value, (char *)o + options[i].at);
    return 0;
}

/* The address that the kernel would send from to `server`. */
static struct ip own_address(struct ip server)
{
    struct endpoint to = {server, 9}, own = {0};
    struct sockaddr_storage sa;
    socklen_t len = endpoint_to_sockaddr(&to, &sa), own_len = sizeof(sa);
    int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return own.ip;
    if (connect(fd, (struct sockaddr *)&sa, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&sa, &own_len) == 0)
        own = endpoint_of_sockaddr((struct sockaddr *)&sa);
    close(fd);
    return own.ip;
}

int phone_options_finish(struct phone_options *o, const char *program)
{
    if (!o->n_models)
        o->models[o->n_models++] =
            model_by_name(o->protocol == PROTOCOL_SIP ? TEXT("8841") : TEXT("7960"));
    if (choose_protocols(o, program) < 0)
        return -EINVAL;
    if (!mac_number(o->first_mac) && (!o->interface || strcmp(program, "fleet") == 0))
        o->first_mac = mac_of_number(0x001122000001);
    if (o->interface)
        return 0;
    if (ip_is_any(o->server))
        return complain(program, "--server ADDRESS is needed without --interface", NULL);
    if (o->source.family)
        return 0;
    if (ip_v4_number(o->server) >> 24 == 127)
        o->source = ip_v4(0x7f400001); /* 127.64.0.1 and on: an address for each phone */
    else
        o->source = own_address(o->server);
    return 0;
}
