#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "server/events/files.h"

static char folder[] = "/tmp/events-XXXXXX";

/* Lines numbered first to last, a second apart. */
static void write_file(const char *name, unsigned first, unsigned last)
{
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    for (unsigned n = first; n <= last; n++)
        fprintf(f,
                "%u: n1: Nov 21 2026 00:%02u:%02u.000 UTC :  %%UC_CALLMANAGER-3-"
                "EndPointUnregistered: %%[Reason=13][AppID=x][ClusterID=][NodeID=]: gone\n",
                n, n / 60, n % 60);
    fclose(f);
}

static int make(void **state)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int done(void **state)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static uint64_t next(struct event_cursor *c)
{
    uint64_t sequence = 0;

    free(event_cursor_next(c, &sequence));
    return sequence;
}

static void lines_come_in_order_over_all_files(void **state)
{
    struct event_cursor c;

    write_file("events.log.1", 1, 300);
    write_file("events.log", 301, 600);
    event_cursor_open(&c, folder);
    for (unsigned n = 1; n <= 600; n++)
        assert_int_equal(next(&c), n);
    assert_int_equal(next(&c), 0);
    event_cursor_close(&c);
}

static void every_number_and_time_is_found(void **state)
{
    struct event_cursor c;
    uint64_t sequence, midnight;
    struct alarm *a;

    write_file("events.log.2", 1, 100);
    write_file("events.log.1", 101, 300);
    write_file("events.log", 351, 400);
    event_cursor_open(&c, folder);
    a = event_cursor_next(&c, &sequence);
    midnight = a->time_us - 1000000;
    free(a);
    for (unsigned n = 1; n <= 400; n++) {
        event_cursor_seek(&c, n);
        assert_int_equal(next(&c), n > 300 && n < 351 ? 351 : n);
        event_cursor_seek_time(&c, midnight + n * 1000000ull);
        assert_int_equal(next(&c), n > 300 && n < 351 ? 351 : n);
    }
    event_cursor_seek(&c, 401);
    assert_int_equal(next(&c), 0);
    event_cursor_close(&c);
}

static void without_files_there_is_nothing(void **state)
{
    struct event_cursor c;

    event_cursor_open(&c, folder);
    event_cursor_seek(&c, 7);
    assert_int_equal(next(&c), 0);
    event_cursor_seek_time(&c, 7);
    assert_int_equal(next(&c), 0);
    event_cursor_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_in_order_over_all_files, make, done),
        cmocka_unit_test_setup_teardown(every_number_and_time_is_found, make, done),
        cmocka_unit_test_setup_teardown(without_files_there_is_nothing, make, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
