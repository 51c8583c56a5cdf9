/* sip_register.h - what the SIP generators share: a phone's REGISTER, its answers, latencies.
 *
 * A REGISTER is a template whose fields have fixed widths, so that making one is a copy and some
 * patches: 966 bytes, as a Cisco phone sends them when it refreshes. */
#pragma once

#include <netinet/in.h>

#include "base/text.h"

#define SIP_BYTES_MAX 1500

struct sip_bench {
    size_t count, parallel; /* phones; requests under way at once */
    unsigned long first; /* number of the first phone: SEP and 12 digits; its line is 100000 more */
    unsigned long seconds, rate; /* of refreshes a second; 0: as many as go */
    bool refresh, hold;          /* after the first registration */
    int pid;                     /* of the server */
    struct sockaddr_in server;
};

/* Options that both generators know: --mode first|refresh|hold and the fields above. */
void sip_bench_options(struct sip_bench *b);

/* How long a generator may sleep when nothing comes: a slow one leaves the core to others. */
int sip_bench_pause_ms(const struct sip_bench *b);

/* When the n-th request (0 the first) of a run that began at `start_ns` should have left; without a rate: now. */
uint64_t sip_bench_due_ns(const struct sip_bench *b, uint64_t start_ns, uint64_t n, uint64_t now_ns);

/* The address of a phone, 127.1.100.100 and up: --per-address phones have one, 25 unless told. */
struct in_addr sip_source(size_t phone);

void sip_register_make(const char *transport, uint16_t port, unsigned model);
/* Of a phone and its n-th: `branch` comes back in the answer. The length, always the same. */
size_t sip_register_write(const struct sip_bench *b, size_t phone, uint32_t nth, uint32_t branch,
                          char to[static SIP_BYTES_MAX]);

/* What came: the branch of a 200 to a REGISTER of ours; 100 means nothing. */
enum sip_heard { SIP_HEARD_OK, SIP_HEARD_TRYING, SIP_HEARD_OTHER, SIP_HEARD_REQUEST };
enum sip_heard sip_hear(struct text message, uint32_t *branch);
/* The 200 that a phone gives to any request of the server; 0: none. */
size_t sip_agree(struct text request, char to[static SIP_BYTES_MAX]);

void sip_latency_note(uint64_t ns);
void sip_latency_forget(void);
void sip_latency_report(void); /* a line of JSON: median, 99 % and the worst, in microseconds */
