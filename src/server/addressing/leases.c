/* leases.c - the lease writer: leases.log in the data folder, durable before it answers.
 *
 * A thread of its own, so that waiting for the disk stops nobody. Each message brings what changed
 * since the last one: many leases share one sync (docs/decisions: leases in a journal). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "server/addressing/lease_file.h"
#include "server/server.h"

#define TOPIC "leases"

struct lease_writer {
    struct thread *thread;
    struct journal *journal; /* NULL while it cannot be opened */
    struct lease_record *room;
    size_t n_room;
    int err; /* told last */
};

/* --- loading --- */

static void told(struct lease_writer *w, int err, const char *path)
{
    if (err && err != w->err)
        log_error(TOPIC, "%s: %s", path,
                  err == -EBADMSG ? "no file of leases: move it away" : strerror(-err));
    w->err = err;
}

static void give(struct lease_writer *w, int err, struct lease_rows *take_rows)
{
    struct message m = {.id = MESSAGE_LEASES_LOADED};

    m.leases_loaded.err = err;
    m.leases_loaded.take_rows = take_rows;
    server_post(w->thread->server, THREAD_ADDRESSING, &m);
}

static void take_restored(struct lease_writer *w, const struct lease_rows *known)
{
    const char *folder = server_bootstrap(w->thread->server)->data;
    struct lease_rows *added;
    int err = lease_file_take_restored(folder, w->journal, known, &added);

    if (err)
        log_error(TOPIC, "%s/" LEASE_RESTORE ": %s", folder, strerror(-err));
    if (!added)
        return;
    log_info(TOPIC, "%zu leases of a backup are in force again", added->n);
    give(w, 0, added);
}

static int open_journal(struct lease_writer *w)
{
    uint64_t before_us = server_wall_us();
    struct lease_rows *rows = NULL;
    char path[600];
    int err;

    snprintf(path, sizeof(path), "%s/" LEASE_FILE, server_bootstrap(w->thread->server)->data);
    err = lease_file_open(path, &w->journal, &rows);
    told(w, err, path);
    if (!err && rows)
        log_info(TOPIC, "%zu leases loaded in %llu ms", rows->n,
                 (unsigned long long)(server_wall_us() - before_us) / 1000);
    if (!err)
        take_restored(w, rows);
    give(w, err, rows);
    return err;
}

/* A restore has left leases here while we run. */
static void restored(struct lease_writer *w)
{
    journal_close(w->journal);
    w->journal = NULL;
    open_journal(w);
}

/* --- storing --- */

static int store(struct lease_writer *w, const struct lease_rows *rows)
{
    int err = w->journal ? 0 : open_journal(w);

    if (err)
        return err;
    if (rows->n > w->n_room) {
        struct lease_record *room = realloc(w->room, rows->n * sizeof(*room));

        if (!room)
            return -ENOMEM;
        w->room = room;
        w->n_room = rows->n;
    }
    for (size_t i = 0; i < rows->n; i++)
        lease_record_write(&rows->at[i], &w->room[i]);
    return journal_append(w->journal, w->room, rows->n);
}

static void on_message(struct thread *t, const struct message *m)
{
    struct lease_writer *w = t->state;
    struct message answer = {.id = MESSAGE_LEASES_STORED};

    if (m->id == MESSAGE_LEASES_RESTORED)
        restored(w);
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
    free(w->room);
    free(w);
    t->state = NULL;
}

const struct thread_row leases_thread = {"leases", start, on_message, stop};
