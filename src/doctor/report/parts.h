/* parts.h - what the pieces of the text report share; nobody else includes it. */
#pragma once

#include "doctor/report/report.h"
#include "doctor/say.h"

#define CLOCK_MAX 32

const char *clock_words(int64_t ns, char to[static CLOCK_MAX]); /* "08:15:02.120", UTC */
/* A paragraph, broken at blanks and between Chinese characters where the terminal ends, with a newline
 * behind it. `indent`: blanks before the first line; `hang`: before the others. */
void report_wrap(const struct report_view *v, const char *words, unsigned indent, unsigned hang,
                 struct grow *to);
void report_pad(const char *words, size_t columns, struct grow *to); /* filled with blanks */
