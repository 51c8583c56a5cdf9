/* sccp_frames.c - every SCCP message with plausible values, for a foreign decoder to judge.
 *
 * Usage: sccp_frames VERSION. A line per message: id, name, from (phone or server), frame in hex.
 */
#include <stdio.h>
#include <stdlib.h>

#include "wire/sccp/message.h"

static void fill(const struct field *rows, void *body);

static uint8_t *member(void *body, const struct field *row)
{
    return (uint8_t *)body + row->at;
}

static void fill_elements(const struct field *row, void *body)
{
    uint32_t n = row->kind == F_ARRAY ? row->len : row->len < 2 ? row->len : 2;

    for (uint32_t i = 0; i < n; i++)
        fill(row->rows(), member(body, row) + (size_t)i * row->stride);
    if (row->kind != F_ARRAY)
        memcpy((uint8_t *)body + row->count_at, &n, sizeof(n));
}

/* A value that has a name where there are names, so that a decoder can print it. */
static uint32_t value_of(const struct field *row)
{
    return row->names ? row->names[row->names[1].name != NULL].value : 1;
}

static void fill_uint(const struct field *row, void *body)
{
    uint32_t v = value_of(row);

    if (row->stride == 4)
        memcpy(member(body, row), &v, 4);
    else if (row->stride == 2)
        memcpy(member(body, row), &(uint16_t){(uint16_t)v}, 2);
    else
        *member(body, row) = (uint8_t)v;
}

static void fill_row(const struct field *row, void *body)
{
    size_t n;

    switch (row->kind) {
    case F_UINT:
    case F_LINE:
        fill_uint(row, body);
        break;
    case F_IP4:
    case F_ADDR:
        *(struct ip *)member(body, row) = ip_v4(0xc0000201);
        break;
    case F_IP6:
        *(struct ip *)member(body, row) = (struct ip){6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
        break;
    case F_STR:
        n = strlen(row->name);
        memcpy(member(body, row), row->name, n < row->len ? n + 1 : 0);
        break;
    case F_ZSTR:
    case F_LEN:
        *(struct text *)member(body, row) =
            strcmp(row->name, "xml") ? text_of(row->name) : TEXT("<a/>");
        break;
    case F_LIST:
    case F_SLOTS:
    case F_ARRAY:
        fill_elements(row, body);
        break;
    default: /* bytes stay zero, marks and padding have no member */
        break;
    }
}

static void fill(const struct field *rows, void *body)
{
    for (const struct field *row = rows; row->kind != F_END; row++)
        fill_row(row, body);
}

static void print(uint32_t id, unsigned version)
{
    static struct sccp_message m;
    uint8_t frame[SCCP_FRAME_MAX];
    struct writer w = writer_of(frame, sizeof(frame));

    memset(&m, 0, sizeof(m));
    m.id = id;
    fill(sccp_message_fields(id), &m.keepalive);
    if (sccp_encode(&m, version, &w))
        exit(1);
    printf("%04x %s %s ", id, sccp_message_name(id),
           sccp_message_from(id) == SCCP_FROM_PHONE ? "phone" : "server");
    for (size_t i = 0; i < writer_len(&w); i++)
        printf("%02x", frame[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (size_t i = 0; sccp_message_at(i) != UINT32_MAX; i++)
        print(sccp_message_at(i), (unsigned)atoi(argv[1]));
    return 0;
}
