/* signalling.c - the signalling thread: its cores, their clock, and what other threads tell it. */
#include "server/peers/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define DEVICES_MAX     250000             /* by SIP; over UDP a device needs no descriptor */
#define NEWCOMERS_BYTES (8u << 20)         /* that wait: about a tenth of a second of work */
#define TIMER_NS        4000000            /* of a turn for what is due */

/* --- the clock --- */

static void on_timer(uv_timer_t *timer)
{
    struct signalling *s = timer->data;
    uint64_t end_ns = uv_hrtime() + TIMER_NS, now_ms = signalling_now(s).ms;
    bool more;

    s->due_ms = UINT64_MAX;
    if (now_ms < s->hold_ms)
        return; /* on_prepare sets it again */
    do { /* when thousands are lost at once, the rest is due in the next turn */
        more = stations_tick(s->stations, signalling_now(s), s->effects);
        signalling_carry_out(s);
        more = sip_stations_tick(s->sip, signalling_now(s), s->effects) || more;
        signalling_carry_out(s);
    } while (more && uv_hrtime() < end_ns);
}

/* Once a turn of the loop, after all input: when is the next thing due? */
static void on_prepare(uv_prepare_t *prepare)
{
    struct signalling *s = prepare->data;
    uint64_t ms = uv_now(&s->thread->loop), wait = stations_next(s->stations, ms);
    uint64_t sip_wait = sip_stations_next(s->sip, ms), due;

    s->turn_ms = ms;
    if (sip_wait < wait)
        wait = sip_wait;
    due = wait == UINT64_MAX ? UINT64_MAX : ms + wait;
    if (due < s->hold_ms)
        due = s->hold_ms;
    if (due >= s->due_ms)
        return; /* it fires early enough, and looks again */
    s->due_ms = due;
    uv_timer_start(&s->timer, on_timer, due - ms, 0);
}

/* --- the thread --- */

static void take_snapshot(struct signalling *s)
{
    const struct directory *old = s->directory;

    if (!s->thread->directory || s->thread->directory == old)
        return;
    s->directory = directory_ref(s->thread->directory);
    registry_set_directory(s->registry, s->directory, signalling_now(s));
    directory_unref(old);
    peers_update(s->peers);
}

static void local_time(void *context, const char *zone, uint64_t wall_us, struct local_time *ret)
{
    struct signalling *s = context;
    int64_t utc = (int64_t)(wall_us / 1000000);
    time_t local = (time_t)(utc + local_times_offset(s->times, zone, utc));
    struct tm tm;

    gmtime_r(&local, &tm);
    *ret = (struct local_time){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_wday, tm.tm_mday,
                               tm.tm_hour,        tm.tm_min,     tm.tm_sec};
}

static const char *elsewhere(void *context, struct device_name device, struct ip *ret)
{
    const struct signalling *s = context;

    return peers_elsewhere(s->peers, device, ret);
}

static bool answers(void *context, uint64_t link, uint32_t within_ms)
{
    const struct signalling *s = context;
    struct tcp *tcp = signalling_tcp(s, link);

    return tcp && tcp_answers(tcp, link, within_ms);
}

static int cores_new(struct signalling *s)
{
    const struct bootstrap *b = server_bootstrap(s->thread->server);
    struct registry_options r = {.node = s->node, .local_time = local_time, .heard = signalling_heard, .elsewhere = elsewhere, .answers = answers, .context = s};
    struct stations_options o = {.max_sessions = signalling_links_allowed()};
    struct sip_options sip = {.max_devices = DEVICES_MAX, .max_links = o.max_sessions};
    uint8_t secret[32];

    if (*b->node_name)
        text_copy(s->node, sizeof(s->node), text_of(b->node_name));
    else
        gethostname(s->node, sizeof(s->node) - 1);
    ip_parse(text_of(b->node_address), &r.address);
    s->registry = o.registry = registry_new(&r);
    s->stations = o.registry ? stations_new(&o) : NULL;
    if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
        return -EIO;
    sip.registry = s->registry;
    sip.secret = secret;
    s->sip = s->registry ? sip_stations_new(&sip) : NULL;
    s->effects = effects_new();
    s->times = local_times_new();
    s->peers = peers_new(s);
    return s->stations && s->sip && s->effects && s->times && s->peers ? 0 : -ENOMEM;
}

static void signalling_free(struct signalling *s)
{
    effects_free(s->effects);
    stations_free(s->stations);
    sip_stations_free(s->sip);
    registry_free(s->registry);
    local_times_free(s->times);
    directory_unref(s->directory);
    free(s);
}

static int start(struct thread *t)
{
    uint64_t look_ms = (uint64_t)server_bootstrap(t->server)->tls_check_seconds * 1000;
    struct signalling *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->thread = t;
    s->due_ms = UINT64_MAX;
    if (cores_new(s) < 0) {
        signalling_free(s);
        return -ENOMEM;
    }
    t->state = s;
    s->turn_ms = uv_now(&t->loop);
    uv_timer_init(&t->loop, &s->timer);
    uv_timer_init(&t->loop, &s->news_timer);
    uv_timer_init(&t->loop, &s->certificates_timer);
    signalling_measure(s);
    uv_prepare_init(&t->loop, &s->prepare);
    uv_idle_init(&t->loop, &s->newcomers_turn);
    backlog_init(&s->newcomers, NEWCOMERS_BYTES);
    s->timer.data = s->news_timer.data = s->certificates_timer.data = s->prepare.data =
        s->newcomers_turn.data = s;
    uv_prepare_start(&s->prepare, on_prepare);
    uv_timer_start(&s->certificates_timer, signalling_on_certificates_timer, look_ms, look_ms);
    take_snapshot(s);
    signalling_ports_open(s);
    return 0;
}

static void on_message(struct thread *t, const struct message *m)
{
    struct signalling *s = t->state;

    take_snapshot(s);
    switch (m->id) {
    case MESSAGE_REQUEST:
        signalling_answer(s, m);
        break;
    case MESSAGE_SERVICE:
        signalling_service(s, m);
        break;
    case MESSAGE_BINDING:
        stations_expect_early(s->stations, m->binding.ip);
        break;
    case MESSAGE_AUTOREGISTERED:
        signalling_admitted(s, m);
        break;
    case MESSAGE_ACTIVATED:
        signalling_activated(s, m);
        break;
    default:
        break;
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct signalling *s = handle->data;

    if (--s->n_handles == 0)
        signalling_free(s);
}

static void on_peers_gone(void *context)
{
    struct signalling *s = context;

    if (--s->n_handles == 0)
        signalling_free(s);
}

static void stop(struct thread *t)
{
    struct signalling *s = t->state;

    signalling_ports_close(s);
    signalling_tell_news(s);
    s->n_handles = 7;
    peers_stop(s->peers, on_peers_gone, s);
    uv_close((uv_handle_t *)&s->measure, on_closed);
    uv_close((uv_handle_t *)&s->prepare, on_closed);
    uv_close((uv_handle_t *)&s->newcomers_turn, on_closed);
    uv_close((uv_handle_t *)&s->timer, on_closed);
    uv_close((uv_handle_t *)&s->news_timer, on_closed);
    uv_close((uv_handle_t *)&s->certificates_timer, on_closed);
}

const struct thread_row signalling_thread = {
    .name = "signalling", .first = true, .start = start, .on_message = on_message, .stop = stop};
