/* journal.h - the newest version of many small records of one size, kept in an append-only file.
 *
 * A record is known by its first `key_size` bytes; a later one replaces it. journal_append returns
 * when all its records are on disk (one fdatasync for all). Whatever moment the process or the
 * machine dies, what was returned from is there at the next open; what was not may be or not, each
 * record whole. Now and then the file is written anew with only the newest record of each key.
 *
 * Each record stands in a slot of its own with a sequence number and a checksum: a slot that was
 * torn is skipped, and the order of slots does not matter. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct journal;

struct journal_options {
    const char *path;
    const char *what; /* at most 15 characters: first word of the file; another one is refused */
    size_t record_size, key_size;
    size_t slack; /* superseded records before the file is written anew; 0: 524288 */
    void *context;
    void (*on_record)(void *context, const void *record); /* at open, oldest change first */
};

/* 0, -EBADMSG: a file of another kind stands there, or -errno. */
int journal_open(const struct journal_options *options, struct journal **ret);
/* n records in a row. 0, or -errno (ENOSPC, EIO, EROFS …): they may be on disk or not; the journal
 * can be used on. */
int journal_append(struct journal *j, const void *records, size_t n);
void journal_close(struct journal *j);         /* NULL is fine */
