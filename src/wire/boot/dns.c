#include "wire/boot/dns.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#define HEADER_SIZE 12
#define LABEL_MAX   63
#define POINTER     0xc0
#define CLASS_IN    1
#define TYPE_NS     2
#define TYPE_CNAME  5

enum { FLAG_QR = 0x8000, FLAG_AA = 0x0400, FLAG_TC = 0x0200, FLAG_RD = 0x0100, FLAG_RA = 0x0080 };

void dns_init(struct dns_message *m, uint16_t id)
{
    memset(m, 0, offsetof(struct dns_message, records));
    m->n_records = 0;
    m->id = id;
}

/* -- decoding ------------------------------------------------------------------------------- */

struct decoding {
    const uint8_t *start;
    struct reader r;
};

static void add_label(struct writer *w, struct text label)
{
    if (memchr(label.at, '.', label.len) || memchr(label.at, '\0', label.len))
        w->bad = true;
    if (writer_len(w))
        write_u8(w, '.');
    write_text(w, label);
}

/* A pointer leads strictly before what was read so far, so the walk ends. */
static void read_name(struct decoding *d, char to[static DNS_NAME_MAX])
{
    struct writer w = writer_of(to, DNS_NAME_MAX - 1);
    struct reader r = d->r;
    const uint8_t *least = r.at;
    bool jumped = false;

    for (;;) {
        uint8_t n = read_u8(&r);

        if (n > LABEL_MAX && (n & POINTER) == POINTER) {
            const uint8_t *target = d->start + ((n & ~POINTER) << 8 | read_u8(&r));

            if (!jumped)
                d->r.at = r.at;
            jumped = true;
            if (r.bad || target >= least)
                break;
            least = r.at = target;
            continue;
        }
        if (n == 0 || n > LABEL_MAX) {
            if (!jumped)
                d->r.at = r.at;
            d->r.bad |= r.bad || n || w.bad;
            *w.at = '\0';
            return;
        }
        add_label(&w, read_text(&r, n));
    }
    d->r.bad = true;
    to[0] = '\0';
}

static struct text read_counted(struct reader *r)
{
    return read_text(r, read_u8(r));
}

static void read_address(struct reader *r, struct dns_record *rr, uint8_t family)
{
    size_t n = family == 6 ? 16 : 4;
    const uint8_t *p = read_bytes(r, n);

    rr->ip = (struct ip){.family = family};
    if (p)
        memcpy(rr->ip.bytes, p, n);
}

static void read_data(struct decoding *d, struct dns_record *rr)
{
    switch (rr->type) {
    case DNS_A:
        read_address(&d->r, rr, 4);
        break;
    case DNS_AAAA:
        read_address(&d->r, rr, 6);
        break;
    case TYPE_NS:
    case TYPE_CNAME:
    case DNS_PTR:
        read_name(d, rr->target);
        break;
    case DNS_SRV:
        rr->priority = read_be16(&d->r);
        rr->weight = read_be16(&d->r);
        rr->port = read_be16(&d->r);
        read_name(d, rr->target);
        break;
    case DNS_NAPTR:
        rr->priority = read_be16(&d->r);
        rr->weight = read_be16(&d->r);
        rr->flags = read_counted(&d->r);
        rr->service = read_counted(&d->r);
        rr->regexp = read_counted(&d->r);
        read_name(d, rr->target);
        break;
    default:
        rr->data = read_text(&d->r, reader_left(&d->r));
    }
}

/* Everything but the names, of which the first octet is enough. */
static void clear_record(struct dns_record *rr)
{
    rr->name[0] = rr->target[0] = '\0';
    rr->type = rr->class = rr->priority = rr->weight = rr->port = 0;
    rr->ttl = 0;
    rr->ip = (struct ip){0};
    rr->flags = rr->service = rr->regexp = rr->data = (struct text){"", 0};
}

static void read_record(struct decoding *d, struct dns_message *m, enum dns_section section)
{
    struct dns_record spare,
        *rr = m->n_records < DNS_RECORDS_MAX ? &m->records[m->n_records] : &spare;
    const uint8_t *whole = d->r.end;
    size_t len;

    clear_record(rr);
    rr->section = section;
    read_name(d, rr->name);
    rr->type = read_be16(&d->r);
    rr->class = read_be16(&d->r);
    rr->ttl = read_be32(&d->r);
    len = read_be16(&d->r);
    if (d->r.bad || reader_left(&d->r) < len) {
        d->r.bad = true;
        return;
    }
    d->r.end = d->r.at + len;
    read_data(d, rr);
    d->r.bad |= reader_left(&d->r) != 0;
    d->r.end = whole;
    if (rr->type == DNS_OPT)
        m->udp_size = rr->class;
    else if (rr != &spare)
        m->n_records++;
}

static void read_flags(struct reader *r, struct dns_message *m)
{
    uint16_t flags = read_be16(r);

    m->response = flags & FLAG_QR;
    m->opcode = flags >> 11 & 15;
    m->authoritative = flags & FLAG_AA;
    m->truncated = flags & FLAG_TC;
    m->recursion_desired = flags & FLAG_RD;
    m->recursion_available = flags & FLAG_RA;
    m->rcode = flags & 15;
}

int dns_decode(const void *bytes, size_t len, struct dns_message *ret)
{
    struct decoding d = {bytes, reader_of(bytes, len)};
    unsigned counts[4];

    dns_init(ret, read_be16(&d.r));
    read_flags(&d.r, ret);
    for (int i = 0; i < 4; i++)
        counts[i] = read_be16(&d.r);
    if (d.r.bad || counts[0] > 1)
        return -EBADMSG;
    if (counts[0]) {
        read_name(&d, ret->name);
        ret->type = read_be16(&d.r);
        ret->class = read_be16(&d.r);
        ret->has_question = !d.r.bad;
    }
    for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++)
        for (unsigned n = counts[section + 1]; n && !d.r.bad; n--)
            read_record(&d, ret, (enum dns_section)section);
    return d.r.bad ? -EBADMSG : 0;
}

/* -- encoding ------------------------------------------------------------------------------- */

#define SEEN_MAX 32 /* places of names that later ones may point to */

struct encoding {
    struct writer w;
    uint16_t seen[SEEN_MAX];
    unsigned n_seen;
    bool invalid;
};

static bool same_at(const struct encoding *e, size_t at, const char *name)
{
    char there[DNS_NAME_MAX];
    struct decoding d = {e->w.start, reader_of(e->w.start, writer_len(&e->w))};

    d.r.at += at;
    read_name(&d, there);
    return !d.r.bad && strcasecmp(there, name) == 0;
}

static bool point(struct encoding *e, const char *name)
{
    for (unsigned i = 0; i < e->n_seen; i++)
        if (same_at(e, e->seen[i], name)) {
            write_be16(&e->w, (uint16_t)(POINTER << 8 | e->seen[i]));
            return true;
        }
    return false;
}

static void write_name(struct encoding *e, const char *name, bool compress)
{
    uint16_t fresh[SEEN_MAX];
    unsigned n_fresh = 0;

    for (size_t n; *name; name += n + (name[n] == '.')) {
        n = strcspn(name, ".");
        if (n == 0 || n > LABEL_MAX)
            e->invalid = true;
        if (compress && point(e, name))
            goto out;
        if (writer_len(&e->w) < POINTER << 8 && e->n_seen + n_fresh < SEEN_MAX)
            fresh[n_fresh++] = (uint16_t)writer_len(&e->w);
        write_u8(&e->w, (uint8_t)n);
        write_bytes(&e->w, name, n);
    }
    write_u8(&e->w, 0);
out:
    while (n_fresh && !e->w.bad)
        e->seen[e->n_seen++] = fresh[--n_fresh];
}

static void write_counted(struct writer *w, struct text t)
{
    write_u8(w, (uint8_t)(t.len < 255 ? t.len : 255));
    write_bytes(w, t.at, t.len < 255 ? t.len : 255);
}

/* The targets of SRV and NAPTR are not compressed (RFC 2782, 3403). */
static void write_data(struct encoding *e, const struct dns_record *rr)
{
    switch (rr->type) {
    case DNS_A:
        write_bytes(&e->w, rr->ip.bytes, 4);
        break;
    case DNS_AAAA:
        write_bytes(&e->w, rr->ip.bytes, 16);
        break;
    case TYPE_NS:
    case TYPE_CNAME:
    case DNS_PTR:
        write_name(e, rr->target, true);
        break;
    case DNS_SRV:
        write_be16(&e->w, rr->priority);
        write_be16(&e->w, rr->weight);
        write_be16(&e->w, rr->port);
        write_name(e, rr->target, false);
        break;
    case DNS_NAPTR:
        write_be16(&e->w, rr->priority);
        write_be16(&e->w, rr->weight);
        write_counted(&e->w, rr->flags);
        write_counted(&e->w, rr->service);
        write_counted(&e->w, rr->regexp);
        write_name(e, rr->target, false);
        break;
    default:
        write_text(&e->w, rr->data);
    }
}

/* False, and nothing written, when it does not fit. */
static bool write_record(struct encoding *e, const struct dns_record *rr)
{
    struct encoding before = *e;
    struct writer length;
    uint8_t *room;

    write_name(e, rr->name, true);
    write_be16(&e->w, rr->type);
    write_be16(&e->w, rr->class);
    write_be32(&e->w, rr->ttl);
    room = write_room(&e->w, 2);
    write_data(e, rr);
    if (e->w.bad) {
        *e = before;
        return false;
    }
    length = writer_of(room, 2);
    write_be16(&length, (uint16_t)(e->w.at - room - 2));
    return true;
}

static unsigned write_section(struct encoding *e, const struct dns_message *m,
                              enum dns_section section, bool *truncated)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->n_records && !*truncated; i++)
        if (m->records[i].section == section) {
            if (write_record(e, &m->records[i]))
                n++;
            else
                *truncated = true;
        }
    return n;
}

static bool write_opt(struct encoding *e, uint16_t size)
{
    struct dns_record opt;

    clear_record(&opt);
    opt.type = DNS_OPT;
    opt.class = size;
    return write_record(e, &opt);
}

static uint16_t flags_of(const struct dns_message *m, bool truncated)
{
    return (uint16_t)((m->response ? FLAG_QR : 0) | (m->opcode & 15) << 11 |
                      (m->authoritative ? FLAG_AA : 0) | (m->truncated || truncated ? FLAG_TC : 0) |
                      (m->recursion_desired ? FLAG_RD : 0) |
                      (m->recursion_available ? FLAG_RA : 0) | (m->rcode & 15));
}

int dns_encode(const struct dns_message *m, void *to, size_t size)
{
    struct encoding e = {.w = writer_of(to, size)};
    struct writer head = writer_of(to, size < HEADER_SIZE ? size : HEADER_SIZE);
    unsigned counts[3];
    bool truncated = false;

    write_zeroes(&e.w, HEADER_SIZE);
    if (m->has_question) {
        write_name(&e, m->name, true);
        write_be16(&e.w, m->type);
        write_be16(&e.w, m->class);
    }
    if (e.w.bad)
        return -ENOSPC;
    for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++)
        counts[section] = write_section(&e, m, (enum dns_section)section, &truncated);
    if (m->udp_size && write_opt(&e, m->udp_size))
        counts[DNS_ADDITIONAL]++;
    write_be16(&head, m->id);
    write_be16(&head, flags_of(m, truncated));
    write_be16(&head, m->has_question);
    for (int i = 0; i < 3; i++)
        write_be16(&head, (uint16_t)counts[i]);
    return e.invalid ? -EINVAL : (int)writer_len(&e.w);
}

struct dns_record *dns_add(struct dns_message *m, enum dns_section section, const char *name,
                           uint16_t type, uint32_t ttl)
{
    struct dns_record *rr = &m->records[m->n_records];

    if (m->n_records == DNS_RECORDS_MAX)
        return NULL;
    m->n_records++;
    clear_record(rr);
    rr->section = section;
    rr->type = type;
    rr->class = CLASS_IN;
    rr->ttl = ttl;
    text_copy(rr->name, sizeof(rr->name), text_of(name));
    return rr;
}

/* -- printing ------------------------------------------------------------------------------- */

static void print_data(const struct dns_record *rr, struct writer *to)
{
    char s[IP_TEXT_MAX];

    if (rr->type == DNS_A || rr->type == DNS_AAAA)
        write_format(to, " %s", ip_print(rr->ip, s));
    if (rr->type == DNS_SRV)
        write_format(to, " %u %u %u", rr->priority, rr->weight, rr->port);
    if (rr->type == DNS_NAPTR)
        write_format(to, " %u %u \"%.*s\" \"%.*s\" \"%.*s\"", rr->priority, rr->weight,
                     TEXT_ARG(rr->flags), TEXT_ARG(rr->service), TEXT_ARG(rr->regexp));
    if (rr->target[0])
        write_format(to, " %s", rr->target);
    if (rr->data.len)
        write_format(to, " %zu bytes", rr->data.len);
}

void dns_print(const struct dns_message *m, struct writer *to)
{
    static const char *const sections[] = {"answer", "authority", "additional"};

    write_format(to, "%s id %u opcode %u rcode %u%s%s%s%s\n", m->response ? "response" : "query",
                 m->id, m->opcode, m->rcode, m->authoritative ? " aa" : "",
                 m->truncated ? " tc" : "", m->recursion_desired ? " rd" : "",
                 m->recursion_available ? " ra" : "");
    if (m->has_question)
        write_format(to, "question %s type %u class %u\n", m->name, m->type, m->class);
    for (unsigned i = 0; i < m->n_records; i++) {
        const struct dns_record *rr = &m->records[i];

        write_format(to, "%s %s type %u class %u ttl %u", sections[rr->section], rr->name, rr->type,
                     rr->class, rr->ttl);
        print_data(rr, to);
        write_u8(to, '\n');
    }
    if (m->udp_size)
        write_format(to, "edns %u\n", m->udp_size);
}
