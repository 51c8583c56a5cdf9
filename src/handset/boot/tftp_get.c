/* tftp_get.c - the client's side of a TFTP read; see tftp_get.h. */
#include "handset/boot/tftp_get.h"

#include "wire/boot/tftp.h"

static void wait_again(struct tftp_get *g, uint64_t now_ms)
{
    g->due_ms = now_ms + g->wait_ms;
    g->wait_ms = g->wait_ms * 2 > TFTP_GET_MAX_MS ? TFTP_GET_MAX_MS : g->wait_ms * 2;
}

static void restart_wait(struct tftp_get *g, uint64_t now_ms)
{
    g->tries = 0;
    g->wait_ms = TFTP_GET_WAIT_MS;
    wait_again(g, now_ms);
}

static void end(struct tftp_get *g, enum tftp_get_state state)
{
    g->state = state;
    g->due_ms = UINT64_MAX;
}

void tftp_get_start(struct tftp_get *g, const char *file, const struct endpoint *server,
                    uint64_t now_ms, struct writer *out)
{
    *g = (struct tftp_get){.state = TFTP_GET_ASKED, .server = *server};
    text_copy(g->file, sizeof(g->file), text_of(file));
    tftp_write_request(out, TFTP_RRQ, text_of(g->file), TFTP_OCTET, NULL);
    restart_wait(g, now_ms);
}

static void take_block(struct tftp_get *g, const struct tftp_packet *p, uint64_t now_ms,
                       struct writer *out, struct text *data)
{
    if (p->block == (uint16_t)(g->block + 1)) {
        g->block = p->block;
        g->received += p->data.len;
        *data = p->data;
        restart_wait(g, now_ms);
        if (p->data.len < TFTP_BLOCK)
            end(g, TFTP_GET_DONE);
    } else {
        g->retransmitted++; /* our acknowledgement was lost, or is on its way: say it again */
    }
    tftp_write_ack(out, g->block);
}

void tftp_get_input(struct tftp_get *g, const struct endpoint *from, const void *bytes, size_t len,
                    uint64_t now_ms, struct writer *out, struct text *data)
{
    struct tftp_packet p;

    *data = (struct text){0};
    if (!ip_equal(from->ip, g->server.ip) || tftp_parse(bytes, len, &p) < 0)
        return;
    if (g->state == TFTP_GET_ASKED && (p.op == TFTP_DATA || p.op == TFTP_ERROR)) {
        g->server.port = from->port;
        g->state = TFTP_GET_RUNNING;
    }
    if (from->port != g->server.port) /* RFC 1350 4: another transfer's packet */
        return;
    if (p.op == TFTP_DATA && g->state == TFTP_GET_RUNNING)
        take_block(g, &p, now_ms, out, data);
    else if (p.op == TFTP_DATA && g->state == TFTP_GET_DONE && p.block == g->block)
        tftp_write_ack(out, g->block); /* the last acknowledgement was lost */
    else if (p.op == TFTP_ERROR && g->state == TFTP_GET_RUNNING) {
        g->error = p.error;
        end(g, p.error == TFTP_ERROR_NOT_FOUND ? TFTP_GET_NOT_FOUND : TFTP_GET_ERROR);
    }
}

void tftp_get_tick(struct tftp_get *g, uint64_t now_ms, struct writer *out)
{
    if (!tftp_get_is_running(g) || now_ms < g->due_ms)
        return;
    if (++g->tries >= TFTP_GET_TRIES) {
        end(g, TFTP_GET_TIMEOUT);
        return;
    }
    g->retransmitted++;
    if (g->state == TFTP_GET_ASKED)
        tftp_write_request(out, TFTP_RRQ, text_of(g->file), TFTP_OCTET, NULL);
    else
        tftp_write_ack(out, g->block);
    wait_again(g, now_ms);
}

void tftp_get_unreachable(struct tftp_get *g)
{
    if (tftp_get_is_running(g))
        end(g, TFTP_GET_ERROR);
}
