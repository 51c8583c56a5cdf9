#include "station/sip/register.h"

#include <ctype.h>
#include <errno.h>

#include "core/models.h"
#include "wire/sip/remotecc.h"

#define DAY_S         86400
#define EXPIRES_MAX_S 0xffffffff /* RFC 3261 20.19 */

static const char instance_of_mac[] = "<urn:uuid:00000000-0000-0000-0000-"; /* and 12 digits, ">" */

static bool are_hex(struct text t, size_t n)
{
    if (t.len < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isxdigit((unsigned char)t.at[i]))
            return false;
    return true;
}

static struct device_name name_of_mac(struct text hex)
{
    struct device_name name = {"SEP"};

    for (size_t i = 0; i < 12; i++)
        name.s[3 + i] = (char)toupper((unsigned char)hex.at[i]);
    return name;
}

/* As the directory writes it: SEP and upper-case digits; names of other forms as they come. */
static struct device_name name_of(struct text t)
{
    if (t.len == 15 && text_starts_nocase(t, "SEP") && are_hex(text_skip(t, 3), 12))
        return name_of_mac(text_skip(t, 3));
    return device_name_of(t);
}

static int64_t seconds_of(struct text t)
{
    uint64_t n;
    int err = text_to_u64(t, 10, &n);

    if (err == -EINVAL)
        return -1;
    return err < 0 || n > EXPIRES_MAX_S ? (int64_t)EXPIRES_MAX_S : (int64_t)n;
}

/* "0.7": thousandths. */
static uint16_t q_of(struct text t)
{
    uint16_t q = 0;

    if (!t.len || t.at[0] != '0')
        return 1000;
    for (size_t i = 2, scale = 100; i < t.len && scale; i++, scale /= 10)
        if (isdigit((unsigned char)t.at[i]))
            q = (uint16_t)(q + (size_t)(t.at[i] - '0') * scale);
    return q;
}

static bool is_number(struct text t, uint32_t *ret)
{
    return text_to_u32(t, 10, ret) == 0;
}

static void read_parameter(struct sip_register *r, struct sip_contact *c, struct text name,
                           struct text value)
{
    if (text_equal_nocase(name, TEXT("+sip.instance")))
        c->instance = value;
    if (text_equal_nocase(name, TEXT("expires")))
        c->expires_s = seconds_of(value);
    else if (text_equal_nocase(name, TEXT("q")))
        c->q = q_of(value);
    else if (text_equal_nocase(name, TEXT("reg-id")))
        is_number(value, &c->reg_id);
    else if (text_equal_nocase(name, TEXT("cisco-keep-alive")))
        r->keepalive = true;
    else if (text_equal_nocase(name, TEXT("+u.sip!devicename.ccm.cisco.com")))
        r->device = name_of(value);
    else if (text_equal_nocase(name, TEXT("+u.sip!model.ccm.cisco.com")))
        is_number(value, &r->model);
    else if (!r->device.s[0] && text_equal_nocase(name, TEXT("+sip.instance")) &&
             text_starts_nocase(value, instance_of_mac) &&
             are_hex(text_skip(value, sizeof(instance_of_mac) - 1), 12))
        r->device = name_of_mac(text_skip(value, sizeof(instance_of_mac) - 1));
}

static int read_contact(struct sip_register *r, struct text element)
{
    struct sip_contact *c = &r->contacts[r->n_contacts];
    struct sip_address a;
    struct text name, value;

    if (r->n_contacts == SIP_CONTACTS_MAX)
        return 403;
    if (sip_address_parse(element, &a) < 0)
        return 400;
    if (text_is(a.uri, "*")) {
        r->all = true;
        return 0;
    }
    if (sip_uri_parse(a.uri, &c->uri) < 0 || a.uri.len > SIP_CONTACT_MAX)
        return 400;
    c->whole = element;
    c->expires_s = -1;
    c->q = 1000;
    c->instance = TEXT("");
    c->reg_id = 0;
    r->n_contacts++;
    while (sip_parameter_next(&a.parameters, &name, &value))
        read_parameter(r, c, name, value);
    return 0;
}

static int read_contacts(const struct sip_message *m, struct sip_register *r)
{
    const struct sip_row *row = sip_row(m, SIP_CONTACT);
    struct text rest = row ? row->value : (struct text){NULL, 0}, element;
    int status = 0;

    while (!status && row && sip_next(m, &row, &rest, &element))
        status = read_contact(r, element);
    if (!status && r->all && (r->n_contacts || r->expires_s != 0))
        return 400; /* RFC 3261 10.3 step 6 */
    return status;
}

/* P0S3 loads and others before the parameters: the From tag begins with the address of the phone.
 */
static void name_by_tag(const struct sip_message *m, struct sip_register *r)
{
    if (text_starts_nocase(sip_value(m, SIP_USER_AGENT), "Cisco") && are_hex(m->from_tag, 16))
        r->device = name_of_mac(m->from_tag);
}

int sip_register_read(const struct sip_message *m, struct sip_register *ret)
{
    struct text expires = sip_value(m, SIP_EXPIRES);
    struct sip_uri to;
    int status;

    ret->device.s[0] = '\0';
    ret->model = 0;
    ret->all = ret->keepalive = false;
    ret->n_contacts = 0;
    ret->expires_s = expires.at ? seconds_of(expires) : -1;
    if (sip_uri_parse(m->to.uri, &to) < 0 || to.scheme == SIP_URI_OTHER)
        return 404;
    if (!to.user.len || sip_unescape(to.user, ret->user, sizeof(ret->user)) < 0)
        return 400;
    status = read_contacts(m, ret);
    if (!status && !ret->device.s[0])
        name_by_tag(m, ret);
    return status;
}

int64_t sip_contact_asks_s(const struct sip_register *r, const struct sip_contact *c)
{
    if (c->expires_s >= 0)
        return c->expires_s;
    return r->expires_s >= 0 ? r->expires_s : 3600;
}

int64_t sip_register_expires(const struct sip_register *r)
{
    if (r->n_contacts && r->contacts[0].expires_s >= 0)
        return r->contacts[0].expires_s;
    return r->expires_s >= 0 ? r->expires_s : DAY_S;
}

/* --- what matters only to a new registration --- */

/* "Cisco-CP7975G/9.3.1": the load when the phone does not tell a better one. */
static struct text load_of_user_agent(const struct sip_message *m)
{
    struct text rest = sip_value(m, SIP_USER_AGENT), product = text_split(&rest, '/');

    if (!text_starts_nocase(product, "Cisco-CP"))
        return (struct text){NULL, 0};
    return text_split(&rest, ' ');
}

uint32_t sip_register_model(const struct sip_message *m)
{
    struct text rest = sip_value(m, SIP_USER_AGENT), product = text_split(&rest, '/');
    const struct model *model;

    if (!text_starts_nocase(product, "Cisco-CP"))
        return 0;
    model = model_by_name(text_skip(product, strlen("Cisco-")));
    return model ? model->type : 0;
}

void sip_register_details(const struct sip_message *m, struct sip_details *ret)
{
    struct remotecc_offer offer;

    *ret = (struct sip_details){
        .bulk = m->body.len && remotecc_read_offer(m, &offer) == 0 && offer.bulk,
        .extended_refer = sip_has_token(m, SIP_SUPPORTED, "extended-refer"),
        /* Cisco's stack as it was published obeys it and does not say so. */
        .service_control = sip_has_token(m, SIP_SUPPORTED, "X-cisco-service-control") ||
                           sip_has_token(m, SIP_SUPPORTED, "X-cisco-callinfo"),
    };
    cisco_reason_read(sip_value(m, SIP_REASON), &ret->alarm);
    ret->load = ret->alarm.active_load.at ? ret->alarm.active_load : load_of_user_agent(m);
    if (text_ends(ret->load, ".loads"))
        ret->load.len -= strlen(".loads");
}
