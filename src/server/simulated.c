/* simulated.c - the programs of simulated phones: started, heard, ended; see simulated.h. */
#include "server/simulated.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"

#define PICTURE_MAX 65536
#define OWN_BITS                                                                                   \
    0x02d1a1000000ull /* locally administered: no phone of a maker has such an address */
#define ARGUMENTS 32

struct simulated_phone {
    struct simulated *all;
    uv_process_t process;
    uv_pipe_t keys, picture;
    char name[16];
    unsigned number; /* 1 and on */
    unsigned n_handles;
    bool ending;
    json_t *last;
    char *line;
    size_t len;
};

struct simulated {
    uv_loop_t *loop;
    simulated_changed changed;
    void *context;
    struct simulated_phone *phones[SIMULATED_MAX];
    bool stopping;
};

struct simulated *simulated_new(uv_loop_t *loop, simulated_changed changed, void *context)
{
    struct simulated *s = calloc(1, sizeof(*s));

    if (s)
        *s = (struct simulated){.loop = loop, .changed = changed, .context = context};
    return s;
}

static bool is_empty(const struct simulated *s)
{
    for (size_t i = 0; i < SIMULATED_MAX; i++)
        if (s->phones[i])
            return false;
    return true;
}

/* --- its end --- */

static void on_closed(uv_handle_t *h)
{
    struct simulated_phone *p = h->data;
    struct simulated *s = p->all;

    if (--p->n_handles)
        return;
    for (size_t i = 0; i < SIMULATED_MAX; i++)
        if (s->phones[i] == p)
            s->phones[i] = NULL;
    if (!s->stopping)
        s->changed(s->context, p->name, NULL);
    json_decref(p->last);
    free(p->line);
    free(p);
    if (s->stopping && is_empty(s))
        free(s);
}

static void close_phone(struct simulated_phone *p)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&p->process, (uv_handle_t *)&p->keys,
                              (uv_handle_t *)&p->picture};

    for (size_t i = 0; i < 3; i++)
        if (handles[i]->type != UV_UNKNOWN_HANDLE && !uv_is_closing(handles[i]))
            uv_close(handles[i], on_closed);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal_number)
{
    struct simulated_phone *p = process->data;

    if (!p->ending)
        log_warning("simulated", "%s ended by itself: status %lld, signal %d", p->name,
                    (long long)status, signal_number);
    close_phone(p);
}

int simulated_unplug(struct simulated *s, const char *name)
{
    for (size_t i = 0; i < SIMULATED_MAX; i++)
        if (s->phones[i] && !strcmp(s->phones[i]->name, name)) {
            s->phones[i]->ending = true;
            return uv_process_kill(&s->phones[i]->process, SIGTERM) ? -ENOENT : 0;
        }
    return -ENOENT;
}

void simulated_stop(struct simulated *s)
{
    if (!s)
        return;
    s->stopping = true;
    if (is_empty(s)) {
        free(s);
        return;
    }
    for (size_t i = 0; i < SIMULATED_MAX; i++)
        if (s->phones[i]) {
            s->phones[i]->ending = true;
            uv_process_kill(&s->phones[i]->process, SIGTERM);
            close_phone(s->phones[i]);
        }
}

/* --- what it shows --- */

static void on_line(struct simulated_phone *p)
{
    json_t *picture = json_loadb(p->line, p->len, 0, NULL);

    if (!json_is_object(picture)) {
        json_decref(picture);
        return;
    }
    json_decref(p->last);
    p->last = picture;
    p->all->changed(p->all->context, p->name, picture);
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct simulated_phone *p = stream->data;

    for (ssize_t i = 0; i < n; i++) {
        if (buf->base[i] == '\n') {
            on_line(p);
            p->len = 0;
        } else if (p->len < PICTURE_MAX) {
            p->line[p->len++] = buf->base[i];
        }
    }
    if (n < 0)
        uv_read_stop(stream); /* its end is told by on_exit_of */
}

static void on_room(uv_handle_t *h, size_t wanted, uv_buf_t *buf)
{
    static _Thread_local char bytes[8192];

    (void)h;
    (void)wanted;
    *buf = uv_buf_init(bytes, sizeof(bytes));
}

/* --- keys --- */

struct order {
    uv_write_t write;
    char *line;
};

static void on_written(uv_write_t *write, int status)
{
    struct order *o = (struct order *)write;

    (void)status;
    free(o->line);
    free(o);
}

static void send_order(struct simulated_phone *p, char *take_line)
{
    struct order *o = calloc(1, sizeof(*o));
    uv_buf_t buf = uv_buf_init(take_line, (unsigned)strlen(take_line));

    if (o)
        o->line = take_line;
    if (!o || uv_write(&o->write, (uv_stream_t *)&p->keys, &buf, 1, on_written)) {
        free(take_line);
        free(o);
    }
}

int simulated_press(struct simulated *s, const char *name, const char *key, const char *n)
{
    bool digit = !strcmp(key, "digit");
    json_t *order =
        json_pack("{s:s, s:o}", "key", key, "n", digit ? json_string(n) : json_integer(atoi(n)));
    char *text = json_dumps(order, JSON_COMPACT), *line = NULL;
    struct simulated_phone *p = NULL;

    json_decref(order);
    for (size_t i = 0; i < SIMULATED_MAX; i++)
        if (s->phones[i] && !strcmp(s->phones[i]->name, name))
            p = s->phones[i];
    if (p && text && asprintf(&line, "%s\n", text) > 0)
        send_order(p, line);
    free(text);
    return p ? 0 : -ENOENT;
}

bool simulated_at(const struct simulated *s, size_t n, const char **name, const json_t **picture)
{
    for (size_t i = 0; i < SIMULATED_MAX; i++)
        if (s->phones[i] && n-- == 0) {
            *name = s->phones[i]->name;
            *picture = s->phones[i]->last;
            return true;
        }
    return false;
}

/* --- its beginning --- */

struct words {
    char text[ARGUMENTS][64];
    char *at[ARGUMENTS + 1];
    size_t n;
};

static void put(struct words *w, const char *name, const char *value)
{
    for (const char *each[] = {name, value}, **e = each; e < each + 2; e++) {
        snprintf(w->text[w->n], sizeof(w->text[0]), "%s", *e);
        w->at[w->n] = w->text[w->n];
        w->n++;
    }
}

static void put_port(struct words *w, const char *name, int port)
{
    char text[12];

    snprintf(text, sizeof(text), "%d", port);
    if (port)
        put(w, name, text);
}

static void make_words(struct words *w, const struct bootstrap *b, const struct model *m,
                       enum device_protocol protocol, struct mac mac, unsigned number)
{
    bool loopback = !b->listen_address[0] || !strcmp(b->listen_address, "0.0.0.0");
    char text[MAC_TEXT_MAX], source[IP_TEXT_MAX];

    put(w, "dialtone", "handset");
    w->at[w->n] = strcpy(w->text[w->n], "--remote");
    w->n++;
    put(w, "--model", m->name);
    put(w, "--protocol", protocol == PROTOCOL_SCCP ? "sccp" : "sip");
    put(w, "--mac", mac_print(mac, text));
    put(w, "--server", loopback ? "127.0.0.1" : b->listen_address);
    if (loopback)
        put(w, "--source", ip_print(ip_v4(0x7f410000 + number), source)); /* 127.65.0.1 and on */
    put_port(w, "--file-port", b->tftp_port);
    put_port(w, "--http-port", b->files_http_port);
    put_port(w, "--sccp-port", b->sccp_port);
    put_port(w, "--sip-port", b->sip_port);
    w->at[w->n] = NULL;
}

static int spawn(struct simulated_phone *p, struct words *w)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&p->keys},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->picture},
        {.flags = UV_INHERIT_FD, .data.fd = 2}};
    uv_process_options_t o = {.exit_cb = on_exit_of,
                              .file = "/proc/self/exe",
                              .args = w->at,
                              .stdio_count = 3,
                              .stdio = stdio};
    int err;

    uv_pipe_init(p->all->loop, &p->keys, 0);
    uv_pipe_init(p->all->loop, &p->picture, 0);
    p->keys.data = p->picture.data = p->process.data = p;
    p->n_handles = 3;
    err = uv_spawn(p->all->loop, &p->process, &o);
    if (!err)
        err = uv_read_start((uv_stream_t *)&p->picture, on_room, on_bytes);
    return err;
}

/* The place of a new phone, and its number: its names stay the same from try to try. */
static int find_room(const struct simulated *s, int most, unsigned *number)
{
    bool used[SIMULATED_MAX + 1] = {false};
    int room = -1, n = 0;

    for (int i = 0; i < SIMULATED_MAX; i++) {
        if (s->phones[i])
            used[s->phones[i]->number] = true, n++;
        else if (room < 0)
            room = i;
    }
    if (n >= most)
        return -ENOSPC;
    for (*number = 1; used[*number]; ++*number)
        ;
    return room < 0 ? -ENOSPC : room;
}

int simulated_boot(struct simulated *s, const struct bootstrap *settings, const struct model *m,
                   enum device_protocol protocol, char name[static 16])
{
    unsigned number;
    int room = find_room(s, settings->simulated_phones, &number), err;
    struct words words = {.n = 0};
    struct simulated_phone *p;
    struct mac mac;

    if (room < 0)
        return room;
    if (m->quirks & MODEL_FREE_NAME || !model_is_phone(m) || !model_speaks(m, protocol))
        return -ENOTSUP;
    if (!(p = calloc(1, sizeof(*p))) || !(p->line = malloc(PICTURE_MAX))) {
        free(p);
        return -ENOMEM;
    }
    mac = mac_of_number(OWN_BITS | (uint64_t)(m->type & 0x7fff) << 8 |
                        (protocol == PROTOCOL_SCCP ? 0 : 0x80) | number);
    p->all = s;
    p->number = number;
    memcpy(p->name, device_name_of_mac(mac).s, sizeof(p->name));
    s->phones[room] = p;
    make_words(&words, settings, m, protocol, mac, number);
    memcpy(name, p->name, sizeof(p->name));
    if ((err = spawn(p, &words))) {
        p->ending = true;
        close_phone(p);
    }
    return err;
}
