/* server_signalling.c - the signalling thread on a real port, with a stand-in for the other
 * threads. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/log.h"
#include "core/counters.h"
#include "directory_lines.h"
#include "server/server.h"
#include "wire/sccp/message.h"

#define A "SEP001122334455"
#define B "SEP00112233445A"

struct server {
    struct bootstrap settings;
    enum service_state services[N_SERVICES];
    char text[160];
    struct message last[N_THREADS]; /* posted to each; what it brought is freed */
    size_t n_progress, n_alarms, n_slowed, n_set, n_bindings;
    struct progress_event progress;
    int status;
    json_t *body; /* of the last reply */
    uint64_t token;
    size_t n_asked; /* AUTOREGISTER */
};

const struct bootstrap *server_bootstrap(const struct server *s)
{
    return &s->settings;
}

static int64_t wall_jump_us;

/* Requests that take five milliseconds each, whatever the machine: in place of libuv's own. */
static struct slow {
    const uv_loop_t *loop; /* NULL: the real time */
    uint64_t n_requests;   /* that were heard before */
} slow;

uint64_t uv_hrtime(void)
{
    struct timespec t;

    if (slow.loop)
        return 1000000 *
               (uv_now(slow.loop) +
                5 * (counter_read(&counter_values[COUNT_SIP_REQUESTS_IN]) - slow.n_requests));
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t server_wall_us(void)
{
    return 1435818151123000 + uv_hrtime() / 1000 + (uint64_t)wall_jump_us;
}

int server_post(struct server *s, enum thread_id to, const struct message *m)
{
    if (m->id == MESSAGE_REPLY) {
        json_decref(s->body);
        s->body = m->reply.take_body;
        s->status = m->reply.status;
    } else if (m->id == MESSAGE_BINDING) {
        s->n_bindings++;
    } else if (m->id == MESSAGE_PROGRESS) {
        s->progress = m->progress.event;
        s->n_progress++;
    } else if (m->id == MESSAGE_ALARM) {
        s->n_alarms++;
        free(m->alarm.take_alarm);
    } else if (m->id == MESSAGE_AUTOREGISTER) {
        s->token = m->autoregister.token;
        s->n_asked++;
    }
    return 0;
}

void server_post_all(struct server *s, enum thread_id to, const struct message *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        server_post(s, to, &m[i]);
}

void server_alarm(struct server *s, struct alarm *take_alarm)
{
    s->n_alarms++;
    s->n_slowed += take_alarm->id == ALARM_TIMER_THREAD_SLOWED;
    s->n_set += take_alarm->id == ALARM_CLOCK_SET;
    free(take_alarm);
}

void server_service_state(struct server *s, enum service_id service, enum service_state state,
                          uint64_t token, const char *format, ...)
{
    va_list args;

    s->services[service] = state;
    if (service != SERVICE_CALLMANAGER)
        return;
    va_start(args, format);
    vsnprintf(s->text, sizeof(s->text), format, args);
    va_end(args);
}

const char *server_bind_error(const struct server *s, int err, const struct endpoint *e, bool udp,
                              char *to, size_t size)
{
    snprintf(to, size, "in use by somebody");
    return to;
}

/* --- a thread and a phone --- */

struct world {
    struct server server;
    struct thread thread;
};

static void turn(struct world *w)
{
    for (int i = 0; i < 10; i++)
        uv_run(&w->thread.loop, UV_RUN_NOWAIT);
}

/* The others are told some milliseconds later. */
static void hear_news(struct world *w)
{
    for (size_t before = w->server.n_progress; w->server.n_progress == before;)
        uv_run(&w->thread.loop, UV_RUN_ONCE);
}

static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    getsockname(fd, (struct sockaddr *)&at, &len);
    close(fd);
    return ntohs(at.sin_port);
}

static struct world *world_new(const char *lines)
{
    struct world *w = calloc(1, sizeof(*w));

    w->server.settings.sccp_port = free_port();
    w->server.settings.sip_port = free_port();
    strcpy(w->server.settings.listen_address, "127.0.0.1");
    strcpy(w->server.settings.node_name, "cm1");
    w->thread.server = &w->server;
    w->thread.directory = directory_of_lines(lines);
    uv_loop_init(&w->thread.loop);
    assert_int_equal(signalling_thread.start(&w->thread), 0);
    return w;
}

static void world_free(struct world *w)
{
    signalling_thread.stop(&w->thread);
    uv_run(&w->thread.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->thread.loop), 0);
    directory_unref(w->thread.directory);
    json_decref(w->server.body);
    free(w);
}

static int dial(struct world *w)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)w->server.settings.sccp_port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void say(struct world *w, int fd, const struct sccp_message *m)
{
    uint8_t bytes[1000];
    struct writer out = writer_of(bytes, sizeof(bytes));

    sccp_encode(m, 11, &out);
    assert_int_equal(write(fd, bytes, writer_len(&out)), writer_len(&out));
    turn(w);
}

/* The id of the next message, or -1 when there is none, or -2 at the end. */
static int64_t hear(int fd)
{
    uint32_t header[3];
    uint8_t body[1000];
    ssize_t n = recv(fd, header, sizeof(header), MSG_DONTWAIT);

    if (n <= 0)
        return n ? -1 : -2;
    assert_int_equal(n, 12);
    if (header[0] > 4)
        assert_int_equal(recv(fd, body, header[0] - 4, MSG_DONTWAIT), header[0] - 4);
    return header[2];
}

static int phone(struct world *w, const char *name)
{
    struct sccp_message m = {.id = SCCP_REGISTER_REQ};
    int fd = dial(w);

    text_copy(m.register_req.device_name, sizeof(m.register_req.device_name), text_of(name));
    m.register_req.device_type = 7;
    m.register_req.protocol = 11;
    say(w, fd, &m);
    return fd;
}

static int registered_phone(struct world *w, const char *name)
{
    struct sccp_message m = {.id = SCCP_CAPABILITIES_RES};
    int fd = phone(w, name);

    assert_int_equal(hear(fd), SCCP_REGISTER_ACK);
    assert_int_equal(hear(fd), SCCP_CAPABILITIES_REQ);
    m.capabilities_res.count = 0;
    say(w, fd, &m);
    return fd;
}

static void ask(struct world *w, enum request_id id, json_t *take_arguments)
{
    struct message m = {.id = MESSAGE_REQUEST};

    m.request.verb = request_rows[id].verb;
    m.request.take_arguments = take_arguments;
    signalling_thread.on_message(&w->thread, &m);
    turn(w);
}

/* --- tests --- */

#define PHONES "phone " A " model=7 lines=7001\nphone " B " model=7 lines=7002\n"

static void a_phone_registers_over_tcp_and_the_others_hear_of_it(void **state)
{
    struct world *w = world_new(PHONES);
    int fd = registered_phone(w, A);
    struct sccp_message m = {.id = SCCP_KEEPALIVE};

    assert_int_equal(w->server.services[SERVICE_CALLMANAGER], SERVICE_RUNNING);
    hear_news(w);
    assert_int_equal(w->server.progress.stage, PROGRESS_REGISTERED);
    assert_string_equal(w->server.progress.device.s, A);
    assert_int_equal(mac_number(w->server.progress.mac), 0x001122334455);
    assert_int_equal(w->server.n_bindings, 1);
    say(w, fd, &m);
    assert_int_equal(hear(fd), SCCP_KEEPALIVE_ACK);
    close(fd);
    hear_news(w);
    assert_int_equal(w->server.progress.stage, PROGRESS_UNREGISTERED);
    assert_int_equal(w->server.n_bindings, 2);
    world_free(w);
}

static void the_administrator_resets_phones(void **state)
{
    struct world *w = world_new(PHONES);
    int fd = registered_phone(w, A);

    ask(w, REQUEST_PHONE_RESTART, json_pack("{s:[s,s]}", "names", A, B));
    assert_int_equal(w->server.status, 0);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(w->server.body, "record"), "restarted")),
        1);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(w->server.body, "record"), "absent")),
        1);
    assert_int_equal(hear(fd), SCCP_RESET);
    close(fd);
    world_free(w);
}

static void a_session_can_be_looked_at(void **state)
{
    struct world *w = world_new(PHONES);
    int fd = registered_phone(w, A), refused = phone(w, "SEPAABBCCDDEEFF");
    json_t *record;

    ask(w, REQUEST_PHONE_SESSION, json_pack("{s:s}", "name", A));
    record = json_object_get(w->server.body, "record");
    assert_string_equal(json_string_value(json_object_get(record, "state")), "registered");
    assert_int_equal(json_integer_value(json_object_get(record, "version")), 11);
    ask(w, REQUEST_PHONE_SESSION, json_pack("{s:s}", "name", "SEPAABBCCDDEEFF"));
    assert_int_equal(w->server.status, 1);
    assert_non_null(
        strstr(json_string_value(json_object_get(w->server.body, "error")), "refused 1 times"));
    close(fd);
    close(refused);
    world_free(w);
}

static void a_clock_that_is_set_back_loses_nobody_and_is_told(void **state)
{
    struct world *w = world_new(PHONES);
    int fd = registered_phone(w, A);
    struct sccp_message m = {.id = SCCP_KEEPALIVE};

    wall_jump_us = -7ll * 3600 * 1000000;
    while (!w->server.n_set)
        uv_run(&w->thread.loop, UV_RUN_ONCE);
    say(w, fd, &m);
    assert_int_equal(hear(fd), SCCP_KEEPALIVE_ACK);
    assert_int_equal(w->server.n_slowed, 0);
    wall_jump_us = 0;
    close(fd);
    world_free(w);
}

/* As a virtual machine that is suspended, or SIGSTOP: what they said meanwhile waits in the
 * sockets. */
static void phones_that_spoke_while_the_node_slept_are_not_given_up(void **state)
{
    struct world *w = world_new(PHONES "parameter station_keepalive_interval value=1\nparameter "
                                       "station_keepalive_missed value=1\n");
    int talks = registered_phone(w, A), silent = registered_phone(w, B);
    struct sccp_message m = {.id = SCCP_KEEPALIVE};
    uint8_t bytes[100];
    struct writer out = writer_of(bytes, sizeof(bytes));

    turn(w);
    sccp_encode(&m, 11, &out);
    assert_int_equal(write(talks, bytes, writer_len(&out)), writer_len(&out));
    usleep(2300 * 1000);
    turn(w);
    assert_int_equal(hear(talks), SCCP_KEEPALIVE_ACK);
    assert_int_equal(hear(silent), -1); /* a moment to speak, since nobody listened */
    assert_int_equal(w->server.n_slowed, 1);
    close(talks);
    close(silent);
    world_free(w);
}

static void a_node_that_slept_says_so_without_a_phone_too(void **state)
{
    struct world *w = world_new("");

    for (int i = 0; i < 5; i++) /* what it does at its start is over */
        uv_run(&w->thread.loop, UV_RUN_ONCE);
    w->server.n_slowed = 0;
    usleep(2300 * 1000);
    turn(w);
    assert_true(w->server.n_slowed > 0);
    world_free(w);
}

static void an_unknown_phone_is_added_by_storage(void **state)
{
    struct world *w = world_new(PHONES "autoregistration cm1 enabled=true start=8000 end=8010\n");
    int fd = phone(w, "SEPAABBCCDDEEFF");
    const struct directory *old = w->thread.directory;
    struct message m = {.id = MESSAGE_AUTOREGISTERED};

    assert_int_equal(w->server.n_asked, 1);
    assert_int_equal(hear(fd), -1);
    w->thread.directory = directory_of_lines(PHONES "phone SEPAABBCCDDEEFF model=7 lines=8000\n");
    directory_unref(old); /* the thread holds its own reference */
    m.autoregistered.token = w->server.token;
    signalling_thread.on_message(&w->thread, &m);
    turn(w);
    assert_int_equal(hear(fd), SCCP_REGISTER_ACK);
    close(fd);
    world_free(w);
}

static void the_service_stops_and_starts(void **state)
{
    struct world *w = world_new(PHONES);
    struct message m = {.id = MESSAGE_SERVICE, .service.wanted = SERVICE_STOPPED};
    int fd = registered_phone(w, A);

    signalling_thread.on_message(&w->thread, &m);
    hear_news(w);
    assert_int_equal(w->server.services[SERVICE_CALLMANAGER], SERVICE_STOPPED);
    assert_int_equal(w->server.progress.stage, PROGRESS_UNREGISTERED);
    assert_int_equal(hear(fd), -2);
    close(fd);
    m.service.wanted = SERVICE_RUNNING;
    signalling_thread.on_message(&w->thread, &m);
    assert_int_equal(w->server.services[SERVICE_CALLMANAGER], SERVICE_RUNNING);
    fd = registered_phone(w, A);
    close(fd);
    world_free(w);
}

static void a_port_that_is_taken_fails_the_service_alone(void **state)
{
    struct world *w = world_new(PHONES), *second = calloc(1, sizeof(*second));

    second->server.settings = w->server.settings;
    second->thread.server = &second->server;
    second->thread.directory = directory_of_lines("");
    uv_loop_init(&second->thread.loop);
    assert_int_equal(signalling_thread.start(&second->thread), 0);
    assert_int_equal(second->server.services[SERVICE_CALLMANAGER], SERVICE_FAILED);
    assert_non_null(strstr(second->server.text, "in use by somebody"));
    world_free(second);
    world_free(w);
}

/* Says REGISTER and hears nothing yet. */
static int sip_register(struct world *w, int type, const char *name, int line)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)w->server.settings.sip_port)};
    const char *transport = type == SOCK_DGRAM ? "UDP" : "TCP";
    int fd = socket(AF_INET, type, 0), len;
    char text[1000];

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    len = snprintf(
        text, sizeof(text),
        "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%s "
        "127.0.0.1:5060;branch=z9hG4bK%d;rport\r\n"
        "From: <sip:%d@127.0.0.1>;tag=1\r\nTo: <sip:%d@127.0.0.1>\r\nCall-ID: %d\r\n"
        "Max-Forwards: 70\r\nCSeq: 101 REGISTER\r\n"
        "Contact: <sip:%d@127.0.0.1:5060>;+u.sip!devicename.ccm.cisco.com=\"%s\""
        ";+u.sip!model.ccm.cisco.com=\"622\"\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n",
        transport, line, line, line, line, line, name);
    assert_int_equal(send(fd, text, (size_t)len, 0), len);
    return fd;
}

static void sip_hear(struct world *w, int fd, char *answer, size_t size)
{
    ssize_t n = -1;

    for (int i = 0; i < 60000 && n < 0; i++) {
        turn(w);
        n = recv(fd, answer, size - 1, MSG_DONTWAIT);
        usleep(n < 0 ? 1000 : 0);
    }
    answer[n > 0 ? n : 0] = 0;
}

static void a_sip_phone_registers_over_udp_and_tcp(void **state)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    struct world *w = world_new("phone " A " model=622 protocol=sip lines=7001\n");
    char answer[4000];
    int fd;

    for (int i = 0; i < 2; i++) {
        fd = sip_register(w, types[i], A, 7001);
        sip_hear(w, fd, answer, sizeof(answer));
        assert_non_null(strstr(answer, "SIP/2.0 200 OK\r\n"));
        assert_non_null(strstr(answer, ";x-cisco-newreg"));
        ask(w, REQUEST_PHONE_SESSION, json_pack("{s:s}", "name", A));
        assert_string_equal(json_string_value(json_object_get(
                                json_object_get(w->server.body, "record"), "transport")),
                            i ? "TCP" : "UDP");
        close(fd);
    }
    world_free(w);
}

/* Both have come before the socket is read; the first takes the turn five milliseconds. */
static void a_sip_newcomer_waits_when_one_before_it_made_the_turn_late(void **state)
{
    struct world *w = world_new("phone " A " model=622 protocol=sip lines=7001\n"
                                "phone " B " model=622 protocol=sip lines=7002\n");
    uint64_t before = counter_read(&counter_values[COUNT_SIP_NEWCOMERS_WAITED]);
    int first, second;
    char answer[4000];

    turn(w);
    slow = (struct slow){&w->thread.loop, counter_read(&counter_values[COUNT_SIP_REQUESTS_IN])};
    first = sip_register(w, SOCK_DGRAM, A, 7001);
    second = sip_register(w, SOCK_DGRAM, B, 7002);
    sip_hear(w, second, answer, sizeof(answer));
    slow.loop = NULL;
    assert_non_null(strstr(answer, "SIP/2.0 200 OK\r\n"));
    sip_hear(w, first, answer, sizeof(answer));
    assert_non_null(strstr(answer, "SIP/2.0 200 OK\r\n"));
    assert_int_equal(counter_read(&counter_values[COUNT_SIP_NEWCOMERS_WAITED]) - before, 1);
    close(first);
    close(second);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_registers_over_tcp_and_the_others_hear_of_it),
        cmocka_unit_test(the_administrator_resets_phones),
        cmocka_unit_test(a_session_can_be_looked_at),
        cmocka_unit_test(a_clock_that_is_set_back_loses_nobody_and_is_told),
        cmocka_unit_test(phones_that_spoke_while_the_node_slept_are_not_given_up),
        cmocka_unit_test(a_node_that_slept_says_so_without_a_phone_too),
        cmocka_unit_test(an_unknown_phone_is_added_by_storage),
        cmocka_unit_test(the_service_stops_and_starts),
        cmocka_unit_test(a_sip_phone_registers_over_udp_and_tcp),
        cmocka_unit_test(a_sip_newcomer_waits_when_one_before_it_made_the_turn_late),
        cmocka_unit_test(a_port_that_is_taken_fails_the_service_alone),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
