/* leases.c - the lease writer: leases.log in the data folder, durable before it answers.
 *
 * A thread of its own, so that waiting for the disk stops nobody. Each message brings what changed
 * since the last one: many leases share one sync (docs/decisions: leases in a journal). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "core/leases.h"
#include "io/journal.h"
#include "server/server.h"

#define TOPIC "leases"

struct stored { /* a record of the journal; numbers in network order */
    uint8_t address[4], state, key_len, mac[6], until_s[8];
    uint8_t key[LEASE_KEY_MAX];
    char name[16], vendor[24];
};

struct lease_writer {
    struct thread *thread;
    struct journal *journal; /* NULL while it cannot be opened */
    struct stored *room;
    size_t n_room;
    struct lease_rows *loaded;
    size_t loaded_max;
    int err; /* told last */
};

/* --- records --- */

static void to_stored(const struct lease_row *row, struct stored *s)
{
    struct writer w = writer_of(s, sizeof(*s));

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

static void from_stored(const struct stored *s, struct lease_row *row)
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

/* --- loading --- */

static void on_record(void *context, const void *record)
{
    struct lease_writer *w = context;

    if (!w->loaded || w->loaded->n == w->loaded_max) {
        size_t n = w->loaded_max ? w->loaded_max * 2 : 1024;
        struct lease_rows *rows = realloc(w->loaded, sizeof(*rows) + n * sizeof(rows->at[0]));

        if (!rows)
            return; /* start-up without memory: what is missing looks free */
        if (!w->loaded)
            rows->n = 0;
        w->loaded = rows;
        w->loaded_max = n;
    }
    from_stored(record, &w->loaded->at[w->loaded->n++]);
}

static void told(struct lease_writer *w, int err, const char *path)
{
    if (err && err != w->err)
        log_error(TOPIC, "%s: %s", path,
                  err == -EBADMSG ? "no file of leases: move it away" : strerror(-err));
    w->err = err;
}

static int open_journal(struct lease_writer *w)
{
    struct message m = {.id = MESSAGE_LEASES_LOADED};
    char path[600];
    const struct journal_options options = {.path = path,
                                            .what = "dialtone leases",
                                            .record_size = sizeof(struct stored),
                                            .key_size = 4,
                                            .context = w,
                                            .on_record = on_record};
    uint64_t before_us = server_wall_us();
    int err;

    snprintf(path, sizeof(path), "%s/leases.log", server_bootstrap(w->thread->server)->data);
    err = journal_open(&options, &w->journal);
    told(w, err, path);
    if (!err && w->loaded)
        log_info(TOPIC, "%zu leases loaded in %llu ms", w->loaded->n,
                 (unsigned long long)(server_wall_us() - before_us) / 1000);
    m.leases_loaded.err = err;
    m.leases_loaded.take_rows = w->loaded;
    w->loaded = NULL;
    w->loaded_max = 0;
    server_post(w->thread->server, THREAD_ADDRESSING, &m);
    return err;
}

/* --- storing --- */

static int store(struct lease_writer *w, const struct lease_rows *rows)
{
    int err = w->journal ? 0 : open_journal(w);

    if (err)
        return err;
    if (rows->n > w->n_room) {
        struct stored *room = realloc(w->room, rows->n * sizeof(*room));

        if (!room)
            return -ENOMEM;
        w->room = room;
        w->n_room = rows->n;
    }
    for (size_t i = 0; i < rows->n; i++)
        to_stored(&rows->at[i], &w->room[i]);
    return journal_append(w->journal, w->room, rows->n);
}

static void on_message(struct thread *t, const struct message *m)
{
    struct lease_writer *w = t->state;
    struct message answer = {.id = MESSAGE_LEASES_STORED};

    if (m->id != MESSAGE_LEASES)
        return;
    answer.leases_stored.batch = m->leases.batch;
    answer.leases_stored.err = store(w, m->leases.take_rows);
    lease_rows_free(m->leases.take_rows);
    server_post(t->server, THREAD_ADDRESSING, &answer);
}

static int start(struct thread *t)
{
    struct lease_writer *w = calloc(1, sizeof(*w));

    if (!w)
        return -ENOMEM;
    w->thread = t;
    t->state = w;
    open_journal(w); /* when it fails, leases live in memory and each batch tries again */
    return 0;
}

static void stop(struct thread *t)
{
    struct lease_writer *w = t->state;

    if (!w)
        return;
    journal_close(w->journal);
    lease_rows_free(w->loaded);
    free(w->room);
    free(w);
    t->state = NULL;
}

const struct thread_row leases_thread = {"leases", start, on_message, stop};
