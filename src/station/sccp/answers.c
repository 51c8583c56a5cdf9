/* answers.c - what a registered phone asks, and what it is told. A row a message. */
#include <stdio.h>
#include <string.h>

#include "base/unicode.h"
#include "core/cluster/spread.h"
#include "core/counters.h"
#include "core/dates.h"
#include "core/buttons.h"
#include "station/sccp/station.h"
#include "station/softkeys.h"

#define LABEL_CODES_FROM 6 /* older loads know no label codes */
#define V2_FROM          8 /* variable texts */
#define OPTIONS_OLD                                                                                \
    9 /* of a line: what to show of a forwarded call, as CallManager 4.1 says it                   \
       */
#define OPTIONS_NEW 15
#define TEXT_MAX    300

/* --- texts ---------------------------------------------------------------------------------------
 */

/* Phones that do not say UTF-8 get Latin-1: a character it lacks becomes a question mark. */
static bool speaks_utf8(const struct session *s)
{
    return s->version && s->features[1] & 0x10;
}

static void phone_text(const struct session *s, const char *from, char *to, size_t size)
{
    struct text rest = text_of(from);
    size_t n = 0;

    if (speaks_utf8(s)) {
        text_copy(to, size, (struct text){from, text_utf8_cut(rest, size - 1)});
        return;
    }
    while (rest.len && n + 1 < size) {
        uint32_t c = unicode_next(&rest);

        if (unicode_width(c)) /* a combining mark is dropped */
            to[n++] = c < 0x100 ? (char)c : '?';
    }
    to[n] = '\0';
}

/* --- what is configured ------------------------------------------------------------------------
 */

static const void *find(struct session *s, enum entity entity, const char *key)
{
    return registry_row(s->station.registry, entity, key);
}

static struct button button(struct session *s, uint8_t feature, uint32_t instance)
{
    const struct phone *phone = station_phone(&s->station);

    if (!phone)
        return (struct button){0};
    return button_find(s->station.registry->directory, phone, s->model, feature, instance);
}

static size_t count_buttons(struct session *s, uint8_t feature)
{
    const struct phone *phone = station_phone(&s->station);
    size_t n = 0;

    for (size_t i = 0; phone && i < phone->n_buttons; i++)
        n += phone->buttons[i].feature == feature;
    return n;
}

void session_date_template(struct session *s, char to[static 9])
{
    const struct device_pool *pool = station_pool(&s->station);

    date_template(pool ? find(s, ENTITY_datetime, pool->datetime) : NULL, to);
}

/* As CallManager 4.1 and later answer; what the bits mean is only partly known. */
void session_ack_features(const struct session *s, uint8_t to[static 3])
{
    static const uint8_t plain[3] = {0x00, 0x00, 0x00}, old[3] = {0x00, 0x00, 0xfe},
                         middle[3] = {0x20, 0xf1, 0xfe}, new[3] = {0x20, 0xf1, 0xff};

    memcpy(to,
           s->version <= 3    ? plain
           : s->version <= 7  ? old
           : s->version <= 10 ? middle
                              : new,
           3);
}

/* --- answers -------------------------------------------------------------------------------------
 */

static void button_template(struct session *s, uint32_t unused, struct effects *e)
{
    const struct phone *phone = station_phone(&s->station);
    struct button buttons[BUTTONS_MAX];
    struct sccp_button_template m = {0};
    size_t n = phone ? buttons_of(s->station.registry->directory, phone, s->model, buttons) : 0;

    m.count = m.total = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        m.buttons[i] = (struct sccp_button){buttons[i].instance, buttons[i].feature};
    SEND(s, e, button_template, &m);
}

static const struct softkeys *softkeys_of(struct session *s)
{
    const struct phone *phone = station_phone(&s->station);
    const struct device_pool *pool = station_pool(&s->station);

    if (phone && *phone->softkeys)
        return find(s, ENTITY_softkeys, phone->softkeys);
    return pool ? find(s, ENTITY_softkeys, pool->softkeys) : NULL;
}

static const struct softkey_messages *softkey_messages(struct session *s)
{
    const struct softkeys *of = softkeys_of(s);
    struct softkey_messages *m = &s->owner->softkeys[(uintptr_t)of / 16 % SOFTKEY_MESSAGES];

    if (m->of != of || m->directory_version != s->station.registry->directory_version) {
        m->of = of;
        m->directory_version = s->station.registry->directory_version;
        softkeys_template(of, false, &m->labels[false]);
        softkeys_template(of, true, &m->labels[true]);
        softkeys_sets(of, &m->sets);
    }
    return m;
}

/* CallManager 2 has no softkeys, and its phones no message to be told so. */
static void softkey_template(struct session *s, uint32_t unused, struct effects *e)
{
    if (s->version)
        SEND(s, e, softkey_template, &softkey_messages(s)->labels[s->version >= LABEL_CODES_FROM]);
}

static void softkey_set(struct session *s, uint32_t unused, struct effects *e)
{
    if (!s->version)
        return;
    SEND(s, e, softkey_set, &softkey_messages(s)->sets);
    s->idle_softkeys = s->idle_prompt = true;
}

void session_send_idle_softkeys(struct session *s, struct effects *e)
{
    SEND(s, e, select_softkeys,
         (&(struct sccp_select_softkeys){0, 0, SCCP_SET_ON_HOOK, UINT32_MAX}));
}

/* "Your current options", as real servers say; a phone in quarantine says so, where it can. */
static const char *prompt_of(struct session *s)
{
    const struct phone *phone = station_phone(&s->station);

    if (phone && phone->quarantine && !(s->model && s->model->quirks & MODEL_LABELS_ONLY))
        return "Not adopted: type your code";
    return s->version >= LABEL_CODES_FROM ? "\x80\x13" : "Your current options";
}

void session_send_prompt(struct session *s, struct effects *e)
{
    struct sccp_display_prompt_status m = {0};
    const char *prompt = prompt_of(s);

    if (!s->version || (s->model && s->model->quirks & (MODEL_TEXT_ONLY | MODEL_NO_PROMPTS)))
        return;
    if (s->version >= V2_FROM) {
        SEND(s, e, display_prompt_status_v2,
             (&(struct sccp_display_prompt_status_v2){.text = text_of(prompt)}));
        return;
    }
    text_copy(m.text, sizeof(m.text), text_of(prompt));
    SEND(s, e, display_prompt_status, &m);
}

static void config_stat(struct session *s, uint32_t unused, struct effects *e)
{
    const struct phone *phone = station_phone(&s->station);
    struct sccp_config_stat m = {
        .instance = s->instance,
        .n_lines = (uint32_t)count_buttons(s, BUTTON_LINE),
        .n_speed_dials = (uint32_t)count_buttons(s, BUTTON_SPEED_DIAL),
    };
    struct sccp_config_stat_v2 v2 = {
        .instance = m.instance, .n_lines = m.n_lines, .n_speed_dials = m.n_speed_dials};

    text_copy(m.device_name, sizeof(m.device_name), text_of(s->station.name.s));
    phone_text(s, phone ? phone->owner : "", m.user_name, 40);
    phone_text(s, s->station.registry->options.node, m.server_name, 40);
    if (s->version < V2_FROM) {
        SEND(s, e, config_stat, &m);
        return;
    }
    memcpy(v2.device_name, m.device_name, sizeof(v2.device_name));
    v2.user_name = text_of(m.user_name);
    v2.server_name = text_of(m.server_name);
    SEND(s, e, config_stat_v2, &v2);
}

static void local_time(struct session *s, struct local_time *ret)
{
    const struct device_pool *pool = station_pool(&s->station);
    const struct datetime *group = pool ? find(s, ENTITY_datetime, pool->datetime) : NULL;
    const struct registry_options *o = &s->station.registry->options;

    *ret = (struct local_time){0};
    o->local_time(o->context, group ? group->time_zone : "", s->station.registry->now.wall_us, ret);
}

static uint16_t clock_of(const struct local_time *t, uint64_t wall_us)
{
    int utc = (int)(wall_us / 60000000 % 1440), local = t->hour * 60 + t->minute;

    return (uint16_t)(1 + (local - utc + 1440) % 1440);
}

uint16_t session_clock(struct session *s)
{
    struct local_time t;

    local_time(s, &t);
    return clock_of(&t, s->station.registry->now.wall_us);
}

void session_send_time(struct session *s, struct effects *e)
{
    uint64_t wall_us = s->station.registry->now.wall_us;
    struct local_time t;

    local_time(s, &t);
    s->clock = clock_of(&t, wall_us);
    SEND(s, e, define_time_date,
         (&(struct sccp_define_time_date){.year = (uint32_t)t.year,
                                          .month = (uint32_t)t.month,
                                          .day_of_week = (uint32_t)t.day_of_week,
                                          .day = (uint32_t)t.day,
                                          .hour = (uint32_t)t.hour,
                                          .minute = (uint32_t)t.minute,
                                          .second = (uint32_t)t.second,
                                          .millisecond = (uint32_t)(wall_us / 1000 % 1000),
                                          .utc = (uint32_t)(wall_us / 1000000)}));
}

static void time_date(struct session *s, uint32_t unused, struct effects *e)
{
    session_send_time(s, e);
    s->idle_prompt = true;
}

/* The text of a button: its own, else the label that its key has on the template, else a number. */
static void line_texts(struct session *s, const struct phone_button *row, char number[static 25],
                       char name[static TEXT_MAX], char label[static TEXT_MAX])
{
    const struct line *line = find(s, ENTITY_line, row->target);
    struct text target = text_of(row->target);

    if (line)
        text_copy(number, 25, text_of(line->number));
    else
        text_copy(number, 25, text_split(&target, '/'));
    phone_text(s, *row->display ? row->display : number, name, TEXT_MAX);
    phone_text(s, *row->label ? row->label : number, label, TEXT_MAX);
}

static void line_stat(struct session *s, uint32_t line, struct effects *e)
{
    struct button b = button(s, BUTTON_LINE, line);
    char number[25] = "", name[TEXT_MAX] = "", label[TEXT_MAX] = "";
    struct sccp_line_stat m = {.line = line, .options = OPTIONS_OLD};

    if (b.row)
        line_texts(s, b.row, number, name, label);
    if (s->version >= 17) {
        SEND(s, e, line_stat_v2,
             (&(struct sccp_line_stat_v2){.line = line,
                                          .options = OPTIONS_NEW,
                                          .number = text_of(number),
                                          .full_name = text_of(name),
                                          .label = text_of(label)}));
        return;
    }
    text_copy(m.number, 24, text_of(number));
    text_copy(m.full_name, 40, text_of(name));
    text_copy(m.label, 40, text_of(label));
    SEND(s, e, line_stat, &m);
}

/* In the dialect of CallManager 2 the server leaves this one unanswered. */
static void forward_stat(struct session *s, uint32_t line, struct effects *e)
{
    struct button b = button(s, BUTTON_LINE, line);
    const struct line *row = b.row ? find(s, ENTITY_line, b.row->target) : NULL;
    struct sccp_forward_stat m = {.line = line};
    size_t size = s->version >= 18 ? 26 : 25;

    if (!s->version)
        return;
    if (row) {
        text_copy(m.all_number, size - 1, text_of(row->forward_all));
        text_copy(m.busy_number, size - 1, text_of(row->forward_busy));
        text_copy(m.no_answer_number, size - 1, text_of(row->forward_no_answer));
    }
    m.all_active = m.all_number[0] != 0;
    m.busy_active = m.busy_number[0] != 0;
    m.no_answer_active = m.no_answer_number[0] != 0;
    m.any_active = m.all_active | m.busy_active | m.no_answer_active;
    SEND(s, e, forward_stat, &m);
}

static void speed_dial_stat(struct session *s, uint32_t index, struct effects *e)
{
    struct button b = button(s, BUTTON_SPEED_DIAL, index);
    char label[TEXT_MAX] = "";
    const char *number = b.row ? b.row->target : "";
    struct sccp_speed_dial_stat m = {.index = index};

    if (b.row)
        phone_text(s, *b.row->label ? b.row->label : number, label, sizeof(label));
    if (s->version >= V2_FROM) {
        SEND(s, e, speed_dial_stat_v2,
             (&(struct sccp_speed_dial_stat_v2){index, text_of(number), text_of(label)}));
        return;
    }
    text_copy(m.number, 24, text_of(number));
    text_copy(m.label, 40, text_of(label));
    SEND(s, e, speed_dial_stat, &m);
}

static struct button feature_button(struct session *s, uint32_t index)
{
    static const uint8_t features[] = {BUTTON_BLF, BUTTON_FEATURE, BUTTON_DND, BUTTON_MOBILITY};

    for (size_t i = 0; i < sizeof(features); i++) {
        struct button b = button(s, features[i], index);

        if (b.feature)
            return b;
    }
    return (struct button){.feature = BUTTON_FEATURE};
}

static void feature_stat(struct session *s, uint32_t index, struct effects *e)
{
    struct button b = feature_button(s, index);
    char label[TEXT_MAX] = "";
    struct sccp_feature_stat m = {.index = index, .feature = b.feature};

    if (b.row)
        phone_text(s, *b.row->label ? b.row->label : b.row->target, label, sizeof(label));
    if (s->version >= 15) {
        SEND(s, e, feature_stat_v2,
             (&(struct sccp_feature_stat_v2){
                 .index = index, .feature = b.feature, .label = text_of(label)}));
        return;
    }
    text_copy(m.label, 40, text_of(label));
    SEND(s, e, feature_stat, &m);
}

static void service_url_stat(struct session *s, uint32_t index, struct effects *e)
{
    struct button b = button(s, BUTTON_SERVICE, index);
    char label[TEXT_MAX] = "";
    struct sccp_service_url_stat m = {.index = index};

    if (b.row)
        phone_text(s, b.row->label, label, sizeof(label));
    if (s->version >= V2_FROM) {
        SEND(s, e, service_url_stat_v2,
             (&(struct sccp_service_url_stat_v2){index, text_of(b.row ? b.row->target : ""),
                                                 text_of(label)}));
        return;
    }
    text_copy(m.url, 256, text_of(b.row ? b.row->target : ""));
    text_copy(m.label, 40, text_of(label));
    SEND(s, e, service_url_stat, &m);
}

/* A name that does not fit would make the phone fetch what is not there; empty means: keep yours.
 */
static void version(struct session *s, uint32_t unused, struct effects *e)
{
    const struct phone *phone = station_phone(&s->station);
    const struct defaults *defaults;
    const char *load = phone ? phone->load : "";
    struct sccp_version m = {0};
    char key[64];

    if (!*load && s->model) {
        snprintf(key, sizeof(key), "%s/sccp", s->model->name);
        defaults = find(s, ENTITY_defaults, key);
        load = defaults ? defaults->load : "";
    }
    if (strlen(load) < 16)
        text_copy(m.load, sizeof(m.load), text_of(load));
    SEND(s, e, version, &m);
}

static struct ip own_address(const struct session *s)
{
    struct ip set = s->station.registry->options.address;

    return ip_is_any(set) ? s->local : set;
}

static void server_entry(struct session *s, const char *callmanager, struct sccp_server_res *m,
                         size_t i)
{
    const struct callmanager *c = find(s, ENTITY_callmanager, callmanager);
    const char *server = c && *c->server ? c->server : callmanager;

    text_copy(m->names[i].name, 48, text_of(server));
    m->ports[i].value = c ? (uint32_t)c->sccp_port : 2000;
    if (ip_parse(text_of(server), &m->addresses[i].address) < 0 &&
        (strcmp(server, s->station.registry->options.node) == 0 ||
         strcmp(callmanager, s->station.registry->options.node) == 0))
        m->addresses[i].address = own_address(s);
}

static void server_res(struct session *s, uint32_t unused, struct effects *e)
{
    const struct callmanager_group *group = station_group(&s->station);
    struct sccp_server_res m = {0};
    uint8_t order[GROUP_MEMBERS_MAX];
    size_t n = spread_order(group, s->station.name.s, order);

    for (size_t i = 0; i < n && i < 5; i++)
        server_entry(s, group->members[order[i]].callmanager, &m, i);
    if (!m.names[0].name[0]) {
        text_copy(m.names[0].name, 48, text_of(s->station.registry->options.node));
        m.ports[0].value = s->station.local_port;
        m.addresses[0].address = own_address(s);
    }
    SEND(s, e, server_res, &m);
}

/* Nobody knows yet whether the number is busy: the lamp stays dark, and the phone has its answer.
 */
static void subscription_stat(struct session *s, uint32_t transaction, struct effects *e)
{
    SEND(s, e, subscription_stat,
         (&(struct sccp_subscription_stat){.transaction = transaction, .feature = 1}));
    SEND(s, e, notification,
         (&(struct sccp_notification){.transaction = transaction, .feature = 1}));
}

/* As CallManager asks each phone right after its capabilities; application and transaction are the
 * number of the station. */
void session_send_device_caps(struct session *s, struct effects *e)
{
    uint32_t number = (uint32_t)s->id + 1;

    if (s->version < 17)
        return;
    SEND(s, e, user_to_device_data_v1,
         (&(struct sccp_user_to_device_data_v1){.application = number,
                                                .transaction = number,
                                                .sequence = 2,
                                                .data = TEXT("<getDeviceCaps/>")}));
}

/* --- which message is what -----------------------------------------------------------------------
 */

/* clang-format off */
static const struct request {
    uint32_t id;
    enum session_event event;
    void (*answer)(struct session *s, uint32_t argument, struct effects *e); /* NULL: none is due */
} requests[] = {
    { SCCP_KEEPALIVE,               EV_KEEPALIVE,    NULL },
    { SCCP_REGISTER_REQ,            EV_REGISTER,     NULL },
    { SCCP_UNREGISTER,              EV_UNREGISTER,   NULL },
    { SCCP_REGISTER_TOKEN_REQ,      EV_TOKEN,        NULL },
    { SCCP_SPCP_REGISTER_TOKEN_REQ, EV_SPCP_TOKEN,   NULL },
    { SCCP_ALARM,                   EV_ALARM,        NULL },
    { SCCP_ENHANCED_ALARM,          EV_ALARM,        NULL },
    { SCCP_CAPABILITIES_RES,        EV_CAPABILITIES, NULL },
    { SCCP_UPDATE_CAPABILITIES,     EV_CAPABILITIES, NULL },
    { SCCP_CAPABILITIES_V2_RES,     EV_CAPABILITIES, NULL },
    { SCCP_CAPABILITIES_V3_RES,     EV_CAPABILITIES, NULL },
    { SCCP_OFF_HOOK,                EV_KEY,          NULL },
    { SCCP_ON_HOOK,                 EV_KEY,          NULL },
    { SCCP_KEYPAD_BUTTON,           EV_KEY,          NULL },
    { SCCP_STIMULUS,                EV_KEY,          NULL },
    { SCCP_SOFTKEY_EVENT,           EV_KEY,          NULL },
    { SCCP_ENBLOC_CALL,             EV_KEY,          NULL },
    { SCCP_BUTTON_TEMPLATE_REQ,     EV_REQUEST,      button_template },
    { SCCP_SOFTKEY_TEMPLATE_REQ,    EV_REQUEST,      softkey_template },
    { SCCP_SOFTKEY_SET_REQ,         EV_REQUEST,      softkey_set },
    { SCCP_CONFIG_STAT_REQ,         EV_REQUEST,      config_stat },
    { SCCP_LINE_STAT_REQ,           EV_REQUEST,      line_stat },
    { SCCP_FORWARD_STAT_REQ,        EV_REQUEST,      forward_stat },
    { SCCP_SPEED_DIAL_STAT_REQ,     EV_REQUEST,      speed_dial_stat },
    { SCCP_FEATURE_STAT_REQ,        EV_REQUEST,      feature_stat },
    { SCCP_SERVICE_URL_STAT_REQ,    EV_REQUEST,      service_url_stat },
    { SCCP_TIME_DATE_REQ,           EV_REQUEST,      time_date },
    { SCCP_VERSION_REQ,             EV_REQUEST,      version },
    { SCCP_SERVER_REQ,              EV_REQUEST,      server_res },
    { SCCP_SUBSCRIPTION_STAT_REQ,   EV_REQUEST,      subscription_stat },
};
/* clang-format on */

static const struct request *request_of(uint32_t id)
{
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        if (requests[i].id == id)
            return &requests[i];
    return NULL;
}

enum session_event sccp_event_of(uint32_t id)
{
    const struct request *r = request_of(id);

    return r ? r->event : EV_REQUEST;
}

void session_answer(struct session *s, uint32_t id, uint32_t argument, struct effects *e)
{
    const struct request *r = request_of(id);

    if (r && r->answer)
        r->answer(s, argument, e);
}

uint32_t sccp_argument_of(const struct sccp_message *m)
{
    switch (m->id) {
    case SCCP_LINE_STAT_REQ:
        return m->line_stat_req.line;
    case SCCP_FORWARD_STAT_REQ:
        return m->forward_stat_req.line;
    case SCCP_SPEED_DIAL_STAT_REQ:
        return m->speed_dial_stat_req.index;
    case SCCP_FEATURE_STAT_REQ:
        return m->feature_stat_req.index;
    case SCCP_SERVICE_URL_STAT_REQ:
        return m->service_url_stat_req.index;
    case SCCP_SUBSCRIPTION_STAT_REQ:
        return m->subscription_stat_req.transaction;
    default:
        return 0;
    }
}
