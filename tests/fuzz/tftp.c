/* tftp.c - what parses must print, and come back the same when it is built again. */
#include <stdlib.h>

#include "wire/boot/tftp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void build(struct writer *w, const struct tftp_packet *p)
{
    char words[1024];

    switch (p->op) {
    case TFTP_RRQ:
    case TFTP_WRQ:
        tftp_write_request(w, p->op, p->file, p->mode, &p->options);
        break;
    case TFTP_DATA:
        tftp_write_data(w, p->block, p->data.at, p->data.len);
        break;
    case TFTP_ACK:
        tftp_write_ack(w, p->block);
        break;
    case TFTP_ERROR:
        text_copy(words, sizeof(words), p->message);
        tftp_write_error(w, p->error, words);
        break;
    case TFTP_OACK:
        tftp_write_oack(w, &p->options);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static uint8_t packet[1 << 17];
    struct writer w = writer_of(packet, sizeof(packet)), text;
    struct tftp_packet p, again;
    char line[2048];

    if (len > 65507 || tftp_parse(bytes, len, &p) < 0)
        return 0;
    text = writer_of(line, sizeof(line));
    tftp_print(&p, &text);
    build(&w, &p);
    must(!w.bad);
    if (writer_len(&w) > TFTP_REQUEST_MAX && (p.op == TFTP_RRQ || p.op == TFTP_WRQ))
        return 0; /* the word for an unknown mode may be longer than it was */
    must(tftp_parse(packet, writer_len(&w), &again) == 0);
    must(again.op == p.op && again.block == p.block && again.error == p.error);
    must(text_equal(again.file, p.file) && text_equal(again.data, p.data));
    must(memcmp(&again.options, &p.options, sizeof(p.options)) == 0);
    return 0;
}
