/* send.c - blocks, windows, offers and errors. */
#include "provision/tftp/transfers.h"

#include <errno.h>

#include "core/counters.h"

#define BURST_MAX 60000 /* bytes handed to the output at once */

void transfer_send_error(struct tftp_server *s, unsigned tid, const struct endpoint *to,
                         struct ip local, enum tftp_error error, const char *words)
{
    struct writer w = writer_of(s->out, sizeof(s->out));

    tftp_write_error(&w, (uint16_t)error, words);
    s->output.send(s->output.context, tid, to, local, s->out, writer_len(&w), 0);
}

/* What a client is told when there is no file for it; the same for every reason that is not its
 * own. */
void transfer_send_refusal(struct tftp_server *s, unsigned tid, const struct endpoint *to,
                           struct ip local, int err)
{
    if (err == -EBUSY)
        transfer_send_error(s, tid, to, local, TFTP_ERROR_OTHER, "Server busy");
    else
        transfer_send_error(s, tid, to, local, TFTP_ERROR_NOT_FOUND, "File not found");
}

static void set_timer(struct tftp_server *s, struct transfer *t, uint64_t now_ms)
{
    uint64_t ms = t->timeout_ms;

    for (unsigned i = 0; i < t->tries && !t->timeout_fixed && ms < s->settings.max_timeout_ms; i++)
        ms *= 2;
    if (!t->timeout_fixed && ms > s->settings.max_timeout_ms)
        ms = s->settings.max_timeout_ms;
    timer_set(&s->timers, &t->timer, now_ms + ms);
}

static void send_offer(struct tftp_server *s, struct transfer *t)
{
    struct writer w = writer_of(s->out, sizeof(s->out));

    tftp_write_oack(&w, &t->accepted);
    s->output.send(s->output.context, t->tid, &t->peer, t->local, s->out, writer_len(&w), 0);
}

/* `n` bytes of the file from `offset`, or NULL when they are gone. */
static const uint8_t *file_bytes(struct tftp_server *s, struct transfer *t, uint64_t offset,
                                 size_t n)
{
    if (t->file.bytes)
        return t->file.bytes + offset;
    if (!n)
        return (const uint8_t *)"";
    count_by(COUNT_TFTP_FROM_DISK, (int64_t)((n + TFTP_BLOCK - 1) / TFTP_BLOCK));
    return s->source.read(s->source.context, t->file.hold, offset, n);
}

static void write_ascii(struct writer *w, const uint8_t *bytes, size_t n, size_t room,
                        uint64_t *offset, int8_t *pending)
{
    while (room && (*pending >= 0 || n)) {
        if (*pending >= 0) {
            write_u8(w, (uint8_t)*pending);
            *pending = -1;
        } else {
            uint8_t c = *bytes++;

            /* RFC 764: a line ends with CR LF, a CR of its own is CR NUL */
            write_u8(w, c == '\n' ? '\r' : c);
            if (c == '\n' || c == '\r')
                *pending = c == '\n' ? '\n' : '\0';
            n--;
            ++*offset;
        }
        room--;
    }
}

/* Block `base` of a netascii transfer: the size of what came before is only known by doing it. */
static int send_ascii_block(struct tftp_server *s, struct transfer *t)
{
    struct writer w = writer_of(s->out, sizeof(s->out));
    uint64_t left = t->file.size - t->ascii_offset;
    size_t n = left < t->block_size ? (size_t)left : t->block_size;
    const uint8_t *bytes = file_bytes(s, t, t->ascii_offset, n);

    if (!bytes)
        return -EIO;
    write_be16(&w, TFTP_DATA);
    write_be16(&w, (uint16_t)t->base);
    t->ascii_next_offset = t->ascii_offset;
    t->ascii_next_pending = t->ascii_pending;
    write_ascii(&w, bytes, n, t->block_size, &t->ascii_next_offset, &t->ascii_next_pending);
    t->sent = t->base;
    t->last = writer_len(&w) - TFTP_HEADER < t->block_size ? t->base : 0;
    s->output.send(s->output.context, t->tid, &t->peer, t->local, s->out, writer_len(&w), 0);
    return 0;
}

/* Appends blocks from t->sent + 1 up to `until` to the output while they fit; returns their number,
 * -EIO. */
static int fill_burst(struct tftp_server *s, struct transfer *t, uint64_t until, struct writer *w)
{
    int n = 0;

    while (t->sent < until && (!n || writer_len(w) + TFTP_HEADER + t->block_size <= BURST_MAX)) {
        uint64_t offset = t->sent * t->block_size, left = t->file.size - offset;
        size_t len = left < t->block_size ? (size_t)left : t->block_size;
        const uint8_t *bytes = file_bytes(s, t, offset, len);

        if (!bytes)
            return -EIO;
        tftp_write_data(w, (uint16_t)(t->sent + 1), bytes, len);
        t->sent++;
        n++;
    }
    return n;
}

/* Room for one block, or for a window up to a burst. */
static struct writer room_for(struct tftp_server *s, struct transfer *t, uint64_t blocks)
{
    size_t block = TFTP_HEADER + (size_t)t->block_size, size = block;
    uint8_t *room = NULL;

    if (blocks > 1)
        size = blocks * block < BURST_MAX ? (size_t)blocks * block
               : block > BURST_MAX        ? block
                                          : BURST_MAX;
    if (s->output.room)
        room = s->output.room(s->output.context, t->tid, &t->peer, size);
    return room ? writer_of(room, size) : writer_of(s->out, sizeof(s->out));
}

/* The window from `base` on. */
static int send_window(struct tftp_server *s, struct transfer *t)
{
    uint64_t until = t->base + t->window - 1;

    if (t->netascii)
        return send_ascii_block(s, t);
    if (until > t->last)
        until = t->last;
    t->sent = t->base - 1;
    while (t->sent < until) {
        struct writer w = room_for(s, t, until - t->sent);
        int n = fill_burst(s, t, until, &w);

        if (n < 0)
            return n;
        count_by(COUNT_TFTP_SEGMENTS_SENT, n);
        s->output.send(s->output.context, t->tid, &t->peer, t->local, w.start, writer_len(&w),
                       n > 1 ? (size_t)TFTP_HEADER + t->block_size : 0);
    }
    return 0;
}

/* What the client has not answered yet, for the first time or again. Ends the transfer when it
 * cannot. */
void transfer_transmit(struct tftp_server *s, struct transfer *t, uint64_t now_ms)
{
    if (t->state == OFFERED) {
        send_offer(s, t);
    } else if (send_window(s, t) < 0) {
        transfer_send_error(s, t->tid, &t->peer, t->local, TFTP_ERROR_OTHER, "File changed");
        transfer_end(s, t, FILE_ABORTED);
        return;
    }
    set_timer(s, t, now_ms);
}
