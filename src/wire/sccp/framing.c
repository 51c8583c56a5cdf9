/* framing.c - finds and writes SCCP frames. */
#include "wire/sccp/framing.h"

#include <endian.h>
#include <errno.h>

static uint32_t word_at(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return le32toh(v);
}

static void word_put(uint8_t *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, 4);
}

int sccp_frame_next(struct reader *stream, struct sccp_frame *ret)
{
    size_t left = reader_left(stream);
    uint32_t length;

    if (left < 4)
        return 0;
    length = word_at(stream->at);
    if (length < 4 || length > SCCP_FRAME_MAX - 8)
        return -EPROTO;
    if (left < length + 8)
        return 0;
    *ret = (struct sccp_frame){
        .version = word_at(stream->at + 4),
        .id = word_at(stream->at + 8),
        .body = stream->at + SCCP_HEADER_SIZE,
        .len = length - 4,
    };
    stream->at += length + 8;
    return 1;
}

uint8_t *sccp_frame_begin(struct writer *w, uint32_t version, uint32_t id)
{
    uint8_t *header = write_room(w, SCCP_HEADER_SIZE);

    if (header) {
        word_put(header + 4, version);
        word_put(header + 8, id);
    }
    return header;
}

int sccp_frame_end(struct writer *w, uint8_t *header)
{
    static const uint8_t zeroes[4];
    size_t gap;
    uint8_t *p;

    if (header) {
        gap = (size_t) - (w->at - header) & 3;
        if (gap && (p = write_room(w, gap)))
            memcpy(p, zeroes, gap);
        if (!w->bad && w->at - header <= SCCP_FRAME_MAX) {
            word_put(header, (uint32_t)(w->at - header - 8));
            return 0;
        }
        w->at = header;
    }
    w->bad = true;
    return -ENOBUFS;
}
