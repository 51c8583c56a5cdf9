#include "server/traces/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define SLOTS 8192 /* a place for each address, by its hash; who comes later takes it */

struct trace_names {
    struct {
        struct endpoint at;
        struct device_name device;
    } slots[SLOTS];
};

struct trace_names *trace_names_new(void)
{
    return calloc(1, sizeof(struct trace_names));
}

static size_t slot_of(const struct endpoint *at)
{
    uint8_t key[sizeof(at->ip.bytes) + 2];

    memcpy(key, at->ip.bytes, sizeof(at->ip.bytes));
    memcpy(key + sizeof(at->ip.bytes), &at->port, 2);
    return hash_bytes(key, sizeof(key)) % SLOTS;
}

static bool is_at(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && ip_equal(a->ip, b->ip);
}

void trace_names_learn(struct trace_names *n, const struct endpoint *at, struct device_name device)
{
    size_t i = slot_of(at);

    n->slots[i].at = *at;
    n->slots[i].device = device;
}

struct device_name trace_names_find(const struct trace_names *n, const struct endpoint *at)
{
    struct endpoint host = {at->ip, 0};
    size_t i = slot_of(at), k = slot_of(&host);

    if (ip_is_any(at->ip))
        return (struct device_name){""};
    if (is_at(&n->slots[i].at, at))
        return n->slots[i].device;
    return is_at(&n->slots[k].at, &host) ? n->slots[k].device : (struct device_name){""};
}
