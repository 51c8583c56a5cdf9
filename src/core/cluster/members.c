#include "core/cluster/members.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

void members_init(struct members *m, const char *name, const char *version, uint64_t now_ms)
{
    *m = (struct members){.n = 1, .publisher = -1};
    text_copy(m->rows[0].name, MEMBER_NAME_MAX, text_of(name));
    text_copy(m->rows[0].version, sizeof(m->rows[0].version), text_of(version));
    text_copy(m->version, sizeof(m->version), text_of(version));
    m->rows[0].since_ms = now_ms;
    m->rows[0].state = MEMBER_SELF;
    m->rows[0].named = true;
}

int members_find(const struct members *m, struct text name)
{
    for (size_t i = 0; i < m->n; i++)
        if (text_equal_nocase(text_of(m->rows[i].name), name))
            return (int)i;
    return -1;
}

int members_by_address(const struct members *m, struct ip ip)
{
    for (size_t i = 1; i < m->n; i++)
        if (m->rows[i].named && ip_equal(m->rows[i].at.ip, ip))
            return (int)i;
    return -1;
}

static int name_one(struct members *m, struct text name, const struct endpoint *at, uint64_t now_ms)
{
    int i = members_find(m, name);

    if (i < 0 && m->n == MEMBERS_MAX)
        return -ENOBUFS;
    if (i < 0) {
        i = (int)m->n++;
        m->rows[i] = (struct member){.state = MEMBER_DOWN, .since_ms = now_ms};
        text_copy(m->rows[i].name, MEMBER_NAME_MAX, name);
    }
    m->rows[i].named = true;
    m->rows[i].at = *at;
    return i;
}

/* "10.0.0.1", "10.0.0.1:8002" */
static int read_address(struct text t, struct endpoint *ret)
{
    struct text rest = t, host = text_split(&rest, ':');
    uint32_t port;

    if (ip_parse(t, &ret->ip) == 0)
        return 0; /* IPv6 too, on the usual port */
    if (ip_parse(host, &ret->ip) < 0 || !rest.at || text_to_u32(rest, 10, &port) < 0 ||
        port > UINT16_MAX)
        return -EINVAL;
    ret->port = (uint16_t)port;
    return 0;
}

/* "cm1=10.0.0.1:8002" */
static int read_server(struct members *m, struct text part, uint16_t port, uint64_t now_ms)
{
    struct text rest = part, name = text_trim(text_split(&rest, '='));
    struct endpoint at = {.port = port};

    if (!name.len || !rest.at || name.len >= MEMBER_NAME_MAX ||
        read_address(text_trim(rest), &at) < 0)
        return -EINVAL;
    return name_one(m, name, &at, now_ms);
}

static void read_directory(struct members *m, uint16_t port, const struct directory *dir,
                           uint64_t now_ms)
{
    const struct callmanager *c = NULL;

    while ((c = directory_next(dir, ENTITY_callmanager, text_of(c ? c->name : "")))) {
        struct endpoint at = {.port = port};

        if (members_find(m, text_of(c->name)) < 0 && members_find(m, text_of(c->server)) < 0 &&
            ip_parse(text_of(c->server), &at.ip) == 0 && !ip_equal(at.ip, m->rows[0].at.ip) &&
            members_by_address(m, at.ip) < 0)
            name_one(m, text_of(c->name), &at, now_ms);
    }
}

int members_update(struct members *m, const char *servers, uint16_t port,
                   const struct directory *dir, uint64_t now_ms)
{
    struct text rest = text_of(servers);
    int err = 0;

    for (size_t i = 1; i < m->n; i++)
        m->rows[i].named = false;
    m->publisher = -1;
    while (rest.at && rest.len) {
        struct text part = text_trim(text_split(&rest, ','));
        bool is_one = part.len && !text_is(part, "auto");
        int i = is_one ? read_server(m, part, port, now_ms) : -1;

        if (i < 0 && is_one)
            err = i;
        if (i >= 0 && m->publisher < 0)
            m->publisher = i;
    }
    if (dir && *servers)
        read_directory(m, port, dir, now_ms);
    return err;
}

bool members_are_several(const struct members *m)
{
    for (size_t i = 1; i < m->n; i++)
        if (m->rows[i].named)
            return true;
    return false;
}

const char *members_refuse(const struct members *m, int member, const char *name,
                           const char *version, const char *cluster, const char *our_cluster)
{
    if (member < 1 || strcasecmp(m->rows[member].name, name) != 0)
        return "nobody here knows this node";
    if (strcmp(cluster, our_cluster) != 0)
        return "it belongs to another cluster";
    if (strcmp(version, m->version) != 0)
        return "it runs another version";
    return NULL;
}

const char *members_fingerprint(const struct members *m, unsigned member,
                                const struct directory *dir)
{
    struct text name = text_of(m->rows[member].name);
    const struct callmanager *c = NULL;

    while (dir && (c = directory_next(dir, ENTITY_callmanager, text_of(c ? c->name : ""))))
        if (text_equal_nocase(text_of(c->name), name) || text_equal_nocase(text_of(c->server), name))
            return c->fingerprint;
    return "";
}

static const char *skip_colons(const char *s)
{
    return s + strspn(s, ":");
}

bool fingerprint_equal(const char *a, const char *b)
{
    size_t n = 0;

    for (a = skip_colons(a), b = skip_colons(b); *a && *b; n++) {
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        a = skip_colons(a + 1);
        b = skip_colons(b + 1);
    }
    return n && !*a && !*b;
}

bool fingerprint_valid(struct text t)
{
    size_t n = 0;

    for (size_t i = 0; i < t.len; i++)
        if (isxdigit((unsigned char)t.at[i]))
            n++;
        else if (t.at[i] != ':')
            return false;
    return n == 64;
}

bool members_move(struct members *m, unsigned member, enum member_state to, uint64_t now_ms)
{
    struct member *row = &m->rows[member];

    if (row->state == to)
        return false;
    row->state = (uint8_t)to;
    row->since_ms = now_ms;
    if (to != MEMBER_UP)
        row->registered = row->rtt_ms = 0;
    return true;
}

bool members_is_lost(const struct members *m, unsigned member, uint64_t now_ms)
{
    return m->rows[member].state == MEMBER_UP &&
           now_ms - m->rows[member].heard_ms > MEMBER_LOST_MS;
}

bool members_disagree(const struct members *m)
{
    return m->publisher > 0 && m->rows[m->publisher].state == MEMBER_OTHER_VERSION;
}

const char *member_state_name(enum member_state state)
{
    static const char *const names[] = {"this node", "down", "up", "other version"};

    return state < N_MEMBER_STATES ? names[state] : "?";
}
