/* screen.c - the display model fed by the server's messages; see screen.h. */
#include "handset/screen.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

void screen_init(struct screen *s, const struct model *model)
{
    *s = (struct screen){.model = model};
}

void screen_clear(struct screen *s)
{
    struct screen kept = *s;

    screen_init(s, kept.model);
    s->clock = kept.clock;
    s->clock_ms = kept.clock_ms;
    memcpy(s->date_template, kept.date_template, sizeof(s->date_template));
    memcpy(s->status, kept.status, sizeof(s->status));
    s->message_lamp = kept.message_lamp; /* the lamp keeps burning while the phone is away */
}

void screen_status(struct screen *s, const char *words)
{
    snprintf(s->status, sizeof(s->status), "%s", words);
}

/* A number behind a label stands apart from it: 0x80 0x17 "1001" is shown as "From 1001". */
static struct text set_apart(struct text t, char *room, size_t size)
{
    struct writer w = writer_of(room, size);

    for (size_t i = 0; i < t.len; i++) {
        bool code =
            (uint8_t)t.at[i] == 0x80 && i + 1 < t.len && (i == 0 || (uint8_t)t.at[i - 1] < 0x80);

        write_u8(&w, (uint8_t)t.at[i]);
        if (!code)
            continue;
        write_u8(&w, (uint8_t)t.at[++i]);
        if (i + 1 < t.len && isalnum((unsigned char)t.at[i + 1]))
            write_u8(&w, ' ');
    }
    return (struct text){room, writer_len(&w)};
}

/* A text of the server as the user reads it. Phones before UTF-8 are sent one byte a character. */
static void show(char *to, size_t size, struct text t)
{
    char plain[256], apart[256];
    struct writer w = writer_of(plain, sizeof(plain));
    struct text shown;
    size_t n = 0;

    sccp_label_expand(set_apart(t, apart, sizeof(apart)), &w);
    shown = (struct text){plain, writer_len(&w)};
    if (text_utf8_valid(shown)) {
        text_copy(to, size, (struct text){shown.at, text_utf8_cut(shown, size - 1)});
        return;
    }
    for (size_t i = 0; i < shown.len && n + 3 < size; i++) {
        uint8_t c = (uint8_t)shown.at[i];

        if (c >= 0x80) {
            to[n++] = (char)(0xc0 | c >> 6);
            to[n++] = (char)(0x80 | (c & 0x3f));
        } else {
            to[n++] = (char)c;
        }
    }
    to[n] = 0;
}

void screen_set_clock(struct screen *s, uint64_t wall_s, uint64_t now_ms)
{
    time_t t = (time_t)wall_s;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return;
    s->clock = (struct sccp_define_time_date){.year = (uint32_t)tm.tm_year + 1900,
                                              .month = (uint32_t)tm.tm_mon + 1,
                                              .day = (uint32_t)tm.tm_mday,
                                              .hour = (uint32_t)tm.tm_hour,
                                              .minute = (uint32_t)tm.tm_min,
                                              .second = (uint32_t)tm.tm_sec};
    s->clock_ms = now_ms;
}

void screen_set_line(struct screen *s, unsigned line, const char *number, const char *label)
{
    struct screen_key *k;

    if (!line || line > SCREEN_KEYS)
        return;
    k = &s->keys[line - 1];
    *k = (struct screen_key){.feature = SCCP_BUTTON_LINE, .instance = (uint8_t)line, .known = true};
    snprintf(k->number, sizeof(k->number), "%s", number);
    snprintf(k->label, sizeof(k->label), "%s", *label ? label : number);
    if (line > s->n_keys)
        s->n_keys = (uint8_t)line;
}

void screen_set_softkeys(struct screen *s, const struct screen_softkey *keys, unsigned n)
{
    if (!n)
        return; /* the server tells SCCP phones */
    memcpy(s->softkeys, keys, n * sizeof(*keys));
    s->n_softkeys = (uint8_t)n;
    s->softkey_page = 0;
}

void screen_set_notice(struct screen *s, struct text words, uint64_t until_ms)
{
    show(s->notify, sizeof(s->notify), words);
    s->notify_until_ms = until_ms;
}

static struct screen_key *key_of(struct screen *s, uint32_t feature, uint32_t instance)
{
    for (unsigned i = 0; i < s->n_keys; i++)
        if (s->keys[i].feature == feature && s->keys[i].instance == instance)
            return &s->keys[i];
    return NULL;
}

/* Service, feature and busy-lamp keys are asked for by instance; which of them the answer means,
 * the feature or the template tells. */
static void tell_key(struct screen *s, uint32_t feature, uint32_t instance, struct text number,
                     struct text label)
{
    struct screen_key *k = key_of(s, feature, instance);

    if (!k)
        return;
    k->known = true;
    show(k->number, sizeof(k->number), number);
    show(k->label, sizeof(k->label), label);
}

static void take_template(struct screen *s, const struct sccp_button_template *m)
{
    uint32_t n = m->count < SCREEN_KEYS ? m->count : SCREEN_KEYS;

    if (m->offset >= SCREEN_KEYS)
        return;
    for (uint32_t i = 0; i < n && m->offset + i < SCREEN_KEYS; i++) {
        struct screen_key *k = &s->keys[m->offset + i];

        if (k->feature == m->buttons[i].type && k->instance == m->buttons[i].instance)
            continue; /* asked for again: what it says is kept */
        *k = (struct screen_key){.feature = m->buttons[i].type,
                                 .instance = m->buttons[i].instance,
                                 .lamp = SCCP_LAMP_OFF};
    }
    if (m->offset + n > s->n_keys)
        s->n_keys = (uint8_t)(m->offset + n > SCREEN_KEYS ? SCREEN_KEYS : m->offset + n);
}

static void take_softkey_template(struct screen *s, const struct sccp_softkey_template *m)
{
    for (uint32_t i = 0; i < m->count && i < 32 && m->offset + i < 32; i++) {
        struct screen_softkey *k = &s->template[m->offset + i];

        show(k->label, sizeof(k->label), text_of(m->keys[i].label));
        k->event = (uint16_t)m->keys[i].event;
        if (m->offset + i + 1 > s->n_template)
            s->n_template = (uint8_t)(m->offset + i + 1);
    }
}

static void take_softkey_sets(struct screen *s, const struct sccp_softkey_set *m)
{
    for (uint32_t i = 0; i < m->count && i < 16 && m->offset + i < 16; i++) {
        memcpy(s->sets[m->offset + i], m->sets[i].keys, SCREEN_SOFTKEYS);
        if (m->offset + i + 1 > s->n_sets)
            s->n_sets = (uint8_t)(m->offset + i + 1);
    }
}

/* Bit n of the mask is the n-th key of the set. */
static void select_softkeys(struct screen *s, const struct sccp_select_softkeys *m)
{
    s->n_softkeys = s->softkey_page = 0;
    if (m->set >= 16)
        return;
    for (unsigned i = 0; i < SCREEN_SOFTKEYS; i++) {
        uint8_t position = s->sets[m->set][i];

        if (position && position <= s->n_template && (m->mask >> i & 1))
            s->softkeys[s->n_softkeys++] = s->template[position - 1];
    }
}

static struct screen_call *call_of(struct screen *s, uint32_t line, uint32_t call, bool create)
{
    struct screen_call *free_one = NULL;

    if (!call)
        return NULL;
    for (unsigned i = 0; i < SCREEN_CALLS; i++) {
        if (s->calls[i].call == call)
            return &s->calls[i];
        if (!s->calls[i].call && !free_one)
            free_one = &s->calls[i];
    }
    if (!create || !free_one)
        return NULL;
    *free_one = (struct screen_call){.line = line, .call = call};
    return free_one;
}

const struct screen_call *screen_active_call(const struct screen *s)
{
    const struct screen_call *best = NULL;

    for (unsigned i = 0; i < SCREEN_CALLS; i++)
        if (s->calls[i].call && (!best || s->calls[i].state != SCCP_STATE_HOLD))
            best = &s->calls[i];
    return best;
}

static void take_call_state(struct screen *s, const struct sccp_call_state *m)
{
    struct screen_call *c = call_of(s, m->line, m->call, m->state != SCCP_STATE_ON_HOOK);

    if (!c)
        return;
    c->state = m->state;
    if (m->state == SCCP_STATE_ON_HOOK)
        c->call = 0;
}

static void take_party(struct screen *s, uint32_t line, uint32_t call, uint32_t type,
                       struct text calling_name, struct text calling, struct text called_name,
                       struct text called)
{
    struct screen_call *c = call_of(s, line, call, true);
    bool inbound = type == 1;
    struct text name = inbound ? calling_name : called_name, number = inbound ? calling : called;

    if (c)
        show(c->other, sizeof(c->other), name.len ? name : number);
}

static void set_prompt(struct screen *s, uint32_t timeout_s, uint32_t call, struct text t,
                       uint64_t now_ms)
{
    struct screen_call *c = call_of(s, 0, call, false);

    if (c) {
        show(c->prompt, sizeof(c->prompt), t);
        return;
    }
    show(s->prompt, sizeof(s->prompt), t);
    s->prompt_until_ms = timeout_s ? now_ms + timeout_s * 1000ull : 0;
}

static void set_notify(struct screen *s, uint32_t timeout_s, struct text t, uint64_t now_ms)
{
    show(s->notify, sizeof(s->notify), t);
    s->notify_until_ms = timeout_s ? now_ms + timeout_s * 1000ull : 0;
}

/* Two rows of half the field each, padded with blanks. */
static void set_text(struct screen *s, struct text t)
{
    size_t half = s->model->screen.columns && t.len > 2u * s->model->screen.columns
                      ? s->model->screen.columns
                      : 16;
    struct text first = {t.at, t.len < half ? t.len : half};

    show(s->text[0], sizeof(s->text[0]), first);
    show(s->text[1], sizeof(s->text[1]), text_skip(t, first.len));
}

static void set_lamp(struct screen *s, const struct sccp_set_lamp *m)
{
    struct screen_key *k = key_of(s, m->stimulus, m->instance);

    if (m->stimulus == SCCP_BUTTON_VOICEMAIL && !(s->model->quirks & MODEL_NO_LAMP))
        s->message_lamp = (uint8_t)m->mode;
    if (k)
        k->lamp = (uint8_t)m->mode;
}

static bool heard_of_a_key(struct screen *s, const struct sccp_message *m)
{
    struct screen_key *k;

    switch (m->id) {
    case SCCP_LINE_STAT:
        tell_key(s, SCCP_BUTTON_LINE, m->line_stat.line, text_of(m->line_stat.number),
                 text_of(*m->line_stat.label ? m->line_stat.label : m->line_stat.full_name));
        break;
    case SCCP_LINE_STAT_V2:
        tell_key(s, SCCP_BUTTON_LINE, m->line_stat_v2.line, m->line_stat_v2.number,
                 m->line_stat_v2.label.len ? m->line_stat_v2.label : m->line_stat_v2.full_name);
        break;
    case SCCP_SPEED_DIAL_STAT:
        tell_key(s, SCCP_BUTTON_SPEED_DIAL, m->speed_dial_stat.index,
                 text_of(m->speed_dial_stat.number), text_of(m->speed_dial_stat.label));
        break;
    case SCCP_SPEED_DIAL_STAT_V2:
        tell_key(s, SCCP_BUTTON_SPEED_DIAL, m->speed_dial_stat_v2.index,
                 m->speed_dial_stat_v2.number, m->speed_dial_stat_v2.label);
        break;
    case SCCP_FEATURE_STAT:
        tell_key(s, m->feature_stat.feature, m->feature_stat.index, TEXT(""),
                 text_of(m->feature_stat.label));
        if ((k = key_of(s, m->feature_stat.feature, m->feature_stat.index)))
            k->state = (uint8_t)m->feature_stat.state;
        break;
    case SCCP_FEATURE_STAT_V2:
        tell_key(s, m->feature_stat_v2.feature, m->feature_stat_v2.index, TEXT(""),
                 m->feature_stat_v2.label);
        if ((k = key_of(s, m->feature_stat_v2.feature, m->feature_stat_v2.index)))
            k->state = (uint8_t)m->feature_stat_v2.state;
        break;
    case SCCP_SERVICE_URL_STAT:
        tell_key(s, SCCP_BUTTON_SERVICE_URL, m->service_url_stat.index,
                 text_of(m->service_url_stat.url), text_of(m->service_url_stat.label));
        break;
    case SCCP_SERVICE_URL_STAT_V2:
        tell_key(s, SCCP_BUTTON_SERVICE_URL, m->service_url_stat_v2.index,
                 m->service_url_stat_v2.url, m->service_url_stat_v2.label);
        break;
    default:
        return false;
    }
    return true;
}

static bool heard_of_keys(struct screen *s, const struct sccp_message *m)
{
    switch (m->id) {
    case SCCP_BUTTON_TEMPLATE:
        take_template(s, &m->button_template);
        break;
    case SCCP_SOFTKEY_TEMPLATE:
        take_softkey_template(s, &m->softkey_template);
        break;
    case SCCP_SOFTKEY_SET:
        take_softkey_sets(s, &m->softkey_set);
        break;
    case SCCP_SELECT_SOFTKEYS:
        select_softkeys(s, &m->select_softkeys);
        break;
    case SCCP_SET_LAMP:
        set_lamp(s, &m->set_lamp);
        break;
    default:
        return false;
    }
    return true;
}

static bool heard_words(struct screen *s, const struct sccp_message *m, uint64_t now_ms)
{
    switch (m->id) {
    case SCCP_REGISTER_ACK:
        text_copy(s->date_template, sizeof(s->date_template),
                  text_of(m->register_ack.date_template));
        break;
    case SCCP_DEFINE_TIME_DATE:
        s->clock = m->define_time_date;
        s->clock_ms = now_ms;
        break;
    case SCCP_DISPLAY_PROMPT_STATUS:
        set_prompt(s, m->display_prompt_status.timeout_s, m->display_prompt_status.call,
                   text_of(m->display_prompt_status.text), now_ms);
        break;
    case SCCP_DISPLAY_PROMPT_STATUS_V2:
        set_prompt(s, m->display_prompt_status_v2.timeout_s, m->display_prompt_status_v2.call,
                   m->display_prompt_status_v2.text, now_ms);
        break;
    case SCCP_CLEAR_PROMPT_STATUS:
        set_prompt(s, 0, m->clear_prompt_status.call, TEXT(""), now_ms);
        break;
    case SCCP_DISPLAY_NOTIFY:
        set_notify(s, m->display_notify.timeout_s, text_of(m->display_notify.text), now_ms);
        break;
    case SCCP_DISPLAY_NOTIFY_V2:
        set_notify(s, m->display_notify_v2.timeout_s, m->display_notify_v2.text, now_ms);
        break;
    case SCCP_DISPLAY_PRI_NOTIFY:
        set_notify(s, m->display_pri_notify.timeout_s, text_of(m->display_pri_notify.text), now_ms);
        break;
    case SCCP_DISPLAY_PRI_NOTIFY_V2:
        set_notify(s, m->display_pri_notify_v2.timeout_s, m->display_pri_notify_v2.text, now_ms);
        break;
    case SCCP_CLEAR_NOTIFY:
    case SCCP_CLEAR_PRI_NOTIFY:
        set_notify(s, 0, TEXT(""), now_ms);
        break;
    case SCCP_DISPLAY_TEXT:
        set_text(s, text_of(m->display_text.text));
        break;
    case SCCP_CLEAR_DISPLAY:
        s->text[0][0] = s->text[1][0] = 0;
        break;
    default:
        return false;
    }
    return true;
}

static bool heard_of_a_call(struct screen *s, const struct sccp_message *m)
{
    switch (m->id) {
    case SCCP_CALL_STATE:
        take_call_state(s, &m->call_state);
        break;
    case SCCP_CALL_INFO:
        take_party(s, m->call_info.line, m->call_info.call, m->call_info.type,
                   text_of(m->call_info.calling_name), text_of(m->call_info.calling_number),
                   text_of(m->call_info.called_name), text_of(m->call_info.called_number));
        break;
    case SCCP_CALL_INFO_V2:
        take_party(s, m->call_info_v2.line, m->call_info_v2.call, m->call_info_v2.type,
                   m->call_info_v2.calling_name, m->call_info_v2.calling_number,
                   m->call_info_v2.called_name, m->call_info_v2.called_number);
        break;
    case SCCP_START_TONE:
        s->tone = m->start_tone.tone;
        break;
    case SCCP_STOP_TONE:
        s->tone = 0;
        break;
    case SCCP_SET_RINGER:
        s->ringer = (uint8_t)m->set_ringer.mode;
        break;
    case SCCP_SET_SPEAKER_MODE:
        s->speaker = m->set_speaker_mode.mode == SCCP_ON;
        break;
    default:
        return false;
    }
    return true;
}

bool screen_message(struct screen *s, const struct sccp_message *m, uint64_t now_ms)
{
    if (heard_of_a_key(s, m) || heard_of_keys(s, m) || heard_words(s, m, now_ms) ||
        heard_of_a_call(s, m))
        return true;
    s->n_ignored++;
    return false;
}

bool screen_tick(struct screen *s, uint64_t now_ms)
{
    bool changed = false;

    if (s->prompt_until_ms && now_ms >= s->prompt_until_ms) {
        s->prompt[0] = 0;
        s->prompt_until_ms = 0;
        changed = true;
    }
    if (s->notify_until_ms && now_ms >= s->notify_until_ms) {
        s->notify[0] = 0;
        s->notify_until_ms = 0;
        changed = true;
    }
    return changed;
}

uint64_t screen_due(const struct screen *s)
{
    uint64_t prompt = s->prompt_until_ms ? s->prompt_until_ms : UINT64_MAX;
    uint64_t notify = s->notify_until_ms ? s->notify_until_ms : UINT64_MAX;

    return prompt < notify ? prompt : notify;
}

const char *screen_prompt(const struct screen *s)
{
    const struct screen_call *c = screen_active_call(s);

    if (*s->status)
        return s->status;
    if (*s->notify)
        return s->notify;
    if (c && *c->prompt)
        return c->prompt;
    return s->prompt;
}

static void print_date(const char *template, const struct tm *tm, char *to, size_t size)
{
    struct writer w = writer_of(to, size - 1);

    for (const char *p = *template ? template : "M/D/Y"; *p && *p != 'A'; p++) {
        if (*p == 'D')
            write_format(&w, "%02d", tm->tm_mday);
        else if (*p == 'M')
            write_format(&w, "%02d", tm->tm_mon + 1);
        else if (*p == 'Y' && p[1] == 'Y')
            write_format(&w, "%04d", 1900 + tm->tm_year), p++;
        else if (*p == 'Y')
            write_format(&w, "%02d", tm->tm_year % 100);
        else
            write_u8(&w, (uint8_t)*p);
    }
    to[writer_len(&w)] = 0;
}

/* The phone knows no zone: it counts on from the local time it was told. */
void screen_time(const struct screen *s, uint64_t now_ms, char *date, size_t date_size, char *time,
                 size_t time_size)
{
    const struct sccp_define_time_date *c = &s->clock;
    struct tm tm = {.tm_year = (int)c->year - 1900,
                    .tm_mon = (int)c->month - 1,
                    .tm_mday = (int)c->day,
                    .tm_hour = (int)c->hour,
                    .tm_min = (int)c->minute,
                    .tm_sec = (int)c->second};
    bool twelve = strchr(s->date_template, 'A') != NULL;
    time_t t;

    *date = *time = 0;
    if (!s->clock_ms || c->year < 1970 || c->year > 9999 || c->month > 12 || c->day > 31 ||
        c->hour > 24)
        return;
    t = timegm(&tm) + (time_t)((now_ms - s->clock_ms) / 1000);
    gmtime_r(&t, &tm);
    print_date(s->date_template, &tm, date, date_size);
    if (twelve)
        snprintf(time, time_size, "%d:%02d %s", tm.tm_hour % 12 ? tm.tm_hour % 12 : 12, tm.tm_min,
                 tm.tm_hour < 12 ? "AM" : "PM");
    else
        snprintf(time, time_size, "%02d:%02d", tm.tm_hour, tm.tm_min);
}

const char *screen_key_label(const struct screen_key *k)
{
    const char *words;

    if (*k->label)
        return k->label;
    if (*k->number)
        return k->number;
    if (k->feature == SCCP_BUTTON_UNUSED || k->feature == SCCP_BUTTON_UNDEFINED ||
        k->feature == SCCP_BUTTON_LINE || k->feature == SCCP_BUTTON_SPEED_DIAL)
        return "";
    words = names_print(sccp_names_button, k->feature);
    return words ? words : "";
}
