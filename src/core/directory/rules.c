/* rules.c - what must hold beyond the table: keys in one form, things that fit each other. */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/address.h"
#include "core/cluster/members.h"
#include "core/cluster/spread.h"
#include "core/credentials.h"
#include "core/directory/apply.h"
#include "core/models.h"
#include "core/subnets.h"

#define MAX_PHONE_LINES   42 /* what a line number in SCCP template and softphone can name */
#define MAX_PHONE_BUTTONS 255
#define MAX_DIAL_RULES    100
#define MIN_CODE          4 /* digits of an activation code */

void phone_name_normal(struct text typed, char to[static 16])
{
    struct text rest = text_trim(typed);
    struct mac mac;

    if (text_starts_nocase(rest, "SEP"))
        rest = text_skip(rest, strlen("SEP"));
    if (mac_parse(rest, &mac) == 0)
        memcpy(to, device_name_of_mac(mac).s, 16);
    else
        text_copy(to, 16, text_trim(typed));
    for (char *at = to; *at; at++)
        *at = (char)toupper((unsigned char)*at);
}

static struct text normal_mac(struct text given, char to[static MAC_TEXT_MAX])
{
    struct mac mac;

    if (mac_parse(text_trim(given), &mac) < 0)
        return given;
    return text_of(mac_print(mac, to));
}

/* "7961/SCCP", "115/sccp" -> "7941/sccp" */
static struct text normal_defaults(struct text given, char to[static 64])
{
    struct text rest = given, model = text_split(&rest, '/');
    const struct model *m = model_by_name(model);
    uint32_t protocol;

    if (!m || !rest.at || names_parse(device_protocols, text_trim(rest), &protocol) < 0)
        return given;
    snprintf(to, 64, "%s/%s", m->name, names_print(device_protocols, protocol));
    return text_of(to);
}

static struct text normal_parameter(struct apply *a, struct text given)
{
    int setting = setting_find(text_trim(given)), nearest;

    if (setting >= 0)
        return text_of(setting_rows[setting].id);
    nearest = setting_nearest(given);
    apply_fault(a, "name", "there is no parameter \"%.*s\"%s%s%s",
                given.len > 60 ? 60 : (int)given.len, given.at,
                nearest < 0 ? "" : ": did you mean ", nearest < 0 ? "" : setting_rows[nearest].id,
                nearest < 0 ? "" : "?");
    return given;
}

void rules_key(struct apply *a, enum entity e, struct text given, union draft *d)
{
    const struct directory_entity *row = directory_entity(e);
    struct text rest = text_trim(given), part;
    char buffer[64], sentence[SENTENCE_MAX];

    if (e == ENTITY_phone && rest.len < sizeof(buffer)) {
        phone_name_normal(rest, buffer);
        if (strlen(buffer) == rest.len || mac_parse(rest, &(struct mac){{0}}) == 0)
            rest = text_of(buffer);
    } else if (e == ENTITY_reservation) {
        rest = normal_mac(rest, buffer);
    } else if (e == ENTITY_defaults && rest.len < 60) {
        rest = normal_defaults(rest, buffer);
    } else if (e == ENTITY_parameter) {
        rest = normal_parameter(a, rest);
    }
    if (a->failed)
        return;
    for (unsigned i = 0; i < row->n_keys; i++) {
        part = i + 1 < row->n_keys ? text_split(&rest, '/') : rest;
        if (draft_value(&a->arena, d, &row->fields[i], part, sentence) < 0) {
            apply_fault(a, row->fields[i].name, "%s", sentence);
            return;
        }
    }
    if (!text_trim(given).len)
        apply_fault(a, row->fields[0].name, "a %s needs a %s", row->noun, row->fields[0].name);
}

enum entity rules_refers(enum entity of, const struct directory_field *f)
{
    if (f->kind == FIELD_REF)
        return f->entity;
    if (f->kind == FIELD_KEY && of == ENTITY_line && !strcmp(f->name, "partition"))
        return ENTITY_partition;
    if (f->kind == FIELD_KEY && of == ENTITY_autoregistration)
        return ENTITY_callmanager;
    return N_ENTITIES;
}

void rules_before_delete(struct apply *a, const struct record *r)
{
    const struct record *range;

    if (r->entity != ENTITY_callmanager)
        return;
    range = directory_find(a->dir, ENTITY_autoregistration,
                           text_of(((const struct callmanager *)r)->name));
    if (range)
        apply_remove(a, range);
}

static bool only(const char *s, const char *allowed)
{
    return strspn(s, allowed) == strlen(s);
}

static void check_number(struct apply *a, const char *number, const char *field)
{
    const char *rest = number + (*number == '+');

    if (!*rest || !only(rest, "0123456789*#ABCDabcd"))
        apply_fault(a, field, "\"%.50s\" is no number: digits, * and #, + only in front", number);
}

/* Numbers that a phone is given and that are not there yet come into being as lines. */
static void want_line(struct apply *a, struct phone_button *b)
{
    char buffer[DIRECTORY_KEY_MAX];
    const struct record *line;
    union draft draft;
    struct text key;

    draft_init(&draft, ENTITY_line);
    rules_key(a, ENTITY_line, text_of(b->target), &draft);
    if (!a->failed)
        check_number(a, draft.line.number, "lines");
    if (a->failed)
        return;
    key = record_key(&draft.record, buffer);
    if (!(line = directory_find(a->dir, ENTITY_line, key))) {
        apply_put(a, NULL, &draft);
        line = &draft.record;
    }
    b->target = arena_text(&a->arena, record_key(line, buffer));
}

static bool same_line_before(const struct phone *p, unsigned i)
{
    for (unsigned j = 0; j < i; j++) {
        if (p->buttons[j].feature == BUTTON_LINE && *p->buttons[j].target &&
            !strcasecmp(p->buttons[i].target, p->buttons[j].target))
            return true;
    }
    return false;
}

static void check_lines(struct apply *a, struct phone *p, const struct model *m)
{
    unsigned most = p->protocol == PROTOCOL_SIP_THIRD_PARTY && m ? m->max_lines : MAX_PHONE_LINES;
    struct phone_button *buttons;
    unsigned n_lines = 0;

    if (!p->n_buttons)
        return;
    if (!(buttons = arena_take(&a->arena, p->n_buttons * sizeof(*buttons))))
        return;
    memcpy(buttons, p->buttons, p->n_buttons * sizeof(*buttons));
    p->buttons = buttons;
    for (unsigned i = 0; i < p->n_buttons && !a->failed; i++) {
        if (buttons[i].feature != BUTTON_LINE || !*buttons[i].target)
            continue;
        want_line(a, &buttons[i]);
        n_lines++;
        if (!a->failed && same_line_before(p, i))
            apply_fault(a, "lines", "line %s is on this phone twice", buttons[i].target);
    }
    if (n_lines > most)
        apply_fault(a, "lines", "a %s has at most %u line%s, not %u", most < MAX_PHONE_LINES ? m->title : "phone", most,
                    most > 1 ? "s" : "", n_lines);
    if (p->n_buttons > MAX_PHONE_BUTTONS)
        apply_fault(a, "buttons", "a phone has at most %d buttons, not %u", MAX_PHONE_BUTTONS,
                    p->n_buttons);
}

/* People say "sip" of devices of other makers too; and a new phone that nobody gave a protocol, which is
 * then that of the table, has the one that it speaks. */
static void choose_protocol(struct apply *a, struct phone *p, const struct model *m)
{
    if (p->protocol == PROTOCOL_SIP && m->protocols == MODEL_SIP_THIRD)
        p->protocol = PROTOCOL_SIP_THIRD_PARTY;
    else if (!a->before && !a->protocol_said && !model_speaks(m, p->protocol))
        p->protocol = model_speaks(m, PROTOCOL_SIP) ? PROTOCOL_SIP : PROTOCOL_SIP_THIRD_PARTY;
}

static void check_security_profile_of(struct apply *a, const struct phone *p)
{
    const struct security_profile *s = directory_find(a->dir, ENTITY_security_profile, text_of(p->security_profile));

    if (s && s->protocol != p->protocol)
        apply_fault(a, "security_profile", "security profile \"%s\" is for %s", s->name,
                    names_print(device_protocols, s->protocol));
    else if (s && s->model && s->model != p->model)
        apply_fault(a, "security_profile", "security profile \"%s\" is for another model", s->name);
}

/* "2026-12-31", so that later days are greater texts too */
static bool is_day(const char *s)
{
    int year, month, day, end = 0;

    return strlen(s) == 10 && sscanf(s, "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3 &&
           end == 10 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static void check_activation(struct apply *a, const struct phone *p)
{
    size_t len = strlen(p->activation_code);
    const struct phone *other = directory_activation(a->dir, text_of(p->activation_code));

    if (len && (len < MIN_CODE || !only(p->activation_code, "0123456789")))
        apply_fault(a, "activation_code", "an activation code has %d to 16 digits", MIN_CODE);
    else if (other && &other->record != a->before)
        apply_fault(a, "activation_code", "%s has that activation code already", other->name);
    else if (*p->activation_until && !is_day(p->activation_until))
        apply_fault(a, "activation_until", "\"%s\" is no day: write it as 2026-12-31",
                    p->activation_until);
}

/* "BAT" and 12 hex digits: a phone that is prepared before its own name is known. */
static bool is_placeholder(const char *name)
{
    return strncmp(name, "BAT", 3) == 0 && strlen(name) == 15 && only(name + 3, "0123456789ABCDEF");
}

static void check_phone(struct apply *a)
{
    struct phone *p = &a->draft.phone;
    const struct model *m = model_find((uint32_t)p->model);
    const struct template *t = directory_find(a->dir, ENTITY_template, text_of(p->template));
    struct mac mac;
    bool named_by_mac = strncmp(p->name, "SEP", 3) == 0 && strlen(p->name) == 15 &&
                        device_name_mac(device_name_of(text_of(p->name)), &mac) == 0;
    char model[12];

    if (m)
        choose_protocol(a, p, m);
    check_activation(a, p);
    check_security_profile_of(a, p);
    if (m && !(m->quirks & MODEL_FREE_NAME) && !named_by_mac && !is_placeholder(p->name))
        apply_fault(a, "name",
                    "\"%s\" is no name of a %s: SEP and the 12 hex digits of its MAC address",
                    p->name, m->title);
    else if (m && !model_is_phone(m))
        apply_fault(a, "model", "%s is no phone", m->title);
    else if (m && !model_speaks(m, p->protocol))
        apply_fault(a, "protocol", "a %s does not speak %s", m->title,
                    names_print(device_protocols, p->protocol));
    else if (t && t->model && t->model != p->model)
        apply_fault(a, "template", "template \"%s\" is for a %s, this is a %s", t->name,
                    model_print((uint32_t)t->model, model), m ? m->name : "model without a name");
    else if (!a->failed)
        check_lines(a, p, m);
}

static void check_line(struct apply *a)
{
    check_number(a, a->draft.line.number, "number");
}

static void check_callmanager(struct apply *a)
{
    const char *fingerprint = a->draft.callmanager.fingerprint;

    if (*fingerprint && !fingerprint_valid(text_of(fingerprint)))
        apply_fault(a, "fingerprint", "%s", "that is no SHA-256 fingerprint: 64 hexadecimal digits");
}

static void check_group(struct apply *a)
{
    const struct callmanager_group *g = &a->draft.callmanager_group;

    if (g->n_members > GROUP_MEMBERS_MAX)
        apply_fault(a, "members", "a group has at most %d members, not %u", GROUP_MEMBERS_MAX,
                    g->n_members);
    for (unsigned i = 0; i < g->n_members; i++) {
        if (!*g->members[i].callmanager)
            apply_fault(a, "members", "member %u has no name", i + 1);
        for (unsigned j = 0; j < i; j++) {
            if (!strcasecmp(g->members[i].callmanager, g->members[j].callmanager))
                apply_fault(a, "members", "%s is a member twice", g->members[i].callmanager);
        }
    }
}

/* A new range starts at its beginning, as saving it in the original does. */
static void check_autoregistration(struct apply *a)
{
    struct autoregistration *r = &a->draft.autoregistration;
    const struct autoregistration *before = (const struct autoregistration *)a->before;

    if (r->start > r->end)
        apply_fault(a, "end", "the last number (%d) is below the first (%d)", r->end, r->start);
    if ((before && (before->start != r->start || before->end != r->end)) || r->next < r->start ||
        r->next > r->end)
        r->next = r->start;
    if (r->quarantine && !*r->quarantine_pool)
        apply_fault(a, "quarantine_pool", "quarantine needs a pool to put new phones in");
}

static void check_defaults(struct apply *a)
{
    struct text rest = text_of(a->draft.defaults.name), model = text_split(&rest, '/');
    uint32_t protocol;

    if (!model_by_name(model) || !rest.at || names_parse(device_protocols, rest, &protocol) < 0)
        apply_fault(a, "name", "\"%s\" is not model/protocol, for instance 7960/sccp",
                    a->draft.defaults.name);
}

static void check_parameter(struct apply *a)
{
    struct parameter *p = &a->draft.parameter;
    int setting = setting_find(text_of(p->name));
    int32_t number = 0;
    char error[SENTENCE_MAX], scratch[16];

    if (!*p->value)
        return; /* back to the default */
    if (setting_check((enum setting)setting, text_of(p->value), &number, error, sizeof(error)) < 0)
        apply_fault(a, "value", "%s", error);
    else
        p->value =
            arena_text(&a->arena, setting_print((enum setting)setting, number, p->value, scratch));
}

bool rules_needs_no_row(const union draft *d)
{
    const struct setting_row *row;
    char scratch[16];
    int setting;

    if (record_entity(d) != ENTITY_parameter ||
        (setting = setting_find(text_of(d->parameter.name))) < 0)
        return false;
    row = &setting_rows[setting];
    return !*d->parameter.value ||
           text_is(setting_print((enum setting)setting, row->number,
                                 row->kind == SETTING_STRING ? row->string : "", scratch),
                   d->parameter.value);
}

/* What a person types becomes hashes bound to the user's name and the realm. */
static void check_digest_password(struct apply *a, struct user *u)
{
    struct text realm = text_of(directory_string(a->dir, SET_sip_realm));
    bool recoverable = directory_number(a->dir, SET_sip_digest_recoverable);
    struct credentials read;
    char made[CREDENTIALS_MAX];

    if (!*u->digest_password)
        return;
    if (!credentials_read(text_of(u->digest_password), &read)) {
        if (credentials_make(text_of(u->name), realm, text_of(u->digest_password), recoverable, made) < 0)
            apply_fault(a, "digest_password", "this digest password cannot be kept for this user");
        else
            u->digest_password = arena_text(&a->arena, text_of(made));
        explicit_bzero(made, sizeof(made));
    } else if (!text_is(read.user, u->name)) {
        apply_fault(a, "digest_password", "a digest password belongs to the user's name: give it again with the new one");
    }
}

static void check_user(struct apply *a)
{
    const char *password = a->draft.user.password;

    if (*password && *password != '$')
        apply_fault(a, "password", "a password is stored as a hash only");
    check_digest_password(a, &a->draft.user);
}

static void check_sip_profile(struct apply *a)
{
    const struct sip_profile *p = &a->draft.sip_profile;

    if (p->start_media_port >= p->stop_media_port)
        apply_fault(a, "stop_media_port", "the last RTP port (%d) is not above the first (%d)", p->stop_media_port,
                    p->start_media_port);
    if (p->timer_t1 > p->timer_t2)
        apply_fault(a, "timer_t2", "T2 (%d ms) is below T1 (%d ms)", p->timer_t2, p->timer_t1);
}

static void check_security_profile(struct apply *a)
{
    const struct security_profile *p = &a->draft.security_profile;

    if ((p->device_security_mode != SECURITY_NONE) != (p->transport == TRANSPORT_TLS))
        apply_fault(a, "transport", "security mode \"none\" and transport \"tls\" exclude each other, all others need it");
}

static void check_dial_rules(struct apply *a)
{
    const struct dial_rules *r = &a->draft.dial_rules;

    for (unsigned i = 0; i < r->n_rules; i++) {
        if (!only(r->rules[i].match, "0123456789*#+.,\\ABCD"))
            apply_fault(a, "rules", "\"%.60s\" is no pattern: digits, * # . , and \\ before a * that is dialled",
                        r->rules[i].match);
    }
    if (r->n_rules > MAX_DIAL_RULES)
        apply_fault(a, "rules", "phones read at most %d rules, not %u", MAX_DIAL_RULES, r->n_rules);
}

static void check_reservation(struct apply *a)
{
    struct ip ip;
    struct mac mac;

    if (mac_parse(text_of(a->draft.reservation.mac), &mac) < 0)
        apply_fault(a, "mac", "\"%s\" is no Ethernet address", a->draft.reservation.mac);
    else if (ip_parse(text_of(a->draft.reservation.address), &ip) < 0 || ip.family != 4)
        apply_fault(a, "address", "\"%s\" is no IPv4 address", a->draft.reservation.address);
}

static void check_scope(struct apply *a)
{
    struct subnet subnet;
    char error[SENTENCE_MAX];

    if (subnet_parse(&a->draft.scope, &subnet, error, sizeof(error)) < 0)
        apply_fault(a, "", "%s", error);
}

static void check_softkeys(struct apply *a)
{
    const struct softkeys *s = &a->draft.softkeys;

    for (unsigned i = 0; i < s->n_sets; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (s->sets[i].state == s->sets[j].state)
                apply_fault(a, "sets", "keys for %s are given twice",
                            names_print(softkey_states, s->sets[i].state));
        }
    }
}

static void check_token(struct apply *a)
{
    const struct api_token *t = &a->draft.api_token;

    if (*t->expires && !is_day(t->expires))
        apply_fault(a, "expires", "\"%s\" is no day: write it as 2026-12-31", t->expires);
    if (*t->hash && (strlen(t->hash) != 64 || !only(t->hash, "0123456789abcdef")))
        apply_fault(a, "hash", "this is made by the server; \"dialtone token add\" tells the token");
}

static void (*const checks[N_ENTITIES])(struct apply *a) = {
    [ENTITY_phone] = check_phone,
    [ENTITY_line] = check_line,
    [ENTITY_callmanager] = check_callmanager,
    [ENTITY_callmanager_group] = check_group,
    [ENTITY_autoregistration] = check_autoregistration,
    [ENTITY_defaults] = check_defaults,
    [ENTITY_parameter] = check_parameter,
    [ENTITY_user] = check_user,
    [ENTITY_api_token] = check_token,
    [ENTITY_sip_profile] = check_sip_profile,
    [ENTITY_security_profile] = check_security_profile,
    [ENTITY_dial_rules] = check_dial_rules,
    [ENTITY_reservation] = check_reservation,
    [ENTITY_scope] = check_scope,
    [ENTITY_softkeys] = check_softkeys,
};

void rules_check(struct apply *a)
{
    if (checks[a->entity])
        checks[a->entity](a);
}
