#include "io/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pack {
    struct archive *archive;
    int err;
    char path[1024], part[1032]; /* where it is made */
};

static int fail(struct pack *p)
{
    int err = archive_errno(p->archive);

    if (!p->err)
        p->err = err > 0 ? -err : -EIO;
    return p->err;
}

int pack_open(const char *path, struct pack **ret)
{
    struct pack *p = calloc(1, sizeof(*p));
    int err;

    if (!p)
        return -ENOMEM;
    snprintf(p->path, sizeof(p->path), "%s", path);
    snprintf(p->part, sizeof(p->part), "%s.part", path);
    p->archive = archive_write_new();
    if (p->archive && archive_write_set_format_pax_restricted(p->archive) == ARCHIVE_OK &&
        archive_write_add_filter_gzip(p->archive) == ARCHIVE_OK &&
        archive_write_open_filename(p->archive, p->part) == ARCHIVE_OK) {
        *ret = p;
        return 0;
    }
    err = p->archive ? fail(p) : -ENOMEM;
    archive_write_free(p->archive);
    free(p);
    return err;
}

int pack_add(struct pack *p, const char *name, int64_t modified_s, const void *bytes, size_t len)
{
    struct archive_entry *e = archive_entry_new();

    if (!e)
        return p->err = -ENOMEM;
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)len);
    archive_entry_set_mtime(e, modified_s, 0);
    if (!p->err && (archive_write_header(p->archive, e) != ARCHIVE_OK ||
                    archive_write_data(p->archive, bytes, len) != (la_ssize_t)len))
        fail(p);
    archive_entry_free(e);
    return p->err;
}

int pack_close(struct pack *p)
{
    int err;

    if (archive_write_close(p->archive) != ARCHIVE_OK)
        fail(p);
    archive_write_free(p->archive);
    if (!p->err && rename(p->part, p->path) < 0)
        p->err = -errno;
    if (p->err)
        unlink(p->part);
    err = p->err;
    free(p);
    return err;
}
