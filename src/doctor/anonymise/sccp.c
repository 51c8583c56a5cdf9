/* sccp.c - SCCP messages disguised by the table of their fields; see text.h. */
#include <stdlib.h>

#include "doctor/anonymise/disguise.h"
#include "doctor/anonymise/text.h"
#include "wire/sccp/message.h"

/* What the doctor reads, or what says why: only addresses in it are disguised. */
static bool is_kept(uint32_t id, const char *field)
{
    static const struct {
        uint32_t id;
        const char *field;
    } kept[] = {
        {SCCP_REGISTER_REQ, "load"},
        {SCCP_REGISTER_REQ, "config_version"},
        {SCCP_VERSION, "version"},
    };

    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        if (kept[i].id == id && strcmp(kept[i].field, field) == 0)
            return true;
    return false;
}

static void disguise_ip(struct ip *ip)
{
    if (ip->family == 4)
        disguise_ipv4(ip->bytes);
    else if (ip->family == 6)
        disguise_ipv6(ip->bytes);
}

/* Another version may have an address there. It is replaced as one; the same number by the same. */
static void disguise_number(uint32_t *number)
{
    uint8_t four[4] = {(uint8_t)*number, (uint8_t)(*number >> 8), (uint8_t)(*number >> 16),
                       (uint8_t)(*number >> 24)};

    if (!four[3])
        return;
    disguise_ipv4(four);
    *number = four[0] | (uint32_t)four[1] << 8 | (uint32_t)four[2] << 16 | (uint32_t)four[3] << 24;
}

static void disguise_field(void *context, const struct field *row, void *member)
{
    const struct sccp_message *m = context;
    struct text *t = member;

    switch (row->kind) {
    case F_UINT:
    case F_LINE:
        if (row->stride == 4 && !strstr(row->name, "time"))
            disguise_number(member);
        break;
    case F_IP4:
    case F_IP6:
    case F_ADDR:
        disguise_ip(member);
        break;
    case F_STR:
        if (m->id == SCCP_ALARM)
            disguise_alarm(member, strlen(member));
        else if (m->id == SCCP_REGISTER_REJECT)
            disguise_sentence(member, strlen(member));
        else if (is_kept(m->id, row->name))
            disguise_addresses(member, strlen(member));
        else
            disguise_words(member, strlen(member));
        break;
    case F_BYTES:
        if (strcmp(row->name, "key") == 0 || strcmp(row->name, "salt") == 0) /* of media */
            memset(member, 0, row->len);
        else if (row->len == 12) /* an Ethernet address, as text or padded */
            *(char *)member < '0' ? disguise_mac_bytes(member) : disguise_addresses(member, 12);
        break;
    case F_ZSTR:
    case F_DATA:
    case F_BLOCK:
    case F_RAW: /* borrowed from bytes that are ours */
        if (memmem(t->at, t->len, "<", 1))
            disguise_document((char *)(uintptr_t)t->at, t->len);
        else if (t->len)
            disguise_words((char *)(uintptr_t)t->at, t->len);
        break;
    }
}

/* The version whose layout makes the same bytes again; what is behind them stays out. */
static bool disguise_by_table(const struct sccp_frame *f, uint8_t *body, struct sccp_message *m)
{
    uint8_t made[SCCP_FRAME_MAX + SCCP_HEADER_SIZE];

    for (int version = SCCP_VERSION_MAX; version >= 0; version--) {
        struct writer w = writer_of(made, sizeof(made));
        size_t n;

        if (sccp_decode(f, (unsigned)version, SCCP_FROM_PHONE | SCCP_FROM_SERVER, m) < 0 ||
            sccp_encode(m, (unsigned)version, &w) < 0)
            continue;
        n = writer_len(&w) - SCCP_HEADER_SIZE;
        if (n > f->len || memcmp(made + SCCP_HEADER_SIZE, body, n) != 0)
            continue;
        fields_visit(sccp_message_fields(f->id), (unsigned)version, &m->keepalive, disguise_field,
                     m);
        w = writer_of(made, sizeof(made));
        if (sccp_encode(m, (unsigned)version, &w) < 0 || writer_len(&w) - SCCP_HEADER_SIZE != n)
            continue;
        memcpy(body, made + SCCP_HEADER_SIZE, n);
        memset(body + n, 0, f->len - n);
        return true;
    }
    return false;
}

/* Of an unknown layout small numbers stay: states, kinds, seconds. */
static void blank_words(uint8_t *body, size_t len)
{
    for (size_t i = 0; i < len; i += 4)
        if (len - i < 4 || body[i + 1] || body[i + 2] || body[i + 3])
            memset(body + i, 0, len - i < 4 ? len - i : 4);
}

static void disguise_frame(const struct sccp_frame *f, uint8_t *body, struct sccp_message *m)
{
    if (f->id == SCCP_KEYPAD_BUTTON && f->len >= 4 && body[0] < 10)
        body[0] = 0; /* what is dialled; '*' and '#' are no number */
    if (f->id == SCCP_REGISTER_REQ && f->len >= 32 && !disguise_by_table(f, body, m)) {
        disguise_words((char *)body, strnlen((char *)body, 16));
        disguise_ipv4(body + 24);
        disguise_addresses((char *)body + 28, f->len - 28);
    } else if (f->id != SCCP_REGISTER_REQ && !disguise_by_table(f, body, m)) {
        blank_words(body, f->len);
    }
}

static uint32_t message_id(const uint8_t *frame)
{
    struct reader r = reader_of(frame + 8, 4);

    return read_le32(&r);
}

void disguise_sccp_part(uint8_t *at, size_t len)
{
    size_t kept = SCCP_HEADER_SIZE;

    if (len >= SCCP_HEADER_SIZE + 16 && message_id(at) == SCCP_REGISTER_REQ) {
        disguise_words((char *)at + kept, strnlen((char *)at + kept, 16));
        kept += 16;
    }
    if (len > kept)
        memset(at + kept, 0, len - kept);
}

void disguise_sccp(uint8_t *at, size_t len)
{
    struct sccp_message *m = calloc(1, sizeof(*m));
    struct reader r = reader_of(at, len);
    struct sccp_frame f;

    while (m && sccp_frame_next(&r, &f) == 1)
        disguise_frame(&f, at + (f.body - at), m);
    if (!m || reader_left(&r)) /* a part of a message */
        memset(at + (r.at - at), 0, reader_left(&r));
    free(m);
}
