#include "provision/softkey_files.h"

#include <ctype.h>
#include <errno.h>

#include "core/sip.h"
#include "provision/file_names.h"
#include "wire/xml.h"

#define HELP_BASE    300 /* helpID is this and the event */
#define KEYS_PER_SET 16

/* keyID and tag are the name, the number of the label and the event that the phone sends. */
static const struct key {
    const char *name;
    uint16_t tag, event;
} keys[] = {
    {"Undefined", 0, 0}, {"Redial", 1, 1},     {"NewCall", 2, 2},      {"Hold", 3, 3},
    {"Transfer", 4, 4},  {"CFwdAll", 5, 5},    {"<<", 8, 8},           {"EndCall", 9, 9},
    {"Resume", 10, 10},  {"Answer", 11, 11},   {"Confrn", 13, 13},     {"Park", 14, 14},
    {"Join", 15, 15},    {"MeetMe", 16, 16},   {"PickUp", 17, 17},     {"GPickUp", 18, 18},
    {"RmLstC", 57, 19},  {"CallBack", 65, 20}, {"QRT", 75, 22},        {"MCID", 76, 27},
    {"Select", 78, 29},  {"ConfList", 79, 30}, {"iDivert", 80, 31},    {"OPickUp", 91, 34},
    {"HLog", 92, 35},    {"DND", 63, 69},      {"AbbrDial", 7740, 71}, {"Record", 7747, 74},
};

/* By the number of the set in SCCP, which is also that of the call state in the directory. */
static const char *const set_names[] = {
    "On Hook",
    "Connected",
    "On Hold",
    "Ring In",
    "Off Hook",
    "Connected Transfer",
    "Digits After First",
    "Connected Conference",
    "Ring Out",
    "Off Hook With Feature",
    "Remote In Use",
};

const char *softkey_file_name(const char *softkeys, char to[static SOFTKEY_FILE_NAME_MAX])
{
    return file_name_of_record("SK", softkeys, to);
}

static const struct softkeys *find(const struct directory *dir, const char *name)
{
    const struct softkeys *s = NULL;
    char own[SOFTKEY_FILE_NAME_MAX];

    if (text_starts(text_of(name), "softkeydefault"))
        return directory_find(dir, ENTITY_softkeys, TEXT(STANDARD_SOFTKEYS));
    while ((s = directory_next(dir, ENTITY_softkeys, text_of(s ? s->name : "")))) {
        if (text_equal_nocase(text_of(softkey_file_name(s->name, own)), text_of(name)))
            return s;
    }
    return NULL;
}

/* "Trnsfer" is how SCCP spells it. */
static const struct key *key_by_name(struct text name)
{
    if (text_equal_nocase(name, TEXT("Trnsfer")))
        name = TEXT("Transfer");
    for (size_t i = 1; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (text_equal_nocase(name, text_of(keys[i].name)))
            return &keys[i];
    }
    return NULL;
}

static void write_keys(struct xml_writer *x)
{
    xml_open(x, "typeSoftKey");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        xml_open(x, "softKeyDef");
        xml_attribute(x, "keyID", text_of(keys[i].name));
        xml_number(x, "tag", keys[i].tag);
        xml_number(x, "eventID", keys[i].event);
        xml_number(x, "helpID", HELP_BASE + keys[i].event);
        xml_close(x);
    }
    xml_close(x);
}

static void write_set(struct xml_writer *x, const struct softkey_set *set)
{
    struct text rest = text_of(set->keys);
    int n = 0;

    if (set->state >= sizeof(set_names) / sizeof(set_names[0]))
        return;
    xml_open(x, "softKeySet");
    xml_attribute(x, "id", text_of(set_names[set->state]));
    while (rest.at && n < KEYS_PER_SET) {
        const struct key *key = key_by_name(text_split(&rest, ' '));

        if (!key)
            continue;
        xml_open(x, "softKey");
        xml_attribute(x, "keyID", text_of(key->name));
        xml_close(x);
        n++;
    }
    xml_close(x);
}

int softkey_file_build(const struct directory *dir, const char *name, struct writer *w)
{
    const struct softkeys *s = find(dir, name);
    struct xml_writer x;
    sip_stamp stamp;

    if (!s)
        return -ENOENT;
    sip_file_stamp(s, stamp);
    xml_begin(&x, w);
    xml_open(&x, "softKeyCfg");
    xml_string(&x, "versionStamp", stamp);
    write_keys(&x);
    xml_open(&x, "softKeySets");
    for (size_t i = 0; i < s->n_sets; i++)
        write_set(&x, &s->sets[i]);
    xml_close(&x);
    xml_close(&x);
    return w->bad ? -ENOSPC : 0;
}
