/* config.c - what a configuration file says, or why it is no good; read as the phones read
 * it. */
#include "doctor/timeline/own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/phone_config.h"
#include "wire/xml.h"

static int ignore(void *context, const struct xml_event *e)
{
    (void)context;
    (void)e;
    return 0;
}

/* The prefix of signed files is no part of the document. */
static struct text document_of(struct text content)
{
    const char *at;

    if (!content.at || !content.len)
        return content;
    at = memmem(content.at, content.len, "<?xml", 5);
    if (!at)
        at = memmem(content.at, content.len, "<device", 7);
    return at ? text_skip(content, (size_t)(at - content.at)) : content;
}

static void keep(struct story *story, const char *name, const struct phone_config *c,
                 struct moment m)
{
    struct story_config *mine = story->config;
    bool sip = c->n_lines || text_equal_nocase(text_of(c->protocol), TEXT("SIP"));

    if (!mine && !(mine = story->config = calloc(1, sizeof(*mine))))
        return;
    *mine = (struct story_config){.at = m,
                                  .n_servers = c->n_servers,
                                  .n_lines = c->n_lines,
                                  .is_default = c->is_default,
                                  .sip = sip,
                                  .managed = c->managed,
                                  .has_load = c->load[0] != '\0'};
    text_copy(mine->file, sizeof(mine->file), text_of(name));
    text_copy(mine->load, sizeof(mine->load), text_of(c->load));
    text_copy(mine->stamp, sizeof(mine->stamp), text_of(c->version_stamp));
    for (unsigned i = 0; i < c->n_servers && i < 3; i++) {
        text_copy(mine->servers[i], sizeof(mine->servers[i]), text_of(c->servers[i].name));
        mine->ports[i] = sip ? c->servers[i].sip_port : c->servers[i].port;
    }
}

static void is_bad(struct story *story, struct story_file *f, enum file_content content,
                   const struct sight *s, const char *words)
{
    f->content = (uint8_t)content;
    text_copy(f->fault, sizeof(f->fault), text_of(words));
    story_tell(story, EVENT_FILE_BAD, moment_of(s), "%s: %s", f->name, words);
}

/* Whether a document that is not well-formed has simply lost its end. */
static bool lost_its_end(const struct xml_error *error)
{
    struct text words = text_of(error->words);

    return text_contains_nocase(words, TEXT("no element found")) ||
           text_contains_nocase(words, TEXT("unclosed"));
}

static void read_xml(struct story *story, struct story_file *f, const struct sight *s)
{
    struct text doc = document_of(s->file.content);
    struct phone_config c;
    struct xml_error error = {0};
    char words[64];
    int err = xml_read(doc.at, doc.len, ignore, NULL, &error);

    if (!s->file.whole)
        return; /* it did not come whole; that is told of the transfer */
    if (err == -EBADMSG && s->file.size <= s->file.content.len) {
        snprintf(words, sizeof(words), WORDS("line") " %u: \x12%s\x1f", error.line,
                 error.words ? error.words : "");
        is_bad(story, f, lost_its_end(&error) ? CONTENT_CUT : CONTENT_MALFORMED, s, words);
        return;
    }
    if (err || phone_config_read_xml(doc.at, doc.len, story->device_type, &c) < 0) {
        if (!err)
            is_bad(story, f, CONTENT_WRONG, s, WORDS("it is no configuration of a phone"));
        return;
    }
    f->content = CONTENT_FINE;
    keep(story, f->name, &c, moment_of(s));
}

void read_config(struct story *story, struct story_file *f, const struct sight *s)
{
    struct text name = text_of(f->name), content = s->file.content;
    struct phone_config c = {0};

    if (s->file.whole && s->file.size == 0) {
        is_bad(story, f, CONTENT_EMPTY, s, WORDS("it is empty"));
        return;
    }
    if (text_contains_nocase(name, TEXT(".enc")))
        return; /* only the phone can read it */
    if (text_contains_nocase(name, TEXT(".xml"))) {
        read_xml(story, f, s);
        return;
    }
    if (!s->file.whole)
        return;
    if (text_starts_nocase(name, "SIP") ? phone_config_read_text(content.at, content.len, &c) == 0
                                        : phone_config_read_cnf(content.at, content.len, &c) == 0) {
        f->content = CONTENT_FINE;
        c.is_default = text_equal_nocase(name, TEXT("SEPDEFAULT.cnf"));
        keep(story, f->name, &c, moment_of(s));
    }
}
