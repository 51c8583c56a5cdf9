/* tasks.h - what `dialtone doctor` does besides its report. Exit statuses: 0, or 1 when a file cannot be read. */
#pragma once

#include "doctor/capture/capture.h"
#include "doctor/words.h"

int task_pair(char *const *files, const struct capture_options *o, enum language l); /* prints what two captures say together */
/* Into the file `to`, or, when the files hold more than one capture or text, into a folder that it makes. */
int task_anonymise(char *const *files, int n, const struct capture_options *o, const char *to);
