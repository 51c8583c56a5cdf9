/* io_store.c - what a store keeps, and what it says when it cannot. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/store.h"

static char folder[64], path[96], copy[96], error[300];

static int make_folder(void **state)
{
    snprintf(folder, sizeof(folder), "/tmp/dialtone-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a.db", folder);
    snprintf(copy, sizeof(copy), "%s/b.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static struct store *filled(void)
{
    struct store *s;

    assert_int_equal(store_open(path, STORE_WRITE, &s, error, sizeof(error)), 0);
    assert_int_equal(store_run(s, "CREATE TABLE t(k TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID; "
                                  "INSERT INTO t VALUES('a', 1)"),
                     0);
    return s;
}

static int64_t count_rows(struct store *s)
{
    struct statement *st;
    int64_t n;

    assert_int_equal(store_prepare(s, "SELECT count(*) FROM t", &st), 0);
    assert_int_equal(statement_step(st), 1);
    n = statement_get_number(st, 0);
    statement_free(st);
    return n;
}

static void what_is_committed_is_there_again(void **state)
{
    struct store *s = filled();
    struct statement *st;
    int32_t version = 0;

    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_prepare(s, "INSERT INTO t VALUES(?, ?)", &st), 0);
    statement_text(st, 1, TEXT("b"));
    statement_number(st, 2, -5);
    assert_int_equal(statement_run(st), 0);
    statement_free(st);
    assert_int_equal(store_set_version(s, 3), 0);
    assert_int_equal(store_commit(s), 0);
    store_close(s);
    assert_int_equal(store_open(path, STORE_WRITE, &s, error, sizeof(error)), 0);
    assert_int_equal(count_rows(s), 2);
    assert_int_equal(store_version(s, &version), 0);
    assert_int_equal(version, 3);
    store_close(s);
}

static void what_is_rolled_back_is_not(void **state)
{
    struct store *s = filled();

    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_run(s, "DELETE FROM t"), 0);
    store_rollback(s);
    assert_int_equal(count_rows(s), 1);
    store_rollback(s);
    store_close(s);
}

static void a_backup_is_whole_and_never_overwrites(void **state)
{
    struct store *s = filled(), *b;

    assert_int_equal(store_backup(s, copy, error, sizeof(error)), 0);
    assert_int_equal(store_backup(s, copy, error, sizeof(error)), -EEXIST);
    assert_int_equal(store_open(copy, STORE_READ, &b, error, sizeof(error)), 0);
    assert_int_equal(count_rows(b), 1);
    assert_false(store_can_write(b));
    assert_int_equal(store_check(b, error, sizeof(error)), 0);
    store_close(b);
    store_close(s);
}

static void a_file_that_is_no_database_is_refused_by_name(void **state)
{
    FILE *f = fopen(path, "w");
    struct store *s;

    for (int i = 0; i < 200; i++)
        fputs("this is no database at all, just words\n", f);
    fclose(f);
    assert_int_equal(store_open(path, STORE_WRITE, &s, error, sizeof(error)), -EBADMSG);
    assert_non_null(strstr(error, path));
}

static void a_full_database_says_so_and_goes_on_when_there_is_room(void **state)
{
    struct store *s = filled();
    int err = 0;

    assert_int_equal(store_run(s, "PRAGMA max_page_count=4"), 0);
    for (int i = 0; i < 100 && !err; i++) {
        char sql[300];

        snprintf(sql, sizeof(sql), "INSERT INTO t VALUES('%d%0200d', 0)", i, i);
        err = store_run(s, sql);
    }
    assert_int_equal(err, -ENOSPC);
    assert_non_null(strstr(store_error(s), "full"));
    assert_int_equal(store_run(s, "PRAGMA max_page_count=1000"), 0);
    assert_int_equal(store_run(s, "INSERT INTO t VALUES('more', 1)"), 0);
    assert_int_equal(store_check(s, error, sizeof(error)), 0);
    store_close(s);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct store *s;

    assert_int_equal(store_open("/nowhere/at/all.db", STORE_WRITE, &s, error, sizeof(error)),
                     -ENOENT);
    assert_non_null(strstr(error, "/nowhere/at/all.db"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_committed_is_there_again, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_rolled_back_is_not, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_backup_is_whole_and_never_overwrites, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_database_is_refused_by_name, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_full_database_says_so_and_goes_on_when_there_is_room,
                                        make_folder, remove_folder),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
