/* audit.h - who changed what, when and from where, with old and new values: kept on disk.
 *
 * `audit.log` of the data folder, a JSON object a line, on disk before the next is written; rotated by size
 * (audit.log.1 is the one before, …). Nothing secret is in it. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct audit;

/* Never NULL but without memory; a file that cannot be opened is tried again with each entry. */
struct audit *audit_new(const char *folder);
void audit_free(struct audit *a); /* NULL is fine */
/* Who ("alice", "token ci", "uid 0"), from where ("10.0.0.7", "command line"), what ("phone set", "SEP…"), what came of it.
 * `changes` may be NULL. 0, or -errno: it is in the log of the server only. A "fetch" that says what the fetch before
 * said is noted once. */
struct audit_entry {
    const char *who, *from, *noun, *verb, *name, *result;
    const json_t *changes;
};
int audit_add(struct audit *a, const struct audit_entry *e);
/* Calls `each` with entries, the newest first, until it says false. */
void audit_walk(const struct audit *a, bool (*each)(void *context, const json_t *entry), void *context);
