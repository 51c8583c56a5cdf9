/* certificates.c - what people ask of the certificates that this thread shows. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "server/certificates.h"
#include "server/signalling/signalling.h"

#define DAY 86400

/* Name and file of the i-th certificate; false beyond the last. */
static bool certificate_at(struct signalling *s, int i, const char **name,
                           char path[CERTIFICATE_PATH_MAX])
{
    const struct bootstrap *b = server_bootstrap(s->thread->server);
    char folder[CERTIFICATE_PATH_MAX];

    if (server_certificates_given(b)) {
        *name = "given";
        snprintf(path, CERTIFICATE_PATH_MAX, "%s", b->tls_certificate);
        return i == 0;
    }
    if (i >= N_CERTIFICATES)
        return false;
    *name = certificate_names[i];
    certificate_path(server_certificates_folder(b, folder), (enum certificate_id)i, path);
    return true;
}

static json_int_t days_left(const struct certificate_facts *f)
{
    return (f->until_s - (int64_t)(server_wall_us() / 1000000)) / DAY;
}

/* Ports that are open show from now on what was made. */
static int provide(struct signalling *s, bool renew, unsigned *made, char *words, size_t size)
{
    int err = server_certificates(server_bootstrap(s->thread->server), renew, made, words, size);

    if (!err && *made)
        signalling_certificates_reload(s);
    return err;
}

static void refuse(struct signalling *s, const struct message *m, const char *words)
{
    signalling_reply(s, m->request.token, 1, json_pack("{s:s}", "error", words));
}

void signalling_certificate_list(struct signalling *s, const struct message *m)
{
    json_t *rows = json_array();
    struct certificate_facts f;
    char path[CERTIFICATE_PATH_MAX];
    const char *name;

    for (int i = 0; certificate_at(s, i, &name, path); i++)
        if (certificate_read(path, &f) == 0)
            json_array_append_new(
                rows, json_pack("[s, o, s, I, o, s, s]", name, json_of(text_of(f.subject)), f.kind,
                                days_left(&f), json_of(text_of(f.names)), f.sha256, path));
    signalling_reply(s, m->request.token, 0,
                     json_pack("{s:[s,s,s,s,s,s,s], s:o}", "columns", "name", "subject", "kind",
                               "days_left", "names", "sha256", "file", "rows", rows));
}

static json_t *day_of(int64_t at_s)
{
    time_t t = (time_t)at_s;
    char words[32];
    struct tm tm;

    strftime(words, sizeof(words), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&t, &tm));
    return json_string(words);
}

static json_t *record_of(const char *name, const char *path, const struct certificate_facts *f)
{
    return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:I, s:s, s:s, s:s, s:s, s:s}", "name",
                     name, "subject", json_of(text_of(f->subject)), "issuer",
                     json_of(text_of(f->issuer)), "kind", f->kind, "names",
                     json_of(text_of(f->names)), "from", day_of(f->from_s), "until",
                     day_of(f->until_s), "days_left", days_left(f), "serial", f->serial, "sha256",
                     f->sha256, "sha1", f->sha1, "md5", f->md5, "file", path);
}

void signalling_certificate_show(struct signalling *s, const struct message *m)
{
    const char *wanted = json_string_value(json_object_get(m->request.take_arguments, "name"));
    struct certificate_facts f;
    char path[CERTIFICATE_PATH_MAX], words[CERTIFICATE_PATH_MAX + 80];
    const char *name;
    int err;

    for (int i = 0; certificate_at(s, i, &name, path); i++) {
        if (!wanted || strcmp(wanted, name) != 0)
            continue;
        if (!(err = certificate_read(path, &f))) {
            signalling_reply(s, m->request.token, 0,
                             json_pack("{s:o}", "record", record_of(name, path, &f)));
            return;
        }
        snprintf(words, sizeof(words), "%s cannot be read: %s.", path, strerror(-err));
        refuse(s, m, words);
        return;
    }
    signalling_reply(s, m->request.token, 1,
                     json_pack("{s:s, s:i}", "error",
                               "There is no such certificate; \"dialtone certificate list\" shows all.",
                               "code", 404));
}

void signalling_certificate_renew(struct signalling *s, const struct message *m)
{
    json_t *names = json_array();
    char words[CERTIFICATE_PATH_MAX + 80];
    unsigned made;

    if (server_certificates_given(server_bootstrap(s->thread->server))) {
        json_decref(names);
        refuse(s, m, "The certificate is given by tls.certificate: it is yours to renew.");
        return;
    }
    if (provide(s, true, &made, words, sizeof(words)) < 0) {
        json_decref(names);
        refuse(s, m, words);
        return;
    }
    for (int id = 0; id < N_CERTIFICATES; id++)
        if (made >> id & 1)
            json_array_append_new(names, json_string(certificate_names[id]));
    signalling_reply(s, m->request.token, 0, json_pack("{s:{s:o}}", "record", "renewed", names));
}

void signalling_on_certificates_timer(uv_timer_t *timer)
{
    struct signalling *s = timer->data;
    char words[CERTIFICATE_PATH_MAX + 80];
    bool shown = false;
    unsigned made;

    for (int id = 0; id < N_PORTS; id++)
        shown = shown || s->ports[id].tls;
    if (!shown)
        return;
    if (provide(s, false, &made, words, sizeof(words)) < 0)
        log_error("tls", "certificates cannot be renewed: %s", words);
    else if (made)
        log_info("tls", "the node's certificates were renewed");
}
