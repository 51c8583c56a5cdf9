#include "core/cluster/spread.h"

#include <ctype.h>

/* FNV-1a of what both are called, whatever the case, and a finalizer that spreads it over all bits. */
static uint64_t weight(const char *device, const char *member)
{
    const char *const words[] = {device, member};
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < 2; i++, h *= 0x100000001b3u)
        for (const char *c = words[i]; *c; c++)
            h = (h ^ (uint8_t)toupper((unsigned char)*c)) * 0x100000001b3u;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

size_t spread_order(const struct callmanager_group *group, const char *device,
                    uint8_t order[static GROUP_MEMBERS_MAX])
{
    size_t n = !group                                ? 0
               : group->n_members < GROUP_MEMBERS_MAX ? group->n_members
                                                     : GROUP_MEMBERS_MAX;
    size_t n_shared = n && group->load_sharing == SHARE_ALL_BUT_LAST ? n - 1 : n;
    uint64_t weights[GROUP_MEMBERS_MAX];

    for (size_t i = 0; i < n; i++)
        order[i] = (uint8_t)i;
    if (!n || group->load_sharing == SHARE_NONE || !*device)
        return n;
    for (size_t i = 0; i < n_shared; i++) { /* sorted as they come in */
        uint64_t w = weight(device, group->members[i].callmanager);
        size_t at = i;

        for (; at && weights[at - 1] < w; at--) {
            weights[at] = weights[at - 1];
            order[at] = order[at - 1];
        }
        weights[at] = w;
        order[at] = (uint8_t)i;
    }
    if (n_shared < n && n > 2) { /* the common backup comes right after the first */
        for (size_t at = n - 1; at > 1; at--)
            order[at] = order[at - 1];
        order[1] = (uint8_t)(n - 1);
    }
    return n;
}
