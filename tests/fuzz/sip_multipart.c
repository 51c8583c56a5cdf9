/* sip_multipart.c - bodies of several parts; the first line is the Content-Type. */
#include <stdlib.h>

#include "wire/sip/multipart.h"

#define PARTS 6

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static bool can_be_written(const struct sip_part *part, struct text boundary)
{
    const char *plain = "\r\n";

    return !memmem(part->body.at, part->body.len, boundary.at, boundary.len) &&
           !memmem(part->type.at, part->type.len, plain, 1) &&
           !memmem(part->disposition.at, part->disposition.len, plain + 1, 1) &&
           !text_starts_nocase(part->type, "multipart/");
}

/* The parts written under a boundary of ours are the same parts. */
static void write_again(const struct sip_part *parts, int n)
{
    static uint8_t out[1 << 18];
    struct writer w = writer_of(out, sizeof(out));
    struct sip_part whole = {.type = TEXT("multipart/mixed;boundary=uniqueBoundary")}, again[PARTS];

    for (int i = 0; i < n; i++) {
        if (!can_be_written(&parts[i], TEXT("uniqueBoundary")))
            return;
        sip_write_part(&w, "uniqueBoundary", &parts[i]);
    }
    sip_write_parts_end(&w, "uniqueBoundary");
    must(!w.bad);
    whole.body = (struct text){(const char *)out, writer_len(&w)};
    must(sip_parts(&whole, again, PARTS) == n);
    for (int i = 0; i < n; i++)
        must(text_equal(again[i].body, parts[i].body));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct text body = {(const char *)bytes, len}, type = text_split(&body, '\n');
    struct sip_part whole = {.type = text_trim(type), .body = body}, parts[PARTS];
    int n;

    if (!body.at || len > 1 << 16)
        return 0;
    n = sip_parts(&whole, parts, PARTS);
    must(n <= PARTS);
    for (int i = 0; i < n; i++)
        must(parts[i].body.at >= body.at &&
             parts[i].body.at + parts[i].body.len <= body.at + body.len);
    if (n > 0)
        write_again(parts, n);
    return 0;
}
