#include "wire/xml.h"

#include <assert.h>
#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <stdlib.h>

#include "base/markup.h"

/* -- reading -------------------------------------------------------------------------------- */

struct reading {
    XML_Parser parser;
    xml_handler on_event;
    void *context;
    int err;
    unsigned depth;
    char path[XML_PATH_MAX];
    size_t path_len;
    struct {
        size_t path_len; /* before this element */
        size_t text_at;  /* where its text begins */
        size_t name_len;
    } open[XML_DEPTH_MAX];
    size_t text_len;
    char text[XML_TEXT_MAX];
};

static void stop(struct reading *x, int err)
{
    if (!x->err)
        x->err = err;
    XML_StopParser(x->parser, XML_FALSE);
}

static void tell(struct reading *x, enum xml_event_kind kind, struct text name, struct text value)
{
    struct xml_event e = {kind, {x->path, x->path_len}, name, value};
    int err = x->err ? x->err : x->on_event(x->context, &e);

    if (err < 0)
        stop(x, err);
}

static int push(struct reading *x, struct text name)
{
    struct writer w = writer_of(x->path + x->path_len, sizeof(x->path) - x->path_len);

    if (x->depth)
        write_u8(&w, '/');
    write_text(&w, name);
    if (w.bad || x->depth == XML_DEPTH_MAX)
        return -E2BIG;
    x->open[x->depth].path_len = x->path_len;
    x->open[x->depth].text_at = x->text_len;
    x->open[x->depth].name_len = name.len;
    x->path_len += writer_len(&w);
    x->depth++;
    return 0;
}

static void on_open(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *x = context;

    if (x->err)
        return;
    if (push(x, text_of(name)) < 0) {
        stop(x, -E2BIG);
        return;
    }
    tell(x, XML_OPEN, text_of(name), TEXT(""));
    for (; !x->err && attributes[0]; attributes += 2)
        tell(x, XML_ATTRIBUTE, text_of(attributes[0]), text_of(attributes[1]));
}

static void on_close(void *context, const XML_Char *name)
{
    struct reading *x = context;
    struct text own;
    size_t start;

    if (x->err)
        return;
    x->depth--;
    start = x->open[x->depth].text_at;
    own = text_trim((struct text){x->text + start, x->text_len - start});
    tell(x, XML_CLOSE, text_of(name), own);
    x->text_len = start;
    x->path_len = x->open[x->depth].path_len;
}

static void on_text(void *context, const XML_Char *s, int len)
{
    struct reading *x = context;

    if (x->err)
        return;
    if ((size_t)len > sizeof(x->text) - x->text_len) {
        stop(x, -E2BIG);
        return;
    }
    memcpy(x->text + x->text_len, s, (size_t)len);
    x->text_len += (size_t)len;
}

static void on_entity(void *context, const XML_Char *name, int is_parameter, const XML_Char *value,
                      int value_length, const XML_Char *base, const XML_Char *system_id,
                      const XML_Char *public_id, const XML_Char *notation)
{
    stop(context, -EPERM);
}

static const char *words_for(const struct reading *x, int err)
{
    switch (err) {
    case -E2BIG:
        return "nested too deeply or a text too long";
    case -EPERM:
        return "entity declarations are not accepted";
    case -EBADMSG:
        return XML_ErrorString(XML_GetErrorCode(x->parser));
    default:
        return "refused";
    }
}

static int parse(struct reading *x, const void *bytes, size_t len, struct xml_error *error)
{
    bool ok;

    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_open, on_close);
    XML_SetCharacterDataHandler(x->parser, on_text);
    XML_SetEntityDeclHandler(x->parser, on_entity);
    ok = XML_Parse(x->parser, bytes, (int)len, XML_TRUE) == XML_STATUS_OK;
    if (ok || !x->err)
        x->err = ok                                                   ? x->err
                 : XML_GetErrorCode(x->parser) == XML_ERROR_NO_MEMORY ? -ENOMEM
                                                                      : -EBADMSG;
    if (x->err && error)
        *error = (struct xml_error){(unsigned)XML_GetCurrentLineNumber(x->parser),
                                    (unsigned)XML_GetCurrentColumnNumber(x->parser) + 1,
                                    words_for(x, x->err)};
    return x->err;
}

int xml_read(const void *bytes, size_t len, xml_handler on_event, void *context,
             struct xml_error *error)
{
    struct reading *x = malloc(sizeof(*x));
    int err = -ENOMEM;

    if (error)
        *error = (struct xml_error){0, 0, "out of memory"};
    if (x) {
        memset(x, 0, offsetof(struct reading, text));
        x->on_event = on_event;
        x->context = context;
        x->parser = XML_ParserCreate(NULL);
    }
    if (x && x->parser)
        err = len > INT_MAX ? -E2BIG : parse(x, bytes, len, error);
    if (x)
        XML_ParserFree(x->parser);
    free(x);
    return err;
}

/* -- writing -------------------------------------------------------------------------------- */

void xml_escape(struct writer *to, struct text value)
{
    while (value.len)
        write_text(to, markup_next(&value, TEXT(""), TEXT("?")));
}

void xml_begin_bare(struct xml_writer *x, struct writer *to)
{
    *x = (struct xml_writer){.to = to, .compact = true};
}

void xml_begin(struct xml_writer *x, struct writer *to)
{
    *x = (struct xml_writer){.to = to};
    write_string(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

static void end_tag(struct xml_writer *x)
{
    if (x->in_tag)
        write_u8(x->to, '>');
    x->in_tag = false;
}

static void new_line(struct xml_writer *x)
{
    static const char blanks[XML_DEPTH_MAX] = "                               ";

    if (x->compact)
        return;
    write_u8(x->to, '\n');
    write_bytes(x->to, blanks, x->depth);
}

void xml_open(struct xml_writer *x, const char *name)
{
    assert(x->depth < XML_DEPTH_MAX);
    end_tag(x);
    if (x->depth)
        new_line(x);
    write_u8(x->to, '<');
    write_string(x->to, name);
    x->open[x->depth++] = name;
    x->in_tag = true;
    x->has_children = false;
}

void xml_attribute(struct xml_writer *x, const char *name, struct text value)
{
    assert(x->in_tag);
    write_u8(x->to, ' ');
    write_string(x->to, name);
    write_string(x->to, "=\"");
    xml_escape(x->to, value);
    write_u8(x->to, '"');
}

void xml_attribute_number(struct xml_writer *x, const char *name, uint64_t value)
{
    assert(x->in_tag);
    write_format(x->to, " %s=\"%llu\"", name, (unsigned long long)value);
}

void xml_text(struct xml_writer *x, struct text value)
{
    if (!value.len)
        return; /* <name/> stays possible */
    end_tag(x);
    xml_escape(x->to, value);
}

void xml_close(struct xml_writer *x)
{
    assert(x->depth);
    x->depth--;
    if (x->in_tag && !x->whole) {
        write_string(x->to, "/>");
    } else {
        end_tag(x);
        if (x->has_children)
            new_line(x);
        write_string(x->to, "</");
        write_string(x->to, x->open[x->depth]);
        write_u8(x->to, '>');
    }
    x->in_tag = false;
    x->has_children = true; /* of the element around it */
    if (!x->depth && !x->compact)
        write_u8(x->to, '\n');
}

void xml_element(struct xml_writer *x, const char *name, struct text value)
{
    xml_open(x, name);
    xml_text(x, value);
    xml_close(x);
}

void xml_string(struct xml_writer *x, const char *name, const char *value)
{
    xml_element(x, name, text_of(value));
}

void xml_number(struct xml_writer *x, const char *name, uint64_t value)
{
    xml_open(x, name);
    end_tag(x);
    write_format(x->to, "%llu", (unsigned long long)value);
    xml_close(x);
}
