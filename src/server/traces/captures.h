/* captures.h - packets of one phone, or of all, into files of the data folder (TRC-1): bounded in bytes and time.
 *
 * Where the process may not see packets (no CAP_NET_RAW), our own messages are captured instead: what was
 * said to whom, without the packets around it. */
#pragma once

#include <jansson.h>
#include <uv.h>

#include "base/address.h"
#include "server/traces/trace.h"

#define CAPTURES_RUNNING 8  /* at once */
#define CAPTURES_KEPT    64 /* files; the oldest make room */
#define CAPTURE_HOSTS    8

struct captures;

struct capture_order {
    char device[32];     /* for people, and in the file's name; empty: all */
    char interface[16];  /* empty: all */
    struct mac mac;      /* zero: none */
    struct ip hosts[CAPTURE_HOSTS];
    size_t n_hosts;
    uint32_t duration_s;
    uint64_t max_bytes;
    bool secrets;  /* of TLS connections of the phone that begin from now on */
    bool messages; /* our own messages instead of packets */
};

struct captures *captures_new(uv_loop_t *loop, const char *data, const char *node); /* NULL without memory */
void captures_close(struct captures *c, void (*closed)(void *context), void *context); /* frees in the loop */
/* 0 with its name, -EBUSY: too many run; -errno, and words say why. `messages` is set when packets may not be seen. */
int captures_start(struct captures *c, struct capture_order *order, char name[static 64], char *words, size_t size);
/* By its name or device; empty: the only one that runs. 0 or -ENOENT. */
int captures_stop(struct captures *c, struct text name, char stopped[static 64]);
json_t *captures_list(struct captures *c); /* columns and rows */
/* The file behind a name, or -ENOENT; what runs is written out first. */
int captures_path(struct captures *c, struct text name, char *to, size_t size);

void captures_message(struct captures *c, const struct trace_record *r, struct device_name device);
void captures_address(struct captures *c, struct device_name device, struct ip ip); /* it has this one too */
void captures_secret(struct captures *c, struct ip peer, struct text line);
bool captures_wants_messages(const struct captures *c);
bool captures_wants_secrets(const struct captures *c);
bool captures_run(const struct captures *c);
