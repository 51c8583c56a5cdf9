/* sccp_limit.c - the least that can answer SCCP phones: bytes made beforehand, no work behind them.
 *
 * What it reaches with a generator is what the machine, its kernel and the generator allow. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/bench.h"
#include "wire/sccp/message.h"

#define VERSION 22

static struct answer {
    size_t len;
    uint8_t bytes[1500];
} answers[0x100];
static int loop;

static void answer_add(uint32_t request, uint32_t id, const void *body)
{
    struct answer *a = &answers[request];
    struct writer w = writer_of(a->bytes + a->len, sizeof(a->bytes) - a->len);

    if (sccp_encode_body(id, body, VERSION, &w))
        exit(1);
    a->len += writer_len(&w);
}

static void answers_make(void)
{
    static struct sccp_button_template buttons = {.count = 8, .total = 8};
    static struct sccp_softkey_template keys = {.count = 20, .total = 20};
    static struct sccp_softkey_set sets = {.count = 11, .total = 11};
    struct sccp_register_ack ack = {.keepalive_s = 30,
                                    .date_template = "M/D/Y",
                                    .secondary_keepalive_s = 60,
                                    .protocol = VERSION};
    struct sccp_display_prompt_status_v2 prompt = {.text = TEXT("\x80\x13")};

    answer_add(SCCP_REGISTER_REQ, SCCP_REGISTER_ACK, &ack);
    answer_add(SCCP_REGISTER_REQ, SCCP_CAPABILITIES_REQ, "");
    answer_add(SCCP_KEEPALIVE, SCCP_KEEPALIVE_ACK, "");
    answer_add(SCCP_BUTTON_TEMPLATE_REQ, SCCP_BUTTON_TEMPLATE, &buttons);
    answer_add(SCCP_SOFTKEY_TEMPLATE_REQ, SCCP_SOFTKEY_TEMPLATE, &keys);
    answer_add(SCCP_SOFTKEY_SET_REQ, SCCP_SOFTKEY_SET, &sets);
    answer_add(SCCP_SOFTKEY_SET_REQ, SCCP_SELECT_SOFTKEYS,
               &(struct sccp_select_softkeys){.mask = UINT32_MAX});
    answer_add(SCCP_SOFTKEY_SET_REQ, SCCP_DISPLAY_PROMPT_STATUS_V2, &prompt);
    answer_add(SCCP_CONFIG_STAT_REQ, SCCP_CONFIG_STAT, &(struct sccp_config_stat){.n_lines = 2});
    answer_add(SCCP_LINE_STAT_REQ, SCCP_LINE_STAT_V2,
               &(struct sccp_line_stat_v2){.line = 1,
                                           .options = 15,
                                           .number = TEXT("100001"),
                                           .full_name = TEXT("100001"),
                                           .label = TEXT("100001")});
    answer_add(SCCP_FORWARD_STAT_REQ, SCCP_FORWARD_STAT, &(struct sccp_forward_stat){.line = 1});
    answer_add(SCCP_SPEED_DIAL_STAT_REQ, SCCP_SPEED_DIAL_STAT_V2,
               &(struct sccp_speed_dial_stat_v2){
                   .index = 1, .number = TEXT("0123"), .label = TEXT("Taxi")});
    answer_add(SCCP_SERVICE_URL_STAT_REQ, SCCP_SERVICE_URL_STAT_V2,
               &(struct sccp_service_url_stat_v2){.index = 1});
    answer_add(SCCP_TIME_DATE_REQ, SCCP_DEFINE_TIME_DATE,
               &(struct sccp_define_time_date){.year = 2026, .month = 1, .day = 1});
    answer_add(SCCP_TIME_DATE_REQ, SCCP_DISPLAY_PROMPT_STATUS_V2, &prompt);
}

static void accept_all(int listener)
{
    int one = 1, fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event e = {EPOLLIN, {.fd = fd}};

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e);
    }
}

static void answer(int fd)
{
    static uint8_t in[65536], out[65536];
    ssize_t n = recv(fd, in, sizeof(in), 0);
    struct reader r = reader_of(in, n > 0 ? (size_t)n : 0);
    struct writer w = writer_of(out, sizeof(out));
    struct sccp_frame frame;

    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        close(fd);
        return;
    }
    while (sccp_frame_next(&r, &frame) == 1)
        if (frame.id < 0x100 && answers[frame.id].len)
            write_bytes(&w, answers[frame.id].bytes, answers[frame.id].len);
    if (writer_len(&w))
        (void)!send(fd, out, writer_len(&w), MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
    struct epoll_event events[256], e = {EPOLLIN, {.fd = -1}};
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    int listener, one = 1;

    bench_options(argc, argv);
    own.sin_port = htons((uint16_t)bench_number("port", 2000));
    bench_done();
    bench_files_max();
    answers_make();
    loop = epoll_create1(0);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&own, sizeof(own)) || listen(listener, 65535))
        bench_fail("listen");
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(loop, events, 256, -1);

        for (int i = 0; i < n; i++)
            if (events[i].data.fd < 0)
                accept_all(listener);
            else
                answer(events[i].data.fd);
    }
}
