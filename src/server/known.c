#include "server/known.h"

#include <stdio.h>

#include "core/directory.h"
#include "provision/progress/progress.h"
#include "server/database.h"

int known_open(const char *folder, void **ret, char *error, size_t size)
{
    const struct directory *dir;
    struct database *db;
    char path[1024];
    int err;

    snprintf(path, sizeof(path), "%s/" DATABASE_FILE, folder);
    if ((err = database_open(path, STORE_READ, &db, error, size)))
        return err;
    err = database_load(db, &dir, error, size);
    database_close(db);
    if (!err)
        *ret = (void *)dir;
    return err;
}

void known_close(void *directory)
{
    directory_unref(directory);
}

static bool is_known(const void *directory, struct device_name name)
{
    return directory_phone(directory, text_of(name.s)) != NULL;
}

bool known_device(void *directory, const char *name, char near[static 32])
{
    struct device_name wanted = device_name_of(text_of(name)), found;

    near[0] = '\0';
    if (is_known(directory, wanted))
        return true;
    if (progress_near(is_known, directory, wanted, &found, 1))
        text_copy(near, 32, text_of(found.s));
    return false;
}
