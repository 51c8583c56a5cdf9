/* show.h - an answer of the server, shown to a person or a program. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "base/report.h"

struct show_options {
    enum report_shape shape;
    size_t width;        /* of the terminal, 0 for no limit */
    const char *columns; /* "a,b", or NULL for all */
};

/* Prints the parts of a whole answer (requests.def): text, record, rows, sections, notes. 0, or
 * -ENOENT with the name of a column that does not exist in `missing`. */
int show_answer(FILE *to, const json_t *answer, const struct show_options *options, char *missing,
                size_t size);
/* A refusal: what was wrong row by row, where the answer has it, then the sentence; programs that asked
 * for JSON find all of it in one object. Returns the status. */
int show_refusal(const json_t *answer, const struct show_options *options, int status, const char *sentence);
/* A value as people read it: lists with commas, yes and no; owned by the caller. */
char *show_value(const json_t *value);
/* A line, with "?" for what could make a terminal do something: names come from peers. */
void show_line(FILE *to, const char *text);
/* Columns of the terminal that standard output is; 0 when it is none. */
size_t terminal_width(void);
