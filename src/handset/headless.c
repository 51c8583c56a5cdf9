/* headless.c - a phone without a terminal: what happens as lines, keys from a script; see
 * handset.h. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "handset/handset.h"
#include "handset/script.h"

struct headless {
    struct handset *handset;
    struct script *script; /* NULL: none */
    bool json, ending;
    int status;
    uv_timer_t beat, end, over;
    uv_signal_t interrupt, terminate;
    char shown[LCD_ROWS][LCD_COLUMNS * 4 + 1]; /* the display as printed last */
    unsigned n_shown;
};

static void print_event(struct headless *hl, const char *event, const char *what, const char *words)
{
    uint64_t ms = runner_now_ms() - hl->handset->begun_ms;
    json_t *line;

    if (!hl->json) {
        printf("%8.3f  %-8s %s%s%s\n", (double)ms / 1e3, event, what, *what && *words ? "  " : "",
               words);
        fflush(stdout);
        return;
    }
    line = json_pack("{s:I,s:s,s:s}", "ms", (json_int_t)ms, "event", event, "device",
                     hl->handset->runner.phone.name.s);
    if (*what)
        json_object_set_new(line, "what", json_string(what));
    if (*words)
        json_object_set_new(line, "text", json_string(words));
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(line);
}

/* Rows that changed since they were printed; what the clock does is no event. */
static void print_display(struct headless *hl, bool all)
{
    struct lcd lcd;
    char row[LCD_COLUMNS * 4 + 1];

    handset_lcd(hl->handset, &lcd);
    for (unsigned i = 0; i < lcd.rows; i++) {
        struct text t = text_trim(text_of(lcd.text[i]));

        if (!all && i < hl->n_shown && strcmp(lcd.text[i], hl->shown[i]) == 0)
            continue;
        if (!all && i == 0 && lcd.rows > 2)
            continue;
        text_copy(row, sizeof(row), t);
        if (*row || (i < hl->n_shown && *hl->shown[i]))
            print_event(hl, "lcd", "", row);
    }
    memcpy(hl->shown, lcd.text, sizeof(hl->shown));
    hl->n_shown = lcd.rows;
    if (!all || !lcd.n_softkeys)
        return;
    row[0] = 0;
    for (unsigned i = 0; i < lcd.n_softkeys; i++)
        snprintf(row + strlen(row), sizeof(row) - strlen(row), "[%s] ", lcd.softkeys[i]);
    print_event(hl, "softkeys", "", row);
}

static const char *phone_event_name(uint32_t event)
{
    static const char *const names[] = {"opening",    "opened",    "asked",   "acknowledged",
                                        "registered", "rejected",  "lost",    "left",
                                        "reset",      "restart",   "apply",   "load",
                                        "no-server",  "keepalive", "standby", "reread"};

    return event < sizeof(names) / sizeof(names[0]) ? names[event] : "?";
}

static void on_note(struct handset *h, const struct runner_note *n)
{
    struct headless *hl = h->watcher;
    char words[160] = "", ip[IP_TEXT_MAX];

    text_copy(words, sizeof(words), n->text);
    switch (n->event) {
    case RUNNER_STAGE:
        print_event(hl, "stage", boot_stage_name((enum boot_stage)n->number), "");
        break;
    case RUNNER_STATUS:
        print_event(hl, "status", "", words);
        break;
    case RUNNER_BOOTED:
        if (h->runner.boot)
            snprintf(words, sizeof(words), "%s", ip_print(h->runner.boot->network.address, ip));
        print_event(hl, "booted", "", words);
        break;
    case RUNNER_REBOOT:
        print_event(hl, "boot", "", "");
        break;
    case RUNNER_PHONE:
        if (n->number == PHONE_EVENT_LOST)
            snprintf(words, sizeof(words), "%s", phone_reason_words(n->detail));
        if (n->number == PHONE_EVENT_KEEPALIVE)
            snprintf(words, sizeof(words), "%u ms", n->detail);
        print_event(hl, "phone", phone_event_name(n->number), words);
        break;
    case RUNNER_LCD:
        break;
    }
}

static void on_over(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void end(struct headless *hl)
{
    if (hl->ending) {
        uv_stop(&hl->handset->loop);
        return;
    }
    hl->ending = true;
    runner_leave(&hl->handset->runner, PHONE_EVENT_LEFT);
    uv_timer_start(&hl->over, on_over, 300, 0);
}

static void on_end(uv_timer_t *timer)
{
    end(timer->data);
}

static void on_signal(uv_signal_t *signal, int number)
{
    end(signal->data);
}

static void on_beat(uv_timer_t *timer)
{
    struct headless *hl = timer->data;
    struct script_step step;

    if (hl->handset->dirty)
        print_display(hl, false);
    hl->handset->dirty = false;
    if (!hl->script || hl->ending)
        return;
    while (script_next(hl->script, hl->handset, runner_now_ms(), &step)) {
        if (step.kind == SCRIPT_SHOW)
            print_display(hl, true);
        else if (step.kind == SCRIPT_SAY)
            print_event(hl, "script", "", step.words);
        else if (step.kind == SCRIPT_FAILED) {
            print_event(hl, "failed", "", step.words);
            hl->status = 1;
        }
        if (step.kind == SCRIPT_FAILED || step.kind == SCRIPT_END) {
            end(hl);
            return;
        }
    }
}

static void start(struct headless *hl, uint32_t duration_s)
{
    uv_loop_t *loop = &hl->handset->loop;
    uv_timer_t *timers[] = {&hl->beat, &hl->end, &hl->over};
    uv_signal_t *signals[] = {&hl->interrupt, &hl->terminate};

    for (unsigned i = 0; i < 3; i++) {
        uv_timer_init(loop, timers[i]);
        timers[i]->data = hl;
    }
    for (unsigned i = 0; i < 2; i++) {
        uv_signal_init(loop, signals[i]);
        signals[i]->data = hl;
        uv_signal_start(signals[i], on_signal, i ? SIGTERM : SIGINT);
    }
    uv_timer_start(&hl->beat, on_beat, 10, 20);
    if (duration_s)
        uv_timer_start(&hl->end, on_end, duration_s * 1000ull, 0);
}

int headless_run(struct handset *h, bool json, uint32_t duration_s)
{
    struct headless hl = {.handset = h, .json = json};

    if (h->options.script && !(hl.script = script_load(h->options.script))) {
        fprintf(stderr, "dialtone handset: %s: %s\n", h->options.script, strerror(errno));
        return 2;
    }
    h->watcher = &hl;
    h->watch = on_note;
    start(&hl, duration_s);
    handset_power(h, true);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    script_free(hl.script);
    h->watch = NULL;
    uv_close((uv_handle_t *)&hl.beat, NULL);
    uv_close((uv_handle_t *)&hl.end, NULL);
    uv_close((uv_handle_t *)&hl.over, NULL);
    uv_close((uv_handle_t *)&hl.interrupt, NULL);
    uv_close((uv_handle_t *)&hl.terminate, NULL);
    uv_run(&h->loop, UV_RUN_NOWAIT);
    return hl.status;
}
