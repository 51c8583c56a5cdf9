/* lease_file.h - leases on disk: records of the journal leases.log, and what a backup has of them.
 *
 * A backup is a database, so that it carries its leases in a table. A restore leaves them beside the journal as
 * leases.restore; the lease writer takes from there what it does not know, and removes the file. */
#pragma once

#include "core/leases/leases.h"
#include "io/journal.h"
#include "io/store.h"

#define LEASE_FILE    "leases.log"
#define LEASE_RESTORE "leases.restore"

struct lease_record { /* numbers in network order */
    uint8_t address[4], state, key_len, mac[6], until_s[8];
    uint8_t key[LEASE_KEY_MAX];
    char name[16], vendor[24];
};

void lease_record_write(const struct lease_row *row, struct lease_record *to);

/* Opens the journal, or makes it. *rows is what it holds, each address once; NULL: nothing. 0, or as journal_open. */
int lease_file_open(const char *path, struct journal **ret, struct lease_rows **rows);

/* Adds what the data folder's journal holds, also while a server writes it, to a backup just made. 0 or -errno. */
int lease_file_backup(const char *folder, const char *backup);
/* Leaves the leases of a backup in leases.restore of the folder. How many, or -errno. */
int lease_file_restore(const char *backup, const char *folder);
/* Appends to the journal what leases.restore has of addresses and clients that `known` has not, and removes that file.
 * *added is what was appended (NULL: nothing). 0 or -errno; then the file stays for the next time. */
int lease_file_take_restored(const char *folder, struct journal *j, const struct lease_rows *known,
                             struct lease_rows **added);
