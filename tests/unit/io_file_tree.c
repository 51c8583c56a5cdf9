/* io_file_tree.c - a folder that changes while it is served. */
#include "io/file_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#define REST_MS 40

static char folder[64];
static uv_loop_t loop;
static struct file_tree *tree;
static unsigned changes;

static void on_change(void *context)
{
    changes++;
}

static void path_of(const char *name, char to[static 200])
{
    snprintf(to, 200, "%s/%s", folder, name);
}

static void put(const char *name, const char *text)
{
    char path[200];
    FILE *f;

    path_of(name, path);
    assert_non_null(f = fopen(path, "w"));
    fputs(text, f);
    fclose(f);
}

static void date(const char *name, time_t when)
{
    struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    char path[200];

    path_of(name, path);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void age(const char *name)
{
    date(name, 1000000000);
}

/* Written just now, however long ago that is on a slow machine: at rest a while after it was seen. */
static void put_new(const char *name, const char *text)
{
    put(name, text);
    date(name, 4000000000);
}

static void open_tree(bool cache)
{
    struct file_tree_options o = {
        .path = folder, .cache = cache, .cache_max = 1 << 20, .rest_ms = REST_MS, .on_change = on_change};

    assert_int_equal(file_tree_open(&loop, &o, &tree), 0);
}

static void on_time(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* Runs the loop for so long. */
static void turn(uint64_t ms)
{
    uv_timer_t timer;

    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_time, ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

/* Runs the loop until there are so many files, or for a minute at most. */
static bool has(size_t n)
{
    for (int i = 0; i < 3000 && file_tree_state(tree).files != n; i++)
        turn(20);
    return file_tree_state(tree).files == n;
}

/* Runs the loop until the file reads so, or for a minute at most. */
static bool reads(const char *name, const char *text)
{
    for (int i = 0; i < 3000; i++) {
        struct content *c;
        const uint8_t *bytes;
        bool same;

        if (file_tree_get(tree, name, name, &c) == 0) {
            bytes = c->size == strlen(text) ? content_read(c, 0, (size_t)c->size) : NULL;
            same = bytes && memcmp(bytes, text, strlen(text)) == 0;
            content_unref(c);
            if (same)
                return true;
        }
        turn(20);
    }
    return false;
}

static int set_up(void **state)
{
    snprintf(folder, sizeof(folder), "/tmp/tree-XXXXXX");
    changes = 0;
    return mkdtemp(folder) && uv_loop_init(&loop) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[100];

    file_tree_close(tree);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static void files_are_found_without_regard_to_case(void **state)
{
    struct content *c;
    struct file_tree_file f;

    put("CP7921G-1.4.6.3.LOADS", "x");
    age("CP7921G-1.4.6.3.LOADS");
    put(".hidden", "x");
    age(".hidden");
    open_tree(false);
    assert_int_equal(file_tree_get(tree, "cp7921g-1.4.6.3.loads", "cp7921g-1.4.6.3.LOADS", &c), 0);
    content_unref(c);
    assert_int_equal(file_tree_get(tree, ".hidden", ".hidden", &c), -ENOENT);
    assert_true(file_tree_next(tree, NULL, &f));
    assert_string_equal(f.path, "CP7921G-1.4.6.3.LOADS");
    assert_false(file_tree_next(tree, "cp7921g-1.4.6.3.loads", &f));
}

static void links_that_lead_out_are_not_followed(void **state)
{
    char path[200];
    struct content *c;

    put("inside.xml", "in");
    age("inside.xml");
    path_of("out.xml", path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    path_of("in.xml", path);
    assert_int_equal(symlink("inside.xml", path), 0);
    path_of("up", path);
    assert_int_equal(symlink("..", path), 0);
    open_tree(false);
    assert_int_equal(file_tree_get(tree, "out.xml", "out.xml", &c), -ENOENT);
    assert_int_equal(file_tree_get(tree, "in.xml", "in.xml", &c), 0);
    content_unref(c);
    assert_int_equal(file_tree_state(tree).files, 2);
}

static void a_new_file_appears_when_it_is_at_rest(void **state)
{
    struct content *c;

    open_tree(true);
    put_new("new.raw", "half");
    file_tree_rescan(tree);
    assert_int_equal(file_tree_get(tree, "new.raw", "new.raw", &c), -ENOENT);
    assert_true(reads("new.raw", "half"));
    assert_true(changes > 0);
}

static void a_file_that_is_written_over_in_place_is_served_as_it_was(void **state)
{
    struct content *before = NULL, *now;
    char path[200];
    int fd;

    put("load.bin", "old content");
    age("load.bin");
    open_tree(true);
    for (int i = 0; i < 3000 && !(before && before->bytes); i++) { /* into memory */
        content_unref(before);
        turn(20);
        assert_int_equal(file_tree_get(tree, "load.bin", "load.bin", &before), 0);
    }
    assert_non_null(before->bytes);
    path_of("load.bin", path);
    fd = open(path, O_WRONLY | O_TRUNC); /* a copy begins */
    assert_int_equal(write(fd, "new", 3), 3);
    turn(400); /* long after the system told of it, and the writer still has it open */
    assert_int_equal(file_tree_get(tree, "load.bin", "load.bin", &now), 0);
    assert_int_equal(now->size, strlen("old content"));
    content_unref(now);
    assert_int_equal(write(fd, " content, longer", 16), 16);
    close(fd);
    assert_true(reads("load.bin", "new content, longer"));
    assert_memory_equal(content_read(before, 0, 11), "old content", 11); /* transfers that run keep theirs */
    content_unref(before);
}

static void a_file_not_in_memory_that_changes_gives_nothing_rather_than_a_mixture(void **state)
{
    struct content *c, *late;

    put("x.bin", "first");
    age("x.bin");
    open_tree(false);
    assert_int_equal(file_tree_get(tree, "x.bin", "x.bin", &c), 0);
    put_new("x.bin", "other");
    assert_null(content_read(c, 0, 5));
    assert_int_equal(file_tree_get(tree, "x.bin", "x.bin", &late), -EBUSY);
    content_unref(c);
    assert_true(reads("x.bin", "other"));
}

static void a_file_that_is_renamed_into_place_replaces_the_old_one(void **state)
{
    char from[200], to[200];
    struct content *before;

    put("x.bin", "first");
    age("x.bin");
    open_tree(false);
    assert_int_equal(file_tree_get(tree, "x.bin", "x.bin", &before), 0);
    put(".x.part", "second");
    age(".x.part");
    path_of(".x.part", from);
    path_of("x.bin", to);
    assert_int_equal(rename(from, to), 0);
    assert_memory_equal(content_read(before, 0, 5), "first", 5); /* its descriptor holds the old one */
    content_unref(before);
    assert_true(reads("x.bin", "second"));
}

static void folders_come_and_go(void **state)
{
    struct content *c;
    char path[200];

    open_tree(true);
    path_of("German_Germany", path);
    mkdir(path, 0755);
    put("German_Germany/mk-sccp.jar", "jar");
    assert_true(reads("german_germany/mk-sccp.jar", "jar"));
    path_of("German_Germany/mk-sccp.jar", path);
    unlink(path);
    path_of("German_Germany", path);
    rmdir(path);
    assert_true(has(0));
    assert_int_equal(file_tree_get(tree, "german_germany/mk-sccp.jar", "", &c), -ENOENT);
    assert_int_equal(file_tree_state(tree).folders, 1);
}

static void what_does_not_fit_into_memory_is_read_from_disk(void **state)
{
    struct content *c;

    put("x.bin", "12345678");
    age("x.bin");
    open_tree(true);
    file_tree_cache(tree, true, 4);
    turn(50);
    assert_int_equal(file_tree_get(tree, "x.bin", "x.bin", &c), 0);
    assert_memory_equal(content_read(c, 2, 3), "345", 3);
    content_unref(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_found_without_regard_to_case),
        TEST(links_that_lead_out_are_not_followed),
        TEST(a_new_file_appears_when_it_is_at_rest),
        TEST(a_file_that_is_written_over_in_place_is_served_as_it_was),
        TEST(a_file_not_in_memory_that_changes_gives_nothing_rather_than_a_mixture),
        TEST(a_file_that_is_renamed_into_place_replaces_the_old_one),
        TEST(folders_come_and_go),
        TEST(what_does_not_fit_into_memory_is_read_from_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
