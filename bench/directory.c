/* directory.c - what the directory costs: memory a phone, looking up, changing, storing, loading.
 *
 *     bench_directory [PHONES [FOLDER]]
 *
 * Makes a phone list in a new folder below FOLDER (/tmp), imports it, exports everything, and so
 * on. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/grow.h"
#include "server/bulk/bulk.h"

#define LOOKUPS 1000000
#define CHANGES 20000
#define COMMITS 1000

static char folder[200], error[512];

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct watch {
    double wall, cpu;
};

static struct watch watch_start(void)
{
    return (struct watch){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static void watch_tell(const struct watch *from, const char *what, double per, const char *unit)
{
    struct watch now = watch_start();

    printf("%-44s %10.2f %-4s wall %10.2f %s CPU\n", what, (now.wall - from->wall) * per, unit,
           (now.cpu - from->cpu) * per, unit);
}

static void require(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", what, error);
    exit(1);
}

static void path_in_folder(char *to, size_t size, const char *name)
{
    require(snprintf(to, size, "%s/%s", folder, name) < (int)size, name);
}

static void request(struct bulk_host *h, const char *verb, const char *name)
{
    char path[300];
    json_t *arguments, *body = NULL;
    struct watch w;
    int status;

    path_in_folder(path, sizeof(path), name);
    arguments = json_pack("{s:s}", "path", path);
    w = watch_start();
    status = bulk_request(h, verb, arguments, &body);
    snprintf(path, sizeof(path), "%s %s", verb, name);
    watch_tell(&w, path, 1, "s");
    snprintf(error, sizeof(error), "%s", json_string_value(json_object_get(body, "error")) ?: "");
    require(status == 0, verb);
    json_decref(body);
    json_decref(arguments);
}

static void write_list(unsigned n)
{
    char path[300];
    FILE *f;

    path_in_folder(path, sizeof(path), "phones.csv");
    require((f = fopen(path, "w")), path);
    fputs("name,model,protocol,description,pool,lines\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "SEP%012X,7960,sccp,Phone number %u,Default,%u\n", i, i, 1000000 + i);
    fclose(f);
}

static void random_name(char name[static 16], unsigned n)
{
    static unsigned state = 1;

    state = state * 1664525 + 1013904223;
    snprintf(name, 16, "SEP%012X", (state >> 8) % n);
}

static void look_up(const struct directory *dir, unsigned n)
{
    static char names[4096][16];
    struct watch w;
    size_t found = 0;

    for (int i = 0; i < 4096; i++)
        random_name(names[i], n);
    w = watch_start();
    for (int i = 0; i < LOOKUPS; i++)
        found += directory_phone(dir, text_of(names[i % 4096])) != NULL;
    require(found == LOOKUPS, "look up");
    watch_tell(&w, "find a phone", 1e9 / LOOKUPS, "ns");
}

static void change_phones(struct bulk_host *h, unsigned n, unsigned times, bool store)
{
    struct watch w = watch_start();

    for (unsigned i = 0; i < times; i++) {
        struct change *c = change_new();
        struct delta d;
        char name[16];

        random_name(name, n);
        change_set(c, ENTITY_phone, text_of(name));
        change_field(c, TEXT("description"), i % 2 ? text_of(name) : TEXT("changed"));
        require(directory_apply(h->directory, c, NULL, &d, error, sizeof(error)) == 0, "change");
        if (store)
            require(database_apply(h->db, &d) == 0, "store");
        directory_unref(h->directory);
        h->directory = directory_ref(d.directory);
        delta_done(&d);
        change_free(c);
    }
    watch_tell(&w, store ? "change a phone, a commit each" : "change a phone in memory",
               1e6 / times, "us");
}

static void open_all(struct bulk_host *h, const char *what)
{
    struct watch w = watch_start();
    char path[300];

    path_in_folder(path, sizeof(path), DATABASE_FILE);
    require(database_open(path, STORE_WRITE, &h->db, error, sizeof(error)) == 0 &&
                database_load_or_make(h->db, TEXT("cm1"), TEXT("10.0.0.1"), &h->directory, error,
                                      sizeof(error)) == 0,
            path);
    h->can_write = true;
    watch_tell(&w, what, 1, "s");
}

static void close_all(struct bulk_host *h)
{
    directory_unref(h->directory);
    database_close(h->db);
    *h = (struct bulk_host){0};
}

static size_t heap(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

int main(int argc, char **argv)
{
    unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
    struct bulk_host h = {0};
    size_t before;

    snprintf(folder, sizeof(folder), "%s/dialtone-directory-XXXXXX", argc > 2 ? argv[2] : "/tmp");
    require(n > 0 && mkdtemp(folder), folder);
    printf("%u phones with a line each, in %s\n", n, folder);
    write_list(n);
    open_all(&h, "open a new database");
    before = heap();
    request(&h, "import", "phones.csv");
    printf("%-44s %10.0f bytes\n", "memory a phone with its line", (double)(heap() - before) / n);
    request(&h, "export", "all.json");
    request(&h, "import", "all.json");
    request(&h, "backup", "backup.db");
    look_up(h.directory, n);
    change_phones(&h, n, CHANGES, false);
    change_phones(&h, n, COMMITS, true);
    close_all(&h);
    open_all(&h, "open and load");
    request(&h, "restore", "backup.db");
    close_all(&h);
    return 0;
}
