/* failover_node.h - a node of the story: the server's real core on a clock that is brought. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODE_SIP (1ull << 32) /* bit of the links that carry SIP */

struct node;

struct node_calls { /* what it does, told with its number */
    void (*sends)(unsigned node, uint64_t link, const void *bytes, size_t len);
    void (*closes)(unsigned node, uint64_t link);
    void (*tells)(unsigned node, const char *words); /* alarms */
    void (*registered)(unsigned node);
};

struct node *node_new(unsigned number, const char *name, const char *directory,
                      const struct node_calls *calls);
void node_free(struct node *n);
void node_open(struct node *n, uint64_t link, uint64_t now_ms);
void node_input(struct node *n, uint64_t link, const void *bytes, size_t len, uint64_t now_ms);
void node_closed(struct node *n, uint64_t link, uint64_t now_ms);
void node_take_off(struct node *n, uint64_t now_ms); /* the phone is at another node now */
void node_set_draining(struct node *n, bool on);
void node_tick(struct node *n, uint64_t now_ms);
uint64_t node_next(const struct node *n, uint64_t now_ms); /* milliseconds; UINT64_MAX: never */
