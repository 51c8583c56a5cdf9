/* fields.c - the rows of entities.def as tables. */
#include "core/directory/fields.h"

#include <errno.h>
#include <stdio.h>

const struct name device_protocols[] = {
    {PROTOCOL_SCCP, "sccp"}, {PROTOCOL_SIP, "sip"}, {PROTOCOL_SIP_THIRD_PARTY, "sip-third-party"}, {0, NULL}};
const struct name user_roles[] = {
    {ROLE_NONE, "none"}, {ROLE_VIEWER, "viewer"}, {ROLE_OPERATOR, "operator"}, {ROLE_ADMINISTRATOR, "administrator"}, {0, NULL}};
const struct name button_features[] = {
    {BUTTON_UNUSED, "unused"},           {BUTTON_REDIAL, "redial"},         {BUTTON_SPEED_DIAL, "speed_dial"},
    {BUTTON_HOLD, "hold"},               {BUTTON_TRANSFER, "transfer"},     {BUTTON_FORWARD_ALL, "forward_all"},
    {BUTTON_DISPLAY, "display"},         {BUTTON_LINE, "line"},             {BUTTON_VOICE_MAIL, "voice_mail"},
    {BUTTON_SELECT, "select"},
    {BUTTON_FEATURE, "feature"},         {BUTTON_SERVICE, "service"},       {BUTTON_BLF, "blf"},
    {BUTTON_CONFERENCE, "conference"},   {BUTTON_PARK, "park"},             {BUTTON_PICKUP, "pickup"},
    {BUTTON_GROUP_PICKUP, "group_pickup"}, {BUTTON_MOBILITY, "mobility"},   {BUTTON_DND, "dnd"},
    {BUTTON_MESSAGES, "messages"},       {BUTTON_DIRECTORY, "directory"},   {BUTTON_APPLICATION, "application"},
    {BUTTON_HEADSET, "headset"},         {0, NULL}};
/* The sets of SoftKeySet by their index. */
const struct name softkey_states[] = {
    {0, "on_hook"},  {1, "connected"},           {2, "on_hold"},               {3, "ring_in"},
    {4, "off_hook"}, {5, "connected_transfer"},  {6, "digits_after_first"},    {7, "connected_conference"},
    {8, "ring_out"}, {9, "off_hook_feature"},    {10, "in_use_hint"},          {11, "on_hook_stealable"},
    {12, "hold_conference"}, {0, NULL}};
const struct name date_separators[] = {{0, "/"}, {1, "-"}, {2, "."}, {0, NULL}};
const struct name date_formats[] = {{0, "M/D/Y"}, {1, "D/M/Y"}, {2, "Y/M/D"}, {0, NULL}};
const struct name security_modes[] = {
    {SECURITY_NONE, "none"}, {SECURITY_AUTHENTICATED, "authenticated"}, {SECURITY_ENCRYPTED, "encrypted"}, {0, NULL}};
const struct name sip_transports[] = {
    {TRANSPORT_TCP_UDP, "tcp+udp"}, {TRANSPORT_TCP, "tcp"}, {TRANSPORT_UDP, "udp"}, {TRANSPORT_TLS, "tls"}, {0, NULL}};
/* Values of the elements of a phone's file; the words are those of the file where it has words. */
const struct name sip_user_infos[] = {{0, "None"}, {1, "Phone"}, {2, "IP"}, {0, NULL}};
const struct name load_sharings[] = {
    {SHARE_NONE, "none"}, {SHARE_ALL, "all"}, {SHARE_ALL_BUT_LAST, "all-but-last"}, {0, NULL}};
const struct name dial_users[] = {{0, "phone"}, {1, "ip"}, {0, NULL}};
const struct name dtmf_levels[] = {
    {1, "6dB below"}, {2, "3dB below"}, {3, "nominal"}, {4, "3dB above"}, {5, "6dB above"}, {0, NULL}};
const struct name dtmf_ways[] = {{0, "avt"}, {1, "avt_always"}, {2, "none"}, {0, NULL}};
const struct name kpml_uses[] = {{0, "none"}, {1, "signalling"}, {2, "dtmf"}, {3, "both"}, {0, NULL}};
const struct name sip_codecs[] = {
    {0, "none"}, {1, "g711ulaw"}, {2, "g711alaw"}, {3, "g729a"}, {4, "g722"}, {5, "iLBC"}, {0, NULL}};
const struct name dnd_controls[] = {{0, "user"}, {1, "admin"}, {2, "both"}, {0, NULL}};
const struct name stutters[] = {{0, "off"}, {1, "on"}, {2, "forced"}, {0, NULL}};
const struct name telnet_levels[] = {{0, "disabled"}, {1, "limited"}, {2, "privileged"}, {0, NULL}};

/* A row of offsets needs the name of its struct, which the rows of entities.def do not repeat: so
 * each table stands in a block of its own, where `T` is that struct. */
#define ITEM(id, title_) \
    static struct directory_item id##_item; \
    { \
        typedef struct id T; \
        const char *const of = title_; \
        static const struct directory_field fields[] = {
#define END_ITEM(id) \
        {.name = NULL}}; \
        id##_item = (struct directory_item){.title = of, .size = sizeof(T), .fields = fields}; \
    }
#define ENTITY(id, noun_, title_) \
    { \
        typedef struct id T; \
        const char *const word = noun_, *const of = title_; \
        static const struct directory_field fields[] = {
#define END(id_) \
        {.name = NULL}}; \
        directory_entities[ENTITY_##id_] = (struct directory_entity){ \
            .id = #id_, .noun = word, .title = of, .size = sizeof(T), .fields = fields, .n_keys = 1 + (fields[1].kind == FIELD_KEY)}; \
    }
#define ROW(k, f, t)            .kind = FIELD_##k, .name = #f, .title = t, .offset = offsetof(T, f)
#define KEY(f, max_, t)         {ROW(KEY, f, t), .max = max_, .text = ""},
#define STR(f, max_, d, t)      {ROW(STR, f, t), .max = max_, .text = d},
#define SECRET(f, max_, t)      {ROW(SECRET, f, t), .max = max_, .text = ""},
#define NUM(f, d, lo, hi, t)    {ROW(NUM, f, t), .number = d, .min = lo, .max = hi, .text = ""},
#define FLAG(f, d, t)           {ROW(FLAG, f, t), .number = d, .max = 1, .text = ""},
#define ENUM(f, names_, d, t)   {ROW(ENUM, f, t), .number = d, .names = names_, .text = ""},
#define REF(f, entity_, d, t)   {ROW(REF, f, t), .max = 255, .text = d, .entity = ENTITY_##entity_},
#define LIST(f, item_, t)       {ROW(LIST, f, t), .n_offset = offsetof(T, n_##f), .text = "", .item = &item_##_item},

struct directory_entity directory_entities[N_ENTITIES];

__attribute__((constructor)) static void fill_tables(void)
{
#include "core/entities.def"
}

int directory_entity_find(struct text noun)
{
    for (int e = 0; e < N_ENTITIES; e++) {
        if (text_equal_nocase(noun, text_of(directory_entities[e].noun)) ||
            text_equal_nocase(noun, text_of(directory_entities[e].id)))
            return e;
    }
    return -ENOENT;
}

const struct directory_field *directory_field_find(const struct directory_field *fields,
                                                   struct text name)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        if (text_equal_nocase(name, text_of(f->name)))
            return f;
    }
    return NULL;
}

const struct directory_field *directory_field_nearest(const struct directory_field *fields,
                                                      struct text name)
{
    const struct directory_field *nearest = NULL;
    unsigned best = 4; /* more edits than that is another word */

    for (const struct directory_field *f = fields; f->name; f++) {
        unsigned distance = text_distance(name, text_of(f->name), best);

        if (distance < best) {
            best = distance;
            nearest = f;
        }
    }
    for (const struct directory_field *f = fields; !nearest && name.len > 2 && f->name; f++) {
        if (text_contains_nocase(text_of(f->name), name))
            nearest = f;
    }
    return nearest;
}

struct text directory_value(const void *record, const struct directory_field *f,
                            char scratch[static DIRECTORY_SCRATCH])
{
    const char *at = (const char *)record + f->offset, *s = NULL;

    switch (f->kind) {
    case FIELD_KEY:
    case FIELD_STR:
    case FIELD_SECRET:
    case FIELD_REF:
        s = *(const char *const *)at;
        break;
    case FIELD_FLAG:
        s = *(const bool *)at ? "true" : "false";
        break;
    case FIELD_ENUM:
        if (!(s = names_print(f->names, *(const uint8_t *)at)))
            snprintf(scratch, DIRECTORY_SCRATCH, "%u", *(const uint8_t *)at);
        break;
    case FIELD_NUM:
        snprintf(scratch, DIRECTORY_SCRATCH, "%d", *(const int32_t *)at);
        break;
    case FIELD_LIST:
        snprintf(scratch, DIRECTORY_SCRATCH, "%zu", directory_list_count(record, f));
        break;
    }
    return text_of(s ? s : scratch);
}

bool directory_is_default(const void *record, const struct directory_field *f)
{
    const char *at = (const char *)record + f->offset;

    switch (f->kind) {
    case FIELD_FLAG:
        return *(const bool *)at == (f->number != 0);
    case FIELD_ENUM:
        return *(const uint8_t *)at == f->number;
    case FIELD_NUM:
        return *(const int32_t *)at == f->number;
    case FIELD_LIST:
        return !directory_list_count(record, f);
    default:
        return !strcmp(*(const char *const *)at, f->text);
    }
}

size_t directory_list_count(const void *record, const struct directory_field *f)
{
    return *(const uint16_t *)((const char *)record + f->n_offset);
}

const void *directory_child(const void *record, const struct directory_field *f, size_t i)
{
    const char *first = *(const char *const *)((const char *)record + f->offset);

    return first ? first + i * f->item->size : NULL;
}
