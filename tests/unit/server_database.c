/* server_database.c - the directory on disk is the directory in memory, through every change. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define SQLITE_ENABLE_SESSION
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include <sqlite3.h>

#include "core/directory/records.h"
#include "directory_lines.h"
#include "server/database.h"

static char folder[64], path[96], error[300];

static int make_folder(void **state)
{
    snprintf(folder, sizeof(folder), "/tmp/dialtone-database-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/" DATABASE_FILE, folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static struct database *open_database(void)
{
    struct database *db;

    if (database_open(path, STORE_WRITE, &db, error, sizeof(error)))
        fail_msg("%s", error);
    return db;
}

static void assert_same(const struct directory *a, const struct directory *b)
{
    for (int e = 0; e < N_ENTITIES; e++) {
        char key[DIRECTORY_KEY_MAX] = "";
        const struct record *r;

        assert_int_equal(directory_count(a, (enum entity)e), directory_count(b, (enum entity)e));
        while ((r = directory_next(a, (enum entity)e, text_of(key)))) {
            const struct record *other;

            directory_key(r, key);
            other = directory_find(b, (enum entity)e, text_of(key));
            assert_non_null(other);
            assert_true(record_same(r, other));
            assert_int_equal(r->version, other->version);
        }
    }
}

/* What is in the file, freshly read. */
static const struct directory *reload(void)
{
    struct database *db = open_database();
    const struct directory *dir = NULL;

    if (database_load(db, &dir, error, sizeof(error)))
        fail_msg("%s", error);
    database_close(db);
    return dir;
}

static void a_new_file_gets_what_a_new_node_has(void **state)
{
    struct database *db = open_database();
    const struct directory *dir, *again;

    assert_int_equal(database_load(db, &dir, error, sizeof(error)), -ENODATA);
    assert_int_equal(
        database_load_or_make(db, TEXT("cm1"), TEXT("10.0.0.1"), &dir, error, sizeof(error)), 0);
    database_close(db);
    again = reload();
    assert_same(dir, again);
    assert_int_equal(directory_version(dir), directory_version(again));
    directory_unref(again);
    directory_unref(dir);
}

static void store_lines(struct database *db, const struct directory **dir, const char *lines)
{
    struct change *c = change_of_lines(lines);
    struct delta d;

    if (directory_apply(*dir, c, NULL, &d, error, sizeof(error)))
        fail_msg("%s", error);
    assert_int_equal(database_apply(db, &d), 0);
    directory_unref(*dir);
    *dir = directory_ref(d.directory);
    delta_done(&d);
    change_free(c);
}

static void every_change_is_there_after_a_restart(void **state)
{
    static const char *const changes[] = {
        ("partition Berlin\nphone SEP000000000001 model=7960 lines=7001;7002/Berlin "
         "speed_dials=A=1;B=2"),
        "phone SEP000000000002 model=7941 lines=7001 description=\"it's \\\"odd\\\"; ü\"",
        "phone SEP000000000001 lines=7002/Berlin",
        "partition Berlin name=Hamburg",
        "pool Default name=Main\ndatetime CMLocal clock_24h=yes",
        "line 7001 number=8001 forward_all=123",
        "phone SEP000000000002 name=SEP000000000003",
        "parameter station_keepalive_interval value=60",
        "scope a subnet=10.1.0.0/24 first=10.1.0.10 last=10.1.0.20",
        "template x buttons=line;speed_dial,Taxi;line",
        "template x buttons=line",
    };
    struct database *db = open_database();
    const struct directory *dir, *again;

    assert_int_equal(database_load_or_make(db, TEXT("cm1"), TEXT(""), &dir, error, sizeof(error)),
                     0);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        store_lines(db, &dir, changes[i]);
        database_close(db);
        again = reload();
        assert_same(dir, again);
        directory_unref(again);
        db = open_database();
    }
    directory_unref(dir);
    database_close(db);
}

static void a_deleted_record_takes_its_children_from_the_file(void **state)
{
    struct database *db = open_database();
    struct change *c = change_new();
    const struct directory *dir, *again;
    struct statement *st;
    struct delta d;

    assert_int_equal(database_load_or_make(db, TEXT("cm1"), TEXT(""), &dir, error, sizeof(error)),
                     0);
    store_lines(db, &dir, "phone SEP000000000001 model=7960 lines=7001;7002");
    change_delete(c, ENTITY_phone, TEXT("SEP000000000001"));
    assert_int_equal(directory_apply(dir, c, NULL, &d, error, sizeof(error)), 0);
    assert_int_equal(database_apply(db, &d), 0);
    assert_int_equal(store_prepare(database_store(db), "SELECT count(*) FROM phone_buttons", &st),
                     0);
    assert_int_equal(statement_step(st), 1);
    assert_int_equal(statement_get_number(st, 0), 0);
    statement_free(st);
    database_close(db);
    again = reload();
    assert_same(d.directory, again);
    assert_int_equal(directory_count(again, ENTITY_line), 2); /* unassigned, not gone */
    directory_unref(again);
    delta_done(&d);
    change_free(c);
    directory_unref(dir);
}

static void a_file_of_an_older_table_gets_what_is_new(void **state)
{
    struct database *db = open_database();
    const struct directory *dir, *again;

    assert_int_equal(database_load_or_make(db, TEXT("cm1"), TEXT(""), &dir, error, sizeof(error)),
                     0);
    store_lines(db, &dir, "phone SEP000000000001 model=7960 lines=7001");
    assert_int_equal(store_run(database_store(db),
                               "ALTER TABLE phone DROP COLUMN vendor_config;"
                               "ALTER TABLE phone_buttons DROP COLUMN max_calls;"
                               "DROP TABLE \"load\""),
                     0);
    database_close(db);
    again = reload();
    assert_same(dir, again); /* the defaults were stored */
    directory_unref(again);
    directory_unref(dir);
}

static void a_file_of_a_newer_dialtone_is_refused(void **state)
{
    struct database *db = open_database();

    assert_int_equal(store_set_version(database_store(db), 99), 0);
    database_close(db);
    assert_int_equal(database_open(path, STORE_WRITE, &db, error, sizeof(error)), -EPROTONOSUPPORT);
    assert_non_null(strstr(error, "newer"));
}

static int make_old(struct store *s)
{
    return store_run(s, "CREATE TABLE t(number TEXT)");
}

static int rename_column(struct store *s)
{
    return store_run(s, "ALTER TABLE t RENAME COLUMN number TO pattern");
}

static int fail_halfway(struct store *s)
{
    return store_run(s, "CREATE TABLE half(a); INSERT INTO nowhere VALUES(1)");
}

static void migrations_run_once_in_order_and_whole(void **state)
{
    static const struct database_step steps[] = {
        {make_old, "old"}, {rename_column, "pattern"}, {fail_halfway, "broken"}};
    struct store *s;
    int32_t version;

    assert_int_equal(store_open(path, STORE_WRITE, &s, error, sizeof(error)), 0);
    assert_int_equal(database_migrate(s, steps, 1, error, sizeof(error)), 0);
    assert_int_equal(database_migrate(s, steps, 2, error, sizeof(error)), 0);
    assert_int_equal(database_migrate(s, steps, 2, error, sizeof(error)), 0);
    assert_int_equal(store_run(s, "INSERT INTO t(pattern) VALUES('7001')"), 0);
    assert_true(database_migrate(s, steps, 3, error, sizeof(error)) < 0);
    assert_int_equal(store_version(s, &version), 0);
    assert_int_equal(version, 2);
    assert_true(store_run(s, "SELECT * FROM half") < 0); /* rolled back */
    store_close(s);
}

static unsigned dice_state = 5;

static unsigned dice(unsigned n)
{
    dice_state = dice_state * 1103515245 + 12345;
    return dice_state / 65536 % n;
}

/* One random operation on a small set of names; many will be refused. */
static void random_operation(struct change *c)
{
    static const enum entity kinds[] = {ENTITY_phone, ENTITY_phone,     ENTITY_phone,
                                        ENTITY_line,  ENTITY_partition, ENTITY_device_pool,
                                        ENTITY_css,   ENTITY_user};
    enum entity e = kinds[dice(sizeof(kinds) / sizeof(kinds[0]))];
    char key[40], other[40], value[80];

    snprintf(key, sizeof(key),
             e == ENTITY_phone  ? "SEP00000000000%u"
             : dice(2)          ? "%u"
             : e == ENTITY_line ? "%u/1"
                                : "%u",
             dice(6));
    snprintf(other, sizeof(other), e == ENTITY_phone ? "SEP00000000000%u" : "%u", dice(6));
    switch (dice(5)) {
    case 0:
        change_delete(c, e, text_of(key));
        return;
    case 1:
        change_copy(c, e, text_of(key), text_of(other));
        return;
    case 2:
        change_set(c, e, text_of(key));
        change_field(c, e == ENTITY_line ? TEXT("number") : TEXT("name"), text_of(other));
        return;
    default:
        change_put(c, e, text_of(key));
    }
    if (e == ENTITY_phone) {
        snprintf(value, sizeof(value), "%u;%u/%u", dice(6), dice(6), dice(6));
        change_field(c, TEXT("lines"), text_of(value));
        snprintf(value, sizeof(value), "%u", dice(6));
        change_field(c, TEXT("pool"), dice(2) ? TEXT("Default") : text_of(value));
        change_field(c, TEXT("owner"), dice(2) ? TEXT("") : text_of(value));
    } else if (e == ENTITY_css) {
        snprintf(value, sizeof(value), "%u;%u", dice(6), dice(6));
        change_field(c, TEXT("members"), text_of(value));
    }
}

/* Lines and phones know the same of each other. */
static void assert_lines_and_phones_agree(const struct directory *dir)
{
    const struct phone *p = NULL;
    char key[DIRECTORY_KEY_MAX] = "";
    const struct line *l;
    size_t uses = 0, used = 0;

    while ((p = directory_next(dir, ENTITY_phone, text_of(p ? p->name : "")))) {
        uses += p->n_buttons;
        for (unsigned i = 0; i < p->n_buttons; i++)
            assert_non_null(directory_find(dir, ENTITY_line, text_of(p->buttons[i].target)));
    }
    while ((l = directory_next(dir, ENTITY_line, text_of(key)))) {
        directory_key(l, key);
        for (p = NULL; (p = directory_line_user(dir, text_of(key), p ? p->name : ""));)
            used += p == directory_phone(dir, text_of(p->name));
    }
    assert_int_equal(uses, used);
}

static bool file_has(const char *words)
{
    char command[300];

    snprintf(command, sizeof(command), "cat %s/dialtone.db* | grep -aqF '%s'", folder, words);
    return system(command) == 0;
}

static const struct directory *stored(const char *lines)
{
    struct database *db = open_database();
    const struct directory *dir;

    assert_int_equal(database_load_or_make(db, TEXT("cm1"), TEXT(""), &dir, error, sizeof(error)),
                     0);
    store_lines(db, &dir, lines);
    database_close(db);
    return dir;
}

static void secrets_are_in_the_file_for_who_has_the_key_alone(void **state)
{
    const struct directory *dir =
                               stored("user alice digest_password=wonderland\n"
                                      "phone SEP0000000000A1 model=7960 unlock_password=sesame\n"),
                           *again;
    const struct user *alice = directory_find(dir, ENTITY_user, TEXT("alice"));
    char ha1[33];
    char key[100];

    text_copy(ha1, sizeof(ha1), (struct text){alice->digest_password + strlen("ha1:"), 32});
    assert_false(file_has("sesame"));
    assert_false(file_has("wonderland"));
    assert_false(file_has(ha1));
    again = reload();
    assert_same(dir, again);
    directory_unref(again);
    snprintf(key, sizeof(key), "%s/" DATABASE_KEY_FILE, folder);
    assert_int_equal(unlink(key), 0);
    again = reload();
    assert_string_equal(
        ((const struct user *)directory_find(again, ENTITY_user, TEXT("alice")))->digest_password,
        "");
    assert_int_equal(directory_count(again, ENTITY_phone), 1);
    directory_unref(again);
    directory_unref(dir);
}

static void secrets_of_an_older_file_are_sealed_when_it_is_opened(void **state)
{
    const struct directory *dir =
                               stored("phone SEP0000000000A1 model=7960 unlock_password=sesame\n"),
                           *again;
    struct database *db = open_database();

    assert_int_equal(store_run(database_store(db), "UPDATE phone SET unlock_password = 'sesame'; "
                                                   "PRAGMA wal_checkpoint(TRUNCATE)"),
                     0);
    assert_true(file_has("sesame"));
    database_close(db);
    again = reload();
    assert_same(dir, again);
    assert_false(file_has("sesame"));
    directory_unref(again);
    directory_unref(dir);
}

static void the_file_follows_any_history(void **state)
{
    struct database *db = open_database();
    const struct directory *dir, *again;
    unsigned taken = 0;

    assert_int_equal(database_load_or_make(db, TEXT("cm1"), TEXT(""), &dir, error, sizeof(error)),
                     0);
    for (int round = 0; round < 1000; round++) {
        struct change *c = change_new();
        struct delta d;

        for (unsigned n = 1 + dice(3); n > 0; n--)
            random_operation(c);
        if (directory_apply(dir, c, NULL, &d, error, sizeof(error)) == 0) {
            assert_int_equal(database_apply(db, &d), 0);
            directory_unref(dir);
            dir = directory_ref(d.directory);
            taken += d.n > 0;
            delta_done(&d);
        }
        change_free(c);
        if (round % 100)
            continue;
        assert_lines_and_phones_agree(dir);
        again = reload();
        assert_same(dir, again);
        directory_unref(again);
    }
    assert_true(taken > 100);
    again = reload();
    assert_same(dir, again);
    directory_unref(again);
    directory_unref(dir);
    database_close(db);
}

static int theirs_wins(void *context, int kind, sqlite3_changeset_iter *at)
{
    return kind == SQLITE_CHANGESET_DATA || kind == SQLITE_CHANGESET_CONFLICT
               ? SQLITE_CHANGESET_REPLACE
               : SQLITE_CHANGESET_OMIT;
}

static void copy_file(const char *to)
{
    struct database *db = open_database();

    assert_int_equal(store_backup(database_store(db), to, error, sizeof(error)), 0);
    database_close(db);
}

/* What goes from node to node later: rows of one transaction, named by their natural keys, that
 * make the same directory of another file. */
static void a_captured_change_makes_the_same_of_another_file(void **state)
{
    struct database *db = open_database();
    const struct directory *dir, *here, *there;
    char other[110];
    sqlite3 *raw, *second;
    sqlite3_session *session;
    void *changeset;
    int len;

    snprintf(other, sizeof(other), "%s.other", path);
    assert_int_equal(database_load_or_make(db, TEXT("cm1"), TEXT(""), &dir, error, sizeof(error)),
                     0);
    store_lines(db, &dir,
                "phone SEP000000000001 model=7960 lines=7001;7002\nphone SEP000000000002 "
                "model=7960 lines=7003");
    database_close(db);
    copy_file(other);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3session_create(raw, "main", &session), SQLITE_OK);
    assert_int_equal(sqlite3session_attach(session, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(raw,
                     "BEGIN; INSERT OR REPLACE INTO phone(name, description, changed) "
                     "VALUES('SEP000000000001', 'new', 9);"
                     "DELETE FROM phone_buttons WHERE owner = 'sep000000000001' AND position = 1;"
                     "DELETE FROM phone WHERE name = 'SEP000000000002'; DELETE FROM phone_buttons "
                     "WHERE owner = 'SEP000000000002';"
                     "INSERT INTO line(number, partition) VALUES('8000', ''); UPDATE meta SET "
                     "value = 9 WHERE name = 'version'; COMMIT",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3session_changeset(session, &len, &changeset), SQLITE_OK);
    sqlite3session_delete(session);
    sqlite3_close(raw);
    assert_true(len > 0);
    assert_int_equal(sqlite3_open(other, &second), SQLITE_OK);
    assert_int_equal(sqlite3changeset_apply(second, len, changeset, NULL, theirs_wins, NULL),
                     SQLITE_OK);
    sqlite3_close(second);
    sqlite3_free(changeset);
    here = reload();
    snprintf(path, sizeof(path), "%.90s", other);
    there = reload();
    assert_same(here, there);
    assert_null(directory_phone(there, TEXT("SEP000000000002")));
    assert_string_equal(directory_phone(there, TEXT("SEP000000000001"))->description, "new");
    assert_int_equal(directory_version(there), 9);
    directory_unref(here);
    directory_unref(there);
    directory_unref(dir);
}

static void no_table_has_row_numbers_or_triggers(void **state)
{
    struct database *db = open_database();
    struct statement *st;

    assert_int_equal(
        store_prepare(database_store(db),
                      "SELECT count(*), sum(type = 'table' AND sql LIKE '%WITHOUT ROWID'), "
                      "sum(type = 'trigger') FROM sqlite_schema WHERE type IN ('table', 'trigger')",
                      &st),
        0);
    assert_int_equal(statement_step(st), 1);
    assert_int_equal(statement_get_number(st, 0), statement_get_number(st, 1));
    assert_int_equal(statement_get_number(st, 2), 0);
    statement_free(st);
    database_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_file_gets_what_a_new_node_has, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(secrets_are_in_the_file_for_who_has_the_key_alone,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(secrets_of_an_older_file_are_sealed_when_it_is_opened,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(every_change_is_there_after_a_restart, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(the_file_follows_any_history, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_deleted_record_takes_its_children_from_the_file,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_of_an_older_table_gets_what_is_new, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_file_of_a_newer_dialtone_is_refused, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_captured_change_makes_the_same_of_another_file,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(no_table_has_row_numbers_or_triggers, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(migrations_run_once_in_order_and_whole, make_folder,
                                        remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
