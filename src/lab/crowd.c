#include "lab/crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int crowd_open(struct crowd *c, const char *folder)
{
    c->process.out = c->process.log = -1;
    snprintf(c->events_path, sizeof(c->events_path), "%s/%s.events", folder, c->protocol);
    unlink(c->events_path);
    c->events_file = open(c->events_path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    c->server = calloc(c->count, 1);
    c->standby = calloc(c->count, 1);
    c->at[0] = c->count;
    if (c->events_file < 0)
        return -errno;
    return c->server && c->standby ? 0 : -ENOMEM;
}

int crowd_start(struct crowd *c, const char *folder, const char *server, const char *backup)
{
    char mac[MAC_TEXT_MAX], log[LAB_PATH + 32], count[16], rate[16];
    char *words[] = {"fleet",
                     "--server",
                     (char *)(uintptr_t)server,
                     "--backup",
                     (char *)(uintptr_t)backup,
                     "--protocol",
                     (char *)(uintptr_t)c->protocol,
                     "--model",
                     (char *)(uintptr_t)c->models,
                     "--count",
                     count,
                     "--first-mac",
                     mac,
                     "--ramp",
                     "500",
                     "--clock-rate",
                     rate,
                     "--events",
                     c->events_path,
                     "--duration",
                     "86400",
                     "--vanish",
                     NULL};

    mac_print(c->first_mac, mac);
    snprintf(count, sizeof(count), "%u", c->count);
    snprintf(rate, sizeof(rate), "%u", c->clock_rate);
    snprintf(log, sizeof(log), "%s/%s.log", folder, c->protocol);
    return child_start(&c->process, c->ns.s, log, words);
}

/* -- events --------------------------------------------------------------------------------- */

static enum crowd_what what_of(const char *word)
{
    static const struct {
        const char *word;
        enum crowd_what what;
    } rows[] = {{"asked", CROWD_ASKED},    {"registered", CROWD_REGISTERED},
                {"lost", CROWD_LOST},      {"left", CROWD_GONE},
                {"reset", CROWD_GONE},     {"restart", CROWD_GONE},
                {"standby", CROWD_STANDBY}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strcmp(word, rows[i].word) == 0)
            return rows[i].what;
    return CROWD_OTHER;
}

static void place(struct crowd *c, const struct crowd_event *e)
{
    uint8_t *at = &c->server[e->phone];

    if (e->what == CROWD_STANDBY && !c->standby[e->phone]) {
        c->standby[e->phone] = 1;
        c->n_standby++;
    }
    if (e->what == CROWD_STANDBY || e->what == CROWD_OTHER)
        return;
    c->at[*at]--;
    *at = e->what == CROWD_REGISTERED ? e->server : 0;
    c->at[*at]++;
}

static void add(struct crowd *c, const char *line)
{
    unsigned long long us;
    unsigned phone, server;
    char word[24];
    struct crowd_event e;

    if (sscanf(line, "%llu,%u,%23[^,],%u", &us, &phone, word, &server) != 4 || phone >= c->count ||
        server > LAB_NODES_MAX)
        return;
    if (c->n_events == c->room) {
        size_t room = c->room ? 2 * c->room : 4096;
        struct crowd_event *more = realloc(c->events, room * sizeof(*more));

        if (!more)
            return;
        c->events = more;
        c->room = room;
    }
    e = (struct crowd_event){us, phone, (uint8_t)what_of(word), (uint8_t)server};
    c->events[c->n_events++] = e;
    place(c, &e);
}

void crowd_read(struct crowd *c)
{
    char bytes[8192];
    ssize_t n;

    while ((n = read(c->events_file, bytes, sizeof(bytes))) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (bytes[i] != '\n') {
                if (c->n_partial < sizeof(c->partial) - 1)
                    c->partial[c->n_partial++] = bytes[i];
                continue;
            }
            c->partial[c->n_partial] = '\0';
            c->n_partial = 0;
            add(c, c->partial);
        }
}

void crowd_close(struct crowd *c)
{
    if (c->process.pid)
        child_stop(&c->process, SIGINT);
    if (c->events_file >= 0)
        close(c->events_file);
    free(c->events);
    free(c->server);
    free(c->standby);
    *c = (struct crowd){.events_file = -1};
}

void crowd_list(const struct crowd *c, FILE *f, unsigned number)
{
    char models[64], *names[8], *rest = models;
    unsigned n = 0;

    snprintf(models, sizeof(models), "%s", c->models);
    while (n < 8 && (names[n] = strsep(&rest, ",")))
        n++;
    for (unsigned i = 0; i < c->count; i++)
        fprintf(f, "%s,%s,%s,%u\n",
                device_name_of_mac(mac_of_number(mac_number(c->first_mac) + i)).s, names[i % n],
                c->protocol, number + i);
}
