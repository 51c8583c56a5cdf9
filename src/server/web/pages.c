/* pages.c - files of the web page over HTTP. */
#include "server/web/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "server/web/web_own.h"

#define PAGE_FILES "/v/"
#define DISK_MAX   (4u << 20)
#define FOREVER    "public, max-age=31536000, immutable"

/* Scripts, styles and requests: our own only; nothing inline, no frames, no foreign hosts. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},   {".svg", "image/svg+xml"},
    {".txt", "text/plain; charset=utf-8"},
};

const char *page_type(const char *path)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (text_ends(text_of(path), types[i].ending))
            return types[i].type;
    return NULL;
}

bool page_path_is_plain(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    struct text rest = text_of(path);

    if (path[strspn(path, plain)] && path[strspn(path, plain)] != '/')
        return false;
    while (rest.at) {
        struct text name = text_split(&rest, '/');

        if (!name.len || name.at[0] == '.' || strspn(name.at, plain) < name.len)
            return false;
    }
    return true;
}

static const struct page_file *find(const char *path)
{
    for (size_t i = 0; i < n_page_files; i++)
        if (!strcmp(page_files[i].path, path))
            return &page_files[i];
    return NULL;
}

static void put_page_headers(struct headers *h, const char *path, const char *caching)
{
    header_put(h, "Content-Type", page_type(path));
    header_put(h, "Cache-Control", caching);
    header_put(h, "X-Content-Type-Options", "nosniff");
    header_put(h, "Referrer-Policy", "same-origin");
    header_put(h, "Cross-Origin-Opener-Policy", "same-origin");
    header_put(h, "Content-Security-Policy", policy);
}

static void send_file(struct web *w, const struct front_request *r, const struct page_file *f,
                      const char *caching)
{
    const char *accepts = front_header(r, "Accept-Encoding"),
               *seen = front_header(r, "If-None-Match");
    bool packed = accepts && strstr(accepts, "gzip"), same;
    size_t size = packed ? f->packed_size : f->size;
    struct headers h = {.n = 0};
    char etag[32], *body;

    snprintf(etag, sizeof(etag), "\"%s%s\"", page_version, packed ? "-z" : "");
    same = seen && strstr(seen, etag);
    body = same ? NULL : malloc(size);
    if (!same && !body) {
        web_refuse(w, r->id, 503, "The server is short of memory.");
        return;
    }
    put_page_headers(&h, f->path, caching);
    header_put(&h, "ETag", etag);
    header_put(&h, "Vary", "Accept-Encoding");
    if (packed && !same)
        header_put(&h, "Content-Encoding", "gzip");
    if (body)
        memcpy(body, packed ? f->packed : f->bytes, size);
    front_answer(w->front, r->id, same ? 304 : 200, h.rows, body, same ? 0 : size);
}

/* While pages are written: read anew each time, @V@ is "dsk". */
static void send_from_disk(struct web *w, const struct front_request *r, const char *folder,
                           const char *path)
{
    struct headers h = {.n = 0};
    struct grow text = {0};
    char name[1024], piece[4096], *mark;
    FILE *f;
    size_t n;

    snprintf(name, sizeof(name), "%s/%s", folder, path);
    if (!(f = fopen(name, "re"))) {
        web_refuse(w, r->id, 404, "There is no such file.");
        return;
    }
    while ((n = fread(piece, 1, sizeof(piece), f)) && text.len < DISK_MAX)
        grow_text(&text, (struct text){piece, n});
    fclose(f);
    if (text.bad) {
        grow_done(&text);
        web_refuse(w, r->id, 503, "The server is short of memory.");
        return;
    }
    while (!strcmp(path, "index.html") && text.at && (mark = strstr(text.at, "@V@")))
        memcpy(mark, "dsk", 3);
    put_page_headers(&h, path, "no-store");
    front_answer(w->front, r->id, 200, h.rows, text.at, text.len);
}

void web_on_page(struct web *w, const struct front_request *r)
{
    const char *folder = server_bootstrap(w->admin->thread->server)->admin_web,
               *path = text_starts(text_of(r->path), PAGE_FILES)
                           ? strchr(r->path + strlen(PAGE_FILES), '/')
                           : NULL;
    bool shell = !text_starts(text_of(r->path), PAGE_FILES);
    const struct page_file *f;

    path = shell ? "index.html" : path ? path + 1 : "";
    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
        web_refuse(w, r->id, 405, "Pages are read with GET.");
    else if (!page_type(path) || !page_path_is_plain(path))
        web_refuse(w, r->id, 404, "There is no such file.");
    else if (*folder)
        send_from_disk(w, r, folder, path);
    else if (!(f = find(path)) || (!shell && strncmp(r->path + strlen(PAGE_FILES), page_version,
                                                     strlen(page_version)) != 0))
        web_refuse(w, r->id, 404, "There is no such file in this version; load the page again.");
    else
        send_file(w, r, f, shell ? "no-cache" : FOREVER);
}
