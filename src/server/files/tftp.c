/* tftp.c - the sockets of TFTP: where requests come to, and those that transfers answer from.
 */
#include "server/files/files.h"

#include <errno.h>
#include <stdio.h>

#include "core/alarms.h"

#define TOS          96 /* CS3, as CallManager marks its files */
#define RECEIVE_ROOM (4u << 20)
#define ANSWER_MAX   600 /* bytes of what phones send to a transfer: ACK and ERROR */

/* A transfer answers from its own socket, after the batch that asked for it. */
void files_tftp_flush(struct files *f)
{
    for (int six = 0; six < 2; six++)
        for (int i = 0; i < FILES_TIDS && f->tids[six][i]; i++)
            udp_flush(f->tids[six][i]);
}

static void tell(void *context, const struct file_report *r)
{
    file_lookup_report(context, r);
}

static void on_requests(void *context, const struct udp_datagram *batch, size_t n)
{
    struct files *f = context;

    for (size_t i = 0; i < n && f->tftp; i++) {
        if (!batch[i].group) /* a request to everybody is nobody's (RFC 1123 4.2.3.5) */
            tftp_server_request(f->tftp, uv_now(&f->thread->loop), &batch[i].from, batch[i].to,
                                batch[i].bytes, batch[i].len);
    }
    files_tftp_flush(f);
    files_keep_ticking(f);
}

static void on_answers(void *context, const struct udp_datagram *batch, size_t n)
{
    struct tid_context *c = context;
    struct files *f = c->files;

    for (size_t i = 0; i < n && f->tftp; i++)
        tftp_server_packet(f->tftp, uv_now(&f->thread->loop), c->tid, &batch[i].from,
                           batch[i].bytes, batch[i].len);
}

static void send_datagrams(void *context, unsigned tid, const struct endpoint *to, struct ip local,
                           const void *bytes, size_t len, size_t segment)
{
    udp_send_train(((struct files *)context)->tids[to->ip.family == 6][tid], to, local, 0, bytes,
                   len, segment);
}

static uint8_t *room(void *context, unsigned tid, const struct endpoint *to, size_t n)
{
    return udp_room(((struct files *)context)->tids[to->ip.family == 6][tid], n);
}

void files_tftp_close(struct files *f)
{
    tftp_server_free(f->tftp);
    f->tftp = NULL;
    for (int six = 0; six < 2; six++) {
        udp_close(f->listener[six]);
        f->listener[six] = NULL;
        for (int i = 0; i < FILES_TIDS; i++) {
            udp_close(f->tids[six][i]);
            f->tids[six][i] = NULL;
        }
    }
}

static int open_family(struct files *f, struct endpoint *local, bool six)
{
    struct udp_options o = {
        .local = {.ip = local->ip, .port = local->port},
        .tos = TOS,
        .receive_buffer = RECEIVE_ROOM,
        .input = on_requests,
        .context = f,
    };
    int err;

    o.local.ip.family = six ? 6 : 4;
    err = udp_open(&f->thread->loop, &o, &f->listener[six]);
    o.local.port = 0;
    o.max_len = ANSWER_MAX;
    o.input = on_answers;
    for (unsigned i = 0; i < FILES_TIDS && !err; i++) {
        f->tid_contexts[i] = (struct tid_context){f, i};
        o.context = &f->tid_contexts[i];
        err = udp_open(&f->thread->loop, &o, &f->tids[six][i]);
        if (err)
            local->port = 0;
    }
    return err;
}

/* Without an address: IPv4 and, where the system has it, IPv6. */
static int open_sockets(struct files *f, struct endpoint *local)
{
    int err;

    if (local->ip.family)
        return open_family(f, local, local->ip.family == 6);
    if (!(err = open_family(f, local, false)))
        err = open_family(f, local, true);
    return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL ? 0 : err;
}

static uint16_t tftp_port(const struct files *f)
{
    return udp_port(f->listener[f->listener[0] == NULL]);
}

static void port_alarm(struct files *f, const struct endpoint *local)
{
    struct alarm_draft d;
    char address[IP_TEXT_MAX];

    alarm_begin(&d, ALARM_TFTP_BIND_FAILED);
    alarm_put(&d, "IPAddress", "%s", local->ip.family ? ip_print(local->ip, address) : "0.0.0.0");
    alarm_put(&d, "Port", "%u", local->port);
    server_alarm(f->server, alarm_finish(&d));
}

void files_tell_state(struct files *f, uint64_t token)
{
    size_t n_static = f->tree ? file_tree_state(f->tree).files : 0;
    size_t n_phones = directory_count(f->thread->directory, ENTITY_phone);

    if (!f->tftp)
        return;
    if (f->builder.runs)
        server_service_state(f->server, SERVICE_TFTP, SERVICE_RUNNING, token,
                             "UDP %u, %zu static files, making files of phones: %zu of %zu",
                             tftp_port(f), n_static, f->builder.built + f->builder.failed,
                             n_phones);
    else
        server_service_state(f->server, SERVICE_TFTP, SERVICE_RUNNING, token,
                             "UDP %u, %zu static files, files of %zu phones", tftp_port(f),
                             n_static, n_phones);
}

void files_tftp_start(struct files *f, uint64_t token)
{
    int32_t port = server_bootstrap(f->server)->tftp_port;
    struct endpoint local = files_listen_on(f, port);
    struct file_source source = file_lookup_source(f);
    struct tftp_output output = {f, room, send_datagrams, tell};
    struct tftp_settings settings;
    char reason[160];
    int err;

    if (!port) {
        server_service_state(f->server, SERVICE_TFTP, SERVICE_OFF, token, "tftp.port is 0");
        return;
    }
    if (f->tftp)
        files_tftp_close(f);
    tftp_settings_default(&settings);
    settings.n_tids = FILES_TIDS;
    err = open_sockets(f, &local);
    if (!err && !(f->tftp = tftp_server_new(&settings, &source, &output, uv_now(&f->thread->loop))))
        err = -ENOMEM;
    if (err) {
        port_alarm(f, &local);
        server_service_state(
            f->server, SERVICE_TFTP, SERVICE_FAILED, token, "%s",
            server_bind_error(f->server, err, &local, true, reason, sizeof(reason)));
        files_tftp_close(f);
        return;
    }
    file_lookup_settings(f);
    files_tell_state(f, token);
}
