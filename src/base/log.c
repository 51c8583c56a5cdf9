#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/names.h"

#define LINE_MAX_BYTES 2048

static const struct name levels[] = {
    {LOG_LEVEL_ERROR, "error"}, {LOG_LEVEL_WARNING, "warning"}, {LOG_LEVEL_NOTICE, "notice"},
    {LOG_LEVEL_INFO, "info"},   {LOG_LEVEL_DEBUG, "debug"},     {0, NULL},
};

static atomic_int wanted = LOG_LEVEL_INFO;
static atomic_bool as_json;

int log_level_parse(struct text t, enum log_level *ret)
{
    uint32_t value;
    int err = names_parse(levels, t, &value);

    if (err)
        return err;
    *ret = (enum log_level)value;
    return 0;
}

void log_set_level(enum log_level level)
{
    wanted = (int)level;
}

void log_set_json(bool on)
{
    as_json = on;
}

bool log_wants(enum log_level level)
{
    return (int)level <= wanted;
}

static void write_time(struct writer *w)
{
    struct timespec now;
    struct tm utc;
    char date[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    write_format(w, "%s.%03ldZ", date, now.tv_nsec / 1000000);
}

/* What a peer sent may be in the text: no control character reaches the terminal or breaks a line.
 */
static void write_clean(struct writer *w, struct text t, bool json)
{
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = (uint8_t)t.at[i];

        if (c < 0x20 || c == 0x7f)
            write_format(w, json ? "\\u%04x" : "\\x%02x", c);
        else if (json && (c == '"' || c == '\\'))
            write_bytes(w, (char[]){'\\', (char)c}, 2);
        else
            write_u8(w, c);
    }
}

static void write_line(struct writer *w, enum log_level level, const char *topic, struct text text)
{
    bool json = as_json;

    write_string(w, json ? "{\"time\":\"" : "");
    write_time(w);
    write_format(w, json ? "\",\"level\":\"%s\",\"topic\":\"%s\",\"text\":\"" : " %-7s %-10s ",
                 names_print(levels, level), topic);
    write_clean(w, text, json);
    w->end += 3; /* kept free for the end of the line */
    write_string(w, json ? "\"}\n" : "\n");
}

void log_print(enum log_level level, const char *topic, const char *format, ...)
{
    char text[LINE_MAX_BYTES / 2], line[LINE_MAX_BYTES];
    struct writer w = writer_of(line, sizeof(line) - 3);
    va_list args;
    int n;

    if (!log_wants(level))
        return;
    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0)
        return;
    write_line(&w, level, topic,
               (struct text){text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1});
    while (write(STDERR_FILENO, line, writer_len(&w)) < 0 && errno == EINTR)
        ; /* one write: lines of several threads never mix; a full disk must not stop the server */
}
