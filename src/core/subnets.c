#include "core/subnets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/directory.h"

/* --- one scope --- */

int subnet_address_parse(struct text t, uint32_t *ret)
{
    struct ip ip;

    if (ip_parse(text_trim(t), &ip) < 0 || ip.family != 4)
        return -EINVAL;
    *ret = ip_v4_number(ip);
    return 0;
}

int subnet_prefix_parse(struct text t, uint32_t *network, uint32_t *mask)
{
    struct text rest = text_trim(t), address = text_split(&rest, '/');
    uint32_t bits, number;

    if (!rest.at || text_to_u32(text_trim(rest), 10, &bits) < 0 || bits < 1 || bits > 32 ||
        subnet_address_parse(address, &number) < 0)
        return -EINVAL;
    *mask = UINT32_MAX << (32 - bits);
    if (number & ~*mask)
        return -EINVAL;
    *network = number;
    return 0;
}

static int parse_list(struct text rest, struct address_list *ret)
{
    *ret = (struct address_list){0};
    rest = text_trim(rest);
    while (rest.len) {
        struct text part = text_split(&rest, ',');

        if (ret->n == SUBNET_ADDRESSES_MAX || subnet_address_parse(part, &ret->at[ret->n]) < 0)
            return -EINVAL;
        ret->n++;
    }
    return 0;
}

static int exclude(struct subnet *s, uint32_t first, uint32_t last)
{
    if (s->n_excluded == SUBNET_RANGES_MAX || first > last)
        return -EINVAL;
    s->excluded[s->n_excluded++] = (struct address_range){first, last};
    return 0;
}

/* "10.1.0.1, 10.1.0.5-10.1.0.9" */
static int parse_excluded(struct text rest, struct subnet *s)
{
    rest = text_trim(rest);
    while (rest.len) {
        struct text part = text_split(&rest, ','), to = part, from = text_split(&to, '-');
        uint32_t first, last;

        if (subnet_address_parse(from, &first) < 0)
            return -EINVAL;
        last = first;
        if (to.at && subnet_address_parse(to, &last) < 0)
            return -EINVAL;
        if (exclude(s, first, last) < 0)
            return -EINVAL;
    }
    return 0;
}

static int parse_range(const struct scope *record, struct subnet *s)
{
    s->first = s->network;
    s->last = s->network | ~s->mask;
    if (*record->first && subnet_address_parse(text_of(record->first), &s->first) < 0)
        return -EINVAL;
    if (*record->last && subnet_address_parse(text_of(record->last), &s->last) < 0)
        return -EINVAL;
    if (s->first > s->last || !subnet_has(s, s->first) || !subnet_has(s, s->last) ||
        s->last - s->first >= SUBNET_SIZE_MAX)
        return -EINVAL;
    return 0;
}

/* The network and the broadcast address (unless a /31 or /32, RFC 3021) and the routers. */
static void exclude_special(struct subnet *s)
{
    if (~s->mask > 1) {
        exclude(s, s->network, s->network);
        exclude(s, s->network | ~s->mask, s->network | ~s->mask);
    }
    for (uint8_t i = 0; i < s->routers.n; i++)
        exclude(s, s->routers.at[i], s->routers.at[i]);
}

static int refuse(char *error, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error, size, format, args);
    va_end(args);
    return -EINVAL;
}

int subnet_parse(const struct scope *r, struct subnet *ret, char *error, size_t size)
{
    static const char list[] = "up to 16 IPv4 addresses separated by commas";
    struct subnet s = {.lease_s = (uint32_t)r->lease_seconds, .phones_only = r->phones_only};

    text_copy(s.name, sizeof(s.name), text_of(r->name));
    text_copy(s.domain, sizeof(s.domain), text_trim(text_of(r->domain)));
    text_copy(s.tftp_name, sizeof(s.tftp_name), text_trim(text_of(r->tftp_name)));
    if (subnet_prefix_parse(text_of(r->subnet), &s.network, &s.mask) < 0)
        return refuse(error, size, "scope %s: subnet '%s' is not of the form 10.1.0.0/24", r->name,
                      r->subnet);
    if (parse_range(r, &s) < 0)
        return refuse(error, size,
                      "scope %s: first '%s' and last '%s' must be addresses of %s in this order, "
                      "at most 16777216 apart",
                      r->name, r->first, r->last, r->subnet);
    if (parse_list(text_of(r->routers), &s.routers) < 0)
        return refuse(error, size, "scope %s: routers '%s' must be %s", r->name, r->routers, list);
    exclude_special(&s);
    if (parse_excluded(text_of(r->exclude), &s) < 0)
        return refuse(error, size,
                      "scope %s: exclude '%s' must be addresses or ranges (10.1.0.1-10.1.0.9) "
                      "separated by commas",
                      r->name, r->exclude);
    if (parse_list(text_of(r->dns), &s.dns) < 0)
        return refuse(error, size, "scope %s: dns '%s' must be %s", r->name, r->dns, list);
    if (parse_list(text_of(r->ntp), &s.ntp) < 0)
        return refuse(error, size, "scope %s: ntp '%s' must be %s", r->name, r->ntp, list);
    if (parse_list(text_of(r->tftp), &s.tftp) < 0)
        return refuse(error, size, "scope %s: tftp '%s' must be %s (names go to tftp_name)",
                      r->name, r->tftp, list);
    *ret = s;
    return 0;
}

bool subnet_excludes(const struct subnet *s, uint32_t address)
{
    for (uint8_t i = 0; i < s->n_excluded; i++)
        if (address >= s->excluded[i].first && address <= s->excluded[i].last)
            return true;
    return false;
}

/* --- all of them --- */

struct subnets *subnets_empty(void)
{
    return calloc(1, sizeof(struct subnets));
}

void subnets_free(struct subnets *s)
{
    if (!s)
        return;
    free(s->at);
    free(s->reserved);
    free(s->addresses);
    free(s);
}

int subnets_add(struct subnets *s, const struct subnet *subnet)
{
    struct subnet *at = realloc(s->at, (s->n + 1) * sizeof(*at));

    if (!at)
        return -ENOMEM;
    s->at = at;
    s->at[s->n++] = *subnet;
    return 0;
}

/* Room doubles at powers of two, so that 100 000 reservations do not copy each other. */
static int room_for_reserved(struct subnets *s)
{
    size_t n = s->n_reserved ? s->n_reserved * 2 : 16;
    struct reserved *reserved;
    uint32_t *addresses;

    if (s->n_reserved & (s->n_reserved - 1) || (s->n_reserved && s->n_reserved < 16))
        return 0;
    if (!(reserved = realloc(s->reserved, n * sizeof(*reserved))))
        return -ENOMEM;
    s->reserved = reserved;
    if (!(addresses = realloc(s->addresses, n * sizeof(*addresses))))
        return -ENOMEM;
    s->addresses = addresses;
    return 0;
}

int subnets_reserve(struct subnets *s, struct mac mac, uint32_t address)
{
    if (room_for_reserved(s) < 0)
        return -ENOMEM;
    s->reserved[s->n_reserved] = (struct reserved){mac, address};
    s->addresses[s->n_reserved++] = address;
    return 0;
}

static int compare_macs(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct mac)); /* `mac` is the first member */
}

static int compare_addresses(const void *a, const void *b)
{
    uint32_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

void subnets_sort(struct subnets *s)
{
    if (!s->n_reserved)
        return;
    qsort(s->reserved, s->n_reserved, sizeof(*s->reserved), compare_macs);
    qsort(s->addresses, s->n_reserved, sizeof(*s->addresses), compare_addresses);
}

uint32_t subnets_reserved_for(const struct subnets *s, struct mac mac)
{
    const struct reserved *r = s->n_reserved ? bsearch(&mac, s->reserved, s->n_reserved,
                                                       sizeof(*s->reserved), compare_macs)
                                             : NULL;

    return r ? r->address : 0;
}

bool subnets_is_reserved(const struct subnets *s, uint32_t address)
{
    return s->n_reserved &&
           bsearch(&address, s->addresses, s->n_reserved, sizeof(*s->addresses), compare_addresses);
}
