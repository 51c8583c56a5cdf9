/* pages.h - the web page: the files of web/, built in, or from a folder while they are written.
 *
 * Files are at /v/VERSION/PATH and never change there; every other path is the page itself, which
 * reads from its own address what to show. Nothing here needs a log-in, and nothing here is secret.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct web;
struct front_request;

struct page_file {
    const char *path; /* "lib/api.js" */
    size_t size, packed_size;
    const char *bytes, *packed; /* packed: gzip */
};

extern const char page_version[];           /* of all of them together */
extern const struct page_file page_files[]; /* by path */
extern const size_t n_page_files;

/* "text/javascript; charset=utf-8"; NULL: no kind of file that a page is made of. */
const char *page_type(const char *path);
/* A path below a folder and nothing else: no empty or dotted names, no strange characters. */
bool page_path_is_plain(const char *path);
void web_on_page(struct web *w, const struct front_request *r);
