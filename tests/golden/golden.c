/* golden.c - runs a folder of inputs through a printer and compares with the expected texts. */
#include "golden.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define GOLDEN_MAX (1 << 22)

static uint8_t input[GOLDEN_MAX], output[GOLDEN_MAX], expected[GOLDEN_MAX];

static long file_read(const char *path, uint8_t *to)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        return -errno;
    n = fread(to, 1, GOLDEN_MAX, f);
    fclose(f);
    return (long)n;
}

static int file_write(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    size_t n;

    if (!f)
        return -errno;
    n = fwrite(bytes, 1, len, f);
    return fclose(f) == 0 && n == len ? 0 : -EIO;
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place; the length, or -EINVAL for half a byte or a strange character. */
static long hex_to_bytes(uint8_t *text, size_t len)
{
    size_t n = 0, digits = 0;

    for (size_t i = 0; i < len; i++) {
        int d = digit_of(text[i]);

        if (text[i] == '#')
            while (i + 1 < len && text[i + 1] != '\n')
                i++;
        else if (d >= 0)
            text[n] = (uint8_t)(digits++ % 2 ? text[n] << 4 | d : d), n += digits % 2 == 0;
        else if (!strchr(" \t\r\n", text[i]))
            return -EINVAL;
    }
    return digits % 2 ? -EINVAL : (long)n;
}

static bool ends(const char *name, const char *suffix)
{
    return text_ends(text_of(name), suffix);
}

static long input_read(const char *path, const char *name)
{
    long n = file_read(path, input);

    return n >= 0 && ends(name, ".hex") ? hex_to_bytes(input, (size_t)n) : n;
}

/* The first line on which two texts differ, for the message. */
static size_t line_of_difference(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    size_t line = 1;

    for (size_t i = 0; i < a_len && i < b_len && a[i] == b[i]; i++)
        line += a[i] == '\n';
    return line;
}

static int compare(const char *path, size_t len)
{
    long n = file_read(path, expected);

    if (n >= 0 && (size_t)n == len && !memcmp(expected, output, len))
        return 0;
    if (n < 0)
        fprintf(stderr, "%s: is missing (write it with --update)\n", path);
    else
        fprintf(stderr, "%s: differs from line %zu on; it should be:\n%.*s", path,
                line_of_difference(expected, (size_t)n, output, len), (int)len, output);
    return 1;
}

static int run_one(const char *folder, const char *name, bool update, golden_print *print)
{
    struct writer w = writer_of(output, sizeof(output));
    const char *dot = strrchr(name, '.');
    char path[4096];
    long n;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    n = input_read(path, name);
    if (n < 0 || print(name, input, (size_t)n, &w) || w.bad) {
        fprintf(stderr, "%s: cannot be read or printed\n", path);
        return 1;
    }
    snprintf(path, sizeof(path), "%s/%.*s.txt", folder, (int)(dot ? dot - name : 4000), name);
    return update ? file_write(path, output, writer_len(&w)) != 0 : compare(path, writer_len(&w));
}

static int is_input(const struct dirent *e)
{
    return e->d_name[0] != '.' && !ends(e->d_name, ".txt");
}

int golden_run(int argc, char **argv, golden_print *print)
{
    bool update = argc == 3 && !strcmp(argv[2], "--update");
    struct dirent **entries;
    int failed = 0, n;

    if (argc < 2 || (argc > 2 && !update)) {
        fprintf(stderr, "usage: %s FOLDER [--update]\n", argv[0]);
        return 2;
    }
    n = scandir(argv[1], &entries, is_input, alphasort);
    for (int i = 0; i < n; i++) {
        failed += run_one(argv[1], entries[i]->d_name, update, print);
        free(entries[i]);
    }
    if (n > 0)
        free(entries);
    printf("%d inputs, %d failed\n", n, failed);
    return n > 0 && !failed ? 0 : 1;
}
