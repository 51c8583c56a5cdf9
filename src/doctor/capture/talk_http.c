/* talk_http.c - requests, responses and the files in them. */
#include <errno.h>

#include "doctor/capture/talk.h"

static void set_name(struct talk *t, struct text target)
{
    char path[sizeof(t->name)];

    if (http_path(target, path, sizeof(path)) < 0)
        text_copy(path, sizeof(path), target);
    text_copy(t->name, sizeof(t->name), text_of(path[0] == '/' ? path + 1 : path));
}

static int read_request(struct capture *c, struct stream *s, const uint8_t *bytes, size_t len)
{
    struct talk *t = s->user;
    struct http_request request;
    struct sight sight = {.kind = SIGHT_HTTP_REQUEST, .http_request = &request};
    int n = http_parse_request(bytes, len, &request);

    if (n <= 0)
        return n < 0 ? -EPROTO : 0;
    set_name(t, request.target);
    t->to_head = request.method == HTTP_HEAD;
    t->sides[0].skip = request.head.has_length ? request.head.length : 0;
    talk_tell(c, s, 0, &sight);
    return n;
}

void talk_http_end(struct capture *c, struct stream *s, bool whole)
{
    struct talk *t = s->user;
    struct sight sight = {.kind = SIGHT_FILE};

    t->in_body = false;
    if (t->wanted) {
        sight.file.name = text_of(t->name);
        sight.file.content = kept_text(&t->content);
        sight.file.size = t->size;
        sight.file.whole = whole && !t->holes;
        talk_tell(c, s, 1, &sight);
    }
    kept_free(c, &t->content);
}

static void begin_body(struct capture *c, struct stream *s, const struct http_response *r)
{
    struct talk *t = s->user;

    http_body_of_response(&t->body, r, t->to_head);
    t->to_head = t->holes = false;
    t->size = 0;
    t->wanted = r->status == 200 && !(t->body.kind == HTTP_BODY_LENGTH && t->body.done);
    t->in_body = !t->body.done;
}

static int read_response(struct capture *c, struct stream *s, const uint8_t *bytes, size_t len)
{
    struct http_response response;
    struct sight sight = {.kind = SIGHT_HTTP_RESPONSE, .http_response = &response};
    int n = http_parse_response(bytes, len, &response);

    if (n <= 0)
        return n < 0 ? -EPROTO : 0;
    talk_tell(c, s, 1, &sight);
    begin_body(c, s, &response);
    return n;
}

static int read_body(struct capture *c, struct stream *s, const uint8_t *bytes, size_t len)
{
    struct talk *t = s->user;
    struct text data = {0};
    int n = http_body_read(&t->body, bytes, len, &data);
    size_t room = SIGHT_FILE_MAX - t->content.len;

    if (n < 0) {
        talk_http_end(c, s, false);
        return -EPROTO;
    }
    t->size += data.len;
    if (t->wanted && !t->holes &&
        !kept_add(c, &t->content, data.at, data.len < room ? data.len : room, SIGHT_FILE_MAX))
        t->holes = true;
    if (t->body.done)
        talk_http_end(c, s, true);
    return n;
}

/* Bytes within a body are missing: its end is still known when its length was. */
void talk_http_hole(struct capture *c, struct stream *s, uint64_t bytes)
{
    struct talk *t = s->user;

    t->holes = true;
    if (t->body.kind == HTTP_BODY_LENGTH && t->body.left > bytes) {
        t->body.left -= bytes;
    } else if (t->body.kind != HTTP_BODY_UNTIL_CLOSE) {
        talk_http_end(c, s, false);
        t->sides[1].lost = true;
    }
}

int talk_http(struct capture *c, struct stream *s, int side, const uint8_t *bytes, size_t len)
{
    struct talk *t = s->user;

    if (side == 0)
        return read_request(c, s, bytes, len);
    return t->in_body ? read_body(c, s, bytes, len) : read_response(c, s, bytes, len);
}
