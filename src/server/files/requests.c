/* requests.c - what people ask of the files thread. */
#include "server/files/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char *text_argument(const json_t *arguments, const char *name)
{
    const char *s = json_string_value(json_object_get(arguments, name));

    return s ? s : "";
}

/* Binary files as people read them: offset, octets, characters. */
static json_t *hex_dump(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len / 16 * 80 + 81), *at = text;
    json_t *string;

    if (!text)
        return NULL;
    *at = '\0';
    for (size_t i = 0; i < len; i += 16) {
        size_t n = len - i < 16 ? len - i : 16;

        at += sprintf(at, "%04zx ", i);
        for (size_t k = 0; k < 16; k++)
            at += k < n ? sprintf(at, " %02x", bytes[i + k]) : sprintf(at, "   ");
        at += sprintf(at, "  ");
        for (size_t k = 0; k < n; k++)
            *at++ = bytes[i + k] >= ' ' && bytes[i + k] < 0x7f ? (char)bytes[i + k] : '.';
        *at++ = '\n';
        *at = '\0';
    }
    string = json_string(text);
    free(text);
    return string;
}

static json_t *readable(const struct content *c)
{
    struct text t = {(const char *)c->bytes, (size_t)c->size};

    if (text_utf8_valid(t) && !memchr(t.at, 0, t.len))
        return json_stringn(t.at, t.len);
    return hex_dump(c->bytes, (size_t)c->size);
}

static void phone_file(struct files *f, uint64_t token, const json_t *arguments)
{
    const char *device = text_argument(arguments, "name"),
               *asked = text_argument(arguments, "file");
    const struct phone *p = directory_phone(f->thread->directory, text_of(device));
    char own[FILE_NAME_MAX + 1];
    struct content *c = NULL;
    struct file_name name;
    int err;

    if (!*asked && !p) {
        server_refuse_as(f->server, token, 404, "there is no phone %s", device);
        return;
    }
    if (!*asked && p->protocol == PROTOCOL_SIP_THIRD_PARTY) {
        server_refuse(f->server, token, "%s is of another make and has no file: set it up by hand",
                      p->name);
        return;
    }
    if (!*asked)
        asked = phone_file_name(p, own);
    err = file_name_parse(text_of(asked), &name);
    if (!err)
        err = file_lookup(f, &name, f->usual, (struct device_name){""}, &c);
    if (err) {
        server_refuse(f->server, token, "%s: a phone is told 'File not found'%s", asked,
                      err == -EBUSY ? " until the file that is being copied is complete" : "");
        return;
    }
    if (!c->bytes || c->size > (1u << 20))
        server_refuse(f->server, token, "%s is there, %llu bytes: too long to print", asked,
                      (unsigned long long)c->size);
    else
        server_reply(f->server, token, 0,
                     json_pack("{s:o,s:{s:s,s:I}}", "text", readable(c), "record", "file",
                               name.given, "bytes", (json_int_t)c->size));
    content_unref(c);
}

static void rebuild(struct files *f, uint64_t token, const json_t *arguments)
{
    const char *device = text_argument(arguments, "name");

    if (*device && !directory_phone(f->thread->directory, text_of(device))) {
        server_refuse_as(f->server, token, 404, "there is no phone %s", device);
        return;
    }
    file_cache_clear(f->cache); /* one or all: what is not made now is made when it is asked for */
    if (*device)
        server_reply(f->server, token, 0, json_pack("{s:{s:i}}", "record", "built", 1));
    else
        file_build_start(f, token, true);
}

static const struct {
    const char *verb;
    void (*act)(struct files *f, uint64_t token, const json_t *arguments);
} verbs[] = {
    {"phone file", phone_file},         {"file rebuild", rebuild},
    {"load list", file_loads_list},     {"load check", file_loads_check},
    {"load import", file_loads_import},
};

void file_request(struct files *f, uint64_t token, const char *verb, const json_t *arguments)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].verb, verb) == 0) {
            verbs[i].act(f, token, arguments);
            return;
        }
    }
    server_refuse(f->server, token, "'%s' is not known here", verb);
}
