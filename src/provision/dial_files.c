/* dial_files.c - dial rules as the templates that phones read, and the small files beside them
 * (reference provisioning.md 6.1, 6.3, 3.11). */
#include <errno.h>

#include "provision/sip_files.h"

#define DIAL_FILE_MAX 8192 /* phones read no more */

char *dial_file_name(const char *rules, char to[static RECORD_FILE_MAX])
{
    return file_name_of_record("DR", rules, to);
}

static const struct dial_rules *find(const struct directory *dir, const char *name)
{
    const struct dial_rules *r = NULL;
    char own[RECORD_FILE_MAX];

    if (strcmp(name, "dialplan.xml") == 0)
        return directory_find(dir, ENTITY_dial_rules, TEXT("dialplan"));
    while ((r = directory_next(dir, ENTITY_dial_rules, text_of(r ? r->name : "")))) {
        if (text_equal_nocase(text_of(dial_file_name(r->name, own)), text_of(name)))
            return r;
    }
    return NULL;
}

static void write_rule(struct xml_writer *x, const struct dial_rule *r)
{
    static const char *const users[] = {"Phone", "IP"};

    xml_open(x, "TEMPLATE");
    xml_attribute(x, "MATCH", text_of(r->match));
    xml_attribute_number(x, "TIMEOUT", (uint64_t)r->timeout);
    xml_attribute(x, "USER", text_of(users[r->user & 1]));
    if (*r->rewrite)
        xml_attribute(x, "REWRITE", text_of(r->rewrite));
    if (*r->tone)
        xml_attribute(x, "TONE", text_of(r->tone));
    xml_close(x);
}

/* What a phone has without a template, but five seconds instead of fifteen. */
static void write_any_number(struct xml_writer *x)
{
    xml_open(x, "TEMPLATE");
    xml_attribute(x, "MATCH", TEXT("*"));
    xml_attribute_number(x, "TIMEOUT", 5);
    xml_close(x);
}

int dial_file_build(const struct directory *dir, const char *name, struct writer *w)
{
    const struct dial_rules *r = find(dir, name);
    struct xml_writer x;
    sip_stamp stamp;

    if (!r && strcmp(name, "dialplan.xml") != 0)
        return -ENOENT;
    sip_file_stamp(r, stamp);
    xml_begin(&x, w);
    xml_open(&x, "dialTemplate");
    xml_string(&x, "versionStamp", stamp);
    for (unsigned i = 0; r && i < r->n_rules; i++)
        write_rule(&x, &r->rules[i]);
    if (!r)
        write_any_number(&x);
    xml_close(&x);
    return w->bad || writer_len(w) > DIAL_FILE_MAX ? -ENOSPC : 0;
}

/* Everything is allowed: what a phone's keys offer is the softkey template's business. */
int feature_policy_build(struct writer *w)
{
    static const char *const names[] = {
        "ForwardAll", "Park",    "iDivertAlerting", "ConfList", "AbbrDial", "CallBack", "Redial",
        "Barge",      "iDivert", "PickUp",          "OPickUp",  "GPickUp",  "Mobility", "MeetMe",
        "QRT",        "MCID",
    };
    struct xml_writer x;
    sip_stamp stamp;

    sip_file_stamp(NULL, stamp);
    xml_begin(&x, w);
    xml_open(&x, "featurePolicy");
    xml_attribute(&x, "name", TEXT("Default"));
    xml_string(&x, "versionStamp", stamp);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        xml_open(&x, "featureDef");
        xml_attribute(&x, "name", text_of(names[i]));
        xml_number(&x, "id", i + 1);
        xml_string(&x, "enable", "true");
        xml_close(&x);
    }
    xml_close(&x);
    return w->bad ? -ENOSPC : 0;
}

int sync_file_build(struct writer *w)
{
    write_string(w, "<SYNCINFO>\r\n<IMAGE VERSION=\"*\" SYNC=\"0\"/>\r\n</SYNCINFO>\r\n");
    return w->bad ? -ENOSPC : 0;
}
