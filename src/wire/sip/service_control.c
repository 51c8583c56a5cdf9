/* service_control.c - key=value lines and the words of a cisco-alarm. */
#include "wire/sip/service_control.h"

#include <errno.h>

#include "wire/sip/values.h"

/* In the order CallManager writes them; `braces` around the value. */
static const struct row {
    const char *key;
    size_t at;
    bool braces;
} rows[] = {
#define ROW(key, field, braces)                                                                    \
    {                                                                                              \
        key, offsetof(struct service_control, field), braces                                       \
    }
    ROW("action", action, false),
    ROW("RegisterCallId", call_id, true),
    ROW("ConfigVersionStamp", config, true),
    ROW("DialplanVersionStamp", dialplan, true),
    ROW("SoftkeyVersionStamp", softkey, true),
    ROW("FeatureControlVersionStamp", feature, true),
    ROW("CUCMResult", result, false),
    ROW("LoadId", load, true),
    ROW("InactiveLoadId", inactive_load, true),
    ROW("LoadServer", load_server, true),
    ROW("LogServer", log_server, true),
    ROW("PPID", ppid, false),
    ROW("UpgradeTime", upgrade_time, false),
#undef ROW
};

#define N_ROWS (sizeof(rows) / sizeof(*rows))

void service_control_write(struct writer *w, const struct service_control *c)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct text *value = (const struct text *)((const char *)c + rows[i].at);

        if (!value->at)
            continue;
        write_string(w, rows[i].key);
        write_string(w, rows[i].braces ? "={" : "=");
        write_text(w, *value);
        write_string(w, rows[i].braces ? "}\r\n" : "\r\n");
    }
}

static void take(struct service_control *c, struct text key, struct text value)
{
    if (value.len >= 2 && value.at[0] == '{' && value.at[value.len - 1] == '}')
        value = (struct text){value.at + 1, value.len - 2};
    for (size_t i = 0; i < N_ROWS; i++)
        if (text_equal_nocase(key, text_of(rows[i].key)))
            *(struct text *)((char *)c + rows[i].at) = value;
}

int service_control_read(struct text body, struct service_control *ret)
{
    struct service_control c = {.action = {NULL, 0}};

    while (body.at) {
        struct text value = text_trim(text_split(&body, '\n')), key = text_split(&value, '=');

        if (value.at)
            take(&c, text_trim(key), text_trim(value));
    }
    if (c.action.len == 0)
        return -EBADMSG;
    *ret = c;
    return 0;
}

/* -- Reason ----------------------------------------------------------------------------------- */

/* Words until the next key: Last= may hold blanks, a load does not. */
static void take_word(struct cisco_reason *r, struct text word, struct text rest)
{
    const struct {
        const char *key;
        struct text *to;
    } keys[] = {
        {"Name=", &r->name},        {"ActiveLoad=", &r->active_load},
        {"Load=", &r->active_load}, {"InactiveLoad=", &r->inactive_load},
        {"Last=", &r->last},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (text_starts_nocase(word, keys[i].key)) {
            *keys[i].to = text_skip(word, strlen(keys[i].key));
            if (keys[i].to == &r->last && rest.at)
                r->last.len = (size_t)(rest.at + rest.len - r->last.at);
        }
}

int cisco_reason_read(struct text value, struct cisco_reason *ret)
{
    struct cisco_reason r = {.code = 0};
    struct text rest = value, text, code;

    text_split(&rest, ';');
    if (!rest.at || !sip_parameter(rest, "text", &text) ||
        !text_starts_nocase(text, "cisco-alarm:"))
        return -ENOENT;
    rest = r.words = text_skip(text, strlen("cisco-alarm:"));
    code = text_split(&rest, ' ');
    if (text_to_u32(code, 10, &r.code) < 0)
        return -ENOENT;
    while (rest.at && !r.last.at) {
        struct text word = text_split(&rest, ' ');

        take_word(&r, word, rest);
    }
    *ret = r;
    return 0;
}

static void write_word(struct writer *w, const char *key, struct text value)
{
    if (value.at) {
        write_string(w, key);
        write_text(w, value);
    }
}

void cisco_reason_write(struct writer *w, const struct cisco_reason *r)
{
    write_format(w, "Reason: SIP;cause=200;text=\"cisco-alarm:%u", r->code);
    write_word(w, " Name=", r->name);
    write_word(w, r->inactive_load.at ? " ActiveLoad=" : " Load=", r->active_load);
    write_word(w, " InactiveLoad=", r->inactive_load);
    write_word(w, " Last=", r->last);
    write_string(w, "\"\r\n");
}
