#include "wire/boot/tftp.h"

#include <errno.h>

static const struct {
    const char *name;
    uint64_t min, max;
} option_rows[N_TFTP_OPTIONS] = {
    [TFTP_BLKSIZE] = {"blksize", TFTP_BLOCK_MIN, TFTP_BLOCK_MAX}, /* RFC 2348 */
    [TFTP_TIMEOUT] = {"timeout", 1, 255},                         /* RFC 2349 */
    [TFTP_TSIZE] = {"tsize", 0, UINT64_MAX},                      /* RFC 2349 */
    [TFTP_WINDOWSIZE] = {"windowsize", 1, 65535},                 /* RFC 7440 */
};

static const char *const mode_names[] = {
    [TFTP_OCTET] = "octet",
    [TFTP_NETASCII] = "netascii",
    [TFTP_MAIL] = "mail",
    [TFTP_OTHER_MODE] = "other",
};

static const char *const op_names[] = {"?", "RRQ", "WRQ", "DATA", "ACK", "ERROR", "OACK"};

const char *tftp_op_name(unsigned op)
{
    return op_names[op <= TFTP_OACK ? op : 0];
}

static void take_option(struct tftp_options *o, struct text name, struct text value)
{
    uint64_t n;

    for (int i = 0; i < N_TFTP_OPTIONS; i++)
        if (text_equal_nocase(name, text_of(option_rows[i].name))) {
            if (!tftp_has(o, i) && text_to_u64(value, 10, &n) == 0 && n >= option_rows[i].min &&
                n <= option_rows[i].max)
                tftp_set(o, i, n);
            return;
        }
}

/* Some clients fill their packet up with NULs: an empty name ends the list. */
static void parse_options(struct reader *r, struct tftp_options *o)
{
    while (reader_left(r) && *r->at) {
        struct text name = read_zero_text(r), value = read_zero_text(r);

        if (r->bad)
            return;
        take_option(o, name, value);
    }
}

static enum tftp_mode mode_of(struct text t)
{
    for (int i = TFTP_OCTET; i < TFTP_OTHER_MODE; i++)
        if (text_equal_nocase(t, text_of(mode_names[i])))
            return (enum tftp_mode)i;
    return TFTP_OTHER_MODE;
}

static void parse_request(struct reader *r, struct tftp_packet *p)
{
    if (reader_left(r) > TFTP_REQUEST_MAX - 2)
        r->bad = true;
    p->file = read_zero_text(r);
    p->mode = mode_of(read_zero_text(r));
    parse_options(r, &p->options);
}

static void parse_data(struct reader *r, struct tftp_packet *p)
{
    p->block = read_be16(r);
    p->data = read_text(r, reader_left(r));
}

static void parse_error(struct reader *r, struct tftp_packet *p)
{
    struct text rest;

    p->error = read_be16(r);
    rest = read_text(r, reader_left(r));
    p->message = (struct text){rest.at, rest.len ? strnlen(rest.at, rest.len) : 0};
}

int tftp_parse(const void *bytes, size_t len, struct tftp_packet *ret)
{
    struct reader r = reader_of(bytes, len);

    memset(ret, 0, sizeof(*ret));
    ret->op = read_be16(&r);
    switch (ret->op) {
    case TFTP_RRQ:
    case TFTP_WRQ:
        parse_request(&r, ret);
        break;
    case TFTP_DATA:
        parse_data(&r, ret);
        break;
    case TFTP_ACK:
        ret->block = read_be16(&r);
        break;
    case TFTP_ERROR:
        parse_error(&r, ret);
        break;
    case TFTP_OACK:
        parse_options(&r, &ret->options);
        break;
    default:
        return -EBADMSG;
    }
    return r.bad ? -EBADMSG : 0;
}

static void write_zero_text(struct writer *w, struct text t)
{
    write_text(w, t);
    write_u8(w, 0);
}

static void write_options(struct writer *w, const struct tftp_options *o)
{
    for (int i = 0; i < N_TFTP_OPTIONS; i++)
        if (tftp_has(o, i)) {
            write_zero_text(w, text_of(option_rows[i].name));
            write_format(w, "%llu", (unsigned long long)o->value[i]);
            write_u8(w, 0);
        }
}

void tftp_write_request(struct writer *w, enum tftp_op op, struct text file, enum tftp_mode mode,
                        const struct tftp_options *options)
{
    write_be16(w, op);
    write_zero_text(w, file);
    write_zero_text(w, text_of(mode_names[mode]));
    if (options)
        write_options(w, options);
}

void tftp_write_data(struct writer *w, uint16_t block, const void *bytes, size_t n)
{
    write_be16(w, TFTP_DATA);
    write_be16(w, block);
    write_bytes(w, bytes, n);
}

void tftp_write_ack(struct writer *w, uint16_t block)
{
    write_be16(w, TFTP_ACK);
    write_be16(w, block);
}

void tftp_write_error(struct writer *w, uint16_t error, const char *message)
{
    write_be16(w, TFTP_ERROR);
    write_be16(w, error);
    write_zero_text(w, text_of(message));
}

void tftp_write_oack(struct writer *w, const struct tftp_options *options)
{
    write_be16(w, TFTP_OACK);
    write_options(w, options);
}

void tftp_print(const struct tftp_packet *p, struct writer *to)
{
    write_string(to, tftp_op_name(p->op));
    if (p->op == TFTP_RRQ || p->op == TFTP_WRQ)
        write_format(to, " \"%.*s\" %s", TEXT_ARG(p->file), mode_names[p->mode]);
    if (p->op == TFTP_DATA || p->op == TFTP_ACK)
        write_format(to, " block %u", p->block);
    if (p->op == TFTP_DATA)
        write_format(to, " %zu bytes", p->data.len);
    if (p->op == TFTP_ERROR)
        write_format(to, " %u \"%.*s\"", p->error, TEXT_ARG(p->message));
    for (int i = 0; i < N_TFTP_OPTIONS; i++)
        if (tftp_has(&p->options, i))
            write_format(to, " %s=%llu", option_rows[i].name,
                         (unsigned long long)p->options.value[i]);
    write_u8(to, '\n');
}
