/* sip_text.c - SIPDefault.cnf and SIP<MAC>.cnf of 7940 and 7960: `key: "value"` lines, in ISO
 * 8859-1.
 *
 * The second file is read after the first and overrides it, so what belongs to a phone's pool,
 * profile or lines stands there. */
#include <errno.h>
#include <stdio.h>

#include "base/unicode.h"
#include "core/dates.h"
#include "provision/sip_files.h"

/* What would end the value, and what the phone's alphabet has not, is left out or a question mark.
 */
static void write_value(struct writer *w, const char *key, struct text value)
{
    write_format(w, "%s: \"", key);
    while (value.len) {
        uint32_t c = unicode_next(&value);

        if (c >= ' ' && c != '"' && c != 0x7f)
            write_u8(w, c < 0x100 ? (uint8_t)c : '?');
    }
    write_string(w, "\"\r\n");
}

static void write_string_value(struct writer *w, const char *key, const char *value)
{
    write_value(w, key, text_of(value));
}

static void write_number(struct writer *w, const char *key, int64_t n)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%lld", (long long)n);
    write_string_value(w, key, digits);
}

static void write_word(struct writer *w, const char *key, const struct name *names, uint8_t value)
{
    const char *word = names_print(names, value);

    write_string_value(w, key, word ? word : "");
}

/* --- where and with what --- */

/* A 7940 or 7960 asks for the load by this name; empty, it keeps what it has. */
static void write_load(struct writer *w, const char *load)
{
    write_string_value(w, "image_version", load);
}

static void write_proxies(struct building *b, struct writer *w)
{
    struct member members[MEMBERS_MAX];
    size_t n = building_members(b, members);
    char address[IP_TEXT_MAX];

    for (size_t i = 0; i < 2; i++) {
        const struct member *m = i < n ? &members[i] : NULL;
        const char *at = !m ? "" : m->ip.family ? ip_print(m->ip, address) : m->name;

        write_string_value(w, i ? "proxy_backup" : "proxy1_address", at);
        write_number(w, i ? "proxy_backup_port" : "proxy1_port", m ? m->sip_port : 5060);
    }
    write_number(w, "proxy_register", 1);
}

/* --- clock: these phones have no zones with rules, they are told the rules --- */

/* clang-format off: tables */
static const struct summer {
    const char *from_month, *from_week, *to_month, *to_week;
    const char *from_time, *to_time;
} summers[] = {
    {"March", "8", "October", "8", "02:00", "03:00"},  /* Europe: last Sundays */
    {"March", "2", "November", "1", "02:00", "02:00"}, /* North America since 2007 */
};

/* By the first words of the name that other phones know; abbreviations of the phones' guide. */
static const struct {
    const char *zone, *abbreviation;
    int summer; /* in `summers`; -1: none */
} zones[] = {
    {"Hawaiian", "HST", -1},
    {"Alaskan", "YST", 1},
    {"Pacific S", "PST", 1},
    {"Mountain", "MST", 1},
    {"US Mountain", "MST", -1},
    {"Central S", "CST", 1},
    {"Canada Central", "CST", -1},
    {"Mexico", "CST", -1},
    {"Eastern", "EST", 1},
    {"US Eastern", "EST", -1},
    {"SA Pacific", "EST", -1},
    {"Atlantic", "AST", 1},
    {"SA Western", "AST", -1},
    {"GMT", "GMT", 0},
    {"Greenwich", "GMT", -1},
    {"W. Europe", "CET", 0},
    {"Central Europe", "CET", 0},
    {"Romance", "CET", 0},
    {"GTB", "EET", 0},
    {"E. Europe", "EET", 0},
    {"Egypt", "EET", -1},
    {"South Africa", "EET", -1},
    {"Russian", "BT", -1},
    {"Saudi Arabia", "BT", -1},
    {"China", "CCT", -1},
    {"Taipei", "CCT", -1},
    {"Tokyo", "JST", -1},
    {"E. Australia", "EAST", -1},
    {"New Zealand", "NZST", -1},
};
/* clang-format on */

static void write_summer(struct writer *w, const struct summer *s)
{
    write_number(w, "dst_auto_adjust", s != NULL);
    if (!s)
        return;
    write_number(w, "dst_offset", 1);
    write_string_value(w, "dst_start_month", s->from_month);
    write_number(w, "dst_start_day", 0);
    write_string_value(w, "dst_start_day_of_week", "Sun");
    write_string_value(w, "dst_start_week_of_month", s->from_week);
    write_string_value(w, "dst_start_time", s->from_time);
    write_string_value(w, "dst_stop_month", s->to_month);
    write_number(w, "dst_stop_day", 0);
    write_string_value(w, "dst_stop_day_of_week", "Sun");
    write_string_value(w, "dst_stop_week_of_month", s->to_week);
    write_string_value(w, "dst_stop_time", s->to_time);
}

static void write_zone(struct building *b, struct writer *w)
{
    const char *iana = building_time_zone(b), *zone = time_zone_of_phones(text_of(iana));

    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        if (!text_starts(text_of(zone), zones[i].zone))
            continue;
        write_string_value(w, "time_zone", zones[i].abbreviation);
        write_summer(w, zones[i].summer < 0 ? NULL : &summers[zones[i].summer]);
        return;
    }
    write_string_value(w, "time_zone", "GMT");
    write_summer(w, NULL);
}

static void write_clock(struct building *b, struct writer *w)
{
    char template[DATE_TEMPLATE_MAX];
    struct text ntp = text_of(b->datetime ? b->datetime->ntp : "");

    date_template(b->datetime, template);
    template[strcspn(template, "A")] = '\0'; /* says 12 hours in other files */
    write_string_value(w, "sntp_mode", ntp.len ? "unicast" : "directedbroadcast");
    write_value(w, "sntp_server", text_trim(text_split(&ntp, ',')));
    write_zone(b, w);
    write_string_value(w, "date_format", template);
    write_number(w, "time_format_24hr", !b->datetime || b->datetime->clock_24h);
}

/* --- profile --- */

static void write_profile(const struct sip_profile *p, struct writer *w)
{
    static const char *const user_infos[] = {"none", "phone", "ip"};

    write_number(w, "timer_register_expires", p->timer_register_expires);
    write_number(w, "timer_invite_expires", p->timer_invite_expires);
    write_number(w, "timer_t1", p->timer_t1);
    write_number(w, "timer_t2", p->timer_t2);
    write_number(w, "sip_invite_retx", p->retry_invite);
    write_number(w, "sip_retx", p->retry_not_invite);
    write_number(w, "max_redirects", p->max_redirects);
    write_string_value(w, "user_info", user_infos[p->user_info % 3]);
    write_number(w, "remote_party_id", 1);
    write_number(w, "start_media_port", p->start_media_port);
    write_number(w, "end_media_port", p->stop_media_port);
    write_word(w, "preferred_codec", sip_codecs, p->preferred_codec);
    write_number(w, "enable_vad", p->enable_vad);
    write_number(w, "dtmf_inband", 1);
    write_word(w, "dtmf_outofband", dtmf_ways, p->dtmf_out_of_band);
    write_number(w, "dtmf_db_level", p->dtmf_db_level);
    write_number(w, "dtmf_avt_payload", p->telephone_event_payload_type);
    write_number(w, "semi_attended_transfer", p->semi_attended_transfer);
    write_number(w, "cnf_join_enable", p->conf_joint_enable);
    write_number(w, "call_hold_ringback", p->call_hold_ringback);
    write_number(w, "anonymous_call_block", p->anonymous_call_block);
    write_number(w, "callerid_blocking", p->caller_id_block);
    write_number(w, "stutter_msg_waiting", p->stutter_msg_waiting);
    write_number(w, "call_stats", p->call_stats);
    write_number(w, "telnet_level", p->telnet_level);
}

static void write_urls(struct building *b, struct writer *w)
{
    write_string_value(w, "services_url", building_string(b, SET_url_services));
    write_string_value(w, "directory_url", building_string(b, SET_url_directories));
}

int sip_text_default(struct building *b, struct writer *w)
{
    static const struct phone nobody = {.sip_profile = ""};
    const struct defaults *d = building_defaults(b, 7, PROTOCOL_SIP);

    write_load(w, d ? d->load : "");
    write_proxies(b, w);
    write_clock(b, w);
    write_profile(sip_profile_of(b->dir, &nobody), w);
    write_number(w, "voip_control_port", 5060);
    write_number(w, "nat_enable", 0);
    write_string_value(w, "dial_template", "dialplan");
    write_number(w, "tos_media", 5);
    write_string_value(w, "network_media_type", "Auto");
    write_number(w, "autocomplete", 1);
    write_number(w, "call_waiting", 1);
    write_number(w, "dnd_control", 0);
    write_urls(b, w);
    write_string_value(w, "sync", "1");
    return w->bad ? -ENOSPC : 0;
}

/* --- lines --- */

static void write_line_value(struct writer *w, unsigned n, const char *what, const char *value)
{
    char key[32];

    snprintf(key, sizeof(key), "line%u_%s", n, what);
    write_string_value(w, key, value);
}

/* All that the model has: one that is not said keeps what was there before. */
static void write_line(struct building *b, struct writer *w, unsigned n,
                       const struct phone_button *row)
{
    struct text rest = text_of(row ? row->target : ""), password;
    char key[24], number[64] = "UNPROVISIONED", contact[SIP_CONTACT_LEN + 1] = "";
    const char *name = "UNPROVISIONED";

    if (row) {
        text_copy(number, sizeof(number), text_split(&rest, '/'));
        sip_contact_user(b->phone, row->target, contact);
        name = sip_auth_name(b, number);
    }
    write_line_value(w, n, "name", number);
    write_line_value(w, n, "shortname", !row ? "" : *row->label ? row->label : number);
    write_line_value(w, n, "displayname", row ? row->display : "");
    write_line_value(w, n, "contact", contact);
    write_line_value(w, n, "authname", name);
    password = row ? digest_password_in_file(b->dir, b->phone) : (struct text){};
    snprintf(key, sizeof(key), "line%u_password", n);
    if (password.at) /* left out, what somebody typed into the phone stays */
        write_value(w, key, password);
}

static void write_lines(struct building *b, struct writer *w)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->phone->n_buttons && n < b->model->max_lines; i++) {
        if (b->phone->buttons[i].feature == BUTTON_LINE && *b->phone->buttons[i].target)
            write_line(b, w, ++n, &b->phone->buttons[i]);
    }
    while (n < b->model->max_lines)
        write_line(b, w, ++n, NULL);
}

static const char *voicemail(struct building *b)
{
    for (unsigned i = 0; i < b->phone->n_buttons; i++) {
        const struct line *line =
            directory_find(b->dir, ENTITY_line, text_of(b->phone->buttons[i].target));

        if (b->phone->buttons[i].feature == BUTTON_LINE && line)
            return line->voicemail;
    }
    return "";
}

int sip_text_phone(struct building *b, struct writer *w)
{
    const struct dial_rules *dial = dial_rules_of(b->dir, b->phone);
    char label[SIP_LABEL_MAX], file[RECORD_FILE_MAX];
    struct sip_stamps stamps;

    write_load(w, phone_file_load(b->dir, b->phone));
    write_proxies(b, w);
    write_lines(b, w);
    write_string_value(w, "phone_label", sip_phone_label(b->phone, label));
    write_clock(b, w);
    write_profile(sip_profile_of(b->dir, b->phone), w);
    write_number(w, "voip_control_port", security_profile_of(b->dir, b->phone)->sip_port);
    if (dial)
        *strrchr(dial_file_name(dial->name, file), '.') = '\0'; /* the phone puts .xml behind it */
    write_string_value(w, "dial_template", dial ? file : "dialplan");
    write_string_value(w, "messages_uri", voicemail(b));
    sip_stamps(b->dir, b->phone, &stamps);
    write_string_value(w, "sync", stamps.config);
    return w->bad ? -ENOSPC : 0;
}
