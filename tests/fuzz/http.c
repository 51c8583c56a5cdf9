/* http.c - heads and bodies, fed whole and byte by byte with the same outcome. */
#include <stdlib.h>

#include "wire/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

/* The sum of the body's bytes, or -1 when it is refused. */
static int64_t body(struct http_body b, const uint8_t *bytes, size_t len, size_t step)
{
    int64_t sum = 0;
    size_t at = 0;

    while (at < len && !b.done) {
        struct text data;
        int used = http_body_read(&b, bytes + at, len - at < step ? len - at : step, &data);

        if (used < 0)
            return -1;
        must(used > 0 && data.len <= (size_t)used);
        for (size_t i = 0; i < data.len; i++)
            sum = (sum * 31 + (uint8_t)data.at[i]) & 0xffffffffff;
        at += (size_t)used;
    }
    return sum;
}

static void check_body(struct http_body b, const uint8_t *bytes, size_t len)
{
    must(body(b, bytes, len, len) == body(b, bytes, len, 1));
}

static void check_request(const uint8_t *bytes, size_t len)
{
    struct http_request r;
    struct http_body b;
    uint64_t first, n;
    char path[256];
    int used = http_parse_request(bytes, len, &r);

    must(used <= (int)len);
    if (used <= 0)
        return;
    http_path(r.target, path, sizeof(path));
    if (http_range_cut(&r.range, 1000, &first, &n))
        must(first + n <= 1000);
    http_body_of_request(&b, &r);
    check_body(b, bytes + used, len - (size_t)used);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct http_response r;
    struct http_body b;
    int used;

    check_request(bytes, len);
    used = http_parse_response(bytes, len, &r);
    if (used > 0) {
        http_body_of_response(&b, &r, false);
        check_body(b, bytes + used, len - (size_t)used);
    }
    return 0;
}
