#include "cli/secrets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/directory/fields.h"

#define SECRET_MAX 512

/* Of any entity: what is asked for does not depend on the noun. */
static bool is_secret(const char *name)
{
    for (int e = 0; e < N_ENTITIES; e++)
        for (const struct directory_field *f = directory_entity((enum entity)e)->fields; f->name;
             f++)
            if (f->kind == FIELD_SECRET && !strcmp(f->name, name))
                return true;
    return false;
}

static int read_line(char *to, size_t size)
{
    size_t n;

    if (!fgets(to, (int)size, stdin))
        return -EINVAL;
    n = strlen(to);
    if (n && to[n - 1] == '\n')
        to[--n] = '\0';
    else if (n == size - 1)
        return -EINVAL; /* the rest would be cut off unseen */
    return n ? 0 : -EINVAL;
}

static int type_unseen(const char *words, const char *name, char *to, size_t size)
{
    struct termios seen, unseen;
    int err;

    if (tcgetattr(STDIN_FILENO, &seen) < 0)
        return -errno;
    unseen = seen;
    unseen.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSANOW, &unseen); /* before somebody answers */
    fprintf(stderr, "%s %s: ", words, name);
    err = read_line(to, size);
    tcsetattr(STDIN_FILENO, TCSANOW, &seen);
    fputc('\n', stderr);
    return err;
}

static int ask(const char *name, char *to, size_t size)
{
    char again[SECRET_MAX];
    int err, same;

    if (!isatty(STDIN_FILENO))
        return read_line(to, size);
    err = type_unseen("New", name, to, size);
    if (!err)
        err = type_unseen("Once more the", name, again, sizeof(again));
    same = !err && !strcmp(to, again);
    explicit_bzero(again, sizeof(again));
    if (!err && !same)
        fputs("dialtone: These were not the same.\n", stderr);
    return err ? err : same ? 0 : -EINVAL;
}

int secrets_ask(json_t *fields)
{
    char secret[SECRET_MAX];
    const char *name;
    json_t *value;
    int err = 0;

    json_object_foreach(fields, name, value)
    {
        if (err || !is_secret(name) || !json_is_string(value) ||
            strcmp(json_string_value(value), "-"))
            continue;
        err = ask(name, secret, sizeof(secret));
        if (!err)
            err = json_string_set(value, secret) ? -EINVAL : 0;
        explicit_bzero(secret, sizeof(secret));
        if (err)
            fprintf(stderr, "dialtone: No %s was given.\n", name);
    }
    return err;
}
