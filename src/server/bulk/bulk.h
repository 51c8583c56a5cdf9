/* bulk.h - everything at once: import and export, backup and restore (DB-1).
 *
 * The same code serves the running server (storage thread) and the command line on a folder whose
 * server does not run. Files are CSV phone lists, bulk administration phone files, or JSON of
 * everything. */
#pragma once

#include <jansson.h>

#include "core/directory/change.h"
#include "server/database.h"

/* From the bytes of a file to a change. Faults of the file itself (a row that is no CSV) go to
 * `faults`; 0, or -EINVAL with a sentence when the file is not to be understood at all, -ENOMEM.
 *
 * CSV: a header, then a phone a row: `name` and `model` (name of the product or device type), then
 * any of the fields of a phone in any order, `lines` (numbers separated by ';', partition after
 * '/') and `speed_dials` (label=number separated by ';'). An empty cell says nothing: what is there
 * stays, new phones get the default. The phone files of the original's bulk administration tool are
 * recognised by their header ("MAC ADDRESS", "DIRECTORY NUMBER 1", …); where no column says so,
 * `model` does. */
int bulk_csv_read(char *bytes, size_t len, struct text model, struct change *to,
                  struct change_faults *faults, char *error, size_t size);
/* JSON: {"phone": [{"name": …, …}, …], "pool": […], …}, nouns of entities.def in any order; fields
 * not named stay as they are, or get their defaults when the file says "complete": true, as exports
 * do. */
int bulk_json_read(const char *bytes, size_t len, struct change *to, struct change_faults *faults,
                   char *error, size_t size);

/* One operation a line of the phone list; everything, one record a line. Secrets that are no hashes
 * are left out unless `secrets`. */
struct grow;
void bulk_csv_write(const struct directory *dir, struct grow *to);
void bulk_json_write(const struct directory *dir, bool secrets, struct grow *to);

/* Where requests are carried out: IMPORT, EXPORT, BACKUP, RESTORE of requests.def. */
struct bulk_host {
    struct database *db; /* NULL: there is none */
    bool can_write;
    const struct directory *directory; /* one reference; replaced when the request has changed it */
    int disk_error;                    /* what the disk said when that is why the request failed */
};
/* The status of the reply, its body in *body (never NULL). */
int bulk_request(struct bulk_host *host, const char *verb, const json_t *arguments, json_t **body);
/* The same on a data folder that no server has; -EBUSY with the body NULL when one has it. */
int bulk_offline(const char *folder, const char *verb, const json_t *arguments, json_t **body);
