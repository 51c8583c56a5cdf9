/* io_unpack.c - archives give their files, all or none, and never outside of the folder. */
#include "io/unpack.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char folder[64], archive[96];
static uint8_t tar[16384];
static size_t tar_len;

static bool wants_bin(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && strcmp(name + n - 4, ".bin") == 0;
}

static void add(const char *name, char type, const char *text)
{
    char *h = (char *)tar + tar_len;
    unsigned sum = 0;

    memset(h, 0, 1024);
    snprintf(h, 100, "%s", name);
    snprintf(h + 100, 8, "%07o", 0644);
    snprintf(h + 108, 8, "%07o", 0);
    snprintf(h + 116, 8, "%07o", 0);
    snprintf(h + 124, 12, "%011o", (unsigned)strlen(text) & 07777);
    snprintf(h + 136, 12, "%011o", 0);
    h[156] = type;
    if (type == '2')
        snprintf(h + 157, 100, "/etc/passwd");
    memcpy(h + 257, "ustar\0" "00", 8);
    memset(h + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += (uint8_t)h[i];
    snprintf(h + 148, 8, "%06o", sum);
    memcpy(h + 512, text, strlen(text));
    tar_len += *text ? 1024 : 512;
}

static void write_archive(size_t len)
{
    FILE *f = fopen(archive, "wb");

    assert_non_null(f);
    fwrite(tar, 1, len, f);
    fclose(f);
}

static int set_up(void **state)
{
    snprintf(folder, sizeof(folder), "/tmp/unpack-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(archive, sizeof(archive), "%s.tar", folder);
    memset(tar, 0, sizeof(tar));
    tar_len = 0;
    return 0;
}

static unsigned empty_folder(void)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    unsigned n = 0;
    char path[400];

    while ((e = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        n += unlink(path) == 0;
    }
    closedir(d);
    return n;
}

static int tear_down(void **state)
{
    empty_folder();
    rmdir(folder);
    unlink(archive);
    return 0;
}

static int run(uint64_t max_bytes, struct unpack_file **files, size_t *n)
{
    struct unpack_options o = {archive, folder, wants_bin, max_bytes, 3};
    char error[300] = "";
    int err = unpack(&o, files, n, error, sizeof(error));

    assert_int_equal(err != 0, *error != 0);
    return err;
}

static void wanted_files_appear_under_their_plain_names(void **state)
{
    struct unpack_file *files;
    struct stat st;
    char path[400];
    size_t n;

    add("firmware/", '5', "");
    add("firmware/a.bin", '0', "hello");
    add("../../b.bin", '0', "outside?");
    add("readme.txt", '0', "no");
    add("link.bin", '2', "");
    write_archive(tar_len + 1024);
    assert_int_equal(run(1000, &files, &n), 0);
    assert_int_equal(n, 2);
    assert_string_equal(files[0].name, "a.bin");
    assert_int_equal(files[0].size, 5);
    assert_string_equal(files[1].name, "b.bin");
    free(files);
    snprintf(path, sizeof(path), "%s/b.bin", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(empty_folder(), 2);
}

static void a_damaged_archive_leaves_nothing(void **state)
{
    struct unpack_file *files;
    size_t n;

    add("a.bin", '0', "hello");
    add("b.bin", '0', "hello");
    for (size_t len = 0; len < tar_len; len += 100) {
        write_archive(len);
        if (run(1000, &files, &n) == 0) {
            assert_true(!n || len >= 512 + 5);
            free(files);
        }
        empty_folder();
    }
    tar[1024 + 3] ^= 1; /* the second head is wrong */
    write_archive(tar_len + 1024);
    assert_int_not_equal(run(1000, &files, &n), 0);
    assert_int_equal(empty_folder(), 0);
}

static void limits_are_kept(void **state)
{
    struct unpack_file *files;
    size_t n;

    for (int i = 0; i < 4; i++)
        add(i == 0 ? "a.bin" : i == 1 ? "b.bin" : i == 2 ? "c.bin" : "d.bin", '0', "hello");
    write_archive(tar_len + 1024);
    assert_int_equal(run(1000, &files, &n), -E2BIG);
    assert_int_equal(run(7, &files, &n), -EFBIG);
    assert_int_equal(empty_folder(), 0);
}

static void what_is_no_archive_is_refused(void **state)
{
    struct unpack_file *files;
    size_t n;

    memset(tar, 'x', 2000);
    write_archive(2000);
    assert_int_not_equal(run(1000, &files, &n), 0);
    unlink(archive);
    assert_int_equal(run(1000, &files, &n), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wanted_files_appear_under_their_plain_names),
        TEST(a_damaged_archive_leaves_nothing),
        TEST(limits_are_kept),
        TEST(what_is_no_archive_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
