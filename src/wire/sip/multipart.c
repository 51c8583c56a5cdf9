/* multipart.c - takes multipart bodies apart without copying. */
#include "wire/sip/multipart.h"

#include <errno.h>

struct parts {
    struct sip_part *at;
    unsigned n, max;
};

bool sip_type_is(struct text type, const char *name)
{
    struct text main_type = text_split(&type, ';');
    struct text sub = main_type, wanted = text_of(name), wanted_sub = wanted;

    main_type = text_trim(text_split(&sub, '/'));
    wanted = text_split(&wanted_sub, '/');
    return sub.at && text_equal_nocase(main_type, wanted) &&
           text_equal_nocase(text_trim(sub), wanted_sub);
}

bool sip_type_parameter(struct text type, const char *name, struct text *value)
{
    text_split(&type, ';');
    return type.at && sip_parameter(type, name, value);
}

/* -- delimiter lines -------------------------------------------------------------------------- */

struct delimiter {
    size_t start; /* of the line end before it: where the part before it ends */
    size_t end;   /* behind its own line end */
    bool last;
};

/* Whether a line that is a delimiter begins at `at`. */
static bool is_delimiter(struct text t, size_t at, struct text boundary, struct delimiter *ret)
{
    size_t i = at + 2 + boundary.len;

    if (t.len < i || memcmp(t.at + at, "--", 2) != 0 ||
        memcmp(t.at + at + 2, boundary.at, boundary.len) != 0)
        return false;
    ret->last = t.len >= i + 2 && memcmp(t.at + i, "--", 2) == 0;
    if (ret->last)
        i += 2;
    while (i < t.len && (t.at[i] == ' ' || t.at[i] == '\t'))
        i++;
    if (i < t.len && t.at[i] == '\r')
        i++;
    if (i < t.len && t.at[i] != '\n')
        return false; /* a longer boundary */
    ret->end = i < t.len ? i + 1 : i;
    ret->start = at;
    if (ret->start > 0)
        ret->start--;
    if (ret->start > 0 && t.at[ret->start - 1] == '\r')
        ret->start--;
    return true;
}

static bool find_delimiter(struct text t, size_t at, struct text boundary, struct delimiter *ret)
{
    const char *line;

    for (; at < t.len; at = (size_t)(line - t.at) + 1) {
        if (is_delimiter(t, at, boundary, ret))
            return true;
        line = memchr(t.at + at, '\n', t.len - at);
        if (!line)
            break;
    }
    return false;
}

/* -- parts ------------------------------------------------------------------------------------ */

static void take_header(struct sip_part *part, struct text name, struct text value)
{
    if (text_equal_nocase(name, TEXT("Content-Type")) || text_equal_nocase(name, TEXT("c")))
        part->type = value;
    else if (text_equal_nocase(name, TEXT("Content-Disposition")))
        part->disposition = value;
    else if (text_equal_nocase(name, TEXT("Content-ID")))
        part->id = value.len > 2 && value.at[0] == '<' && value.at[value.len - 1] == '>'
                       ? (struct text){value.at + 1, value.len - 2}
                       : value;
}

/* Up to the end of the line that no blank follows; a fold is part of the value. The empty line ends
 * the head whatever follows it. */
static struct text header_line(struct text *rest)
{
    struct text line = *rest;
    const char *stop = NULL, *at = rest->at, *end = rest->at + rest->len;

    if (text_starts(line, "\n") || text_starts(line, "\r\n")) {
        *rest = text_skip(*rest, line.at[0] == '\n' ? 1 : 2);
        return (struct text){"", 0};
    }
    while (at < end && (stop = memchr(at, '\n', (size_t)(end - at)))) {
        at = stop + 1;
        if (at == end || (*at != ' ' && *at != '\t'))
            break;
        stop = NULL;
    }
    line.len = (size_t)((stop ? stop : end) - rest->at);
    *rest = text_skip(*rest, line.len + 1);
    return text_trim(line);
}

/* Headers, empty line, body. A part whose first line is empty has no headers. */
static int read_part(struct text t, struct sip_part *ret)
{
    struct sip_part part = {.type = {"", 0}, .disposition = {"", 0}, .id = {"", 0}};

    while (t.len) {
        struct text line = header_line(&t), name, value = line;

        if (line.len == 0)
            break;
        name = text_split(&value, ':');
        if (!value.at)
            return -EBADMSG;
        take_header(&part, text_trim(name), text_trim(value));
    }
    part.body = t;
    *ret = part;
    return 0;
}

static int take(struct parts *p, const struct sip_part *part, unsigned depth);

static int take_multipart(struct parts *p, const struct sip_part *whole, unsigned depth)
{
    struct text boundary, t = whole->body;
    struct delimiter line, next;
    int err = 0;

    if (depth == SIP_PARTS_DEPTH)
        return -E2BIG;
    if (!sip_type_parameter(whole->type, "boundary", &boundary) || boundary.len == 0 ||
        boundary.len > SIP_BOUNDARY_MAX || !find_delimiter(t, 0, boundary, &line))
        return -EBADMSG;
    while (!line.last && line.end < t.len && !err) {
        struct sip_part part;

        if (!find_delimiter(t, line.end, boundary, &next))
            next = (struct delimiter){t.len, t.len, true};
        if (next.start < line.end)
            next.start = line.end; /* nothing between them */
        err = read_part((struct text){t.at + line.end, next.start - line.end}, &part);
        if (!err)
            err = take(p, &part, depth + 1);
        line = next;
    }
    return err;
}

static bool is_multipart(struct text type)
{
    return text_starts_nocase(type, "multipart/");
}

static int take(struct parts *p, const struct sip_part *part, unsigned depth)
{
    if (is_multipart(part->type))
        return take_multipart(p, part, depth);
    if (p->n == p->max)
        return -E2BIG;
    p->at[p->n++] = *part;
    return 0;
}

int sip_parts(const struct sip_part *whole, struct sip_part *parts, unsigned max)
{
    struct parts p = {parts, 0, max};
    int err = whole->body.len ? take(&p, whole, 0) : 0;

    return err ? err : (int)p.n;
}

int sip_message_parts(const struct sip_message *m, struct sip_part *parts, unsigned max)
{
    struct sip_part whole = {.type = sip_value(m, SIP_CONTENT_TYPE),
                             .disposition = sip_value(m, SIP_CONTENT_DISPOSITION)};

    take_header(&whole, TEXT("Content-ID"), sip_value(m, SIP_CONTENT_ID));
    whole.body = m->body;
    return sip_parts(&whole, parts, max);
}

/* -- writing ---------------------------------------------------------------------------------- */

static void write_line(struct writer *w, const char *name, struct text value)
{
    write_string(w, name);
    write_text(w, value);
    write_bytes(w, "\r\n", 2);
}

void sip_write_part(struct writer *w, const char *boundary, const struct sip_part *part)
{
    write_line(w, "--", text_of(boundary));
    if (part->type.len)
        write_line(w, "Content-Type: ", part->type);
    if (part->disposition.len)
        write_line(w, "Content-Disposition: ", part->disposition);
    if (part->id.len) {
        write_string(w, "Content-ID: <");
        write_text(w, part->id);
        write_bytes(w, ">\r\n", 3);
    }
    write_bytes(w, "\r\n", 2);
    write_text(w, part->body);
    write_bytes(w, "\r\n", 2);
}

void sip_write_parts_end(struct writer *w, const char *boundary)
{
    write_string(w, "--");
    write_string(w, boundary);
    write_bytes(w, "--\r\n", 4);
}
