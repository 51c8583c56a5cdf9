#include "test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "io/journal.h"

struct record {
    uint32_t key, value;
    char text[50];
};

#define KEYS 1000

static char path[64];
static uint32_t seen[KEYS];
static size_t n_seen;

static void on_record(void *context, const void *record)
{
    struct record r;
    (void)context;

    memcpy(&r, record, sizeof(r));
    assert_true(r.key < KEYS);
    seen[r.key] = r.value;
    n_seen++;
}

static struct journal *open_journal(size_t slack)
{
    struct journal_options o = {.path = path,
                                .what = "test",
                                .record_size = sizeof(struct record),
                                .key_size = sizeof(uint32_t),
                                .slack = slack,
                                .on_record = on_record};
    struct journal *j = NULL;

    memset(seen, 0, sizeof(seen));
    n_seen = 0;
    assert_int_equal(journal_open(&o, &j), 0);
    return j;
}

static int put(struct journal *j, uint32_t key, uint32_t value)
{
    struct record r = {key, value, "text"};

    return journal_append(j, &r, 1);
}

static int fresh(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/dialtone-journal-%d", (int)getpid());
    unlink(path);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void the_newest_of_each_key_comes_back(void **state)
{
    struct journal *j = open_journal(0);
    (void)state;

    assert_int_equal(n_seen, 0);
    assert_int_equal(put(j, 1, 10), 0);
    assert_int_equal(put(j, 2, 20), 0);
    assert_int_equal(put(j, 1, 11), 0);
    journal_close(j);
    j = open_journal(0);
    assert_int_equal(n_seen, 2);
    assert_int_equal(seen[1], 11);
    assert_int_equal(seen[2], 20);
    assert_int_equal(put(j, 2, 21), 0);
    journal_close(j);
    j = open_journal(0);
    assert_int_equal(seen[2], 21);
    journal_close(j);
}

static void the_file_stays_small(void **state)
{
    struct journal *j = open_journal(100);
    struct stat st;
    (void)state;

    for (uint32_t i = 0; i < 100; i++) {
        struct record batch[10];

        for (uint32_t k = 0; k < 10; k++)
            batch[k] = (struct record){k, i * 10 + k, ""};
        assert_int_equal(journal_append(j, batch, 10), 0);
    }
    journal_close(j);
    stat(path, &st);
    assert_true(st.st_blocks * 512 < 5 << 20);
    j = open_journal(100);
    assert_int_equal(n_seen, 10);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(seen[i], 990 + i);
    journal_close(j);
}

static void a_torn_record_is_skipped_and_the_others_stay(void **state)
{
    struct journal *j = open_journal(0);
    struct record three[3] = {{1, 10, ""}, {2, 20, ""}, {3, 30, ""}};
    int fd;
    (void)state;

    assert_int_equal(journal_append(j, three, 3), 0);
    journal_close(j);
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "garbage", 7, 4096 + 80 + 30), 7); /* in the second slot */
    close(fd);
    j = open_journal(0);
    assert_int_equal(n_seen, 2);
    assert_int_equal(seen[1], 10);
    assert_int_equal(seen[2], 0);
    assert_int_equal(seen[3], 30);
    assert_int_equal(put(j, 2, 22), 0);
    journal_close(j);
    j = open_journal(0);
    assert_int_equal(seen[2], 22);
    journal_close(j);
}

static void every_length_of_the_file_can_be_opened(void **state)
{
    struct journal *j = open_journal(0);
    (void)state;

    for (uint32_t i = 0; i < 3; i++)
        put(j, i, i + 100);
    journal_close(j);
    for (off_t len = 4096 + 3 * 80; len >= 0; len -= len > 4096 ? 29 : 1100) {
        size_t whole = len > 4096 ? (size_t)(len - 4096) / 80 : 0;

        assert_int_equal(truncate(path, len), 0);
        j = open_journal(0);
        assert_int_equal(n_seen, whole);
        for (size_t i = 0; i < whole; i++)
            assert_int_equal(seen[i], i + 100);
        journal_close(j);
    }
}

static void a_file_of_another_kind_is_refused(void **state)
{
    struct journal_options o = {.path = path,
                                .what = "other",
                                .record_size = sizeof(struct record),
                                .key_size = 4,
                                .on_record = on_record};
    struct journal *j = open_journal(0);
    (void)state;

    journal_close(j);
    assert_int_equal(journal_open(&o, &j), -EBADMSG);
    o.what = "test";
    o.record_size = 8;
    assert_int_equal(journal_open(&o, &j), -EBADMSG);
    o.path = "/no/such/folder/file";
    assert_int_equal(journal_open(&o, &j), -ENOENT);
}

/* A limit on the size of files stands for the full disk. */
static void a_full_disk_is_an_error_and_passes(void **state)
{
    struct rlimit old, small = {0};
    struct journal *j = open_journal(0);
    uint32_t i;
    (void)state;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    small.rlim_cur = 4096 + 50 * 80 + 30;
    setrlimit(RLIMIT_FSIZE, &small);
    for (i = 0; put(j, i, i + 1) == 0; i++)
        assert_true(i < 60);
    assert_int_equal(i, 50);
    assert_int_equal(put(j, 70, 71), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(put(j, 71, 72), 0);
    journal_close(j);
    j = open_journal(0);
    assert_int_equal(seen[49], 50);
    assert_int_equal(seen[71], 72);
    journal_close(j);
}

/* The child tells each value after it is durable; then it is killed in the middle of things. */
static void nothing_acknowledged_is_lost_by_kill_9(void **state)
{
    uint32_t told[64] = {0}, value;
    (void)state;

    for (int round = 0; round < 8; round++) {
        struct journal *j;
        int ends[2];
        pid_t child;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        if (child == 0) {
            j = open_journal(200); /* made anew again and again, too */
            for (uint32_t i = seen[0] + 1;; i++) {
                struct record batch[64];

                for (uint32_t k = 0; k < 64; k++)
                    batch[k] = (struct record){k, i, ""};
                if (journal_append(j, batch, 64) < 0 || write(ends[1], &i, sizeof(i)) != sizeof(i))
                    _exit(1);
            }
        }
        close(ends[1]);
        for (int n = 0; n < 10 + round * 3 && read(ends[0], &value, sizeof(value)) == 4; n++)
            told[0] = value;
        kill(child, SIGKILL);
        while (read(ends[0], &value, sizeof(value)) == 4)
            told[0] = value;
        close(ends[0]);
        waitpid(child, NULL, 0);
        j = open_journal(200);
        assert_int_equal(n_seen, 64);
        for (int k = 0; k < 64; k++)
            assert_true(seen[k] == told[0] || seen[k] == told[0] + 1);
        journal_close(j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_of_each_key_comes_back, fresh, clean),
        cmocka_unit_test_setup_teardown(the_file_stays_small, fresh, clean),
        cmocka_unit_test_setup_teardown(a_torn_record_is_skipped_and_the_others_stay, fresh, clean),
        cmocka_unit_test_setup_teardown(every_length_of_the_file_can_be_opened, fresh, clean),
        cmocka_unit_test_setup_teardown(a_file_of_another_kind_is_refused, fresh, clean),
        cmocka_unit_test_setup_teardown(a_full_disk_is_an_error_and_passes, fresh, clean),
        cmocka_unit_test_setup_teardown(nothing_acknowledged_is_lost_by_kill_9, fresh, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
