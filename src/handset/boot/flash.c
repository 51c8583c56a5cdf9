/* flash.c - a phone's network settings as a text file. */
#include "handset/boot/flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SIZE_MAX_FILE 4096

static const struct row {
    const char *name;
    enum { FLAG, ADDRESS, NAME, VLAN } kind;
    size_t at;
} rows[] = {
    {"dhcp", FLAG, offsetof(struct network, dhcp)},
    {"alternate_tftp", FLAG, offsetof(struct network, alternate_tftp)},
    {"address", ADDRESS, offsetof(struct network, address)},
    {"mask", ADDRESS, offsetof(struct network, mask)},
    {"router", ADDRESS, offsetof(struct network, router)},
    {"dns", ADDRESS, offsetof(struct network, dns)},
    {"tftp1", ADDRESS, offsetof(struct network, tftp[0])},
    {"tftp2", ADDRESS, offsetof(struct network, tftp[1])},
    {"domain", NAME, offsetof(struct network, domain)},
    {"admin_vlan", VLAN, offsetof(struct network, admin_vlan)},
};

#define EACH_ROW(r) for (const struct row *r = rows; r < rows + sizeof(rows) / sizeof(*rows); r++)

static void print_row(const struct row *r, const struct network *n, struct writer *w)
{
    const void *at = (const char *)n + r->at;
    char address[IP_TEXT_MAX];

    switch (r->kind) {
    case FLAG:
        write_format(w, "%s: %s\n", r->name, *(const bool *)at ? "yes" : "no");
        break;
    case ADDRESS:
        if (!ip_is_any(*(const struct ip *)at))
            write_format(w, "%s: %s\n", r->name, ip_print(*(const struct ip *)at, address));
        break;
    case NAME:
        if (*(const char *)at)
            write_format(w, "%s: %s\n", r->name, (const char *)at);
        break;
    case VLAN:
        if (*(const uint16_t *)at)
            write_format(w, "%s: %u\n", r->name, *(const uint16_t *)at);
        break;
    }
}

void flash_print(const struct network *n, struct writer *w)
{
    EACH_ROW(r)
    print_row(r, n, w);
}

static int take(const struct row *r, struct text value, struct network *n)
{
    void *at = (char *)n + r->at;
    uint32_t number;

    switch (r->kind) {
    case FLAG:
        *(bool *)at = text_is(value, "yes");
        return text_is(value, "yes") || text_is(value, "no") ? 0 : -EINVAL;
    case ADDRESS:
        return ip_parse(value, at) < 0 ? -EINVAL : 0;
    case NAME:
        return text_copy(at, NETWORK_DOMAIN, value) < value.len ? -EINVAL : 0;
    case VLAN:
        if (text_to_u32(value, 10, &number) < 0 || number > 4095)
            return -EINVAL;
        *(uint16_t *)at = (uint16_t)number;
        return 0;
    }
    return -EINVAL;
}

static int take_line(struct text line, struct network *n)
{
    struct text name = text_trim(text_split(&line, ':'));

    EACH_ROW(r)
    if (text_is(name, r->name))
        return line.at ? take(r, text_trim(line), n) : -EINVAL;
    return -EINVAL;
}

int flash_parse(struct text t, struct network *ret, unsigned *line)
{
    struct network n = network_factory();

    for (*line = 1; t.at; ++*line) {
        struct text one = text_trim(text_split(&t, '\n'));

        if (one.len && one.at[0] != '#' && take_line(one, &n) < 0)
            return -EINVAL;
    }
    *ret = n;
    return 0;
}

static int complain(const char *path, int err)
{
    fprintf(stderr, "dialtone handset: %s: %s\n", path, strerror(-err));
    return err;
}

int flash_load(const char *path, struct network *ret)
{
    char bytes[SIZE_MAX_FILE];
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
    unsigned line;

    if (n < 0)
        err = -errno;
    if (fd >= 0)
        close(fd);
    if (err)
        return err == -ENOENT ? err : complain(path, err);
    err = flash_parse((struct text){bytes, (size_t)n}, ret, &line);
    if (err)
        fprintf(stderr, "dialtone handset: %s: line %u is not understood\n", path, line);
    return err;
}

int flash_store(const char *path, const struct network *n)
{
    char bytes[SIZE_MAX_FILE], temporary[4096];
    struct writer w = writer_of(bytes, sizeof(bytes));
    int fd, err = 0;

    if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
        return complain(path, -ENAMETOOLONG);
    flash_print(n, &w);
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return complain(temporary, -errno);
    if (write(fd, bytes, writer_len(&w)) != (ssize_t)writer_len(&w) || fsync(fd) < 0)
        err = errno ? -errno : -ENOSPC;
    close(fd);
    if (!err && rename(temporary, path) < 0)
        err = -errno;
    if (err)
        unlink(temporary);
    return err ? complain(path, err) : 0;
}
