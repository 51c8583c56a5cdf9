/* tftp.c - whether what the phone asks for is answered: by TFTP most of all, and how. */
#include "doctor/check/check.h"

static bool is_config(const struct story_file *f)
{
    return text_contains_nocase(text_of(f->name), TEXT(".cnf"));
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
bool files_got_on(const struct story *s, struct moment since)
{
    if (registered_at(s).ns > since.ns)
        return true;
    return s->config && s->config->at.ns > since.ns;
}

/* A phone that gets nothing goes on with what it kept. */
const char *files_all_the_same(const struct story *s, struct moment since)
{
    return files_got_on(s, since) ? WORDS("; it goes on without") : "";
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

        if (!file->closed.n || answered_since(c->story, file->server, file->closed.last) ||
            asks_intruder(c->story, file->server))
            continue;
        ip_print(file->server, ip);
        detail(f, "%s, UDP port 69%s", ip, files_all_the_same(c->story, file->closed.last));
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
           (file->in_row >= 3 || !files_got_on(c->story, file->asked.last));
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
    return file->http && is_config(file) && file->state == FILE_ASKED &&
           settled(c, file->waiting, 10 * SECOND) && !files_got_on(c->story, file->asked.last) &&
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
                         : tftp_waits(c, file) && !tftp_server_answers(c->story, file)) ||
            asks_intruder(c->story, file->server))
            continue;
        detail(f, "%s%s", ip_print(file->server, ip),
               files_all_the_same(c->story, file->asked.last));
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
        detail(f, "%s%s", file->name, files_all_the_same(c->story, file->asked.last));
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
            !settled(c, file->data.last, 3 * SECOND) || files_got_on(c->story, file->data.last))
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
            files_got_on(c->story, file->data.last) ||
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

/* It asks again and again for what it has been told. */
static bool answers_lost(const struct scene *c, struct finding *f)
{
    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if (file->unheard.n < 3 || file->acks.n || file->elsewhere.n ||
            files_got_on(c->story, file->unheard.last))
            continue;
        detail(f, "%s, asked again %u [time|times] though answered", file->name, file->unheard.n);
        prove_spell(f, &file->asked, "TFTP request for %s", file->name);
        prove_spell(f, file->not_found.n ? &file->not_found : &file->data, "the server answers");
        prove_spell(f, &file->unheard, "the phone asks once more, from the same port");
        if (!c->story->tftp_ports) /* one that always has the same port may have begun anew */
            doubt(f, APART_PHONE_SIDE);
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
               files_all_the_same(c->story, file->asked.last));
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

const struct rule tftp_rules[] = {
    {CAUSE_TFTP_CLOSED, closed},
    {CAUSE_TFTP_NO_ANSWER, silent},
    {CAUSE_TFTP_NAME_SILENT, name_silent},
    {CAUSE_TFTP_ONE_WAY, one_way},
    {CAUSE_TFTP_ONE_WAY, stops_midway},
    {CAUSE_TFTP_ONE_WAY, blocks_lost},
    {CAUSE_TFTP_ONE_WAY, answers_lost},
    {CAUSE_TFTP_OTHER_ADDRESS, other_address},
    {CAUSE_TFTP_LOSS, tftp_loss},
    {CAUSE_FILES_SLOW, slow},
    {0},
};
