/* members.h - the nodes of a cluster: who am I, who are the others, who is alive.
 *
 * Members come from the settings (cluster.servers) and from the CallManagers of the directory. A
 * node of another version is seen and named, but does not join (CLUS-1). Pure: what was heard and
 * the time go in. */
#pragma once

#include "base/address.h"
#include "core/directory.h"

#define MEMBERS_MAX     16
#define MEMBER_NAME_MAX 51
#define MEMBER_ALIVE_MS 1000 /* how often nodes tell that they live */
#define MEMBER_LOST_MS  3500 /* without an answer for so long a node is down */

enum member_state { MEMBER_SELF, MEMBER_DOWN, MEMBER_UP, MEMBER_OTHER_VERSION, N_MEMBER_STATES };

struct member {
    char name[MEMBER_NAME_MAX];
    struct endpoint at; /* of its peer port */
    uint8_t state;      /* enum member_state */
    bool draining, named; /* named: still in settings or directory */
    char version[24];
    uint32_t registered, rtt_ms;
    uint64_t since_ms; /* in its state */
    uint64_t heard_ms; /* the last answer */
};

struct members {
    struct member rows[MEMBERS_MAX]; /* the first is this node; ids are positions and stay */
    size_t n;
    char version[24];
    int publisher; /* first of cluster.servers, or -1 */
};

void members_init(struct members *m, const char *name, const char *version, uint64_t now_ms);
/* "cm1=10.0.0.1, cm2=10.0.0.2:8002": the nodes, the first of them the publisher; and the other
 * CallManagers of the directory whose server is an address. "auto": those alone; "": a node that is
 * alone. 0, or -EINVAL: a part of `servers`
 * makes no sense (it is left out). */
int members_update(struct members *m, const char *servers, uint16_t port,
                   const struct directory *dir, uint64_t now_ms);
bool members_are_several(const struct members *m);

int members_find(const struct members *m, struct text name);
int members_by_address(const struct members *m, struct ip ip); /* -1: nobody we know */

/* Why a node that introduces itself as that is not taken, or NULL: it is one of us. */
const char *members_refuse(const struct members *m, int member, const char *name,
                           const char *version, const char *cluster, const char *our_cluster);

/* Fingerprint of the authority of that node's certificates as the directory has it, or "". */
const char *members_fingerprint(const struct members *m, unsigned member,
                                const struct directory *dir);
bool fingerprint_equal(const char *a, const char *b); /* whatever case and colons; false: one is empty */
bool fingerprint_valid(struct text t);                /* of SHA-256 */

/* True when the state changed. */
bool members_move(struct members *m, unsigned member, enum member_state to, uint64_t now_ms);
/* A node that is up has not answered for too long. */
bool members_is_lost(const struct members *m, unsigned member, uint64_t now_ms);
/* The publisher is there and runs another version: phones are refused here (REG-1). */
bool members_disagree(const struct members *m);

const char *member_state_name(enum member_state state);
