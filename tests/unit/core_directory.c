/* core_directory.c - snapshots, changes, and what is refused. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/grow.h"
#include "core/directory/walk.h"
#include "core/settings.h"
#include "directory_lines.h"

static char error[256];

/* Applies lines on top of *dir. */
static int change_lines(const struct directory **dir, const char *lines)
{
    struct change *c = change_of_lines(lines);
    int err = directory_change(dir, c, error, sizeof(error));

    change_free(c);
    return err;
}

static int change_one(const struct directory **dir, struct change *take_change)
{
    int err = directory_change(dir, take_change, error, sizeof(error));

    change_free(take_change);
    return err;
}

static int delete_one(const struct directory **dir, enum entity e, const char *key)
{
    struct change *c = change_new();

    change_delete(c, e, text_of(key));
    return change_one(dir, c);
}

static const struct phone *phone(const struct directory *dir, const char *name)
{
    return directory_phone(dir, text_of(name));
}

static int rename_expecting(const struct directory **dir, uint64_t version)
{
    struct change *c = change_new();

    change_set(c, ENTITY_phone, TEXT("SEP001122334455"));
    change_expect(c, version);
    change_field(c, TEXT("description"), TEXT("Lobby"));
    return change_one(dir, c);
}

static void a_change_that_expects_an_older_record_is_refused(void **state)
{
    const struct directory *dir = directory_factory(TEXT("cm1"), TEXT("10.0.0.1"));
    struct change *c = change_new();
    uint64_t seen;

    change_add(c, ENTITY_phone, TEXT("SEP001122334455"));
    change_field(c, TEXT("model"), TEXT("7960"));
    assert_int_equal(change_one(&dir, c), 0);
    seen = phone(dir, "SEP001122334455")->record.version;
    assert_int_equal(rename_expecting(&dir, seen), 0);
    assert_string_equal(phone(dir, "SEP001122334455")->description, "Lobby");
    assert_int_equal(rename_expecting(&dir, seen), -ESTALE);
    assert_string_equal(error, "it was changed meanwhile; look at it again");
    directory_unref(dir);
}

static void a_new_node_has_what_the_original_ships(void **state)
{
    const struct directory *dir = directory_factory(TEXT("cm1"), TEXT("10.0.0.1"));
    const struct device_pool *pool;
    const struct template *t;
    const struct callmanager *cm;

    assert_non_null(dir);
    pool = directory_find(dir, ENTITY_device_pool, TEXT("Default"));
    assert_string_equal(pool->group, "Default");
    assert_string_equal(pool->datetime, "CMLocal");
    assert_string_equal(pool->location, "Hub_None");
    assert_string_equal(pool->softkeys, "Standard User");
    cm = directory_find(dir, ENTITY_callmanager, TEXT("cm1"));
    assert_string_equal(cm->server, "10.0.0.1");
    assert_int_equal(cm->sccp_port, 2000);
    t = directory_find(dir, ENTITY_template, TEXT("Standard 7960 SCCP"));
    assert_int_equal(t->model, 7);
    assert_int_equal(t->n_buttons, 6);
    assert_int_equal(t->buttons[1].feature, BUTTON_LINE);
    assert_int_equal(t->buttons[2].feature, BUTTON_SPEED_DIAL);
    assert_false(
        ((const struct autoregistration *)directory_find(dir, ENTITY_autoregistration, TEXT("cm1")))
            ->enabled);
    assert_non_null(directory_find(dir, ENTITY_defaults, TEXT("7960/sccp")));
    assert_int_equal(directory_number(dir, SET_station_keepalive_interval), 30);
    directory_unref(dir);
}

static void a_phone_brings_its_lines(void **state)
{
    const struct directory *dir =
        directory_of_lines("partition Berlin\n"
                           "phone 00:11:22:aa:bb:cc model=7960 lines=7001;7002/Berlin "
                           "speed_dials=Taxi=0123;Anna=7003");
    const struct phone *p = phone(dir, "sep001122AABBCC");

    assert_non_null(p);
    assert_string_equal(p->name, "SEP001122AABBCC");
    assert_int_equal(p->model, 7);
    assert_int_equal(p->n_buttons, 4);
    assert_string_equal(p->buttons[1].target, "7002/Berlin");
    assert_string_equal(p->buttons[3].label, "Anna");
    assert_int_equal(p->buttons[0].max_calls, 4);
    assert_non_null(directory_find(dir, ENTITY_line, TEXT("7002/Berlin")));
    assert_ptr_equal(directory_line_user(dir, TEXT("7001"), ""), p);
    assert_null(directory_line_user(dir, TEXT("7002"), ""));
    assert_null(directory_line_user(dir, TEXT("7001"), p->name));
    directory_unref(dir);
}

static void assert_refused(int err, const char *part)
{
    assert_int_equal(err, -EINVAL);
    if (!strstr(error, part))
        fail_msg("'%s' is not in '%s'", part, error);
}

static void what_is_wrong_is_told_in_a_sentence(void **state)
{
    static const struct {
        const char *lines, *says;
    } rows[] = {
        {"phone SEP000000000001 model=7960 descripton=x",
         "no field \"descripton\": did you mean description?"},
        {"phone SEP000000000001 model=7960 pool=Defalt",
         "there is no pool \"Defalt\": did you mean \"Default\"?"},
        {"phone SEP00000000001 model=7960", "SEP and the 12 hex digits"},
        {"phone SEP000000000001 model=9999", "no model \"9999\""},
        {"phone SEP000000000001 model=7960 lines=7001;7001", "twice"},
        {"phone SEP000000000001 model=7960 lines=70x1", "no number"},
        {"phone SEP000000000001 model=7960 lines=7001/Nowhere",
         "there is no partition \"Nowhere\""},
        {"phone SEP000000000001 model=8841 protocol=sccp", "does not speak sccp"},
        {"phone box1 model=third-party-basic lines=7001;7002", "at most 1 line, not 2"},
        {"phone SEP000000000001 model=8841 security_profile=\"Standard SCCP Non-Secure Profile\"", "is for sccp"},
        {"security-profile x device_security_mode=encrypted", "exclude each other"},
        {"sip-profile x start_media_port=20000 stop_media_port=20000", "not above the first"},
        {"dial-rules x rules=9|", "is no pattern"},
        {"phone SEP000000000001 model=7940 template=\"Standard 7960 SCCP\"", "is for a 7960"},
        {"phone SEP000000000001 model=7960 buttons=line,7001,,,,0",
         "max_calls is a number from 1 to 200"},
        {"phone SEP000000000001 model=7960 delayed_failover=perhaps", "true or false"},
        {"phone SEP000000000001 model=7960 protocol=h323", "one of sccp, sip"},
        {"phone SEP000000000001 model=7960 "
         "description=123456789012345678901234567890123456789012345678901",
         "at most 50"},
        {"phone SEP000000000001 model=7960 description=a\tb", "control character"},
        {"phone SEP000000000001 model=7960 description=\xff\xfe", "UTF-8"},
        {"parameter station_keepalive_interval value=0", "from 1 to 1000 s"},
        {"parameter station_keepalive_intervall value=30",
         "did you mean station_keepalive_interval?"},
        {"autoregistration cm1 start=8000 end=7000", "below the first"},
        {"autoregistration cm1 quarantine=yes", "pool"},
        {"autoregistration cm2 start=1", "no callmanager \"cm2\""},
        {"group g members=cm1;cm1", "twice"},
        {"scope a subnet=10.0.0.0", "not of the form"},
        {"scope a subnet=10.0.0.0/24 first=10.0.1.1", "must be addresses of 10.0.0.0/24"},
        {"scope a subnet=10.0.0.0/24 first=10.0.0.9 last=10.0.0.8", "in this order"},
        {"scope a subnet=10.0.0.0/24 dns=10.0.0.1,x", "dns"},
        {"reservation zz address=10.0.0.1", "no Ethernet address"},
        {"user anna password=secret", "hash"},
        {"defaults 7960", "model/protocol"},
        {"line 7001 number=", "number"},
    };
    const struct directory *dir = directory_of_lines(""), *before = dir;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_refused(change_lines(&dir, rows[i].lines), rows[i].says);
    assert_ptr_equal(dir, before);
    directory_unref(dir);
}

static void an_old_snapshot_stays_as_it_was(void **state)
{
    const struct directory *dir =
        directory_of_lines("phone SEP000000000001 model=7960 lines=7001 description=old");
    const struct directory *before = directory_ref(dir);
    const struct phone *p = phone(before, "SEP000000000001");

    assert_int_equal(change_lines(&dir, "phone SEP000000000001 description=new lines=7002"), 0);
    assert_int_equal(delete_one(&dir, ENTITY_line, "7001"), 0);
    assert_ptr_equal(phone(before, "SEP000000000001"), p);
    assert_string_equal(p->description, "old");
    assert_ptr_equal(directory_line_user(before, TEXT("7001"), ""), p);
    assert_null(directory_line_user(before, TEXT("7002"), ""));
    assert_null(directory_find(dir, ENTITY_line, TEXT("7001")));
    assert_true(directory_version(dir) > directory_version(before));
    assert_int_equal(phone(dir, "SEP000000000001")->record.version, directory_version(before) + 1);
    directory_unref(before);
    directory_unref(dir);
}

static void a_change_that_alters_nothing_is_no_new_snapshot(void **state)
{
    const struct directory *dir = directory_of_lines("phone SEP000000000001 model=7960 lines=7001"),
                           *before = dir;

    assert_int_equal(change_lines(&dir, "phone SEP000000000001 model=7960 lines=7001 pool=default"),
                     0);
    assert_int_equal(change_lines(&dir, "parameter station_keepalive_interval value=30"), 0);
    assert_ptr_equal(dir, before);
    directory_unref(dir);
}

static void all_of_a_change_or_nothing(void **state)
{
    const struct directory *dir = directory_of_lines(""), *before = dir;

    assert_refused(
        change_lines(&dir,
                     "phone SEP000000000001 model=7960\nphone SEP000000000002 model=7960 pool=x"),
        "pool");
    assert_ptr_equal(dir, before);
    assert_null(phone(dir, "SEP000000000001"));
    directory_unref(dir);
}

static void a_change_may_refer_to_what_it_brings_later(void **state)
{
    const struct directory *dir = directory_of_lines("");

    assert_int_equal(change_lines(&dir,
                                  "phone SEP000000000001 model=7960 pool=Paris lines=7001/Inside\n"
                                  "pool Paris\npartition Inside"),
                     0);
    assert_string_equal(phone(dir, "SEP000000000001")->pool, "Paris");
    directory_unref(dir);
}

static void deleting_a_phone_leaves_its_numbers_unassigned(void **state)
{
    const struct directory *dir =
        directory_of_lines("phone SEP000000000001 model=7960 lines=7001;7002");

    assert_int_equal(delete_one(&dir, ENTITY_phone, "sep000000000001"), 0);
    assert_non_null(directory_find(dir, ENTITY_line, TEXT("7001")));
    assert_null(directory_line_user(dir, TEXT("7001"), ""));
    assert_int_equal(delete_one(&dir, ENTITY_line, "7001"), 0);
    assert_refused(delete_one(&dir, ENTITY_phone, "SEP000000000001"), "there is no phone");
    directory_unref(dir);
}

static void what_others_refer_to_stays(void **state)
{
    const struct directory *dir = directory_of_lines(
        "partition P\ncss C members=P\npool Paris css=C\nuser anna\n"
        "phone SEP000000000001 model=7960 lines=7001;7002/P pool=Paris owner=anna");

    assert_refused(delete_one(&dir, ENTITY_device_pool, "Paris"),
                   "pool \"Paris\" is in use by phone \"SEP000000000001\"");
    assert_refused(delete_one(&dir, ENTITY_line, "7001"), "line \"7001\" is in use by phone");
    assert_refused(delete_one(&dir, ENTITY_partition, "P"), "in use by");
    assert_refused(delete_one(&dir, ENTITY_css, "C"), "in use by pool");
    assert_refused(delete_one(&dir, ENTITY_user, "anna"), "in use by phone");
    assert_refused(delete_one(&dir, ENTITY_callmanager, "cm1"), "in use by group");
    assert_refused(delete_one(&dir, ENTITY_datetime, "CMLocal"), "in use by pool");
    directory_unref(dir);
}

static void a_rename_takes_along_all_that_refer_to_it(void **state)
{
    const struct directory *dir =
        directory_of_lines("partition P\ncss C members=P\npool Paris css=C\n"
                           "phone SEP000000000001 model=7960 lines=7001;7002/P pool=Paris\n"
                           "phone SEP000000000002 model=7960 lines=7002/P");
    const struct phone *p;

    assert_int_equal(change_lines(&dir, "pool Paris name=Lyon\npartition P name=Q\nline 7001 "
                                        "number=8001\ncallmanager cm1 name=cm9"),
                     0);
    p = phone(dir, "SEP000000000001");
    assert_string_equal(p->pool, "Lyon");
    assert_string_equal(p->buttons[0].target, "8001");
    assert_string_equal(p->buttons[1].target, "7002/Q");
    assert_string_equal(phone(dir, "SEP000000000002")->buttons[0].target, "7002/Q");
    assert_ptr_equal(directory_line_user(dir, TEXT("7002/Q"), ""), p);
    assert_ptr_equal(directory_line_user(dir, TEXT("7002/Q"), p->name),
                     phone(dir, "SEP000000000002"));
    assert_null(directory_find(dir, ENTITY_line, TEXT("7002/P")));
    assert_null(directory_line_user(dir, TEXT("7002/P"), ""));
    assert_string_equal(
        ((const struct css *)directory_find(dir, ENTITY_css, TEXT("C")))->members[0].partition,
        "Q");
    assert_non_null(directory_find(dir, ENTITY_autoregistration, TEXT("cm9")));
    assert_string_equal(((const struct callmanager_group *)directory_find(
                             dir, ENTITY_callmanager_group, TEXT("Default")))
                            ->members[0]
                            .callmanager,
                        "cm9");
    assert_refused(change_lines(&dir, "pool Lyon name=Default"), "already");
    assert_int_equal(change_lines(&dir, "phone SEP000000000001 name=00:00:00:00:00:0a"), 0);
    assert_non_null(phone(dir, "SEP00000000000A"));
    assert_null(phone(dir, "SEP000000000001"));
    assert_string_equal(directory_line_user(dir, TEXT("8001"), "")->name, "SEP00000000000A");
    directory_unref(dir);
}

static void a_rename_may_change_case_alone(void **state)
{
    const struct directory *dir =
        directory_of_lines("pool paris\nphone SEP000000000001 model=7960 pool=paris");

    assert_int_equal(change_lines(&dir, "pool paris name=Paris"), 0);
    assert_string_equal(
        ((const struct device_pool *)directory_find(dir, ENTITY_device_pool, TEXT("PARIS")))->name,
        "Paris");
    directory_unref(dir);
}

static void a_copy_has_all_but_the_lines(void **state)
{
    const struct directory *dir = directory_of_lines(
        "pool Paris\nphone SEP000000000001 model=7941 pool=Paris lines=7001 speed_dials=A=1");
    struct change *c = change_new();
    const struct phone *p;

    change_copy(c, ENTITY_phone, TEXT("SEP000000000001"), TEXT("SEP000000000002"));
    change_field(c, TEXT("description"), TEXT("second"));
    assert_int_equal(change_one(&dir, c), 0);
    p = phone(dir, "SEP000000000002");
    assert_int_equal(p->model, 115);
    assert_string_equal(p->pool, "Paris");
    assert_string_equal(p->description, "second");
    assert_int_equal(p->n_buttons, 1);
    assert_int_equal(p->buttons[0].feature, BUTTON_SPEED_DIAL);
    assert_int_equal(phone(dir, "SEP000000000001")->n_buttons, 2);
    c = change_new();
    change_copy(c, ENTITY_phone, TEXT("SEP000000000001"), TEXT("SEP000000000002"));
    assert_refused(change_one(&dir, c), "already");
    directory_unref(dir);
}

static void new_lines_keep_what_the_old_ones_had(void **state)
{
    const struct directory *dir =
        directory_of_lines("phone SEP000000000001 model=7960 "
                           "buttons=line,7001,Desk,Anna,,2,1;service,http://x;speed_dial,1,A");
    const struct phone *p;

    assert_int_equal(change_lines(&dir, "phone SEP000000000001 lines=7002;7001"), 0);
    p = phone(dir, "SEP000000000001");
    assert_int_equal(p->n_buttons, 4);
    assert_string_equal(p->buttons[0].target, "7002");
    assert_string_equal(p->buttons[1].label, "Desk");
    assert_int_equal(p->buttons[1].max_calls, 2);
    assert_int_equal(change_lines(&dir, "phone SEP000000000001 speed_dials=B=2;C\\;D=3"), 0);
    p = phone(dir, "SEP000000000001");
    assert_int_equal(p->n_buttons, 5);
    assert_string_equal(p->buttons[3].label, "C;D");
    assert_int_equal(p->buttons[4].feature, BUTTON_SERVICE);
    directory_unref(dir);
}

static void what_is_printed_is_taken_back(void **state)
{
    const struct directory *dir =
        directory_of_lines("phone SEP000000000001 model=7960 lines=7001;7002 speed_dials=A=1");
    struct grow lines = {0}, dials = {0};

    assert_int_equal(change_lines(&dir, "phone SEP000000000001 speed_dials=a\\;b\\=c=1"), 0);
    phone_print_lines(phone(dir, "SEP000000000001"), &lines);
    phone_print_speed_dials(phone(dir, "SEP000000000001"), &dials);
    assert_string_equal(lines.at, "7001;7002");
    assert_string_equal(dials.at, "a\\;b\\=c=1");
    grow_done(&lines);
    grow_done(&dials);
    directory_unref(dir);
}

static void parameters_have_values_at_once_and_defaults_again(void **state)
{
    const struct directory *dir = directory_of_lines("");

    assert_int_equal(change_lines(&dir, "parameter \"Station KeepAlive Interval\" value=60"), 0);
    assert_int_equal(directory_number(dir, SET_station_keepalive_interval), 60);
    assert_int_equal(directory_count(dir, ENTITY_parameter), 1);
    assert_int_equal(change_lines(&dir, "pool x"), 0);
    assert_int_equal(directory_number(dir, SET_station_keepalive_interval), 60);
    assert_int_equal(change_lines(&dir, "parameter station_keepalive_interval value="), 0);
    assert_int_equal(directory_number(dir, SET_station_keepalive_interval), 30);
    assert_int_equal(directory_count(dir, ENTITY_parameter), 0);
    assert_int_equal(change_lines(&dir, "parameter url_idle value=http://x/"), 0);
    assert_string_equal(directory_string(dir, SET_url_idle), "http://x/");
    directory_unref(dir);
}

static void a_saved_range_starts_at_its_beginning(void **state)
{
    const struct directory *dir = directory_of_lines("autoregistration cm1 start=8000 end=8010");
    const struct autoregistration *r = directory_find(dir, ENTITY_autoregistration, TEXT("cm1"));

    assert_int_equal(r->next, 8000);
    assert_int_equal(change_lines(&dir, "autoregistration cm1 next=8005"), 0);
    assert_int_equal(
        ((const struct autoregistration *)directory_find(dir, ENTITY_autoregistration, TEXT("cm1")))
            ->next,
        8005);
    assert_int_equal(change_lines(&dir, "autoregistration cm1 end=8020"), 0);
    assert_int_equal(
        ((const struct autoregistration *)directory_find(dir, ENTITY_autoregistration, TEXT("cm1")))
            ->next,
        8000);
    directory_unref(dir);
}

/* Numbers that are alike at their front, long and short, and fronts of each other. */
static const char *number_of(unsigned slot, char key[24])
{
    snprintf(key, 24, "%.*s%u", (int)(slot % 7), "885088", slot * 7919 % 100000);
    return key;
}

struct walked {
    char (*sorted)[24];
    size_t at;
};

static int is_the_next(void *context, const void *record)
{
    struct walked *w = context;

    assert_string_equal(((const struct line *)record)->number, w->sorted[w->at++]);
    return 0;
}

static int stops(void *context, const void *record)
{
    ++*(int *)context;
    return 7;
}

static void assert_walk(const struct directory *dir, char (*sorted)[24], size_t n)
{
    struct walked w = {sorted, 0};
    int seen = 0;

    assert_int_equal(directory_each(dir, ENTITY_line, is_the_next, &w), 0);
    assert_int_equal(w.at, n);
    assert_int_equal(directory_each(dir, ENTITY_line, stops, &seen), n ? 7 : 0);
    assert_int_equal(seen, n > 0);
}

/* What comes after each number, after what stands just behind it and just before. */
static void assert_neighbours(const struct directory *dir, char (*sorted)[24], size_t n)
{
    assert_walk(dir, sorted, n);
    for (size_t i = 0; i < n; i++) {
        const char *next = i + 1 < n ? sorted[i + 1] : "";
        char other[32];
        const struct line *l = directory_next(dir, ENTITY_line, text_of(sorted[i]));

        assert_string_equal(l ? l->number : "", next);
        snprintf(other, sizeof(other), "%s!", sorted[i]); /* below all digits */
        assert_null(directory_find(dir, ENTITY_line, text_of(other)));
        l = directory_next(dir, ENTITY_line, text_of(other));
        assert_string_equal(l ? l->number : "", next);
        snprintf(other, sizeof(other), "%.*s!", (int)strlen(sorted[i]) - 1, sorted[i]);
        l = directory_next(dir, ENTITY_line, text_of(other));
        assert_non_null(l);
        assert_true(strcmp(l->number, other) > 0 && strcmp(l->number, sorted[i]) <= 0);
    }
}

/* Every operation of a long random history against a plain array. */
static void a_tree_of_thousands_is_what_was_put_in_and_taken_out(void **state)
{
    enum { SLOTS = 3000 };
    static bool there[SLOTS];
    static char sorted[SLOTS][24];
    const struct directory *dir = directory_empty();
    unsigned random = 7;

    for (int round = 0; round < 60; round++) {
        struct change *c = change_new();
        bool touched[SLOTS] = {false};

        for (int i = 0; i < 200; i++) {
            char key[24];
            unsigned slot = (random = random * 1103515245 + 12345) / 65536 % SLOTS;

            if (touched[slot])
                continue;
            touched[slot] = true;
            number_of(slot, key);
            if (there[slot] && round % 3)
                change_delete(c, ENTITY_line, text_of(key));
            else
                change_put(c, ENTITY_line, text_of(key));
            there[slot] = !(there[slot] && round % 3);
        }
        assert_int_equal(change_one(&dir, c), 0);
    }
    {
        const struct line *l = NULL;
        size_t n = 0, walked = 0;
        char last[64] = "";

        for (unsigned slot = 0; slot < SLOTS; slot++) {
            char key[24];

            number_of(slot, key);
            assert_int_equal(directory_find(dir, ENTITY_line, text_of(key)) != NULL, there[slot]);
            n += there[slot];
        }
        assert_int_equal(directory_count(dir, ENTITY_line), n);
        while ((l = directory_next(dir, ENTITY_line, text_of(last)))) {
            assert_true(strcmp(l->number, last) > 0);
            snprintf(last, sizeof(last), "%s", l->number);
            snprintf(sorted[walked++], sizeof(sorted[0]), "%s", last);
        }
        assert_int_equal(walked, n);
        assert_neighbours(dir, sorted, n);
    }
    directory_unref(dir);
}

static void faults_carry_their_source(void **state)
{
    const struct directory *dir = directory_of_lines("");
    struct change_fault rows[2];
    struct change_faults faults = {.rows = rows, .max = 2};
    struct change *c = change_new();
    struct delta d;

    for (uint32_t i = 0; i < 5; i++) {
        change_source(c, 100 + i);
        change_add(c, ENTITY_phone, TEXT("nonsense"));
        change_field(c, TEXT("model"), TEXT("7960"));
    }
    assert_int_equal(directory_apply(dir, c, &faults, &d, error, sizeof(error)), -EINVAL);
    assert_int_equal(faults.total, 5);
    assert_int_equal(faults.n, 2);
    assert_int_equal(rows[1].source, 101);
    assert_string_equal(rows[1].field, "name");
    change_free(c);
    directory_unref(dir);
}

/* What every thread holds at some time; `newest` changes hands under the lock, as between the
 * threads of a server. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct directory *newest;
static bool written;

static const struct directory *take_newest(void)
{
    const struct directory *dir;

    pthread_mutex_lock(&lock);
    dir = written ? NULL : directory_ref(newest);
    pthread_mutex_unlock(&lock);
    return dir;
}

/* Every snapshot is whole: as many lines as phones, each phone found by its line. */
static void *read_snapshots(void *wrong)
{
    const struct directory *dir;

    while ((dir = take_newest())) {
        const struct phone *p = NULL;

        *(bool *)wrong |= directory_count(dir, ENTITY_phone) != directory_count(dir, ENTITY_line);
        while ((p = directory_next(dir, ENTITY_phone, text_of(p ? p->name : ""))))
            *(bool *)wrong |= directory_line_user(dir, text_of(p->buttons[0].target), "") != p;
        directory_unref(dir);
    }
    return NULL;
}

static void write_snapshots(void)
{
    for (unsigned i = 0; i < 400; i++) {
        const struct directory *dir = directory_ref(newest), *old;
        char lines[200];

        snprintf(lines, sizeof(lines),
                 "phone SEP%012X model=7960 lines=%u\nphone SEP%012X description=%u", i, i, i / 2,
                 i);
        assert_int_equal(change_lines(&dir, lines), 0);
        pthread_mutex_lock(&lock);
        old = newest;
        newest = dir;
        pthread_mutex_unlock(&lock);
        directory_unref(old);
    }
    pthread_mutex_lock(&lock);
    written = true;
    pthread_mutex_unlock(&lock);
}

static void readers_have_whole_snapshots_while_one_writes(void **state)
{
    pthread_t readers[3];
    bool wrong[3] = {false};

    newest = directory_of_lines("");
    written = false;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_snapshots, &wrong[i]), 0);
    write_snapshots();
    for (int i = 0; i < 3; i++) {
        pthread_join(readers[i], NULL);
        assert_false(wrong[i]);
    }
    directory_unref(newest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_node_has_what_the_original_ships),
        cmocka_unit_test(a_change_that_expects_an_older_record_is_refused),
        cmocka_unit_test(a_phone_brings_its_lines),
        cmocka_unit_test(what_is_wrong_is_told_in_a_sentence),
        cmocka_unit_test(an_old_snapshot_stays_as_it_was),
        cmocka_unit_test(a_change_that_alters_nothing_is_no_new_snapshot),
        cmocka_unit_test(all_of_a_change_or_nothing),
        cmocka_unit_test(a_change_may_refer_to_what_it_brings_later),
        cmocka_unit_test(deleting_a_phone_leaves_its_numbers_unassigned),
        cmocka_unit_test(what_others_refer_to_stays),
        cmocka_unit_test(a_rename_takes_along_all_that_refer_to_it),
        cmocka_unit_test(a_rename_may_change_case_alone),
        cmocka_unit_test(a_copy_has_all_but_the_lines),
        cmocka_unit_test(new_lines_keep_what_the_old_ones_had),
        cmocka_unit_test(what_is_printed_is_taken_back),
        cmocka_unit_test(parameters_have_values_at_once_and_defaults_again),
        cmocka_unit_test(a_saved_range_starts_at_its_beginning),
        cmocka_unit_test(a_tree_of_thousands_is_what_was_put_in_and_taken_out),
        cmocka_unit_test(faults_carry_their_source),
        cmocka_unit_test(readers_have_whole_snapshots_while_one_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
