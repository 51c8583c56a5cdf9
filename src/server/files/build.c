/* build.c - all configuration files at once, a few per turn of the loop: nobody waits for it. After a
 * start, when all phones come back, it takes a small part of the time, and next to none while phones ask for
 * files, which are made for them first; whoever asks for all of them has them at once. */
#include "server/files/files.h"

#include <errno.h>

#include "base/log.h"
#include "core/alarms.h"
#include "core/counters.h"

#define PER_TURN  64
#define PER_STATE 8192 /* files between two words about the progress */
#define REST      4    /* times as long as a turn took, when nobody asked for all of them … */
#define REST_MS   20   /* … and when phones have asked for some since the last turn */

static void report(struct files *f, uint64_t ms, const char *status)
{
    struct file_builder *b = &f->builder;
    struct alarm_draft d;

    alarm_begin(&d, ALARM_BUILD_STAT);
    alarm_put(&d, "DeviceCount", "%zu", b->built);
    alarm_put(&d, "DeviceTime", "%llu", (unsigned long long)ms);
    alarm_put(&d, "TotalTime", "%llu", (unsigned long long)ms);
    alarm_put(&d, "BuildStatus", "%s", status);
    server_alarm(f->server, alarm_finish(&d));
}

static void end(struct files *f, bool complete)
{
    struct file_builder *b = &f->builder;
    uint64_t ms = uv_now(&f->thread->loop) - b->started_ms;

    uv_timer_stop(&b->timer);
    b->runs = false;
    count(complete ? COUNT_FILE_BUILDS : COUNT_FILE_BUILDS_ABORTED);
    count_by(COUNT_FILE_BUILD_DURATION,
             (int64_t)ms - (int64_t)counter_read(&counter_values[COUNT_FILE_BUILD_DURATION]));
    report(f, ms, complete ? "Success" : "Aborted");
    log_info("files", "%zu configuration files made in %llu ms, %zu devices get none", b->built,
             (unsigned long long)ms, b->failed);
    if (b->asked)
        server_reply(f->server, b->token, complete ? 0 : 1,
                     json_pack("{s:{s:I,s:I,s:I}}", "record", "built", (json_int_t)b->built,
                               "without", (json_int_t)b->failed, "milliseconds", (json_int_t)ms));
    b->asked = false;
    files_tell_state(f, 0);
}

static void build_one(struct files *f, const struct phone *p)
{
    char asked[FILE_NAME_MAX + 1];
    struct content *c = NULL;
    struct file_name name;

    if (file_name_parse(text_of(phone_file_name(p, asked)), &name) == 0 &&
        (name.kind == FILE_PHONE_XML || name.kind == FILE_PHONE_BINARY || name.kind == FILE_PHONE_TEXT) &&
        file_lookup(f, &name, f->usual, (struct device_name){""}, &c) == 0)
        f->builder.built++;
    else
        f->builder.failed++;
    content_unref(c);
}

/* Until the next turn. */
static uint64_t rest_ms(struct file_builder *b, uint64_t took_ns)
{
    uint64_t before = b->n_asked;

    b->n_asked = counter_read(&counter_values[COUNT_TFTP_REQUESTS]) + counter_read(&counter_values[COUNT_HTTP_REQUESTS]);
    if (b->asked)
        return 0;
    return b->n_asked != before ? REST_MS : 1 + REST * took_ns / 1000000;
}

static void on_turn(uv_timer_t *timer)
{
    struct files *f = timer->data;
    struct file_builder *b = &f->builder;
    uint64_t began_ns = uv_hrtime();
    const struct phone *p;

    if (directory_version(f->thread->directory) != b->version && !b->asked) {
        end(f,
            false); /* what was made is out of date: files are made again as they are asked for */
        return;
    }
    if ((b->built + b->failed) % PER_STATE == 0)
        files_tell_state(f, 0);
    for (int i = 0; i < PER_TURN; i++) {
        p = directory_next(f->thread->directory, ENTITY_phone, text_of(b->after));
        if (!p) {
            end(f, true);
            return;
        }
        text_copy(b->after, sizeof(b->after), text_of(p->name));
        build_one(f, p);
    }
    uv_update_time(&f->thread->loop);
    uv_timer_start(timer, on_turn, rest_ms(b, uv_hrtime() - began_ns), 0);
}

void file_build_init(struct files *f)
{
    uv_timer_init(&f->thread->loop, &f->builder.timer);
    f->builder.timer.data = f;
}

void file_build_start(struct files *f, uint64_t token, bool asked)
{
    struct file_builder *b = &f->builder;

    if (b->runs)
        end(f, false);
    b->runs = true;
    b->asked = asked;
    b->token = token;
    b->after[0] = '\0';
    b->built = b->failed = 0;
    b->version = directory_version(f->thread->directory);
    b->started_ms = uv_now(&f->thread->loop);
    uv_timer_start(&b->timer, on_turn, 0, 0);
}

void file_build_stop(struct files *f)
{
    if (f->builder.runs)
        end(f, false);
}
