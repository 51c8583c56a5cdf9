#include "server/addressing/lease_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

#define PATH_ROOM 4300

/* --- records --- */

void lease_record_write(const struct lease_row *row, struct lease_record *to)
{
    struct writer w = writer_of(to, sizeof(*to));

    write_be32(&w, row->address);
    write_u8(&w, row->state);
    write_u8(&w, row->client.len);
    write_bytes(&w, row->client.mac.bytes, sizeof(row->client.mac.bytes));
    write_be32(&w, (uint32_t)(row->until_s >> 32));
    write_be32(&w, (uint32_t)row->until_s);
    write_bytes(&w, row->client.key, sizeof(row->client.key));
    write_bytes(&w, row->name, sizeof(row->name));
    write_bytes(&w, row->vendor, sizeof(row->vendor));
}

static void read_record(const struct lease_record *s, struct lease_row *row)
{
    struct reader r = reader_of(s, sizeof(*s));

    *row = (struct lease_row){.address = read_be32(&r)};
    row->state = read_u8(&r);
    row->client.len = read_u8(&r);
    memcpy(row->client.mac.bytes, read_bytes(&r, 6), 6);
    row->until_s = (uint64_t)read_be32(&r) << 32;
    row->until_s |= read_be32(&r);
    memcpy(row->client.key, s->key, sizeof(s->key));
    memcpy(row->name, s->name, sizeof(s->name) - 1);
    memcpy(row->vendor, s->vendor, sizeof(s->vendor) - 1);
}

/* --- the journal --- */

struct collector {
    struct lease_rows *rows;
    size_t max;
};

static void collect(struct collector *c, const struct lease_row *row)
{
    if (!c->rows || c->rows->n == c->max) {
        size_t n = c->max ? c->max * 2 : 1024;
        struct lease_rows *rows = realloc(c->rows, sizeof(*rows) + n * sizeof(rows->at[0]));

        if (!rows)
            return; /* start-up without memory: what is missing looks free */
        if (!c->rows)
            rows->n = 0;
        c->rows = rows;
        c->max = n;
    }
    c->rows->at[c->rows->n++] = *row;
}

static void on_record(void *context, const void *record)
{
    struct lease_row row;

    read_record(record, &row);
    collect(context, &row);
}

int lease_file_open(const char *path, struct journal **ret, struct lease_rows **rows)
{
    struct collector c = {0};
    const struct journal_options options = {.path = path,
                                            .what = "dialtone leases",
                                            .record_size = sizeof(struct lease_record),
                                            .key_size = 4,
                                            .context = &c,
                                            .on_record = on_record};
    int err = journal_open(&options, ret);

    *rows = c.rows;
    return err;
}

/* --- backup --- */

/* The writer only appends, or puts another file in its place; a slot that is half there is skipped.
 */
static int copy_file(const char *from, const char *to)
{
    char bytes[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC),
        out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = in < 0 || out < 0 ? -errno : 0;
    ssize_t n;

    while (!err && (n = read(in, bytes, sizeof(bytes))))
        if (n < 0 || write(out, bytes, (size_t)n) != n)
            err = n < 0 ? -errno : -ENOSPC;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return err;
}

static int insert_all(struct store *s, const struct lease_rows *rows)
{
    struct statement *st = NULL;
    int err = store_begin(s);

    if (!err)
        err = store_run(s, "CREATE TABLE lease_backup(record TEXT NOT NULL)");
    if (!err)
        err = store_prepare(s, "INSERT INTO lease_backup VALUES(?)", &st);
    for (size_t i = 0; rows && i < rows->n && !err; i++) {
        struct lease_record record;
        char hex[2 * sizeof(record) + 1];

        lease_record_write(&rows->at[i], &record);
        for (size_t k = 0; k < sizeof(record); k++)
            snprintf(hex + 2 * k, 3, "%02x", ((const uint8_t *)&record)[k]);
        statement_text(st, 1, (struct text){hex, sizeof(hex) - 1});
        err = statement_run(st);
    }
    statement_free(st);
    if (!err)
        err = store_commit(s);
    else
        store_rollback(s);
    return err ? err : store_run(s, "PRAGMA journal_mode=DELETE"); /* one file, readable anywhere */
}

int lease_file_backup(const char *folder, const char *backup)
{
    char path[PATH_ROOM], copy[PATH_ROOM], error[512];
    struct lease_rows *rows = NULL;
    struct journal *j = NULL;
    struct store *s = NULL;
    int err;

    snprintf(path, sizeof(path), "%s/" LEASE_FILE, folder);
    snprintf(copy, sizeof(copy), "%s.leases", backup);
    err = copy_file(path, copy);
    if (err == -ENOENT)
        return 0; /* never had any */
    if (!err)
        err = lease_file_open(copy, &j, &rows);
    if (!err)
        err = store_open(backup, STORE_WRITE, &s, error, sizeof(error));
    if (!err)
        err = insert_all(s, rows);
    store_close(s);
    journal_close(j);
    lease_rows_free(rows);
    unlink(copy);
    return err;
}

/* --- restore --- */

static int append(struct journal *j, const struct lease_rows *rows)
{
    struct lease_record *records = malloc((rows->n ? rows->n : 1) * sizeof(*records));
    int err;

    if (!records)
        return -ENOMEM;
    for (size_t i = 0; i < rows->n; i++)
        lease_record_write(&rows->at[i], &records[i]);
    err = rows->n ? journal_append(j, records, rows->n) : 0;
    free(records);
    return err;
}

static bool read_hex(struct text hex, struct lease_record *to)
{
    uint8_t *bytes = (uint8_t *)to;
    uint32_t value;

    if (hex.len != 2 * sizeof(*to))
        return false;
    for (size_t i = 0; i < sizeof(*to); i++) {
        if (text_to_u32((struct text){hex.at + 2 * i, 2}, 16, &value) < 0)
            return false;
        bytes[i] = (uint8_t)value;
    }
    return true;
}

static struct lease_rows *read_backup(struct store *s)
{
    struct collector c = {0};
    struct statement *st;
    struct lease_record record;
    struct lease_row row;

    if (store_prepare(s, "SELECT record FROM lease_backup", &st))
        return NULL; /* made before leases were part of a backup */
    while (statement_step(st) == 1)
        if (read_hex(statement_get_text(st, 0), &record)) {
            read_record(&record, &row);
            collect(&c, &row);
        }
    statement_free(st);
    return c.rows;
}

int lease_file_restore(const char *backup, const char *folder)
{
    struct lease_rows *rows = NULL, *none = NULL;
    char path[PATH_ROOM], error[512];
    struct journal *j = NULL;
    struct store *s;
    int err = store_open(backup, STORE_READ, &s, error, sizeof(error)), n = 0;

    if (err)
        return err;
    rows = read_backup(s);
    store_close(s);
    if (!rows)
        return 0;
    snprintf(path, sizeof(path), "%s/" LEASE_RESTORE, folder);
    unlink(path); /* of a restore before */
    err = lease_file_open(path, &j, &none);
    if (!err)
        err = append(j, rows);
    journal_close(j);
    n = (int)rows->n;
    lease_rows_free(none);
    lease_rows_free(rows);
    return err ? err : n;
}

static int by_address(const void *a, const void *b)
{
    const struct lease_row *x = a, *y = b;

    return x->address < y->address ? -1 : x->address > y->address;
}

static int by_client(const void *a, const void *b)
{
    const struct lease_row *x = a, *y = b;
    int order = memcmp(x->client.key, y->client.key, sizeof(x->client.key));

    return order ? order : (int)x->client.len - (int)y->client.len;
}

/* Leaves in `rows` what `known` has not: what is known is newer than any backup. */
static int keep_unknown(struct lease_rows *rows, const struct lease_rows *known)
{
    size_t n_known = known ? known->n : 0, n = 0;
    struct lease_row *sorted = malloc((n_known ? n_known : 1) * sizeof(*sorted));

    if (!sorted)
        return -ENOMEM;
    if (n_known)
        memcpy(sorted, known->at, n_known * sizeof(*sorted));
    qsort(sorted, n_known, sizeof(*sorted), by_address);
    for (size_t i = 0; i < rows->n; i++)
        if (!bsearch(&rows->at[i], sorted, n_known, sizeof(*sorted), by_address))
            rows->at[n++] = rows->at[i];
    rows->n = n;
    n = 0;
    qsort(sorted, n_known, sizeof(*sorted), by_client);
    for (size_t i = 0; i < rows->n; i++)
        if (!rows->at[i].client.len ||
            !bsearch(&rows->at[i], sorted, n_known, sizeof(*sorted), by_client))
            rows->at[n++] = rows->at[i];
    rows->n = n;
    free(sorted);
    return 0;
}

int lease_file_take_restored(const char *folder, struct journal *j, const struct lease_rows *known,
                             struct lease_rows **added)
{
    struct lease_rows *rows = NULL;
    struct journal *from = NULL;
    char path[PATH_ROOM];
    int err;

    *added = NULL;
    snprintf(path, sizeof(path), "%s/" LEASE_RESTORE, folder);
    if (access(path, F_OK) < 0)
        return 0;
    err = lease_file_open(path, &from, &rows);
    journal_close(from);
    if (!err && rows)
        err = keep_unknown(rows, known);
    if (!err && rows)
        err = append(j, rows);
    if (!err && unlink(path) < 0)
        err = -errno;
    if (!err && rows && rows->n) {
        *added = rows;
        rows = NULL;
    }
    lease_rows_free(rows);
    return err;
}
