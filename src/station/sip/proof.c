#include "station/sip/proof.h"

#include "core/counters.h"
#include "station/refusals.h"
#include "station/sip/guard.h"
#include "wire/sip/digest.h"
#include "wire/sip/write.h"

#define NO_HA1  "00000000000000000000000000000000" /* of nobody: as much work as for a real one */
#define NONCE_S 600                                /* where no device tells the profile */

static struct text realm(const struct sip_request *q)
{
    return text_of(directory_string(q->owner->registry->directory, SET_sip_realm));
}

static uint64_t now_s(const struct sip_request *q)
{
    return q->owner->registry->now.ms / 1000;
}

enum { ASK_MD5, ASK_SHA256, ASK_BOTH }; /* sip_digest_algorithms */

/* SHA-256 first for who can (RFC 8760), where it is wanted: some clients (libre 1.0 of baresip)
 * give up at an algorithm that they do not know, and phones know MD5 alone. */
static void challenge(struct sip_request *q, bool stale, bool phone)
{
    size_t at = sip_answer_begin(q, 401, NULL);
    struct writer *w = &q->effects->out;
    int32_t ask = phone ? ASK_MD5 : SETTING_OF(q->owner, sip_digest_algorithms);

    count(COUNT_SIP_CHALLENGES);
    if (ask != ASK_MD5)
        digest_write_challenge(q->owner->digest, w, SIP_WWW_AUTHENTICATE, realm(q), DIGEST_SHA256,
                               stale, now_s(q));
    if (ask != ASK_SHA256)
        digest_write_challenge(q->owner->digest, w, SIP_WWW_AUTHENTICATE, realm(q), DIGEST_MD5,
                               stale, now_s(q));
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

void sip_tell_line_error(const struct sip_request *q, struct device_name name, uint32_t model,
                         enum sip_line_error reason, uint32_t times)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_SIP_LINE_ERROR);
    d.times = times;
    alarm_put_ip(&d, q->flow->peer.ip);
    alarm_put(&d, "DevicePort", "%u", q->flow->peer.port);
    if (name.s[0]) {
        alarm_put_device(&d, name);
        alarm_put_mac(&d, name);
        alarm_put(&d, "DeviceType", "%u", model);
    }
    alarm_put(&d, "Reason", "%d", reason);
    alarm_put(&d, "ConnectingPort", "%u", q->flow->local.port);
    alarm_put(&d, "SIPUser", "%s", q->reg.user);
    effects_alarm(q->effects, &d);
}

static void failed(struct sip_request *q, struct text user, struct device_name name)
{
    uint32_t times;

    count(COUNT_SIP_AUTHORIZATION_FAILURES);
    if (sip_guard_failed(q->owner->guard, q->flow->peer.ip, user, q->owner->registry->now.ms,
                         &times))
        sip_tell_line_error(q, name, q->reg.model, SIP_LINE_AUTHENTICATION, times);
}

/* Too many wrong passwords from there: no more work for it for a while. */
static bool is_silenced(struct sip_request *q, const struct digest_answer *a)
{
    if (!sip_guard_is_out(q->owner->guard, q->flow->peer.ip, a->user, q->owner->registry->now.ms))
        return false;
    count(COUNT_SIP_UNANSWERED);
    return true;
}

static bool is_sha(const struct digest_answer *a)
{
    return a->algorithm == DIGEST_SHA256 || a->algorithm == DIGEST_SHA256_SESS;
}

static enum digest_verdict check(struct sip_request *q, const struct digest_answer *a,
                                 const struct user *user, const struct phone *phone, bool recount)
{
    const struct directory *dir = q->owner->registry->directory;
    struct credentials known = {.md5 = TEXT(NO_HA1), .sha256 = TEXT(NO_HA1 NO_HA1)};
    uint32_t validity_s =
        phone ? (uint32_t)security_profile_of(dir, phone)->nonce_validity : NONCE_S;
    bool there = user && digest_credentials_of(dir, user, &known);
    enum digest_verdict verdict =
        digest_check(q->owner->digest, a, q->message->method_name, is_sha(a) ? known.sha256 : known.md5,
                     recount, validity_s, now_s(q));

    return there ? verdict : DIGEST_WRONG;
}

/* Answers what is not right. */
static bool is_right(struct sip_request *q, const struct digest_answer *a,
                     enum digest_verdict verdict, struct device_name name, bool phone)
{
    if (verdict == DIGEST_WRONG)
        failed(q, a->user, name);
    if (verdict != DIGEST_RIGHT)
        challenge(q, verdict == DIGEST_STALE, phone);
    return verdict == DIGEST_RIGHT;
}

/* RFC 7616 3.4.6: what was hashed must be what is asked for. Port and parameters do not count:
 * phones, and what stands between, write them as they like. */
static bool is_of_this_request(struct sip_request *q, const struct digest_answer *a)
{
    const struct sip_uri *asked = &q->message->target;
    struct sip_uri hashed;

    if (sip_uri_parse(a->uri, &hashed) == 0 && text_equal(hashed.user, asked->user) &&
        text_equal_nocase(hashed.host, asked->host))
        return true;
    count(COUNT_SIP_MALFORMED);
    sip_answer(q, 400, "Digest URI Differs");
    return false;
}

/* --- Cisco phones --- */

/* Most phones have the same one. */
static const struct security_profile *profile_of(struct sip_stations *s, const struct phone *phone)
{
    const struct registry *r = s->registry;

    if (s->profile_version != r->directory_version || phone->protocol != s->profile_protocol ||
        strcmp(phone->security_profile, s->profile_name) != 0) {
        s->profile = security_profile_of(r->directory, phone);
        s->profile_name = phone->security_profile;
        s->profile_protocol = phone->protocol;
        s->profile_version = r->directory_version;
    }
    return s->profile;
}

static bool has_subject(const struct sip_request *q, const struct security_profile *profile,
                        const char *name)
{
    struct text subject = text_of(q->link ? q->link->subject : NULL);

    if (*profile->x509_subject)
        return text_equal_nocase(subject, text_of(profile->x509_subject));
    return text_contains_nocase(subject, text_of(name));
}

/* The common name of a phone's certificate ends in its device name: CP-8851-SEP001122334455. */
static bool is_secure(struct sip_request *q, const struct security_profile *profile,
                      const struct phone *phone)
{
    struct station x = {.registry = q->owner->registry,
                        .kind = &sip_kind,
                        .name = q->reg.device,
                        .peer = q->flow->peer,
                        .model = q->reg.model};

    if (profile->device_security_mode == SECURITY_NONE)
        return true;
    if (q->flow->transport == SIP_TLS && has_subject(q, profile, phone->name))
        return true;
    count(COUNT_SIP_FOREIGN);
    refusal_tell_failed(
        &x, q->flow->transport == SIP_TLS ? TRANSIENT_X509_NAME : TRANSIENT_SECURITY_MISMATCH,
        q->effects);
    sip_answer_warning(q, 403, "TLS authentication failure");
    return false;
}

/* TLS is as good as TCP where it is not asked for. */
static bool is_allowed_transport(struct sip_request *q, const struct security_profile *profile)
{
    uint32_t times;
    struct station x = {.registry = q->owner->registry,
                        .name = q->reg.device,
                        .peer = q->flow->peer,
                        .model = q->reg.model};
    bool udp = q->flow->transport == SIP_UDP;

    if (!(udp ? profile->transport == TRANSPORT_TCP : profile->transport == TRANSPORT_UDP))
        return true;
    if (refusal_note(&x, TRANSIENT_SECURITY_MISMATCH, "", &times))
        sip_tell_line_error(q, q->reg.device, q->reg.model, SIP_LINE_TRANSPORT, times);
    sip_answer_warning(q, 403, "Transport is not that of the security profile");
    return false;
}

static bool proves_user(struct sip_request *q, const struct phone *phone)
{
    const struct user *user = digest_user_of(q->owner->registry->directory, phone);
    struct digest_answer a;
    enum digest_verdict verdict;

    if (digest_find_answer(q->message, SIP_AUTHORIZATION, realm(q), &a) < 0) {
        challenge(q, false, true);
        return false;
    }
    if (is_silenced(q, &a) || !is_of_this_request(q, &a))
        return false;
    verdict = check(q, &a, user && text_is(a.user, user->name) ? user : NULL, phone, true);
    return is_right(q, &a, verdict, q->reg.device, true);
}

bool sip_phone_is_proven(struct sip_request *q, struct sip_device *d)
{
    const struct phone *phone =
        d ? station_phone(&d->station) : registry_phone(q->owner->registry, q->reg.device.s);
    const struct security_profile *profile;

    if (!phone || phone->protocol != PROTOCOL_SIP)
        return true; /* what it is refused for needs no proof */
    profile = profile_of(q->owner, phone);
    return is_secure(q, profile, phone) && is_allowed_transport(q, profile) &&
           (!profile->digest_authentication || proves_user(q, phone));
}

bool sip_phone_has_proof(struct sip_device *d)
{
    const struct phone *phone = station_phone(&d->station);
    const struct security_profile *profile = phone ? profile_of(d->owner, phone) : NULL;

    return profile && (profile->digest_authentication || profile->device_security_mode != SECURITY_NONE);
}

/* --- plain clients --- */

/* His device: of several the one that has the number. NULL: none, or it cannot be told which. */
static const struct phone *device_of(const struct sip_request *q, struct text user)
{
    const struct directory *dir = q->owner->registry->directory;
    const struct phone *found = NULL, *numbered = NULL;
    size_t n = 0, n_numbered = 0;

    for (const struct phone *p = NULL;
         n < 100 && (p = directory_digest_device(dir, user, p ? p->name : ""));) {
        if (p->protocol != PROTOCOL_SIP_THIRD_PARTY)
            continue;
        found = p;
        n++;
        if (sip_line_of_user(p, q->reg.user)) {
            numbered = p;
            n_numbered++;
        }
    }
    return n_numbered == 1 ? numbered : n == 1 ? found : NULL;
}

static bool stands(const struct sip_binding *b, const struct sip_request *q)
{
    return b && b->cseq == q->message->cseq &&
           sip_binding_is_of_call(b, q->message->call_id) &&
           ip_equal(sip_binding_flow(b).peer.ip, q->flow->peer.ip);
}

/* An answer that was not asked for counts for nothing (RFC 8760 2.4). */
static bool is_asked_for(const struct sip_request *q, const struct digest_answer *a)
{
    return !a->userhash && (is_sha(a) || SETTING_OF(q->owner, sip_digest_algorithms) != ASK_SHA256);
}

/* The same REGISTER once more, as it comes when our answer was lost: its nonce is spent. Digest
 * does not cover contacts, so that it counts only when it changes none. */
static bool is_repeat(const struct sip_request *q, const struct phone *phone)
{
    struct device_name name = device_name_of(text_of(phone->name));
    const struct sip_device *d = sip_device_find(q->owner, name);
    const struct sip_register *r = &q->reg;

    for (size_t i = 0; d && i < r->n_contacts; i++)
        if (!sip_contact_asks_s(r, &r->contacts[i]) ||
            !stands(sip_binding_of_uri(d, &r->contacts[i].uri), q))
            return false;
    return d && r->n_contacts;
}

const struct phone *sip_client_prove(struct sip_request *q)
{
    const struct directory *dir = q->owner->registry->directory;
    const struct phone *phone;
    const struct user *user;
    struct digest_answer a;

    if (!dir) {
        sip_answer_busy(q, "Database");
        return NULL;
    }
    if (digest_find_answer(q->message, SIP_AUTHORIZATION, realm(q), &a) < 0 || !is_asked_for(q, &a)) {
        challenge(q, false, false);
        return NULL;
    }
    user = directory_find(dir, ENTITY_user, a.user);
    phone = user ? device_of(q, a.user) : NULL;
    if (phone && is_repeat(q, phone))
        return phone;
    if (is_silenced(q, &a) || !is_of_this_request(q, &a) ||
        !is_right(q, &a, check(q, &a, user, phone, false), (struct device_name){""}, false))
        return NULL;
    if (!phone) {
        failed(q, a.user, (struct device_name){""});
        sip_answer_warning(q, 404, "No device of this digest user");
        return NULL;
    }
    if (!sip_line_of_user(phone, q->reg.user) && !text_equal_nocase(a.user, text_of(q->reg.user))) {
        failed(q, a.user, device_name_of(text_of(phone->name)));
        sip_answer_warning(q, 403, "Directory number is not configured for this device");
        return NULL;
    }
    return phone;
}
