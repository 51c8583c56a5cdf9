/* remote.c - a phone whose keys and display are elsewhere: a JSON line on standard input for each
 * key, one on standard output whenever the picture is another; see handset.h.
 *
 *   {"key": "softkey", "n": 1}     names as in a script's `press`; also "digit" with n "0".."9",
 * "*", "#", and "plug"
 *
 * It ends with its standard input: nobody is left who could press a key. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>

#include "handset/script.h"

#define BEAT_MS    50
#define IDLE_BEATS 20 /* the clock of an idle phone moves too */
#define ORDER_MAX  512
#define MESSAGES   5

struct remote {
    struct handset *handset;
    uv_pipe_t input;
    uv_timer_t beat, over;
    uv_signal_t terminate;
    char line[ORDER_MAX];
    size_t len;
    unsigned beats;
    char *shown; /* the picture as printed last */
    char said[96];
    bool ending;
};

static const char *lamp_name(uint8_t lamp)
{
    switch (lamp) {
    case SCCP_LAMP_ON:
        return "on";
    case SCCP_LAMP_WINK:
        return "wink";
    case SCCP_LAMP_FLASH:
        return "flash";
    case SCCP_LAMP_BLINK:
        return "blink";
    default:
        return "off";
    }
}

/* --- the picture --- */

static json_t *text_json(const char *words)
{
    json_t *text = json_string(words);

    return text ? text
                : json_string("?"); /* no UTF-8: a load or server that speaks something else */
}

static json_t *rows_json(const struct lcd *l)
{
    json_t *rows = json_array();

    for (unsigned i = 0; i < l->rows; i++)
        json_array_append_new(rows, json_pack("{s:o, s:b}", "text", text_json(l->text[i]),
                                              "reverse", (int)l->reverse[i]));
    return rows;
}

static json_t *softkeys_json(const struct lcd *l)
{
    json_t *keys = json_array();

    for (unsigned i = 0; i < l->n_softkeys; i++)
        json_array_append_new(keys, text_json(l->softkeys[i]));
    return keys;
}

static json_t *keys_json(const struct handset *h)
{
    struct screen_key keys[SCREEN_KEYS];
    unsigned n = handset_keys(h, keys);
    json_t *list = json_array();

    for (unsigned i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:o, s:s, s:b}", "label",
                                              text_json(screen_key_label(&keys[i])), "lamp",
                                              lamp_name(keys[i].lamp), "line",
                                              (int)(keys[i].feature == SCCP_BUTTON_LINE)));
    return list;
}

static json_t *messages_json(const struct handset *h)
{
    unsigned room = h->n_messages < MESSAGES ? h->n_messages : MESSAGES;
    json_t *list = json_array();

    for (unsigned i = 0; i < room; i++) {
        const struct handset_message *m = &h->messages[(h->n_messages - 1 - i) % HANDSET_MESSAGES];

        json_array_append_new(list,
                              json_pack("{s:I, s:o}", "ms", (json_int_t)(m->at_ms - h->begun_ms),
                                        "text", text_json(m->text)));
    }
    return list;
}

static json_t *picture_json(const struct remote *r)
{
    const struct handset *h = r->handset;
    const struct model *m = h->kind.model;
    struct lcd l;

    handset_lcd(h, &l);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:b, s:s, s:b, "
        "s:b, s:s}",
        "device", h->runner.phone.name.s, "model", m->name, "title", m->title, "protocol",
        h->kind.protocol == PROTOCOL_SCCP ? "SCCP" : "SIP", "state", handset_state(h), "powered",
        (int)h->powered, "registered", (int)(h->registered_ms != 0), "columns", (int)l.columns,
        "depth", (int)m->screen.depth, "softkeys_max", (int)m->softkeys, "rows", rows_json(&l),
        "softkeys", softkeys_json(&l), "keys", keys_json(h), "messages", messages_json(h),
        "ringing", (int)(h->screen.ringer > 1), "message_lamp", lamp_name(h->screen.message_lamp),
        "off_hook", (int)h->screen.off_hook, "speaker", (int)h->screen.speaker, "said", r->said);
}

static void show(struct remote *r)
{
    json_t *picture = picture_json(r);
    char *text = picture ? json_dumps(picture, JSON_COMPACT) : NULL;

    json_decref(picture);
    if (!text || (r->shown && !strcmp(text, r->shown))) {
        free(text);
        return;
    }
    puts(text);
    fflush(stdout);
    free(r->shown);
    r->shown = text;
}

/* --- keys --- */

static int press(struct handset *h, const char *key, const json_t *n)
{
    const char *digit = json_string_value(n);
    enum handset_key k;

    if (!strcmp(key, "digit"))
        return digit && digit[0] && strchr("0123456789*#", digit[0])
                   ? handset_press(h, HANDSET_DIGIT, (unsigned)digit[0])
                   : -EINVAL;
    if (!strcmp(key, "plug"))
        return handset_press(h, HANDSET_PLUG, 1);
    if (!script_key(text_of(key), &k))
        return -EINVAL;
    return handset_press(h, k, json_is_integer(n) ? (unsigned)json_integer_value(n) : 1);
}

static void on_line(struct remote *r)
{
    json_t *order = json_loadb(r->line, r->len, 0, NULL);
    const char *key = json_string_value(json_object_get(order, "key"));
    int err = key ? press(r->handset, key, json_object_get(order, "n")) : -EINVAL;

    snprintf(r->said, sizeof(r->said), "%s",
             !err                 ? ""
             : err == -ENOTCONN   ? "The phone is not registered: the key does nothing."
             : err == -EOPNOTSUPP ? "SIP phones make no calls here: the key does nothing."
                                  : "This phone has no such key now.");
    json_decref(order);
    show(r);
}

static void end(struct remote *r);

static void on_bytes(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct remote *r = s->data;

    for (ssize_t i = 0; i < n && !r->ending; i++) {
        if (buf->base[i] == '\n') {
            on_line(r);
            r->len = 0;
        } else if (r->len < ORDER_MAX) {
            r->line[r->len++] = buf->base[i];
        }
    }
    if (n < 0)
        end(r);
}

static void on_room(uv_handle_t *h, size_t wanted, uv_buf_t *buf)
{
    static char bytes[4096];

    (void)h;
    (void)wanted;
    *buf = uv_buf_init(bytes, sizeof(bytes));
}

/* --- life --- */

static void on_over(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void end(struct remote *r)
{
    if (r->ending)
        return;
    r->ending = true;
    runner_leave(&r->handset->runner, PHONE_EVENT_LEFT);
    uv_timer_start(&r->over, on_over, 300, 0);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    end(signal->data);
}

static void on_beat(uv_timer_t *timer)
{
    struct remote *r = timer->data;

    if (!r->handset->dirty && ++r->beats < IDLE_BEATS)
        return;
    r->beats = 0;
    r->handset->dirty = false;
    if (!r->ending)
        show(r);
}

static int start(struct remote *r)
{
    uv_loop_t *loop = &r->handset->loop;
    int err = uv_pipe_init(loop, &r->input, 0);

    uv_timer_init(loop, &r->beat);
    uv_timer_init(loop, &r->over);
    uv_signal_init(loop, &r->terminate);
    r->input.data = r->beat.data = r->over.data = r->terminate.data = r;
    uv_timer_start(&r->beat, on_beat, 0, BEAT_MS);
    uv_signal_start(&r->terminate, on_signal, SIGTERM);
    if (!err)
        err = uv_pipe_open(&r->input, 0);
    return err ? err : uv_read_start((uv_stream_t *)&r->input, on_room, on_bytes);
}

int remote_run(struct handset *h)
{
    struct remote r = {.handset = h};
    int err = start(&r);

    if (err) {
        fprintf(stderr, "dialtone handset: keys cannot be read from standard input: %s\n",
                strerror(-err));
    } else {
        handset_power(h, true);
        uv_run(&h->loop, UV_RUN_DEFAULT);
    }
    uv_close((uv_handle_t *)&r.input, NULL);
    uv_close((uv_handle_t *)&r.beat, NULL);
    uv_close((uv_handle_t *)&r.over, NULL);
    uv_close((uv_handle_t *)&r.terminate, NULL);
    uv_run(&h->loop, UV_RUN_NOWAIT);
    free(r.shown);
    return err ? 1 : 0;
}
