/* stage.c - what scenarios play on; see scenario.h. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lab/scenario.h"

#define FIRST_MAC 0x001d0000 /* 00:1D:xx…: upper half of the phones' addresses */

int stage_open(struct stage *s, const char *name, const char *folder)
{
    int err;

    memset(s, 0, sizeof(*s));
    s->begun_ms = lab_now_ms();
    snprintf(s->folder, sizeof(s->folder), "%s", folder);
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return -errno;
    err = network_up(&s->network, name);
    if (!err)
        err = office_open(&s->office, &s->network, folder);
    if (!err)
        stage_capture(s, network_server(&s->network), "server");
    return err;
}

void stage_close(struct stage *s)
{
    for (unsigned i = 0; i < s->n_phones; i++)
        stage_power(s, &s->phones[i], false);
    office_stop(&s->office, SIGTERM);
    stage_end_captures(s);
    switch_close(s->wire);
    s->wire = NULL;
    network_down(s->network.name);
}

void stage_end_captures(struct stage *s)
{
    for (unsigned i = 0; i < s->n_sniffers; i++)
        sniffer_close(s->sniffers[i]);
    s->n_sniffers = 0;
}

void stage_capture(struct stage *s, struct lab_ns ns, const char *name)
{
    char *path = s->captures[s->n_sniffers];
    int err;

    if (s->n_sniffers == STAGE_SNIFFERS_MAX)
        return;
    snprintf(path, sizeof(s->captures[0]), "%s/%s.pcap", s->folder, name);
    err = sniffer_open(ns.s, "eth0", path, &s->sniffers[s->n_sniffers]);
    if (err)
        stage_expect(s, false, "capture of %s: %s", ns.s, strerror(-err));
    else
        s->n_sniffers++;
}

/* -- words ---------------------------------------------------------------------------------- */

static void say(struct stage *s, const char *mark, const char *format, va_list args)
{
    uint64_t ms = lab_now_ms() - s->begun_ms;

    printf("%4u.%03u %s", (unsigned)(ms / 1000), (unsigned)(ms % 1000), mark);
    vprintf(format, args);
    putchar('\n');
    fflush(stdout);
}

void stage_say(struct stage *s, const char *format, ...)
{
    va_list args;

    if (s->quiet)
        return;
    va_start(args, format);
    say(s, "", format, args);
    va_end(args);
}

bool stage_expect(struct stage *s, bool truth, const char *format, ...)
{
    va_list args;

    s->checks++;
    s->failures += !truth;
    if (s->quiet && truth)
        return true;
    va_start(args, format);
    say(s, truth ? "  yes: " : "  NO:  ", format, args);
    va_end(args);
    return truth;
}

/* -- phones --------------------------------------------------------------------------------- */

static void on_phone_line(struct child *c, const char *line)
{
    struct stage_phone *p = c->context;

    snprintf(p->last, sizeof(p->last), "%s", line);
    p->n_awaited += p->awaited && strstr(line, p->awaited);
}

struct stage_phone *stage_add_phone(struct stage *s, const char *model, const char *protocol)
{
    struct stage_phone *p = &s->phones[s->n_phones];
    char name[16];

    if (s->n_phones == LAB_PHONES_MAX)
        return NULL;
    memset(p, 0, sizeof(*p));
    p->process.out = p->process.log = -1;
    p->model = model;
    p->protocol = protocol;
    p->mac = mac_of_number((uint64_t)FIRST_MAC << 16 | (s->n_phones + 1));
    p->name = device_name_of_mac(p->mac);
    if (network_add_phone(&s->network, p->mac) < 0 ||
        (s->wire && switch_add_phone(s->wire, &s->network, s->network.n_phones) < 0)) {
        stage_expect(s, false, "a namespace for phone %u", s->n_phones + 1);
        return NULL;
    }
    p->port = s->network.n_phones;
    snprintf(name, sizeof(name), "phone%u", p->port);
    if (s->n_sniffers < STAGE_SNIFFERS_MAX)
        stage_capture(s, network_phone(&s->network, p->port), name);
    s->n_phones++;
    return p;
}

int stage_power(struct stage *s, struct stage_phone *p, bool on)
{
    char mac[MAC_TEXT_MAX], log[LAB_PATH + 32], rate[12];
    char *words[12 + sizeof(p->more) / sizeof(*p->more) + 1] = {"handset",
                                                                "--headless",
                                                                p->typed_address ? "--source"
                                                                                 : "--interface",
                                                                p->translated      ? LAB_INSIDE
                                                                : p->typed_address ? LAB_TYPED
                                                                                   : "eth0",
                                                                "--model",
                                                                (char *)(uintptr_t)p->model,
                                                                "--protocol",
                                                                (char *)(uintptr_t)p->protocol,
                                                                "--mac",
                                                                mac,
                                                                "--clock-rate",
                                                                rate};
    struct lab_ns ns = network_phone(&s->network, p->port);

    if (!on) {
        child_stop(&p->process, SIGKILL); /* as when the plug is pulled */
        return 0;
    }
    if (p->typed_address &&
        network_set_address(&s->network, ns, p->translated ? LAB_INSIDE "/24" : LAB_TYPED "/24") <
            0)
        return -EIO;
    if (p->translated && network_set_router(ns, LAB_ROUTER) < 0)
        return -EIO;
    for (size_t i = 0; i < sizeof(p->more) / sizeof(*p->more) && p->more[i]; i++)
        words[12 + i] = (char *)(uintptr_t)p->more[i];
    mac_print(p->mac, mac);
    snprintf(rate, sizeof(rate), "%u", s->clock_rate ? s->clock_rate : 1);
    snprintf(log, sizeof(log), "%s/phone%u.log", s->folder, p->port);
    p->process.on_line = on_phone_line;
    p->process.context = p;
    return child_start(&p->process, ns.s, log, words);
}

/* -- waiting -------------------------------------------------------------------------------- */

void stage_turn(struct stage *s, unsigned ms)
{
    struct child *list[LAB_PHONES_MAX + STAGE_WATCHED_MAX + 1];
    unsigned n = 0;

    list[n++] = &s->office.server;
    for (unsigned i = 0; i < s->n_phones; i++)
        list[n++] = &s->phones[i].process;
    for (unsigned i = 0; i < s->n_watched; i++)
        list[n++] = s->watched[i];
    children_read(list, n, ms);
}

void stage_watch(struct stage *s, struct child *c)
{
    if (s->n_watched < STAGE_WATCHED_MAX)
        s->watched[s->n_watched++] = c;
}

bool stage_wait(struct stage *s, unsigned timeout_ms, bool (*done)(struct stage *s, void *context),
                void *context)
{
    uint64_t now = lab_now_ms(), end = now + timeout_ms, next = now;
    bool truth = false;

    while (!truth && now < end) {
        if (now >= next) {
            truth = done(s, context);
            next = lab_now_ms() + 100;
        }
        if (!truth)
            stage_turn(s, 50);
        now = lab_now_ms();
    }
    return truth;
}

struct wish {
    const struct stage_phone *phone;
    const char *status;
};

static bool has_status(struct stage *s, void *context)
{
    struct wish *w = context;
    char status[32];

    return strcmp(office_status(&s->office, w->phone->name.s, status, sizeof(status)), w->status) ==
           0;
}

bool stage_wait_status(struct stage *s, const struct stage_phone *p, const char *status,
                       unsigned timeout_ms)
{
    struct wish w = {p, status};
    bool truth = stage_wait(s, timeout_ms, has_status, &w);

    return stage_expect(s, truth, "%s (%s) is %s", p->name.s, p->model, status);
}
