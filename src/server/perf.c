/* perf.c - counters, and what is computed beside them. */
#include "server/perf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/grow.h"
#include "core/counters.h"
#include "core/histograms.h"
#include "server/admin.h"

/* --- getters --- */

static int64_t zero(struct admin *a)
{
    return 0;
}

static int64_t uptime(struct admin *a)
{
    return (int64_t)((server_steady_us() - a->started_us) / 1000000);
}

static int64_t initialized(struct admin *a)
{
    return a->thread->directory ? 100 : 14;
}

static int64_t tftp_beat(struct admin *a)
{
    return a->services[SERVICE_TFTP].state == SERVICE_RUNNING ? uptime(a) : 0;
}

static int64_t replicates(struct admin *a)
{
    return a->services[SERVICE_DATABASE].state == SERVICE_RUNNING ? 2 : 3;
}

/* A number of a file of /proc; 0 when it is not there. */
static int64_t proc_number(const char *path, const char *key)
{
    FILE *f = fopen(path, "re");
    char line[128];
    long long n = 0;

    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':') {
            sscanf(line + strlen(key) + 1, "%lld", &n);
            break;
        }
    if (f)
        fclose(f);
    return n;
}

static int64_t memory_total(struct admin *a)
{
    return proc_number("/proc/meminfo", "MemTotal");
}

static int64_t memory_used(struct admin *a)
{
    return memory_total(a) - proc_number("/proc/meminfo", "MemAvailable");
}

static int64_t memory_percent(struct admin *a)
{
    int64_t total = memory_total(a);

    return total ? memory_used(a) * 100 / total : 0;
}

static int64_t vm_size(struct admin *a)
{
    return proc_number("/proc/self/status", "VmSize");
}

static int64_t vm_rss(struct admin *a)
{
    return proc_number("/proc/self/status", "VmRSS");
}

static int64_t threads(struct admin *a)
{
    return proc_number("/proc/self/status", "Threads");
}

static int64_t process_id(struct admin *a)
{
    return getpid();
}

static uint64_t cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int64_t cpu_seconds(struct admin *a)
{
    return (int64_t)(cpu_us() / 1000000);
}

/* Over the time since the last look, of half a second at least. */
static int64_t cpu_percent(struct admin *a)
{
    uint64_t now = server_steady_us(), used = cpu_us();

    if (now - a->cpu.at_us >= 500000) {
        a->cpu.percent =
            a->cpu.at_us ? (int64_t)((used - a->cpu.used_us) * 100 / (now - a->cpu.at_us)) : 0;
        a->cpu.at_us = now;
        a->cpu.used_us = used;
    }
    return a->cpu.percent;
}

static const struct perf_row {
    const char *object, *name, *help;
    bool gauge;
    int64_t (*get)(struct admin *a);
} rows[] = {
#define GAUGE                                 true
#define COUNTER                               false
#define PERF(object, name, kind, value, help) {object, name, help, kind, value},
#include "server/perf.def"
#undef PERF
#undef COUNTER
#undef GAUGE
};

size_t perf_count(void)
{
    return N_COUNTERS + sizeof(rows) / sizeof(*rows);
}

struct perf_counter perf_get(struct admin *a, size_t i)
{
    const struct perf_row *r;

    if (i < N_COUNTERS) {
        const struct counter_row *c = &counter_rows[i];

        return (struct perf_counter){c->object, c->name, c->help,
                                     text_starts(text_of(c->help), "Gauge:"),
                                     (int64_t)counter_read(&counter_values[i])};
    }
    r = &rows[i - N_COUNTERS];
    return (struct perf_counter){r->object, r->name, r->help, r->gauge, r->get(a)};
}

/* --- Prometheus --- */

/* "Cisco SIP Stack", "SummaryRequestsIn" -> cisco_sip_stack_summary_requests_in */
static void snake(struct text words, char *to, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < words.len && n + 2 < size; i++) {
        char c = words.at[i], before = i ? words.at[i - 1] : 0,
             after = i + 1 < words.len ? words.at[i + 1] : 0;

        if (isupper((unsigned char)c) &&
            (islower((unsigned char)before) ||
             (isupper((unsigned char)before) && islower((unsigned char)after))))
            to[n++] = '_';
        if (c == '%')
            n += text_copy(to + n, size - n, TEXT("percent"));
        else if (isalnum((unsigned char)c))
            to[n++] = (char)tolower((unsigned char)c);
        else if (n && to[n - 1] != '_')
            to[n++] = '_';
    }
    while (n && to[n - 1] == '_')
        n--;
    to[n] = 0;
}

/* Words that Prometheus keeps for other things: types and units. */
static struct text plain_name(const char *name)
{
    static const struct {
        const char *name, *plain;
    } words[] = {{"NotForUs", "NotForThisServer"}, {"Thread Count", "Threads"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!strcmp(name, words[i].name))
            return text_of(words[i].plain);
    return text_skip(text_of(name), text_starts(text_of(name), "Summary") ? strlen("Summary") : 0);
}

static void metric_name(const char *object, const char *name, char *to, size_t size)
{
    struct text plain = plain_name(name);
    char both[200];

    snprintf(both, sizeof(both), "%s %.*s", object, TEXT_ARG(plain));
    snake(text_of(both), to, size);
}

static void put_head(struct grow *to, const char *name, const char *type, const char *object,
                     const char *counter, const char *help)
{
    grow_format(to, "# HELP %s %s\\\\%s: %s\n# TYPE %s %s\n", name, object, counter, help, name,
                type);
}

static void put_counter(struct grow *to, const struct perf_counter *c)
{
    char name[256];

    metric_name(c->object, c->name, name, sizeof(name) - 8);
    if (!c->gauge)
        strcat(name, "_total");
    put_head(to, name, c->gauge ? "gauge" : "counter", c->object, c->name, c->help);
    grow_format(to, "%s %lld\n", name, (long long)c->value);
}

static void put_histogram(struct grow *to, size_t h)
{
    const struct histogram_row *r = &histogram_rows[h];
    struct histogram_value *v = &histogram_values[h];
    uint64_t n = 0;
    char name[256];

    metric_name(r->object, r->name, name, sizeof(name) - 10);
    strcat(name, "_seconds");
    put_head(to, name, "histogram", r->object, r->name, r->help);
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        n += atomic_load_explicit(&v->buckets[i], memory_order_relaxed);
        grow_format(to, "%s_bucket{le=\"%g\"} %llu\n", name, histogram_bounds_us[i] / 1e6,
                    (unsigned long long)n);
    }
    n += atomic_load_explicit(&v->buckets[HISTOGRAM_BOUNDS], memory_order_relaxed);
    grow_format(to, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %g\n%s_count %llu\n", name,
                (unsigned long long)n, name,
                (double)atomic_load_explicit(&v->sum_us, memory_order_relaxed) / 1e6, name,
                (unsigned long long)n);
}

static void put_phones(struct admin *a, struct grow *to)
{
    grow_string(to, "# HELP dialtone_phones Devices seen by this node, by state\n"
                    "# TYPE dialtone_phones gauge\n");
    for (int s = STATE_REGISTERED; s < N_DEVICE_STATES; s++)
        grow_format(to, "dialtone_phones{state=\"%s\"} %zu\n", device_state_names[s],
                    status_count(a->status, (enum device_state)s));
}

static void put_services(struct admin *a, struct grow *to)
{
    static const char *const ids[N_SERVICES] = {
#define SERVICE(id, name, thread, help) #id,
#include "server/services.def"
#undef SERVICE
    };
    char id[40];

    grow_string(to, "# HELP dialtone_service_up Services of this node that run\n"
                    "# TYPE dialtone_service_up gauge\n");
    for (int i = 0; i < N_SERVICES; i++) {
        snake(text_of(ids[i]), id, sizeof(id));
        grow_format(to, "dialtone_service_up{service=\"%s\"} %d\n", id,
                    a->services[i].state == SERVICE_RUNNING);
    }
}

void perf_print_metrics(struct admin *a, struct grow *to)
{
    for (size_t i = 0; i < perf_count(); i++) {
        struct perf_counter c = perf_get(a, i);

        put_counter(to, &c);
    }
    for (size_t i = 0; i < N_HISTOGRAMS; i++)
        put_histogram(to, i);
    put_phones(a, to);
    put_services(a, to);
}
