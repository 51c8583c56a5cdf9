/* server_bulk.c - files in and out: CSV, JSON, backup, restore; all of a file or nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/grow.h"
#include "core/directory/records.h"
#include "directory_lines.h"
#include "server/bulk/bulk.h"

static char folder[64], path[96], file[96], error[512];
static struct change_fault rows[20];
static struct change_faults faults;

static int make_folder(void **state)
{
    snprintf(folder, sizeof(folder), "/tmp/dialtone-bulk-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/" DATABASE_FILE, folder);
    snprintf(file, sizeof(file), "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static int import_into(const struct directory **dir, const char *text, const char *model, bool json)
{
    struct change *c = change_new();
    char *copy = strdup(text);
    struct delta d;
    int err;

    faults = (struct change_faults){.rows = rows, .max = 20};
    *error = 0;
    err = json
              ? bulk_json_read(copy, strlen(copy), c, &faults, error, sizeof(error))
              : bulk_csv_read(copy, strlen(copy), text_of(model), c, &faults, error, sizeof(error));
    if (!err)
        err = directory_apply(*dir, c, &faults, &d, error, sizeof(error));
    if (!err) {
        directory_unref(*dir);
        *dir = directory_ref(d.directory);
        delta_done(&d);
    }
    change_free(c);
    free(copy);
    return err ? err : faults.total ? -EINVAL : 0;
}

static int import_csv(const struct directory **dir, const char *text)
{
    return import_into(dir, text, "", false);
}

static void assert_fault(size_t i, uint32_t line, const char *field, const char *part)
{
    assert_true(i < faults.n);
    assert_int_equal(faults.rows[i].source, line);
    assert_string_equal(faults.rows[i].field, field);
    if (!strstr(faults.rows[i].text, part))
        fail_msg("'%s' is not in '%s'", part, faults.rows[i].text);
}

static void the_phone_list_of_the_design_is_taken(void **state)
{
    const struct directory *dir = directory_of_lines("");
    const struct phone *p;

    if (import_csv(&dir, "name,model,protocol,description,pool,lines,speed_dials,load\r\n"
                         "SEP001122334455,7960,sccp,Reception,Default,7001;7002,Taxi=0123,\r\n"
                         "\r\n"
                         "SEP001122334456,115,,\"Meeting \"\"A\"\", first\",,7003\n"))
        fail_msg("%s %s", error, faults.n ? faults.rows[0].text : "");
    p = directory_phone(dir, TEXT("SEP001122334455"));
    assert_int_equal(p->model, 7);
    assert_int_equal(p->n_buttons, 3);
    assert_string_equal(p->buttons[2].label, "Taxi");
    p = directory_phone(dir, TEXT("SEP001122334456"));
    assert_int_equal(p->model, 115);
    assert_string_equal(p->description, "Meeting \"A\", first");
    assert_string_equal(p->pool, "Default");
    directory_unref(dir);
}

static void all_faults_are_told_with_line_and_column_and_nothing_is_stored(void **state)
{
    const struct directory *dir = directory_of_lines(""), *before = dir;

    assert_int_equal(import_csv(&dir, "model,name,pool,lines\n"
                                      "7960,SEP000000000001,Default,7001\n"
                                      "7960,SEP00000000000,Default,7002\n"
                                      "796O,SEP000000000003,Default,7003\n"
                                      "7960,SEP000000000004,Defualt,7004\n"
                                      "7960,SEP000000000001,Default,7005\n"
                                      "7960,SEP000000000006,Default,7006,too,many\n"
                                      "7960,\"SEP0000\"x,Default,7001\n"
                                      "7960,SEP000000000008,Default,70a1z\n"
                                      "7960,SEP000000000009,Default,7009;7009\n"),
                     -EINVAL);
    assert_ptr_equal(dir, before);
    assert_int_equal(faults.total, 7); /* the pool is looked at when the rest is right */
    assert_fault(0, 6, "name", "line 2");
    assert_fault(1, 7, "", "6 cells");
    assert_fault(2, 8, "", "quoted");
    assert_fault(3, 3, "name", "SEP and the 12 hex digits");
    assert_fault(4, 4, "model", "no model \"796O\"");
    assert_fault(5, 9, "lines", "no number");
    assert_fault(6, 10, "lines", "twice");
    assert_int_equal(import_csv(&dir, "model,name,pool\n7960,SEP000000000004,Defualt\n"), -EINVAL);
    assert_fault(0, 2, "pool", "did you mean \"Default\"");
    directory_unref(dir);
}

static void a_header_with_an_unknown_column_is_refused_with_the_nearest(void **state)
{
    const struct directory *dir = directory_of_lines("");

    assert_int_equal(import_csv(&dir, "name,model,desciption\n"), -EINVAL);
    assert_non_null(strstr(error, "description"));
    assert_int_equal(import_csv(&dir, "model,description\n"), -EINVAL);
    assert_int_equal(import_csv(&dir, ""), -EINVAL);
    directory_unref(dir);
}

static void a_bulk_administration_file_is_recognised(void **state)
{
    const struct directory *dir = directory_of_lines("");
    const struct phone *p;
    const struct line *line;
    static const char text[] =
        "MAC ADDRESS,DESCRIPTION,LOCATION,USER ID,DIRECTORY NUMBER 1,DISPLAY 1,LINE TEXT LABEL "
        "1,FORWARD BUSY EXTERNAL 1,"
        "CALL PICKUP GROUP 1,DIRECTORY NUMBER 2,DISPLAY 2,SPEED DIAL NUMBER 1,SPEED DIAL LABEL 1\n"
        "001122334455,Front desk,Paris,anna,7001,Anna,Desk,7999,grp,7002,,0123,Taxi\n";

    assert_int_equal(import_csv(&dir, text), -EINVAL); /* no model anywhere */
    if (import_into(&dir, text, "7960", false))
        fail_msg("%s %s", error, faults.n ? faults.rows[0].text : "");
    p = directory_phone(dir, TEXT("SEP001122334455"));
    assert_int_equal(p->n_buttons, 3);
    assert_string_equal(p->buttons[0].display, "Anna");
    assert_string_equal(p->buttons[2].target, "0123");
    line = directory_find(dir, ENTITY_line, TEXT("7001"));
    assert_string_equal(line->forward_busy, "7999");
    assert_string_equal(line->pickup_group, "grp");
    directory_unref(dir);
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
            if (!other || !record_same(r, other))
                fail_msg("%s %s differs", directory_entity((enum entity)e)->noun, key);
        }
    }
}

static const char full[] =
    "partition Berlin description=\"with \\\\ and é\"\n"
    "css Inside members=Berlin\n"
    "line 7009/Berlin css=Inside forward_all=1234\n"
    "phone SEP000000000001 model=7960 lines=7001;7002/Berlin speed_dials=A=1;B=2 "
    "unlock_password=secret\n"
    "phone SEP000000000002 model=186 lines=7001 description=\"a;b,c\" delayed_failover=yes\n"
    "user anna password=$y$hash role=operator\n"
    "phone SEP000000000003 model=8841 protocol=sip owner=anna\n"
    "template mine model=7960 buttons=line;speed_dial,Taxi\n"
    "group Default members=cm1\n"
    "region Far relations=Default,24\n"
    "autoregistration cm1 enabled=yes start=8000 end=8010 mask=555XXXX\n"
    "parameter station_keepalive_interval value=45\n"
    "scope a subnet=10.1.0.0/24 first=10.1.0.10 last=10.1.0.20\n"
    "reservation 00:11:22:33:44:55 address=10.1.0.11\n"
    "load P0030801SR02 max_downloads=3\n"
    "datetime CMLocal separator=- format=Y/M/D clock_24h=yes\n";

static void json_out_and_in_again_is_everything(void **state)
{
    const struct directory *dir = directory_of_lines(full), *again = directory_empty();
    struct grow text = {0};

    bulk_json_write(dir, true, &text);
    assert_false(text.bad);
    if (import_into(&again, text.at, "", true))
        fail_msg("%s %s", error, faults.n ? faults.rows[0].text : "");
    assert_same(dir, again);
    /* Into what is not empty: what the file does not say is the default, not what was there. */
    directory_unref(again);
    again = directory_of_lines("phone SEP000000000001 model=7960 description=old load=old\n");
    if (import_into(&again, text.at, "", true))
        fail_msg("%s %s", error, faults.n ? faults.rows[0].text : "");
    assert_same(dir, again);
    grow_done(&text);
    directory_unref(again);
    directory_unref(dir);
}

static void json_leaves_out_secrets_that_are_no_hashes(void **state)
{
    const struct directory *dir = directory_of_lines(full);
    struct grow text = {0};

    bulk_json_write(dir, false, &text);
    assert_null(strstr(text.at, "secret"));
    assert_non_null(strstr(text.at, "$y$hash"));
    grow_done(&text);
    directory_unref(dir);
}

static void csv_out_and_in_again_is_every_phone(void **state)
{
    const struct directory *dir =
        directory_of_lines("phone SEP000000000001 model=7960 lines=7001;7002 speed_dials=A=1\n"
                           "phone SEP000000000002 model=186 lines=7001 description=\"a;b,c\"\n");
    const struct directory *again = directory_of_lines("");
    struct grow text = {0};

    bulk_csv_write(dir, &text);
    if (import_csv(&again, text.at))
        fail_msg("%s %s", error, faults.n ? faults.rows[0].text : "");
    assert_same(dir, again);
    grow_done(&text);
    directory_unref(again);
    directory_unref(dir);
}

static void json_faults_have_their_lines(void **state)
{
    const struct directory *dir = directory_of_lines("");

    assert_int_equal(
        import_into(
            &dir,
            "{\n\"phone\": [\n{\"name\": \"SEP000000000001\", \"model\": 7},\n{\"model\": 7},\n"
            "{\"name\": \"SEP000000000002\", \"model\": 7.5}\n,{\"name\": \"SEP000000000003\", "
            "\"modle\": 7}]}",
            "", true),
        -EINVAL);
    assert_int_equal(faults.total, 3);
    assert_fault(0, 4, "", "without a name");
    assert_fault(1, 5, "", "wrong kind");
    assert_fault(2, 6, "", "did you mean model?");
    assert_int_equal(import_into(&dir, "{\n\"phone\": [\n{\"name\": }]}", "", true), -EINVAL);
    assert_non_null(strstr(error, "line 3"));
    assert_int_equal(import_into(&dir, "{\"fone\": []}", "", true), -EINVAL);
    assert_non_null(strstr(error, "fone"));
    directory_unref(dir);
}

static json_t *ask(struct bulk_host *h, const char *verb, const char *with, int status)
{
    json_t *arguments = json_pack("{s:s}", "path", with), *body = NULL;

    assert_int_equal(bulk_request(h, verb, arguments, &body), status);
    json_decref(arguments);
    assert_non_null(body);
    return body;
}

static void a_restore_brings_back_what_was_and_keeps_what_is(void **state)
{
    struct bulk_host h = {0};
    const struct directory *then;
    struct change *c = change_new();
    struct delta d;

    assert_int_equal(database_open(path, STORE_WRITE, &h.db, error, sizeof(error)), 0);
    h.can_write = true;
    h.directory = directory_of_lines(full);
    assert_int_equal(database_replace(h.db, h.directory), 0);
    then = directory_ref(h.directory);
    json_decref(ask(&h, "backup", file, 0));
    json_decref(ask(&h, "backup", file, 1)); /* never over another file */
    change_delete(c, ENTITY_phone, TEXT("SEP000000000001"));
    assert_int_equal(directory_apply(h.directory, c, NULL, &d, error, sizeof(error)), 0);
    assert_int_equal(database_apply(h.db, &d), 0);
    directory_unref(h.directory);
    h.directory = directory_ref(d.directory);
    json_decref(ask(&h, "restore", "/nowhere", 1));
    json_decref(ask(&h, "restore", file, 0));
    assert_same(h.directory, then);
    assert_true(directory_version(h.directory) > directory_version(d.directory));
    delta_done(&d);
    change_free(c);
    directory_unref(h.directory);
    assert_int_equal(database_load(h.db, &h.directory, error, sizeof(error)), 0);
    assert_same(h.directory, then);
    directory_unref(h.directory);
    directory_unref(then);
    database_close(h.db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_phone_list_of_the_design_is_taken),
        cmocka_unit_test(all_faults_are_told_with_line_and_column_and_nothing_is_stored),
        cmocka_unit_test(a_header_with_an_unknown_column_is_refused_with_the_nearest),
        cmocka_unit_test(a_bulk_administration_file_is_recognised),
        cmocka_unit_test(json_out_and_in_again_is_everything),
        cmocka_unit_test(json_leaves_out_secrets_that_are_no_hashes),
        cmocka_unit_test(csv_out_and_in_again_is_every_phone),
        cmocka_unit_test(json_faults_have_their_lines),
        cmocka_unit_test_setup_teardown(a_restore_brings_back_what_was_and_keeps_what_is,
                                        make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
