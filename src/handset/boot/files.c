/* files.c - the files of a boot in the order of the generation, and firmware; see
 * stages.h.
 *
 * A step is a list of alternatives; the first that is found ends it. Trust lists and OS79XX.TXT may
 * be missing; the configuration may not. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>

#include "core/locales.h"
#include "handset/softkey_set.h"
#include "handset/boot/stages.h"
#include "wire/boot/tftp.h"

#define HTTP_PORT 6970

/* The files of a load, by generation: alternatives of the first one, %L for the load. */
/* clang-format off */
static const char *const load_files[N_MODEL_GENERATIONS] = {
    [MODEL_BUTTONS] = "%L.bin",         [MODEL_7910] = "%L.bin|%L.sbn",
    [MODEL_7940] = "%L.loads|%L.sbn|%L.bin",
    [MODEL_7905] = "%L.sbin|%L.zup",    [MODEL_ATA] = "%L.zup",
    [MODEL_JAVA] = "%L.loads",          [MODEL_WIRELESS] = "%L.LOADS",
    [MODEL_CONFERENCE] = "%L.bin|%L.loads", [MODEL_LATER] = "%L.loads",
    [MODEL_SIP_ONLY] = "%L.loads",      [MODEL_SPA] = "%L.bin",
    [MODEL_GATEWAY] = "",               [MODEL_MODULE] = "%L.loads",
    [MODEL_SOFT] = "",                  [MODEL_DEVICE] = "",
};
/* clang-format on */

static struct text step_now(const struct boot *b)
{
    struct text rest = text_of(b->step);

    return text_split(&rest, ' ');
}

/* The alternative being asked for, with the MAC or the load filled in; empty beyond the last. */
static bool file_name(const struct boot *b, char *to, size_t size)
{
    struct text rest = step_now(b), pattern = {0};
    struct writer w = writer_of(to, size - 1);

    for (unsigned i = 0; rest.at && i <= b->alternative; i++)
        pattern = i == b->alternative ? text_split(&rest, '|')
                                      : (text_split(&rest, '|'), (struct text){0});
    if (!pattern.len)
        return false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.at[i];

        if (c != '%' || i + 1 == pattern.len) {
            write_u8(&w, (uint8_t)c);
            continue;
        }
        c = pattern.at[++i];
        if (c == 'L')
            write_string(&w, b->wanted_load);
        else
            write_format(&w, c == 'm' ? "%012llx" : "%012llX",
                         (unsigned long long)mac_number(b->options.mac));
    }
    to[writer_len(&w)] = 0;
    return true;
}

static struct endpoint tftp_endpoint(const struct boot *b)
{
    return (struct endpoint){boot_tftp_server(b),
                             b->options.file_port ? b->options.file_port : TFTP_PORT};
}

static void ask_tftp(struct boot *b, const char *name, uint64_t now_ms, struct effects *fx)
{
    struct endpoint server = tftp_endpoint(b);
    struct writer w = effects_writer(fx);
    struct effect *e = effects_add(fx, EFFECT_UDP);

    tftp_get_start(&b->get, name, &server, now_ms, &w);
    e->to = server;
    e->fresh = true;
    effects_bytes(fx, e, &w);
    b->due_ms = b->get.due_ms;
}

static void ask_http(struct boot *b, const char *name, struct effects *fx)
{
    struct effect *e = effects_add(fx, EFFECT_HTTP);
    struct writer w = effects_writer(fx);

    e->to = (struct endpoint){boot_tftp_server(b),
                              b->options.http_port ? b->options.http_port : HTTP_PORT};
    write_format(&w, "/%s", name);
    effects_bytes(fx, e, &w);
    b->due_ms = UINT64_MAX; /* the edge reports, also when it fails */
}

static bool step_is_configuration(const struct boot *b)
{
    return text_contains_nocase(step_now(b), TEXT(".cnf")) ||
           text_contains_nocase(step_now(b), TEXT(".cfg"));
}

static void ask(struct boot *b, const char *wanted, uint64_t now_ms, struct effects *fx)
{
    char name[72];

    snprintf(name, sizeof(name), "%s%s", wanted,
             b->options.old_trust && step_is_configuration(b) ? ".sgn" : "");
    b->n_body = 0;
    b->by_http = model_generations[b->options.model->generation].http_first;
    text_copy(b->get.file, sizeof(b->get.file), text_of(name));
    if (b->by_http)
        ask_http(b, name, fx);
    else
        ask_tftp(b, name, now_ms, fx);
}

static void next_step(struct boot *b, uint64_t now_ms, struct effects *fx);

/* What the file of a SIP phone names: it is read before the phone registers. */
static void name_more_files(struct boot *b)
{
    enum model_generation g = b->options.model->generation;
    const char *names[] = {g == MODEL_SIP_ONLY ? "AppDialRules.xml" : "", b->config.dial_template,
                           b->config.softkey_file, b->config.feature_policy};
    struct writer w = writer_of(b->extras, sizeof(b->extras) - 1);

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (*names[i] && !strpbrk(names[i], " |%/\\"))
            write_format(&w, "%s%s%s", writer_len(&w) ? " " : "", names[i],
                         strchr(names[i], '.') ? "" : ".xml"); /* the text files leave it out */
    b->extras[w.bad ? 0 : writer_len(&w)] = 0;
    b->step = b->extras;
    b->alternative = 0;
    b->named_asked = true;
}

static void ask_alternative(struct boot *b, uint64_t now_ms, struct effects *fx);

static void files_done(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    bool upgrade = *b->config.load && strcmp(b->config.load, b->load) != 0 && !b->upgrade_tried &&
                   *load_files[b->options.model->generation];

    if (b->stage == BOOT_EXTRAS) {
        boot_go(b, BOOT_DONE, now_ms, fx);
        return;
    }
    if (b->options.protocol == PROTOCOL_SIP && !b->named_asked && b->have_config &&
        !b->config.is_default) {
        name_more_files(b);
        if (*b->step) {
            ask_alternative(b, now_ms, fx);
            return;
        }
    }
    if (upgrade) {
        b->upgrade_tried = true; /* a load that cannot be had is not asked for twice in a boot */
        text_copy(b->wanted_load, sizeof(b->wanted_load), text_of(b->config.load));
    }
    boot_go(b, upgrade ? BOOT_UPGRADE : BOOT_NAMES, now_ms, fx);
}

static void ask_alternative(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    char name[64];

    if (file_name(b, name, sizeof(name)))
        ask(b, name, now_ms, fx);
    else
        next_step(b, now_ms, fx);
}

/* No file of the configuration step was found: the TFTP server is taken for the CallManager. */
static void no_configuration(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (b->options.protocol != PROTOCOL_SCCP || b->options.old_trust) {
        boot_give_up(b, now_ms, fx);
        return;
    }
    b->config = (struct phone_config){.security_mode = 1};
    boot_go(b, BOOT_NAMES, now_ms, fx);
}

static void next_step(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    struct text step = step_now(b);

    bool last = !strstr(step.at + step.len, ".cnf");

    if (step_is_configuration(b) && !b->have_config && last) {
        no_configuration(b, now_ms, fx);
        return;
    }
    b->step = step.at + step.len;
    if (*b->step)
        b->step++;
    b->alternative = 0;
    if (*b->step)
        ask_alternative(b, now_ms, fx);
    else
        files_done(b, now_ms, fx);
}

void boot_files_begin(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    b->step = model_boot_files(b->options.model, b->options.protocol);
    b->alternative = 0;
    b->kept = b->kept || b->have_config;
    b->have_config = b->defaulted = b->named_asked = false;
    b->n_parts = 0;
    if (!b->kept)
        b->config = (struct phone_config){.security_mode = 1};
    if (*b->step)
        ask_alternative(b, now_ms, fx);
    else
        boot_go(b, BOOT_NAMES, now_ms, fx);
}

/* What a found file means. False: it is as if it were missing. */
static bool take_file(struct boot *b, const char *name, struct effects *fx)
{
    struct text t = text_of(name);
    struct phone_config config;
    bool is_config = step_is_configuration(b);
    int err = b->options.old_trust && is_config ? -EPERM : 0;

    if (text_starts(t, "CTL") || text_starts(t, "ITL")) {
        effects_text(fx, EFFECT_STATUS, "%.3s Installed", name);
        return true;
    }
    if (err) {
        ; /* signed by somebody else, or not at all */
    } else if (text_is(t, "OS79XX.TXT")) {
        err = phone_config_read_os79xx(b->body, b->n_body, config.load);
    } else if (is_config && b->options.protocol == PROTOCOL_SIP && text_ends(t, ".cnf")) {
        config = b->config; /* the second file adds to the first */
        err = phone_config_read_text(b->body, b->n_body, &config);
    } else if (!is_config) {
        if (text_is(t, b->config.softkey_file))
            b->n_idle_keys = (uint8_t)softkey_set_read(b->body, b->n_body, "On Hook", b->idle_keys,
                                                       SCREEN_SOFTKEYS);
        return true;
    } else if (text_ends(t, ".cnf.xml") || text_ends(t, ".xml")) {
        err = phone_config_read_xml(b->body, b->n_body, b->options.model->type, &config);
    } else {
        err = phone_config_read_cnf(b->body, b->n_body, &config);
        config.is_default = text_starts(t, "SEPDEFAULT") || text_starts(t, "SEDDefault");
    }
    if (err) {
        effects_text(fx, EFFECT_STATUS, "Error verifying configuration %s", name);
        return false;
    }
    if (is_config) {
        b->config = config;
        b->have_config = true;
        effects_text(fx, EFFECT_STATUS, "%s (%s)", name, b->by_http ? "HTTP" : "TFTP");
    }
    return true;
}

static void upgrade_failed(struct boot *b, const char *words, const char *name, uint64_t now_ms,
                           struct effects *fx)
{
    effects_text(fx, EFFECT_STATUS, "%s %s", words, name);
    boot_go(b, BOOT_NAMES, now_ms, fx); /* carries on with the load it has */
}

static void ask_part(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (b->part_at < b->n_parts) {
        ask(b, b->parts[b->part_at], now_ms, fx);
        return;
    }
    text_copy(b->load, sizeof(b->load), text_of(b->wanted_load));
    effects_add(fx, EFFECT_REBOOT)->number = 1;
    b->due_ms = UINT64_MAX;
}

/* A locale that can be a folder's name and is not built in. */
static bool is_foreign(const char *locale, const char *built_in)
{
    return *locale && strcmp(locale, built_in) != 0 && !strpbrk(locale, " |%./\\");
}

void boot_extras_begin(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    enum model_generation g = b->options.model->generation;
    struct writer w = writer_of(b->extras, sizeof(b->extras) - 1);
    struct locale_files locale = locale_files_of(b->options.model, b->options.protocol);

    if (locale.texts && is_foreign(b->config.user_locale, USER_LOCALE_BUILT_IN))
        write_format(&w, "%s/%s ", b->config.user_locale, locale.texts);
    if (locale.tones && is_foreign(b->config.network_locale, NETWORK_LOCALE_BUILT_IN))
        write_format(&w, "%s/%s ", b->config.network_locale, locale.tones);
    if (g == MODEL_7940 || g == MODEL_JAVA || g == MODEL_LATER)
        write_string(&w, "Ringlist.xml");
    b->extras[writer_len(&w)] = 0;
    b->step = b->extras;
    b->alternative = 0;
    if (*b->step)
        ask_alternative(b, now_ms, fx);
    else
        boot_go(b, BOOT_DONE, now_ms, fx);
}

void boot_upgrade_begin(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    b->step = load_files[b->options.model->generation];
    b->alternative = 0;
    b->n_parts = b->part_at = 0;
    ask_alternative(b, now_ms, fx);
}

static void upgrade_answer(struct boot *b, bool found, const char *name, uint64_t now_ms,
                           struct effects *fx)
{
    if (!found && b->n_parts) {
        upgrade_failed(b, "File not found", name, now_ms, fx);
    } else if (!found) {
        char next[64];

        b->alternative++;
        if (file_name(b, next, sizeof(next)))
            ask(b, next, now_ms, fx);
        else
            upgrade_failed(b, "File not found", name, now_ms, fx);
    } else {
        if (!b->n_parts &&
            (text_ends(text_of(name), ".loads") || text_ends(text_of(name), ".LOADS")))
            b->n_parts = (uint8_t)boot_load_parts(b->body, b->n_body, b->parts,
                                                  sizeof(b->parts) / sizeof(b->parts[0]));
        else
            b->part_at++;
        ask_part(b, now_ms, fx);
    }
}

/* The file asked for is there, or is not. */
static void answered(struct boot *b, bool found, uint64_t now_ms, struct effects *fx)
{
    char name[64];

    memcpy(name, b->get.file, sizeof(name));
    if (b->stage == BOOT_UPGRADE) {
        upgrade_answer(b, found, name, now_ms, fx);
        return;
    }
    if (!found)
        effects_text(fx, EFFECT_STATUS, "File not found %s", name);
    if (b->stage == BOOT_EXTRAS) {
        if (!found && (strstr(name, "dictionary") || text_ends(text_of(name), ".jar")))
            effects_text(fx, EFFECT_STATUS, "Error update locale");
        next_step(b, now_ms, fx);
        return;
    }
    if (found && take_file(b, name, fx)) {
        next_step(b, now_ms, fx);
        return;
    }
    b->alternative++;
    ask_alternative(b, now_ms, fx);
}

/* Nobody answers: the second TFTP server, then the configuration that the phone ran with, or all over again. */
static void no_answer(struct boot *b, const char *words, uint64_t now_ms, struct effects *fx)
{
    effects_text(fx, EFFECT_STATUS, "%s", words);
    if (b->stage == BOOT_EXTRAS) {
        boot_go(b, BOOT_DONE, now_ms, fx);
    } else if (b->stage == BOOT_UPGRADE) {
        boot_go(b, BOOT_NAMES, now_ms, fx);
    } else if (!b->tftp_at && !ip_is_any(b->network.tftp[1])) {
        b->tftp_at = 1;
        boot_go(b, BOOT_FILES, now_ms, fx);
    } else if (b->kept) {
        b->tftp_at = 0;
        b->have_config = true;
        boot_go(b, BOOT_NAMES, now_ms, fx);
    } else {
        boot_give_up(b, now_ms, fx);
    }
}

/* False when the file is longer than a phone takes, or memory is short. Firmware is only counted.
 */
static bool keep(struct boot *b, struct text data)
{
    bool firmware = b->stage == BOOT_UPGRADE && b->n_parts;
    size_t room = b->body_room ? b->body_room : 4096;
    char *body;

    if (firmware || (b->stage == BOOT_UPGRADE && b->n_body + data.len > PHONE_CONFIG_MAX))
        return true;
    if (b->n_body + data.len > PHONE_CONFIG_MAX)
        return false;
    while (room < b->n_body + data.len)
        room *= 2;
    if (room > b->body_room) {
        body = realloc(b->body, room);
        if (!body)
            return false;
        b->body = body;
        b->body_room = room;
    }
    memcpy(b->body + b->n_body, data.at, data.len);
    b->n_body += data.len;
    return true;
}

static void look_at_transfer(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    b->due_ms = b->get.due_ms;
    switch (b->get.state) {
    case TFTP_GET_DONE:
        answered(b, true, now_ms, fx);
        break;
    case TFTP_GET_NOT_FOUND:
        answered(b, false, now_ms, fx);
        break;
    case TFTP_GET_ERROR:
        no_answer(b, "TFTP error", now_ms, fx);
        break;
    case TFTP_GET_TIMEOUT:
        no_answer(b, "TFTP timeout", now_ms, fx);
        break;
    case TFTP_GET_IDLE:
    case TFTP_GET_ASKED:
    case TFTP_GET_RUNNING:
        break;
    }
}

static void put_packet(struct effects *fx, const struct endpoint *to, const struct writer *w)
{
    struct effect *e;

    if (!writer_len(w))
        return;
    e = effects_add(fx, EFFECT_UDP);
    e->to = *to;
    effects_bytes(fx, e, w);
}

void boot_files_input(struct boot *b, const struct endpoint *from, const void *bytes, size_t len,
                      uint64_t now_ms, struct effects *fx)
{
    struct writer w = effects_writer(fx);
    struct text data;

    if (b->by_http || !tftp_get_is_running(&b->get))
        return;
    tftp_get_input(&b->get, from, bytes, len, now_ms, &w, &data);
    put_packet(fx, &b->get.server, &w);
    if (data.len && !keep(b, data)) {
        no_answer(b, "CFG TFTP Size Error", now_ms, fx);
        return;
    }
    look_at_transfer(b, now_ms, fx);
}

void boot_files_tick(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    struct writer w = effects_writer(fx);

    if (b->by_http)
        return;
    tftp_get_tick(&b->get, now_ms, &w);
    put_packet(fx, &b->get.server, &w);
    look_at_transfer(b, now_ms, fx);
}

void boot_files_unreachable(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (b->by_http || !tftp_get_is_running(&b->get))
        return;
    tftp_get_unreachable(&b->get);
    look_at_transfer(b, now_ms, fx);
}

/* What HTTP does not have is asked for once more by TFTP. */
void boot_http(struct boot *b, unsigned status, const void *body, size_t len, uint64_t now_ms,
               struct effects *fx)
{
    char name[64];

    if (!b->by_http || !boot_is_reading(b))
        return;
    if (status == 200 && keep(b, (struct text){body, len})) {
        answered(b, true, now_ms, fx);
        return;
    }
    b->by_http = false;
    b->n_body = 0;
    memcpy(name, b->get.file, sizeof(name));
    ask_tftp(b, name, now_ms, fx);
}

static bool is_part(struct text t)
{
    static const char *const ends[] = {".sbn", ".SBN", ".sb2", ".bin", ".zz.sgn", ".zup", ".sebn"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (t.len > strlen(ends[i]) && text_ends(t, ends[i]))
            return true;
    return false;
}

size_t boot_load_parts(const void *bytes, size_t len, char (*names)[64], size_t max)
{
    const char *at = bytes;
    size_t n = 0, start = 0;

    for (size_t i = 0; i <= len; i++) {
        bool inside =
            i < len && (isalnum((unsigned char)at[i]) || strchr(".-_", at[i] ? at[i] : ' '));

        if (inside)
            continue;
        struct text t = {at + start, i - start};
        if (n < max && t.len < 64 && is_part(t))
            text_copy(names[n++], 64, t);
        start = i + 1;
    }
    return n;
}
