/* phone_files.h - the files that are made from the directory: phones' own, defaults, ring lists, softkeys, dial templates.
 *
 * Pure: a snapshot, a name and where the question came from give the same bytes every time. Nothing
 * secret is ever written (SEC-2), digest passwords of SIP phones neither. Elements and their order per generation of
 * phones: reference provisioning.md 2, 3 and 6. */
#pragma once

#include "base/buf.h"
#include "core/directory.h"
#include "provision/file_names.h"

#define PHONE_FILE_MAX     65536 /* no file made here is larger */
#define PHONE_FILE_OLD_MAX 8192  /* 7940, 7960 and older ignore what is larger */

/* Where the version stamp of a phone's file stands, and the newest version behind it, the phone's own left aside. */
struct phone_file_stamp {
    size_t offset; /* 0: the file has none */
    uint64_t version;
};

struct phone_file_context {
    struct ip local;          /* this node as the asking phone sees it; written for this node's name */
    const char *node_name;    /* this node's host name; NULL: none */
    const char *time_zone;    /* IANA zone of the server, for date/time groups without one; NULL: UTC */
    struct device_name asker; /* whose address asks, when a lease or registration tells; "" not known */
    void *context;
    /* The address of a host name, when known; the name is written otherwise. May be NULL. */
    bool (*resolve)(void *context, const char *name, struct ip *ret);
    /* The first file in the root of the static tree after `after` in byte order (NULL: the first of
     * all), or NULL: for ring lists. May be NULL. */
    const char *(*static_file)(void *context, const char *after);
    struct phone_file_stamp *stamp; /* filled when a phone's own file is made; may be NULL */
};

/* Writes the file that `name` stands for. 0; -ENOENT when there is none (also for kinds that are never made
 * and for signed names); -ENOSPC when it does not fit. */
int phone_file_build(const struct directory *dir, const struct file_name *name,
                     const struct phone_file_context *c, struct writer *w);

/* The name under which a phone asks for its own file first: SEP<MAC>.cnf.xml, or .cnf for models that
 * read nothing else, SIP<MAC>.cnf for 7940 and 7960 with a SIP load. Returns `to`. */
const char *phone_file_name(const struct phone *phone, char to[static FILE_NAME_MAX + 1]);

/* The load that the phone's file names: its own, else the device default's, else "". */
const char *phone_file_load(const struct directory *dir, const struct phone *phone);

/* Whether anyone may still be added by auto-registration: the default files exist only then (TFTP-5). */
bool phone_files_autoregistration(const struct directory *dir);

/* Phones are alike when their files differ by nothing but the version stamp: the same number for all of them, within
 * this process and one version of the directory. */
uint64_t phone_file_likeness(const struct directory *dir, const struct phone *phone);
/* Makes the file of one phone into that of another that is alike. */
void phone_file_restamp(uint8_t *bytes, const struct phone_file_stamp *stamp, const struct phone *phone);
