/* known.h - the doctor's question to a data folder whose server may not run: is this device in it, and if not, which one is
 * called almost the same? As doctor_directory (doctor/doctor.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* 0 and the directory, or -errno and a sentence. The folder is only read. */
int known_open(const char *folder, void **ret, char *error, size_t size);
void known_close(void *directory); /* NULL is fine */
bool known_device(void *directory, const char *name, char near[static 32]);
