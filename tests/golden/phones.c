/* phones.c - stories of SIP phones on a virtual clock: what happens to their servers, and what the
 * phones make of it.
 *
 * A story is a file of lines. First `phone MODEL [load=L] [lines=N] [udp|tcp] [user=U password=P]`
 * and `servers A B C`; then `at SECONDS SERVER WORDS`, in order; `until SECONDS` ends it. WORDS:
 *   down, up             its connections are closed, new ones refused; or not
 *   silent, speaks       it answers nothing, opens no connection; or does
 *   mute                 it opens connections and answers nothing
 *   answers STATUS [N]   to every REGISTER, with Retry-After or Min-Expires N; 200: as usual
 *   grants N             seconds of a registration
 *   challenges           it asks for a digest first
 *   tokens STATUS [N]    its answer to a token request
 *   forgets              its registrations, without a word
 *   orders ACTION        a service-control NOTIFY; `badly`: with another Call-ID
 *   says EVENT           a NOTIFY of another event
 * `show` after `until` prints the first message of each kind whole. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "golden.h"

#include "handset/sip/habits.h"
#include "handset/sip/phone.h"
#include "wire/sip/multipart.h"
#include "wire/sip/uri.h"
#include "wire/sip/write.h"

#define SERVERS  3
#define QUEUE    64
#define MESSAGE  4096
#define DELAY_MS 1

struct server {
    char name;
    bool down, silent, mute, challenges, bound;
    unsigned status, after, grants, token, token_after;
    char register_id[128]; /* of the last proper REGISTER */
    char contact[256];
};

struct parcel {
    uint64_t at_ms;
    enum { OPENED, CLOSED, TO_PHONE, TO_SERVER } kind;
    unsigned link, flight; /* of the connection, to tell it from a later one */
    size_t len;
    char bytes[MESSAGE];
};

static struct world {
    struct server servers[SERVERS];
    unsigned n_servers;
    struct parcel queue[QUEUE];
    unsigned n_queue;
    unsigned flight[PHONE_LINKS];
    bool open[PHONE_LINKS];
    uint64_t now_ms;
    struct phone_kind kind;
    struct sip_phone phone;
    struct phone_config config;
    struct effects fx;
    struct writer *to;
    unsigned n_lines, n_orders;
    char shown[16][24];
    unsigned n_shown;
    bool show, datagrams;
} w;

/* ---- writing the story ---- */

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
    char words[512];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    write_format(w.to, "%9.3f  %s\n", (double)w.now_ms / 1000, words);
}

/* The number of the dialog stands in the Call-ID of the phone's own requests. */
static unsigned dialog_of(struct text call_id)
{
    uint32_t n = 0;

    if (call_id.len > 17)
        text_to_u32((struct text){call_id.at + 13, 4}, 16, &n);
    return n;
}

static void show_once(const char *kind, struct text message)
{
    for (unsigned i = 0; i < w.n_shown; i++)
        if (strcmp(w.shown[i], kind) == 0)
            return;
    if (!w.show || w.n_shown == 16)
        return;
    snprintf(w.shown[w.n_shown++], sizeof(w.shown[0]), "%s", kind);
    while (message.at) {
        struct text line = text_split(&message, '\n');

        write_format(w.to, "           | %.*s\n", TEXT_ARG(text_trim(line)));
    }
}

static const char *kind_of(const struct sip_message *m)
{
    struct text contact = sip_value(m, SIP_CONTACT), refer = sip_value(m, SIP_REFER_TO);

    if (m->method == SIP_REFER)
        return text_contains_nocase(refer, TEXT("token")) ? "token" : "alarm";
    if (m->method != SIP_REGISTER)
        return sip_method_name(m->method);
    if (text_contains_nocase(contact, TEXT("cisco-keep-alive")))
        return "keepalive";
    if (text_is(sip_value(m, SIP_EXPIRES), "0"))
        return "unregister";
    return sip_row(m, SIP_REASON) ? "register" : "refresh";
}

static void tell_request(const struct server *s, const struct sip_message *m)
{
    struct text reason = sip_value(m, SIP_REASON), code = reason;
    struct sip_address from;
    struct sip_uri uri = {0};
    char why[16] = "";

    if (sip_address_parse(sip_value(m, SIP_FROM), &from) == 0)
        sip_uri_parse(from.uri, &uri);
    if (reason.len) {
        text_split(&code, ':');
        code = text_split(&code, ' ');
        snprintf(why, sizeof(why), ", reason %.*s", TEXT_ARG(code));
    }
    tell("phone > %c  %s %.*s: dialog %u, CSeq %u, Expires %.*s%s%s%s", s->name, kind_of(m),
         TEXT_ARG(uri.user), dialog_of(m->call_id), m->cseq, TEXT_ARG(sip_value(m, SIP_EXPIRES)),
         why, m->body.len ? ", body" : "", sip_row(m, SIP_AUTHORIZATION) ? ", authorized" : "");
}

/* ---- the network ---- */

static struct parcel *post(unsigned link, int kind, uint64_t after_ms)
{
    struct parcel *p = &w.queue[w.n_queue++];

    if (w.n_queue >= QUEUE)
        abort();
    *p = (struct parcel){
        .at_ms = w.now_ms + after_ms, .kind = kind, .link = link, .flight = w.flight[link]};
    return p;
}

static void send_to_phone(unsigned link, const struct writer *message)
{
    struct parcel *p = post(link, TO_PHONE, DELAY_MS);

    p->len = writer_len(message);
    memcpy(p->bytes, message->start, p->len);
}

static void carry_out(void)
{
    for (uint32_t i = 0; i < w.fx.n; i++) {
        const struct effect *e = &w.fx.items[i];
        const struct server *s = &w.servers[e->link % SERVERS];
        struct text bytes = effect_text(&w.fx, e);
        struct parcel *p;

        switch (e->type) {
        case EFFECT_CONNECT:
            w.flight[e->link]++;
            w.datagrams = w.open[e->link] = e->transport == LINK_UDP;
            if (e->transport == LINK_UDP)
                post(e->link, OPENED, 0);
            else if (!s->silent)
                post(e->link, s->down ? CLOSED : OPENED, DELAY_MS);
            if (e->transport != LINK_UDP)
                tell("phone > %c  connects", s->name);
            break;
        case EFFECT_SEND:
            p = post(e->link, TO_SERVER, DELAY_MS);
            p->len = bytes.len < MESSAGE ? bytes.len : MESSAGE;
            memcpy(p->bytes, bytes.at, p->len);
            break;
        case EFFECT_CLOSE:
            if (w.open[e->link] && w.phone.setup)
                tell("phone > %c  closes", s->name);
            w.open[e->link] = false;
            w.flight[e->link]++;
            break;
        case EFFECT_STATE: {
            static const char *const names[] = {
                "opening",   "opened",    "asked",   "acknowledged", "registered", "rejected",
                "lost",      "left",      "reset",   "restart",      "apply",      "load",
                "no server", "keepalive", "standby", "reread"};

            if (e->number == PHONE_EVENT_OPENING || e->number == PHONE_EVENT_OPENED ||
                e->number == PHONE_EVENT_ASKED || e->number == PHONE_EVENT_KEEPALIVE)
                break;
            if (e->number == PHONE_EVENT_LOST)
                tell("phone      * lost: %s", phone_reason_words(e->link));
            else
                tell("phone      * %s%s%.*s", names[e->number], bytes.len ? ": " : "",
                     TEXT_ARG(bytes));
            break;
        }
        default:
            break;
        }
    }
    if (w.fx.full)
        tell("the list of effects is full");
    effects_clear(&w.fx);
}

/* ---- the servers ---- */

static struct writer begin_answer(const struct sip_message *m, unsigned status, char *room)
{
    struct writer a = writer_of(room, MESSAGE);
    struct endpoint from = {w.phone.address, 50000};

    sip_write_response(&a, m, (uint16_t)status, sip_reason((uint16_t)status), TEXT("1"), &from);
    sip_write_date(&a, 1289690940000000u + w.now_ms * 1000);
    return a;
}

static void challenge(unsigned link, const struct sip_message *m)
{
    char room[MESSAGE];
    struct writer a = begin_answer(m, 401, room);

    sip_write_named(&a, "WWW-Authenticate",
                    TEXT("Digest realm=\"ccmsipline\",nonce=\"abc\",algorithm=MD5,qop=\"auth\""));
    sip_write_body(&a, (struct text){0}, (struct text){0});
    tell("%c > phone  401", w.servers[link].name);
    send_to_phone(link, &a);
}

static void answer_plainly(unsigned link, const struct sip_message *m, unsigned status,
                           unsigned after)
{
    char room[MESSAGE];
    struct writer a = begin_answer(m, status, room);

    if (after)
        sip_write_format(&a, status == 423 ? "Min-Expires" : "Retry-After", "%u", after);
    if (status == 404)
        sip_write_named(&a, "Warning", TEXT("399 node \"Auto-registration failed\""));
    if (status == 302)
        sip_write_format(&a, "Contact", "<sip:192.0.2.%u>", link + 2);
    sip_write_body(&a, (struct text){0}, (struct text){0});
    if (after)
        tell("%c > phone  %u, %s %u", w.servers[link].name, status,
             status == 423 ? "Min-Expires" : "Retry-After", after);
    else
        tell("%c > phone  %u", w.servers[link].name, status);
    send_to_phone(link, &a);
}

static void grant(unsigned link, const struct sip_message *m)
{
    struct server *s = &w.servers[link];
    bool leaves = text_is(sip_value(m, SIP_EXPIRES), "0"), first = !s->bound && !leaves;
    bool keeps = text_contains_nocase(sip_value(m, SIP_CONTACT), TEXT("cisco-keep-alive"));
    char room[MESSAGE];
    struct writer a = begin_answer(m, 200, room);

    sip_write_format(&a, "Expires", "%u", leaves ? 0 : s->grants);
    if (!leaves)
        sip_write_format(&a, "Contact", "%.*s%s", TEXT_ARG(sip_value(m, SIP_CONTACT)),
                         first ? ";x-cisco-newreg" : "");
    if (m->body.len)
        sip_write_body(&a, TEXT("application/x-cisco-remotecc-response+xml"), TEXT("<x/>"));
    else
        sip_write_body(&a, (struct text){0}, (struct text){0});
    if (!keeps)
        s->bound = !leaves;
    if (!keeps && !leaves) {
        text_copy(s->register_id, sizeof(s->register_id), m->call_id);
        text_copy(s->contact, sizeof(s->contact), sip_value(m, SIP_CONTACT));
    }
    tell("%c > phone  200, Expires %u%s", s->name, leaves ? 0 : s->grants,
         first ? ", x-cisco-newreg" : "");
    send_to_phone(link, &a);
    if (leaves && !keeps && !w.datagrams)
        post(link, CLOSED, DELAY_MS);
}

static bool is_long_enough(const struct server *s, const struct sip_message *m)
{
    uint32_t asked;

    return s->status == 423 && text_to_u32(sip_value(m, SIP_EXPIRES), 10, &asked) == 0 &&
           asked >= s->after;
}

static void on_request(unsigned link, const struct sip_message *m, struct text bytes)
{
    struct server *s = &w.servers[link];

    tell_request(s, m);
    show_once(kind_of(m), bytes);
    if (s->silent || s->mute)
        return;
    if (m->method == SIP_REFER)
        answer_plainly(link, m, strcmp(kind_of(m), "token") == 0 ? s->token : 202,
                       strcmp(kind_of(m), "token") == 0 ? s->token_after : 0);
    else if (s->challenges && !sip_row(m, SIP_AUTHORIZATION))
        challenge(link, m);
    else if (s->status != 200 && !is_long_enough(s, m))
        answer_plainly(link, m, s->status, s->after);
    else
        grant(link, m);
}

static void on_bytes(unsigned link, const struct parcel *p)
{
    struct sip_message m;
    struct text bytes = {p->bytes, p->len};

    if (w.servers[link].down)
        return;
    if (sip_parse(p->bytes, p->len, &m) < 0)
        tell("phone > %c  %zu bytes that are no SIP", w.servers[link].name, p->len);
    else if (m.status) {
        tell("phone > %c  %u to %s", w.servers[link].name, m.status, sip_method_name(m.method));
        show_once("answer", bytes);
    } else
        on_request(link, &m, bytes);
}

static void notify(unsigned link, struct text event, struct text type, struct text body)
{
    struct server *s = &w.servers[link];
    char room[MESSAGE];
    struct writer a = writer_of(room, sizeof(room));
    struct text contact = text_of(s->contact);

    text_split(&contact, '<');
    contact = text_split(&contact, '>');
    write_format(&a, "NOTIFY %.*s SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKn%u\r\n",
                 TEXT_ARG(contact), ++w.n_orders);
    write_format(&a, "From: <sip:192.0.2.1>;tag=9\r\nTo: <%.*s>\r\nCall-ID: n%u@192.0.2.1\r\n",
                 TEXT_ARG(contact), w.n_orders);
    write_format(&a, "CSeq: 101 NOTIFY\r\nEvent: %.*s\r\nSubscription-State: active\r\n",
                 TEXT_ARG(event));
    sip_write_body(&a, type, body);
    send_to_phone(link, &a);
}

static void order(unsigned link, struct text words)
{
    struct text action = text_split(&words, ' ');
    char body[512];

    snprintf(body, sizeof(body),
             "action=%.*s\r\nRegisterCallId={%s}\r\nConfigVersionStamp={2}\r\n"
             "DialplanVersionStamp={}\r\nSoftkeyVersionStamp={}\r\nCUCMResult=%s\r\n",
             TEXT_ARG(action), text_is(words, "badly") ? "x" : w.servers[link].register_id,
             text_is(words, "reregister") ? "Reregister_Needed" : "no_change");
    tell("%c > phone  NOTIFY service-control %.*s%s", w.servers[link].name, TEXT_ARG(action),
         text_is(words, "badly") ? ", with another Call-ID" : "");
    notify(link, TEXT("service-control"), TEXT("text/plain"), text_of(body));
}

/* ---- the script ---- */

static unsigned number(struct text *words)
{
    uint32_t n = 0;

    text_to_u32(text_split(words, ' '), 10, &n);
    return n;
}

static void change(struct text words)
{
    struct text name = text_split(&words, ' '), verb = text_split(&words, ' ');
    unsigned link = (unsigned)(name.at[0] - 'A');
    struct server *s = &w.servers[link];

    if (text_is(verb, "orders")) {
        order(link, words);
        return;
    }
    if (text_is(verb, "says")) {
        tell("%c > phone  NOTIFY %.*s", s->name, TEXT_ARG(words));
        notify(link, words, TEXT("application/simple-message-summary"),
               TEXT("Messages-Waiting: yes\r\n"));
        return;
    }
    tell("%c          %.*s %.*s", s->name, TEXT_ARG(verb), TEXT_ARG(words));
    if (text_is(verb, "down")) {
        s->down = true;
        s->bound = false;
        if (w.open[link])
            post(link, CLOSED, DELAY_MS);
    } else if (text_is(verb, "up"))
        s->down = false;
    else if (text_is(verb, "silent"))
        s->silent = true;
    else if (text_is(verb, "speaks"))
        s->silent = s->mute = false;
    else if (text_is(verb, "mute"))
        s->mute = true;
    else if (text_is(verb, "forgets"))
        s->bound = false;
    else if (text_is(verb, "challenges"))
        s->challenges = true;
    else if (text_is(verb, "grants"))
        s->grants = number(&words);
    else if (text_is(verb, "answers")) {
        s->status = number(&words);
        s->after = number(&words);
    } else if (text_is(verb, "tokens")) {
        s->token = number(&words);
        s->token_after = number(&words);
    }
}

static void take_phone(struct text words)
{
    struct text name = text_split(&words, ' '), value;
    char load[65] = "";
    uint32_t n = 1;
    uint8_t transport = N_LINK_TRANSPORTS;

    phone_kind_init(&w.kind, model_by_name(name), NULL, 0);
    while (words.at) {
        value = text_split(&words, ' ');
        if (text_starts(value, "load="))
            text_copy(load, sizeof(load), text_skip(value, 5));
        else if (text_starts(value, "lines="))
            text_to_u32(text_skip(value, 6), 10, &n);
        else if (text_starts(value, "password="))
            text_copy(w.kind.password, sizeof(w.kind.password), text_skip(value, 9));
        else if (text_is(value, "udp"))
            transport = LINK_UDP;
    }
    phone_kind_speak_sip(
        &w.kind, model_speaks(w.kind.model, PROTOCOL_SIP) ? PROTOCOL_SIP : PROTOCOL_SIP_THIRD_PARTY,
        *load ? load : NULL);
    w.kind.transport = transport;
    w.config = (struct phone_config){.managed = w.kind.sip->managed, .version_stamp = "1"};
    w.config.n_lines = (uint8_t)n;
    for (uint32_t i = 0; i < n; i++) {
        snprintf(w.config.lines[i].name, sizeof(w.config.lines[i].name), "%u", 7001 + i);
        memcpy(w.config.lines[i].auth_name, w.config.lines[i].name, 5);
        memcpy(w.config.lines[i].password, w.kind.password, sizeof(w.kind.password));
    }
    sip_phone_init(&w.phone, &w.kind, mac_of_number(0x001122334455));
}

static void start(void)
{
    struct phone_start s = {.own = ip_v4(0xc0000264),
                            .n_servers = w.n_servers,
                            .config = &w.config,
                            .reason = PHONE_REASON_INITIALIZED};

    for (unsigned i = 0; i < w.n_servers; i++)
        s.servers[i] = (struct endpoint){ip_v4(0xc0000201 + i), 5060};
    sip_phone_start(&w.phone, &s, w.now_ms, &w.fx);
    carry_out();
}

static void deliver(const struct parcel *p)
{
    if (p->kind != TO_SERVER && p->flight != w.flight[p->link])
        return; /* of a connection that is gone */
    switch (p->kind) {
    case OPENED:
        w.open[p->link] = true;
        w.phone.links[p->link].port = (uint16_t)(50000 + p->link);
        sip_phone_opened(&w.phone, p->link, w.now_ms, &w.fx);
        break;
    case CLOSED:
        tell("%c > phone  %s", w.servers[p->link].name, w.open[p->link] ? "closes" : "refuses");
        sip_phone_closed(&w.phone, p->link, w.open[p->link] ? 0 : -111, w.now_ms, &w.fx);
        w.open[p->link] = false;
        break;
    case TO_PHONE:
        sip_phone_input(&w.phone, p->link, p->bytes, p->len, w.now_ms, &w.fx);
        break;
    case TO_SERVER:
        on_bytes(p->link, p);
        break;
    }
    carry_out();
}

static bool step(uint64_t until_ms)
{
    uint64_t due = sip_phone_due(&w.phone);
    unsigned first = w.n_queue;
    struct parcel p;

    for (unsigned i = 0; i < w.n_queue; i++)
        if (first == w.n_queue || w.queue[i].at_ms < w.queue[first].at_ms)
            first = i;
    if (first < w.n_queue && w.queue[first].at_ms <= due && w.queue[first].at_ms <= until_ms) {
        p = w.queue[first];
        w.n_queue--;
        memmove(&w.queue[first], &w.queue[first + 1], (w.n_queue - first) * sizeof(p));
        w.now_ms = p.at_ms;
        deliver(&p);
        return true;
    }
    if (due > until_ms)
        return false;
    w.now_ms = due > w.now_ms ? due : w.now_ms;
    sip_phone_tick(&w.phone, w.now_ms, &w.fx);
    carry_out();
    return true;
}

static void run_until(struct text seconds)
{
    uint64_t until_ms = (uint64_t)(strtod(seconds.at, NULL) * 1000);

    while (step(until_ms))
        ;
    w.now_ms = until_ms;
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *to)
{
    struct text rest = {(const char *)bytes, len};
    bool started = false;

    w = (struct world){.to = to};
    w.show = memmem(bytes, len, "\nshow\n", 6) != NULL;
    for (unsigned i = 0; i < SERVERS; i++)
        w.servers[i] =
            (struct server){.name = (char)('A' + i), .status = 200, .grants = 120, .token = 202};
    while (rest.at) {
        struct text line = text_trim(text_split(&rest, '\n')), word = text_split(&line, ' ');

        if (text_is(word, "phone")) {
            take_phone(line);
        } else if (text_is(word, "servers")) {
            w.n_servers = (unsigned)(line.len + 1) / 2;
        } else if (text_is(word, "at") || text_is(word, "until")) {
            struct text seconds = text_split(&line, ' ');

            if (!started && text_is(seconds, "0")) {
                change(line);
                continue;
            }
            if (!started)
                start();
            started = true;
            run_until(seconds);
            if (text_is(word, "at")) {
                change(line);
                carry_out();
            }
        }
    }
    sip_phone_done(&w.phone);
    phone_kind_done(&w.kind);
    return 0;
}

int main(int argc, char **argv)
{
    return golden_run(argc, argv, print);
}
