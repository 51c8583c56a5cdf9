/* habits.c - rows of the generations of SIP loads; see habits.h. */
#include "handset/sip/habits.h"

#include <ctype.h>
#include <stdio.h>

#include "handset/effects.h"

#define CISCO_TAGS                                                                                 \
    "extended-refer,X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,"                      \
    "X-cisco-service-control,X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config"

enum habit { TEXT_LOADS, JAVA_8, JAVA_9, LATER_9, ROOMY, ROOMY_WIRELESS, PLAIN, N_HABITS };

/* clang-format off */
static const struct sip_habits habits[N_HABITS] = {
    /* 7940, 7960: no standby keepalive is known of them; UDP */
    [TEXT_LOADS] = {.supported = "replaces,join,norefersub", .transport = LINK_UDP},
    /* 79x1 and kin, 8.x: a REGISTER a line, Reason with Load= */
    [JAVA_8]     = {.supported = "replaces,join,norefersub," CISCO_TAGS ",X-cisco-sis-3.0.0,X-cisco-xsi-6.0.2",
                    .managed = true, .instance_twice = true, .names_device = true},
    [JAVA_9]     = {.supported = "replaces,join,sdp-anat,norefersub,resource-priority," CISCO_TAGS
                                 ",X-cisco-sis-6.0.0,X-cisco-xsi-8.5.1",
                    .managed = true, .bulk = true, .instance_twice = true, .two_loads = true, .names_device = true},
    /* 69xx, 894x, 8961, 99xx */
    [LATER_9]    = {.supported = "replaces,join,sdp-anat,norefersub,resource-priority," CISCO_TAGS
                                 ",X-cisco-sis-7.0.0,X-cisco-xsi-8.0.1",
                    .managed = true, .bulk = true, .two_loads = true, .names_device = true},
    /* 78xx, 88xx */
    [ROOMY]      = {.supported = "replaces,join,sdp-anat,norefersub,resource-priority," CISCO_TAGS
                                 ",X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1",
                    .managed = true, .bulk = true, .two_loads = true, .session_id = true, .alarms = true,
                    .names_device = true},
    /* 8821: a refresh each 90.3 s was traced */
    [ROOMY_WIRELESS] = {.supported = "replaces,join,sdp-anat,norefersub,resource-priority," CISCO_TAGS
                                 ",X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1",
                    .managed = true, .bulk = true, .two_loads = true, .session_id = true, .alarms = true,
                    .names_device = true, .refresh_s = 90},
    [PLAIN]      = {.supported = "replaces", .rport = true, .transport = LINK_UDP},
};
/* clang-format on */

/* Behind the family: "SIP41.9-4-2SR3-1S", "sip88xx.12-8-1-0001-455", "P0S3-08-12-00". */
static const char *number_of(const char *load)
{
    const char *point = strchr(load, '.');

    if (!point)
        point = strchr(load, '-');
    while (point && *point && !isdigit((unsigned char)*point))
        point++;
    return point ? point : "";
}

void sip_load_version(const char *load, char to[static 16])
{
    unsigned parts[3] = {0};
    int n = sscanf(number_of(load), "%3u-%3u-%3u", &parts[0], &parts[1], &parts[2]);

    if (n >= 3)
        snprintf(to, 16, "%u.%u.%u", parts[0], parts[1], parts[2]);
    else if (n > 0)
        snprintf(to, 16, "%u.%u", parts[0], parts[1]);
    else
        to[0] = 0;
}

static enum habit habit_of(const struct model *model, const char *load)
{
    unsigned major = 0;

    sscanf(number_of(load), "%3u", &major);
    switch (model->generation) {
    case MODEL_7940:
    case MODEL_7905:
    case MODEL_ATA:
        return TEXT_LOADS;
    case MODEL_JAVA:
        return major && major < 9 ? JAVA_8 : JAVA_9;
    case MODEL_SPA:
        return PLAIN;
    case MODEL_SIP_ONLY:
        if (strcmp(model->name, "8821") == 0)
            return ROOMY_WIRELESS;
        return major >= 10 ? ROOMY : LATER_9;
    default:
        return LATER_9;
    }
}

const struct sip_habits *sip_habits_of(const struct model *model, enum device_protocol protocol,
                                       const char *load)
{
    return &habits[protocol == PROTOCOL_SIP ? habit_of(model, load) : PLAIN];
}

void sip_load_guess(const struct model *model, char *to, size_t size)
{
    struct text families = text_of(model->family[PROTOCOL_SIP]),
                family = text_split(&families, ' ');
    bool roomy = text_starts(family, "sip78") || text_starts(family, "sip88");

    snprintf(to, size, "%.*s%s", TEXT_ARG(family),
             !family.len ? ""
             : roomy     ? "12-8-1-0001-455"
                         : "9-4-2SR3-1");
}
