/* file_names.h - what a file name that a phone asked for stands for.
 *
 * Names are compared without regard to case: phones of one family ask for `.loads` or `.LOADS`, for
 * SEP001122AABBCC or sep001122aabbcc. A name that could lead out of the served tree is no name. */
#pragma once

#include "base/address.h"

#define FILE_NAME_MAX 128

enum file_kind {
    FILE_PLAIN,          /* what the static tree holds under that name, if anything */
    FILE_PHONE_XML,      /* SEP<MAC>.cnf.xml, <device name>.cnf.xml */
    FILE_PHONE_BINARY,   /* SEP<MAC>.cnf */
    FILE_PHONE_TEXT,     /* SIP<MAC>.cnf */
    FILE_PHONE_OTHER,    /* other files of one device: gk<mac>, ata<mac> …: static, but not for others */
    FILE_DEFAULT_XML,    /* XMLDefault.cnf.xml */
    FILE_DEFAULT_BINARY, /* SEPDEFAULT.cnf, and SEDDefault.cnf as 7905 and kin spell it */
    FILE_TRUST,          /* CTLSEP<MAC>.tlv, ITLSEP<MAC>.tlv, CTLFile.tlv, ITLFile.tlv */
    FILE_LOADER,         /* OS79XX.TXT */
    FILE_RING_LIST,      /* Ringlist.xml */
    FILE_RING_LIST_WIDE, /* Ringlist-wb.xml */
    FILE_RING_LIST_DISTINCTIVE,
    FILE_RING_LIST_DAT,  /* RINGLIST.DAT */
    FILE_SOFTKEYS,       /* SK<uuid>.xml, softkeyDefault.xml */
    FILE_DIAL_RULES,     /* AppDialRules.xml */
    FILE_DIAL_TEMPLATE,  /* DR<uuid>.xml, dialplan.xml */
    FILE_FEATURE_POLICY, /* DefaultFP.xml */
    FILE_DEFAULT_TEXT,   /* SIPDefault.cnf */
    FILE_SYNC,           /* syncinfo.xml */
    FILE_NEVER           /* names that only somebody who looks for secrets asks for */
};

struct file_name {
    char path[FILE_NAME_MAX + 1];  /* lower case, '/' between folders, none in front */
    char given[FILE_NAME_MAX + 1]; /* the same in the letters of the client */
    enum file_kind kind;
    bool is_signed;                /* asked with .sgn or .enc.sgn, which `path` does not have then unless FILE_PLAIN */
    struct device_name device;     /* whose file it is, upper case; "" when nobody's */
};

/* 0, or -EINVAL: too long, empty, control characters, '..', hidden or empty parts, '%', ':'. Backslashes
 * count as slashes; one leading '/' or './' is dropped. */
int file_name_parse(struct text asked, struct file_name *ret);

/* <prefix><uuid>.xml for a record that phones know by a file of its own; the uuid is made from its name and never
 * changes, as phones keep it. Returns `to`. */
#define RECORD_FILE_MAX 64
char *file_name_of_record(const char *prefix, const char *name, char to[static RECORD_FILE_MAX]);
