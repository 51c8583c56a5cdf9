#include "io/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_SIZE 4096
#define SLACK     524288
#define RESERVE_BYTES                                                                              \
    (4 << 20)      /* asked from the file system at a time: a sync then moves no file end */
#define PIECE 4096 /* slots written by one call when the file is made anew */

struct head { /* at the start of the file */
    char what[16];
    uint32_t version, record_size, key_size, unused;
};

struct slot_head {
    uint64_t sequence; /* 0: never written */
    uint64_t check;
};

struct journal {
    struct journal_options options;
    char *path;
    int fd;
    size_t slot_size, n_slots, n_live;
    size_t compact_at; /* slots */
    off_t reserved;    /* bytes */
    uint64_t sequence;
    uint8_t *room; /* slots being written */
    size_t room_slots;
};

/* Catches torn and stale slots, not forgers. */
static uint64_t check_of(const uint8_t *record, size_t len, uint64_t sequence)
{
    uint64_t h = sequence * 0x9e3779b97f4a7c15u + len;

    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = 0;

        memcpy(&word, record + i, len - i < 8 ? len - i : 8);
        h = (h ^ word) * 0xbf58476d1ce4e5b9u;
        h ^= h >> 31;
    }
    return h ^ h >> 29;
}

static void fill_slot(struct journal *j, uint8_t *slot, const void *record, uint64_t sequence)
{
    struct slot_head head = {sequence, check_of(record, j->options.record_size, sequence)};

    memcpy(slot, &head, sizeof(head));
    memcpy(slot + sizeof(head), record, j->options.record_size);
}

/* --- reading --- */

struct live { /* what is known of a file: the newest slot of each key */
    const uint8_t **slots;
    size_t n, capacity;
    uint64_t newest;
};

static uint64_t sequence_of(const uint8_t *slot)
{
    uint64_t sequence;

    memcpy(&sequence, slot, sizeof(sequence));
    return sequence;
}

static bool slot_is_whole(const struct journal *j, const uint8_t *slot)
{
    struct slot_head head;

    memcpy(&head, slot, sizeof(head));
    return head.sequence &&
           head.check == check_of(slot + sizeof(head), j->options.record_size, head.sequence);
}

static size_t place_of(const struct journal *j, const struct live *live, const uint8_t *slot)
{
    const uint8_t *key = slot + sizeof(struct slot_head);
    uint64_t h = check_of(key, j->options.key_size, 1);
    size_t i = h & (live->capacity - 1);

    while (live->slots[i] &&
           memcmp(live->slots[i] + sizeof(struct slot_head), key, j->options.key_size) != 0)
        i = (i + 1) & (live->capacity - 1);
    return i;
}

static void note(const struct journal *j, struct live *live, const uint8_t *slot)
{
    size_t i = place_of(j, live, slot);
    uint64_t sequence = sequence_of(slot);

    if (!live->slots[i])
        live->n++;
    if (!live->slots[i] || sequence > sequence_of(live->slots[i]))
        live->slots[i] = slot;
    if (sequence > live->newest)
        live->newest = sequence;
}

static int compare_sequences(const void *a, const void *b)
{
    const uint8_t *x, *y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (sequence_of(x) > sequence_of(y)) - (sequence_of(x) < sequence_of(y));
}

/* Packs the slots found to the front, oldest change first. */
static void sort_live(struct live *live)
{
    size_t n = 0;

    for (size_t i = 0; i < live->capacity; i++)
        if (live->slots[i])
            live->slots[n++] = live->slots[i];
    if (n)
        qsort(live->slots, n, sizeof(*live->slots), compare_sequences);
}

/* Maps the file and finds what is alive in it. `*map` is to be unmapped, live->slots to be freed.
 */
static int read_live(struct journal *j, size_t n_slots, uint8_t **map, size_t *map_size,
                     struct live *live)
{
    *live = (struct live){.capacity = 1024};
    *map_size = HEAD_SIZE + n_slots * j->slot_size;
    while (live->capacity < n_slots * 2)
        live->capacity *= 2;
    live->slots = calloc(live->capacity, sizeof(*live->slots));
    if (!live->slots)
        return -ENOMEM;
    *map = mmap(NULL, *map_size, PROT_READ, MAP_SHARED | MAP_POPULATE, j->fd, 0);
    if (*map == MAP_FAILED) {
        free(live->slots);
        return -errno;
    }
    for (size_t i = 0; i < n_slots; i++) {
        const uint8_t *slot = *map + HEAD_SIZE + i * j->slot_size;

        if (slot_is_whole(j, slot))
            note(j, live, slot);
    }
    sort_live(live);
    return 0;
}

/* The slots up to the last one that was written. */
static size_t used_slots(const struct journal *j, const uint8_t *map, size_t n)
{
    while (n && sequence_of(map + HEAD_SIZE + (n - 1) * j->slot_size) == 0)
        n--;
    return n;
}

static int load(struct journal *j, off_t file_size)
{
    size_t n_slots = file_size > HEAD_SIZE ? (size_t)(file_size - HEAD_SIZE) / j->slot_size : 0;
    struct live live;
    size_t map_size;
    uint8_t *map;
    int err = read_live(j, n_slots, &map, &map_size, &live);

    if (err)
        return err;
    for (size_t i = 0; i < live.n; i++)
        j->options.on_record(j->options.context, live.slots[i] + sizeof(struct slot_head));
    j->sequence = live.newest;
    j->n_live = live.n;
    j->n_slots = used_slots(j, map, n_slots);
    j->reserved = file_size;
    munmap(map, map_size);
    free(live.slots);
    return 0;
}

/* --- writing --- */

static int write_at(int fd, const void *bytes, size_t len, off_t at)
{
    while (len) {
        ssize_t n = pwrite(fd, bytes, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        bytes = (const uint8_t *)bytes + n;
        len -= (size_t)n;
        at += n;
    }
    return 0;
}

static off_t slot_at(const struct journal *j, size_t i)
{
    return (off_t)(HEAD_SIZE + i * j->slot_size);
}

static void reserve(struct journal *j, off_t end)
{
    if (end > j->reserved && fallocate(j->fd, 0, j->reserved, RESERVE_BYTES) == 0)
        j->reserved += RESERVE_BYTES; /* a convenience: without it the file grows by writing */
}

static int write_head(const struct journal *j, int fd)
{
    uint8_t room[HEAD_SIZE] = {0};
    struct head head = {.version = 1,
                        .record_size = (uint32_t)j->options.record_size,
                        .key_size = (uint32_t)j->options.key_size};

    snprintf(head.what, sizeof(head.what), "%s", j->options.what);
    memcpy(room, &head, sizeof(head));
    return write_at(fd, room, sizeof(room), 0);
}

static int sync_folder(const char *path)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int err = fd >= 0 && fsync(fd) == 0 ? 0 : -errno;

    if (fd >= 0)
        close(fd);
    free(copy);
    return err;
}

static int write_live(const struct journal *j, int fd, const struct live *live)
{
    uint8_t *piece = malloc(PIECE * j->slot_size);
    int err = piece ? write_head(j, fd) : -ENOMEM;

    for (size_t done = 0; !err && done < live->n; done += PIECE) {
        size_t n = live->n - done < PIECE ? live->n - done : PIECE;

        for (size_t i = 0; i < n; i++)
            memcpy(piece + i * j->slot_size, live->slots[done + i], j->slot_size);
        err = write_at(fd, piece, n * j->slot_size, slot_at(j, done));
    }
    free(piece);
    if (!err && fdatasync(fd) < 0)
        err = -errno;
    return err;
}

/* The new file is complete on disk before it takes the name of the old one. */
static int replace(struct journal *j, const struct live *live)
{
    char *path = NULL;
    int fd = -1, err = 0;

    if (asprintf(&path, "%s.new", j->path) < 0)
        return -ENOMEM;
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        err = -errno;
    if (!err)
        err = write_live(j, fd, live);
    if (!err && rename(path, j->path) < 0)
        err = -errno;
    if (err) {
        if (fd >= 0)
            close(fd);
        unlink(path);
    } else {
        close(j->fd);
        j->fd = fd;
        j->n_slots = j->n_live = live->n;
        j->reserved = slot_at(j, j->n_slots);
        err = sync_folder(j->path);
    }
    free(path);
    return err;
}

static void set_compact_at(struct journal *j)
{
    size_t slack = j->options.slack ? j->options.slack : SLACK;

    j->compact_at = j->n_slots + j->n_live + slack;
}

/* When it fails the old file goes on growing, and it is tried again later. */
static void compact(struct journal *j)
{
    struct live live;
    size_t map_size;
    uint8_t *map;

    if (j->n_slots >= j->compact_at && read_live(j, j->n_slots, &map, &map_size, &live) == 0) {
        replace(j, &live);
        munmap(map, map_size);
        free(live.slots);
        set_compact_at(j);
    }
}

static int grow_room(struct journal *j, size_t n)
{
    uint8_t *room;

    if (n <= j->room_slots)
        return 0;
    room = realloc(j->room, n * j->slot_size);
    if (!room)
        return -ENOMEM;
    j->room = room;
    j->room_slots = n;
    return 0;
}

/* After an error the next records go to the same place: the sequence number says which are newer.
 */
int journal_append(struct journal *j, const void *records, size_t n)
{
    int err;

    if ((err = grow_room(j, n)) < 0)
        return err;
    for (size_t i = 0; i < n; i++)
        fill_slot(j, j->room + i * j->slot_size,
                  (const uint8_t *)records + i * j->options.record_size, ++j->sequence);
    reserve(j, slot_at(j, j->n_slots + n));
    if ((err = write_at(j->fd, j->room, n * j->slot_size, slot_at(j, j->n_slots))) < 0)
        return err;
    if (fdatasync(j->fd) < 0)
        return -errno;
    j->n_slots += n;
    compact(j);
    return 0;
}

/* --- opening --- */

static int check_head(struct journal *j)
{
    struct head head;

    if (pread(j->fd, &head, sizeof(head), 0) != sizeof(head))
        return -EBADMSG;
    head.what[sizeof(head.what) - 1] = '\0';
    return strcmp(head.what, j->options.what) == 0 && head.version == 1 &&
                   head.record_size == j->options.record_size &&
                   head.key_size == j->options.key_size
               ? 0
               : -EBADMSG;
}

static int open_file(struct journal *j)
{
    struct stat st;
    int err;

    j->fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->fd < 0 || fstat(j->fd, &st) < 0)
        return -errno;
    if (st.st_size < HEAD_SIZE) { /* new, or killed while it was made: nothing was acknowledged */
        if ((err = write_head(j, j->fd)) < 0)
            return err;
        if (fsync(j->fd) < 0)
            return -errno;
        j->reserved = HEAD_SIZE;
        return sync_folder(j->path);
    }
    err = check_head(j);
    return err ? err : load(j, st.st_size);
}

int journal_open(const struct journal_options *options, struct journal **ret)
{
    struct journal *j = calloc(1, sizeof(*j));
    int err;

    if (!j)
        return -ENOMEM;
    j->options = *options;
    j->fd = -1;
    j->slot_size = (sizeof(struct slot_head) + options->record_size + 7) & ~(size_t)7;
    j->path = strdup(options->path);
    err = j->path ? open_file(j) : -ENOMEM;
    if (err) {
        journal_close(j);
        return err;
    }
    set_compact_at(j);
    *ret = j;
    return 0;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    free(j->room);
    free(j->path);
    free(j);
}
