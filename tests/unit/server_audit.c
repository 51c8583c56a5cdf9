#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/events/audit.h"
#include "server/service_states.h"

static char folder[] = "/tmp/dialtone-audit-XXXXXX";

static int make_folder(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_file(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
}

static int remove_folder(void **state)
{
    remove_file("audit.log");
    remove_file("audit.log.1");
    remove_file("services.stopped");
    return rmdir(folder);
}

struct seen {
    char names[64];
    size_t most;
};

static bool on_entry(void *context, const json_t *entry)
{
    struct seen *s = context;

    strcat(s->names, json_string_value(json_object_get(entry, "name")));
    return --s->most;
}

static void entries_come_back_the_newest_first_also_from_before_a_rotation(void **state)
{
    struct audit *a = audit_new(folder);
    struct audit_entry e = {"alice", "10.0.0.7", "phone", "set", "A", "200", NULL};
    struct seen all = {"", 9}, two = {"", 2};
    char path[128], line[] = "{\"time\": \"cut";
    int fd;

    assert_int_equal(audit_add(a, &e), 0);
    snprintf(path, sizeof(path), "%s/audit.log", folder);
    fd = open(path, O_WRONLY | O_APPEND);
    assert_true(write(fd, line, strlen(line)) > 0); /* as a power failure leaves it */
    assert_true(write(fd, "\n", 1) == 1);
    assert_int_equal(ftruncate(fd, 17 << 20), 0); /* larger than a file may be */
    close(fd);
    e.name = "B";
    assert_int_equal(audit_add(a, &e), 0);
    e.name = "C";
    assert_int_equal(audit_add(a, &e), 0);
    audit_walk(a, on_entry, &two);
    assert_string_equal(two.names, "CB");
    assert_int_equal(truncate(strcat(path, ".1"), 100000), 0);
    audit_walk(a, on_entry, &all);
    assert_true(text_starts(text_of(all.names), "CB"));
    audit_free(a);
}

static void a_recording_that_is_fetched_each_second_is_noted_once(void **state)
{
    struct audit *a = audit_new(folder);
    struct audit_entry e = {"alice", "10.0.0.7", "capture", "fetch", "F", "200", NULL};
    struct seen newest = {"", 3};

    for (int i = 0; i < 3; i++)
        assert_int_equal(audit_add(a, &e), 0);
    e.who = "bob";
    assert_int_equal(audit_add(a, &e), 0);
    e.name = "G";
    assert_int_equal(audit_add(a, &e), 0);
    audit_walk(a, on_entry, &newest);
    assert_string_equal(newest.names, "GFF");
    audit_free(a);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct audit *a = audit_new("/nowhere/at/all");
    struct audit_entry e = {"alice", "10.0.0.7", "phone", "set", "A", "200", NULL};
    struct seen none = {"", 9};

    assert_int_equal(audit_add(a, &e), -ENOENT);
    audit_walk(a, on_entry, &none);
    assert_string_equal(none.names, "");
    audit_free(a);
}

static void services_that_were_stopped_are_read_back(void **state)
{
    struct service_states s, read;

    service_states_read(folder, &s);
    for (int i = 0; i < N_SERVICES; i++)
        assert_false(s.stopped[i]);
    s.stopped[SERVICE_TFTP] = s.stopped[SERVICE_DNS] = true;
    assert_int_equal(service_states_write(folder, &s), 0);
    service_states_read(folder, &read);
    assert_memory_equal(&s, &read, sizeof(s));
    assert_int_equal(service_states_write("/nowhere/at/all", &s), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_back_the_newest_first_also_from_before_a_rotation),
        cmocka_unit_test(a_recording_that_is_fetched_each_second_is_noted_once),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
        cmocka_unit_test(services_that_were_stopped_are_read_back),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
