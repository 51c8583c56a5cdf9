/* models.c - look-ups in the model table. */
#include "core/models.h"

#include <stdio.h>

#define CISCO(end)      "Cisco Systems, Inc. IP Phone" end
#define CHARS(c, r)     {.columns = c, .rows = r}
#define PIXELS(w, h, d) {.width = w, .height = h, .depth = d}
#define BLANK           {0}

#define SIP_PHONE(type, name, aliases, lines, softkeys, quirks, family, load, ...) \
    MODEL(type, name, aliases, SIP_ONLY, MODEL_SIP, #lines "m", lines, softkeys, \
          0, 0, 0, 0, 0, quirks, "", "", family, load, "", CISCO(" CP-" name), __VA_ARGS__)
#define SPA_PHONE(type, name, aliases, keys, lines, family, load) \
    MODEL(type, name, aliases, SPA, MODEL_SCCP | MODEL_SIP, keys, lines, 4, \
          3, 5, 5, 0, 0, MODEL_OLD_UI | MODEL_TOKEN_FIRST | MODEL_ENBLOC | MODEL_WINDOWS_1252, \
          family, load, family, load, "", "", PIXELS(128, 64, 1))
#define GATEWAY_PORT(type, name) \
    MODEL(type, name, "", GATEWAY, MODEL_SCCP, "1L", 1, 0, 5, 11, 11, 0, 0, \
          MODEL_OLD_UI | MODEL_NO_DISPLAY | MODEL_HOOK_FLASH | MODEL_FREE_NAME, "", "", "", "", "", "", BLANK)
#define MODULE(type, name, n, family, load) \
    MODEL(type, name, "", MODULE, MODEL_SCCP | MODEL_SIP, #n "m", n, 0, \
          0, 0, 0, 0, 0, 0, family, load, family, load, "", "", BLANK)
#define THIRD_PARTY(type, name, aliases, lines) \
    TITLED(name, type, name, aliases, SOFT, MODEL_SIP_THIRD, #lines "L", lines, 0, 0, 0, 0, 0, 0, \
           MODEL_FREE_NAME, "", "", "", "", "", "", BLANK)
#define MODEL(type, name, ...) TITLED("Cisco " name, type, name, __VA_ARGS__)
#define OTHER(type, name, generation, protocols, keys) \
    MODEL(type, name, "", generation, protocols, keys, 1, 0, 0, 11, 11, 0, 0, \
          MODEL_FREE_NAME, "", "", "", "", "", "", BLANK)

const struct model models[] = {
#define TITLED(title_, type_, name_, aliases_, generation_, protocols_, keys_, lines_, softkeys_, \
              first_, last_, version_, streams_, slack_, quirks_, sccp_, sccp_load_, sip_, sip_load_, loader_, class_, ...) \
    {.type = type_, .name = name_, .aliases = aliases_, .title = title_, \
     .generation = MODEL_##generation_, .protocols = protocols_, .keys = keys_, .max_lines = lines_, \
     .softkeys = softkeys_, .screen = __VA_ARGS__, .first_version = first_, .last_version = last_, \
     .version = version_, .max_streams = streams_, .slack_percent = slack_, .quirks = quirks_, \
     .family = {sccp_, sip_}, .default_load = {sccp_load_, sip_load_}, .loader = loader_, .dhcp_class = class_},
#include "core/models.def"
#undef MODEL
#undef TITLED
};
const size_t n_models = sizeof(models) / sizeof(models[0]);

#define XML_OR_DEFAULT "SEP%M.cnf.xml|XMLDefault.cnf.xml"
#define TRUST_AND_XML  "CTLSEP%M.tlv ITLSEP%M.tlv|ITLFile.tlv " XML_OR_DEFAULT

const struct model_generation_row model_generations[N_MODEL_GENERATIONS] = {
    [MODEL_BUTTONS]    = {"12SP+ and 30VIP", .binary_file = true, .boot = {"SEP%M.cnf|SEPDEFAULT.cnf", ""}},
    [MODEL_7910]       = {"7910, 7935", .boot = {"SEP%M.cnf.xml|SEP%M.cnf|XMLDefault.cnf.xml|SEPDEFAULT.cnf", ""}},
    [MODEL_7940]       = {"7940, 7960", .boot = {"CTLSEP%M.tlv " XML_OR_DEFAULT "|SEPDEFAULT.cnf",
                                                 "OS79XX.TXT SIPDefault.cnf SIP%M.cnf"}},
    [MODEL_7905]       = {"7902, 7905, 7912", .lower_mac = true, .boot = {"SEP%m.cnf.xml|XMLDefault.cnf.xml|SEDDefault.cnf",
                                                                          "SEP%m.cnf.xml|ld%m"}},
    [MODEL_ATA]        = {"ATA 186, 188", .lower_mac = true, .boot = {"SAA%m.cnf|SAADefault.cnf", "ata%m|atadefault.cfg"}},
    [MODEL_JAVA]       = {"7906 to 7975", .boot = {TRUST_AND_XML, TRUST_AND_XML}},
    [MODEL_WIRELESS]   = {"792x", .boot = {"WLANDefault.xml " TRUST_AND_XML, ""}},
    [MODEL_CONFERENCE] = {"7936, 7937, 7985", .boot = {"CTLSEP%M.tlv " XML_OR_DEFAULT, ""}},
    [MODEL_LATER]      = {"69xx, 894x", .http_first = true, .boot = {TRUST_AND_XML, TRUST_AND_XML}},
    [MODEL_SIP_ONLY]   = {"78xx, 88xx, 89xx, 99xx", .http_first = true, .boot = {"", TRUST_AND_XML}},
    [MODEL_SPA]        = {"SPA", .boot = {XML_OR_DEFAULT, XML_OR_DEFAULT}},
    [MODEL_GATEWAY]    = {"gateway port", .boot = {"", ""}},
    [MODEL_MODULE]     = {"expansion module", .boot = {"", ""}},
    [MODEL_SOFT]       = {"softphone", .boot = {XML_OR_DEFAULT, XML_OR_DEFAULT}},
    [MODEL_DEVICE]     = {"device", .boot = {"", ""}},
};

/* Letters of `keys`. */
static const struct {
    char letter;
    uint8_t feature;
} key_letters[] = {
    {'m', MODEL_ANY_KEY},       {'L', BUTTON_LINE},       {'S', BUTTON_SPEED_DIAL},  {'h', BUTTON_HOLD},
    {'t', BUTTON_TRANSFER},     {'r', BUTTON_REDIAL},     {'v', BUTTON_VOICE_MAIL},  {'p', BUTTON_PARK},
    {'f', BUTTON_FORWARD_ALL},  {'c', BUTTON_CONFERENCE}, {'d', BUTTON_DISPLAY},     {'-', BUTTON_UNUSED},
    {'M', BUTTON_MESSAGES},     {'D', BUTTON_DIRECTORY},  {'H', BUTTON_HEADSET},     {'A', BUTTON_APPLICATION},
};

const struct model *model_find(uint32_t type)
{
    for (size_t i = 0; i < n_models; i++) {
        if (models[i].type == type)
            return &models[i];
    }
    return NULL;
}

static const struct model *find_by_product_name(struct text t)
{
    for (size_t i = 0; i < n_models; i++) {
        struct text aliases = text_of(models[i].aliases);

        if (text_equal_nocase(t, text_of(models[i].name)))
            return &models[i];
        while (aliases.at) {
            if (text_equal_nocase(t, text_split(&aliases, ' ')))
                return &models[i];
        }
    }
    return NULL;
}

const struct model *model_by_name(struct text t)
{
    const struct model *by_name, *by_type = NULL;
    uint32_t number = 0;

    t = text_trim(t);
    if (text_starts_nocase(t, "cisco "))
        t = text_trim(text_skip(t, strlen("cisco ")));
    if (text_starts_nocase(t, "cp-"))
        t = text_skip(t, strlen("cp-"));
    if (!t.len)
        return NULL;
    by_name = find_by_product_name(t);
    if (text_to_u32(t, 10, &number) == 0)
        by_type = model_find(number);
    if (by_name && by_type)
        return number < 1000 ? by_name : by_type;
    return by_name ? by_name : by_type;
}

const char *model_print(uint32_t type, char to[static 12])
{
    const struct model *m = model_find(type);

    if (m)
        return m->name;
    snprintf(to, 12, "%u", type);
    return to;
}

static uint8_t key_of_letter(char letter)
{
    for (size_t i = 0; i < sizeof(key_letters) / sizeof(key_letters[0]); i++) {
        if (key_letters[i].letter == letter)
            return key_letters[i].feature;
    }
    return BUTTON_UNUSED;
}

size_t model_buttons(const struct model *m, uint8_t *features, size_t max)
{
    size_t n = 0;

    for (const char *at = m->keys; *at; at++) {
        unsigned count = 0;

        while (*at >= '0' && *at <= '9')
            count = count * 10 + (unsigned)(*at++ - '0');
        for (count = count ? count : 1; count && n < max; count--)
            features[n++] = key_of_letter(*at);
    }
    return n;
}

const char *model_boot_files(const struct model *m, enum device_protocol protocol)
{
    if (protocol > PROTOCOL_SIP || !model_speaks(m, protocol))
        return "";
    return model_generations[m->generation].boot[protocol];
}
