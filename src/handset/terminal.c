/* terminal.c - the phone in a terminal: reads keys, keeps the picture fresh, gives the terminal
 * back on every way out; see handset.h. The picture itself is drawn by picture.c. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "handset/picture.h"

#define BEAT_MS 250 /* lamps blink and the clock moves */

struct terminal {
    struct handset *handset;
    struct picture picture;
    uv_poll_t keys;
    uv_timer_t beat, over;
    uv_signal_t signals[4];
    bool ending;
};

static struct termios saved;
static volatile sig_atomic_t drawing;

/* Whatever kills the program: the terminal is put right first. Only what a signal handler may do.
 */
static void on_fatal(int number)
{
    static const char leave[] = "\033[0m\033[?1049l\033[?25h\r\n";

    if (drawing) {
        drawing = 0;
        if (write(STDOUT_FILENO, leave, sizeof(leave) - 1) < 0)
            _exit(128 + number);
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void close_screen(void)
{
    if (!drawing)
        return;
    drawing = 0;
    picture_close();
}

static int open_screen(void)
{
    static const int fatal[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT};

    setlocale(LC_ALL, "");
    if (tcgetattr(STDIN_FILENO, &saved) < 0)
        return -errno;
    if (picture_open() < 0)
        return -ENOTTY;
    drawing = 1;
    atexit(close_screen);
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        signal(fatal[i], on_fatal);
    return 0;
}

static void on_over(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void end(struct terminal *t)
{
    if (t->ending) {
        uv_stop(&t->handset->loop);
        return;
    }
    t->ending = true;
    runner_leave(&t->handset->runner, PHONE_EVENT_LEFT);
    uv_timer_start(&t->over, on_over, 300, 0);
}

static void refresh_picture(struct terminal *t)
{
    picture_draw(&t->picture, t->handset);
    t->handset->dirty = false;
}

static void on_beat(uv_timer_t *timer)
{
    struct terminal *t = timer->data;

    t->picture.beat++;
    refresh_picture(t);
}

static void on_keys(uv_poll_t *poll, int status, int events)
{
    struct terminal *t = poll->data;
    struct picture_key key;

    if (status < 0) { /* the terminal is gone */
        end(t);
        return;
    }
    while (picture_read(&t->picture, t->handset, &key)) {
        if (key.quit) {
            end(t);
            return;
        }
        picture_say(&t->picture, handset_press(t->handset, key.key, key.n));
    }
    if (picture_is_gone())
        end(t);
    refresh_picture(t);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct terminal *t = signal->data;

    if (number == SIGWINCH) {
        picture_resize();
        refresh_picture(t);
        return;
    }
    end(t);
}

static void start(struct terminal *t)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    uv_loop_t *loop = &t->handset->loop;

    uv_poll_init(loop, &t->keys, STDIN_FILENO);
    t->keys.data = t;
    uv_poll_start(&t->keys, UV_READABLE | UV_DISCONNECT, on_keys);
    uv_timer_init(loop, &t->over);
    uv_timer_init(loop, &t->beat);
    t->beat.data = t;
    uv_timer_start(&t->beat, on_beat, 0, BEAT_MS);
    for (unsigned i = 0; i < 4; i++) {
        uv_signal_init(loop, &t->signals[i]);
        t->signals[i].data = t;
        uv_signal_start(&t->signals[i], on_signal, numbers[i]);
    }
}

int terminal_run(struct handset *h)
{
    struct terminal t = {.handset = h};

    if (open_screen() < 0)
        return headless_run(h, false, 0); /* not a terminal that can be drawn on */
    picture_init(&t.picture, h);
    start(&t);
    handset_power(h, true);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    close_screen();
    uv_close((uv_handle_t *)&t.keys, NULL);
    uv_close((uv_handle_t *)&t.beat, NULL);
    uv_close((uv_handle_t *)&t.over, NULL);
    for (unsigned i = 0; i < 4; i++)
        uv_close((uv_handle_t *)&t.signals[i], NULL);
    uv_run(&h->loop, UV_RUN_NOWAIT);
    return 0;
}
