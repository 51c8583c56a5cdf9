#include "lab/office.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define READY_MS  60000
#define WORDS_MAX 24

static int open_office(struct office *o, const struct network *network, const char *folder,
                       unsigned node)
{
    char address[32];

    memset(o, 0, sizeof(*o));
    o->network = network;
    o->node = node;
    o->server.out = o->server.log = -1;
    snprintf(o->folder, sizeof(o->folder), "%s", folder);
    snprintf(address, sizeof(address), LAB_SUBNET "%u/%d", node, LAB_PREFIX);
    return network_set_address(network, network_node(network, node), address);
}

int office_open(struct office *o, const struct network *network, const char *folder)
{
    return open_office(o, network, folder, 1);
}

int office_open_node(struct office *o, struct network *network, const char *folder, unsigned node)
{
    int err = network_add_node(network, node);

    return err ? err : open_office(o, network, folder, node);
}

/* "data", "data2": of the first node and the others. */
static void path_of(const struct office *o, const char *stem, const char *end, char *to,
                    size_t size)
{
    if (o->node > 1)
        snprintf(to, size, "%s/%s%u%s", o->folder, stem, o->node, end);
    else
        snprintf(to, size, "%s/%s%s", o->folder, stem, end);
}

/* -- the server ----------------------------------------------------------------------------- */

static void on_server_line(struct child *c, const char *line)
{
    struct office *o = c->context;

    if (strncmp(line, "Ready.", 6) == 0)
        o->ready = true;
}

int office_start(struct office *o)
{
    struct lab_ns ns = network_node(o->network, o->node);
    char data[LAB_PATH + 32], log[LAB_PATH + 32], name[32], address[48], cluster[192];
    char *words[] = {"serve",
                     "--data",
                     data,
                     "--set",
                     name,
                     "--set",
                     address,
                     "--set",
                     cluster,
                     "--set",
                     o->cluster ? "dhcp.interfaces=" : "cdp.interfaces=eth0",
                     "--set",
                     "run.user=",
                     [13 + 2 * sizeof(o->settings) / sizeof(*o->settings)] = NULL};
    struct child *list[] = {&o->server};
    uint64_t end = lab_now_ms() + READY_MS;
    int err;

    for (unsigned i = 0; i < sizeof(o->settings) / sizeof(*o->settings) && o->settings[i]; i++) {
        words[13 + 2 * i] = "--set";
        words[14 + 2 * i] = (char *)(uintptr_t)o->settings[i];
    }
    path_of(o, "data", "", data, sizeof(data));
    path_of(o, "server", ".log", log, sizeof(log));
    snprintf(address, sizeof(address), "node.address=" LAB_SUBNET "%u", o->node);
    if (o->cluster) {
        snprintf(name, sizeof(name), "node.name=cm%u", o->node);
        snprintf(cluster, sizeof(cluster), "cluster.servers=%s", o->cluster);
    } else {
        snprintf(name, sizeof(name), "node.name=lab");
        snprintf(cluster, sizeof(cluster), "dhcp.interfaces=eth0");
    }
    o->server.on_line = on_server_line;
    o->server.context = o;
    o->ready = false;
    err = child_start(&o->server, ns.s, log, words);
    while (!err && !o->ready && child_running(&o->server) && lab_now_ms() < end)
        children_read(list, 1, 100);
    if (!err && !o->ready)
        err = child_running(&o->server) ? -ETIMEDOUT : -ECHILD;
    return err;
}

void office_stop(struct office *o, int signal)
{
    child_stop(&o->server, signal);
    o->ready = false;
}

/* -- the administrator ---------------------------------------------------------------------- */

static int run_words(struct office *o, struct grow *output, bool json, const char *word,
                     va_list rest)
{
    struct lab_ns ns = network_node(o->network, o->node);
    char data[LAB_PATH + 32], *words[WORDS_MAX + 4];
    unsigned n = 0;

    path_of(o, "data", "", data, sizeof(data));
    while (word && n < WORDS_MAX) {
        words[n++] = (char *)(uintptr_t)word;
        word = va_arg(rest, const char *);
    }
    words[n++] = (char[]){"--data"};
    words[n++] = data;
    words[n] = json ? (char[]){"--json"} : NULL;
    words[n + 1] = NULL;
    return child_run(ns.s, output, words);
}

int office_do(struct office *o, const char *word, ...)
{
    struct grow output = {0};
    va_list rest;
    int status;

    va_start(rest, word);
    status = run_words(o, &output, false, word, rest);
    va_end(rest);
    if (status)
        printf("         dialtone %s …: status %d: %s\n", word, status, output.at ? output.at : "");
    grow_done(&output);
    return status;
}

json_t *office_ask(struct office *o, const char *word, ...)
{
    struct grow output = {0};
    json_t *answer = NULL;
    va_list rest;

    va_start(rest, word);
    if (run_words(o, &output, true, word, rest) == 0 && output.at)
        answer = json_loads(output.at, JSON_DISABLE_EOF_CHECK, NULL);
    va_end(rest);
    grow_done(&output);
    return answer;
}

static const char *string_of(const json_t *row, const char *field)
{
    const char *s = json_string_value(json_object_get(row, field));

    return s ? s : "";
}

const char *row_field(const json_t *rows, const char *name, const char *field)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) if (strcmp(string_of(row, "name"), name) ==
                                         0) return string_of(row, field);
    return "";
}

unsigned rows_count(const json_t *rows, const char *field, const char *value)
{
    unsigned n = 0;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) n += strcmp(string_of(row, field), value) == 0;
    return n;
}

const char *office_status(struct office *o, const char *device, char *to, size_t size)
{
    json_t *rows = office_ask(o, "status", "list", NULL);

    snprintf(to, size, "%s", row_field(rows, device, "status"));
    json_decref(rows);
    return to;
}
