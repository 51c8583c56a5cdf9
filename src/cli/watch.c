/* watch.c - answers that keep coming. */
#include "cli/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/show.h"

static unsigned interval(const struct command_line *l)
{
    const char *s =
        json_string_value(json_object_get(json_object_get(l->request, "options"), "interval"));
    long n = s ? strtol(s, NULL, 10) : 1;

    return n < 1 ? 1 : n > 3600 ? 3600 : (unsigned)n;
}

static int refused(const json_t *answer)
{
    const char *error = json_string_value(json_object_get(answer, "error"));

    if (error)
        fprintf(stderr, "dialtone: %s\n", error);
    return error ? EXIT_REFUSED : EXIT_DONE;
}

static int went_away(void)
{
    fprintf(stderr, "dialtone: The server went away.\n");
    return EXIT_NO_SERVER;
}

/* Events: a "line" for people and an "event" for programs. */
static int follow_events(struct client *c, const struct command_line *l)
{
    json_t *answer;
    int status = EXIT_DONE;

    if (client_send(c, l->request) < 0)
        return went_away();
    while (!status && !client_receive(c, &answer)) {
        const char *line = json_string_value(json_object_get(answer, "line"));
        json_t *event = json_object_get(answer, "event");

        if (l->shape == REPORT_JSON && event) {
            json_dumpf(event, stdout, JSON_COMPACT);
            putchar('\n');
        } else if (line) {
            show_line(stdout, line);
        }
        fflush(stdout);
        status = refused(answer);
        json_decref(answer);
    }
    return status ? status : went_away();
}

static int again_and_again(struct client *c, const struct command_line *l, size_t width)
{
    struct show_options o = {l->shape, width, NULL};
    json_t *answer;
    int status = EXIT_DONE;

    while (!status && !client_send(c, l->request) && !client_receive(c, &answer)) {
        if (width && l->shape == REPORT_TABLE)
            fputs("\033[H\033[2J", stdout);
        if (!(status = refused(answer)))
            show_answer(stdout, answer, &o, NULL, 0);
        fflush(stdout);
        json_decref(answer);
        if (!status)
            sleep(interval(l));
    }
    return status ? status : went_away();
}

/* The rows of `now` that differ from those of `before`, with the difference and the rate in place
 * of help. */
static json_t *changes(const json_t *before, const json_t *now, unsigned seconds)
{
    json_t *rows = json_array(), *row;
    size_t i;

    json_array_foreach(json_object_get(now, "rows"), i, row)
    {
        json_t *old = json_array_get(json_array_get(json_object_get(before, "rows"), i), 2);
        json_int_t value = json_integer_value(json_array_get(row, 2)),
                   difference = value - json_integer_value(old);

        if (difference)
            json_array_append_new(rows, json_pack("[O, O, I, I, f]", json_array_get(row, 0),
                                                  json_array_get(row, 1), value, difference,
                                                  (double)difference / seconds));
    }
    return json_pack("{s:[s,s,s,s,s], s:o}", "columns", "object", "name", "value", "change",
                     "per_second", "rows", rows);
}

static int watch_counters(struct client *c, const struct command_line *l, size_t width)
{
    struct show_options o = {l->shape, width, NULL};
    json_t *before = NULL, *now, *difference;
    int status = EXIT_DONE;

    while (!status && !client_send(c, l->request) && !client_receive(c, &now)) {
        if (!(status = refused(now)) && before) {
            difference = changes(before, now, interval(l));
            if (width && l->shape == REPORT_TABLE)
                fputs("\033[H\033[2J", stdout);
            if (!json_array_size(json_object_get(difference, "rows")) && l->shape == REPORT_TABLE)
                puts("No counter changed.");
            else
                show_answer(stdout, difference, &o, NULL, 0);
            json_decref(difference);
        }
        fflush(stdout);
        json_decref(before);
        before = now;
        if (!status)
            sleep(interval(l));
    }
    json_decref(before);
    return status ? status : went_away();
}

int watch(struct client *c, const struct command_line *l, size_t width)
{
    if (!strcmp(l->noun->noun, "event"))
        return follow_events(c, l);
    if (!strcmp(l->noun->noun, "counter"))
        return watch_counters(c, l, width);
    return again_and_again(c, l, width);
}
