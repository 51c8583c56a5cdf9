/* handset.c - one phone: what its keys mean, and the command line of `dialtone handset`; see
 * handset.h. */
#include "handset/boot/flash.h"
#include "handset/handset.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "handset/nic.h"
#include "io/process.h"

#define NOTICE_MS 4000 /* the phone's own notes go by themselves */

static bool has_keypad_setup(const struct handset *h)
{
    return h->kind.model->generation == MODEL_BUTTONS;
}

/* ---- what happens to the phone ---- */

static void add_message(struct handset *h, struct text t)
{
    struct handset_message *m = &h->messages[h->n_messages++ % HANDSET_MESSAGES];

    m->at_ms = runner_now_ms();
    text_copy(m->text, sizeof(m->text), t);
}

static void look_around(struct handset *h)
{
    const struct boot *b = h->runner.boot;

    if (!b)
        return;
    h->around.mask = b->network.mask;
    h->around.router = b->network.router;
    h->around.vlan = b->vlan_known ? (b->vlan ? b->vlan : 4095) : 4095;
    snprintf(h->around.neighbour, sizeof(h->around.neighbour), "%s", b->switch_name);
    snprintf(h->around.neighbour_port, sizeof(h->around.neighbour_port), "%s", b->switch_port);
    text_copy(h->kind.config_version, sizeof(h->kind.config_version),
              text_of(b->config.version_stamp));
    for (unsigned i = 0; i < PHONE_SERVERS; i++)
        h->around.dns_status[i] =
            i < b->n_servers ? (uint8_t)b->servers[i].dns : BOOT_DNS_NOT_NEEDED;
}

static void on_note(struct runner *r, const struct runner_note *n)
{
    struct handset *h = r->context;

    h->dirty = true;
    switch (n->event) {
    case RUNNER_STAGE:
        h->stage = (enum boot_stage)n->number;
        if (h->runner.comparing || h->stage >= BOOT_EXTRAS)
            break; /* the display goes on as it is */
        screen_status(&h->screen, h->stage == BOOT_NAMES && r->boot ? boot_lcd(r->boot)
                                                                    : boot_stage_lcd(h->stage));
        break;
    case RUNNER_STATUS:
        add_message(h, n->text);
        break;
    case RUNNER_BOOTED:
        look_around(h);
        break;
    case RUNNER_REBOOT:
        h->registered_ms = 0;
        screen_clear(&h->screen);
        break;
    case RUNNER_PHONE:
        if (n->number == PHONE_EVENT_REGISTERED)
            h->registered_ms = n->now_us / 1000;
        else if (n->number == PHONE_EVENT_LOST || n->number == PHONE_EVENT_LEFT)
            h->registered_ms = 0;
        if (n->number == PHONE_EVENT_RESET || n->number == PHONE_EVENT_RESTART)
            add_message(h, r->phone.reason == PHONE_REASON_USER_RESET
                               ? TEXT("Reset by the user")
                               : TEXT("Restart requested by Cisco Unified CM"));
        break;
    case RUNNER_LCD:
        break;
    }
    if (h->watch)
        h->watch(h, n);
}

static void on_frame(void *context, const uint8_t *frame, size_t len)
{
    struct handset *h = context;
    struct text dhcp = nic_udp_payload(frame, len, 68);

    if (dhcp.len)
        runner_dhcp(&h->runner, dhcp.at, dhcp.len);
    else if (len >= 14 && (frame[12] << 8 | frame[13]) != 0x0800)
        runner_frame(&h->runner, frame, len);
}

/* ---- keys ---- */

static int store(struct handset *h, const struct network *n)
{
    h->flash = h->runner.stored = *n;
    if (h->options.state)
        flash_store(h->options.state, n); /* says itself what failed; the phone goes on with it */
    runner_leave(&h->runner, PHONE_EVENT_RESET);
    return 0;
}

static int after_menu(struct handset *h, enum menu_result result)
{
    struct network factory = network_factory();

    switch (result) {
    case MENU_STAYS:
    case MENU_CLOSED:
        break;
    case MENU_SAVED:
        return store(h, &h->menu.draft);
    case MENU_RESET:
        runner_leave(&h->runner, PHONE_EVENT_RESET);
        break;
    case MENU_ERASED:
        return store(h, &factory);
    }
    return 0;
}

static struct menu_view view_of(const struct handset *h, char (*copies)[96])
{
    struct menu_view v = {.now = h->runner.boot ? &h->runner.boot->network : &h->flash,
                          .boot = h->runner.boot,
                          .load = h->kind.load,
                          .mac = h->runner.mac,
                          .messages = (const char(*)[96])copies};

    v.n_messages = h->n_messages < HANDSET_MESSAGES ? h->n_messages : HANDSET_MESSAGES;
    return v;
}

static int menu_press(struct handset *h, enum handset_key key, unsigned n)
{
    char copies[HANDSET_MESSAGES][96];
    struct menu_view v = view_of(h, copies);
    static const char keys[N_HANDSET_KEYS] = {[HANDSET_UP] = 'U',
                                              [HANDSET_DOWN] = 'D',
                                              [HANDSET_SELECT] = 'S',
                                              [HANDSET_BACK] = 'B',
                                              [HANDSET_SETTINGS] = 'B'};

    if (key == HANDSET_SOFTKEY)
        return after_menu(h, menu_softkey(&h->menu, &v, n - 1));
    if (key == HANDSET_DIGIT) {
        if (!h->menu.editing)
            runner_keypad(&h->runner, (char)n); /* the server hears the keys of `**#**` too */
        return after_menu(h, menu_key(&h->menu, &v, (char)n));
    }
    return keys[key] ? after_menu(h, menu_key(&h->menu, &v, keys[key])) : -EINVAL;
}

static int keypad_press(struct handset *h, char key)
{
    const struct network *now = h->runner.boot ? &h->runner.boot->network : &h->flash;
    enum keypad_page before = h->keypad.page;
    struct network shown = *now;

    shown.dhcp = h->flash.dhcp;
    switch (keypad_setup_key(&h->keypad, &shown, h->runner.mac, key)) {
    case KEYPAD_PROGRAMMED: {
        struct network draft = h->keypad.draft;

        keypad_setup_init(&h->keypad);
        return store(h, &draft);
    }
    case KEYPAD_DROPPED:
        runner_leave(&h->runner, PHONE_EVENT_RESET);
        return 0;
    case KEYPAD_STAYS:
    case KEYPAD_LEFT:
        break;
    }
    return before == KEYPAD_CLOSED && h->keypad.page == KEYPAD_CLOSED
               ? runner_keypad(&h->runner, key)
               : 0;
}

static int softkey_press(struct handset *h, unsigned n)
{
    struct screen *s = &h->screen;
    unsigned room = h->kind.model->softkeys,
             per_page = s->n_softkeys > room && room ? room - 1 : room;
    unsigned at = s->softkey_page * per_page + n - 1;

    if (!room || !n || n > room)
        return -EINVAL;
    if (s->n_softkeys > room && n == room) {
        s->softkey_page =
            (s->softkey_page + 1u) * per_page < s->n_softkeys ? s->softkey_page + 1 : 0;
        return 0;
    }
    return at < s->n_softkeys ? runner_softkey(&h->runner, s->softkeys[at].event) : -EINVAL;
}

/* What these keys open lies on a web server; the phone shows what it would ask for. */
static int show_page(struct handset *h, enum handset_key key)
{
    const struct boot *b = h->runner.boot;
    bool services = key == HANDSET_SERVICES;
    const char *url = !b ? "" : services ? b->config.services_url : b->config.directory_url;

    if (!h->kind.model->softkeys)
        return -EINVAL;
    snprintf(h->screen.notify, sizeof(h->screen.notify), "%.100s",
             *url       ? url
             : services ? "No services configured"
                        : "No directories configured");
    h->screen.notify_until_ms = runner_now_ms() + NOTICE_MS;
    runner_watch_display(&h->runner);
    return 0;
}

static int stimulus_press(struct handset *h, enum handset_key key)
{
    /* clang-format off */
    static const uint8_t buttons[N_HANDSET_KEYS] = {
        [HANDSET_HOLD] = SCCP_BUTTON_HOLD,         [HANDSET_TRANSFER] = SCCP_BUTTON_TRANSFER,
        [HANDSET_CONFERENCE] = SCCP_BUTTON_CONFERENCE, [HANDSET_REDIAL] = SCCP_BUTTON_REDIAL,
        [HANDSET_MESSAGES_KEY] = SCCP_BUTTON_VOICEMAIL,
    };
    /* clang-format on */

    return buttons[key] ? runner_stimulus(&h->runner, buttons[key], 1) : -EINVAL;
}

int handset_press(struct handset *h, enum handset_key key, unsigned n)
{
    const struct screen_key *k;

    h->dirty = true;
    if (key == HANDSET_PLUG) {
        handset_power(h, !h->powered);
        return 0;
    }
    if (!h->powered)
        return -ENOTCONN;
    if (menu_is_open(&h->menu))
        return menu_press(h, key, n);
    switch (key) {
    case HANDSET_DIGIT:
        return has_keypad_setup(h) ? keypad_press(h, (char)n) : runner_keypad(&h->runner, (char)n);
    case HANDSET_LINE:
        k = n && n <= h->screen.n_keys ? &h->screen.keys[n - 1] : NULL;
        return k ? runner_stimulus(&h->runner, k->feature, k->instance) : -EINVAL;
    case HANDSET_SOFTKEY:
        return softkey_press(h, n);
    case HANDSET_HOOK:
        return runner_hook(&h->runner, !h->screen.off_hook);
    case HANDSET_SPEAKER:
        return runner_hook(&h->runner, !h->screen.off_hook);
    case HANDSET_SETTINGS:
        if (has_keypad_setup(h) || h->kind.model->quirks & MODEL_NO_DISPLAY)
            return -EINVAL;
        menu_open(&h->menu, &h->flash);
        return 0;
    case HANDSET_SERVICES:
    case HANDSET_DIRECTORIES:
        return show_page(h, key);
    default:
        return stimulus_press(h, key);
    }
}

/* ---- beginning and end ---- */

void handset_power(struct handset *h, bool on)
{
    if (on == h->powered)
        return;
    h->powered = on;
    h->registered_ms = 0;
    keypad_setup_init(&h->keypad);
    menu_init(&h->menu, h->kind.model);
    screen_init(&h->screen, h->kind.model);
    if (on)
        runner_power_on(&h->runner);
    else
        runner_power_off(&h->runner);
}

static int open_interface(struct handset *h)
{
    char error[160];
    int err =
        nic_open(&h->loop, h->options.interface, on_frame, h, &h->site.nic, error, sizeof(error));

    if (err) {
        fprintf(stderr, "dialtone handset: %s\n", error);
        return err;
    }
    if (!mac_number(h->options.first_mac))
        h->options.first_mac = nic_mac(h->site.nic);
    else if (!h->options.keep_mac && !mac_equal(nic_mac(h->site.nic), h->options.first_mac)) {
        err = nic_set_mac(h->site.nic, h->options.first_mac);
        if (err)
            fprintf(stderr, "dialtone handset: %s keeps its own MAC address: %s\n",
                    h->options.interface, strerror(-err));
    }
    return 0;
}

int handset_open(struct handset *h, const struct phone_options *options)
{
    int err;

    *h = (struct handset){.options = *options};
    uv_loop_init(&h->loop);
    if ((err = runner_site_init(&h->site, &h->loop)) < 0)
        return err;
    if (options->interface && (err = open_interface(h)) < 0)
        return err;
    h->site.files = !options->no_files;
    h->site.on_wire = options->interface != NULL;
    h->site.server = options->server;
    h->site.backup = options->backup;
    h->site.file_port = options->file_port;
    h->site.http_port = options->http_port;
    h->site.sccp_port = options->sccp_port;
    h->site.sip_port = options->sip_port;
    h->site.keep_boot = true;
    h->site.note = on_note;
    if ((err = phone_options_kind(&h->options, 0, &h->kind)) < 0)
        return err;
    h->flash = network_factory();
    if (!h->site.on_wire) {
        h->flash.dhcp = false;
        h->flash.address = options->source;
        h->flash.tftp[0] = options->server;
    }
    if (options->state && (err = flash_load(options->state, &h->flash)) < 0 && err != -ENOENT)
        return err;
    screen_init(&h->screen, h->kind.model);
    menu_init(&h->menu, h->kind.model);
    runner_init(&h->runner, &h->site, &h->kind, h->options.first_mac, &h->flash);
    h->runner.context = h;
    h->runner.phone.screen = &h->screen;
    h->runner.phone.around = &h->around;
    h->begun_ms = runner_now_ms();
    return 0;
}

static void on_walk(uv_handle_t *handle, void *context)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void handset_close(struct handset *h)
{
    h->site.note = NULL;
    if (h->runner.site)
        runner_done(&h->runner);
    phone_kind_done(&h->kind);
    nic_close(h->site.nic);
    runner_site_done(&h->site);
    uv_walk(&h->loop, on_walk, NULL);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    uv_loop_close(&h->loop);
}

const char *handset_state(const struct handset *h)
{
    if (!h->powered)
        return "off";
    if (h->runner.phone.state != PHONE_OFF)
        return phone_state_name((enum phone_state)h->runner.phone.state);
    return boot_stage_name(h->stage);
}

/* ---- command line ---- */

static void usage(FILE *to)
{
    fputs(
        "usage: dialtone handset [--interface NAME | --server ADDRESS] [option …]\n"
        "  --model NAME       7960, 7975, 12SP+ … (7960)\n"
        "  --mac MAC          of the phone (001122000001; with --interface that of the interface)\n"
        "  --interface NAME   boot on it as a phone does: CDP, DHCP, TFTP (needs CAP_NET_RAW and "
        "CAP_NET_ADMIN)\n"
        "  --keep-mac         leave the interface its MAC address\n"
        "  --clock-rate N     the phone's clock runs N times as fast (1): its own timers are "
        "through\n"
        "                     sooner, for tests\n"
        "  --server ADDRESS   TFTP server; without --interface nothing else is needed\n"
        "  --source ADDRESS   own address (127.64.0.1 when the server is on loopback)\n"
        "  --protocol NAME    sccp or sip (what the model speaks first)\n"
        "  --transport NAME   of SIP: udp, tcp, tls (as the file says)\n"
        "  --file-port N, --http-port N, --sccp-port N, --sip-port N\n"
        "  --user NAME, --password WORDS\n"
        "                     of SIP without files: address of record and digest user\n"
        "  --no-files         register at once with --server, without reading files\n"
        "  --backup ADDRESS   of a second server: of files, or, without files, of calls\n"
        "  --load NAME        the load that runs (the model's last)\n"
        "  --fault LIST       what the phone does wrong; `--fault help` lists them\n"
        "  --state FILE       keeps what is set on the phone; what stands there beats the options\n"
        "  --headless         no terminal: one line for each thing that happens\n"
        "  --json             the same for programs\n"
        "  --remote           keys as JSON lines from standard input, the picture as JSON lines:\n"
        "                     {\"key\": \"softkey\", \"n\": 1}; ends with its input\n"
        "  --script FILE      keys to press and things to wait for, - for standard input\n"
        "  --duration S       unplug after so long\n",
        to);
}

struct ways {
    bool headless, remote;
    uint32_t duration_s;
};

/* 0; 1: it asked for help and has it; -EINVAL after a message. */
static int read_options(int argc, char **argv, struct phone_options *o, struct ways *w)
{
    static const struct option longs[] = {PHONE_LONG_OPTIONS,
                                          {"headless", no_argument, NULL, 'H'},
                                          {"remote", no_argument, NULL, 'r'},
                                          {"duration", required_argument, NULL, 'd'},
                                          {"state", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c, at;

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, &at)) != -1) {
        if (c == 'h') {
            usage(stdout);
            return 1;
        }
        if (c == 'H')
            w->headless = true;
        else if (c == 'r')
            w->remote = true;
        else if (c == 's')
            o->state = optarg;
        else if ((c == 'd' && text_to_u32(text_of(optarg), 10, &w->duration_s) < 0) ||
                 (c == 1000 && phone_option(o, "handset", longs[at].name, optarg) < 0) ||
                 c == '?') {
            fputs("try: dialtone handset --help\n", stderr);
            return -EINVAL;
        }
    }
    if (optind == argc && phone_options_finish(o, "handset") == 0)
        return 0;
    usage(stderr);
    return -EINVAL;
}

int handset_main(int argc, char **argv)
{
    struct phone_options o = PHONE_OPTIONS_NONE;
    struct ways w = {0};
    int status = read_options(argc, argv, &o, &w);
    struct handset *h;

    if (status)
        return status < 0 ? 2 : 0;
    signal(SIGPIPE, SIG_IGN);
    runner_set_clock_rate(o.clock_rate);
    w.headless |= o.json || o.script || !isatty(STDOUT_FILENO);
    h = calloc(1, sizeof(*h));
    if (!h)
        return 1;
    status = handset_open(h, &o) < 0;
    if (!status)
        status = w.remote     ? remote_run(h)
                 : w.headless ? headless_run(h, o.json, w.duration_s)
                              : terminal_run(h);
    handset_close(h);
    free(h);
    return status;
}
