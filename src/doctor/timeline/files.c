/* files.c - names looked up and files fetched: DNS, TFTP, HTTP and the ICMP errors they
 * meet. */
#include "doctor/timeline/own.h"

#include "wire/boot/tftp.h"

/* ---- DNS ---- */

static struct dns_asked *dns_of(struct story *story, const char *name, struct ip server)
{
    struct dns_asked *d;

    for (unsigned i = 0; i < story->n_dns; i++)
        if (ip_equal(story->dns[i].server, server) &&
            text_equal_nocase(text_of(story->dns[i].name), text_of(name)))
            return &story->dns[i];
    if (!(d = story_grow((void **)&story->dns, &story->n_dns, sizeof(*d), DNS_ASKED_MAX)))
        return NULL;
    text_copy(d->name, sizeof(d->name), text_of(name));
    d->server = server;
    return d;
}

/* Who refuses may leave the question out (RFC 1035 4.1.1): the number of the query is left. */
static struct dns_asked *dns_answered(struct story *story, const struct dns_message *m,
                                      struct ip server)
{
    if (m->has_question)
        return dns_of(story, m->name, server);
    for (unsigned i = 0; i < story->n_dns; i++)
        if (ip_equal(story->dns[i].server, server) && story->dns[i].id == m->id &&
            moment_is(story->dns[i].pending))
            return &story->dns[i];
    return NULL;
}

static void dns_answers(struct timeline *t, struct story *story, const struct sight *s)
{
    const struct dns_message *m = s->dns;
    struct dns_asked *d = dns_answered(story, m, s->at.from.ip);
    char ip[IP_TEXT_MAX];

    service_answered(t, s->at.from.ip, SERVICE_DNS, moment_of(s));
    if (!d)
        return;
    spell_add(&d->answered, moment_of(s));
    d->pending = (struct moment){0};
    d->rcode = m->rcode;
    for (unsigned i = 0; i < m->n_records; i++)
        if (m->records[i].type == DNS_A || m->records[i].type == DNS_AAAA) {
            d->has_address = true;
            d->address = m->records[i].ip;
        }
    if (m->rcode)
        story_tell(story, EVENT_DNS_ERROR, moment_of(s), "%s %s", d->name,
                   m->rcode == DNS_NAME_ERROR ? WORDS("does not exist (name error)")
                   : m->rcode == DNS_REFUSED  ? WORDS("(refused)")
                                              : WORDS("(server failure)"));
    else if (d->has_address)
        story_tell(story, EVENT_DNS_ANSWER, moment_of(s), "%s is %s", d->name,
                   ip_print(d->address, ip));
}

void see_dns(struct timeline *t, const struct sight *s)
{
    const struct dns_message *m = s->dns;
    struct story *story = timeline_at(t, m->response ? s->at.to.ip : s->at.from.ip);
    struct dns_asked *d;

    if (!story && !m->response)
        story = timeline_at_or_new(t, s->at.from.ip, s, true);
    if (!story || (!m->response && !m->has_question))
        return;
    story_touch(story, s);
    if (m->response) {
        dns_answers(t, story, s);
        return;
    }
    service_asked(t, s->at.to.ip, SERVICE_DNS, moment_of(s));
    if (!(d = dns_of(story, m->name, s->at.to.ip)))
        return;
    d->id = m->id;
    spell_add(&d->asked, moment_of(s));
    if (!moment_is(d->pending))
        d->pending = moment_of(s);
    story_tell(story, EVENT_DNS_ASK, moment_of(s), "%s", m->name);
}

/* ---- files: what both ways of fetching share ---- */

/* "SEP001122334455" out of "SEP001122334455.cnf.xml", "CTLSEP….tlv", "/SEP….cnf.xml.sgn"; empty: of
 * no device. */
static struct text device_in(struct text file)
{
    static const char *const kinds[] = {"SEP", "SIP", "ATA", "VGC", "SAA"};
    struct text name = file;
    struct mac mac;

    for (size_t i = 0; i < file.len; i++)
        if (file.at[i] == '/' || file.at[i] == '\\')
            name = text_skip(file, i + 1);
    if (text_starts_nocase(name, "CTL") || text_starts_nocase(name, "ITL"))
        name = text_skip(name, 3);
    name.len = name.len > 15 ? 15 : name.len;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (name.len == 15 && text_starts_nocase(name, kinds[i]) &&
            mac_parse(text_skip(name, 3), &mac) == 0)
            return name;
    return TEXT("");
}

/* Names that only phones ask for. */
static bool is_phone_file(struct text name)
{
    static const char *const parts[] = {"OS79XX",       "XMLDefault", "SEPDEFAULT", "SIPDefault",
                                        "SEDDefault",   "ITLFile",    "RINGLIST",   "dialplan.xml",
                                        "AppDialRules", ".loads",     ".sbn"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (text_contains_nocase(name, text_of(parts[i])))
            return true;
    return false;
}

/* Names in capitals, as the devices are called; SIP<MAC>.cnf belongs to the phone SEP<MAC>. */
static struct text device_name_read(struct text name, char to[static 16])
{
    for (size_t i = 0; i < name.len && i < 15; i++)
        to[i] = name.at[i] >= 'a' && name.at[i] <= 'z' ? (char)(name.at[i] - 32) : name.at[i];
    to[name.len < 15 ? name.len : 15] = '\0';
    if (strncmp(to, "SIP", 3) == 0)
        memcpy(to, "SEP", 3);
    return text_of(to);
}

static struct story *asker(struct timeline *t, const struct sight *s, struct text file)
{
    struct ip ip = sight_phone(s)->ip;
    struct text device = device_in(file);
    struct story *there = timeline_at(t, ip);
    char name[16];

    if (device.len)
        return timeline_name(t, there, device_name_read(device, name), NULL, ip, s);
    if (!there && !(there = timeline_at_or_new(t, ip, s, s->from_client)))
        return NULL;
    if (is_phone_file(file))
        timeline_phone(t, there);
    return there;
}

static void bind_flow(struct timeline *t, const struct sight *s, struct story *story)
{
    struct flow_slot *slot = timeline_flow(t, s->flow, true);

    if (slot)
        slot->story = story->id;
}

#define ROW_NS (60 * 1000000000LL)

/* One name, and within a second the next: it was answered, whether the capture has that or not (a
 * filter on port 69 takes the answers away, RFC 1350 4). */
static bool goes_on_at_once(const struct story_file *last, const struct story_file *f,
                            struct moment m)
{
    return last != f && !last->http && !f->http && last->since_answer == 1 &&
           ip_equal(last->server, f->server) && strcmp(last->name, f->name) != 0 &&
           m.ns - last->asked.last.ns < 1000000000LL;
}

/* A phone that hears nothing asks again before it asks for anything else. */
static void count_row(struct story *story, struct story_file *f, struct moment m)
{
    bool again = f->since_answer && strcmp(story->files[story->file_last].name, f->name) == 0 &&
                 m.ns - f->asked.last.ns < ROW_NS;

    if (!again && goes_on_at_once(&story->files[story->file_last], f, m))
        story->n_unseen++;
    f->in_row = again ? f->in_row + 1 : 1;
    if (!again)
        f->row_since = m;
    story->file_last = (uint8_t)(f - story->files);
}

#define AGAIN_NS (15 * 1000000000LL)

/* A request has a port of its own (RFC 1350 4): from the same port it is the same request, and its
 * answer, which is in the capture, did not come to the phone. */
static void note_port(struct story *story, struct story_file *f, const struct sight *s)
{
    uint16_t port = s->at.from.port;
    struct moment m = moment_of(s);

    if (port && f->port == port && !f->since_answer && f->state != FILE_CLOSED &&
        m.ns - f->asked.last.ns < AGAIN_NS)
        spell_add(&f->unheard, m);
    story->tftp_ports |= story->tftp_port && story->tftp_port != port;
    story->tftp_port = f->port = port;
}

static void file_asked(struct timeline *t, const struct sight *s, struct text name, bool http)
{
    struct story *story = asker(t, s, name);
    struct story_file *f;
    struct moment m = moment_of(s);
    struct ip server = sight_server(s)->ip;
    char ip[IP_TEXT_MAX];

    if (!story)
        return;
    story_touch(story, s);
    see_vlan(story, s);
    bind_flow(t, s, story);
    service_asked(t, server, http ? SERVICE_HTTP : SERVICE_TFTP, m);
    if (!(f = story_file(story, name, server, http, true)))
        return;
    if (!http)
        note_port(story, f, s);
    count_row(story, f, m);
    spell_add(&f->asked, m);
    f->flow = s->flow;
    if (!f->since_answer++)
        f->waiting = m;
    f->state = FILE_ASKED;
    f->last_block = 0;
    f->last_ack = UINT16_MAX; /* block 0 is acknowledged, too (RFC 2347) */
    story_tell(story, EVENT_FILE_ASK, m, "%s of %s%s", f->name,
               server.family ? ip_print(server, ip) : "?", http ? WORDS(" by HTTP") : "");
}

static struct story_file *file_of_flow(struct story *story, uint32_t flow)
{
    for (unsigned i = story->n_files; i-- > 0;)
        if (story->files[i].flow == flow)
            return &story->files[i];
    return NULL;
}

static void file_missing(struct story *story, struct story_file *f, uint16_t code, bool missing,
                         struct moment m, struct text words)
{
    f->state = missing ? FILE_NOT_FOUND : FILE_REFUSED;
    f->code = code;
    spell_add(&f->not_found, m);
    if (missing)
        story_tell(story, EVENT_FILE_MISSING, m, "%s", f->name);
    else
        story_tell(story, EVENT_FILE_REFUSED, m, "%s: %u %.*s", f->name, code, TEXT_ARG(words));
}

#define SLOW_NS (2 * 1000000000LL)
#define PROMPT_NS                                                                                  \
    (1000000000LL / 2) /* sooner than this after the last request: the others were lost */

static void note_slow(struct story_file *f, struct moment m)
{
    int64_t took = f->since_answer ? m.ns - f->row_since.ns : 0;

    if (took < SLOW_NS || m.ns - f->asked.last.ns < PROMPT_NS)
        return;
    spell_add(&f->slow, m);
    f->slow_ns += took;
}

static void file_answered(struct timeline *t, struct story_file *f, const struct sight *s)
{
    f->answered = true;
    if (ip_equal(s->at.from.ip, f->server)) {
        note_slow(f, moment_of(s));
        f->since_answer = 0;
    } else { /* whether the phone takes that as an answer shows later */
        spell_add(&f->elsewhere, moment_of(s));
        f->elsewhere_at = s->at.from.ip;
    }
    service_answered(t, f->server, f->http ? SERVICE_HTTP : SERVICE_TFTP, moment_of(s));
}

/* ---- TFTP ---- */

static void tftp_from_server(struct timeline *t, struct story *story, struct story_file *f,
                             const struct sight *s)
{
    const struct tftp_packet *p = s->tftp;

    file_answered(t, f, s);
    if (p->op == TFTP_ERROR) {
        /* Servers say "other" (0) with words, too. */
        bool missing = p->error == TFTP_ERROR_NOT_FOUND ||
                       (p->error == 0 && text_contains_nocase(p->message, TEXT("not found")));

        if (f->state != FILE_WHOLE)
            file_missing(story, f, p->error, missing, moment_of(s), p->message);
        return;
    }
    f->state = f->state == FILE_WHOLE ? FILE_WHOLE : FILE_RUNNING;
    spell_add(&f->data, moment_of(s));
    if (p->op == TFTP_DATA) {
        f->n_again += p->block == f->last_block && f->data.n > 1;
        f->stuck = p->block == f->last_block ? f->stuck + 1 : 0;
        f->stuck_most = f->stuck > f->stuck_most ? f->stuck : f->stuck_most;
        f->last_block = p->block;
        f->bytes += p->data.len;
    }
}

void see_tftp(struct timeline *t, const struct sight *s)
{
    const struct tftp_packet *p = s->tftp;
    struct story *story;
    struct story_file *f;

    if (p->op == TFTP_RRQ) {
        file_asked(t, s, p->file, false);
        return;
    }
    if (!(story = timeline_of_flow(t, s)) || !(f = file_of_flow(story, s->flow)))
        return;
    story_touch(story, s);
    if (!s->from_client) {
        tftp_from_server(t, story, f, s);
        return;
    }
    spell_add(&f->acks, moment_of(s));
    f->since_answer = 0;
    f->n_again += p->op == TFTP_ACK && p->block == f->last_ack && p->block != 0;
    f->ack_stuck = p->op == TFTP_ACK && p->block == f->last_ack ? f->ack_stuck + 1 : 0;
    f->ack_stuck_most = f->ack_stuck > f->ack_stuck_most ? f->ack_stuck : f->ack_stuck_most;
    f->last_ack = p->op == TFTP_ACK ? p->block : f->last_ack;
    if (p->op == TFTP_ERROR && f->state != FILE_WHOLE)
        story_tell(story, EVENT_FILE_REFUSED, moment_of(s), "%s, by the phone itself: %u %.*s",
                   f->name, p->error, TEXT_ARG(p->message));
}

/* ---- HTTP ---- */

void see_http_request(struct timeline *t, const struct sight *s)
{
    struct text name = s->http_request->target;

    if (text_starts(name, "/"))
        name = text_skip(name, 1);
    if (s->http_request->method == HTTP_GET || s->http_request->method == HTTP_HEAD)
        file_asked(t, s, name, true);
}

void see_http_response(struct timeline *t, const struct sight *s)
{
    struct story *story = timeline_of_flow(t, s);
    struct story_file *f = story ? file_of_flow(story, s->flow) : NULL;
    uint16_t status = s->http_response->status;

    if (!f)
        return;
    story_touch(story, s);
    file_answered(t, f, s);
    if (status >= 400)
        file_missing(story, f, status, status == 404, moment_of(s), s->http_response->reason);
    else if (status >= 200 && status < 300) {
        f->state = FILE_RUNNING;
        f->size = s->http_response->head.has_length ? s->http_response->head.length : 0;
        spell_add(&f->data, moment_of(s));
    }
}

/* ---- a file that came ---- */

static bool is_config(const char *name)
{
    struct text t = text_of(name);

    return text_contains_nocase(t, TEXT(".cnf")) || text_starts_nocase(t, "XMLDefault");
}

void see_file(struct timeline *t, const struct sight *s)
{
    struct story *story = timeline_of_flow(t, s);
    struct text name = s->file.name;
    struct story_file *f;

    if (text_starts(name, "/"))
        name = text_skip(name, 1);
    if (!story || !(f = file_of_flow(story, s->flow)))
        return;
    story_touch(story, s);
    if (f->state == FILE_NOT_FOUND || f->state == FILE_REFUSED)
        return; /* the page that an HTTP server sends with its refusal */
    if (s->file.whole) {
        f->state = FILE_WHOLE;
        spell_add(&f->whole, moment_of(s));
    }
    if (s->file.size == SIGHT_SIZE_UNKNOWN) {
        story_tell(story, EVENT_FILE_FOUND, moment_of(s), "%s", f->name);
        return;
    }
    f->bytes = s->file.size;
    if (s->file.whole)
        story_tell(story, EVENT_FILE_FOUND, moment_of(s), "%s, %llu [byte|bytes]", f->name,
                   (unsigned long long)s->file.size);
    if (is_config(f->name))
        read_config(story, f, s);
    else if (s->file.whole && f->bytes == 0)
        f->content = CONTENT_EMPTY;
}

/* ---- ICMP ---- */

/* The phone says that nobody waits for this block any more: neither was it lost, nor its
 * acknowledgement. */
static void blocks_unwanted(struct timeline *t, const struct sight *s)
{
    struct story *story = timeline_at(t, s->icmp.to.ip);

    for (unsigned i = story ? story->n_files : 0; i-- > 0;) {
        struct story_file *f = &story->files[i];

        if (f->http || !ip_equal(f->server, s->icmp.from.ip) || !f->data.n ||
            (f->state != FILE_RUNNING && f->state != FILE_WHOLE))
            continue;
        f->given_up = true;
        f->n_again -= f->n_again > 0;
        return;
    }
}

/* Codes of a router: no way there, or forbidden (RFC 792, RFC 1812 5.2.7.1). */
static bool is_barred(uint8_t code)
{
    return code <= 1 || (code >= 5 && code <= 13);
}

void see_icmp(struct timeline *t, const struct sight *s)
{
    struct story *story = timeline_at(t, s->icmp.from.ip);
    struct ip server = s->icmp.to.ip;
    char ip[IP_TEXT_MAX];

    if (s->icmp.type == 3 && s->icmp.code == 3 && s->icmp.protocol == 17 &&
        ip_equal(s->at.from.ip, s->icmp.to.ip) && s->icmp.to.port > 1023)
        blocks_unwanted(t, s);

    if (story && s->icmp.type == 3 && s->icmp.code == 4) {
        spell_add(&story->too_large, moment_of(s));
        story->mtu = s->icmp.mtu;
        story_tell(story, EVENT_TOO_LARGE, moment_of(s), "next link takes %u bytes", s->icmp.mtu);
    } else if (!story && (story = timeline_at(t, s->icmp.to.ip)) && s->icmp.code == 4 &&
               s->icmp.type == 3) {
        spell_add(&story->too_large, moment_of(s));
        story->mtu = s->icmp.mtu;
    }
    if (story && s->icmp.type == 3 && is_barred(s->icmp.code)) {
        spell_add(&story->barred, moment_of(s));
        story->barred_by = s->at.from.ip;
        story->barred_to = s->icmp.to;
        story->barred_code = s->icmp.code;
        return;
    }
    if (story && s->icmp.type == 3 && s->icmp.code == 3 && s->icmp.protocol == 17 &&
        s->icmp.to.port != TFTP_PORT) {
        spell_add(&story->closed, moment_of(s));
        story->closed_to = s->icmp.to;
    }
    if (!story || s->icmp.type != 3 || s->icmp.protocol != 17 || s->icmp.to.port != TFTP_PORT)
        return;
    for (unsigned i = story->n_files; i-- > 0;) {
        struct story_file *f = &story->files[i];

        if (f->http || !ip_equal(f->server, server) || f->state != FILE_ASKED)
            continue;
        f->state = FILE_CLOSED;
        f->code = s->icmp.code;
        f->since_answer = 0;
        spell_add(&f->closed, moment_of(s));
        service_refused(t, server, SERVICE_TFTP, moment_of(s));
        story_tell(story, EVENT_FILE_CLOSED, moment_of(s), "%s", ip_print(server, ip));
        return;
    }
}
