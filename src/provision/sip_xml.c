/* sip_xml.c - the parts of SEP<MAC>.cnf.xml that SIP phones read (reference
 * provisioning.md 3.7, 3.8). */
#include <ctype.h>
#include <stdio.h>

#include "core/buttons.h"
#include "provision/sip_files.h"
#include "provision/softkey_files.h"

/* --- settings of the profile --- */

enum kind {
    NUMBER,
    FLAG,
    STRING,
    WORD,   /* the name of an ENUM, as the file has it */
    CODE,   /* the number of an ENUM */
    BLOCK,  /* a flag that phones of one make read by bit 0, others by bit 1: 0 or 3 */
    ALWAYS, /* the same for everybody: `words` */
};

struct row {
    const char *element;
    enum kind kind;
    size_t at;
    const struct name *names;
    const char *words;
};

#define IN(field) offsetof(struct sip_profile, field)

/* clang-format off: tables */
static const struct row proxies[] = {
    /* ignored while the line's proxy is USECALLMANAGER, but looked for */
    {"backupProxy", ALWAYS, .words = ""},           {"backupProxyPort", ALWAYS, .words = ""},
    {"emergencyProxy", ALWAYS, .words = ""},        {"emergencyProxyPort", ALWAYS, .words = ""},
    {"outboundProxy", ALWAYS, .words = ""},         {"outboundProxyPort", ALWAYS, .words = ""},
    {"registerWithProxy", ALWAYS, .words = "true"}, {NULL},
};

static const struct row features[] = {
    {"cnfJoinEnabled", FLAG, IN(conf_joint_enable)},
    {"callForwardURI", STRING, IN(call_forward_uri)},
    {"callPickupURI", STRING, IN(pickup_uri)},
    {"callPickupListURI", STRING, IN(pickup_group_other_uri)},
    {"callPickupGroupURI", STRING, IN(pickup_group_uri)},
    {"meetMeServiceURI", STRING, IN(meetme_uri)},
    {"abbreviatedDialURI", STRING, IN(abbreviated_dial_uri)},
    {"rfc2543Hold", FLAG, IN(rfc2543_hold)},
    {"callHoldRingback", CODE, IN(call_hold_ringback)},
    {"localCfwdEnable", ALWAYS, .words = "true"},
    {"semiAttendedTransfer", FLAG, IN(semi_attended_transfer)},
    {"anonymousCallBlock", BLOCK, IN(anonymous_call_block)},
    {"callerIdBlocking", BLOCK, IN(caller_id_block)},
    {"dndControl", CODE, IN(dnd_control)},
    {"remoteCcEnable", ALWAYS, .words = "true"},
    {"retainForwardInformation", ALWAYS, .words = "false"},
    {"uriDialingDisplayPreference", ALWAYS, .words = "1"},
    {NULL},
};

static const struct row stack[] = {
    {"sipInviteRetx", NUMBER, IN(retry_invite)},
    {"sipRetx", NUMBER, IN(retry_not_invite)},
    {"timerInviteExpires", NUMBER, IN(timer_invite_expires)},
    {"timerRegisterExpires", NUMBER, IN(timer_register_expires)},
    {"timerRegisterDelta", NUMBER, IN(timer_register_delta)},
    {"timerKeepAliveExpires", NUMBER, IN(timer_keep_alive_expires)},
    {"timerSubscribeExpires", NUMBER, IN(timer_subscribe_expires)},
    {"timerSubscribeDelta", NUMBER, IN(timer_subscribe_delta)},
    {"timerT1", NUMBER, IN(timer_t1)},
    {"timerT2", NUMBER, IN(timer_t2)},
    {"maxRedirects", NUMBER, IN(max_redirects)},
    {"remotePartyID", ALWAYS, .words = "true"},
    {"userInfo", WORD, IN(user_info), sip_user_infos},
    {NULL},
};

static const struct row calls[] = {
    {"autoAnswerTimer", ALWAYS, .words = "1"},
    {"autoAnswerAltBehavior", ALWAYS, .words = "false"},
    {"autoAnswerOverride", ALWAYS, .words = "true"},
    {"transferOnhookEnabled", ALWAYS, .words = "false"},
    {"enableVad", FLAG, IN(enable_vad)},
    {"preferredCodec", WORD, IN(preferred_codec), sip_codecs},
    {"dtmfAvtPayload", NUMBER, IN(telephone_event_payload_type)},
    {"dtmfDbLevel", CODE, IN(dtmf_db_level)},
    {"dtmfOutofBand", WORD, IN(dtmf_out_of_band), dtmf_ways},
    {"alwaysUsePrimeLine", ALWAYS, .words = "false"},
    {"alwaysUsePrimeLineVoiceMail", ALWAYS, .words = "false"},
    {"kpml", CODE, IN(kpml)},
    {NULL},
};

static const struct row media[] = {
    {"stutterMsgWaiting", CODE, IN(stutter_msg_waiting)},
    {"callStats", FLAG, IN(call_stats)},
    {"offhookToFirstDigitTimer", NUMBER, IN(timer_off_hook_to_first_digit)},
    {"silentPeriodBetweenCallWaitingBursts", ALWAYS, .words = "10"},
    {"disableLocalSpeedDialConfig", ALWAYS, .words = "true"},
    {"poundEndOfDial", ALWAYS, .words = "false"},
    {"startMediaPort", NUMBER, IN(start_media_port)},
    {"stopMediaPort", NUMBER, IN(stop_media_port)},
    {"natEnabled", ALWAYS, .words = "false"},
    {"natAddress", ALWAYS, .words = ""},
    {NULL},
};
/* clang-format on */

static void write_row(struct xml_writer *x, const struct row *r, const struct sip_profile *p)
{
    const char *at = (const char *)p + r->at, *word;

    switch (r->kind) {
    case NUMBER:
        xml_number(x, r->element, (uint64_t) * (const int32_t *)at);
        break;
    case FLAG:
        xml_string(x, r->element, *(const bool *)at ? "true" : "false");
        break;
    case STRING:
        xml_string(x, r->element, *(const char *const *)at);
        break;
    case WORD:
        word = names_print(r->names, *(const uint8_t *)at);
        xml_string(x, r->element, word ? word : "");
        break;
    case CODE:
        xml_number(x, r->element, *(const uint8_t *)at);
        break;
    case BLOCK:
        xml_number(x, r->element, *(const bool *)at ? 3 : 0);
        break;
    case ALWAYS:
        xml_string(x, r->element, r->words);
        break;
    }
}

static void write_rows(struct building *b, const char *group, const struct row *rows)
{
    const struct sip_profile *p = sip_profile_of(b->dir, b->phone);

    if (group)
        xml_open(&b->xml, group);
    for (; rows->element; rows++)
        write_row(&b->xml, rows, p);
    if (group)
        xml_close(&b->xml);
}

/* --- keys --- */

/* Feature ids of SIP files that differ from the codes of SCCP templates; most are the same numbers.
 */
static unsigned feature_id(uint8_t feature)
{
    return feature == BUTTON_CONFERENCE ? 102 : feature == BUTTON_SERVICE ? 20 : feature;
}

static bool is_known(uint8_t feature)
{
    static const uint8_t known[] = {
        BUTTON_REDIAL,      BUTTON_SPEED_DIAL,  BUTTON_HOLD,    BUTTON_TRANSFER,
        BUTTON_FORWARD_ALL, BUTTON_LINE,        BUTTON_SELECT,  BUTTON_SERVICE,
        BUTTON_BLF,         BUTTON_CONFERENCE,  BUTTON_PARK,    BUTTON_PICKUP,
        BUTTON_DND,         BUTTON_MESSAGES,    BUTTON_HEADSET, BUTTON_GROUP_PICKUP,
        BUTTON_DIRECTORY,   BUTTON_APPLICATION,
    };

    return memchr(known, feature, sizeof(known));
}

static void write_forward_info(struct xml_writer *x)
{
    xml_open(x, "forwardCallInfoDisplay");
    xml_string(x, "callerName", "true");
    xml_string(x, "callerNumber", "false");
    xml_string(x, "redirectedNumber", "false");
    xml_string(x, "dialedNumber", "true");
    xml_close(x);
}

const char *sip_auth_name(const struct building *b, const char *number)
{
    const struct user *user = digest_user_of(b->dir, b->phone);

    return user ? user->name : number; /* 88xx do not register a line without one */
}

/* A file can be read by everybody who can ask for it (SEC-2), so an administrator has to want that.
 */
static void write_password(struct building *b, const char *element)
{
    struct text password = digest_password_in_file(b->dir, b->phone);

    if (password.at)
        xml_element(&b->xml, element, password);
}

static void write_line(struct building *b, const struct phone_button *row)
{
    struct text rest = text_of(row->target);
    const struct line *line = directory_find(b->dir, ENTITY_line, rest);
    struct xml_writer *x = &b->xml;
    char number[64], contact[SIP_CONTACT_LEN + 1];

    text_copy(number, sizeof(number), text_split(&rest, '/'));
    xml_string(x, "featureLabel", *row->label ? row->label : number);
    xml_string(x, "proxy", "USECALLMANAGER");
    xml_number(x, "port", 5060);
    xml_string(x, "name", number);
    xml_string(x, "displayName", row->display);
    xml_open(x, "autoAnswer");
    xml_number(x, "autoAnswerEnabled", 2);
    xml_close(x);
    xml_number(x, "callWaiting", 3);
    xml_string(x, "authName", sip_auth_name(b, number));
    write_password(b, "authPassword");
    xml_string(x, "sharedLine", sip_line_is_shared(b->dir, row->target) ? "true" : "false");
    xml_number(x, "messageWaitingLampPolicy", 3);
    xml_number(x, "messageWaitingAMWI", 0);
    xml_string(x, "messagesNumber", line ? line->voicemail : "");
    xml_number(x, "ringSettingIdle", 4);
    xml_number(x, "ringSettingActive", 5);
    xml_string(x, "contact", sip_contact_user(b->phone, row->target, contact));
    write_forward_info(x);
    xml_number(x, "maxNumCalls", (uint64_t)row->max_calls);
    xml_number(x, "busyTrigger", (uint64_t)row->busy_trigger);
    xml_string(x, "recordingOption", "disable");
}

static void write_other_key(struct building *b, uint8_t feature, const struct phone_button *row)
{
    struct xml_writer *x = &b->xml;

    xml_string(x, "featureLabel", row ? row->label : "");
    if (feature == BUTTON_SERVICE)
        xml_string(x, "serviceURI", row ? row->target : "");
    else if (row && *row->target)
        xml_string(x, "speedDialNumber", row->target);
}

static void write_key(struct building *b, size_t position, const struct button *key)
{
    bool is_line = key->feature == BUTTON_LINE;

    if (!is_known(key->feature) ||
        ((is_line || key->feature == BUTTON_SPEED_DIAL) && !(key->row && *key->row->target)))
        return;
    xml_open(&b->xml, "line");
    xml_attribute_number(&b->xml, "button", position);
    if (is_line)
        xml_attribute_number(&b->xml, "lineIndex", key->instance);
    xml_number(&b->xml, "featureID", feature_id(key->feature));
    if (is_line)
        write_line(b, key->row);
    else
        write_other_key(b, key->feature, key->row);
    xml_close(&b->xml);
}

/* Keys that the model has printed on them, as hold on a 7906, are not for the file. */
static void write_keys(struct building *b)
{
    uint8_t factory[BUTTONS_MAX];
    struct button keys[BUTTONS_MAX];
    size_t n_factory = model_buttons(b->model, factory, BUTTONS_MAX);
    size_t n = buttons_of(b->dir, b->phone, b->model, keys);

    xml_open(&b->xml, "sipLines");
    for (size_t i = 0; i < n; i++) {
        if (keys[i].row || i >= n_factory || keys[i].feature != factory[i])
            write_key(b, i + 1, &keys[i]);
    }
    xml_close(&b->xml);
}

static const struct phone_button *first_line(const struct phone *p)
{
    for (unsigned i = 0; i < p->n_buttons; i++) {
        if (p->buttons[i].feature == BUTTON_LINE && *p->buttons[i].target)
            return &p->buttons[i];
    }
    return NULL;
}

/* Twelve characters, and no blank: 79xx stop at one. */
const char *sip_phone_label(const struct phone *phone, char to[static SIP_LABEL_MAX])
{
    size_t n = text_copy(to, SIP_LABEL_MAX, text_trim(text_of(phone->description)));

    while (n && !text_utf8_valid((struct text){to, n}))
        to[--n] = '\0'; /* cut inside a character */
    for (char *at = to; *at; at++) {
        if (*at == ' ')
            *at = '_';
    }
    return to;
}

static void write_references(struct building *b)
{
    const struct dial_rules *dial = dial_rules_of(b->dir, b->phone);
    const struct softkeys *softkeys = softkeys_of(b->dir, b->phone);
    char name[SOFTKEY_FILE_NAME_MAX];

    xml_string(&b->xml, "dialTemplate", dial ? dial_file_name(dial->name, name) : "");
    xml_string(&b->xml, "softKeyFile", softkeys ? softkey_file_name(softkeys->name, name) : "");
}

void sip_write_profile(struct building *b)
{
    const struct phone_button *line = first_line(b->phone);
    struct xml_writer *x = &b->xml;
    char label[SIP_LABEL_MAX];

    xml_open(x, "sipProfile");
    write_rows(b, "sipProxies", proxies);
    write_rows(b, "sipCallFeatures", features);
    write_rows(b, "sipStack", stack);
    write_rows(b, NULL, calls);
    xml_string(x, "phoneLabel", sip_phone_label(b->phone, label));
    write_rows(b, NULL, media);
    write_keys(b);
    xml_string(x, "externalNumberMask", line ? line->mask : "");
    xml_number(x, "voipControlPort", (uint64_t)security_profile_of(b->dir, b->phone)->sip_port);
    xml_number(x, "dscpForAudio", (uint64_t)building_number(b, SET_voice_dscp) << 2);
    xml_number(x, "dscpVideo", 136);
    xml_number(x, "dscpCallControl",
               (uint64_t)building_number(b, SET_dscp_callmanager_to_device) << 2);
    xml_number(x, "ringSettingBusyStationPolicy", 0);
    write_references(b);
    xml_close(x);
}

/* --- SPA phones --- */

static void write_spa(struct xml_writer *x, const char *name, unsigned line, const char *value)
{
    char element[64];

    snprintf(element, sizeof(element), "%s_%u_", name, line);
    xml_string(x, element, value);
}

static void write_spa_line(struct building *b, unsigned n, const struct phone_button *row)
{
    struct text rest = text_of(row->target);
    struct member members[MEMBERS_MAX];
    char number[64], proxy[64], password[24], address[IP_TEXT_MAX];

    text_copy(number, sizeof(number), text_split(&rest, '/'));
    proxy[0] = '\0';
    if (building_members(b, members))
        snprintf(proxy, sizeof(proxy), "%s:%u",
                 members[0].ip.family ? ip_print(members[0].ip, address) : members[0].name,
                 members[0].sip_port);
    write_spa(&b->xml, "Proxy", n, proxy);
    write_spa(&b->xml, "Register", n, "Yes");
    write_spa(&b->xml, "Register_Expires", n, "120");
    write_spa(&b->xml, "Display_Name", n, row->display);
    write_spa(&b->xml, "User_ID", n, number);
    write_spa(&b->xml, "Use_Auth_ID", n, "Yes");
    write_spa(&b->xml, "Auth_ID", n, sip_auth_name(b, number));
    snprintf(password, sizeof(password), "Password_%u_", n);
    write_password(b, password);
    write_spa(&b->xml, "Short_Name", n, *row->label ? row->label : number);
    write_spa(&b->xml, "Extension", n, number);
}

void sip_write_flat_profile(struct building *b)
{
    unsigned n = 0;

    xml_open(&b->xml, "flat-profile");
    for (unsigned i = 0; i < b->phone->n_buttons && n < b->model->max_lines; i++) {
        if (b->phone->buttons[i].feature == BUTTON_LINE && *b->phone->buttons[i].target)
            write_spa_line(b, ++n, &b->phone->buttons[i]);
    }
    xml_close(&b->xml);
}

/* --- around the profile --- */

void sip_write_feature_policy_name(struct building *b)
{
    if (sip_has_feature_policy(b->model->type))
        xml_string(&b->xml, "featurePolicyFile", FEATURE_POLICY_FILE);
}

/* One digit a line, odd capital and all. */
void sip_write_missed_calls(struct building *b)
{
    char ones[BUTTONS_MAX + 1] = "";
    size_t n = 0;

    for (unsigned i = 0; i < b->phone->n_buttons && n < BUTTONS_MAX; i++) {
        if (b->phone->buttons[i].feature == BUTTON_LINE)
            ones[n++] = '1';
    }
    xml_string(&b->xml, "MissedCallLoggingOption", ones);
}

/* 1 TCP, 2 UDP, 3 TLS. A profile that allows both means TCP: by UDP phones lose long messages. */
void sip_write_transport(struct building *b)
{
    static const uint8_t codes[] = {1, 1, 2, 3};

    xml_number(&b->xml, "transportLayerProtocol",
               codes[security_profile_of(b->dir, b->phone)->transport]);
}
