/* subnets_read.c - scopes and reservations out of a directory. */
#include "core/subnets.h"

#include <stdio.h>

#include "core/directory.h"

struct reading {
    struct subnets *subnets;
    void (*complain)(void *context, const char *text);
    void *context;
    int err;
};

static void read_scope(struct reading *r, const struct scope *record)
{
    struct subnet subnet;
    char error[640];

    if (!record->enabled)
        return;
    if (subnet_parse(record, &subnet, error, sizeof(error)) == 0)
        r->err = subnets_add(r->subnets, &subnet);
    else if (r->complain)
        r->complain(r->context, error);
}

static void read_reservation(struct reading *r, const struct reservation *record)
{
    struct mac mac;
    uint32_t address;
    char error[160];

    if (mac_parse(text_of(record->mac), &mac) == 0 &&
        subnet_address_parse(text_of(record->address), &address) == 0) {
        r->err = subnets_reserve(r->subnets, mac, address);
        return;
    }
    snprintf(error, sizeof(error), "reservation %s: address '%s' is not an IPv4 address",
             record->mac, record->address);
    if (r->complain)
        r->complain(r->context, error);
}

struct subnets *subnets_new(const struct directory *dir,
                            void (*complain)(void *context, const char *text), void *context)
{
    struct reading r = {subnets_empty(), complain, context, 0};

    if (!r.subnets)
        return NULL;
    for (const struct scope *s = NULL;
         !r.err && (s = directory_next(dir, ENTITY_scope, text_of(s ? s->name : "")));)
        read_scope(&r, s);
    for (const struct reservation *v = NULL;
         !r.err && (v = directory_next(dir, ENTITY_reservation, text_of(v ? v->mac : "")));)
        read_reservation(&r, v);
    if (r.err) {
        subnets_free(r.subnets);
        return NULL;
    }
    subnets_sort(r.subnets);
    return r.subnets;
}
