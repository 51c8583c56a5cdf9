/* files.c - configuration files, trust lists and loads: asked for, answered, and what they
 * hold. */
#include "doctor/check/check.h"

static bool has(const struct story_file *f, const char *part)
{
    return text_contains_nocase(text_of(f->name), text_of(part));
}

static bool is_default_file(const struct story_file *f)
{
    return has(f, "XMLDefault") || has(f, "SEPDEFAULT") || has(f, "SEDDefault") ||
           has(f, "SIPDefault");
}

static bool is_own_config(const struct story_file *f)
{
    return has(f, ".cnf") && !is_default_file(f);
}

static bool is_trust_list(const struct story_file *f)
{
    return has(f, ".tlv");
}

/* What the server of this file has said to this phone, whatever the name. */
bool tftp_server_answers(const struct story *s, const struct story_file *f)
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (s->files[i].http == f->http && ip_equal(s->files[i].server, f->server) &&
            s->files[i].answered)
            return true;
    return false;
}

/* A configuration came, or the phone went on without. */
static bool got_on(const struct story *s, struct moment since)
{
    if (registered_at(s).ns > since.ns)
        return true;
    return s->config && s->config->at.ns > since.ns;
}

/* A phone that gets nothing goes on with what it kept. */
static const char *all_the_same(const struct story *s, struct moment since)
{
    return got_on(s, since) ? WORDS("; it goes on without") : "";
}

/* By TFTP, whatever the name. */
static bool answered_since(const struct story *s, struct ip server, struct moment since)
{
    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *f = &s->files[i];

        if (!f->http && ip_equal(f->server, server) &&
            (f->data.last.ns > since.ns || f->not_found.last.ns > since.ns))
            return true;
    }
    return false;
}

static bool closed(const struct scene *c, struct finding *f)
{
    char ip[IP_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if (!file->closed.n || answered_since(c->story, file->server, file->closed.last))
            continue;
        ip_print(file->server, ip);
        detail(f, "%s, UDP port 69%s", ip, all_the_same(c->story, file->closed.last));
        prove(f, file->asked.first, "TFTP request for %s to %s", file->name, ip);
        prove_spell(f, &file->closed, "ICMP of %s: port unreachable", ip);
        return true;
    }
    return false;
}

/* It registers without its file, too: with what it kept from before, or by another server's. Then
 * it takes a row of requests to say that nobody answered them. */
bool tftp_waits(const struct scene *c, const struct story_file *file)
{
    return !c->story->n_unseen && !file->http && file->state == FILE_ASKED &&
           file->since_answer >= 2 && !file->closed.n && settled(c, file->waiting, 3 * SECOND) &&
           (file->in_row >= 3 || !got_on(c->story, file->asked.last));
}

static bool came_otherwise(const struct story *s, const struct story_file *f)
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (strcmp(s->files[i].name, f->name) == 0 && &s->files[i] != f && s->files[i].answered)
            return true;
    return false;
}

/* One connection, one request: TCP itself sends it again. */
static bool http_waits(const struct scene *c, const struct story_file *file)
{
    return file->http && has(file, ".cnf") && file->state == FILE_ASKED &&
           settled(c, file->waiting, 10 * SECOND) && !got_on(c->story, file->asked.last) &&
           !came_otherwise(c->story, file) && !file_cut_off(c->story, file);
}

static void prove_silence(const struct scene *c, struct finding *f, const struct story_file *file)
{
    const struct server_seen *server = timeline_server(c->timeline, file->server);
    char ip[IP_TEXT_MAX];

    prove_barred(c, f, file->server);
    ip_print(file->server, ip);
    prove_spell(f, &file->asked, "%s request for %s to %s, no answer", file->http ? "HTTP" : "TFTP",
                file->name, ip);
    if (server && !tftp_server_answers(c->story, file) &&
        server->services[file->http ? SERVICE_HTTP : SERVICE_TFTP].answered.n)
        prove(f, server->services[file->http ? SERVICE_HTTP : SERVICE_TFTP].answered.last,
              "%s answers other phones in this capture", ip);
}

static bool silent(const struct scene *c, struct finding *f)
{
    char ip[IP_TEXT_MAX];

    if (c->one_sided)
        return false;
    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if (!(file->http ? http_waits(c, file)
                         : tftp_waits(c, file) && !tftp_server_answers(c->story, file)))
            continue;
        detail(f, "%s%s", ip_print(file->server, ip), all_the_same(c->story, file->asked.last));
        prove_silence(c, f, file);
        if (tftp_server_answers(c->story,
                                file)) /* its small answers come: large ones may be lost */
            doubt(f, APART_SERVER_SIDE);
        return true;
    }
    return false;
}

/* Whether bytes of this server, and not only its refusals, come through. */
static bool blocks_come(const struct story *s, struct ip server)
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (!s->files[i].http && ip_equal(s->files[i].server, server) &&
            (s->files[i].data.n || s->files[i].whole.n))
            return true;
    return false;
}

static bool name_silent(const struct scene *c, struct finding *f)
{
    if (c->one_sided)
        return false;
    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if (file->http || !tftp_waits(c, file) || !tftp_server_answers(c->story, file) ||
            file->answered)
            continue;
        detail(f, "%s%s", file->name, all_the_same(c->story, file->asked.last));
        prove_silence(c, f, file);
        for (unsigned k = 0; k < c->story->n_files; k++)
            if (c->story->files[k].answered && ip_equal(c->story->files[k].server, file->server)) {
                prove(f, c->story->files[k].asked.last, "it did answer for %s",
                      c->story->files[k].name);
                break;
            }
        /* Refusals are short: what the server sends of files may be lost on the way. */
        if (!blocks_come(c->story, file->server) || c->options->other)
            doubt(f, APART_SERVER_SIDE); /* the other end's capture tells (pair.c) */
        return true;
    }
    return false;
}

/* The other side of that doubt. */
static bool blocks_lost(const struct scene *c, struct finding *f)
{
    struct finding silent = {.certain = true};

    if (!name_silent(c, &silent) || silent.certain)
        return false;
    memcpy(f->detail, silent.detail, sizeof(f->detail));
    memcpy(f->evidence, silent.evidence, sizeof(f->evidence));
    f->n_evidence = silent.n_evidence;
    doubt(f, APART_SERVER_SIDE);
    return true;
}

/* It acknowledges the same block again and again, and the next one never comes. */
static bool stops_midway(const struct scene *c, struct finding *f)
{
    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if (file->http || file->ack_stuck_most < 2 || file->whole.n || c->one_sided ||
            !settled(c, file->data.last, 3 * SECOND) || got_on(c->story, file->data.last))
            continue;
        detail(f, "%s, nothing follows block %u", file->name, file->last_block);
        prove(f, file->asked.first, "TFTP request for %s", file->name);
        prove_spell(f, &file->acks, "the phone acknowledges, up to %u times the same block",
                    file->ack_stuck_most + 1);
        prove(f, file->data.last, "the last that came of the file");
        return true;
    }
    return false;
}

static bool one_way(const struct scene *c, struct finding *f)
{
    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        unsigned n = file->acks.n ? file->stuck_most + 1 : file->data.n;

        /* The same block without end: it is not heard, or its acknowledgement is not. */
        if (file->http || n < 3 || file->whole.n || (file->given_up && file->ack_stuck_most < 2) ||
            got_on(c->story, file->data.last) ||
            (!file->acks.n && (file->asked.n < 3 || file->last_block > 1) &&
             (file->stuck_most < 2 || file->state != FILE_RUNNING)))
            continue;
        detail(f, "%s, block %u comes %u [time|times]", file->name, file->last_block, n);
        prove(f, file->asked.first, "TFTP request for %s", file->name);
        prove_spell(f, &file->data, "the server sends, and block %u again and again",
                    file->last_block);
        if (file->acks.n)
            prove_spell(f, &file->acks, "the phone acknowledges; that does not arrive");
        return true;
    }
    return false;
}

static bool other_address(const struct scene *c, struct finding *f)
{
    char asked[IP_TEXT_MAX], from[IP_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if (file->http || file->elsewhere.n < 2 || file->in_row < 2 || file->acks.n)
            continue;
        ip_print(file->server, asked);
        ip_print(file->elsewhere_at, from);
        detail(f, "asked %s, answered from %s%s", asked, from,
               all_the_same(c->story, file->asked.last));
        prove_spell(f, &file->asked, "TFTP request for %s to %s", file->name, asked);
        prove_spell(f, &file->elsewhere, "the answer comes from %s", from);
        return true;
    }
    return false;
}

static bool slow(const struct scene *c, struct finding *f)
{
    const struct story_file *worst = NULL;
    char took[24], ip[IP_TEXT_MAX];
    int64_t sum = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if (!file->slow.n)
            continue;
        n += file->slow.n;
        sum += file->slow_ns;
        if (!worst || file->slow_ns > worst->slow_ns)
            worst = file;
    }
    if (sum < (n < 2 ? 8 : 5) * SECOND)
        return false;
    detail(f, "%s, %s in all", ip_print(worst->server, ip), seconds(sum, took));
    prove_spell(f, &worst->asked, "%s request for %s to %s", worst->http ? "HTTP" : "TFTP",
                worst->name, ip);
    prove_spell(f, &worst->slow, "the first answer to it, %s after the request",
                seconds(worst->slow_ns / worst->slow.n, took));
    return true;
}

static bool tftp_loss(const struct scene *c, struct finding *f)
{
    const struct story_file *worst = NULL;
    unsigned n = 0, blocks = 0;

    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if (file->http)
            continue;
        n += file->n_again;
        blocks += file->data.n;
        if (!worst || file->n_again > worst->n_again)
            worst = file;
    }
    if (n < 3 || n * 50 < blocks)
        return false;
    detail(f, "%u of %u blocks, worst %s", n, blocks, worst->name);
    prove_spell(f, &worst->data, "TFTP data of %s: %u blocks or acknowledgements came twice",
                worst->name, worst->n_again);
    return true;
}

/* ---- the phone is not known ---- */

static const struct story_file *missing(const struct story *s,
                                        bool (*is)(const struct story_file *))
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (is(&s->files[i]) && s->files[i].not_found.n && !s->files[i].whole.n &&
            s->files[i].state == FILE_NOT_FOUND)
            return &s->files[i];
    return NULL;
}

static bool came(const struct story *s, bool (*is)(const struct story_file *))
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (is(&s->files[i]) && s->files[i].whole.n)
            return true;
    return false;
}

static bool is_unknown(const struct scene *c, struct finding *f, bool strict)
{
    const struct story *s = c->story;
    const struct story_file *own = missing(s, is_own_config), *other = missing(s, is_default_file);

    if (!own || came(s, is_own_config) || came(s, is_default_file) ||
        registered_at(s).ns > own->not_found.first.ns)
        return false;
    if (!other &&
        (strict || (own->not_found.n < 2 && !settled(c, own->not_found.last, 20 * SECOND))))
        return false;
    detail(f, "%s", own->name);
    prove_spell(f, &own->not_found, "file not found: %s", own->name);
    if (other)
        prove_spell(f, &other->not_found, "file not found: %s", other->name);
    else
        doubt(f, APART_SERVER_LOG);
    return true;
}

/* Codes of TFTP (RFC 1350, RFC 2347) and of HTTP. */
static const char *refusal_words(const struct story_file *f)
{
    if (f->http)
        return f->code == 401 || f->code == 403 ? WORDS(" (forbidden)")
               : f->code >= 500                 ? WORDS(" (the server fails)")
                                                : "";
    return f->code == 2 ? WORDS(" (access violation)") : "";
}

static bool refused(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];
        struct moment last = file->not_found.last;

        if (file->state != FILE_REFUSED || !is_own_config(file) || came(s, is_own_config) ||
            (!file->http &&
             file->code == 8) || /* of the options only: it asks without (RFC 2347) */
            (file->not_found.n < 2 && !settled(c, last, 5 * SECOND)))
            continue;
        detail(f, "%s, %s error %u%s%s", file->name, file->http ? "HTTP" : "TFTP", file->code,
               refusal_words(file), all_the_same(s, last));
        prove(f, file->asked.first, "the phone asks for %s", file->name);
        prove_spell(f, &file->not_found, "%s is refused: error %u%s", file->name, file->code,
                    refusal_words(file));
        return true;
    }
    return false;
}

static bool unknown_phone(const struct scene *c, struct finding *f)
{
    return is_unknown(c, f, false);
}

static bool near_miss(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char near[32] = "";

    if (!c->options->known || !s->name[0] ||
        (!is_unknown(c, f, false) && !(s->rejected.n && !s->accepted.n)) ||
        c->options->known(c->options->context, s->name, near) || !near[0])
        return false;
    f->certain = true;
    f->apart = APART_NONE;
    detail(f, "%s is unknown, %s is configured", s->name, near);
    prove(f, (struct moment){0}, "the directory has %s, which no phone in this capture is", near);
    return timeline_named(c->timeline, near) == NULL;
}

/* ---- contents ---- */

static const struct story_file *with_content(const struct story *s, enum file_content a,
                                             enum file_content b)
{
    for (unsigned i = 0; i < s->n_files; i++)
        if ((s->files[i].content == a || s->files[i].content == b) && !is_trust_list(&s->files[i]))
            return &s->files[i];
    return NULL;
}

static bool truncated(const struct scene *c, struct finding *f)
{
    const struct story_file *file = with_content(c->story, CONTENT_CUT, CONTENT_CUT);

    if (!file)
        return false;
    detail(f, "%s, %llu [byte|bytes]: %s", file->name, (unsigned long long)file->bytes,
           file->fault);
    prove_spell(f, &file->whole, "%s ends after %llu [byte|bytes], inside the document", file->name,
                (unsigned long long)file->bytes);
    return true;
}

static bool malformed(const struct scene *c, struct finding *f)
{
    const struct story_file *file = with_content(c->story, CONTENT_MALFORMED, CONTENT_MALFORMED);

    if (!file)
        return false;
    detail(f, "%s, %s", file->name, file->fault);
    prove_spell(f, &file->whole, "%s is not well-formed: %s", file->name, file->fault);
    return true;
}

static bool unusable(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct story_file *file = with_content(s, CONTENT_WRONG, CONTENT_EMPTY);
    const struct story_config *config = s->config;
    const char *lacks = NULL;

    if (file && !got_on(s, file->whole.last)) {
        detail(f, "%s: %s", file->name, file->fault);
        prove_spell(f, &file->whole, "%s: %s", file->name, file->fault);
        return true;
    }
    if (!config)
        return false;
    if (!config->n_servers && (!config->sip || config->managed))
        lacks = WORDS("no server");
    else if (config->sip && !config->n_lines && !config->is_default && !s->registers.n &&
             settled(c, config->at, 10 * SECOND))
        lacks = WORDS("no line with a name");
    if (!lacks)
        return false;
    detail(f, "%s: %s", config->file, lacks);
    prove(f, config->at, "%s has %s", config->file, lacks);
    return true;
}

/* ---- loads ---- */

static bool is_firmware_part(const struct story_file *f)
{
    static const char *const ends[] = {".sbn", ".sb2", ".sb3", ".zup", ".zz", ".bin", ".sebn"};

    if (strchr(f->name, '/') || strchr(f->name, '\\'))
        return false;
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (text_ends(text_of(f->name), ends[i]) || (i == 0 && text_ends(text_of(f->name), ".SBN")))
            return true;
    return false;
}

static bool is_load_list(const struct story_file *f)
{
    return has(f, ".loads");
}

bool is_firmware(const struct story_file *f)
{
    return is_load_list(f) || is_firmware_part(f);
}

static bool is_load_of(const struct story_file *f, const struct story_config *config)
{
    return config && config->has_load && text_starts_nocase(text_of(f->name), config->load);
}

static bool load_missing(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];

        if (!file->not_found.n || file->whole.n || is_own_config(file) ||
            !(is_load_list(file) || is_load_of(file, s->config)))
            continue;
        detail(f, "%s", file->name);
        if (is_load_of(file, s->config))
            prove(f, s->config->at, "%s names the load %s", s->config->file, s->config->load);
        prove_spell(f, &file->not_found, "file not found: %s", file->name);
        return true;
    }
    return false;
}

static bool load_part_missing(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];

        if (!file->not_found.n || file->whole.n || !is_firmware_part(file) ||
            is_load_of(file, s->config))
            continue;
        detail(f, "%s", file->name);
        for (unsigned k = 0; k < s->n_files; k++)
            if (is_load_list(&s->files[k]) && s->files[k].whole.n)
                prove(f, s->files[k].whole.last, "%s was fetched: the list of its parts",
                      s->files[k].name);
        prove_spell(f, &file->not_found, "file not found: %s", file->name);
        return true;
    }
    return false;
}

static bool load_loop(const struct scene *c, struct finding *f)
{
    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if ((!is_load_list(file) && !is_firmware_part(file)) || file->whole.n < 3)
            continue;
        detail(f, "%s, %u [time|times]", file->name, file->whole.n);
        prove_spell(f, &file->whole, "%s fetched whole", file->name);
        return true;
    }
    return false;
}

/* ---- trust ---- */

static bool trust_old(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct story_file *signed_one = NULL;

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];

        if (!has(file, ".cnf"))
            continue;
        if (!has(file, ".sgn"))
            return false; /* it takes unsigned ones */
        if (is_own_config(file))
            signed_one = file;
    }
    if (!signed_one || signed_one->asked.n < 2 ||
        registered_at(s).ns > signed_one->asked.first.ns || s->registers.n ||
        (!signed_one->not_found.n && !signed_one->whole.n))
        return false;
    detail(f, "%s", signed_one->name);
    prove_spell(f, &signed_one->asked, "the phone asks for %s and for no unsigned file",
                signed_one->name);
    if (signed_one->whole.n)
        prove_spell(f, &signed_one->whole, "it gets the file, and does nothing with it");
    else
        prove_spell(f, &signed_one->not_found, "file not found: the server signs no files");
    return true;
}

const struct rule files_rules[] = {
    {CAUSE_TFTP_CLOSED, closed},
    {CAUSE_TFTP_NO_ANSWER, silent},
    {CAUSE_TFTP_NAME_SILENT, name_silent},
    {CAUSE_TFTP_ONE_WAY, one_way},
    {CAUSE_TFTP_ONE_WAY, stops_midway},
    {CAUSE_TFTP_ONE_WAY, blocks_lost},
    {CAUSE_TFTP_OTHER_ADDRESS, other_address},
    {CAUSE_TFTP_LOSS, tftp_loss},
    {CAUSE_FILES_SLOW, slow},
    {CAUSE_FILE_REFUSED, refused},
    {CAUSE_FILES_UNKNOWN_PHONE, unknown_phone},
    {CAUSE_FILES_NEAR_MISS, near_miss},
    {CAUSE_FILE_TRUNCATED, truncated},
    {CAUSE_FILE_MALFORMED, malformed},
    {CAUSE_FILE_UNUSABLE, unusable},
    {CAUSE_LOAD_MISSING, load_missing},
    {CAUSE_LOAD_PART_MISSING, load_part_missing},
    {CAUSE_LOAD_LOOP, load_loop},
    {CAUSE_TRUST_OLD, trust_old},
    {0},
};
