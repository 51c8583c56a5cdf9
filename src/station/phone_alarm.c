#include "station/phone_alarm.h"

#include <errno.h>

#include "wire/xml.h"

/* `Last=` words of text alarms without a number in front; the numbers are the list of the XML form.
 */
static const struct name last_words[] = {{25, "Initialized"},   {13, "CM-aborted-TCP"},
                                         {14, "CM-closed-TCP"}, {12, "CM-reset-TCP"},
                                         {10, "TCP-timeout"},   {15, "KeepaliveTO"},
                                         {18, "Failback"},      {20, "Phone-Keypad"},
                                         {22, "Reset-Reset"},   {23, "Reset-Restart"},
                                         {24, "Phone-Reg-Rej"}, {16, "CM-ICMP-Unreach"},
                                         {104, "apply_config"}, {0, NULL}};

static struct text value_after(struct text t, const char *key)
{
    size_t n = strlen(key);

    for (size_t i = 0; i + n <= t.len; i++)
        if (memcmp(t.at + i, key, n) == 0)
            return text_skip(t, i + n);
    return (struct text){NULL, 0};
}

static uint32_t reason_in_front(struct text t)
{
    struct text rest = t, number = text_split(&rest, ':');
    uint32_t reason;

    return rest.at && text_to_u32(text_trim(number), 10, &reason) == 0 ? reason : 0;
}

static int draft_text(const struct sccp_alarm *a, struct alarm_draft *d)
{
    struct text t = text_of(a->text), name = value_after(t, "Name="),
                last = value_after(t, "Last=");
    char ip[IP_TEXT_MAX];

    alarm_begin(d, a->severity == SCCP_ALARM_CRITICAL || a->severity == SCCP_ALARM_WARNING
                       ? ALARM_STATION_EVENT_ALERT
                       : ALARM_STATION_ALARM);
    d->reason = reason_in_front(t);
    if (!d->reason && last.at)
        names_parse(last_words, text_trim(text_split(&last, ' ')), &d->reason);
    if (name.at)
        d->device = device_name_of(text_split(&name, ' '));
    alarm_put(d, "Protocol", "SCCP");
    alarm_put(d, "DeviceText", "%s", a->text);
    alarm_put(d, "Param1", "%u", a->parm1);
    alarm_put(d, "Param2", "%s", ip_print(a->parm2, ip));
    return 0;
}

/* --- XML -----------------------------------------------------------------------------------------
 */

struct xml_alarm {
    char name[40], parameter[40];
    struct {
        char name[32], value[64];
    } rows[32];
    size_t n;
};

static int on_xml(void *context, const struct xml_event *e)
{
    struct xml_alarm *a = context;

    if (e->kind == XML_ATTRIBUTE && text_is(e->name, "Name") && text_ends(e->path, "/Alarm"))
        text_copy(a->name, sizeof(a->name), e->value);
    else if (e->kind == XML_ATTRIBUTE && text_is(e->name, "name"))
        text_copy(a->parameter, sizeof(a->parameter), e->value);
    else if (e->kind == XML_CLOSE && a->parameter[0] && a->n < sizeof(a->rows) / sizeof(*a->rows)) {
        text_copy(a->rows[a->n].name, sizeof(a->rows[a->n].name), text_of(a->parameter));
        text_copy(a->rows[a->n].value, sizeof(a->rows[a->n].value), e->value);
        a->parameter[0] = '\0';
        a->n++;
    }
    return 0;
}

static const char *xml_value(const struct xml_alarm *a, struct text name)
{
    for (size_t i = 0; i < a->n; i++)
        if (text_equal(text_of(a->rows[i].name), name))
            return a->rows[i].value;
    return "";
}

static void put_known(struct alarm_draft *d, const struct xml_alarm *a)
{
    struct text rest = text_of(alarm_rows[d->id].parameters);
    char key[40];

    while (rest.at) {
        struct text name = text_split(&rest, ' ');

        text_copy(key, sizeof(key), name);
        alarm_put(d, key, "%s", xml_value(a, name));
    }
}

int phone_alarm_read_xml(struct text xml, struct alarm_draft *d)
{
    struct xml_alarm a = {.n = 0};
    const char *device;

    if (xml_read(xml.at, xml.len, on_xml, &a, NULL) < 0 || !a.name[0])
        return -EBADMSG;
    device = xml_value(&a, TEXT("DeviceName"));
    if (strcmp(a.name, "LastOutOfServiceInformation") == 0) {
        alarm_begin(d, ALARM_PHONE_OUT_OF_SERVICE);
        put_known(d, &a);
        text_to_u32(text_of(xml_value(&a, TEXT("ReasonForOutOfService"))), 10, &d->reason);
    } else {
        alarm_begin(d, ALARM_PHONE_EVENT);
        alarm_put(d, "DeviceName", "%s", device);
        alarm_put(d, "AlarmName", "%s", a.name);
        alarm_put(d, "Reason", "%s", xml_value(&a, TEXT("FailureReason")));
    }
    d->device = device_name_of(text_of(device));
    return 0;
}

int phone_alarm_read(const struct sccp_message *m, struct alarm_draft *ret)
{
    if (m->id == SCCP_ALARM)
        return draft_text(&m->alarm, ret);
    return phone_alarm_read_xml(m->enhanced_alarm.xml, ret);
}
