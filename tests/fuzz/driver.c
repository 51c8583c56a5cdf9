/* driver.c - runs every file of a corpus folder through a fuzz target once, for the ordinary tests. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes;
    long len;

    if (!f)
        return -1;
    fseek(f, 0, SEEK_END);
    len = ftell(f);
    rewind(f);
    bytes = malloc(len ? (size_t)len : 1);
    if (!bytes || fread(bytes, 1, (size_t)len, f) != (size_t)len)
        exit(2);
    fclose(f);
    LLVMFuzzerTestOneInput(bytes, (size_t)len);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    char path[4096];
    int n = 0;

    if (!dir) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        if (run_file(path) == 0)
            n++;
    }
    closedir(dir);
    printf("%d inputs\n", n);
    return n ? 0 : 1; /* an empty corpus tests nothing */
}
