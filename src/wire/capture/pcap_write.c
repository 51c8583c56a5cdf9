#include "wire/capture/pcap_write.h"

enum block { SECTION = 0x0a0d0d0a, INTERFACE = 1, STATISTICS = 5, FRAME = 6, SECRETS = 10 };
enum option {
    OPTION_END,
    OPTION_COMMENT,
    INTERFACE_NAME = 2,
    EPB_FLAGS = 2,
    SECTION_APPLICATION = 4,
    STATISTICS_SEEN = 4,
    STATISTICS_DROPPED = 5,
    INTERFACE_RESOLUTION = 9
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define TLS_KEY_LOG      0x544c534bu
#define NANOSECONDS      9 /* times count in 10 to the power of minus this */
#define SNAP             0 /* no limit */

/* --- blocks: type, length, body, length again --- */

static struct writer begin(struct writer *w, enum block type)
{
    struct writer start = *w;

    write_le32(w, type);
    write_le32(w, 0); /* end() knows */
    return start;
}

static void end(struct writer *w, struct writer start)
{
    uint32_t len = (uint32_t)(w->at - start.at) + 4;
    struct writer second = writer_of(start.at + 4, 4);

    write_le32(w, len);
    if (w->bad) { /* half a block would spoil what stands before it */
        w->at = start.at;
        return;
    }
    write_le32(&second, len);
}

static void pad(struct writer *w, size_t len)
{
    write_zeroes(w, -len & 3);
}

static void write_le64(struct writer *w, uint64_t v)
{
    write_le32(w, (uint32_t)v);
    write_le32(w, (uint32_t)(v >> 32));
}

/* Times are the only numbers whose upper half comes first. */
static void write_time(struct writer *w, uint64_t ns)
{
    write_le32(w, (uint32_t)(ns >> 32));
    write_le32(w, (uint32_t)ns);
}

static void option_text(struct writer *w, enum option code, struct text value)
{
    if (!value.len || value.len > UINT16_MAX)
        return;
    write_le16(w, (uint16_t)code);
    write_le16(w, (uint16_t)value.len);
    write_text(w, value);
    pad(w, value.len);
}

static void option_u64(struct writer *w, enum option code, uint64_t value)
{
    write_le16(w, (uint16_t)code);
    write_le16(w, 8);
    write_le64(w, value);
}

static void options_end(struct writer *w)
{
    write_le32(w, OPTION_END);
}

/* --- the blocks --- */

void pcap_write_section(struct writer *w, struct text application, struct text comment)
{
    struct writer start = begin(w, SECTION);

    write_le32(w, BYTE_ORDER_MAGIC);
    write_le16(w, 1); /* version 1.0 */
    write_le16(w, 0);
    write_le64(w, UINT64_MAX); /* how long the section is: not known */
    option_text(w, OPTION_COMMENT, comment);
    option_text(w, SECTION_APPLICATION, application);
    options_end(w);
    end(w, start);
}

void pcap_write_interface(struct writer *w, uint32_t link_type, struct text name)
{
    struct writer start = begin(w, INTERFACE);

    write_le16(w, (uint16_t)link_type);
    write_le16(w, 0);
    write_le32(w, SNAP);
    option_text(w, INTERFACE_NAME, name);
    option_text(w, INTERFACE_RESOLUTION, (struct text){(const char[]){NANOSECONDS}, 1});
    options_end(w);
    end(w, start);
}

void pcap_write_frame(struct writer *w, const struct pcap_frame *f)
{
    struct writer start = begin(w, FRAME);

    write_le32(w, f->interface);
    write_time(w, f->time_ns);
    write_le32(w, (uint32_t)f->bytes.len);
    write_le32(w, (uint32_t)(f->original ? f->original : f->bytes.len));
    write_text(w, f->bytes);
    pad(w, f->bytes.len);
    option_text(w, OPTION_COMMENT, f->comment);
    if (f->way != PCAP_WAY_UNKNOWN)
        option_text(w, EPB_FLAGS, (struct text){(const char[]){(char)f->way, 0, 0, 0}, 4});
    if (f->way != PCAP_WAY_UNKNOWN || f->comment.len)
        options_end(w);
    end(w, start);
}

void pcap_write_secrets(struct writer *w, struct text key_log)
{
    struct writer start = begin(w, SECRETS);

    write_le32(w, TLS_KEY_LOG);
    write_le32(w, (uint32_t)key_log.len);
    write_text(w, key_log);
    pad(w, key_log.len);
    end(w, start);
}

void pcap_write_statistics(struct writer *w, uint32_t interface, uint64_t time_ns, uint64_t seen,
                           uint64_t dropped)
{
    struct writer start = begin(w, STATISTICS);

    write_le32(w, interface);
    write_time(w, time_ns);
    option_u64(w, STATISTICS_SEEN, seen);
    option_u64(w, STATISTICS_DROPPED, dropped);
    options_end(w);
    end(w, start);
}
