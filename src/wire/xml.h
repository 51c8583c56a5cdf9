/* xml.h - XML documents: read with expat as a sequence of events, written by our own small writer. */
#pragma once

#include "base/buf.h"

#define XML_DEPTH_MAX 32
#define XML_PATH_MAX  512
#define XML_TEXT_MAX  65536 /* of one element */

enum xml_event_kind {
    XML_OPEN,      /* an element begins */
    XML_ATTRIBUTE, /* after its XML_OPEN: `name` and `value` */
    XML_CLOSE      /* it ends; `value` is its own text, blanks around it taken off */
};

struct xml_event {
    enum xml_event_kind kind;
    struct text path;  /* "device/callManagerGroup/members/member" */
    struct text name;  /* of the element or attribute */
    struct text value;
};

/* A value below 0 stops reading and is returned by xml_read. */
typedef int (*xml_handler)(void *context, const struct xml_event *e);

struct xml_error {
    unsigned line, column;
    const char *words; /* static */
};

/* 0, what the handler returned, -EBADMSG when not well-formed (error filled; it may be NULL), -E2BIG beyond the limits
 * above, -EPERM for a document that declares entities, -ENOMEM. Any encoding that expat knows. */
int xml_read(const void *bytes, size_t len, xml_handler on_event, void *context, struct xml_error *error);

/* Writes UTF-8, an element a line, indented by one blank. Names and nesting are the caller's own, so they are
 * asserted; texts are escaped, control characters dropped, bytes that are not UTF-8 become '?'. */
struct xml_writer {
    struct writer *to; /* its `bad` tells whether everything fitted */
    const char *open[XML_DEPTH_MAX]; /* names must outlive the writer */
    uint8_t depth;
    bool in_tag, has_children, compact;
    bool whole; /* empty elements as <name></name>: the parsers of old phones */
};

void xml_begin(struct xml_writer *x, struct writer *to);         /* with <?xml version="1.0" encoding="UTF-8"?> */
void xml_begin_bare(struct xml_writer *x, struct writer *to);    /* without it, and all in one line */
void xml_open(struct xml_writer *x, const char *name);
void xml_attribute(struct xml_writer *x, const char *name, struct text value); /* right after xml_open */
void xml_attribute_number(struct xml_writer *x, const char *name, uint64_t value);
void xml_text(struct xml_writer *x, struct text value);
void xml_close(struct xml_writer *x);
void xml_element(struct xml_writer *x, const char *name, struct text value); /* empty: <name/> ... */
void xml_string(struct xml_writer *x, const char *name, const char *value);
void xml_number(struct xml_writer *x, const char *name, uint64_t value);
void xml_escape(struct writer *to, struct text value);
