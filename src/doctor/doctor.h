/* doctor.h - `dialtone doctor`: why does this phone not register? */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Who is in a data folder (--data): whoever reads databases gives this before doctor_main. */
struct doctor_directory {
    int (*open)(const char *folder, void **ret, char *error, size_t size); /* 0, or -errno and a sentence */
    void (*close)(void *directory); /* NULL is fine */
    bool (*known)(void *directory, const char *name, char near[static 32]); /* as diagnose_options */
};

void doctor_use(const struct doctor_directory *d);
/* argv[0] is the subcommand. Exit status: 0 nothing wrong found, 1 findings, 2 wrong usage, 3 a file cannot be read. */
int doctor_main(int argc, char **argv);
