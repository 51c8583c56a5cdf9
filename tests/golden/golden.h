/* golden.h - input files beside the text they must become.
 *
 * A program per topic: its main calls golden_run. Each file of the topic's folder is an input but
 * `*.txt`, which hold what is expected: x.hex -> x.txt. `.hex` files are hex digits with blanks,
 * and comments from `#` to the end of the line; others are taken as they are. */
#pragma once

#include "base/buf.h"

/* Writes what `bytes` say; `name` is the file's name without folder. 0, or non-zero: a failure. */
typedef int golden_print(const char *name, const uint8_t *bytes, size_t len, struct writer *w);

/* Usage: program FOLDER [--update]. Compares, or rewrites the expected files; 0 when all agree. An
 * empty folder is a failure. */
int golden_run(int argc, char **argv, golden_print *print);
