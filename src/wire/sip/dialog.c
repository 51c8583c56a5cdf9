/* dialog.c - dialogs: made, found, kept in order (RFC 3261 12). */
#include "wire/sip/dialog.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include "wire/sip/write.h"

/* ---- what it keeps ---- */

static struct text copy(char **at, struct text t)
{
    struct text kept = {*at, t.len};

    memcpy(*at, t.at ? t.at : "", t.len);
    *at += t.len;
    return kept;
}

static size_t length_of(const struct sip_dialog *d)
{
    size_t n = d->call_id.len + d->local_tag.len + d->remote_tag.len + d->local.len + d->remote.len;

    for (uint8_t i = 0; i < d->n_routes; i++)
        n += d->routes[i].len;
    return n;
}

static int target_set(struct sip_dialog *d, struct text uri)
{
    char *bytes = malloc(uri.len + 1);

    if (!bytes)
        return -ENOMEM;
    memcpy(bytes, uri.at, uri.len);
    free(d->target_bytes);
    d->target_bytes = bytes;
    d->target = (struct text){bytes, uri.len};
    return 0;
}

static int routes_add(struct sip_dialog *d, const struct sip_message *m, bool reversed)
{
    const struct sip_row *row = sip_row(m, SIP_RECORD_ROUTE);
    struct text rest = row ? row->value : (struct text){NULL, 0}, route;

    while (row && sip_next(m, &row, &rest, &route)) {
        if (d->n_routes == SIP_ROUTES_MAX)
            return -EMSGSIZE;
        d->routes[d->n_routes++] = route;
    }
    for (uint8_t i = 0; reversed && i < d->n_routes / 2; i++) {
        route = d->routes[i];
        d->routes[i] = d->routes[d->n_routes - 1 - i];
        d->routes[d->n_routes - 1 - i] = route;
    }
    return 0;
}

static int contact_of(const struct sip_message *m, struct text *ret)
{
    const struct sip_row *row = sip_row(m, SIP_CONTACT);
    struct text rest = row ? row->value : (struct text){NULL, 0}, element;
    struct sip_address a;
    struct sip_uri uri;

    if (!row || !sip_next(m, &row, &rest, &element) || sip_address_parse(element, &a) < 0 ||
        sip_uri_parse(a.uri, &uri) < 0)
        return -EBADMSG;
    *ret = a.uri;
    return 0;
}

/* Copies what the draft borrows; `*ret` is replaced only when all went well. */
static int settle(struct sip_dialog *ret, struct sip_dialog draft, struct text target)
{
    size_t n = length_of(&draft);
    char *at;

    draft.target_bytes = NULL;
    if (n + target.len > SIP_DIALOG_MAX)
        return -EMSGSIZE;
    draft.bytes = at = malloc(n + 1);
    if (!at || target_set(&draft, target) < 0) {
        free(at);
        return -ENOMEM;
    }
    draft.call_id = copy(&at, draft.call_id);
    draft.local_tag = copy(&at, draft.local_tag);
    draft.remote_tag = copy(&at, draft.remote_tag);
    draft.local = copy(&at, draft.local);
    draft.remote = copy(&at, draft.remote);
    for (uint8_t i = 0; i < draft.n_routes; i++)
        draft.routes[i] = copy(&at, draft.routes[i]);
    sip_dialog_done(ret);
    *ret = draft;
    return 0;
}

/* ---- made ---- */

static bool is_secure(const struct sip_message *request, bool tls)
{
    return tls && request->target.scheme == SIP_URI_SIPS;
}

int sip_dialog_serve(struct sip_dialog *ret, const struct sip_message *request,
                     struct text local_tag, uint16_t status, bool tls)
{
    struct text to = sip_value(request, SIP_TO), target;
    char local[1024];
    struct writer w = writer_of(local, sizeof(local));
    struct sip_dialog d = {.state = status < 200 ? SIP_DIALOG_EARLY : SIP_DIALOG_CONFIRMED,
                           .server = true,
                           .secure = is_secure(request, tls),
                           .heard = true,
                           .remote_cseq = request->cseq,
                           .call_id = request->call_id,
                           .local_tag = local_tag,
                           .remote_tag = request->from_tag,
                           .remote = sip_value(request, SIP_FROM)};
    int err = contact_of(request, &target);

    if (ret->state == SIP_DIALOG_EARLY) {
        ret->state = d.state;
        return 0;
    }
    if (err < 0 || (err = routes_add(&d, request, false)) < 0)
        return err;
    write_text(&w, to);
    if (!request->to_tag.at) {
        write_string(&w, ";tag=");
        write_text(&w, local_tag);
    }
    d.local = (struct text){local, writer_len(&w)};
    return w.bad ? -EMSGSIZE : settle(ret, d, target);
}

static struct sip_dialog opened(const struct sip_message *request, bool tls)
{
    return (struct sip_dialog){.secure = is_secure(request, tls),
                               .local_cseq = request->cseq,
                               .invite_cseq = request->cseq,
                               .call_id = request->call_id,
                               .local_tag = request->from_tag,
                               .local = sip_value(request, SIP_FROM)};
}

int sip_dialog_open(struct sip_dialog *d, const struct sip_message *request,
                    const struct sip_message *response, bool tls)
{
    struct sip_dialog next = opened(request, tls);
    struct text target;
    int err = contact_of(response, &target);

    if (err < 0 || (err = routes_add(&next, response, true)) < 0)
        return err;
    next.state = response->status < 200 ? SIP_DIALOG_EARLY : SIP_DIALOG_CONFIRMED;
    next.remote_tag = response->to_tag;
    next.remote = sip_value(response, SIP_TO);
    if (d->state == SIP_DIALOG_EARLY) { /* what was said in between, PRACK or UPDATE, counts */
        next.local_cseq = d->local_cseq;
        next.heard = d->heard;
        next.remote_cseq = d->remote_cseq;
    }
    return settle(d, next, target);
}

int sip_dialog_notified(struct sip_dialog *ret, const struct sip_message *subscribe,
                        const struct sip_message *notify, bool tls)
{
    struct sip_dialog d = opened(subscribe, tls);
    struct text target;
    int err = contact_of(notify, &target);

    if (err < 0 || (err = routes_add(&d, notify, false)) < 0)
        return err;
    d.state = SIP_DIALOG_CONFIRMED;
    d.remote_tag = notify->from_tag;
    d.remote = sip_value(notify, SIP_FROM);
    d.heard = true;
    d.remote_cseq = notify->cseq;
    return settle(ret, d, target);
}

void sip_dialog_done(struct sip_dialog *d)
{
    free(d->bytes);
    free(d->target_bytes);
    *d = (struct sip_dialog){0};
}

/* ---- found ---- */

static struct text local_tag_in(const struct sip_message *m)
{
    return m->status ? m->from_tag : m->to_tag;
}

static struct text remote_tag_in(const struct sip_message *m)
{
    return m->status ? m->to_tag : m->from_tag;
}

bool sip_dialog_owns(const struct sip_dialog *d, const struct sip_message *m)
{
    return d->state != SIP_DIALOG_NONE && text_equal(d->call_id, m->call_id) &&
           text_equal(d->local_tag, local_tag_in(m)) && text_equal(d->remote_tag, remote_tag_in(m));
}

static uint64_t key_of(struct text call_id, struct text local_tag, struct text remote_tag)
{
    uint64_t parts[] = {hash_bytes(call_id.at, call_id.len),
                        hash_bytes(local_tag.at, local_tag.len),
                        hash_bytes(remote_tag.at, remote_tag.len)};
    uint64_t key = hash_bytes(parts, sizeof(parts));

    return key ? key : 1;
}

uint64_t sip_dialog_key(const struct sip_message *m)
{
    return key_of(m->call_id, local_tag_in(m), remote_tag_in(m));
}

uint64_t sip_dialog_own_key(const struct sip_dialog *d)
{
    return key_of(d->call_id, d->local_tag, d->remote_tag);
}

/* ---- in order ---- */

/* Requests that may move the remote target: RFC 3261 12.2, 3311, 6665. */
static bool refreshes_target(enum sip_method method)
{
    return method == SIP_INVITE || method == SIP_UPDATE || method == SIP_SUBSCRIBE ||
           method == SIP_NOTIFY || method == SIP_REFER;
}

static void refresh_target(struct sip_dialog *d, const struct sip_message *m)
{
    struct text target;

    if (refreshes_target(m->method) && contact_of(m, &target) == 0 &&
        target.len <= SIP_DIALOG_MAX && !text_equal(target, d->target))
        target_set(d, target);
}

uint16_t sip_dialog_heard(struct sip_dialog *d, const struct sip_message *request)
{
    bool own_number = request->method != SIP_ACK && request->method != SIP_CANCEL;

    if (d->state == SIP_DIALOG_OVER || d->state == SIP_DIALOG_NONE)
        return 481;
    if (own_number && d->heard && request->cseq < d->remote_cseq)
        return 500;
    if (own_number) {
        d->heard = true;
        d->remote_cseq = request->cseq;
    }
    refresh_target(d, request);
    if (request->method == SIP_ACK && d->state == SIP_DIALOG_EARLY)
        d->state = SIP_DIALOG_CONFIRMED;
    if (request->method == SIP_BYE)
        d->state = SIP_DIALOG_OVER;
    return 0;
}

void sip_dialog_answered(struct sip_dialog *d, const struct sip_message *response)
{
    uint16_t status = response->status;

    if (status >= 200 && status < 300) {
        refresh_target(d, response);
        if (response->method == SIP_BYE)
            d->state = SIP_DIALOG_OVER;
        else if (response->method == SIP_INVITE && d->state == SIP_DIALOG_EARLY)
            d->state = SIP_DIALOG_CONFIRMED;
    } else if (status == 481 || status == 408 ||
               (status >= 300 && (response->method == SIP_BYE || (response->method == SIP_INVITE &&
                                                                  d->state == SIP_DIALOG_EARLY)))) {
        d->state = SIP_DIALOG_OVER;
    }
}

/* ---- requests ---- */

static struct text route_uri(struct text route)
{
    struct sip_address a;

    return sip_address_parse(route, &a) == 0 ? a.uri : route;
}

static bool is_loose(struct text route)
{
    struct sip_uri uri;
    struct text value;

    return sip_uri_parse(route_uri(route), &uri) == 0 &&
           sip_parameter(uri.parameters, "lr", &value);
}

void sip_dialog_write(struct sip_dialog *d, struct writer *to, enum sip_method method,
                      const struct sip_flow *flow, struct text branch)
{
    bool strict = d->n_routes && !is_loose(d->routes[0]);
    struct sip_request_head head = {.method = method,
                                    .uri = strict ? route_uri(d->routes[0]) : d->target,
                                    .transport = (enum sip_transport)flow->transport,
                                    .local = flow->local,
                                    .branch = branch,
                                    .from = d->local,
                                    .to = d->remote,
                                    .call_id = d->call_id};

    head.cseq = method == SIP_ACK ? d->invite_cseq : ++d->local_cseq;
    if (method == SIP_INVITE)
        d->invite_cseq = head.cseq;
    sip_write_request(to, &head);
    for (uint8_t i = strict; i < d->n_routes; i++)
        sip_write_header(to, SIP_ROUTE, d->routes[i]);
    if (strict)
        sip_write_format(to, sip_header_name(SIP_ROUTE), "<%.*s>", TEXT_ARG(d->target));
}

struct text sip_dialog_next_hop(const struct sip_dialog *d)
{
    return d->n_routes ? route_uri(d->routes[0]) : d->target;
}
